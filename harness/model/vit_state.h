/* vit_state.h: the model's own state, shared by the files of this folder.
 *
 * Letters: B batch, N patches, T = N + 1 tokens, C dim, H heads, D head_dim, M mlp_dim, L depth; Q = number of tokens that the
 * last layer computes: T, or 1 with CLS pooling.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_VIT_STATE_H
#define HARNESS_VIT_STATE_H

#include "model/vit.h"

/* Places in the flat buffer, in floats. */
typedef struct vit_affine {
    int64_t weight, bias;
} vit_affine;

typedef struct vit_layer_places {
    vit_affine norm1, out, norm2, fc1, fc2;
    int64_t qkv; /* no bias */
} vit_layer_places;

typedef struct vit_places {
    vit_affine patch, norm, head;
    int64_t cls, table, generators; /* table, generators: -1 if the encoding has none */
    vit_layer_places *layer;        /* L */
} vit_places;

/* What a layer keeps for the way back. (B, T, ..), or (B, Q, ..) from `attention` on. */
typedef struct vit_layer_memory {
    float *input;                 /* (B, T, C) */
    float *norm1, *mean1, *rstd1; /* (B, T, C), (B, T), (B, T) */
    float *qkv;                   /* (B, T, 3, H, D), q and k rotated */
    float *attention, *lse;       /* (B, Q, H, D), (B, H, Q) */
    float *middle;                /* (B, Q, C), after attention and its residual */
    float *norm2, *mean2, *rstd2;
    float *slope, *hidden; /* (B, Q, M): of GELU; its output after dropout */
} vit_layer_memory;

typedef struct vit_memory {
    void *arena;
    size_t capacity; /* bytes */
    int batch;       /* what the pointers below are laid out for */
    int size[3];
    float *images, *patches;            /* (B, channels, size..), (B, N, patch volume channels) */
    int32_t *labels;                    /* (B) */
    uint64_t *sample;                   /* (B) */
    vit_layer_memory *layer;            /* L */
    float *last;                        /* (B, Q, C) */
    float *pooled, *norm, *mean, *rstd; /* (B, C) .. */
    float *logits, *loss;               /* (B, classes), (B) */
    int32_t *correct;                   /* (B) */
    float *dlogits, *dnorm, *dpooled;
    float *dx, *dbranch, *dqkv, *dattention, *dhidden; /* (B, T, C), (B, T, C), like qkv, (B, T, H, D), (B, T, M) */
} vit_memory;

/* Rotations of the patches (CLS stays at position 0 and is not rotated) and what they are made of. Rotation groups are ordered
 * layer, head, tile. */
typedef struct vit_position {
    int tile;                 /* 0: this encoding does not rotate */
    int layers, heads, tiles; /* distinct sets of rotations: layers x heads x tiles groups */
    bool learned;
    int grid[3];                     /* what coordinates, table and R are made for; {0} at first */
    int64_t capacity;                /* patches for which there is memory */
    float *coordinates;              /* (N, dims) */
    float *generators, *dgenerators; /* (groups, dims, tile, tile) */
    float *dpacked;                  /* (groups, dims, tile (tile - 1)/2) */
    float *R, *dR;                   /* (groups, N, tile, tile) */
    float *table;                    /* (T, C): the absolute table resized to this grid */
} vit_position;

struct vit {
    ops *device;
    vit_config config;
    vit_parameter *parameters;
    int parameter_count;
    int64_t flat;
    float *values, *gradients, *adam_m, *adam_v;
    vit_places at;
    vit_memory memory;
    vit_position position;
    /* of the last forward */
    int batch, patches, tokens, queries; /* B, N, T, Q */
    bool labelled, training;
    uint32_t epoch;
};

/* vit_config.c */
bool vit_config_check(const vit_config *c, char error[VIT_ERROR_SIZE]);
const char *vit_config_size_error(const vit_config *c, const int size[3]);
void vit_config_grid(const vit_config *c, const int size[3], int grid[3]); /* 1 on axes that the data does not have */
int64_t vit_config_patch_volume(const vit_config *c);                      /* numbers per patch, channels included */

/* vit_parameters.c */
void vit_parameters_create(vit *v); /* table, places, buffers, initial values */
void vit_parameters_destroy(vit *v);

/* vit_memory.c */
void vit_memory_reserve(vit *v, int batch, const int size[3]);
void vit_memory_destroy(vit *v);

/* position.c */
void vit_position_create(vit *v);
void vit_position_destroy(vit *v);
void vit_position_set_grid(vit *v, const int size[3]);
void vit_position_encode(vit *v);                                              /* R of all layers; once per forward */
void vit_position_rotate(vit *v, int layer, float *qkv);                       /* q (of Q queries) and k in place */
void vit_position_rotate_backward(vit *v, int layer, float *qkv, float *dqkv); /* turns qkv back, dqkv -> gradient before
                                                                rotation, adds to dR */
void vit_position_start_backward(vit *v);                                      /* dR = 0 */
void vit_position_encode_backward(vit *v);                                     /* dR -> gradient of the generators */
const float *vit_position_table(vit *v); /* for the present grid; NULL: this encoding has none */

/* table_resize.c: (1 + product of `from`, cols) -> (1 + product of `to`, cols), host; row 0 (CLS) is copied.
 * dims 1: linear, 2: bicubic (a = -0.75), 3: trilinear; half-pixel centres (align_corners = False), borders repeated. */
void vit_table_resize(int dims, const int from[3], const int to[3], int cols, const float *source, float *target);

/* vit_forward.c: the place of a dropout in the network. 0 embedding; 1 + 3 l + 0, 1, 2: attention output, hidden, MLP output of
 * layer l. Does nothing unless training with dropout > 0. rows: tokens per example; cols: values per token */
void vit_dropout(vit *v, int place, int rows, int cols, const float *x, float *y);
bool vit_drops(const vit *v);

#endif
