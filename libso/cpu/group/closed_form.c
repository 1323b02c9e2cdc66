/* closed_form.c: exp and its trivialised derivative for n = 2, 3, 4, in f64 inside (exponential.md 2.8).
 *
 *   n = 2  one angle. so(2) is commutative: phi(ad_A) M = M.
 *   n = 3  the vector w of A, A v = w x v, t = |w|:  exp(A) = cos t I + f1 A + f2 w w^T,
 *          phi(ad_A) m = f1 m + f2 w x m + f3 w (w.m),  f1 = sin t / t, f2 = (1 - cos t)/t^2, f3 = (t - sin t)/t^3.
 *   n = 4  so(4) = so(3) + so(3): A = L(p) + R(q), left and right products by quaternions, which commute. Then
 *          exp(A) = (cos|p| + sinc|p| L(p)) (cos|q| + sinc|q| R(q)), and phi(ad) acts on the two parts of M
 *          by w = 2p and w = -2q.
 * SPDX-License-Identifier: MIT */
#include "closed_form.h"

#include "matrix.h"

typedef struct vector3 {
    double x, y, z;
} vector3;

static inline double dot(vector3 a, vector3 b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

/* |w|; entries near the ends of the exponent range are scaled first. */
static inline double length(vector3 w)
{
    double square = dot(w, w);
    if (square > 0x1p-900 && square < 0x1p900)
        return sqrt(square);
    return fmin(4 * hypot(hypot(w.x / 4, w.y / 4), w.z / 4), DBL_MAX);
}

/* sin t / t, and f2, f3 as above. f2 through the half angle and f3 by its series do not cancel. */
static inline double sinc(double t)
{
    return t > 0x1p-30 ? sin(t) / t : 1;
}
static inline double versine_ratio(double t)
{
    double half = sinc(t / 2);
    return half * half / 2;
}
static inline double third_ratio(double t)
{
    if (t >= 1)
        return (1 - sin(t) / t) / t / t;
    double x = t * t, term = 1.0 / 6, sum = term; /* sum (-1)^k x^k / (2k+3)!; 9 terms: below 2^-60 for t < 1 */
    for (int k = 1; k < 9; k++) {
        term *= -x / ((2 * k + 2) * (2 * k + 3));
        sum += term;
    }
    return sum;
}

/* phi(ad_w) m. For |w| where f2 w would lose to overflow or underflow only the unit vector of w enters. */
static inline vector3 phi_ad(vector3 w, vector3 m)
{
    double t = length(w);
    if (t < 0x1p-400)
        return m;
    vector3 u = {w.x / t, w.y / t, w.z / t};
    double along = dot(u, m), f1 = sinc(t), f2 = versine_ratio(t) * t, f3 = third_ratio(t) * t * t;
    return (vector3){f1 * m.x + f2 * (u.y * m.z - u.z * m.y) + f3 * u.x * along,
                     f1 * m.y + f2 * (u.z * m.x - u.x * m.z) + f3 * u.y * along,
                     f1 * m.z + f2 * (u.x * m.y - u.y * m.x) + f3 * u.z * along};
}

/* Entry (i, j) of the matrix in lane l of a group matrix of order n. */
static inline real *entry(int n, real *matrix, int l, int i, int j)
{
    return matrix + ((ptrdiff_t)i * matrix_stride(n) + j) * LANES + l;
}

static inline void set_skew(int n, real *Y, int l, int i, int j, double value)
{
    *entry(n, Y, l, i, j) = (real)value;
    *entry(n, Y, l, j, i) = (real)-value;
}

static vector3 vector_of(real *A, int l)
{
    return (vector3){(double)*entry(3, A, l, 2, 1), (double)*entry(3, A, l, 0, 2), (double)*entry(3, A, l, 1, 0)};
}

static void exp2_lane(real *A, real *R, int l)
{
    double angle = (double)*entry(2, A, l, 1, 0), c = cos(angle), s = sin(angle);
    *entry(2, R, l, 0, 0) = (real)c;
    *entry(2, R, l, 0, 1) = (real)(0 - s); /* +0 for the angle 0 */
    *entry(2, R, l, 1, 0) = (real)s;
    *entry(2, R, l, 1, 1) = (real)c;
}

static void exp3_lane(real *A, real *R, int l)
{
    vector3 w = vector_of(A, l);
    double t = length(w), c = cos(t), f1 = sinc(t);
    double v[3] = {w.x, w.y, w.z}, f2 = versine_ratio(t);
    if (t > 1) { /* the unit vector cannot overflow */
        for (int i = 0; i < 3; i++)
            v[i] /= t;
        f2 *= t * t;
        if (!(f2 <= 2)) /* t^2 overflowed */
            f2 = 1 - c;
    }
    double cross[3][3] = {{0, -w.z * f1, w.y * f1}, {w.z * f1, 0, -w.x * f1}, {-w.y * f1, w.x * f1, 0}};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            *entry(3, R, l, i, j) = (real)((i == j ? c : 0) + cross[i][j] + f2 * v[i] * v[j]);
}

static void phi3_lane(real *A, real *M, real *Y, int l)
{
    vector3 y = phi_ad(vector_of(A, l), vector_of(M, l));
    for (int i = 0; i < 3; i++)
        *entry(3, Y, l, i, i) = 0;
    set_skew(3, Y, l, 2, 1, y.x);
    set_skew(3, Y, l, 0, 2, y.y);
    set_skew(3, Y, l, 1, 0, y.z);
}

/* The two quaternions of a skew 4 x 4 matrix. */
static void split4(real *A, int l, vector3 *p, vector3 *q)
{
    double a[3] = {(double)*entry(4, A, l, 2, 1), (double)*entry(4, A, l, 0, 2), (double)*entry(4, A, l, 1, 0)};
    double b[3] = {(double)*entry(4, A, l, 0, 3), (double)*entry(4, A, l, 1, 3), (double)*entry(4, A, l, 2, 3)};
    *p = (vector3){a[0] / 2 + b[0] / 2, a[1] / 2 + b[1] / 2, a[2] / 2 + b[2] / 2};
    *q = (vector3){b[0] / 2 - a[0] / 2, b[1] / 2 - a[1] / 2, b[2] / 2 - a[2] / 2};
}

static void exp4_lane(real *A, real *R, int l)
{
    vector3 p, q;
    split4(A, l, &p, &q);
    double tp = length(p), tq = length(q), cp = cos(tp), cq = cos(tq), sp = sinc(tp), sq = sinc(tq);
    p = (vector3){p.x * sp, p.y * sp, p.z * sp};
    q = (vector3){q.x * sq, q.y * sq, q.z * sq};
    double left[4][4] = {{cp, -p.z, p.y, p.x}, {p.z, cp, -p.x, p.y}, {-p.y, p.x, cp, p.z}, {-p.x, -p.y, -p.z, cp}};
    double right[4][4] = {{cq, q.z, -q.y, q.x}, {-q.z, cq, q.x, q.y}, {q.y, -q.x, cq, q.z}, {-q.x, -q.y, -q.z, cq}};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            double sum = 0;
            for (int k = 0; k < 4; k++)
                sum += left[i][k] * right[k][j];
            *entry(4, R, l, i, j) = (real)sum;
        }
}

