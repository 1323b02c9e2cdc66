/* table.cuh: the tables of the CUDA backend.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_TABLE_CUH
#define SO_KERNELS_TABLE_CUH

extern "C" {
#include "../../libso/backend.h"
}

extern const so_backend_f32 so_cuda_f32;
extern const so_backend_f64 so_cuda_f64;

#endif
