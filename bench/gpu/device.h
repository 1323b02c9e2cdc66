/* device.h: what the benchmarks on a CUDA device share: the device, what it can do at most, and timings by its own events.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_GPU_DEVICE_H
#define BENCH_GPU_DEVICE_H

#include <cuda_runtime.h>

extern "C" {
#include "bench/measure.h"
}

/* Ends the program with one line if the call fails. */
#define GPU(call) gpu_check(call, #call)
void gpu_check(cudaError_t error, const char *call);

typedef struct gpu {
    char name[256], driver[32], runtime[32]; /* the versions of CUDA that driver and runtime speak; driver: or "none" */
    int multiprocessors;
    size_t cache_bytes;         /* second-level cache */
    double copy_gb_s;           /* read + written, buffers of `roof_bytes` */
    double gflops[SWEEP_REALS]; /* independent multiply-adds in registers, 2 flops each */
} gpu;

/* Device 0, not measured. Ends the program with one line and status 2 if it cannot be used. */
gpu gpu_find(void);
/* The same, measured. */
gpu gpu_open(size_t roof_bytes);

typedef struct gpu_times {
    int warmup, calls, repetitions; /* calls before; calls in one timing; timings */
    double median_us, min_us;       /* per call */
} gpu_times;

/* Times work(data, k), which puts work into the default stream; k counts the calls, so that it can take other memory each time. A
 * timing lasts about 1 ms at least; at least three, at most `most`, until `seconds` have passed. */
gpu_times gpu_time(void (*work)(void *data, long k), void *data, int most, double seconds);

#endif
