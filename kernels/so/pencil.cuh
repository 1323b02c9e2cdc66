/* pencil.cuh: the matrices of an encoding, A[g][t] = sum_d position[t][d] generator[g][d]: formed as they are loaded.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_PENCIL_CUH
#define SO_KERNELS_PENCIL_CUH

#include <stdint.h>

#include "real.cuh"

/* sum_d position[d] generator[d], each of n x n numbers, rounded once per dimension; a matrix as matrices.cuh loads it.
 * generator NULL: zeros. */
template <class real> struct token_matrix {
    int n, dims;
    const real *position, *generator;

    __device__ __forceinline__ size_t size() const
    {
        return (size_t)n * (size_t)n;
    }
    __device__ __forceinline__ bool in_quads() const
    {
        return (size_t)generator % 16 == 0;
    }
    __device__ __forceinline__ real one(int e) const
    {
        real x = 0;
        for (int d = 0; d < dims && generator; d++)
            x = fma(position[d], generator[d * size() + e], x);
        return x;
    }
    __device__ __forceinline__ quad<real> four(int e) const
    {
        quad<real> x = {};
        for (int d = 0; d < dims && generator; d++) {
            quad<real> q = load_quad(generator + d * size() + e);
            real p = position[d];
#pragma unroll
            for (int c = 0; c < 4; c++)
                x.x[c] = fma(p, q.x[c], x.x[c]);
        }
        return x;
    }
    /* A matrix of order 1 has no entries that could tell. */
    __device__ __forceinline__ bool bad() const
    {
        bool bad = false;
        for (int d = 0; d < dims && generator; d++)
            bad |= !is_finite(position[d]);
        return bad;
    }
};

/* A batch as batch.cuh has it: matrix g * tokens + t is A[g][t]. */
template <class real> struct pencil {
    int dims;
    int64_t tokens;
    const real *position, *generator;

    __device__ __forceinline__ token_matrix<real> token(int n, int64_t g, int64_t t) const
    {
        return {n, dims, position + t * dims, generator + g * dims * n * n};
    }
    __device__ __forceinline__ token_matrix<real> matrix(int n, int64_t b, int64_t batch) const
    {
        return b < batch ? token(n, b / tokens, b % tokens) : token_matrix<real>{n, dims, NULL, NULL};
    }
};

#endif
