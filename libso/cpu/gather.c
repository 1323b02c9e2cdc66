/* gather.c: between the caller's matrices and group matrices. For lanes this is the transposition of a table of `lanes` rows of
 * n^2 numbers, in blocks that fit the registers.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "batch.h"
#include "block.h"

/* Where a block of columns begins: the last one overlaps its neighbour rather than be ragged. */
static inline ptrdiff_t block_start(ptrdiff_t at, ptrdiff_t size)
{
    return at + VECTOR_LANES <= size || size < VECTOR_LANES ? at : size - VECTOR_LANES;
}

/* Where entry `at` of a matrix stands in a group; ld > n only where n is a multiple of the block, which then lies in one row. */
static inline ptrdiff_t group_entry(int n, ptrdiff_t ld, ptrdiff_t at)
{
    return ld == n ? at : at + (ld - n) * (at / n);
}

/* A whole block; x: its first number, rows are `size` apart. */
static inline vector_mask gather_block(ptrdiff_t size, const real *x, vector *to)
{
    vector block[VECTOR_LANES];
    vector_mask bad = {0};
#pragma GCC unroll 16
    for (int l = 0; l < VECTOR_LANES; l++)
        block[l] = *(const unaligned_vector *)(x + l * size);
    transpose_block(block);
#pragma GCC unroll 16
    for (int k = 0; k < VECTOR_LANES; k++) {
        to[k] = block[k];
        bad |= nonfinite_mask(block[k]);
    }
    return bad;
}

static inline void scatter_block(ptrdiff_t size, const vector *from, real *x)
{
    vector block[VECTOR_LANES];
#pragma GCC unroll 16
    for (int k = 0; k < VECTOR_LANES; k++)
        block[k] = from[k];
    transpose_block(block);
#pragma GCC unroll 16
    for (int l = 0; l < VECTOR_LANES; l++)
        *(unaligned_vector *)(x + l * size) = block[l];
}

/* Where the table has fewer rows or columns than a block. */
static vector_mask gather_ragged(ptrdiff_t size, ptrdiff_t start, ptrdiff_t width, int used, const real *x, vector *to)
{
    vector rows[VECTOR_LANES], columns[VECTOR_LANES];
    memset(rows, 0, sizeof rows);
    for (int l = 0; l < used && l < VECTOR_LANES; l++)
        memcpy(&rows[l], x + l * size + start, (size_t)width * sizeof(real));
    vector_mask bad = gather_block(VECTOR_LANES, (const real *)rows, columns);
    memcpy(to, columns, (size_t)width * sizeof(vector));
    return bad;
}

static void scatter_ragged(ptrdiff_t size, ptrdiff_t start, ptrdiff_t width, int used, const vector *from, real *x)
{
    vector rows[VECTOR_LANES], columns[VECTOR_LANES];
    memset(columns, 0, sizeof columns);
    memcpy(columns, from, (size_t)width * sizeof(vector));
    scatter_block(VECTOR_LANES, columns, (real *)rows);
    for (int l = 0; l < used && l < VECTOR_LANES; l++)
        memcpy(x + l * size + start, &rows[l], (size_t)width * sizeof(real));
}

/* A full group of 2 x 2 matrices is four whole vectors. */
static vector_mask gather_pairs(const real *x, vector *to)
{
    vector block[4];
    vector_mask bad = {0};
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++)
        block[k] = ((const unaligned_vector *)x)[k];
    shuffle_vectors(4, VECTOR_LANES, block);
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
        to[k] = block[k];
        bad |= nonfinite_mask(block[k]);
    }
    return bad;
}

static void scatter_pairs(const vector *from, real *x)
{
    vector block[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++)
        block[k] = from[k];
    shuffle_vectors(4, 4, block);
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++)
        ((unaligned_vector *)x)[k] = block[k];
}

/* A full group whose rows, of `size` numbers, are shorter than a vector but not than half of one: vectors may run over into the
 * next row, except in the last. */
static vector_mask gather_short(ptrdiff_t size, const real *x, vector *to)
{
    vector block[VECTOR_LANES], last = {0};
    vector_mask bad = {0};
    memcpy(&last, x + (VECTOR_LANES - 1) * size, (size_t)size * sizeof(real));
#pragma GCC unroll 16
    for (int l = 0; l < VECTOR_LANES - 1; l++)
        block[l] = *(const unaligned_vector *)(x + l * size);
    block[VECTOR_LANES - 1] = last;
    transpose_block(block);
#pragma GCC unroll 16
    for (int k = 0; k < VECTOR_LANES; k++)
        if (k < size) {
            to[k] = block[k];
            bad |= nonfinite_mask(block[k]);
        }
    return bad;
}

static void scatter_short(ptrdiff_t size, const vector *from, real *x)
{
    vector block[VECTOR_LANES];
#pragma GCC unroll 16
    for (int k = 0; k < VECTOR_LANES; k++)
        block[k] = k < size ? from[k] : (vector){0};
    transpose_block(block);
#pragma GCC unroll 16
    for (int l = 0; l < VECTOR_LANES - 1; l++)
        *(unaligned_vector *)(x + l * size) = block[l];
    vector last = block[VECTOR_LANES - 1];
    memcpy(x + (VECTOR_LANES - 1) * size, &last, (size_t)size * sizeof(real));
}

