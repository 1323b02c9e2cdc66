/* SPDX-License-Identifier: MIT */
#ifndef SO_CPU_LAPACK_BIDIAGONAL_H
#define SO_CPU_LAPACK_BIDIAGONAL_H

#include "../group/matrix.h"

/* B = L^T S R of the upper bidiagonal B of order m (diagonal d, above it e), in f64: d <- the singular values, non-negative, in
 * no order; rows k of left and right (m rows of stride ld) <- the singular vectors of d[k]. Where d[m-1] = 0 this stays the
 * last singular value, exactly 0, with the last unit vector as left vector. e is destroyed. work: 4 m numbers. Returns 0 if the
 * iteration did not converge. */
int SO_(bidiagonal_svd)(int m, real *d, real *e, int ld, elem *left, elem *right, real *work);

#endif
