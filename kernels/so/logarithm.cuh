/* logarithm.cuh: the principal logarithm A = W D W^T (planes.cuh) of the rotation X nearest to R, and its derivative, by a crew.
 * The mirror of libso/cpu/lapack/logarithm.c, which has the mathematics, but for angles near pi:
 *
 * The eigenvectors of the symmetric part of X, whose eigenvalues are the cosines, are found first, and parted at the largest gap
 * between cosines in [-1/2, 1/2], which no plane straddles. Of those below, X is replaced by -X, which turns by pi - theta: all
 * angles are then at most 2/3 pi, and the inverse Cayley transform tells them apart.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_LOGARITHM_CUH
#define SO_KERNELS_LOGARITHM_CUH

#include "cayley_inverse.cuh"
#include "planes.cuh"

constexpr double PI = 3.14159265358979323846;

/* WT <- W^T, theta for the rotation X; false if an angle is near pi. S, T: scratch. */
inline __device__ bool planes_away_from_pi(const crew &c, const double *X, double *WT, double *theta, double *S, double *T)
{
    constexpr double LARGEST_INVERSE = 0x1p8; /* (X + I)^-1 has the norm 1/(2 cos(theta/2)) */
    if (!cayley_inverse_of(c, X, LARGEST_INVERSE, S, WT, T))
        return false;
    c.each([&](ptrdiff_t at, int i, int j) { WT[at] = i == j; });
    if (!decompose_planes(c, S, WT, theta))
        return false;
    c.each_row([&](int k) { theta[k] = k < c.n / 2 ? 2 * atan(theta[k] / 2) : 0; });
    return true;
}

/* Row k of VT: an eigenvector of (X + X^T)/2; cosine[k]: the eigenvalue; X is orthogonal. false: no convergence. H, G: scratch */
inline __device__ bool cosines(const crew &c, const double *X, double *VT, double *cosine, double *H, double *G)
{
    /* Of a positive definite matrix singular vectors are eigenvectors. */
    c.each([&](ptrdiff_t at, int i, int j) { H[at] = (X[at] + X[(ptrdiff_t)j * c.stride + i]) / 2 + (i == j ? 2 : 0); });
    if (!orthogonal_rows(c, H, G, VT))
        return false;
    c.each_row([&](int k) {
        double squares = 0;
        for (int i = 0; i < c.n; i++)
            squares += c.row(G, k)[i] * c.row(G, k)[i];
        cosine[k] = sqrt(squares) - 2;
    });
    return true;
}

/* sorted <- cosine in ascending order, place[k] <- the place of cosine[k]. Returns how many are below the widest gap that begins
 * or ends in [-1/2, 1/2], the ends of this interval counting as cosines. */
inline __device__ int part(const crew &c, const double *cosine, double *sorted, int *place)
{
    int n = c.n, below = 0, count = 0;
    c.each_row([&](int k) {
        int before = 0;
        for (int j = 0; j < n; j++)
            before += cosine[j] < cosine[k] || (cosine[j] == cosine[k] && j < k);
        sorted[before] = cosine[k];
        place[k] = before;
    });
    double widest = -1, last = -0.5;
    for (; count < n && sorted[count] < 0.5; count++)
        if (sorted[count] > -0.5) {
            if (sorted[count] - last > widest) {
                widest = sorted[count] - last;
                below = count;
            }
            last = sorted[count];
        }
    return 0.5 - last > widest ? count : below;
}

/* WT <- W^T, theta for the orthogonal matrix X. S, T, U: scratch. */
inline __device__ int planes_anywhere(const crew &c, const double *X, double *WT, double *theta, double *S, double *T, double *U)
{
    int n = c.n, m = n / 2;
    double *cosine = c.vector(0), *sorted = c.vector(1);
    int *place = (int *)c.vector(2);
    if (!cosines(c, X, U, cosine, S, T))
        return OUTCOME_SINGULAR;
    int below = part(c, cosine, sorted, place);
    if (below % 2)
        return OUTCOME_REFLECTION;
    c.each([&](ptrdiff_t at, int i, int j) { /* planes of their own for those below */
        int k = place[i], to = k == n - 1 && n % 2 ? k : k / 2 + k % 2 * m;
        WT[(ptrdiff_t)to * c.stride + j] = U[at];
    });
    auto is_below = [=](int i) { return i < 2 * m && (i < m ? i : i - m) < below / 2; };
    c.product(c.as(X), c.transposed(WT), T);
    c.product(c.as(WT), c.as(T), [&](ptrdiff_t at, int i, int j, double x) {
        S[at] = is_below(i) != is_below(j) ? 0 : is_below(i) ? -x : x;
    });
    if (!cayley_inverse_of(c, S, limits<double>::most, S, T, U) || !decompose_planes(c, S, WT, theta))
        return OUTCOME_SINGULAR;
    c.each_row([&](int k) {
        double angle = k < m ? 2 * atan(theta[k] / 2) : 0;
        theta[k] = is_below(k) ? PI - angle : angle;
    });
    c.each([&](ptrdiff_t at, int i, int) { /* -X turns the other way */
        if (i >= m && is_below(i))
            WT[at] = -WT[at];
    });
    return FINE;
}

/* C = skew part of R(theta)^T W^T X W - I: what rounding left of the decomposition, relative to theta where that is small
 * because I is subtracted from X and from R(theta), and W^T W - I is symmetric. X, T: destroyed. */
