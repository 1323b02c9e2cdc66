/* context.c: life of a context, and the texts of the statuses.
 * SPDX-License-Identifier: MIT */
#include "context.h"

#include <omp.h>
#include <stdlib.h>

#include "backend_cpu.h"

const char *so_status_string(so_status status)
{
    switch (status) {
    case SO_OK:
        return "success";
    case SO_ENULL:
        return "a required pointer is NULL";
    case SO_ESIZE:
        return "a size is negative, out of range or too large";
    case SO_EMETHOD:
        return "unknown method, or one whose library is not installed";
    case SO_ENONFINITE:
        return "a matrix holds NaN or Inf; its results are NaN, all others are valid";
    case SO_ESINGULAR:
        return "the result is not unique or does not exist for a matrix; its results are NaN, all others are valid";
    case SO_EREFLECTION:
        return "a matrix has a negative determinant; its results are NaN, all others are valid";
    case SO_ENOMEM:
        return "out of memory for the workspace";
    case SO_EWORKSPACE:
        return "the caller's workspace is too small";
    case SO_EDEVICE:
        return "the device failed";
    case SO_EISA:
        return "SO_ISA names an instruction set that this machine or this build lacks";
    }
    return "unknown status";
}

so_status so_ctx_create_cpu(so_ctx **ctx, int threads)
{
    if (!ctx)
        return SO_ENULL;
    *ctx = NULL;
    if (threads < 0 || threads > 1024)
        return SO_ESIZE;
    so_ctx *c = calloc(1, sizeof *c);
    if (!c)
        return SO_ENOMEM;
    so_status status = so_backend_cpu(&c->backend);
    if (status != SO_OK) {
        free(c);
        return status;
    }
    c->threads = threads ? threads : omp_get_num_procs();
    c->argument = "";
    *ctx = c;
    return SO_OK;
}

void so_ctx_destroy(so_ctx *ctx)
{
    if (!ctx)
        return;
    so_ctx_release(ctx);
    if (ctx->backend.destroy)
        ctx->backend.destroy(ctx);
    free(ctx);
}

const char *so_ctx_argument(const so_ctx *ctx)
{
    return ctx ? ctx->argument : "ctx";
}

so_status so_ctx_status(so_ctx *ctx)
{
    if (!ctx)
        return SO_ENULL;
    return ctx->backend.status ? ctx->backend.status(ctx) : SO_OK;
}

size_t so_workspace_bytes(const so_ctx *ctx)
{
    return ctx ? ctx->workspace_bytes : 0;
}

so_status so_ctx_set_workspace(so_ctx *ctx, void *memory, size_t bytes)
{
    if (!ctx)
        return SO_ENULL;
    if (!memory && bytes) {
        ctx->argument = "memory";
        return SO_ENULL;
    }
    if ((uintptr_t)memory % 64) {
        ctx->argument = "memory";
        return SO_ESIZE;
    }
    ctx->argument = "";
    so_ctx_release(ctx);
    if (memory) {
        ctx->workspace = memory;
        ctx->workspace_bytes = bytes;
        ctx->workspace_is_callers = 1;
    }
    return SO_OK;
}
