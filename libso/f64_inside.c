/* f64_inside.c: the f32 table of a context whose exponentials compute in f64: a piece of the batch is widened into the workspace,
 * goes through the backend's f64 table, and is rounded once.
 *
 * Derivatives compute their rotation again: that of the caller has been rounded to f32.
 * SPDX-License-Identifier: MIT */
#include "context.h"

enum { PIECE_DOUBLES = 4 << 20 }; /* of all arrays of a piece together, if that keeps the device busy */

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A piece of a batch: so many of its jobs at a time, in so many doubles: no fewer for a larger batch or larger jobs, so that a
 * workspace that once sufficed does. */
typedef struct pieces {
    int64_t jobs;
    size_t doubles;
} pieces;

/* doubles: of a job. Jobs run side by side, `parallel` at most. */
static pieces pieces_of(int64_t jobs, size_t doubles, int64_t parallel)
{
    size_t most = (size_t)smaller(jobs, parallel) * doubles;
    most = most > PIECE_DOUBLES ? most : PIECE_DOUBLES;
    return (size_t)jobs <= most / doubles ? (pieces){jobs, (size_t)jobs * doubles} : (pieces){(int64_t)(most / doubles), most};
}

/* Of the statuses of two pieces the one that so.h lists first; what stops a call stays. */
static so_status join(so_status a, so_status b)
{
    return a == SO_OK ? b : b == SO_OK ? a : a < b ? a : b;
}

/* Were all outputs written, so that the next piece may follow? */
static int goes_on(so_status status)
{
    return status == SO_OK || status == SO_ENONFINITE || status == SO_ESINGULAR;
}

/* status <- join(status, call), unless a call before has stopped. */
#define THEN(status, call)                                                                                                      \
    do {                                                                                                                        \
        if (goes_on(status)) {                                                                                                  \
            so_status then = (call);                                                                                            \
            status = goes_on(then) ? join(status, then) : then;                                                                 \
        }                                                                                                                       \
    } while (0)

/* ---- Maps --------------------------------------------------------------------------------------------------------------- */

/* Up to ARRAYS matrices of each job in f64, one after the other. */
enum { ARRAYS = 4 };

typedef struct piece {
    int n;
    int64_t numbers; /* of an array */
    double *array[ARRAYS];
} piece;

typedef so_status work(so_ctx *ctx, so_method method, const piece *p, int64_t batch, const float *const *in,
                       float *const *out);

/* Runs `of_piece` on all pieces of the batch, `in` and `out` moving along. It writes at its end, so that a piece for which there
 * was no room can be done again. Pieces before it cannot: out may be in. */
static so_status in_pieces(so_ctx *ctx, so_method method, int arrays, int n, int64_t batch, const float *const in[2],
                           float *const out[2], work *of_piece)
{
    int64_t size = (int64_t)n * n, first = 0;
    pieces all = pieces_of(batch, (size_t)(arrays * size), ctx->threads);
    so_status met = SO_OK, status;
    do {
        void *memory;
        status = so_ctx_hold(ctx, all.doubles, sizeof(double), &memory);
        while (status == SO_OK && first < batch) {
            int64_t count = smaller(all.jobs, batch - first), at = first * size;
            piece p = {n, count * size, {0}};
            for (int k = 0; k < arrays; k++)
                p.array[k] = (double *)memory + k * p.numbers;
            const float *from[2] = {in[0] + at, in[1] ? in[1] + at : NULL};
            float *to[2] = {out[0] + at, out[1] ? out[1] + at : NULL};
            status = of_piece(ctx, method, &p, count, from, to);
            if (goes_on(status)) {
                met = join(met, status);
                status = SO_OK;
                first += count;
            }
        }
    } while (so_ctx_let_go(ctx));
    return status == SO_OK ? met : status;
}

static so_status map_piece(so_ctx *ctx, so_method method, const piece *p, int64_t batch, const float *const *in,
                           float *const *out)
{
    const so_backend *b = &ctx->backend;
    double *A = p->array[0];
    so_status status = b->widen(ctx, p->numbers, in[0], A);
    THEN(status, b->f64->exp(ctx, method, p->n, batch, A, A));
    THEN(status, b->narrow(ctx, p->numbers, A, out[0]));
    return status;
}

static so_status vjp_piece(so_ctx *ctx, so_method method, const piece *p, int64_t batch, const float *const *in,
                           float *const *out)
{
    const so_backend *b = &ctx->backend;
    double *A = p->array[0], *R = p->array[1], *dR = p->array[2];
    so_status status = b->widen(ctx, p->numbers, in[0], A);
    THEN(status, b->widen(ctx, p->numbers, in[1], dR));
    THEN(status, b->f64->exp(ctx, method, p->n, batch, A, R));
    THEN(status, b->f64->exp_vjp(ctx, method, p->n, batch, A, R, dR, dR));
    THEN(status, b->narrow(ctx, p->numbers, dR, out[0]));
    return status;
}

