/* vit.c: life of a model, loss, optimiser step.
 * SPDX-License-Identifier: MIT */
#include "model/vit_state.h"

#include <stdlib.h>

vit *vit_create(ops *device, const vit_config *config, char error[VIT_ERROR_SIZE])
{
    if (!vit_config_check(config, error))
        return NULL;
    vit *v = calloc(1, sizeof *v);
    if (!v)
        ops_fail("out of memory for a model");
    v->device = device;
    v->config = *config;
    vit_parameters_create(v);
    vit_position_create(v);
    return v;
}

void vit_destroy(vit *v)
{
    if (!v)
        return;
    vit_position_destroy(v);
    vit_memory_destroy(v);
    vit_parameters_destroy(v);
    free(v);
}

const vit_config *vit_get_config(const vit *v)
{
    return &v->config;
}

const char *vit_size_error(const vit *v, const int size[3])
{
    return vit_config_size_error(&v->config, size);
}

void vit_losses(vit *v, float *loss, int32_t *correct)
{
    ops *o = v->device;
    if (!v->labelled)
        ops_fail("model: loss without labels in the last forward");
    if (loss)
        o->download(o, loss, v->memory.loss, (size_t)v->batch * sizeof *loss);
    if (correct)
        o->download(o, correct, v->memory.correct, (size_t)v->batch * sizeof *correct);
}

vit_score vit_loss(vit *v)
{
    float *loss = malloc((size_t)v->batch * (sizeof(float) + sizeof(int32_t)));
    if (!loss)
        ops_fail("out of memory for the losses of %d examples", v->batch);
    int32_t *correct = (int32_t *)(loss + v->batch);
    vit_losses(v, loss, correct);
    vit_score s = {0};
    for (int i = 0; i < v->batch; i++) {
        s.loss += (double)loss[i];
        s.correct += correct[i];
    }
    s.loss /= v->batch;
    free(loss);
    return s;
}

void vit_logits(vit *v, float *logits)
{
    v->device->download(v->device, logits, v->memory.logits, (size_t)v->batch * (size_t)v->config.classes * sizeof *logits);
}

void vit_zero_gradients(vit *v)
{
    v->device->zero(v->device, (size_t)v->flat, v->gradients);
}

void vit_adam_step(vit *v, const ops_adam *adam, double lr, int64_t step)
{
    v->device->adam(v->device, adam, lr, step, (size_t)v->flat, v->values, v->gradients, v->adam_m, v->adam_v);
}
