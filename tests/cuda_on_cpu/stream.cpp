/* stream.cpp: work in the order in which it was issued, which every order between streams and events allows; captures; graphs.
 * SPDX-License-Identifier: MIT */
#include "api.h"
#include <chrono>
#include <deque>
#include <memory>
#include <set>
#include <vector>

struct CUgraph_st {
    std::vector<std::function<void()>> nodes;
};

struct CUgraphExec_st {
    std::vector<std::function<void()>> nodes;
};

struct CUstream_st {
    bool blocking;              /* ordered with the legacy stream */
    CUgraph_st *captured;       /* that the stream is captured into, or NULL */
    cudaStreamCaptureMode mode; /* of that capture */
    bool origin, invalid;       /* it began the capture; the capture is spoilt */
};

struct moment {
    bool passed;
    double milliseconds;
};

struct CUevent_st {
    bool timed;
    std::shared_ptr<moment> recorded; /* NULL: never */
    CUgraph_st *captured;             /* recorded in a stream captured into this */
};

namespace cuda_on_cpu {

namespace {

struct task {
    CUstream_st *stream;
    std::function<void()> work;
};
bool deferred;
std::deque<task> tasks;
CUstream_st legacy = {true, nullptr, cudaStreamCaptureModeGlobal, false, false};
std::set<CUstream_st *> streams = {&legacy};

/* NULL: no such stream. */
CUstream_st *stream_of(cudaStream_t stream)
{
    if (stream == nullptr || stream == cudaStreamLegacy)
        return &legacy;
    return streams.count(stream) ? stream : nullptr;
}

double now()
{
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void spoil(const CUgraph_st *graph)
{
    for (CUstream_st *s : streams)
        if (s->captured == graph)
            s->invalid = true;
}

/* Does all tasks up to the last one of s, or all if s is NULL. */
void finish(const CUstream_st *s)
{
    size_t count = tasks.size();
    while (s && count > 0 && tasks[count - 1].stream != s)
        count--;
    for (; count > 0; count--) {
        task first = std::move(tasks.front());
        tasks.pop_front();
        first.work();
    }
}

/* The legacy stream waits for every blocking stream, which one that is captured cannot do. */
cudaError_t check_legacy(const CUstream_st *s)
{
    for (CUstream_st *other : streams)
        if (s == &legacy && other->captured && other->blocking) {
            spoil(other->captured);
            return cudaErrorStreamCaptureImplicit;
        }
    return cudaSuccess;
}

} // namespace

cudaError_t refuse_in_capture()
{
    for (CUstream_st *s : streams)
        if (s->captured && s->mode != cudaStreamCaptureModeRelaxed) {
            spoil(s->captured);
            return cudaErrorStreamCaptureUnsupported;
        }
    return cudaSuccess;
}

cudaError_t finish_all()
{
    cudaError_t refused = refuse_in_capture();
    if (refused == cudaSuccess)
        finish(nullptr);
    return refused;
}

void finish_unless_captured(cudaStream_t stream)
{
    CUstream_st *s = stream_of(stream);
    if (!s->captured)
        finish(s);
}

cudaError_t enqueue(cudaStream_t stream, std::function<void()> work)
{
    CUstream_st *s = stream_of(stream);
    if (!s)
        return cudaErrorInvalidResourceHandle;
    if (s->captured) {
        if (s->invalid)
            return cudaErrorStreamCaptureInvalidated;
        s->captured->nodes.push_back(std::move(work));
        return cudaSuccess;
    }
    cudaError_t error = check_legacy(s);
    if (error == cudaSuccess) {
        tasks.push_back({s, std::move(work)});
        if (!deferred)
            finish(nullptr);
    }
    return error;
}

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

void cuda_on_cpu_defer(int later)
{
    std::lock_guard<std::recursive_mutex> guard(api_mutex());
    deferred = later != 0;
    if (!deferred)
        finish(nullptr);
}

/* ---- streams ---- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
    return api([=] {
        *stream = new CUstream_st{flags != cudaStreamNonBlocking, nullptr, cudaStreamCaptureModeGlobal, false, false};
        streams.insert(*stream);
        return cudaSuccess;
    });
}

cudaError_t cudaStreamCreate(cudaStream_t *stream)
{
    return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    return api([=] {
        CUstream_st *s = stream_of(stream);
        if (!s || s == &legacy)
            return cudaErrorInvalidResourceHandle;
        finish(s);
        if (s->captured && s->origin) {
            CUgraph_st *graph = s->captured;
            for (CUstream_st *other : streams)
                if (other->captured == graph)
                    other->captured = nullptr;
            delete graph;
        }
        streams.erase(s);
        delete s;
        return cudaSuccess;
    });
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    return api([=] {
        CUstream_st *s = stream_of(stream);
        if (!s)
            return cudaErrorInvalidResourceHandle;
        if (s->captured) {
            spoil(s->captured);
            return cudaErrorStreamCaptureUnsupported;
        }
        cudaError_t error = check_legacy(s);
        if (error == cudaSuccess)
            finish(s == &legacy ? nullptr : s);
        return error;
    });
}

/* Deferred work is then done, so that a host which asks again and again comes to an end. */
cudaError_t cudaStreamQuery(cudaStream_t stream)
{
    return api([=] {
        CUstream_st *s = stream_of(stream);
        if (!s)
            return cudaErrorInvalidResourceHandle;
        cudaError_t refused = refuse_in_capture();
        if (refused != cudaSuccess)
            return refused;
        size_t before = tasks.size();
        finish(s);
        return tasks.size() == before ? cudaSuccess : cudaErrorNotReady;
    });
}

cudaError_t cudaDeviceSynchronize(void)
{
    return api([=] { return finish_all(); });
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void *argument)
{
    return api([=] { return enqueue(stream, [=] { function(argument); }); });
}

/* ---- events ---- */

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags)
{
    return api([=] {
        *event = new CUevent_st{!(flags & cudaEventDisableTiming), nullptr, nullptr};
        return cudaSuccess;
    });
}

cudaError_t cudaEventCreate(cudaEvent_t *event)
{
    return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    return api([=] {
        delete event;
        return cudaSuccess;
    });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    return api([=] {
        auto time = std::make_shared<moment>();
        cudaError_t error = enqueue(stream, [time] { *time = {true, now()}; });
        if (error == cudaSuccess) {
            event->recorded = time;
            event->captured = stream_of(stream)->captured;
        }
        return error;
    });
}

/* A stream that waits for an event of a capture is captured too. */
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned)
{
    return api([=] {
        CUstream_st *s = stream_of(stream);
        if (!s)
            return cudaErrorInvalidResourceHandle;
        if (s->captured == event->captured || !event->captured)
            return s->captured && !event->captured ? cudaErrorStreamCaptureIsolation : cudaSuccess;
        if (s->captured || s == &legacy)
            return cudaErrorStreamCaptureUnsupported;
        s->captured = event->captured;
        s->origin = s->invalid = false;
        return cudaSuccess;
    });
}

