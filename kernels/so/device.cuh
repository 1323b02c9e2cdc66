/* device.cuh: the inside of a CUDA context: its device, its stream, what its kernels report, and how they are launched.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_DEVICE_CUH
#define SO_KERNELS_DEVICE_CUH

#include <cuda_runtime.h>

extern "C" {
#include "../../libso/context.h"
}

/* What the matrices of a call have met. One word each in memory that the host sees: a kernel stores 1, so no atomics are needed. */
enum outcome { OUTCOME_NONFINITE, OUTCOME_REFLECTION, OUTCOME_SINGULAR, OUTCOMES };

typedef struct so_cuda {
    int device;
    cudaStream_t stream;
    int multiprocessors;
    int block_bytes;           /* shared memory that a block may have */
    volatile int *outcome;     /* OUTCOMES words, host address */
    int *device_outcome;       /* the same, device address */
    void *cublas, *cusolver;   /* of SO_PADE and SO_EIGEN, NULL until used (vendor.cuh) */
    void (*close_cublas)(void *), (*close_cusolver)(void *);
} so_cuda;

static inline so_cuda *cuda_of(const so_ctx *ctx)
{
    return (so_cuda *)ctx->device;
}

extern __shared__ __align__(128) unsigned char shared_memory[];

/* Did a call of CUDA, cuBLAS or cuSOLVER succeed (0 in all of them)? An error that is handled here must not be found later by
 * whoever shares the runtime and asks for the last one. */
template <class Status> bool succeeds(Status status)
{
    if (status != (Status)0)
        cudaGetLastError();
    return status == (Status)0;
}

/* Makes the context's device current for as long as it lives in its scope. */
struct on_device {
    int before;
    bool ok, changed;
    explicit on_device(const so_ctx *ctx)
    {
        ok = succeeds(cudaGetDevice(&before));
        changed = ok && before != cuda_of(ctx)->device;
        if (changed)
            ok = changed = succeeds(cudaSetDevice(cuda_of(ctx)->device));
    }
    ~on_device()
    {
        if (changed)
            succeeds(cudaSetDevice(before));
    }
};

/* kernel(arguments) on the context's stream, with `shared` bytes of shared memory per block; SO_ESIZE where a block of this device
 * may not have so much. */
template <class... P, class... Q>
so_status launch(const so_ctx *ctx, void (*kernel)(P...), unsigned blocks, unsigned threads, size_t shared, Q... arguments)
{
    on_device here(ctx);
    if (!here.ok)
        return SO_EDEVICE;
    if (shared > (size_t)cuda_of(ctx)->block_bytes)
        return SO_ESIZE;
    /* All that a block may have, not `shared`: the limit is the kernel's, in whatever context and graph it is launched. */
    if (shared > 48 * 1024 && !succeeds(cudaFuncSetAttribute((const void *)kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                                             cuda_of(ctx)->block_bytes)))
        return SO_EDEVICE;
    cudaLaunchConfig_t configuration = {};
    configuration.gridDim = dim3(blocks, 1, 1);
    configuration.blockDim = dim3(threads, 1, 1);
    configuration.dynamicSmemBytes = shared;
    configuration.stream = cuda_of(ctx)->stream;
    return succeeds(cudaLaunchKernelEx(&configuration, kernel, (P)arguments...)) ? SO_OK : SO_EDEVICE;
}

/* Blocks for so many jobs; a kernel goes on with job + gridDim.x until all are done. */
static inline unsigned blocks_for(int64_t jobs)
{
    return jobs < 0x7fffffff ? (unsigned)jobs : 0x7fffffffu;
}

#endif
