/* orthogonality.c: the orthogonality defect of matrices.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <omp.h>

#include "../context.h"
#include "maps.h"

/* ||R^T R - I||_F in f64, one row of R^T R at a time, in runs of 32 terms that are then added up. row: 2 n doubles. */
static double defect_of(int n, const real *R, double *row)
{
    double sum = 0, *run = row + n;
    for (int i = 0; i < n; i++) {
        for (int j = i; j < n; j++)
            row[j] = j == i ? -1 : 0;
        for (int start = 0; start < n; start += 32) {
            int end = start + 32 < n ? start + 32 : n;
            for (int j = i; j < n; j++)
                run[j] = 0;
            for (int k = start; k < end; k++) {
                double r = (double)R[(size_t)k * (size_t)n + (size_t)i];
                for (int j = i; j < n; j++)
                    run[j] += r * (double)R[(size_t)k * (size_t)n + (size_t)j];
            }
            for (int j = i; j < n; j++)
                row[j] += run[j];
        }
        sum += row[i] * row[i];
        for (int j = i + 1; j < n; j++)
            sum += 2 * row[j] * row[j];
    }
    return isnan(sum) ? INFINITY : sqrt(sum); /* Inf - Inf: some column has a square of that size, and so has the defect */
}

static int is_finite(size_t size, const real *x)
{
    real_bits bad = 0;
    for (size_t i = 0; i < size; i++)
        bad |= nonfinite_bits(x[i]);
    return bad == 0;
}

so_status SO_(so_cpu_orthogonality)(so_ctx *ctx, int n, int64_t batch, const real *R, real *defect)
{
    int threads = batch < ctx->threads ? (int)batch : ctx->threads, nonfinite = 0;
    void *memory;
    so_status status = so_ctx_reserve(ctx, (size_t)threads, 2 * (size_t)n * sizeof(double), &memory);
    if (status != SO_OK)
        return status;
    size_t size = (size_t)n * (size_t)n;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(| : nonfinite) if (threads > 1)
    for (int64_t b = 0; b < batch; b++) {
        const real *matrix = R + (size_t)b * size;
        int finite = is_finite(size, matrix);
        nonfinite |= !finite;
        defect[b] = finite ? (real)defect_of(n, matrix, (double *)memory + 2 * (size_t)n * (size_t)omp_get_thread_num()) : (real)NAN;
    }
    return nonfinite ? SO_ENONFINITE : SO_OK;
}
