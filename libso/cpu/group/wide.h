/* wide.h: the lanes of a group as vectors of f64, whatever the real type, with sine and cosine.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_GROUP_WIDE_H
#define SO_CPU_GROUP_WIDE_H

#include "matrix.h"

typedef double wide __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef int64_t wide_mask __attribute__((vector_size(VECTOR_BYTES), may_alias));
enum { WIDE_LANES = VECTOR_BYTES / 8, WIDE_PARTS = VECTOR_LANES / WIDE_LANES }; /* an elem is WIDE_PARTS wides */

typedef real narrow __attribute__((vector_size(VECTOR_BYTES / 8 * sizeof(real)), may_alias));

static inline wide widen(const elem *x, int part)
{
    return __builtin_convertvector(((const narrow *)x)[part], wide);
}

static inline void store_narrow(elem *x, int part, wide value)
{
    ((narrow *)x)[part] = __builtin_convertvector(value, narrow);
}

static inline wide choose_wide(wide_mask m, wide yes, wide no)
{
    return (wide)((m & (wide_mask)yes) | (~m & (wide_mask)no));
}

static inline int any_wide(wide_mask m)
{
    int64_t any = 0;
    for (int l = 0; l < WIDE_LANES; l++)
        any |= m[l];
    return any != 0;
}

static inline wide wide_root(wide x)
{
    double lane[WIDE_LANES];
    memcpy(lane, &x, sizeof x);
    for (int l = 0; l < WIDE_LANES; l++)
        lane[l] = sqrt(lane[l]);
    memcpy(&x, lane, sizeof x);
    return x;
}

/* x^2 - square for the rounded square of x, exactly; without a fused operation by Dekker's splitting, |x| < 2^996. */
static inline wide square_error(wide x, wide square)
{
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    double a[WIDE_LANES], b[WIDE_LANES];
    memcpy(a, &x, sizeof x);
    memcpy(b, &square, sizeof x);
    for (int l = 0; l < WIDE_LANES; l++)
        b[l] = fma(a[l], a[l], -b[l]);
    memcpy(&square, b, sizeof x);
    return square;
#else
    wide shifted = x * 0x1.0000002p27, high = shifted - (shifted - x), low = x - high;
    return ((high * high - square) + 2 * high * low) + low * low;
#endif
}

/* sin x and cos x, absolute error below 2 u_64: x = k pi/2 + r with pi/2 in three parts, of which the first two have 33 bits, so
 * that their products with k < 2^20 are exact; Taylor polynomials on |r| <= pi/4 with a remainder below 2^-60. Angles beyond
 * are rare and go to libm. */
static inline void sine_cosine(wide x, wide *s, wide *c)
{
    const double shift = 0x1.8p52;
    wide shifted = x * 0x1.45f306dc9c883p-1 + shift, k = shifted - shift;
    wide_mask quadrant = (wide_mask)shifted;
    wide r = ((x - k * 0x1.921fb544p+0) - k * 0x1.0b4611a6p-34) - k * 0x1.3198a2e037073p-69, z = r * r;

    wide odd = z * (-1 / 355687428096000.0) + 1 / 1307674368000.0;
    odd = z * odd - 1 / 6227020800.0;
    odd = z * odd + 1 / 39916800.0;
    odd = z * odd - 1 / 362880.0;
    odd = z * odd + 1 / 5040.0;
    odd = z * odd - 1 / 120.0;
    odd = z * odd + 1 / 6.0;
    wide sine = r - r * z * odd;

    wide even = z * (1 / 6402373705728000.0) - 1 / 20922789888000.0;
    even = z * even + 1 / 87178291200.0;
    even = z * even - 1 / 479001600.0;
    even = z * even + 1 / 3628800.0;
    even = z * even - 1 / 40320.0;
    even = z * even + 1 / 720.0;
    even = z * even - 1 / 24.0;
    even = z * even + 1 / 2.0;
    wide cosine = 1 - z * even;

    wide_mask swap = -(quadrant & 1), minus = (wide_mask) - (wide){0};
    wide_mask negative_sine = (quadrant << 62) & minus, negative_cosine = ((quadrant + 1) << 62) & minus;
    *s = (wide)((wide_mask)choose_wide(swap, cosine, sine) ^ negative_sine);
    *c = (wide)((wide_mask)choose_wide(swap, sine, cosine) ^ negative_cosine);

    wide_mask beyond = ~((x < 0x1p20) & (x > -0x1p20));
    if (any_wide(beyond))
        for (int l = 0; l < WIDE_LANES; l++)
            if (beyond[l]) {
                (*s)[l] = sin(x[l]);
                (*c)[l] = cos(x[l]);
            }
}

#endif
