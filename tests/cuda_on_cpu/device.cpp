/* device.cpp: errors, and the one device: what kernels may ask of it are the numbers of an H200.
 * SPDX-License-Identifier: MIT */
#include "api.h"
#include <cstdio>
#include <cstdlib>

namespace cuda_on_cpu {

namespace {
__thread cudaError_t last_error;
__thread int device;
constexpr int VERSION = 13000;

int driver_version()
{
    const char *wish = getenv("CUDA_ON_CPU_DRIVER");
    return wish ? atoi(wish) : VERSION;
}
} // namespace

std::recursive_mutex &api_mutex()
{
    static std::recursive_mutex mutex;
    return mutex;
}

cudaError_t remember(cudaError_t error)
{
    if (error != cudaSuccess && error != cudaErrorNotReady)
        last_error = error;
    return error;
}

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

const char *cudaGetErrorName(cudaError_t error)
{
    switch (error) {
#define ERROR(name, number, text)                                                                                              \
    case name:                                                                                                                 \
        return #name;
        CUDA_ERRORS(ERROR)
#undef ERROR
    }
    return "unrecognized error code";
}

const char *cudaGetErrorString(cudaError_t error)
{
    switch (error) {
#define ERROR(name, number, text)                                                                                              \
    case name:                                                                                                                 \
        return text;
        CUDA_ERRORS(ERROR)
#undef ERROR
    }
    return "unrecognized error code";
}

cudaError_t cudaGetLastError(void)
{
    cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}

cudaError_t cudaPeekAtLastError(void)
{
    return last_error;
}

cudaError_t cudaGetDeviceCount(int *count)
{
    return api([=] {
        *count = 1;
        return driver_version() < VERSION ? cudaErrorInsufficientDriver : cudaSuccess;
    });
}

cudaError_t cudaGetDevice(int *number)
{
    return api([=] {
        *number = device;
        return cudaSuccess;
    });
}

cudaError_t cudaSetDevice(int number)
{
    return api([=] {
        if (number != 0)
            return cudaErrorInvalidDevice;
        device = number;
        return cudaSuccess;
    });
}

static void describe(cudaDeviceProp *p)
{
    *p = {};
    snprintf(p->name, sizeof p->name, "CUDA on CPU");
    p->totalGlobalMem = DEVICE_BYTES;
    p->sharedMemPerBlock = SHARED_DEFAULT;
    p->regsPerBlock = 65536;
    p->warpSize = 32;
    p->maxThreadsPerBlock = MOST_THREADS;
    p->maxThreadsDim[0] = p->maxThreadsDim[1] = MOST_THREADS;
    p->maxThreadsDim[2] = 64;
    p->maxGridSize[0] = 0x7fffffff;
    p->maxGridSize[1] = p->maxGridSize[2] = 65535;
    p->major = 9;
    p->minor = 0;
    p->multiProcessorCount = 132;
    p->canMapHostMemory = p->unifiedAddressing = 1;
    p->l2CacheSize = 60 << 20;
    p->maxThreadsPerMultiProcessor = 2048;
    p->sharedMemPerMultiprocessor = 228 << 10;
    p->sharedMemPerBlockOptin = SHARED_OPT_IN;
    p->reservedSharedMemPerBlock = 1 << 10;
    p->regsPerMultiprocessor = 65536;
    p->maxBlocksPerMultiProcessor = 32;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int number)
{
    return api([=] {
        if (number != 0)
            return cudaErrorInvalidDevice;
        describe(properties);
        return cudaSuccess;
    });
}

static int attribute(const cudaDeviceProp &p, cudaDeviceAttr a)
{
    switch (a) {
    case cudaDevAttrMaxThreadsPerBlock:
        return p.maxThreadsPerBlock;
    case cudaDevAttrMaxSharedMemoryPerBlock:
        return int(p.sharedMemPerBlock);
    case cudaDevAttrWarpSize:
        return p.warpSize;
    case cudaDevAttrMultiProcessorCount:
        return p.multiProcessorCount;
    case cudaDevAttrCanMapHostMemory:
        return p.canMapHostMemory;
    case cudaDevAttrL2CacheSize:
        return p.l2CacheSize;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
        return p.maxThreadsPerMultiProcessor;
    case cudaDevAttrUnifiedAddressing:
        return p.unifiedAddressing;
    case cudaDevAttrComputeCapabilityMajor:
        return p.major;
    case cudaDevAttrComputeCapabilityMinor:
        return p.minor;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
        return int(p.sharedMemPerMultiprocessor);
    case cudaDevAttrMaxRegistersPerMultiprocessor:
        return p.regsPerMultiprocessor;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
        return int(p.sharedMemPerBlockOptin);
    case cudaDevAttrMaxBlocksPerMultiprocessor:
        return p.maxBlocksPerMultiProcessor;
    case cudaDevAttrReservedSharedMemoryPerBlock:
        return int(p.reservedSharedMemPerBlock);
    case cudaDevAttrMemoryPoolsSupported:
        return 1;
    }
    return -1;
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr wanted, int number)
{
    return api([=] {
        if (number != 0)
            return cudaErrorInvalidDevice;
        cudaDeviceProp properties;
        describe(&properties);
        *value = attribute(properties, wanted);
        return *value < 0 ? cudaErrorInvalidValue : cudaSuccess;
    });
}

cudaError_t cudaDriverGetVersion(int *version)
{
    return api([=] {
        *version = driver_version();
        return cudaSuccess;
    });
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    return api([=] {
        *version = VERSION;
        return cudaSuccess;
    });
}
