/* cayley_inverse.cuh: A = 2 (X - I)(X + I)^-1 for the rotation X nearest to R, and its derivative, by a crew. The mirror of
 * libso/cpu/lapack/cayley_inverse.c, which has the mathematics.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_CAYLEY_INVERSE_CUH
#define SO_KERNELS_CAYLEY_INVERSE_CUH

#include "widened.cuh"

/* A = 2 (X - I)(X + I)^-1 for a rotation X, which A may take the place of. false unless ||(X + I)^-1||_F < sqrt(2) largest.
 * B, inverse: scratch. */
inline __device__ bool cayley_inverse_of(const crew &c, const double *X, double largest, double *A, double *B, double *inverse)
{
    c.each([&](ptrdiff_t at, int i, int j) { B[at] = X[at] + (i == j); });
    if (invert(c, B, inverse) == 0)
        return false;
    if (!(c.sum_of_squares(inverse) < 2 * largest * largest)) /* the singular values come in pairs */
        return false;
    double *K = A, *T = B;
    c.skew_part(X, 1, K);
    c.product(c.as(K), c.as(inverse), T);
    c.product(c.transposed(inverse), c.as(T), A);
    c.skew_part(A, 4, A);
    return true;
}

struct cayley_inverse {
    static constexpr int INPUTS = 1, MATRICES = 3;
    static constexpr unsigned SKEW = 0;

    template <class number>
    static __device__ int compute(const crew &c, const number *const *in, double, double *&result)
    {
        constexpr int SINGULAR_ROUNDINGS = 32; /* an eigenvalue of X this many n u from -1 is taken to be -1 */
        double *X = c.matrix(0), *D = c.matrix(1), *F = c.matrix(2);
        load(c, in[0], X);
        result = X;
        if (!nearest_orthogonal(c, X, D, F))
            return OUTCOME_SINGULAR;
        if (!is_rotation(c, X, D, F))
            return OUTCOME_REFLECTION;
        return cayley_inverse_of(c, X, 1 / (SINGULAR_ROUNDINGS * c.n * limits<double>::u), X, D, F) ? (int)FINE
                                                                                                    : (int)OUTCOME_SINGULAR;
    }
};

/* (I + A/2) skew(dA) (I + A/2) */
struct cayley_inverse_vjp {
    static constexpr int INPUTS = 2, MATRICES = 3;
    static constexpr unsigned SKEW = 1u << 0;

    template <class number>
    static __device__ int compute(const crew &c, const number *const *in, double, double *&result)
    {
        double *A = c.matrix(0), *G = c.matrix(1), *T = c.matrix(2);
        load_skew(c, in[0], A);
        load_skew_part(c, in[1], G);
        c.each([&](ptrdiff_t at, int i, int j) { A[at] = i == j ? 1 : A[at] / 2; });
        c.product(c.as(G), c.as(A), T);
        result = G;
        c.product(c.as(A), c.as(T), result);
        return FINE;
    }
};

#endif
