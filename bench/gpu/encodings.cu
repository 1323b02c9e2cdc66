/* encodings.cu: rows of so_encode and its gradient, at the sizes of the paper's networks.
 *
 * Rotations are compared with those of exact.h at CHECKED places; the gradients of the last group and of the last position, the
 * farthest from the first, with those that libso finds on the CPU in f64, whose error counts too. The last group is computed once
 * more alone and must have the same bits.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "maps.h"
#include "sweep.h"

extern "C" {
#include "bench/exact.h"
#include "bench/judge.h"
}

/* The largest R of other types than f32, and most rotations by NVIDIA's libraries: what takes seconds a call teaches no more. */
static const double LARGEST_R = (double)(1 << 30), MOST_BY_NVIDIA = 10000;
/* Numbers are drawn anew up to this many, then repeated. */
enum { DRAWN = 1000003 };

static size_t square(const so_encoding *e)
{
    return (size_t)e->tile * (size_t)e->tile;
}

/* ---- The arguments, and what should come out ---- */

/* A rotation to compare with. */
typedef struct sample {
    int64_t group, token;
    double rho;
    long double *R[2]; /* exponential, Cayley map */
} sample;

template <class real> struct problem {
    so_encoding e;
    const precision *p;
    const char *name;
    double goal_us;
    real *position, *generator, *G;
    int64_t positions, generators, rotations; /* numbers of each */
    sample samples[CHECKED];
    int count;
    double *rho; /* of every token, for one draw of generators: for the count of operations */
};

/* A of a token, full: one rounding per dimension, in the type of the arithmetic. */
template <class real> static void form(const problem<real> *x, int64_t group, int64_t token, double *A)
{
    const int n = x->e.tile;
    const real *p = x->position + token * x->e.dims, *g = x->generator + (size_t)(group * x->e.dims) * square(&x->e);
    for (int i = 0; i < n; i++)
        for (int j = i; j < n; j++) {
            double sum = 0;
            for (int d = 0; d < x->e.dims; d++) {
                const double a = (double)p[d], b = (double)g[(size_t)d * square(&x->e) + (size_t)(i * n + j)];
                sum = x->p->computed == SWEEP_F64 ? fma(a, b, sum) : (double)fmaf((float)a, (float)b, (float)sum);
            }
            A[i * n + j] = i == j ? 0 : sum;
            A[j * n + i] = i == j ? 0 : -sum;
        }
}

static double angle_of(int n, const double *A, long double *exact)
{
    for (int e = 0; e < n * n; e++)
        exact[e] = A[e];
    return exact_rho(n, exact);
}

template <class real> static void add_samples(problem<real> *x)
{
    const int n = x->e.tile;
    const int64_t all = x->e.groups * x->e.tokens, wanted = all < CHECKED ? all : (int64_t)CHECKED;
    double *A = (double *)sweep_allocate(n * n, sizeof *A);
    long double *exact = (long double *)sweep_allocate(n * n, sizeof *exact);
    for (int64_t k = 0; k < wanted; k++) { /* spread, first and last included */
        const int64_t at = wanted > 1 ? k * (all - 1) / (wanted - 1) : 0;
        sample *y = &x->samples[x->count++];
        y->group = at / x->e.tokens, y->token = at % x->e.tokens;
        form(x, y->group, y->token, A);
        y->rho = angle_of(n, A, exact);
        for (int c = 0; c < 2; c++)
            y->R[c] = (long double *)sweep_allocate(n * n, sizeof *exact);
        exact_exp(n, y->rho, exact, NULL, y->R[0], NULL);
        exact_cayley(n, exact, NULL, y->R[1], NULL);
    }
    free(A), free(exact);
}

template <class real> static void draw(real *to, int64_t count, double factor, double shift)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = i < DRAWN ? (real)(factor * (drand48() - shift)) : to[i - DRAWN];
}

