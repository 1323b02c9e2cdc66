/* rows.c: see rows.h. SPDX-License-Identifier: MIT */
#include "rows.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "cores.h"

static void read_machine(char *out, size_t size)
{
    char line[256];
    snprintf(out, size, "unknown processor");
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file)) {
        char *value = strchr(line, ':');
        if (value && strncmp(line, "model name", 10) == 0) {
            value[strcspn(value, "\n")] = '\0';
            snprintf(out, size, "%.100s", value + 2);
            break;
        }
    }
    if (file)
        fclose(file);
    for (char *c = out; *c; c++) /* the only characters that would need quoting in CSV */
        if (*c == ',' || *c == '"')
            *c = ' ';
}

evidence evidence_collect(int threads)
{
    evidence e = {.threads = threads > 0 ? threads : cores_count()};
    e.roof = roofline_measure(e.threads);
    read_machine(e.machine, sizeof e.machine);
#ifdef __clang__
    snprintf(e.compiler, sizeof e.compiler, "clang %s", __clang_version__);
#else
    snprintf(e.compiler, sizeof e.compiler, "gcc %s", __VERSION__);
#endif
    snprintf(e.commit, sizeof e.commit, "%s", COMMIT);
    time_t seconds = time(NULL);
    struct tm utc;
    strftime(e.date, sizeof e.date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
    return e;
}

void rows_table_head(FILE *to, const evidence *e)
{
    fprintf(to, "machine %s, %d thread%s, %s; %s; commit %s; %s\n", e->machine, e->threads, e->threads == 1 ? "" : "s",
            e->roof.isa, e->compiler, e->commit, e->date);
    fprintf(to, "peak measured here: %.4g GFLOP/s f32, %.4g f64; copy %.3g GB/s\n", e->roof.gflops[SWEEP_F32],
            e->roof.gflops[SWEEP_F64], e->roof.copy_gb_s);
    fprintf(to,
            "times per matrix; GFLOP/s of the nominal count and its share of the peak; bytes read and written once as a share "
            "of the copy;\nerrors in units of u with their quotient to the bound of so.h\n");
    fprintf(to, "%-5s %4s %-9s %9s %-10s %-8s %8s %4s %10s %10s %12s %8s %5s %5s %8s %6s %8s %6s\n", "type", "n", "norm", "rho",
            "method", "what", "batch", "reps", "median us", "min us", "matrices/s", "GFLOP/s", "peak", "copy", "error",
            "/bound", "orthog.", "/bound");
}

static void print_share(FILE *to, double share)
{
    if (isnan(share))
        fprintf(to, "     -");
    else
        fprintf(to, " %4.0f%%", 100 * share);
}

static void print_error(FILE *to, double error, double bound)
{
    if (isnan(error))
        fprintf(to, " %8s %6s", "-", "-");
    else
        fprintf(to, " %8.3g %6.2f", error, error / bound);
}

static double fma_share(const evidence *e, const rows_case *c, const sweep_row *row)
{
    return 1e-3 * row->flops / row->median_us / e->roof.gflops[c->real];
}

static double copy_share(const evidence *e, const sweep_row *row)
{
    return 1e-3 * row->bytes / row->median_us / e->roof.copy_gb_s;
}

void rows_table_row(FILE *to, const evidence *e, const rows_case *c, const sweep_row *row)
{
    fprintf(to, "%-5s %4d %-9.9s %9.3g %-10s %-8s %8" PRId64 " %4d %10.4g %10.4g %12.4g %8.3g", sweep_real_name[c->real], c->n,
            c->norm, row->rho, sweep_method_name[row->method], sweep_direction_name[row->direction], c->batch, row->repetitions,
            row->median_us, row->min_us, 1e6 / row->median_us, 1e-3 * row->flops / row->median_us);
    print_share(to, fma_share(e, c, row));
    print_share(to, copy_share(e, row));
    print_error(to, row->error, row->error_bound);
    print_error(to, row->orthogonality, row->orthogonality_bound);
    fprintf(to, "%s\n", sweep_row_keeps_contract(row, c->n) ? "" : "  OUTSIDE THE CONTRACT");
    fflush(to);
}

void rows_csv_head(FILE *to)
{
    fprintf(to,
            "machine,compiler,commit,date,threads,isa,method,dtype,n,batch,input,norm,rho,direction,warmup,repetitions,calls,"
            "median_us,min_us,matrices_per_s,bytes,copy_gb_s,copy_share,flops,gflops,peak_gflops,fma_share,checked,error_u,"
            "error_bound_u,error_ratio,orthogonality_u,orthogonality_bound_u,orthogonality_ratio\n");
}

void rows_csv_numbers(FILE *to, const double *values, int count)
{
    for (int i = 0; i < count; i++)
        fprintf(to, isnan(values[i]) ? "," : ",%.6g", values[i]);
}

void rows_csv_row(FILE *to, const evidence *e, const rows_case *c, const sweep_row *row)
{
    fprintf(to, "%s,%s,%s,%s,%d,%s,%s,%s,%d,%" PRId64 ",%s,%s", e->machine, e->compiler, e->commit, e->date, e->threads,
            e->roof.isa, sweep_method_name[row->method], sweep_real_name[c->real], c->n, c->batch, c->input, c->norm);
    rows_csv_numbers(to, &row->rho, 1);
    fprintf(to, ",%s,%d,%d,%d", sweep_direction_name[row->direction], row->warmup, row->repetitions, row->calls);
    const double speed[] = {
        row->median_us,          row->min_us,         1e6 / row->median_us, row->bytes,
        e->roof.copy_gb_s,       copy_share(e, row),  row->flops,           1e-3 * row->flops / row->median_us,
        e->roof.gflops[c->real], fma_share(e, c, row)};
    const double errors[] = {row->error,         row->error_bound,         row->error / row->error_bound,
                             row->orthogonality, row->orthogonality_bound, row->orthogonality / row->orthogonality_bound};
    rows_csv_numbers(to, speed, sizeof speed / sizeof *speed);
    fprintf(to, ",%d", row->checked);
    rows_csv_numbers(to, errors, sizeof errors / sizeof *errors);
    fputc('\n', to);
    fflush(to);
}
