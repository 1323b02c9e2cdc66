/* f64_inside.c: the f32 table of a context whose exponentials compute in f64: a piece of the batch is widened into the workspace,
 * goes through the backend's f64 table, and is rounded once.
 *
 * Derivatives compute their rotation again: that of the caller has been rounded to f32.
 * SPDX-License-Identifier: MIT */
#include "context.h"

enum { PIECE_DOUBLES = 4 << 20 }; /* of all arrays of a piece together, unless one matrix takes more */

/* How many jobs of so many doubles make a piece. */
static int64_t jobs_in_piece(int64_t doubles, int64_t jobs)
{
    int64_t most = PIECE_DOUBLES / doubles;
    return most < 1 ? 1 : most < jobs ? most : jobs;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
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

/* status <- join(status, call), unless an earlier call stopped. */
#define THEN(status, call)                                                                                                      \
    do {                                                                                                                        \
        if (goes_on(status)) {                                                                                                  \
            so_status then = (call);                                                                                            \
            status = goes_on(then) ? join(status, then) : then;                                                                 \
        }                                                                                                                       \
    } while (0)

/* ---- Maps -------------------------------------------------------------------------------------------------------------------- */

/* Up to ARRAYS matrices of each job in f64, one after the other. */
enum { ARRAYS = 4 };

typedef struct piece {
    int n;
    int64_t numbers; /* of an array */
    double *array[ARRAYS];
} piece;

typedef so_status work(so_ctx *ctx, so_method method, const piece *p, int64_t batch, const float *const *in, float *const *out);

/* Runs `of_piece` on all pieces of the batch, on `in` and `out` moved along. The first piece is the largest: if it needs no more
 * workspace, or has failed before it wrote anything, so do the others; and it may be done again, though out may be in. */
static so_status in_pieces(so_ctx *ctx, so_method method, int arrays, int n, int64_t batch, const float *const in[2],
                           float *const out[2], work *of_piece)
{
    int64_t size = (int64_t)n * n, most = jobs_in_piece(arrays * size, batch);
    so_status status;
    do {
        void *memory;
        status = so_ctx_hold(ctx, (size_t)(arrays * most), (size_t)size * sizeof(double), &memory);
        for (int64_t first = 0; goes_on(status) && first < batch; first += most) {
            int64_t count = smaller(most, batch - first), at = first * size;
            piece p = {n, count * size, {0}};
            for (int k = 0; k < arrays; k++)
                p.array[k] = (double *)memory + k * count * size;
            const float *from[2] = {in[0] + at, in[1] ? in[1] + at : NULL};
            float *to[2] = {out[0] + at, out[1] ? out[1] + at : NULL};
            THEN(status, of_piece(ctx, method, &p, count, from, to));
        }
    } while (so_ctx_let_go(ctx));
    return status;
}

static so_status map_piece(so_ctx *ctx, so_method method, const piece *p, int64_t batch, const float *const *in, float *const *out)
{
    const so_backend *b = &ctx->backend;
    double *A = p->array[0];
    so_status status = b->widen(ctx, p->numbers, in[0], A);
    THEN(status, b->f64->exp(ctx, method, p->n, batch, A, A));
    THEN(status, b->narrow(ctx, p->numbers, A, out[0]));
    return status;
}

static so_status vjp_piece(so_ctx *ctx, so_method method, const piece *p, int64_t batch, const float *const *in, float *const *out)
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

static so_status jvp_piece(so_ctx *ctx, so_method method, const piece *p, int64_t batch, const float *const *in, float *const *out)
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

static so_status vjp(so_ctx *ctx, so_method method, int n, int64_t batch, const float *A, const float *R, const float *dR, float *dA)
{
    (void)R;
    return in_pieces(ctx, method, 3, n, batch, (const float *[2]){A, dR}, (float *[2]){dA}, vjp_piece);
}

static so_status jvp(so_ctx *ctx, so_method method, int n, int64_t batch, const float *A, const float *E, float *R, float *L)
{
    return in_pieces(ctx, method, 4, n, batch, (const float *[2]){A, E}, (float *[2]){R, L}, jvp_piece);
}

/* ---- Positional encodings ----------------------------------------------------------------------------------------------------- */

/* So many groups at a time with all of their tokens, or of one group so many tokens. */
typedef struct stretch {
    int64_t groups, tokens;
} stretch;

static so_status encode(so_ctx *ctx, const so_encoding *e, const float *position, const float *generator, float *R)
{
    const so_backend *b = &ctx->backend;
    int64_t size = (int64_t)e->tile * e->tile, generators = e->dims * size, positions = e->dims * e->tokens;
    stretch at_once = {jobs_in_piece(generators + e->tokens * size, e->groups), e->tokens};
    if (at_once.groups == 1)
        at_once.tokens = jobs_in_piece(size, e->tokens);
    so_status status;
    do {
        void *memory;
        status = so_ctx_hold(ctx, (size_t)(positions + at_once.groups * (generators + at_once.tokens * size)), sizeof(double), &memory);
        double *wide_position = memory, *wide_generator = wide_position + positions;
        double *wide_R = wide_generator + at_once.groups * generators;
        THEN(status, b->widen(ctx, positions, position, wide_position));
        for (int64_t g = 0; goes_on(status) && g < e->groups; g += at_once.groups) {
            so_encoding part = *e;
            part.groups = smaller(at_once.groups, e->groups - g);
            THEN(status, b->widen(ctx, part.groups * generators, generator + g * generators, wide_generator));
            for (int64_t t = 0; goes_on(status) && t < e->tokens; t += at_once.tokens) {
                part.tokens = smaller(at_once.tokens, e->tokens - t);
                THEN(status, b->f64->encode(ctx, &part, wide_position + t * e->dims, wide_generator, wide_R));
                THEN(status, b->narrow(ctx, part.groups * part.tokens * size, wide_R, R + (g * e->tokens + t) * size));
            }
        }
    } while (so_ctx_let_go(ctx));
    return status;
}

/* Where the arrays of encode_vjp stand. */
typedef struct encoding_arrays {
    double *position, *dposition, *sum; /* sum: of dposition over the groups */
    double *generator, *dgenerator, *R, *dR;
} encoding_arrays;

/* The gradients of the groups first, first + 1, .. into a->dgenerator, and into or onto a->sum. */
static so_status encode_vjp_piece(so_ctx *ctx, const so_encoding *part, int64_t first, const encoding_arrays *a, int wants_position)
{
    const so_backend *b = &ctx->backend;
    double *dposition = !wants_position ? NULL : first > 0 ? a->dposition : a->sum;
    so_status status = b->f64->encode(ctx, part, a->position, a->generator, a->R);
    THEN(status, b->f64->encode_vjp(ctx, part, a->position, a->generator, a->R, a->dR, a->dgenerator, dposition));
    if (wants_position && first > 0)
        THEN(status, b->add(ctx, part->dims * part->tokens, dposition, a->sum));
    return status;
}

static so_status encode_vjp(so_ctx *ctx, const so_encoding *e, const float *position, const float *generator, const float *R,
                            const float *dR, float *dgenerator, float *dposition)
{
    const so_backend *b = &ctx->backend;
    int64_t size = (int64_t)e->tile * e->tile, generators = e->dims * size, positions = e->dims * e->tokens;
    if (e->groups == 0 || e->tokens == 0) /* sums of nothing */
        return ctx->own_f32->encode_vjp(ctx, e, position, generator, R, dR, dgenerator, dposition);
    int64_t most = jobs_in_piece(2 * (generators + e->tokens * size), e->groups), all = most * e->tokens * size;
    so_status status;
    do {
        void *memory;
        status = so_ctx_hold(ctx, (size_t)(3 * positions + 2 * most * generators + 2 * all), sizeof(double), &memory);
        encoding_arrays a = {.position = memory};
        a.dposition = a.position + positions;
        a.sum = a.dposition + positions;
        a.generator = a.sum + positions;
        a.dgenerator = a.generator + most * generators;
        a.R = a.dgenerator + most * generators;
        a.dR = a.R + all;
        THEN(status, b->widen(ctx, positions, position, a.position));
        for (int64_t g = 0; goes_on(status) && g < e->groups; g += most) {
            so_encoding part = *e;
            part.groups = smaller(most, e->groups - g);
            THEN(status, b->widen(ctx, part.groups * generators, generator + g * generators, a.generator));
            THEN(status, b->widen(ctx, part.groups * e->tokens * size, dR + g * e->tokens * size, a.dR));
            THEN(status, encode_vjp_piece(ctx, &part, g, &a, dposition != NULL));
            THEN(status, b->narrow(ctx, part.groups * generators, a.dgenerator, dgenerator + g * generators));
        }
        if (dposition)
            THEN(status, b->narrow(ctx, positions, a.sum, dposition));
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
