/* polynomial.cu: the polynomial method of the exponential.
 * SPDX-License-Identifier: MIT */
#include "batch.cuh"
#include "maps.cuh"
#include "polynomial.cuh"

static so_status map(so_ctx *ctx, int n, int64_t batch, const real *A, real *R)
{
    return map_in_teams<polynomial>(ctx, n, batch, stored_batch<real>{A}, R);
}

static so_status vjp(so_ctx *ctx, int n, int64_t batch, const real *A, const real *R, const real *dR, real *dA)
{
    return vjp_in_teams<polynomial>(ctx, n, batch, A, R, dR, dA);
}

static so_status jvp(so_ctx *ctx, int n, int64_t batch, const real *A, const real *E, real *R, real *L)
{
    so_status status = map(ctx, n, batch, A, R);
    return status == SO_OK ? jvp_in_teams<polynomial>(ctx, n, batch, A, E, R, L) : status;
}

const SO_(cuda_method) SO_(cuda_polynomial) = {map, vjp, jvp};
