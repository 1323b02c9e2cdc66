/* ops.h: what a device must provide to train a ViT: one table of functions, f32. The model (harness/model) is written once
 * against it; ops_cpu.c and kernels/vit implement it.
 *
 * Conventions
 *   memory      Every pointer to float or int32_t is device memory from alloc(), except where a function says "host".
 *   layout      Row-major. B batch, T tokens, C channels (width of the residual stream), H heads, D head dimension.
 *               "rows x cols, ld" means element (i, j) at i*ld + j; ld >= cols; without ld the matrix is contiguous.
 *   order       Entries run in call order on one queue; only download() and sync() wait for it.
 *   gradients   dX stands for dLoss/dX. Gradients of parameters are added to, gradients of activations overwritten,
 *               except where a function says otherwise.
 *   same bits   A result depends neither on the number of threads nor on what else is in the queue; every sum has a fixed
 *               order. It may depend on the shapes of the call.
 *   failure     A device that fails (no memory left) ends the program with one line on stderr.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_OPS_H
#define HARNESS_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "so.h"

/* Self-attention of one layer. q, k and v are slots 0, 1, 2 of a (B, T, 3, H, D) buffer. */
typedef struct ops_attention {
    int batch;   /* B */
    int tokens;  /* T: keys and values */
    int queries; /* tokens 0..queries-1 are queries; the model uses T, or 1 where only the CLS token is needed */
    int heads, head_dim;
} ops_attention;

/* Images (B, channels, size[0], size[1], size[2]) cut into patches; axes that the data does not have are 1 long. */
typedef struct ops_patches {
    int batch, channels;
    int size[3], patch[3]; /* slowest axis first; patch[d] divides size[d] */
} ops_patches;

/* Element i of example s is kept if word i % 4 of random_block(first_block + i/4) under the key (seed, RANDOM_DROPOUT,
 * epoch, sample[s]) is >= p 2^32. So a mask does not depend on the batch, on threads or on the rest of the run. */
typedef struct ops_dropout {
    float p; /* in [0, 1) */
    uint64_t seed;
    uint32_t epoch;
    uint32_t first_block;   /* tells the places in the network apart */
    const uint64_t *sample; /* device, one number per example */
} ops_dropout;

typedef struct ops_adam {
    double beta1, beta2, eps; /* double: 1 - 0.999f is wrong in the fifth digit */
    double weight_decay;
    bool decoupled; /* AdamW: x -= lr wd x; otherwise Adam: the gradient gets + wd x */
} ops_adam;

typedef struct ops ops;
struct ops {
    const char *name; /* "cpu", "cuda" */
    so_ctx *so;       /* libso on the same device and queue */
    void *state;      /* the implementation's own */
    bool host_memory; /* device memory is host memory: upload() may be skipped */

    void (*destroy)(ops *);

    /* Memory, 64-byte aligned or better. alloc() never returns NULL; free(NULL) is allowed. */
    void *(*alloc)(ops *, size_t bytes);
    void (*free)(ops *, void *p);
    void (*upload)(ops *, void *device, const void *host, size_t bytes);
    void (*download)(ops *, void *host, const void *device, size_t bytes); /* waits */
    void (*sync)(ops *);

    void (*zero)(ops *, size_t n, float *x);
    void (*axpy)(ops *, size_t n, float a, const float *x, float *y);            /* y += a x */
    void (*multiply)(ops *, size_t n, const float *a, const float *x, float *y); /* y = a x, element by element; y may be x */
    /* z = x + y, rows x cols; z may be x or y */
    void (*add)(ops *, int64_t rows, int cols, const float *x, int64_t ldx, const float *y, int64_t ldy, float *z, int64_t ldz);

