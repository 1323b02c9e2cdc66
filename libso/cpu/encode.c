/* encode.c: R[g][t] = exp(sum_d position[t][d] generator[g][d]) and its gradient.
 *
 * A group of matrices is a run of tokens of one generator; its skew matrices are formed right in the group's storage. The unit
 * of parallel work is a generator with a block of tokens; the backward sums over tokens inside a block lane by lane, then over
 * the blocks in their order, so that the result does not depend on the threads.
 *
 * In one dimension the matrices of a generator are exp(p A) with one A, which is decomposed once per thread that meets it
 * (one_parameter.h); the gradients of its tokens are summed in the planes of A.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "batch.h"
#include "maps.h"
#include "one_parameter.h"

/* Tokens in a block of the backward: short enough to share one generator's tokens among threads. A multiple of all lanes. */
enum { TOKENS_PER_BLOCK = 64 };

enum { MAX_DIMS = 64 }; /* so.h */

/* One encoding with its pointers; dposition may be NULL. */
typedef struct encode_call {
    so_encoding e;
    choice c;
    const real *position, *generator;
    int one_parameter; /* whether generators are to be decomposed */
} encode_call;

/* Methods that may decompose do so for a generator of one dimension, beyond the closed forms. Gain of SO_AUTO over the polynomial
 * method, exponential / gradient, f32, one core of an AMD EPYC (AVX-512), LieRE's generators (positions in [0, 1]):
 *   tile        5           8          16          32          64
 *   1 token    1.5 / 1.8   0.8 / 1.3   0.5 / 1.0   0.5 / 1.2   0.8 / 1.7
 *   16         1.3 / 1.6   1.2 / 1.9   2.0 / 3.4   3.3 / 5.4   5.2 / 8.1
 *   256        2.2 / 2.7   2.4 / 3.3   3.7 / 5.2   6.1 / 8.3   8.2 / 11
 * and with angles below 1 about half of that. The choice must not depend on the number of tokens, since the bits would. */
static encode_call encode_call_of(const so_encoding *e, const real *position, const real *generator)
{
    int decomposes = e->dims == 1 && ((e->method == SO_AUTO && e->tile >= 5) || (e->method == SO_EIGEN && e->tile >= 2));
    return (encode_call){*e, SO_(so_choose)(e->method, e->tile, e->tokens), position, generator, decomposes};
}

/* A thread's workspace. */
typedef struct encode_work {
    thread_work w;
    one_parameter o;
} encode_work;

static size_t encode_bytes(const encode_call *call, int derivative)
{
    int n = call->e.tile;
    size_t bytes = SO_(so_thread_bytes)(call->c, n, derivative);
    return call->one_parameter ? bytes + SO_(so_one_parameter_bytes)(call->c.layout, n) : bytes;
}

static encode_work encode_work_of(const encode_call *call, int derivative, void *memory)
{
    int n = call->e.tile;
    encode_work work = {.w = SO_(so_thread_work)(call->c, n, memory)};
    if (call->one_parameter)
        work.o = SO_(so_one_parameter_in)(call->c.layout, n, (char *)memory + SO_(so_thread_bytes)(call->c, n, derivative));
    return work;
}

/* Whether the matrices of generator g are found from its decomposition, which is then in work->o. */
static int is_decomposed(const encode_call *call, int64_t g, encode_work *work)
{
    size_t size = (size_t)call->e.tile * (size_t)call->e.tile;
    return call->one_parameter && SO_(so_one_parameter_factor)(&work->o, g, call->generator + (size_t)g * size);
}

