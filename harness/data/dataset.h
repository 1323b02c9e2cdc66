/* dataset.h: labelled images, by number. An example is a function of (sample, epoch) alone, so any thread may make it at any
 * time. SPDX-License-Identifier: MIT */
#ifndef HARNESS_DATA_DATASET_H
#define HARNESS_DATA_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "io/fault.h"

typedef struct dataset dataset;
struct dataset {
    int64_t count; /* examples of one epoch; 0 = endless: every sample number is another example and there are no epochs */
    int channels;
    int size[2]; /* rows, columns, pixels */
    int classes;

    /* Writes the image, (channels, rows, columns), normalised, and its label. May be called by several threads at once. */
    bool (*get)(const dataset *, uint64_t sample, uint32_t epoch, float *image, int32_t *label, fault *f);
    void (*destroy)(dataset *);
};

static inline size_t dataset_floats(const dataset *d)
{
    return (size_t)d->channels * (size_t)d->size[0] * (size_t)d->size[1];
}

#endif
