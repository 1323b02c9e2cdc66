/* runs.h: what the folders of a paper run hold: OUT/EXPERIMENT/ROW-sSEED/{result.json, log.jsonl}.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_REPORT_RUNS_H
#define HARNESS_REPORT_RUNS_H

#include <stdint.h>

#include "report/table_file.h"

enum { RUN_TESTS = 16, ROW_SEEDS = 16 };

typedef struct run_test {
    char set[32];
    int64_t n, correct;
    double loss;
} run_test;

typedef struct run_point { /* a window of training examples, none of them seen before it in a streamed task */
    double examples, accuracy;
} run_point;

typedef struct run {
    int64_t seed;
    bool finished; /* has a result; the other fields but seed and curve are then filled */
    char commit[64];
    int64_t parameters, steps, examples;
    int64_t takeoff; /* examples when a window first passed one half; -1 = never */
    double seconds;
    run_test test[RUN_TESTS];
    int tests;
    run_point *curve;
    int points;
    int64_t arrows;  /* of the arrow task; 0 = another task */
    double rate;     /* learning rate */
    char setup[512]; /* the rest of the config in words */
} run;

typedef struct row {
    const char *name, *title;
    run run[ROW_SEEDS]; /* ascending seeds */
    int runs;
} row;

typedef struct experiment {
    const char *name, *tier, *needs, *title;
    row *row;
    int rows, runs, finished;
} experiment;

typedef struct runs {
    table_file experiments, rows, paper;
    experiment *experiment;
    int count;
} runs;

/* `tables` is the folder of experiments.table, rows.table and paper.table; `out` that of the runs. A run without a result is
 * unfinished; a damaged result.json is a fault. */
bool runs_load(const char *tables, const char *out, runs *all, fault *f);
void runs_free(runs *all);

/* The paper's figure for a metric such as "accuracy 5x5", as text, with its condition; NULL if the paper has none. */
const char *runs_paper(const runs *all, const experiment *e, const row *r, const char *metric, const char **condition);

/* First finished run of an experiment; NULL if there is none. */
const run *runs_first(const experiment *e);

#endif
