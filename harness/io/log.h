/* log.h: log.jsonl, the record of a run: one JSON object per line, every line with the same keys (README.md of harness/).
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_IO_LOG_H
#define HARNESS_IO_LOG_H

#include <stdint.h>

#include "io/fault.h"

typedef struct log_line {
    const char *kind;       /* "train": a window of training examples; "test": a test set */
    const char *set;        /* name of the data */
    int64_t step, examples; /* done by now */
    int64_t epoch;
    int64_t n, correct; /* examples that the line is about */
    double loss;        /* their mean */
    double rate;        /* learning rate of the last step */
    double seconds;     /* of training, over all starts of the run */
} log_line;

typedef struct run_log run_log;

/* Starts the file over with the schema line when `keep` is 0, otherwise keeps its first `keep` bytes (as log_size() told at a
 * checkpoint; of a file that is shorter, all whole lines) and goes on behind them. */
run_log *log_open(const char *path, const char *commit, int64_t seed, int64_t keep, fault *f);

/* Hands the whole line to the system in one call. */
bool log_write(run_log *log, const log_line *line, fault *f);
int64_t log_size(const run_log *log); /* bytes */
void log_close(run_log *log);         /* NULL is allowed */

#endif
