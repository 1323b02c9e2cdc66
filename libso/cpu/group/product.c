/* product.c: matrix products of a group. A tile of C stays in registers; C is made panel by panel, a panel being as many columns
 * as a tile is wide, so that the panel of B stays in the first-level cache while A streams by.
 *
 * lanes: an elem is a vector, a tile is TILE_ROWS x TILE_COLUMNS elems.
 * single: a row of C is cut into vectors, a tile is TILE_ROWS rows x TILE_COLUMNS vectors, A is broadcast. The rows of B and C
 *         are padded with zeros to whole vectors (matrix_stride), so there is no column tail.
 * Every entry is summed in runs of equal length that are then added up, so that its rounding error grows with the square root of n
 * even where all terms have one size, as in a Hadamard matrix. Up to n = 16 only full products need it: most are squarings, whose
 * errors the next squaring doubles. The order of the sum is the same in both layouts and whatever the tile an entry falls into.
 * SPDX-License-Identifier: MIT */
#include "matrix.h"

#if defined(SO_LAYOUT_lanes)
#define LOAD_A(x) (*(const vector *)(x))
#else
#define LOAD_A(x) (*(x) - (vector){0}) /* x + 0 would turn -0 into 0 */
#endif

/* As many accumulators as registers allow. NEON, on which no time was measured, takes the tiles of AVX-512: they leave registers for
 * a row of B and an entry of A, and their 16 sums or more hide a latency of four cycles in four pipes. */
#if defined(SO_LAYOUT_lanes)
#define TILE_ROWS (VECTOR_REGISTERS == 32 ? 6 : 4)
#define TILE_COLUMNS (VECTOR_REGISTERS == 32 ? 4 : 3)
#else
#define TILE_ROWS (VECTOR_REGISTERS == 32 ? 8 : 6)
#define TILE_COLUMNS 2
#endif
enum { MOST_ROWS = 8, MOST_COLUMNS = 4 };

/* C = A B or C += A B; entry (i, k) of A is left[i row + k step]. */
typedef struct task {
    int n, run, add;
    ptrdiff_t ld, row, step;
    const elem *left, *right;
    elem *C;
} task;

static inline __attribute__((always_inline)) void clear(int rows, int columns, vector sum[][MOST_COLUMNS])
{
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (int c = 0; c < columns; c++)
            sum[r][c] = (vector){0};
}

/* sum += the terms start .. end-1 of a tile. */
static inline __attribute__((always_inline)) void add_run(int rows, int columns, int triangle, const task *t, const elem *A,
                                                          const elem *B, int start, int end, vector sum[][MOST_COLUMNS])
{
    for (int k = start; k < end; k++) {
        vector b[MOST_COLUMNS];
#pragma GCC unroll 8
        for (int c = 0; c < columns; c++)
            b[c] = *(const vector *)&B[k * t->ld + c * UNIT];
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
            vector a = LOAD_A(&A[r * t->row + k * t->step]);
#pragma GCC unroll 8
            for (int c = 0; c < columns; c++)
                if (!triangle || c <= r)
                    sum[r][c] += a * b[c];
        }
    }
}

