/* batch.cuh: a map and its derivatives over a batch, for any method that works on a team.
 *
 * struct METHOD {
 *     MAP_MATRICES, DIFFERENTIAL_MATRICES      matrices that a team needs, >= 1 and >= 6
 *     NEEDS_ROTATION                           differential(t) finds R in matrix 2, which it may destroy
 *     real *map(t)                             of matrix 0, skew, which is destroyed; returns where the result stands
 *     real *differential(t)                    of the map at matrix 0 in the direction of matrix 1, both skew and destroyed, times R^T
 * };
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_BATCH_CUH
#define SO_KERNELS_BATCH_CUH

#include <type_traits>

#include "matrices.cuh"
#include "outcome.cuh"
#include "scaling.cuh"
#include "wide.cuh"

/* One thread of a team reports what its matrix has met. */
template <class Team> __device__ __forceinline__ void report(const Team &t, bool bad, int what, int *outcome)
{
    if (bad && t.thread == 0)
        report_outcome(outcome, what);
}

/* Matrix b of X, or NULL beyond the end of the batch, where a team goes along with zeros. */
template <class real> __device__ __forceinline__ real *matrix_of(real *X, int n, int64_t b, int64_t batch)
{
    return b < batch ? X + b * n * n : NULL;
}

/* A batch in memory. Matrix b of what else is a batch of matrices is found by the same function (encode.cuh). */
template <class real> struct stored_batch {
    const real *X;

    __device__ __forceinline__ stored<real> matrix(int n, int64_t b, int64_t batch) const
    {
        return {matrix_of(X, n, b, batch)};
    }
};

template <class Method, class Team, class Batch>
__global__ void __launch_bounds__(Team::BLOCK, Team::RESIDENT)
map_kernel(int n, int64_t batch, Batch A, typename Team::real *R, int *outcome,
           typename Team::real *workspace)
{
    Team t = Team::here(shared_memory, Method::MAP_MATRICES, n, workspace);
    for (int64_t first = (int64_t)blockIdx.x * Team::TEAMS; first < batch; first += (int64_t)gridDim.x * Team::TEAMS) {
        int64_t b = first + t.index;
        bool bad = load_skew(t, n, A.matrix(n, b, batch), t.matrix(0));
        typename Team::real *result = Method::map(t);
        store_matrix(t, n, result, bad, matrix_of(R, n, b, batch));
        report(t, bad, OUTCOME_NONFINITE, outcome);
        t.sync();
    }
}

/* The skew gradient at A of the loss whose gradient at R is dR; returns where it stands. bad: has anything been not finite? */
template <class Method, class Team, class Matrix>
__device__ typename Team::real *gradient(const Team &t, int n, const Matrix &A, const typename Team::real *R,
                                         const typename Team::real *dR, bool *bad)
{
    *bad = load_matrix(t, n, R, t.matrix(2));
    *bad |= load_matrix(t, n, dR, t.matrix(3));
    int exponent = scale_to_unit(t, t.matrix(3));
    const typename Team::real half = (typename Team::real)0.5;
    t.template lower_pair<-1>(t.matrix(2), t.matrix(3), [&](const auto &v) { put_skew(t, half, v, t.matrix(1)); });
    *bad |= load_skew(t, n, A, t.matrix(0));
    typename Team::real *result = Method::differential(t);
    scale_back(t, exponent, result);
    return result;
}

template <class Method, class Team>
__global__ void __launch_bounds__(Team::BLOCK, Team::RESIDENT)
vjp_kernel(int n, int64_t batch, const typename Team::real *A, const typename Team::real *R, const typename Team::real *dR,
           typename Team::real *dA, int *outcome,
           typename Team::real *workspace)
{
    typedef typename Team::real real;
    Team t = Team::here(shared_memory, Method::DIFFERENTIAL_MATRICES, n, workspace);
    for (int64_t first = (int64_t)blockIdx.x * Team::TEAMS; first < batch; first += (int64_t)gridDim.x * Team::TEAMS) {
        int64_t b = first + t.index;
        bool bad;
        real *result = gradient<Method>(t, n, stored<real>{matrix_of(A, n, b, batch)}, matrix_of(R, n, b, batch),
                                        matrix_of(dR, n, b, batch), &bad);
        store_matrix(t, n, result, bad, matrix_of(dA, n, b, batch));
        report(t, bad, OUTCOME_NONFINITE, outcome);
        t.sync();
    }
}

