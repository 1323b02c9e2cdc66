/* vit_forward.c: from images to logits.
 * SPDX-License-Identifier: MIT */
#include "model/vit_state.h"

#include <stdlib.h>
#include <string.h>

bool vit_drops(const vit *v)
{
    return v->training && v->config.dropout > 0;
}

void vit_dropout(vit *v, int place, int rows, int cols, const float *x, float *y)
{
    if (!vit_drops(v))
        return;
    const vit_config *c = &v->config;
    int64_t narrow = ((int64_t)v->tokens * c->dim + 3) / 4, wide = ((int64_t)v->tokens * c->mlp_dim + 3) / 4; /* blocks */
    int64_t layer = (place - 1) / 3, part = (place - 1) % 3;
    int64_t first = place ? narrow + layer * (2 * narrow + wide) + (part > 0 ? narrow : 0) + (part > 1 ? wide : 0) : 0;
    ops_dropout d = {
        .p = c->dropout, .seed = c->seed, .epoch = v->epoch, .first_block = (uint32_t)first, .sample = v->memory.sample};
    v->device->dropout(v->device, &d, v->batch, (size_t)rows * (size_t)cols, x, y);
}

static void upload_batch(vit *v, const vit_batch *b)
{
    ops *o = v->device;
    vit_memory *m = &v->memory;
    size_t B = (size_t)b->batch;
    v->labelled = b->labels != NULL;
    if (v->labelled) {
        for (int i = 0; i < b->batch; i++)
            if (b->labels[i] < 0 || b->labels[i] >= v->config.classes)
                ops_fail("model: label %d of example %d of the batch: must be between 0 and %d", b->labels[i], i,
                         v->config.classes - 1);
        o->upload(o, m->labels, b->labels, B * sizeof *m->labels);
    }
    if (!vit_drops(v))
        return;
    if (b->sample) {
        o->upload(o, m->sample, b->sample, B * sizeof *m->sample);
        return;
    }
    for (uint64_t i = 0; i < B; i++)
        o->upload(o, m->sample + i, &i, sizeof i);
}

static void embed(vit *v, const vit_batch *b)
{
    const vit_config *c = &v->config;
    ops *o = v->device;
    vit_memory *m = &v->memory;
    const int C = c->dim, volume = (int)vit_config_patch_volume(c);
    const int64_t BN = (int64_t)v->batch * v->patches;
    ops_patches p = {.batch = v->batch, .channels = c->channels, .size = {1, 1, 1}, .patch = {1, 1, 1}};
    for (int d = 0; d < c->dims; d++) { /* axes that are missing are the slowest ones */
        p.size[3 - c->dims + d] = b->size[d];
        p.patch[3 - c->dims + d] = c->patch[d];
    }
    const float *images = b->images;
    if (!o->host_memory) {
        o->upload(o, m->images, images, (size_t)(BN * volume) * sizeof(float));
        images = m->images;
    }
    o->patchify(o, &p, images, m->patches);
    o->linear(o, BN, volume, C, m->patches, volume, v->values + v->at.patch.weight, v->values + v->at.patch.bias, m->dbranch,
              C);
    float *x = m->layer[0].input;
    o->embed(o, v->batch, v->patches, C, m->dbranch, v->values + v->at.cls, vit_position_table(v), x);
    vit_dropout(v, 0, v->tokens, C, x, x);
}

