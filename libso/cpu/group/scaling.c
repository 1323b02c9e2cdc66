/* SPDX-License-Identifier: MIT */
#include "scaling.h"

void SO_(bound_norm)(int n, const elem *X, double bound[LANES])
{
    int ld = matrix_stride(n);
    elem frobenius = broadcast(0), infinity = broadcast(0);
    for (int i = 0; i < n; i++) {
        elem squares = broadcast(0), sizes = broadcast(0);
        for (int j = 0; j < n; j++) {
            elem x = X[(ptrdiff_t)i * ld + j];
            squares += x * x;
            sizes += select_lanes(x < broadcast(0), -x, x);
        }
        frobenius += squares;
        infinity = select_lanes(sizes > infinity, sizes, infinity);
    }
    double rounding = 1 + 8 * n * (double)REAL_EPSILON;
    for (int l = 0; l < LANES; l++)
        bound[l] = rounding * fmin(sqrt((double)get_lane(frobenius, l) / 2), (double)get_lane(infinity, l));
}

/* Per lane, e with largest entry of X in [2^(e-1), 2^e); 0 for a zero matrix. */
static void largest_exponent(int n, const elem *X, int exponent[LANES])
{
    int ld = matrix_stride(n);
    elem largest = broadcast(0);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            elem size = X[(ptrdiff_t)i * ld + j];
            size = select_lanes(size < broadcast(0), -size, size);
            largest = select_lanes(size > largest, size, largest);
        }
    for (int l = 0; l < LANES; l++)
        frexp((double)get_lane(largest, l), &exponent[l]);
}

/* X <- X 2^(sign exponent) */
static void scale_by_exponents(int n, int sign, const int exponent[LANES], elem *X)
{
    int any = 0;
    elem factor = broadcast(1);
    for (int l = 0; l < LANES; l++) {
        any |= exponent[l];
        set_lane(&factor, l, (real)ldexp(1, sign * exponent[l]));
    }
    if (any)
        scale(n, factor, X);
}

void SO_(scale_large)(int n, elem *A, int exponent[LANES])
{
    largest_exponent(n, A, exponent);
    for (int l = 0; l < LANES; l++)
        exponent[l] = exponent[l] > 5 ? exponent[l] - 5 : 0;
    scale_by_exponents(n, -1, exponent, A);
}

/* A quarter of the exponent range is ordinary; 2^LARGEST and 2^-LARGEST are normal numbers. */
#if defined(SO_REAL_f32)
enum { ORDINARY = 30, LARGEST = 120 };
#else
enum { ORDINARY = 250, LARGEST = 1000 };
#endif

void SO_(scale_to_unit)(int n, elem *X, int exponent[LANES])
{
    largest_exponent(n, X, exponent);
    for (int l = 0; l < LANES; l++) {
        if (exponent[l] > -ORDINARY && exponent[l] < ORDINARY)
            exponent[l] = 0;
        exponent[l] = exponent[l] > LARGEST ? LARGEST : exponent[l] < -LARGEST ? -LARGEST : exponent[l];
    }
    scale_by_exponents(n, -1, exponent, X);
}

void SO_(scale_back)(int n, elem *X, const int exponent[LANES])
{
    scale_by_exponents(n, 1, exponent, X);
}

/* Between two re-orthogonalisations a defect grows at most 2^8 times. */
enum { SQUARINGS_PER_STEP = 8 };

/* Lanes that still double their angle in the given step. */
static mask active_lanes(const squarings *s, int step)
{
    mask active = {0};
    for (int l = 0; l < LANES; l++)
        if (step < s->count[l])
            set_mask(&active, l);
    return active;
}

void SO_(square_repeatedly)(int n, const squarings *s, elem *E, real *work)
{
    elem *square = matrix_of(work, n, 0);
    for (int step = 0; step < s->most; step++) {
        mask active = active_lanes(s, step);
        if (step % SQUARINGS_PER_STEP == 0)
            SO_(orthogonalize)(n, active, E, 1, (real *)matrix_of(work, n, 1));
        product(n, E, E, square);
        blend(n, active, square, E);
    }
}

void SO_(trivialise)(int n, const elem *L, const elem *E, elem *Y, real *work)
{
    elem *transposed = matrix_of(work, n, 0);
    transpose(n, E, transposed);
    product(n, L, transposed, Y);
    skew_part(n, Y);
}

void SO_(double_angles)(int n, const squarings *s, elem *E, elem *Y, real *work)
{
    elem *T = matrix_of(work, n, 0), *Z = matrix_of(work, n, 1), *transposed = matrix_of(work, n, 2);
    for (int step = 0; step < s->most; step++) {
        mask active = active_lanes(s, step);
        if (step % SQUARINGS_PER_STEP == 0)
            SO_(orthogonalize)(n, active, E, 1, (real *)matrix_of(work, n, 3));
        transpose(n, E, transposed);
        product(n, E, Y, T);
        product_lower(n, T, transposed, Z);
        mirror(n, -1, Z);
        for (ptrdiff_t i = 0; i < matrix_size(n); i++)
            Y[i] = select_lanes(active, (Y[i] + Z[i]) * (real)0.5, Y[i]);
        if (step + 1 < s->most) {
            product(n, E, E, T);
            blend(n, active, T, E);
        }
    }
}
