/* SPDX-License-Identifier: MIT */
#include "io/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/file.h"

#define NAME_FORMAT "checkpoint-%09lld.safetensors"

/* The step of a checkpoint's file name; -1 for every other name. */
static int64_t step_of(const char *name)
{
    long long step;
    char again[64];
    if (sscanf(name, "checkpoint-%lld", &step) != 1 || step < 0)
        return -1;
    snprintf(again, sizeof again, NAME_FORMAT, step);
    return strcmp(again, name) == 0 ? step : -1;
}

static int falling(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x > y ? -1 : x < y;
}

/* Steps of all checkpoints of the folder, newest first; NULL if the folder cannot be read. */
static int64_t *list(const char *folder, int *count)
{
    DIR *directory = opendir(folder);
    int64_t *steps = directory ? malloc(sizeof *steps) : NULL;
    size_t used = 0;
    for (struct dirent *entry; steps && (entry = readdir(directory)) != NULL;) {
        int64_t step = step_of(entry->d_name);
        if (step < 0)
            continue;
        int64_t *grown = realloc(steps, (used + 2) * sizeof *steps);
        if (!grown)
            free(steps);
        steps = grown;
        if (steps)
            steps[used++] = step;
    }
    if (directory)
        closedir(directory);
    if (steps)
        qsort(steps, used, sizeof *steps, falling);
    *count = (int)used;
    return steps;
}

static void path_of(const char *folder, int64_t step, char *path, size_t size)
{
    char name[64];
    snprintf(name, sizeof name, NAME_FORMAT, (long long)step);
    snprintf(path, size, "%s/%s", folder, name);
}

bool checkpoint_write(const char *folder, int64_t step, const safetensors_tensor *tensor, int count,
                      const safetensors_pair *pair, int pairs, fault *f)
{
    char path[512], latest[512], line[72];
    path_of(folder, step, path, sizeof path);
    if (!safetensors_write(path, tensor, count, pair, pairs, f))
        return false;
    snprintf(latest, sizeof latest, "%s/latest", folder);
    int length = snprintf(line, sizeof line, NAME_FORMAT "\n", (long long)step);
    if (!file_write_atomic(latest, &(file_part){.data = line, .bytes = (size_t)length}, 1, f))
        return false;
    int old;
    int64_t *steps = list(folder, &old);
    for (int i = 0, kept = 0; steps && i < old; i++) {
        if (steps[i] > step || kept++ < CHECKPOINTS_KEPT)
            continue;
        path_of(folder, steps[i], path, sizeof path);
        unlink(path);
    }
    free(steps);
    return true;
}

bool checkpoint_read_latest(const char *folder, checkpoint *c, void (*report)(const char *line), fault *f)
{
    int count;
    *c = (checkpoint){0};
    int64_t *steps = list(folder, &count);
    if (!steps)
        return file_fault(f, folder, "read this folder", errno);
    for (int i = 0; i < count && !c->file; i++) {
        path_of(folder, steps[i], c->path, sizeof c->path);
        c->step = steps[i];
        c->file = safetensors_read(c->path, f);
        if (!c->file)
            report(f->text);
    }
    free(steps);
    if (c->file || count == 0)
        return true;
    return fault_set(f, "%s: all %d checkpoints are damaged; delete them to start from the beginning", folder, count);
}

int64_t checkpoint_latest_step(const char *folder)
{
    int count;
    int64_t *steps = list(folder, &count);
    int64_t step = steps && count > 0 ? steps[0] : -1;
    free(steps);
    return step;
}
