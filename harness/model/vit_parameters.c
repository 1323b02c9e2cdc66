/* vit_parameters.c: the table of parameters and their initial values.
 * SPDX-License-Identifier: MIT */
#include "model/vit_state.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "random.h"

enum { ALIGNMENT = 16, PER_LAYER = 11, OUTSIDE_LAYERS = 9 };

/* Appends a tensor and returns its place. */
static int64_t append(vit *v, int ndim, const int64_t *shape, const char *format, ...) __attribute__((format(printf, 4, 5)));
static int64_t append(vit *v, int ndim, const int64_t *shape, const char *format, ...)
{
    vit_parameter *p = &v->parameters[v->parameter_count++];
    *p = (vit_parameter){.offset = v->flat, .count = 1, .ndim = ndim};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(p->name, sizeof p->name, format, arguments);
    va_end(arguments);
    for (int i = 0; i < ndim; i++) {
        p->shape[i] = shape[i];
        p->count *= shape[i];
    }
    v->flat += (p->count + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return p->offset;
}

static vit_affine append_affine(vit *v, const char *name, int64_t out, int64_t in)
{
    vit_affine a;
    a.weight = in ? append(v, 2, (int64_t[]){out, in}, "%s.weight", name) : append(v, 1, &out, "%s.weight", name);
    a.bias = append(v, 1, &out, "%s.bias", name);
    return a;
}

/* name of a part of layer l, for append_affine() */
static const char *part(char buffer[48], int l, const char *name)
{
    snprintf(buffer, 48, "layers.%d.%s", l, name);
    return buffer;
}

static void lay_out(vit *v)
{
    const vit_config *c = &v->config;
    const int64_t C = c->dim, HD = (int64_t)c->heads * c->head_dim, M = c->mlp_dim;
    char b[48];
    v->at.patch = append_affine(v, "patch_embedding", C, vit_config_patch_volume(c));
    v->at.cls = append(v, 1, &C, "cls_token");
    for (int l = 0; l < c->depth; l++) {
        vit_layer_places *p = &v->at.layer[l];
        p->norm1 = append_affine(v, part(b, l, "attention.norm"), C, 0);
        p->qkv = append(v, 2, (int64_t[]){3 * HD, C}, "layers.%d.attention.qkv.weight", l);
        p->out = append_affine(v, part(b, l, "attention.out"), C, HD);
        p->norm2 = append_affine(v, part(b, l, "mlp.norm"), C, 0);
        p->fc1 = append_affine(v, part(b, l, "mlp.fc1"), M, C);
        p->fc2 = append_affine(v, part(b, l, "mlp.fc2"), C, M);
    }
    v->at.norm = append_affine(v, "head.norm", C, 0);
    v->at.head = append_affine(v, "head.linear", c->classes, C);
    v->at.table = v->at.generators = -1;
    if (c->encoding == VIT_ABSOLUTE) {
        int grid[3];
        vit_config_grid(c, c->size, grid);
        int64_t tokens = (int64_t)grid[0] * grid[1] * grid[2] + 1;
        v->at.table = append(v, 2, (int64_t[]){tokens, C}, "pos_embedding.weight");
    }
    if (c->encoding == VIT_ROPE_MIXED || c->encoding == VIT_LIERE) {
        int64_t tile = c->encoding == VIT_LIERE ? c->tile : 2;
        v->at.generators = append(v, 5,
                                  (int64_t[]){c->per_layer ? c->depth : 1, c->per_head ? c->heads : 1, c->head_dim / tile,
                                              c->dims, tile * (tile - 1) / 2},
                                  "generators.weight");
    }
}

/* Distributions of tensors, by place; the n-th tensor draws from its own stream, so that models that differ in the encoding
 * alone start from the same values. */
static void fill(float *to, int64_t count, random_sequence s, float scale, float (*draw)(random_sequence *))
{
    for (int64_t i = 0; i < count; i++)
        to[i] = scale * draw(&s);
}

static float symmetric(random_sequence *s)
{
    return 2.0f * random_uniform(s) - 1.0f;
}

static void set_all(float *to, int64_t count, float value)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = value;
}

static bool is_norm(const vit *v, int64_t weight)
{
    for (int l = 0; l < v->config.depth; l++)
        if (weight == v->at.layer[l].norm1.weight || weight == v->at.layer[l].norm2.weight)
            return true;
    return weight == v->at.norm.weight;
}

/* Linear weight and bias: U(-1, 1)/sqrt(fan_in), as torch.nn.Linear. LayerNorm: 1 and 0. */
static void initialise(const vit *v, float *host)
{
    const vit_config *c = &v->config;
    int64_t fan_in = 1;
    bool norm = false;
    for (int i = 0; i < v->parameter_count; i++) {
        const vit_parameter *p = &v->parameters[i];
        float *to = host + p->offset;
        random_sequence s = random_start(c->seed, RANDOM_INIT, 0, (uint64_t)i);
        if (p->offset == v->at.cls) {
            fill(to, p->count, s, 1.0f, random_normal);
        } else if (p->offset == v->at.table) {
            fill(to, p->count, s, c->table_std, random_normal);
        } else if (p->offset == v->at.generators) {
            fill(to, p->count, s, c->generator_factor, random_uniform);
        } else if (is_norm(v, p->offset)) {
            set_all(to, p->count, 1.0f);
            norm = true;
        } else if (p->ndim == 2) {
            fan_in = p->shape[1];
            fill(to, p->count, s, 1.0f / sqrtf((float)fan_in), symmetric);
            norm = false;
        } else { /* a bias, right after its weight */
            fill(to, p->count, s, norm ? 0.0f : 1.0f / sqrtf((float)fan_in), symmetric);
        }
    }
}

void vit_parameters_create(vit *v)
{
    ops *o = v->device;
    v->at.layer = calloc((size_t)v->config.depth, sizeof *v->at.layer);
    v->parameters = calloc((size_t)(v->config.depth * PER_LAYER + OUTSIDE_LAYERS), sizeof *v->parameters);
    if (!v->at.layer || !v->parameters)
        ops_fail("out of memory for a table of parameters");
    lay_out(v);
    size_t n = (size_t)v->flat;
    float **buffers[] = {&v->values, &v->gradients, &v->adam_m, &v->adam_v};
    for (int i = 0; i < 4; i++) {
        *buffers[i] = o->alloc(o, n * sizeof(float));
        o->zero(o, n, *buffers[i]);
    }
    float *host = calloc(n, sizeof(float));
    if (!host)
        ops_fail("out of memory for the initial values: %.1f MB are needed", (double)n * 4e-6);
    initialise(v, host);
    o->upload(o, v->values, host, n * sizeof(float));
    o->sync(o);
    free(host);
}

void vit_parameters_destroy(vit *v)
{
    ops *o = v->device;
    o->free(o, v->values);
    o->free(o, v->gradients);
    o->free(o, v->adam_m);
    o->free(o, v->adam_v);
    free(v->parameters);
    free(v->at.layer);
}

const vit_parameter *vit_parameters(const vit *v, int *count)
{
    *count = v->parameter_count;
    return v->parameters;
}

int64_t vit_parameter_total(const vit *v)
{
    int64_t total = 0;
    for (int i = 0; i < v->parameter_count; i++)
        total += v->parameters[i].count;
    return total;
}

int64_t vit_flat_size(const vit *v)
{
    return v->flat;
}

float *vit_values(vit *v)
{
    return v->values;
}

float *vit_gradients(vit *v)
{
    return v->gradients;
}

float *vit_adam_m(vit *v)
{
    return v->adam_m;
}

float *vit_adam_v(vit *v)
{
    return v->adam_v;
}
