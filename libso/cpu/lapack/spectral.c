/* spectral.c: the real Schur form of a skew matrix by half-size SVD (exponential.md 2.5; Ward & Gray, TOMS 530, 1978).
 *
 *   1. A = Q T Q^T, T skew tridiagonal (tridiagonal.h).
 *   2. Even before odd indices: T ~ [[0, B], [-B^T, 0]], B lower bidiagonal, ceil(n/2) x floor(n/2).
 *   3. B^T = V S U^T (bidiagonal.h). For odd n a zero column makes B square; its singular value is exactly 0, with right vector
 *      e_last.
 *   4. W = Q P, P = [V on odd rows | U on even rows].
 * SPDX-License-Identifier: MIT */
#include "spectral.h"

#if defined(SO_REAL_f64)

#include "bidiagonal.h"
#include "tridiagonal.h"

/* The exponent of the largest entry, at least -1000 so that 2^-exponent is finite. A <- A 2^-exponent. */
static int scale_to_one(int n, elem *A)
{
    int ld = matrix_stride(n), exponent;
    real largest = 0;
    for (int i = 1; i < n; i++)
        for (int j = 0; j < i; j++) {
            real size = fabs(A[(ptrdiff_t)i * ld + j]);
            largest = size > largest ? size : largest;
        }
    frexp(largest, &exponent);
    exponent = exponent < -1000 ? -1000 : exponent;
    real factor = ldexp(1, -exponent);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        A[i] *= factor;
    return exponent;
}

/* P and theta, in descending order, from the SVD; the null column of odd n stays last, its value being 0 and the last. unsorted:
 * half numbers of scratch. */
static void assemble(int n, const elem *V, const elem *U, int ld_half, real *theta, real *unsorted, elem *P)
{
    int ld = matrix_stride(n), half = (n + 1) / 2, m = n / 2;
    memset(P, 0, (size_t)matrix_size(n) * sizeof(elem));
    memcpy(unsorted, theta, (size_t)half * sizeof(real));
    for (int k = 0; k < half; k++) {
        int place = 0;
        for (int j = 0; j < m; j++)
            place += (unsorted[j] > unsorted[k]) | ((unsorted[j] == unsorted[k]) & (j < k));
        theta[place] = unsorted[k];
        for (int i = 0; i < m && k < m; i++)
            P[(ptrdiff_t)(2 * i + 1) * ld + place] = V[(ptrdiff_t)k * ld_half + i];
        for (int i = 0; i < half; i++)
            P[(ptrdiff_t)(2 * i) * ld + m + place] = U[(ptrdiff_t)k * ld_half + i];
    }
}

int SO_(spectrum_of)(int n, elem *A, spectrum *s, real *work)
{
    int half = (n + 1) / 2, ld_half = matrix_stride(half);
    elem *W = matrix_of(work, n, 0), *Q = matrix_of(work, n, 3), *V = matrix_of(work, n, 4), *U = matrix_of(work, n, 5);
    /* n + 6 half numbers in two matrices: matrix_elements(n) is at least 8 and at least n^2. */
    real *theta = (real *)matrix_of(work, n, 1), *super = theta + half, *scratch = super + half, *tau = scratch + 4 * half;
    real *sub = (real *)W;
    *s = (spectrum){.W = W, .theta = theta, .exponent = scale_to_one(n, A)};
    memcpy(Q, A, (size_t)matrix_size(n) * sizeof(elem));
    SO_(tridiagonalise)(n, Q, sub, tau, (real *)V);
    for (int i = 0; i < half; i++) {
        theta[i] = 2 * i + 1 < n ? -sub[2 * i] : 0;
        super[i] = 2 * i + 2 < n ? sub[2 * i + 1] : 0;
    }
    if (!SO_(bidiagonal_svd)(half, theta, super, ld_half, V, U, scratch))
        return 0;
    assemble(n, V, U, ld_half, theta, scratch, W);
    SO_(apply_reflections)(n, Q, tau, W, (real *)V);
    return 1;
}

void SO_(spectrum_unscale)(int n, const spectrum *s, real *angle)
{
    for (int k = 0; k < (n + 1) / 2; k++)
        angle[k] = fmin(ldexp(s->theta[k], s->exponent), REAL_MAX / 4);
}

void SO_(spectrum_residual)(int n, const elem *A, const spectrum *s, const elem *WT, elem *F, elem *E, real *work)
{
    int ld = matrix_stride(n), m = n / 2;
    elem *T = matrix_of(work, n, 0);
    product(n, A, s->W, T);
    for (int i = 0; i < n; i++) {
        const elem *v = s->W + (ptrdiff_t)i * ld, *u = v + m;
        elem *restrict t = T + (ptrdiff_t)i * ld;
        for (int k = 0; k < m; k++) {
            t[k] = fma(-s->theta[k], u[k], t[k]);
            t[m + k] = fma(s->theta[k], v[k], t[m + k]);
        }
    }
    product(n, WT, T, E);
    skew_part(n, E);
    product_lower(n, WT, s->W, F);
    for (int i = 0; i < n; i++)
        F[(ptrdiff_t)i * ld + i] -= 1;
    mirror(n, 1, F);
}

/* In units of rho. What N leaves uncorrected is below 2^-20 rho N, and K stays below 2^20 E / rho, whose square counts as
 * little. */
#define NEAR 0x1p-20

static inline void keep_near(real half, real cosine, real sine, real *re, real *im)
{
    (void)cosine, (void)sine;
    if (2 * fabs(half) > NEAR)
        *re = *im = 0;
}

static inline void solve_far(real half, real cosine, real sine, real *re, real *im) /* K = -E / (i x) */
{
    (void)cosine, (void)sine;
    int far = 2 * fabs(half) > NEAR;
    real a = *re, b = *im;
    *re = far ? -b / (2 * half) : 0;
    *im = far ? a / (2 * half) : 0;
}

void SO_(correct_vectors)(int n, const elem *A, spectrum *s, elem *N, real *work)
{
    elem *WT = matrix_of(work, n, 0), *F = matrix_of(work, n, 1), *K = matrix_of(work, n, 2), *WK = F;
    transpose(n, s->W, WT);
    SO_(spectrum_residual)(n, A, s, WT, F, N, (real *)K);
    real unit = s->theta[0] > 0 ? 1 / s->theta[0] : 0;
    half_angles h = half_angles_in(n, WT);
    SO_(set_half_angles)(n, 0, unit, s->theta, &h);
    memcpy(K, N, (size_t)matrix_size(n) * sizeof(elem));
    plane_function(n, &h, solve_far, K);
    plane_function(n, &h, keep_near, N);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        K[i] = K[i] * unit - F[i] / 2;
    product(n, s->W, K, WK);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        s->W[i] += WK[i];
}

#endif
