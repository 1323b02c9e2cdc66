/* gpu_sweep.cu: speed, error and extra memory of libso on a CUDA device, a row per case, with the shares of what the device can do.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device.h"
#include "encodings.h"

extern "C" {
#include "bench/judge.h"
#include "bench/options.h"
#include "bench/rows.h"
#include "nominal.h"
}
#include "libso/so_cuda.h"

#ifndef COMMIT
#define COMMIT "unknown"
#endif

enum { MOST = 16, CHECKED = 16 /* matrices of a row at least, if there are so many */ };
static const char *const input_name[] = {"wigner", "pencil"};
enum { INPUTS = 2 };

static option table[] = {
    {"csv", "FILE", NULL, "append the rows to FILE", false, NULL},
    {"methods", "LIST", "auto,polynomial,pade,eigen,cayley", "methods of so.h; pade and eigen at the first batch alone", false, NULL},
    {"dtypes", "LIST", "f32,f64", "real types", false, NULL},
    {"n", "LIST", "2,3,4,8,16,32,64,128", "orders", false, NULL},
    {"input", "LIST", "wigner,pencil", "wigner: Gaussian entries of variance 1/n; pencil: LieRE at initialisation", false, NULL},
    {"batch", "LIST", "9216,0", "matrices; 0: as many as make 128 MiB", false, NULL},
    {"seconds", "X", "0.1", "that a row may take, beyond three timings", false, NULL},
    {"repetitions", "K", "50", "timings of a row at most", false, NULL},
    {"no-encode", NULL, NULL, "without the positional encodings", false, NULL},
    {"driver", "TEXT", "unknown", "version of the driver, for the rows: nvidia-smi tells it", false, NULL},
    {"probe", NULL, NULL, "only says what device 0 is and which methods work on it", false, NULL},
    {"tiny", NULL, NULL, "a few matrices everywhere: tries the program, measures nothing", false, NULL},
    {NULL, NULL, NULL, NULL, false, NULL},
};

static const char *text(const char *name)
{
    return options_find(table, name)->text;
}

typedef struct sweep {
    gpu device;
    FILE *csv;
    so_ctx *ctx;
    const char *command;
    char date[32];
    int methods[SWEEP_METHODS], method_count, reals[SWEEP_REALS], real_count, n[MOST], n_count, inputs[INPUTS], input_count;
    int batches[MOST], batch_count, repetitions, failed;
    bool not_installed[SWEEP_METHODS];
    double seconds;
    bool tiny;
} sweep;

/* ---- rows ---- */

typedef struct row {
    const char *function, *method, *real, *input, *work;
    int n;
    int64_t batch;
    gpu_times times;
    double bytes, flops; /* of a call: read and written once; of the algorithm (nominal.h), 0 if it has no count */
    size_t workspace, result_bytes;
    sweep_row judged; /* checked, rho, errors; checked = 0: not compared */
    bool differs;     /* bits depend on the place in the batch */
} row;

static const char csv_head[] = "date,device,driver,driver_cuda,runtime_cuda,commit,command,function,method,dtype,n,batch,"
                               "input,work,warmup,calls,repetitions,median_us,min_us,ns_per_matrix,bytes,flops,copy_gb_s,"
                               "peak_gflops,copy_share,fma_share,roofline_share,workspace_bytes,workspace_over_r,checked,rho,"
                               "error_u,error_bound_u,orthogonality_u,orthogonality_bound_u\n";

static void print_head(const sweep *s)
{
    printf("%s, driver %s for CUDA %s, runtime %s, commit %s, %s\n", s->device.name, text("driver"), s->device.driver,
           s->device.runtime, COMMIT, s->date);
    printf("copy %.0f GB/s, multiply-adds %.0f GFLOP/s f32, %.0f f64\n\n", s->device.copy_gb_s, s->device.gflops[0],
           s->device.gflops[1]);
    printf("%-10s %-10s %s %4s %9s %-7s %-7s %11s %10s %6s %6s %9s %9s\n", "function", "method", "type", "n", "batch", "input", "work",
           "us", "ns/matrix", "copy", "fma", "memory/R", "err/bound");
}

