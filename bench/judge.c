/* judge.c: see judge.h. SPDX-License-Identifier: MIT */
#include "judge.h"

#include <math.h>
#include <stdlib.h>

#include "exact.h"

typedef struct sample {
    int64_t at; /* place in the batch */
    double rho, upstream;
    long double *R[2], *D[2]; /* exponential, Cayley map */
} sample;

struct judge {
    const sweep_input *input;
    int count;
    sample *samples;
};

/* A reference costs about 80 n^3 slow operations: as many as keep a row below a second on one core. */
static int sample_count(int n)
{
    return n <= 16 ? 16 : n <= 32 ? 8 : n <= 64 ? 3 : n <= 128 ? 2 : n <= 256 ? 1 : 0;
}

/* A bound in units of u: computed in f64 and rounded once it is that of f64 beside `roundings` of f32, and their squares. */
static double bound_of(const sweep_row *row, double bound, double roundings)
{
    return row->f64_inside ? 1.01 * roundings + 0x1p-29 * bound : bound;
}

static long double load(sweep_real real, const void *from, size_t at)
{
    return real == SWEEP_F32 ? (long double)((const float *)from)[at] : (long double)((const double *)from)[at];
}

static void load_matrix(const sweep_input *in, const void *stack, int64_t b, long double *X)
{
    size_t size = (size_t)in->n * (size_t)in->n;
    for (size_t i = 0; i < size; i++)
        X[i] = load(in->real, stack, (size_t)b * size + i);
}

static long double *square(int n)
{
    return sweep_allocate((int64_t)n * n, sizeof(long double));
}

/* Only the strict upper triangle counts, as in so.h. */
static void make_skew(int n, long double *A)
{
    for (int i = 0; i < n; i++)
        for (int j = i; j < n; j++)
            A[(size_t)j * (size_t)n + (size_t)i] = i == j ? 0 : -A[(size_t)i * (size_t)n + (size_t)j];
}

static void sample_free(sample *s)
{
    for (int k = 0; k < 2; k++) {
        free(s->R[k]);
        free(s->D[k]);
    }
}

/* False where there is nothing to compare with: a matrix that is not finite, or angles without information. */
static bool sample_fill(const sweep_input *in, sample *s)
{
    int n = in->n;
    long double *A = square(n), *G = in->G ? square(n) : NULL;
    load_matrix(in, in->A, s->at, A);
    make_skew(n, A);
    if (G)
        load_matrix(in, in->G, s->at, G);
    s->rho = exact_rho(n, A);
    s->upstream = G ? exact_distance(n, G, NULL) : 0;
    bool good = s->rho * sweep_unit(in->real) < 1 && isfinite(s->upstream);
    for (int k = 0; k < 2 && good; k++) {
        s->R[k] = square(n);
        s->D[k] = G ? square(n) : NULL;
    }
    if (good) {
        exact_exp(n, s->rho, A, G, s->R[0], s->D[0]);
        exact_cayley(n, A, G, s->R[1], s->D[1]);
    }
    free(A);
    free(G);
    return good;
}

judge *judge_create(const sweep_input *in, int least)
{
    judge *j = sweep_allocate(1, sizeof *j);
    int count = sample_count(in->n);
    int64_t wanted = in->n == 0 ? 0 : count > 0 && count < least ? least : count;
    wanted = wanted < in->batch ? wanted : in->batch;
    j->input = in;
    j->samples = sweep_allocate(wanted, sizeof *j->samples);
    bool *good = sweep_allocate(wanted, sizeof *good);
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < wanted; i++) { /* spread over the batch, first and last included */
        j->samples[i] = (sample){.at = wanted > 1 ? i * (in->batch - 1) / (wanted - 1) : 0};
        good[i] = sample_fill(in, &j->samples[i]);
    }
    for (int64_t i = 0; i < wanted; i++)
        if (good[i])
            j->samples[j->count++] = j->samples[i];
        else
            sample_free(&j->samples[i]);
    free(good);
    return j;
}

void judge_free(judge *j)
{
    for (int i = 0; i < j->count; i++)
        sample_free(&j->samples[i]);
    free(j->samples);
    free(j);
}

static void keep_worst(double error, double bound, double *worst, double *worst_bound)
{
    if (isnan(*worst) || !(error / bound <= *worst / *worst_bound)) {
        *worst = isnan(error) ? INFINITY : error;
        *worst_bound = bound;
    }
}

void judge_error(double error, double bound, sweep_row *row)
{
    keep_worst(error, bound_of(row, bound, 1), &row->error, &row->error_bound);
}

void judge_defect(double defect, double bound, sweep_row *row)
{
    keep_worst(defect, bound_of(row, bound, 2), &row->orthogonality, &row->orthogonality_bound);
}

static double quotient(double error, double scale)
{
    return scale > 0 ? error / scale : error > 0 ? INFINITY : error;
}

double judge_flops(const judge *j, so_method method, sweep_direction direction)
{
    double sum = 0;
    for (int i = 0; i < j->count; i++)
        sum += sweep_flops(method, j->input->real, direction, j->input->n, j->samples[i].rho);
    return j->count > 0 ? sum / j->count : NAN;
}

void judge_begin(sweep_row *row)
{
    row->checked = 0;
    row->error = row->error_bound = row->orthogonality = row->orthogonality_bound = row->rho = NAN;
}

static void judge_angle(double rho, sweep_row *row)
{
    row->checked++;
    row->rho = fmax(row->rho, rho);
}

void judge_rotation(sweep_real real, int n, double rho, const long double *X, const long double *R, sweep_row *row)
{
    const bool bounded = row->method == SO_CAYLEY || row->method == SO_EIGEN;
    const double u = sweep_unit(real);
    judge_angle(rho, row);
    judge_error(exact_distance(n, X, R) / u, 10 + 2 * rho, row);
    judge_defect(exact_defect(n, X) / u, bounded ? 16 : 16 + 2 * rho, row);
}

void judge_row(const judge *j, const void *R, const void *D, sweep_row *row)
{
    const sweep_input *in = j->input;
    const bool cayley = row->method == SO_CAYLEY;
    long double *X = square(in->n);
    judge_begin(row);
    for (int i = 0; i < j->count; i++) {
        const sample *s = &j->samples[i];
        load_matrix(in, D ? D : R, s->at, X);
        if (!D) {
            judge_rotation(in->real, in->n, s->rho, X, s->R[cayley], row);
            continue;
        }
        double error = quotient(exact_distance(in->n, X, s->D[cayley]), sweep_unit(in->real) * s->upstream);
        judge_angle(s->rho, row);
        judge_error(error, 30 * (1 + s->rho / 10), row);
    }
    free(X);
}

bool sweep_row_keeps_contract(const sweep_row *row, int n)
{
    if (row->checked == 0 || n > 128 || row->rho > 1e3 * (1 + 1e-6)) /* --norm 1000 rounded to f32 is still meant */
        return true;
    return row->error <= row->error_bound && (row->direction == SWEEP_VJP || row->orthogonality <= row->orthogonality_bound);
}
