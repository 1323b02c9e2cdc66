/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/file.h"
#include "report/interval.h"
#include "report/results.h"

/* "5x5" as people write it, in the head of a table. */
static void write_set(FILE *to, const char *set)
{
    for (const char *c = set; *c; c++)
        if (*c == 'x' && c > set && c[-1] >= '0' && c[-1] <= '9')
            fputs("×", to);
        else
            fputc(*c, to);
}

static void write_head(FILE *to, const runs *all, const experiment *e, const run *like)
{
    fprintf(to, "| encoding | seed |");
    for (int i = 0; i < like->tests; i++) {
        const char *condition = results_condition(all, e, like->test[i].set);
        fputc(' ', to);
        write_set(to, like->test[i].set);
        if (condition) {
            fprintf(to, " | paper, ");
            write_set(to, condition);
        }
        fprintf(to, " |");
    }
    fprintf(to, " take-off, examples | training, s |\n|---|---|");
    for (int i = 0; i < like->tests; i++)
        fprintf(to, results_condition(all, e, like->test[i].set) ? "---|---|" : "---|");
    fprintf(to, "---|---|\n");
}

static void write_run(FILE *to, const runs *all, const experiment *e, const row *r, const run *one, const run *like)
{
    fprintf(to, "| %s | %" PRId64 " |", r->title, one->seed);
    for (int i = 0; i < like->tests; i++) {
        const run_test *t = results_test(one, like->test[i].set);
        if (t) {
            interval ci = interval_wilson(t->correct, t->n);
            fprintf(to, " %.1f [%.1f, %.1f] |", 100 * (double)t->correct / (double)t->n, 100 * ci.low, 100 * ci.high);
        } else {
            fprintf(to, " - |");
        }
        fprintf(to, results_condition(all, e, like->test[i].set) ? " |" : "");
    }
    if (one->takeoff >= 0)
        fprintf(to, " %" PRId64 " |", one->takeoff);
    else
        fprintf(to, " never |");
    fprintf(to, " %.0f |\n", one->seconds);
}

static void write_mean(FILE *to, const runs *all, const experiment *e, const row *r, const run *like)
{
    int finished = 0;
    for (int k = 0; k < r->runs; k++)
        finished += r->run[k].finished;
    if (finished == 0)
        return;
    fprintf(to, "| **%s** | **mean of %d** |", r->title, finished);
    for (int i = 0; i < like->tests; i++) {
        char metric[64];
        int seeds;
        double mean = results_mean(r, like->test[i].set, &seeds);
        snprintf(metric, sizeof metric, "accuracy %s", like->test[i].set);
        const char *paper = runs_paper(all, e, r, metric, NULL);
        fprintf(to, isnan(mean) ? " - |" : " **%.1f** |", mean);
        if (results_condition(all, e, like->test[i].set))
            fprintf(to, " %s |", paper ? paper : "-");
    }
    fprintf(to, " | |\n");
}

static void write_table(FILE *to, const runs *all, const experiment *e, const run *like)
{
    fprintf(to,
            "Test accuracy in percent, with the 95 %% interval of Wilson for the %" PRId64 " test images of each run (it does\n"
            "not cover the scatter between seeds). Take-off: training examples when more than half of a window was right.\n\n",
            like->test[0].n);
    write_head(to, all, e, like);
    for (int r = 0; r < e->rows; r++) {
        for (int k = 0; k < e->row[r].runs; k++)
            if (e->row[r].run[k].finished)
                write_run(to, all, e, &e->row[r], &e->row[r].run[k], like);
        write_mean(to, all, e, &e->row[r], like);
    }
    fputc('\n', to);
    if (like->arrows > 0 && like->arrows <= 64)
        fprintf(to, "Guess ceiling: %.1f %% (the most frequent direction among %" PRId64 " arrows).\n\n",
                100 * interval_guess((int)like->arrows, 4), like->arrows);
}

static void write_unfinished(FILE *to, const experiment *e)
{
    for (int r = 0; r < e->rows; r++)
        for (int k = 0; k < e->row[r].runs; k++)
            if (!e->row[r].run[k].finished) {
                const run *one = &e->row[r].run[k];
                fprintf(to, "**Not finished:** %s, seed %" PRId64 ", stopped at %.0f examples.\n\n", e->row[r].title, one->seed,
                        one->points > 0 ? one->curve[one->points - 1].examples : 0);
            }
}

