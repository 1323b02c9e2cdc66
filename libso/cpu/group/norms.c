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

void SO_(bound_norm)(int n, const elem *X, double bound[LANES])
{
    int ld = matrix_stride(n);
    elem frobenius = broadcast(0), infinity = broadcast(0);
    for (int j = 0; j < n; j += UNIT) {
        vector squares = {0}, sizes = {0};
        for (int i = 0; i < n; i++) {
            vector x = *(const vector *)&X[(ptrdiff_t)i * ld + j];
            squares += x * x;
            sizes += size_of(x);
        }
        for (int k = 0; k < UNIT && j + k < n; k++) {
            elem column = part(&sizes, k);
            frobenius += part(&squares, k);
            infinity = select_lanes(column > infinity, column, infinity);
        }
    }
    double rounding = 1 + 8 * n * (double)REAL_EPSILON;
    for (int l = 0; l < LANES; l++)
        bound[l] = rounding * fmin(sqrt((double)get_lane(frobenius, l) / 2), (double)get_lane(infinity, l));
}
