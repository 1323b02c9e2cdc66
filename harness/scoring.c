/* SPDX-License-Identifier: MIT */
#include "scoring.h"

#include <math.h>
#include <stdlib.h>

#include "data/loader.h"

static bool score_batches(vit *model, loader *l, const dataset *set, const scoring *how, uint8_t *right, score *result,
                          float *loss, int32_t *correct, fault *f)
{
    double sum = 0;
    *result = (score){0};
    const loader_batch *b;
    while ((b = loader_next(l, f)) != NULL) {
        if (how->stop && *how->stop) {
            f->text[0] = 0;
            return false;
        }
        vit_forward(model, &(vit_batch){.batch = b->range.count,
                                        .size = {set->size[0], set->size[1], 1},
                                        .images = b->images,
                                        .labels = b->labels});
        vit_losses(model, loss, correct);
        for (int i = 0; i < b->range.count; i++) {
            sum += (double)loss[i];
            result->correct += correct[i];
            if (right)
                right[b->range.before + i] = (uint8_t)correct[i];
        }
        result->n += b->range.count;
    }
    result->loss = sum / (double)result->n;
    return f->text[0] == 0;
}

bool score_model(vit *model, const dataset *set, const scoring *how, uint8_t *right, score *result, fault *f)
{
    loader_plan plan = {.batch = how->batch, .examples = set->count};
    loader *l = loader_create(set, &plan, 0, how->threads, 2 * how->threads, f);
    float *loss = malloc((size_t)how->batch * sizeof *loss);
    int32_t *correct = malloc((size_t)how->batch * sizeof *correct);
    bool good = l != NULL;
    if (good && !(loss && correct))
        good = fault_set(f, "out of memory for %d scores", how->batch);
    good = good && score_batches(model, l, set, how, right, result, loss, correct, f);
    loader_destroy(l);
    free(loss);
    free(correct);
    if (good && !isfinite(result->loss))
        good = fault_set(f, "the loss on the test data is %g: the model has diverged", result->loss);
    return good;
}

cJSON *score_json(const char *set, const score *s)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "set", set);
    cJSON_AddNumberToObject(item, "n", (double)s->n);
    cJSON_AddNumberToObject(item, "correct", (double)s->correct);
    cJSON_AddNumberToObject(item, "accuracy", (double)s->correct / (double)s->n);
    cJSON_AddNumberToObject(item, "loss", s->loss);
    return item;
}
