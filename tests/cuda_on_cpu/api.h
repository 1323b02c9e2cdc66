/* api.h: what the functions of runtime_api.h share.
 * SPDX-License-Identifier: MIT */
#ifndef CUDA_ON_CPU_API_H
#define CUDA_ON_CPU_API_H

#include "block.h"
#include "tests/failure.h"
#include <mutex>

namespace cuda_on_cpu {

constexpr size_t DEVICE_BYTES = size_t(141) * 1000 * 1000 * 1000;

/* One host thread at a time is inside; a host function on a stream may call back. */
std::recursive_mutex &api_mutex();

cudaError_t remember(cudaError_t); /* for cudaGetLastError; returns it */

/* The frame of every function that can fail: also on demand (tests/failure.h). */
template <class F> cudaError_t api(F body)
{
    std::lock_guard<std::recursive_mutex> guard(api_mutex());
    return remember(failure_due(FAILURE_CUDA_CALL) ? cudaErrorUnknown : body());
}

/* Does the work now, later (cuda_on_cpu_defer), or makes it a node of the graph that the stream is captured into. */
cudaError_t enqueue(cudaStream_t, std::function<void()> work);

/* Does all that was put off. Not allowed while a stream is captured, which it spoils. */
cudaError_t finish_all();

/* Does what that stream still has to do, if it is not captured. */
void finish_unless_captured(cudaStream_t);

/* Not allowed while a stream is captured, unless in relaxed mode. */
cudaError_t refuse_in_capture();

} // namespace cuda_on_cpu

#endif
