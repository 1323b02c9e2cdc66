/* tray.cuh: small matrices of a block in shared memory, one for each thread, between coalesced access to global memory and the
 * threads, which want theirs in registers.
 *
 * Matrices stand one after the other, as in global memory. Where their size is a whole number of 16 bytes they are handled in
 * such pieces, piece q of matrix m in the place of piece q ^ (m P/8 mod P), P pieces per matrix: then eight threads that read the
 * same piece of eight matrices meet all 32 banks, and so do eight that copy eight neighbours. Else, at order 3, a thread goes
 * through its 9 numbers one by one; 9 is odd, so neighbours are in other banks.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_TRAY_CUH
#define SO_KERNELS_TRAY_CUH

#include "device.cuh"
#include "real.cuh"

template <class real> struct alignas(16) piece {
    static constexpr int WIDTH = 16 / (int)sizeof(real);
    real x[WIDTH];
};

template <class real_, int N_> struct tray {
    typedef real_ real;
    static constexpr int N = N_, SIZE = N * N, MATRICES = 128, BLOCK = MATRICES, WIDTH = piece<real>::WIDTH;
    static constexpr int PIECES = SIZE % WIDTH ? 0 : SIZE / WIDTH; /* of a matrix; 0: no whole number */
    static constexpr int BYTES = MATRICES * SIZE * (int)sizeof(real);
    real *at;

    __device__ tray(unsigned char *shared, int index) : at((real *)(shared + index * BYTES))
    {
    }

    /* f(first entry, matrices) for what of a batch the blocks take in turn. */
    template <class F> static __device__ __forceinline__ void each_block(int64_t batch, F f)
    {
        for (int64_t first = (int64_t)blockIdx.x * MATRICES; first < batch; first += (int64_t)gridDim.x * MATRICES) {
            f(first * SIZE, batch - first < MATRICES ? (int)(batch - first) : MATRICES);
            __syncthreads();
        }
    }

    /* Where piece p of the block stands, in pieces. */
    static __device__ __forceinline__ int place(int p)
    {
        if constexpr (PIECES > 1)
            return p ^ (p / 8 & (PIECES - 1)); /* p / PIECES is the matrix, of which 8 / PIECES share a row of banks */
        return p;
    }

    static __device__ __forceinline__ int place_of_entry(int e)
    {
        return place(e / WIDTH) * WIDTH + e % WIDTH;
    }

    /* The first `count` matrices from X. */
    __device__ __forceinline__ void load(const real *X, int count) const
    {
        int whole = (size_t)X % 16 ? 0 : count * SIZE / WIDTH;
#pragma unroll
        for (int first = 0; first < MATRICES * SIZE / WIDTH; first += BLOCK) {
            int p = first + (int)threadIdx.x;
            if (p < whole)
                ((piece<real> *)at)[place(p)] = ((const piece<real> *)X)[p];
        }
        for (int e = whole * WIDTH + (int)threadIdx.x; e < count * SIZE; e += BLOCK)
            at[place_of_entry(e)] = X[e];
    }

    __device__ __forceinline__ void store(real *X, int count) const
    {
        int whole = (size_t)X % 16 ? 0 : count * SIZE / WIDTH;
#pragma unroll
        for (int first = 0; first < MATRICES * SIZE / WIDTH; first += BLOCK) {
            int p = first + (int)threadIdx.x;
            if (p < whole)
                ((piece<real> *)X)[p] = ((const piece<real> *)at)[place(p)];
        }
        for (int e = whole * WIDTH + (int)threadIdx.x; e < count * SIZE; e += BLOCK)
            X[e] = at[place_of_entry(e)];
    }

    /* This thread's matrix. */
    __device__ __forceinline__ void get(real *x) const
    {
        if constexpr (PIECES > 0) {
#pragma unroll
            for (int q = 0; q < PIECES; q++) {
                piece<real> own = ((const piece<real> *)at)[place((int)threadIdx.x * PIECES + q)];
#pragma unroll
                for (int c = 0; c < WIDTH; c++)
                    x[q * WIDTH + c] = own.x[c];
            }
        } else {
#pragma unroll
            for (int k = 0; k < SIZE; k++)
                x[k] = at[(int)threadIdx.x * SIZE + k];
        }
    }

    __device__ __forceinline__ void put(const real *x) const
    {
        if constexpr (PIECES > 0) {
#pragma unroll
            for (int q = 0; q < PIECES; q++) {
                piece<real> own;
#pragma unroll
                for (int c = 0; c < WIDTH; c++)
                    own.x[c] = x[q * WIDTH + c];
                ((piece<real> *)at)[place((int)threadIdx.x * PIECES + q)] = own;
            }
        } else {
#pragma unroll
            for (int k = 0; k < SIZE; k++)
                at[(int)threadIdx.x * SIZE + k] = x[k];
        }
    }
};

#endif
