/* matrices.cuh: between the caller's matrices in global memory and those of a team.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_MATRICES_CUH
#define SO_KERNELS_MATRICES_CUH

#include "team.cuh"

/* A matrix of n x n numbers in a row, NULL: of zeros. What else can be loaded as a matrix has the same functions (encode.cuh). */
template <class real> struct stored {
    const real *X;

    __device__ __forceinline__ bool in_quads() const /* may four() be called, if 4 divides n? */
    {
        return (size_t)X % 16 == 0;
    }
    __device__ __forceinline__ real one(int e) const
    {
        return X ? X[e] : (real)0;
    }
    __device__ __forceinline__ quad<real> four(int e) const
    {
        return X ? load_quad(X + e) : quad<real>{};
    }
    __device__ __forceinline__ bool bad() const /* for other reasons than its entries */
    {
        return false;
    }
};

/* f(i, j, x) for the entries of X; those of which no quad reaches above the diagonal may be left out if `upper`. */
template <class Team, class Matrix, class F>
__device__ __forceinline__ void each_of(const Team &t, int n, bool upper, const Matrix &X, F f)
{
    if (n % 4 == 0 && X.in_quads()) {
        for (int q = t.thread; q < n * n / 4; q += Team::THREADS) {
            int i = q * 4 / n, j = q * 4 % n;
            if (upper && j + 3 <= i)
                continue;
            quad<typename Team::real> x = X.four(q * 4);
#pragma unroll
            for (int c = 0; c < 4; c++)
                f(i, j + c, x.x[c]);
        }
    } else {
        for (int e = t.thread; e < n * n; e += Team::THREADS)
            if (!upper || e % n > e / n)
                f(e / n, e % n, X.one(e));
    }
}

template <class Team> __device__ void clear(const Team &t, typename Team::real *M)
{
    t.each_quad([&](int at, int, int) { store_quad(M + at, quad<typename Team::real>{}); });
}

/* M <- U - U^T, U the strict upper triangle of X; what is not finite becomes 0. Returns whether anything was, to the whole team. */
template <class Team, class Matrix> __device__ bool load_skew(const Team &t, int n, const Matrix &X, typename Team::real *M)
{
    typedef typename Team::real real;
    bool bad = X.bad();
    clear(t, M);
    each_of(t, n, true, X, [&](int i, int j, real x) {
        if (i >= j)
            return;
        bad |= !is_finite(x);
        x = is_finite(x) ? x : (real)0;
        M[i * t.stride() + j] = x;
        M[j * t.stride() + i] = -x;
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
    each_of(t, n, false, stored<real>{X}, [&](int i, int j, real x) {
        bad |= !is_finite(x);
        M[i * t.stride() + j] = is_finite(x) ? x : (real)0;
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
            quad<real> x = load_quad(M + q * 4 / n * t.stride() + q * 4 % n);
            if (bad)
                x = {not_a_number<real>(), not_a_number<real>(), not_a_number<real>(), not_a_number<real>()};
            store_quad(X + q * 4, x);
        }
    } else {
        for (int e = t.thread; e < n * n; e += Team::THREADS)
            X[e] = bad ? not_a_number<real>() : M[e / n * t.stride() + e % n];
    }
}

#endif
