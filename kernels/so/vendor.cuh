/* vendor.cuh: cuBLAS and cuSOLVER for a context: loaded when first needed, and how a batch goes through them.
 *
 * Both are loaded by dlopen, not linked: together they take most of a gigabyte, which only SO_PADE and SO_EIGEN need.
 *
 * They choose their algorithms by the sizes of a call, the number of matrices among them. So that a result does not depend on the
 * batch, every call has the same number for an order n, chunk_of(n): a batch goes through them in chunks, and the last one is filled
 * up with zeros, whose results nobody reads. Within a call they treat matrices alike. Also for the sake of the bits the arithmetic is
 * pedantic (no TF32, no emulation), atomics are off, cuSOLVER is in its deterministic mode, and the workspace of cuBLAS is our own,
 * of one size.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_VENDOR_CUH
#define SO_KERNELS_VENDOR_CUH

#include <cublas_v2.h>
#include <cusolverDn.h>
#include <dlfcn.h>
#include <stdlib.h>

#include "block.cuh"

#define CUBLAS_FUNCTIONS(F)                                                                                                      \
    F(cublasCreate_v2) F(cublasDestroy_v2) F(cublasSetStream_v2) F(cublasSetWorkspace_v2) F(cublasSetMathMode)                   \
    F(cublasSetAtomicsMode) F(cublasSgemmStridedBatched) F(cublasDgemmStridedBatched) F(cublasZgemmStridedBatched)               \
    F(cublasSgetrfBatched) F(cublasDgetrfBatched) F(cublasSgetrsBatched) F(cublasDgetrsBatched)
#define CUSOLVER_FUNCTIONS(F)                                                                                                    \
    F(cusolverDnCreate) F(cusolverDnDestroy) F(cusolverDnSetStream) F(cusolverDnSetDeterministicMode) F(cusolverDnCreateParams)  \
    F(cusolverDnDestroyParams) F(cusolverDnCreateSyevjInfo) F(cusolverDnDestroySyevjInfo)                                        \
    F(cusolverDnZheevjBatched_bufferSize) F(cusolverDnZheevjBatched) F(cusolverDnXsyevBatched_bufferSize)                        \
    F(cusolverDnXsyevBatched)

/* A library of a context: its functions, then its handles. */
typedef struct so_cublas {
#define MEMBER(name) decltype(&::name) name;
    CUBLAS_FUNCTIONS(MEMBER)
    cublasHandle_t handle;
} so_cublas;

/* Workspace of the solver in the host's memory: `bytes` after this head. One that is too small for a larger call stays until the
 * end: queued calls and graphs use it. */
typedef struct host_block {
    struct host_block *older;
    size_t bytes;
} host_block;

typedef struct so_cusolver {
    CUSOLVER_FUNCTIONS(MEMBER)
#undef MEMBER
    cusolverDnHandle_t handle;
    cusolverDnParams_t parameters;
    syevjInfo_t jacobi;
    host_block *host; /* the newest, and largest; NULL before the first */
} so_cusolver;

#define SONAME(name, major) SONAME_(name, major)
#define SONAME_(name, major) name ".so." #major

/* The addresses of `names` from a library that stays loaded. False: it is absent, or another. */
static inline bool load(const char *library, const char *const *names, int count, void (**functions)(void))
{
    void *loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    for (int k = 0; loaded && k < count; k++) {
        functions[k] = (void (*)(void))dlsym(loaded, names[k]);
        if (!functions[k])
            return false;
    }
    return loaded != NULL;
}

#define NAME(name) #name,

static inline void close_cublas(void *cublas)
{
    so_cublas *c = (so_cublas *)cublas;
    if (c->handle)
        c->cublasDestroy_v2(c->handle);
    free(c);
}

