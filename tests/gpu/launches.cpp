/* launches.cpp: how every kernel of kernels/so is launched: calls all functions of the tables at orders on both sides of each change
 * of kernel, on the shim, with cuda_on_cpu::launch replaced by one that runs nothing. Prints a line per kernel: its address relative
 * to main, threads and bytes of shared memory per block, the largest of each.
 * SPDX-License-Identifier: MIT */
#include <cstdio>
#include <cstdlib>
#include <cuda_runtime.h>
#include <map>

extern "C" {
#include "libso/context.h"
}
#include "libso/so_cuda.h"

struct shape {
    unsigned threads;
    size_t shared;
};
static std::map<const void *, shape> shapes;

/* Linked with --wrap. */
cudaError_t record(const cudaLaunchConfig_t *c, const void *kernel, std::function<void()> body)
    __asm__("__wrap__ZN11cuda_on_cpu6launchEPK19cudaLaunchConfig_stPKvSt8functionIFvvEE");
cudaError_t record(const cudaLaunchConfig_t *c, const void *kernel, std::function<void()>)
{
    shape &s = shapes[kernel];
    unsigned threads = c->blockDim.x * c->blockDim.y * c->blockDim.z;
    s.threads = s.threads < threads ? threads : s.threads;
    s.shared = s.shared < c->dynamicSmemBytes ? c->dynamicSmemBytes : s.shared;
    return cudaSuccess;
}

/* Nor does anything else on a stream run: NVIDIA's libraries would follow pointers that no kernel has written. */
cudaError_t pass_over(cudaStream_t stream, std::function<void()> work)
    __asm__("__wrap__ZN11cuda_on_cpu7enqueueEP11CUstream_stSt8functionIFvvEE");
cudaError_t pass_over(cudaStream_t, std::function<void()>)
{
    return cudaSuccess;
}

enum { LARGEST = 256, BATCH = 3, ARRAYS = 7 };
static const int orders[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 96, 127, 128, 129, 192, LARGEST};

/* What is missing in a table, or refuses, launches nothing. */
template <class real, class backend_table> static void call_all(so_ctx *ctx, const backend_table *t)
{
    real *x[ARRAYS];
    for (real *&array : x) {
        if (cudaMalloc(&array, sizeof(real) * (size_t)BATCH * 4 * LARGEST * LARGEST) != cudaSuccess)
            exit(EXIT_FAILURE);
        cudaMemset(array, 0, sizeof(real) * (size_t)BATCH * 4 * LARGEST * LARGEST);
    }
#define CALL(function, ...)                                                                                                    \
    if (t->function)                                                                                                           \
    t->function(ctx, __VA_ARGS__)
    for (int n : orders) {
        for (int m = SO_AUTO; m <= SO_CAYLEY; m++) {
            so_method method = (so_method)m;
            CALL(exp, method, n, BATCH, x[0], x[1]);
            CALL(exp_vjp, method, n, BATCH, x[0], x[1], x[2], x[3]);
            CALL(exp_jvp, method, n, BATCH, x[0], x[1], x[2], x[3]);
            for (int dims = 1; dims <= 3; dims++) {
                so_encoding e = {method, dims, n, 1, BATCH};
                CALL(encode, &e, x[0], x[1], x[2]);
                CALL(encode_vjp, &e, x[0], x[1], x[2], x[3], x[4], x[5]);
                CALL(encode_vjp, &e, x[0], x[1], x[2], x[3], x[4], NULL);
            }
        }
        CALL(log, n, BATCH, x[0], x[1]);
        CALL(log_vjp, n, BATCH, x[0], x[1], x[2], x[3]);
        CALL(cayley_inverse, n, BATCH, x[0], x[1]);
        CALL(cayley_inverse_vjp, n, BATCH, x[0], x[1], x[2]);
        CALL(pack, n, BATCH, x[0], x[1]);
        CALL(unpack, n, BATCH, x[0], x[1]);
        CALL(orthogonality, n, BATCH, x[0], x[1]);
        CALL(project, n, BATCH, x[0]);
        CALL(project_vjp, n, BATCH, x[0], x[1], x[2]);
        for (int rotations = 1; rotations <= 2; rotations++) {
            so_rotation r = {n, 2, 1, 2, rotations, 2 * n, 2 * n};
            CALL(rotate, &r, x[0], x[1], x[2]);
            CALL(rotate_vjp, &r, x[0], x[1], x[2], x[3], x[4]);
            CALL(rotate_vjp, &r, x[0], x[1], x[2], x[3], NULL);
            if constexpr (std::is_same_v<real, float>) {
                so_bf16 *vectors[3] = {(so_bf16 *)x[1], (so_bf16 *)x[2], (so_bf16 *)x[3]};
                CALL(rotate_bf16, &r, x[0], vectors[0], vectors[1]);
                CALL(rotate_vjp_bf16, &r, x[0], vectors[0], vectors[1], vectors[2], x[4]);
            }
        }
    }
    for (real *array : x)
        cudaFree(array);
}

int main(void)
{
    so_ctx *ctx;
    if (so_ctx_create_cuda(&ctx, 0, NULL) != SO_OK)
        return EXIT_FAILURE;
    call_all<float>(ctx, ctx->backend.f32);
    call_all<double>(ctx, ctx->backend.f64);
    float narrow = 0;
    double wide = 0;
    ctx->backend.widen(ctx, 1, &narrow, &wide);
    ctx->backend.narrow(ctx, 1, &wide, &narrow);
    ctx->backend.add(ctx, 1, &wide, &wide);
    so_ctx_destroy(ctx);
    for (const auto &[kernel, s] : shapes)
        printf("%td %u %zu\n", (const char *)kernel - (const char *)main, s.threads, s.shared);
}
