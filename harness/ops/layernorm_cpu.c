/* layernorm_cpu.c: layer normalisation (Ba, Kiros, Hinton 2016), eps = 1e-5 inside the root.
 * SPDX-License-Identifier: MIT */
#include "ops/ops_cpu.h"

#include <math.h>
#include <string.h>

#include "ops/simd.h"

/* Two passes: the variance is the mean of squared differences, so that a large mean costs no accuracy. */
SIMD_CLONES static void normalise(int64_t rows, int cols, const float *x, const float *w, const float *b, float *y, float *mean,
                                  float *rstd)
{
    for (int64_t r = 0; r < rows; r++, x += cols, y += cols) {
        float sum = 0.0f, squares = 0.0f;
#pragma omp simd reduction(+ : sum)
        for (int c = 0; c < cols; c++)
            sum += x[c];
        float m = sum / (float)cols;
#pragma omp simd reduction(+ : squares)
        for (int c = 0; c < cols; c++)
            squares += (x[c] - m) * (x[c] - m);
        float s = 1.0f / sqrtf(squares / (float)cols + 1e-5f);
#pragma omp simd
        for (int c = 0; c < cols; c++)
            y[c] = (x[c] - m) * s * w[c] + b[c];
        mean[r] = m;
        rstd[r] = s;
    }
}

/* With h = (x - mean) rstd and g = dy w:  dx = rstd (g - mean(g) - h mean(g h)),  dw = sum dy h,  db = sum dy. */
SIMD_CLONES static void normalise_backward(int64_t rows, int cols, const float *x, const float *w, const float *mean,
                                           const float *rstd, const float *dy, float *dx, float *dw, float *db)
{
    for (int64_t r = 0; r < rows; r++, x += cols, dy += cols, dx += cols) {
        float m = mean[r], s = rstd[r], sum = 0.0f, product = 0.0f;
#pragma omp simd reduction(+ : sum, product)
        for (int c = 0; c < cols; c++) {
            float h = (x[c] - m) * s, g = dy[c] * w[c];
            sum += g;
            product += g * h;
            dw[c] += dy[c] * h;
            db[c] += dy[c];
        }
        sum /= (float)cols;
        product /= (float)cols;
#pragma omp simd
        for (int c = 0; c < cols; c++)
            dx[c] += s * (dy[c] * w[c] - sum - (x[c] - m) * s * product);
    }
}

void cpu_layernorm(ops *o, int64_t rows, int cols, const float *x, const float *w, const float *b, float *y, float *mean,
                   float *rstd)
{
    int64_t count = pieces(rows, ROWS_PER_PIECE);
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if (count > 1)
    for (int64_t i = 0; i < count; i++) {
        int64_t begin = i * ROWS_PER_PIECE;
        normalise(piece_size(rows, ROWS_PER_PIECE, i), cols, x + begin * cols, w, b, y + begin * cols, mean + begin,
                  rstd + begin);
    }
}

void cpu_layernorm_backward(ops *o, int64_t rows, int cols, const float *x, const float *w, const float *mean,
                            const float *rstd, const float *dy, float *dx, float *dw, float *db)
{
    int64_t count = pieces(rows, ROWS_PER_PIECE);
    float *partial = cpu_scratch(o, (size_t)(count * 2 * cols)); /* per piece: dw, db */
    memset(partial, 0, (size_t)(count * 2 * cols) * sizeof(float));
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if (count > 1)
    for (int64_t i = 0; i < count; i++) {
        int64_t begin = i * ROWS_PER_PIECE;
        float *p = partial + i * 2 * cols;
        normalise_backward(piece_size(rows, ROWS_PER_PIECE, i), cols, x + begin * cols, w, mean + begin, rstd + begin,
                           dy + begin * cols, dx + begin * cols, p, p + cols);
    }
    for (int64_t i = 0; i < count; i++)
        for (int c = 0; c < cols; c++) {
            dw[c] += partial[i * 2 * cols + c];
            db[c] += partial[(i * 2 + 1) * cols + c];
        }
}
