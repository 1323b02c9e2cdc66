/* device.cu: see device.h.
 * SPDX-License-Identifier: MIT */
#include "device.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void gpu_check(cudaError_t error, const char *call)
{
    if (error == cudaSuccess)
        return;
    fprintf(stderr, "gpu_sweep: %s: %s\n", call, cudaGetErrorString(error));
    exit(EXIT_FAILURE);
}

/* ---- timing ---- */

static double timing_us(void (*work)(void *data, long k), void *data, long first, int calls, cudaEvent_t *event)
{
    float milliseconds;
    GPU(cudaEventRecord(event[0]));
    for (int k = 0; k < calls; k++)
        work(data, first + k);
    GPU(cudaEventRecord(event[1]));
    GPU(cudaEventSynchronize(event[1]));
    GPU(cudaEventElapsedTime(&milliseconds, event[0], event[1]));
    return 1e3 * (double)milliseconds / calls;
}

gpu_times gpu_time(void (*work)(void *data, long k), void *data, int most, double seconds)
{
    enum { MOST = 1000 };
    static double us[MOST];
    gpu_times t = {};
    cudaEvent_t event[2];
    GPU(cudaEventCreate(&event[0]));
    GPU(cudaEventCreate(&event[1]));
    double once = timing_us(work, data, 0, 1, event);
    t.warmup = 1;
    for (; t.warmup < 4 && once * t.warmup < 5e4; t.warmup++) /* a call of tenths of a second needs no more */
        once = timing_us(work, data, t.warmup, 1, event);
    t.calls = once >= 1000 ? 1 : once <= 1 ? 1000 : (int)ceil(1000 / once);
    double start = sweep_now();
    for (long k = t.warmup; t.repetitions < most && t.repetitions < MOST && (t.repetitions < 3 || sweep_now() - start < seconds);
         k += t.calls)
        us[t.repetitions++] = timing_us(work, data, k, t.calls, event);
    t.median_us = sweep_median(us, t.repetitions); /* sorts */
    t.min_us = us[0];
    GPU(cudaEventDestroy(event[0]));
    GPU(cudaEventDestroy(event[1]));
    return t;
}

/* ---- what the device can do at most ---- */

static __global__ void copy_kernel(size_t count, const float4 *from, float4 *to)
{
    for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < count; i += (size_t)gridDim.x * blockDim.x)
        to[i] = from[i];
}

enum { CHAINS = 8, STEPS = 1024 };

template <class real> static __global__ void fma_kernel(real factor, real *out)
{
    real x[CHAINS];
#pragma unroll
    for (int c = 0; c < CHAINS; c++)
        x[c] = (real)(threadIdx.x + c);
#pragma unroll 32 /* 256 multiply-adds a pass, whose counting and branching are three issues more */
    for (int s = 0; s < STEPS; s++)
#pragma unroll
        for (int c = 0; c < CHAINS; c++)
            x[c] = fma(x[c], factor, factor);
    real sum = 0;
#pragma unroll
    for (int c = 0; c < CHAINS; c++)
        sum += x[c];
    if (sum == (real)-1) /* never; so that the work counts */
        *out = sum;
}

template <class... P, class... Q> static void launch(void (*kernel)(P...), unsigned blocks, unsigned threads, Q... arguments)
{
    cudaLaunchConfig_t configuration = {};
    configuration.gridDim = dim3(blocks, 1, 1);
    configuration.blockDim = dim3(threads, 1, 1);
    GPU(cudaLaunchKernelEx(&configuration, kernel, (P)arguments...));
}

typedef struct roof_work {
    size_t count;
    float4 *from, *to;
    unsigned blocks;
} roof_work;

static void copy_work(void *data, long)
{
    const roof_work *w = (const roof_work *)data;
    launch(copy_kernel, w->blocks, 256, w->count, w->from, w->to);
}

template <class real> static void fma_work(void *data, long)
{
    const roof_work *w = (const roof_work *)data;
    launch(fma_kernel<real>, w->blocks, 256, (real)0.5, (real *)w->to);
}

/* ---- the device ---- */

static void print_version(char text[32], int version)
{
    snprintf(text, 32, version ? "%d.%d" : "none", version / 1000, version % 1000 / 10);
}

/* As far as a context on it, which is made when memory is first asked of it. */
static cudaError_t use_device(cudaDeviceProp *properties)
{
    int devices = 0;
    cudaError_t error = cudaGetDeviceCount(&devices);
    if (error == cudaSuccess)
        error = cudaSetDevice(0);
    if (error == cudaSuccess)
        error = cudaGetDeviceProperties(properties, 0);
    return error != cudaSuccess ? error : cudaFree(NULL);
}

gpu gpu_find(void)
{
    gpu g = {};
    int driver = 0, runtime = 0;
    cudaDeviceProp properties;
    GPU(cudaDriverGetVersion(&driver)); /* 0: none, which is no error */
    GPU(cudaRuntimeGetVersion(&runtime));
    print_version(g.driver, driver);
    print_version(g.runtime, runtime);
    cudaError_t error = use_device(&properties);
    if (error != cudaSuccess) {
        const char *advice = driver / 1000 < runtime / 1000 ? "install driver 580 or later" : "nvidia-smi -L lists the devices";
        fprintf(stderr, "gpu_sweep: CUDA device 0 cannot be used: %s (driver for CUDA: %s, needed: %s; %s)\n",
                cudaGetErrorString(error), g.driver, g.runtime, advice);
        exit(2);
    }
    snprintf(g.name, sizeof g.name, "%s", properties.name);
    g.multiprocessors = properties.multiProcessorCount;
    g.cache_bytes = (size_t)properties.l2CacheSize;
    return g;
}

gpu gpu_open(size_t roof_bytes)
{
    enum { BLOCKS = 16, REPETITIONS = 200 };
    gpu g = gpu_find();
    roof_work w = {roof_bytes / sizeof(float4), NULL, NULL, (unsigned)(g.multiprocessors * BLOCKS)};
    if (w.blocks > w.count / 256 + 1) /* too small to measure anything, as in the tests */
        w.blocks = (unsigned)(w.count / 256 + 1);
    GPU(cudaMalloc((void **)&w.from, roof_bytes));
    GPU(cudaMalloc((void **)&w.to, roof_bytes));
    GPU(cudaMemset(w.from, 0, roof_bytes));
    g.copy_gb_s = 2e-3 * (double)roof_bytes / gpu_time(copy_work, &w, REPETITIONS, 1).min_us;
    double flops = 2.0 * (int)CHAINS * (int)STEPS * 256 * w.blocks;
    g.gflops[SWEEP_F32] = 1e-3 * flops / gpu_time(fma_work<float>, &w, REPETITIONS, 1).min_us;
    g.gflops[SWEEP_F64] = 1e-3 * flops / gpu_time(fma_work<double>, &w, REPETITIONS, 1).min_us;
    GPU(cudaFree(w.from));
    GPU(cudaFree(w.to));
    return g;
}
