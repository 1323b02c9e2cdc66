/* tridiagonal.c: reduction of a skew matrix by Householder reflections H = I - tau w w^T, from the last row upwards, so that
 * what is left is a leading block, its rows aligned (Ward & Gray, TOMS 530, 1978, in this order too).
 *
 * Since w^T A w = 0, H A H = A + w p^T - p w^T with p = tau A w; only the lower triangle is kept, so skewness is exact. The
 * product A w of a step is formed in the pass over A that makes the update of the step before: half the memory traffic.
 *
 * Q is applied in blocks of REFLECTIONS as I - V S V^T (Schreiber & Van Loan, SIAM J. Sci. Stat. Comput. 1989), S by
 * substitution.
 * SPDX-License-Identifier: MIT */
#include "tridiagonal.h"

#if defined(SO_REAL_f64)

typedef real vector __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef real_bits lane_mask __attribute__((vector_size(VECTOR_BYTES), may_alias));

static inline real sum_of(vector v)
{
    lane_mask lane;
    for (int l = 0; l < VECTOR_LANES; l++)
        lane[l] = l;
#pragma GCC unroll 3
    for (int half = VECTOR_LANES / 2; half > 0; half /= 2)
        v += __builtin_shuffle(v, lane ^ half);
    return v[0];
}

/* Reflection that maps the row x of m entries to beta e_last: x <- w with w_last = 1. Returns tau; 0 if x is a multiple of
 * e_last, up to squares that would be denormal numbers. */
static real reflector(int m, real *x, real *beta)
{
    real rest = 0, last = x[m - 1];
#pragma omp simd reduction(+ : rest)
    for (int i = 0; i < m - 1; i++)
        rest += x[i] * x[i];
    *beta = last;
    if (rest < 0x1p-900)
        return 0;
    *beta = -copysign(sqrt(last * last + rest), last);
    real inverse = 1 / (last - *beta);
    for (int i = 0; i < m - 1; i++)
        x[i] *= inverse;
    x[m - 1] = 1;
    return (*beta - last) / *beta;
}

/* Rows i .. i + rows of A += w p^T - p w^T, lower triangle, zeros above it; product += A next. */
static inline __attribute__((always_inline)) void update_rows(int rows, int i, int ld, elem *A, const real *w, const real *p,
                                                              const real *next, real *product)
{
    vector sum[4] = {{0}};
    lane_mask lane;
    for (int l = 0; l < VECTOR_LANES; l++)
        lane[l] = l;
    for (int j = 0; j < i + rows; j += VECTOR_LANES) {
        vector wj = *(const vector *)(w + j), pj = *(const vector *)(p + j), nj = *(const vector *)(next + j);
        vector below = *(vector *)(product + j);
        int diagonal = j + VECTOR_LANES > i;
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            vector *a = (vector *)(A + (ptrdiff_t)(i + r) * ld + j), x = *a + w[i + r] * pj - p[i + r] * wj;
            if (diagonal)
                x = (vector)((lane_mask)x & (lane + j < (lane_mask){0} + (i + r)));
            *a = x;
            sum[r] += x * nj;
            below -= next[i + r] * x;
        }
        *(vector *)(product + j) = below;
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
        product[i + r] += sum_of(sum[r]);
}

void SO_(tridiagonalise)(int n, elem *A, real *sub, real *tau, real *work)
{
    int ld = matrix_stride(n);
    real *p = work, *next_p = work + ld, *zero = (real *)A; /* row 0 of the lower triangle */
    memset(A, 0, (size_t)ld * sizeof(elem));
    memset(p, 0, (size_t)ld * sizeof(real));
    tau[0] = 0;
    const real *w = zero;
    for (int k = n - 1; k > 0; k--) {
        elem *x = A + (ptrdiff_t)k * ld;
        for (int j = 0; j < k; j++)
            x[j] += w[k] * p[j] - p[k] * w[j];
        memset(x + k, 0, (size_t)(ld - k) * sizeof(elem));
        tau[k] = reflector(k, x, &sub[k - 1]);
        if (tau[k] == 0)
            memset(x, 0, (size_t)k * sizeof(elem));
        memset(next_p, 0, (size_t)ld * sizeof(real));
        int i = 0;
        for (; i + 4 <= k; i += 4)
            update_rows(4, i, ld, A, w, p, x, next_p);
        for (; i < k; i++)
            update_rows(1, i, ld, A, w, p, x, next_p);
        for (int j = 0; j < k; j++)
            next_p[j] *= tau[k];
        real *used = p;
        p = next_p;
        next_p = used;
        w = x;
    }
}

