/* encode_closed_form.cuh: positional encoding for n = 2, 3, 4, a token per thread. The gradients of a block are summed in shared
 * memory: a run (encode.cuh) is what a block has, 128 tokens of one generator.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_ENCODE_CLOSED_FORM_CUH
#define SO_KERNELS_ENCODE_CLOSED_FORM_CUH

#include "closed_form_batch.cuh"
#include "encode.cuh"

template <int N, class real> __device__ __forceinline__ void form_upper(const token_matrix<real> &token, real *x)
{
#pragma unroll
    for (int i = 0; i < N; i++)
#pragma unroll
        for (int j = i + 1; j < N; j++)
            x[i * N + j] = token.one(i * N + j);
}

/* The matrices of a pencil for closed_map_kernel; nothing is to be loaded. */
template <class real> struct formed {
    pencil<real> A;

    template <class Tray> __device__ __forceinline__ void load(const Tray &, int64_t, int) const {}
    template <class Tray> __device__ __forceinline__ void get(const Tray &, int64_t at, real *x) const
    {
        const int64_t b = at / Tray::SIZE;
        form_upper<Tray::N>(A.matrix(Tray::N, b, b + 1), x);
    }
};

/* One block per run; arguments as encode_vjp_kernel has them. */
template <int N, class real>
static __global__ void __launch_bounds__(tray<real, N>::BLOCK)
encode_closed_vjp_kernel(unsigned runs, pencil<real> A, const real *R, const real *dR, real *sums, real *along, int *outcome)
{
    typedef tray<real, N> tray;
    tray t(shared_memory, 0), rotations(shared_memory, 1), gradients(shared_memory, 2);
    const int64_t g = blockIdx.x / runs, begin = (int64_t)(blockIdx.x % runs) * tray::MATRICES, first = g * A.tokens + begin;
    const int count = A.tokens - begin < tray::MATRICES ? (int)(A.tokens - begin) : tray::MATRICES;
    const real *position = A.position + begin * A.dims;
    rotations.load(R + first * tray::SIZE, count);
    gradients.load(dR + first * tray::SIZE, count);
    __syncthreads();
    if ((int)threadIdx.x < count) {
        real x[tray::SIZE];
        form_upper<N>(A.token(N, g, begin + threadIdx.x), x);
        bool bad = skew_gradient<N>(rotations, gradients, x);
        put_or_spoil(t, x, bad, outcome);
        for (int d = 0; d < A.dims && along; d++) {
            const real *G = A.generator + (g * A.dims + d) * tray::SIZE;
            real sum = 0;
#pragma unroll
            for (int i = 0; i < N; i++)
#pragma unroll
                for (int j = i + 1; j < N; j++)
                    sum = fma(2 * G[i * N + j], x[i * N + j], sum);
            along[(first + threadIdx.x) * A.dims + d] = sum;
        }
    }
    __syncthreads();
    real *to = sums + (int64_t)blockIdx.x * A.dims * N * padded_row(N);
    for (int k = (int)threadIdx.x; k < A.dims * tray::SIZE; k += tray::BLOCK) {
        int d = k / tray::SIZE, e = k % tray::SIZE;
        real sum = 0;
        for (int m = 0; m < count; m++)
            sum = fma(position[m * A.dims + d], t.at[tray::place_of_entry(m * tray::SIZE + e)], sum);
        to[(d * N + e / N) * padded_row(N) + e % N] = sum;
    }
}

#endif
