/* planes.h: arithmetic in an orthonormal basis W of invariant planes, in which a skew matrix is D and its exponential R:
 *
 *   W = [V U null],  A = W D W^T,  D = [[0, -Theta], [Theta, 0]],  R = exp(D) = [[c, -s], [s, c]]
 *
 * Plane k < n/2 is spanned by the columns k and n/2 + k; for odd n the last column spans the null space.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_GROUP_PLANES_H
#define SO_CPU_GROUP_PLANES_H

#include "matrix.h"

/* Half the angle of every plane, its cosine and its sine. */
typedef struct half_angles {
    elem *angle, *cosine, *sine;
} half_angles;

/* In 3 (n/2) elems of memory; to be set lane by lane, from angles times factor. */
static inline half_angles half_angles_in(int n, elem *memory)
{
    return (half_angles){memory, memory + n / 2, memory + n / 2 * 2};
}
void SO_(set_half_angles)(int n, int lane, double factor, const double *angle, half_angles *h);

/* R = I + (W (exp(D) - I) + WC) W^T: exactly I for angles 0. WC: a small correction, or NULL. P: scratch. */
void SO_(rotation_in_planes)(int n, const half_angles *h, const elem *W, const elem *WT, const elem *WC, elem *P, elem *R);

/* M <- skew part of exp(D)^T M */
void SO_(trivialise_in_planes)(int n, const half_angles *h, elem *M);

/* M <- phi(ad_D) M, phi(z) = (e^z - 1)/z, for skew M */
void SO_(phi_in_planes)(int n, const half_angles *h, elem *M);

/* M <- f(ad_D) M for skew M; needs all of M and writes all of it. ad_D has the eigenvalues i x with x = sums and differences of
 * angles; multiplier(x/2, cos(x/2), sin(x/2), &re, &im) multiplies re + i im by f(i x) (exponential.md 2.6). */
typedef void plane_multiplier(elem half, elem cosine, elem sine, elem *re, elem *im);
static inline __attribute__((always_inline)) void plane_function(int n, const half_angles *h, plane_multiplier *multiplier,
                                                                 elem *M)
{
    int ld = matrix_stride(n), m = n / 2;
    const elem *y = h->angle, *c = h->cosine, *s = h->sine;
    for (int a = 0; a < m; a++) {
        elem *restrict vv = M + (ptrdiff_t)a * ld, *restrict uv = M + (ptrdiff_t)(m + a) * ld, ya = y[a], ca = c[a], sa = s[a];
#pragma omp simd
        for (int b = 0; b < m; b++) {
            elem re_plus = (vv[b] + uv[m + b]) * (real)0.5, im_plus = (uv[b] - vv[m + b]) * (real)0.5;
            elem re_minus = (vv[b] - uv[m + b]) * (real)0.5, im_minus = (uv[b] + vv[m + b]) * (real)0.5;
            multiplier(ya - y[b], ca * c[b] + sa * s[b], sa * c[b] - ca * s[b], &re_plus, &im_plus);
            multiplier(ya + y[b], ca * c[b] - sa * s[b], sa * c[b] + ca * s[b], &re_minus, &im_minus);
            vv[b] = re_plus + re_minus;
            uv[m + b] = re_plus - re_minus;
            uv[b] = im_plus + im_minus;
            vv[m + b] = im_minus - im_plus;
        }
    }
    for (int a = 0; a < m && n % 2; a++) {
        elem *v = M + (ptrdiff_t)a * ld + n - 1, *u = M + (ptrdiff_t)(m + a) * ld + n - 1;
        multiplier(y[a], c[a], s[a], v, u);
        M[(ptrdiff_t)(n - 1) * ld + a] = -*v;
        M[(ptrdiff_t)(n - 1) * ld + m + a] = -*u;
    }
}

#endif
