/* cuda_kernel.h: what tests of single kernels need: a launch in a line, an array on the device, the ends of programs that fail.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_CUDA_KERNEL_H
#define TESTS_CUDA_KERNEL_H

#include "cuda_runtime.h"
#include "tests/cuda_on_cpu/cuda_on_cpu.h"
#include <check.h>
#include <string>

extern __shared__ __align__(128) unsigned char shared_memory[];

template <class... P, class... Q>
cudaError_t launch(cudaStream_t stream, void (*kernel)(P...), dim3 blocks, dim3 threads, size_t shared, Q... arguments)
{
    cudaLaunchConfig_t c = {};
    c.gridDim = blocks;
    c.blockDim = threads;
    c.dynamicSmemBytes = shared;
    c.stream = stream;
    return cudaLaunchKernelEx(&c, kernel, P(arguments)...);
}

/* The host reads it as it is: on the shim the device's memory is its own. */
template <class T> struct device_array {
    T *at;
    explicit device_array(size_t count)
    {
        ck_assert_int_eq(cudaMalloc(&at, count * sizeof(T)), cudaSuccess);
    }
    ~device_array()
    {
        cudaFree(at);
    }
    device_array(const device_array &) = delete;
    operator T *() const
    {
        return at;
    }
};

/* For loop tests: from 0 to SCHEDULES - 1. */
constexpr int SCHEDULES = 4;
inline void take_schedule(int i)
{
    cuda_on_cpu_schedule(i == 0 ? CUDA_ON_CPU_FORWARD : i == 1 ? CUDA_ON_CPU_BACKWARD : CUDA_ON_CPU_RANDOM, uint64_t(i));
}

/* What action() writes to stderr in a process of its own; that process must end by abort(), or by ASan's hand. */
std::string last_words(void (*action)());

#endif
