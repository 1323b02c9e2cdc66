/* logarithm.cu: the logarithm and its derivative, over a batch; logarithm.cuh has the mathematics.
 * SPDX-License-Identifier: MIT */
#include "logarithm.cuh"
#include "maps.cuh"

so_status SO_(so_cuda_log)(so_ctx *ctx, int n, int64_t batch, const real *R, real *A)
{
    return run_widened<logarithm>(ctx, n, batch, widened_inputs<real>{{R}}, A);
}

so_status SO_(so_cuda_log_vjp)(so_ctx *ctx, int n, int64_t batch, const real *R, const real *A, const real *dA, real *dR)
{
    return run_widened<logarithm_vjp>(ctx, n, batch, widened_inputs<real>{{R, A, dA}}, dR);
}
