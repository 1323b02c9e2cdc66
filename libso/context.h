/* context.h: the inside of a context.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CONTEXT_H
#define SO_CONTEXT_H

#include "backend.h"

enum { CTX_HOLDS = 2 };

struct so_ctx {
    so_backend backend;
    const so_backend_f32 *own_f32; /* the backend's, while backend.f32 is f64_inside; else NULL */
    so_backend_f32 f64_inside;
    void *device;         /* the backend's own state, or NULL */
    int threads;          /* >= 1; matrices that the device works on at a time: threads, or multiprocessors */
    void *workspace;      /* NULL while nothing was needed */
    size_t workspace_bytes;
    int workspace_is_callers;
    size_t held[CTX_HOLDS + 1]; /* bytes at the front of the workspace that the first 0, 1, .. so_ctx_hold gave out */
    int holds;            /* so_ctx_hold without so_ctx_let_go */
    size_t wanted;        /* bytes, held ones included, for which there was no room while some were held */
    const char *argument; /* what the last failing call refused */
};

/* At least count * bytes of 64-byte aligned scratch memory, valid until the next call of this function on ctx.
 * SO_OK, SO_ENOMEM (also if the product overflows) or SO_EWORKSPACE. */
so_status so_ctx_reserve(so_ctx *ctx, size_t count, size_t bytes, void **memory);

/* For a function that calls others which need scratch memory too: as so_ctx_reserve, but the memory stays its own until
 * so_ctx_let_go, and what is reserved meanwhile comes behind it. The workspace cannot grow meanwhile: a reservation that does not fit
 * returns SO_ENOMEM, and so_ctx_let_go then returns 1: all is to be done again from so_ctx_hold on, which makes room for both. A
 * function that was called so may hold memory too, at most CTX_HOLDS deep: its so_ctx_let_go returns 0, its caller's 1. */
so_status so_ctx_hold(so_ctx *ctx, size_t count, size_t bytes, void **memory);
int so_ctx_let_go(so_ctx *ctx);

/* Gives up the workspace, to its owner or to the system. */
void so_ctx_release(so_ctx *ctx);

#endif