static void print_row(const sweep *s, const row *r, double peak, double copy_share, double fma_share, bool kept)
{
    double us = r->times.median_us, over = (double)r->workspace / (double)r->result_bytes;
    double roof = fmax(copy_share, r->flops > 0 ? fma_share : 0), error = r->judged.error / r->judged.error_bound;
    printf("%-10s %-10s %s  %4d %9lld %-7s %-7s %11.2f %10.3f %5.1f%% %5.1f%% %9.3f", r->function, r->method, r->real, r->n,
           (long long)r->batch, r->input, r->work, us, 1e3 * us / (double)r->batch, 100 * copy_share, 100 * fma_share, over);
    if (r->judged.checked)
        printf(" %9.2f", error);
    else
        printf(" %9s", "-");
    printf("%s\n", kept ? "" : "  BREAKS THE CONTRACT");
    fflush(stdout);
    if (!s->csv)
        return;
    fprintf(s->csv, "%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%d,%lld,%s,%s,%d,%d,%d", s->date, s->device.name, text("driver"),
            s->device.driver, s->device.runtime, COMMIT, s->command, r->function, r->method, r->real, r->n, (long long)r->batch,
            r->input, r->work, r->times.warmup, r->times.calls, r->times.repetitions);
    bool checked = r->judged.checked > 0;
    double values[] = {us, r->times.min_us, 1e3 * us / (double)r->batch, r->bytes, r->flops, s->device.copy_gb_s, peak, copy_share,
                       r->flops > 0 ? fma_share : NAN, roof, (double)r->workspace, over, (double)r->judged.checked,
                       checked ? r->judged.rho : NAN, checked ? r->judged.error : NAN, checked ? r->judged.error_bound : NAN,
                       checked ? r->judged.orthogonality : NAN, checked ? r->judged.orthogonality_bound : NAN};
    rows_csv_numbers(s->csv, values, sizeof values / sizeof *values);
    fputc('\n', s->csv);
    fflush(s->csv);
}

/* real: of the arithmetic */
static void finish_row(sweep *s, sweep_real real, const row *r)
{
    double us = r->times.median_us, peak = s->device.gflops[real];
    bool kept = !r->differs && sweep_row_keeps_contract(&r->judged, r->n);
    s->failed += !kept;
    print_row(s, r, peak, 1e-3 * r->bytes / us / s->device.copy_gb_s, 1e-3 * r->flops / us / peak, kept);
}

/* Of a library that a machine need not have: no failure, and said once. */
static void not_installed(sweep *s, so_method method)
{
    printf("%-10s %-10s left out: its library, cuBLAS or cuSOLVER of CUDA 13, is not installed\n", "exp",
           sweep_method_name[method]);
    s->not_installed[method] = true;
}

static void refused(sweep *s, const char *function, const char *method, const char *real, int n, int64_t batch, so_status status)
{
    printf("%-10s %-10s %s  %4d %9lld refused: %s\n", function, method, real, n, (long long)batch, so_status_string(status));
    s->failed++;
}

/* ---- memory ---- */

/* `copies` arrays of `bytes` on the device, one after the other; the first, or all, as on the host. */
typedef struct arrays {
    char *memory;
    size_t bytes;
    int copies;
} arrays;

static arrays new_arrays(int copies, size_t bytes, const void *from)
{
    arrays a = {NULL, (bytes + 255) / 256 * 256, copies};
    GPU(cudaMalloc((void **)&a.memory, a.bytes * (size_t)copies));
    for (int k = 0; from && k < copies; k++)
        GPU(cudaMemcpy(a.memory + a.bytes * (size_t)k, from, bytes, cudaMemcpyHostToDevice));
    return a;
}

static void *array_of(const arrays *a, long k)
{
    return a->memory + a->bytes * (size_t)(k % a->copies);
}

/* So many that what a call touches has left the cache when its turn comes again. */
static int copies_for(const sweep *s, size_t bytes)
{
    return s->tiny ? 2 : (int)(2 * s->device.cache_bytes / bytes) + 2;
}

