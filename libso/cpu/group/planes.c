/* SPDX-License-Identifier: MIT */
#include "planes.h"

void SO_(set_half_angles)(int n, int lane, double factor, const double *angle, half_angles *h)
{
    for (int k = 0; k < n / 2; k++) {
        double half = fmax(fmin(factor * angle[k] / 2, (double)REAL_MAX / 4), -(double)REAL_MAX / 4); /* sums stay finite */
        set_lane(&h->angle[k], lane, (real)half);
        set_lane(&h->cosine[k], lane, (real)cos(half));
        set_lane(&h->sine[k], lane, (real)sin(half));
    }
}

void SO_(rotation_in_planes)(int n, const half_angles *h, const elem *W, const elem *WT, const elem *WC, elem *P, elem *R)
{
    int ld = matrix_stride(n), m = n / 2;
    elem *restrict versine = R, *restrict sine = R + m; /* 1 - cos, sin of the whole angles */
    for (int k = 0; k < m; k++) {
        versine[k] = h->sine[k] * h->sine[k] * (real)2;
        sine[k] = h->sine[k] * h->cosine[k] * (real)2;
    }
    for (int i = 0; i < n; i++) {
        const elem *v = W + (ptrdiff_t)i * ld, *u = v + m;
        elem *restrict p = P + (ptrdiff_t)i * ld;
        for (int k = 0; k < m; k++) {
            p[k] = u[k] * sine[k] - v[k] * versine[k];
            p[m + k] = -v[k] * sine[k] - u[k] * versine[k];
        }
        for (int j = 2 * m; j < ld; j++)
            p[j] = broadcast(0);
    }
    for (ptrdiff_t i = 0; i < matrix_size(n) && WC; i++)
        P[i] += WC[i];
    product(n, P, WT, R);
    for (int i = 0; i < n; i++)
        R[(ptrdiff_t)i * ld + i] += (real)1;
}

void SO_(trivialise_in_planes)(int n, const half_angles *h, elem *M)
{
    int ld = matrix_stride(n), m = n / 2;
    for (int k = 0; k < m; k++) {
        elem *restrict v = M + (ptrdiff_t)k * ld, *restrict u = M + (ptrdiff_t)(m + k) * ld;
        elem c = broadcast(1) - h->sine[k] * h->sine[k] * (real)2, s = h->sine[k] * h->cosine[k] * (real)2;
        for (int j = 0; j < n; j++) {
            elem x = v[j], y = u[j];
            v[j] = c * x + s * y;
            u[j] = c * y - s * x;
        }
    }
    skew_part(n, M);
}

/* sin y / y, given sin y to an absolute error of u: below 1 by its series, whose last term is under u. */
static inline elem sinc(elem y, elem sine)
{
    elem x = y * y, series;
#if defined(SO_REAL_f32)
    series = ((((x * (real)(1.0 / 362880) - (real)(1.0 / 5040)) * x + (real)(1.0 / 120)) * x - (real)(1.0 / 6)) * x) + (real)1;
#else
    static const real term[] = {-1.0 / 6,        1.0 / 120,        -1.0 / 5040,          1.0 / 362880,
                                -1.0 / 39916800, 1.0 / 6227020800, -1.0 / 1307674368000, 1.0 / 355687428096000};
    series = broadcast(term[7]);
    for (int k = 6; k >= 0; k--)
        series = series * x + term[k];
    series = series * x + (real)1;
#endif
    return select_lanes(x < broadcast(1), series, sine / y);
}

static inline __attribute__((always_inline)) void phi(elem y, elem c, elem s, elem *re, elem *im)
{
    elem a = *re, b = *im, f = sinc(y, s);
    *re = f * (c * a - s * b);
    *im = f * (s * a + c * b);
}

void SO_(phi_in_planes)(int n, const half_angles *h, elem *M)
{
    plane_function(n, h, phi, M);
}
