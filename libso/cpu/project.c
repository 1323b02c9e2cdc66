/* project.c: the rotations nearest to matrices and the derivative, over a batch; lapack/project.c has the mathematics.
 * SPDX-License-Identifier: MIT */
#include "maps.h"
#include "widened.h"

so_status SO_(so_cpu_project)(so_ctx *ctx, int n, int64_t batch, real *R)
{
    return so_run_widened(ctx, &so_project_map, n, batch, (const real *[]){R}, R);
}

so_status SO_(so_cpu_project_vjp)(so_ctx *ctx, int n, int64_t batch, const real *X, const real *dR, real *dX)
{
    return so_run_widened(ctx, &so_project_vjp_map, n, batch, (const real *[]){X, dR}, dX);
}
