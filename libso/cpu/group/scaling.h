/* scaling.h: scaling and squaring of a skew matrix, for the methods whose base holds for small angles.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_GROUP_SCALING_H
#define SO_CPU_GROUP_SCALING_H

#include "matrix.h"

/* ---- Before the base ---- */

static inline void scale(int n, elem factor, elem *A)
{
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        A[i] *= factor;
}

/* A <- A 2^-exponent, so that entries are at most 2^5 and ||A^4||_F^2 ~ rho^8 cannot overflow. */
void SO_(scale_large)(int n, elem *A, int exponent[LANES]);

/* X <- X 2^-exponent, exponent != 0 only where X is so large or small that products with it could leave the range. */
void SO_(scale_to_unit)(int n, elem *X, int exponent[LANES]);
void SO_(scale_back)(int n, elem *X, const int exponent[LANES]);

/* ---- After the base ---- */

typedef struct squarings {
    mask count; /* per lane, an integer */
    int most;
} squarings;

static inline squarings squarings_of(mask count)
{
    squarings s = {count, 0};
    for (int l = 0; l < LANES; l++)
        s.most = get_int(count, l) > s.most ? (int)get_int(count, l) : s.most;
    return s;
}

/* E <- E^(2^count), lane by lane. Before the first squaring, and every few, E is made orthogonal to the last bit: a squaring
 * doubles a defect (exponential.md 9.4). Work: 4 matrices. */
void SO_(square_repeatedly)(int n, const squarings *s, elem *E, real *work);

/* Y = skew part of L E^T: the derivative L at E in trivialised form. Work: 1 matrix. */
void SO_(trivialise)(int n, const elem *L, const elem *E, elem *Y, real *work);

/* Y <- phi(ad_(2^count A)) M from Y = phi(ad_A) M and E = exp(A): phi(ad_2A) M = (Y + E Y E^T)/2 (2.7). E is destroyed.
 * Work: 6 matrices. */
void SO_(double_angles)(int n, const squarings *s, elem *E, elem *Y, real *work);

#endif