/* A context per case: its workspace only grows. */
static void fresh_context(sweep *s)
{
    so_ctx_destroy(s->ctx);
    so_status status = so_ctx_create_cuda(&s->ctx, 0, NULL);
    if (status == SO_OK)
        return;
    fprintf(stderr, "gpu_sweep: so_ctx_create_cuda: %s\n", so_status_string(status));
    exit(EXIT_FAILURE);
}

/* ---- exponentials ---- */

typedef struct exponentials {
    so_ctx *ctx;
    so_method method;
    sweep_real real;
    int n, work;
    int64_t batch;
    arrays A, G, R, D;
    so_status status;
} exponentials;

static void exponential(void *data, long k)
{
    exponentials *e = (exponentials *)data;
    void *A = array_of(&e->A, k), *G = array_of(&e->G, k), *R = array_of(&e->R, k), *D = array_of(&e->D, k);
    so_status status = SO_OK;
    if (e->work != VJP)
        status = e->real == SWEEP_F32 ? so_exp_f32(e->ctx, e->method, e->n, e->batch, (float *)A, (float *)R)
                                      : so_exp_f64(e->ctx, e->method, e->n, e->batch, (double *)A, (double *)R);
    if (e->work != FORWARD && status == SO_OK)
        status = e->real == SWEEP_F32
                     ? so_exp_vjp_f32(e->ctx, e->method, e->n, e->batch, (float *)A, (float *)R, (float *)G, (float *)D)
                     : so_exp_vjp_f64(e->ctx, e->method, e->n, e->batch, (double *)A, (double *)R, (double *)G, (double *)D);
    if (e->status == SO_OK)
        e->status = status;
}

static void measure_method(sweep *s, const sweep_input *in, const judge *references, const char *input, const double *rho,
                           so_method method)
{
    size_t size = (size_t)in->batch * (size_t)(in->n * in->n) * sweep_real_bytes(in->real);
    int copies = copies_for(s, 2 * size);
    fresh_context(s);
    exponentials e = {s->ctx, method, in->real, in->n, 0, in->batch, new_arrays(copies, size, in->A), new_arrays(copies, size, in->G),
                      new_arrays(copies, size, NULL), new_arrays(copies, size, NULL), SO_OK};
    void *host = malloc(size);
    const char *name = sweep_method_name[method], *real = sweep_real_name[in->real];
    for (int k = 0; k < copies && e.status == SO_OK; k++) /* rotations for the gradients that are timed alone */
        exponential(&e, k);
    for (e.work = FORWARD; e.work < WORKS && e.status == SO_OK && host; e.work++) {
        row r = {"exp", name, real, input, work_name[e.work], in->n, in->batch, {}, 0, 0, 0, size, {}, false};
        r.times = gpu_time(exponential, &e, s->repetitions, s->seconds);
        GPU(cudaDeviceSynchronize());
        so_status met = so_ctx_status(s->ctx);
        if (e.status != SO_OK || met != SO_OK) {
            e.status = e.status != SO_OK ? e.status : met;
            break;
        }
        r.workspace = so_workspace_bytes(s->ctx);
        r.bytes = (double)size * (e.work == FORWARD ? 2 : e.work == VJP ? 4 : 6);
        r.flops = nominal_exp(in->real, method, in->n, rho, e.work) * (double)in->batch;
        r.judged.method = method;
        r.judged.direction = e.work == FORWARD ? SWEEP_FORWARD : SWEEP_VJP;
        if (e.work != BOTH) {
            GPU(cudaMemcpy(host, e.work == FORWARD ? e.R.memory : e.D.memory, size, cudaMemcpyDeviceToHost));
            judge_row(references, host, e.work == VJP ? host : NULL, &r.judged);
        }
        finish_row(s, nominal_real(in->real, method, in->n), &r);
    }
    if (e.status == SO_EMETHOD)
        not_installed(s, method);
    else if (e.status != SO_OK || !host)
        refused(s, "exp", name, real, in->n, in->batch, host ? e.status : SO_ENOMEM);
    free(host);
    GPU(cudaFree(e.A.memory));
    GPU(cudaFree(e.G.memory));
    GPU(cudaFree(e.R.memory));
    GPU(cudaFree(e.D.memory));
}