/* After map_kernel: L from A, E and R. R, in which a bad matrix is NaN already, also tells that A was bad. */
template <class Method, class Team>
__global__ void __launch_bounds__(Team::BLOCK, Team::RESIDENT)
jvp_kernel(int n, int64_t batch, const typename Team::real *A, const typename Team::real *E, typename Team::real *R,
           typename Team::real *L, int *outcome,
           typename Team::real *workspace)
{
    Team t = Team::here(shared_memory, Method::DIFFERENTIAL_MATRICES, n, workspace);
    for (int64_t first = (int64_t)blockIdx.x * Team::TEAMS; first < batch; first += (int64_t)gridDim.x * Team::TEAMS) {
        int64_t b = first + t.index;
        bool bad = load_skew(t, n, stored<typename Team::real>{matrix_of(E, n, b, batch)}, t.matrix(1));
        bad |= load_skew(t, n, stored<typename Team::real>{matrix_of(A, n, b, batch)}, t.matrix(0));
        int exponent = scale_to_unit(t, t.matrix(1));
        if constexpr (Method::NEEDS_ROTATION)
            load_matrix(t, n, matrix_of(R, n, b, batch), t.matrix(2));
        typename Team::real *Y = Method::differential(t);
        typename Team::real *result = Y == t.matrix(0) ? t.matrix(2) : t.matrix(0);
        typename Team::real *rotation = Y == t.matrix(1) ? t.matrix(3) : t.matrix(1);
        load_matrix(t, n, matrix_of(R, n, b, batch), rotation);
        t.product(Y, rotation, result);
        scale_back(t, exponent, result);
        store_matrix(t, n, result, bad, matrix_of(L, n, b, batch));
        if (bad) /* E alone may be bad */
            store_matrix(t, n, result, bad, matrix_of(R, n, b, batch));
        report(t, bad, OUTCOME_NONFINITE, outcome);
        t.sync();
    }
}

/* ---- Which team ----
 *
 * Threads of a team for matrices of order <= N. A multiprocessor of an H200 has 228 KiB of shared memory; every block takes 1 KiB
 * besides what it asks for. A team has 6 matrices for the map and 12 for a derivative. KiB of a team, and warps that fit by shared
 * memory; by registers (64K; make kernel-report) as many, but 12 for the map in f64 up to 8; not measured:
 *
 *                map                     derivative
 *                threads   KiB  warps    threads   KiB  warps
 *     f32    8         4   2.3     12          8   4.5     12
 *           16        16   7.5     14         16    15      6
 *           32        32    27      8         64    54      8
 *           64       128   102      8        256   204      8
 *     f64    8         8   3.8     14          8   7.5      6
 *           16        16  13.5      8         32    27      8
 *           32        64    51      8        128   102      8
 *           64       256   198      8             wide
 *
 * Larger tiles read less shared memory for each multiplication, more warps hide more of the latency. */
template <class real, int N, bool DERIVATIVE>
constexpr int team_threads = sizeof(real) == sizeof(float) ? (N == 8    ? (DERIVATIVE ? 8 : 4)
                                                              : N == 16 ? 16
                                                              : N == 32 ? (DERIVATIVE ? 64 : 32)
                                                                        : (DERIVATIVE ? 256 : 128))
                                                           : (N == 8    ? 8
                                                              : N == 16 ? (DERIVATIVE ? 32 : 16)
                                                              : N == 32 ? (DERIVATIVE ? 128 : 64)
                                                                        : 256);
template <class real, int N, bool DERIVATIVE> using team_for = team<real, N, team_threads<real, N, DERIVATIVE>>;

/* The largest order for which there are teams; a device may lack the shared memory for it (fits_team). */
template <class real, bool DERIVATIVE> constexpr int largest_in_team = sizeof(real) == sizeof(double) && DERIVATIVE ? 32 : 64;

template <class Team> unsigned blocks_of(int64_t batch)
{
    return blocks_for((batch + Team::TEAMS - 1) / Team::TEAMS);
}

/* Calls f(team) with the team for order n, n <= largest_in_team. */
template <class real, bool DERIVATIVE, class F> so_status with_team(int n, F f)
{
    if (n <= 8)
        return f((team_for<real, 8, DERIVATIVE> *)NULL);
    if (n <= 16)
        return f((team_for<real, 16, DERIVATIVE> *)NULL);
    if (n <= 32)
        return f((team_for<real, 32, DERIVATIVE> *)NULL);
    if constexpr (largest_in_team<real, DERIVATIVE> >= 64)
        return f((team_for<real, 64, DERIVATIVE> *)NULL);
    return SO_EDEVICE;
}

