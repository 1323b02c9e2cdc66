/* position.c: positions of patches, their rotations, the rotations' gradient; the absolute table on other grids.
 *
 * All encodings that rotate are so_encode with different generators: VisionLLaMA fixed ones of tile 2, one axis each;
 * RoPE-Mixed learned ones of tile 2; LieRE learned ones of any tile.
 * SPDX-License-Identifier: MIT */
#include "model/vit_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A NaN or Inf in a generator goes on into the loss, where the trainer looks for it. */
static void expect(vit *v, so_status status, const char *what)
{
    if (status != SO_OK && status != SO_ENONFINITE)
        ops_fail("rotations: %s: %s (%s)", what, so_status_string(status), so_ctx_argument(v->device->so));
}

static int64_t rotation_groups(const vit_position *p)
{
    return (int64_t)p->layers * p->heads * p->tiles;
}

static int64_t generator_count(const vit *v)
{
    return rotation_groups(&v->position) * v->config.dims;
}

static size_t rotation_floats(const vit *v, int64_t patches)
{
    const vit_position *p = &v->position;
    return (size_t)(rotation_groups(p) * patches * p->tile * p->tile);
}

static int64_t patches_of(const int grid[3])
{
    return (int64_t)grid[0] * grid[1] * grid[2];
}

/* Pairs j of axis d turn by -f_j p_d, f_j = exp(-4j/(m-1)): the sign that makes the tile [[cos, -sin], [sin, cos]]. Pairs that
 * no axis owns stay as they are. */
static void fill_axial(const vit *v, float *generators)
{
    const int dims = v->config.dims, m = v->config.head_dim / dims / 2;
    for (int d = 0; d < dims; d++)
        for (int j = 0; j < m; j++) {
            float f = (float)exp(m > 1 ? -4.0 * j / (m - 1) : 0.0), *A = generators + ((d * m + j) * dims + d) * 4;
            A[1] = -f;
            A[2] = f;
        }
}

void vit_position_create(vit *v)
{
    const vit_config *c = &v->config;
    ops *o = v->device;
    vit_position *p = &v->position;
    switch (c->encoding) {
    case VIT_ABSOLUTE:
    case VIT_NONE:
        return;
    case VIT_VISIONLLAMA:
        *p = (vit_position){.tile = 2, .layers = 1, .heads = 1};
        break;
    case VIT_ROPE_MIXED:
    case VIT_LIERE: {
        bool own_layers = c->per_layer && c->rotations == VIT_ROTATIONS_PER_LAYER;
        *p = (vit_position){.tile = c->encoding == VIT_LIERE ? c->tile : 2,
                            .layers = own_layers ? c->depth : 1,
                            .heads = c->per_head ? c->heads : 1,
                            .learned = true};
        break;
    }
    }
    p->tiles = c->head_dim / p->tile;
    size_t n = (size_t)generator_count(v), tile = (size_t)p->tile;
    p->generators = o->alloc(o, n * tile * tile * sizeof(float));
    if (p->learned) {
        p->dgenerators = o->alloc(o, n * tile * tile * sizeof(float));
        p->dpacked = o->alloc(o, n * tile * (tile - 1) / 2 * sizeof(float));
        return;
    }
    float *host = calloc(n, 4 * sizeof(float));
    if (!host)
        ops_fail("out of memory for %zu generators", n);
    fill_axial(v, host);
    o->upload(o, p->generators, host, n * 4 * sizeof(float));
    o->sync(o);
    free(host);
}

void vit_position_destroy(vit *v)
{
    ops *o = v->device;
    vit_position *p = &v->position;
    float *buffers[] = {p->coordinates, p->generators, p->dgenerators, p->dpacked, p->R, p->dR, p->table};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        o->free(o, buffers[i]);
}

/* Axis d: linspace(0, g/g0, g) with g0 the grid at training; first axis slowest. */
static void upload_coordinates(vit *v, const int trained[3])
{
    const vit_position *p = &v->position;
    const int dims = v->config.dims, *g = p->grid;
    int64_t n = patches_of(g);
    float *host = malloc((size_t)(n * dims) * sizeof(float));
    if (!host)
        ops_fail("out of memory for the positions of %lld patches", (long long)n);
    for (int64_t i = 0; i < n; i++) {
        const int64_t at[3] = {i / (g[1] * g[2]), i / g[2] % g[1], i % g[2]};
        for (int d = 0; d < dims; d++)
            host[i * dims + d] = g[d] > 1 ? (float)((double)at[d] * g[d] / trained[d] / (g[d] - 1)) : 0.0f;
    }
    v->device->upload(v->device, p->coordinates, host, (size_t)(n * dims) * sizeof(float));
    v->device->sync(v->device);
    free(host);
}

static void reserve(vit *v, int64_t patches)
{
    ops *o = v->device;
    vit_position *p = &v->position;
    if (patches <= p->capacity)
        return;
    o->free(o, p->table);
    o->free(o, p->coordinates);
    o->free(o, p->R);
    o->free(o, p->dR);
    p->table = p->coordinates = p->R = p->dR = NULL;
    if (v->config.encoding == VIT_ABSOLUTE)
        p->table = o->alloc(o, (size_t)(patches + 1) * (size_t)v->config.dim * sizeof(float));
    if (p->tile) {
        p->coordinates = o->alloc(o, (size_t)(patches * v->config.dims) * sizeof(float));
        p->R = o->alloc(o, rotation_floats(v, patches) * sizeof(float));
        if (p->learned)
            p->dR = o->alloc(o, rotation_floats(v, patches) * sizeof(float));
    }
    p->capacity = patches;
}

