/* rotation.h: inputs of so_rotate and its vjp, and their contract against plain loops.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_ROTATION_H
#define TESTS_ROTATION_H

#include "oracle_call.h"

/* Normal numbers of the type everywhere, in results too, so that what must not be written shows. R and dR beside bf16 are f32. */
typedef struct rotation_problem {
    so_rotation r;
    size_t elements, matrices; /* numbers of x, dy, y, dx, gaps included; of R, dR */
    double *R, *x, *dy, *y, *dx, *dR;
} rotation_problem;

rotation_problem rotation_new(int bits, const so_rotation *, int number);
void rotation_free(rotation_problem *);

/* Holds the bounds of so.h for y, dx and dR, and that gaps keep what they held. Prints the worst ratios, after the suite's name. */
void rotation_contract(const char *suite, int bits, so_ctx *, const so_rotation *cases, int count);

#endif
