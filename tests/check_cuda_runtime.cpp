/* check_cuda_runtime.cpp: the host's side of the shim: limits of launches, memory, streams, events, graphs, failures on demand.
 * SPDX-License-Identifier: MIT */
#include "tests/cuda_kernel.h"
#include "tests/failure.h"
#include <cmath>

extern "C" Suite *check_cuda_runtime(void);

namespace {

#define OK(call) ck_assert_int_eq(call, cudaSuccess)
#define FAILS(call, error) ck_assert_int_eq(call, error)

void restore()
{
    cuda_on_cpu_defer(0);
    for (int kind = 0; kind < FAILURES; kind++)
        failure_set(failure(kind), 0);
    cudaGetLastError();
}

__global__ void add(int *x, int y)
{
    x[blockIdx.x * blockDim.x + threadIdx.x] += y;
}
__global__ void twice(int *x)
{
    *x *= 2;
}

/* ---- the device ---- */

START_TEST(the_device_has_the_numbers_of_an_h200)
{
    int value;
    cudaDeviceProp p;
    OK(cudaGetDeviceCount(&value));
    ck_assert_int_eq(value, 1);
    OK(cudaSetDevice(0));
    FAILS(cudaSetDevice(1), cudaErrorInvalidDevice);
    OK(cudaGetDevice(&value));
    ck_assert_int_eq(value, 0);
    OK(cudaGetDeviceProperties(&p, 0));
    FAILS(cudaGetDeviceProperties(&p, -1), cudaErrorInvalidDevice);
    ck_assert_int_eq(p.multiProcessorCount, 132);
    const struct {
        cudaDeviceAttr attribute;
        int value;
    } expected[] = {{cudaDevAttrMultiProcessorCount, 132},
                    {cudaDevAttrComputeCapabilityMajor, 9},
                    {cudaDevAttrComputeCapabilityMinor, 0},
                    {cudaDevAttrWarpSize, 32},
                    {cudaDevAttrMaxThreadsPerBlock, 1024},
                    {cudaDevAttrMaxThreadsPerMultiProcessor, 2048},
                    {cudaDevAttrMaxBlocksPerMultiprocessor, 32},
                    {cudaDevAttrMaxRegistersPerMultiprocessor, 65536},
                    {cudaDevAttrMaxSharedMemoryPerBlock, 49152},
                    {cudaDevAttrMaxSharedMemoryPerBlockOptin, 232448},
                    {cudaDevAttrMaxSharedMemoryPerMultiprocessor, 233472},
                    {cudaDevAttrReservedSharedMemoryPerBlock, 1024},
                    {cudaDevAttrL2CacheSize, 60 << 20},
                    {cudaDevAttrCanMapHostMemory, 1},
                    {cudaDevAttrUnifiedAddressing, 1},
                    {cudaDevAttrMemoryPoolsSupported, 1}};
    for (auto &e : expected) {
        OK(cudaDeviceGetAttribute(&value, e.attribute, 0));
        ck_assert_int_eq(value, e.value);
    }
    FAILS(cudaDeviceGetAttribute(&value, cudaDeviceAttr(9999), 0), cudaErrorInvalidValue);
    FAILS(cudaDeviceGetAttribute(&value, cudaDevAttrWarpSize, 1), cudaErrorInvalidDevice);
    OK(cudaRuntimeGetVersion(&value));
    ck_assert_int_ge(value, 13000);
}
END_TEST

START_TEST(errors_are_remembered_and_named)
{
    ck_assert_int_eq(cudaGetLastError(), cudaSuccess);
    cudaSetDevice(5);
    OK(cudaSetDevice(0));
    ck_assert_int_eq(cudaPeekAtLastError(), cudaErrorInvalidDevice);
    ck_assert_int_eq(cudaGetLastError(), cudaErrorInvalidDevice);
    ck_assert_int_eq(cudaGetLastError(), cudaSuccess);
    ck_assert_str_eq(cudaGetErrorName(cudaErrorInvalidDevice), "cudaErrorInvalidDevice");
    ck_assert_str_eq(cudaGetErrorString(cudaErrorMemoryAllocation), "out of memory");
    ck_assert_str_eq(cudaGetErrorName(cudaError_t(12345)), "unrecognized error code");
    ck_assert_str_eq(cudaGetErrorString(cudaError_t(12345)), "unrecognized error code");
}
END_TEST

/* ---- launches ---- */

START_TEST(launches_beyond_the_limits_fail)
{
    device_array<int> x(1);
    *x = 7;
    for (dim3 threads : {dim3(1025), dim3(0), dim3(33, 32), dim3(1, 1, 65), dim3(1, 0)})
        FAILS(launch(nullptr, twice, 1, threads, 0, x.at), cudaErrorInvalidConfiguration);
    for (dim3 blocks : {dim3(0), dim3(0x80000000u), dim3(1, 65536), dim3(1, 1, 65536)})
        FAILS(launch(nullptr, twice, blocks, 1, 0, x.at), cudaErrorInvalidConfiguration);
    FAILS(launch(nullptr, (void (*)(int *)) nullptr, 1, 1, 0, x.at), cudaErrorInvalidDeviceFunction);
    FAILS(launch(nullptr, twice, 1, 1, 49153, x.at), cudaErrorInvalidValue);
    FAILS(cudaFuncSetAttribute(twice, cudaFuncAttributeMaxDynamicSharedMemorySize, 232449), cudaErrorInvalidValue);
    FAILS(launch(nullptr, twice, 1, 1, 49153, x.at), cudaErrorInvalidValue);
    cudaLaunchConfig_t c = {
        .gridDim = 1, .blockDim = 1, .dynamicSmemBytes = 0, .stream = nullptr, .attrs = nullptr, .numAttrs = 1};
    FAILS(cudaLaunchKernelEx(&c, twice, x.at), cudaErrorNotSupported);
    ck_assert_int_eq(*x, 7);
    ck_assert_int_eq(cudaGetLastError(), cudaErrorNotSupported);

    OK(launch(nullptr, twice, 1, 1, 49152, x.at));
    OK(cudaFuncSetAttribute(twice, cudaFuncAttributeMaxDynamicSharedMemorySize, 232448));
    OK(cudaFuncSetAttribute(twice, cudaFuncAttributePreferredSharedMemoryCarveout, 100));
    FAILS(launch(nullptr, twice, 1, 1, 232449, x.at), cudaErrorInvalidValue);
    OK(launch(nullptr, twice, 1, 1, 232448, x.at));
    ck_assert_int_eq(*x, 28);
    FAILS(launch(nullptr, add, 1, 1, 49153, x.at, 1), cudaErrorInvalidValue); /* of another kernel */
    cudaFuncAttributes a;
    OK(cudaFuncGetAttributes(&a, twice));
    ck_assert_int_eq(a.maxDynamicSharedSizeBytes, 232448);
    ck_assert_int_eq(a.maxThreadsPerBlock, 1024);
    OK(cudaFuncSetAttribute(twice, cudaFuncAttributeMaxDynamicSharedMemorySize, 49152));
}
END_TEST

START_TEST(occupancy_by_threads_blocks_and_shared_memory)
{
    const struct {
        int threads;
        size_t shared;
        int blocks;
    } expected[] = {{1024, 0, 2},      {256, 0, 8},         {33, 0, 32},  {32, 0, 32},
                    {32, 48 << 10, 4}, {128, 18 << 10, 12}, {1025, 0, 0}, {32, 49153, 0}};
    for (auto &e : expected) {
        int blocks;
        OK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, add, e.threads, e.shared));
        ck_assert_msg(blocks == e.blocks, "%d threads, %zu bytes: %d", e.threads, e.shared, blocks);
    }
}
END_TEST

