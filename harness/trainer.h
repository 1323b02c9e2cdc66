/* trainer.h: a training run in a folder of its own.
 *
 *   config.ini                         every option with its value
 *   log.jsonl                          the curve
 *   checkpoint-NNNNNNNNN.safetensors   the last two, and `latest`, the name of the newest
 *   model.safetensors, result.json     at the end
 *
 * The weights are a function of config and seed alone, bit by bit on one machine: however often the run was killed and resumed.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_TRAINER_H
#define HARNESS_TRAINER_H

#include <signal.h>

#include "settings.h"

typedef enum trainer_end {
    TRAINER_DONE,
    TRAINER_STOPPED, /* trainer_stop was set; a checkpoint has been written */
    TRAINER_REFUSED, /* with a line in *f: the settings or the data they name make no run; nothing was written */
    TRAINER_FAILED   /* with a line in *f; checkpoints written before are still there */
} trainer_end;

/* Set by a signal handler; looked at after every step. */
extern volatile sig_atomic_t trainer_stop;

/* resume: go on from the newest whole checkpoint of the folder, or start if there is none; otherwise a folder that already
 * holds a run is TRAINER_FAILED. */
trainer_end trainer_run(const settings *s, bool resume, fault *f);

/* The folder of the run: run.out, or runs/NAME. */
void trainer_folder(const settings *s, char folder[CONFIG_TEXT_SIZE + 8]);

#endif
