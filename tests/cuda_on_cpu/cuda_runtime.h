/* cuda_runtime.h: stands in for CUDA's header of this name, so that g++ compiles kernels and their launches for the CPU.
 *
 * Sources are plain CUDA C++20, without <<<>>>: kernels are launched by cudaLaunchKernelEx. Their dynamic shared memory is
 *     extern __shared__ __align__(128) unsigned char shared_memory[];
 * at namespace scope, and no other __shared__ variable exists: inside a function __shared__ does not compile.
 *
 * How it runs: blocks side by side on OpenMP threads; the threads of a block are fibers of one OS thread, each running until it
 * must wait (block.h). The order of blocks and of threads is one of three (cuda_on_cpu.h). Shared memory and what cudaMalloc
 * returns hold NaN bytes (0xff). A deadlock, lanes of one mask in different operations, a shuffle that reads a lane outside its
 * mask, a write behind the shared memory asked for: one message and abort(). Limits of a launch are those of an H200; a launch
 * beyond them returns CUDA's error. A thread that has returned counts as arrived at __syncthreads, as on Volta and later.
 *
 * What it does not model, so that only a device can show it: the order in which memory becomes visible (a thread sees every store
 * made before it in the schedule), bank conflicts, coalescing, registers, __launch_bounds__, alignment of vector loads (UBSan sees
 * that), device memory touched by the host and the reverse, threads that wait for each other in loops (a fiber that spins never
 * yields), contraction of a * b + c (off here), the last bits of sin, exp and their like; nor clusters, textures, printf buffers.
 * SPDX-License-Identifier: MIT */
#ifndef CUDA_ON_CPU_CUDA_RUNTIME_H
#define CUDA_ON_CPU_CUDA_RUNTIME_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <math.h>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>

#define __global__
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
#define __shared__ __thread /* which takes no variable with automatic storage */
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))

#include "vector_types.h"
#include "runtime_api.h"
#include "device_functions.h"
#include "device_math.h"

#endif