/* The context's cuBLAS, opened when first asked for. SO_EMETHOD: not installed. */
static inline so_status open_cublas(so_ctx *ctx, so_cublas **cublas)
{
    static const char *const names[] = {CUBLAS_FUNCTIONS(NAME)};
    so_cuda *d = cuda_of(ctx);
    *cublas = (so_cublas *)d->cublas;
    if (d->cublas)
        return SO_OK;
    so_cublas *c = (so_cublas *)calloc(1, sizeof *c);
    if (!c)
        return SO_ENOMEM;
    if (!load(SONAME("libcublas", CUBLAS_VER_MAJOR), names, sizeof names / sizeof *names, (void (**)(void))c)) {
        free(c);
        ctx->argument = "method";
        return SO_EMETHOD;
    }
    if (!succeeds(c->cublasCreate_v2(&c->handle)) || !succeeds(c->cublasSetStream_v2(c->handle, d->stream)) ||
        !succeeds(c->cublasSetMathMode(c->handle, CUBLAS_PEDANTIC_MATH)) ||
        !succeeds(c->cublasSetAtomicsMode(c->handle, CUBLAS_ATOMICS_NOT_ALLOWED))) {
        close_cublas(c);
        return SO_EDEVICE;
    }
    d->cublas = *cublas = c;
    d->close_cublas = close_cublas;
    return SO_OK;
}

static inline void close_cusolver(void *cusolver)
{
    so_cusolver *s = (so_cusolver *)cusolver;
    if (s->jacobi)
        s->cusolverDnDestroySyevjInfo(s->jacobi);
    if (s->parameters)
        s->cusolverDnDestroyParams(s->parameters);
    if (s->handle)
        s->cusolverDnDestroy(s->handle);
    for (host_block *h = s->host, *older; h; h = older) {
        older = h->older;
        free(h);
    }
    free(s);
}

/* The same for cuSOLVER. */
static inline so_status open_cusolver(so_ctx *ctx, so_cusolver **cusolver)
{
    static const char *const names[] = {CUSOLVER_FUNCTIONS(NAME)};
    so_cuda *d = cuda_of(ctx);
    *cusolver = (so_cusolver *)d->cusolver;
    if (d->cusolver)
        return SO_OK;
    so_cusolver *s = (so_cusolver *)calloc(1, sizeof *s);
    if (!s)
        return SO_ENOMEM;
    if (!load(SONAME("libcusolver", CUSOLVER_VER_MAJOR), names, sizeof names / sizeof *names, (void (**)(void))s)) {
        free(s);
        ctx->argument = "method";
        return SO_EMETHOD;
    }
    if (!succeeds(s->cusolverDnCreate(&s->handle)) || !succeeds(s->cusolverDnSetStream(s->handle, d->stream)) ||
        !succeeds(s->cusolverDnSetDeterministicMode(s->handle, CUSOLVER_DETERMINISTIC_RESULTS)) ||
        !succeeds(s->cusolverDnCreateParams(&s->parameters)) || !succeeds(s->cusolverDnCreateSyevjInfo(&s->jacobi))) {
        close_cusolver(s);
        return SO_EDEVICE;
    }
    d->cusolver = *cusolver = s;
    d->close_cusolver = close_cusolver;
    return SO_OK;
}
#undef NAME

/* ---- Chunks ------------------------------------------------------------------------------------------------------- */

enum { CHUNK_ELEMENTS = 1 << 20, LARGEST_CHUNK = 4096 };

/* Matrices of order n in every call of the libraries: enough to occupy a device (estimate), 2^20 elements at most unless one
 * matrix has more, so that n n chunk stays below 2^31, which cuSOLVER asks for. */
static inline int chunk_of(int n)
{
    int64_t chunk = CHUNK_ELEMENTS / ((int64_t)n * n);
    return chunk < 1 ? 1 : chunk > LARGEST_CHUNK ? (int)LARGEST_CHUNK : (int)chunk;
}

/* Pieces of one block of memory, each 256-byte aligned; with `next` NULL at first it only counts. */
typedef struct pieces {
    char *next;
    size_t bytes;
} pieces;

