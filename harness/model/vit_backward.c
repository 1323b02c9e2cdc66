/* vit_backward.c: gradients, in the reverse order of vit_forward.c.
 * SPDX-License-Identifier: MIT */
#include "model/vit_state.h"

#include <string.h>

/* Weight, bias and, with dx, input gradient of a linear layer without gaps between rows. */
static void linear_backward(vit *v, int64_t rows, int in, int out, const float *dy, vit_affine at, const float *x, float *dx)
{
    ops *o = v->device;
    o->linear_backward_weight(o, rows, in, out, dy, out, x, in, v->gradients + at.weight, v->gradients + at.bias);
    if (dx)
        o->linear_backward_input(o, rows, in, out, dy, out, v->values + at.weight, dx, in, false);
}

static void norm_backward(vit *v, int64_t rows, const float *x, vit_affine at, const float *mean, const float *rstd,
                          const float *dy, float *dx)
{
    ops *o = v->device;
    o->layernorm_backward(o, rows, v->config.dim, x, v->values + at.weight, mean, rstd, dy, dx, v->gradients + at.weight,
                          v->gradients + at.bias);
}

/* The gradient of the residual stream, (B, Q, C). With CLS pooling, the last layer's is (B, 1, C). */
static float *stream(vit *v, int Q)
{
    return Q == v->tokens ? v->memory.dx : v->memory.dpooled;
}

/* The gradient that enters a branch: that of the stream behind the branch's dropout. */
static const float *enter_branch(vit *v, int place, int Q)
{
    if (!vit_drops(v))
        return stream(v, Q);
    vit_dropout(v, place, Q, v->config.dim, stream(v, Q), v->memory.dbranch);
    return v->memory.dbranch;
}

/* stream: gradient of the layer's output, then of `middle` */
static void mlp_half(vit *v, int l, int Q)
{
    const vit_config *c = &v->config;
    const vit_layer_places *at = &v->at.layer[l];
    const vit_layer_memory *m = &v->memory.layer[l];
    vit_memory *d = &v->memory;
    ops *o = v->device;
    const int C = c->dim, M = c->mlp_dim;
    const int64_t BQ = (int64_t)v->batch * Q;
    linear_backward(v, BQ, M, C, enter_branch(v, 3 + 3 * l, Q), at->fc2, m->hidden, d->dhidden);
    vit_dropout(v, 2 + 3 * l, Q, M, d->dhidden, d->dhidden);
    o->multiply(o, (size_t)(BQ * M), m->slope, d->dhidden, d->dhidden);
    linear_backward(v, BQ, C, M, d->dhidden, at->fc1, m->norm2, d->dbranch);
    norm_backward(v, BQ, m->middle, at->norm2, m->mean2, m->rstd2, d->dbranch, stream(v, Q));
}

/* dqkv -> gradient of norm1 in dbranch, and of the weight */
static void qkv_backward(vit *v, int l, int Q)
{
    const vit_config *c = &v->config;
    const vit_layer_memory *m = &v->memory.layer[l];
    vit_memory *d = &v->memory;
    ops *o = v->device;
    const int C = c->dim, HD = c->heads * c->head_dim, T = v->tokens;
    const int64_t BT = (int64_t)v->batch * T;
    const float *w = v->values + v->at.layer[l].qkv;
    float *dw = v->gradients + v->at.layer[l].qkv;
    if (Q == T) {
        o->linear_backward_weight(o, BT, C, 3 * HD, d->dqkv, 3 * HD, m->norm1, C, dw, NULL);
        o->linear_backward_input(o, BT, C, 3 * HD, d->dqkv, 3 * HD, w, d->dbranch, C, false);
        return;
    }
    const int64_t q = (int64_t)HD * C; /* floats of the query weight */
    o->linear_backward_weight(o, v->batch, C, HD, d->dqkv, (int64_t)T * 3 * HD, m->norm1, (int64_t)T * C, dw, NULL);
    o->linear_backward_weight(o, BT, C, 2 * HD, d->dqkv + HD, 3 * HD, m->norm1, C, dw + q, NULL);
    o->linear_backward_input(o, BT, C, 2 * HD, d->dqkv + HD, 3 * HD, w + q, d->dbranch, C, false);
    o->linear_backward_input(o, v->batch, C, HD, d->dqkv, (int64_t)T * 3 * HD, w, d->dbranch, (int64_t)T * C, true);
}

