/* scoring.h: how good a model is on a data set.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_SCORING_H
#define HARNESS_SCORING_H

#include <cjson/cJSON.h>
#include <signal.h>

#include "data/dataset.h"
#include "model/vit.h"

typedef struct score {
    int64_t n, correct;
    double loss; /* mean cross-entropy */
} score;

typedef struct scoring {
    int batch;                         /* examples per forward pass */
    int threads;                       /* that make the batches */
    const volatile sig_atomic_t *stop; /* looked at between batches; NULL allowed */
} scoring;

/* All examples of a finite set. right: one byte per example, 1 if its largest logit is the label's; NULL allowed.
 * False with f->text empty if *stop was set, with a line if an example could not be made or the loss is not finite. */
bool score_model(vit *model, const dataset *set, const scoring *how, uint8_t *right, score *result, fault *f);

/* {"set", "n", "correct", "accuracy", "loss"}, as it stands under "tests" in result.json. */
cJSON *score_json(const char *set, const score *s);

#endif
