/* cusolver.cpp: see cusolverDn.h.
 * SPDX-License-Identifier: MIT */
#include "cusolverDn.h"
#include "libraries.h"
#include "message.h"
#include <complex>
#include <cstdlib>
#define lapack_complex_float std::complex<float>
#define lapack_complex_double std::complex<double>
#include <lapacke.h>
#include <vector>

struct cusolverDnContext {
    cudaStream_t stream;
};
struct cusolverDnParams {
};
struct syevjInfo {
};

using namespace cuda_on_cpu;

namespace {

typedef std::complex<double> complex64;

template <class F> cusolverStatus_t call(F body)
{
    switch (api(body)) {
    case cudaSuccess:
        return CUSOLVER_STATUS_SUCCESS;
    case cudaErrorInvalidValue:
        return CUSOLVER_STATUS_INVALID_VALUE;
    case cudaErrorMemoryAllocation:
        return CUSOLVER_STATUS_ALLOC_FAILED;
    default:
        return CUSOLVER_STATUS_INTERNAL_ERROR;
    }
}

template <class T> cusolverStatus_t create(T **handle)
{
    return call([=] {
        *handle = nullptr;
        cudaError_t refused = refuse_in_capture(); /* it allocates */
        if (refused == cudaSuccess)
            *handle = new T{};
        return refused;
    });
}

/* Uniform on [-1, 1], of a place in a matrix alone. */
double noise(uint64_t place)
{
    place = (place + 1) * 0x9e3779b97f4a7c15u;
    place = (place ^ place >> 30) * 0xbf58476d1ce4e5b9u;
    return double(int64_t(place ^ place >> 27)) * 0x1p-63;
}

/* Eigenvectors to A, eigenvalues to w: V (I + D), D of the size of 2^-47; diagonal matrices, of which many fill a chunk, are known
 * without a computation. A zero matrix is a fault of the caller's: solvers have returned NaN for it (cupy/cupy#6539). */
int decompose(int n, double2 *A, double *w)
{
    bool zero = true, diagonal = true;
    for (int e = 0; e < n * n && diagonal; e++) {
        const bool is_zero = A[e].x == 0 && A[e].y == 0;
        zero = zero && is_zero;
        diagonal = is_zero || e % (n + 1) == 0;
    }
    if (zero)
        wrong("cusolver: a zero matrix");
    if (diagonal) {
        for (int j = 0; j < n; j++) {
            w[j] = A[j * (n + 1)].x;
            A[j * (n + 1)].x = 1;
        }
        return 0;
    }
    if (failure_due(FAILURE_SOLVER)) {
        for (int j = 0; j < n; j++)
            w[j] = j;
        return n + 1;
    }
    int info = LAPACKE_zheevd(LAPACK_COL_MAJOR, 'V', 'L', n, (complex64 *)A, n, w);
    const double size = 0x1p-47 / sqrt(n);
    std::vector<complex64> V((complex64 *)A, (complex64 *)A + n * n);
    for (int j = 0; j < n; j++) {
        for (int k = 0; k < n; k++) {
            complex64 d(size * noise(uint64_t(2) * (j * n + k)), size * noise(uint64_t(2) * (j * n + k) + 1));
            for (int i = 0; i < n; i++) {
                A[j * n + i].x += (V[k * n + i] * d).real();
                A[j * n + i].y += (V[k * n + i] * d).imag();
            }
        }
        w[j] += size * noise(j) * fabs(w[n - 1]);
    }
    return info;
}

cudaError_t solve(cusolverDnHandle_t h, int64_t n, double2 *A, double *w, void *work, size_t bytes, int *info, int64_t batch)
{
    if (getenv("CUDA_ON_CPU_SOLVER_FAILS"))
        return cudaErrorUnknown;
    return enqueue(h->stream, [=] {
        scribble(work, bytes);
        each_matrix(batch, [=](int64_t b) { info[b] = decompose(int(n), A + b * n * n, w + b * n); });
    });
}

size_t host_bytes(int64_t n)
{
    return sizeof(double) * size_t(n);
}

size_t device_bytes(int64_t n, int64_t batch)
{
    return size_t(n + 2) * size_t(batch) * sizeof(double2);
}

} // namespace

cusolverStatus_t cusolverDnCreate(cusolverDnHandle_t *h)
{
    return create(h);
}

