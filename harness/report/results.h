/* results.h: what people read of a paper run: results.csv, report.md, plots. SPDX-License-Identifier: MIT */
#ifndef HARNESS_REPORT_RESULTS_H
#define HARNESS_REPORT_RESULTS_H

#include "report/runs.h"

typedef struct results_context {
    const char *tables;  /* folder of experiments.table; EXPERIMENT/about.md there goes into the report */
    const char *out;     /* folder that is written to */
    const char *command; /* that made the runs; NULL = unknown */
    const char *machine; /* one line */
    const char *device;  /* cpu, cuda */
    double seconds;      /* of this invocation; < 0 = unknown */
} results_context;

/* results.csv, one figure per line: experiment,row,metric,value,ci_low,ci_high,n,paper,seed,commit. Accuracies in percent with
 * their 95 % interval and n test images; seed "mean" marks the mean of the seeds, with n seeds and no interval. */
bool results_csv(const runs *all, const results_context *c, fault *f);

bool results_markdown(const runs *all, const results_context *c, fault *f);

/* EXPERIMENT_examples and EXPERIMENT_resolution as .gp, .png and .svg of an experiment that has finished runs. *drawn counts
 * the pictures; without gnuplot it is 0 and no fault. */
bool results_plots(const runs *all, const experiment *e, const results_context *c, int *drawn, fault *f);

/* The mean over the finished runs of a row of the accuracy on a test set, in percent; NaN if there is none. *seeds counts them.
 */
double results_mean(const row *r, const char *set, int *seeds);

/* What the paper measured where we have this test set ("9x9 cells"); NULL if it has no figure for it. */
const char *results_condition(const runs *all, const experiment *e, const char *set);

const run_test *results_test(const run *r, const char *set); /* NULL if the run was not tested on it */

#endif
