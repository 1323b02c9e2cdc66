/* sweep.cu: see sweep.h.
 * SPDX-License-Identifier: MIT */
#include "sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern "C" {
#include "bench/rows.h"
}
#include "libso/so_cuda.h"

#ifndef COMMIT
#define COMMIT "unknown"
#endif

const char *const input_name[INPUTS] = {"wigner", "pencil"};

/* ---- Rows ---- */

static const char csv_head[] = "date,device,driver,driver_cuda,runtime_cuda,commit,command,function,method,dtype,n,batch,"
                               "input,work,warmup,calls,repetitions,median_us,min_us,ns_per_matrix,bytes,flops,copy_gb_s,"
                               "peak_gflops,copy_share,fma_share,roofline_share,workspace_bytes,workspace_over_r,checked,rho,"
                               "error_u,error_bound_u,orthogonality_u,orthogonality_bound_u,same_bits,kept,goal,goal_met\n";

void print_head(const sweep *s)
{
    if (s->csv && ftell(s->csv) == 0)
        fputs(csv_head, s->csv);
    printf("%s, driver %s for CUDA %s, runtime %s, commit %s, %s\n", s->device.name, s->driver, s->device.driver,
           s->device.runtime, COMMIT, s->date);
    printf("copy %.0f GB/s, multiply-adds %.0f GFLOP/s f32, %.0f f64\n\n", s->device.copy_gb_s, s->device.gflops[0],
           s->device.gflops[1]);
    printf("%-10s %-10s %-10s %4s %9s %-7s %-7s %11s %10s %6s %6s %9s %9s\n", "function", "method", "type", "n", "batch", "input",
           "work", "us", "ns/matrix", "copy", "fma", "memory/R", "err/bound");
}

/* Bytes that take a device so long that launching a kernel does not count. */
static const double FULL = 1 << 26;

/* What a row is worth: its shares of what the device can do, and the goal that it is held to. */
typedef struct worth {
    double peak, copy_share, fma_share, memory; /* memory: beyond the arguments, over R */
    bool kept;                                  /* the contract of so.h */
    char goal[96];                              /* empty: none */
    bool met;
} worth;

static void add_goal(worth *w, const char *what, double value, bool met)
{
    const size_t length = strlen(w->goal);
    snprintf(w->goal + length, sizeof w->goal - length, "%s%s %g", length ? " and " : "", what, value);
    w->met = w->met && met;
}

/* The goals of bench/results/nvidia-h200, in f32 by the method that users get. */
static void set_goals(const sweep *s, const row *r, worth *w)
{
    const bool ours = strcmp(r->dtype, "f32") == 0 && strcmp(r->method, "auto") == 0, orders = strcmp(r->function, "exp") == 0;
    w->met = true;
    if (!ours)
        return;
    if (r->goal_us > 0)
        add_goal(w, "us <=", r->goal_us, r->times.median_us <= r->goal_us);
    if (orders && r->n <= 16 && (s->tiny || r->bytes >= FULL))
        add_goal(w, "copy_share >=", 0.6, w->copy_share >= 0.6);
    if (orders && r->n > 16 && r->n <= 64)
        add_goal(w, "fma_share >=", 0.4, w->fma_share >= 0.4);
    add_goal(w, "workspace_over_r <=", 1, w->memory <= 1);
}

static void print_row(const sweep *s, const row *r, const worth *w)
{
    printf("%-10s %-10s %-10s %4d %9lld %-7s %-7s %11.2f %10.3f %5.1f%% %5.1f%% %9.3f", r->function, r->method, r->dtype, r->n,
           (long long)r->batch, r->input, r->work, r->times.median_us, 1e3 * r->times.median_us / (double)r->batch,
           100 * w->copy_share, 100 * w->fma_share, w->memory);
    if (r->judged.checked)
        printf(" %9.2f", r->judged.error / r->judged.error_bound);
    else
        printf(" %9s", "-");
    if (!w->met && !s->tiny)
        printf("  MISSES %s", w->goal);
    printf("%s%s\n", w->kept ? "" : "  BREAKS THE CONTRACT", r->elsewhere == row::OTHER_BITS ? ": OTHER BITS IN ANOTHER PLACE" : "");
    fflush(stdout);
}