static so_encoding encoding(const vit *v)
{
    const vit_position *p = &v->position;
    return (so_encoding){.method = p->learned ? v->config.method : SO_AUTO,
                         .dims = v->config.dims,
                         .tile = p->tile,
                         .groups = rotation_groups(p),
                         .tokens = patches_of(p->grid)};
}

void vit_position_set_grid(vit *v, const int size[3])
{
    vit_position *p = &v->position;
    int grid[3], trained[3];
    vit_config_grid(&v->config, size, grid);
    if (!memcmp(grid, p->grid, sizeof grid))
        return;
    memcpy(p->grid, grid, sizeof grid);
    vit_config_grid(&v->config, v->config.size, trained);
    reserve(v, patches_of(grid));
    if (!p->tile)
        return;
    upload_coordinates(v, trained);
    if (!p->learned) {
        so_encoding e = encoding(v);
        expect(v, so_encode_f32(v->device->so, &e, p->coordinates, p->generators, p->R), "so_encode");
    }
}

void vit_position_encode(vit *v)
{
    const vit_position *p = &v->position;
    if (!p->learned)
        return;
    so_encoding e = encoding(v);
    so_ctx *so = v->device->so;
    expect(v, so_unpack_f32(so, p->tile, generator_count(v), v->values + v->at.generators, p->generators), "so_unpack");
    expect(v, so_encode_f32(so, &e, p->coordinates, p->generators, p->R), "so_encode");
}

/* q and k of all patches; k alone in a layer that only asks for the CLS token. `first` is where they begin in qkv. */
static so_rotation rotation(const vit *v, int layer, int64_t *first)
{
    const vit_config *c = &v->config;
    const vit_position *p = &v->position;
    const int64_t HD = (int64_t)c->heads * c->head_dim;
    bool keys_only = layer == c->depth - 1 && v->queries == 1;
    *first = 3 * HD + (keys_only ? HD : 0);
    return (so_rotation){.tile = p->tile,
                         .samples = v->batch,
                         .tokens = v->patches,
                         .groups = (int64_t)(keys_only ? 1 : 2) * c->heads * p->tiles,
                         .rotations = (int64_t)p->heads * p->tiles,
                         .sample_stride = v->tokens * 3 * HD,
                         .token_stride = 3 * HD};
}

static size_t layer_place(const vit *v, int layer)
{
    const vit_position *p = &v->position;
    return p->layers > 1 ? rotation_floats(v, v->patches) / (size_t)p->layers * (size_t)layer : 0;
}

void vit_position_rotate(vit *v, int layer, float *qkv)
{
    const vit_position *p = &v->position;
    if (!p->tile)
        return;
    int64_t first;
    so_rotation r = rotation(v, layer, &first);
    expect(v, so_rotate_f32(v->device->so, &r, p->R + layer_place(v, layer), qkv + first, qkv + first), "so_rotate");
}

void vit_position_rotate_backward(vit *v, int layer, float *qkv, float *dqkv)
{
    const vit_position *p = &v->position;
    if (!p->tile)
        return;
    int64_t first;
    so_rotation r = rotation(v, layer, &first);
    float *R = p->R + layer_place(v, layer), *dR = p->learned ? p->dR + layer_place(v, layer) : NULL;
    float *x = qkv + first, *dx = dqkv + first;
    if (dR) /* the gradient of R asks for the vectors before rotation: R^T (R x) = x costs less than a copy of them */
        expect(v, so_rotate_vjp_f32(v->device->so, &r, R, x, x, x, NULL), "so_rotate_vjp");
    expect(v, so_rotate_vjp_f32(v->device->so, &r, R, x, dx, dx, dR), "so_rotate_vjp");
}

void vit_position_start_backward(vit *v)
{
    if (v->position.learned)
        v->device->zero(v->device, rotation_floats(v, v->patches), v->position.dR);
}

void vit_position_encode_backward(vit *v)
{
    const vit_position *p = &v->position;
    ops *o = v->device;
    if (!p->learned)
        return;
    so_encoding e = encoding(v);
    expect(v, so_encode_vjp_f32(o->so, &e, p->coordinates, p->generators, p->R, p->dR, p->dgenerators, NULL), "so_encode_vjp");
    expect(v, so_pack_f32(o->so, p->tile, generator_count(v), p->dgenerators, p->dpacked), "so_pack");
    /* a packed entry stands for A_ij and for A_ji = -A_ij: twice the skew gradient (so.h) */
    size_t n = (size_t)(generator_count(v) * p->tile * (p->tile - 1) / 2);
    o->axpy(o, n, 2.0f, p->dpacked, v->gradients + v->at.generators);
}

const float *vit_position_table(vit *v)
{
    const vit_config *c = &v->config;
    const vit_position *p = &v->position;
    if (v->at.table < 0)
        return NULL;
    const float *learned = v->values + v->at.table;
    int trained[3];
    vit_config_grid(c, c->size, trained);
    if (!memcmp(trained, p->grid, sizeof trained))
        return learned;
    ops *o = v->device;
    size_t from = (size_t)(patches_of(trained) + 1) * (size_t)c->dim, to = (size_t)(patches_of(p->grid) + 1) * (size_t)c->dim;
    float *host = malloc((from + to) * sizeof(float));
    if (!host)
        ops_fail("out of memory for the table of %lld patches", (long long)patches_of(p->grid));
    o->download(o, host, learned, from * sizeof(float));
    vit_table_resize(c->dims, trained, p->grid, c->dim, host, host + from);
    o->upload(o, p->table, host + from, to * sizeof(float));
    o->sync(o);
    free(host);
    return p->table;
}
