/* pack.c: skew matrices <-> their strict upper triangle, row by row.
 * SPDX-License-Identifier: MIT */
#include "maps.h"

so_status SO_(so_cpu_pack)(so_ctx *ctx, int n, int64_t batch, const real *A, real *p)
{
    (void)ctx;
    for (int64_t b = 0; b < batch; b++, A += (size_t)n * (size_t)n)
        for (int i = 0; i < n; i++)
            for (int j = i + 1; j < n; j++)
                *p++ = A[(size_t)i * (size_t)n + (size_t)j];
    return SO_OK;
}

so_status SO_(so_cpu_unpack)(so_ctx *ctx, int n, int64_t batch, const real *p, real *A)
{
    (void)ctx;
    for (int64_t b = 0; b < batch; b++, A += (size_t)n * (size_t)n)
        for (int i = 0; i < n; i++) {
            A[(size_t)i * (size_t)n + (size_t)i] = 0;
            for (int j = i + 1; j < n; j++) {
                A[(size_t)i * (size_t)n + (size_t)j] = *p;
                A[(size_t)j * (size_t)n + (size_t)i] = -*p++;
            }
        }
    return SO_OK;
}
