/* cublas.cpp: see cublas_v2.h.
 * SPDX-License-Identifier: MIT */
#include "cublas_v2.h"
#include "libraries.h"
#include "message.h"
#include <algorithm>
#include <cblas.h>
#include <cmath>
#include <complex>
#define lapack_complex_float std::complex<float>
#define lapack_complex_double std::complex<double>
#include <lapacke.h>

struct cublasContext {
    cudaStream_t stream;
    void *workspace;
    size_t bytes;
    cublasMath_t math;
    cublasAtomicsMode_t atomics;
};

using namespace cuda_on_cpu;

namespace {

template <class F> cublasStatus_t call(F body)
{
    switch (api(body)) {
    case cudaSuccess:
        return CUBLAS_STATUS_SUCCESS;
    case cudaErrorInvalidValue:
        return CUBLAS_STATUS_INVALID_VALUE;
    case cudaErrorMemoryAllocation:
        return CUBLAS_STATUS_ALLOC_FAILED;
    default:
        return CUBLAS_STATUS_INTERNAL_ERROR;
    }
}

/* f(b) for all matrices, on the handle's stream. */
cudaError_t compute(cublasHandle_t h, int batch, std::function<void(int64_t)> f)
{
    if (!h->workspace)
        wrong("cuBLAS would allocate: it has no workspace of its own");
    if (h->math != CUBLAS_PEDANTIC_MATH || h->atomics != CUBLAS_ATOMICS_NOT_ALLOWED)
        wrong("cuBLAS may round to TF32 or add in any order: the mode is not pedantic, or atomics are on");
    void *workspace = h->workspace;
    size_t bytes = h->bytes;
    return enqueue(h->stream, [=] {
        scribble(workspace, bytes);
        each_matrix(batch, f);
    });
}

CBLAS_TRANSPOSE cblas_operation(cublasOperation_t op)
{
    return op == CUBLAS_OP_N ? CblasNoTrans : op == CUBLAS_OP_T ? CblasTrans : CblasConjTrans;
}

void gemm(CBLAS_TRANSPOSE op_A, CBLAS_TRANSPOSE op_B, int m, int n, int k, float alpha, const float *A, int lda, const float *B,
          int ldb, float beta, float *C, int ldc)
{
    cblas_sgemm(CblasColMajor, op_A, op_B, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc);
}

void gemm(CBLAS_TRANSPOSE op_A, CBLAS_TRANSPOSE op_B, int m, int n, int k, double alpha, const double *A, int lda,
          const double *B, int ldb, double beta, double *C, int ldc)
{
    cblas_dgemm(CblasColMajor, op_A, op_B, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc);
}

void gemm(CBLAS_TRANSPOSE op_A, CBLAS_TRANSPOSE op_B, int m, int n, int k, double2 alpha, const double2 *A, int lda,
          const double2 *B, int ldb, double2 beta, double2 *C, int ldc)
{
    cblas_zgemm(CblasColMajor, op_A, op_B, m, n, k, &alpha, A, lda, B, ldb, &beta, C, ldc);
}

/* Whether a matrix is one of the zeros that fill a batch up, of which nothing need be computed. T is float or double. */
template <class T> bool all_zero(const T *X, int64_t length)
{
    while (length > 0 && X[length - 1] == 0)
        length--;
    return length == 0;
}

template <class T> bool all_finite(const T *X, int64_t length)
{
    return std::all_of(X, X + length, [](T x) { return std::isfinite(x); });
}

template <class T>
cublasStatus_t gemm_batched(cublasHandle_t h, cublasOperation_t op_A, cublasOperation_t op_B, int m, int n, int k,
                            const T *alpha, const T *A, int lda, long long stride_A, const T *B, int ldb, long long stride_B,
                            const T *beta, T *C, int ldc, long long stride_C, int batch)
{
    return call([=] {
        const T *end = C + stride_C * batch;
        if (m < 0 || n < 0 || k < 0 || batch < 0 || ldc < m || stride_C < (long long)ldc * n)
            return cudaErrorInvalidValue;
        if ((A < end && C < A + stride_A * batch) || (B < end && C < B + stride_B * batch))
            wrong("cublas gemmStridedBatched: the result overlaps a factor");
        const T a = *alpha, b = *beta, none = {};
        typedef std::conditional_t<std::is_same_v<T, float>, float, double> real;
        const int64_t reals = sizeof(T) / sizeof(real);
        return compute(h, batch, [=](int64_t i) {
            const T *Ai = A + i * stride_A, *Bi = B + i * stride_B;
            const real *a_numbers = (const real *)Ai, *b_numbers = (const real *)Bi;
            T *Ci = C + i * stride_C;
            if (memcmp(&b, &none, sizeof b) == 0 &&
                ((all_zero(a_numbers, reals * stride_A) && all_finite(b_numbers, reals * stride_B)) ||
                 (all_zero(b_numbers, reals * stride_B) && all_finite(a_numbers, reals * stride_A))))
                std::fill(Ci, Ci + (long long)ldc * n, T{});
            else
                gemm(cblas_operation(op_A), cblas_operation(op_B), m, n, k, a, Ai, lda, Bi, ldb, b, Ci, ldc);
        });
    });
}

int getrf(int n, float *A, int lda, int *pivots)
{
    return LAPACKE_sgetrf_work(LAPACK_COL_MAJOR, n, n, A, lda, pivots);
}

int getrf(int n, double *A, int lda, int *pivots)
{
    return LAPACKE_dgetrf_work(LAPACK_COL_MAJOR, n, n, A, lda, pivots);
}

void getrs(char op, int n, int columns, const float *A, int lda, const int *pivots, float *B, int ldb)
{
    LAPACKE_sgetrs_work(LAPACK_COL_MAJOR, op, n, columns, A, lda, pivots, B, ldb);
}

void getrs(char op, int n, int columns, const double *A, int lda, const int *pivots, double *B, int ldb)
{
    LAPACKE_dgetrs_work(LAPACK_COL_MAJOR, op, n, columns, A, lda, pivots, B, ldb);
}

template <class T>
cublasStatus_t getrf_batched(cublasHandle_t h, int n, T *const A[], int lda, int *pivots, int *info, int batch)
{
    return call([=] {
        if (n < 0 || batch < 0 || lda < n)
            return cudaErrorInvalidValue;
        return compute(h, batch, [=](int64_t b) {
            const bool fails = !all_zero(A[b], (int64_t)lda * n) && failure_due(FAILURE_SOLVER);
            info[b] = getrf(n, A[b], lda, pivots + b * n);
            if (fails)
                info[b] = n;
        });
    });
}

template <class T>
cublasStatus_t getrs_batched(cublasHandle_t h, cublasOperation_t op, int n, int columns, const T *const A[], int lda,
                             const int *pivots, T *const B[], int ldb, int *info, int batch)
{
    return call([=] {
        *info = n < 0 || batch < 0 || lda < n || ldb < n ? -1 : 0; /* in the host's memory */
        if (*info)
            return cudaErrorInvalidValue;
        return compute(h, batch, [=](int64_t b) {
            getrs(op == CUBLAS_OP_N ? 'N' : op == CUBLAS_OP_T ? 'T' : 'C', n, columns, A[b], lda, pivots + b * n, B[b], ldb);
        });
    });
}

} // namespace

