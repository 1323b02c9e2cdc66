/* generator.c: the decomposition of a generator that serves for exp(p A) at every p.
 *
 * In f32 it is the one of f64, rounded. In f64 what rounding left of it is put into W (spectral.h) and into the angles. The
 * part N that neither can take is negligible unless angles cluster; then the decomposition is refused. SPDX-License-Identifier:
 * MIT */
#include "generator.h"

#include "eigen.h"
#include "spectral.h"

#if defined(SO_REAL_f32)

int SO_(so_factor_generator)(int n, const real *generator, real *W, double *angle, real *work)
{
    double *A = wide_matrix(work, n, 0), *wide_W, *wide_angle;
    int ld = wide_stride(n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            A[(ptrdiff_t)i * ld + j] = -(double)generator[(ptrdiff_t)j * n + i];
    if (!WIDE_(eigen_planes)(n, A, &wide_W, &wide_angle, wide_matrix(work, n, 1)))
        return 0;
    narrow(n, wide_W, W);
    memcpy(angle, wide_angle, (size_t)(n / 2) * sizeof *angle);
    return 1;
}

#else

/* ||N||_F / sqrt(n) without its diagonal blocks, which are added to theta. */
static real absorb_diagonal(int n, real *theta, elem *N)
{
    int ld = matrix_stride(n), m = n / 2;
    for (int k = 0; k < m; k++) {
        elem *below = N + (ptrdiff_t)(m + k) * ld + k, *above = N + (ptrdiff_t)k * ld + m + k;
        theta[k] += *below;
        *below = *above = 0;
    }
    return sqrt(sum_of_squares(n, N) / n);
}

int SO_(so_factor_generator)(int n, const real *generator, real *W, double *angle, real *work)
{
    elem *A = matrix_of(work, n, 0), *N;
    real *rest = (real *)matrix_of(work, n, 1);
    spectrum s;
    memset(A, 0, (size_t)matrix_size(n) * sizeof(elem));
    for (int i = 0; i < n; i++)
        memcpy(A + (ptrdiff_t)i * matrix_stride(n), generator + (ptrdiff_t)i * n, (size_t)n * sizeof(real));
    skew_from_upper(n, A);
    if (!SO_(spectrum_of)(n, A, &s, rest))
        return 0;
    N = matrix_of(rest, n, 3);
    SO_(correct_vectors)(n, A, &s, N, (real *)matrix_of(rest, n, 4));
    memcpy(W, s.W, (size_t)matrix_size(n) * sizeof(elem));
    real rho = s.theta[0], left = absorb_diagonal(n, s.theta, N);
    SO_(spectrum_unscale)(n, &s, angle);
    return left <= REAL_EPSILON * rho;
}

#endif