template <class T> void take(pieces *p, int64_t count, T **piece)
{
    size_t bytes = ((size_t)count * sizeof(T) + 255) / 256 * 256;
    *piece = (T *)p->next;
    p->next = p->next ? p->next + bytes : NULL;
    p->bytes += bytes;
}

enum { CUBLAS_BYTES = 32 << 20 }; /* NVIDIA's advice for Hopper */

/* What a call works with. After a failure nothing more is launched, and `status` tells it. */
typedef struct chunk_work {
    so_ctx *ctx;
    so_cublas *cublas;
    int n, chunk, count; /* matrices of a chunk, and those that are the caller's */
    void *memory;        /* of all pieces */
    size_t bytes;
    so_status status;
} chunk_work;

static inline void check(chunk_work *w, bool done)
{
    if (w->status == SO_OK && !done)
        w->status = SO_EDEVICE;
}

/* f(first entry) for each chunk of a batch, in memory for what lay_out(pieces *) takes; zeros where the chunk is not full. */
template <class L, class F> so_status each_chunk(chunk_work *w, int64_t batch, L lay_out, F f)
{
    pieces p = {};
    void *memory;
    lay_out(&p);
    w->bytes = p.bytes;
    w->status = so_ctx_reserve(w->ctx, 1, p.bytes + CUBLAS_BYTES + 256, &memory);
    if (w->status != SO_OK)
        return w->status;
    char *of_cublas = (char *)(((uintptr_t)memory + 255) / 256 * 256);
    w->memory = p.next = of_cublas + CUBLAS_BYTES;
    lay_out(&p);
    check(w, succeeds(w->cublas->cublasSetWorkspace_v2(w->cublas->handle, of_cublas, CUBLAS_BYTES)));
    for (int64_t first = 0; first < batch && w->status == SO_OK; first += w->chunk) {
        w->count = batch - first < w->chunk ? (int)(batch - first) : w->chunk;
        check(w, w->count == w->chunk || succeeds(cudaMemsetAsync(w->memory, 0, w->bytes, cuda_of(w->ctx)->stream)));
        f(first * w->n * w->n);
    }
    return w->status;
}

enum { CHUNK_THREADS = 256 }; /* at most */

/* kernel(n, arguments): one block for each of `count` matrices, of whole warps. */
template <class... P, class... Q> void run_on(chunk_work *w, int count, void (*kernel)(P...), Q... arguments)
{
    const int entries = w->n < 16 ? w->n * w->n : CHUNK_THREADS, warps = (entries + 31) / 32;
    if (w->status == SO_OK)
        w->status = launch(w->ctx, kernel, (unsigned)count, (unsigned)warps * 32, (size_t)warps * sizeof(double), w->n,
                           arguments...);
}

/* The same for each matrix of the caller's. */
template <class... P, class... Q> void run(chunk_work *w, void (*kernel)(P...), Q... arguments)
{
    run_on(w, w->count, kernel, arguments...);
}

/* C <- alpha op(A) op(B) + beta C of column-major matrices, all of the chunk. C is neither A nor B. */
#define GEMM(T, prefix)                                                                                                        \
    static inline void gemm(chunk_work *w, cublasOperation_t op_A, cublasOperation_t op_B, T alpha, const T *A, const T *B,    \
                            T beta, T *C)                                                                                      \
    {                                                                                                                          \
        long long size = (long long)w->n * w->n;                                                                               \
        check(w, w->status == SO_OK && succeeds(w->cublas->cublas##prefix##gemmStridedBatched(                                 \
                                           w->cublas->handle, op_A, op_B, w->n, w->n, w->n, &alpha, A, w->n, size, B, w->n,    \
                                           size, &beta, C, w->n, size, w->chunk)));                                            \
    }
GEMM(float, S)
GEMM(double, D)
GEMM(cuDoubleComplex, Z)
#undef GEMM

#endif
