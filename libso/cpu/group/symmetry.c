/* symmetry.c: what relates C_ij and C_ji. lanes: two entries at a time; single: two blocks at a time, transposed in registers.
 * SPDX-License-Identifier: MIT */
#include "matrix.h"

#if defined(SO_LAYOUT_lanes)

void transpose(int n, const elem *A, elem *B)
{
    int ld = matrix_stride(n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            B[(ptrdiff_t)j * ld + i] = A[(ptrdiff_t)i * ld + j];
}

void mirror(int n, int sign, elem *C)
{
    int ld = matrix_stride(n);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++)
            C[(ptrdiff_t)j * ld + i] = C[(ptrdiff_t)i * ld + j] * (real)sign;
        if (sign < 0)
            C[(ptrdiff_t)i * ld + i] = broadcast(0);
    }
}

void skew_part(int n, elem *A)
{
    int ld = matrix_stride(n);
    for (int i = 0; i < n; i++) {
        A[(ptrdiff_t)i * ld + i] = broadcast(0);
        for (int j = 0; j < i; j++) {
            elem half = (A[(ptrdiff_t)i * ld + j] - A[(ptrdiff_t)j * ld + i]) * (real)0.5;
            A[(ptrdiff_t)i * ld + j] = half;
            A[(ptrdiff_t)j * ld + i] = -half;
        }
    }
}

uint64_t skew_from_upper(int n, elem *A)
{
    int ld = matrix_stride(n);
    vector_mask bad = {0};
    for (int i = 0; i < n; i++) {
        A[(ptrdiff_t)i * ld + i] = broadcast(0);
        for (int j = i + 1; j < n; j++) {
            elem upper = A[(ptrdiff_t)i * ld + j];
            A[(ptrdiff_t)j * ld + i] = -upper;
            bad |= nonfinite_mask(upper);
        }
    }
    return bits_of(bad);
}

#else

enum { B = VECTOR_LANES }; /* order of a block */

/* Rows i.., columns j.. of A, at most B x B of them; what lies beyond row n is zero. */
static inline __attribute__((always_inline)) void load_block(int n, int ld, const elem *A, int i, int j, vector block[B])
{
    const elem *from = A + (ptrdiff_t)i * ld + j;
    if (i + B <= n) {
#pragma GCC unroll 16
        for (int r = 0; r < B; r++)
            block[r] = *(const vector *)(from + (ptrdiff_t)r * ld);
    } else {
#pragma GCC unroll 16
        for (int r = 0; r < B; r++)
            block[r] = i + r < n ? *(const vector *)(from + (ptrdiff_t)r * ld) : (vector){0};
    }
}

static inline __attribute__((always_inline)) void store_block(int n, int ld, elem *A, int i, int j, const vector block[B])
{
    elem *to = A + (ptrdiff_t)i * ld + j;
#pragma GCC unroll 16
    for (int r = 0; r < B; r++)
        if (i + r < n)
            *(vector *)(to + (ptrdiff_t)r * ld) = block[r];
}

static inline vector column_numbers(void)
{
    vector column;
    for (int k = 0; k < B; k++)
        column[k] = (real)k;
    return column;
}

/* Columns above, and below, the diagonal in row r of a diagonal block. */
static inline vector_mask above_diagonal(int r)
{
    return column_numbers() > (vector){0} + (real)r;
}
static inline vector_mask below_diagonal(int r)
{
    return column_numbers() < (vector){0} + (real)r;
}

void transpose(int n, const elem *A, elem *T)
{
    int ld = matrix_stride(n);
    for (int i = 0; i < n; i += B)
        for (int j = 0; j < n; j += B) {
            vector block[B];
            load_block(n, ld, A, i, j, block);
            transpose_block(block);
            store_block(n, ld, T, j, i, block);
        }
}

void mirror(int n, int sign, elem *C)
{
    int ld = matrix_stride(n);
    for (int i = 0; i < n; i += B) {
        vector block[B], upper[B];
        for (int j = 0; j < i; j += B) {
            load_block(n, ld, C, i, j, block);
#pragma GCC unroll 16
            for (int r = 0; r < B; r++)
                block[r] *= (real)sign;
            transpose_block(block);
            store_block(n, ld, C, j, i, block);
        }
        load_block(n, ld, C, i, i, block);
#pragma GCC unroll 16
        for (int r = 0; r < B; r++)
            upper[r] = block[r] * (real)sign;
        transpose_block(upper);
#pragma GCC unroll 16
        for (int r = 0; r < B; r++)
            block[r] = choose(above_diagonal(r), upper[r], block[r]);
        store_block(n, ld, C, i, i, block);
        for (int r = i; r < i + B && r < n; r++) {
            if (sign < 0)
                C[(ptrdiff_t)r * ld + r] = 0;
            for (int j = n; j < ld; j++)
                C[(ptrdiff_t)r * ld + j] = 0;
        }
    }
}

void skew_part(int n, elem *A)
{
    int ld = matrix_stride(n);
    for (int i = 0; i < n; i += B)
        for (int j = 0; j <= i; j += B) {
            vector lower[B], upper[B];
            load_block(n, ld, A, i, j, lower);
            load_block(n, ld, A, j, i, upper);
            transpose_block(upper);
#pragma GCC unroll 16
            for (int r = 0; r < B; r++)
                lower[r] = (lower[r] - upper[r]) * (real)0.5;
#pragma GCC unroll 16
            for (int r = 0; r < B; r++)
                upper[r] = -lower[r];
            transpose_block(upper);
            if (j < i) {
                store_block(n, ld, A, j, i, upper);
            } else {
#pragma GCC unroll 16
                for (int r = 0; r < B; r++)
                    lower[r] = choose(above_diagonal(r), upper[r], lower[r]);
            }
            store_block(n, ld, A, i, j, lower);
        }
}

uint64_t skew_from_upper(int n, elem *A)
{
    int ld = matrix_stride(n);
    vector_mask bad = {0};
    for (int i = 0; i < n; i += B)
        for (int j = i; j < n; j += B) {
            vector upper[B], lower[B];
            load_block(n, ld, A, i, j, upper);
#pragma GCC unroll 16
            for (int r = 0; r < B; r++) {
                if (j == i)
                    upper[r] = choose(above_diagonal(r), upper[r], (vector){0});
                bad |= nonfinite_mask(upper[r]);
                lower[r] = -upper[r];
            }
            transpose_block(lower);
            if (j > i) {
                store_block(n, ld, A, j, i, lower);
                continue;
            }
#pragma GCC unroll 16
            for (int r = 0; r < B; r++)
                upper[r] = choose(below_diagonal(r), lower[r], upper[r]);
            store_block(n, ld, A, i, i, upper);
        }
    return bits_of(bad) != 0;
}

#endif
