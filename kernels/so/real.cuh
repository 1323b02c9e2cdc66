/* real.cuh: the two real types of the kernels.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_REAL_CUH
#define SO_KERNELS_REAL_CUH

#include <cuda_runtime.h>
#include <float.h>
#include <math.h>

template <class real> struct limits;
template <> struct limits<float> {
    static constexpr float u = 0x1p-24f;
    static constexpr float most = FLT_MAX;
};
template <> struct limits<double> {
    static constexpr double u = 0x1p-53;
    static constexpr double most = DBL_MAX;
};

/* Neighbours in a row: one access of up to 16 bytes, or several. */
template <class real, int COUNT> struct alignas(COUNT * sizeof(real) < 16 ? COUNT * sizeof(real) : 16) pack {
    real x[COUNT];
};
template <class real> using quad = pack<real, 4>;

template <int COUNT, class real> __device__ __forceinline__ pack<real, COUNT> load_pack(const real *from)
{
    return *(const pack<real, COUNT> *)from;
}

template <class real, int COUNT> __device__ __forceinline__ void store_pack(real *to, const pack<real, COUNT> &p)
{
    *(pack<real, COUNT> *)to = p;
}

template <class real> __device__ __forceinline__ quad<real> load_quad(const real *from)
{
    return *(const quad<real> *)from;
}

template <class real> __device__ __forceinline__ void store_quad(real *to, const quad<real> &q)
{
    *(quad<real> *)to = q;
}

template <class real> __device__ __forceinline__ bool is_finite(real x)
{
    return fabs(x) <= limits<real>::most;
}

/* What a matrix that could not be computed is filled with. */
template <class real> __device__ __forceinline__ real not_a_number()
{
    return (real)NAN;
}

#endif
