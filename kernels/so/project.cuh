/* project.cuh: the rotation nearest to X and the derivative, by a crew. The mirror of libso/cpu/lapack/project.c, which has the
 * mathematics.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_PROJECT_CUH
#define SO_KERNELS_PROJECT_CUH

#include "singular.cuh"
#include "widened.cuh"

struct project {
    static constexpr int INPUTS = 1, MATRICES = 5;
    static constexpr unsigned SKEW = 0;

    template <class number>
    static __device__ int compute(const crew &c, const number *const *in, double u, double *&result)
    {
        double *X = c.matrix(0), *UT = c.matrix(1), *VT = c.matrix(2), *K = c.matrix(3), *T = c.matrix(3), *B = c.matrix(4);
        load(c, in[0], X);
        scale_to_unit(c, X); /* the nearest rotation does not depend on the size of X */
        result = UT;
        c.copy(X, result);
        if (nearest_orthogonal(c, result, VT, T) && is_rotation(c, result, VT, T))
            return FINE;
        if (!singular_values(c, X, u, UT, VT, T, B))
            return OUTCOME_SINGULAR;
        singular_residual(c, X, UT, VT, K, T, B);
        double *right = X; /* R = U (I + K) V^T */
        c.product(c.as(K), c.as(VT), [&](ptrdiff_t at, int, int, double x) { right[at] = VT[at] + x; });
        result = B;
        c.product(c.transposed(UT), c.as(right), result);
        nearest_orthogonal(c, result, T, UT);
        return FINE;
    }
};

/* dX = U (I + K) T V^T with T (S + N) + (S + N) T = Z - Z^T, Z = (I - K) U^T dR V; where T N + N T, of order u, is a correction
 * to the solution without N. */
struct project_vjp {
    static constexpr int INPUTS = 2, MATRICES = 6;
    static constexpr unsigned SKEW = 0;

    template <class number>
    static __device__ int compute(const crew &c, const number *const *in, double u, double *&result)
    {
        double *X = c.matrix(0), *UT = c.matrix(1), *VT = c.matrix(2), *K = c.matrix(3), *Z = c.matrix(4), *T = c.matrix(5);
        double *N = X;
        const double *s = c.vector(4);
        load(c, in[0], X);
        int size = scale_to_unit(c, X);
        if (!singular_values(c, X, u, UT, VT, K, Z))
            return OUTCOME_SINGULAR;
        singular_residual(c, X, UT, VT, K, T, Z);
        load(c, in[1], Z);
        int slope = scale_to_unit(c, Z);
        c.product(c.as(Z), c.transposed(VT), T);
        c.product(c.as(UT), c.as(T), Z);

        c.product(c.as(K), c.as(Z), T);
        c.each_pair([&](ptrdiff_t ij, ptrdiff_t ji, int i, int j) {
            T[ij] = ((Z[ij] - T[ij]) - (Z[ji] - T[ji])) / (s[i] + s[j]);
            T[ji] = -T[ij];
        });
        c.each_row([&](int i) { T[(ptrdiff_t)i * (c.stride + 1)] = 0; });
        double *TN = Z; /* N T = -(T N)^T */
        c.product(c.as(T), c.as(N), TN);
        c.each_pair([&](ptrdiff_t ij, ptrdiff_t ji, int i, int j) {
            T[ij] -= (TN[ij] - TN[ji]) / (s[i] + s[j]);
            T[ji] = -T[ij];
        });
        double *right = Z;
        c.product(c.as(K), c.as(T), [&](ptrdiff_t at, int, int, double x) { right[at] = T[at] + x; });
        c.product(c.as(right), c.as(VT), T);
        result = Z;
        c.product(c.transposed(UT), c.as(T), [&](ptrdiff_t at, int, int, double x) { result[at] = ldexp(x, slope - size); });
        return FINE;
    }
};

#endif
