/* rotation.h: what the inverse maps need to know about a matrix that is a rotation up to a defect; f64.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_LAPACK_ROTATION_H
#define SO_CPU_LAPACK_ROTATION_H

#include "../../so.h"
#include "../group/matrix.h"

/* X <- the orthogonal matrix nearest to it. Returns 0 if ||X^T X - I||_F exceeds LARGEST_DEFECT; X is as it was. The skew part of X
 * keeps its relative accuracy, however small. Work: ROTATION_MATRICES. */
#define LARGEST_DEFECT 0.125
int SO_(nearest_orthogonal)(int n, elem *X, real *work);
enum { ROTATION_MATRICES = 3 };

/* det X > 0 for orthogonal X. Work: 1 matrix. */
int SO_(is_rotation)(int n, const elem *X, real *work);

/* 1 or -1, the sign of det B; 0 for a zero pivot of Gaussian elimination with partial pivoting. B is destroyed. */
int SO_(determinant_sign)(int n, elem *B);

/* C <- B^-1 C by Gauss-Jordan elimination with partial pivoting; B is destroyed. Returns 0 for a zero pivot. */
int SO_(solve_pivoting)(int n, elem *B, elem *C);

/* X = W exp(D) W^T for orthogonal X, angles theta[k] in [0, pi], W and D as in group/planes.h; eigenvalues -1 are paired to angles
 * pi. Backward error of order u. theta: n/2 numbers. Returns SO_OK, SO_EREFLECTION if the -1 do not pair, SO_ESINGULAR if the
 * iteration did not converge. Work: SCHUR_MATRICES. */
so_status SO_(schur_of_rotation)(int n, const elem *X, elem *W, real *theta, real *work);
enum { SCHUR_MATRICES = 4 };

#endif
