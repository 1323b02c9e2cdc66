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

#include "device.cuh"
#include "matrices.cuh"
#include "scaling.cuh"

/* One thread of a team reports what its matrix has met. */
template <class Team> __device__ __forceinline__ void report(const Team &t, bool bad, int what, int *outcome)
{
    if (bad && t.thread == 0)
        outcome[what] = 1;
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
__global__ void __launch_bounds__(Team::BLOCK, 1)
map_kernel(int n, int64_t batch, Batch A, typename Team::real *R, int *outcome)
{
    Team t(shared_memory, Method::MAP_MATRICES);
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
    t.transpose(t.matrix(2), t.matrix(4));
    t.product(t.matrix(4), t.matrix(3), t.matrix(5));
    t.skew_part(t.matrix(5), t.matrix(1));
    *bad |= load_skew(t, n, A, t.matrix(0));
    typename Team::real *result = Method::differential(t);
    scale_back(t, exponent, result);
    return result;
}

template <class Method, class Team>
__global__ void __launch_bounds__(Team::BLOCK, 1)
vjp_kernel(int n, int64_t batch, const typename Team::real *A, const typename Team::real *R, const typename Team::real *dR,
           typename Team::real *dA, int *outcome)
{
    typedef typename Team::real real;
    Team t(shared_memory, Method::DIFFERENTIAL_MATRICES);
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
__global__ void __launch_bounds__(Team::BLOCK, 1)
jvp_kernel(int n, int64_t batch, const typename Team::real *A, const typename Team::real *E, typename Team::real *R,
           typename Team::real *L, int *outcome)
{
    Team t(shared_memory, Method::DIFFERENTIAL_MATRICES);
    for (int64_t first = (int64_t)blockIdx.x * Team::TEAMS; first < batch; first += (int64_t)gridDim.x * Team::TEAMS) {
        int64_t b = first + t.index;
        bool bad = load_skew(t, n, stored<typename Team::real>{matrix_of(E, n, b, batch)}, t.matrix(1));
        bad |= load_skew(t, n, stored<typename Team::real>{matrix_of(A, n, b, batch)}, t.matrix(0));
        int exponent = scale_to_unit(t, t.matrix(1));
        if constexpr (Method::NEEDS_ROTATION)
            load_matrix(t, n, matrix_of(R, n, b, batch), t.matrix(2));
        typename Team::real *Y = Method::differential(t);
        typename Team::real *result = Y == t.matrix(0) ? t.matrix(2) : t.matrix(0), *rotation = Y == t.matrix(1) ? t.matrix(3) : t.matrix(1);
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

/* The team that works on matrices of order <= N. Derivatives hold twice as much, so they share it among more threads. */
template <class real, int N, bool DERIVATIVE> struct team_for;
template <bool DERIVATIVE> struct team_for<float, 8, DERIVATIVE> : team<float, 8, 4> { using team<float, 8, 4>::team; };
template <bool DERIVATIVE> struct team_for<float, 16, DERIVATIVE> : team<float, 16, 16> { using team<float, 16, 16>::team; };
template <bool DERIVATIVE> struct team_for<float, 32, DERIVATIVE> : team<float, 32, 32> { using team<float, 32, 32>::team; };
template <> struct team_for<float, 64, false> : team<float, 64, 128> { using team<float, 64, 128>::team; };
template <> struct team_for<float, 64, true> : team<float, 64, 256> { using team<float, 64, 256>::team; };
template <> struct team_for<double, 8, false> : team<double, 8, 4> { using team<double, 8, 4>::team; };
template <> struct team_for<double, 8, true> : team<double, 8, 8> { using team<double, 8, 8>::team; };
template <> struct team_for<double, 16, false> : team<double, 16, 16> { using team<double, 16, 16>::team; };
template <> struct team_for<double, 16, true> : team<double, 16, 32> { using team<double, 16, 32>::team; };
template <bool DERIVATIVE> struct team_for<double, 32, DERIVATIVE> : team<double, 32, 64> { using team<double, 32, 64>::team; };
template <> struct team_for<double, 64, false> : team<double, 64, 256> { using team<double, 64, 256>::team; };

/* Orders up to this are worked on by teams. */
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

template <class Method, class real, class Batch> so_status map_in_teams(so_ctx *ctx, int n, int64_t batch, const Batch &A, real *R)
{
    return with_team<real, false>(n, [&](auto *which) {
        typedef std::remove_pointer_t<decltype(which)> Team;
        return launch(ctx, map_kernel<Method, Team, Batch>, blocks_of<Team>(batch), Team::BLOCK, Team::bytes(Method::MAP_MATRICES), n, batch,
                      A, R, cuda_of(ctx)->device_outcome);
    });
}

template <class Method, class real>
so_status vjp_in_teams(so_ctx *ctx, int n, int64_t batch, const real *A, const real *R, const real *dR, real *dA)
{
    return with_team<real, true>(n, [&](auto *which) {
        typedef std::remove_pointer_t<decltype(which)> Team;
        return launch(ctx, vjp_kernel<Method, Team>, blocks_of<Team>(batch), Team::BLOCK, Team::bytes(Method::DIFFERENTIAL_MATRICES),
                      n, batch, A, R, dR, dA, cuda_of(ctx)->device_outcome);
    });
}

/* R has been computed. */
template <class Method, class real>
so_status jvp_in_teams(so_ctx *ctx, int n, int64_t batch, const real *A, const real *E, real *R, real *L)
{
    return with_team<real, true>(n, [&](auto *which) {
        typedef std::remove_pointer_t<decltype(which)> Team;
        return launch(ctx, jvp_kernel<Method, Team>, blocks_of<Team>(batch), Team::BLOCK, Team::bytes(Method::DIFFERENTIAL_MATRICES),
                      n, batch, A, E, R, L, cuda_of(ctx)->device_outcome);
    });
}

#endif