inline __device__ void planes_residual(const crew &c, double *X, const double *WT, const double *theta, double *T, double *C)
{
    int n = c.n, m = n / 2;
    double *sine = c.vector(0), *cosine = c.vector(1), *versine = c.vector(2);
    c.each_row([&](int k) {
        double half = sin(theta[k] / 2);
        X[(ptrdiff_t)k * (c.stride + 1)] -= 1;
        sine[k] = sin(theta[k]);
        cosine[k] = cos(theta[k]);
        versine[k] = 2 * half * half;
    });
    c.product(c.as(X), c.transposed(WT), T);
    c.product(c.as(WT), c.as(T), C);
    c.each([&](ptrdiff_t at, int k, int j) {
        if (k >= m)
            return;
        ptrdiff_t below = at + (ptrdiff_t)m * c.stride;
        double x = C[at] + (j == k ? versine[k] : j == m + k ? sine[k] : 0);
        double y = C[below] + (j == m + k ? versine[k] : j == k ? -sine[k] : 0);
        C[at] = cosine[k] * x + sine[k] * y;
        C[below] = cosine[k] * y - sine[k] * x;
    });
    c.skew_part(C, 1, C);
}

struct logarithm {
    static constexpr int INPUTS = 1, MATRICES = 5;
    static constexpr unsigned SKEW = 0;

    template <class number>
    static __device__ int compute(const crew &c, const number *const *in, double, double *&result)
    {
        constexpr double SMALLEST_SINE = 1e-5; /* of x/2, below which a first-order correction is left out */
        int m = c.n / 2;
        double *X = c.matrix(0), *WT = c.matrix(1), *S = c.matrix(2), *T = c.matrix(3), *U = c.matrix(4), *C = S;
        double *theta = c.vector(4);
        load(c, in[0], X);
        if (!nearest_orthogonal(c, X, S, T))
            return OUTCOME_SINGULAR;
        if (!planes_away_from_pi(c, X, WT, theta, S, T)) {
            int met = planes_anywhere(c, X, WT, theta, S, T, U);
            if (met != FINE)
                return met;
        }
        nearest_orthogonal(c, WT, S, T);
        planes_residual(c, X, WT, theta, T, C);
        plane_function(c, theta, C, [](double half, double &re, double &im) { /* e^(i x/2) (x/2) / sin(x/2) */
            double cosine = cos(half), sine = sin(half), a = re, b = im;
            double ratio = half == 0 ? 1 : fabs(half) > 0.5 && fabs(sine) < SMALLEST_SINE ? 0 : half / sine;
            re = ratio * (cosine * a - sine * b);
            im = ratio * (cosine * b + sine * a);
        });
        c.each_row([&](int k) {
            if (k < m) {
                c.row(C, k)[m + k] -= theta[k];
                c.row(C, m + k)[k] += theta[k];
            }
        });
        c.product(c.as(C), c.as(WT), T);
        result = X;
        c.product(c.transposed(WT), c.as(T), result);
        c.skew_part(result, 1, result);
        return FINE;
    }
};

/* ---- The derivative ---- */

/* A knows its angles to a few u: this close to a multiple of 2 pi, an x other than 0 is taken to be one. */
__device__ __forceinline__ bool is_singular(double x, double u)
{
    return fabs(x) > 1 && fabs(sin(x / 2)) <= 16 * u;
}

struct logarithm_vjp {
    static constexpr int INPUTS = 3, MATRICES = 4;
    static constexpr unsigned SKEW = 1u << 1;

    template <class number>
    static __device__ int compute(const crew &c, const number *const *in, double u, double *&result)
    {
        int n = c.n, m = n / 2;
        double *WT = c.matrix(0), *S = c.matrix(1), *B = c.matrix(2), *T = c.matrix(3), *angle = c.vector(4);
        load_skew(c, in[1], S);
        int exponent = scale_to_one(c, S);
        c.each([&](ptrdiff_t at, int i, int j) { WT[at] = i == j; });
        if (!decompose_planes(c, S, WT, angle))
            return OUTCOME_SINGULAR;
        /* Once more from the W that was found: what many rotations left of A = W D W^T is turned away by few. */
        nearest_orthogonal(c, WT, B, T);
        load_skew(c, in[1], B);
        c.each([&](ptrdiff_t at, int, int) { B[at] = ldexp(B[at], -exponent); });
        c.product(c.as(B), c.transposed(WT), T);
        c.product(c.as(WT), c.as(T), S);
        c.skew_part(S, 1, S);
        if (!decompose_planes(c, S, WT, angle))
            return OUTCOME_SINGULAR;
        c.each_row([&](int k) { angle[k] = k < m ? fmin(ldexp(angle[k], exponent), limits<double>::most / 4) : 0; });
        bool singular = false;
        c.each_row([&](int a) {
            singular |= n % 2 && is_singular(angle[a], u);
            for (int b = 0; b < a && a < m; b++)
                singular |= is_singular(angle[a] + angle[b], u) || is_singular(angle[a] - angle[b], u);
        });
        if (c.any(singular))
            return OUTCOME_SINGULAR;
        load_skew_part(c, in[2], S);
        c.product(c.as(S), c.transposed(WT), T);
        c.product(c.as(WT), c.as(T), B);
        c.skew_part(B, 1, B); /* exactly, or the entries within a plane would be divided by sin(angle) */
        plane_function(c, angle, B, [](double half, double &re, double &im) { /* e^(-i x/2) (x/2) / sin(x/2) */
            double cosine = cos(half), sine = sin(half), ratio = half == 0 ? 1 : half / sine, a = re, b = im;
            re = ratio * (cosine * a + sine * b);
            im = ratio * (cosine * b - sine * a);
        });
        c.product(c.as(B), c.as(WT), T);
        c.product(c.transposed(WT), c.as(T), B);
        c.skew_part(B, 1, B);
        load(c, in[0], S);
        result = T;
        c.product(c.as(S), c.as(B), result);
        return FINE;
    }
};

#endif
