/* rotate.c: y = R x for the vectors of many samples, and its gradient.
 *
 * Token by token: the rotations of a token stay in cache while the vectors of all samples pass. The work is parallel over
 * tokens; the sum over samples in dR runs in their order. The orders that heads use have code of their own. Vectors in bf16
 * become f32 numbers a token at a time.
 * SPDX-License-Identifier: MIT */
#include <omp.h>
#include <string.h>

#include "../context.h"
#include "maps.h"

enum { LARGEST_ON_STACK = 64 };

/* y = M x with M given by columns: y = sum_j x_j column_j. y may be x. scratch: n reals. */
static inline __attribute__((always_inline)) void multiply(int n, const real *columns, const real *x, real *y, real *scratch)
{
    for (int i = 0; i < n; i++)
        scratch[i] = 0;
    for (int j = 0; j < n; j++) {
        real xj = x[j];
        for (int i = 0; i < n; i++)
            scratch[i] += columns[(size_t)j * (size_t)n + (size_t)i] * xj;
    }
    for (int i = 0; i < n; i++)
        y[i] = scratch[i];
}

/* One vector of every group, for one sample and token. R: the token's rotation of group 0; the next rotation is `next` reals
 * further. transposed: multiply by R^T, whose columns are the rows of R. */
static inline __attribute__((always_inline)) void rotate_groups(int n, int64_t groups, int64_t rotations, const real *columns,
                                                                size_t next, const real *x, real *y, real *scratch)
{
    for (int64_t g = 0; g < groups; g++) {
        real local[LARGEST_ON_STACK];
        multiply(n, columns + (size_t)(g % rotations) * next, x + g * n, y + g * n, n <= LARGEST_ON_STACK ? local : scratch);
    }
}

/* f(n, ..), compiled for the orders that encodings use. */
#define BY_ORDER(f, ...)                                                                                                        \
    switch (n) {                                                                                                                \
    case 2: f(2, __VA_ARGS__); break;                                                                                           \
    case 4: f(4, __VA_ARGS__); break;                                                                                           \
    case 8: f(8, __VA_ARGS__); break;                                                                                           \
    case 16: f(16, __VA_ARGS__); break;                                                                                         \
    case 32: f(32, __VA_ARGS__); break;                                                                                         \
    case 64: f(64, __VA_ARGS__); break;                                                                                         \
    default: f(n, __VA_ARGS__);                                                                                                 \
    }

static void rotate_any(int n, int64_t groups, int64_t rotations, const real *columns, size_t next, const real *x, real *y,
                       real *scratch)
{
    BY_ORDER(rotate_groups, groups, rotations, columns, next, x, y, scratch);
}

/* dR[r] += dy x^T for every group of one sample and token. */
static inline __attribute__((always_inline)) void outer_groups(int n, int64_t groups, int64_t rotations, const real *dy,
                                                               const real *x, size_t next, real *dR)
{
    for (int64_t g = 0; g < groups; g++) {
        real *D = dR + (size_t)(g % rotations) * next;
        for (int i = 0; i < n; i++) {
            real dyi = dy[g * n + i];
            for (int j = 0; j < n; j++)
                D[(size_t)i * (size_t)n + (size_t)j] += dyi * x[g * n + j];
        }
    }
}

static void outer_any(int n, int64_t groups, int64_t rotations, const real *dy, const real *x, size_t next, real *dR)
{
    BY_ORDER(outer_groups, groups, rotations, dy, x, next, dR);
}

/* ---- Vectors as they are stored: reals, or bf16 (of f32) ---- */

typedef enum stored { REALS, BF16 } stored;

#if defined(SO_REAL_f32)
static void widen_row(const so_bf16 *x, int64_t count, float *to)
{
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)x[i] << 16;
        memcpy(&to[i], &bits, sizeof bits);
    }
}

/* To nearest even. A NaN stays one: rounding could carry into its exponent. */
static void narrow_row(const float *x, int64_t count, so_bf16 *to)
{
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16, nan = bits >> 16 | 0x40;
        to[i] = (so_bf16)(x[i] == x[i] ? rounded : nan);
    }
}
#endif

/* The `count` numbers from element `at` of x on: there, or widened into row. */
static const real *row_from(stored type, const void *x, int64_t at, int64_t count, real *row)
{
#if defined(SO_REAL_f32)
    if (type == BF16) {
        widen_row((const so_bf16 *)x + at, count, row);
        return row;
    }
#else
    (void)type, (void)count, (void)row;
#endif
    return (const real *)x + at;
}

/* Where they are to be computed: there, or in row, from where row_done takes them. */
static real *row_to(stored type, void *y, int64_t at, real *row)
{
    return type == BF16 ? row : (real *)y + at;
}

