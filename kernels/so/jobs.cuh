/* jobs.cuh: kernels with a thread for each of many numbers, or for several where a launch has too few.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_JOBS_CUH
#define SO_KERNELS_JOBS_CUH

#include "device.cuh"

enum { JOB_THREADS = 128 }; /* of a block */

/* A thread's first job, and how far apart its jobs are. */
__device__ __forceinline__ int64_t first_job()
{
    return (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
}

__device__ __forceinline__ int64_t jobs_apart()
{
    return (int64_t)gridDim.x * blockDim.x;
}

/* A launch of one thread for each of so many jobs. */
template <class... P, class... Q>
so_status launch_each(const so_ctx *ctx, void (*kernel)(P...), int64_t jobs, Q... arguments)
{
    return jobs == 0 ? SO_OK : launch(ctx, kernel, blocks_for((jobs + JOB_THREADS - 1) / JOB_THREADS), JOB_THREADS, 0, arguments...);
}

#endif
