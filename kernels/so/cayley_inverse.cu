/* cayley_inverse.cu: the inverse Cayley map and its derivative, over a batch; cayley_inverse.cuh has the mathematics.
 * SPDX-License-Identifier: MIT */
#include "cayley_inverse.cuh"
#include "maps.cuh"

so_status SO_(so_cuda_cayley_inverse)(so_ctx *ctx, int n, int64_t batch, const real *R, real *A)
{
    return run_widened<cayley_inverse>(ctx, n, batch, widened_inputs<real>{{R}}, A);
}

so_status SO_(so_cuda_cayley_inverse_vjp)(so_ctx *ctx, int n, int64_t batch, const real *A, const real *dA, real *dR)
{
    return run_widened<cayley_inverse_vjp>(ctx, n, batch, widened_inputs<real>{{A, dA}}, dR);
}
