/* weights.h: the parameters of a model, and Adam's moments, as tensors of a safetensors file.
 *
 *   NAME            a parameter, named and shaped as vit_parameters() says
 *   adam.m.NAME     Adam's first moment of it
 *   adam.v.NAME     the second
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_WEIGHTS_H
#define HARNESS_WEIGHTS_H

#include "io/safetensors.h"
#include "model/vit.h"

typedef struct weights {
    safetensors_tensor *tensor; /* with host data */
    int count;
    bool finite; /* no NaN and no Inf among them */
    float *memory;
    char (*name)[80];
} weights;

/* A copy of the model's parameters, with moments too if asked for. */
bool weights_download(weights *w, ops *device, vit *model, bool moments, fault *f);
void weights_free(weights *w);

/* Into the model; every tensor must be there in its shape, otherwise false and nothing is changed. */
bool weights_upload(ops *device, vit *model, const safetensors *file, bool moments, fault *f);

#endif
