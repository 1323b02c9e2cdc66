/* tile.cuh: tiles of matrices in registers, jets, and how a tile of the lower triangle goes into a symmetric or skew matrix.
 *
 * A matrix here is a pointer to the first of t.order() rows, t.stride() numbers apart; t is a team (team.cuh) or a wide_team.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_TILE_CUH
#define SO_KERNELS_TILE_CUH

#include "real.cuh"

/* Entries (i, j) to (i + ROWS - 1, j + 3); i is a multiple of ROWS, j of 4. SLOT tells the tiles of a thread apart: its first row
 * among all rows that the thread has. */
template <class real_, int ROWS_, int SLOT_ = 0> struct tile {
    typedef real_ real;
    static constexpr int ROWS = ROWS_, SLOT = SLOT_;
    int i, j;
    quad<real> row[ROWS];

    /* No entry on or above the diagonal? */
    __device__ __forceinline__ bool below_diagonal() const
    {
        return j + 3 < i;
    }
};

/* x += y */
template <class real> __device__ __forceinline__ void add(quad<real> &x, const quad<real> &y)
{
#pragma unroll
    for (int c = 0; c < 4; c++)
        x.x[c] += y.x[c];
}

/* The rows of x from `first` on += y */
template <class Tile, class Part> __device__ __forceinline__ void add_rows(Tile &x, int first, const Part &y)
{
#pragma unroll
    for (int r = 0; r < Part::ROWS; r++)
        add(x.row[first + r], y.row[r]);
}

/* The sums of a tile, to which those of runs (reduce.cuh) are added; to its entries (r, r), of which the diagonals of products
 * consist, in groups, since it is the errors there that shift the spectrum. */
template <class real> struct total {
    static constexpr int GROUP = 4;
    tile<real, 4> x;
    real diagonal[4];
    int runs;

    __device__ __forceinline__ total(int i, int j) : x{i, j}, diagonal{}, runs(0) {}

    __device__ __forceinline__ void end_run()
    {
        if (++runs % GROUP == 0)
#pragma unroll
            for (int r = 0; r < 4; r++) {
                diagonal[r] += x.row[r].x[r];
                x.row[r].x[r] = 0;
            }
    }
    __device__ __forceinline__ const tile<real, 4> &sum()
    {
#pragma unroll
        for (int r = 0; r < 4; r++)
            x.row[r].x[r] += diagonal[r];
        return x;
    }
};

/* A matrix and, where derivatives are computed, its tangent. */
template <class real> struct jet {
    real *v, *d;
};

/* X += SIGN p^T q */
template <int SIGN = 1, class Tile, class real = typename Tile::real>
__device__ __forceinline__ void add_outer(const pack<real, Tile::ROWS> &p, const quad<real> &q, Tile &X)
{
#pragma unroll
    for (int r = 0; r < Tile::ROWS; r++)
#pragma unroll
        for (int c = 0; c < 4; c++)
            X.row[r].x[c] += SIGN * p.x[r] * q.x[c];
}

/* The entries of X in row r of a tile of the lower triangle; 0 above the diagonal, where others may be writing. */
template <class Team, class Tile>
__device__ __forceinline__ quad<typename Tile::real> lower_row(const Team &t, const typename Tile::real *X, const Tile &place, int r)
{
    typedef typename Tile::real real;
    const real *from = X + (place.i + r) * t.stride() + place.j;
    if (place.below_diagonal())
        return load_quad(from);
    quad<real> x;
#pragma unroll
    for (int c = 0; c < 4; c++)
        x.x[c] = place.j + c <= place.i + r ? from[c] : (real)0;
    return x;
}

/* `lower` to R and `upper`, transposed, to the mirror images of the same entries: as far as they are below the diagonal; `lower`
 * to the diagonal. */
template <class Team, class Tile>
__device__ __forceinline__ void put_both(const Team &t, const Tile &lower, const Tile &upper, typename Tile::real *R)
{
    const int stride = t.stride(), i = lower.i, j = lower.j;
    if (lower.below_diagonal()) {
#pragma unroll
        for (int r = 0; r < Tile::ROWS; r++)
            store_quad(R + (i + r) * stride + j, lower.row[r]);
#pragma unroll
        for (int c = 0; c < 4; c++) {
            pack<typename Tile::real, Tile::ROWS> column;
#pragma unroll
            for (int r = 0; r < Tile::ROWS; r++)
                column.x[r] = upper.row[r].x[c];
            store_pack(R + (j + c) * stride + i, column);
        }
    } else {
#pragma unroll
        for (int r = 0; r < Tile::ROWS; r++)
#pragma unroll
            for (int c = 0; c < 4; c++)
                if (j + c <= i + r) {
                    R[(j + c) * stride + i + r] = upper.row[r].x[c];
                    R[(i + r) * stride + j + c] = lower.row[r].x[c];
                }
    }
}

/* The symmetric matrix with this lower triangle. */
template <class Team, class Tile>
__device__ __forceinline__ void put_symmetric(const Team &t, const Tile &x, typename Tile::real *R)
{
    put_both(t, x, x, R);
}

/* The same for base + factor * skew, `base` symmetric and `skew` skew, both given by their lower triangles. */
template <class Team, class Tile, class real = typename Tile::real>
__device__ __forceinline__ void put_sum(const Team &t, const Tile &base, real factor, const Tile &skew, typename Tile::real *R)
{
    Tile lower = base, upper = base;
#pragma unroll
    for (int r = 0; r < Tile::ROWS; r++)
#pragma unroll
        for (int c = 0; c < 4; c++)
            if (base.j + c != base.i + r) {
                lower.row[r].x[c] = base.row[r].x[c] + factor * skew.row[r].x[c];
                upper.row[r].x[c] = base.row[r].x[c] - factor * skew.row[r].x[c];
            }
    put_both(t, lower, upper, R);
}

/* The skew matrix factor * x. */
template <class Team, class Tile>
__device__ __forceinline__ void put_skew(const Team &t, typename Tile::real factor, const Tile &x, typename Tile::real *R)
{
    Tile zero = {x.i, x.j};
    put_sum(t, zero, factor, x, R);
}

#endif