static vector_mask gather_lanes(int n, int ld, int used, const real *x, vector *group)
{
    ptrdiff_t size = (ptrdiff_t)n * n, width = size < VECTOR_LANES ? size : VECTOR_LANES;
    vector_mask bad = {0};
    if (n == 2 && used == VECTOR_LANES)
        return gather_pairs(x, group);
    if (size < VECTOR_LANES && 2 * size >= VECTOR_LANES && used == VECTOR_LANES)
        return gather_short(size, x, group);
    for (ptrdiff_t at = 0; at < size; at += VECTOR_LANES) {
        ptrdiff_t start = block_start(at, size), entry = group_entry(n, ld, start);
        if (used == VECTOR_LANES && width == VECTOR_LANES)
            bad |= gather_block(size, x + start, group + entry);
        else
            bad |= gather_ragged(size, start, width, used, x, group + entry);
    }
    return bad;
}

static void scatter_lanes(int n, int ld, int used, const vector *group, real *x)
{
    ptrdiff_t size = (ptrdiff_t)n * n, width = size < VECTOR_LANES ? size : VECTOR_LANES;
    if (n == 2 && used == VECTOR_LANES) {
        scatter_pairs(group, x);
        return;
    }
    if (size < VECTOR_LANES && 2 * size >= VECTOR_LANES && used == VECTOR_LANES) {
        scatter_short(size, group, x);
        return;
    }
    for (ptrdiff_t at = 0; at < size; at += VECTOR_LANES) {
        ptrdiff_t start = block_start(at, size), entry = group_entry(n, ld, start);
        if (used == VECTOR_LANES && width == VECTOR_LANES)
            scatter_block(size, group + entry, x + start);
        else
            scatter_ragged(size, start, width, used, group + entry, x);
    }
}

static real_bits gather_one(int n, int ld, const real *x, real *group)
{
    real_bits bad = 0;
    for (int i = 0; i < n; i++) {
        const real *from = x + (ptrdiff_t)i * n;
        real *row = group + (ptrdiff_t)i * ld;
        for (int j = 0; j < n; j++) {
            row[j] = from[j];
            bad |= nonfinite_bits(from[j]);
        }
        for (int j = n; j < ld; j++)
            row[j] = 0;
    }
    return bad;
}

/* Bit l: lane l. */
static uint64_t gather_any(const group_layout *layout, int n, int used, const real *x, real *group)
{
    if (layout->lanes == 1)
        return gather_one(n, layout->stride(n), x, group) != 0;
    return bits_of(gather_lanes(n, layout->stride(n), used, x, (vector *)group));
}

static void clear_lanes(const group_layout *layout, int n, uint64_t lanes, real *group)
{
    for (int l = 0; l < layout->lanes; l++)
        if (lanes >> l & 1)
            for (ptrdiff_t i = 0; i < (ptrdiff_t)n * layout->stride(n); i++)
                group[i * layout->lanes + l] = 0;
}

void SO_(so_gather)(const group_layout *layout, int n, int used, const real *matrices, real *group, uint64_t *bad)
{
    uint64_t lanes = gather_any(layout, n, used, matrices, group);
    clear_lanes(layout, n, lanes, group);
    *bad |= lanes;
}

void SO_(so_gather_skew)(const group_layout *layout, int n, int used, const real *matrices, real *group, uint64_t *bad)
{
    gather_any(layout, n, used, matrices, group);
    uint64_t lanes = layout->make_skew(n, group);
    clear_lanes(layout, n, lanes, group);
    *bad |= lanes;
}

void SO_(so_scatter)(const group_layout *layout, int n, int used, const real *group, uint64_t bad, real *matrices)
{
    ptrdiff_t size = (ptrdiff_t)n * n, ld = layout->stride(n);
    if (layout->lanes == 1) {
        for (ptrdiff_t i = 0; i < n; i++)
            memcpy(matrices + i * n, group + i * ld, (size_t)n * sizeof(real));
    } else {
        scatter_lanes(n, (int)ld, used, (const vector *)group, matrices);
    }
    if (bad)
        for (int l = 0; l < used; l++)
            if (bad >> l & 1)
                for (ptrdiff_t i = 0; i < size; i++)
                    matrices[l * size + i] = (real)NAN;
}

int SO_(so_group_outcome)(const group_layout *layout, int used, const real *result, uint64_t bad)
{
    uint64_t failed;
    if (layout->lanes == 1) {
        failed = (uint64_t)isnan(result[0]);
    } else {
        vector first = *(const vector *)result;
        failed = bits_of(first != first) & (~(uint64_t)0 >> (64 - used));
    }
    return (bad ? GROUP_NONFINITE : 0) | (failed & ~bad ? GROUP_FAILED : 0);
}
