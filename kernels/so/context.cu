/* context.cu: life of a context on a CUDA device.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "../../libso/so_cuda.h"
#include "device.cuh"
#include "table.cuh"

static void *allocate(so_ctx *ctx, size_t bytes)
{
    void *memory = NULL;
    on_device here(ctx);
    return here.ok && succeeds(cudaMalloc(&memory, bytes ? bytes : 1)) ? memory : NULL;
}

static void release(so_ctx *ctx, void *memory)
{
    on_device here(ctx);
    succeeds(cudaStreamSynchronize(cuda_of(ctx)->stream)); /* kernels may still use it, for which cudaFree is not bound to wait */
    succeeds(cudaFree(memory));
}

static so_status status(so_ctx *ctx)
{
    static const so_status status_of[OUTCOMES] = {SO_ENONFINITE, SO_EREFLECTION, SO_ESINGULAR};
    so_status first = SO_OK;
    for (int k = OUTCOMES - 1; k >= 0; k--)
        if (cuda_of(ctx)->outcome[k]) { /* else not written: a kernel may be about to */
            first = status_of[k];
            cuda_of(ctx)->outcome[k] = 0;
        }
    return first;
}

static void destroy(so_ctx *ctx)
{
    on_device here(ctx);
    so_cuda *d = cuda_of(ctx);
    if (d->cusolver)
        d->close_cusolver(d->cusolver);
    if (d->cublas)
        d->close_cublas(d->cublas);
    succeeds(cudaFreeHost((void *)d->outcome));
    free(ctx->device);
}

/* The fields of d for a device that exists. */
static so_status open_device(so_cuda *d)
{
    void *outcome = NULL, *on_the_device = NULL;
    if (!succeeds(cudaDeviceGetAttribute(&d->multiprocessors, cudaDevAttrMultiProcessorCount, d->device)) ||
        !succeeds(cudaDeviceGetAttribute(&d->block_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, d->device)))
        return SO_EDEVICE;
    if (!succeeds(cudaHostAlloc(&outcome, OUTCOMES * sizeof(int), cudaHostAllocMapped)))
        return SO_ENOMEM;
    if (!succeeds(cudaHostGetDevicePointer(&on_the_device, outcome, 0))) {
        succeeds(cudaFreeHost(outcome));
        return SO_EDEVICE;
    }
    d->outcome = (volatile int *)outcome;
    d->device_outcome = (int *)on_the_device;
    for (int k = 0; k < OUTCOMES; k++)
        d->outcome[k] = 0;
    return SO_OK;
}

extern "C" so_status so_ctx_create_cuda(so_ctx **ctx, int device, void *stream)
{
    int devices = 0;
    if (!ctx)
        return SO_ENULL;
    *ctx = NULL;
    if (!succeeds(cudaGetDeviceCount(&devices)))
        return SO_EDEVICE;
    if (device < 0 || device >= devices)
        return SO_ESIZE;
    so_ctx *c = (so_ctx *)calloc(1, sizeof *c);
    so_cuda *d = (so_cuda *)calloc(1, sizeof *d);
    if (!c || !d) {
        free(c);
        free(d);
        return SO_ENOMEM;
    }
    d->device = device;
    d->stream = (cudaStream_t)stream;
    c->device = d;
    c->argument = "";
    c->backend.f32 = &so_cuda_f32;
    c->backend.f64 = &so_cuda_f64;
    c->backend.allocate = allocate;
    c->backend.release = release;
    c->backend.status = status;
    c->backend.destroy = destroy;
    c->backend.widen = so_cuda_widen;
    c->backend.narrow = so_cuda_narrow;
    c->backend.add = so_cuda_add;
    so_status opened;
    {
        on_device here(c);
        opened = here.ok ? open_device(d) : SO_EDEVICE;
    }
    c->threads = d->multiprocessors;
    if (opened != SO_OK) {
        free(d);
        free(c);
        return opened;
    }
    *ctx = c;
    return SO_OK;
}
