/* check_cuda_on_cpu.cpp: the CUDA of tests/cuda_on_cpu does what CUDA's programming guide says, and notices what breaks its rules.
 * SPDX-License-Identifier: MIT */
#include "cuda_runtime.h"
#include "tests/cuda_on_cpu/cuda_on_cpu.h"
#include "tests/failure.h"
#include <check.h>
#include <cstdlib>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

extern "C" Suite *check_cuda_on_cpu(void);
extern __shared__ __align__(128) unsigned char shared_memory[];

namespace {

constexpr unsigned FULL = 0xffffffffu;

/* ---- launching ---- */

template <class... P, class... Q>
cudaError_t launch(cudaStream_t stream, void (*kernel)(P...), dim3 blocks, dim3 threads, size_t shared, Q... arguments)
{
    cudaLaunchConfig_t c = {};
    c.gridDim = blocks;
    c.blockDim = threads;
    c.dynamicSmemBytes = shared;
    c.stream = stream;
    return cudaLaunchKernelEx(&c, kernel, P(arguments)...);
}

template <class T> struct array {
    T *at;
    explicit array(size_t count)
    {
        ck_assert_int_eq(cudaMalloc(&at, count * sizeof(T)), cudaSuccess);
    }
    ~array()
    {
        cudaFree(at);
    }
    array(const array &) = delete;
    operator T *() const
    {
        return at;
    }
};

/* What a loop test runs under. */
constexpr struct {
    cuda_on_cpu_order order;
    uint64_t seed;
} schedules[] = {{CUDA_ON_CPU_FORWARD, 0}, {CUDA_ON_CPU_BACKWARD, 0}, {CUDA_ON_CPU_RANDOM, 1}, {CUDA_ON_CPU_RANDOM, 2}};
enum { SCHEDULES = 4 };

void take_schedule(int i)
{
    cuda_on_cpu_schedule(schedules[i].order, schedules[i].seed);
}

void forward()
{
    take_schedule(0);
    cuda_on_cpu_defer(0);
}

/* ---- where a thread is ---- */

__global__ void places(int *count, unsigned *sum)
{
    unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    count[block * blockDim.x * blockDim.y * blockDim.z + thread]++;
    atomicAdd(sum, block + thread);
}

START_TEST(each_thread_once)
{
    take_schedule(_i);
    const dim3 shapes[][2] = {{1, 1}, {{3, 2, 5}, {7, 3, 2}}, {1000, 32}, {{1, 4, 1}, {1, 1, 64}}, {2, 1024}, {{1, 1, 3}, 33}};
    for (auto &shape : shapes) {
        const unsigned blocks = shape[0].x * shape[0].y * shape[0].z, threads = shape[1].x * shape[1].y * shape[1].z;
        array<int> count(blocks * threads);
        array<unsigned> sum(1);
        cudaMemset(count, 0, blocks * threads * sizeof(int));
        cudaMemset(sum, 0, sizeof(unsigned));
        ck_assert_int_eq(launch(nullptr, places, shape[0], shape[1], 0, count.at, sum.at), cudaSuccess);
        ck_assert_int_eq(cudaDeviceSynchronize(), cudaSuccess);
        for (unsigned i = 0; i < blocks * threads; i++)
            ck_assert_int_eq(count[i], 1);
        ck_assert_uint_eq(*sum, blocks * threads * (blocks + threads - 2) / 2);
    }
}
END_TEST

/* ---- barriers ---- */

__global__ void turns(int *out, int steps)
{
    int *s = (int *)shared_memory;
    s[threadIdx.x] = int(threadIdx.x);
    for (int k = 0; k < steps; k++) {
        __syncthreads();
        int next = s[(threadIdx.x + 1) % blockDim.x];
        __syncthreads();
        s[threadIdx.x] = next;
    }
    out[blockIdx.x * blockDim.x + threadIdx.x] = s[threadIdx.x];
}

START_TEST(barrier_orders_memory)
{
    take_schedule(_i);
    for (unsigned threads : {1u, 5u, 32u, 100u, 256u, 1024u}) {
        array<int> out(3 * threads);
        ck_assert_int_eq(launch(nullptr, turns, 3, threads, threads * sizeof(int), out.at, 9), cudaSuccess);
        for (unsigned i = 0; i < 3 * threads; i++)
            ck_assert_int_eq(out[i], int((i % threads + 9) % threads));
    }
}
END_TEST

Suite *make()
{
    Suite *s = suite_create("cuda_on_cpu");
    TCase *t = tcase_create("threads");
    tcase_add_checked_fixture(t, forward, forward);
    tcase_add_loop_test(t, each_thread_once, 0, SCHEDULES);
    tcase_add_loop_test(t, barrier_orders_memory, 0, SCHEDULES);
    suite_add_tcase(s, t);
    return s;
}

} // namespace

Suite *check_cuda_on_cpu(void)
{
    return make();
}
