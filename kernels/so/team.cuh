/* team.cuh: a team of threads and the matrices in shared memory on which it works.
 *
 * A matrix of order N has rows of STRIDE reals: 16 bytes more than N, so that neighbouring rows begin in other banks. A matrix of
 * smaller order is padded with zeros, which every map keeps apart from the rest. Products are made of tiles in registers: a thread
 * has ROWS rows and four columns of the result, and reads both factors four numbers at a time.
 *
 * Teams of up to 32 threads share warps with other teams, and go through the same operations together with them: what depends on
 * the matrix is chosen by values, and a loop ends when no team of the warp needs it (any). Larger teams are blocks.
 * Every operation ends with sync(): what it wrote can be read by all of the team, what it read may be overwritten.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_TEAM_CUH
#define SO_KERNELS_TEAM_CUH

#include "real.cuh"

/* Sum or maximum over `width` neighbouring lanes, the same bits in each of them. */
template <class real> __device__ __forceinline__ real sum_lanes(real x, int width)
{
    for (int apart = width / 2; apart > 0; apart /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, apart);
    return x;
}

template <class real> __device__ __forceinline__ real largest_lanes(real x, int width)
{
    for (int apart = width / 2; apart > 0; apart /= 2)
        x = fmax(x, __shfl_xor_sync(0xffffffffu, x, apart));
    return x;
}

