/* inputs.c: the matrices of a sweep. SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exact.h"
#include "measure.h"

const char *const sweep_real_name[SWEEP_REALS] = {"f32", "f64"};
const char *const sweep_direction_name[SWEEP_DIRECTIONS] = {"forward", "vjp"};
const char *const sweep_method_name[SWEEP_METHODS] = {"auto", "polynomial", "pade", "eigen", "cayley"};

size_t sweep_real_bytes(sweep_real real)
{
    return real == SWEEP_F32 ? sizeof(float) : sizeof(double);
}

double sweep_unit(sweep_real real)
{
    return real == SWEEP_F32 ? 0x1p-24 : 0x1p-53;
}

void *sweep_allocate(int64_t numbers, size_t bytes)
{
    void *memory = calloc((size_t)numbers + 1, bytes);
    if (!memory) {
        fprintf(stderr, "%s: out of memory for another %.0f MiB; a smaller --batch takes less\n", program_invocation_short_name,
                ceil(0x1p-20 * (double)numbers * (double)bytes));
        exit(EXIT_FAILURE);
    }
    return memory;
}

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014), upper 53 bits, never 0. */
static double uniform(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return ((double)((z ^ z >> 31) >> 11) + 0.5) * 0x1p-53;
}

static double normal(uint64_t *state)
{
    double radius = sqrt(-2 * log(uniform(state)));
    return radius * cos(2 * M_PI * uniform(state));
}

bool sweep_input_is_word(const char *norm)
{
    return strcmp(norm, "gaussian") == 0 || strcmp(norm, "wigner") == 0 || strcmp(norm, "pencil") == 0;
}

/* P and Q of a pencil come from `generators`, the same for every matrix of the batch. */
static void draw_skew(int n, const char *norm, uint64_t generators, uint64_t *state, long double *A)
{
    bool pencil = strcmp(norm, "pencil") == 0;
    double y = uniform(state), x = uniform(state), deviation = strcmp(norm, "wigner") == 0 ? 1 / sqrt(n) : 1;
    for (int i = 0; i < n; i++)
        for (int j = i; j < n; j++) {
            double p = pencil ? uniform(&generators) : 0, q = pencil ? uniform(&generators) : 0;
            double a = pencil ? 2 * M_PI * (y * p + x * q) : deviation * normal(state);
            A[(size_t)i * (size_t)n + (size_t)j] = i == j ? 0 : a;
            A[(size_t)j * (size_t)n + (size_t)i] = i == j ? 0 : -a;
        }
    double rho = sweep_input_is_word(norm) ? 0 : exact_rho(n, A);
    if (rho > 0)
        for (size_t i = 0; i < (size_t)n * (size_t)n; i++)
            A[i] *= strtod(norm, NULL) / rho;
}

static void store(sweep_real real, void *to, size_t at, double value)
{
    if (real == SWEEP_F32)
        ((float *)to)[at] = (float)value;
    else
        ((double *)to)[at] = value;
}

static void repeat(char *stack, int64_t batch, int64_t distinct, size_t matrix_bytes)
{
    for (int64_t b = distinct; b < batch; b++)
        memcpy(stack + (size_t)b * matrix_bytes, stack + (size_t)(b % distinct) * matrix_bytes, matrix_bytes);
}

sweep_input sweep_input_make(sweep_real real, int n, int64_t batch, int64_t distinct, const char *norm, uint64_t seed)
{
    size_t size = (size_t)n * (size_t)n, bytes = sweep_real_bytes(real);
    sweep_input in = {.real = real, .n = n, .batch = batch};
    snprintf(in.kind, sizeof in.kind, "%s", sweep_input_is_word(norm) ? norm : "rho");
    in.A = sweep_allocate(batch * (int64_t)size, bytes);
    in.G = sweep_allocate(batch * (int64_t)size, bytes);
    long double *A = sweep_allocate((int64_t)size, sizeof *A);
    uint64_t state = seed * 0x2545f4914f6cdd1du + (uint64_t)n, generators = ~state;
    for (int64_t b = 0; b < batch && b < distinct; b++) {
        draw_skew(n, norm, generators, &state, A);
        for (size_t i = 0; i < size; i++) {
            store(real, in.A, (size_t)b * size + i, (double)A[i]);
            store(real, in.G, (size_t)b * size + i, normal(&state));
        }
    }
    free(A);
    repeat(in.A, batch, distinct, size * bytes);
    repeat(in.G, batch, distinct, size * bytes);
    return in;
}

void sweep_input_free(sweep_input *input)
{
    free(input->A);
    free(input->G);
    *input = (sweep_input){0};
}

int64_t sweep_batch(sweep_real real, int n, int threads, bool in_cache)
{
    long level2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
    double cache = level2 > 0 ? (double)level2 : 1 << 20;
    double matrix = (double)n * n * (double)sweep_real_bytes(real);
    if (n == 0)
        return 1;
    if (in_cache)
        return (int64_t)fmax(1, floor(cache * threads / 2 / (4 * matrix)));
    return (int64_t)fmax(16, ceil(cache * threads / matrix));
}
