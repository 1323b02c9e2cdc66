/* block.h: one block of CUDA threads on one OS thread.
 *
 * A CUDA thread runs until it must wait for others: at a barrier of its block, or of some lanes of its warp. Then the next one
 * in the order of the schedule goes on. A thread that starts takes the stack of one that has ended, so threads that never wait
 * share a single one. SPDX-License-Identifier: MIT */
#ifndef CUDA_ON_CPU_BLOCK_H
#define CUDA_ON_CPU_BLOCK_H

#include "cuda_on_cpu.h"
#include "cuda_runtime.h"

namespace cuda_on_cpu {

constexpr unsigned MOST_THREADS = 1024;
constexpr size_t SHARED_DEFAULT = 48 << 10, SHARED_OPT_IN = 227 << 10; /* bytes per block */

struct schedule {
    cuda_on_cpu_order order;
    uint64_t seed;
};

struct grid {
    dim3 blocks, threads;
    size_t shared_bytes;
    std::function<void()> kernel; /* with its arguments */
};

void run_block(const grid &, dim3 index, schedule);

} // namespace cuda_on_cpu

#endif