template <class real> static problem<real> new_problem(const sweep *s, const encoding_case *c, const precision *p)
{
    problem<real> x = {c->e, p, c->name, c->goal_us};
    if (s->tiny) {
        x.e.tile = x.e.tile < 8 ? x.e.tile : 8;
        x.e.groups = 2;
        x.e.tokens = 3;
    }
    x.positions = x.e.tokens * x.e.dims;
    x.generators = x.e.groups * x.e.dims * (int64_t)square(&x.e);
    x.rotations = x.e.groups * x.e.tokens * (int64_t)square(&x.e);
    x.position = (real *)sweep_allocate(x.positions, sizeof(real));
    x.generator = (real *)sweep_allocate(x.generators, sizeof(real));
    x.G = (real *)sweep_allocate(x.rotations, sizeof(real));
    x.rho = (double *)sweep_allocate(x.e.tokens, sizeof(double));
    for (int64_t i = 0; i < x.positions; i++)
        x.position[i] = (real)encoding_position(&x.e, i / x.e.dims, (int)(i % x.e.dims));
    srand48(1);
    draw(x.generator, x.generators, 2 * M_PI, 0);
    draw(x.G, x.rotations, 1, 0.5);
    nominal_token_angles(&x.e, x.rho);
    add_samples(&x);
    return x;
}

template <class real> static void free_problem(problem<real> *x)
{
    for (int k = 0; k < x->count; k++)
        for (long double *R : x->samples[k].R)
            free(R);
    free(x->position), free(x->generator), free(x->G), free(x->rho);
}

/* ---- Calls ---- */

template <class real> struct encodings {
    so_ctx *ctx;
    so_encoding e;
    int work;
    arrays position, generator, R, G, dgenerator, dposition;
    so_status status;
};

template <class real> static void encode(void *data, long k)
{
    encodings<real> *c = (encodings<real> *)data;
    const real *p = (real *)array_of(&c->position, k), *g = (real *)array_of(&c->generator, k);
    real *R = (real *)array_of(&c->R, k);
    if (c->work != VJP && c->status == SO_OK)
        c->status = so_encode(c->ctx, &c->e, p, g, R);
    if (c->work != FORWARD && c->status == SO_OK)
        c->status = so_encode_vjp(c->ctx, &c->e, p, g, R, (real *)array_of(&c->G, k), (real *)array_of(&c->dgenerator, k),
                                  (real *)array_of(&c->dposition, k));
}

/* ---- Errors ---- */

template <class real> static void judge_rotations(const problem<real> *x, const encodings<real> *c, row *r)
{
    const size_t size = square(&x->e);
    real *here = (real *)sweep_allocate((int64_t)size, sizeof(real));
    long double *X = (long double *)sweep_allocate((int64_t)size, sizeof *X);
    for (int k = 0; k < x->count; k++) {
        const sample *y = &x->samples[k];
        read_array(here, (real *)c->R.memory + (size_t)(y->group * x->e.tokens + y->token) * size, size * sizeof(real));
        for (size_t e = 0; e < size; e++)
            X[e] = (long double)here[e];
        judge_rotation(x->p->stored, x->e.tile, y->rho, X, y->R[c->e.method == SO_CAYLEY], &r->judged);
    }
    free(here), free(X);
}

/* Some of the matrices of an encoding: `count` from (group, token) on, a step of one group or one token to the next. */
typedef struct slice {
    int64_t group, token, groups, tokens, count;
} slice;

/* dA of a slice, by the CPU in f64, NaN if that fails; the angle of each and ||dR||_F. */
template <class real>
static void gradients(const problem<real> *x, so_method method, const slice *y, double *dA, double *angle, double *upstream)
{
    const so_method on_cpu = method == SO_CAYLEY ? SO_CAYLEY : SO_AUTO;
    const size_t size = square(&x->e), all = (size_t)y->count * size;
    double *A = (double *)sweep_allocate((int64_t)all, sizeof *A), *R = (double *)sweep_allocate((int64_t)all, sizeof *R);
    long double *exact = (long double *)sweep_allocate((int64_t)size, sizeof *exact);
    so_ctx *cpu;
    for (int64_t k = 0; k < y->count; k++) {
        const int64_t group = y->group + k * y->groups, token = y->token + k * y->tokens;
        const real *G = x->G + (size_t)(group * x->e.tokens + token) * size;
        double *to = dA + (size_t)k * size, sum = 0;
        form(x, group, token, A + (size_t)k * size);
        angle[k] = angle_of(x->e.tile, A + (size_t)k * size, exact);
        for (size_t e = 0; e < size; e++) {
            to[e] = (double)G[e];
            sum += to[e] * to[e];
        }
        upstream[k] = sqrt(sum);
    }
    so_status status = so_ctx_create_cpu(&cpu, 0);
    if (status == SO_OK)
        status = so_exp(cpu, on_cpu, x->e.tile, y->count, A, R);
    if (status == SO_OK)
        status = so_exp_vjp(cpu, on_cpu, x->e.tile, y->count, A, R, dA, dA);
    for (size_t i = 0; i < all && status != SO_OK; i++)
        dA[i] = NAN;
    so_ctx_destroy(cpu);
    free(A), free(R), free(exact);
}

