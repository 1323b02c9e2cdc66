/* statement.h: one PASS or FAIL line per statement, and the ball matrices that the statements are about.
 * SPDX-License-Identifier: MIT */
#ifndef PROOFS_STATEMENT_H
#define PROOFS_STATEMENT_H

#include <arb_mat.h>
#include <stdio.h>

/* Prints the line; returns 1 if the statement does not hold. */
static inline int statement(int holds, const char *text)
{
    printf("%s %s\n", holds ? "PASS" : "FAIL", text);
    return !holds;
}

/* X contains Y, and every entry of X - Y is below 2^-bits for certain: the balls are tight, so that containing means something. */
static inline int encloses(const arb_mat_t X, const arb_mat_t Y, int bits, slong prec)
{
    arb_mat_t D;
    mag_t bound;
    arb_mat_init(D, arb_mat_nrows(X), arb_mat_ncols(X)), mag_init(bound);
    arb_mat_sub(D, X, Y, prec);
    arb_mat_bound_inf_norm(bound, D);
    int holds = arb_mat_overlaps(X, Y) && mag_cmp_2exp_si(bound, -bits) < 0;
    arb_mat_clear(D), mag_clear(bound);
    return holds;
}

/* Does X^T X enclose I, to 2^-bits? */
static inline int is_orthogonal(const arb_mat_t X, int bits, slong prec)
{
    slong n = arb_mat_nrows(X);
    arb_mat_t T, P, I;
    arb_mat_init(T, n, n), arb_mat_init(P, n, n), arb_mat_init(I, n, n);
    arb_mat_transpose(T, X);
    arb_mat_mul(P, T, X, prec);
    arb_mat_one(I);
    int holds = encloses(P, I, bits, prec);
    arb_mat_clear(T), arb_mat_clear(P), arb_mat_clear(I);
    return holds;
}

#endif
