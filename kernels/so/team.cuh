/* team.cuh: a team of threads and the matrices in shared memory on which it works.
 *
 * A matrix of order N has rows of STRIDE reals: 16 bytes more than N, so that neighbouring rows begin in other banks. A matrix of
 * smaller order is padded with zeros, which every map keeps apart from the rest. Products are made of tiles in registers.
 *
 * Teams of up to 32 threads share warps with other teams, and go through the same operations together with them: what depends on
 * the matrix is chosen by values, and a loop ends when no team of the warp needs it (any). Larger teams are blocks.
 * Every operation ends with sync(): what it wrote can be read by all of the team, what it read may be overwritten.
 *
 * What is written for a `Team` works on any struct with these members; wide.cuh has another:
 *   real, THREADS, BLOCK, TEAMS          threads of a team, of a block, teams in it
 *   RESIDENT, bytes, here                for launches (batch.cuh)
 *   SHARES_WARP                          do other teams of the warp go along?
 *   thread, index                        of the thread in the team, of the team in the block
 *   n                                    the order of the caller's matrices
 *   order(), stride(), matrix(k)         of the matrices, padded
 *   sync, any, some, sum, largest        of threads
 *   each_quad, product, lower, lower_pair, kept
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_TEAM_CUH
#define SO_KERNELS_TEAM_CUH

#include <type_traits>

#include "reduce.cuh"
#include "tile.cuh"

template <class real_, int N_, int THREADS_> struct team {
    typedef real_ real;
    static constexpr int N = N_, THREADS = THREADS_, STRIDE = N + 16 / (int)sizeof(real), ELEMENTS = N * STRIDE;
    static constexpr int QUADS = N / 4, ROWS = N * N / (4 * THREADS), BANDS = N / ROWS; /* of the tiles of a product */
    static constexpr int LOW_ROWS = ROWS / 2;                                           /* of the tiles of a lower triangle */
    static constexpr bool IS_BLOCK = THREADS > 32, SHARES_WARP = THREADS < 32;
    static constexpr int BLOCK = IS_BLOCK ? THREADS : 64, TEAMS = BLOCK / THREADS, WARPS = IS_BLOCK ? THREADS / 32 : 1;
    static constexpr int APART = SHARES_WARP ? 32 / (int)sizeof(real) : 0; /* teams of a warp begin in other banks */
    static constexpr int RESIDENT = 1; /* blocks for which a multiprocessor must have registers */
    static_assert((THREADS & (THREADS - 1)) == 0 && ROWS * 4 * THREADS == N * N && ROWS % 2 == 0, "tiles cover the matrix");
    static_assert(LOW_ROWS <= 4 && LOW_ROWS <= QUADS && QUADS <= 32, "so do those of the lower triangle");

    /* Shared memory of a block whose teams have so many matrices each. */
    static constexpr size_t bytes(int matrices)
    {
        return (size_t)TEAMS * ((size_t)(matrices * ELEMENTS + APART) + WARPS) * sizeof(real);
    }

    int thread; /* within the team */
    int index;  /* of the team within its block */
    int n;
    real *memory, *partial;

    __device__ team(unsigned char *shared, int matrices, int order)
    {
        n = order;
        thread = (int)threadIdx.x % THREADS;
        index = (int)threadIdx.x / THREADS;
        memory = (real *)shared + (ptrdiff_t)index * (matrices * ELEMENTS + APART);
        partial = (real *)shared + (ptrdiff_t)TEAMS * (matrices * ELEMENTS + APART);
    }

    /* The team of this thread, for matrices of order <= N. */
    static __device__ __forceinline__ team here(unsigned char *shared, int matrices, int n, real *)
    {
        return team(shared, matrices, n);
    }

    static __device__ __forceinline__ constexpr int order()
    {
        return N;
    }

    static __device__ __forceinline__ constexpr int stride()
    {
        return STRIDE;
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
        return SHARES_WARP ? (bool)__any_sync(0xffffffffu, p) : p;
    }

    /* Does p hold in some thread of the team? */
    __device__ __forceinline__ bool some(bool p) const
    {
        if (IS_BLOCK)
            return (bool)__syncthreads_or(p);
        unsigned lanes = __ballot_sync(0xffffffffu, p), own = SHARES_WARP ? (1u << THREADS % 32) - 1 : 0xffffffffu;
        return (lanes & own << (threadIdx.x % 32 / THREADS * THREADS)) != 0;
    }

    __device__ real sum(real x) const
    {
        return sum_over<THREADS>(x, partial);
    }

    __device__ real largest(real x) const
    {
        return largest_over<THREADS>(x, partial);
    }

    /* f(place of the first, row, its column) for every four neighbours of a matrix. */
    template <class F> __device__ __forceinline__ void each_quad(F f) const
    {
        for (int q = thread; q < N * QUADS; q += THREADS) {
            int i = q / QUADS, j = q % QUADS * 4;
            f(i * STRIDE + j, i, j);
        }
        sync();
    }

    /* ---- Products ---- */

    /* Rows of a thread's tile of a product: BANDS apart, so that the rows that a warp reads at a time are neighbours. */
    struct full_tile {
        int first, column;
        __device__ explicit full_tile(int thread) : first(thread / QUADS), column(thread % QUADS * 4) {}
        __device__ __forceinline__ int row(int r) const
        {
            return first + BANDS * r;
        }
    };

    /* R = P Q. R is neither P nor Q. */
    __device__ void product(const real *P, const real *Q, real *R) const
    {
        const full_tile t(thread);
        quad<real> total[ROWS] = {};
        for (int first = 0; first < N; first += RUN) {
            quad<real> sum[ROWS] = {};
#pragma unroll 2
            for (int k = first; k < first + RUN; k += 4) {
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
#pragma unroll
            for (int r = 0; r < ROWS; r++)
                add(total[r], sum[r]);
        }
#pragma unroll
        for (int r = 0; r < ROWS; r++)
            store_quad(R + t.row(r) * STRIDE + t.column, total[r]);
        sync();
    }

    /* ---- Lower triangles ----
     *
     * In units of 4 x 4 entries row b and row QUADS - 1 - b of the lower triangle have QUADS + 1 tiles together: one for each of
     * QUADS threads, and the diagonal one of row b for all of them, each of which sums every QUADS-th term of it. So all threads
     * have the same to do, half of a product and little more; without the division of that tile one warp would take twice as long
     * as the others. Tiles of fewer rows: several such groups of threads.
     *
     * Terms are rows of P and Q: entries of P^T Q. A warp reads few numbers of one row at a time, without conflicts of banks. */

    typedef tile<real, LOW_ROWS> own_tile;
    typedef tile<real, LOW_ROWS, LOW_ROWS> divided_tile;
    typedef tile<real, 1, LOW_ROWS> row_tile; /* what a thread gets of the divided one */

    struct low_place {
        int lane, band, part;
        __device__ explicit low_place(int thread)
            : lane(thread % QUADS), band(thread / QUADS / (4 / LOW_ROWS)), part(thread / QUADS % (4 / LOW_ROWS) * LOW_ROWS)
        {
        }
        __device__ __forceinline__ own_tile own() const
        {
            bool high = lane >= band; /* so that any eight neighbours read eight quads of one row in different banks */
            return {4 * (high ? QUADS - 1 - band : band) + part, 4 * (high ? lane - band : lane)};
        }
        __device__ __forceinline__ divided_tile divided() const
        {
            return {4 * band + part, 4 * band};
        }
    };

    /* The sum of x over the lanes of a group, each of which gets one row: of lanes that differ in the bit `apart` each keeps half of
     * the rows. */
    template <int R> __device__ __forceinline__ row_tile join(int lane, const tile<real, R, LOW_ROWS> &x) const
    {
        constexpr int apart = QUADS * R / (2 * LOW_ROWS);
        if constexpr (R > 1) {
            const int second = (lane & apart) != 0;
            tile<real, R / 2, LOW_ROWS> half = {x.i + second * (R / 2), x.j};
#pragma unroll
            for (int r = 0; r < R / 2; r++)
#pragma unroll
                for (int c = 0; c < 4; c++) {
                    real low = x.row[r].x[c], high = x.row[r + R / 2].x[c];
                    half.row[r].x[c] = (second ? high : low) + __shfl_xor_sync(0xffffffffu, second ? low : high, apart);
                }
            return join(lane, half);
        } else {
            row_tile sum = x;
#pragma unroll
            for (int a = apart; a > 0; a /= 2)
#pragma unroll
                for (int c = 0; c < 4; c++)
                    sum.row[0].x[c] += __shfl_xor_sync(0xffffffffu, sum.row[0].x[c], a);
            return sum;
        }
    }

    /* f(v, d) with the sums of add_row(k, v, d) over k < N, for the tiles of the thread. */
    template <bool TANGENT, class ADD, class F> __device__ __forceinline__ void sum_lower(ADD add_row, F f) const
    {
        const low_place place(thread);
        own_tile v = place.own(), d = v;
        for (int first = 0; first < N; first += RUN) {
            own_tile sum_v = place.own(), sum_d = sum_v;
#pragma unroll 4
            for (int k = first; k < first + RUN; k++)
                add_row(k, sum_v, sum_d);
            add_rows(v, 0, sum_v);
            if constexpr (TANGENT)
                add_rows(d, 0, sum_d);
        }
        f(v, d);

        divided_tile part_v = place.divided(), part_d = part_v;
#pragma unroll
        for (int l = 0; l < 4; l++)
            add_row(place.lane + QUADS * l, part_v, part_d);
        row_tile row_v = join(place.lane, part_v), row_d = row_v;
        if constexpr (TANGENT)
            row_d = join(place.lane, part_d);
        if (place.lane % (QUADS / LOW_ROWS) == 0) /* others have the same row */
            f(row_v, row_d);
        sync();
    }

    /* The lower triangle of P^T Q and, if TANGENT, of its tangent P^T dQ + dP^T Q: f(v, d) for every tile that reaches it. What
     * tiles hold above the diagonal does not count. f must not write what the product reads. */
    template <bool TANGENT, class F> __device__ __forceinline__ void lower(jet<real> P, jet<real> Q, F f) const
    {
        sum_lower<TANGENT>(
            [&](int k, auto &v, auto &d) {
                constexpr int R = std::remove_reference_t<decltype(v)>::ROWS;
                const int i = k * STRIDE + v.i, j = k * STRIDE + v.j;
                pack<real, R> p = load_pack<R>(P.v + i);
                quad<real> q = load_quad(Q.v + j);
                add_outer(p, q, v);
                if constexpr (TANGENT) {
                    add_outer(p, load_quad(Q.d + j), d);
                    add_outer(load_pack<R>(P.d + i), q, d);
                }
            },
            f);
    }

    /* The lower triangle of P^T Q + SIGN Q^T P: f(v). */
    template <int SIGN, class F> __device__ __forceinline__ void lower_pair(const real *P, const real *Q, F f) const
    {
        sum_lower<false>(
            [&](int k, auto &v, auto &) {
                constexpr int R = std::remove_reference_t<decltype(v)>::ROWS;
                const int i = k * STRIDE + v.i, j = k * STRIDE + v.j;
                add_outer(load_pack<R>(P + i), load_quad(Q + j), v);
                add_outer<SIGN>(load_pack<R>(Q + i), load_quad(P + j), v);
            },
            [&](const auto &v, const auto &) { f(v); });
    }

    /* A lower triangle in registers, and its tangent. */
    template <bool TANGENT> struct kept {
        quad<real> v[LOW_ROWS + 1], d[TANGENT ? LOW_ROWS + 1 : 1];

        __device__ explicit kept(const team &) {}

        template <class Tile> __device__ __forceinline__ void put(const Tile &value, const Tile &tangent)
        {
#pragma unroll
            for (int r = 0; r < Tile::ROWS; r++) {
                v[Tile::SLOT + r] = value.row[r];
                if (TANGENT)
                    d[TANGENT ? Tile::SLOT + r : 0] = tangent.row[r];
            }
        }
        /* What was put for the place of `x`. */
        template <class Tile> __device__ __forceinline__ Tile value(Tile x) const
        {
#pragma unroll
            for (int r = 0; r < Tile::ROWS; r++)
                x.row[r] = v[Tile::SLOT + r];
            return x;
        }
        template <class Tile> __device__ __forceinline__ Tile tangent(Tile x) const
        {
            static_assert(TANGENT, "there is none");
#pragma unroll
            for (int r = 0; r < Tile::ROWS; r++)
                x.row[r] = d[Tile::SLOT + r];
            return x;
        }
    };
};

#endif
