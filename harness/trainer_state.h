/* trainer_state.h: a run in progress, to and from a checkpoint, and its final report. Private to trainer*.c.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_TRAINER_STATE_H
#define HARNESS_TRAINER_STATE_H

#include "io/log.h"
#include "scoring.h"
#include "settings.h"
#include "task.h"

typedef struct trainer {
    const settings *s;
    char folder[CONFIG_TEXT_SIZE + 8];
    task task;
    ops *device;
    vit *model;
    loader_plan plan;
    int64_t steps; /* of the whole run */
    run_log *log;

    /* What a checkpoint keeps, apart from the weights. */
    int64_t step;     /* done; the loader goes on with this one */
    int64_t examples; /* seen */
    int64_t window_seen, window_correct;
    double window_loss;              /* sum over the window */
    double last_loss, last_accuracy; /* of the last full window */
    int64_t takeoff;                 /* examples at the end of the first window with an accuracy above 50 %; -1 = not yet */
    double seconds;                  /* spent in steps */
    int64_t log_bytes;
} trainer;

bool trainer_save(trainer *t, fault *f);

/* *found: there was a checkpoint. Lines about damaged ones go to stderr. */
bool trainer_restore(trainer *t, bool *found, fault *f);

/* model.safetensors and result.json. */
bool trainer_write_model(trainer *t, fault *f);
bool trainer_write_result(const trainer *t, const score *scores, fault *f);

#endif