static void phi4_lane(real *A, real *M, real *Y, int l)
{
    vector3 p, q, mp, mq;
    split4(A, l, &p, &q);
    split4(M, l, &mp, &mq);
    vector3 yp = phi_ad((vector3){2 * p.x, 2 * p.y, 2 * p.z}, mp);
    vector3 yq = phi_ad((vector3){-2 * q.x, -2 * q.y, -2 * q.z}, mq);
    for (int i = 0; i < 4; i++)
        *entry(4, Y, l, i, i) = 0;
    set_skew(4, Y, l, 2, 1, yp.x - yq.x);
    set_skew(4, Y, l, 0, 2, yp.y - yq.y);
    set_skew(4, Y, l, 1, 0, yp.z - yq.z);
    set_skew(4, Y, l, 0, 3, yp.x + yq.x);
    set_skew(4, Y, l, 1, 3, yp.y + yq.y);
    set_skew(4, Y, l, 2, 3, yp.z + yq.z);
}

static void closed_form_map(int n, real *A, real *R, real *work)
{
    (void)work;
    for (int l = 0; l < LANES; l++) {
        if (n == 2)
            exp2_lane(A, R, l);
        else if (n == 3)
            exp3_lane(A, R, l);
        else
            exp4_lane(A, R, l);
    }
}

static void closed_form_differential(int n, real *A, const real *R, real *M, real *Y, real *work)
{
    (void)R;
    (void)work;
    if (n == 2) {
        memcpy(Y, M, (size_t)matrix_size(n) * sizeof(elem));
        return;
    }
    for (int l = 0; l < LANES; l++) {
        if (n == 3)
            phi3_lane(A, M, Y, l);
        else
            phi4_lane(A, M, Y, l);
    }
}

const group_method SO_(so_closed_form) = {
    .map = closed_form_map,
    .differential = closed_form_differential,
};