static bool of_nvidia(so_method method)
{
    return method == SO_PADE || method == SO_EIGEN;
}

/* batch: an index of s->batches. */
static bool measured(const sweep *s, so_method method, int batch)
{
    return !s->not_installed[method] && (batch == 0 || !of_nvidia(method));
}

static void measure_orders(sweep *s)
{
    for (int i = 0; i < s->real_count; i++)
        for (int j = 0; j < s->n_count; j++)
            for (int k = 0; k < s->input_count; k++)
                for (int b = 0; b < s->batch_count; b++) {
                    sweep_real real = (sweep_real)s->reals[i];
                    int64_t fill = ((int64_t)128 << 20) / (s->n[j] * s->n[j] * (int64_t)sweep_real_bytes(real));
                    int64_t batch = s->tiny ? 2 : s->batches[b] ? s->batches[b] : fill;
                    const char *input = input_name[s->inputs[k]];
                    if (b > 0 && batch <= s->batches[0])
                        continue;
                    sweep_input in = sweep_input_make(real, s->n[j], batch, DRAWS, input, 1);
                    judge *references = judge_create(&in, CHECKED);
                    double rho[DRAWS];
                    nominal_angles(s->n[j], input, rho);
                    for (int m = 0; m < s->method_count; m++)
                        if (measured(s, (so_method)s->methods[m], b))
                            measure_method(s, &in, references, input, rho, (so_method)s->methods[m]);
                    judge_free(references);
                    sweep_input_free(&in);
                }
}

/* ---- positional encodings ---- */

typedef struct encodings {
    so_ctx *ctx;
    so_encoding e;
    int work;
    arrays position, generator, R, G, dgenerator, dposition;
    so_status status;
} encodings;

static void encode(void *data, long k)
{
    encodings *e = (encodings *)data;
    const float *p = (float *)array_of(&e->position, k), *g = (float *)array_of(&e->generator, k);
    float *R = (float *)array_of(&e->R, k);
    so_status status = SO_OK;
    if (e->work != VJP)
        status = so_encode_f32(e->ctx, &e->e, p, g, R);
    if (e->work != FORWARD && status == SO_OK)
        status = so_encode_vjp_f32(e->ctx, &e->e, p, g, R, (float *)array_of(&e->G, k), (float *)array_of(&e->dgenerator, k),
                                   (float *)array_of(&e->dposition, k));
    if (e->status == SO_OK)
        e->status = status;
}

static void draw_encoding(const so_encoding *e, float *position, float *generator, float *G)
{
    for (int64_t t = 0; t < e->tokens; t++)
        for (int d = 0; d < e->dims; d++)
            position[t * e->dims + d] = (float)encoding_position(e, t, d);
    srand48(1);
    int64_t square = (int64_t)e->tile * e->tile;
    for (int64_t i = 0; i < e->groups * e->dims * square; i++)
        generator[i] = (float)(2 * M_PI * drand48());
    for (int64_t i = 0; i < e->groups * e->tokens * square; i++)
        G[i] = (float)(drand48() - 0.5);
}

/* Whether the last group, the farthest from the first, has other bits than it has alone, of R after a map, of dgenerator
 * after a gradient: so.h promises the same. */
static bool place_matters(const encodings *x)
{
    const so_encoding one = {x->e.method, x->e.dims, x->e.tile, 1, x->e.tokens};
    const size_t square = (size_t)(one.tile * one.tile), last = (size_t)x->e.groups - 1;
    const size_t rotations = (size_t)one.tokens * square, generators = (size_t)one.dims * square;
    const bool map = x->work == FORWARD;
    const size_t count = map ? rotations : generators, bytes = count * sizeof(float);
    const float *position = (float *)x->position.memory, *generator = (float *)x->generator.memory + last * generators;
    float *R = (float *)x->R.memory + last * rotations, *G = (float *)x->G.memory + last * rotations;
    const float *among = (float *)(map ? x->R : x->dgenerator).memory + last * count;
    arrays alone = new_arrays(1, bytes, NULL);
    so_status status = map ? so_encode_f32(x->ctx, &one, position, generator, (float *)alone.memory)
                           : so_encode_vjp_f32(x->ctx, &one, position, generator, R, G, (float *)alone.memory, NULL);
    float *a = (float *)sweep_allocate((int64_t)count, sizeof *a), *b = (float *)sweep_allocate((int64_t)count, sizeof *b);
    GPU(cudaMemcpy(a, alone.memory, bytes, cudaMemcpyDeviceToHost));
    GPU(cudaMemcpy(b, among, bytes, cudaMemcpyDeviceToHost));
    const bool same = status == SO_OK && so_ctx_status(x->ctx) == SO_OK && memcmp(a, b, bytes) == 0;
    free(a), free(b);
    GPU(cudaFree(alone.memory));
    return !same;
}

