/* vit_memory.c: all activations and their gradients in one arena, laid out for a batch and an image size. The arena grows to
 * the largest need seen.
 * SPDX-License-Identifier: MIT */
#include "model/vit_state.h"

#include <stdlib.h>
#include <string.h>

/* Hands out 64-byte aligned pieces of an arena; with base NULL it only counts. */
typedef struct arena {
    char *base;
    size_t used; /* bytes */
} arena;

static void *take(arena *a, size_t bytes)
{
    void *p = a->base ? a->base + a->used : NULL;
    a->used += (bytes + 63) / 64 * 64;
    return p;
}

static float *floats(arena *a, int64_t n)
{
    return take(a, (size_t)n * sizeof(float));
}

static void lay_out_layer(const vit *v, vit_layer_memory *m, arena *a, int64_t B, int64_t T, int64_t Q)
{
    const vit_config *c = &v->config;
    const int64_t C = c->dim, HD = (int64_t)c->heads * c->head_dim, M = c->mlp_dim;
    m->input = floats(a, B * T * C);
    m->norm1 = floats(a, B * T * C);
    m->mean1 = floats(a, B * T);
    m->rstd1 = floats(a, B * T);
    m->qkv = floats(a, B * T * 3 * HD);
    m->attention = floats(a, B * Q * HD);
    m->lse = floats(a, B * Q * c->heads);
    m->middle = floats(a, B * Q * C);
    m->norm2 = floats(a, B * Q * C);
    m->mean2 = floats(a, B * Q);
    m->rstd2 = floats(a, B * Q);
    m->slope = floats(a, B * Q * M);
    m->hidden = floats(a, B * Q * M);
}

/* Fills in the pointers of `m`; returns the bytes used. */
static size_t lay_out(const vit *v, vit_memory *m, char *base, int64_t B, const int size[3])
{
    const vit_config *c = &v->config;
    arena a = {.base = base};
    int grid[3];
    vit_config_grid(c, size, grid);
    const int64_t N = (int64_t)grid[0] * grid[1] * grid[2], T = N + 1, Q = c->pool == VIT_POOL_CLS ? 1 : T;
    const int64_t C = c->dim, HD = (int64_t)c->heads * c->head_dim, volume = vit_config_patch_volume(c);
    m->images = v->device->host_memory ? NULL : floats(&a, B * N * volume);
    m->patches = floats(&a, B * N * volume);
    m->labels = take(&a, (size_t)B * sizeof *m->labels);
    m->sample = take(&a, (size_t)B * sizeof *m->sample);
    for (int l = 0; l < c->depth; l++)
        lay_out_layer(v, &m->layer[l], &a, B, T, l == c->depth - 1 ? Q : T);
    m->last = floats(&a, B * Q * C);
    m->pooled = floats(&a, B * C);
    m->norm = floats(&a, B * C);
    m->mean = floats(&a, B);
    m->rstd = floats(&a, B);
    m->logits = floats(&a, B * c->classes);
    m->loss = floats(&a, B);
    m->correct = take(&a, (size_t)B * sizeof *m->correct);
    m->dlogits = floats(&a, B * c->classes);
    m->dnorm = floats(&a, B * C);
    m->dpooled = floats(&a, B * C);
    m->dx = floats(&a, B * T * C);
    m->dbranch = floats(&a, B * T * C);
    m->dqkv = floats(&a, B * T * 3 * HD);
    m->dattention = floats(&a, B * T * HD);
    m->dhidden = floats(&a, B * T * c->mlp_dim);
    return a.used;
}

void vit_memory_reserve(vit *v, int batch, const int size[3])
{
    vit_memory *m = &v->memory;
    if (batch == m->batch && !memcmp(size, m->size, sizeof m->size))
        return;
    if (!m->layer) {
        m->layer = calloc((size_t)v->config.depth, sizeof *m->layer);
        if (!m->layer)
            ops_fail("out of memory for a table of %d layers", v->config.depth);
    }
    size_t bytes = lay_out(v, m, NULL, batch, size);
    if (bytes > m->capacity) {
        v->device->free(v->device, m->arena);
        m->arena = v->device->alloc(v->device, bytes);
        m->capacity = bytes;
    }
    lay_out(v, m, m->arena, batch, size);
    m->batch = batch;
    memcpy(m->size, size, sizeof m->size);
}

void vit_memory_destroy(vit *v)
{
    v->device->free(v->device, v->memory.arena);
    free(v->memory.layer);
}
