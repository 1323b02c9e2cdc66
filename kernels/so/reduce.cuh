/* reduce.cuh: sums: a number of each thread becomes one for all; how products are summed.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_REDUCE_CUH
#define SO_KERNELS_REDUCE_CUH

#include "real.cuh"

/* Products are summed in runs of so many terms, whose sums are added up: where all terms have one size, as in the square of a
 * Hadamard matrix, the rounding errors of long sums are large and the same in all rows, a shift of the spectrum. */
enum { RUN = 8 };

/* join() over WIDTH neighbouring lanes: the same bits in each. */
template <int WIDTH, class real, class F> __device__ __forceinline__ real reduce_lanes(real x, F join)
{
#pragma unroll
    for (int apart = WIDTH / 2; apart > 0; apart /= 2)
        x = join(x, __shfl_xor_sync(0xffffffffu, x, apart));
    return x;
}

/* The same over a block, whose warps are joined in their order by way of `partial`: one number for each, in shared memory. */
template <class real, class F> __device__ __forceinline__ real reduce_block(real x, real *partial, F join)
{
    x = reduce_lanes<32>(x, join);
    if (threadIdx.x % 32 == 0)
        partial[threadIdx.x / 32] = x;
    __syncthreads();
    x = partial[0];
    for (unsigned warp = 1; warp < blockDim.x / 32; warp++)
        x = join(x, partial[warp]);
    __syncthreads();
    return x;
}

/* Over THREADS neighbours: lanes of a warp, or a block. */
template <int THREADS, class real, class F> __device__ __forceinline__ real reduce(real x, real *partial, F join)
{
    if constexpr (THREADS > 32)
        return reduce_block(x, partial, join);
    else
        return reduce_lanes<THREADS>(x, join);
}

template <int THREADS, class real> __device__ __forceinline__ real sum_over(real x, real *partial)
{
    return reduce<THREADS>(x, partial, [](real a, real b) { return a + b; });
}

template <int THREADS, class real> __device__ __forceinline__ real largest_over(real x, real *partial)
{
    return reduce<THREADS>(x, partial, [](real a, real b) { return fmax(a, b); });
}

#endif
