/* SPDX-License-Identifier: MIT */
#ifndef SO_CPU_LAPACK_CAYLEY_INVERSE_H
#define SO_CPU_LAPACK_CAYLEY_INVERSE_H

#include "../group/matrix.h"

/* A = 2 (X - I)(X + I)^-1 for orthogonal X. Returns 0 unless all entries of (X + I)^-1 are smaller than `largest`. Work:
 * CAYLEY_INVERSE_MATRICES. */
int SO_(cayley_inverse_of)(int n, const elem *X, real largest, elem *A, real *work);
enum { CAYLEY_INVERSE_MATRICES = 3 };

#endif
