/* oracle_encode.h: so_encode and its vjp against the exponential of the token-wise generators, summed in the oracle.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_ORACLE_ENCODE_H
#define TESTS_ORACLE_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "libso/so.h"

typedef struct problem {
    so_encoding e;
    size_t square, tokens, dims, groups;
    double *position, *generator, *R, *dR, *dgenerator, *dposition;
} problem;

/* Positions on [-1, 1), the first one 0; generators with entries 2 pi U(0, 1), as LieRE starts, and NaN where nobody reads. */
problem new_problem(int bits, so_method method, int dims, int tile, int groups, int tokens, uint64_t number);
void free_problem(problem *p);
double *reals(size_t count);

/* Largest ratio of an error to its bound. The exponent's own roundings move R by their size and dA by twice that times ||dR||
 * (phi' is 1/2 at most, and ad doubles the norm); on each side there is one exponent. */
typedef struct ratios {
    double R, dgenerator, dposition;
} ratios;

void raise_worst(double *most, double ratio); /* not a number counts as infinite */

/* Of the results in p, into what is the worst so far. */
void check_values(int bits, const problem *p, ratios *most);

#endif
