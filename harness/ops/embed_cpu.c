/* embed_cpu.c: from images to tokens (patches, CLS, table) and from tokens to their mean.
 * SPDX-License-Identifier: MIT */
#include "ops/ops_cpu.h"

#include <string.h>

#include "ops/simd.h"

/* One patch: pixel by pixel, channels fastest. `image` points to the patch's first pixel of channel 0. */
static void cut_patch(const ops_patches *p, int64_t plane, const float *image, float *out)
{
    for (int a = 0; a < p->patch[0]; a++)
        for (int b = 0; b < p->patch[1]; b++) {
            const float *line = image + ((int64_t)a * p->size[1] + b) * p->size[2];
            for (int c = 0; c < p->channels; c++)
                for (int d = 0; d < p->patch[2]; d++)
                    out[d * p->channels + c] = line[c * plane + d];
            out += p->patch[2] * p->channels;
        }
}

void cpu_patchify(ops *o, const ops_patches *p, const float *images, float *patches)
{
    const int64_t grid[3] = {p->size[0] / p->patch[0], p->size[1] / p->patch[1], p->size[2] / p->patch[2]};
    const int64_t plane = (int64_t)p->size[0] * p->size[1] * p->size[2];
    const int64_t volume = (int64_t)p->patch[0] * p->patch[1] * p->patch[2] * p->channels;
    const int64_t slabs = p->batch * grid[0];
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if (slabs > 1)
    for (int64_t slab = 0; slab < slabs; slab++) {
        int64_t example = slab / grid[0], i = slab % grid[0];
        const float *image = images + example * p->channels * plane;
        float *out = patches + slab * grid[1] * grid[2] * volume;
        for (int64_t j = 0; j < grid[1]; j++)
            for (int64_t k = 0; k < grid[2]; k++, out += volume)
                cut_patch(p, plane, image + ((i * p->patch[0]) * p->size[1] + j * p->patch[1]) * p->size[2] + k * p->patch[2],
                          out);
    }
}

SIMD_CLONES static void add_row(int cols, const float *x, const float *y, float *z)
{
#pragma omp simd
    for (int c = 0; c < cols; c++)
        z[c] = x[c] + y[c];
}

void cpu_embed(ops *o, int batch, int patches, int cols, const float *y, const float *cls, const float *table, float *x)
{
    const int64_t tokens = patches + 1;
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if (batch > 1)
    for (int64_t b = 0; b < batch; b++) {
        float *to = x + b * tokens * cols;
        const float *from = y + b * patches * cols;
        if (table) {
            add_row(cols, cls, table, to);
            add_row(patches * cols, from, table + cols, to + cols);
        } else {
            memcpy(to, cls, (size_t)cols * sizeof(float));
            memcpy(to + cols, from, (size_t)(patches * cols) * sizeof(float));
        }
    }
}

void cpu_embed_backward(ops *o, int batch, int patches, int cols, const float *dx, float *dy, float *dcls, float *dtable)
{
    const int64_t tokens = patches + 1;
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o))
    for (int64_t b = 0; b < batch; b++)
        memcpy(dy + b * patches * cols, dx + (b * tokens + 1) * cols, (size_t)(patches * cols) * sizeof(float));
    for (int64_t b = 0; b < batch; b++)
        add_row(cols, dcls, dx + b * tokens * cols, dcls);
    if (!dtable)
        return;
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o))
    for (int64_t t = 0; t < tokens; t++)
        for (int64_t b = 0; b < batch; b++)
            add_row(cols, dtable + t * cols, dx + (b * tokens + t) * cols, dtable + t * cols);
}

SIMD_CLONES static void scale_row(int cols, float f, const float *x, float *y)
{
#pragma omp simd
    for (int c = 0; c < cols; c++)
        y[c] = f * x[c];
}

void cpu_mean_tokens(ops *o, int batch, int tokens, int cols, const float *x, float *y)
{
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if (batch > 1)
    for (int64_t b = 0; b < batch; b++) {
        float *sum = y + b * cols;
        memset(sum, 0, (size_t)cols * sizeof(float));
        for (int64_t t = 0; t < tokens; t++)
            add_row(cols, sum, x + (b * tokens + t) * cols, sum);
        scale_row(cols, 1.0f / (float)tokens, sum, sum);
    }
}

void cpu_mean_tokens_backward(ops *o, int batch, int tokens, int cols, const float *dy, float *dx)
{
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if (batch > 1)
    for (int64_t b = 0; b < batch; b++)
        for (int64_t t = 0; t < tokens; t++)
            scale_row(cols, 1.0f / (float)tokens, dy + b * cols, dx + (b * tokens + t) * cols);
}