    /* y = x w^T + b.  x: rows x in, w: out x in, b: out or NULL, y: rows x out */
    void (*linear)(ops *, int64_t rows, int in, int out, const float *x, int64_t ldx, const float *w, const float *b, float *y,
                   int64_t ldy);
    /* dx = dy w; with accumulate dx += dy w */
    void (*linear_backward_input)(ops *, int64_t rows, int in, int out, const float *dy, int64_t lddy, const float *w,
                                  float *dx, int64_t lddx, bool accumulate);
    /* dw += dy^T x, db += column sums of dy; db may be NULL */
    void (*linear_backward_weight)(ops *, int64_t rows, int in, int out, const float *dy, int64_t lddy, const float *x,
                                   int64_t ldx, float *dw, float *db);

    /* y = (x - mean) rstd w + b per row, rstd = 1/sqrt(variance + 1e-5); mean, rstd: rows values, kept for the way back */
    void (*layernorm)(ops *, int64_t rows, int cols, const float *x, const float *w, const float *b, float *y, float *mean,
                      float *rstd);
    /* dx += gradient (the residual branch is already in dx); dw, db += */
    void (*layernorm_backward)(ops *, int64_t rows, int cols, const float *x, const float *w, const float *mean,
                               const float *rstd, const float *dy, float *dx, float *dw, float *db);

    /* y = x Phi(x), Phi = normal distribution function (the exact, erf GELU); slope = dy/dx, for multiply() on the way back.
     * slope may be NULL or the memory of x. */
    void (*gelu)(ops *, size_t n, const float *x, float *y, float *slope);

    /* y = keep ? x/(1 - p) : 0, batch x n; y may be x. Its own backward. */
    void (*dropout)(ops *, const ops_dropout *, int batch, size_t n, const float *x, float *y);

    /* out[b][t][h] = sum_j softmax_j(q_t . k_j / sqrt(D)) v_j.  out: (B, queries, H, D); lse: (B, H, queries), the logarithm
     * of the softmax denominators, kept for the way back */
    void (*attention)(ops *, const ops_attention *, const float *qkv, float *out, float *lse);
    /* dqkv: like qkv; its q slot is written for queries only */
    void (*attention_backward)(ops *, const ops_attention *, const float *qkv, const float *out, const float *lse,
                               const float *dout, float *dqkv);

    /* patches: (B, patches, patch volume x channels): patches in row-major order of the grid, inside a patch pixel by pixel
     * in row-major order, channels fastest */
    void (*patchify)(ops *, const ops_patches *, const float *images, float *patches);
    /* x[b][0] = cls + table[0], x[b][1 + n] = y[b][n] + table[1 + n].  y: (B, N, C), x: (B, N + 1, C),
     * table: (N + 1, C) or NULL for zero */
    void (*embed)(ops *, int batch, int patches, int cols, const float *y, const float *cls, const float *table, float *x);
    /* dy overwritten; dcls, dtable (NULL allowed) added to */
    void (*embed_backward)(ops *, int batch, int patches, int cols, const float *dx, float *dy, float *dcls, float *dtable);

    /* y[b] = mean over t of x[b][t] */
    void (*mean_tokens)(ops *, int batch, int tokens, int cols, const float *x, float *y);
    void (*mean_tokens_backward)(ops *, int batch, int tokens, int cols, const float *dy, float *dx);

    /* loss[b] = -log softmax(logits[b])[label[b]]; correct[b] = 1 if the largest logit (the first of equals) is the label's.
     * A NaN among the logits gives loss NaN and correct 0. */
    void (*cross_entropy)(ops *, int batch, int classes, const float *logits, const int32_t *label, float *loss,
                          int32_t *correct);
    /* dlogits = scale (softmax(logits) - one_hot(label)) */
    void (*cross_entropy_backward)(ops *, int batch, int classes, const float *logits, const int32_t *label, float scale,
                                   float *dlogits);

    /* One step of Adam (Kingma, Ba 2015) or AdamW as PyTorch defines them; step counts from 1. */
    void (*adam)(ops *, const ops_adam *, double lr, int64_t step, size_t n, float *x, const float *gradient, float *m,
                 float *v);
};

/* One line on stderr, exit status 1. */
_Noreturn void ops_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* threads: 0 = all cores. Sets OpenBLAS to one thread for the whole process: the backend splits the work itself. */
ops *ops_create_cpu(int threads);

#endif
