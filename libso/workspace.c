/* workspace.c: the workspace of a context: grows once, is then reused. Every backend's library has a copy of this file.
 * SPDX-License-Identifier: MIT */
#include "context.h"

void so_ctx_release(so_ctx *ctx)
{
    if (ctx->workspace && !ctx->workspace_is_callers)
        ctx->backend.release(ctx, ctx->workspace);
    ctx->workspace = NULL;
    ctx->workspace_bytes = 0;
    ctx->workspace_is_callers = 0;
}

static size_t held(const so_ctx *ctx)
{
    return ctx->held[ctx->holds];
}

so_status so_ctx_reserve(so_ctx *ctx, size_t count, size_t bytes, void **memory)
{
    if (__builtin_mul_overflow(count, bytes, &bytes) || bytes > PTRDIFF_MAX - held(ctx))
        return SO_ENOMEM;
    bytes += held(ctx);
    if (bytes > ctx->workspace_bytes) {
        if (ctx->workspace_is_callers)
            return SO_EWORKSPACE;
        if (ctx->holds > 0) {
            ctx->wanted = bytes;
            return SO_ENOMEM;
        }
        void *larger = ctx->backend.allocate(ctx, bytes);
        if (!larger)
            return SO_ENOMEM;
        so_ctx_release(ctx);
        ctx->workspace = larger;
        ctx->workspace_bytes = bytes;
    }
    *memory = (char *)ctx->workspace + held(ctx);
    return SO_OK;
}

so_status so_ctx_hold(so_ctx *ctx, size_t count, size_t bytes, void **memory)
{
    size_t wanted = ctx->wanted, before = held(ctx);
    so_status status = SO_ENOMEM;
    ctx->wanted = 0;
    if (!__builtin_mul_overflow(count, bytes, &bytes) && bytes <= PTRDIFF_MAX - 63) {
        bytes = (bytes + 63) / 64 * 64;
        status = so_ctx_reserve(ctx, 1, bytes > wanted ? bytes : wanted, memory);
    }
    ctx->held[++ctx->holds] = status == SO_OK ? before + bytes : before;
    return status;
}

int so_ctx_let_go(so_ctx *ctx)
{
    ctx->holds--;
    return ctx->holds == 0 && ctx->wanted > 0;
}
