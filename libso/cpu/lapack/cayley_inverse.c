/* cayley_inverse.c: A = 2 (X - I)(X + I)^-1 for the rotation X nearest to R, and its derivative.
 *
 * With B = X + I and the skew part K of X, A = 4 B^-T K B^-1: skew by construction, and relatively accurate however small K is.
 *
 * Derivative: dA = 4 B^-1 dX B^-1 (exponential.md 2.9) and 2 B^-1 = I - A/2, so the gradient is (I + A/2) skew(dA) (I + A/2):
 * no solve, and never singular.
 * SPDX-License-Identifier: MIT */
#include "cayley_inverse.h"

#include "../widened.h"
#include "rotation.h"

#if defined(SO_REAL_f64)

int SO_(cayley_inverse_of)(int n, const elem *X, real largest, elem *A, real *work)
{
    int ld = matrix_stride(n);
    elem *B = matrix_of(work, n, 0), *inverse = matrix_of(work, n, 1), *T = matrix_of(work, n, 2);
    memcpy(B, X, (size_t)matrix_size(n) * sizeof(elem));
    memset(inverse, 0, (size_t)matrix_size(n) * sizeof(elem));
    for (int i = 0; i < n; i++) {
        B[(ptrdiff_t)i * ld + i] += 1;
        inverse[(ptrdiff_t)i * ld + i] = 1;
    }
    if (!SO_(solve_pivoting)(n, B, inverse))
        return 0;
    if (!(sum_of_squares(n, inverse) < 2 * largest * largest)) /* the singular values come in pairs */
        return 0;
    memcpy(A, X, (size_t)matrix_size(n) * sizeof(elem));
    skew_part(n, A);
    product(n, A, inverse, T);
    elem *transposed = B;
    transpose(n, inverse, transposed);
    product_lower(n, transposed, T, A);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        A[i] *= 4;
    mirror(n, -1, A);
    return 1;
}

/* An eigenvalue of X this many n u from -1 is taken to be -1. */
#define SINGULAR_ROUNDINGS 32

static so_status cayley_inverse_compute(int n, double *const *in, double *A, double *work, double u)
{
    (void)u;
    elem *X = in[0];
    if (!SO_(nearest_orthogonal)(n, X, work))
        return SO_ESINGULAR;
    if (!SO_(is_rotation)(n, X, work))
        return SO_EREFLECTION;
    real largest = 1 / (SINGULAR_ROUNDINGS * n * REAL_EPSILON);
    return SO_(cayley_inverse_of)(n, X, largest, A, work) ? SO_OK : SO_ESINGULAR;
}

const widened_map so_cayley_inverse_map = {.inputs = 1, .work_matrices = CAYLEY_INVERSE_MATRICES, .compute = cayley_inverse_compute};

static so_status cayley_inverse_vjp_compute(int n, double *const *in, double *dR, double *work, double u)
{
    (void)u;
    elem *A = in[0], *G = in[1], *T = matrix_of(work, n, 0);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        A[i] /= 2;
    for (int i = 0; i < n; i++)
        A[(ptrdiff_t)i * matrix_stride(n) + i] = 1;
    skew_part(n, G);
    product(n, G, A, T);
    product(n, A, T, dR);
    return SO_OK;
}

const widened_map so_cayley_inverse_vjp_map = {
    .inputs = 2, .skew = 1u << 0, .work_matrices = 1, .compute = cayley_inverse_vjp_compute};

#endif
