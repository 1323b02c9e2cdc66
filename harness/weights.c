/* SPDX-License-Identifier: MIT */
#include "weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const prefix[] = {"", "adam.m.", "adam.v."};

/* The three flat buffers of the model that share one layout. */
static float *buffer(vit *model, int kind)
{
    return kind == 0 ? vit_values(model) : kind == 1 ? vit_adam_m(model) : vit_adam_v(model);
}

static bool all_finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

bool weights_download(weights *w, ops *device, vit *model, bool moments, fault *f)
{
    int parameters, kinds = moments ? 3 : 1;
    const vit_parameter *parameter = vit_parameters(model, &parameters);
    size_t flat = (size_t)vit_flat_size(model), tensors = (size_t)(kinds * parameters);
    *w = (weights){.tensor = calloc(tensors, sizeof *w->tensor),
                   .memory = malloc((size_t)kinds * flat * sizeof *w->memory),
                   .name = malloc(tensors * sizeof *w->name),
                   .finite = true};
    if (!w->tensor || !w->memory || !w->name) {
        weights_free(w);
        return fault_set(f, "out of memory for a copy of the weights");
    }
    for (int kind = 0; kind < kinds; kind++) {
        float *copy = w->memory + (size_t)kind * flat;
        device->download(device, copy, buffer(model, kind), flat * sizeof *copy);
        w->finite = w->finite && all_finite(copy, flat);
        for (int i = 0; i < parameters; i++) {
            const vit_parameter *p = &parameter[i];
            safetensors_tensor *t = &w->tensor[w->count];
            snprintf(w->name[w->count], sizeof w->name[0], "%s%s", prefix[kind], p->name);
            *t = (safetensors_tensor){.name = w->name[w->count],
                                      .dtype = SAFETENSORS_F32,
                                      .dims = p->ndim,
                                      .data = copy + p->offset,
                                      .bytes = (size_t)p->count * sizeof(float)};
            memcpy(t->shape, p->shape, (size_t)p->ndim * sizeof p->shape[0]);
            w->count++;
        }
    }
    return true;
}

void weights_free(weights *w)
{
    free(w->tensor);
    free(w->memory);
    free(w->name);
    *w = (weights){0};
}

/* Fills the host copy of one flat buffer; what lies between the tensors is 0. */
static bool gather(float *copy, const vit_parameter *parameter, int parameters, const safetensors *file, int kind, fault *f)
{
    for (int i = 0; i < parameters; i++) {
        const vit_parameter *p = &parameter[i];
        char name[80];
        snprintf(name, sizeof name, "%s%s", prefix[kind], p->name);
        const float *data = safetensors_f32(file, name, p->count, f);
        if (!data)
            return false;
        const safetensors_tensor *t = safetensors_find(file, name);
        if (t->dims != p->ndim || memcmp(t->shape, p->shape, (size_t)p->ndim * sizeof p->shape[0]) != 0)
            return fault_set(f, "tensor %s has another shape than the model's", name);
        memcpy(copy + p->offset, data, (size_t)p->count * sizeof *copy);
    }
    return true;
}

bool weights_upload(ops *device, vit *model, const safetensors *file, bool moments, fault *f)
{
    int parameters, kinds = moments ? 3 : 1;
    const vit_parameter *parameter = vit_parameters(model, &parameters);
    size_t flat = (size_t)vit_flat_size(model);
    float *copy = calloc((size_t)kinds * flat, sizeof *copy);
    bool good = copy || fault_set(f, "out of memory for a copy of the weights");
    for (int kind = 0; kind < kinds && good; kind++)
        good = gather(copy + (size_t)kind * flat, parameter, parameters, file, kind, f);
    for (int kind = 0; kind < kinds && good; kind++)
        device->upload(device, buffer(model, kind), copy + (size_t)kind * flat, flat * sizeof *copy);
    device->sync(device);
    free(copy);
    return good;
}
