/* closed_form.cu: so_exp and its derivatives for n = 2, 3, 4 in closed form, a matrix per thread.
 *
 * In f64 inside for both types. On devices whose f64 rate is half that of f32 this stays below the time of the memory traffic:
 * the forward map of order 3 in f32 takes about 130 operations for 72 bytes, the gradient 200 for 144 (estimates).
 * SPDX-License-Identifier: MIT */
#include "closed_form.cuh"
#include "maps.cuh"
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
        outcome[OUTCOME_NONFINITE] = 1;
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

template <int N, class real>
static __global__ void __launch_bounds__(tray<real, N>::BLOCK)
closed_map_kernel(int64_t batch, const real *A, real *R, int *outcome)
{
    typedef tray<real, N> tray;
    tray t(shared_memory, 0);
    tray::each_block(batch, [&](int64_t at, int count) {
        t.load(A + at, count);
        __syncthreads();
        if ((int)threadIdx.x < count) {
            real x[tray::SIZE];
            double a[tray::SIZE], r[tray::SIZE];
            t.get(x);
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

template <int N, class real>
static __global__ void __launch_bounds__(tray<real, N>::BLOCK)
closed_vjp_kernel(int64_t batch, const real *A, const real *R, const real *dR, real *dA, int *outcome)
{
    typedef tray<real, N> tray;
    tray t(shared_memory, 0), rotations(shared_memory, 1), gradients(shared_memory, 2);
    tray::each_block(batch, [&](int64_t at, int count) {
        t.load(A + at, count);
        rotations.load(R + at, count);
        gradients.load(dR + at, count);
        __syncthreads();
        if ((int)threadIdx.x < count) {
            real x[tray::SIZE], r[tray::SIZE];
            double a[tray::SIZE], m[tray::SIZE], y[tray::SIZE];
            rotations.get(r);
            gradients.get(x);
            scale_pair scale = scale_to_range<tray::SIZE>(x);
            bool bad = pull_back<N>(scale.factor, r, x, m);
            t.get(x);
            bad |= upper_triangle<N>(x, a);
            closed_form<N, real>::differential(a, m, y);
            skew_matrix<N>(scale.back, y, x);
            put_or_spoil(t, x, bad, outcome);
        }
        __syncthreads();
        t.store(dA + at, count);
    });
}

/* L = Y R with Y the skew matrix of y. */
template <int N, class real>
static __device__ __forceinline__ void push_forward(double factor, const double *y, const double *R, real *L)
{
    double Y[N * N];
    skew_matrix<N>(1, y, Y);
#pragma unroll
    for (int i = 0; i < N; i++)
#pragma unroll
        for (int j = 0; j < N; j++) {
            double sum = 0;
#pragma unroll
            for (int k = 0; k < N; k++)
                if (k != i)
                    sum += Y[i * N + k] * R[k * N + j];
            L[i * N + j] = (real)(factor * sum);
        }
}

template <int N, class real>
static __global__ void __launch_bounds__(tray<real, N>::BLOCK)
closed_jvp_kernel(int64_t batch, const real *A, const real *E, real *R, real *L, int *outcome)
{
    typedef tray<real, N> tray;
    tray t(shared_memory, 0), directions(shared_memory, 1);
    tray::each_block(batch, [&](int64_t at, int count) {
        t.load(A + at, count);
        directions.load(E + at, count);
        __syncthreads();
        if ((int)threadIdx.x < count) {
            real x[tray::SIZE];
            double a[tray::SIZE], m[tray::SIZE], y[tray::SIZE], r[tray::SIZE];
            t.get(x);
            bool bad = upper_triangle<N>(x, a);
            directions.get(x);
            bad |= upper_triangle<N>(x, m);
            scale_pair scale = scale_to_range<N * (N - 1) / 2>(m);
#pragma unroll
            for (int k = 0; k < N * (N - 1) / 2; k++)
                m[k] *= scale.factor;
            closed_form<N, real>::differential(a, m, y);
            closed_form<N, real>::map(a, r);
            push_forward<N>(scale.back, y, r, x);
            put_or_spoil(directions, x, bad, outcome);
#pragma unroll
            for (int k = 0; k < tray::SIZE; k++)
                x[k] = (real)r[k];
            put_or_spoil(t, x, bad, outcome);
        }
        __syncthreads();
        t.store(R + at, count);
        directions.store(L + at, count);
    });
}

/* kernel(batch, pointers .., outcome), with so many trays. */
template <class Tray, class... P, class... Q>
static so_status launch_on_trays(so_ctx *ctx, void (*kernel)(int64_t, P...), int trays, int64_t batch, Q... pointers)
{
    unsigned blocks = blocks_for((batch + Tray::MATRICES - 1) / Tray::MATRICES);
    return launch(ctx, kernel, blocks, Tray::BLOCK, (size_t)(trays * Tray::BYTES), batch, pointers..., cuda_of(ctx)->device_outcome);
}

static so_status map(so_ctx *ctx, int n, int64_t batch, const real *A, real *R)
{
    if (n == 2)
        return launch_on_trays<tray<real, 2>>(ctx, closed_map_kernel<2, real>, 1, batch, A, R);
    if (n == 3)
        return launch_on_trays<tray<real, 3>>(ctx, closed_map_kernel<3, real>, 1, batch, A, R);
    return launch_on_trays<tray<real, 4>>(ctx, closed_map_kernel<4, real>, 1, batch, A, R);
}

static so_status vjp(so_ctx *ctx, int n, int64_t batch, const real *A, const real *R, const real *dR, real *dA)
{
    if (n == 2)
        return launch_on_trays<tray<real, 2>>(ctx, closed_vjp_kernel<2, real>, 3, batch, A, R, dR, dA);
    if (n == 3)
        return launch_on_trays<tray<real, 3>>(ctx, closed_vjp_kernel<3, real>, 3, batch, A, R, dR, dA);
    return launch_on_trays<tray<real, 4>>(ctx, closed_vjp_kernel<4, real>, 3, batch, A, R, dR, dA);
}

static so_status jvp(so_ctx *ctx, int n, int64_t batch, const real *A, const real *E, real *R, real *L)
{
    if (n == 2)
        return launch_on_trays<tray<real, 2>>(ctx, closed_jvp_kernel<2, real>, 2, batch, A, E, R, L);
    if (n == 3)
        return launch_on_trays<tray<real, 3>>(ctx, closed_jvp_kernel<3, real>, 2, batch, A, E, R, L);
    return launch_on_trays<tray<real, 4>>(ctx, closed_jvp_kernel<4, real>, 2, batch, A, E, R, L);
}

const SO_(cuda_method) SO_(cuda_closed_form) = {map, vjp, jvp};
