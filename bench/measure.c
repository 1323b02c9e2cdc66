/* measure.c: timings of one case; see measure.h. SPDX-License-Identifier: MIT */
#include "measure.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cores.h"
#include "judge.h"

enum { WARMUP = 2, LEAST_REPETITIONS = 3, MOST_REPETITIONS = 1000 };
static const double timing_seconds = 4e-3; /* a thousand times the resolution and jitter of the clock */

typedef struct contestant { /* one method on the case */
    so_method method;
    void *R;
    double spent[SWEEP_DIRECTIONS];
    double us[SWEEP_DIRECTIONS][MOST_REPETITIONS];
    sweep_row row[SWEEP_DIRECTIONS];
} contestant;

double sweep_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static so_status call(so_ctx *ctx, const sweep_input *in, const contestant *c, sweep_direction direction, void *D)
{
    if (in->real == SWEEP_F32)
        return direction == SWEEP_FORWARD ? so_exp_f32(ctx, c->method, in->n, in->batch, in->A, c->R)
                                          : so_exp_vjp_f32(ctx, c->method, in->n, in->batch, in->A, c->R, in->G, D);
    return direction == SWEEP_FORWARD ? so_exp_f64(ctx, c->method, in->n, in->batch, in->A, c->R)
                                      : so_exp_vjp_f64(ctx, c->method, in->n, in->batch, in->A, c->R, in->G, D);
}

static double timed(so_ctx *ctx, const sweep_input *in, const contestant *c, sweep_direction direction, void *D)
{
    double start = sweep_now();
    so_status status = call(ctx, in, c, direction, D);
    double seconds = sweep_now() - start;
    if (status == SO_OK || status == SO_ENONFINITE)
        return seconds;
    fprintf(stderr, "expm_sweep: so_exp%s_%s, method %s, n = %d, batch = %lld: %s%s%s\n", direction == SWEEP_VJP ? "_vjp" : "",
            sweep_real_name[in->real], sweep_method_name[c->method], in->n, (long long)in->batch, so_status_string(status),
            *so_ctx_argument(ctx) ? ": " : "", so_ctx_argument(ctx));
    exit(EXIT_FAILURE);
}

static void prepare(so_ctx *ctx, const sweep_input *in, contestant *c, sweep_direction direction, void *D,
                    const judge *references)
{
    sweep_row *row = &c->row[direction];
    double n = in->n;
    timed(ctx, in, c, direction, D);
    *row = (sweep_row){.method = c->method, .direction = direction, .warmup = WARMUP};
    judge_row(references, c->R, direction == SWEEP_VJP ? D : NULL, row);
    double once = timed(ctx, in, c, direction, D);
    row->calls = (int)fmax(1, ceil(timing_seconds / fmax(once, 1e-9)));
    row->flops = judge_flops(references, c->method, direction);
    row->bytes = (direction == SWEEP_FORWARD ? 2 : 4) * n * n * (double)sweep_real_bytes(in->real);
}

static void repeat(so_ctx *ctx, const sweep_input *in, contestant *c, sweep_direction direction, void *D, double limit)
{
    sweep_row *row = &c->row[direction];
    if (row->repetitions >= LEAST_REPETITIONS && c->spent[direction] > limit)
        return;
    double seconds = 0;
    for (int i = 0; i < row->calls; i++)
        seconds += timed(ctx, in, c, direction, D);
    c->spent[direction] += seconds;
    c->us[direction][row->repetitions++] = 1e6 * seconds / ((double)row->calls * (double)in->batch);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double sweep_median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, ascending);
    return (values[count / 2] + values[(count - 1) / 2]) / 2;
}

static void summarise(contestant *c, sweep_direction direction)
{
    sweep_row *row = &c->row[direction];
    row->median_us = sweep_median(c->us[direction], row->repetitions);
    row->min_us = c->us[direction][0];
}

so_ctx *sweep_context(int threads)
{
    so_ctx *ctx;
    threads = threads > 0 ? threads : cores_count();
    so_status status = so_ctx_create_cpu(&ctx, threads);
    if (status == SO_OK) {
        cores_share_out(threads);
        return ctx;
    }
    fprintf(stderr, "%s: no context with %d threads: %s\n", program_invocation_short_name, threads, so_status_string(status));
    exit(EXIT_FAILURE);
}

int sweep_measure(const sweep_input *in, const int *methods, int count, const sweep_effort *effort, sweep_row *rows,
                  sweep_output *keep)
{
    int64_t numbers = in->batch * in->n * in->n, written = 0;
    int directions = in->G ? SWEEP_DIRECTIONS : 1;
    int repetitions = effort->repetitions < MOST_REPETITIONS ? effort->repetitions : MOST_REPETITIONS;
    so_ctx *ctx = sweep_context(effort->threads);
    contestant *field = sweep_allocate(count, sizeof *field);
    void *D = in->G ? sweep_allocate(numbers, sweep_real_bytes(in->real)) : NULL;
    judge *references = judge_create(in, 1);
    for (int m = 0; m < count; m++) {
        field[m].method = (so_method)methods[m];
        field[m].R = sweep_allocate(numbers, sweep_real_bytes(in->real));
        for (int d = 0; d < directions; d++)
            prepare(ctx, in, &field[m], (sweep_direction)d, D, references);
    }
    for (int r = 0; r < repetitions; r++)
        for (int m = 0; m < count; m++)
            for (int d = 0; d < directions; d++)
                repeat(ctx, in, &field[m], (sweep_direction)d, D, effort->seconds);
    for (int m = 0; m < count; m++)
        for (int d = 0; d < directions; d++) {
            summarise(&field[m], (sweep_direction)d);
            rows[written++] = field[m].row[d];
        }
    judge_free(references);
    so_ctx_destroy(ctx);
    if (keep && count == 1)
        *keep = (sweep_output){.R = field[0].R, .D = D};
    else
        free(D);
    for (int m = 0; m < count && !(keep && count == 1); m++)
        free(field[m].R);
    free(field);
    return (int)written;
}
