/* expm_sweep.c: speed and error of so_exp and so_exp_vjp in the same rows: method x type x n x norm, or a user's own matrices.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "options.h"
#include "picture.h"
#include "plot.h"
#include "rows.h"
#include "user.h"

enum { MAX_ITEMS = 32, MAX_THREADS = 1024, MAX_N = 1024 };
enum { DISTINCT = 16 }; /* different matrices in a batch: enough to vary branches, few enough to scale exactly */

static option table[] = {
    {"quick", NULL, NULL, "a minute's selection of n and norms instead of the whole sweep", false, NULL},
    {"methods", "LIST", NULL, "of auto, polynomial, pade, eigen, cayley\n[the last four; with --matrices: auto]", false, NULL},
    {"dtypes", "LIST", "f32,f64", "of f32, f64", false, NULL},
    {"n", "LIST", NULL, "orders of the matrices [2,3,4,8,16,32,64,128; --quick: 4,8,32,64]", false, NULL},
    {"norm", "LIST", NULL,
     "numbers (Gaussian matrices scaled to this spectral norm), gaussian (entries\n"
     "N(0, 1)), wigner (entries N(0, 1/n)), pencil (LieRE at initialisation)\n[0.1,1,10,100,1000,pencil; --quick: 1,30]",
     false, NULL},
    {"batch", "N", NULL, "matrices per call [as many as exceed the second-level caches]", false, NULL},
    {"in-cache", NULL, NULL, "batches that fit the second-level caches instead", false, NULL},
    {"threads", "N", "0", "threads of libso, 0 = all cores", false, NULL},
    {"repetitions", "N", NULL, "timings per row [9; --quick: 3]", false, NULL},
    {"seconds", "S", "2", "a row stops repeating after this time, but not before three timings", false, NULL},
    {"seed", "N", "1", "of the random matrices", false, NULL},
    {"csv", "FILE", NULL, "write the rows to FILE as well", false, NULL},
    {"plot", "[DIR]", "runs/expm_sweep", "draw error against norm and throughput against n (gnuplot): PNG and SVG\nin DIR",
     false, NULL},
    {"matrices", "A.npy", NULL,
     "measure these matrices: float32 or float64, shape (batch, n, n), C order;\n"
     "only the strict upper triangle is read",
     false, NULL},
    {"upstream", "G.npy", NULL, "gradients of a loss with respect to exp(A), same shape and type as A.npy", false, NULL},
    {"save-exp", "R.npy", NULL, "write exp(A)", false, NULL},
    {"save-vjp", "D.npy", NULL, "write the gradient with respect to A (its skew projection, see so.h)", false, NULL},
    {0}};

static const char about[] =
    "usage: expm_sweep [options]\n"
    "Measures the exponential of skew-symmetric matrices and its gradient: time and error of each method.";
static const char after[] =
    "Exit status: 0, or 1 if an error exceeds the contract of so.h or something fails, 2 for wrong use.";

typedef struct sweep {
    int methods[SWEEP_METHODS]; /* so_method */
    int reals[SWEEP_REALS];     /* sweep_real */
    int n[MAX_ITEMS];
    const char *norms[MAX_ITEMS];
    int method_count, real_count, n_count, norm_count;
    int64_t batch; /* 0 = by the cache */
    bool in_cache;
    uint64_t seed;
    sweep_effort effort;
    evidence evidence;
    FILE *csv;
    plot_point *points;
    int point_count, outside;
} sweep;

static const char *text(const char *name)
{
    return options_find(table, name)->text;
}

static bool given(const char *name)
{
    return options_find(table, name)->given;
}

static const char *chosen(const char *name, const char *quick, const char *whole)
{
    return text(name) ? text(name) : given("quick") ? quick : whole;
}

/* ---- Lists -------------------------------------------------------------------------------------------------------------- */

static void add_norm(const char *item, void *to)
{
    sweep *s = to;
    if (s->norm_count == MAX_ITEMS)
        options_refuse("--norm: more than %d items", MAX_ITEMS);
    if (!sweep_input_is_word(item))
        options_number("norm", item, 0, 1e30);
    s->norms[s->norm_count] = strdup(item);
    if (!s->norms[s->norm_count++])
        options_refuse("out of memory");
}

/* ---- Rows --------------------------------------------------------------------------------------------------------------- */

static void report_row(sweep *s, const rows_case *c, const sweep_row *row)
{
    rows_table_row(stdout, &s->evidence, c, row);
    if (s->csv)
        rows_csv_row(s->csv, &s->evidence, c, row);
    s->outside += !sweep_row_keeps_contract(row, c->n);
    s->points[s->point_count++] = (plot_point){*c, *row};
}

static void measure_input(sweep *s, const sweep_input *in, const char *norm, sweep_output *keep)
{
    sweep_row rows[2 * SWEEP_METHODS];
    rows_case c = {.real = in->real, .n = in->n, .batch = in->batch};
    snprintf(c.input, sizeof c.input, "%s", in->kind);
    snprintf(c.norm, sizeof c.norm, "%s", norm);
    int count = sweep_measure(in, s->methods, s->method_count, &s->effort, rows, keep);
    for (int i = 0; i < count; i++)
        report_row(s, &c, &rows[i]);
}

static void run_sweep(sweep *s)
{
    rows_table_head(stdout, &s->evidence);
    for (int r = 0; r < s->real_count; r++)
        for (int i = 0; i < s->n_count; i++)
            for (int k = 0; k < s->norm_count; k++) {
                int64_t batch =
                    s->batch ? s->batch : sweep_batch((sweep_real)s->reals[r], s->n[i], s->evidence.threads, s->in_cache);
                sweep_input in = sweep_input_make((sweep_real)s->reals[r], s->n[i], batch, DISTINCT, s->norms[k], s->seed);
                measure_input(s, &in, s->norms[k], NULL);
                sweep_input_free(&in);
            }
}