/* Group matrix <- sum_d position generator[g][d] for tokens first .. first+used-1. */
static inline __attribute__((always_inline)) void form_lanes(const encode_call *call, int lanes, int64_t g, int64_t first,
                                                             int used, real *A, uint64_t *bad)
{
    int n = call->e.tile, dims = call->e.dims, ld = call->c.layout->stride(n);
    size_t size = (size_t)n * (size_t)n;
    const real *generator = call->generator + (size_t)g * (size_t)dims * size;
    real_bits nonfinite[VECTOR_LANES] = {0};
    memset(A, 0, (size_t)n * (size_t)ld * (size_t)lanes * sizeof(real));
    for (int d = 0; d < dims; d++) {
        real coordinate[VECTOR_LANES] = {0};
        for (int l = 0; l < used; l++)
            coordinate[l] = call->position[(size_t)(first + l) * (size_t)dims + (size_t)d];
        for (int i = 0; i < n; i++)
            for (int j = i + 1; j < n; j++) {
                real entry = generator[(size_t)d * size + (size_t)i * (size_t)n + (size_t)j];
                real *a = A + ((size_t)i * (size_t)ld + (size_t)j) * (size_t)lanes;
                for (int l = 0; l < lanes; l++)
                    a[l] += coordinate[l] * entry;
            }
        for (int l = 0; l < used; l++)
            nonfinite[l] |= nonfinite_bits(coordinate[l]); /* an order-1 generator has no entries, its position is still read */
    }
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++) {
            const real *a = A + ((size_t)i * (size_t)ld + (size_t)j) * (size_t)lanes;
            real *below = A + ((size_t)j * (size_t)ld + (size_t)i) * (size_t)lanes;
            for (int l = 0; l < lanes; l++) {
                nonfinite[l] |= nonfinite_bits(a[l]);
                below[l] = -a[l];
            }
        }
    for (int l = 0; l < used; l++)
        if (nonfinite[l]) {
            *bad |= (uint64_t)1 << l;
            for (size_t i = 0; i < (size_t)n * (size_t)ld; i++)
                A[i * (size_t)lanes + (size_t)l] = 0;
        }
}

static void form(const encode_call *call, int64_t g, int64_t first, int used, real *A, uint64_t *bad)
{
    if (call->c.layout->lanes == 1)
        form_lanes(call, 1, g, first, used, A, bad);
    else
        form_lanes(call, VECTOR_LANES, g, first, used, A, bad);
}

/* R of one group of tokens; returns the bits of those that are not finite. */
static uint64_t map_tokens(const encode_call *call, int64_t g, int64_t first, int used, encode_work *work)
{
    int n = call->e.tile;
    thread_work *w = &work->w;
    uint64_t bad = 0;
    if (is_decomposed(call, g, work)) {
        double p[VECTOR_LANES];
        const one_parameter *o = &work->o;
        SO_(so_one_parameter_screen)(o, used, call->position + first, p, &bad);
        o->method->map(n, o->W, o->WT, o->angle, p, w->R, w->Y, w->M);
    } else {
        form(call, g, first, used, w->A, &bad);
        call->c.method->map(n, w->A, w->R, w->scratch);
    }
    return bad;
}

so_status SO_(so_cpu_encode)(so_ctx *ctx, const so_encoding *encoding, const real *position, const real *generator, real *R)
{
    int n = encoding->tile;
    encode_call call = encode_call_of(encoding, position, generator);
    int64_t lanes = call.c.layout->lanes, runs = (encoding->tokens + lanes - 1) / lanes, jobs = encoding->groups * runs;
    int threads = jobs < ctx->threads ? (int)jobs : ctx->threads;
    size_t bytes = encode_bytes(&call, 0);
    void *memory;
    so_status status = so_ctx_reserve(ctx, (size_t)threads, bytes, &memory);
    if (status != SO_OK)
        return status;

    int outcome = 0;
#pragma omp parallel num_threads(threads) reduction(| : outcome) if (threads > 1)
    {
        encode_work work = encode_work_of(&call, 0, (char *)memory + bytes * (size_t)omp_get_thread_num());
#pragma omp for schedule(static)
        for (int64_t job = 0; job < jobs; job++) {
            int64_t g = job / runs, first = job % runs * lanes, left = encoding->tokens - first;
            int used = (int)(left < lanes ? left : lanes);
            uint64_t bad = map_tokens(&call, g, first, used, &work);
            real *out = R + (size_t)(g * encoding->tokens + first) * (size_t)n * (size_t)n;
            SO_(so_scatter)(call.c.layout, n, used, work.w.R, bad, out);
            outcome |= SO_(so_group_outcome)(call.c.layout, used, work.w.R, bad);
        }
    }
    return status_of_groups(outcome);
}

/* sum += coordinate[l] Y, lane by lane, for one dimension. */
static inline __attribute__((always_inline)) void accumulate_lanes(int lanes, size_t elems, const real *coordinate,
                                                                   const real *Y, real *sum)
{
    for (size_t i = 0; i < elems; i++)
        for (int l = 0; l < lanes; l++)
            sum[i * (size_t)lanes + (size_t)l] += coordinate[l] * Y[i * (size_t)lanes + (size_t)l];
}

