/* user.h: a user's own matrices in, what libso made of them out. SPDX-License-Identifier: MIT */
#ifndef BENCH_USER_H
#define BENCH_USER_H

#include "measure.h"

/* Reads A and, if `upstream` is not NULL, G of the same shape and type; ends the program with one line if that is impossible.
 * Says on stderr which matrices are not finite or not skew-symmetric: the first are carried as NaN, of the second only the
 * strict upper triangle counts. */
sweep_input user_read(const char *matrices, const char *upstream);

/* Ends the program with one line if a file at `path` could not be created, or would take the place of something else than a file:
 * asked before the work, not after it. */
void user_check_target(const char *path);

/* Writes a stack of the shape and type of `input`, or ends the program with one line. */
void user_write(const char *path, const sweep_input *input, void *stack);

#endif
