/* linear_cpu.c: linear layers by OpenBLAS. Products are cut along rows and columns of the result, never along the sum.
 * SPDX-License-Identifier: MIT */
#include "ops/ops_cpu.h"

#include <cblas.h>
#include <string.h>

#include "ops/simd.h"

/* The weight gradient is (out, in), its sum runs over all rows of the batch: pieces of columns, wide enough for OpenBLAS. */
enum { COLUMNS_PER_PIECE = 128, SMALL_COLUMNS_PER_PIECE = 32 };

void cpu_linear(ops *o, int64_t rows, int in, int out, const float *x, int64_t ldx, const float *w, const float *b, float *y,
                int64_t ldy)
{
    int64_t count = pieces(rows, ROWS_PER_PIECE);
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if (count > 1)
    for (int64_t i = 0; i < count; i++) {
        int64_t begin = i * ROWS_PER_PIECE;
        int n = (int)piece_size(rows, ROWS_PER_PIECE, i);
        if (b)
            for (int r = 0; r < n; r++)
                memcpy(y + (begin + r) * ldy, b, (size_t)out * sizeof(float));
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, out, in, 1.0f, x + begin * ldx, (int)ldx, w, in,
                    b ? 1.0f : 0.0f, y + begin * ldy, (int)ldy);
    }
}

void cpu_linear_backward_input(ops *o, int64_t rows, int in, int out, const float *dy, int64_t lddy, const float *w, float *dx,
                               int64_t lddx, bool accumulate)
{
    int64_t count = pieces(rows, ROWS_PER_PIECE);
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if (count > 1)
    for (int64_t i = 0; i < count; i++) {
        int64_t begin = i * ROWS_PER_PIECE;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)piece_size(rows, ROWS_PER_PIECE, i), in, out, 1.0f,
                    dy + begin * lddy, (int)lddy, w, in, accumulate ? 1.0f : 0.0f, dx + begin * lddx, (int)lddx);
    }
}

SIMD_CLONES static void add_rows(int64_t rows, int cols, const float *x, int64_t ldx, float *sum)
{
    for (int64_t r = 0; r < rows; r++)
#pragma omp simd
        for (int c = 0; c < cols; c++)
            sum[c] += x[r * ldx + c];
}

/* Sums of pieces first, then the sum of those: the rounding error grows with rows/128 + 128, not with rows. */
static void add_column_sums(ops *o, int64_t rows, int cols, const float *x, int64_t ldx, float *sum)
{
    int64_t count = pieces(rows, ROWS_PER_PIECE);
    float *partial = cpu_scratch(o, (size_t)(count * cols));
    memset(partial, 0, (size_t)(count * cols) * sizeof(float));
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if (count > 1)
    for (int64_t i = 0; i < count; i++)
        add_rows(piece_size(rows, ROWS_PER_PIECE, i), cols, x + i * ROWS_PER_PIECE * ldx, ldx, partial + i * cols);
    add_rows(count, cols, partial, cols, sum);
}

void cpu_linear_backward_weight(ops *o, int64_t rows, int in, int out, const float *dy, int64_t lddy, const float *x,
                                int64_t ldx, float *dw, float *db)
{
    int width = in >= 4 * COLUMNS_PER_PIECE ? COLUMNS_PER_PIECE : SMALL_COLUMNS_PER_PIECE;
    int64_t count = pieces(in, width);
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if (count > 1)
    for (int64_t i = 0; i < count; i++) {
        int64_t begin = i * width;
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, out, (int)piece_size(in, width, i), (int)rows, 1.0f, dy, (int)lddy,
                    x + begin, (int)ldx, 1.0f, dw + begin, in);
    }
    if (db)
        add_column_sums(o, rows, out, dy, lddy, db);
}
