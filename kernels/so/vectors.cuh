/* vectors.cuh: the types in which vectors are stored: f32 and f64, which are also calculated with, and bf16, which is widened to
 * f32 and rounded back to nearest even.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_VECTORS_CUH
#define SO_KERNELS_VECTORS_CUH

#include "../../libso/so.h"
#include "real.cuh"

template <class Stored> struct arithmetic {
    typedef Stored real;
};
template <> struct arithmetic<so_bf16> {
    typedef float real;
};

static __device__ __forceinline__ float widen(float x)
{
    return x;
}

static __device__ __forceinline__ double widen(double x)
{
    return x;
}

static __device__ __forceinline__ float widen(so_bf16 x)
{
    return __uint_as_float((unsigned)x << 16);
}

static __device__ __forceinline__ void narrow(float x, float *to)
{
    *to = x;
}

static __device__ __forceinline__ void narrow(double x, double *to)
{
    *to = x;
}

/* A NaN stays one: rounding could carry into its exponent. */
static __device__ __forceinline__ void narrow(float x, so_bf16 *to)
{
    unsigned bits = __float_as_uint(x);
    *to = (so_bf16)(x == x ? (bits + 0x7fff + (bits >> 16 & 1)) >> 16 : bits >> 16 | 0x40);
}

/* COUNT neighbours that are loaded and stored together. */
template <class Stored, int COUNT> struct alignas(COUNT * sizeof(Stored) < 16 ? COUNT * sizeof(Stored) : 16) together {
    Stored x[COUNT];
};

#endif
