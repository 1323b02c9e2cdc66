/* matrices.cuh: between the caller's matrices in global memory and those of a team.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_MATRICES_CUH
#define SO_KERNELS_MATRICES_CUH

#include "team.cuh"

/* f(i, j, q) for every quad of the n x n matrix X, if its rows allow it, else f(i, j, q, count) entry by entry. X NULL: zeros. */
template <class Team, class F> __device__ __forceinline__ void each_of(const Team &t, int n, const typename Team::real *X, F f)
{
    typedef typename Team::real real;
    if (n % 4 == 0 && (size_t)X % 16 == 0) {
        for (int q = t.thread; q < n * n / 4; q += Team::THREADS) {
            quad<real> x = {};
            if (X)
                x = load_quad(X + q * 4);
            int i = q * 4 / n, j = q * 4 % n;
#pragma unroll
            for (int c = 0; c < 4; c++)
                f(i, j + c, x.x[c]);
        }
    } else {
        for (int e = t.thread; e < n * n; e += Team::THREADS)
            f(e / n, e % n, X ? X[e] : (real)0);
    }
}

template <class Team> __device__ void clear(const Team &t, typename Team::real *M)
{
    t.each_quad([&](int at, int, int) { store_quad(M + at, quad<typename Team::real>{}); });
}

/* M <- U - U^T, U the strict upper triangle of X; what is not finite becomes 0. Returns whether anything was, to the whole team. */
template <class Team> __device__ bool load_skew(const Team &t, int n, const typename Team::real *X, typename Team::real *M)
{
    typedef typename Team::real real;
    bool bad = false;
    clear(t, M);
    each_of(t, n, X, [&](int i, int j, real x) {
        if (i >= j)
            return;
        bad |= !is_finite(x);
        x = is_finite(x) ? x : (real)0;
        M[i * Team::STRIDE + j] = x;
        M[j * Team::STRIDE + i] = -x;
    });
    t.sync();
    return t.some(bad);
}

/* M <- X, in the same way. */
template <class Team> __device__ bool load_matrix(const Team &t, int n, const typename Team::real *X, typename Team::real *M)
{
    typedef typename Team::real real;
    bool bad = false;
    clear(t, M);
    each_of(t, n, X, [&](int i, int j, real x) {
        bad |= !is_finite(x);
        M[i * Team::STRIDE + j] = is_finite(x) ? x : (real)0;
    });
    t.sync();
    return t.some(bad);
}

/* X <- M, or NaN everywhere. Ends without sync(). X NULL: nothing. */
template <class Team>
__device__ void store_matrix(const Team &t, int n, const typename Team::real *M, bool bad, typename Team::real *X)
{
    typedef typename Team::real real;
    if (!X)
        return;
    if (n % 4 == 0 && (size_t)X % 16 == 0) {
        for (int q = t.thread; q < n * n / 4; q += Team::THREADS) {
            quad<real> x = load_quad(M + q * 4 / n * Team::STRIDE + q * 4 % n);
            if (bad)
                x = {not_a_number<real>(), not_a_number<real>(), not_a_number<real>(), not_a_number<real>()};
            store_quad(X + q * 4, x);
        }
    } else {
        for (int e = t.thread; e < n * n; e += Team::THREADS)
            X[e] = bad ? not_a_number<real>() : M[e / n * Team::STRIDE + e % n];
    }
}

#endif
