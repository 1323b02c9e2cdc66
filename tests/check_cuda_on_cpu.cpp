/* check_cuda_on_cpu.cpp: threads on the shim meet as CUDA's programming guide says, and what breaks its rules is reported.
 * SPDX-License-Identifier: MIT */
#include "tests/cuda_kernel.h"
#include <cmath>
#include <vector>

extern "C" Suite *check_cuda_on_cpu(void);

namespace {

constexpr unsigned FULL = 0xffffffffu;

void restore()
{
    cuda_on_cpu_schedule_of_environment();
}

/* ---- where a thread is ---- */

__global__ void places(int *count, unsigned *sum)
{
    unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    count[block * blockDim.x * blockDim.y * blockDim.z + thread]++;
    atomicAdd(sum, block + thread);
}

START_TEST(each_thread_runs_once)
{
    take_schedule(_i);
    const dim3 shapes[][2] = {{1, 1}, {{3, 2, 5}, {7, 3, 2}}, {1000, 32}, {{1, 4, 1}, {1, 1, 64}}, {2, 1024}, {{1, 1, 3}, 33}};
    for (auto &shape : shapes) {
        const unsigned blocks = shape[0].x * shape[0].y * shape[0].z, threads = shape[1].x * shape[1].y * shape[1].z;
        device_array<int> count(blocks * threads);
        device_array<unsigned> sum(1);
        cudaMemset(count, 0, blocks * threads * sizeof(int));
        cudaMemset(sum, 0, sizeof(unsigned));
        ck_assert_int_eq(launch(nullptr, places, shape[0], shape[1], 0, count.at, sum.at), cudaSuccess);
        for (unsigned i = 0; i < blocks * threads; i++)
            ck_assert_int_eq(count[i], 1);
        ck_assert_uint_eq(*sum, blocks * threads * (blocks + threads - 2) / 2);
    }
}
END_TEST

/* ---- barriers of a block ---- */

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

START_TEST(a_barrier_orders_memory)
{
    take_schedule(_i);
    for (unsigned threads : {1u, 5u, 32u, 100u, 256u, 1024u}) {
        device_array<int> out(3 * threads);
        ck_assert_int_eq(launch(nullptr, turns, 3, threads, threads * sizeof(int), out.at, 9), cudaSuccess);
        for (unsigned i = 0; i < 3 * threads; i++)
            ck_assert_int_eq(out[i], int((i % threads + 9) % threads));
    }
}
END_TEST

__global__ void questions(int *out)
{
    int t = int(threadIdx.x), n = int(blockDim.x), wrong = 0;
    wrong += __syncthreads_count(t % 3 == 0) != (n + 2) / 3;
    wrong += __syncthreads_or(t == n - 1) != 1;
    wrong += __syncthreads_or(0) != 0;
    wrong += __syncthreads_and(1) != 1;
    wrong += __syncthreads_and(t != 0) != 0;
    wrong += __syncthreads_count(7) != n;
    out[t] = wrong;
}

START_TEST(barriers_count_predicates)
{
    take_schedule(_i);
    for (unsigned threads : {2u, 32u, 75u, 512u}) {
        device_array<int> out(threads);
        ck_assert_int_eq(launch(nullptr, questions, 1, threads, 0, out.at), cudaSuccess);
        for (unsigned i = 0; i < threads; i++)
            ck_assert_int_eq(out[i], 0);
    }
}
END_TEST

/* Threads return one after the other, some lanes before a barrier of their warp, some warps before one of the block. */
__global__ void returns(int *out)
{
    int t = int(threadIdx.x);
    out[t] = 0;
    if (t % 2)
        return;
    __syncthreads();
    if (t < 64)
        return;
    out[t] = int(__ballot_sync(FULL, t >= 70));
    out[t] += __syncthreads_count(1);
}

START_TEST(threads_that_have_returned_count_as_arrived)
{
    take_schedule(_i);
    device_array<int> out(96);
    ck_assert_int_eq(launch(nullptr, returns, 1, 96, 0, out.at), cudaSuccess);
    for (int t = 0; t < 96; t++)
        ck_assert_int_eq(out[t], t % 2 || t < 64 ? 0 : 0x55555540 + 16);
}
END_TEST

/* ---- warps ---- */

/* Where lane reads from: PTX ISA, shfl.sync, with the bounds that CUDA's headers hand it. */
int source_of(char mode, int lane, int operand, int width)
{
    int first = lane / width * width, last = first + width - 1;
    switch (mode) {
    case 'i':
        return first + operand % width;
    case 'u':
        return lane - operand >= first ? lane - operand : lane;
    case 'd':
        return lane + operand <= last ? lane + operand : lane;
    default:
        return (lane ^ operand) <= last ? lane ^ operand : lane;
    }
}

template <class T> __global__ void shuffles(T *out, int operand, int width)
{
    int lane = int(threadIdx.x % 32);
    T value = T(3 * lane + 1) / T(2);
    T *o = out + 4 * threadIdx.x;
    o[0] = __shfl_sync(FULL, value, operand, width);
    o[1] = __shfl_up_sync(FULL, value, unsigned(operand), width);
    o[2] = __shfl_down_sync(FULL, value, unsigned(operand), width);
    o[3] = __shfl_xor_sync(FULL, value, operand, width);
}

template <class T> void check_shuffles()
{
    device_array<T> out(4 * 64);
    for (int width = 1; width <= 32; width *= 2)
        for (int operand = 0; operand < 32; operand++) {
            ck_assert_int_eq(launch(nullptr, shuffles<T>, 1, 64, 0, out.at, operand, width), cudaSuccess);
            for (int t = 0; t < 64; t++)
                for (int mode = 0; mode < 4; mode++) {
                    T expected = T(3 * source_of("iudx"[mode], t % 32, operand, width) + 1) / T(2);
                    ck_assert_msg(out[4 * t + mode] == expected, "width %d operand %d thread %d mode %d", width, operand, t,
                                  mode);
                }
        }
}

START_TEST(shuffles_read_the_right_lane)
{
    take_schedule(_i);
    check_shuffles<float>();
    check_shuffles<double>();
    check_shuffles<int>();
    check_shuffles<unsigned long long>();
}
END_TEST

__global__ void votes(int *out)
{
    int lane = int(threadIdx.x % 32), wrong = 0;
    unsigned alive = threadIdx.x < 32 ? FULL : 0xffffu;
    wrong += __ballot_sync(FULL, lane % 3 == 0) != (0x49249249u & alive);
    wrong += __any_sync(FULL, lane == 15) != 1;
    wrong += __any_sync(FULL, 0) != 0;
    wrong += __all_sync(FULL, 1) != 1;
    wrong += __all_sync(FULL, lane != 3) != 0;
    int n = __popc(alive);
    wrong += __reduce_add_sync(FULL, lane - 5) != n * (n - 1) / 2 - 5 * n;
    wrong += __reduce_min_sync(FULL, lane - 5) != -5;
    wrong += __reduce_max_sync(FULL, lane - 50) != n - 51;
    wrong += __reduce_max_sync(FULL, lane ? 0x90000000u : 0u) != 0x90000000u;
    wrong += __reduce_min_sync(FULL, lane ? 0x90000000u : 0x80000001u) != 0x80000001u;
    wrong += __reduce_add_sync(FULL, 0x80000000u + unsigned(lane == 0)) != 1u;
    wrong += __reduce_or_sync(FULL, 1u << lane) != alive;
    wrong += __reduce_and_sync(FULL, ~(1u << lane)) != ~alive;
    wrong += __reduce_xor_sync(FULL, unsigned(lane)) != 0u;
    out[threadIdx.x] = wrong;
}

START_TEST(votes_and_reductions)
{
    take_schedule(_i);
    device_array<int> out(48); /* the second warp is half full */
    ck_assert_int_eq(launch(nullptr, votes, 1, 48, 0, out.at), cudaSuccess);
    for (int i = 0; i < 48; i++)
        ck_assert_int_eq(out[i], 0);
}
END_TEST

/* Thirds of a warp go different ways, and overlap: lane 0 meets lanes 1, 2 and then lanes 3, 4, 5, which are there first. */
__global__ void parties(int *out)
{
    int lane = int(threadIdx.x), v = lane;
    if (lane >= 6) {
        unsigned mask = lane < 16 ? 0xffc0u : 0xffff0000u;
        for (int k = 0; k < (lane < 16 ? 3 : 5); k++)
            v += __reduce_add_sync(mask, 1);
    }
    if (lane < 3)
        v += 100 * __reduce_add_sync(0x07u, lane);
    if (lane == 0 || (lane >= 3 && lane < 6))
        v += 1000 * __reduce_add_sync(0x39u, lane);
    __syncwarp();
    out[lane] = v;
}

START_TEST(masks_may_overlap)
{
    take_schedule(_i);
    device_array<int> out(32);
    ck_assert_int_eq(launch(nullptr, parties, 1, 32, 0, out.at), cudaSuccess);
    for (int i = 0; i < 32; i++) {
        const int crowd = i < 6    ? 0
                          : i < 16 ? 30
                                   : 80,
                  first = i < 3 ? 300 : 0, second = i == 0 || (i >= 3 && i < 6) ? 12000 : 0;
        ck_assert_int_eq(out[i], i + crowd + first + second);
    }
}
END_TEST

/* ---- atomics ---- */

__global__ void atomics(int *i, unsigned *u, unsigned long long *l, float *f, double *d)
{
    int t = int(threadIdx.x + blockDim.x * blockIdx.x);
    atomicAdd(i, -1);
    atomicMax(i + 1, t);
    atomicMin(i + 2, -t);
    atomicOr(u, 1u << t % 32);
    atomicXor(u + 1, 1u);
    atomicAnd(u + 2, ~(1u << t % 8));
    atomicMax(u + 3, 0x80000000u + unsigned(t));
    atomicAdd(l, 1ull << 33);
    atomicAdd(f, 0.5f);
    atomicAdd(d, 0.25);
    for (unsigned seen = atomicAdd(u + 4, 0u), before; (before = atomicCAS(u + 4, seen, seen + 3)) != seen;)
        seen = before;
    if (atomicExch(u + 5, 1u) == 0)
        atomicSub(i + 3, 7);
}

START_TEST(atomics_lose_nothing)
{
    take_schedule(_i);
    device_array<int> i(4);
    device_array<unsigned> u(6);
    device_array<unsigned long long> l(1);
    device_array<float> f(1);
    device_array<double> d(1);
    for (int k = 0; k < 4; k++)
        i[k] = 0;
    for (int k = 0; k < 6; k++)
        u[k] = k == 2 ? FULL : 0;
    *l = 0;
    *f = 0;
    *d = 0;
    ck_assert_int_eq(launch(nullptr, atomics, 37, 100, 0, i.at, u.at, l.at, f.at, d.at), cudaSuccess);
    ck_assert_int_eq(i[0], -3700);
    ck_assert_int_eq(i[1], 3699);
    ck_assert_int_eq(i[2], -3699);
    ck_assert_int_eq(i[3], -7);
    ck_assert_uint_eq(u[0], FULL);
    ck_assert_uint_eq(u[1], 0);
    ck_assert_uint_eq(u[2], 0xffffff00u);
    ck_assert_uint_eq(u[3], 0x80000000u + 3699);
    ck_assert_uint_eq(u[4], 3 * 3700);
    ck_assert(*l == 3700ull << 33);
    ck_assert(*f == 1850);
    ck_assert(*d == 925);
}
END_TEST

/* ---- numbers ---- */

__global__ void numbers(int *wrong)
{
    int w = 0;
    w += __clz(0) != 32 || __clz(1) != 31 || __clz(-1) != 0 || __clzll(1) != 63 || __clzll(0) != 64;
    w += __ffs(0) != 0 || __ffs(8) != 4 || __ffsll(1ll << 40) != 41 || __popc(0xf0f0u) != 8 || __popcll(~0ull) != 64;
    w += __umulhi(0x80000000u, 6u) != 3u;
    w += __float_as_uint(1.0f) != 0x3f800000u || __uint_as_float(0x40000000u) != 2 || __float_as_int(-0.0f) != INT32_MIN ||
         __int_as_float(0x3f000000) != 0.5f;
    w += __double_as_longlong(1.0) != 0x3ff0000000000000 || __longlong_as_double(0x4000000000000000) != 2;
    w += __hiloint2double(__double2hiint(M_PI), __double2loint(M_PI)) != M_PI;
    w += min(3, 5) != 3 || max(-1, 2u) != ~0u || min(2.0f, 1.0) != 1.0 || max(7ll, 9ll) != 9;
    w += !(min(NAN, 1.0f) == 1) || !(max(2.0, double(NAN)) == 2);
    w += rsqrtf(4.0f) != 0.5f || rsqrt(16.0) != 0.25 || rsqrt(4.0f) != 0.5f || __frcp_rn(3.0f) != 1 / 3.0f ||
         __drcp_rn(8.0) != 0.125;
    w += __fmaf_rn(1 + 0x1p-12f, 1 + 0x1p-12f, -1) != 0x1p-11f + 0x1p-24f ||
         __fma_rn(1 + 0x1p-27, 1 + 0x1p-27, -1) != 0x1p-26 + 0x1p-54;
    w += __fmul_rn(1 + 0x1p-12f, 1 + 0x1p-12f) - 1 != 0x1p-11f || __dmul_rn(3, 5) != 15 || __fadd_rn(1, 2) != 3 ||
         __dsqrt_rn(9) != 3;
    w += __float2int_rn(2.5f) != 2 || __float2int_rz(-2.5f) != -2 || __float2int_ru(2.1f) != 3 || __double2int_rn(-3.5) != -4;
    float s, c;
    sincosf(0.5f, &s, &c);
    w += !(fabsf(s - sinf(0.5f)) < 1e-7f) || !(fabsf(c - cosf(0.5f)) < 1e-7f);
    float4 v = make_float4(1, 2, 3, 4);
    double2 z = {5, 6};
    w += __ldg(&v).w != 4 || __ldcs(&z).y != 6 || sizeof(float4) != 16 || alignof(float4) != 16 || alignof(double2) != 16;
    __stcs(&v.x, 9);
    w += v.x != 9;
    *wrong = w;
}

START_TEST(device_mathematics)
{
    device_array<int> wrong(1);
    ck_assert_int_eq(launch(nullptr, numbers, 1, 1, 0, wrong.at), cudaSuccess);
    ck_assert_int_eq(*wrong, 0);
}
END_TEST

/* ---- what is wrong must show ---- */

__global__ void unwritten(int *values, const float *memory)
{
    float *s = (float *)shared_memory;
    values[blockIdx.x] = isnan(s[0]) && isnan(s[99]) && isnan(memory[blockIdx.x]);
    s[0] = s[99] = 1;
}

START_TEST(unwritten_memory_is_nan)
{
    take_schedule(_i);
    device_array<int> values(50);
    device_array<float> memory(50);
    ck_assert_int_eq(launch(nullptr, unwritten, 50, 1, 100 * sizeof(float), values.at, (const float *)memory.at), cudaSuccess);
    for (int b = 0; b < 50; b++)
        ck_assert_int_eq(values[b], 1);
}
END_TEST

/* The barrier between store and load is missing; one block, and several that should not know of each other. */
__global__ void race(int *out)
{
    int *s = (int *)shared_memory, t = int(threadIdx.x), n = int(blockDim.x);
    s[t] = t;
    out[t] = s[(t + 1) % n];
    out[n + t] = s[(t + n - 1) % n];
}

__global__ void race_of_blocks(int *out)
{
    out[1 + blockIdx.x] = out[blockIdx.x] + 1;
}

START_TEST(schedules_expose_races)
{
    enum { N = 64 };
    bool seen = false, seen_of_blocks = false;
    for (int schedule = 0; schedule < SCHEDULES; schedule++) {
        take_schedule(schedule);
        device_array<int> out(2 * N);
        ck_assert_int_eq(launch(nullptr, race, 1, N, N * sizeof(int), out.at), cudaSuccess);
        int bad_next = 0, bad_previous = 0;
        for (int t = 0; t < N; t++) {
            bad_next += out[t] != (t + 1) % N;
            bad_previous += out[N + t] != (t + N - 1) % N;
        }
        ck_assert_msg(bad_next + bad_previous > 0, "schedule %d", schedule);
        seen |= schedule > 0 && bad_next < bad_previous;
        cudaMemset(out, 0, 2 * N * sizeof(int));
        ck_assert_int_eq(launch(nullptr, race_of_blocks, N, 1, 0, out.at), cudaSuccess);
        seen_of_blocks |= out[N] != N;
    }
    ck_assert(seen);
    ck_assert(seen_of_blocks);
}
END_TEST

/* Lanes meet in a shuffle, which promises nothing about memory: right here by chance, and a race to ThreadSanitizer (tsan.sh). */
__global__ void race_behind_a_shuffle(int *out)
{
    int *s = (int *)shared_memory, t = int(threadIdx.x);
    s[t] = t;
    __shfl_sync(FULL, t, 0);
    out[t] = s[t ^ 1];
}

START_TEST(a_shuffle_is_no_barrier)
{
    take_schedule(_i);
    device_array<int> out(32);
    ck_assert_int_eq(launch(nullptr, race_behind_a_shuffle, 1, 32, 32 * sizeof(int), out.at), cudaSuccess);
    for (int t = 0; t < 32; t++)
        ck_assert_int_eq(out[t], t ^ 1);
}
END_TEST

/* The order in which threads and blocks came. */
__global__ void arrivals(int *out, int *next)
{
    int t = int(threadIdx.x + blockDim.x * blockIdx.x);
    out[atomicAdd(next, 1)] = t;
}

std::vector<int> order_of_arrival(cuda_on_cpu_order order, uint64_t seed, unsigned blocks, unsigned threads)
{
    device_array<int> out(blocks * threads), next(1);
    *next = 0;
    cuda_on_cpu_schedule(order, seed);
    ck_assert_int_eq(launch(nullptr, arrivals, blocks, threads, 0, out.at, next.at), cudaSuccess);
    return std::vector<int>(out.at, out.at + blocks * threads);
}

START_TEST(schedules_are_what_they_say)
{
    std::vector<int> forward = order_of_arrival(CUDA_ON_CPU_FORWARD, 0, 3, 50);
    std::vector<int> backward = order_of_arrival(CUDA_ON_CPU_BACKWARD, 0, 3, 50);
    std::vector<int> first = order_of_arrival(CUDA_ON_CPU_RANDOM, 7, 3, 50);
    for (int i = 0; i < 150; i++) {
        ck_assert_int_eq(forward[size_t(i)], i);
        ck_assert_int_eq(backward[size_t(i)], 149 - i);
    }
    ck_assert(first != forward && first != backward);
    ck_assert(first == order_of_arrival(CUDA_ON_CPU_RANDOM, 7, 3, 50));
    ck_assert(first != order_of_arrival(CUDA_ON_CPU_RANDOM, 8, 3, 50));
    setenv("CUDA_ON_CPU_SCHEDULE", "sideways", 1);
    std::string words = last_words(cuda_on_cpu_schedule_of_environment);
    unsetenv("CUDA_ON_CPU_SCHEDULE");
    ck_assert_str_eq(words.c_str(), "cuda_on_cpu: CUDA_ON_CPU_SCHEDULE=sideways: not forward, backward or a number\n");
}
END_TEST

__global__ void half_at_barrier()
{
    if (threadIdx.x < 16)
        __syncthreads();
    else if (threadIdx.x == 31)
        __syncwarp();
}
__global__ void different_masks()
{
    __shfl_xor_sync(threadIdx.x % 32 < 16 ? FULL : 0xffff0000u, 1.0f, 1);
    __syncthreads();
}
__global__ void different_operations()
{
    if (threadIdx.x < 16)
        __any_sync(FULL, 1);
    else
        __all_sync(FULL, 1);
}
__global__ void different_types()
{
    if (threadIdx.x < 16)
        __shfl_sync(FULL, 1.0f, 0);
    else
        __shfl_sync(FULL, 1.0, 0);
}
__global__ void different_barriers()
{
    if (threadIdx.x < 40)
        __syncthreads();
    else
        __syncthreads_or(1);
}
__global__ void outside_its_mask()
{
    if (threadIdx.x < 16)
        __syncwarp(0xfff0u);
}
__global__ void reads_outside_the_mask()
{
    if (threadIdx.x < 16)
        __shfl_sync(0xffffu, 1, 16);
}
__global__ void reads_who_has_returned()
{
    if (threadIdx.x != 5)
        __shfl_sync(FULL, 1, 5);
}
__global__ void odd_width()
{
    __shfl_sync(FULL, 1, 0, 12);
}
__global__ void trapped()
{
    if (blockIdx.x == 2)
        __trap();
}

void (*const wrong_kernels[])() = {half_at_barrier,    different_masks,  different_operations,   different_types,
                                   different_barriers, outside_its_mask, reads_outside_the_mask, reads_who_has_returned,
                                   odd_width,          trapped};
const char *const complaints[][3] = {
    {"deadlock in block (0, 0, 0): none of its threads can go on\n    threads 0..15 wait at __syncthreads() "
     "(tests/check_cuda_on_cpu.cpp:",
     "threads 16..30 have returned\n", "threads 31..31 wait at __syncwarp ("},
    {"deadlock", "threads 0..15 wait at __shfl_xor_sync (", "threads 48..63 wait at __syncthreads() ("},
    {"lanes of mask ffffffff meet in different operations", "lane 0 in __any_sync (", "lane 16 in __all_sync ("},
    {"lanes of mask ffffffff meet in different operations", "of 4 bytes", "of 8 bytes"},
    {"threads of block (0, 0, 0) meet at different barriers", "at __syncthreads() (", "at __syncthreads_or() ("},
    {"is not in its own mask 0000fff0, __syncwarp ("},
    {"reads lane 16, which has no part in it, in __shfl_sync (", "with mask 0000ffff, block (0, 0, 0)"},
    {"reads lane 5, which has returned"},
    {"groups of 12 lanes, not 1, 2, 4, 8, 16 or 32: shuffle (tests/check_cuda_on_cpu.cpp:"},
    {"by thread 0 of block (2, 0, 0)"},
};
constexpr int WRONG_KERNELS = sizeof wrong_kernels / sizeof *wrong_kernels;
int wrong_kernel;

START_TEST(wrong_kernels_are_reported)
{
    wrong_kernel = _i % WRONG_KERNELS;
    int schedule = _i / WRONG_KERNELS;
    take_schedule(schedule);
    std::string words = last_words([] { launch(nullptr, wrong_kernels[wrong_kernel], 3, 64, 0); });
    ck_assert_msg(words.rfind("cuda_on_cpu: ", 0) == 0, "%s", words.c_str());
    for (const char *complaint : complaints[wrong_kernel])
        ck_assert_msg(schedule > 0 || !complaint || words.find(complaint) != words.npos, "%s\n... is not in: %s", complaint,
                      words.c_str());
}
END_TEST

__global__ void writes_behind(int bytes)
{
    if (threadIdx.x == 1)
        shared_memory[bytes] = 0;
}

START_TEST(writes_behind_the_shared_memory_are_reported)
{
    ck_assert_int_eq(launch(nullptr, writes_behind, 2, 2, 1000, 999), cudaSuccess);
    for (auto overrun :
         {+[] { launch(nullptr, writes_behind, 2, 2, 1000, 1000); }, +[] { launch(nullptr, writes_behind, 2, 2, 0, 7); }}) {
        std::string words = last_words(overrun);
        ck_assert_msg(words.find("AddressSanitizer: use-after-poison") != words.npos ||
                          words.find(" of shared memory") != words.npos,
                      "%s", words.c_str());
    }
}
END_TEST

#if defined __SANITIZE_ADDRESS__
__global__ void reads(const unsigned char *x, unsigned char *out)
{
    *out = x ? x[100] : shared_memory[100];
}

START_TEST(reads_behind_memory_are_reported)
{
    static unsigned char out;
    std::string words = last_words([] { launch(nullptr, reads, 1, 1, 100, nullptr, &out); });
    ck_assert_msg(words.find("AddressSanitizer: use-after-poison") != words.npos, "%s", words.c_str());
    words = last_words([] { launch(nullptr, reads, 1, 1, 101, device_array<unsigned char>(100).at, &out); });
    ck_assert_msg(words.find("AddressSanitizer: heap-buffer-overflow") != words.npos, "%s", words.c_str());
}
END_TEST
#endif

} // namespace

