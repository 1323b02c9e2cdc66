/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/results.h"

const run_test *results_test(const run *r, const char *set)
{
    for (int i = 0; i < r->tests; i++)
        if (strcmp(r->test[i].set, set) == 0)
            return &r->test[i];
    return NULL;
}

double results_mean(const row *r, const char *set, int *seeds)
{
    double sum = 0;
    *seeds = 0;
    for (int k = 0; k < r->runs; k++) {
        const run_test *t = r->run[k].finished ? results_test(&r->run[k], set) : NULL;
        if (t) {
            sum += 100 * (double)t->correct / (double)t->n;
            ++*seeds;
        }
    }
    return *seeds > 0 ? sum / *seeds : NAN;
}

const char *results_condition(const runs *all, const experiment *e, const char *set)
{
    const char *condition = NULL;
    char metric[64];
    snprintf(metric, sizeof metric, "accuracy %s", set);
    for (int r = 0; r < e->rows; r++)
        if (runs_paper(all, e, &e->row[r], metric, &condition))
            return condition;
    return NULL;
}
