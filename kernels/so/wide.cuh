/* wide.cuh: a block of threads and matrices of any order in global memory on which it works: a Team (team.cuh) for what a team's
 * shared memory cannot hold.
 *
 * The order is padded to whole panels. A product goes through tiles of the result of TILE x TILE entries, 4 x 4 for each thread;
 * panels of DEPTH rows of both factors pass through shared memory, one being read while the next arrives in registers. Of
 * symmetric and skew results only the tiles that reach the lower triangle are computed.
 *
 * Estimate for an H200, not measured: for TILE^2 DEPTH multiplications and additions a tile reads 2 TILE DEPTH numbers from L2, in
 * f32 16 bytes per cycle of a multiprocessor at full speed, about half of what L2 delivers. Of half a product of order 128 three
 * tiles of four are computed, of orders up to 64 the whole. Blocks of 8 warps, one for each multiprocessor: by registers.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_WIDE_CUH
#define SO_KERNELS_WIDE_CUH

#include <type_traits>

#include "reduce.cuh"
#include "tile.cuh"

template <class real_> struct wide_team {
    typedef real_ real;
    static constexpr int THREADS = 256, BLOCK = THREADS, TEAMS = 1, WARPS = THREADS / 32;
    static constexpr int TILE = 64, DEPTH = 16, ROW = TILE + 4, PANEL = DEPTH * ROW, MOST_PANELS = 4;
    static constexpr int UNROLL = sizeof(real) == 4 ? 4 : 1; /* by registers, as is RESIDENT */
    static constexpr int RESIDENT = 1;
    static constexpr bool SHARES_WARP = false;
    static constexpr int KEPT = 2; /* matrices that kept needs besides those asked for */
    static_assert(DEPTH * TILE == 4 * THREADS && TILE * TILE == 16 * THREADS, "one quad, 4 x 4 entries for each");
    static_assert(DEPTH % (2 * RUN) == 0, "half a panel is a number of runs");

    static __host__ __device__ __forceinline__ int padded(int n)
    {
        return (n + DEPTH - 1) / DEPTH * DEPTH;
    }

    /* Numbers in global memory that a block needs. */
    static size_t elements(int n, int matrices)
    {
        return (size_t)(matrices + KEPT) * (size_t)padded(n) * (size_t)padded(n);
    }

    static constexpr size_t bytes(int)
    {
        return (size_t)(2 * MOST_PANELS * PANEL + WARPS) * sizeof(real);
    }

    int thread, index, n, N;
    real *memory, *panels, *partial;

    /* workspace: elements() numbers for each block. */
    __device__ wide_team(unsigned char *shared, int matrices, int order, real *workspace)
    {
        n = order;
        thread = (int)threadIdx.x;
        index = 0;
        N = padded(n);
        memory = workspace + (size_t)blockIdx.x * ((size_t)(matrices + KEPT) * (size_t)N * (size_t)N);
        panels = (real *)shared;
        partial = panels + 2 * MOST_PANELS * PANEL;
    }

    static __device__ __forceinline__ wide_team here(unsigned char *shared, int matrices, int n, real *workspace)
    {
        return wide_team(shared, matrices, n, workspace);
    }

    __device__ __forceinline__ int order() const
    {
        return N;
    }

    __device__ __forceinline__ int stride() const
    {
        return N;
    }

    __device__ __forceinline__ real *matrix(int k) const /* 0 to matrices - 1 */
    {
        return memory + (size_t)(k + KEPT) * (size_t)N * (size_t)N;
    }

    __device__ __forceinline__ void sync() const
    {
        __syncthreads();
    }

    __device__ __forceinline__ bool any(bool p) const
    {
        return p;
    }

    __device__ __forceinline__ bool some(bool p) const
    {
        return (bool)__syncthreads_or(p);
    }

    __device__ real sum(real x) const
    {
        return sum_over<THREADS>(x, partial);
    }

    __device__ real largest(real x) const
    {
        return largest_over<THREADS>(x, partial);
    }

    template <class F> __device__ __forceinline__ void each_quad(F f) const
    {
        const int quads = N / 4, rows = THREADS / quads, columns = THREADS % quads;
        for (int i = thread / quads, q = thread % quads; i < N; i += rows) {
            f(i * N + 4 * q, i, 4 * q);
            q += columns;
            if (q >= quads) {
                q -= quads;
                i++;
            }
        }
        sync();
    }

    /* ---- Products ---- */

    /* A factor of a product: rows of X, entries `first` to first + TILE - 1 of each; or (across) columns of X instead. */
    struct factor {
        const real *X;
        int first;
        bool across;
    };

    /* The place of the thread's entries in a tile: a warp has 32 x 16 of them, so that both halves of a symmetric matrix are
     * written in pieces of at least 64 bytes. */
    __device__ __forceinline__ int row() const
    {
        return thread / 32 % 2 * 32 + thread % 32 / 4 * 4;
    }
    __device__ __forceinline__ int column() const
    {
        return thread / 64 * 16 + thread % 4 * 4;
    }

    /* The thread's quad of the panel that begins at row k; 0 outside of the matrix. */
    __device__ __forceinline__ quad<real> fetch(const factor &x, int k) const
    {
        if (x.across) {
            const int i = x.first + thread / (DEPTH / 4);
            return i < N ? load_quad(x.X + (ptrdiff_t)i * N + k + thread % (DEPTH / 4) * 4) : quad<real>{};
        }
        const int j = x.first + thread % (TILE / 4) * 4;
        return j < N ? load_quad(x.X + (ptrdiff_t)(k + thread / (TILE / 4)) * N + j) : quad<real>{};
    }

    __device__ __forceinline__ void put(const factor &x, const quad<real> &q, real *panel) const
    {
        if (x.across) {
#pragma unroll
            for (int c = 0; c < 4; c++)
                panel[(thread % (DEPTH / 4) * 4 + c) * ROW + thread / (DEPTH / 4)] = q.x[c];
        } else {
            store_quad(panel + thread / (TILE / 4) * ROW + thread % (TILE / 4) * 4, q);
        }
    }

    /* add_run(k) for each run of rows of the panels, those of factor f from k + f PANEL on; left out where the warp has nothing
     * to add (`idle`). */
    template <int FACTORS, class ADD>
    __device__ __forceinline__ void through_panels(const factor (&x)[FACTORS], bool idle, ADD add_run) const
    {
        constexpr int SHARE = DEPTH / (FACTORS / 2); /* two factors arrive at a time: by registers */
        real *panel = panels, *other = panels + MOST_PANELS * PANEL;
#pragma unroll
        for (int f = 0; f < FACTORS; f++)
            put(x[f], fetch(x[f], 0), panel + f * PANEL);
        sync();
        for (int k = 0; k < N; k += DEPTH) {
            const bool more = k + DEPTH < N;
#pragma unroll
            for (int f = 0; f < FACTORS; f += 2) {
                quad<real> next[2];
                if (more) {
                    next[0] = fetch(x[f], k + DEPTH);
                    next[1] = fetch(x[f + 1], k + DEPTH);
                }
                if (!idle)
                    for (int first = 0; first < SHARE; first += RUN)
                        add_run(panel + (f / 2 * SHARE + first) * ROW);
                if (more) {
                    put(x[f], next[0], other + f * PANEL);
                    put(x[f + 1], next[1], other + (f + 1) * PANEL);
                }
            }
            sync();
            real *swapped = panel;
            panel = other;
            other = swapped;
        }
    }

    /* R = P Q. R is neither P nor Q. */
    __device__ void product(const real *P, const real *Q, real *R) const
    {
        for (int i = 0; i < N; i += TILE)
            for (int j = 0; j < N; j += TILE) {
                total<real> x(i + row(), j + column());
                const bool idle = i + row() / 32 * 32 >= N || j + column() / 16 * 16 >= N;
                const factor factors[2] = {{P, i, true}, {Q, j, false}};
                through_panels(factors, idle, [&](const real *k) {
                    tile<real, 4> sum = {};
#pragma unroll UNROLL
                    for (int l = 0; l < RUN; l++)
                        add_outer(load_quad(k + l * ROW + row()), load_quad(k + l * ROW + PANEL + column()), sum);
                    add_rows(x.x, 0, sum);
                    x.end_run();
                });
                const tile<real, 4> &sum = x.sum();
                if (sum.i < N && sum.j < N)
#pragma unroll
                    for (int r = 0; r < 4; r++)
                        store_quad(R + (ptrdiff_t)(sum.i + r) * N + sum.j, sum.row[r]);
            }
        sync();
    }

    /* f(v, d) for the thread's tiles of the lower triangle, with the sums of add_row(k, r, v, d) over the rows of the factors x,
     * which factors_of(i, j, x) gives for the tile at (i, j): a call adds to the rows of the tile from r on, ROWS at a time, by
     * registers. */
    template <bool TANGENT, int FACTORS, class FACTOR, class ADD, class F>
    __device__ __forceinline__ void sum_lower(FACTOR factors_of, ADD add_row, F f) const
    {
        constexpr int ROWS = FACTORS == 4 && sizeof(real) == 8 ? 2 : 4;
        for (int i = 0; i < N; i += TILE)
            for (int j = 0; j <= i; j += TILE) {
                total<real> v(i + row(), j + column());
                tile<real, 4> d = v.x;
                const int last_row = i + row() / 32 * 32 + 31, first_column = j + column() / 16 * 16; /* of the warp */
                factor factors[FACTORS];
                factors_of(i, j, factors);
                through_panels(factors, last_row - 31 >= N || first_column > last_row, [&](const real *k) {
#pragma unroll
                    for (int r = 0; r < 4; r += ROWS) {
                        tile<real, ROWS> sum_v = {}, sum_d = {};
#pragma unroll UNROLL
                        for (int l = 0; l < RUN; l++)
                            add_row(k + l * ROW, r, sum_v, sum_d);
                        add_rows(v.x, r, sum_v);
                        if constexpr (TANGENT)
                            add_rows(d, r, sum_d);
                    }
                    v.end_run();
                });
                const tile<real, 4> &sum = v.sum();
                if (sum.i < N && sum.j <= sum.i)
                    f(sum, d);
            }
        sync();
    }

    template <bool TANGENT, class F> __device__ __forceinline__ void lower(jet<real> P, jet<real> Q, F f) const
    {
        sum_lower<TANGENT, TANGENT ? 4 : 2>(
            [&](int i, int j, factor *x) {
                x[0] = {P.v, i, false};
                x[1] = {Q.v, j, false};
                if constexpr (TANGENT) {
                    x[2] = {P.d, i, false};
                    x[3] = {Q.d, j, false};
                }
            },
            [&](const real *k, int r, auto &v, auto &d) {
                constexpr int R = std::remove_reference_t<decltype(v)>::ROWS;
                pack<real, R> p = load_pack<R>(k + row() + r);
                quad<real> q = load_quad(k + PANEL + column());
                add_outer(p, q, v);
                if constexpr (TANGENT) {
                    add_outer(p, load_quad(k + 3 * PANEL + column()), d);
                    add_outer(load_pack<R>(k + 2 * PANEL + row() + r), q, d);
                }
            },
            f);
    }

    template <int SIGN, class F> __device__ __forceinline__ void lower_pair(const real *P, const real *Q, F f) const
    {
        sum_lower<false, 4>(
            [&](int i, int j, factor *x) {
                x[0] = {P, i, false};
                x[1] = {Q, j, false};
                x[2] = {Q, i, false};
                x[3] = {P, j, false};
            },
            [&](const real *k, int r, auto &v, auto &) {
                constexpr int R = std::remove_reference_t<decltype(v)>::ROWS;
                add_outer(load_pack<R>(k + row() + r), load_quad(k + PANEL + column()), v);
                add_outer<SIGN>(load_pack<R>(k + 2 * PANEL + row() + r), load_quad(k + 3 * PANEL + column()), v);
            },
            [&](const auto &v, const auto &) { f(v); });
    }

    /* A lower triangle, and its tangent, out of the way: each thread reads what it wrote itself. */
    template <bool TANGENT> struct kept {
        real *v, *d;
        int N;

        __device__ explicit kept(const wide_team &t) : v(t.matrix(-1)), d(t.matrix(-2)), N(t.N) {}

        template <class Tile> __device__ __forceinline__ void put(const Tile &value, const Tile &tangent)
        {
#pragma unroll
            for (int r = 0; r < 4; r++) {
                store_quad(v + (ptrdiff_t)(value.i + r) * N + value.j, value.row[r]);
                if (TANGENT)
                    store_quad(d + (ptrdiff_t)(value.i + r) * N + value.j, tangent.row[r]);
            }
        }
        template <class Tile> __device__ __forceinline__ Tile read(const real *X, Tile x) const
        {
#pragma unroll
            for (int r = 0; r < 4; r++)
                x.row[r] = load_quad(X + (ptrdiff_t)(x.i + r) * N + x.j);
            return x;
        }
        template <class Tile> __device__ __forceinline__ Tile value(Tile x) const
        {
            return read(v, x);
        }
        template <class Tile> __device__ __forceinline__ Tile tangent(Tile x) const
        {
            return read(d, x);
        }
    };
};

#endif
