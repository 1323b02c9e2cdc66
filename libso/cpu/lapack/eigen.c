/* eigen.c: exp(A) = W R(theta) W^T from the real Schur form (spectral.h), and its derivative by the Daleckii-Krein formula in
 * 2x2 blocks (exponential.md 2.6).
 *
 * Rounding leaves A = V (D + E) V^T with E ~ u rho and V = W (I + F)^(-1/2), F ~ u. Left alone they cost several rho u forward
 * and more than 16 u of orthogonality at large n; both are measured and taken into account to first order, in V exp(D + E) V^T:
 *   R - I = W (Z + G R(theta) - (F Z + Z F)/2) W^T,   Z = R(theta) - I,   G = phi(ad_D) E
 * after which the error is that of two products, whatever rho. Working with R - I gives exp(0) = I exactly.
 *
 * The derivative takes E into account as well: where ad_D is large, E goes into the vectors, W <- W (I + K - F/2), [D, K] = -E;
 * what remains, N, nearly commutes with D, and phi(ad_(D + N)) M = phi(ad_D) M + phi'(ad_D) [N, M].
 *
 * Largest error / bound of so.h measured (n <= 128, rho <= 1e3): forward 0.26, orthogonality 0.48, derivative 0.18. f32 runs in
 * f64, whose rounding (100 rho u_64) is nothing beside u_32, without these corrections: 0.06, 0.09, 0.03.
 * SPDX-License-Identifier: MIT */
#include "eigen.h"

#include "spectral.h"

#if defined(SO_REAL_f32)

static void eigen_map(int n, real *A, real *R, real *work)
{
    map_widened(WIDE_(eigen_map_plain), n, A, R, work);
}

static void eigen_differential(int n, real *A, const real *R, real *M, real *Y, real *work)
{
    (void)R;
    differential_widened(WIDE_(eigen_differential_plain), n, A, M, Y, work);
}

const group_method SO_(so_eigen) = {
    .map = eigen_map,
    .differential = eigen_differential,
    .map_matrices = WIDENED_MAP_MATRICES(EIGEN_MAP_MATRICES),
    .differential_matrices = WIDENED_DIFFERENTIAL_MATRICES(EIGEN_DIFFERENTIAL_MATRICES),
};

#else

/* Above this angle E is not small enough for a first-order correction to keep R orthogonal. */
#define LARGEST_CORRECTED_ANGLE 0x1p22

static void fill_nan(int n, elem *R)
{
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        R[i] = NAN;
}

/* Y = X blockdiag([[c, -s], [s, c]]), c and s by column pair; the last column of odd n is multiplied by `last`. */
static void times_blocks(int n, const real *c, const real *s, real last, const elem *X, elem *Y)
{
    int ld = matrix_stride(n);
    for (int i = 0; i < n; i++) {
        const elem *x = X + (ptrdiff_t)i * ld;
        elem *y = Y + (ptrdiff_t)i * ld;
        for (int k = 0; k < n / 2; k++) {
            y[2 * k] = x[2 * k] * c[k] + x[2 * k + 1] * s[k];
            y[2 * k + 1] = x[2 * k + 1] * c[k] - x[2 * k] * s[k];
        }
        if (n % 2)
            y[n - 1] = x[n - 1] * last;
    }
}

/* ---- Multipliers for block_function() ---------------------------------------------------------------------------------- */

static void phi(real x, real *re, real *im) /* e^(i x/2) sin(x/2) / (x/2) */
{
    real half = x / 2, c = cos(half), s = sin(half), sinc = half == 0 ? 1 : s / half;
    real a = *re, b = *im;
    *re = sinc * (c * a - s * b);
    *im = sinc * (s * a + c * b);
}

/* ((1 - i x) e^(i x) - 1) / x^2; it multiplies a correction, so a few digits suffice */
static void phi_slope(real x, real *re, real *im)
{
    real c = cos(x), s = sin(x), a = *re, b = *im;
    real f = fabs(x) < 0.01 ? 0.5 : (c + x * s - 1) / (x * x), g = fabs(x) < 0.01 ? x / 3 : (s - x * c) / (x * x);
    *re = f * a - g * b;
    *im = g * a + f * b;
}

/* Which part of E commutes nearly enough with D: what it leaves uncorrected is |x| E / 2. Beyond, K stays below 256 E. */
#define NEAR 0x1p-8

static void near_part(real x, real *re, real *im)
{
    if (fabs(x) > NEAR)
        *re = *im = 0;
}

static void far_part(real x, real *re, real *im) /* K = -E / (i x) */
{
    int far = fabs(x) > NEAR;
    real a = *re, b = *im;
    *re = far ? -b / x : 0;
    *im = far ? a / x : 0;
}

/* ---- The map ------------------------------------------------------------------------------------------------------------ */

/* F and E (spectral.h) in matrices 3 and 4 of the workspace of spectrum_of, E in units of the angles; uses 5 to 10. */
static void residual(int n, elem *A, const spectrum *s, const real *angle, elem **F, elem **E, real *work)
{
    *F = matrix_of(work, n, 3);
    *E = matrix_of(work, n, 4);
    SO_(spectrum_residual)(n, A, s, *F, *E, (real *)matrix_of(work, n, 5));
    real unit = angle[0] <= LARGEST_CORRECTED_ANGLE ? ldexp(1, s->exponent) : 0;
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        (*E)[i] *= unit;
}

