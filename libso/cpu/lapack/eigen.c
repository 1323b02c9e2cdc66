/* eigen.c: exp(A) = W exp(D) W^T from the real Schur form (spectral.h), and its derivative by the Daleckii-Krein formula in
 * planes (group/planes.h).
 *
 * Rounding leaves A = V (D + E) V^T with E up to 15 u rho and V = W (I + F)^(-1/2), F up to 20 u (n = 128). In f64 both matter.
 * The map takes them into account to first order, in V exp(D + E) V^T:
 *   R - I = W (Z + C) W^T,   Z = exp(D) - I,   C = phi(ad_D)(E) exp(D) - (F Z + Z F)/2
 * after which the error is that of the products, whatever rho. For the derivative W is made orthogonal, and it has room for E
 * unless many angles lie close together. Then E goes into the vectors where it can; what remains, N, nearly commutes with D,
 * and phi(ad_(D + N)) M = phi(ad_D) M + phi'(ad_D) [N, M].
 *
 * f32 decomposes in f64, whose rounding is nothing beside u_32, and continues in f32 with W rounded.
 * SPDX-License-Identifier: MIT */
#include "eigen.h"

#include "spectral.h"

/* Places in the workspace, in matrices; the half-angles share one with the angles. */
enum { AT_W, AT_HALF = 2, AT_WT, AT_E, AT_F, AT_C, AT_B, AT_T = AT_F };

static void fill_nan(int n, real *R)
{
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        R[i] = NAN;
}

#if defined(SO_REAL_f32)

/* W, its transpose and the half-angles, in their places. Returns 0 if the SVD did not converge. */
static int decompose(int n, const real *A, half_angles *h, const elem **N, real *work)
{
    double *A64 = wide_matrix(work, n, AT_E / 2), *work64 = wide_matrix(work, n, AT_E / 2 + 1), *W, *angle;
    widen(n, A, A64);
    if (!WIDE_(eigen_planes)(n, A64, &W, &angle, work64))
        return 0;
    *N = NULL;
    *h = half_angles_in(n, matrix_of(work, n, AT_HALF));
    SO_(set_half_angles)(n, 0, 1, angle, h);
    narrow(n, W, matrix_of(work, n, AT_W));
    transpose(n, matrix_of(work, n, AT_W), matrix_of(work, n, AT_WT));
    return 1;
}

static void phi_near_planes(int n, const half_angles *h, const elem *N, elem *B, elem *T, elem *C)
{
    (void)N, (void)T, (void)C;
    SO_(phi_in_planes)(n, h, B);
}

static void eigen_map(int n, real *A, real *R, real *work)
{
    half_angles h;
    const elem *N, *W = matrix_of(work, n, AT_W), *WT = matrix_of(work, n, AT_WT);
    if (!decompose(n, A, &h, &N, work)) {
        fill_nan(n, R);
        return;
    }
    SO_(rotation_in_planes)(n, &h, W, WT, NULL, matrix_of(work, n, AT_E), R);
}

#else

int WIDE_(eigen_planes)(int n, double *A, double **W, double **angle, double *work)
{
    spectrum s;
    if (!SO_(spectrum_of)(n, A, &s, work))
        return 0;
    *W = s.W;
    *angle = (real *)matrix_of(work, n, AT_HALF) + n / 2 * 3;
    SO_(spectrum_unscale)(n, &s, *angle);
    return 1;
}

/* Above this angle E is not small enough for a first-order correction to keep R orthogonal. */
#define LARGEST_CORRECTED_ANGLE 0x1p22

/* X, in units of theta, in units of the angles. */
static void scale_correction(int n, const spectrum *s, const real *angle, elem *X)
{
    real unit = angle[0] <= LARGEST_CORRECTED_ANGLE ? ldexp(1, s->exponent) : 0;
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        X[i] *= unit;
}

/* ---- The map ------------------------------------------------------------------------------------------------------------ */

/* C, given G = phi(ad_D) E. */
static void correction(int n, const half_angles *h, const elem *F, const elem *G, elem *C)
{
    int ld = matrix_stride(n), m = n / 2;
    for (int i = 0; i < n; i++) {
        const elem *gv = G + (ptrdiff_t)i * ld, *gu = gv + m, *fv = F + (ptrdiff_t)i * ld, *fu = fv + m;
        elem *restrict cv = C + (ptrdiff_t)i * ld, *restrict cu = cv + m;
        for (int k = 0; k < m; k++) {
            real s = 2 * h->sine[k] * h->cosine[k], less = 2 * h->sine[k] * h->sine[k], c = 1 - less;
            cv[k] = gv[k] * c + gu[k] * s + (fv[k] * less - fu[k] * s) / 2;
            cu[k] = gu[k] * c - gv[k] * s + (fu[k] * less + fv[k] * s) / 2;
        }
        for (int j = 2 * m; j < ld; j++)
            C[(ptrdiff_t)i * ld + j] = G[(ptrdiff_t)i * ld + j];
    }
    for (int k = 0; k < m; k++) {
        const elem *fv = F + (ptrdiff_t)k * ld, *fu = fv + (ptrdiff_t)m * ld;
        elem *restrict cv = C + (ptrdiff_t)k * ld, *restrict cu = cv + (ptrdiff_t)m * ld;
        real s = 2 * h->sine[k] * h->cosine[k], less = 2 * h->sine[k] * h->sine[k];
        for (int j = 0; j < n; j++) {
            cv[j] += (fv[j] * less + fu[j] * s) / 2;
            cu[j] += (fu[j] * less - fv[j] * s) / 2;
        }
    }
}

