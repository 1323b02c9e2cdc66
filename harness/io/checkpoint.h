/* checkpoint.h: the numbered checkpoints of a run's folder: checkpoint-NNNNNNNNN.safetensors.
 *
 * Written so that a process that dies at any moment leaves the checkpoints before this one whole; the last two are kept.
 * The file `latest` holds the name of the newest.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_IO_CHECKPOINT_H
#define HARNESS_IO_CHECKPOINT_H

#include "io/safetensors.h"

#define CHECKPOINTS_KEPT 2

bool checkpoint_write(const char *folder, int64_t step, const safetensors_tensor *tensor, int count,
                      const safetensors_pair *pair, int pairs, fault *f);

typedef struct checkpoint {
    safetensors *file; /* NULL if the folder holds no checkpoint */
    int64_t step;
    char path[512];
} checkpoint;

/* The newest one that is whole; each damaged one that is passed over is told in a line to `report`. False if there are
 * checkpoints and all of them are damaged, or the folder cannot be read. */
bool checkpoint_read_latest(const char *folder, checkpoint *c, void (*report)(const char *line), fault *f);

/* Number of the newest checkpoint, whole or not; -1 if there is none. */
int64_t checkpoint_latest_step(const char *folder);

#endif