static so_status jvp_piece(so_ctx *ctx, so_method method, const piece *p, int64_t batch, const float *const *in,
                           float *const *out)
{
    const so_backend *b = &ctx->backend;
    double *A = p->array[0], *E = p->array[1], *R = p->array[2], *L = p->array[3];
    so_status status = b->widen(ctx, p->numbers, in[0], A);
    THEN(status, b->widen(ctx, p->numbers, in[1], E));
    THEN(status, b->f64->exp_jvp(ctx, method, p->n, batch, A, E, R, L));
    THEN(status, b->narrow(ctx, p->numbers, R, out[0]));
    THEN(status, b->narrow(ctx, p->numbers, L, out[1]));
    return status;
}

static so_status map(so_ctx *ctx, so_method method, int n, int64_t batch, const float *A, float *R)
{
    return in_pieces(ctx, method, 1, n, batch, (const float *[2]){A}, (float *[2]){R}, map_piece);
}

static so_status vjp(so_ctx *ctx, so_method method, int n, int64_t batch, const float *A, const float *R, const float *dR,
                     float *dA)
{
    (void)R;
    return in_pieces(ctx, method, 3, n, batch, (const float *[2]){A, dR}, (float *[2]){dA}, vjp_piece);
}

static so_status jvp(so_ctx *ctx, so_method method, int n, int64_t batch, const float *A, const float *E, float *R, float *L)
{
    return in_pieces(ctx, method, 4, n, batch, (const float *[2]){A, E}, (float *[2]){R, L}, jvp_piece);
}

/* ---- Positional encodings ----------------------------------------------------------------------------------------------- */

/* Arrays do not overlap here, so that all can be done again. */

typedef struct sizes {
    size_t square, generators, positions; /* numbers of a matrix, of a group's generators, of all positions */
} sizes;

static sizes sizes_of(const so_encoding *e)
{
    size_t square = (size_t)e->tile * (size_t)e->tile;
    return (sizes){square, (size_t)e->dims * square, (size_t)e->dims * (size_t)e->tokens};
}

/* As many groups as have a token for each of the matrices that the device works on at a time. */
static int64_t busy_groups(const so_ctx *ctx, const so_encoding *e)
{
    return (ctx->threads + e->tokens - 1) / e->tokens;
}

/* So many groups at a time with all of their tokens, or one and so many of its tokens. memory: position, generators, R. */
static so_status encode_groups(so_ctx *ctx, const so_encoding *e, int64_t groups, int64_t tokens, double *memory,
                               const float *position, const float *generator, float *R)
{
    const so_backend *b = &ctx->backend;
    sizes s = sizes_of(e);
    double *wide_position = memory, *wide_generator = wide_position + s.positions;
    double *wide_R = wide_generator + (size_t)groups * s.generators;
    so_status status = b->widen(ctx, (int64_t)s.positions, position, wide_position);
    so_encoding part = *e;
    for (int64_t g = 0; goes_on(status) && g < e->groups; g += groups) {
        part.groups = smaller(groups, e->groups - g);
        THEN(status, b->widen(ctx, part.groups * (int64_t)s.generators, generator + (size_t)g * s.generators, wide_generator));
        for (int64_t t = 0; goes_on(status) && t < e->tokens; t += tokens) {
            part.tokens = smaller(tokens, e->tokens - t);
            size_t numbers = (size_t)(part.groups * part.tokens) * s.square;
            THEN(status, b->f64->encode(ctx, &part, wide_position + t * e->dims, wide_generator, wide_R));
            THEN(status, b->narrow(ctx, (int64_t)numbers, wide_R, R + (size_t)(g * e->tokens + t) * s.square));
        }
    }
    return status;
}

static so_status encode(so_ctx *ctx, const so_encoding *e, const float *position, const float *generator, float *R)
{
    sizes s = sizes_of(e);
    pieces all = pieces_of(e->groups, s.generators + (size_t)e->tokens * s.square, busy_groups(ctx, e));
    int64_t tokens = e->tokens;
    if (all.jobs == 1) {
        pieces of_tokens = pieces_of(e->tokens, s.square, ctx->threads);
        size_t doubles = s.generators + of_tokens.doubles, least = all.doubles < PIECE_DOUBLES ? all.doubles : PIECE_DOUBLES;
        tokens = of_tokens.jobs;
        all.doubles = doubles > least ? doubles : least; /* as for smaller groups, of which there were several */
    }
    so_status status;
    do {
        void *memory;
        status = so_ctx_hold(ctx, s.positions + all.doubles, sizeof(double), &memory);
        if (status == SO_OK)
            status = encode_groups(ctx, e, all.jobs, tokens, memory, position, generator, R);
    } while (so_ctx_let_go(ctx));
    return status;
}

