/* oracle.h: references for the tests: the same maps as so.h, computed independently and far more precisely.
 *
 * Two implementations of each. oracle_*: double-double arithmetic (about 2^-100 relative), fast enough for the bulk of the
 * tests. oracle_arb_*: ball arithmetic, rigorous; tests/check_oracle.c holds the first against the second.
 *
 * Matrices are n x n, row-major. Of A (skew) only the strict upper triangle is read. A result is the unevaluated sum hi + lo
 * of two doubles, so that an error of a fraction of 2^-53 can be measured.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

typedef struct oracle_pair {
    double *hi, *lo; /* n * n each */
} oracle_pair;

oracle_pair oracle_new(int n); /* zeros; ends the program without memory */
void oracle_free(oracle_pair *);

/* R = exp(A); L = d/dt exp(A + t E), E any matrix (all of it is read). R or L may be NULL. */
void oracle_exp(int n, const double *A, const double *E, oracle_pair *R, oracle_pair *L);
/* R = (I - A/2)^-1 (I + A/2) and L = its derivative in the direction E. */
void oracle_cayley(int n, const double *A, const double *E, oracle_pair *R, oracle_pair *L);
/* The skew projection of the gradient of <G, exp(A)> (or <G, cayley(A)>): (Z - Z^T)/2, Z = the derivative at -A in direction G. */
void oracle_vjp(int cayley, int n, const double *A, const double *G, oracle_pair *dA);
/* || R^T R - I ||_F */
double oracle_orthogonality(int n, const double *R);

/* The same by balls, each entry within 2^-110 max(1, |E|): exp(A) or the Cayley map, and (E != NULL) the derivative. The
 * precision rises until that holds. */
void oracle_arb_exp(int n, const double *A, const double *E, oracle_pair *R, oracle_pair *L);
void oracle_arb_cayley(int n, const double *A, const double *E, oracle_pair *R, oracle_pair *L);

#endif
