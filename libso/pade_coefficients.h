/* pade_coefficients.h: printed by proofs/pade.c, which derives and certifies it; do not edit.
 *
 * exp(A) is about r(A) = p(-A)^-1 p(A), p(z) = sum b_k z^k, A real skew; r(it) = e^(i phi(t)) on the plane of angle t.
 *   theta             up to it |r(it) - e^(it)| <= u
 *   theta_derivative  up to it |phi'(t) - 1| <= u, which bounds the error of the derivative, a divided difference
 * The largest such numbers of so many digits, unless a larger one is named; u = 2^-53 (f64) or 2^-24 (f32). The errors
 * named are proved for b_k / b_0 rounded to the type, exact arithmetic: of r(it) and phi'(t), up to these angles.
 * SPDX-License-Identifier: MIT */
#ifndef SO_PADE_COEFFICIENTS_H
#define SO_PADE_COEFFICIENTS_H

typedef struct so_pade_rung {
    int degree;
    double theta, theta_derivative;
    const double *b; /* b_0 .. b_degree */
} so_pade_rung;

static const double so_pade_3[4] = {120, 60, 12, 1};
static const double so_pade_5[6] = {30240, 15120, 3360, 420,
    30, 1};
static const double so_pade_7[8] = {17297280, 8648640, 1995840, 277200,
    25200, 1512, 56, 1};
static const double so_pade_9[10] = {17643225600, 8821612800, 2075673600, 302702400,
    30270240, 2162160, 110880, 3960,
    90, 1};
static const double so_pade_13[14] = {64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800,
    129060195264000, 10559470521600, 670442572800, 33522128640,
    1323241920, 40840800, 960960, 16380,
    182, 1};

static const so_pade_rung so_pade_ladder_f32[3] = {
    {3, 0.482, 0.308, so_pade_3}, /* value 0.999 u, derivative 0.993 u */
    {5, 1.80, 1.48, so_pade_5}, /* value 1.034 u, derivative 0.914 u; 1.50 would do */
    {7, 3.70, 3.24, so_pade_7}, /* value 1.860 u, derivative 1.449 u; 3.34 would do */
};

static const so_pade_rung so_pade_ladder_f64[5] = {
    {3, 0.02726, 0.01081, so_pade_3}, /* value 1.000 u, derivative 0.999 u */
    {5, 0.2877, 0.1998, so_pade_5}, /* value 1.000 u, derivative 1.003 u */
    {7, 0.9556, 0.7847, so_pade_7}, /* value 1.067 u, derivative 1.140 u */
    {9, 2.029, 1.791, so_pade_9}, /* value 1.205 u, derivative 1.192 u */
    {13, 5.144, 4.824, so_pade_13}, /* value 2.066 u, derivative 1.200 u */
};

#endif