static void eigen_map(int n, real *A, real *R, real *work)
{
    spectrum s;
    if (!SO_(spectrum_of)(n, A, &s, work)) {
        fill_nan(n, R);
        return;
    }
    half_angles h = half_angles_in(n, matrix_of(work, n, AT_HALF));
    real *angle = h.angle + n / 2 * 3;
    SO_(spectrum_unscale)(n, &s, angle);
    SO_(set_half_angles)(n, 0, 1, angle, &h);
    elem *E = matrix_of(work, n, AT_E), *F = matrix_of(work, n, AT_F), *C = matrix_of(work, n, AT_C),
         *WT = matrix_of(work, n, AT_WT);
    transpose(n, s.W, WT);
    SO_(spectrum_residual)(n, A, &s, WT, F, E, (real *)C);
    scale_correction(n, &s, angle, E);
    SO_(phi_in_planes)(n, &h, E);
    correction(n, &h, F, E, C);
    product(n, s.W, C, E);
    SO_(rotation_in_planes)(n, &h, s.W, WT, E, C, R);
}

/* ---- The derivative ----------------------------------------------------------------------------------------------------- */

/* Whether E may cost more than 0.3 of the bound of the derivative, 30 u (1 + rho/10). Measured: up to u rho sqrt(n) where all
 * angles are equal, elsewhere that times the share of pairs of planes with |x| of order 1. */
static int is_clustered(int n, const half_angles *h)
{
    int m = n / 2;
    real share = 0, rho = 2 * h->angle[0];
    for (int a = 0; a < m; a++)
        for (int b = 0; b < m; b++) {
            real minus = h->angle[a] - h->angle[b], plus = h->angle[a] + h->angle[b];
            share += 1 / (1 + minus * minus) + 1 / (1 + plus * plus);
        }
    share /= (real)m * m;
    return rho * sqrt(n) * share > 0.3 * (30 + 3 * rho);
}

/* ((1 - i x) e^(i x) - 1) / x^2; it multiplies a correction, so a few digits suffice */
static inline void phi_slope(real half, real cosine, real sine, real *re, real *im)
{
    real x = 2 * half, c = 1 - 2 * sine * sine, s = 2 * sine * cosine, a = *re, b = *im;
    real f = fabs(x) < 0.01 ? 0.5 : (c + x * s - 1) / (x * x), g = fabs(x) < 0.01 ? x / 3 : (s - x * c) / (x * x);
    *re = f * a - g * b;
    *im = g * a + f * b;
}

/* W, its transpose and the half-angles, in their places, and N or NULL. Returns 0 if the SVD did not converge. */
static int decompose(int n, real *A, half_angles *h, const elem **N, real *work)
{
    spectrum s;
    if (!SO_(spectrum_of)(n, A, &s, work))
        return 0;
    *h = half_angles_in(n, matrix_of(work, n, AT_HALF));
    real *angle = h->angle + n / 2 * 3;
    SO_(spectrum_unscale)(n, &s, angle);
    SO_(set_half_angles)(n, 0, 1, angle, h);
    *N = NULL;
    if (is_clustered(n, h)) {
        elem *near = matrix_of(work, n, AT_E);
        SO_(correct_vectors)(n, A, &s, near, (real *)matrix_of(work, n, AT_F));
        scale_correction(n, &s, angle, near);
        *N = near;
    } else
        SO_(orthogonalize)(n, -1, s.W, 1, (real *)matrix_of(work, n, AT_WT));
    transpose(n, s.W, matrix_of(work, n, AT_WT));
    return 1;
}

/* B <- phi(ad_(D + N)) B; T, C: scratch. */
static void phi_near_planes(int n, const half_angles *h, const elem *N, elem *B, elem *T, elem *C)
{
    int ld = matrix_stride(n);
    if (N) {
        product(n, N, B, T);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                C[(ptrdiff_t)i * ld + j] = T[(ptrdiff_t)i * ld + j] - T[(ptrdiff_t)j * ld + i];
        plane_function(n, h, phi_slope, C);
    }
    SO_(phi_in_planes)(n, h, B);
    for (ptrdiff_t i = 0; i < matrix_size(n) && N; i++)
        B[i] += C[i];
}

#endif

/* Y = W phi(ad_(D + N))(W^T M W) W^T */
static void eigen_differential(int n, real *A, const real *R, real *M, real *Y, real *work)
{
    (void)R;
    half_angles h;
    const elem *N, *W = matrix_of(work, n, AT_W), *WT = matrix_of(work, n, AT_WT);
    if (!decompose(n, A, &h, &N, work)) {
        fill_nan(n, Y);
        return;
    }
    elem *T = matrix_of(work, n, AT_T), *B = matrix_of(work, n, AT_B), *C = matrix_of(work, n, AT_C);
    product(n, M, W, T);
    product_lower(n, WT, T, B);
    mirror(n, -1, B);
    phi_near_planes(n, &h, N, B, T, C);
    product(n, B, WT, T);
    product_lower(n, W, T, Y);
    mirror(n, -1, Y);
}

const group_method SO_(so_eigen) = {
    .map = eigen_map,
    .differential = eigen_differential,
    .map_matrices = EIGEN_MATRICES,
    .differential_matrices = EIGEN_MATRICES,
};