/* x + attention(norm(x)) -> middle, (B, Q, C) */
static void attention_half(vit *v, int l, int Q)
{
    const vit_config *c = &v->config;
    const vit_layer_places *at = &v->at.layer[l];
    const vit_layer_memory *m = &v->memory.layer[l];
    ops *o = v->device;
    const float *w = v->values;
    const int C = c->dim, HD = c->heads * c->head_dim, T = v->tokens;
    const int64_t BT = (int64_t)v->batch * T, BQ = (int64_t)v->batch * Q;
    o->layernorm(o, BT, C, m->input, w + at->norm1.weight, w + at->norm1.bias, m->norm1, m->mean1, m->rstd1);
    if (Q == T) {
        o->linear(o, BT, C, 3 * HD, m->norm1, C, w + at->qkv, NULL, m->qkv, 3 * HD);
    } else { /* q of the CLS tokens, k and v of all */
        o->linear(o, v->batch, C, HD, m->norm1, (int64_t)T * C, w + at->qkv, NULL, m->qkv, (int64_t)T * 3 * HD);
        o->linear(o, BT, C, 2 * HD, m->norm1, C, w + at->qkv + (int64_t)HD * C, NULL, m->qkv + HD, 3 * HD);
    }
    vit_position_rotate(v, l, m->qkv);
    ops_attention a = {.batch = v->batch, .tokens = T, .queries = Q, .heads = c->heads, .head_dim = c->head_dim};
    o->attention(o, &a, m->qkv, m->attention, m->lse);
    o->linear(o, BQ, HD, C, m->attention, HD, w + at->out.weight, w + at->out.bias, m->middle, C);
    vit_dropout(v, 1 + 3 * l, Q, C, m->middle, m->middle);
    if (Q == T)
        o->add(o, BT, C, m->middle, C, m->input, C, m->middle, C);
    else
        o->add(o, v->batch, C, m->middle, C, m->input, (int64_t)T * C, m->middle, C);
}

/* middle + mlp(norm(middle)) -> y, (B, Q, C) */
static void mlp_half(vit *v, int l, int Q, float *y)
{
    const vit_config *c = &v->config;
    const vit_layer_places *at = &v->at.layer[l];
    const vit_layer_memory *m = &v->memory.layer[l];
    ops *o = v->device;
    const float *w = v->values;
    const int C = c->dim, M = c->mlp_dim;
    const int64_t BQ = (int64_t)v->batch * Q;
    o->layernorm(o, BQ, C, m->middle, w + at->norm2.weight, w + at->norm2.bias, m->norm2, m->mean2, m->rstd2);
    o->linear(o, BQ, C, M, m->norm2, C, w + at->fc1.weight, w + at->fc1.bias, m->slope, M);
    o->gelu(o, (size_t)(BQ * M), m->slope, m->hidden, m->slope);
    vit_dropout(v, 2 + 3 * l, Q, M, m->hidden, m->hidden);
    o->linear(o, BQ, M, C, m->hidden, M, w + at->fc2.weight, w + at->fc2.bias, y, C);
    vit_dropout(v, 3 + 3 * l, Q, C, y, y);
    o->add(o, BQ, C, y, C, m->middle, C, y, C);
}

static void head(vit *v)
{
    const vit_config *c = &v->config;
    vit_memory *m = &v->memory;
    ops *o = v->device;
    const float *w = v->values, *pooled = m->last;
    if (c->pool == VIT_POOL_MEAN) {
        o->mean_tokens(o, v->batch, v->tokens, c->dim, m->last, m->pooled);
        pooled = m->pooled;
    }
    o->layernorm(o, v->batch, c->dim, pooled, w + v->at.norm.weight, w + v->at.norm.bias, m->norm, m->mean, m->rstd);
    o->linear(o, v->batch, c->dim, c->classes, m->norm, c->dim, w + v->at.head.weight, w + v->at.head.bias, m->logits,
              c->classes);
    if (v->labelled)
        o->cross_entropy(o, v->batch, c->classes, m->logits, m->labels, m->loss, m->correct);
}

void vit_forward(vit *v, const vit_batch *b)
{
    const char *error = vit_config_size_error(&v->config, b->size);
    if (error)
        ops_fail("%s", error);
    if (b->batch < 1)
        ops_fail("model: batch = %d: must be 1 or more", b->batch);
    int size[3] = {1, 1, 1};
    memcpy(size, b->size, (size_t)v->config.dims * sizeof *size);
    vit_memory_reserve(v, b->batch, size);
    vit_position_set_grid(v, size);
    const int *grid = v->position.grid;
    v->batch = b->batch;
    v->patches = grid[0] * grid[1] * grid[2];
    v->tokens = v->patches + 1;
    v->queries = v->config.pool == VIT_POOL_CLS ? 1 : v->tokens;
    v->training = b->training;
    v->epoch = b->epoch;
    upload_batch(v, b);
    embed(v, b);
    vit_position_encode(v);
    int last = v->config.depth - 1;
    for (int l = 0; l <= last; l++) {
        int Q = l == last ? v->queries : v->tokens;
        attention_half(v, l, Q);
        mlp_half(v, l, Q, l == last ? v->memory.last : v->memory.layer[l + 1].input);
    }
    head(v);
}