/* ---- memory ---- */

START_TEST(memory_is_counted_and_poisoned)
{
    const int64_t before = cuda_on_cpu_allocations();
    const size_t bytes = cuda_on_cpu_bytes();
    float *device, *pinned, *mapped;
    size_t unused, total;
    OK(cudaMalloc(&device, 10 * sizeof(float)));
    OK(cudaMallocHost(&pinned, sizeof(float)));
    ck_assert_uint_eq((uintptr_t)device % 256, 0);
    ck_assert(isnan(device[0]) && isnan(device[9]) && isnan(*pinned));
    ck_assert_int_eq(cuda_on_cpu_allocations(), before + 2);
    ck_assert_uint_eq(cuda_on_cpu_bytes(), bytes + 44);
    OK(cudaMemGetInfo(&unused, &total));
    ck_assert_uint_eq(total - unused, bytes + 44);
    OK(cudaHostGetDevicePointer(&mapped, pinned, 0));
    ck_assert_ptr_eq(mapped, pinned);
    FAILS(cudaHostGetDevicePointer(&mapped, device, 0), cudaErrorInvalidValue);
    FAILS(cudaFree(pinned), cudaErrorInvalidValue);
    FAILS(cudaFreeHost(device), cudaErrorInvalidValue);
    FAILS(cudaFree(device + 1), cudaErrorInvalidValue);
    OK(cudaFree(device));
    FAILS(cudaFree(device), cudaErrorInvalidValue);
    OK(cudaFreeHost(pinned));
    OK(cudaFree(nullptr));
    OK(cudaFreeHost(nullptr));
    FAILS(cudaMalloc(&device, SIZE_MAX / 2), cudaErrorMemoryAllocation);
    ck_assert_ptr_null(device);
    OK(cudaMalloc(&device, 0));
    ck_assert_ptr_null(device);
    OK(cudaMallocAsync(&device, 4, nullptr));
    OK(cudaFreeAsync(device, nullptr));
    FAILS(cudaFreeAsync(device, nullptr), cudaErrorInvalidValue);
    ck_assert_int_eq(cuda_on_cpu_allocations(), before);
    ck_assert_uint_eq(cuda_on_cpu_bytes(), bytes);
}
END_TEST

