/* norms.c: norms of group matrices, column by column, so that both layouts add in the same order.
 * SPDX-License-Identifier: MIT */
#include "matrix.h"

static inline vector size_of(vector x)
{
    return (vector)((vector_mask)x & ~(vector_mask)-(vector){0}); /* without its sign bit */
}

static inline elem part(const vector *x, int k) /* the elem of column k of a unit */
{
    return ((const elem *)x)[k];
}

elem sum_of_squares(int n, const elem *X)
{
    int ld = matrix_stride(n);
    elem sum = broadcast(0);
    for (int j = 0; j < n; j += UNIT) {
        vector squares = {0};
        for (int i = 0; i < n; i++) {
            vector x = *(const vector *)&X[(ptrdiff_t)i * ld + j];
            squares += x * x;
        }
        for (int k = 0; k < UNIT && j + k < n; k++)
            sum += part(&squares, k);
    }
    return sum;
}

elem largest_entry(int n, const elem *X)
{
    int ld = matrix_stride(n);
    vector largest = {0};
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j += UNIT) {
            vector x = size_of(*(const vector *)&X[(ptrdiff_t)i * ld + j]);
            largest = choose(x > largest, x, largest);
        }
    elem all = broadcast(0);
    for (int k = 0; k < UNIT; k++)
        all = select_lanes(part(&largest, k) > all, part(&largest, k), all);
    return all;
}

int squares_between(int n, const elem *X, real low, real high)
{
    int ld = matrix_stride(n);
    vector sum[4] = {{0}};
    for (int i = 0; i < n; i++) {
        const elem *row = X + (ptrdiff_t)i * ld;
        int j = 0;
        for (; j + 4 * UNIT <= n; j += 4 * UNIT)
#pragma GCC unroll 4
            for (int k = 0; k < 4; k++) {
                vector x = *(const vector *)&row[j + k * UNIT];
                sum[k] += x * x;
            }
        for (; j < n; j += UNIT) {
            vector x = *(const vector *)&row[j];
            sum[0] += x * x;
        }
    }
    vector all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    elem lanes = broadcast(0);
    for (int k = 0; k < UNIT; k++)
        lanes += part(&all, k);
    return !any_lane(~(greater(broadcast(high), lanes) & ~greater(broadcast(low), lanes)));
}

/* Sums of squares and of sizes of `columns` units of columns from j on. */
static inline __attribute__((always_inline)) void column_sums(int columns, int n, const elem *X, int j, vector *squares,
                                                              vector *sizes)
{
    int ld = matrix_stride(n);
    vector square[4] = {{0}}, size[4] = {{0}};
    for (int i = 0; i < n; i++)
#pragma GCC unroll 4
        for (int k = 0; k < columns; k++) {
            vector x = *(const vector *)&X[(ptrdiff_t)i * ld + j + k * UNIT];
            square[k] += x * x;
            size[k] += size_of(x);
        }
#pragma GCC unroll 4
    for (int k = 0; k < columns; k++) {
        squares[k] = square[k];
        sizes[k] = size[k];
    }
}

elem bound_norm(int n, const elem *X)
{
    elem frobenius = broadcast(0), infinity = broadcast(0);
    for (int j = 0, width; j < n; j += width) {
        vector squares[4], sizes[4];
        width = j + 4 * UNIT <= n ? 4 * UNIT : UNIT;
        if (width > UNIT)
            column_sums(4, n, X, j, squares, sizes);
        else
            column_sums(1, n, X, j, squares, sizes);
        for (int k = 0; k < width && j + k < n; k++) {
            elem column = part(sizes, k);
            frobenius += part(squares, k);
            infinity = select_lanes(greater(column, infinity), column, infinity);
        }
    }
    frobenius = square_root(frobenius * (real)0.5);
    return select_lanes(greater(infinity, frobenius), frobenius, infinity) * (real)(1 + (8 * n + 16) * (double)REAL_EPSILON);
}
