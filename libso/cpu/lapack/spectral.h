/* spectral.h: A = W blockdiag(theta J) W^T, J = [[0,-1],[1,0]], of one skew matrix, in f64, and arithmetic in its 2x2 blocks.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_LAPACK_SPECTRAL_H
#define SO_CPU_LAPACK_SPECTRAL_H

#include "../group/matrix.h"

/* Angles are theta 2^exponent; theta[k] >= 0 belongs to the columns 2k, 2k+1 of W; for odd n the last column is the null vector
 * and theta[n/2] = 0. The 2-norm of A 2^-exponent lies between 1/2 and n. */
typedef struct spectrum {
    elem *W;
    real *theta;
    int exponent;
} spectrum;

/* Scales A by 2^-exponent, in place, and decomposes it. Work: spectrum_matrices, of which s->W is the first and s->theta in the
 * second; the caller may use the rest again. Returns 0 if the SVD did not converge. */
int SO_(spectrum_of)(int n, elem *A, spectrum *s, real *work);
enum { SPECTRUM_MATRICES = 6 };

/* theta[k] <- the angle itself, at most REAL_MAX/4. */
void SO_(spectrum_unscale)(int n, const spectrum *s, real *angle);

/* M <- f(ad_D) M for skew M, D = blockdiag(angle J): ad_D has the eigenvalues i x, x = sums and differences of angles, and
 * multiplier(x, &re, &im) multiplies re + i im by f(i x) (exponential.md 2.6). Reads the lower triangle of M, writes all. */
typedef void block_multiplier(real x, real *re, real *im);
void SO_(block_function)(int n, const real *angle, block_multiplier *multiplier, elem *M);

/* First-order description of what rounding left of the decomposition (A and s as spectrum_of made them):
 *   F = W^T W - I,   E = the skew matrix with A = V (blockdiag(theta J) + E) V^T, V = W (I + F)^(-1/2), both scaled like theta.
 * Products are formed from parts of half the bits, so that E and F are good to about u^1.5. Work: 6 matrices. */
void SO_(spectrum_residual)(int n, elem *A, const spectrum *s, elem *F, elem *E, real *work);
enum { RESIDUAL_MATRICES = 6 };

#endif
