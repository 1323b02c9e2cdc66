/* failure.h: failures on demand. tests/check is linked with --wrap (Makefile) around what libso calls and cannot rely on: calloc,
 * aligned_alloc, and the SVD of the eigen method, which may not converge; and the CUDA of tests/cuda_on_cpu asks before it allocates,
 * launches a kernel, loads a library, factors a matrix, or does anything. The k-th call after failure_set(kind, k) fails, once.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_FAILURE_H
#define TESTS_FAILURE_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum failure {
    FAILURE_ALLOCATION,
    FAILURE_SVD,
    FAILURE_CUDA_ALLOCATION,
    FAILURE_CUDA_LAUNCH,
    FAILURE_CUDA_CALL, /* of whatever kind */
    FAILURE_LIBRARY,   /* cuBLAS or cuSOLVER is not found */
    FAILURE_SOLVER,    /* of cuBLAS or cuSOLVER, on one matrix */
    FAILURES
} failure;

void failure_set(failure kind, int k); /* 0: none fails */
int failure_happened(failure kind);    /* since failure_set */
int failure_due(failure kind);         /* counts a call down; true for the one that must fail */

#ifdef __cplusplus
}
#endif

#endif
