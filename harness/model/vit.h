/* vit.h: vision transformer for sequences, images and videos, with the positional encodings that LieRE is compared to
 * (arXiv 2406.10322 and its official code). Forward, loss, backward and Adam step, written against a device (ops.h).
 *
 *   x = dropout(concat(cls, patches W^T + b) [+ table])
 *   x += dropout(out(attention(rotate(q), rotate(k), v))),  q, k, v = qkv(norm(x))
 *   x += dropout(fc2(dropout(gelu(fc1(norm(x))))))                                             depth times
 *   logits = linear(norm(pool(x)))
 *
 * Use, one training step:
 *   vit_forward(v, &batch);  loss = vit_loss(v);  vit_zero_gradients(v);  vit_backward(v, 1);  vit_adam_step(v, &adam, lr,
 * step); SPDX-License-Identifier: MIT */
#ifndef HARNESS_VIT_H
#define HARNESS_VIT_H

#include "ops/ops.h"

typedef enum vit_encoding {
    VIT_ABSOLUTE,    /* learned table, (patches + 1, dim) */
    VIT_VISIONLLAMA, /* fixed axial RoPE as in LieRE's code: frequencies exp(-4j/(m-1)), m = head_dim/dims/2 per axis */
    VIT_ROPE_MIXED,  /* LieRE with tile 2: learned frequencies per axis */
    VIT_LIERE,       /* R(p) = exp(sum_d p_d A_d), A_d block-diagonal with blocks of order `tile` */
    VIT_NONE
} vit_encoding;

typedef enum vit_pool {
    VIT_POOL_CLS, /* the last layer then computes the CLS token alone, which changes no result */
    VIT_POOL_MEAN /* mean over all tokens, CLS included */
} vit_pool;

typedef enum vit_rotations {
    VIT_ROTATIONS_PER_LAYER, /* layer l turns by its own generators, as the paper describes */
    VIT_ROTATIONS_LAYER0     /* every layer turns by those of layer 0, as the released code does; the others get no gradient */
} vit_rotations;

typedef struct vit_config {
    int dims;     /* position axes: 1 sequence, 2 image, 3 video */
    int size[3];  /* training size per axis, slowest first (2-D: rows, columns; 3-D: frames, rows, columns) */
    int patch[3]; /* divides size */
    int channels; /* per pixel */
    int classes;
    int dim; /* width C */
    int depth, heads, head_dim, mlp_dim;
    float dropout; /* [0, 1); after embedding, attention output, GELU and MLP output; not on attention probabilities */
    vit_pool pool;
    vit_encoding encoding;
    int tile;       /* VIT_LIERE: 2..head_dim, divides head_dim; head_dim itself is dense LieRE. Others ignore it. */
    bool per_layer; /* generators: own ones for each layer; otherwise one set */
    bool per_head;  /* generators: own ones for each head; otherwise one set */
    vit_rotations rotations;
    float generator_factor; /* generator entries start as factor * U(0, 1); the paper's is 2 pi */
    float table_std;        /* VIT_ABSOLUTE: the table starts as N(0, table_std^2); the official code's is 1 */
    so_method method;       /* how the rotations are computed */
    uint64_t seed;          /* of the initial values and of dropout */
} vit_config;

/* The paper's ViT-B/4 for CIFAR-100 with LieRE 8. */
vit_config vit_config_default(void);

typedef struct vit vit;

enum { VIT_ERROR_SIZE = 256 };

/* A model with initial values drawn from config->seed. NULL and one line in `error` if the configuration is not possible.
 * The device must outlive the model. */
vit *vit_create(ops *device, const vit_config *config, char error[VIT_ERROR_SIZE]);
void vit_destroy(vit *v); /* NULL is allowed */
const vit_config *vit_get_config(const vit *v);

/* ---- Parameters -------------------------------------------------------------------------------------------------------
 * All tensors lie in one flat buffer of vit_flat_size() floats on the device; gradients and Adam's two moments have the same
 * layout. Tensors start at multiples of 16 floats; what lies between is 0 and stays 0. */

typedef struct vit_parameter {
    char name[64];  /* "layers.0.attention.qkv.weight" */
    int64_t offset; /* in the flat buffer, floats */
    int64_t count;  /* floats */
    int ndim;
    int64_t shape[5];
} vit_parameter;

/* The tensors, in order of offset; Linear weights are (out, in) as in PyTorch. Those of the encoding come last:
 *   pos_embedding.weight   (patches + 1, dim), entry 0 is CLS
 *   generators.weight      (layers, heads, tiles, axes, tile (tile-1)/2): strict upper triangles, row by row (so_unpack) */
const vit_parameter *vit_parameters(const vit *v, int *count);
int64_t vit_parameter_total(const vit *v); /* floats in all tensors */
int64_t vit_flat_size(const vit *v);

float *vit_values(vit *v); /* device, as are the next three */
float *vit_gradients(vit *v);
float *vit_adam_m(vit *v);
float *vit_adam_v(vit *v);

/* ---- Forward and backward --------------------------------------------------------------------------------------------- */

typedef struct vit_batch {
    int batch;             /* examples, >= 1 */
    int size[3];           /* per axis; other than the training size: positions extend as linspace(0, g/g0, g), g0 and g = grid
                              at training and now; the absolute table is resized (bicubic in 2-D, linear in 1-D, trilinear in
                              3-D, align_corners = False) */
    const float *images;   /* host, (batch, channels, size...), normalised */
    const int32_t *labels; /* host, (batch); NULL if only logits are wanted */
    bool training;         /* apply dropout */
    uint32_t epoch;        /* key of the dropout masks, with ... */
    const uint64_t
        *sample; /* ... the global numbers of the examples, host, (batch); NULL = 0, 1, 2, .. Not read unless training */
} vit_batch;

/* NULL, or one line that tells why the model cannot take inputs of this size. */
const char *vit_size_error(const vit *v, const int size[3]);

/* Memory grows to the largest batch and size seen; no allocation after that. A size that vit_size_error() refuses ends the
 * program with its line. */
void vit_forward(vit *v, const vit_batch *batch);

typedef struct vit_score {
    double loss; /* mean cross-entropy of the batch; NaN or Inf if the model has diverged */
    int correct; /* examples whose largest logit is the label's */
} vit_score;

vit_score vit_loss(vit *v);                             /* of the last forward, which had labels; waits */
void vit_losses(vit *v, float *loss, int32_t *correct); /* example by example, host, (batch); NULL allowed; waits */
void vit_logits(vit *v, float *logits);                 /* host, (batch, classes), of the last forward; waits */

void vit_zero_gradients(vit *v);
/* Adds scale * d(mean loss)/d(parameter) of the last forward to the gradients; once per forward. With scale = 1/k, k batches
 * are one large one. The absolute table cannot be trained on another grid than its own. */
void vit_backward(vit *v, float scale);

/* One Adam(W) step by the gradients; step counts from 1. Weight decay acts on every tensor, as in PyTorch. */
void vit_adam_step(vit *v, const ops_adam *adam, double lr, int64_t step);

#endif
