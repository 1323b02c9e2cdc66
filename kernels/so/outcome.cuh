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

#endif
