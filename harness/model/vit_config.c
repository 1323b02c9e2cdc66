/* vit_config.c: what configurations and image sizes are possible.
 * SPDX-License-Identifier: MIT */
#include "model/vit_state.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

vit_config vit_config_default(void)
{
    return (vit_config){
        .dims = 2,
        .size = {32, 32, 1},
        .patch = {4, 4, 1},
        .channels = 3,
        .classes = 100,
        .dim = 768,
        .depth = 12,
        .heads = 12,
        .head_dim = 64,
        .mlp_dim = 3072,
        .dropout = 0.1f,
        .pool = VIT_POOL_CLS,
        .encoding = VIT_LIERE,
        .tile = 8,
        .per_layer = true,
        .per_head = true,
        .rotations = VIT_ROTATIONS_PER_LAYER,
        .generator_factor = 6.28318530717958647692f,
        .table_std = 1.0f,
        .method = SO_AUTO,
        .seed = 42,
    };
}

static bool refuse(char error[VIT_ERROR_SIZE], const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool refuse(char error[VIT_ERROR_SIZE], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, VIT_ERROR_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

static bool check_sizes(const vit_config *c, char error[VIT_ERROR_SIZE])
{
    const struct {
        const char *name;
        int value, most;
    } sizes[] = {
        {"channels", c->channels, 1 << 12}, {"classes", c->classes, 1 << 20}, {"dim", c->dim, 1 << 16},
        {"depth", c->depth, 1 << 12},       {"heads", c->heads, 1 << 12},     {"head_dim", c->head_dim, 1 << 12},
        {"mlp_dim", c->mlp_dim, 1 << 18},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].value < 1 || sizes[i].value > sizes[i].most)
            return refuse(error, "model: %s = %d: must be between 1 and %d", sizes[i].name, sizes[i].value, sizes[i].most);
    for (int d = 0; d < c->dims; d++) {
        if (c->patch[d] < 1 || c->patch[d] > 1 << 12)
            return refuse(error, "model: patch = %d on axis %d: must be between 1 and %d", c->patch[d], d, 1 << 12);
        if (c->size[d] < 1 || c->size[d] > 1 << 20 || c->size[d] % c->patch[d])
            return refuse(error, "model: size = %d on axis %d: must be a positive multiple of the patch, %d", c->size[d], d,
                          c->patch[d]);
    }
    return true;
}

static bool check_encoding(const vit_config *c, char error[VIT_ERROR_SIZE])
{
    switch (c->encoding) {
    case VIT_NONE:
        return true;
    case VIT_ABSOLUTE:
        return (c->table_std >= 0 && isfinite(c->table_std)) ||
               refuse(error, "model: table_std = %g: must be 0 or more", (double)c->table_std);
    case VIT_VISIONLLAMA:
        return c->head_dim >= 2 * c->dims || refuse(error, "model: head_dim = %d: axial RoPE on %d axes needs at least %d",
                                                    c->head_dim, c->dims, 2 * c->dims);
    case VIT_ROPE_MIXED:
    case VIT_LIERE: {
        int tile = c->encoding == VIT_LIERE ? c->tile : 2;
        if (tile < 2 || tile > c->head_dim || c->head_dim % tile)
            return refuse(error, "model: tile = %d: must be 2 or more and divide head_dim = %d", tile, c->head_dim);
        if (c->method < SO_AUTO || c->method > SO_CAYLEY)
            return refuse(error, "model: method = %d is not one of libso's", (int)c->method);
        return isfinite(c->generator_factor) ||
               refuse(error, "model: generator_factor = %g: must be finite", (double)c->generator_factor);
    }
    }
    return refuse(error, "model: encoding = %d is unknown", (int)c->encoding);
}

bool vit_config_check(const vit_config *c, char error[VIT_ERROR_SIZE])
{
    if (c->dims < 1 || c->dims > 3)
        return refuse(error, "model: dims = %d: must be 1, 2 or 3", c->dims);
    if (!check_sizes(c, error))
        return false;
    if (!(c->dropout >= 0 && c->dropout < 1))
        return refuse(error, "model: dropout = %g: must be at least 0 and below 1", (double)c->dropout);
    const char *size = vit_config_size_error(c, c->size);
    if (size)
        return refuse(error, "%s", size);
    return check_encoding(c, error);
}

void vit_config_grid(const vit_config *c, const int size[3], int grid[3])
{
    for (int d = 0; d < 3; d++)
        grid[d] = d < c->dims ? size[d] / c->patch[d] : 1;
}

int64_t vit_config_patch_volume(const vit_config *c)
{
    int64_t volume = c->channels;
    for (int d = 0; d < c->dims; d++)
        volume *= c->patch[d];
    return volume;
}

const char *vit_config_size_error(const vit_config *c, const int size[3])
{
    int64_t patches = 1;
    for (int d = 0; d < c->dims; d++) {
        if (size[d] < 1 || size[d] % c->patch[d])
            return "model: image size is not a positive multiple of the patch size: resize or crop the images, or change the "
                   "patch";
        patches *= size[d] / c->patch[d];
        if (patches > 1 << 20)
            return "model: more than 2^20 patches per image: use larger patches";
    }
    if (vit_config_patch_volume(c) > 1 << 24)
        return "model: more than 2^24 numbers per patch: use smaller patches";
    /* Philox blocks that all dropouts of one example use, an upper bound. */
    double blocks = (double)(patches + 1) * (c->dim + (double)c->depth * (2.0 * c->dim + c->mlp_dim + 3)) / 4;
    if (c->dropout > 0 && blocks >= 0x1p32)
        return "model: too many activations per image for the dropout counter: use larger patches or a smaller model";
    return NULL;
}