static void row_done(stored type, const real *row, int64_t count, void *y, int64_t at)
{
#if defined(SO_REAL_f32)
    if (type == BF16)
        narrow_row(row, count, (so_bf16 *)y + at);
#else
    (void)type, (void)row, (void)count, (void)y, (void)at;
#endif
}

static so_status rotate(so_ctx *ctx, const so_rotation *rotation, stored type, const real *R, const void *x, void *y)
{
    const so_rotation r = *rotation;
    int n = r.tile, threads = r.tokens < ctx->threads ? (int)r.tokens : ctx->threads;
    int64_t row = r.groups * n;
    size_t size = (size_t)n * (size_t)n, own = (size_t)r.rotations * size + (size_t)n + (type == BF16 ? (size_t)row : 0);
    void *memory;
    so_status status = so_ctx_reserve(ctx, own * sizeof(real), (size_t)threads, &memory);
    if (status != SO_OK)
        return status;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t t = 0; t < r.tokens; t++) {
        real *columns = (real *)memory + own * (size_t)omp_get_thread_num(), *scratch = columns + (size_t)r.rotations * size;
        for (int64_t k = 0; k < r.rotations; k++) {
            const real *from = R + (size_t)(k * r.tokens + t) * size;
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++)
                    columns[(size_t)k * size + (size_t)j * (size_t)n + (size_t)i] = from[(size_t)i * (size_t)n + (size_t)j];
        }
        for (int64_t s = 0; s < r.samples; s++) {
            int64_t at = s * r.sample_stride + t * r.token_stride;
            const real *in = row_from(type, x, at, row, scratch + n);
            real *out = row_to(type, y, at, scratch + n);
            rotate_any(n, r.groups, r.rotations, columns, size, in, out, scratch);
            row_done(type, out, row, y, at);
        }
    }
    return SO_OK;
}

static so_status rotate_vjp(so_ctx *ctx, const so_rotation *rotation, stored type, const real *R, const void *x, const void *dy,
                            void *dx, real *dR)
{
    const so_rotation r = *rotation;
    int n = r.tile, threads = r.tokens < ctx->threads ? (int)r.tokens : ctx->threads;
    int64_t row = r.groups * n;
    size_t size = (size_t)n * (size_t)n, next = (size_t)r.tokens * size;
    size_t own = (n > LARGEST_ON_STACK ? (size_t)n : 0) + (type == BF16 ? 2 * (size_t)row : 0);
    void *memory;
    so_status status = so_ctx_reserve(ctx, own * sizeof(real), (size_t)threads, &memory);
    if (status != SO_OK)
        return status;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t t = 0; t < r.tokens; t++) {
        real *rows = own ? (real *)memory + own * (size_t)omp_get_thread_num() : NULL;
        real *x_row = rows, *dy_row = type == BF16 ? rows + row : rows, *scratch = type == BF16 ? rows + 2 * row : rows;
        for (int64_t s = 0; s < r.samples; s++) {
            int64_t at = s * r.sample_stride + t * r.token_stride;
            const real *gradient = row_from(type, dy, at, row, dy_row);
            real *out = row_to(type, dx, at, dy_row);
            if (dR)
                outer_any(n, r.groups, r.rotations, gradient, row_from(type, x, at, row, x_row), next, dR + (size_t)t * size);
            /* The columns of R^T are the rows of R. */
            rotate_any(n, r.groups, r.rotations, R + (size_t)t * size, next, gradient, out, scratch);
            row_done(type, out, row, dx, at);
        }
    }
    return SO_OK;
}

so_status SO_(so_cpu_rotate)(so_ctx *ctx, const so_rotation *rotation, const real *R, const real *x, real *y)
{
    return rotate(ctx, rotation, REALS, R, x, y);
}

so_status SO_(so_cpu_rotate_vjp)(so_ctx *ctx, const so_rotation *rotation, const real *R, const real *x, const real *dy, real *dx,
                                 real *dR)
{
    return rotate_vjp(ctx, rotation, REALS, R, x, dy, dx, dR);
}

#if defined(SO_REAL_f32)
so_status SO_(so_cpu_rotate_bf16)(so_ctx *ctx, const so_rotation *rotation, const float *R, const so_bf16 *x, so_bf16 *y)
{
    return rotate(ctx, rotation, BF16, R, x, y);
}

so_status SO_(so_cpu_rotate_vjp_bf16)(so_ctx *ctx, const so_rotation *rotation, const float *R, const so_bf16 *x,
                                      const so_bf16 *dy, so_bf16 *dx, float *dR)
{
    return rotate_vjp(ctx, rotation, BF16, R, x, dy, dx, dR);
}
#endif
