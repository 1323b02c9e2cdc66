/* block.cuh: a block of threads and its matrix in global memory, of any order, dense and row-major.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_BLOCK_CUH
#define SO_KERNELS_BLOCK_CUH

#include "device.cuh"
#include "reduce.cuh"
#include "tile.cuh"

/* f(e) for e = 0 .. n n - 1, shared among the threads of the block. */
template <class F> __device__ __forceinline__ void each_entry(int n, F f)
{
    for (int e = (int)threadIdx.x; e < n * n; e += (int)blockDim.x)
        f(e);
}

/* Over the threads of a block, in a fixed order, the same bits in each. */
static __device__ inline double block_sum(double x)
{
    return reduce_block(x, (double *)shared_memory, [](double a, double b) { return a + b; });
}

static __device__ inline double block_largest(double x)
{
    return reduce_block(x, (double *)shared_memory, [](double a, double b) { return fmax(a, b); });
}

/* Entry (i, j) of the skew matrix of which X holds the strict upper triangle, row by row. */
template <class real> __device__ __forceinline__ real skew_entry(int n, const real *X, int i, int j)
{
    return i < j ? X[(int64_t)i * n + j] : i > j ? -X[(int64_t)j * n + i] : (real)0;
}

/* The largest entry in size of what the block reads, and whether all are finite; SKEW: the strict upper triangle. */
struct extent {
    double largest;
    bool bad;
};

template <bool SKEW, class real> __device__ extent extent_of(int n, const real *X)
{
    double largest = 0;
    bool bad = false;
    each_entry(n, [&](int e) {
        if (SKEW && e / n >= e % n)
            return;
        bad |= !is_finite(X[e]);
        largest = fmax(largest, fabs((double)X[e]));
    });
    bad = (bool)__syncthreads_or(bad);
    return {block_largest(largest), bad};
}

/* The exponent that brings the largest entry to [1, 2), within what 2^exponent and 2^-exponent allow. */
static __device__ inline int exponent_of(double largest)
{
    int exponent = 1;
    if (largest > 0)
        frexp(largest, &exponent);
    return exponent < -1000 ? -1001 : exponent - 1;
}

/* ---- Products ---- */

/* R = P Q or P Q^T: tiles of 4 x 4 in registers, factors through the first cache. R is neither P nor Q. */
template <bool TRANSPOSED, class real> static __device__ void product(int n, const real *P, const real *Q, real *R)
{
    const int tiles = (n + 3) / 4;
    for (int t = (int)threadIdx.x; t < tiles * tiles; t += (int)blockDim.x) {
        const int i = t / tiles * 4, j = t % tiles * 4;
        total<real> sum(i, j);
        int64_t row[4], column[4];
#pragma unroll
        for (int c = 0; c < 4; c++) {
            row[c] = (int64_t)(i + c < n ? i + c : n - 1) * n;
            column[c] = TRANSPOSED ? (int64_t)(j + c < n ? j + c : n - 1) * n : j + c < n ? j + c : n - 1;
        }
        for (int first = 0; first < n; first += RUN) {
            const int end = first + RUN < n ? first + RUN : n;
            tile<real, 4> part = {i, j};
            for (int k = first; k < end; k++) {
                quad<real> p, q;
#pragma unroll
                for (int c = 0; c < 4; c++) {
                    p.x[c] = P[row[c] + k];
                    q.x[c] = TRANSPOSED ? Q[column[c] + k] : Q[column[c] + (int64_t)k * n];
                }
                add_outer(p, q, part);
            }
            add_rows(sum.x, 0, part);
            sum.end_run();
        }
        const tile<real, 4> &x = sum.sum();
#pragma unroll
        for (int r = 0; r < 4; r++)
#pragma unroll
            for (int c = 0; c < 4; c++)
                if (i + r < n && j + c < n)
                    R[row[r] + j + c] = x.row[r].x[c];
    }
    __syncthreads();
}

/* E <- E - (E E^T - I) E / 2, if the defect is above the rounding. D, F: scratch. */
template <class real> static __device__ void orthogonalize(int n, real *E, real *D, real *F)
{
    double squares = 0;
    product<true>(n, E, E, D);
    each_entry(n, [&](int e) {
        D[e] -= (real)(e % (n + 1) == 0);
        squares += (double)D[e] * (double)D[e];
    });
    if (!(block_sum(squares) > 4.0 * n * limits<real>::u * limits<real>::u))
        return;
    product<false>(n, D, E, F);
    each_entry(n, [&](int e) { E[e] -= F[e] * (real)0.5; });
    __syncthreads();
}

#endif
