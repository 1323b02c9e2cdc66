/* singular.cuh: X = U diag(s) V^T with rotations U and V, the smallest value signed, by a crew: one-sided Jacobi rotations. The
 * mirror of libso/cpu/lapack/singular.c, but for the order: all pairs that do not touch each other are turned at the same time,
 * n/2 in each of n - 1 rounds (round robin), and rows are not sorted by length.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_SINGULAR_CUH
#define SO_KERNELS_SINGULAR_CUH

#include "crew.cuh"

/* About ten sweeps where the values are alike, thirty where they cover nine decades (order 128; with pairs sorted by length it
 * would be fifty); the limit ends a pair that rounding keeps at the tolerance. */
enum { JACOBI_SWEEPS = 100, PAIR_LANES = 8 };

__device__ __forceinline__ double pair_sum(double x)
{
    for (int apart = PAIR_LANES / 2; apart > 0; apart /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, apart);
    return x;
}

/* Whom the circle seats at `place` in this round: of `seats`, an even number, the first stays where it is. */
__device__ __forceinline__ int seated(int place, int round, int seats)
{
    return place == 0 ? 0 : 1 + (place - 1 + round) % (seats - 1);
}

/* Makes every pair of rows of G orthogonal, once, and turns the rows of VT with them. Returns whether a pair was not. */
inline __device__ bool jacobi_sweep(const crew &c, double *G, double *VT)
{
    int n = c.n, seats = n + n % 2, lane = c.thread % PAIR_LANES, groups = c.threads / PAIR_LANES;
    double tolerance = (n + 8) * limits<double>::u;
    bool turned = false;
    for (int round = 0; round < seats - 1; round++) {
        for (int first = 0; first < seats / 2; first += groups) {
            int place = first + c.thread / PAIR_LANES;
            int a = seated(place, round, seats), b = seated(seats - 1 - place, round, seats);
            bool present = place < seats / 2 && a < n && b < n;
            double *x = c.row(G, present ? (a < b ? a : b) : 0), *y = c.row(G, present ? (a < b ? b : a) : 0);
            double xx = 0, yy = 0, xy = 0;
            for (int k = lane; k < n && present; k += PAIR_LANES) {
                xx += x[k] * x[k];
                yy += y[k] * y[k];
                xy += x[k] * y[k];
            }
            xx = pair_sum(xx);
            yy = pair_sum(yy);
            xy = pair_sum(xy);
            if (!present || fabs(xy) <= tolerance * sqrt(xx) * sqrt(yy)) /* also where a row is zero */
                continue;
            double zeta = (yy - xx) / (2 * xy), t = copysign(1 / (fabs(zeta) + sqrt(1 + zeta * zeta)), zeta);
            double cosine = 1 / sqrt(1 + t * t), sine = cosine * t;
            double *v = VT + (x - G), *w = VT + (y - G);
            for (int k = lane; k < n; k += PAIR_LANES) {
                double at_x = x[k], at_y = y[k], at_v = v[k], at_w = w[k];
                x[k] = cosine * at_x - sine * at_y;
                y[k] = sine * at_x + cosine * at_y;
                v[k] = cosine * at_v - sine * at_w;
                w[k] = sine * at_v + cosine * at_w;
            }
            turned = true;
        }
        c.sync();
    }
    return c.any(turned);
}

/* G = diag(s) U^T, rows orthogonal, and VT = V^T with X = U diag(s) V^T; V is a rotation. false: no convergence. */
inline __device__ bool orthogonal_rows(const crew &c, const double *X, double *G, double *VT)
{
    c.each([&](ptrdiff_t at, int i, int j) {
        G[at] = X[(ptrdiff_t)j * c.stride + i];
        VT[at] = i == j;
    });
    for (int sweep = 0; sweep < JACOBI_SWEEPS; sweep++)
        if (!jacobi_sweep(c, G, VT))
            return true;
    return false;
}

inline __device__ double dot_rows(const crew &c, const double *x, const double *y)
{
    double sum = 0;
    for (int k = c.thread; k < c.n; k += c.threads)
        sum += x[k] * y[k];
    return c.sum(sum);
}

