/* cayley.cuh: the Cayley map R = (I - A/2)^-1 (I + A/2) = 2 K - I, K = (I - A/2)^-1, and its trivialised derivative on a team.
 * The mirror of libso/cpu/group/cayley.c, which says why rows are exchanged beyond small angles only, and why A is scaled down
 * beyond rho u = 2^-8.
 *
 * K is found by Gauss-Jordan elimination in place, in registers: step k needs of the others' only the pivot's row and column,
 * which pass through shared memory in two buffers in turn, so that one barrier per step is enough; the search for a pivot is
 * another. Rows stay where they are: with p(k) the row of the k-th pivot, what is left at (p(k), l) is entry (k, p(l)) of the
 * inverse.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_CAYLEY_CUH
#define SO_KERNELS_CAYLEY_CUH

#include "scaling.cuh"
#include "wide.cuh"

/* A <- A / 2, scaled down further where ||A||_F / sqrt 2 >= rho exceeds `limit`. Returns whether it exceeds 4. */
template <class Team> __device__ bool halve(const Team &t, double limit, typename Team::real *A)
{
    typedef typename Team::real real;
    int exponent = scale_large(t, A), down = 0;
    double rho = ldexp(sqrt((double)sum_of_squares(t, A) / 2), exponent < 900 ? exponent : 900);
    if (rho > limit)
        frexp(rho / limit, &down);
    /* 2^exponent restores A; what is beyond the limit need not be restored. */
    int up = rho > limit && exponent >= 900 ? 0 : exponent - down;
    scale(t, (real)ldexp(0.5, up), A);
    return rho > 4;
}

/* The largest entry of a column among the rows that no pivot was taken from; of equals the first. Every warp searches all. */
template <class Team> struct pivot_search {
    typedef typename Team::real real;
    static constexpr int WIDTH = Team::THREADS < 32 ? Team::THREADS : 32, SHARE = Team::N / WIDTH;
    int lane;
    unsigned used; /* bit r: row lane + WIDTH r */

    __device__ explicit pivot_search(const Team &t) : lane(t.thread % WIDTH), used(0) {}

    __device__ int find(const real *column) const
    {
        real most = -1;
        int chosen = Team::N;
#pragma unroll
        for (int r = 0; r < SHARE; r++) {
            real size = fabs(column[lane + WIDTH * r]);
            if (!(used >> r & 1) && size > most) {
                most = size;
                chosen = lane + WIDTH * r;
            }
        }
        for (int apart = WIDTH / 2; apart > 0; apart /= 2) {
            real other = __shfl_xor_sync(0xffffffffu, most, apart);
            int row = __shfl_xor_sync(0xffffffffu, chosen, apart);
            if (other > most || (other == most && row < chosen)) {
                most = other;
                chosen = row;
            }
        }
        return chosen;
    }

    __device__ void use(int row)
    {
        if (row % WIDTH == lane)
            used |= 1u << row / WIDTH;
    }
};

/* B <- B^-1; without `pivoting` pivots are taken from the diagonal in turn and I is left out: B <- (I + B)^-1 - I, where small sums
 * on the diagonal would lose their digits to it. scratch: a matrix. */
template <class Team>
__device__ void invert(const Team &t, bool pivoting, typename Team::real *B, typename Team::real *scratch)
{
    typedef typename Team::real real;
    constexpr int N = Team::N, ROWS = Team::ROWS;
    const typename Team::full_tile tile(t.thread);
    quad<real> held[ROWS];
    real *columns = scratch, *rows = scratch + 2 * N;
    int *pivot_row = (int *)(scratch + 4 * N), *pivot_step = pivot_row + N; /* p and its inverse */
    pivot_search<Team> search(t);
    bool any_pivoting = t.any(pivoting);
#pragma unroll
    for (int r = 0; r < ROWS; r++)
        held[r] = load_quad(B + tile.row(r) * Team::STRIDE + tile.column);

#pragma unroll 1
    for (int first = 0; first < N; first += 4) {
        const bool owner = tile.column == first; /* of the columns of these four steps */
#pragma unroll
        for (int c = 0; c < 4; c++) {
            int k = first + c, p = k;
            real *column = columns + k % 2 * N, *row = rows + k % 2 * N;
            if (owner)
#pragma unroll
                for (int r = 0; r < ROWS; r++)
                    column[tile.row(r)] = held[r].x[c];
            if (any_pivoting) {
                t.sync();
                int found = search.find(column);
                p = pivoting ? found : k;
                search.use(p);
                if (t.thread == 0) {
                    pivot_row[k] = p;
                    pivot_step[p] = k;
                }
            }
            const bool band = tile.first == p % Team::BANDS; /* of row p */
            if (band)
#pragma unroll
                for (int r = 0; r < ROWS; r++)
                    if (tile.row(r) == p)
                        store_quad(row + tile.column, held[r]);
            if (owner)
#pragma unroll
                for (int r = 0; r < ROWS; r++)
                    held[r].x[c] = 0;
            t.sync();
            real inverse = 1 / (column[p] + (pivoting ? 0 : 1));
            quad<real> w = load_quad(row + tile.column);
#pragma unroll
            for (int l = 0; l < 4; l++)
                w.x[l] *= inverse;
            if (owner)
                w.x[c] = inverse;
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                real factor = column[tile.row(r)];
#pragma unroll
                for (int l = 0; l < 4; l++)
                    held[r].x[l] -= factor * w.x[l];
            }
            if (owner && !pivoting)
                w.x[c] = -column[p] * inverse;
            if (band)
#pragma unroll
                for (int r = 0; r < ROWS; r++)
                    if (tile.row(r) == p)
                        held[r] = w;
        }
    }
