/* roofline.c: see roofline.h. SPDX-License-Identifier: MIT */
#include "roofline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUNS = 7 };
static const double run_seconds = 5e-3;

/* ---- Multiply-adds ------------------------------------------------------------------------------------------------------ */

/* Chains of x <- x m + c, as many as hide the latency and leave registers for m and c; converges, so no overflow. The chains
 * start apart, or the compiler would compute one for all. */
#define MULTIPLY_ADDS(real, isa, BYTES, CHAINS, UNROLL, TARGET)                                                                \
    TARGET __attribute__((noinline, optimize("fp-contract=fast"))) static double multiply_adds_##real##_##isa(                 \
        int64_t rounds, double factor, double term)                                                                            \
    {                                                                                                                          \
        typedef real vector __attribute__((vector_size(BYTES)));                                                               \
        vector x[CHAINS], m = (real)factor - (vector){0}, c = (real)term - (vector){0};                                        \
        _Pragma(UNROLL) for (int k = 0; k < CHAINS; k++) x[k] = (real)k + c;                                                   \
        for (int64_t i = 0; i < rounds; i++)                                                                                   \
            _Pragma(UNROLL) for (int k = 0; k < CHAINS; k++) x[k] = x[k] * m + c;                                              \
        _Pragma(UNROLL) for (int k = 1; k < CHAINS; k++) x[0] += x[k];                                                         \
        return (double)x[0][0];                                                                                                \
    }

typedef double kernel(int64_t rounds, double factor, double term);

typedef struct peak { /* kernels of one instruction set */
    const char *isa;
    kernel *run[SWEEP_REALS];
    int bytes, chains;
} peak;

#ifdef __x86_64__
MULTIPLY_ADDS(float, portable, 16, 12, "GCC unroll 12", )
MULTIPLY_ADDS(double, portable, 16, 12, "GCC unroll 12", )
MULTIPLY_ADDS(float, avx2, 32, 12, "GCC unroll 12", __attribute__((target("avx2,fma"))))
MULTIPLY_ADDS(double, avx2, 32, 12, "GCC unroll 12", __attribute__((target("avx2,fma"))))
MULTIPLY_ADDS(float, avx512, 64, 24, "GCC unroll 24", __attribute__((target("avx512f"))))
MULTIPLY_ADDS(double, avx512, 64, 24, "GCC unroll 24", __attribute__((target("avx512f"))))
static const peak peaks[] = {
    {"avx512", {multiply_adds_float_avx512, multiply_adds_double_avx512}, 64, 24},
    {"avx2", {multiply_adds_float_avx2, multiply_adds_double_avx2}, 32, 12},
    {"portable", {multiply_adds_float_portable, multiply_adds_double_portable}, 16, 12},
};
#else
MULTIPLY_ADDS(float, portable, 16, 24, "GCC unroll 24", )
MULTIPLY_ADDS(double, portable, 16, 24, "GCC unroll 24", )
static const peak peaks[] = {
#ifdef __aarch64__
    {"neon", {multiply_adds_float_portable, multiply_adds_double_portable}, 16, 24}, /* the baseline has it */
#endif
    {"portable", {multiply_adds_float_portable, multiply_adds_double_portable}, 16, 24},
};
#endif

static volatile double factor = 0.5, sink; /* unknown to the compiler */

/* Rounds of one thread that take run_seconds. */
static int64_t calibrate(kernel *run)
{
    for (int64_t rounds = 1024;; rounds *= 2) {
        double start = sweep_now();
        sink = run(rounds, factor, 1);
        if (sweep_now() - start > run_seconds)
            return rounds;
    }
}

/* The sum of the rates of all threads in a run that they start together; without the time that starting takes. */
static double measure_adds(const peak *p, sweep_real real, int threads)
{
    int64_t rounds = calibrate(p->run[real]);
    double best = 0, flops = 2.0 * (double)rounds * p->chains * p->bytes / (double)sweep_real_bytes(real);
    for (int i = 0; i < RUNS; i++) {
        double rate = 0;
#pragma omp parallel num_threads(threads) reduction(+ : rate)
        {
#pragma omp barrier
            double start = sweep_now(), x = p->run[real](rounds, factor, 1);
            rate = flops / (sweep_now() - start);
#pragma omp critical
            sink = x;
        }
        best = fmax(best, rate);
    }
    return 1e-9 * best;
}

/* ---- Copies ------------------------------------------------------------------------------------------------------------- */

static double measure_copy(int threads)
{
    long level3 = sysconf(_SC_LEVEL3_CACHE_SIZE);
    size_t bytes = (size_t)fmin(512 << 20, fmax(32 << 20, 2.0 * (double)level3)), part = bytes / (size_t)threads;
    char *from = sweep_allocate((int64_t)bytes, 1), *to = sweep_allocate((int64_t)bytes, 1);
    double best = INFINITY;
    memset(from, 1, bytes);
    for (int i = 0; i < RUNS; i++) {
        double start = sweep_now();
#pragma omp parallel for num_threads(threads)
        for (int t = 0; t < threads; t++)
            memcpy(to + (size_t)t * part, from + (size_t)t * part, part);
        best = fmin(best, sweep_now() - start);
    }
    sink = to[bytes / 2];
    free(from);
    free(to);
    return 2e-9 * (double)part * threads / best;
}

/* ---- Both --------------------------------------------------------------------------------------------------------------- */

static bool supported(const char *isa)
{
#ifdef __x86_64__
    if (strcmp(isa, "avx512") == 0)
        return __builtin_cpu_supports("x86-64-v4");
    if (strcmp(isa, "avx2") == 0)
        return __builtin_cpu_supports("x86-64-v3");
#endif
    return strcmp(isa, "neon") == 0 || strcmp(isa, "portable") == 0;
}

/* The rule of so_ctx_create_cpu(). */
static const peak *find_peak(void)
{
    const char *wish = getenv("SO_ISA");
    const peak *p = peaks;
    while (wish && *wish ? strcmp(p->isa, wish) != 0 : !supported(p->isa))
        p++;
    return p;
}

roofline roofline_measure(int threads)
{
    roofline roof = {.copy_gb_s = 0};
    so_ctx_destroy(sweep_context(threads)); /* an instruction set that libso refuses ends here */
    const peak *p = find_peak();
    snprintf(roof.isa, sizeof roof.isa, "%s", p->isa);
    for (int real = 0; real < SWEEP_REALS; real++)
        roof.gflops[real] = measure_adds(p, (sweep_real)real, threads);
    roof.copy_gb_s = measure_copy(threads);
    return roof;
}
