/* project.c: the rotation nearest to X in the Frobenius norm, U V^T for X = U diag(s) V^T with rotations U and V and the smallest
 * singular value signed (Kabsch 1976; Umeyama 1991), and its derivative. Close to a rotation, which is the common case,
 * Newton-Schulz steps do it, at three half products each.
 *
 * Derivative: in the bases U and V the symmetric factor H = R^T X is diag(s), and the solution of Y H + H Y = R^T dR - dR^T R a
 * division by s_i + s_j (Kenney and Laub, SIAM J. Sci. Stat. Comput. 12, 1991).
 *
 * The rotations of the decomposition leave a residual of some n u, which is measured and taken into account to first order; the
 * error of both maps is then that of a few products.
 * SPDX-License-Identifier: MIT */
#include "../group/scaling.h"
#include "../widened.h"
#include "rotation.h"
#include "singular.h"

#if defined(SO_REAL_f64)

enum { UT, VT, RESIDUAL_K, RESIDUAL_N, VALUES, SCRATCH, DECOMPOSED_MATRICES = SCRATCH + SINGULAR_MATRICES };

static so_status decompose(int n, const elem *X, double u, real *work)
{
    real *values = (real *)matrix_of(work, n, VALUES), *scratch = (real *)matrix_of(work, n, SCRATCH);
    so_status status = SO_(singular_values)(n, X, u, matrix_of(work, n, UT), matrix_of(work, n, VT), values, scratch);
    if (status == SO_OK)
        SO_(singular_residual)(n, X, matrix_of(work, n, UT), matrix_of(work, n, VT), values, matrix_of(work, n, RESIDUAL_K),
                               matrix_of(work, n, RESIDUAL_N), scratch);
    return status;
}

static void add(int n, elem *A, const elem *B) /* A += B */
{
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        A[i] += B[i];
}

static so_status project_compute(int n, double *const *in, double *R, double *work, double u)
{
    elem *X = in[0], *U = matrix_of(work, n, SCRATCH), *T = X;
    int exponent; /* the nearest rotation does not depend on the size of X */
    SO_(scale_to_unit)(n, X, &exponent);
    memcpy(R, X, (size_t)matrix_size(n) * sizeof(elem));
    if (SO_(nearest_orthogonal)(n, R, work) && SO_(is_rotation)(n, R, work))
        return SO_OK;
    so_status status = decompose(n, X, u, work);
    if (status != SO_OK)
        return status;
    transpose(n, matrix_of(work, n, UT), U); /* R = U (I + K) V^T */
    product(n, U, matrix_of(work, n, RESIDUAL_K), T);
    add(n, U, T);
    product(n, U, matrix_of(work, n, VT), R);
    SO_(nearest_orthogonal)(n, R, work);
    return SO_OK;
}

const widened_map so_project_map = {.inputs = 1, .work_matrices = DECOMPOSED_MATRICES, .compute = project_compute};

/* T_ij <- T_ij / (s_i + s_j) for skew T. */
static void divide_by_sums(int n, const real *s, elem *T)
{
    int ld = matrix_stride(n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            T[(ptrdiff_t)i * ld + j] = i == j ? 0 : T[(ptrdiff_t)i * ld + j] / (s[i] + s[j]);
}

/* dX = U (I + K) T V^T with T (S + N) + (S + N) T = Z - Z^T, Z = (I - K) U^T dR V; where T N + N T, of order u, is a correction
 * to the solution without N. */
static so_status project_vjp_compute(int n, double *const *in, double *dX, double *work, double u)
{
    int size, slope;
    elem *X = in[0], *G = in[1], *Z = X, *left = matrix_of(work, n, SCRATCH), *T = matrix_of(work, n, SCRATCH + 1),
         *side = matrix_of(work, n, SCRATCH + 2);
    const real *s = (const real *)matrix_of(work, n, VALUES);
    SO_(scale_to_unit)(n, X, &size);
    SO_(scale_to_unit)(n, G, &slope);
    so_status status = decompose(n, X, u, work);
    if (status != SO_OK)
        return status;
    transpose(n, matrix_of(work, n, VT), side);
    product(n, G, side, left);
    product(n, matrix_of(work, n, UT), left, Z);
    product(n, matrix_of(work, n, RESIDUAL_K), Z, left);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        T[i] = 2 * (Z[i] - left[i]);
    skew_part(n, T);
    divide_by_sums(n, s, T);

    product(n, T, matrix_of(work, n, RESIDUAL_N), left); /* N T = -(T N)^T */
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        left[i] *= -2;
    skew_part(n, left);
    divide_by_sums(n, s, left);
    add(n, T, left);

    product(n, matrix_of(work, n, RESIDUAL_K), T, left);
    add(n, T, left);
    product(n, T, matrix_of(work, n, VT), left);
    transpose(n, matrix_of(work, n, UT), side);
    product(n, side, left, dX);
    for (ptrdiff_t i = 0; i < matrix_size(n) && slope != size; i++)
        dX[i] = ldexp(dX[i], slope - size);
    return SO_OK;
}

const widened_map so_project_vjp_map = {.inputs = 2, .work_matrices = DECOMPOSED_MATRICES, .compute = project_vjp_compute};

#endif