START_TEST(copies_in_every_direction)
{
    device_array<int> a(4), b(4);
    int host[4] = {1, 2, 3, 4}, back[4] = {0};
    OK(cudaMemcpy(a, host, sizeof host, cudaMemcpyHostToDevice));
    OK(cudaMemcpy(b, a, sizeof host, cudaMemcpyDeviceToDevice));
    OK(cudaMemcpyAsync(back, b, sizeof host, cudaMemcpyDeviceToHost, nullptr));
    ck_assert_mem_eq(back, host, sizeof host);
    OK(cudaMemset(b, 0, 2 * sizeof(int)));
    OK(cudaMemsetAsync(b + 3, 1, sizeof(int)));
    OK(cudaMemcpy(back, b, sizeof host, cudaMemcpyDefault));
    ck_assert(back[0] == 0 && back[1] == 0 && back[2] == 3 && back[3] == 0x01010101);
    OK(cudaMemcpy(back, host, sizeof host, cudaMemcpyHostToHost));
    FAILS(cudaMemcpy(back, host, sizeof host, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
    FAILS(cudaMemcpy(back, a, sizeof host, cudaMemcpyHostToHost), cudaErrorInvalidValue);
    FAILS(cudaMemcpy(a, b, sizeof host, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
    FAILS(cudaMemcpy(a + 1, host, sizeof host, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
    FAILS(cudaMemcpyAsync(back, a + 2, sizeof host, cudaMemcpyDefault), cudaErrorInvalidValue);
    FAILS(cudaMemcpy(back, a, 4, cudaMemcpyKind(5)), cudaErrorInvalidMemcpyDirection);
    FAILS(cudaMemset(a + 1, 0, sizeof host), cudaErrorInvalidValue);
    FAILS(cudaMemsetAsync(host, 0, sizeof host), cudaErrorInvalidValue);
    OK(cudaMemcpy(nullptr, nullptr, 0, cudaMemcpyHostToDevice));
}
END_TEST

/* ---- streams and events ---- */

START_TEST(deferred_work_waits_for_the_host)
{
    device_array<int> x(1), y(1);
    int *pinned, host = 3;
    cudaStream_t one, two, stranger = (cudaStream_t)&host;
    cudaEvent_t event;
    OK(cudaMallocHost(&pinned, sizeof(int)));
    OK(cudaStreamCreate(&one));
    OK(cudaStreamCreateWithFlags(&two, cudaStreamNonBlocking));
    OK(cudaEventCreate(&event));
    OK(cudaEventQuery(event)); /* never recorded */
    cuda_on_cpu_defer(1);
    *x = 1;
    *y = 1;
    *pinned = 0;
    OK(launch(one, twice, 1, 1, 0, x.at));
    OK(cudaMemcpyAsync(pinned, x, sizeof(int), cudaMemcpyDeviceToHost, one));
    OK(cudaEventRecord(event, one));
    OK(cudaStreamWaitEvent(two, event));
    OK(launch(two, twice, 1, 1, 0, y.at));
    ck_assert(*x == 1 && *y == 1 && *pinned == 0);
    OK(cudaStreamSynchronize(one));
    ck_assert(*x == 2 && *y == 1 && *pinned == 2);
    OK(cudaStreamSynchronize(two));
    ck_assert_int_eq(*y, 2);

    OK(launch(two, twice, 1, 1, 0, y.at));
    FAILS(cudaStreamQuery(two), cudaErrorNotReady);
    OK(cudaStreamQuery(two));
    ck_assert_int_eq(*y, 4);
    ck_assert_int_eq(cudaGetLastError(), cudaSuccess);
    OK(cudaMemcpyAsync(x, &host, sizeof host, cudaMemcpyHostToDevice, one)); /* pageable: the host may change it at once */
    host = 0;
    OK(cudaEventRecord(event, one));
    FAILS(cudaEventQuery(event), cudaErrorNotReady);
    OK(cudaEventQuery(event));
    ck_assert_int_eq(*x, 3);
    OK(launch(one, twice, 1, 1, 0, x.at));
    OK(cudaEventRecord(event, one));
    OK(cudaEventSynchronize(event));
    ck_assert_int_eq(*x, 6);
    OK(launch(one, twice, 1, 1, 0, x.at));
    OK(cudaDeviceSynchronize());
    ck_assert_int_eq(*x, 12);
    OK(cudaLaunchHostFunc(
        one, [](void *p) { *(int *)p = 5; }, &host));
    ck_assert_int_eq(host, 0);
    cuda_on_cpu_defer(0);
    ck_assert_int_eq(host, 5);

    FAILS(launch(stranger, twice, 1, 1, 0, x.at), cudaErrorInvalidResourceHandle);
    FAILS(cudaStreamSynchronize(stranger), cudaErrorInvalidResourceHandle);
    FAILS(cudaStreamDestroy(nullptr), cudaErrorInvalidResourceHandle);
    OK(cudaEventDestroy(event));
    OK(cudaStreamDestroy(one));
    OK(cudaStreamDestroy(two));
    OK(cudaFreeHost(pinned));
}
END_TEST

START_TEST(events_measure_time)
{
    cudaEvent_t start, end, silent;
    float milliseconds = -1;
    OK(cudaEventCreate(&start));
    OK(cudaEventCreate(&end));
    OK(cudaEventCreateWithFlags(&silent, cudaEventDisableTiming));
    FAILS(cudaEventElapsedTime(&milliseconds, start, end), cudaErrorInvalidResourceHandle);
    OK(cudaEventRecord(start));
    OK(cudaEventRecord(end));
    OK(cudaEventRecord(silent));
    OK(cudaEventElapsedTime(&milliseconds, start, end));
    ck_assert(milliseconds >= 0 && milliseconds < 10000);
    FAILS(cudaEventElapsedTime(&milliseconds, start, silent), cudaErrorInvalidResourceHandle);
    cuda_on_cpu_defer(1);
    OK(cudaEventRecord(end));
    FAILS(cudaEventElapsedTime(&milliseconds, start, end), cudaErrorNotReady);
    cuda_on_cpu_defer(0);
    for (cudaEvent_t event : {start, end, silent})
        OK(cudaEventDestroy(event));
}
END_TEST

/* ---- graphs ---- */

START_TEST(graphs_replay_what_was_captured)
{
    device_array<int> x(64), y(64);
    cudaStream_t stream, other;
    cudaEvent_t fork, join;
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    cudaStreamCaptureStatus status;
    OK(cudaStreamCreate(&stream));
    OK(cudaStreamCreate(&other));
    OK(cudaEventCreate(&fork));
    OK(cudaEventCreate(&join));
    OK(cudaMemset(x, 0, 64 * sizeof(int)));
    OK(cudaMemset(y, 0, 64 * sizeof(int)));
    const int64_t kernels = cuda_on_cpu_kernels();

    OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
    FAILS(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), cudaErrorIllegalState);
    OK(cudaStreamIsCapturing(stream, &status));
    ck_assert_int_eq(status, cudaStreamCaptureStatusActive);
    for (int value = 1; value <= 3; value++)
        OK(launch(stream, add, 2, 32, 0, x.at, value)); /* the arguments are those of now */
    OK(cudaEventRecord(fork, stream));
    OK(cudaStreamWaitEvent(other, fork));
    OK(cudaMemcpyAsync(y, x, 64 * sizeof(int), cudaMemcpyDeviceToDevice, other));
    OK(cudaEventRecord(join, other));
    OK(cudaStreamWaitEvent(stream, join));
    OK(cudaMemsetAsync(x, 0, sizeof(int), stream));
    FAILS(cudaStreamEndCapture(other, &graph), cudaErrorStreamCaptureUnmatched);
    OK(cudaStreamEndCapture(stream, &graph));
    OK(cudaStreamIsCapturing(other, &status));
    ck_assert_int_eq(status, cudaStreamCaptureStatusNone);
    ck_assert_int_eq(x[5], 0);
    ck_assert_int_eq(cuda_on_cpu_kernels(), kernels);

    OK(cudaGraphInstantiate(&executable, graph));
    OK(cudaGraphDestroy(graph));
    for (int times = 1; times <= 3; times++) {
        OK(cudaGraphLaunch(executable, stream));
        OK(cudaStreamSynchronize(stream));
        ck_assert_int_eq(x[63], 6 * times);
        ck_assert_int_eq(y[63], 6 * times);
        ck_assert_int_eq(x[0], 0);
        ck_assert_int_eq(y[0], 6);
    }
    ck_assert_int_eq(cuda_on_cpu_kernels(), kernels + 9);
    FAILS(cudaEventQuery(fork), cudaErrorCapturedEvent);
    FAILS(cudaEventSynchronize(fork), cudaErrorCapturedEvent);
    OK(cudaGraphExecDestroy(executable));
    FAILS(cudaStreamEndCapture(stream, &graph), cudaErrorIllegalState);
    FAILS(cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeGlobal), cudaErrorStreamCaptureUnsupported);
    OK(cudaEventDestroy(fork));
    OK(cudaEventDestroy(join));
    OK(cudaStreamDestroy(stream));
    OK(cudaStreamDestroy(other));
}
END_TEST

cudaStream_t captured;
device_array<int> *target;

/* What a captured stream, or any while one is captured, must not do. */
const struct {
    cudaError_t (*call)();
    cudaError_t error;
} forbidden[] = {
    {[] { return cudaMalloc((void **)&target->at, 4); }, cudaErrorStreamCaptureUnsupported},
    {[] { return cudaMallocAsync((void **)&target->at, 4, captured); }, cudaErrorStreamCaptureUnsupported},
    {[] { return cudaFree(target->at); }, cudaErrorStreamCaptureUnsupported},
    {[] { return cudaFreeAsync(target->at, captured); }, cudaErrorStreamCaptureUnsupported},
    {[] { return cudaMemcpy(target->at, target->at + 1, 4, cudaMemcpyDeviceToDevice); }, cudaErrorStreamCaptureUnsupported},
    {[] { return cudaMemset(target->at, 0, 4); }, cudaErrorStreamCaptureUnsupported},
    {[] { return cudaStreamSynchronize(captured); }, cudaErrorStreamCaptureUnsupported},
    {[] { return cudaStreamQuery(captured); }, cudaErrorStreamCaptureUnsupported},
    {[] { return cudaDeviceSynchronize(); }, cudaErrorStreamCaptureUnsupported},
    {[] { return cudaStreamSynchronize(nullptr); }, cudaErrorStreamCaptureImplicit},
    {[] { return launch(nullptr, twice, 1, 1, 0, target->at); }, cudaErrorStreamCaptureImplicit},
};
constexpr int FORBIDDEN = sizeof forbidden / sizeof *forbidden;

START_TEST(forbidden_calls_spoil_a_capture)
{
    device_array<int> x(2);
    target = &x;
    cudaGraph_t graph = nullptr;
    cudaStreamCaptureStatus status;
    OK(cudaStreamCreate(&captured));
    OK(cudaStreamBeginCapture(captured, cudaStreamCaptureModeGlobal));
    OK(launch(captured, twice, 1, 1, 0, x.at));
    FAILS(forbidden[_i].call(), forbidden[_i].error);
    OK(cudaStreamIsCapturing(captured, &status));
    ck_assert_int_eq(status, cudaStreamCaptureStatusInvalidated);
    FAILS(launch(captured, twice, 1, 1, 0, x.at), cudaErrorStreamCaptureInvalidated);
    FAILS(cudaStreamEndCapture(captured, &graph), cudaErrorStreamCaptureInvalidated);
    ck_assert_ptr_null(graph);
    *x = 4;
    OK(launch(captured, twice, 1, 1, 0, x.at)); /* the stream is free again */
    ck_assert_int_eq(*x, 8);
    OK(cudaStreamDestroy(captured));
}
END_TEST

/* ---- failures on demand ---- */

START_TEST(calls_fail_on_demand)
{
    int *p, *q;
    device_array<int> x(1);
    *x = 1;
    failure_set(FAILURE_CUDA_ALLOCATION, 2);
    OK(cudaMalloc(&p, 4));
    ck_assert(!failure_happened(FAILURE_CUDA_ALLOCATION));
    FAILS(cudaMallocHost(&q, 4), cudaErrorMemoryAllocation);
    ck_assert(failure_happened(FAILURE_CUDA_ALLOCATION));
    ck_assert_ptr_null(q);
    OK(cudaFree(p));
    failure_set(FAILURE_CUDA_LAUNCH, 1);
    FAILS(launch(nullptr, twice, 1, 1, 0, x.at), cudaErrorLaunchOutOfResources);
    ck_assert_int_eq(*x, 1);
    OK(launch(nullptr, twice, 1, 1, 0, x.at));
    ck_assert_int_eq(*x, 2);
    failure_set(FAILURE_CUDA_CALL, 3);
    OK(cudaDeviceSynchronize());
    OK(launch(nullptr, twice, 1, 1, 0, x.at));
    FAILS(cudaMemset(x, 0, 4), cudaErrorUnknown);
    OK(cudaMemset(x, 0, 4));
    ck_assert_int_eq(*x, 0);
}
END_TEST

} // namespace

Suite *check_cuda_runtime(void)
{
    Suite *s = suite_create("cuda_runtime");
    TCase *t = tcase_create("host");
    tcase_add_checked_fixture(t, nullptr, restore);
    tcase_add_test(t, the_device_has_the_numbers_of_an_h200);
    tcase_add_test(t, errors_are_remembered_and_named);
    tcase_add_test(t, launches_beyond_the_limits_fail);
    tcase_add_test(t, occupancy_by_threads_blocks_and_shared_memory);
    tcase_add_test(t, memory_is_counted_and_poisoned);
    tcase_add_test(t, copies_in_every_direction);
    tcase_add_test(t, deferred_work_waits_for_the_host);
    tcase_add_test(t, events_measure_time);
    tcase_add_test(t, graphs_replay_what_was_captured);
    tcase_add_loop_test(t, forbidden_calls_spoil_a_capture, 0, FORBIDDEN);
    tcase_add_test(t, calls_fail_on_demand);
    suite_add_tcase(s, t);
    return s;
}
