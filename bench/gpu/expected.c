/* expected.c: what kernels/so can reach at most on a device of which only the data sheet is known, as a page of Markdown: the roofline
 * (roofline.h) from the bytes that a call reads and writes once and the nominal counts of flops.c. Measures nothing.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/judge.h"
#include "bench/options.h"

enum { DRAWS = 64, FORWARD = SWEEP_FORWARD, VJP = SWEEP_VJP, BOTH, WORKS };
static const int orders[] = {2, 3, 4, 8, 16, 32, 64, 128};
enum { ORDERS = sizeof orders / sizeof *orders };
static const char *const inputs[] = {"wigner", "pencil"};
static const char *const work_name[WORKS] = {"forward", "vjp", "both"};

static option table[] = {
    {"device", "TEXT", "H200", "its name", false, NULL},
    {"memory", "GB/S", "4800", "bandwidth", false, NULL},
    {"f32", "GFLOP/S", "66900", "multiply-adds, two operations each", false, NULL},
    {"f64", "GFLOP/S", "33500", "the same", false, NULL},
    {NULL, NULL, NULL, NULL, false, NULL},
};

typedef struct device {
    double memory, peak[SWEEP_REALS]; /* in 1e9 */
} device;

/* ns for `bytes` and `flops`. */
static double bound(const device *d, sweep_real real, double bytes, double flops)
{
    return fmax(bytes / d->memory, flops / d->peak[real]);
}

static void print_bound(const device *d, sweep_real real, double bytes, double flops)
{
    bool memory = bytes / d->memory >= flops / d->peak[real];
    printf(" %.4g | %.4g | %.3g | %s |", bytes, flops, bound(d, real, bytes, flops), memory ? "memory" : "arithmetic");
}

/* ---- The exponential ---------------------------------------------------------------------------------------------------------- */

/* Read and written once: A, R; A, R, dR, dA. */
static double exp_bytes(sweep_real real, int n, int work)
{
    return (double)sweep_real_bytes(real) * n * n * (work == FORWARD ? 2 : work == VJP ? 4 : 6);
}

/* Closed forms: some hundred operations, which no count covers and memory outlasts (closed_form.cu). */
static double exp_flops(const judge *j, so_method method, int n, int work)
{
    if (n <= 4 && method == SO_AUTO)
        return 0;
    method = method == SO_AUTO ? SO_POLYNOMIAL : method; /* so_cuda.h */
    return (work == VJP ? 0 : judge_flops(j, method, SWEEP_FORWARD)) + (work == FORWARD ? 0 : judge_flops(j, method, SWEEP_VJP));
}

/* PyTorch's exponential makes 55 to 75 passes over arrays of n x n numbers and 3 more for a squaring; its gradient as many over
 * arrays of 2n x 2n (counted in LinearAlgebra.cpp of aten, 2026). At least so many ns, were all of them at the full bandwidth. */
static double torch_bound(const device *d, sweep_real real, int n, int work)
{
    double pass = (double)sweep_real_bytes(real) * n * n / d->memory;
    return 55 * pass * (work == FORWARD ? 1 : work == VJP ? 4 : 5);
}

static void print_exponentials(const device *d, so_method method)
{
    printf("| n | type | input | rho | work | bytes | flops | ns at least | bound by |%s\n", method == SO_AUTO ? " PyTorch ns at least |" : "");
    printf("|---|---|---|---|---|---|---|---|---|%s\n", method == SO_AUTO ? "---|" : "");
    for (int o = 0; o < ORDERS; o++)
        for (int real = 0; real < SWEEP_REALS; real++)
            for (int k = 0; k < (method == SO_AUTO ? 2 : 1); k++) {
                int n = orders[o];
                sweep_input in = sweep_input_make((sweep_real)real, n, DRAWS, DRAWS, inputs[k], 1);
                judge *j = judge_create(&in);
                sweep_row row = {.method = method};
                judge_row(j, in.A, NULL, &row);
                for (int work = 0; work < WORKS; work++) {
                    printf("| %d | %s | %s | %.3g | %s |", n, sweep_real_name[real], inputs[k], row.rho, work_name[work]);
                    print_bound(d, (sweep_real)real, exp_bytes((sweep_real)real, n, work), exp_flops(j, method, n, work));
                    if (method == SO_AUTO)
                        printf(" %.3g |", torch_bound(d, (sweep_real)real, n, work));
                    printf("\n");
                }
                judge_free(j);
                sweep_input_free(&in);
            }
    printf("\n");
}

/* ---- Positional encodings, f32: the cases of gpu_sweep ---------------------------------------------------------------------------- */