/* Runs of one experiment may come from several commits, when it was continued. */
static void write_commits(FILE *to, const experiment *e)
{
    const char *last = "";
    fprintf(to, "Commit:");
    for (int r = 0; r < e->rows; r++)
        for (int k = 0; k < e->row[r].runs; k++)
            if (e->row[r].run[k].finished && strcmp(e->row[r].run[k].commit, last) != 0) {
                last = e->row[r].run[k].commit;
                fprintf(to, " `%s`", last);
            }
    fprintf(to, ". ");
}

/* The learning rate, row by row where a row differs from the one before. */
static void write_rates(FILE *to, const experiment *e)
{
    double last = NAN;
    const char *separator = "";
    fprintf(to, "learning rate ");
    for (int r = 0; r < e->rows; r++)
        if (e->row[r].runs > 0 && e->row[r].run[0].finished && e->row[r].run[0].rate != last) {
            last = e->row[r].run[0].rate;
            fprintf(to, "%s%g (from \"%s\" on)", separator, last, e->row[r].title);
            separator = ", ";
        }
}

static void write_about(FILE *to, const experiment *e, const results_context *c)
{
    char path[1024];
    fault ignored;
    size_t bytes;
    snprintf(path, sizeof path, "%s/%s/about.md", c->tables, e->name);
    char *text = access(path, R_OK) == 0 ? file_read(path, &bytes, &ignored) : NULL;
    if (text)
        fprintf(to, "%s\n", text);
    free(text);
}

static void write_picture(FILE *to, const experiment *e, const results_context *c, const char *kind, const char *caption)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s_%s.png", c->out, e->name, kind);
    if (access(path, R_OK) == 0)
        fprintf(to, "![%s](%s_%s.png)\n\n", caption, e->name, kind);
}

static void write_experiment(FILE *to, const runs *all, const experiment *e, const results_context *c)
{
    const run *like = runs_first(e);
    fprintf(to, "## %s\n\n", e->title);
    if (like && like->tests > 0)
        write_table(to, all, e, like);
    write_unfinished(to, e);
    if (like) {
        write_picture(to, e, c, "examples", "accuracy against training examples seen");
        write_picture(to, e, c, "resolution", "accuracy against test grid");
        fprintf(to, "**Set-up.** %s; ", like->setup);
        write_rates(to, e);
        fprintf(to, "; %" PRId64 " training examples, %" PRId64 " steps. ", like->examples, like->steps);
        write_commits(to, e);
        fprintf(to, "\n\n");
    }
    write_about(to, e, c);
}

static void write_missing(FILE *to, const runs *all, const results_context *c)
{
    fprintf(to, "## What was not run, and what it needs\n\n| experiment | title | why |\n|---|---|---|\n");
    for (int i = 0; i < all->count; i++) {
        const experiment *e = &all->experiment[i];
        if (e->runs == 0)
            fprintf(to, "| %s | %s | %s%s%s |\n", e->name, e->title,
                    e->needs[0] ? "needs " : "not asked for: `harness/run_paper.sh --only ", e->needs[0] ? e->needs : e->name,
                    e->needs[0] ? "" : "`");
    }
    fprintf(to, "\nNone of these figures is estimated or copied. Device of this report: %s.\n", c->device);
}

bool results_markdown(const runs *all, const results_context *c, fault *f)
{
    char *text = NULL, *path = file_path(c->out, "report.md");
    size_t bytes = 0;
    FILE *to = path ? open_memstream(&text, &bytes) : NULL;
    if (to) {
        fprintf(to, "# LieRE, reproduced with libso\n\n");
        fprintf(to,
                "Ours beside the figures of the paper (*LieRE: Lie Rotational Positional Encodings*, arXiv 2406.10322).\n\n");
        fprintf(to, "Machine: %s. ", c->machine);
        if (c->seconds >= 0)
            fprintf(to, "Wall-clock time of the trainings: %.0f s. ", c->seconds);
        if (c->command)
            fprintf(to, "Command: `%s`.", c->command);
        fprintf(to, "\n\nEvery figure, with its interval, is in [results.csv](results.csv).\n\n");
        for (int i = 0; i < all->count; i++)
            if (all->experiment[i].runs > 0)
                write_experiment(to, all, &all->experiment[i], c);
        write_missing(to, all, c);
    }
    bool good = to && !(ferror(to) | fclose(to)) ? file_write_atomic(path, &(file_part){text, bytes}, 1, f)
                                                 : fault_set(f, "%s/report.md: out of memory", c->out);
    free(text);
    free(path);
    return good;
}
