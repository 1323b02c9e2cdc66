/* context.h: the inside of a context.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CONTEXT_H
#define SO_CONTEXT_H

#include "backend.h"

struct so_ctx {
    so_backend backend;
    void *device;         /* the backend's own state, or NULL */
    int threads;          /* >= 1; of the CPU backend */
    void *workspace;      /* NULL while nothing was needed */
    size_t workspace_bytes;
    int workspace_is_callers;
    const char *argument; /* what the last failing call refused */
};

/* At least count * bytes of 64-byte aligned scratch memory, valid until the next call of this function on ctx.
 * SO_OK, SO_ENOMEM (also if the product overflows) or SO_EWORKSPACE. */
so_status so_ctx_reserve(so_ctx *ctx, size_t count, size_t bytes, void **memory);

/* Gives up the workspace, to its owner or to the system. */
void so_ctx_release(so_ctx *ctx);

#endif
