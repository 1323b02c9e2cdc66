/* logarithm.c: the principal logarithm A = W D W^T (group/planes.h) of the rotation X nearest to R, and its derivative, for n > 4;
 * closed_logarithm.c has the others.
 *
 * Small angles: the skew part K of X has the angles sin theta. While these stay below 0.7 and no cosine is negative, A = asin
 * K, a smooth function of K alone (spectral.h): equal angles need no care and tiny ones keep their relative accuracy. Whether a
 * cosine is negative is seen from the trace, which is the sum of the cosines: it falls short by 1.4 at least.
 *
 * Otherwise theta from sin loses accuracy at pi/2, cannot tell theta from pi - theta, and mixes their planes. The Schur form of
 * X itself (rotation.h) has none of this: its backward error is of order u whatever the angles, theta comes from both cos and
 * sin.
 *
 * What rounding leaves of either is measured, as X = W R(theta) (I + C) W^T, and taken into account to first order, with
 * phi(-ad_D)^-1 C (below) added to D: the error is then that of a few products.
 *
 * Derivative, for dX = X E with E skew: dA = phi(-ad_A)^-1 E, phi(z) = (e^z - 1)/z (exponential.md 2.6, 2.10). So the gradient
 * is X times phi(ad_A)^-1 skew(dA), in the basis W a division by e^(i x/2) sinc(x/2), x = theta_a +- theta_b, for every pair of
 * planes.
 * SPDX-License-Identifier: MIT */
#include "../widened.h"
#include "closed_logarithm.h"
#include "rotation.h"
#include "spectral.h"

#if defined(SO_REAL_f64)

#define LARGEST_SINE 0.7

enum { LOG_W, LOG_THETA, LOG_SCRATCH, LOG_MATRICES = LOG_SCRATCH + SPECTRUM_MATRICES };

/* W and theta of X by way of its skew part; returns 0 if the angles are not small. */
static int small_angles(int n, const elem *X, elem *W, real *theta, real *work)
{
    elem *K = W;
    spectrum s;
    memcpy(K, X, (size_t)matrix_size(n) * sizeof(elem));
    skew_part(n, K);
    if (!SO_(spectrum_of)(n, K, &s, work))
        return 0;
    real trace = 0, cosines = n % 2;
    for (int i = 0; i < n; i++)
        trace += X[(ptrdiff_t)i * matrix_stride(n) + i];
    for (int k = 0; k < n / 2; k++) {
        real sine = ldexp(s.theta[k], s.exponent);
        if (!(sine <= LARGEST_SINE))
            return 0;
        theta[k] = asin(sine);
        cosines += 2 * sqrt(1 - sine * sine);
    }
    memcpy(W, s.W, (size_t)matrix_size(n) * sizeof(elem));
    return fabs(trace - cosines) < 0.5;
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
    if (!SO_(is_rotation)(n, X, scratch))
        return SO_EREFLECTION;
    if (!small_angles(n, X, W, theta, scratch) && !SO_(schur_of_rotation)(n, X, W, theta, scratch))
        return SO_ESINGULAR;
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