/* Where the arrays of encode_vjp stand. */
typedef struct encoding_arrays {
    double *position, *dposition, *sum; /* sum: of dposition over the groups */
    double *generator, *dgenerator, *R, *dR;
} encoding_arrays;

static encoding_arrays arrays_in(double *memory, sizes s, size_t groups, size_t rotations)
{
    encoding_arrays a = {.position = memory};
    a.dposition = a.position + s.positions;
    a.sum = a.dposition + s.positions;
    a.generator = a.sum + s.positions;
    a.dgenerator = a.generator + groups * s.generators;
    a.R = a.dgenerator + groups * s.generators;
    a.dR = a.R + rotations;
    return a;
}

/* The gradients of the groups first, first + 1, .. into a->dgenerator, and into or onto a->sum. */
static so_status encode_vjp_piece(so_ctx *ctx, const so_encoding *part, int64_t first, const encoding_arrays *a,
                                  int wants_position)
{
    const so_backend *b = &ctx->backend;
    double *dposition = !wants_position ? NULL : first > 0 ? a->dposition : a->sum;
    so_status status = b->f64->encode(ctx, part, a->position, a->generator, a->R);
    THEN(status, b->f64->encode_vjp(ctx, part, a->position, a->generator, a->R, a->dR, a->dgenerator, dposition));
    if (wants_position && first > 0)
        THEN(status, b->add(ctx, part->dims * part->tokens, dposition, a->sum));
    return status;
}

static so_status encode_vjp_groups(so_ctx *ctx, const so_encoding *e, int64_t groups, double *memory, const float *position,
                                   const float *generator, const float *dR, float *dgenerator, float *dposition)
{
    const so_backend *b = &ctx->backend;
    sizes s = sizes_of(e);
    size_t rotations = (size_t)e->tokens * s.square; /* of a group */
    encoding_arrays a = arrays_in(memory, s, (size_t)groups, (size_t)groups * rotations);
    so_status status = b->widen(ctx, (int64_t)s.positions, position, a.position);
    so_encoding part = *e;
    for (int64_t g = 0; goes_on(status) && g < e->groups; g += groups) {
        part.groups = smaller(groups, e->groups - g);
        int64_t generators = part.groups * (int64_t)s.generators;
        THEN(status, b->widen(ctx, generators, generator + (size_t)g * s.generators, a.generator));
        THEN(status, b->widen(ctx, part.groups * (int64_t)rotations, dR + (size_t)g * rotations, a.dR));
        THEN(status, encode_vjp_piece(ctx, &part, g, &a, dposition != NULL));
        THEN(status, b->narrow(ctx, generators, a.dgenerator, dgenerator + (size_t)g * s.generators));
    }
    if (dposition)
        THEN(status, b->narrow(ctx, (int64_t)s.positions, a.sum, dposition));
    return status;
}

static so_status encode_vjp(so_ctx *ctx, const so_encoding *e, const float *position, const float *generator, const float *R,
                            const float *dR, float *dgenerator, float *dposition)
{
    if (e->groups == 0 || e->tokens == 0) /* sums of nothing */
        return ctx->own_f32->encode_vjp(ctx, e, position, generator, R, dR, dgenerator, dposition);
    sizes s = sizes_of(e);
    pieces all = pieces_of(e->groups, 2 * (s.generators + (size_t)e->tokens * s.square), busy_groups(ctx, e));
    so_status status;
    do {
        void *memory;
        status = so_ctx_hold(ctx, 3 * s.positions + all.doubles, sizeof(double), &memory);
        if (status == SO_OK)
            status = encode_vjp_groups(ctx, e, all.jobs, memory, position, generator, dR, dgenerator, dposition);
    } while (so_ctx_let_go(ctx));
    return status;
}

so_status so_ctx_set_f64_inside(so_ctx *ctx, int on)
{
    if (!ctx)
        return SO_ENULL;
    ctx->argument = "";
    if (on && !ctx->own_f32) {
        ctx->own_f32 = ctx->backend.f32;
        ctx->f64_inside = *ctx->own_f32;
        ctx->f64_inside.exp = map;
        ctx->f64_inside.exp_vjp = vjp;
        ctx->f64_inside.exp_jvp = jvp;
        ctx->f64_inside.encode = encode;
        ctx->f64_inside.encode_vjp = encode_vjp;
        ctx->backend.f32 = &ctx->f64_inside;
    } else if (!on && ctx->own_f32) {
        ctx->backend.f32 = ctx->own_f32;
        ctx->own_f32 = NULL;
    }
    return SO_OK;
}
