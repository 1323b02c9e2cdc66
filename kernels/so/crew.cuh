/* crew.cuh: a crew: a block of threads at work on square matrices of doubles of one order, which is known at run time: in shared
 * memory where they fit, else in the workspace. For maps that iterate and branch on what they find, one matrix at a time; where
 * every matrix takes the same way, teams (team.cuh) are faster.
 *
 * Rows begin n | 1 numbers apart, so that rows and columns are read equally well. All threads come to all operations, with the
 * same arguments; every operation ends with sync(). Sums are made in an order that depends on n alone.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_CREW_CUH
#define SO_KERNELS_CREW_CUH

#include "real.cuh"

enum { CREW_THREADS = 256, CREW_VECTORS = 5, CREW_PARTIALS = CREW_THREADS / 32 };

/* One warp for every eight rows. */
static inline int crew_threads(int n)
{
    int warps = (n + 7) / 8;
    return 32 * (warps * 32 < CREW_THREADS ? warps : CREW_THREADS / 32);
}

/* Doubles for so many matrices and the vectors. */
static inline size_t crew_share(int n, int matrices)
{
    return (size_t)n * (size_t)(n | 1) * (size_t)matrices + (size_t)n * CREW_VECTORS;
}

/* X or X^T, as a factor of a product. */
struct factor {
    const double *x;
    int row, column; /* strides */
};

struct crew {
    int n, stride, thread, threads;
    double *partial; /* shared */
    double *vectors, *matrices;

    __device__ crew(int order, double *shared, double *memory)
        : n(order), stride(order | 1), thread((int)threadIdx.x), threads((int)blockDim.x), partial(shared), vectors(memory),
          matrices(memory + (ptrdiff_t)order * CREW_VECTORS)
    {
    }

    __device__ double *vector(int k) const
    {
        return vectors + (ptrdiff_t)n * k;
    }
    __device__ double *matrix(int k) const
    {
        return matrices + (ptrdiff_t)n * stride * k;
    }
    __device__ double *row(double *X, int i) const
    {
        return X + (ptrdiff_t)stride * i;
    }
    __device__ factor as(const double *X) const
    {
        return {X, stride, 1};
    }
    __device__ factor transposed(const double *X) const
    {
        return {X, 1, stride};
    }

    __device__ void sync() const
    {
        __syncthreads();
    }
    __device__ bool any(bool p) const
    {
        return __syncthreads_or(p) != 0;
    }

    template <class F> __device__ double reduce(double x, F join) const
    {
        for (int apart = 16; apart > 0; apart /= 2)
            x = join(x, __shfl_xor_sync(0xffffffffu, x, apart));
        if (thread % 32 == 0)
            partial[thread / 32] = x;
        sync();
        x = partial[0];
        for (int w = 1; w < threads / 32; w++)
            x = join(x, partial[w]);
        sync();
        return x;
    }
    __device__ double sum(double x) const
    {
        return reduce(x, [](double a, double b) { return a + b; });
    }
    __device__ double largest(double x) const
    {
        return reduce(x, [](double a, double b) { return fmax(a, b); });
    }

    /* f(k) for every row, f(place, i, j) for every entry, f(place of (i, j), of (j, i), i, j) for every pair i < j. */
    template <class F> __device__ void each_row(F f) const
    {
        for (int k = thread; k < n; k += threads)
            f(k);
        sync();
    }
    template <class F> __device__ void each(F f) const
    {
        int i = thread / n, j = thread % n, rows = threads / n, columns = threads % n;
        while (i < n) {
            f((ptrdiff_t)i * stride + j, i, j);
            i += rows;
            j += columns;
            if (j >= n) {
                j -= n;
                i++;
            }
        }
        sync();
    }
    template <class F> __device__ void each_pair(F f) const
    {
        each([&](ptrdiff_t at, int i, int j) {
            if (i < j)
                f(at, (ptrdiff_t)j * stride + i, i, j);
        });
    }

    __device__ void copy(const double *X, double *Y) const
    {
        each([&](ptrdiff_t at, int, int) { Y[at] = X[at]; });
    }

    /* f(place, i, j, entry (i, j) of P Q). f must not write what P and Q read. Tiles of 4 x 4 entries, a quarter of n apart. */
    template <class F> __device__ void product(factor P, factor Q, F f) const
    {
        int quarter = (n + 3) / 4;
        for (int tile = thread; tile < quarter * quarter; tile += threads) {
            int first = tile / quarter, column = tile % quarter;
            double sum[4][4] = {};
            ptrdiff_t p[4], q[4];
#pragma unroll
            for (int c = 0; c < 4; c++) {
                int i = first + c * quarter, j = column + c * quarter;
                p[c] = (ptrdiff_t)(i < n ? i : n - 1) * P.row;
                q[c] = (ptrdiff_t)(j < n ? j : n - 1) * Q.column;
            }
            for (int k = 0; k < n; k++) {
                double right[4];
#pragma unroll
                for (int c = 0; c < 4; c++)
                    right[c] = Q.x[q[c] + (ptrdiff_t)k * Q.row];
#pragma unroll
                for (int r = 0; r < 4; r++) {
                    double left = P.x[p[r] + (ptrdiff_t)k * P.column];
#pragma unroll
                    for (int c = 0; c < 4; c++)
                        sum[r][c] += left * right[c];
                }
            }
#pragma unroll
            for (int r = 0; r < 4; r++)
#pragma unroll
                for (int c = 0; c < 4; c++) {
                    int i = first + r * quarter, j = column + c * quarter;
                    if (i < n && j < n)
                        f((ptrdiff_t)i * stride + j, i, j, sum[r][c]);
                }
        }
        sync();
    }
    __device__ void product(factor P, factor Q, double *R) const
    {
        product(P, Q, [&](ptrdiff_t at, int, int, double x) { R[at] = x; });
    }

