/* expected.c: what kernels/so can reach at most on a device of which the data sheet is known, as a page of Markdown: the
 * roofline (roofline.h) of the bytes that a call reads and writes once and the nominal counts of flops.c. Measures nothing.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/measure.h"
#include "bench/options.h"
#include "networks.h"
#include "nominal.h"

static const int orders[] = {2, 3, 4, 8, 16, 32, 64, 128};
enum { ORDERS = sizeof orders / sizeof *orders };
static const char *const inputs[] = {"wigner", "pencil"};

static option table[] = {
    {"device", "TEXT", "H200", "its name", false, NULL},
    {"memory", "GB/S", "4800", "bandwidth", false, NULL},
    {"f32", "GFLOP/S", "67000", "multiply-adds, two operations each", false, NULL},
    {"f64", "GFLOP/S", "34000", "the same", false, NULL},
    {NULL, NULL, NULL, NULL, false, NULL},
};

static double number(const char *name)
{
    return options_number(name, options_find(table, name)->text, 1, 1e9);
}

typedef struct device {
    double memory, peak[SWEEP_REALS]; /* in 1e9 */
} device;

static void print_bound(const device *d, sweep_real real, double bytes, double flops, double unit)
{
    double memory = bytes / d->memory, arithmetic = flops / d->peak[real]; /* ns */
    printf(" %.4g | %.4g | %.3g | %s |", bytes, flops, fmax(memory, arithmetic) / unit, memory >= arithmetic ? "memory" : "arithmetic");
}

/* ---- The exponential ---------------------------------------------------------------------------------------------------- */

/* PyTorch's exponential makes 55 to 75 passes over arrays of n x n numbers and 3 more for a squaring; its gradient as many over
 * arrays of 2n x 2n (counted in LinearAlgebra.cpp of aten, 2026). At least so many ns, were all of them at the full bandwidth. */
static double torch_bound(const device *d, sweep_real real, int n, int work)
{
    double pass = (double)sweep_real_bytes(real) * n * n / d->memory;
    return 55 * pass * (work == FORWARD ? 1 : work == VJP ? 4 : 5);
}

static void print_exponential(const device *d, so_method method, int n, const char *input)
{
    double rho[DRAWS], largest = 0;
    nominal_angles(n, input, rho);
    for (int k = 0; k < DRAWS; k++)
        largest = fmax(largest, rho[k]);
    for (const precision *k = precisions; k < precisions + PRECISIONS; k++) {
        if (of_nvidia(method) && k->stored != k->computed)
            continue;
        for (int work = 0; work < WORKS; work++) {
            printf("| %d | %s | %s | %.3g | %s |", n, k->name, input, largest, work_name[work]);
            print_bound(d, nominal_real(k, method, n), nominal_exp_bytes(k, n, work),
                        nominal_exp(k->computed, method, n, rho, work), 1);
            if (method == SO_AUTO)
                printf(" %.3g |", torch_bound(d, k->stored, n, work));
            printf("\n");
        }
    }
}

static void print_exponentials(const device *d, so_method method)
{
    bool peer = method == SO_AUTO;
    printf("| n | type | input | rho | work | bytes | flops | ns at least | bound by |%s\n", peer ? " PyTorch ns at least |" : "");
    printf("|---|---|---|---|---|---|---|---|---|%s\n", peer ? "---|" : "");
    for (int o = 0; o < ORDERS; o++)
        for (int k = 0; k < (method == SO_CAYLEY || method == SO_EIGEN ? 1 : 2); k++) /* whose operations do not depend on the angles */
            print_exponential(d, method, orders[o], inputs[k]);
    printf("\n");
}

/* ---- Positional encodings ------------------------------------------------------------------------------------------------ */

static void print_encoding(const device *d, const char *name, const so_encoding *e, const double *rho, const precision *k)
{
    double flops[WORKS];
    nominal_encode(k->computed, e, rho, flops);
    for (int work = 0; work < WORKS; work++) {
        printf("| %s | %s | %s | %d | %lld | %s |", name, e->method == SO_CAYLEY ? "cayley" : "auto", k->name, e->tile,
               (long long)(e->groups * e->tokens), work_name[work]);
        print_bound(d, k->computed, nominal_encode_bytes(k, e, work), flops[work], 1e3);
        printf("\n");
    }
}

static void print_encodings(const device *d)
{
    printf("| network | method | type | tile | matrices | work | bytes | flops | us at least | bound by |\n"
           "|---|---|---|---|---|---|---|---|---|---|\n");
    for (int c = 0; c < ENCODINGS; c++) {
        so_encoding e = encoding_cases[c].e;
        double *rho = sweep_allocate(e.tokens, sizeof *rho);
        nominal_token_angles(&e, rho);
        for (int cayley = 0; cayley < 2; cayley++)
            for (const precision *k = precisions; k < precisions + PRECISIONS; k++) {
                e.method = cayley ? SO_CAYLEY : SO_AUTO;
                print_encoding(d, encoding_cases[c].name, &e, rho, k);
            }
        free(rho);
    }
    printf("\n");
}

