/* ops_cpu.c: the CPU backend: memory, element-wise functions, and the table. OpenBLAS + OpenMP.
 * SPDX-License-Identifier: MIT */
#include "ops/ops_cpu.h"

#include <cblas.h>
#include <omp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/simd.h"

void ops_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

static void *cpu_alloc(ops *o, size_t bytes)
{
    (void)o;
    size_t rounded = (bytes + 63) / 64 * 64;
    void *p = rounded < bytes ? NULL : aligned_alloc(64, rounded ? rounded : 64);
    if (!p)
        ops_fail("out of memory: %.1f MB more are needed; use a smaller batch or model", (double)bytes / 1e6);
    return p;
}

static void cpu_free(ops *o, void *p)
{
    (void)o;
    free(p);
}

float *cpu_scratch(ops *o, size_t n)
{
    ops_cpu *s = o->state;
    if (n > s->scratch_size) {
        free(s->scratch);
        s->scratch = cpu_alloc(o, n * sizeof(float));
        s->scratch_size = n;
    }
    return s->scratch;
}

static void cpu_copy(ops *o, void *to, const void *from, size_t bytes)
{
    (void)o;
    if (bytes)
        memcpy(to, from, bytes);
}

static void cpu_sync(ops *o)
{
    (void)o;
}

SIMD_CLONES static void axpy_piece(int64_t n, float a, const float *x, float *y)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

SIMD_CLONES static void multiply_piece(int64_t n, const float *a, const float *x, float *y)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[i] = a[i] * x[i];
}

SIMD_CLONES static void add_piece(int64_t n, const float *x, const float *y, float *z)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        z[i] = x[i] + y[i];
}

static void cpu_zero(ops *o, size_t n, float *x)
{
    int64_t count = pieces((int64_t)n, ELEMENTS_PER_PIECE);
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if (count > 1)
    for (int64_t i = 0; i < count; i++)
        memset(x + i * ELEMENTS_PER_PIECE, 0, (size_t)piece_size((int64_t)n, ELEMENTS_PER_PIECE, i) * sizeof(float));
}

static void cpu_axpy(ops *o, size_t n, float a, const float *x, float *y)
{
    int64_t count = pieces((int64_t)n, ELEMENTS_PER_PIECE);
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if (count > 1)
    for (int64_t i = 0; i < count; i++) {
        int64_t at = i * ELEMENTS_PER_PIECE;
        axpy_piece(piece_size((int64_t)n, ELEMENTS_PER_PIECE, i), a, x + at, y + at);
    }
}

static void cpu_multiply(ops *o, size_t n, const float *a, const float *x, float *y)
{
    int64_t count = pieces((int64_t)n, ELEMENTS_PER_PIECE);
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if (count > 1)
    for (int64_t i = 0; i < count; i++) {
        int64_t at = i * ELEMENTS_PER_PIECE;
        multiply_piece(piece_size((int64_t)n, ELEMENTS_PER_PIECE, i), a + at, x + at, y + at);
    }
}

static void cpu_add(ops *o, int64_t rows, int cols, const float *x, int64_t ldx, const float *y, int64_t ldy, float *z,
                    int64_t ldz)
{
    int64_t count = pieces(rows, ROWS_PER_PIECE);
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if (count > 1)
    for (int64_t i = 0; i < count; i++) {
        int64_t begin = i * ROWS_PER_PIECE, n = piece_size(rows, ROWS_PER_PIECE, i);
        if (ldx == cols && ldy == cols && ldz == cols)
            add_piece(n * cols, x + begin * ldx, y + begin * ldy, z + begin * ldz);
        else
            for (int64_t r = begin; r < begin + n; r++)
                add_piece(cols, x + r * ldx, y + r * ldy, z + r * ldz);
    }
}

static void cpu_destroy(ops *o)
{
    ops_cpu *s = o->state;
    so_ctx_destroy(o->so);
    free(s->scratch);
    free(s);
    free(o);
}

ops *ops_create_cpu(int threads)
{
    if (threads < 0)
        ops_fail("threads = %d: must be 0 (all cores) or more", threads);
    openblas_set_num_threads(1);
    ops *o = cpu_alloc(NULL, sizeof *o);
    ops_cpu *s = cpu_alloc(NULL, sizeof *s);
    *s = (ops_cpu){.threads = threads ? threads : omp_get_num_procs()};
    *o = (ops){
        .name = "cpu",
        .state = s,
        .host_memory = true,
        .destroy = cpu_destroy,
        .alloc = cpu_alloc,
        .free = cpu_free,
        .upload = cpu_copy,
        .download = cpu_copy,
        .sync = cpu_sync,
        .zero = cpu_zero,
        .axpy = cpu_axpy,
        .multiply = cpu_multiply,
        .add = cpu_add,
        .linear = cpu_linear,
        .linear_backward_input = cpu_linear_backward_input,
        .linear_backward_weight = cpu_linear_backward_weight,
        .layernorm = cpu_layernorm,
        .layernorm_backward = cpu_layernorm_backward,
        .gelu = cpu_gelu,
        .dropout = cpu_dropout,
        .attention = cpu_attention,
        .attention_backward = cpu_attention_backward,
        .patchify = cpu_patchify,
        .embed = cpu_embed,
        .embed_backward = cpu_embed_backward,
        .mean_tokens = cpu_mean_tokens,
        .mean_tokens_backward = cpu_mean_tokens_backward,
        .cross_entropy = cpu_cross_entropy,
        .cross_entropy_backward = cpu_cross_entropy_backward,
        .adam = cpu_adam,
    };
    so_status status = so_ctx_create_cpu(&o->so, s->threads);
    if (status != SO_OK)
        ops_fail("cannot create a libso context on the CPU: %s", so_status_string(status));
    return o;
}
