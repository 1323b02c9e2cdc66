/* closed_form_batch.cuh: what so_exp and so_encode share for n = 2, 3, 4: a matrix per thread, by way of shared memory.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_CLOSED_FORM_BATCH_CUH
#define SO_KERNELS_CLOSED_FORM_BATCH_CUH

#include "closed_form.cuh"
#include "outcome.cuh"
#include "tray.cuh"

/* The strict upper triangle of x as so_pack has it, what is not finite as 0. Returns whether anything was. */
template <int N, class real> static __device__ __forceinline__ bool upper_triangle(const real *x, double *a)
{
    bool bad = false;
#pragma unroll
    for (int i = 0, k = 0; i < N; i++)
#pragma unroll
        for (int j = i + 1; j < N; j++, k++) {
            bool finite = is_finite(x[i * N + j]);
            a[k] = finite ? (double)x[i * N + j] : 0;
            bad |= !finite;
        }
    return bad;
}

/* X = factor * the skew matrix with the strict upper triangle a. */
template <int N, class real> static __device__ __forceinline__ void skew_matrix(double factor, const double *a, real *X)
{
#pragma unroll
    for (int i = 0, k = 0; i < N; i++) {
        X[i * N + i] = 0;
#pragma unroll
        for (int j = i + 1; j < N; j++, k++) {
            X[i * N + j] = (real)(factor * a[k]);
            X[j * N + i] = -X[i * N + j];
        }
    }
}

/* Into the thread's place of the tray: x, or NaN everywhere, which is reported. */
template <class Tray>
static __device__ __forceinline__ void put_or_spoil(const Tray &t, typename Tray::real *x, bool bad, int *outcome)
{
    if (bad) {
#pragma unroll
        for (int k = 0; k < Tray::SIZE; k++)
            x[k] = not_a_number<typename Tray::real>();
        report_outcome(outcome, OUTCOME_NONFINITE);
    }
    t.put(x);
}

/* What brings x, of whatever scale, to where products of it with a rotation stay within f64. */
struct scale_pair {
    double factor, back;
};

template <int COUNT, class real> static __device__ __forceinline__ scale_pair scale_to_range(const real *x)
{
    if constexpr (sizeof(real) == sizeof(double)) {
        double largest = 0;
#pragma unroll
        for (int k = 0; k < COUNT; k++)
            largest = fmax(largest, fabs((double)x[k]));
        if (largest > 0x1p500)
            return {0x1p-600, 0x1p600};
        if (largest < 0x1p-500)
            return {0x1p600, 0x1p-600};
    }
    return {1, 1};
}

/* A batch in memory. What else gives a thread its matrix has the same functions (encode_closed_form.cuh). */
template <class real> struct on_tray {
    const real *X;

    template <class Tray> __device__ __forceinline__ void load(const Tray &t, int64_t at, int count) const
    {
        t.load(X + at, count);
    }
    /* The matrix that begins at number `at` of the batch; on and below the diagonal x may stay as it was. */
    template <class Tray> __device__ __forceinline__ void get(const Tray &t, int64_t, real *x) const
    {
        t.get(x);
    }
};

template <int N, class real, class Batch>
static __global__ void __launch_bounds__(tray<real, N>::BLOCK)
closed_map_kernel(int64_t batch, Batch A, real *R, int *outcome)
{
    typedef tray<real, N> tray;
    tray t(shared_memory, 0);
    tray::each_block(batch, [&](int64_t at, int count) {
        A.load(t, at, count);
        __syncthreads();
        if ((int)threadIdx.x < count) {
            real x[tray::SIZE];
            double a[tray::SIZE], r[tray::SIZE];
            A.get(t, at + (int)threadIdx.x * tray::SIZE, x);
            bool bad = upper_triangle<N>(x, a);
            closed_form<N, real>::map(a, r);
#pragma unroll
            for (int k = 0; k < tray::SIZE; k++)
                x[k] = (real)r[k];
            put_or_spoil(t, x, bad, outcome);
        }
        __syncthreads();
        t.store(R + at, count);
    });
}

/* m = the strict upper triangle of (R^T G - G^T R) factor / 2. Returns whether R or G holds what is not finite. */
template <int N, class real>
static __device__ __forceinline__ bool pull_back(double factor, const real *R, const real *G, double *m)
{
    bool bad = false;
#pragma unroll
    for (int k = 0; k < N * N; k++)
        bad |= !is_finite(R[k]) | !is_finite(G[k]);
#pragma unroll
    for (int i = 0, e = 0; i < N; i++)
#pragma unroll
        for (int j = i + 1; j < N; j++, e++) {
            double sum = 0;
#pragma unroll
            for (int k = 0; k < N; k++)
                sum += (double)R[k * N + j] * (factor * (double)G[k * N + i]) -
                       (factor * (double)G[k * N + j]) * (double)R[k * N + i];
            m[e] = -0.5 * sum; /* from the entry below the diagonal, so that zeros have the signs that they have on the CPU */
        }
    return bad;
}

/* x <- the skew gradient at the thread's A = x, given its R and dR. Returns whether anything was not finite. */
template <int N, class Tray>
static __device__ __forceinline__ bool skew_gradient(const Tray &rotations, const Tray &gradients, typename Tray::real *x)
{
    typedef typename Tray::real real;
    real r[Tray::SIZE], g[Tray::SIZE];
    double a[Tray::SIZE], m[Tray::SIZE], y[Tray::SIZE];
    rotations.get(r);
    gradients.get(g);
    scale_pair scale = scale_to_range<Tray::SIZE>(g);
    bool bad = pull_back<N>(scale.factor, r, g, m);
    bad |= upper_triangle<N>(x, a);
    closed_form<N, real>::differential(a, m, y);
    skew_matrix<N>(scale.back, y, x);
    return bad;
}

/* kernel(batch, pointers .., outcome), with so many trays. */
template <class Tray, class... P, class... Q>
static so_status launch_on_trays(so_ctx *ctx, void (*kernel)(int64_t, P...), int trays, int64_t batch, Q... pointers)
{
    unsigned blocks = blocks_for((batch + Tray::MATRICES - 1) / Tray::MATRICES);
    return launch(ctx, kernel, blocks, Tray::BLOCK, (size_t)(trays * Tray::BYTES), batch, pointers..., cuda_of(ctx)->device_outcome);
}

#endif
