/* cuda_context.cpp: see cuda_context.h.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include <check.h>
#include <cstdlib>
#include <cstring>
#include <cuda_runtime.h>

extern "C" {
#include "libso/context.h"
}
#include "libso/so_cuda.h"

#define CUDA(call)                                                                                                             \
    do {                                                                                                                       \
        cudaError_t error = call;                                                                                              \
        ck_assert_msg(error == cudaSuccess, "%s: %s", #call, cudaGetErrorString(error));                                       \
    } while (0)

int test_on_cuda(void)
{
    const char *device = getenv("SO_TEST_DEVICE");
    ck_assert_msg(!device || strcmp(device, "cuda") == 0 || strcmp(device, "cpu") == 0, "SO_TEST_DEVICE=%s: cpu or cuda", device);
    return device && strcmp(device, "cuda") == 0;
}

so_status test_context(so_ctx **ctx, int threads)
{
    return test_on_cuda() ? so_ctx_create_cuda(ctx, 0, NULL) : so_ctx_create_cpu(ctx, threads);
}

so_ctx *cuda_context(void)
{
    so_ctx *ctx;
    so_status status = so_ctx_create_cuda(&ctx, 0, NULL);
    ck_assert_msg(status == SO_OK, "so_ctx_create_cuda: %s", so_status_string(status));
    return ctx;
}

int is_cuda(const so_ctx *ctx)
{
    return ctx && ctx->device;
}

void *cuda_array(const void *from, size_t bytes)
{
    void *array;
    CUDA(cudaMalloc(&array, bytes ? bytes : 1));
    if (from)
        CUDA(cudaMemcpy(array, from, bytes, cudaMemcpyHostToDevice));
    else
        CUDA(cudaMemset(array, 0xff, bytes));
    return array;
}

void cuda_write(void *array, const void *from, size_t bytes)
{
    CUDA(cudaMemcpy(array, from, bytes, cudaMemcpyHostToDevice));
}

void cuda_read(void *to, const void *array, size_t bytes)
{
    CUDA(cudaMemcpy(to, array, bytes, cudaMemcpyDeviceToHost));
}

void cuda_free(void *array)
{
    CUDA(cudaFree(array));
}

so_status cuda_finish(so_ctx *ctx, so_status accepted)
{
    CUDA(cudaDeviceSynchronize());
    so_status met = so_ctx_status(ctx);
    return accepted != SO_OK ? accepted : met;
}

extern "C" void cuda_on_cpu_schedule(int order, uint64_t seed) __attribute__((weak)); /* not there on a device */

int cuda_is_device(void)
{
    return !cuda_on_cpu_schedule;
}

void cuda_order(int k)
{
    if (cuda_on_cpu_schedule)
        cuda_on_cpu_schedule(k, (uint64_t)k);
}

void *test_workspace(size_t bytes)
{
    void *memory = test_on_cuda() ? cuda_array(NULL, bytes) : aligned_alloc(64, (bytes + 63) / 64 * 64);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

void test_workspace_free(void *memory)
{
    test_on_cuda() ? cuda_free(memory) : free(memory);
}
