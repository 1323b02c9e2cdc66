/* closed_form.c: exp and its trivialised derivative for n = 2, 3, 4, in f64 inside, all lanes at once (exponential.md 2.8).
 *
 *   n = 2  one angle. so(2) is commutative: phi(ad_A) M = M.
 *   n = 3  the vector w = t u of A, A v = w x v, |u| = 1:  exp(A) = cos t I + sin t [u]x + (1 - cos t) u u^T,
 *          phi(ad_A) m = sin t / t m + (1 - cos t)/t u x m + (1 - sin t / t) u (u.m).
 *   n = 4  so(4) = so(3) + so(3): A = L(p) + R(q), left and right products by quaternions, which commute. Then
 *          exp(A) = (cos|p| + sin|p| L(p/|p|)) (cos|q| + sin|q| R(q/|q|)), and phi(ad) acts on the two parts of M
 *          by w = 2p and w = -2q.
 *
 * 1 - cos t = 2 sin^2(t/2) does not cancel, neither does the series of 1 - sin t / t below t = 1.
 * In lanes only: it is never worth a matrix at a time.
 * SPDX-License-Identifier: MIT */
#include "closed_form.h"

#if defined(SO_LAYOUT_lanes)

#include "wide.h"

typedef struct vector3 {
    wide x, y, z;
} vector3;

static inline wide dot(vector3 a, vector3 b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static inline vector3 times(wide factor, vector3 a)
{
    return (vector3){factor * a.x, factor * a.y, factor * a.z};
}

/* w = t u, |u| = 1; u = 0 and inverse = 0 for w = 0, inverse = 1/t otherwise. */
typedef struct direction {
    vector3 u;
    wide t, inverse;
} direction;

/* |w| to the last bit: an angle of 1000 that is wrong in relative terms by 2 u costs 2000 u. In f32 nothing is to be gained. */
static inline wide refined(vector3 w, wide length, wide inverse)
{
#if defined(SO_REAL_f64)
    wide x = w.x * w.x, y = w.y * w.y, z = w.z * w.z, square = length * length;
    wide error = square_error(w.x, x) + square_error(w.y, y) + square_error(w.z, z) - square_error(length, square);
    wide first = x + y, shift = first - x, second = first + z, shift2 = second - first;
    error += (x - (first - shift)) + (y - shift) + (first - (second - shift2)) + (z - shift2);
    return length + ((second - square) + error) * inverse * 0.5;
#else
    (void)w, (void)inverse;
    return length;
#endif
}

/* Vectors whose square leaves the range are scaled first; t and inverse are at most DBL_MAX. */
static __attribute__((noinline)) direction direction_of_extreme(vector3 w)
{
    const wide one = (wide){0} + 1;
    wide square = dot(w, w), factor = choose_wide(square < one, one * 0x1p600, one * 0x1p-600);
    factor = choose_wide((square > 0x1p-900) & (square < 0x1p900), one, factor);
    w = times(factor, w);
    square = dot(w, w);
    wide length = wide_root(square), inverse = choose_wide(square > 0, 1 / length, (wide){0});
    wide t = refined(w, length, inverse) / factor;
    vector3 u = times(inverse, w);
    inverse *= factor;
    return (direction){u, choose_wide(t < DBL_MAX, t, one * DBL_MAX), choose_wide(inverse < DBL_MAX, inverse, one * DBL_MAX)};
}

static inline direction direction_of(vector3 w)
{
    wide square = dot(w, w);
    if (any_wide(~((square > 0x1p-900) & (square < 0x1p900))))
        return direction_of_extreme(w);
    wide length = wide_root(square), inverse = 1 / length;
    length = refined(w, length, inverse);
    return (direction){times(inverse, w), length, inverse};
}

/* 1 - sin t / t, given sin t and 1/t: for t < 1 by its series sum (-1)^k t^(2k+2) / (2k+3)!, nine terms: below 2^-60. */
static inline wide one_minus_sinc(wide t, wide inverse, wide sine)
{
    wide x = t * t, sum = (wide){0} + 1 / 51090942171709440000.0;
    sum = 1 / 121645100408832000.0 - x * sum;
    sum = 1 / 355687428096000.0 - x * sum;
    sum = 1 / 1307674368000.0 - x * sum;
    sum = 1 / 6227020800.0 - x * sum;
    sum = 1 / 39916800.0 - x * sum;
    sum = 1 / 362880.0 - x * sum;
    sum = 1 / 5040.0 - x * sum;
    sum = 1 / 120.0 - x * sum;
    sum = 1 / 6.0 - x * sum;
    return choose_wide(t < 1, x * sum, 1 - sine * inverse);
}

/* phi(ad_w) m for w = scale v */
static inline vector3 phi_ad(double scale, vector3 v, vector3 m)
{
    wide s, c;
    direction d = direction_of(times((wide){0} + scale, v));
    vector3 u = d.u;
    sine_cosine(d.t * 0.5, &s, &c);
    wide f3 = one_minus_sinc(d.t, d.inverse, 2 * s * c), f1 = 1 - f3, f2 = 2 * s * s * d.inverse, along = f3 * dot(u, m);
    return (vector3){f1 * m.x + f2 * (u.y * m.z - u.z * m.y) + along * u.x,
                     f1 * m.y + f2 * (u.z * m.x - u.x * m.z) + along * u.y,
                     f1 * m.z + f2 * (u.x * m.y - u.y * m.x) + along * u.z};
}

static inline void set_skew(int n, elem *Y, int part, int i, int j, wide value)
{
    store_narrow(&Y[i * n + j], part, value);
    store_narrow(&Y[j * n + i], part, -value);
}

static inline vector3 vector_of(const elem *A, int part)
{
    return (vector3){widen(&A[2 * 3 + 1], part), widen(&A[0 * 3 + 2], part), widen(&A[1 * 3 + 0], part)};
}

static void exp_2(const elem *A, elem *R, int part)
{
    wide s, c;
    sine_cosine(widen(&A[2], part), &s, &c);
    store_narrow(&R[0], part, c);
    store_narrow(&R[1], part, 0 - s); /* +0 for the angle 0 */
    store_narrow(&R[2], part, s);
    store_narrow(&R[3], part, c);
}

static void exp_3(const elem *A, elem *R, int part)
{
    wide s, c;
    direction d = direction_of(vector_of(A, part));
    vector3 u = d.u;
    sine_cosine(d.t * 0.5, &s, &c);
    wide versine = 2 * s * s, sine = 2 * s * c, cosine = 1 - versine;
    vector3 v = times(sine, u), w = times(versine, u);
    store_narrow(&R[0], part, cosine + w.x * u.x);
    store_narrow(&R[1], part, w.x * u.y - v.z);
    store_narrow(&R[2], part, w.x * u.z + v.y);
    store_narrow(&R[3], part, w.x * u.y + v.z);
    store_narrow(&R[4], part, cosine + w.y * u.y);
    store_narrow(&R[5], part, w.y * u.z - v.x);
    store_narrow(&R[6], part, w.x * u.z - v.y);
    store_narrow(&R[7], part, w.y * u.z + v.x);
    store_narrow(&R[8], part, cosine + w.z * u.z);
}

static void phi_3(const elem *A, const elem *M, elem *Y, int part)
{
    vector3 y = phi_ad(1, vector_of(A, part), vector_of(M, part));
    for (int i = 0; i < 3; i++)
        store_narrow(&Y[i * 4], part, (wide){0});
    set_skew(3, Y, part, 2, 1, y.x);
    set_skew(3, Y, part, 0, 2, y.y);
    set_skew(3, Y, part, 1, 0, y.z);
}

/* The two quaternions of a skew 4 x 4 matrix. */
static inline void split4(const elem *A, int part, vector3 *p, vector3 *q)
{
    vector3 a = {widen(&A[2 * 4 + 1], part) * 0.5, widen(&A[0 * 4 + 2], part) * 0.5, widen(&A[1 * 4 + 0], part) * 0.5};
    vector3 b = {widen(&A[0 * 4 + 3], part) * 0.5, widen(&A[1 * 4 + 3], part) * 0.5, widen(&A[2 * 4 + 3], part) * 0.5};
    *p = (vector3){a.x + b.x, a.y + b.y, a.z + b.z};
    *q = (vector3){b.x - a.x, b.y - a.y, b.z - a.z};
}

static void exp_4(const elem *A, elem *R, int part)
{
    vector3 p, q;
    wide cp, cq, sp, sq;
    split4(A, part, &p, &q);
    direction dp = direction_of(p), dq = direction_of(q);
    sine_cosine(dp.t, &sp, &cp);
    sine_cosine(dq.t, &sq, &cq);
    p = times(sp, dp.u);
    q = times(sq, dq.u);
    wide left[4][4] = {{cp, -p.z, p.y, p.x}, {p.z, cp, -p.x, p.y}, {-p.y, p.x, cp, p.z}, {-p.x, -p.y, -p.z, cp}};
    wide right[4][4] = {{cq, q.z, -q.y, q.x}, {-q.z, cq, q.x, q.y}, {q.y, -q.x, cq, q.z}, {-q.x, -q.y, -q.z, cq}};
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
            wide sum = {0};
#pragma GCC unroll 4
            for (int k = 0; k < 4; k++)
                sum += left[i][k] * right[k][j];
            store_narrow(&R[i * 4 + j], part, sum);
        }
}

