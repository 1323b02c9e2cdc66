/* SPDX-License-Identifier: MIT */
#ifndef SO_CPU_LAPACK_TRIDIAGONAL_H
#define SO_CPU_LAPACK_TRIDIAGONAL_H

#include "../group/matrix.h"

/* A = Q T Q^T for the skew matrix A (its lower triangle is read; its largest entry is about 1), in f64: sub[k] = T_(k+1,k).
 * Q is left in A and tau (n numbers) as apply_reflections() takes it. work: 2 matrix_stride(n) numbers. */
void SO_(tridiagonalise)(int n, elem *A, real *sub, real *tau, real *work);

/* X <- Q X. work: a matrix. */
void SO_(apply_reflections)(int n, const elem *Q, const real *tau, elem *X, real *work);

#endif
