/* SPDX-License-Identifier: MIT */
#include "widened.h"

#include <math.h>
#include <omp.h>

static int wide_stride(int n)
{
    int lanes = VECTOR_BYTES / (int)sizeof(double);
    return (n + lanes - 1) / lanes * lanes;
}

static size_t wide_elements(int n)
{
    return ((size_t)n * (size_t)wide_stride(n) + 7) / 8 * 8;
}

/* Returns whether all numbers read are finite. */
static int load(int n, int skew, const real *X, double *Y)
{
    int ld = wide_stride(n);
    real_bits bad = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < ld; j++) {
            int read = j < n && (!skew || i != j);
            real x = !read ? 0 : skew && i > j ? -X[(ptrdiff_t)j * n + i] : X[(ptrdiff_t)i * n + j];
            bad |= nonfinite_bits(x);
            Y[(ptrdiff_t)i * ld + j] = (double)x;
        }
    return bad == 0;
}

static void store(int n, int valid, const double *Y, real *X)
{
    int ld = wide_stride(n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            X[(ptrdiff_t)i * n + j] = valid ? (real)Y[(ptrdiff_t)i * ld + j] : (real)NAN;
}

so_status so_run_widened(so_ctx *ctx, const widened_map *map, int n, int64_t batch, const real *const *in, real *out)
{
    int threads = batch < ctx->threads ? (int)batch : ctx->threads, nonfinite = 0, reflection = 0, singular = 0;
    size_t elements = wide_elements(n), share = elements * (size_t)(map->inputs + 1 + map->work_matrices);
    void *memory;
    so_status status = so_ctx_reserve(ctx, (size_t)threads, share * sizeof(double), &memory);
    if (status != SO_OK)
        return status;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(| : nonfinite, reflection, singular) if (threads > 1)
    for (int64_t b = 0; b < batch; b++) {
        double *work = (double *)memory + share * (size_t)omp_get_thread_num(), *result = work, *inputs[WIDENED_INPUTS];
        size_t at = (size_t)b * (size_t)n * (size_t)n;
        int finite = 1;
        for (int k = 0; k < map->inputs; k++) {
            inputs[k] = work += elements;
            finite &= load(n, map->skew >> k & 1, in[k] + at, inputs[k]);
        }
        so_status found = finite ? map->compute(n, inputs, result, work + elements, (double)REAL_EPSILON) : SO_ENONFINITE;
        nonfinite |= found == SO_ENONFINITE;
        reflection |= found == SO_EREFLECTION;
        singular |= found == SO_ESINGULAR;
        store(n, found == SO_OK, result, out + at);
    }
    return nonfinite ? SO_ENONFINITE : reflection ? SO_EREFLECTION : singular ? SO_ESINGULAR : SO_OK;
}