cusolverStatus_t cusolverDnDestroy(cusolverDnHandle_t h)
{
    delete h;
    return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnSetStream(cusolverDnHandle_t h, cudaStream_t stream)
{
    return call([=] {
        h->stream = stream;
        return cudaSuccess;
    });
}

cusolverStatus_t cusolverDnSetDeterministicMode(cusolverDnHandle_t, cusolverDeterministicMode_t mode)
{
    return call([=] { return mode == CUSOLVER_DETERMINISTIC_RESULTS ? cudaSuccess : cudaErrorInvalidValue; });
}

cusolverStatus_t cusolverDnCreateParams(cusolverDnParams_t *p)
{
    return create(p);
}

cusolverStatus_t cusolverDnDestroyParams(cusolverDnParams_t p)
{
    delete p;
    return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnCreateSyevjInfo(syevjInfo_t *i)
{
    return create(i);
}

cusolverStatus_t cusolverDnDestroySyevjInfo(syevjInfo_t i)
{
    delete i;
    return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnZheevjBatched_bufferSize(cusolverDnHandle_t, cusolverEigMode_t, cublasFillMode_t, int n,
                                                    const cuDoubleComplex *, int, const double *, int *elements, syevjInfo_t,
                                                    int batch)
{
    return call([=] {
        *elements = int(device_bytes(n, batch) / sizeof(double2));
        return cudaSuccess;
    });
}

cusolverStatus_t cusolverDnZheevjBatched(cusolverDnHandle_t h, cusolverEigMode_t, cublasFillMode_t uplo, int n,
                                         cuDoubleComplex *A, int lda, double *W, cuDoubleComplex *work, int elements, int *info,
                                         syevjInfo_t, int batch)
{
    return call([=] {
        size_t bytes = size_t(elements) * sizeof(double2);
        if (uplo != CUBLAS_FILL_MODE_LOWER || lda != n || bytes < device_bytes(n, batch))
            return cudaErrorInvalidValue;
        return solve(h, n, A, W, work, bytes, info, batch);
    });
}

cusolverStatus_t cusolverDnXsyevBatched_bufferSize(cusolverDnHandle_t, cusolverDnParams_t, cusolverEigMode_t, cublasFillMode_t,
                                                   int64_t n, cudaDataType, const void *, int64_t, cudaDataType, const void *,
                                                   cudaDataType, size_t *on_device, size_t *on_host, int64_t batch)
{
    return call([=] {
        *on_device = device_bytes(n, batch);
        *on_host = host_bytes(n);
        return cudaSuccess;
    });
}

cusolverStatus_t cusolverDnXsyevBatched(cusolverDnHandle_t h, cusolverDnParams_t, cusolverEigMode_t, cublasFillMode_t uplo,
                                        int64_t n, cudaDataType of_A, void *A, int64_t lda, cudaDataType of_W, void *W,
                                        cudaDataType compute, void *work, size_t work_bytes, void *host, size_t on_host,
                                        int *info, int64_t batch)
{
    return call([=] {
        if (uplo != CUBLAS_FILL_MODE_LOWER || of_A != CUDA_C_64F || of_W != CUDA_R_64F || compute != CUDA_C_64F || lda != n ||
            n * lda * batch > INT32_MAX || work_bytes < device_bytes(n, batch) || on_host < host_bytes(n) || !host)
            return cudaErrorInvalidValue;
        scribble(host, on_host);
        cudaError_t error = enqueue(h->stream, [=] {
            if (!scribbled(host, on_host))
                wrong("cusolverDnXsyevBatched: its memory on the host was given to others before the work was done");
        });
        return error == cudaSuccess ? solve(h, n, (double2 *)A, (double *)W, work, work_bytes, info, batch) : error;
    });
}

const named_function cusolver_functions[] = {NAMED(cusolverDnCreate),
                                             NAMED(cusolverDnDestroy),
                                             NAMED(cusolverDnSetStream),
                                             NAMED(cusolverDnSetDeterministicMode),
                                             NAMED(cusolverDnCreateParams),
                                             NAMED(cusolverDnDestroyParams),
                                             NAMED(cusolverDnCreateSyevjInfo),
                                             NAMED(cusolverDnDestroySyevjInfo),
                                             NAMED(cusolverDnZheevjBatched_bufferSize),
                                             NAMED(cusolverDnZheevjBatched),
                                             NAMED(cusolverDnXsyevBatched_bufferSize),
                                             NAMED(cusolverDnXsyevBatched),
                                             {nullptr, nullptr}};