static void measure_encoding(sweep *s, const encoding_case *c)
{
    double flops[WORKS];
    so_encoding e = c->e;
    if (s->tiny) {
        e.tile = e.tile < 8 ? e.tile : 8;
        e.groups = 2;
        e.tokens = 3;
    }
    size_t square = (size_t)(e.tile * e.tile), all = (size_t)(e.groups * e.tokens) * square * sizeof(float);
    size_t position_bytes = (size_t)(e.tokens * e.dims) * sizeof(float), generator_bytes = (size_t)(e.groups * e.dims) * square * sizeof(float);
    float *position = (float *)malloc(position_bytes), *generator = (float *)malloc(generator_bytes), *G = (float *)malloc(all);
    if (!position || !generator || !G)
        options_refuse("out of memory");
    double *rho = (double *)sweep_allocate(e.tokens, sizeof *rho);
    nominal_token_angles(&e, rho);
    nominal_encode(SWEEP_F32, &e, rho, flops);
    free(rho);
    draw_encoding(&e, position, generator, G);
    int copies = copies_for(s, all);
    fresh_context(s);
    encodings x = {s->ctx, e, 0, new_arrays(copies, position_bytes, position), new_arrays(copies, generator_bytes, generator),
                   new_arrays(copies, all, NULL), new_arrays(copies, all, G), new_arrays(copies, generator_bytes, NULL),
                   new_arrays(copies, position_bytes, NULL), SO_OK};
    for (int k = 0; k < copies && x.status == SO_OK; k++)
        encode(&x, k);
    for (x.work = FORWARD; x.work < WORKS && x.status == SO_OK; x.work++) {
        row r = {"encode", "auto", "f32", c->name, work_name[x.work], e.tile, e.groups * e.tokens, {}, 0, flops[x.work], 0, all, {}, false};
        r.times = gpu_time(encode, &x, s->repetitions, s->seconds);
        GPU(cudaDeviceSynchronize());
        so_status met = so_ctx_status(s->ctx);
        if (x.status != SO_OK || met != SO_OK) {
            x.status = x.status != SO_OK ? x.status : met;
            break;
        }
        r.workspace = so_workspace_bytes(s->ctx);
        r.bytes = (double)all * (x.work == FORWARD ? 1 : x.work == VJP ? 2 : 3);
        r.bytes += (double)(position_bytes + generator_bytes) * (x.work == FORWARD ? 1 : x.work == VJP ? 2 : 3);
        r.differs = x.work != BOTH && place_matters(&x);
        finish_row(s, nominal_real(SWEEP_F32, e.method, e.tile), &r);
    }
    if (x.status != SO_OK)
        refused(s, "encode", "auto", "f32", e.tile, e.groups * e.tokens, x.status);
    free(position), free(generator), free(G);
    const arrays *all_arrays[] = {&x.position, &x.generator, &x.R, &x.G, &x.dgenerator, &x.dposition};
    for (const arrays *a : all_arrays)
        GPU(cudaFree(a->memory));
}

/* ---- what is there ---- */

static so_status try_method(so_method method)
{
    enum { N = 5 };
    sweep s = {};
    float ones[N * N];
    for (int e = 0; e < N * N; e++)
        ones[e] = 1;
    fresh_context(&s);
    arrays A = new_arrays(1, sizeof ones, ones);
    so_status status = so_exp_f32(s.ctx, method, N, 1, (float *)A.memory, (float *)A.memory);
    cudaError_t error = cudaDeviceSynchronize();
    if (status == SO_OK)
        status = error == cudaSuccess ? so_ctx_status(s.ctx) : SO_EDEVICE;
    so_ctx_destroy(s.ctx);
    cudaFree(A.memory);
    return status;
}

