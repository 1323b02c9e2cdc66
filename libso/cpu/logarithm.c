/* logarithm.c: the principal logarithm of rotations and its derivative, over a batch; lapack/logarithm.c has the mathematics.
 * SPDX-License-Identifier: MIT */
#include "maps.h"
#include "widened.h"

so_status SO_(so_cpu_log)(so_ctx *ctx, int n, int64_t batch, const real *R, real *A)
{
    return so_run_widened(ctx, &so_log_map, n, batch, (const real *[]){R}, A);
}

so_status SO_(so_cpu_log_vjp)(so_ctx *ctx, int n, int64_t batch, const real *R, const real *A, const real *dA, real *dR)
{
    return so_run_widened(ctx, &so_log_vjp_map, n, batch, (const real *[]){R, A, dA}, dR);
}
