/* closed_form.cu: so_exp and its derivatives for n = 2, 3, 4 in closed form, a matrix per thread.
 *
 * In f64 inside for both types. On devices whose f64 rate is half that of f32 this stays below the time of the memory traffic:
 * the forward map of order 3 in f32 takes about 130 operations for 72 bytes, the gradient 200 for 144 (estimates).
 * SPDX-License-Identifier: MIT */
#include "closed_form_batch.cuh"
#include "maps.cuh"

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
            real x[tray::SIZE];
            t.get(x);
            bool bad = skew_gradient<N>(rotations, gradients, x);
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

static so_status map(so_ctx *ctx, int n, int64_t batch, const real *A, real *R)
{
    if (n == 2)
        return launch_on_trays<tray<real, 2>>(ctx, closed_map_kernel<2, real, on_tray<real>>, 1, batch, on_tray<real>{A}, R);
    if (n == 3)
        return launch_on_trays<tray<real, 3>>(ctx, closed_map_kernel<3, real, on_tray<real>>, 1, batch, on_tray<real>{A}, R);
    return launch_on_trays<tray<real, 4>>(ctx, closed_map_kernel<4, real, on_tray<real>>, 1, batch, on_tray<real>{A}, R);
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
