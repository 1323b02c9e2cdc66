/* centre.h: powers of a symmetric matrix about a number.
 *
 * Y = y I + P_1 with y near the mean of Y's diagonal and y^k exact; Y^k = y^k I + P_k. Where the eigenvalues of Y are close, the
 * P_k are small and so are their rounding errors; the rest are numbers. Without it a matrix A whose entries have one size (signs,
 * Hadamard matrices) sees the same rounding errors in all rows of Y^k: together they turn all of its planes by one angle, which
 * squarings double, and exp(A) leaves its bound.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_GROUP_CENTRE_H
#define SO_CPU_GROUP_CENTRE_H

#include "jet.h"

enum { CENTRE_POWERS = 4 };

/* P_k in P[k - 1]: P_(known+1) .. P_powers from P_1 .. P_known, 1 <= known, powers <= 4; y[k] = y^k. P_k carries the tangent of
 * Y^k. */
void SO_(powers_about)(int n, int known, int powers, const elem *y, jet *P);
#define powers_about SO_(powers_about)

#endif
