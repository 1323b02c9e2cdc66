/* convert.c: see convert.h. Memory is what this waits for, in any instruction set.
 * SPDX-License-Identifier: MIT */
#include "convert.h"

/* For every k < count, spread over the context's threads where there is enough to do. */
#define EACH(k, statement)                                                                                                      \
    do {                                                                                                                        \
        enum { WORTH_A_THREAD = 1 << 14 };                                                                                      \
        _Pragma("omp parallel for simd num_threads(ctx->threads) schedule(static) if (ctx->threads > 1 && count > WORTH_A_THREAD)") \
        for (int64_t k = 0; k < count; k++)                                                                                     \
            statement;                                                                                                          \
    } while (0)

so_status so_cpu_widen(so_ctx *ctx, int64_t count, const float *from, double *to)
{
    EACH(k, to[k] = from[k]);
    return SO_OK;
}

so_status so_cpu_narrow(so_ctx *ctx, int64_t count, const double *from, float *to)
{
    EACH(k, to[k] = (float)from[k]);
    return SO_OK;
}

so_status so_cpu_add(so_ctx *ctx, int64_t count, const double *from, double *to)
{
    EACH(k, to[k] += from[k]);
    return SO_OK;
}
