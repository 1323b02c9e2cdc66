/* SPDX-License-Identifier: MIT */
#ifndef SO_CPU_LAPACK_CAYLEY_INVERSE_H
#define SO_CPU_LAPACK_CAYLEY_INVERSE_H

#include "../group/matrix.h"

/* A = 2 (X - I)(X + I)^-1 for a rotation X. Returns 0 unless ||(X + I)^-1||_F < sqrt(2) largest: so it does if an angle theta has
 * 1/(2 cos(theta/2)) >= largest. Work: CAYLEY_INVERSE_MATRICES. */
int SO_(cayley_inverse_of)(int n, const elem *X, real largest, elem *A, real *work);
enum { CAYLEY_INVERSE_MATRICES = 3 };

#endif