/* ---- Q X ---------------------------------------------------------------------------------------------------------------- */

enum { REFLECTIONS = 8, TILE_ROWS = 4, TILE_VECTORS = VECTOR_REGISTERS == 32 ? 4 : 2 };

/* C (rows, vectors) += sign A B with A_(i,k) = a[i * row + k * column]. */
static inline __attribute__((always_inline)) void tile(int rows, int vectors, int depth, int ld, real sign, const elem *a,
                                                       ptrdiff_t row, ptrdiff_t column, const elem *B, elem *C)
{
    vector sum[TILE_ROWS][TILE_VECTORS] = {{{0}}};
    for (int k = 0; k < depth; k++)
#pragma GCC unroll 4
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
            for (int j = 0; j < vectors; j++)
                sum[i][j] += a[i * row + k * column] * ((const vector *)(B + (ptrdiff_t)k * ld))[j];
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++)
            ((vector *)(C + (ptrdiff_t)i * ld))[j] += sign * sum[i][j];
}

/* The same for rows of ld elements. */
static inline __attribute__((always_inline)) void tile_row(int rows, int depth, int ld, real sign, const elem *a, ptrdiff_t row,
                                                           ptrdiff_t column, const elem *B, elem *C)
{
    int j = 0;
    for (; j + TILE_VECTORS * VECTOR_LANES <= ld; j += TILE_VECTORS * VECTOR_LANES)
        tile(rows, TILE_VECTORS, depth, ld, sign, a, row, column, B + j, C + j);
    for (; j < ld; j += VECTOR_LANES)
        tile(rows, 1, depth, ld, sign, a, row, column, B + j, C + j);
}

static void multiply_add(int rows, int depth, int ld, real sign, const elem *a, ptrdiff_t row, ptrdiff_t column, const elem *B,
                         elem *C)
{
    int i = 0;
    for (; i + TILE_ROWS <= rows; i += TILE_ROWS)
        tile_row(TILE_ROWS, depth, ld, sign, a + i * row, row, column, B, C + (ptrdiff_t)i * ld);
    for (; i < rows; i++)
        tile_row(1, depth, ld, sign, a + i * row, row, column, B, C + (ptrdiff_t)i * ld);
}

void SO_(apply_reflections)(int n, const elem *A, const real *tau, elem *X, real *work)
{
    int ld = matrix_stride(n);
    elem *Z = (elem *)work;
    for (int first = 0; first < n; first += REFLECTIONS) {
        int count = n - first < REFLECTIONS ? n - first : REFLECTIONS, depth = first + count - 1;
        const elem *V = A + (ptrdiff_t)first * ld;
        memset(Z, 0, (size_t)(count * ld) * sizeof(elem));
        multiply_add(count, depth, ld, 1, V, ld, 1, X, Z);
        for (int r = 0; r < count; r++) {
            elem *z = Z + (ptrdiff_t)r * ld;
            for (int q = 0; q < r; q++) {
                const elem *y = Z + (ptrdiff_t)q * ld, *v = V + (ptrdiff_t)r * ld, *w = V + (ptrdiff_t)q * ld;
                real dot = 0;
#pragma omp simd reduction(+ : dot)
                for (int j = 0; j < depth; j++)
                    dot += v[j] * w[j];
                for (int j = 0; j < ld; j++)
                    z[j] -= dot * y[j];
            }
            for (int j = 0; j < ld; j++)
                z[j] *= tau[first + r];
        }
        multiply_add(depth, count, ld, -1, V, 1, ld, Z, X);
    }
}

#endif
