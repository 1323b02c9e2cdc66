/* ratios.c: see ratios.h. SPDX-License-Identifier: MIT */
#include "ratios.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What libso is to reach in f32, for orders up to n; in f64 0.8 of it. */
static const struct {
    int n;
    double ratio[CONTEST_WORKS];
} targets[] = {{4, {4, 100}}, {8, {4, 60}}, {16, {4, 40}}, {32, {4, 20}}, {64, {2.5, 10}}, {128, {2.5, 6}}};

double ratios_of(const contest_row *row)
{
    return row->theirs.median_us / row->libso.median_us;
}

double ratios_target(int n, sweep_real real, contest_work work)
{
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        if (n <= targets[i].n)
            return targets[i].ratio[work] * (real == SWEEP_F32 ? 1 : 0.8);
    return NAN;
}

void ratios_set_targets(contest_row *rows, int count)
{
    contest_row *best = NULL;
    for (int i = 0; i < count; i++) {
        contest_row *r = &rows[i];
        if (r->work == CONTEST_BOTH && strcmp(r->peer->name, "torch") == 0)
            r->target = ratios_target(r->n, r->real, CONTEST_BOTH);
        if (r->work == CONTEST_FORWARD && (!best || r->theirs.median_us < best->theirs.median_us))
            best = r;
    }
    if (best)
        best->target = ratios_target(best->n, best->real, CONTEST_FORWARD);
}

/* ---- CSV ---------------------------------------------------------------------------------------------------------------- */

void ratios_csv_head(FILE *to)
{
    fprintf(to, "machine,compiler,commit,date,threads,isa,n,dtype,input,direction,peer,peer_version,repetitions,"
                "peer_batch,peer_calls,peer_median_us,peer_min_us,libso_batch,libso_calls,libso_median_us,libso_min_us,"
                "ratio,target,rho,error_bound_u,peer_error_u,libso_error_u,orthogonality_bound_u,peer_orthogonality_u,"
                "libso_orthogonality_u\n");
}

static void csv_side(FILE *to, const contest_side *side)
{
    fprintf(to, ",%" PRId64 ",%d,%.6g,%.6g", side->batch, side->calls, side->median_us, side->min_us);
}

void ratios_csv_row(FILE *to, const evidence *e, const contest_row *r)
{
    fprintf(to, "%s,%s,%s,%s,%d,%s,%d,%s,%s,%s,%s,%s,%d", e->machine, e->compiler, e->commit, e->date, e->threads, e->roof.isa,
            r->n, sweep_real_name[r->real], r->input, contest_work_name[r->work], r->peer->name, r->peer->version,
            r->repetitions);
    csv_side(to, &r->theirs);
    csv_side(to, &r->libso);
    const double numbers[] = {ratios_of(r),
                              r->target,
                              r->rho,
                              r->error_bound,
                              r->theirs.error,
                              r->libso.error,
                              r->orthogonality_bound,
                              r->theirs.orthogonality,
                              r->libso.orthogonality};
    rows_csv_numbers(to, numbers, sizeof numbers / sizeof *numbers);
    fputc('\n', to);
    fflush(to);
}

/* ---- Tables ------------------------------------------------------------------------------------------------------------- */

static void describe(FILE *to, const evidence *e)
{
    fprintf(to, "machine %s, %d thread%s each, %s; %s; commit %s; %s\n", e->machine, e->threads, e->threads == 1 ? "" : "s",
            e->roof.isa, e->compiler, e->commit, e->date);
}

void ratios_progress_head(FILE *to, const evidence *e)
{
    describe(to, e);
    fprintf(to, "medians of paired timings, microseconds per matrix; errors in units of u\n");
    fprintf(to, "%4s %-5s %-8s %-8s %-12s %8s %10s %10s %8s %10s %10s\n", "n", "type", "input", "what", "peer", "batch",
            "peer us", "libso us", "ratio", "its error", "ours");
}

void ratios_progress_row(FILE *to, const contest_row *r)
{
    fprintf(to, "%4d %-5s %-8s %-8s %-12s %8" PRId64 " %10.4g %10.4g %8.4g %10.3g %10.3g\n", r->n, sweep_real_name[r->real],
            r->input, contest_work_name[r->work], r->peer->name, r->theirs.batch, r->theirs.median_us, r->libso.median_us,
            ratios_of(r), r->theirs.error, r->libso.error);
    fflush(to);
}

static int by_ratio(const void *a, const void *b)
{
    double p = ratios_of(*(const contest_row *const *)a), q = ratios_of(*(const contest_row *const *)b);
    return (p < q) - (p > q);
}

static void list_versions(FILE *to, const contest_row *rows, int count)
{
    for (int i = 0; i < count; i++) {
        bool first = true;
        for (int k = 0; k < i; k++)
            first = first && rows[k].peer != rows[i].peer;
        if (first)
            fprintf(to, "%s: %s\n", rows[i].peer->name, rows[i].peer->version);
    }
}

void ratios_table(FILE *to, const evidence *e, const contest_row *rows, int count)
{
    const contest_row **with = sweep_allocate(count, sizeof(const contest_row *));
    int length = 0, reached = 0;
    for (int i = 0; i < count; i++)
        if (!isnan(rows[i].target)) {
            with[length++] = &rows[i];
            reached += ratios_of(&rows[i]) >= rows[i].target;
        }
    qsort(with, (size_t)length, sizeof(const contest_row *), by_ratio);
    describe(to, e);
    list_versions(to, rows, count);
    fprintf(to, "both: exponential and gradient against torch; forward: exponential against the fastest peer of the size\n");
    fprintf(to, "%d of %d ratios reach their target; the smallest comes last\n", reached, length);
    fprintf(to, "%4s %-5s %-8s %-8s %-12s %8s %10s %10s %8s %7s %8s\n", "n", "type", "input", "what", "peer", "batch",
            "peer us", "libso us", "ratio", "target", "of it");
    for (int i = 0; i < length; i++)
        fprintf(to, "%4d %-5s %-8s %-8s %-12s %8" PRId64 " %10.4g %10.4g %8.4g %7.4g %8.2f\n", with[i]->n,
                sweep_real_name[with[i]->real], with[i]->input, contest_work_name[with[i]->work], with[i]->peer->name,
                with[i]->theirs.batch, with[i]->theirs.median_us, with[i]->libso.median_us, ratios_of(with[i]), with[i]->target,
                ratios_of(with[i]) / with[i]->target);
    free(with);
}