    /* Y <- factor times the skew part of X, which it may be: exactly skew. */
    __device__ void skew_part(const double *X, double factor, double *Y) const
    {
        each_pair([&](ptrdiff_t ij, ptrdiff_t ji, int, int) {
            Y[ij] = factor * ((X[ij] - X[ji]) / 2);
            Y[ji] = -Y[ij];
        });
        each_row([&](int i) { Y[(ptrdiff_t)i * (stride + 1)] = 0; });
    }

    __device__ double sum_of_squares(const double *X) const
    {
        double squares = 0;
        each([&](ptrdiff_t at, int, int) { squares += X[at] * X[at]; });
        return sum(squares);
    }
};

/* X <- X 2^-exponent, exponent != 0 only where X is so large or small that products with it could leave the range. */
inline __device__ int scale_to_unit(const crew &c, double *X)
{
    double most = 0;
    c.each([&](ptrdiff_t at, int, int) { most = fmax(most, fabs(X[at])); });
    most = c.largest(most);
    int exponent = 0;
    if (most > 0 && !(most * (2 * c.n) < 0x1p250 && most * 0x1p250 > 1))
        frexp(most, &exponent);
    exponent = exponent > 1000 ? 1000 : exponent < -1000 ? -1000 : exponent;
    if (exponent != 0) {
        double factor = ldexp(1.0, -exponent);
        c.each([&](ptrdiff_t at, int, int) { X[at] *= factor; });
    }
    return exponent;
}

/* B <- B^-1 by Gauss-Jordan elimination with partial pivoting, in place; rows and columns are left where they are: with p(k) the
 * row of the k-th pivot, what is left at (p(k), l) is entry (k, p(l)) of the inverse, which goes to `inverse`. Returns the sign
 * of det B, 0 for a zero pivot. Uses the vectors 0 to 3. */
inline __device__ int invert(const crew &c, double *B, double *inverse)
{
    int n = c.n, sign = 1;
    double *column = c.vector(0), *row = c.vector(1);
    int *pivot_row = (int *)c.vector(2), *pivot_step = (int *)c.vector(3);
    c.each_row([&](int i) { pivot_step[i] = -1; });
    for (int k = 0; k < n; k++) {
        double most = -1;
        int p = n;
        for (int i = c.thread % 32; i < n; i += 32) {
            double size = fabs(B[(ptrdiff_t)i * c.stride + k]);
            if (pivot_step[i] < 0 && size > most) {
                most = size;
                p = i;
            }
        }
        for (int apart = 16; apart > 0; apart /= 2) {
            double other = __shfl_xor_sync(0xffffffffu, most, apart);
            int i = __shfl_xor_sync(0xffffffffu, p, apart);
            if (other > most || (other == most && i < p)) {
                most = other;
                p = i;
            }
        }
        if (!(most > 0)) {
            c.sync();
            return 0;
        }
        c.each_row([&](int i) {
            column[i] = i == p ? 0 : B[(ptrdiff_t)i * c.stride + k];
            row[i] = i == k ? 1 : B[(ptrdiff_t)p * c.stride + i];
        });
        double pivot = B[(ptrdiff_t)p * c.stride + k];
        sign = pivot < 0 ? -sign : sign;
        if (c.thread == 0) {
            pivot_row[k] = p;
            pivot_step[p] = k;
        }
        c.sync();
        c.each([&](ptrdiff_t at, int i, int j) {
            double w = row[j] / pivot;
            B[at] = i == p ? w : (j == k ? 0 : B[at]) - column[i] * w;
        });
    }
    double inversions = 0; /* of the permutation: their number is odd if it is */
    c.each_pair([&](ptrdiff_t, ptrdiff_t, int i, int j) { inversions += pivot_row[i] > pivot_row[j]; });
    sign = fmod(c.sum(inversions), 2.0) == 0 ? sign : -sign;
    c.each([&](ptrdiff_t at, int i, int j) { inverse[(ptrdiff_t)pivot_step[i] * c.stride + pivot_row[j]] = B[at]; });
    return sign;
}

/* X <- the orthogonal matrix nearest to it, by Newton-Schulz steps; false if ||X^T X - I||_F exceeds LARGEST_DEFECT: X is as it
 * was. The skew part of X keeps its relative accuracy, however small. As in libso/cpu/lapack/rotation.c. D, F: scratch. */
static constexpr double LARGEST_DEFECT = 0.125;

inline __device__ bool nearest_orthogonal(const crew &c, double *X, double *D, double *F)
{
    constexpr double u = limits<double>::u;
    for (bool first = true;; first = false) {
        c.product(c.as(X), c.transposed(X), [&](ptrdiff_t at, int i, int j, double x) { D[at] = x - (i == j); });
        double squares = c.sum_of_squares(D);
        if (first && !(squares <= LARGEST_DEFECT * LARGEST_DEFECT))
            return false;
        if (squares <= 4 * c.n * u * u)
            return true;
        c.product(c.as(D), c.as(X), F);
        c.each([&](ptrdiff_t at, int, int) { X[at] -= F[at] / 2; });
        if (squares <= u) /* what is left is below u */
            return true;
    }
}

/* det X > 0 for orthogonal X. B, T: scratch. */
inline __device__ bool is_rotation(const crew &c, const double *X, double *B, double *T)
{
    double trace = 0;
    c.each_row([&](int i) { trace += X[(ptrdiff_t)i * c.stride + i]; });
    if (c.sum(trace) > c.n - 1) /* an eigenvalue -1 would leave at most n - 2 */
        return true;
    c.copy(X, B);
    return invert(c, B, T) > 0;
}

#endif
