/* SPDX-License-Identifier: MIT */
#include "trainer_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/checkpoint.h"
#include "io/file.h"
#include "weights.h"

/* A number of the trainer as a metadata string; doubles in hexadecimal, which loses nothing. */
typedef struct kept {
    const char *key;
    size_t offset;
    bool real;
} kept;

#define KEPT(name_, real_)                                                                                                     \
    {                                                                                                                          \
        .key = #name_, .offset = offsetof(trainer, name_), .real = real_                                                       \
    }

static const kept numbers[] = {
    KEPT(step, false),       KEPT(examples, false),  KEPT(window_seen, false),  KEPT(window_correct, false),
    KEPT(window_loss, true), KEPT(last_loss, true),  KEPT(last_accuracy, true), KEPT(takeoff, false),
    KEPT(seconds, true),     KEPT(log_bytes, false),
};
enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

static bool write_with_metadata(trainer *t, const weights *w, const char *format, const char *path, fault *f)
{
    char text[NUMBERS][40], seed[32];
    safetensors_pair pair[NUMBERS + 4];
    char *config = config_text(&settings_table, t->s);
    if (!config)
        return fault_set(f, "out of memory for the config");
    snprintf(seed, sizeof seed, "%" PRId64, t->s->seed);
    pair[0] = (safetensors_pair){"format", format};
    pair[1] = (safetensors_pair){"config", config};
    pair[2] = (safetensors_pair){"commit", COMMIT};
    pair[3] = (safetensors_pair){"seed", seed};
    for (int i = 0; i < NUMBERS; i++) {
        const char *field = (const char *)t + numbers[i].offset;
        if (numbers[i].real)
            snprintf(text[i], sizeof text[i], "%a", *(const double *)field);
        else
            snprintf(text[i], sizeof text[i], "%" PRId64, *(const int64_t *)field);
        pair[4 + i] = (safetensors_pair){numbers[i].key, text[i]};
    }
    bool good = path ? safetensors_write(path, w->tensor, w->count, pair, NUMBERS + 4, f)
                     : checkpoint_write(t->folder, t->step, w->tensor, w->count, pair, NUMBERS + 4, f);
    free(config);
    return good;
}

bool trainer_save(trainer *t, fault *f)
{
    weights w;
    if (!weights_download(&w, t->device, t->model, true, f))
        return false;
    t->log_bytes = log_size(t->log);
    bool good = w.finite || fault_set(f,
                                      "step %" PRId64 ": a weight is not finite: the model has diverged; lower train.rate. The "
                                      "last good checkpoint is in %s",
                                      t->step, t->folder);
    good = good && write_with_metadata(t, &w, "libso-checkpoint-1", NULL, f);
    weights_free(&w);
    return good;
}

bool trainer_write_model(trainer *t, fault *f)
{
    char path[CONFIG_TEXT_SIZE + 32];
    snprintf(path, sizeof path, "%s/model.safetensors", t->folder);
    weights w;
    if (!weights_download(&w, t->device, t->model, false, f))
        return false;
    bool good = write_with_metadata(t, &w, "libso-model-1", path, f);
    weights_free(&w);
    return good;
}

static void report(const char *line)
{
    fprintf(stderr, "train: %s; trying the checkpoint before\n", line);
}

static bool same_config(const trainer *t, const safetensors *file, const char *path, fault *f)
{
    const char *text = safetensors_metadata(file, "config");
    settings saved;
    if (!text)
        return fault_set(f, "%s: not a checkpoint of this program: no config in its metadata", path);
    if (!config_defaults(&settings_table, &saved, f) || !config_read_text(&settings_table, &saved, text, path, f))
        return false;
    char now[CONFIG_TEXT_SIZE], then[CONFIG_TEXT_SIZE];
    const config_option *o = config_difference(&settings_table, t->s, &saved, now, then);
    if (o)
        return fault_set(f, "%s: this run was started with %s.%s = %s, now it is %s; use the same config or another --out",
                         path, o->section, o->key, then, now);
    return true;
}

static bool read_numbers(trainer *t, const safetensors *file, const char *path, fault *f)
{
    for (int i = 0; i < NUMBERS; i++) {
        const char *text = safetensors_metadata(file, numbers[i].key);
        char *end = NULL;
        void *field = (char *)t + numbers[i].offset;
        if (text && numbers[i].real)
            *(double *)field = strtod(text, &end);
        else if (text)
            *(int64_t *)field = strtoll(text, &end, 10);
        if (!text || end == text || *end)
            return fault_set(f, "%s: not a checkpoint of this program: no number %s in its metadata", path, numbers[i].key);
    }
    if (t->step < 0 || t->step > t->steps)
        return fault_set(f, "%s: step %" PRId64 " is outside the run's 0..%" PRId64, path, t->step, t->steps);
    return true;
}

bool trainer_restore(trainer *t, bool *found, fault *f)
{
    checkpoint c;
    if (!checkpoint_read_latest(t->folder, &c, report, f))
        return false;
    *found = c.file != NULL;
    if (!c.file)
        return true;
    bool good = same_config(t, c.file, c.path, f) && read_numbers(t, c.file, c.path, f);
    fault inner;
    if (good && !weights_upload(t->device, t->model, c.file, true, &inner))
        good = fault_set(f, "%s: %s", c.path, inner.text);
    safetensors_free(c.file);
    return good;
}

bool trainer_write_result(const trainer *t, const score *scores, fault *f)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "schema", "libso-result-1");
    cJSON_AddStringToObject(root, "name", t->s->name);
    cJSON_AddStringToObject(root, "commit", COMMIT);
    cJSON_AddNumberToObject(root, "seed", (double)t->s->seed);
    cJSON_AddNumberToObject(root, "parameters", (double)vit_parameter_total(t->model));
    cJSON_AddNumberToObject(root, "steps", (double)t->step);
    cJSON_AddNumberToObject(root, "examples", (double)t->examples);
    cJSON_AddNumberToObject(root, "seconds", t->seconds);
    if (t->takeoff >= 0)
        cJSON_AddNumberToObject(root, "takeoff_examples", (double)t->takeoff);
    else
        cJSON_AddNullToObject(root, "takeoff_examples");
    cJSON *train = cJSON_AddObjectToObject(root, "train");
    cJSON_AddNumberToObject(train, "loss", t->last_loss);
    cJSON_AddNumberToObject(train, "accuracy", t->last_accuracy);
    cJSON *tests = cJSON_AddArrayToObject(root, "tests");
    for (int i = 0; i < t->task.tests; i++)
        cJSON_AddItemToArray(tests, score_json(t->task.test[i].name, &scores[i]));
    cJSON_AddItemToObject(root, "config", config_json(&settings_table, t->s));
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    char path[CONFIG_TEXT_SIZE + 32];
    snprintf(path, sizeof path, "%s/result.json", t->folder);
    if (!text)
        return fault_set(f, "%s: out of memory", path);
    file_part part[] = {{text, strlen(text)}, {"\n", 1}};
    bool good = file_write_atomic(path, part, 2, f);
    cJSON_free(text);
    return good;
}
