/* product.c: matrix products of a group. One register tile; full products visit every tile, lower products those that touch
 * the lower triangle.
 *
 * lanes: an elem is a vector, a tile of TILE_ROWS x TILE_COLUMNS elems of C stays in registers.
 * single: a row of C is cut into vectors; a tile is TILE_ROWS rows x TILE_COLUMNS vectors, A is broadcast. The rows of B and C
 *         are padded with zeros to whole vectors (matrix_stride), so there is no column tail.
 * Every entry is summed in runs of SUM_LENGTH terms that are then added up: the rounding error grows with the square root of the
 * run, not of n. The order of the sum is the same whatever the tile an entry falls into.
 * SPDX-License-Identifier: MIT */
#include "matrix.h"

typedef real vector __attribute__((vector_size(VECTOR_BYTES), may_alias));

#if defined(SO_LAYOUT_lanes)
#define UNIT 1 /* elems in a vector */
#define LOAD_A(x) (*(const vector *)(x))
#else
#define UNIT VECTOR_LANES
#define LOAD_A(x) ((vector){0} + *(x))
#endif

/* 32 registers with AVX-512, 16 elsewhere (32 on AArch64, where 128-bit vectors hide the latency with 12 accumulators too). */
#if defined(SO_LAYOUT_lanes)
#if VECTOR_BYTES == 64
enum { TILE_ROWS = 4, TILE_COLUMNS = 6 };
#else
enum { TILE_ROWS = 4, TILE_COLUMNS = 3 };
#endif
#else
#if VECTOR_BYTES == 64
enum { TILE_ROWS = 8, TILE_COLUMNS = 2 };
#else
enum { TILE_ROWS = 6, TILE_COLUMNS = 2 };
#endif
#endif

enum { SUM_LENGTH = 32 };

static inline __attribute__((always_inline)) void tile(int rows, int columns, int n, int ld, int add, const elem *A, const elem *B,
                                                       elem *C)
{
    for (int start = 0; start < n; start += SUM_LENGTH) {
        int end = n - start < SUM_LENGTH ? n : start + SUM_LENGTH;
        vector sum[TILE_ROWS][TILE_COLUMNS];
#pragma GCC unroll 8
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
            for (int j = 0; j < columns; j++)
                sum[i][j] = (vector){0};
        for (int k = start; k < end; k++) {
            vector b[TILE_COLUMNS];
#pragma GCC unroll 8
            for (int j = 0; j < columns; j++)
                b[j] = *(const vector *)&B[(ptrdiff_t)k * ld + j * UNIT];
#pragma GCC unroll 8
            for (int i = 0; i < rows; i++) {
                vector a = LOAD_A(&A[(ptrdiff_t)i * ld + k]);
#pragma GCC unroll 8
                for (int j = 0; j < columns; j++)
                    sum[i][j] += a * b[j];
            }
        }
#pragma GCC unroll 8
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
            for (int j = 0; j < columns; j++) {
                vector *c = (vector *)&C[(ptrdiff_t)i * ld + j * UNIT];
                if (add || start)
                    sum[i][j] += *c;
                *c = sum[i][j];
            }
    }
}

static inline __attribute__((always_inline)) void tile_of_rows(int rows, int columns, int n, int ld, int add, const elem *A,
                                                               const elem *B, elem *C)
{
    switch (columns) {
    case 1:
        tile(rows, 1, n, ld, add, A, B, C);
        break;
    case 2:
        tile(rows, 2, n, ld, add, A, B, C);
        break;
#if defined(SO_LAYOUT_lanes)
    case 3:
        tile(rows, 3, n, ld, add, A, B, C);
        break;
#if VECTOR_BYTES == 64
    case 4:
        tile(rows, 4, n, ld, add, A, B, C);
        break;
    case 5:
        tile(rows, 5, n, ld, add, A, B, C);
        break;
    case 6:
        tile(rows, 6, n, ld, add, A, B, C);
        break;
#endif
#endif
    }
}

static inline __attribute__((always_inline)) void any_tile(int rows, int columns, int n, int ld, int add, const elem *A,
                                                           const elem *B, elem *C)
{
    switch (rows) {
    case 1:
        tile_of_rows(1, columns, n, ld, add, A, B, C);
        break;
    case 2:
        tile_of_rows(2, columns, n, ld, add, A, B, C);
        break;
    case 3:
        tile_of_rows(3, columns, n, ld, add, A, B, C);
        break;
    case 4:
        tile_of_rows(4, columns, n, ld, add, A, B, C);
        break;
#if !defined(SO_LAYOUT_lanes)
    case 5:
        tile_of_rows(5, columns, n, ld, add, A, B, C);
        break;
    case 6:
        tile_of_rows(6, columns, n, ld, add, A, B, C);
        break;
#if VECTOR_BYTES == 64
    case 7:
        tile_of_rows(7, columns, n, ld, add, A, B, C);
        break;
    case 8:
        tile_of_rows(8, columns, n, ld, add, A, B, C);
        break;
#endif
#endif
    }
}

static inline __attribute__((always_inline)) void multiply(int lower, int add, int n, const elem *A, const elem *B, elem *C)
{
    int ld = matrix_stride(n), units = ld / UNIT;
    for (int i = 0; i < n; i += TILE_ROWS) {
        int rows = n - i < TILE_ROWS ? n - i : TILE_ROWS;
        int end = lower ? (i + rows + UNIT - 1) / UNIT : units; /* first unit wholly above the diagonal */
        for (int j = 0; j < end; j += TILE_COLUMNS) {
            int columns = end - j < TILE_COLUMNS ? end - j : TILE_COLUMNS;
            any_tile(rows, columns, n, ld, add, A + (ptrdiff_t)i * ld, B + (ptrdiff_t)j * UNIT, C + (ptrdiff_t)i * ld + (ptrdiff_t)j * UNIT);
        }
    }
}

void product(int n, const elem *A, const elem *B, elem *C)
{
    multiply(0, 0, n, A, B, C);
}

void product_lower(int n, const elem *A, const elem *B, elem *C)
{
    multiply(1, 0, n, A, B, C);
}

void product_lower_add(int n, const elem *A, const elem *B, elem *C)
{
    multiply(1, 1, n, A, B, C);
}