cudaError_t cudaEventQuery(cudaEvent_t event)
{
    return api([=] {
        if (event->captured)
            return cudaErrorCapturedEvent;
        cudaError_t refused = refuse_in_capture();
        if (refused != cudaSuccess || !event->recorded || event->recorded->passed)
            return refused;
        finish(nullptr);
        return cudaErrorNotReady;
    });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    return api([=] {
        if (event->captured)
            return cudaErrorCapturedEvent;
        finish(nullptr);
        return cudaSuccess;
    });
}

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start, cudaEvent_t end)
{
    return api([=] {
        if (!start->timed || !end->timed || !start->recorded || !end->recorded)
            return cudaErrorInvalidResourceHandle;
        if (!start->recorded->passed || !end->recorded->passed)
            return cudaErrorNotReady;
        *milliseconds = float(end->recorded->milliseconds - start->recorded->milliseconds);
        return cudaSuccess;
    });
}

/* ---- captures and graphs ---- */

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode)
{
    return api([=] {
        CUstream_st *s = stream_of(stream);
        if (!s)
            return cudaErrorInvalidResourceHandle;
        if (s == &legacy)
            return cudaErrorStreamCaptureUnsupported;
        if (s->captured)
            return cudaErrorIllegalState;
        s->captured = new CUgraph_st;
        s->mode = mode;
        s->origin = true;
        s->invalid = false;
        return cudaSuccess;
    });
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
    return api([=] {
        CUstream_st *s = stream_of(stream);
        *graph = nullptr;
        if (!s)
            return cudaErrorInvalidResourceHandle;
        if (!s->captured)
            return cudaErrorIllegalState;
        if (!s->origin)
            return cudaErrorStreamCaptureUnmatched;
        CUgraph_st *made = s->captured;
        bool invalid = s->invalid;
        for (CUstream_st *other : streams)
            if (other->captured == made)
                other->captured = nullptr;
        if (invalid) {
            delete made;
            return cudaErrorStreamCaptureInvalidated;
        }
        *graph = made;
        return cudaSuccess;
    });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus *status)
{
    return api([=] {
        CUstream_st *s = stream_of(stream);
        if (!s)
            return cudaErrorInvalidResourceHandle;
        *status = !s->captured ? cudaStreamCaptureStatusNone
                  : s->invalid ? cudaStreamCaptureStatusInvalidated
                               : cudaStreamCaptureStatusActive;
        return check_legacy(s);
    });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *executable, cudaGraph_t graph, unsigned long long)
{
    return api([=] {
        *executable = new CUgraphExec_st{graph->nodes};
        return cudaSuccess;
    });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream)
{
    return api([=] {
        cudaError_t error = cudaSuccess;
        for (size_t i = 0; i < executable->nodes.size() && error == cudaSuccess; i++)
            error = enqueue(stream, executable->nodes[i]);
        return error;
    });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    return api([=] {
        delete graph;
        return cudaSuccess;
    });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable)
{
    return api([=] {
        delete executable;
        return cudaSuccess;
    });
}
