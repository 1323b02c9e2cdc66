/* outcome.cuh: how a kernel says what its matrices have met.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_OUTCOME_CUH
#define SO_KERNELS_OUTCOME_CUH

#include "device.cuh"

/* Any number of threads may do so at once: all store the same. */
static __device__ __forceinline__ void report_outcome(int *outcome, int what)
{
    __stwt(outcome + what, 1);
}

/* The same of the one matrix that a block has; whether there is anything to report. */
static __device__ __forceinline__ bool report_block(bool nonfinite, bool singular, int *outcome)
{
    if (threadIdx.x == 0 && (nonfinite || singular))
        report_outcome(outcome, nonfinite ? OUTCOME_NONFINITE : OUTCOME_SINGULAR);
    return nonfinite || singular;
}

#endif
