/* picture.h: a picture of several panels, drawn by gnuplot from a script that holds its data: it can be drawn again, or
 * differently, from the .gp alone. SPDX-License-Identifier: MIT */
#ifndef BENCH_PICTURE_H
#define BENCH_PICTURE_H

#include <stdbool.h>

#include "rows.h"

typedef struct picture {
    const char *name, *title, *xlabel;
    int columns, rows;
    bool orders; /* x is the order of the matrices: logarithm to base 2; else to base 10 */
} picture;

/* Makes the folder and looks for gnuplot; ends the program with one line if either is missing. */
void picture_open(const char *folder);

/* Starts the script folder/name.gp; NULL after one line on stderr. */
FILE *picture_begin(const char *folder, const picture *p, const evidence *e);

/* Starts the next panel, row by row; what follows continues gnuplot's `plot`. The key of the first panel stands above all. */
void picture_panel(FILE *script, const char *title, const char *ylabel);

/* Ends the script and draws folder/name.png and .svg; false after one line on stderr. */
bool picture_end(FILE *script, const char *folder, const picture *p);

#endif