#pragma unroll
    for (int r = 0; r < ROWS; r++)
        if (any_pivoting)
            for (int c = 0; c < 4; c++)
                B[pivot_step[tile.row(r)] * Team::STRIDE + pivot_row[tile.column + c]] = held[r].x[c];
        else
            store_quad(B + tile.row(r) * Team::STRIDE + tile.column, held[r]);
    t.sync();
}

/* The same for a matrix in global memory, step by step: every step reads and writes all of it. */
template <class real> __device__ void invert(const wide_team<real> &t, bool pivoting, real *B, real *scratch)
{
    const int N = t.order();
    real *column = t.matrix(-1), *row = column + N, *pivot_row = row + N, *pivot_step = pivot_row + N; /* p and its inverse */
    for (int i = t.thread; i < N; i += t.THREADS)
        pivot_step[i] = -1;
    t.sync();
    for (int k = 0; k < N; k++) {
        int p = k;
        if (pivoting) {
            real most = -1, first = -(real)N;
            for (int i = t.thread; i < N; i += t.THREADS)
                most = fmax(most, pivot_step[i] < 0 ? fabs(B[i * N + k]) : (real)-1);
            most = t.largest(most);
            for (int i = t.thread; i < N; i += t.THREADS)
                first = fmax(first, pivot_step[i] < 0 && fabs(B[i * N + k]) == most ? -(real)i : -(real)N);
            p = (int)-t.largest(first);
        }
        const real pivot = B[p * N + k], inverse = 1 / (pivot + (pivoting ? 0 : 1));
        const real diagonal = pivoting ? inverse : -pivot * inverse;
        for (int i = t.thread; i < N; i += t.THREADS) {
            column[i] = B[i * N + k];
            row[i] = i == k ? inverse : B[p * N + i] * inverse;
        }
        t.sync();
        if (t.thread == 0) {
            pivot_row[k] = (real)p;
            pivot_step[p] = (real)k;
        }
        t.each_quad([&](int at, int i, int j) {
            quad<real> q = load_quad(B + at), w = load_quad(row + j);
            const real factor = column[i];
#pragma unroll
            for (int c = 0; c < 4; c++)
                if (i == p)
                    q.x[c] = j + c == k ? diagonal : w.x[c];
                else
                    q.x[c] = (j + c == k ? 0 : q.x[c]) - factor * w.x[c];
            store_quad(B + at, q);
        });
    }
    t.each_quad([&](int at, int i, int j) {
        quad<real> q = load_quad(B + at);
#pragma unroll
        for (int c = 0; c < 4; c++)
            scratch[(int)pivot_step[i] * N + (int)pivot_row[j + c]] = q.x[c];
    });
    t.each_quad([&](int at, int, int) { store_quad(B + at, load_quad(scratch + at)); });
}

/* X <- factor X + diagonal I */
template <class Team>
__device__ void scale_and_shift(const Team &t, typename Team::real factor, typename Team::real diagonal, typename Team::real *X)
{
    t.each_quad([&](int at, int i, int j) {
        quad<typename Team::real> q = load_quad(X + at);
#pragma unroll
        for (int c = 0; c < 4; c++)
            q.x[c] = factor * q.x[c] + (i == j + c ? diagonal : 0);
        store_quad(X + at, q);
    });
}

struct cayley {
    static constexpr int MAP_MATRICES = 3, DIFFERENTIAL_MATRICES = 6;
    static constexpr bool NEEDS_ROTATION = true;

    template <class Team> static __device__ typename Team::real *map(const Team &t)
    {
        typename Team::real *R = t.matrix(0);
        bool large = halve(t, 0x1p-8 / (double)limits<typename Team::real>::u, R);
        scale_and_shift(t, -1, large ? 1 : 0, R);
        invert(t, large, R, t.matrix(1));
        scale_and_shift(t, 2, large ? -1 : 1, R);
        orthogonalize(t, true, 6, R, t.matrix(1), t.matrix(2));
        return R;
    }

    /* dK = K dA/2 K gives dR R^T = K dA K^T, K = (I + R)/2: no solve. */
    template <class Team> static __device__ typename Team::real *differential(const Team &t)
    {
        typedef typename Team::real real;
        real *Y = t.matrix(0), *M = t.matrix(1), *R = t.matrix(2), *T = t.matrix(3), *transposed = t.matrix(4);
        t.each_quad([&](int at, int i, int j) {
            quad<real> q;
#pragma unroll
            for (int c = 0; c < 4; c++)
                q.x[c] = (R[(j + c) * t.stride() + i] + (real)(i == j + c)) * (real)0.5;
            store_quad(transposed + at, q);
        });
        t.product(M, transposed, T);
        t.template lower<false>(jet<real>{transposed, NULL}, jet<real>{T, NULL},
                                [&](const auto &v, const auto &) { put_skew(t, 1, v, Y); });
        return Y;
    }
};

#endif