Suite *check_cuda_on_cpu(void)
{
    Suite *s = suite_create("cuda_on_cpu");
    TCase *threads = tcase_create("threads");
    tcase_add_checked_fixture(threads, nullptr, restore);
    tcase_add_loop_test(threads, each_thread_runs_once, 0, SCHEDULES);
    tcase_add_loop_test(threads, a_barrier_orders_memory, 0, SCHEDULES);
    tcase_add_loop_test(threads, barriers_count_predicates, 0, SCHEDULES);
    tcase_add_loop_test(threads, threads_that_have_returned_count_as_arrived, 0, SCHEDULES);
    tcase_add_loop_test(threads, shuffles_read_the_right_lane, 0, SCHEDULES);
    tcase_add_loop_test(threads, votes_and_reductions, 0, SCHEDULES);
    tcase_add_loop_test(threads, masks_may_overlap, 0, SCHEDULES);
    tcase_add_loop_test(threads, atomics_lose_nothing, 0, SCHEDULES);
    tcase_add_test(threads, device_mathematics);
    suite_add_tcase(s, threads);
    TCase *wrong = tcase_create("wrong");
    tcase_add_checked_fixture(wrong, nullptr, restore);
    tcase_add_loop_test(wrong, unwritten_memory_is_nan, 0, SCHEDULES);
    tcase_add_test(wrong, schedules_expose_races);
    tcase_add_loop_test(wrong, a_shuffle_is_no_barrier, 0, SCHEDULES);
    tcase_add_test(wrong, schedules_are_what_they_say);
    tcase_add_loop_test(wrong, wrong_kernels_are_reported, 0, WRONG_KERNELS * SCHEDULES);
    tcase_add_test(wrong, writes_behind_the_shared_memory_are_reported);
#if defined __SANITIZE_ADDRESS__
    tcase_add_test(wrong, reads_behind_memory_are_reported);
#endif
    suite_add_tcase(s, wrong);
    return s;
}
