/* cayley_inverse.c: the inverse Cayley map and its derivative, over a batch; lapack/cayley_inverse.c has the mathematics.
 * SPDX-License-Identifier: MIT */
#include "maps.h"
#include "widened.h"

so_status SO_(so_cpu_cayley_inverse)(so_ctx *ctx, int n, int64_t batch, const real *R, real *A)
{
    return so_run_widened(ctx, &so_cayley_inverse_map, n, batch, (const real *[]){R}, A);
}

so_status SO_(so_cpu_cayley_inverse_vjp)(so_ctx *ctx, int n, int64_t batch, const real *A, const real *dA, real *dR)
{
    return so_run_widened(ctx, &so_cayley_inverse_vjp_map, n, batch, (const real *[]){A, dA}, dR);
}
