/* exact.h: reference values for the errors that the benchmarks print, independent of libso.
 *
 * long double (at least 64 bits of mantissa), plain loops, textbook algorithms that libso does not use: Taylor series with
 * scaling and squaring on the block matrix [[X, H], [0, X]], Gauss-Jordan elimination. The error of a reference is about
 * (10 + 2 rho) 2^-64, so 2^-11 = 0.05 % of the contract of so.h in f64. proofs/ and tests/ hold the rigorous comparison
 * with ball arithmetic; this one is cheap enough to stand in every row.
 * All matrices n x n, row-major, inputs taken as exact.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_EXACT_H
#define BENCH_EXACT_H

/* Largest singular value of A, by LAPACK in f64: the rotation angle rho of a skew A. */
double exact_rho(int n, const long double *A);

/* R = exp(A); D = skew projection of the gradient of <G, exp(A)>. G and D may be NULL together. rho from exact_rho(). */
void exact_exp(int n, double rho, const long double *A, const long double *G, long double *R, long double *D);

/* The same for R = (I - A/2)^-1 (I + A/2). */
void exact_cayley(int n, const long double *A, const long double *G, long double *R, long double *D);

/* ||X - Y||_F / sqrt(n); with Y = NULL, ||X||_F / sqrt(n). NaN stays NaN. */
double exact_distance(int n, const long double *X, const long double *Y);

/* ||R^T R - I||_F / sqrt(n). */
double exact_defect(int n, const long double *R);

#endif