static void run_user(sweep *s)
{
    sweep_input in = user_read(text("matrices"), text("upstream"));
    if (text("save-exp"))
        user_check_target(text("save-exp"));
    if (text("save-vjp"))
        user_check_target(text("save-vjp"));
    sweep_output out = {0};
    rows_table_head(stdout, &s->evidence);
    if (in.batch > 0 && in.n > 0)
        measure_input(s, &in, "file", s->method_count == 1 ? &out : NULL);
    if (text("save-exp"))
        user_write(text("save-exp"), &in, out.R);
    if (text("save-vjp"))
        user_write(text("save-vjp"), &in, out.D);
    free(out.R);
    free(out.D);
    sweep_input_free(&in);
}

/* ---- Start -------------------------------------------------------------------------------------------------------------- */

static void check_combinations(const sweep *s)
{
    static const char *const needs_matrices[] = {"upstream", "save-exp", "save-vjp"};
    static const char *const needs_sweep[] = {"n", "norm", "batch", "dtypes", "in-cache", "quick", "plot"};
    for (size_t i = 0; i < sizeof needs_matrices / sizeof *needs_matrices && !given("matrices"); i++)
        if (given(needs_matrices[i]))
            options_refuse("--%s needs --matrices A.npy", needs_matrices[i]);
    for (size_t i = 0; i < sizeof needs_sweep / sizeof *needs_sweep && given("matrices"); i++)
        if (given(needs_sweep[i]))
            options_refuse("--%s does not go with --matrices: the file decides", needs_sweep[i]);
    if (given("save-vjp") && !given("upstream"))
        options_refuse("--save-vjp needs --upstream G.npy, the gradient of the loss with respect to exp(A)");
    if ((given("save-exp") || given("save-vjp")) && s->method_count > 1)
        options_refuse("--save-exp and --save-vjp write one result: name one method with --methods");
    if (given("batch") && given("in-cache"))
        options_refuse("--batch and --in-cache exclude each other");
    static const char *const files[] = {"matrices", "upstream", "save-exp", "save-vjp", "csv"};
    for (size_t output = 2; output < sizeof files / sizeof *files; output++)
        for (size_t i = 0; i < output; i++)
            if (text(files[output]) && text(files[i]) && file_same(text(files[output]), text(files[i])))
                options_refuse("--%s and --%s name one file: %s", files[i], files[output], text(files[output]));
}

static sweep read_options(int argc, char **argv)
{
    options_parse(table, argc, argv, about, after);
    sweep s = {.in_cache = given("in-cache")};
    const char *all = given("matrices") ? "auto" : "polynomial,pade,eigen,cayley";
    s.method_count =
        options_choices("methods", text("methods") ? text("methods") : all, sweep_method_name, SWEEP_METHODS, s.methods);
    s.real_count = options_choices("dtypes", text("dtypes"), sweep_real_name, SWEEP_REALS, s.reals);
    s.n_count = options_integers("n", chosen("n", "4,8,32,64", "2,3,4,8,16,32,64,128"), 1, MAX_N, s.n, MAX_ITEMS);
    options_list("norm", chosen("norm", "1,30", "0.1,1,10,100,1000,pencil"), add_norm, &s);
    s.batch = text("batch") ? options_integer("batch", text("batch"), 1, 1LL << 32) : 0;
    s.seed = (uint64_t)options_integer("seed", text("seed"), 0, INT64_MAX);
    s.effort.threads = (int)options_integer("threads", text("threads"), 0, MAX_THREADS);
    s.effort.repetitions = (int)options_integer("repetitions", chosen("repetitions", "3", "9"), 1, 1000);
    s.effort.seconds = options_number("seconds", text("seconds"), 0, 1e6);
    check_combinations(&s);
    s.evidence = evidence_collect(s.effort.threads);
    s.points = sweep_allocate((int64_t)s.real_count * s.n_count * s.norm_count * s.method_count * 2, sizeof *s.points);
    return s;
}

static void open_outputs(sweep *s)
{
    if (given("plot"))
        picture_open(text("plot"));
    if (!text("csv"))
        return;
    s->csv = fopen(text("csv"), "w");
    if (!s->csv)
        options_refuse("--csv: %s: %s", text("csv"), strerror(errno));
    rows_csv_head(s->csv);
}

static int finish(sweep *s)
{
    int status = EXIT_SUCCESS;
    if (s->csv && (ferror(s->csv) | fclose(s->csv)) != 0) {
        fprintf(stderr, "expm_sweep: %s could not be written whole: %s\n", text("csv"), strerror(errno));
        status = EXIT_FAILURE;
    }
    if (given("plot") && !plot_draw(text("plot"), s->points, s->point_count, &s->evidence))
        status = EXIT_FAILURE;
    if (s->outside > 0) {
        fprintf(stderr, "expm_sweep: %d of %d rows are outside the contract of so.h\n", s->outside, s->point_count);
        status = EXIT_FAILURE;
    }
    free(s->points);
    for (int i = 0; i < s->norm_count; i++)
        free((char *)s->norms[i]);
    return status;
}

int main(int argc, char **argv)
{
    sweep s = read_options(argc, argv);
    open_outputs(&s);
    if (given("matrices"))
        run_user(&s);
    else
        run_sweep(&s);
    return finish(&s);
}
