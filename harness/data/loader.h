/* loader.h: batches of a data set, made ahead of time by threads.
 *
 * What a batch holds is a function of its number alone: not of the threads, not of where the loader was started.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_DATA_LOADER_H
#define HARNESS_DATA_LOADER_H

#include "data/dataset.h"

typedef struct loader_plan {
    int batch;        /* examples; the last batch of an epoch and of the run may be smaller */
    int64_t examples; /* of the whole run, over all epochs */
    bool shuffle; /* each epoch in its own order, random_permute(.., seed, RANDOM_ORDER, epoch); endless sets are as given */
    uint64_t seed;
} loader_plan;

/* Batch number `step`, counted from 0: which examples it holds. */
typedef struct loader_range {
    uint32_t epoch;
    int64_t first;  /* position in the order of the epoch */
    int64_t before; /* examples of the run before this batch */
    int count;      /* 0 behind the last batch */
} loader_range;

loader_range loader_locate(const dataset *set, const loader_plan *plan, int64_t step);
int64_t loader_steps(const dataset *set, const loader_plan *plan);
int64_t loader_steps_per_epoch(const dataset *set, const loader_plan *plan); /* of an endless set: all steps */

typedef struct loader_batch {
    int64_t step;
    loader_range range;
    float *images; /* (count, channels, rows, columns) */
    int32_t *labels;
    uint64_t *sample; /* numbers in the data set */
} loader_batch;

typedef struct loader loader;

/* Threads start to work at once on batches first_step, first_step + 1, ... The set must outlive the loader.
 * threads: 1 or more; ahead: batches that may be ready or in work at one time, 1 or more. */
loader *loader_create(const dataset *set, const loader_plan *plan, int64_t first_step, int threads, int ahead, fault *f);

/* The next batch, valid until the next call. NULL behind the last one, then f->text is empty; NULL with a line in *f if an
 * example could not be made. */
const loader_batch *loader_next(loader *l, fault *f);

/* Stops the threads, also in the middle of the data. NULL is allowed. */
void loader_destroy(loader *l);

#endif