static void phi_4(const elem *A, const elem *M, elem *Y, int part)
{
    vector3 p, q, mp, mq;
    split4(A, part, &p, &q);
    split4(M, part, &mp, &mq);
    vector3 yp = phi_ad(2, p, mp), yq = phi_ad(-2, q, mq);
    for (int i = 0; i < 4; i++)
        store_narrow(&Y[i * 5], part, (wide){0});
    set_skew(4, Y, part, 2, 1, yp.x - yq.x);
    set_skew(4, Y, part, 0, 2, yp.y - yq.y);
    set_skew(4, Y, part, 1, 0, yp.z - yq.z);
    set_skew(4, Y, part, 0, 3, yp.x + yq.x);
    set_skew(4, Y, part, 1, 3, yp.y + yq.y);
    set_skew(4, Y, part, 2, 3, yp.z + yq.z);
}

static void closed_form_map(int n, real *A, real *R, real *work)
{
    (void)work;
    void (*const map[])(const elem *, elem *, int) = {exp_2, exp_3, exp_4};
    for (int part = 0; part < WIDE_PARTS; part++)
        map[n - 2]((const elem *)A, (elem *)R, part);
}

static void closed_form_differential(int n, real *A, const real *R, real *M, real *Y, real *work)
{
    (void)R;
    (void)work;
    if (n == 2) {
        memcpy(Y, M, (size_t)matrix_size(n) * sizeof(elem));
        return;
    }
    void (*const differential)(const elem *, const elem *, elem *, int) = n == 3 ? phi_3 : phi_4;
    for (int part = 0; part < WIDE_PARTS; part++)
        differential((const elem *)A, (const elem *)M, (elem *)Y, part);
}

const group_method SO_(so_closed_form) = {
    .map = closed_form_map,
    .differential = closed_form_differential,
};

#endif