static void print_encodings(const device *d)
{
    static const struct {
        const char *name;
        int dims, tile;
        double groups, tokens;
    } cases[] = {{"CIFAR, LieRE-64", 2, 64, 144, 65}, {"CIFAR, LieRE-8", 2, 8, 1152, 65}, {"CIFAR, RoPE-Mixed", 2, 2, 4608, 65},
                 {"UCF101, LieRE-64", 3, 64, 144, 785}};
    printf("| network | tile | matrices | work | bytes | flops | us at least | bound by |\n|---|---|---|---|---|---|---|---|\n");
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        int n = cases[c].tile;
        double matrices = cases[c].groups * cases[c].tokens, all = matrices * n * n * 4;
        sweep_input in = sweep_input_make(SWEEP_F32, n, DRAWS, DRAWS, "pencil", 1);
        judge *j = judge_create(&in);
        double given = 4 * cases[c].dims * (cases[c].groups * n * n + cases[c].tokens), generators = 4 * cases[c].dims * cases[c].groups * n * n;
        for (int work = 0; work < WORKS; work++) {
            double forward = given + all, vjp = given + 2 * all + generators;
            double bytes = (work == VJP ? 0 : forward) + (work == FORWARD ? 0 : vjp);
            double flops = matrices * exp_flops(j, SO_AUTO, n, work);
            printf("| %s | %d | %.0f | %s | %.4g | %.4g | %.3g | %s |\n", cases[c].name, n, matrices, work_name[work], bytes, flops,
                   1e-3 * bound(d, SWEEP_F32, bytes, flops), bytes / d->memory >= flops / d->peak[SWEEP_F32] ? "memory" : "arithmetic");
        }
        judge_free(j);
        sweep_input_free(&in);
    }
    printf("\n");
}
/* ---- The others ----------------------------------------------------------------------------------------------------------------- */

/* Of a matrix of order 64: arrays of n x n numbers that pass through memory, and operations in n^3. Where maps iterate, the counts
 * are those of ordinary input: three steps to the nearest orthogonal matrix (4 n^3 each), ten sweeps of Jacobi's rotations (9 n^3),
 * eight over planes (10.5 n^3). */
static void print_others(const device *d)
{
    enum { N = 64 };
    static const struct {
        const char *name;
        double arrays, cubes;
        bool f64_inside;
    } maps[] = {
        {"so_pack, so_unpack", 1.5, 0, false},
        {"so_orthogonality", 1, 1, true},
        {"so_project, of what is nearly a rotation", 2, 14, true},
        {"so_project, of any matrix; so_project_vjp (one array more)", 2, 90 + 40, true},
        {"so_log", 2, 84 + 32, true},
        {"so_log_vjp", 4, 84 + 32, true},
        {"so_cayley_inverse", 2, 12 + 8, true},
        {"so_cayley_inverse_vjp", 3, 4, true},
    };
    printf("| function | type | bytes | flops | ns at least | bound by |\n|---|---|---|---|---|---|\n");
    for (size_t m = 0; m < sizeof maps / sizeof *maps; m++)
        for (int real = 0; real < SWEEP_REALS; real++) {
            printf("| %s | %s |", maps[m].name, sweep_real_name[real]);
            print_bound(d, maps[m].f64_inside ? SWEEP_F64 : (sweep_real)real,
                        maps[m].arrays * N * N * (double)sweep_real_bytes((sweep_real)real), maps[m].cubes * N * N * N);
            printf("\n");
        }
    printf("\n");
}

/* 12 heads of one layer, 64 samples, 65 tokens: queries and keys are two such calls. */
static void print_rotations(const device *d)
{
    static const char *const vectors[] = {"bf16", "f32"};
    printf("| tile | vectors | work | bytes | flops | us at least | bound by |\n|---|---|---|---|---|---|---|\n");
    for (int tile = 8; tile <= 64; tile *= 8)
        for (int v = 0; v < 2; v++)
            for (int work = FORWARD; work <= VJP; work++) {
                double numbers = 64.0 * 65 * 768, R = 65.0 * 768 * tile * 4, wide = v ? 4 : 2;
                double bytes = work == FORWARD ? R + 2 * numbers * wide : 3 * R + 3 * numbers * wide;
                double flops = 2 * numbers * tile * (work == FORWARD ? 1 : 2);
                printf("| %d | %s | %s | %.4g | %.4g | %.3g | %s |\n", tile, vectors[v], work_name[work], bytes, flops,
                       1e-3 * bound(d, SWEEP_F32, bytes, flops), bytes / d->memory >= flops / d->peak[SWEEP_F32] ? "memory" : "arithmetic");
            }
    printf("\n");
}

int main(int argc, char **argv)
{
    options_parse(table, argc, argv, "What kernels/so can reach at most on a device of this data sheet, as Markdown.", "Measures nothing.");
    device d = {options_number("memory", options_find(table, "memory")->text, 1, 1e9),
                {options_number("f32", options_find(table, "f32")->text, 1, 1e9), options_number("f64", options_find(table, "f64")->text, 1, 1e9)}};
    printf("# %s: expected, not measured\n\n"
           "**Not yet measured on a GPU. Every figure of this page is an estimate**, made by `build/bench/gpu/expected`: the time that no kernel\n"
           "can be below on a device of %.0f GB/s and %.0f GFLOP/s in f32, %.0f in f64 (data sheet), if it reads and writes its arguments once\n"
           "and does the nominal operations of `bench/flops.c`. `make bench-gpu` measures the device's copies and multiply-adds and gives\n"
           "each row its share of them.\n\n", options_find(table, "device")->text, d.memory, d.peak[SWEEP_F32], d.peak[SWEEP_F64]);
    printf("## so_exp, SO_AUTO, per matrix\n\nInputs as in `bench/README.md`; rho: the largest of those drawn.\n\n");
    print_exponentials(&d, SO_AUTO);
    printf("## so_cayley, per matrix\n\n");
    print_exponentials(&d, SO_CAYLEY);
    printf("## so_encode, f32, per call\n\n");
    print_encodings(&d);
    printf("## so_rotate, per call: 64 samples of 65 tokens, 768 numbers each\n\n");
    print_rotations(&d);
    printf("## The other maps, n = 64, per matrix\n\nAll but `so_pack` compute in f64.\n\n");
    print_others(&d);
    return EXIT_SUCCESS;
}
