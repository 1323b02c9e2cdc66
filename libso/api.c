/* api.c: the public functions: check the arguments, call the backend.
 * SPDX-License-Identifier: MIT */
#include "context.h"
#include "real.h"

#if defined(SO_REAL_f32)
#define BACKEND (ctx->backend.f32)
#else
#define BACKEND (ctx->backend.f64)
#endif

/* Bounds under which no size of a workspace overflows, and LAPACK's 32-bit sizes suffice. */
enum { LARGEST_ORDER = 16384, LARGEST_DIMS = 64 };

static so_status refuse(so_ctx *ctx, const char *argument, so_status status)
{
    ctx->argument = argument;
    return status;
}

/* size * factor, or -1 if that exceeds what a pointer can address in reals, or if an operand is negative. */
static int64_t times(int64_t size, int64_t factor)
{
    int64_t result;
    if (size < 0 || factor < 0 || __builtin_mul_overflow(size, factor, &result) || result > PTRDIFF_MAX / (int64_t)sizeof(real))
        return -1;
    return result;
}

static so_status check_batch(so_ctx *ctx, int n, int64_t batch)
{
    if (n < 0 || n > LARGEST_ORDER)
        return refuse(ctx, "n", SO_ESIZE);
    if (times(times(n, n), batch) < 0)
        return refuse(ctx, "batch", SO_ESIZE);
    return SO_OK;
}

#define REQUIRE_CONTEXT()                                                                                                       \
    do {                                                                                                                        \
        if (!ctx)                                                                                                               \
            return SO_ENULL;                                                                                                    \
        ctx->argument = "";                                                                                                     \
    } while (0)
