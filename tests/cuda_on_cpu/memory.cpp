/* memory.cpp: the device's memory is the host's, and page-locked memory any; both are remembered, so that a copy out of bounds
 * or in the wrong direction is refused as on a device. Each piece is an allocation of its own, behind which ASan looks.
 * SPDX-License-Identifier: MIT */
#include "api.h"
#include <cstdlib>
#include <map>

namespace cuda_on_cpu {

namespace {

struct piece {
    size_t bytes;
    bool of_host;
};
std::map<const char *, piece> pieces;
size_t bytes_in_use;

/* The piece that holds p, or pieces.end(). */
auto piece_of(const void *p)
{
    auto after = pieces.upper_bound((const char *)p);
    if (after == pieces.begin())
        return pieces.end();
    auto candidate = std::prev(after);
    return (const char *)p < candidate->first + candidate->second.bytes ? candidate : pieces.end();
}

bool of_device(const void *p)
{
    auto found = piece_of(p);
    return found != pieces.end() && !found->second.of_host;
}

/* Not from pageable memory of the host, and all of it inside a piece. */
bool reachable(const void *p, size_t bytes)
{
    auto found = piece_of(p);
    return found != pieces.end() && bytes <= size_t(found->first + found->second.bytes - (const char *)p);
}

cudaError_t allocate(void **memory, size_t bytes, bool of_host)
{
    cudaError_t refused = refuse_in_capture();
    if (refused != cudaSuccess)
        return refused;
    *memory = nullptr;
    if (failure_due(FAILURE_CUDA_ALLOCATION) || bytes > DEVICE_BYTES - bytes_in_use)
        return cudaErrorMemoryAllocation;
    if (bytes == 0)
        return cudaSuccess;
    if (posix_memalign(memory, 256, bytes) != 0)
        return cudaErrorMemoryAllocation;
    memset(*memory, 0xff, bytes);
    pieces[(const char *)*memory] = {bytes, of_host};
    bytes_in_use += bytes;
    return cudaSuccess;
}

bool is_start(const void *memory, bool of_host)
{
    auto found = pieces.find((const char *)memory);
    return found != pieces.end() && found->second.of_host == of_host;
}

void release(void *memory)
{
    auto found = pieces.find((const char *)memory);
    bytes_in_use -= found->second.bytes;
    pieces.erase(found);
    free(memory);
}

cudaError_t release_now(void *memory, bool of_host)
{
    if (!memory)
        return cudaSuccess;
    if (!is_start(memory, of_host))
        return cudaErrorInvalidValue;
    cudaError_t error = finish_all();
    if (error == cudaSuccess)
        release(memory);
    return error;
}

cudaError_t check_copy(const void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    if (unsigned(kind) > cudaMemcpyDefault)
        return cudaErrorInvalidMemcpyDirection;
    bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    if (kind == cudaMemcpyDefault) {
        to_device = of_device(to);
        from_device = of_device(from);
    }
    bool valid = to_device ? reachable(to, bytes) : !of_device(to);
    valid = valid && (from_device ? reachable(from, bytes) : !of_device(from));
    return valid ? cudaSuccess : cudaErrorInvalidValue;
}

} // namespace

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

size_t cuda_on_cpu_bytes(void)
{
    std::lock_guard<std::recursive_mutex> guard(api_mutex());
    return bytes_in_use;
}

int64_t cuda_on_cpu_allocations(void)
{
    std::lock_guard<std::recursive_mutex> guard(api_mutex());
    return int64_t(pieces.size());
}

cudaError_t cudaMalloc(void **memory, size_t bytes)
{
    return api([=] { return allocate(memory, bytes, false); });
}

cudaError_t cudaMallocAsync(void **memory, size_t bytes, cudaStream_t)
{
    return cudaMalloc(memory, bytes);
}

cudaError_t cudaFree(void *memory)
{
    return api([=] { return release_now(memory, false); });
}

cudaError_t cudaFreeAsync(void *memory, cudaStream_t stream)
{
    return api([=] {
        if (!memory)
            return cudaSuccess;
        if (!is_start(memory, false))
            return cudaErrorInvalidValue;
        cudaError_t refused = refuse_in_capture();
        return refused == cudaSuccess ? enqueue(stream, [memory] { release(memory); }) : refused;
    });
}

cudaError_t cudaHostAlloc(void **memory, size_t bytes, unsigned)
{
    return api([=] { return allocate(memory, bytes, true); });
}

cudaError_t cudaMallocHost(void **memory, size_t bytes)
{
    return cudaHostAlloc(memory, bytes, cudaHostAllocDefault);
}

cudaError_t cudaFreeHost(void *memory)
{
    return api([=] { return release_now(memory, true); });
}

cudaError_t cudaHostGetDevicePointer(void **on_device, void *on_host, unsigned)
{
    return api([=] {
        auto found = piece_of(on_host);
        if (found == pieces.end() || !found->second.of_host)
            return cudaErrorInvalidValue;
        *on_device = on_host;
        return cudaSuccess;
    });
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    return api([=] {
        cudaError_t error = bytes ? check_copy(to, from, bytes, kind) : cudaSuccess;
        error = error == cudaSuccess ? finish_all() : error;
        if (error == cudaSuccess && bytes)
            memmove(to, from, bytes);
        return error;
    });
}

/* From and to pageable memory the copy is done when the call returns, as CUDA promises; not in a graph. */
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream)
{
    return api([=] {
        cudaError_t error = bytes ? check_copy(to, from, bytes, kind) : cudaSuccess;
        if (error == cudaSuccess && bytes)
            error = enqueue(stream, [=] { memmove(to, from, bytes); });
        if (error == cudaSuccess && bytes && !(reachable(to, bytes) && reachable(from, bytes)))
            finish_unless_captured(stream);
        return error;
    });
}

cudaError_t cudaMemset(void *memory, int value, size_t bytes)
{
    return api([=] {
        cudaError_t refused = refuse_in_capture();
        if (refused != cudaSuccess || bytes == 0)
            return refused;
        if (!reachable(memory, bytes))
            return cudaErrorInvalidValue;
        return enqueue(nullptr, [=] { memset(memory, value, bytes); });
    });
}

cudaError_t cudaMemsetAsync(void *memory, int value, size_t bytes, cudaStream_t stream)
{
    return api([=] {
        if (bytes == 0)
            return cudaSuccess;
        if (!reachable(memory, bytes))
            return cudaErrorInvalidValue;
        return enqueue(stream, [=] { memset(memory, value, bytes); });
    });
}

cudaError_t cudaMemGetInfo(size_t *unused, size_t *total)
{
    return api([=] {
        *unused = DEVICE_BYTES - bytes_in_use;
        *total = DEVICE_BYTES;
        return cudaSuccess;
    });
}
