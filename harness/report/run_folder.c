/* SPDX-License-Identifier: MIT */
#include "report/run_folder.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/file.h"

static double number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static int64_t whole(const cJSON *object, const char *key, int64_t absent)
{
    double value = number(object, key);
    return fabs(value) < 9e15 ? (int64_t)value : absent;
}

static const char *word(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static void describe_setup(const cJSON *config, run *r)
{
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(config, "model"),
                *train = cJSON_GetObjectItemCaseSensitive(config, "train");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(config, "data"),
                *arrows = cJSON_GetObjectItemCaseSensitive(config, "arrows");
    bool is_arrows = strcmp(word(data, "set"), "arrows") == 0;
    r->rate = number(train, "rate");
    r->arrows = is_arrows ? whole(arrows, "arrows", 0) : 0;
    int used = snprintf(r->setup, sizeof r->setup,
                        "patch %" PRId64 ", width %" PRId64 ", %" PRId64 " layers, %" PRId64 " heads of %" PRId64
                        ", MLP %" PRId64 "; %s, %s after %" PRId64 " steps of warm-up, batch %" PRId64,
                        whole(model, "patch", 0), whole(model, "dim", 0), whole(model, "depth", 0), whole(model, "heads", 0),
                        whole(model, "head_dim", 0), whole(model, "mlp_dim", 0), word(train, "optimizer"),
                        word(train, "schedule"), whole(train, "warmup", 0), whole(train, "batch", 0));
    if (is_arrows && used > 0 && used < (int)sizeof r->setup)
        snprintf(r->setup + used, sizeof r->setup - (size_t)used,
                 "; grid %" PRId64 "x%" PRId64 " with %" PRId64 " arrows and %" PRId64 " letters", whole(arrows, "grid", 0),
                 whole(arrows, "grid", 0), r->arrows, whole(arrows, "letters", 0));
}

static bool read_result(const char *path, run *r, fault *f)
{
    size_t bytes;
    char *text = file_read(path, &bytes, f);
    if (!text)
        return false;
    cJSON *root = cJSON_Parse(text);
    free(text);
    const cJSON *tests = cJSON_GetObjectItemCaseSensitive(root, "tests"), *item;
    bool good = root && cJSON_IsArray(tests) && isfinite(number(root, "seed"));
    if (good) {
        r->finished = true;
        snprintf(r->commit, sizeof r->commit, "%s", word(root, "commit"));
        r->parameters = whole(root, "parameters", 0);
        r->steps = whole(root, "steps", 0);
        r->examples = whole(root, "examples", 0);
        r->takeoff = whole(root, "takeoff_examples", -1);
        r->seconds = number(root, "seconds");
        describe_setup(cJSON_GetObjectItemCaseSensitive(root, "config"), r);
        cJSON_ArrayForEach(item, tests)
        {
            if (r->tests == RUN_TESTS)
                break;
            run_test *t = &r->test[r->tests++];
            snprintf(t->set, sizeof t->set, "%s", word(item, "set"));
            t->n = whole(item, "n", 0);
            t->correct = whole(item, "correct", -1);
            t->loss = number(item, "loss");
            good = good && t->n > 0 && t->correct >= 0 && t->correct <= t->n;
        }
    }
    cJSON_Delete(root);
    return good || fault_set(f, "%s: damaged or not a result of train; remove it and run again", path);
}

/* Lines that cannot be read are left out: the last one of a run that goes on may be half written. */
static bool read_curve(const char *path, run *r, fault *f)
{
    size_t bytes, lines = 0;
    char *text = file_read(path, &bytes, f);
    if (!text)
        return false;
    for (size_t i = 0; i < bytes; i++)
        lines += text[i] == '\n';
    r->curve = calloc(lines + 1, sizeof *r->curve);
    char *rest = text;
    for (char *line; r->curve && (line = strsep(&rest, "\n"));) {
        cJSON *object = cJSON_Parse(line);
        double n = number(object, "n"), correct = number(object, "correct"), examples = number(object, "examples");
        if (strcmp(word(object, "kind"), "train") == 0 && n > 0 && correct >= 0 && examples > 0 && (size_t)r->points < lines)
            r->curve[r->points++] = (run_point){.examples = examples, .accuracy = correct / n};
        cJSON_Delete(object);
    }
    free(text);
    return r->curve || fault_set(f, "%s: out of memory", path);
}

static bool read_run(const char *folder, run *r, fault *f)
{
    char result[1280], log[1280];
    snprintf(result, sizeof result, "%s/result.json", folder);
    snprintf(log, sizeof log, "%s/log.jsonl", folder);
    r->takeoff = -1;
    return (access(log, F_OK) != 0 || read_curve(log, r, f)) && (access(result, F_OK) != 0 || read_result(result, r, f));
}

static int by_seed(const void *a, const void *b)
{
    int64_t x = ((const run *)a)->seed, y = ((const run *)b)->seed;
    return (x > y) - (x < y);
}

bool run_folder_scan(const char *folder, row *r, fault *f)
{
    DIR *directory = opendir(folder);
    size_t length = strlen(r->name);
    bool good = true;
    for (struct dirent *entry; directory && good && (entry = readdir(directory));) {
        const char *name = entry->d_name;
        char *end = NULL;
        if (strncmp(name, r->name, length) != 0 || strncmp(name + length, "-s", 2) != 0)
            continue;
        long long seed = strtoll(name + length + 2, &end, 10);
        if (end == name + length + 2 || *end)
            continue;
        if (r->runs == ROW_SEEDS) {
            good = fault_set(f, "%s: more than %d seeds of %s", folder, ROW_SEEDS, r->name);
            break;
        }
        char path[1024];
        snprintf(path, sizeof path, "%.700s/%.255s", folder, name);
        run *next = &r->run[r->runs++];
        *next = (run){.seed = seed};
        good = read_run(path, next, f);
    }
    if (directory)
        closedir(directory);
    qsort(r->run, (size_t)r->runs, sizeof *r->run, by_seed);
    return good;
}