/* <Y, G> = 2 sum_{i<j} Y_ij G_ij per lane, for the skew Y of a group and one generator. */
static void inner_products(const group_layout *layout, int n, const real *Y, const real *generator, double *out)
{
    int lanes = layout->lanes, ld = layout->stride(n);
    real sum[VECTOR_LANES] = {0};
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            for (int l = 0; l < lanes; l++)
                sum[l] += 2 * generator[(size_t)i * (size_t)n + (size_t)j] *
                          Y[((size_t)i * (size_t)ld + (size_t)j) * (size_t)lanes + (size_t)l];
    for (int l = 0; l < lanes; l++)
        out[l] = (double)sum[l];
}

typedef struct encode_gradient {
    const real *R, *dR;
    real *block;    /* (groups, blocks, dims, tile, tile): the sums over a block's tokens */
    real *distance; /* (groups, tokens, dims): <dA, generator>, or NULL when dposition is not wanted */
} encode_gradient;

/* The skew gradients Y of one group of tokens, in the planes of the generator if it is decomposed, in work->w.Y; along: the
 * products <Y, generator> for each dimension and lane. Returns the bits of the tokens that are not finite. */
static uint64_t differentiate_tokens(const encode_call *call, const encode_gradient *gradient, int64_t g, int64_t first,
                                     int used, encode_work *work, double *along)
{
    const group_layout *layout = call->c.layout;
    thread_work *w = &work->w;
    int n = call->e.tile, dims = call->e.dims, lanes = layout->lanes;
    size_t size = (size_t)n * (size_t)n, at = (size_t)(g * call->e.tokens + first) * size;
    uint64_t bad = 0;
    if (is_decomposed(call, g, work)) {
        double p[VECTOR_LANES];
        int exponent[VECTOR_LANES];
        const one_parameter *o = &work->o;
        SO_(so_one_parameter_screen)(o, used, call->position + first, p, &bad);
        SO_(so_gather)(layout, n, used, gradient->dR + at, w->G, &bad);
        layout->scale_to_unit(n, w->G, exponent);
        o->method->differential(n, o->W, o->WT, o->angle, p, w->G, w->Y, along, w->M);
        layout->scale_back(n, w->Y, exponent);
        for (int l = 0; l < lanes; l++)
            along[l] = ldexp(along[l], exponent[l]);
    } else {
        form(call, g, first, used, w->A, &bad);
        SO_(so_gather)(layout, n, used, gradient->R + at, w->R, &bad);
        SO_(so_gather)(layout, n, used, gradient->dR + at, w->G, &bad);
        SO_(so_group_vjp)(call->c, n, w);
        for (int d = 0; d < dims && gradient->distance; d++)
            inner_products(layout, n, w->Y, call->generator + (size_t)(g * dims + d) * size, along + (ptrdiff_t)d * lanes);
    }
    return bad;
}

/* The gradient of one generator over one block of tokens; sum: dims group matrices. Returns what became of
 * the groups. */
