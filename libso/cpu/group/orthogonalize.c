/* SPDX-License-Identifier: MIT */
#include "matrix.h"

void SO_(orthogonalize)(int n, mask lanes, elem *E, int steps, real *work)
{
    int ld = matrix_stride(n);
    elem *T = matrix_of(work, n, 0), *D = matrix_of(work, n, 1), *F = matrix_of(work, n, 2);
    for (int step = 0; step < steps; step++) {
        transpose(n, E, T);
        product_lower(n, E, T, D);
        symmetric_diagonal(n, 1, T, T, D);
        mirror(n, 1, D);
        for (int i = 0; i < n; i++)
            D[(ptrdiff_t)i * ld + i] -= (real)1;
        mask off = lanes & (sum_of_squares(n, D) > broadcast(4 * REAL_EPSILON * REAL_EPSILON * (real)n));
        if (!any_lane(off))
            return;
        product(n, D, E, F);
        for (ptrdiff_t i = 0; i < matrix_size(n); i++)
            E[i] = select_lanes(off, E[i] - F[i] * (real)0.5, E[i]);
    }
}