/* An error beside a bound of so.h for each of the terms of a sum, of which each has weight[k] and angle[k], and for the sum. In units
 * of u sum_k weight[k]. */
static void judge_sum(double error, int64_t count, const double *weight, const double *angle, double additions, double u, row *r)
{
    const double of_cpu = sweep_unit(SWEEP_F64) / u;
    double scale = 0, bound = 0;
    for (int64_t k = 0; k < count; k++) {
        scale += weight[k];
        bound += weight[k] * (30 * (1 + angle[k] / 10) * (1 + of_cpu) + additions);
        r->judged.rho = fmax(r->judged.rho, angle[k]);
    }
    r->judged.checked += (int)count;
    if (scale > 0)
        judge_error(error / (u * scale), bound / scale, &r->judged);
    else if (!(error == 0)) /* weights of 0 leave nothing */
        judge_error(INFINITY, 1, &r->judged);
}

template <class real> static void judge_gradient(const problem<real> *x, const encodings<real> *c, row *r)
{
    const size_t size = square(&x->e), dims = (size_t)x->e.dims, tokens = (size_t)x->e.tokens, last = (size_t)x->e.groups - 1;
    const slice of_group = {(int64_t)last, 0, 0, 1, x->e.tokens}, of_position = {0, x->e.tokens - 1, 1, 0, x->e.groups};
    const int64_t most = x->e.tokens > x->e.groups ? x->e.tokens : x->e.groups;
    const double u = sweep_unit(x->p->stored);
    double *dA = (double *)sweep_allocate(most * (int64_t)size, sizeof *dA), *angle = (double *)sweep_allocate(most, sizeof *angle);
    double *upstream = (double *)sweep_allocate(most, sizeof *upstream), *weight = (double *)sweep_allocate(most, sizeof *weight);
    real *found = (real *)sweep_allocate((int64_t)(dims * size), sizeof *found);

    /* dgenerator[d] = sum_t position[t][d] dA[t] */
    gradients(x, c->e.method, &of_group, dA, angle, upstream);
    read_array(found, (real *)c->dgenerator.memory + last * dims * size, dims * size * sizeof *found);
    for (size_t d = 0; d < dims; d++) {
        double error = 0;
        for (size_t t = 0; t < tokens; t++)
            weight[t] = fabs((double)x->position[t * dims + d]) * upstream[t];
        for (size_t e = 0; e < size; e++) {
            double sum = 0;
            for (size_t t = 0; t < tokens; t++)
                sum += (double)x->position[t * dims + d] * dA[t * size + e];
            error = hypot(error, (double)found[d * size + e] - sum);
        }
        judge_sum(error, of_group.count, weight, angle, (double)tokens + 2, u, r);
    }

    /* dposition[d] = sum_g <dA[g], generator[g][d]>, of which the strict upper triangles are half */
    gradients(x, c->e.method, &of_position, dA, angle, upstream);
    read_array(found, (real *)c->dposition.memory + (tokens - 1) * dims, dims * sizeof *found);
    for (size_t d = 0; d < dims; d++) {
        double sum = 0;
        for (size_t g = 0; g <= last; g++) {
            const real *generator = x->generator + (g * dims + d) * size;
            double norm = 0;
            for (size_t e = 0; e < size; e++) {
                const double entry = e / (size_t)x->e.tile < e % (size_t)x->e.tile ? (double)generator[e] : 0;
                sum += 2 * dA[g * size + e] * entry;
                norm += 2 * entry * entry;
            }
            weight[g] = sqrt(norm) * upstream[g];
        }
        judge_sum(fabs((double)found[d] - sum), of_position.count, weight, angle, (double)(size + last + 3), u, r);
    }
    free(dA), free(angle), free(upstream), free(weight), free(found);
}

