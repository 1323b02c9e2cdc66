/* SPDX-License-Identifier: MIT */
#include "scaling.h"

/* X <- X 2^(sign exponent) */
static void scale_by_exponents(int n, int sign, const int exponent[LANES], elem *X)
{
    int any = 0;
    for (int l = 0; l < LANES; l++)
        any |= exponent[l];
    if (!any)
        return;
    elem factor;
    for (int l = 0; l < LANES; l++)
        set_lane(&factor, l, (real)ldexp(1, sign * exponent[l]));
    scale(n, factor, X);
}

/* Per lane, e with the largest entry of X in [2^(e-1), 2^e), but 0 where it lies in [least, most) or is 0. */
static void exponent_outside(int n, const elem *X, real least, real most, int exponent[LANES])
{
    memset(exponent, 0, LANES * sizeof *exponent);
    if (squares_between(n, X, least * least * (real)n * (real)n, most * most))
        return;
    elem largest = largest_entry(n, X);
    for (int l = 0; l < LANES; l++)
        if (get_lane(largest, l) >= most || get_lane(largest, l) < least)
            frexp((double)get_lane(largest, l), &exponent[l]);
}

void SO_(scale_large)(int n, elem *A, int exponent[LANES])
{
    exponent_outside(n, A, 0, 0x1p5, exponent);
    for (int l = 0; l < LANES; l++)
        exponent[l] = exponent[l] > 5 ? exponent[l] - 5 : 0;
    scale_by_exponents(n, -1, exponent, A);
}

/* A quarter of the exponent range is ordinary; 2^LARGEST and 2^-LARGEST are normal numbers. */
#if defined(SO_REAL_f32)
#define ORDINARY 0x1p30f
enum { LARGEST = 120 };
#else
#define ORDINARY 0x1p250
enum { LARGEST = 1000 };
#endif

void SO_(scale_to_unit)(int n, elem *X, int exponent[LANES])
{
    exponent_outside(n, X, 1 / ORDINARY, ORDINARY, exponent);
    for (int l = 0; l < LANES; l++)
        exponent[l] = exponent[l] > LARGEST ? LARGEST : exponent[l] < -LARGEST ? -LARGEST : exponent[l];
    scale_by_exponents(n, -1, exponent, X);
}

void SO_(scale_back)(int n, elem *X, const int exponent[LANES])
{
    scale_by_exponents(n, 1, exponent, X);
}

/* Between two re-orthogonalisations a defect grows at most 2^8 times. */
enum { SQUARINGS_PER_STEP = 8 };

/* Above this order runs alone leave a drift on the diagonal that takes orthogonality past its bound (1.1 at n = 127, f32, skew
 * Hadamard matrices); below, it is not worth a transposition. */
enum { LONG_DIAGONAL = 64 };

void SO_(square_repeatedly)(int n, const squarings *s, elem *E, real *work)
{
    elem *square = matrix_of(work, n, 0);
    for (int step = 0; step < s->most; step++) {
        mask active = greater_int(s->count, step);
        if (step % SQUARINGS_PER_STEP == 0)
            SO_(orthogonalize)(n, active, E, 1, (real *)matrix_of(work, n, 1));
        product(n, E, E, square);
        if (n > LONG_DIAGONAL) {
            transpose(n, E, matrix_of(work, n, 1));
            symmetric_diagonal(n, 1, E, matrix_of(work, n, 1), square);
        }
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
        mask active = greater_int(s->count, step);
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
