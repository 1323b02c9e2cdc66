/* summation.h: the sums of libso/cpu/group/product.c, and the roundings that a term of one passes through.
 * SPDX-License-Identifier: MIT */
#ifndef PROOFS_SUMMATION_H
#define PROOFS_SUMMATION_H

/* One run up to `whole` terms, beyond that as few of at most RUN terms as there can be, of equal length. `whole` is larger
 * where one triangle of a product is computed than where all of it is. */
enum { RUN = 8, WHOLE_FULL = 8, WHOLE_HALF = 16 };

static inline int run_of(int n, int whole)
{
    int runs = n <= whole ? 1 : (n + RUN - 1) / RUN;
    return (n + runs - 1) / runs;
}

/* Roundings that a term of a sum of n products passes through: those of its run, then one for every further run. */
static inline int roundings(int n, int whole)
{
    int run = run_of(n, whole);
    return run + (n + run - 1) / run - 1;
}

#endif