/* stream(Q): gradient of `middle`; dx, (B, T, C): then of the layer's input */
static void attention_half(vit *v, int l, int Q)
{
    const vit_config *c = &v->config;
    const vit_layer_places *at = &v->at.layer[l];
    const vit_layer_memory *m = &v->memory.layer[l];
    vit_memory *d = &v->memory;
    ops *o = v->device;
    const int C = c->dim, HD = c->heads * c->head_dim, T = v->tokens;
    const int64_t BT = (int64_t)v->batch * T, BQ = (int64_t)v->batch * Q;
    linear_backward(v, BQ, HD, C, enter_branch(v, 1 + 3 * l, Q), at->out, m->attention, d->dattention);
    ops_attention a = {.batch = v->batch, .tokens = T, .queries = Q, .heads = c->heads, .head_dim = c->head_dim};
    o->attention_backward(o, &a, m->qkv, m->attention, m->lse, d->dattention, d->dqkv);
    vit_position_rotate_backward(v, l, m->qkv, d->dqkv);
    qkv_backward(v, l, Q);
    if (Q != T) { /* from the CLS tokens alone to all tokens: 0 elsewhere */
        o->zero(o, (size_t)(BT * C), d->dx);
        o->add(o, v->batch, C, stream(v, Q), C, d->dx, (int64_t)T * C, d->dx, (int64_t)T * C);
    }
    norm_backward(v, BT, m->input, at->norm1, m->mean1, m->rstd1, d->dbranch, d->dx);
}

static void head(vit *v, float scale)
{
    const vit_config *c = &v->config;
    vit_memory *m = &v->memory;
    ops *o = v->device;
    const bool mean = c->pool == VIT_POOL_MEAN;
    o->cross_entropy_backward(o, v->batch, c->classes, m->logits, m->labels, scale / (float)v->batch, m->dlogits);
    linear_backward(v, v->batch, c->dim, c->classes, m->dlogits, v->at.head, m->norm, m->dnorm);
    o->zero(o, (size_t)v->batch * (size_t)c->dim, m->dpooled);
    norm_backward(v, v->batch, mean ? m->pooled : m->last, v->at.norm, m->mean, m->rstd, m->dnorm, m->dpooled);
    if (mean)
        o->mean_tokens_backward(o, v->batch, v->tokens, c->dim, m->dpooled, m->dx);
}

static void embed(vit *v)
{
    const vit_config *c = &v->config;
    vit_memory *m = &v->memory;
    ops *o = v->device;
    const int volume = (int)vit_config_patch_volume(c);
    vit_dropout(v, 0, v->tokens, c->dim, m->dx, m->dx);
    o->embed_backward(o, v->batch, v->patches, c->dim, m->dx, m->dbranch, v->gradients + v->at.cls,
                      v->at.table < 0 ? NULL : v->gradients + v->at.table);
    linear_backward(v, (int64_t)v->batch * v->patches, volume, c->dim, m->dbranch, v->at.patch, m->patches, NULL);
}

void vit_backward(vit *v, float scale)
{
    int trained[3];
    vit_config_grid(&v->config, v->config.size, trained);
    if (!v->labelled)
        ops_fail("model: backward without labels in the last forward");
    if (v->at.table >= 0 && memcmp(trained, v->position.grid, sizeof trained))
        ops_fail("model: the absolute table can be trained only on its own grid: set the model's size to that of the images");
    vit_position_start_backward(v);
    head(v, scale);
    int last = v->config.depth - 1;
    for (int l = last; l >= 0; l--) {
        int Q = l == last ? v->queries : v->tokens;
        mlp_half(v, l, Q);
        attention_half(v, l, Q);
    }
    embed(v);
    vit_position_encode_backward(v);
}