/* The last row of UT <- a unit vector orthogonal to the others. Uses the vector 0. */
inline __device__ void complete(const crew &c, double *UT)
{
    int n = c.n;
    double *last = c.row(UT, n - 1), *along = c.vector(0);
    c.each_row([&](int i) {
        double left = 1;
        for (int k = 0; k < n - 1; k++)
            left -= UT[(ptrdiff_t)k * c.stride + i] * UT[(ptrdiff_t)k * c.stride + i];
        along[i] = left;
    });
    int farthest = 0; /* the axis farthest from their span */
    for (int i = 1; i < n; i++)
        farthest = along[i] > along[farthest] ? i : farthest;
    c.each_row([&](int i) { last[i] = i == farthest; });
    for (int twice = 0; twice < 2; twice++) {
        c.each_row([&](int k) {
            double sum = 0;
            for (int i = 0; i < n; i++)
                sum += UT[(ptrdiff_t)k * c.stride + i] * last[i];
            along[k] = sum;
        });
        c.each_row([&](int i) {
            double x = last[i];
            for (int k = 0; k < n - 1; k++)
                x -= along[k] * UT[(ptrdiff_t)k * c.stride + i];
            last[i] = x;
        });
        double length = sqrt(dot_rows(c, last, last));
        c.each_row([&](int i) { last[i] /= length; });
    }
}

/* Row k of UT and of VT <- the k-th column of U and of V; s[n-1] is the smallest in size, with the sign of det X; the others are
 * positive, in no order. The entries of X are of size 2^-500 .. 2^500 or 0. false: U V^T, the rotation nearest to X, is not
 * unique: all but one |s[k]|, and s[k] + s[n-1], must exceed 2 n u times the largest; or no convergence. s: vector 4; uses the
 * others. S, T: scratch. */
inline __device__ bool singular_values(const crew &c, const double *X, double u, double *UT, double *VT, double *S, double *T)
{
    int n = c.n, smallest = 0;
    double *s = c.vector(4), *given = c.vector(1), largest = 0;
    if (!orthogonal_rows(c, X, UT, VT))
        return false;
    c.each_row([&](int k) {
        double squares = 0;
        const double *row = c.row(UT, k);
        for (int i = 0; i < n; i++)
            squares += row[i] * row[i];
        s[k] = sqrt(squares);
    });
    for (int k = 0; k < n; k++) {
        largest = fmax(largest, s[k]);
        smallest = s[k] < s[smallest] ? k : smallest;
    }
    c.sync();
    if (smallest != n - 1) { /* exchanged with the last, one of them with its sign turned: U V^T and det V stay */
        c.each_row([&](int i) {
            double *x = c.row(UT, smallest) + i, *y = c.row(UT, n - 1) + i;
            double *v = c.row(VT, smallest) + i, *w = c.row(VT, n - 1) + i;
            double at_x = *x, at_v = *v;
            *x = *y;
            *y = -at_x;
            *v = *w;
            *w = -at_v;
        });
        if (c.thread == 0) {
            double x = s[smallest];
            s[smallest] = s[n - 1];
            s[n - 1] = x;
        }
        c.sync();
    }
    double rounding = 2 * n * u * largest;
    bool lost = false;
    c.each_row([&](int k) { lost |= k < n - 1 && !(s[k] > rounding); });
    if (c.any(lost))
        return false;

    /* The direction of the last column may be lost in rounding; the others and the determinant give it. */
    c.each([&](ptrdiff_t at, int i, int j) {
        if (i < n - 1)
            UT[at] /= s[i];
        else
            given[j] = UT[at];
    });
    complete(c, UT);
    double value = dot_rows(c, given, c.row(UT, n - 1));
    c.copy(UT, S);
    int sign = invert(c, S, T);
    c.each_row([&](int i) {
        c.row(UT, n - 1)[i] *= sign;
        if (i == n - 1)
            s[i] = value * sign;
    });
    c.each_row([&](int k) { lost |= k < n - 1 && !(s[k] + s[n - 1] > rounding); });
    return !c.any(lost);
}

/* Makes U and V as orthogonal as rounding allows, s and small K, N (skew, symmetric with a zero diagonal) such that to first
 * order X = U (I + K) (diag(s) + N) V^T: what rounding left of the decomposition. N takes the place of X. T, B: scratch; T may be
 * K. */
inline __device__ void singular_residual(const crew &c, double *X, double *UT, double *VT, double *K, double *T, double *B)
{
    double *s = c.vector(4), *N = X;
    nearest_orthogonal(c, UT, T, B);
    nearest_orthogonal(c, VT, T, B);
    c.product(c.as(X), c.transposed(VT), T);
    c.product(c.as(UT), c.as(T), B); /* = (I + K) (diag(s) + N) */
    c.each_row([&](int i) {
        s[i] = B[(ptrdiff_t)i * c.stride + i];
        K[(ptrdiff_t)i * c.stride + i] = N[(ptrdiff_t)i * c.stride + i] = 0;
    });
    c.each_pair([&](ptrdiff_t ij, ptrdiff_t ji, int i, int j) {
        double sum = s[i] + s[j];
        K[ij] = (B[ij] - B[ji]) / sum;
        K[ji] = -K[ij];
        N[ij] = N[ji] = (s[i] * B[ij] + s[j] * B[ji]) / sum;
    });
}

#endif