/* Has the device the shared memory for teams with so many matrices of order n? */
template <class real, bool DERIVATIVE> bool fits_team(const so_ctx *ctx, int n, int matrices)
{
    return n <= largest_in_team<real, DERIVATIVE> && with_team<real, DERIVATIVE>(n, [&](auto *which) {
               typedef std::remove_pointer_t<decltype(which)> Team;
               return Team::bytes(matrices) <= (size_t)cuda_of(ctx)->block_bytes ? SO_OK : SO_EDEVICE;
           }) == SO_OK;
}

/* Blocks of a wide launch: as many as the device works on at a time, as long as their matrices take at most 4 GiB together. */
template <class real> unsigned wide_blocks(const so_ctx *ctx, int n, int64_t batch, int matrices)
{
    const size_t each = wide_team<real>::elements(n, matrices) * sizeof(real), most = ((size_t)4 << 30) / each;
    int64_t blocks = (int64_t)cuda_of(ctx)->multiprocessors * wide_team<real>::RESIDENT;
    blocks = blocks < batch ? blocks : batch;
    return most < 1 ? 1 : (size_t)blocks < most ? (unsigned)blocks : (unsigned)most;
}

/* f(team, blocks, shared memory of a block, workspace) with the team for this call. */
template <class real, bool DERIVATIVE, class F> so_status on_teams(so_ctx *ctx, int n, int64_t batch, int matrices, F f)
{
    if (fits_team<real, DERIVATIVE>(ctx, n, matrices))
        return with_team<real, DERIVATIVE>(n, [&](auto *which) {
            typedef std::remove_pointer_t<decltype(which)> Team;
            return f(which, blocks_of<Team>(batch), Team::bytes(matrices), (real *)NULL);
        });
    typedef wide_team<real> Team;
    const unsigned blocks = wide_blocks<real>(ctx, n, batch, matrices);
    void *workspace;
    so_status status = so_ctx_reserve(ctx, blocks * Team::elements(n, matrices), sizeof(real), &workspace);
    return status == SO_OK ? f((Team *)NULL, blocks, Team::bytes(matrices), (real *)workspace) : status;
}

template <class Method, class real, class Batch>
so_status map_in_teams(so_ctx *ctx, int n, int64_t batch, const Batch &A, real *R)
{
    const int matrices = Method::MAP_MATRICES;
    return on_teams<real, false>(ctx, n, batch, matrices, [&](auto *which, unsigned blocks, size_t shared, real *work) {
        typedef std::remove_pointer_t<decltype(which)> Team;
        return launch(ctx, map_kernel<Method, Team, Batch>, blocks, Team::BLOCK, shared, n, batch, A, R,
                      cuda_of(ctx)->device_outcome, work);
    });
}

template <class Method, class real>
so_status vjp_in_teams(so_ctx *ctx, int n, int64_t batch, const real *A, const real *R, const real *dR, real *dA)
{
    const int matrices = Method::DIFFERENTIAL_MATRICES;
    return on_teams<real, true>(ctx, n, batch, matrices, [&](auto *which, unsigned blocks, size_t shared, real *work) {
        typedef std::remove_pointer_t<decltype(which)> Team;
        return launch(ctx, vjp_kernel<Method, Team>, blocks, Team::BLOCK, shared, n, batch, A, R, dR, dA,
                      cuda_of(ctx)->device_outcome, work);
    });
}

/* R has been computed. */
template <class Method, class real>
so_status jvp_in_teams(so_ctx *ctx, int n, int64_t batch, const real *A, const real *E, real *R, real *L)
{
    const int matrices = Method::DIFFERENTIAL_MATRICES;
    return on_teams<real, true>(ctx, n, batch, matrices, [&](auto *which, unsigned blocks, size_t shared, real *work) {
        typedef std::remove_pointer_t<decltype(which)> Team;
        return launch(ctx, jvp_kernel<Method, Team>, blocks, Team::BLOCK, shared, n, batch, A, E, R, L,
                      cuda_of(ctx)->device_outcome, work);
    });
}

/* The three functions of a method (maps.cuh). */
template <class Method, class real> struct method_in_teams {
    static so_status map(so_ctx *ctx, int n, int64_t batch, const real *A, real *R)
    {
        return map_in_teams<Method>(ctx, n, batch, stored_batch<real>{A}, R);
    }

    static so_status vjp(so_ctx *ctx, int n, int64_t batch, const real *A, const real *R, const real *dR, real *dA)
    {
        return vjp_in_teams<Method>(ctx, n, batch, A, R, dR, dA);
    }

    static so_status jvp(so_ctx *ctx, int n, int64_t batch, const real *A, const real *E, real *R, real *L)
    {
        so_status status = map(ctx, n, batch, A, R);
        return status == SO_OK ? jvp_in_teams<Method>(ctx, n, batch, A, E, R, L) : status;
    }
};

#endif