static void print_rotations(const device *d)
{
    static const struct {
        const char *name;
        size_t bytes;
        sweep_real R;
    } vectors[] = {{"bf16", 2, SWEEP_F32}, {"f32", 4, SWEEP_F32}, {"f64", 8, SWEEP_F64}};
    printf("| tile | vectors | work | bytes | flops | us at least | bound by |\n|---|---|---|---|---|---|---|\n");
    for (int t = 0; t < ROTATIONS; t++)
        for (size_t v = 0; v < sizeof vectors / sizeof *vectors; v++)
            for (int work = FORWARD; work <= VJP; work++) {
                double bytes, flops;
                const so_rotation r = rotation_case(rotation_tiles[t], ROTATION_SAMPLES, ROTATION_TOKENS);
                nominal_rotate(&r, vectors[v].bytes, sweep_real_bytes(vectors[v].R), work, &bytes, &flops);
                printf("| %d | %s | %s |", r.tile, vectors[v].name, work_name[work]);
                print_bound(d, vectors[v].R, bytes, flops, 1e3);
                printf("\n");
            }
    printf("\n");
}

/* ---- The others --------------------------------------------------------------------------------------------------------- */

/* Of a matrix of order 64: arrays of n x n numbers that pass through memory, and operations in n^3, counted in the sources for
 * ordinary input: a product 2; a step to the nearest orthogonal matrix 4, of which it takes three; an inverse 2; a sweep of Jacobi's
 * rotations 9, of which a singular value decomposition takes ten; one over planes 10.5, eight for a logarithm. */
enum { PRODUCT = 2, NEAREST = 3 * 4, INVERSE = 2, SINGULAR = 10 * 9, PLANES = 84 };

static void print_others(const device *d)
{
    enum { N = 64 };
    static const struct {
        const char *name;
        double arrays, cubes;
    } maps[] = {
        {"so_pack", 1, 0},
        {"so_unpack", 1.5, 0},
        {"so_orthogonality", 1, 1},
        {"so_project, of what is nearly a rotation", 2, NEAREST + INVERSE},
        {"so_project, of any matrix", 2, NEAREST + SINGULAR + 3 * NEAREST + 4 * PRODUCT + 2 * INVERSE},
        {"so_project_vjp", 3, SINGULAR + 2 * NEAREST + 8 * PRODUCT + INVERSE},
        {"so_log", 2, 2 * NEAREST + INVERSE + PLANES + 6 * PRODUCT},
        {"so_log_vjp", 4, 2 * NEAREST + INVERSE + PLANES + 8 * PRODUCT},
        {"so_cayley_inverse", 2, NEAREST + 2 * INVERSE + 2 * PRODUCT},
        {"so_cayley_inverse_vjp", 3, 2 * PRODUCT},
    };
    printf("| function | type | bytes | flops | ns at least | bound by |\n|---|---|---|---|---|---|\n");
    for (size_t m = 0; m < sizeof maps / sizeof *maps; m++)
        for (int real = 0; real < SWEEP_REALS; real++) {
            double bytes = maps[m].arrays * N * N * (double)sweep_real_bytes((sweep_real)real);
            printf("| %s | %s |", maps[m].name, sweep_real_name[real]);
            print_bound(d, SWEEP_F64, bytes, maps[m].cubes * N * N * N, 1);
            printf("\n");
        }
}

int main(int argc, char **argv)
{
    options_parse(table, argc, argv, "What kernels/so can reach at most on a device of this data sheet, as Markdown.",
                  "Measures nothing.");
    device d = {number("memory"), {number("f32"), number("f64")}};
    printf("# %s: expected, not measured\n\n"
           "**Not yet measured on a GPU. Every figure of this page is an estimate**, made by `build/bench/gpu/expected`: the time that\n"
           "no kernel can be below on a device of %.0f GB/s and %.0f GFLOP/s in f32, %.0f in f64 (data sheet), if it reads and\n"
           "writes its arguments once and does the nominal operations of `bench/flops.c`. `make bench-gpu` measures the device's\n"
           "copies and multiply-adds and gives each row its share of them.\n\n",
           options_find(table, "device")->text, d.memory, d.peak[SWEEP_F32], d.peak[SWEEP_F64]);
    printf("f32-by-f64: f32 in memory, arithmetic in f64 (`so_ctx_set_f64_inside`).\n\n");
    printf("## so_exp, SO_AUTO, per matrix\n\nInputs as in `bench/README.md`; rho: the largest of those drawn. `so_exp_jvp` is a map, then a\n"
           "derivative from A, E and R: as much as `both`; n = 2, 3, 4: 4 arrays in place of 6. `so_cayley_jvp` is as much as `both`.\n\n");
    print_exponentials(&d, SO_AUTO);
    printf("## so_cayley, per matrix\n\n");
    print_exponentials(&d, SO_CAYLEY);
    printf("## so_exp, SO_PADE and SO_EIGEN, per matrix\n\nReferences on cuBLAS and cuSOLVER: the bounds of such a method, not of those libraries, which pass\n"
           "through memory for every product. SO_EIGEN computes in f64. First SO_PADE:\n\n");
    print_exponentials(&d, SO_PADE);
    printf("SO_EIGEN:\n\n");
    print_exponentials(&d, SO_EIGEN);
    printf("## so_encode, per call\n\n");
    print_encodings(&d);
    printf("## so_rotate, per call: 64 samples of 65 tokens, 768 numbers each\n\n");
    print_rotations(&d);
    printf("## The other maps, n = 64, per matrix\n\nWhere they compute, in f64.\n\n");
    print_others(&d);
    return EXIT_SUCCESS;
}
