/* logarithm.c: the principal logarithm A = W D W^T (group/planes.h) of the rotation X nearest to R, and its derivative, for n > 4;
 * closed_logarithm.c has the others.
 *
 * The skew matrix 2 (X - I)(X + I)^-1 has the same planes and the angles 2 tan(theta/2), which tell all theta in [0, pi) apart, so
 * its spectrum gives W: equal angles need no care and tiny ones keep their relative accuracy. Its error, u (1 + tan^2), is
 * harmless to X while the angles keep away from pi.
 *
 * Near pi the Schur form of X itself (rotation.h), whose backward error is of order u whatever the angles, takes its place at
 * several times the cost.
 *
 * What rounding leaves of either is measured, as X = W R(theta) (I + C) W^T, and taken into account to first order, with
 * phi(-ad_D)^-1 C (below) added to D: the error is then that of a few products.
 *
 * Derivative, for dX = X E with E skew: dA = phi(-ad_A)^-1 E, phi(z) = (e^z - 1)/z (exponential.md 2.6, 2.10). So the gradient
 * is X times phi(ad_A)^-1 skew(dA), in the basis W a division by e^(i x/2) sinc(x/2), x = theta_a +- theta_b, for every pair of
 * planes.
 * SPDX-License-Identifier: MIT */
#include "../widened.h"
#include "cayley_inverse.h"
#include "closed_logarithm.h"
#include "rotation.h"
#include "spectral.h"

#if defined(SO_REAL_f64)

enum { LOG_W, LOG_THETA, LOG_SCRATCH, LOG_MATRICES = LOG_SCRATCH + SPECTRUM_MATRICES };

/* (X + I)^-1 has the norm 1/(2 cos(theta/2)): up to here angles count as away from pi. */
#define LARGEST_INVERSE 0x1p8

/* W and theta of X by way of its inverse Cayley transform; returns 0 if an angle is near pi. */
static int by_cayley_inverse(int n, const elem *X, elem *W, real *theta, real *work)
{
    spectrum s;
    if (!SO_(cayley_inverse_of)(n, X, LARGEST_INVERSE, W, work) || !SO_(spectrum_of)(n, W, &s, work))
        return 0;
    for (int k = 0; k < n / 2; k++)
        theta[k] = 2 * atan(ldexp(s.theta[k], s.exponent) / 2);
    memcpy(W, s.W, (size_t)matrix_size(n) * sizeof(elem));
    return 1;
}

/* Where dividing by sin(x/2) would enlarge a residual of some u beyond what a first-order correction can carry. */
#define SMALLEST_SINE 1e-5

/* e^(i x/2) (x/2) / sin(x/2); unlike the sine of the phasors that of the angle keeps its relative accuracy */
static inline void correction(real half, real cosine, real sine, real *re, real *im)
{
    (void)cosine;
    (void)sine;
    real c = cos(half), s = sin(half);
    real factor = half == 0 ? 1 : fabs(half) > 0.5 && fabs(s) < SMALLEST_SINE ? 0 : half / s;
    real a = *re, b = *im;
    *re = factor * (c * a - s * b);
    *im = factor * (c * b + s * a);
}

/* C = skew part of R(theta)^T W^T X W - I: what rounding left of the decomposition, relative to theta where that is small
 * because I is subtracted from X and from R(theta), and W^T W - I is symmetric. X, T: destroyed. */
static void residual(int n, elem *X, const elem *W, const elem *WT, const real *theta, elem *T, elem *C)
{
    int ld = matrix_stride(n);
    for (int i = 0; i < n; i++)
        X[(ptrdiff_t)i * ld + i] -= 1;
    product(n, X, W, T);
    product(n, WT, T, C);
    for (int k = 0; k < n / 2; k++) {
        elem *row0 = C + (ptrdiff_t)k * ld, *row1 = row0 + (ptrdiff_t)(n / 2) * ld;
        real sine = sin(theta[k]), cosine = cos(theta[k]), sine_half = sin(theta[k] / 2);
        row0[k] += 2 * sine_half * sine_half;
        row1[n / 2 + k] += 2 * sine_half * sine_half;
        row0[n / 2 + k] += sine;
        row1[k] -= sine;
        for (int j = 0; j < n; j++) {
            elem x = row0[j], y = row1[j];
            row0[j] = cosine * x + sine * y;
            row1[j] = cosine * y - sine * x;
        }
    }
    skew_part(n, C);
}

