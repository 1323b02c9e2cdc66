/* project.c: the rotation nearest to R in the Frobenius norm: U diag(1, .., 1, det(U V^T)) V^T for R = U S V^T (Kabsch 1976;
 * Umeyama 1991), finished by Newton-Schulz steps. Close to a rotation the steps alone do it, with three products each instead
 * of an SVD.
 * SPDX-License-Identifier: MIT */
#include "project.h"

#include <lapacke.h>

#include "../group/scaling.h"

#if defined(SO_REAL_f32)
#define GESDD LAPACKE_sgesdd_work
#define GETF2 LAPACKE_sgetf2_work
#else
#define GESDD LAPACKE_dgesdd_work
#define GETF2 LAPACKE_dgetf2_work
#endif

/* Newton-Schulz maps the singular value 1 + d to 1 - 3/2 d^2: from NEAR, |R^T R - I|_F below 1/8 so |d| below 0.0646, the fifth
 * step is far below u. A polar factor from an SVD needs two. */
#define NEAR ((real)0.125)
enum { STEPS_FROM_NEAR = 5, STEPS_FROM_SVD = 2 };

enum { Z, U, VT, SCRATCH, MATRICES = SCRATCH + 3 };

/* Documented minimum of gesdd for JOBZ = 'A', and room for n singular values. */
static size_t svd_reals(int n)
{
    return (size_t)n * (4 * (size_t)n + 7);
}

size_t so_project_bytes(int n)
{
    return (MATRICES * matrix_elements(n) + (size_t)n + svd_reals(n)) * sizeof(real) + 8 * (size_t)n * sizeof(lapack_int);
}

/* det(A) < 0; A is destroyed. */
static int is_reflection(int n, elem *A, lapack_int *pivot)
{
    int ld = matrix_stride(n), negative = 0;
    GETF2(LAPACK_COL_MAJOR, n, n, A, ld, pivot);
    for (int i = 0; i < n; i++)
        negative ^= (A[(ptrdiff_t)i * ld + i] < 0) ^ (pivot[i] != i + 1);
    return negative;
}

static real defect(int n, const elem *A, elem *T, elem *D)
{
    int ld = matrix_stride(n);
    real sum = 0;
    transpose(n, A, T);
    product(n, A, T, D);
    for (int i = 0; i < n; i++) {
        D[(ptrdiff_t)i * ld + i] -= 1;
        for (int j = 0; j < n; j++)
            sum += D[(ptrdiff_t)i * ld + j] * D[(ptrdiff_t)i * ld + j];
    }
    return (real)sqrt(sum);
}

/* A <- the nearest rotation by SVD. */
static so_status by_svd(int n, real *work, real *numbers, lapack_int *integers)
{
    int ld = matrix_stride(n);
    elem *A = matrix_of(work, n, Z), *left = matrix_of(work, n, U), *right = matrix_of(work, n, VT),
         *copy = matrix_of(work, n, SCRATCH);
    real *value = numbers;
    /* Column-major LAPACK reads A^T = left diag(value) right, so with row-major names A^T = L^T diag R^T, A = R diag L. */
    if (GESDD(LAPACK_COL_MAJOR, 'A', n, n, A, ld, value, left, ld, right, ld, numbers + n, (lapack_int)svd_reals(n),
              integers) != 0)
        return SO_ESINGULAR;
    real rounding = (real)n * 2 * REAL_EPSILON * value[0];
    if (n > 1 && value[n - 2] <= rounding)
        return SO_ESINGULAR;
    product(n, right, left, A);
    memcpy(copy, A, (size_t)matrix_size(n) * sizeof(elem));
    if (!is_reflection(n, copy, integers))
        return SO_OK;
    if (n > 1 && value[n - 2] - value[n - 1] <= rounding)
        return SO_ESINGULAR;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            A[(ptrdiff_t)i * ld + j] -= 2 * right[(ptrdiff_t)i * ld + n - 1] * left[(ptrdiff_t)(n - 1) * ld + j];
    return SO_OK;
}

so_status so_project_matrix(int n, real *R, void *memory)
{
    int ld = matrix_stride(n);
    real *work = memory, *numbers = work + MATRICES * matrix_elements(n);
    lapack_int *integers = (void *)(numbers + (size_t)n + svd_reals(n));
    elem *A = matrix_of(work, n, Z), *T = matrix_of(work, n, U), *D = matrix_of(work, n, VT);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < ld; j++)
            A[(ptrdiff_t)i * ld + j] = j < n ? R[(ptrdiff_t)i * n + j] : 0;
    int exponent; /* the nearest rotation does not depend on the size of R; its singular values must not overflow */
    SO_(scale_to_unit)(n, A, &exponent);

    int steps = STEPS_FROM_SVD;
    so_status status = SO_OK;
    int near = defect(n, A, T, D) <= NEAR;
    if (near) {
        memcpy(T, A, (size_t)matrix_size(n) * sizeof(elem));
        near = !is_reflection(n, T, integers);
    }
    if (near)
        steps = STEPS_FROM_NEAR;
    else
        status = by_svd(n, work, numbers, integers);
    if (status != SO_OK)
        return status;
    SO_(orthogonalize)(n, -1, A, steps, (real *)matrix_of(work, n, SCRATCH));
    for (int i = 0; i < n; i++)
        memcpy(R + (ptrdiff_t)i * n, A + (ptrdiff_t)i * ld, (size_t)n * sizeof(real));
    return SO_OK;
}
