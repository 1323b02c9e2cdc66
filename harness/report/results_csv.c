/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/file.h"
#include "report/interval.h"
#include "report/results.h"

static void write_tests(FILE *to, const runs *all, const experiment *e, const row *r, const run *one)
{
    for (int i = 0; i < one->tests; i++) {
        const run_test *t = &one->test[i];
        char metric[64];
        snprintf(metric, sizeof metric, "accuracy %s", t->set);
        const char *paper = runs_paper(all, e, r, metric, NULL);
        interval ci = interval_wilson(t->correct, t->n);
        fprintf(to, "%s,%s,%s,%.4f,%.4f,%.4f,%" PRId64 ",%s,%" PRId64 ",%s\n", e->name, r->name, metric,
                100 * (double)t->correct / (double)t->n, 100 * ci.low, 100 * ci.high, t->n, paper ? paper : "", one->seed,
                one->commit);
        fprintf(to, "%s,%s,loss %s,%.6g,,,%" PRId64 ",,%" PRId64 ",%s\n", e->name, r->name, t->set, t->loss, t->n, one->seed,
                one->commit);
    }
}

static void write_run(FILE *to, const runs *all, const experiment *e, const row *r, const run *one)
{
    write_tests(to, all, e, r, one);
    fprintf(to, "%s,%s,takeoff examples,", e->name, r->name);
    if (one->takeoff >= 0)
        fprintf(to, "%" PRId64, one->takeoff);
    fprintf(to, ",,,,,%" PRId64 ",%s\n", one->seed, one->commit);
    fprintf(to, "%s,%s,training examples,%" PRId64 ",,,,,%" PRId64 ",%s\n", e->name, r->name, one->examples, one->seed,
            one->commit);
    fprintf(to, "%s,%s,training seconds,%.3f,,,,,%" PRId64 ",%s\n", e->name, r->name, one->seconds, one->seed, one->commit);
    fprintf(to, "%s,%s,parameters,%" PRId64 ",,,,,%" PRId64 ",%s\n", e->name, r->name, one->parameters, one->seed, one->commit);
}

static void write_means(FILE *to, const runs *all, const experiment *e, const row *r, const run *like)
{
    for (int i = 0; i < like->tests; i++) {
        char metric[64];
        int seeds;
        double mean = results_mean(r, like->test[i].set, &seeds);
        snprintf(metric, sizeof metric, "accuracy %s", like->test[i].set);
        const char *paper = runs_paper(all, e, r, metric, NULL);
        if (seeds > 0)
            fprintf(to, "%s,%s,%s,%.4f,,,%d,%s,mean,%s\n", e->name, r->name, metric, mean, seeds, paper ? paper : "",
                    like->commit);
    }
}

bool results_csv(const runs *all, const results_context *c, fault *f)
{
    char *text = NULL, *path = file_path(c->out, "results.csv");
    size_t bytes = 0;
    FILE *to = path ? open_memstream(&text, &bytes) : NULL;
    if (to) {
        fprintf(to, "experiment,row,metric,value,ci_low,ci_high,n,paper,seed,commit\n");
        for (int i = 0; i < all->count; i++)
            for (int r = 0; r < all->experiment[i].rows; r++) {
                const experiment *e = &all->experiment[i];
                const run *last = NULL;
                for (int k = 0; k < e->row[r].runs; k++)
                    if (e->row[r].run[k].finished)
                        write_run(to, all, e, &e->row[r], last = &e->row[r].run[k]);
                if (last)
                    write_means(to, all, e, &e->row[r], last);
            }
    }
    bool good = to && !(ferror(to) | fclose(to)) ? file_write_atomic(path, &(file_part){text, bytes}, 1, f)
                                                 : fault_set(f, "%s/results.csv: out of memory", c->out);
    free(text);
    free(path);
    return good;
}
