/* rungs.h: the rungs of libso/cpu/group/polynomial.c and their values at the centres of centre.h.
 * SPDX-License-Identifier: MIT */
#ifndef PROOFS_RUNGS_H
#define PROOFS_RUNGS_H

#include "libso/coefficients.h"
#include <stddef.h>

enum { RUNGS = 3 };

typedef struct rung {
    int degree;                            /* degree 12: the nested form */
    double theta, theta_derivative, scale; /* scale 0: a polynomial in X */
    double c[4][9], s[4][9];
} rung;

/* What coefficients.c certifies for every rung, in u: of the value, of the derivative. */
#define TRUNCATION 1.3
#define TRUNCATION_DERIVATIVE 13.1

/* One of x and y is NULL. */
static inline void copy_coefficients(double *out, int count, const double *x, const float *y)
{
    for (int i = 0; i < count; i++)
        out[i] = x ? x[i] : (double)y[i];
}

/* From the lowest to the top one. bits: 24 or 53. */
static inline void rungs_of(rung *g, int bits)
{
    static const rung f64[] = {{4, SO_F64_P4_THETA, SO_F64_P4_THETA_DERIVATIVE, 0, {{0}}, {{0}}},
                               {6, SO_F64_P6_THETA, SO_F64_P6_THETA_DERIVATIVE, 0, {{0}}, {{0}}},
                               {12, SO_F64_Y12_THETA, SO_F64_Y12_THETA_DERIVATIVE, SO_F64_Y12_SCALE, {{0}}, {{0}}}};
    static const rung f32[] = {
        {4, (double)SO_F32_P4_THETA, (double)SO_F32_P4_THETA_DERIVATIVE, 0, {{0}}, {{0}}},
        {6, (double)SO_F32_Y6_THETA, (double)SO_F32_Y6_THETA_DERIVATIVE, (double)SO_F32_Y6_SCALE, {{0}}, {{0}}},
        {8, (double)SO_F32_Y8_THETA, (double)SO_F32_Y8_THETA_DERIVATIVE, (double)SO_F32_Y8_SCALE, {{0}}, {{0}}}};
    static const double *const c64[] = {so_f64_p4_c, so_f64_p6_c};
    static const double *const s64[] = {so_f64_p4_s, so_f64_p6_s};
    static const double *const B[8] = {so_f64_y12_c_B1, so_f64_y12_c_B2, so_f64_y12_c_B3, so_f64_y12_c_B4,
                                       so_f64_y12_s_B1, so_f64_y12_s_B2, so_f64_y12_s_B3, so_f64_y12_s_B4};
    static const float *const c32[] = {so_f32_p4_c, so_f32_y6_c, so_f32_y8_c};
    static const float *const s32[] = {so_f32_p4_s, so_f32_y6_s, so_f32_y8_s};
    for (int k = 0; k < RUNGS; k++) {
        g[k] = bits == 24 ? f32[k] : f64[k];
        if (bits == 24) {
            copy_coefficients(g[k].c[0], g[k].degree + 1, NULL, c32[k]);
            copy_coefficients(g[k].s[0], g[k].degree + 1, NULL, s32[k]);
        } else if (k < RUNGS - 1) {
            copy_coefficients(g[k].c[0], g[k].degree + 1, c64[k], NULL);
            copy_coefficients(g[k].s[0], g[k].degree + 1, s64[k], NULL);
        }
    }
    if (bits == 53)
        for (int b = 0; b < 4; b++) {
            copy_coefficients(g[RUNGS - 1].c[b], 4, B[b], NULL);
            copy_coefficients(g[RUNGS - 1].s[b], 4, B[4 + b], NULL);
        }
}

/* Y = y I + P_1 and Y^k = y^k I + P_k; y is a multiple of 1 / CENTRES in [-1, 1], and 0 where Y = X. */
enum { CENTRES = 16, POWERS = 4 };

static inline double polynomial_at(int degree, const double *a, double y)
{
    double sum = a[degree];
    for (int k = degree - 1; k >= 0; k--)
        sum = sum * y + a[k];
    return sum;
}

/* v = c(y) or s(y) */
static inline double value_at(const rung *g, const double (*a)[9], double y)
{
    if (g->degree < 12)
        return polynomial_at(g->degree, a[0], y);
    double b = polynomial_at(3, a[3], y), q = b * b + polynomial_at(3, a[2], y);
    return polynomial_at(3, a[0], y) + (polynomial_at(3, a[1], y) + q) * q;
}

#endif