/* Whether the last group has other bits than it has alone, of R after a map, of dgenerator after a gradient. */
template <class real> static bool place_matters(const encodings<real> *c)
{
    so_encoding one = c->e;
    one.groups = 1;
    const size_t size = square(&one), last = (size_t)c->e.groups - 1;
    const size_t rotations = (size_t)one.tokens * size, generators = (size_t)one.dims * size;
    const bool map = c->work == FORWARD;
    const size_t count = map ? rotations : generators, bytes = count * sizeof(real);
    const real *position = (real *)c->position.memory, *generator = (real *)c->generator.memory + last * generators;
    real *R = (real *)c->R.memory + last * rotations, *G = (real *)c->G.memory + last * rotations;
    arrays alone = new_arrays(1, bytes, NULL);
    so_status status = map ? so_encode(c->ctx, &one, position, generator, (real *)alone.memory)
                           : so_encode_vjp(c->ctx, &one, position, generator, R, G, (real *)alone.memory, (real *)NULL);
    real *a = (real *)sweep_allocate((int64_t)count, sizeof *a), *b = (real *)sweep_allocate((int64_t)count, sizeof *b);
    read_array(a, alone.memory, bytes);
    read_array(b, (real *)(map ? c->R : c->dgenerator).memory + last * count, bytes);
    const bool same = status == SO_OK && so_ctx_status(c->ctx) == SO_OK && memcmp(a, b, bytes) == 0;
    free(a), free(b);
    free_arrays(&alone);
    return !same;
}

/* ---- Rows ---- */

template <class real> static void measure_method(sweep *s, const problem<real> *x, so_method method)
{
    const size_t all = (size_t)x->rotations * sizeof(real), positions = (size_t)x->positions * sizeof(real);
    const size_t generators = (size_t)x->generators * sizeof(real);
    const int copies = copies_for(s, all);
    double flops[WORKS];
    row r = {"encode", sweep_method_name[method], x->p->name, x->name, NULL, nominal_real(x->p, method, x->e.tile), x->e.tile,
             x->e.groups * x->e.tokens};
    fresh_context(s, x->p);
    encodings<real> c = {s->ctx, x->e, 0, new_arrays(copies, positions, x->position), new_arrays(copies, generators, x->generator),
                         new_arrays(copies, all, NULL), new_arrays(copies, all, x->G), new_arrays(copies, generators, NULL),
                         new_arrays(copies, positions, NULL), SO_OK};
    c.e.method = method;
    nominal_encode(x->p->computed, &c.e, x->rho, flops);
    for (int k = 0; k < copies && c.status == SO_OK; k++)
        encode<real>(&c, k);
    for (c.work = FORWARD; c.work < WORKS && c.status == SO_OK; c.work++) {
        r.work = work_name[c.work];
        r.times = gpu_time(encode<real>, &c, s->repetitions, s->seconds);
        c.status = finish(s, c.status);
        if (c.status != SO_OK)
            break;
        r.workspace = so_workspace_bytes(s->ctx), r.result_bytes = all;
        r.bytes = nominal_encode_bytes(x->p, &c.e, c.work);
        r.flops = flops[c.work];
        r.goal_us = c.work == BOTH ? x->goal_us : 0;
        r.judged.method = method;
        r.judged.direction = c.work == FORWARD ? SWEEP_FORWARD : SWEEP_VJP;
        r.judged.f64_inside = x->p->stored != x->p->computed;
        judge_begin(&r.judged);
        if (c.work == FORWARD)
            judge_rotations(x, &c, &r);
        else if (c.work == VJP)
            judge_gradient(x, &c, &r);
        r.elsewhere = c.work == BOTH ? row::NOT_TRIED : place_matters(&c) ? row::OTHER_BITS : row::SAME_BITS;
        finish_row(s, &r);
    }
    if (c.status != SO_OK)
        no_rows(s, &r, method, c.status);
    for (arrays *a : {&c.position, &c.generator, &c.R, &c.G, &c.dgenerator, &c.dposition})
        free_arrays(a);
}

template <class real> static void measure_encoding(sweep *s, const encoding_case *c, const precision *p)
{
    if (strcmp(p->name, "f32") != 0 && (double)c->e.groups * (double)c->e.tokens * (double)square(&c->e) * sizeof(real) > LARGEST_R)
        return;
    problem<real> x = new_problem<real>(s, c, p);
    for (int m = 0; m < s->method_count; m++) {
        const so_method method = (so_method)s->methods[m];
        if (s->not_installed[method])
            continue;
        if (!of_nvidia(method) || (p->stored == p->computed && (double)(c->e.groups * c->e.tokens) <= MOST_BY_NVIDIA))
            measure_method(s, &x, method);
    }
    free_problem(&x);
}

void measure_encodings(sweep *s)
{
    for (const encoding_case &c : encoding_cases)
        for (int k = 0; k < s->kind_count; k++) {
            const precision *p = &precisions[s->kinds[k]];
            (p->stored == SWEEP_F32 ? measure_encoding<float> : measure_encoding<double>)(s, &c, p);
        }
}
