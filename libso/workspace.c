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

so_status so_ctx_reserve(so_ctx *ctx, size_t count, size_t bytes, void **memory)
{
    if (__builtin_mul_overflow(count, bytes, &bytes) || bytes > PTRDIFF_MAX)
        return SO_ENOMEM;
    if (bytes > ctx->workspace_bytes) {
        if (ctx->workspace_is_callers)
            return SO_EWORKSPACE;
        void *larger = ctx->backend.allocate(ctx, bytes);
        if (!larger)
            return SO_ENOMEM;
        so_ctx_release(ctx);
        ctx->workspace = larger;
        ctx->workspace_bytes = bytes;
    }
    *memory = ctx->workspace;
    return SO_OK;
}
