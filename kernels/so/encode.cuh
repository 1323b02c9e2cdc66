/* encode.cuh: the gradients of an encoding on teams.
 *
 * A team takes a run of tokens of one generator and adds position * dA to the run's sums, which it alone reads and writes, in the
 * order of the tokens; the sums of the runs are added in their order afterwards. How tokens are cut into runs depends on nothing
 * but their number and that of the dimensions, so the bits do not depend on the launch.
 *
 * Estimate for an H200 (132 multiprocessors of 128 fma per cycle in f32, 4.8 TB/s), two dimensions, 65 tokens; not measured:
 *   LieRE-64, 144 generators = 9,360 matrices of order 64. Memory: R and dR once, 0.31 GB = 64 us; sums of 9 runs per generator,
 *   42 MB, written and read, 18 us; sums in progress pass through L2, 64 kB per matrix against some 2^23 fma = 2^16 cycles of its
 *   team: below a fiftieth. The map: R, 0.15 GB = 32 us. What counts are the products: 2.4 ms at the peak (expected.md). 1,296
 *   runs of 7 or 8 tokens on 132 multiprocessors leave 2 % idle.
 *   LieRE-8, 1,152 generators = 74,880 matrices of order 8: R 19 MB, backward 38 MB = 12 us in all, sums in L1.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_ENCODE_CUH
#define SO_KERNELS_ENCODE_CUH

#include "batch.cuh"
#include "jobs.cuh"
#include "pencil.cuh"

/* ---- Runs of tokens ------------------------------------------------------------------------------------------------------- */

/* Runs of 8 to 64 tokens, or of 4 dims so that the sums of several runs take at most half as many matrices as R has. They differ
 * in length by one at most, since teams of a warp go along with the longest. */
static inline int64_t runs_of(int64_t tokens, int dims)
{
    int64_t length = tokens / 32 < 8 ? 8 : tokens / 32 > 64 ? 64 : tokens / 32;
    length = length < 4 * dims ? 4 * dims : length;
    return (tokens + length - 1) / length;
}

__device__ __forceinline__ int64_t run_begin(int64_t k, int64_t runs, int64_t tokens)
{
    int64_t longer = tokens % runs;
    return k * (tokens / runs) + (k < longer ? k : longer);
}

/* Rows of the sums in progress are padded to whole quads. */
__host__ __device__ __forceinline__ int64_t padded_row(int n)
{
    return (n + 3) / 4 * 4;
}

/* ---- Sums of one token ---------------------------------------------------------------------------------------------------- */

/* f(k, at, i, j) for the quads of a matrix that a thread has, k < ROWS. */
template <class Team, class F> __device__ __forceinline__ void own_quads(const Team &t, int n, F f)
{
#pragma unroll
    for (int k = 0; k < Team::ROWS; k++) {
        int q = t.thread + Team::THREADS * k, i = q / (Team::N / 4), j = q % (Team::N / 4) * 4;
        if (i < n && j < n)
            f(k, i * Team::STRIDE + j, i, j);
    }
}

/* sum (+)= factor dA; `begins`: the first of its run. Loads come first, so that they wait together. */
template <class Team>
__device__ void add_scaled(const Team &t, int n, const typename Team::real *dA, typename Team::real factor, bool begins,
                           typename Team::real *sum)
{
    typedef typename Team::real real;
    const int64_t row = padded_row(n);
    quad<real> s[Team::ROWS] = {};
    if (!begins)
        own_quads(t, n, [&](int k, int, int i, int j) { s[k] = load_quad(sum + i * row + j); });
    own_quads(t, n, [&](int k, int at, int i, int j) {
        quad<real> y = load_quad(dA + at);
#pragma unroll
        for (int c = 0; c < 4; c++)
            s[k].x[c] = fma(factor, y.x[c], s[k].x[c]);
        store_quad(sum + i * row + j, s[k]);
    });
}

/* <dA, G> = 2 sum_{i<j} dA_ij G_ij, the same bits wherever G stands. */
template <class Team>
__device__ typename Team::real inner_product(const Team &t, int n, const typename Team::real *dA, const typename Team::real *G)
{
    typedef typename Team::real real;
    real sum = 0;
    own_quads(t, n, [&](int, int at, int i, int j) {
#pragma unroll
        for (int c = 0; c < 4; c++)
            if (i < j + c && j + c < n)
                sum = fma(2 * G[i * n + j + c], dA[at + c], sum);
    });
    return t.sum(sum);
}

/* ---- The backward --------------------------------------------------------------------------------------------------------- */

/* sums: (groups, runs, dims, tile, padded_row(tile)); along: (groups, tokens, dims), <dA, generator>, or NULL. */
template <class Method, class Team>
__global__ void __launch_bounds__(Team::BLOCK, 1)
encode_vjp_kernel(int n, unsigned groups, unsigned runs, int longest, pencil<typename Team::real> A, const typename Team::real *R,
                  const typename Team::real *dR, typename Team::real *sums, typename Team::real *along, int *outcome)
{
    typedef typename Team::real real;
    Team t(shared_memory, Method::DIFFERENTIAL_MATRICES, n);
    const unsigned run = blockIdx.x * Team::TEAMS + t.index, g = run / runs, k = run % runs;
    const int64_t size = n * padded_row(n), begin = run_begin(k, runs, A.tokens);
    const int length = g < groups ? (int)(run_begin(k + 1, runs, A.tokens) - begin) : 0;
    for (int step = 0; step < longest; step++) {
        /* A team without a token goes along with the first one, as if of order 0. That orders depend on the step also keeps the
         * compiler from holding addresses from step to step in registers, of which there are not enough. */
        const bool mine = step < length;
        const int order = mine ? n : 0;
        const int64_t group = mine ? g : 0, at = mine ? begin + step : 0, b = group * A.tokens + at;
        const token_matrix<real> token = A.token(n, group, at);
        bool bad;
        const real *dA = gradient<Method>(t, order, token, R + b * n * n, dR + b * n * n, &bad);
        for (int d = 0; d < A.dims; d++) {
            const real factor = bad ? not_a_number<real>() : token.position[d];
            add_scaled(t, order, dA, factor, step == 0, sums + ((int64_t)run * A.dims + d) * size);
            if (along) {
                const real x = inner_product(t, order, dA, token.generator + d * token.size());
                if (mine && t.thread == 0)
                    along[b * A.dims + d] = bad ? not_a_number<real>() : x;
            }
        }
        report(t, bad, OUTCOME_NONFINITE, outcome);
        t.sync();
    }
}

/* dgenerator[g][d] = the sums of its runs in their order, one thread for each number. */
template <class real>
__global__ void add_runs_kernel(int n, int64_t groups, int64_t runs, int dims, const real *sums, real *dgenerator)
{
    const int64_t generator = (int64_t)dims * n * n, rows = (int64_t)dims * n, padded = rows * padded_row(n);
    for (int64_t k = first_job(); k < groups * generator; k += jobs_apart()) {
        int64_t g = k / generator, e = k % generator;
        const real *from = sums + g * runs * padded + e / n * padded_row(n) + e % n;
        real sum = 0;
        for (int64_t r = 0; r < runs; r++)
            sum += from[r * padded];
        dgenerator[k] = sum;
    }
}

/* dposition = the sum over groups of `along`, in their order. */
template <class real> __global__ void add_groups_kernel(int64_t groups, int64_t positions, const real *along, real *dposition)
{
    for (int64_t k = first_job(); k < positions; k += jobs_apart()) {
        real sum = 0;
        for (int64_t g = 0; g < groups; g++)
            sum += along[g * positions + k];
        dposition[k] = sum;
    }
}

#endif