static int has_closed_form(int n)
{
    return n >= 2 && n <= 4;
}

static so_status log_compute(int n, double *const *in, double *A, double *work, double u)
{
    (void)u;
    if (has_closed_form(n))
        return SO_(closed_logarithm)(n, in[0], A);
    int ld = matrix_stride(n);
    elem *X = in[0], *W = matrix_of(work, n, LOG_W), *WT = matrix_of(work, n, LOG_SCRATCH),
         *T = matrix_of(work, n, LOG_SCRATCH + 1), *C = matrix_of(work, n, LOG_SCRATCH + 2);
    real *theta = (real *)matrix_of(work, n, LOG_THETA), *scratch = (real *)WT;
    if (!SO_(nearest_orthogonal)(n, X, scratch))
        return SO_ESINGULAR;
    if (!by_cayley_inverse(n, X, W, theta, scratch)) {
        so_status status = SO_(schur_of_rotation)(n, X, W, theta, scratch);
        if (status != SO_OK)
            return status;
    }
    SO_(orthogonalize)(n, -1, W, 2, scratch);
    transpose(n, W, WT);
    residual(n, X, W, WT, theta, T, C);
    half_angles h = half_angles_in(n, T);
    SO_(set_half_angles)(n, 0, 1, theta, &h);
    plane_function(n, &h, correction, C);
    for (int k = 0; k < n / 2; k++) {
        C[(ptrdiff_t)k * ld + n / 2 + k] -= theta[k];
        C[(ptrdiff_t)(n / 2 + k) * ld + k] += theta[k];
    }
    product(n, C, WT, T);
    product_lower(n, W, T, A);
    mirror(n, -1, A);
    return SO_OK;
}

const widened_map so_log_map = {.inputs = 1, .work_matrices = LOG_MATRICES, .compute = log_compute};

/* ---- The derivative ---- */

/* A knows its angles to a few u: this close to a multiple of 2 pi, an x other than 0 is taken to be one. */
#define SINGULAR_ROUNDINGS 16

static int is_singular(real x, real u)
{
    return fabs(x) > 1 && fabs(sin(x / 2)) <= SINGULAR_ROUNDINGS * u;
}

static int derivative_exists(int n, const real *angle, real u)
{
    for (int a = 0; a < n / 2; a++) {
        if (n % 2 && is_singular(angle[a], u))
            return 0;
        for (int b = 0; b < a; b++)
            if (is_singular(angle[a] + angle[b], u) || is_singular(angle[a] - angle[b], u))
                return 0;
    }
    return 1;
}

static inline void inverse_phi(real half, real cosine, real sine, real *re, real *im) /* e^(-i x/2) (x/2) / sin(x/2) */
{
    (void)cosine;
    (void)sine;
    real c = cos(half), s = sin(half), factor = half == 0 ? 1 : half / s;
    real a = *re, b = *im;
    *re = factor * (c * a + s * b);
    *im = factor * (c * b - s * a);
}

static so_status log_vjp_compute(int n, double *const *in, double *dR, double *work, double u)
{
    elem *R = in[0], *A = in[1], *G = in[2];
    if (has_closed_form(n))
        return SO_(closed_logarithm_vjp)(n, R, A, G, SINGULAR_ROUNDINGS * u, dR);
    spectrum s;
    if (!SO_(spectrum_of)(n, A, &s, work))
        return SO_ESINGULAR;
    elem *WT = matrix_of(work, n, 3), *T = matrix_of(work, n, 4), *B = matrix_of(work, n, 5);
    real *angle = (real *)matrix_of(work, n, 2);
    SO_(spectrum_unscale)(n, &s, angle);
    if (!derivative_exists(n, angle, u))
        return SO_ESINGULAR;
    skew_part(n, G);
    transpose(n, s.W, WT);
    product(n, G, s.W, T);
    product_lower(n, WT, T, B);
    mirror(n, -1, B);
    half_angles h = half_angles_in(n, T);
    SO_(set_half_angles)(n, 0, 1, angle, &h);
    plane_function(n, &h, inverse_phi, B);
    product(n, B, WT, T);
    product_lower(n, s.W, T, B);
    mirror(n, -1, B);
    product(n, R, B, dR);
    return SO_OK;
}

const widened_map so_log_vjp_map = {
    .inputs = 3, .skew = 1u << 1, .work_matrices = SPECTRUM_MATRICES, .compute = log_vjp_compute};

#endif
