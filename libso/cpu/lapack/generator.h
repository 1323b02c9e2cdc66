/* SPDX-License-Identifier: MIT */
#ifndef SO_CPU_LAPACK_GENERATOR_H
#define SO_CPU_LAPACK_GENERATOR_H

#include "../group.h"

/* A = W D W^T (group/planes.h) for the skew matrix A of the strict upper triangle of generator (n x n, compact, finite): W in
 * the layout `single`, (n + 1)/2 angles. W is orthogonal to rounding error, and p A = W (p D) W^T to u rho(p A) and less, so
 * that it serves for exp(p A) at every p. Returns 0 if that is not so or if the SVD did not converge. work: GENERATOR_MATRICES.
 */
int SO_VARIANT(so_factor_generator, _single)(int n, const real *generator, real *W, double *angle, real *work);

#if defined(SO_REAL_f32)
enum { GENERATOR_MATRICES = 2 * 7 };
#else
enum { GENERATOR_MATRICES = 8 };
#endif

#endif
