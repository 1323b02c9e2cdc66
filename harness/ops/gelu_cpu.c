/* gelu_cpu.c: x Phi(x) and its slope Phi(x) + x phi(x), from one exponential and one polynomial.
 *
 * With a = |x| and E = exp(-a^2/2):  Phi(-a) = E M(a), where M(a) = exp(a^2/2) erfc(a/sqrt 2)/2 is smooth and free of the
 * cancellation in 1 + erf(x/sqrt 2), so that negative x keep their relative accuracy.
 * M(a) (a + 4) is a polynomial of degree 9 in 1/(a + 4): interpolation at Chebyshev nodes over 0 <= a <= 14.5, relative error
 * 0.22 u (u = 2^-24). Beyond 14.5, E is 0 in f32. The coefficients are computed here, from erfc() in double, not typed in.
 *
 * Error, u = 2^-24: |y - x Phi(x)| <= 6 u |x| Phi(|x|) and |slope - slope(x)| <= 4 u.
 * SPDX-License-Identifier: MIT */
#include "ops/ops_cpu.h"

#include <math.h>

#include "ops/simd.h"

#define DEGREE 9
#define SHIFT 4.0
#define LARGEST 14.5
static const double PI = 3.14159265358979323846;

typedef struct mills {
    float c[DEGREE + 1]; /* of powers of w in [-1, 1] */
    float slope;         /* w = 1 - slope a/(a + 4), exact at a = 0 */
} mills;

static mills mills_coefficients(void)
{
    const int n = DEGREE + 1;
    const double low = 1 / (LARGEST + SHIFT), high = 1 / SHIFT;
    double value[DEGREE + 1], power[DEGREE + 1] = {0};
    for (int i = 0; i < n; i++) {
        double a = 1 / ((low + high) / 2 + (high - low) / 2 * cos(PI * (i + 0.5) / n)) - SHIFT;
        value[i] = exp(a * a / 2) * erfc(a / sqrt(2)) / 2 * (a + SHIFT);
    }
    double before[DEGREE + 1] = {0}, now[DEGREE + 1] = {1}; /* T_(j-1), T_j as powers of w */
    for (int j = 0; j < n; j++) {
        double c = 0;
        for (int i = 0; i < n; i++)
            c += value[i] * cos(PI * j * (i + 0.5) / n) * (j ? 2.0 : 1.0) / n;
        double next[DEGREE + 1];
        for (int k = 0; k < n; k++) {
            power[k] += c * now[k];
            next[k] = (j ? 2.0 : 1.0) * (k ? now[k - 1] : 0.0) - before[k];
        }
        for (int k = 0; k < n; k++) {
            before[k] = now[k];
            now[k] = next[k];
        }
    }
    mills m = {.slope = (float)(2 * high / (high - low))};
    for (int k = 0; k < n; k++)
        m.c[k] = (float)power[k];
    return m;
}

/* slope is not NULL: a caller who does not want it passes a buffer to throw away. */
SIMD_CLONES static void gelu_piece(int64_t n, const mills *coefficients, const float *x, float *y, float *slope)
{
    const mills m = *coefficients;
    const float inverse_root_2pi = 0.3989422804014327f;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float z = x[i], a = fabsf(z);
        float e = simd_exp(-0.5f * a * a);
        a = a > (float)LARGEST ? (float)LARGEST : a;
        float q = 1.0f / (a + (float)SHIFT), w = 1.0f - m.slope * (a * q), p = m.c[9];
        p = p * w + m.c[8];
        p = p * w + m.c[7];
        p = p * w + m.c[6];
        p = p * w + m.c[5];
        p = p * w + m.c[4];
        p = p * w + m.c[3];
        p = p * w + m.c[2];
        p = p * w + m.c[1];
        p = p * w + m.c[0];
        float tail = e * p * q; /* Phi(-a) */
        float phi = z < 0.0f ? tail : 1.0f - tail;
        y[i] = z * phi;
        slope[i] = phi + z * e * inverse_root_2pi;
    }
}

void cpu_gelu(ops *o, size_t n, const float *x, float *y, float *slope)
{
    const mills m = mills_coefficients();
    int64_t count = pieces((int64_t)n, ELEMENTS_PER_PIECE);
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if (count > 1)
    for (int64_t i = 0; i < count; i++) {
        float unwanted[ELEMENTS_PER_PIECE];
        int64_t at = i * ELEMENTS_PER_PIECE;
        gelu_piece(piece_size((int64_t)n, ELEMENTS_PER_PIECE, i), &m, x + at, y + at, slope ? slope + at : unwanted);
    }
}
