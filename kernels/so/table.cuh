/* table.cuh: what the CUDA backend consists of.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_TABLE_CUH
#define SO_KERNELS_TABLE_CUH

extern "C" {
#include "../../libso/backend.h"
}

extern const so_backend_f32 so_cuda_f32;
extern const so_backend_f64 so_cuda_f64;

so_status so_cuda_widen(so_ctx *ctx, int64_t count, const float *from, double *to);
so_status so_cuda_narrow(so_ctx *ctx, int64_t count, const double *from, float *to);
so_status so_cuda_add(so_ctx *ctx, int64_t count, const double *from, double *to);

#endif
