/* block.h: vectors, and the transposition of a square block of them in registers.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_BLOCK_H
#define SO_CPU_BLOCK_H

#include "group.h"

typedef real vector __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef real unaligned_vector __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));
typedef real_bits vector_mask __attribute__((vector_size(VECTOR_BYTES), may_alias)); /* per element: all ones or all zeros */

/* The first (low) and the second (high) halves of x and y, element by element in turn. */
#if VECTOR_BYTES == 64 && defined(SO_REAL_f32)
#define INTERLEAVE_LOW(x, y) __builtin_shufflevector(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define INTERLEAVE_HIGH(x, y) __builtin_shufflevector(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif VECTOR_BYTES == 64 || (VECTOR_BYTES == 32 && defined(SO_REAL_f32))
#define INTERLEAVE_LOW(x, y) __builtin_shufflevector(x, y, 0, 8, 1, 9, 2, 10, 3, 11)
#define INTERLEAVE_HIGH(x, y) __builtin_shufflevector(x, y, 4, 12, 5, 13, 6, 14, 7, 15)
#elif VECTOR_BYTES == 32 || defined(SO_REAL_f32)
#define INTERLEAVE_LOW(x, y) __builtin_shufflevector(x, y, 0, 4, 1, 5)
#define INTERLEAVE_HIGH(x, y) __builtin_shufflevector(x, y, 2, 6, 3, 7)
#else
#define INTERLEAVE_LOW(x, y) __builtin_shufflevector(x, y, 0, 2)
#define INTERLEAVE_HIGH(x, y) __builtin_shufflevector(x, y, 1, 3)
#endif

/* A perfect shuffle of `count` vectors taken as one sequence (count a power of 2) rotates the binary digits of each place by one.
 * log2(width) of them turn rows of `width` numbers into columns. */
static inline __attribute__((always_inline)) void shuffle_vectors(int count, int width, vector row[])
{
#pragma GCC unroll 4
    for (int round = 1; round < width; round *= 2) {
        vector next[VECTOR_LANES < 4 ? 4 : VECTOR_LANES];
#pragma GCC unroll 8
        for (int i = 0; i < count / 2; i++) {
            next[2 * i] = INTERLEAVE_LOW(row[i], row[i + count / 2]);
            next[2 * i + 1] = INTERLEAVE_HIGH(row[i], row[i + count / 2]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < count; i++)
            row[i] = next[i];
    }
}

/* row[i][j] <-> row[j][i] */
static inline __attribute__((always_inline)) void transpose_block(vector row[VECTOR_LANES])
{
    shuffle_vectors(VECTOR_LANES, VECTOR_LANES, row);
}

static inline vector choose(vector_mask m, vector yes, vector no)
{
    return (vector)((m & (vector_mask)yes) | (~m & (vector_mask)no));
}

/* Bit l: element l is set. */
static inline uint64_t bits_of(vector_mask m)
{
    real_bits any = 0;
    uint64_t bits = 0;
    for (int l = 0; l < VECTOR_LANES; l++)
        any |= m[l];
    if (any)
        for (int l = 0; l < VECTOR_LANES; l++)
            bits |= (uint64_t)(m[l] != 0) << l;
    return bits;
}

static inline vector_mask nonfinite_mask(vector x)
{
    vector_mask bits = (vector_mask)x;
    return (bits & REAL_EXPONENT) == REAL_EXPONENT;
}

#endif