/* One tile with its corner at (i, j). triangle: it lies on the diagonal, only columns <= row are wanted. */
static inline __attribute__((always_inline)) void tile(int rows, int columns, int triangle, const task *t, ptrdiff_t i, ptrdiff_t j)
{
    const elem *A = t->left + i * t->row, *B = t->right + j;
    elem *C = t->C + i * t->ld + j;
    int n = t->n, run = t->run;
    vector total[MOST_ROWS][MOST_COLUMNS];
    clear(rows, columns, total);
    add_run(rows, columns, triangle, t, A, B, 0, run, total);
    for (int start = run; start < n; start += run) {
        vector sum[MOST_ROWS][MOST_COLUMNS];
        clear(rows, columns, sum);
        add_run(rows, columns, triangle, t, A, B, start, n - start < run ? n : start + run, sum);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
            for (int c = 0; c < columns; c++)
                total[r][c] += sum[r][c];
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (int c = 0; c < columns; c++)
            if (!triangle || c <= r) {
                vector *to = (vector *)&C[r * t->ld + c * UNIT];
                if (t->add)
                    total[r][c] += *to;
                *to = total[r][c];
            }
}

/* A tile of any size that is used. */
#define TILE(r, c)                                                                                                              \
    case (r) * 8 + (c):                                                                                                         \
        if ((r) <= TILE_ROWS && (c) <= TILE_COLUMNS)                                                                            \
            tile(r, c, 0, t, i, j);                                                                                             \
        break;
#define TILES_OF_ROWS(r) TILE(r, 1) TILE(r, 2) TILE(r, 3) TILE(r, 4)

static void any_tile(int rows, int columns, const task *t, ptrdiff_t i, ptrdiff_t j)
{
    switch (rows * 8 + columns) {
        TILES_OF_ROWS(1)
        TILES_OF_ROWS(2)
        TILES_OF_ROWS(3)
        TILES_OF_ROWS(4)
        TILES_OF_ROWS(5)
        TILES_OF_ROWS(6)
        TILES_OF_ROWS(7)
        TILES_OF_ROWS(8)
    }
}

/* Rows first .. end-1 of a panel, in tiles of nearly equal height. */
static void column_of_tiles(const task *t, int first, int end, int columns, ptrdiff_t j)
{
    for (int tiles = (end - first + TILE_ROWS - 1) / TILE_ROWS; tiles > 0; tiles--) {
        int rows = (end - first + tiles - 1) / tiles;
        any_tile(rows, columns, t, first, j);
        first += rows;
    }
}

static void full(const task *t)
{
    int units = (t->n + UNIT - 1) / UNIT;
    for (int u = 0; u < units; u += TILE_COLUMNS)
        column_of_tiles(t, 0, t->n, units - u < TILE_COLUMNS ? units - u : TILE_COLUMNS, (ptrdiff_t)u * UNIT);
}

#if defined(SO_LAYOUT_lanes)

static void lower(const task *t)
{
    for (int j = 0; j < t->n; j += TILE_COLUMNS) {
        int columns = t->n - j < TILE_COLUMNS ? t->n - j : TILE_COLUMNS;
        switch (columns) {
        case 1:
            tile(1, 1, 1, t, j, j);
            break;
        case 2:
            tile(2, 2, 1, t, j, j);
            break;
        case 3:
            tile(3, 3, 1, t, j, j);
            break;
        case 4:
            tile(4, 4, 1, t, j, j);
            break;
        }
        column_of_tiles(t, j + columns, t->n, columns, j);
    }
}

#else

static void lower(const task *t)
{
    for (int j = 0; j < t->n; j += TILE_COLUMNS * UNIT) {
        int second = j + UNIT < t->n ? j + UNIT : t->n; /* rows above it need the first unit only */
        column_of_tiles(t, j, second, 1, j);
        column_of_tiles(t, second, t->n, 2, j);
    }
}

#endif

/* The longest run; up to WHOLE a half product has one. */
enum { RUN = 8, WHOLE = 16 };

/* As few runs as there can be, of nearly equal length; one up to n = whole. */
static int run_of(int n, int whole)
{
    int runs = n <= whole ? 1 : (n + RUN - 1) / RUN;
    return (n + runs - 1) / runs;
}

static void product_full(int n, ptrdiff_t row, ptrdiff_t step, const elem *A, const elem *B, elem *C)
{
    task t = {n, run_of(n, RUN), 0, matrix_stride(n), row, step, A, B, C};
    full(&t);
}

void product(int n, const elem *A, const elem *B, elem *C)
{
    product_full(n, matrix_stride(n), 1, A, B, C);
}

void product_transposed(int n, const elem *A, const elem *B, elem *C)
{
    product_full(n, 1, matrix_stride(n), A, B, C);
}

static void product_half(int n, int add, const elem *A, const elem *B, elem *C)
{
    task t = {n, run_of(n, WHOLE), add, matrix_stride(n), matrix_stride(n), 1, A, B, C};
    lower(&t);
}

void product_lower(int n, const elem *A, const elem *B, elem *C)
{
    product_half(n, 0, A, B, C);
}

void product_lower_add(int n, const elem *A, const elem *B, elem *C)
{
    product_half(n, 1, A, B, C);
}
