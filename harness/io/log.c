/* SPDX-License-Identifier: MIT */
#include "io/log.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "io/file.h"

struct run_log {
    int descriptor;
    int64_t size;
    char path[512];
};

/* Bytes up to `keep` that are whole lines. */
static int64_t whole_lines(const char *path, int64_t keep)
{
    fault ignored;
    size_t bytes;
    char *text = file_read(path, &bytes, &ignored);
    if (!text)
        return 0;
    size_t end = (int64_t)bytes < keep ? bytes : (size_t)keep;
    while (end > 0 && text[end - 1] != '\n')
        end--;
    free(text);
    return (int64_t)end;
}

static bool append(run_log *log, cJSON *object, fault *f)
{
    char *text = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    if (!text)
        return fault_set(f, "%s: out of memory", log->path);
    size_t length = strlen(text);
    text[length] = '\n'; /* takes the place of the 0; the length is known */
    bool good = file_write(log->descriptor, text, length + 1);
    int code = errno;
    free(text);
    log->size += good ? (int64_t)length + 1 : 0;
    return good || file_fault(f, log->path, "write", code);
}

static bool append_schema(run_log *log, const char *commit, int64_t seed, fault *f)
{
    static const char *const keys[] = {"kind",    "set",      "step", "examples", "epoch",  "n",
                                       "correct", "accuracy", "loss", "rate",     "seconds"};
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "schema", "libso-log-1");
    cJSON_AddStringToObject(object, "commit", commit);
    cJSON_AddNumberToObject(object, "seed", (double)seed);
    cJSON_AddItemToObject(object, "keys", cJSON_CreateStringArray(keys, sizeof keys / sizeof keys[0]));
    return append(log, object, f);
}

run_log *log_open(const char *path, const char *commit, int64_t seed, int64_t keep, fault *f)
{
    run_log *log = calloc(1, sizeof *log);
    if (!log) {
        fault_set(f, "%s: out of memory", path);
        return NULL;
    }
    snprintf(log->path, sizeof log->path, "%s", path);
    log->descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    bool good = log->descriptor >= 0 || file_fault(f, path, "open", errno);
    if (good && flock(log->descriptor, LOCK_EX | LOCK_NB) != 0)
        good = fault_set(f, "%s: another process writes to this run; wait for it or choose another folder", path);
    if (good) {
        log->size = keep > 0 ? whole_lines(path, keep) : 0;
        good = ftruncate(log->descriptor, log->size) == 0 || file_fault(f, path, "truncate", errno);
    }
    if (good && log->size == 0)
        good = append_schema(log, commit, seed, f);
    if (good)
        return log;
    log_close(log);
    return NULL;
}

bool log_write(run_log *log, const log_line *line, fault *f)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "kind", line->kind);
    cJSON_AddStringToObject(object, "set", line->set);
    cJSON_AddNumberToObject(object, "step", (double)line->step);
    cJSON_AddNumberToObject(object, "examples", (double)line->examples);
    cJSON_AddNumberToObject(object, "epoch", (double)line->epoch);
    cJSON_AddNumberToObject(object, "n", (double)line->n);
    cJSON_AddNumberToObject(object, "correct", (double)line->correct);
    cJSON_AddNumberToObject(object, "accuracy", (double)line->correct / (double)line->n);
    cJSON_AddNumberToObject(object, "loss", line->loss);
    cJSON_AddNumberToObject(object, "rate", line->rate);
    cJSON_AddNumberToObject(object, "seconds", round(line->seconds * 1000) / 1000);
    return append(log, object, f);
}

int64_t log_size(const run_log *log)
{
    return log->size;
}

void log_close(run_log *log)
{
    if (!log)
        return;
    if (log->descriptor >= 0)
        close(log->descriptor);
    free(log);
}
