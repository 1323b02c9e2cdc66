/* norms.cuh: norms of the matrices of a team. The mirror of libso/cpu/group/norms.c.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_NORMS_CUH
#define SO_KERNELS_NORMS_CUH

#include "real.cuh"

template <class Team> __device__ typename Team::real largest_entry(const Team &t, const typename Team::real *X)
{
    typename Team::real most = 0;
    t.each_quad([&](int at, int, int) {
        quad<typename Team::real> q = load_quad(X + at);
#pragma unroll
        for (int c = 0; c < 4; c++)
            most = fmax(most, fabs(q.x[c]));
    });
    return t.largest(most);
}

template <class Team> __device__ typename Team::real sum_of_squares(const Team &t, const typename Team::real *X)
{
    typename Team::real squares = 0;
    t.each_quad([&](int at, int, int) {
        quad<typename Team::real> q = load_quad(X + at);
#pragma unroll
        for (int c = 0; c < 4; c++)
            squares += q.x[c] * q.x[c];
    });
    return t.sum(squares);
}

/* At least ||X||_2, for symmetric X whose eigenvalues are double: the Frobenius norm over sqrt 2 or the infinity norm. Should the
 * squares overflow, the latter. */
template <class Team> __device__ typename Team::real bound_norm(const Team &t, const typename Team::real *X)
{
    typedef typename Team::real real;
    real squares = 0, columns = 0;
    for (int j = t.thread; j < t.order(); j += Team::THREADS) {
        real size = 0;
        for (int i = 0; i < t.order(); i++) {
            real x = X[i * t.stride() + j];
            squares += x * x;
            size += fabs(x);
        }
        columns = fmax(columns, size);
    }
    real frobenius = sqrt(t.sum(squares) * (real)0.5), infinity = t.largest(columns);
    t.sync();
    return fmin(frobenius, infinity) * (real)(1 + (8 * t.order() + 16) * (double)limits<real>::u);
}

#endif
