/* exp.cu: the exponential: which method.
 * SPDX-License-Identifier: MIT */
#include "maps.cuh"

const SO_(cuda_method) *SO_(so_cuda_choose)(so_method method, int n)
{
    switch (method) {
    case SO_PADE:
        return &SO_(cuda_pade);
    case SO_EIGEN:
        return &SO_(cuda_eigen);
    case SO_CAYLEY:
        return &SO_(cuda_cayley);
    case SO_AUTO:
        return n >= 2 && n <= 4 ? &SO_(cuda_closed_form) : &SO_(cuda_polynomial);
    default:
        return &SO_(cuda_polynomial);
    }
}

so_status SO_(so_cuda_exp)(so_ctx *ctx, so_method method, int n, int64_t batch, const real *A, real *R)
{
    return SO_(so_cuda_choose)(method, n)->map(ctx, n, batch, A, R);
}

so_status SO_(so_cuda_exp_vjp)(so_ctx *ctx, so_method method, int n, int64_t batch, const real *A, const real *R, const real *dR,
                               real *dA)
{
    return SO_(so_cuda_choose)(method, n)->vjp(ctx, n, batch, A, R, dR, dA);
}

so_status SO_(so_cuda_exp_jvp)(so_ctx *ctx, so_method method, int n, int64_t batch, const real *A, const real *E, real *R, real *L)
{
    return SO_(so_cuda_choose)(method, n)->jvp(ctx, n, batch, A, E, R, L);
}