cublasStatus_t cublasCreate_v2(cublasHandle_t *h)
{
    return call([=] {
        *h = nullptr;
        cudaError_t refused = refuse_in_capture(); /* it allocates */
        if (refused != cudaSuccess)
            return refused;
        *h = new cublasContext{nullptr, nullptr, 0, CUBLAS_DEFAULT_MATH, CUBLAS_ATOMICS_NOT_ALLOWED};
        return cudaSuccess;
    });
}

cublasStatus_t cublasDestroy_v2(cublasHandle_t h)
{
    delete h;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream_v2(cublasHandle_t h, cudaStream_t stream)
{
    return call([=] {
        *h = {stream, nullptr, 0, h->math, h->atomics}; /* the workspace is the library's own again */
        return cudaSuccess;
    });
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t h, void *workspace, size_t bytes)
{
    return call([=] {
        if (!workspace || (uintptr_t)workspace % 256)
            return cudaErrorInvalidValue;
        h->workspace = workspace;
        h->bytes = bytes;
        return cudaSuccess;
    });
}

cublasStatus_t cublasSetMathMode(cublasHandle_t h, cublasMath_t math)
{
    return call([=] {
        h->math = math;
        return cudaSuccess;
    });
}

cublasStatus_t cublasSetAtomicsMode(cublasHandle_t h, cublasAtomicsMode_t atomics)
{
    return call([=] {
        h->atomics = atomics;
        return cudaSuccess;
    });
}

#define GEMM(name, T)                                                                                                          \
    cublasStatus_t name(cublasHandle_t h, cublasOperation_t op_A, cublasOperation_t op_B, int m, int n, int k, const T *alpha, \
                        const T *A, int lda, long long stride_A, const T *B, int ldb, long long stride_B, const T *beta, T *C, \
                        int ldc, long long stride_C, int batch)                                                                \
    {                                                                                                                          \
        return gemm_batched(h, op_A, op_B, m, n, k, alpha, A, lda, stride_A, B, ldb, stride_B, beta, C, ldc, stride_C, batch); \
    }
GEMM(cublasSgemmStridedBatched, float)
GEMM(cublasDgemmStridedBatched, double)
GEMM(cublasZgemmStridedBatched, cuDoubleComplex)

#define LU(getrf, getrs, T)                                                                                                    \
    cublasStatus_t getrf(cublasHandle_t h, int n, T *const A[], int lda, int *pivots, int *info, int batch)                    \
    {                                                                                                                          \
        return getrf_batched(h, n, A, lda, pivots, info, batch);                                                               \
    }                                                                                                                          \
    cublasStatus_t getrs(cublasHandle_t h, cublasOperation_t op, int n, int columns, const T *const A[], int lda,              \
                         const int *pivots, T *const B[], int ldb, int *info, int batch)                                       \
    {                                                                                                                          \
        return getrs_batched(h, op, n, columns, A, lda, pivots, B, ldb, info, batch);                                          \
    }
LU(cublasSgetrfBatched, cublasSgetrsBatched, float)
LU(cublasDgetrfBatched, cublasDgetrsBatched, double)

const named_function cublas_functions[] = {NAMED(cublasCreate_v2),           NAMED(cublasDestroy_v2),
                                           NAMED(cublasSetStream_v2),        NAMED(cublasSetWorkspace_v2),
                                           NAMED(cublasSetMathMode),         NAMED(cublasSetAtomicsMode),
                                           NAMED(cublasSgemmStridedBatched), NAMED(cublasDgemmStridedBatched),
                                           NAMED(cublasZgemmStridedBatched), NAMED(cublasSgetrfBatched),
                                           NAMED(cublasDgetrfBatched),       NAMED(cublasSgetrsBatched),
                                           NAMED(cublasDgetrsBatched),       {nullptr, nullptr}};