static int block_gradient(const encode_call *call, const encode_gradient *gradient, int64_t g, int64_t block, int64_t blocks,
                          encode_work *work, real *sum)
{
    const so_encoding *e = &call->e;
    const group_layout *layout = call->c.layout;
    int n = e->tile, dims = e->dims, lanes = layout->lanes, ld = layout->stride(n), outcome = 0;
    size_t size = (size_t)n * (size_t)n, elems = (size_t)n * (size_t)ld, matrix = layout->matrix_elements(n);
    int64_t end = (block + 1) * TOKENS_PER_BLOCK < e->tokens ? (block + 1) * TOKENS_PER_BLOCK : e->tokens;
    memset(sum, 0, matrix * (size_t)dims * sizeof(real));

    for (int64_t first = block * TOKENS_PER_BLOCK; first < end; first += lanes) {
        int used = (int)(end - first < lanes ? end - first : lanes);
        double along[MAX_DIMS * VECTOR_LANES];
        uint64_t bad = differentiate_tokens(call, gradient, g, first, used, work, along);
        outcome |= SO_(so_group_outcome)(layout, used, work->w.Y, bad);
        for (int d = 0; d < dims; d++) {
            real coordinate[VECTOR_LANES] = {0};
            for (int l = 0; l < used; l++)
                coordinate[l] = bad >> l & 1 ? (real)NAN : call->position[(size_t)(first + l) * (size_t)dims + (size_t)d];
            if (lanes == 1)
                accumulate_lanes(1, elems, coordinate, work->w.Y, sum + matrix * (size_t)d);
            else
                accumulate_lanes(VECTOR_LANES, elems, coordinate, work->w.Y, sum + matrix * (size_t)d);
            for (int l = 0; l < used && gradient->distance; l++)
                gradient->distance[(size_t)(g * e->tokens + first + l) * (size_t)dims + (size_t)d] =
                    bad >> l & 1 ? (real)NAN : (real)along[d * lanes + l];
        }
    }
    int decomposed = is_decomposed(call, g, work), out_ld = decomposed ? work->o.single->stride(n) : n;
    for (int d = 0; d < dims; d++) {
        real *out = gradient->block + (size_t)((g * blocks + block) * dims + d) * size, *total = decomposed ? work->w.R : out;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < out_ld; j++) {
                const real *lane = sum + matrix * (size_t)d + ((size_t)i * (size_t)ld + (size_t)j) * (size_t)lanes;
                real x = 0;
                for (int l = 0; l < lanes && j < n; l++)
                    x += lane[l];
                total[(size_t)i * (size_t)out_ld + (size_t)j] = x;
            }
        if (decomposed)
            SO_(so_one_parameter_from_planes)(&work->o, total, out);
    }
    return outcome;
}

so_status SO_(so_cpu_encode_vjp)(so_ctx *ctx, const so_encoding *encoding, const real *position, const real *generator,
                                 const real *R, const real *dR, real *dgenerator, real *dposition)
{
    int n = encoding->tile, dims = encoding->dims;
    encode_call call = encode_call_of(encoding, position, generator);
    int64_t tokens = encoding->tokens, groups = encoding->groups;
    int64_t blocks = (tokens + TOKENS_PER_BLOCK - 1) / TOKENS_PER_BLOCK, jobs = groups * blocks;
    int threads = jobs < 1 ? 1 : jobs < ctx->threads ? (int)jobs : ctx->threads;
    size_t generator_size = (size_t)dims * (size_t)n * (size_t)n;
    size_t matrix_bytes = call.c.layout->matrix_elements(n) * sizeof(real);
    size_t thread_bytes = encode_bytes(&call, 1) + (size_t)dims * matrix_bytes;
    size_t block_bytes = (size_t)jobs * generator_size * sizeof(real);
    size_t distance_bytes = dposition ? (size_t)(groups * tokens) * (size_t)dims * sizeof(real) : 0;
    size_t bytes = jobs > 0 ? thread_bytes * (size_t)threads + block_bytes + distance_bytes : 0; /* zeros need no room */
    void *memory;
    so_status status = so_ctx_reserve(ctx, 1, bytes, &memory);
    if (status != SO_OK)
        return status;
    char *shared = (char *)memory + thread_bytes * (size_t)threads;
    encode_gradient gradient = {R, dR, (real *)shared, dposition ? (real *)(shared + block_bytes) : NULL};

    int outcome = 0;
#pragma omp parallel num_threads(threads) reduction(| : outcome) if (threads > 1)
    if (jobs > 0) {
        char *own = (char *)memory + thread_bytes * (size_t)omp_get_thread_num();
        encode_work work = encode_work_of(&call, 1, own + (size_t)dims * matrix_bytes);
#pragma omp for schedule(static)
        for (int64_t job = 0; job < jobs; job++)
            outcome |= block_gradient(&call, &gradient, job / blocks, job % blocks, blocks, &work, (real *)own);
    }

    for (int64_t g = 0; g < groups; g++) {
        real *sum = dgenerator + (size_t)g * generator_size;
        memset(sum, 0, generator_size * sizeof(real));
        for (int64_t block = 0; block < blocks; block++)
            for (size_t i = 0; i < generator_size; i++)
                sum[i] += gradient.block[(size_t)(g * blocks + block) * generator_size + i];
    }
    if (dposition) {
        memset(dposition, 0, (size_t)tokens * (size_t)dims * sizeof(real));
        for (int64_t g = 0; g < groups; g++)
            for (size_t i = 0; i < (size_t)tokens * (size_t)dims; i++)
                dposition[i] += gradient.distance[(size_t)g * (size_t)tokens * (size_t)dims + i];
    }
    return status_of_groups(outcome);
}