static void write_row(const sweep *s, const row *r, const worth *w)
{
    const bool counted = r->flops > 0, checked = r->judged.checked > 0;
    const double roof = fmax(w->copy_share, counted ? w->fma_share : 0);
    fprintf(s->csv, "%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%d,%lld,%s,%s,%d,%d,%d", s->date, s->device.name, s->driver,
            s->device.driver, s->device.runtime, COMMIT, s->command, r->function, r->method, r->dtype, r->n, (long long)r->batch,
            r->input, r->work, r->times.warmup, r->times.calls, r->times.repetitions);
    double values[] = {r->times.median_us, r->times.min_us, 1e3 * r->times.median_us / (double)r->batch, r->bytes, r->flops,
                       s->device.copy_gb_s, w->peak, w->copy_share, counted ? w->fma_share : NAN, roof, (double)r->workspace,
                       w->memory, (double)r->judged.checked, checked ? r->judged.rho : NAN, checked ? r->judged.error : NAN,
                       checked ? r->judged.error_bound : NAN, checked ? r->judged.orthogonality : NAN,
                       checked ? r->judged.orthogonality_bound : NAN};
    rows_csv_numbers(s->csv, values, sizeof values / sizeof *values);
    fprintf(s->csv, ",%s,%d,%s,%s\n", r->elsewhere == row::NOT_TRIED ? "" : r->elsewhere == row::SAME_BITS ? "1" : "0", w->kept,
            w->goal, w->goal[0] ? w->met ? "1" : "0" : "");
    fflush(s->csv);
}

void finish_row(sweep *s, const row *r)
{
    worth w = {};
    w.peak = s->device.gflops[r->computed];
    w.copy_share = 1e-3 * r->bytes / r->times.median_us / s->device.copy_gb_s;
    w.fma_share = 1e-3 * r->flops / r->times.median_us / w.peak;
    w.memory = (double)r->workspace / (double)r->result_bytes;
    w.kept = r->elsewhere != row::OTHER_BITS && sweep_row_keeps_contract(&r->judged, r->n);
    set_goals(s, r, &w);
    s->failed += !w.kept;
    print_row(s, r, &w);
    if (s->csv)
        write_row(s, r, &w);
}

void no_rows(sweep *s, const row *r, so_method method, so_status status)
{
    if (status == SO_EMETHOD && of_nvidia(method)) {
        printf("%-10s %-10s left out: its library, cuBLAS or cuSOLVER of CUDA 13, is not installed\n", r->function, r->method);
        s->not_installed[method] = true;
        fflush(stdout);
        return;
    }
    printf("%-10s %-10s %-10s %4d %9lld refused: %s\n", r->function, r->method, r->dtype, r->n, (long long)r->batch,
           so_status_string(status));
    fflush(stdout);
    s->failed++;
}

so_status finish(const sweep *s, so_status status)
{
    GPU(cudaDeviceSynchronize());
    const so_status met = so_ctx_status(s->ctx);
    return status != SO_OK ? status : met;
}

/* ---- Memory ---- */

arrays new_arrays(int copies, size_t bytes, const void *from)
{
    arrays a = {NULL, (bytes + 255) / 256 * 256, copies};
    GPU(cudaMalloc((void **)&a.memory, a.bytes * (size_t)copies));
    for (int k = 0; from && k < copies; k++)
        GPU(cudaMemcpy(a.memory + a.bytes * (size_t)k, from, bytes, cudaMemcpyHostToDevice));
    return a;
}

void free_arrays(arrays *a)
{
    GPU(cudaFree(a->memory));
}

void *array_of(const arrays *a, long k)
{
    return a->memory + a->bytes * (size_t)(k % a->copies);
}

void read_array(void *to, const void *from, size_t bytes)
{
    GPU(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost));
}

int copies_for(const sweep *s, size_t bytes)
{
    return s->tiny ? 2 : (int)(2 * s->device.cache_bytes / bytes) + 2;
}

void fresh_context(sweep *s, const precision *p)
{
    so_ctx_destroy(s->ctx);
    so_status status = so_ctx_create_cuda(&s->ctx, 0, NULL);
    if (status == SO_OK && p->stored != p->computed)
        status = so_ctx_set_f64_inside(s->ctx, 1);
    if (status == SO_OK)
        return;
    fprintf(stderr, "gpu_sweep: so_ctx_create_cuda: %s\n", so_status_string(status));
    exit(EXIT_FAILURE);
}
