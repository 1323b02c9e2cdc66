/* closed_form.cuh: exp and its trivialised derivative for n = 2, 3, 4, of one thread's matrix, in f64. The formulas and their
 * reasons are those of libso/cpu/group/closed_form.c. A skew matrix is its strict upper triangle, in the order of so_pack.
 *
 * closed_form<N, real>::map(a, R)              R = exp(a), N * N entries
 * closed_form<N, real>::differential(a, m, y)  y = phi(ad_a) m, phi(z) = (e^z - 1)/z
 * real: the type that a comes from and that the results are rounded to. All of a and m is finite.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_CLOSED_FORM_CUH
#define SO_KERNELS_CLOSED_FORM_CUH

#include <float.h>
#include <math.h>

#include "sine.cuh"

struct vector3 {
    double x, y, z;
};

__device__ __forceinline__ double dot(vector3 a, vector3 b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

__device__ __forceinline__ vector3 times(double factor, vector3 a)
{
    return {factor * a.x, factor * a.y, factor * a.z};
}

/* w = length u, |u| = 1; u = 0 and inverse = 0 for w = 0, inverse = 1/length otherwise; both at most DBL_MAX. */
struct direction {
    vector3 u;
    double length, inverse;
};

/* |w| to the last bit: an angle of 1000 that is wrong in relative terms by 2 u costs 2000 u. */
__device__ __forceinline__ double refined(vector3 w, double length, double inverse)
{
    double x = __dmul_rn(w.x, w.x), y = __dmul_rn(w.y, w.y), z = __dmul_rn(w.z, w.z), square = __dmul_rn(length, length);
    double error = fma(w.x, w.x, -x) + fma(w.y, w.y, -y) + fma(w.z, w.z, -z) - fma(length, length, -square);
    double first = __dadd_rn(x, y), shift = first - x, second = __dadd_rn(first, z), shift2 = second - first;
    error += (x - (first - shift)) + (y - shift) + (first - (second - shift2)) + (z - shift2);
    return length + ((second - square) + error) * inverse * 0.5;
}

template <class real> __device__ direction direction_of(vector3 w);

/* The square of a vector of f32 stays within f64, and its length needs no more bits than it has. */
template <> __device__ __forceinline__ direction direction_of<float>(vector3 w)
{
    double square = dot(w, w), inverse = square > 0 ? rsqrt(square) : 0;
    return {times(inverse, w), square * inverse, inverse};
}

template <> __device__ __forceinline__ direction direction_of<double>(vector3 w)
{
    double square = dot(w, w), factor = 1, back = 1;
    if (!(square > 0x1p-900 && square < 0x1p900)) {
        bool small = square < 1;
        factor = small ? 0x1p600 : 0x1p-600;
        back = small ? 0x1p-600 : 0x1p600;
        w = times(factor, w);
        square = dot(w, w);
    }
    double inverse = square > 0 ? rsqrt(square) : 0, length = refined(w, square * inverse, inverse);
    return {times(inverse, w), fmin(length * back, DBL_MAX), fmin(inverse * factor, DBL_MAX)};
}

/* 1 - sin t / t, given sin t and 1/t: for t < 1 by its series sum (-1)^k t^(2k+2) / (2k+3)!, ten terms: below 2^-60. */
__device__ __forceinline__ double one_minus_sinc(double t, double inverse, double sine)
{
    double x = t * t, sum = 1 / 51090942171709440000.0;
    sum = fma(-x, sum, 1 / 121645100408832000.0);
    sum = fma(-x, sum, 1 / 355687428096000.0);
    sum = fma(-x, sum, 1 / 1307674368000.0);
    sum = fma(-x, sum, 1 / 6227020800.0);
    sum = fma(-x, sum, 1 / 39916800.0);
    sum = fma(-x, sum, 1 / 362880.0);
    sum = fma(-x, sum, 1 / 5040.0);
    sum = fma(-x, sum, 1 / 120.0);
    sum = fma(-x, sum, 1 / 6.0);
    return t < 1 ? x * sum : 1 - sine * inverse;
}

/* phi(ad_w) m for the w whose half is given. Halves, so that no angle overflows that its half does not. */
template <class real> __device__ __forceinline__ vector3 phi_ad(vector3 half, vector3 m)
{
    double s, c;
    direction d = direction_of<real>(half);
    vector3 u = d.u;
    sine_cosine(d.length, &s, &c);
    double inverse = 0.5 * d.inverse, f3 = one_minus_sinc(2 * d.length, inverse, 2 * s * c), f1 = 1 - f3;
    double f2 = 2 * s * inverse * s, along = f3 * dot(u, m);
    return {f1 * m.x + f2 * (u.y * m.z - u.z * m.y) + along * u.x,
            f1 * m.y + f2 * (u.z * m.x - u.x * m.z) + along * u.y,
            f1 * m.z + f2 * (u.x * m.y - u.y * m.x) + along * u.z};
}

