/* jet.h: group matrices with a tangent, for maps that are evaluated through products of commuting symmetric and skew matrices.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_GROUP_JET_H
#define SO_CPU_GROUP_JET_H

#include "matrix.h"

typedef struct jet {
    elem *v; /* value */
    elem *d; /* tangent, or NULL: value only */
} jet;

/* Where jets come from: the matrices of work, in turn. */
typedef struct arena {
    int n, used, tangents;
    real *work;
} arena;

static inline jet take(arena *a)
{
    jet j = {matrix_of(a->work, a->n, a->used), a->tangents ? matrix_of(a->work, a->n, a->used + 1) : NULL};
    a->used += 1 + a->tangents;
    return j;
}

/* R = P Q of commuting factors: symmetric ones (sign = 1), or a skew and a symmetric one (sign = -1). */
void SO_(jet_multiply)(int n, int sign, jet P, jet Q, jet R);
#define multiply SO_(jet_multiply)

/* X = A^2 of a skew A */
void SO_(jet_square_of_skew)(int n, jet A, jet X);
#define square_of_skew SO_(jet_square_of_skew)

/* R = a_0 I + a_1 M_1 + .. + a_terms M_terms, symmetric M, 1 <= terms <= 4 */
void SO_(jet_combine)(int n, int terms, const elem *a, const jet *M, jet R);
#define combine SO_(jet_combine)

/* R = P Q + a_0 I + a_1 M_1 + .. + a_terms M_terms */
void SO_(jet_multiply_add)(int n, int sign, jet P, jet Q, int terms, const elem *a, const jet *M, jet R);
#define multiply_add SO_(jet_multiply_add)

#endif