#define REQUIRE(pointer)                                                                                                        \
    do {                                                                                                                        \
        if (!(pointer))                                                                                                         \
            return refuse(ctx, #pointer, SO_ENULL);                                                                             \
    } while (0)
#define REQUIRE_METHOD()                                                                                                        \
    do {                                                                                                                        \
        if ((unsigned)method > SO_CAYLEY)                                                                                       \
            return refuse(ctx, "method", SO_EMETHOD);                                                                           \
    } while (0)
/* Checks the sizes; returns from the calling function if they are wrong or if there is nothing to do. */
#define REQUIRE_BATCH()                                                                                                         \
    do {                                                                                                                        \
        so_status size_status = check_batch(ctx, n, batch);                                                                     \
        if (size_status != SO_OK || n == 0 || batch == 0)                                                                       \
            return size_status;                                                                                                 \
    } while (0)

so_status SO_(so_exp)(so_ctx *ctx, so_method method, int n, int64_t batch, const real *A, real *R)
{
    REQUIRE_CONTEXT();
    REQUIRE_METHOD();
    REQUIRE_BATCH();
    REQUIRE(A);
    REQUIRE(R);
    return BACKEND->exp(ctx, method, n, batch, A, R);
}

so_status SO_(so_exp_vjp)(so_ctx *ctx, so_method method, int n, int64_t batch, const real *A, const real *R, const real *dR,
                          real *dA)
{
    REQUIRE_CONTEXT();
    REQUIRE_METHOD();
    REQUIRE_BATCH();
    REQUIRE(A);
    REQUIRE(R);
    REQUIRE(dR);
    REQUIRE(dA);
    return BACKEND->exp_vjp(ctx, method, n, batch, A, R, dR, dA);
}

so_status SO_(so_exp_jvp)(so_ctx *ctx, so_method method, int n, int64_t batch, const real *A, const real *E, real *R, real *L)
{
    REQUIRE_CONTEXT();
    REQUIRE_METHOD();
    REQUIRE_BATCH();
    REQUIRE(A);
    REQUIRE(E);
    REQUIRE(R);
    REQUIRE(L);
    return BACKEND->exp_jvp(ctx, method, n, batch, A, E, R, L);
}

so_status SO_(so_cayley)(so_ctx *ctx, int n, int64_t batch, const real *A, real *R)
{
    return SO_(so_exp)(ctx, SO_CAYLEY, n, batch, A, R);
}

so_status SO_(so_cayley_vjp)(so_ctx *ctx, int n, int64_t batch, const real *A, const real *R, const real *dR, real *dA)
{
    return SO_(so_exp_vjp)(ctx, SO_CAYLEY, n, batch, A, R, dR, dA);
}

so_status SO_(so_cayley_jvp)(so_ctx *ctx, int n, int64_t batch, const real *A, const real *E, real *R, real *L)
{
    return SO_(so_exp_jvp)(ctx, SO_CAYLEY, n, batch, A, E, R, L);
}

so_status SO_(so_log)(so_ctx *ctx, int n, int64_t batch, const real *R, real *A)
{
    REQUIRE_CONTEXT();
    REQUIRE_BATCH();
    REQUIRE(R);
    REQUIRE(A);
    return BACKEND->log(ctx, n, batch, R, A);
}

so_status SO_(so_log_vjp)(so_ctx *ctx, int n, int64_t batch, const real *R, const real *A, const real *dA, real *dR)
{
    REQUIRE_CONTEXT();
    REQUIRE_BATCH();
    REQUIRE(R);
    REQUIRE(A);
    REQUIRE(dA);
    REQUIRE(dR);
    return BACKEND->log_vjp(ctx, n, batch, R, A, dA, dR);
}

so_status SO_(so_cayley_inverse)(so_ctx *ctx, int n, int64_t batch, const real *R, real *A)
{
    REQUIRE_CONTEXT();
    REQUIRE_BATCH();
    REQUIRE(R);
    REQUIRE(A);
    return BACKEND->cayley_inverse(ctx, n, batch, R, A);
}

so_status SO_(so_cayley_inverse_vjp)(so_ctx *ctx, int n, int64_t batch, const real *A, const real *dA, real *dR)
{
    REQUIRE_CONTEXT();
    REQUIRE_BATCH();
    REQUIRE(A);
    REQUIRE(dA);
    REQUIRE(dR);
    return BACKEND->cayley_inverse_vjp(ctx, n, batch, A, dA, dR);
}

so_status SO_(so_pack)(so_ctx *ctx, int n, int64_t batch, const real *A, real *p)
{
    REQUIRE_CONTEXT();
    REQUIRE_BATCH();
    REQUIRE(A);
    if (n > 1)
        REQUIRE(p);
    return BACKEND->pack(ctx, n, batch, A, p);
}

so_status SO_(so_unpack)(so_ctx *ctx, int n, int64_t batch, const real *p, real *A)
{
    REQUIRE_CONTEXT();
    REQUIRE_BATCH();
    if (n > 1)
        REQUIRE(p);
    REQUIRE(A);
    return BACKEND->unpack(ctx, n, batch, p, A);
}

so_status SO_(so_orthogonality)(so_ctx *ctx, int n, int64_t batch, const real *R, real *defect)
{
    REQUIRE_CONTEXT();
    REQUIRE_BATCH();
    REQUIRE(R);
    REQUIRE(defect);
    return BACKEND->orthogonality(ctx, n, batch, R, defect);
}

so_status SO_(so_project)(so_ctx *ctx, int n, int64_t batch, real *R)
{
    REQUIRE_CONTEXT();
    REQUIRE_BATCH();
    REQUIRE(R);
    return BACKEND->project(ctx, n, batch, R);
}

so_status SO_(so_project_vjp)(so_ctx *ctx, int n, int64_t batch, const real *X, const real *dR, real *dX)
{
    REQUIRE_CONTEXT();
    REQUIRE_BATCH();
    REQUIRE(X);
    REQUIRE(dR);
    REQUIRE(dX);
    return BACKEND->project_vjp(ctx, n, batch, X, dR, dX);
}

/* Sizes of an encoding; *empty tells that there is nothing to do. */
static so_status check_encoding(so_ctx *ctx, const so_encoding *encoding, int *empty)
{
    REQUIRE(encoding);
    so_method method = encoding->method;
    REQUIRE_METHOD();
    if (encoding->dims < 1 || encoding->dims > LARGEST_DIMS)
        return refuse(ctx, "encoding->dims", SO_ESIZE);
    if (encoding->tile < 1 || encoding->tile > LARGEST_ORDER)
        return refuse(ctx, "encoding->tile", SO_ESIZE);
    int64_t matrix = times(encoding->tile, encoding->tile);
    if (encoding->groups < 0 || times(times(matrix, encoding->dims), encoding->groups) < 0)
        return refuse(ctx, "encoding->groups", SO_ESIZE);
    if (encoding->tokens < 0 || times(times(matrix, encoding->groups), encoding->tokens) < 0 ||
        times(times(encoding->groups, encoding->dims), encoding->tokens) < 0)
        return refuse(ctx, "encoding->tokens", SO_ESIZE);
    *empty = encoding->groups == 0 || encoding->tokens == 0;
    return SO_OK;
}

so_status SO_(so_encode)(so_ctx *ctx, const so_encoding *encoding, const real *position, const real *generator, real *R)
{
    REQUIRE_CONTEXT();
    int empty = 0;
    so_status status = check_encoding(ctx, encoding, &empty);
    if (status != SO_OK || empty)
        return status;
    REQUIRE(position);
    REQUIRE(generator);
    REQUIRE(R);
    return BACKEND->encode(ctx, encoding, position, generator, R);
}

so_status SO_(so_encode_vjp)(so_ctx *ctx, const so_encoding *encoding, const real *position, const real *generator, const real *R,
                             const real *dR, real *dgenerator, real *dposition)
{
    REQUIRE_CONTEXT();
    int empty = 0;
    so_status status = check_encoding(ctx, encoding, &empty);
    if (status != SO_OK)
        return status;
    /* Without tokens the gradient for the generators is zero, without groups that for the positions: the backend's task. */
    if (encoding->tokens > 0)
        REQUIRE(position);
    if (encoding->groups > 0)
        REQUIRE(generator);
    if (!empty) {
        REQUIRE(R);
        REQUIRE(dR);
    }
    if (encoding->groups > 0)
        REQUIRE(dgenerator);
    return BACKEND->encode_vjp(ctx, encoding, position, generator, R, dR, dgenerator, dposition);
}

static so_status check_rotation(so_ctx *ctx, const so_rotation *rotation, int *empty)
{
    REQUIRE(rotation);
    if (rotation->tile < 1 || rotation->tile > LARGEST_ORDER)
        return refuse(ctx, "rotation->tile", SO_ESIZE);
    if (rotation->samples < 0)
        return refuse(ctx, "rotation->samples", SO_ESIZE);
    if (rotation->groups < 0 || times(rotation->groups, rotation->tile) < 0)
        return refuse(ctx, "rotation->groups", SO_ESIZE);
    if (rotation->rotations < (rotation->groups > 0) || (rotation->rotations > 0 && rotation->groups % rotation->rotations))
        return refuse(ctx, "rotation->rotations", SO_ESIZE);
    if (rotation->tokens < 0 || times(times(times(rotation->tile, rotation->tile), rotation->rotations), rotation->tokens) < 0)
        return refuse(ctx, "rotation->tokens", SO_ESIZE);
    if (rotation->token_stride < rotation->groups * rotation->tile || times(rotation->token_stride, rotation->tokens) < 0)
        return refuse(ctx, "rotation->token_stride", SO_ESIZE);
    if (times(rotation->sample_stride, rotation->samples) < 0)
        return refuse(ctx, "rotation->sample_stride", SO_ESIZE);
    *empty = rotation->samples == 0 || rotation->tokens == 0 || rotation->groups == 0;
    return SO_OK;
}

#define REQUIRE_ROTATION()                                                                                                      \
    do {                                                                                                                        \
        int empty = 0;                                                                                                          \
        so_status size_status = check_rotation(ctx, rotation, &empty);                                                          \
        if (size_status != SO_OK || empty)                                                                                      \
            return size_status;                                                                                                 \
    } while (0)

/* The public function `name`, by the backend's `function`. */
#define ROTATE(name, function, real, vector)                                                                                    \
    so_status name(so_ctx *ctx, const so_rotation *rotation, const real *R, const vector *x, vector *y)                         \
    {                                                                                                                           \
        REQUIRE_CONTEXT();                                                                                                      \
        REQUIRE_ROTATION();                                                                                                     \
        REQUIRE(R);                                                                                                             \
        REQUIRE(x);                                                                                                             \
        REQUIRE(y);                                                                                                             \
        return BACKEND->function(ctx, rotation, R, x, y);                                                                       \
    }

#define ROTATE_VJP(name, function, real, vector)                                                                                \
    so_status name(so_ctx *ctx, const so_rotation *rotation, const real *R, const vector *x, const vector *dy, vector *dx,      \
                   real *dR)                                                                                                    \
    {                                                                                                                           \
        REQUIRE_CONTEXT();                                                                                                      \
        REQUIRE_ROTATION();                                                                                                     \
        REQUIRE(R);                                                                                                             \
        if (dR)                                                                                                                 \
            REQUIRE(x);                                                                                                         \
        REQUIRE(dy);                                                                                                            \
        REQUIRE(dx);                                                                                                            \
        return BACKEND->function(ctx, rotation, R, x, dy, dx, dR);                                                              \
    }

ROTATE(SO_(so_rotate), rotate, real, real)
ROTATE_VJP(SO_(so_rotate_vjp), rotate_vjp, real, real)
#if defined(SO_REAL_f32)
ROTATE(so_rotate_bf16, rotate_bf16, float, so_bf16)
ROTATE_VJP(so_rotate_vjp_bf16, rotate_vjp_bf16, float, so_bf16)
#endif
