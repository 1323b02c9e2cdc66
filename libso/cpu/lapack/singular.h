/* singular.h: X = U diag(s) V^T with rotations U and V, in f64: the singular value decomposition, the smallest value signed.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_LAPACK_SINGULAR_H
#define SO_CPU_LAPACK_SINGULAR_H

#include "../../so.h"
#include "../group/matrix.h"

/* Row k of UT and of VT is the k-th column of U and of V; s: n numbers, s[n-1] the smallest in size, with the sign of det X; the
 * others are positive, in no order. The entries of X are of size 2^-500 .. 2^500 or 0. SO_ESINGULAR: U V^T, the rotation nearest
 * to X, is not unique: all but one |s[k]|, and s[k] + s[n-1], must exceed 2 n u times the largest. Work: SINGULAR_MATRICES. */
so_status SO_(singular_values)(int n, const elem *X, double u, elem *UT, elem *VT, real *s, real *work);

/* Makes U and V as orthogonal as rounding allows and s and small K, N (skew, symmetric with a zero diagonal) such that to first
 * order X = U (I + K) (diag(s) + N) V^T: what rounding left of the decomposition. Work: SINGULAR_MATRICES. */
void SO_(singular_residual)(int n, const elem *X, elem *UT, elem *VT, real *s, elem *K, elem *N, real *work);
enum { SINGULAR_MATRICES = 3 };

#endif