template <int N, class real> struct closed_form;

template <class real> struct closed_form<2, real> {
    static __device__ __forceinline__ void map(const double *a, double *R)
    {
        double s, c;
        sine_cosine(a[0], &s, &c);
        R[0] = c;
        R[1] = s + 0.0; /* +0 for the angle 0 */
        R[2] = 0 - s;
        R[3] = c;
    }

    /* so(2) is commutative. */
    static __device__ __forceinline__ void differential(const double *, const double *m, double *y)
    {
        y[0] = m[0];
    }
};

template <class real> struct closed_form<3, real> {
    /* The vector of A times factor: A v = w x v. + 0: a zero is +0. */
    static __device__ __forceinline__ vector3 vector_of(double factor, const double *a)
    {
        return {0 - factor * a[2], factor * a[1] + 0.0, 0 - factor * a[0]};
    }

    static __device__ __forceinline__ void map(const double *a, double *R)
    {
        double s, c;
        direction d = direction_of<real>(vector_of(0.5, a));
        vector3 u = d.u;
        sine_cosine(d.length, &s, &c);
        double versine = 2 * s * s, sine = 2 * s * c, cosine = 1 - versine;
        vector3 v = times(sine, u), w = times(versine, u);
        R[0] = cosine + w.x * u.x;
        R[1] = w.x * u.y - v.z;
        R[2] = w.x * u.z + v.y;
        R[3] = w.x * u.y + v.z;
        R[4] = cosine + w.y * u.y;
        R[5] = w.y * u.z - v.x;
        R[6] = w.x * u.z - v.y;
        R[7] = w.y * u.z + v.x;
        R[8] = cosine + w.z * u.z;
    }

    static __device__ __forceinline__ void differential(const double *a, const double *m, double *y)
    {
        vector3 v = phi_ad<real>(vector_of(0.5, a), vector_of(1, m));
        y[0] = -v.z;
        y[1] = v.y;
        y[2] = -v.x;
    }
};

template <class real> struct closed_form<4, real> {
    /* The two quaternions of a skew matrix. */
    static __device__ __forceinline__ void split(const double *a, vector3 *p, vector3 *q)
    {
        vector3 v = {-0.5 * a[3], 0.5 * a[1], -0.5 * a[0]}, w = {0.5 * a[2], 0.5 * a[4], 0.5 * a[5]};
        *p = {v.x + w.x, v.y + w.y, v.z + w.z};
        *q = {w.x - v.x, w.y - v.y, w.z - v.z};
    }

    static __device__ __forceinline__ void map(const double *a, double *R)
    {
        vector3 p, q;
        double cp, cq, sp, sq;
        split(a, &p, &q);
        direction dp = direction_of<real>(p), dq = direction_of<real>(q);
        sine_cosine(dp.length, &sp, &cp);
        sine_cosine(dq.length, &sq, &cq);
        p = times(sp, dp.u);
        q = times(sq, dq.u);
        double left[4][4] = {{cp, -p.z, p.y, p.x}, {p.z, cp, -p.x, p.y}, {-p.y, p.x, cp, p.z}, {-p.x, -p.y, -p.z, cp}};
        double right[4][4] = {{cq, q.z, -q.y, q.x}, {-q.z, cq, q.x, q.y}, {q.y, -q.x, cq, q.z}, {-q.x, -q.y, -q.z, cq}};
#pragma unroll
        for (int i = 0; i < 4; i++)
#pragma unroll
            for (int j = 0; j < 4; j++) {
                double sum = 0;
#pragma unroll
                for (int k = 0; k < 4; k++)
                    sum += left[i][k] * right[k][j];
                R[i * 4 + j] = sum;
            }
    }

    static __device__ __forceinline__ void differential(const double *a, const double *m, double *y)
    {
        vector3 p, q, mp, mq;
        split(a, &p, &q);
        split(m, &mp, &mq);
        vector3 v = phi_ad<real>(p, mp), w = phi_ad<real>(times(-1, q), mq);
        y[0] = -(v.z - w.z);
        y[1] = v.y - w.y;
        y[2] = v.x + w.x;
        y[3] = -(v.x - w.x);
        y[4] = v.y + w.y;
        y[5] = v.z + w.z;
    }
};

#endif
