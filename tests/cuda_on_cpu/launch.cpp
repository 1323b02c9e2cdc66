/* launch.cpp: what a launch must satisfy, and the grid's blocks side by side.
 * SPDX-License-Identifier: MIT */
#include "api.h"
#include "message.h"
#include <algorithm>
#include <cstdlib>
#include <map>
#include <numeric>
#include <omp.h>

namespace cuda_on_cpu {

namespace {

int64_t kernels;
std::map<const void *, int> most_shared; /* where cudaFuncSetAttribute has changed it */

schedule schedule_of_environment()
{
    const char *wish = getenv("CUDA_ON_CPU_SCHEDULE");
    if (!wish || !*wish || strcmp(wish, "forward") == 0)
        return {CUDA_ON_CPU_FORWARD, 0};
    if (strcmp(wish, "backward") == 0)
        return {CUDA_ON_CPU_BACKWARD, 0};
    char *end;
    uint64_t seed = strtoull(wish, &end, 0);
    if (*end)
        wrong("CUDA_ON_CPU_SCHEDULE=%s: not forward, backward or a number", wish);
    return {CUDA_ON_CPU_RANDOM, seed};
}

schedule &now()
{
    static schedule s = schedule_of_environment();
    return s;
}

/* A hash: neighbouring seeds give unrelated values. */
uint64_t scatter(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

int shared_limit(const void *kernel)
{
    auto found = most_shared.find(kernel);
    return found == most_shared.end() ? int(SHARED_DEFAULT) : found->second;
}

bool within(dim3 size, unsigned x, unsigned y, unsigned z)
{
    return size.x >= 1 && size.x <= x && size.y >= 1 && size.y <= y && size.z >= 1 && size.z <= z;
}

cudaError_t check_launch(const cudaLaunchConfig_t *c, const void *kernel)
{
    if (!kernel)
        return cudaErrorInvalidDeviceFunction;
    if (!within(c->gridDim, 0x7fffffff, 65535, 65535) || !within(c->blockDim, MOST_THREADS, MOST_THREADS, 64) ||
        c->blockDim.x * c->blockDim.y * c->blockDim.z > MOST_THREADS)
        return cudaErrorInvalidConfiguration;
    if (c->dynamicSmemBytes > size_t(shared_limit(kernel)))
        return cudaErrorInvalidValue;
    return c->numAttrs ? cudaErrorNotSupported : cudaSuccess;
}

} // namespace

/* The i-th block to start is first + i * step, modulo their number. */
void run_grid(const grid &g)
{
    constexpr int MOST_OS_THREADS = 16; /* each maps up to 1024 stacks, of which the system allows 32,000 or so */
    const int64_t total = int64_t(g.blocks.x) * g.blocks.y * g.blocks.z;
    const schedule order = now();
    const uint64_t seed = scatter(order.seed + 1);
    int64_t first = 0, step = 1;
    if (order.order == CUDA_ON_CPU_BACKWARD) {
        first = total - 1;
        step = -1;
    } else if (order.order == CUDA_ON_CPU_RANDOM) {
        first = int64_t(seed % uint64_t(total));
        step = 1 + int64_t(scatter(seed) % uint64_t(std::min<int64_t>(total, 1 << 20)));
        while (std::gcd(step, total) != 1)
            step++;
    }
    const int threads = std::min(omp_get_max_threads(), MOST_OS_THREADS);
    const bool small = total * g.threads.x * g.threads.y * g.threads.z < 512; /* not worth waking others */
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (!small && threads > 1 && total > 1)
    for (int64_t i = 0; i < total; i++) {
        int64_t b = (first + i * step) % total;
        b = b < 0 ? b + total : b;
        dim3 index(unsigned(b % g.blocks.x), unsigned(b / g.blocks.x % g.blocks.y), unsigned(b / g.blocks.x / g.blocks.y));
        run_block(g, index, {order.order, scatter(seed + uint64_t(b))});
    }
    kernels++;
}

cudaError_t launch(const cudaLaunchConfig_t *c, const void *kernel, std::function<void()> body)
{
    return api([&] {
        cudaError_t error = failure_due(FAILURE_CUDA_LAUNCH) ? cudaErrorLaunchOutOfResources : check_launch(c, kernel);
        if (error != cudaSuccess)
            return error;
        grid g = {c->gridDim, c->blockDim, c->dynamicSmemBytes, std::move(body)};
        return enqueue(c->stream, [g] { run_grid(g); });
    });
}

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

void cuda_on_cpu_schedule(cuda_on_cpu_order order, uint64_t seed)
{
    std::lock_guard<std::recursive_mutex> guard(api_mutex());
    now() = {order, seed};
}

void cuda_on_cpu_schedule_of_environment(void)
{
    std::lock_guard<std::recursive_mutex> guard(api_mutex());
    now() = schedule_of_environment();
}

int64_t cuda_on_cpu_kernels(void)
{
    std::lock_guard<std::recursive_mutex> guard(api_mutex());
    return kernels;
}

cudaError_t cudaFuncSetAttribute(const void *kernel, cudaFuncAttribute attribute, int value)
{
    return api([=] {
        if (!kernel)
            return cudaErrorInvalidDeviceFunction;
        if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout)
            return cudaSuccess;
        if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 || value > int(SHARED_OPT_IN))
            return cudaErrorInvalidValue;
        most_shared[kernel] = value;
        return cudaSuccess;
    });
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *attributes, const void *kernel)
{
    return api([=] {
        if (!kernel)
            return cudaErrorInvalidDeviceFunction;
        *attributes = {};
        attributes->maxThreadsPerBlock = MOST_THREADS;
        attributes->ptxVersion = attributes->binaryVersion = 90;
        attributes->maxDynamicSharedSizeBytes = shared_limit(kernel);
        return cudaSuccess;
    });
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, const void *kernel, int threads, size_t shared_bytes)
{
    return api([=] {
        if (!kernel)
            return cudaErrorInvalidDeviceFunction;
        if (threads < 1)
            return cudaErrorInvalidValue;
        size_t by_threads = threads > int(MOST_THREADS) ? 0 : 2048 / size_t((threads + 31) / 32 * 32);
        size_t by_memory = shared_bytes > size_t(shared_limit(kernel)) ? 0 : (228 << 10) / (shared_bytes + (1 << 10));
        *blocks = int(std::min({size_t(32), by_threads, by_memory}));
        return cudaSuccess;
    });
}
