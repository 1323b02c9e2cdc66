/* SPDX-License-Identifier: MIT */
#include "matrix.h"

void mirror(int n, int sign, elem *C)
{
    int ld = matrix_stride(n);
    for (int i = 0; i < n; i++) {
        if (sign < 0)
            C[(ptrdiff_t)i * ld + i] = broadcast(0);
        for (int j = 0; j < i; j++)
            C[(ptrdiff_t)j * ld + i] = sign < 0 ? -C[(ptrdiff_t)i * ld + j] : C[(ptrdiff_t)i * ld + j];
        for (int j = n; j < ld; j++)
            C[(ptrdiff_t)i * ld + j] = broadcast(0);
    }
}

void transpose(int n, const elem *A, elem *B)
{
    int ld = matrix_stride(n);
    memset(B, 0, (size_t)matrix_size(n) * sizeof(elem));
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            B[(ptrdiff_t)j * ld + i] = A[(ptrdiff_t)i * ld + j];
}

void skew_part(int n, elem *A)
{
    int ld = matrix_stride(n);
    for (int i = 0; i < n; i++) {
        A[(ptrdiff_t)i * ld + i] = broadcast(0);
        for (int j = 0; j < i; j++) {
            elem half = (A[(ptrdiff_t)i * ld + j] - A[(ptrdiff_t)j * ld + i]) * (real)0.5;
            A[(ptrdiff_t)i * ld + j] = half;
            A[(ptrdiff_t)j * ld + i] = -half;
        }
    }
}

void SO_(orthogonalize)(int n, mask lanes, elem *E, int steps, real *work)
{
    int ld = matrix_stride(n);
    elem *T = matrix_of(work, n, 0), *D = matrix_of(work, n, 1), *F = matrix_of(work, n, 2);
    for (int step = 0; step < steps; step++) {
        transpose(n, E, T);
        product_lower(n, E, T, D);
        mirror(n, 1, D);
        elem sum = broadcast(0);
        for (int i = 0; i < n; i++) {
            D[(ptrdiff_t)i * ld + i] -= (real)1;
            elem row = broadcast(0);
            for (int j = 0; j < n; j++)
                row += D[(ptrdiff_t)i * ld + j] * D[(ptrdiff_t)i * ld + j];
            sum += row;
        }
        mask off = lanes & (sum > broadcast(4 * REAL_EPSILON * REAL_EPSILON * (real)n));
        if (!any_lane(off))
            return;
        product(n, D, E, F);
        for (ptrdiff_t i = 0; i < matrix_size(n); i++)
            E[i] = select_lanes(off, E[i] - F[i] * (real)0.5, E[i]);
    }
}