template <class real_, int N_, int THREADS_> struct team {
    typedef real_ real;
    static constexpr int N = N_, THREADS = THREADS_, STRIDE = N + 16 / (int)sizeof(real), ELEMENTS = N * STRIDE;
    static constexpr int ROWS = N * N / (4 * THREADS), BANDS = N / ROWS; /* thread rows of the tiling */
    static constexpr bool IS_BLOCK = THREADS > 32;
    static constexpr int BLOCK = IS_BLOCK ? THREADS : 128, TEAMS = BLOCK / THREADS, WARPS = IS_BLOCK ? THREADS / 32 : 1;
    static_assert(ROWS * 4 * THREADS == N * N && (THREADS & (THREADS - 1)) == 0, "tiles cover the matrix");

    /* Shared memory of a block whose teams have so many matrices each. */
    static constexpr size_t bytes(int matrices)
    {
        return (size_t)TEAMS * ((size_t)matrices * ELEMENTS * sizeof(real) + WARPS * sizeof(real));
    }

    int thread; /* within the team */
    int index;  /* of the team within its block */
    real *memory, *partial;

    __device__ team(unsigned char *shared, int matrices)
    {
        thread = (int)threadIdx.x % THREADS;
        index = (int)threadIdx.x / THREADS;
        memory = (real *)shared + (ptrdiff_t)index * matrices * ELEMENTS;
        partial = (real *)shared + (ptrdiff_t)TEAMS * matrices * ELEMENTS;
    }

    __device__ __forceinline__ real *matrix(int k) const
    {
        return memory + k * ELEMENTS;
    }

    __device__ __forceinline__ void sync() const
    {
        if (IS_BLOCK)
            __syncthreads();
        else
            __syncwarp();
    }

    /* Does p hold in any team that goes along with this one? p is the same in all threads of a team. */
    __device__ __forceinline__ bool any(bool p) const
    {
        return IS_BLOCK ? p : (bool)__any_sync(0xffffffffu, p);
    }

    /* Does p hold in some thread of the team? */
    __device__ __forceinline__ bool some(bool p) const
    {
        if (IS_BLOCK)
            return (bool)__syncthreads_or(p);
        unsigned lanes = __ballot_sync(0xffffffffu, p), own = THREADS < 32 ? (1u << THREADS % 32) - 1 : 0xffffffffu;
        return (lanes & own << (threadIdx.x % 32 / THREADS * THREADS)) != 0;
    }

    /* Over the threads of the team; partial sums are added in a fixed order. */
    __device__ real sum(real x) const
    {
        x = sum_lanes(x, THREADS < 32 ? THREADS : 32);
        if (!IS_BLOCK)
            return x;
        if (thread % 32 == 0)
            partial[thread / 32] = x;
        sync();
        real all = 0;
        for (int w = 0; w < WARPS; w++)
            all += partial[w];
        sync();
        return all;
    }

    __device__ real largest(real x) const
    {
        x = largest_lanes(x, THREADS < 32 ? THREADS : 32);
        if (!IS_BLOCK)
            return x;
        if (thread % 32 == 0)
            partial[thread / 32] = x;
        sync();
        real all = 0;
        for (int w = 0; w < WARPS; w++)
            all = fmax(all, partial[w]);
        sync();
        return all;
    }

    /* f(place of the first, row, its column) for every four neighbours of a matrix. */
    template <class F> __device__ __forceinline__ void each_quad(F f) const
    {
        for (int q = thread; q < N * N / 4; q += THREADS) {
            int i = q / (N / 4), j = q % (N / 4) * 4;
            f(i * STRIDE + j, i, j);
        }
        sync();
    }

    /* ---- Products ---- */

    /* Rows of a thread's tile: BANDS apart, so that the rows that a warp reads at a time are neighbours. */
    struct full_tile {
        int first, column;
        bool used;
        __device__ explicit full_tile(int thread) : first(thread / (N / 4)), column(thread % (N / 4) * 4), used(true) {}
        __device__ __forceinline__ int row(int r) const
        {
            return first + BANDS * r;
        }
    };

    /* Tiles that reach the lower triangle, one after the other, so that whole warps have none. Rows are taken in turn, beginning
     * with another one in each band, for the banks. Worth it where a team has several warps. */
    struct lower_tile {
        int first, turn, column;
        bool used;
        __device__ explicit lower_tile(int thread)
        {
            /* Band b has per (b + 1) tiles, hence per b (b + 1)/2 before it. */
            constexpr int per = ROWS / 4;
            int b = 0;
            while (per * (b + 1) * (b + 2) / 2 <= thread)
                b++;
            used = b < BANDS;
            b = used ? b : 0;
            first = b * ROWS;
            turn = b;
            column = used ? (thread - per * b * (b + 1) / 2) * 4 : 0;
        }
        __device__ __forceinline__ int row(int r) const
        {
            return first + (r + turn) % ROWS;
        }
    };

    template <class tile> __device__ __forceinline__ void accumulate(const tile &t, const real *P, const real *Q, quad<real> *sum) const
    {
        if (!t.used)
            return;
#pragma unroll 2
        for (int k = 0; k < N; k += 4) {
            quad<real> q[4];
#pragma unroll
            for (int l = 0; l < 4; l++)
                q[l] = load_quad(Q + (k + l) * STRIDE + t.column);
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                quad<real> p = load_quad(P + t.row(r) * STRIDE + k);
#pragma unroll
                for (int l = 0; l < 4; l++)
#pragma unroll
                    for (int c = 0; c < 4; c++)
                        sum[r].x[c] += p.x[l] * q[l].x[c];
            }
        }
    }

    /* R = P Q. R is neither P nor Q. */
    __device__ void product(const real *P, const real *Q, real *R) const
    {
        full_tile t(thread);
        quad<real> sum[ROWS] = {};
        accumulate(t, P, Q, sum);
#pragma unroll
        for (int r = 0; r < ROWS; r++)
            store_quad(R + t.row(r) * STRIDE + t.column, sum[r]);
        sync();
    }

    /* The sums of P Q + P2 Q2 (P2 NULL: of P Q) in the lower triangle, to f(tile row r, i, j, sum): `sum` holds entries (i, j) to
     * (i, j + 3), of which those with column <= i count. f may write what no product reads; it ends with sync(). */
    template <class F>
    __device__ __forceinline__ void lower(const real *P, const real *Q, const real *P2, const real *Q2, F f) const
    {
        if constexpr (IS_BLOCK && ROWS % 4 == 0)
            lower_in(lower_tile(thread), P, Q, P2, Q2, f);
        else
            lower_in(full_tile(thread), P, Q, P2, Q2, f);
    }

    /* f(r, i, j) for the tile rows to which lower() gives sums. */
    template <class F> __device__ __forceinline__ void each_lower(F f) const
    {
        if constexpr (IS_BLOCK && ROWS % 4 == 0)
            each_lower_in(lower_tile(thread), f);
        else
            each_lower_in(full_tile(thread), f);
    }

    template <class tile, class F> __device__ __forceinline__ void each_lower_in(const tile &t, F f) const
    {
        if (t.used)
#pragma unroll
            for (int r = 0; r < ROWS; r++)
                if (t.column <= t.row(r))
                    f(r, t.row(r), t.column);
        sync();
    }

    template <class tile, class F>
    __device__ __forceinline__ void lower_in(const tile &t, const real *P, const real *Q, const real *P2, const real *Q2, F f) const
    {
        quad<real> sum[ROWS] = {};
        accumulate(t, P, Q, sum);
        if (P2)
            accumulate(t, P2, Q2, sum);
        if (t.used)
#pragma unroll
            for (int r = 0; r < ROWS; r++)
                if (t.column <= t.row(r))
                    f(r, t.row(r), t.column, sum[r]);
        sync();
    }

    /* Entries (i, j) to (i, j + 3) of X as far as they are in the lower triangle: the others may be being written. */
    __device__ __forceinline__ quad<real> lower_quad(const real *X, int i, int j) const
    {
        const real *from = X + i * STRIDE + j;
        if (j + 3 <= i)
            return load_quad(from);
        return {from[0], j + 1 <= i ? from[1] : (real)0, j + 2 <= i ? from[2] : (real)0, (real)0};
    }

    /* Entries (i, j).. of the lower triangle of a symmetric matrix to R, and to their mirror images. */
    __device__ __forceinline__ void put_symmetric(int i, int j, const quad<real> &q, real *R) const
    {
#pragma unroll
        for (int c = 0; c < 4; c++)
            if (j + c <= i)
                R[i * STRIDE + j + c] = R[(j + c) * STRIDE + i] = q.x[c];
    }

    /* The same for base + skew, where `base` is symmetric and q holds the skew part. */
    __device__ __forceinline__ void put_skew(int i, int j, const quad<real> &base, const quad<real> &q, real *R) const
    {
#pragma unroll
        for (int c = 0; c < 4; c++)
            if (j + c < i) {
                R[i * STRIDE + j + c] = base.x[c] + q.x[c];
                R[(j + c) * STRIDE + i] = base.x[c] - q.x[c];
            } else if (j + c == i) {
                R[i * STRIDE + i] = base.x[c];
            }
    }

    /* R = P^T; R is not P. */
    __device__ void transpose(const real *P, real *R) const
    {
        each_quad([&](int at, int i, int j) {
            quad<real> q;
#pragma unroll
            for (int c = 0; c < 4; c++)
                q.x[c] = P[(j + c) * STRIDE + i];
            store_quad(R + at, q);
        });
    }

    /* X <- (X - X^T)/2 into Y, which is not X. */
    __device__ void skew_part(const real *X, real *Y) const
    {
        each_quad([&](int at, int i, int j) {
            quad<real> q = load_quad(X + at);
#pragma unroll
            for (int c = 0; c < 4; c++)
                q.x[c] = (q.x[c] - X[(j + c) * STRIDE + i]) * (real)0.5;
            store_quad(Y + at, q);
        });
    }

    /* ---- Norms ---- */

    __device__ real largest_entry(const real *X) const
    {
        real most = 0;
        each_quad([&](int at, int, int) {
            quad<real> q = load_quad(X + at);
#pragma unroll
            for (int c = 0; c < 4; c++)
                most = fmax(most, fabs(q.x[c]));
        });
        return largest(most);
    }

    __device__ real sum_of_squares(const real *X) const
    {
        real squares = 0;
        each_quad([&](int at, int, int) {
            quad<real> q = load_quad(X + at);
#pragma unroll
            for (int c = 0; c < 4; c++)
                squares += q.x[c] * q.x[c];
        });
        return sum(squares);
    }

    /* At least ||X||_2, for symmetric X whose eigenvalues are double: the Frobenius norm over sqrt 2 or the infinity norm. */
    __device__ real bound_norm(const real *X) const
    {
        real squares = 0, columns = 0;
        for (int j = thread; j < N; j += THREADS) {
            real size = 0;
            for (int i = 0; i < N; i++) {
                real x = X[i * STRIDE + j];
                squares += x * x;
                size += fabs(x);
            }
            columns = fmax(columns, size);
        }
        real frobenius = sqrt(sum(squares) * (real)0.5), infinity = largest(columns);
        return fmin(frobenius, infinity) * (real)(1 + (8 * N + 16) * (double)limits<real>::u);
    }
};

#endif
