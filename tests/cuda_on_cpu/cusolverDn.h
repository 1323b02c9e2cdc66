/* cusolverDn.h: stands in for cuSOLVER's header of this name: the functions that kernels/so uses, on LAPACKE.
 *
 * What it returns is as inexact as others have found cuSOLVER's: eigenvectors and eigenvalues are some tens of u off, more than
 * LAPACK's. A matrix may fail on demand (FAILURE_SOLVER): its info is positive and its vectors are of no use. Memory of the host that
 * a call is given must be as the call left it when its work runs: else the program ends.
 * SPDX-License-Identifier: MIT */
#ifndef CUDA_ON_CPU_CUSOLVERDN_H
#define CUDA_ON_CPU_CUSOLVERDN_H

#include "cublas_v2.h"

#define CUSOLVER_VER_MAJOR 12

typedef enum { CUDA_R_64F = 1, CUDA_C_64F = 5 } cudaDataType;
typedef enum {
    CUSOLVER_STATUS_SUCCESS = 0,
    CUSOLVER_STATUS_ALLOC_FAILED = 2,
    CUSOLVER_STATUS_INVALID_VALUE = 3,
    CUSOLVER_STATUS_EXECUTION_FAILED = 6,
    CUSOLVER_STATUS_INTERNAL_ERROR = 7
} cusolverStatus_t;
typedef enum { CUSOLVER_EIG_MODE_NOVECTOR = 0, CUSOLVER_EIG_MODE_VECTOR = 1 } cusolverEigMode_t;
typedef enum { CUSOLVER_DETERMINISTIC_RESULTS = 1, CUSOLVER_ALLOW_NON_DETERMINISTIC_RESULTS = 2 } cusolverDeterministicMode_t;
typedef struct cusolverDnContext *cusolverDnHandle_t;
typedef struct cusolverDnParams *cusolverDnParams_t;
typedef struct syevjInfo *syevjInfo_t;

extern "C" {

cusolverStatus_t cusolverDnCreate(cusolverDnHandle_t *);
cusolverStatus_t cusolverDnDestroy(cusolverDnHandle_t);
cusolverStatus_t cusolverDnSetStream(cusolverDnHandle_t, cudaStream_t);
cusolverStatus_t cusolverDnSetDeterministicMode(cusolverDnHandle_t, cusolverDeterministicMode_t);
cusolverStatus_t cusolverDnCreateParams(cusolverDnParams_t *);
cusolverStatus_t cusolverDnDestroyParams(cusolverDnParams_t);
cusolverStatus_t cusolverDnCreateSyevjInfo(syevjInfo_t *);
cusolverStatus_t cusolverDnDestroySyevjInfo(syevjInfo_t);

cusolverStatus_t cusolverDnZheevjBatched_bufferSize(cusolverDnHandle_t, cusolverEigMode_t, cublasFillMode_t, int n,
                                                    const cuDoubleComplex *A, int lda, const double *W, int *elements, syevjInfo_t,
                                                    int batch);
cusolverStatus_t cusolverDnZheevjBatched(cusolverDnHandle_t, cusolverEigMode_t, cublasFillMode_t, int n, cuDoubleComplex *A, int lda,
                                         double *W, cuDoubleComplex *work, int elements, int *info, syevjInfo_t, int batch);
cusolverStatus_t cusolverDnXsyevBatched_bufferSize(cusolverDnHandle_t, cusolverDnParams_t, cusolverEigMode_t, cublasFillMode_t,
                                                   int64_t n, cudaDataType of_A, const void *A, int64_t lda, cudaDataType of_W,
                                                   const void *W, cudaDataType compute, size_t *device_bytes, size_t *host_bytes,
                                                   int64_t batch);
cusolverStatus_t cusolverDnXsyevBatched(cusolverDnHandle_t, cusolverDnParams_t, cusolverEigMode_t, cublasFillMode_t, int64_t n,
                                        cudaDataType of_A, void *A, int64_t lda, cudaDataType of_W, void *W, cudaDataType compute,
                                        void *device, size_t device_bytes, void *host, size_t host_bytes, int *info, int64_t batch);

} // extern "C"

#endif
