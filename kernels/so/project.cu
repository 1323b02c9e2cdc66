/* project.cu: the rotations nearest to matrices and the derivative, over a batch; project.cuh has the mathematics.
 * SPDX-License-Identifier: MIT */
#include "project.cuh"
#include "maps.cuh"

so_status SO_(so_cuda_project)(so_ctx *ctx, int n, int64_t batch, real *R)
{
    return run_widened<project>(ctx, n, batch, widened_inputs<real>{{R}}, R);
}

so_status SO_(so_cuda_project_vjp)(so_ctx *ctx, int n, int64_t batch, const real *X, const real *dR, real *dX)
{
    return run_widened<project_vjp>(ctx, n, batch, widened_inputs<real>{{X, dR}}, dX);
}
