/* glyphs.h: the pictures of the arrow task, 12 x 12, '#' is ink; the other orientations are quarter turns of these.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_DATA_GLYPHS_H
#define HARNESS_DATA_GLYPHS_H

extern const char *const glyph_arrow[12];      /* points up */
extern const char *const glyph_y[12];          /* foot down */
extern const char *const glyph_letters[5][12]; /* A..E */

#endif
