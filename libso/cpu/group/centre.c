/* SPDX-License-Identifier: MIT */
#include "centre.h"

/* P_(i+j) = P_i P_j + y^j P_i + y^i P_j */
static void product_about(int n, const elem *y, int i, int j, jet *P)
{
    jet to = P[i + j - 1], M[2] = {P[i - 1], P[j - 1]};
    elem zero = broadcast(0);
    if (i == j)
        multiply_add(n, 1, M[0], M[1], 1, (elem[]){zero, 2 * y[i]}, M, to);
    else
        multiply_add(n, 1, M[0], M[1], 2, (elem[]){zero, y[j], y[i]}, M, to);
}

void powers_about(int n, int known, int powers, const elem *y, jet *P)
{
    for (int k = known + 1; k <= powers; k++)
        product_about(n, y, (k + 1) / 2, k / 2, P);
}
