/* spectral.h: A = W D W^T of one skew matrix in f64; W and D as in group/planes.h.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_LAPACK_SPECTRAL_H
#define SO_CPU_LAPACK_SPECTRAL_H

#include "../group/planes.h"

/* Angles are theta 2^exponent, not negative, in descending order; for odd n theta[n/2] = 0 belongs to the null vector. The
 * 2-norm of A 2^-exponent lies between 1/2 and n. */
typedef struct spectrum {
    elem *W;
    real *theta;
    int exponent;
} spectrum;

/* Scales A by 2^-exponent, in place, and decomposes it. Work: spectrum_matrices, of which s->W is the first and s->theta in the
 * second; the caller may use the rest again. Returns 0 if the SVD did not converge. */
int SO_(spectrum_of)(int n, elem *A, spectrum *s, real *work);
enum { SPECTRUM_MATRICES = 6 };

/* angle[k] <- the angle itself, at most REAL_MAX/4. */
void SO_(spectrum_unscale)(int n, const spectrum *s, real *angle);

/* First-order description of what rounding left of the decomposition (A and s as spectrum_of made them, WT = W^T):
 *   F = W^T W - I,   E = the skew matrix with A = V (D + E) V^T, V = W (I + F)^(-1/2), in units of theta.
 * Of W^T A W = D + F D + W^T (A W - W D), E is the skew part of the last term, which is small: of E the rounding of one product
 * is left, and of F. Work: 1 matrix. */
void SO_(spectrum_residual)(int n, const elem *A, const spectrum *s, const elem *WT, elem *F, elem *E, real *work);

/* W <- W (I + K - F/2) with [D, K] = -E where E couples angles more than 2^-20 rho apart. N <- the rest of E, in units of
 * theta: then A = W (D + N) W^T to first order, W is orthogonal and N nearly commutes with D. Work: 3 matrices. */
void SO_(correct_vectors)(int n, const elem *A, spectrum *s, elem *N, real *work);

#endif
