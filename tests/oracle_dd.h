/* oracle_dd.h: matrices of double-double numbers (Dekker, Numer. Math. 18, 1971): hi + lo, |lo| <= ulp(hi)/2.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_ORACLE_DD_H
#define TESTS_ORACLE_DD_H

#include "oracle.h"

void dd_copy(int n, oracle_pair out, oracle_pair x);
void dd_transpose(int n, oracle_pair out, oracle_pair x);                /* out differs from x */
void dd_multiply(int n, oracle_pair out, oracle_pair x, oracle_pair y);  /* out = x y; out differs from x and y */
void dd_gram(int n, oracle_pair out, const double *R);                   /* out = R^T R */
void dd_scale(int n, oracle_pair x, double factor);                      /* x *= factor, a power of two */
void dd_add(int n, oracle_pair out, oracle_pair x, double factor);       /* out += factor x, factor exact */
void dd_divide(int n, oracle_pair x, double divisor);                    /* x /= divisor */
void dd_add_identity(int n, oracle_pair x, double factor);               /* x += factor I */
void dd_inverse(int n, oracle_pair out, oracle_pair x);                  /* Gauss-Jordan without pivoting, one Newton step;
                                                                            x + x^T positive definite; x is destroyed */
#endif