/* C = G R(theta) - (F Z + Z F)/2; c1 = cos theta - 1. H: scratch. */
static void correction(int n, const real *c1, const real *c, const real *s, const elem *F, const elem *G, elem *H, elem *C)
{
    int ld = matrix_stride(n);
    times_blocks(n, c, s, 1, G, C);
    times_blocks(n, c1, s, 0, F, H);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            C[(ptrdiff_t)i * ld + j] -= H[(ptrdiff_t)i * ld + j] / 2;
    for (int k = 0; k < n / 2; k++) {
        const elem *f0 = F + (ptrdiff_t)(2 * k) * ld, *f1 = f0 + ld;
        elem *row0 = C + (ptrdiff_t)(2 * k) * ld, *row1 = row0 + ld;
        for (int j = 0; j < n; j++) {
            row0[j] -= (c1[k] * f0[j] - s[k] * f1[j]) / 2;
            row1[j] -= (s[k] * f0[j] + c1[k] * f1[j]) / 2;
        }
    }
}

static void map_of(int n, int corrected, elem *A, elem *R, real *work)
{
    int ld = matrix_stride(n), half = (n + 1) / 2;
    spectrum s;
    if (!SO_(spectrum_of)(n, A, &s, work)) {
        fill_nan(n, R);
        return;
    }
    /* 4 half <= 2 n + 2 numbers beside theta in matrices 1 and 2. */
    real *angle = s.theta + half, *c1 = angle + half, *c = c1 + half, *sine = c + half;
    SO_(spectrum_unscale)(n, &s, angle);
    for (int k = 0; k < half; k++) {
        real sine_half = sin(angle[k] / 2);
        c1[k] = -2 * sine_half * sine_half;
        c[k] = cos(angle[k]);
        sine[k] = sin(angle[k]);
    }
    elem *F, *E, *C = matrix_of(work, n, 5), *P = matrix_of(work, n, 6), *WT = matrix_of(work, n, 7);
    if (corrected) {
        residual(n, A, &s, angle, &F, &E, work);
        SO_(block_function)(n, angle, phi, E);
        correction(n, c1, c, sine, F, E, WT, C);
        product(n, s.W, C, R);
    }
    times_blocks(n, c1, sine, 0, s.W, P);
    if (corrected)
        for (ptrdiff_t i = 0; i < matrix_size(n); i++)
            P[i] += R[i];
    transpose(n, s.W, WT);
    product(n, P, WT, R);
    for (int i = 0; i < n; i++)
        R[(ptrdiff_t)i * ld + i] += 1;
}

void WIDE_(eigen_map_plain)(int n, double *A, double *R, double *work)
{
    map_of(n, 0, A, R, work);
}

static void eigen_map(int n, real *A, real *R, real *work)
{
    map_of(n, 1, A, R, work);
}

/* ---- The derivative ----------------------------------------------------------------------------------------------------- */

/* W <- W (I + K - F/2); returns N. */
static elem *correct_vectors(int n, elem *A, const spectrum *s, const real *angle, real *work)
{
    elem *F, *E, *K = matrix_of(work, n, 5), *T = matrix_of(work, n, 6);
    residual(n, A, s, angle, &F, &E, work);
    memcpy(K, E, (size_t)matrix_size(n) * sizeof(elem));
    SO_(block_function)(n, angle, near_part, E);
    SO_(block_function)(n, angle, far_part, K);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        K[i] -= F[i] / 2;
    product(n, s->W, K, T);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        s->W[i] += T[i];
    return E;
}

/* Y = W phi(ad_(D + N))(W^T M W) W^T */
static void differential_of(int n, int corrected, elem *A, const elem *M, elem *Y, real *work)
{
    int ld = matrix_stride(n);
    spectrum s;
    if (!SO_(spectrum_of)(n, A, &s, work)) {
        fill_nan(n, Y);
        return;
    }
    real *angle = (real *)matrix_of(work, n, 2);
    SO_(spectrum_unscale)(n, &s, angle);
    const elem *near = corrected ? correct_vectors(n, A, &s, angle, work) : NULL;
    elem *WT = matrix_of(work, n, 5), *T = matrix_of(work, n, 6), *B = matrix_of(work, n, 7), *C = matrix_of(work, n, 8);
    transpose(n, s.W, WT);
    product(n, M, s.W, T);
    product_lower(n, WT, T, B);
    mirror(n, -1, B);
    if (corrected) {
        product(n, near, B, T);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                C[(ptrdiff_t)i * ld + j] = T[(ptrdiff_t)i * ld + j] - T[(ptrdiff_t)j * ld + i];
        SO_(block_function)(n, angle, phi_slope, C);
    }
    SO_(block_function)(n, angle, phi, B);
    if (corrected)
        for (ptrdiff_t i = 0; i < matrix_size(n); i++)
            B[i] += C[i];
    product(n, B, WT, T);
    product_lower(n, s.W, T, Y);
    mirror(n, -1, Y);
}

void WIDE_(eigen_differential_plain)(int n, double *A, double *M, double *Y, double *work)
{
    differential_of(n, 0, A, M, Y, work);
}

static void eigen_differential(int n, real *A, const real *R, real *M, real *Y, real *work)
{
    (void)R;
    differential_of(n, 1, A, M, Y, work);
}

const group_method SO_(so_eigen) = {
    .map = eigen_map,
    .differential = eigen_differential,
    .map_matrices = EIGEN_MAP_MATRICES,
    .differential_matrices = EIGEN_DIFFERENTIAL_MATRICES,
};

#endif