static void print_methods(const char *what, so_status wanted, const so_status *status)
{
    int count = 0;
    for (int m = 0; m < SWEEP_METHODS; m++)
        if (status[m] == wanted)
            printf("%s%s", count++ ? "," : what, sweep_method_name[m]);
    printf("%s", count ? "\n" : "");
}

/* Lines that tests/gpu/run reads. The exit status: 2 if one of our own methods fails; those of NVIDIA's libraries, tried last since
 * an error can spoil what follows, stop nothing else. */
static int probe(void)
{
    static const so_method order[SWEEP_METHODS] = {SO_AUTO, SO_POLYNOMIAL, SO_CAYLEY, SO_PADE, SO_EIGEN};
    so_status status[SWEEP_METHODS];
    gpu g = gpu_find();
    printf("device: %s\ndriver: for CUDA %s, needed %s\n", g.name, g.driver, g.runtime);
    for (so_method m : order) {
        status[m] = try_method(m);
        if (status[m] == SO_OK || status[m] == SO_EMETHOD)
            continue;
        printf("failed: %s: %s\n", sweep_method_name[m], so_status_string(status[m]));
        if (!of_nvidia(m))
            return 2;
    }
    print_methods("methods: ", SO_OK, status);
    print_methods("left out, for want of cuBLAS and cuSOLVER of CUDA 13: ", SO_EMETHOD, status);
    return EXIT_SUCCESS;
}

/* ---- the program ---- */

static sweep read_options(int argc, char **argv)
{
    static char command[1024];
    sweep s = {};
    options_parse(table, argc, argv, "Speed, error and extra memory of libso on CUDA device 0.",
                  "Exit status: 0, 1 if a row breaks the contract of so.h or was refused, 2 for wrong use or no usable device.");
    for (int i = 0; i < argc; i++)
        snprintf(command + strlen(command), sizeof command - strlen(command), "%s%s", i ? " " : "", argv[i]);
    for (char *comma = command; (comma = strchr(comma, ',')) != NULL;)
        *comma = ';'; /* a field of CSV */
    s.command = command;
    s.tiny = options_find(table, "tiny")->given;
    s.method_count = options_choices("methods", text("methods"), sweep_method_name, SWEEP_METHODS, s.methods);
    s.real_count = options_choices("dtypes", text("dtypes"), sweep_real_name, SWEEP_REALS, s.reals);
    s.n_count = options_integers("n", text("n"), 1, 1024, s.n, MOST);
    s.input_count = options_choices("input", text("input"), input_name, INPUTS, s.inputs);
    s.batch_count = s.tiny ? 1 : options_integers("batch", text("batch"), 0, 1 << 30, s.batches, MOST);
    s.seconds = options_number("seconds", text("seconds"), 0, 1e6);
    s.repetitions = (int)options_integer("repetitions", text("repetitions"), 3, 1000);
    time_t now = time(NULL);
    strftime(s.date, sizeof s.date, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    return s;
}

int main(int argc, char **argv)
{
    sweep s = read_options(argc, argv);
    if (options_find(table, "probe")->given)
        return probe();
    if (text("csv") && !(s.csv = fopen(text("csv"), "a")))
        options_refuse("--csv: %s: %s", text("csv"), strerror(errno));
    s.device = gpu_open(s.tiny ? 1 << 14 : (size_t)1 << 30);
    if (s.csv && ftell(s.csv) == 0)
        fputs(csv_head, s.csv);
    print_head(&s);
    for (int k = 0; k < ENCODINGS && !options_find(table, "no-encode")->given; k++)
        measure_encoding(&s, &encoding_cases[k]);
    measure_orders(&s);
    so_ctx_destroy(s.ctx);
    if (s.csv && fclose(s.csv) != 0)
        options_refuse("--csv: %s: %s", text("csv"), strerror(errno));
    return s.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
