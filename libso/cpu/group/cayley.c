/* cayley.c: the Cayley map R = (I - A/2)^-1 (I + A/2) = 2 K - I, K = (I - A/2)^-1, and its trivialised derivative.
 *
 * The symmetric part of I - A/2 is I, and so it is at least I in every Schur complement: Gauss-Jordan elimination needs no
 * pivoting, pivots are >= 1 (Golub & Van Loan 1979; exponential.md 2.9). But the complements may grow to rho^2/4, and that many
 * units of roundoff are lost in K: beyond small angles a Newton step for the inverse, K <- K + K (I - (I - A/2) K), brings the
 * error back to the order of rho u. What is left of the defect of R is removed by Newton-Schulz steps.
 *
 * Derivative: dK = K dA/2 K gives dR R^T = K dA K^T, K = (I + R)/2: no solve.
 * SPDX-License-Identifier: MIT */
#include "cayley.h"

#include "matrix.h"

static void invert_in_place(int n, elem *B)
{
    int ld = matrix_stride(n);
    for (int k = 0; k < n; k++) {
        elem *pivot_row = B + (ptrdiff_t)k * ld;
        elem inverse = broadcast(1) / pivot_row[k];
        pivot_row[k] = broadcast(1);
        for (int j = 0; j < ld; j++)
            pivot_row[j] *= inverse;
        for (int i = 0; i < n; i++) {
            if (i == k)
                continue;
            elem *restrict row = B + (ptrdiff_t)i * ld;
            elem factor = row[k];
            row[k] = broadcast(0);
            for (int j = 0; j < ld; j++)
                row[j] -= factor * pivot_row[j];
        }
    }
}

/* One Newton step for K = (I - A/2)^-1 in the lanes where ||A||_F^2 > 8. Work: 2 matrices. */
static void refine_inverse(int n, const elem *A, elem *K, real *work)
{
    int ld = matrix_stride(n);
    elem *residual = matrix_of(work, n, 0), *correction = matrix_of(work, n, 1);
    elem norm = broadcast(0);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        norm += A[i] * A[i];
    mask large = norm > broadcast(8);
    if (!any_lane(large))
        return;
    product(n, A, K, residual);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        residual[i] = residual[i] * (real)0.5 - K[i];
    for (int i = 0; i < n; i++)
        residual[(ptrdiff_t)i * ld + i] += (real)1;
    product(n, K, residual, correction);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        K[i] = select_lanes(large, K[i] + correction[i], K[i]);
}

static mask all_lanes(void)
{
    mask none = {0};
    return ~none;
}

static void cayley_map(int n, real *A_, real *R_, real *work)
{
    int ld = matrix_stride(n);
    elem *A = (elem *)A_, *R = (elem *)R_;
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        R[i] = A[i] * (real)-0.5;
    for (int i = 0; i < n; i++)
        R[(ptrdiff_t)i * ld + i] = broadcast(1);
    invert_in_place(n, R);
    refine_inverse(n, A, R, work);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        R[i] *= (real)2;
    for (int i = 0; i < n; i++)
        R[(ptrdiff_t)i * ld + i] -= (real)1;
    /* The defect is at most a few n rho u: squared twice it is far below u for every rho u < 1. */
    SO_(orthogonalize)(n, all_lanes(), R, 3, work);
}

static void cayley_differential(int n, real *A, const real *R_, real *M, real *Y_, real *work)
{
    (void)A;
    int ld = matrix_stride(n);
    const elem *R = (const elem *)R_;
    elem *Y = (elem *)Y_, *K = matrix_of(work, n, 0), *T = matrix_of(work, n, 1), *transposed = matrix_of(work, n, 2);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        K[i] = R[i] * (real)0.5;
    for (int i = 0; i < n; i++)
        K[(ptrdiff_t)i * ld + i] += (real)0.5;
    transpose(n, K, transposed);
    product(n, K, (const elem *)M, T);
    product_lower(n, T, transposed, Y);
    mirror(n, -1, Y);
}

const group_method SO_(so_cayley) = {
    .map = cayley_map,
    .differential = cayley_differential,
    .map_matrices = 3,
    .differential_matrices = 3,
};
