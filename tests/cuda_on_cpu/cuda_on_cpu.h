/* cuda_on_cpu.h: how kernels run on the shim (cuda_runtime.h), and what has run; for tests in C and C++.
 * SPDX-License-Identifier: MIT */
#ifndef CUDA_ON_CPU_H
#define CUDA_ON_CPU_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The order in which blocks start, and in which the threads of a block that could run do so. Forward: the lowest thread of the
 * warp at work, then the lowest warp; a thread runs until it must wait. Backward: the highest. Random: any, each time; the same
 * ones for the same seed, however many OS threads there are. */
typedef enum cuda_on_cpu_order { CUDA_ON_CPU_FORWARD, CUDA_ON_CPU_BACKWARD, CUDA_ON_CPU_RANDOM } cuda_on_cpu_order;
void cuda_on_cpu_schedule(cuda_on_cpu_order, uint64_t seed);

/* The one that holds before the first call: the environment's CUDA_ON_CPU_SCHEDULE (forward, backward, or the seed of a random
 * order), else forward. */
void cuda_on_cpu_schedule_of_environment(void);

/* Whether work on streams runs when it is issued (0, the default) or only when the host waits for it: a host that does not wait
 * sees then that nothing has happened yet. */
void cuda_on_cpu_defer(int deferred);

/* Memory of the device, and page-locked memory of the host, that has not been freed; kernels that have run. */
size_t cuda_on_cpu_bytes(void);
int64_t cuda_on_cpu_allocations(void);
int64_t cuda_on_cpu_kernels(void);

#ifdef __cplusplus
}
#endif

#endif
