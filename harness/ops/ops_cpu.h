/* ops_cpu.h: what the files of the CPU backend share.
 *
 * Work is cut into pieces whose sizes depend on the shapes alone, never on the number of threads; threads take whole pieces.
 * So a result is the same, bit for bit, for any number of threads. OpenBLAS runs inside a piece, on one thread.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_OPS_CPU_H
#define HARNESS_OPS_CPU_H

#include "ops/ops.h"

enum {
    ELEMENTS_PER_PIECE = 8192, /* element-wise functions: two or three arrays of a piece fit the first-level cache */
    ROWS_PER_PIECE = 128       /* row-wise functions and products: OpenBLAS is at full speed from about 64 rows on */
};

typedef struct ops_cpu {
    int threads;
    float *scratch; /* grown by cpu_scratch(), reused by every call */
    size_t scratch_size;
} ops_cpu;

static inline int cpu_threads(const ops *o)
{
    return ((const ops_cpu *)o->state)->threads;
}

/* At least n floats, 64-byte aligned, contents undefined, valid until the next call. */
float *cpu_scratch(ops *o, size_t n);

static inline int64_t pieces(int64_t n, int64_t per_piece)
{
    return (n + per_piece - 1) / per_piece;
}

static inline int64_t piece_size(int64_t n, int64_t per_piece, int64_t i)
{
    int64_t left = n - i * per_piece;
    return left < per_piece ? left : per_piece;
}

void cpu_linear(ops *, int64_t rows, int in, int out, const float *x, int64_t ldx, const float *w, const float *b, float *y,
                int64_t ldy);
void cpu_linear_backward_input(ops *, int64_t rows, int in, int out, const float *dy, int64_t lddy, const float *w, float *dx,
                               int64_t lddx, bool accumulate);
void cpu_linear_backward_weight(ops *, int64_t rows, int in, int out, const float *dy, int64_t lddy, const float *x,
                                int64_t ldx, float *dw, float *db);
void cpu_layernorm(ops *, int64_t rows, int cols, const float *x, const float *w, const float *b, float *y, float *mean,
                   float *rstd);
void cpu_layernorm_backward(ops *, int64_t rows, int cols, const float *x, const float *w, const float *mean, const float *rstd,
                            const float *dy, float *dx, float *dw, float *db);
void cpu_gelu(ops *, size_t n, const float *x, float *y, float *slope);
void cpu_dropout(ops *, const ops_dropout *, int batch, size_t n, const float *x, float *y);
void cpu_attention(ops *, const ops_attention *, const float *qkv, float *out, float *lse);
void cpu_attention_backward(ops *, const ops_attention *, const float *qkv, const float *out, const float *lse,
                            const float *dout, float *dqkv);
void cpu_patchify(ops *, const ops_patches *, const float *images, float *patches);
void cpu_embed(ops *, int batch, int patches, int cols, const float *y, const float *cls, const float *table, float *x);
void cpu_embed_backward(ops *, int batch, int patches, int cols, const float *dx, float *dy, float *dcls, float *dtable);
void cpu_mean_tokens(ops *, int batch, int tokens, int cols, const float *x, float *y);
void cpu_mean_tokens_backward(ops *, int batch, int tokens, int cols, const float *dy, float *dx);
void cpu_cross_entropy(ops *, int batch, int classes, const float *logits, const int32_t *label, float *loss, int32_t *correct);
void cpu_cross_entropy_backward(ops *, int batch, int classes, const float *logits, const int32_t *label, float scale,
                                float *dlogits);
void cpu_adam(ops *, const ops_adam *, double lr, int64_t step, size_t n, float *x, const float *gradient, float *m, float *v);

#endif
