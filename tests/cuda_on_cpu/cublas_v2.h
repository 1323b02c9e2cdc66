/* cublas_v2.h: stands in for cuBLAS's header of this name: the functions that kernels/so uses, on OpenBLAS and LAPACKE.
 *
 * A handle must have a workspace (cublasSetWorkspace), whose ends it writes over, and the pedantic mode without atomics.
 * What it does not model: errors of the device's own arithmetic, and that the algorithm may depend on the number of matrices.
 * SPDX-License-Identifier: MIT */
#ifndef CUDA_ON_CPU_CUBLAS_V2_H
#define CUDA_ON_CPU_CUBLAS_V2_H

#include "cuda_runtime.h"

#define CUBLAS_VER_MAJOR 13

typedef double2 cuDoubleComplex;
inline cuDoubleComplex make_cuDoubleComplex(double x, double y)
{
    return {x, y};
}

typedef enum {
    CUBLAS_STATUS_SUCCESS = 0,
    CUBLAS_STATUS_NOT_INITIALIZED = 1,
    CUBLAS_STATUS_ALLOC_FAILED = 3,
    CUBLAS_STATUS_INVALID_VALUE = 7,
    CUBLAS_STATUS_EXECUTION_FAILED = 13,
    CUBLAS_STATUS_INTERNAL_ERROR = 14
} cublasStatus_t;
typedef enum { CUBLAS_OP_N = 0, CUBLAS_OP_T = 1, CUBLAS_OP_C = 2 } cublasOperation_t;
typedef enum { CUBLAS_FILL_MODE_LOWER = 0, CUBLAS_FILL_MODE_UPPER = 1 } cublasFillMode_t;
typedef enum { CUBLAS_DEFAULT_MATH = 0, CUBLAS_PEDANTIC_MATH = 2 } cublasMath_t;
typedef enum { CUBLAS_ATOMICS_NOT_ALLOWED = 0, CUBLAS_ATOMICS_ALLOWED = 1 } cublasAtomicsMode_t;
typedef struct cublasContext *cublasHandle_t;

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t *);
cublasStatus_t cublasDestroy_v2(cublasHandle_t);
cublasStatus_t cublasSetStream_v2(cublasHandle_t, cudaStream_t);
cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t, void *workspace, size_t bytes);
cublasStatus_t cublasSetMathMode(cublasHandle_t, cublasMath_t);
cublasStatus_t cublasSetAtomicsMode(cublasHandle_t, cublasAtomicsMode_t);

#define GEMM(name, T)                                                                                                          \
    cublasStatus_t name(cublasHandle_t, cublasOperation_t, cublasOperation_t, int m, int n, int k, const T *alpha, const T *A, \
                        int lda, long long stride_A, const T *B, int ldb, long long stride_B, const T *beta, T *C, int ldc,    \
                        long long stride_C, int batch);
GEMM(cublasSgemmStridedBatched, float)
GEMM(cublasDgemmStridedBatched, double)
GEMM(cublasZgemmStridedBatched, cuDoubleComplex)
#undef GEMM

#define LU(getrf, getrs, T)                                                                                                    \
    cublasStatus_t getrf(cublasHandle_t, int n, T *const A[], int lda, int *pivots, int *info, int batch);                     \
    cublasStatus_t getrs(cublasHandle_t, cublasOperation_t, int n, int columns, const T *const A[], int lda, const int *pivots, \
                         T *const B[], int ldb, int *info, int batch);
LU(cublasSgetrfBatched, cublasSgetrsBatched, float)
LU(cublasDgetrfBatched, cublasDgetrsBatched, double)
#undef LU

} // extern "C"

#endif
