/* block.cpp: see block.h.
 * SPDX-License-Identifier: MIT */
#include "block.h"
#include "fiber.h"
#include "message.h"
#include <cstdarg>
#include <cstdio>
#include <memory>
#include <string>
#if defined __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

__thread uint3 threadIdx, blockIdx;
__thread dim3 blockDim, gridDim;

namespace cuda_on_cpu {
constexpr size_t FENCE = 128; /* bytes behind the shared memory of a block, which must keep their value */
[[maybe_unused]] constexpr int FENCE_VALUE = 0xa5;
} // namespace cuda_on_cpu
__shared__ __align__(128) unsigned char shared_memory[cuda_on_cpu::SHARED_OPT_IN + cuda_on_cpu::FENCE];

namespace cuda_on_cpu {

namespace {

constexpr const char *block_operations[] = {"__syncthreads()", "__syncthreads_or()", "__syncthreads_and()",
                                            "__syncthreads_count()"};
constexpr const char *warp_operations[] = {"__syncwarp",        "__shfl_sync",       "__shfl_up_sync",    "__shfl_down_sync",
                                           "__shfl_xor_sync",   "__ballot_sync",     "__any_sync",        "__all_sync",
                                           "__reduce_add_sync", "__reduce_min_sync", "__reduce_max_sync", "__reduce_and_sync",
                                           "__reduce_or_sync",  "__reduce_xor_sync"};

struct visit {
    warp_operation operation;
    unsigned mask, bytes;
    int source;
    uint64_t value;
    location where;
};

struct warp {
    unsigned alive;   /* lanes that have not returned */
    unsigned ready;   /* lanes that could run */
    unsigned meeting; /* lanes that wait for others of their mask */
    visit visits[32];
    uint64_t result[32];
};

struct block {
    warp warps[MOST_THREADS / 32];
    unsigned ready; /* warps with lanes that could run */
    unsigned threads, alive, current;
    unsigned arrived, first; /* threads at the barrier of the block, and the one that came first */
    block_operation operation;
    int predicates, result; /* of this barrier so far, of the one before */
    location where[MOST_THREADS];
    uint3 index[MOST_THREADS];
    dim3 shape;                 /* that index is for */
    fiber *stack[MOST_THREADS]; /* NULL: not started, or returned; where races are watched a thread keeps its own for ever */
    fiber own, *running, *idle;
    char arrival[MOST_THREADS], departure[MOST_THREADS], start, end; /* only their addresses, for order_before and order_after */
    unsigned stacks;
    schedule order;
    const std::function<void()> *kernel;

    ~block()
    {
        for (fiber *f : stack)
            if (f)
                fiber_destroy(f);
        while (fiber *f = idle) {
            idle = f->next;
            fiber_destroy(f);
        }
    }
};

__thread block *self; /* of this OS thread */

std::string text(const char *format, ...) __attribute__((format(printf, 1, 2)));
std::string text(const char *format, ...)
{
    char line[512];
    va_list values;
    va_start(values, format);
    vsnprintf(line, sizeof line, format, values);
    va_end(values);
    return line;
}

std::string this_block()
{
    return text("block (%u, %u, %u)", blockIdx.x, blockIdx.y, blockIdx.z);
}

/* "__any_sync (file:line)" */
std::string call(const char *function, location where)
{
    return text("%s (%s:%u)", function, where.file_name(), where.line());
}

std::string call(const visit &v)
{
    return call(warp_operations[int(v.operation)], v.where);
}

int lowest(unsigned set)
{
    return __builtin_ctz(set);
}

int highest(unsigned set)
{
    return 31 - __builtin_clz(set);
}

uint64_t random(uint64_t &state)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state >> 33;
}

int any(unsigned set, uint64_t &state)
{
    unsigned turn = unsigned(random(state) >> 20) % 32;
    return int((unsigned(lowest(set >> turn | set << (32 - turn) % 32)) + turn) % 32);
}

void make_ready(block &b, unsigned w, unsigned lanes)
{
    b.warps[w].ready |= lanes;
    b.ready |= (b.warps[w].ready != 0 ? 1u : 0u) << w;
}

/* The next thread in the order of the schedule, no longer among the ready ones; -1: none. */
int take(block &b)
{
    if (!b.ready)
        return -1;
    unsigned w = b.current / 32, lane;
    bool stay = b.warps[w].ready != 0;
    switch (b.order.order) {
    case CUDA_ON_CPU_FORWARD:
        w = stay ? w : unsigned(lowest(b.ready));
        lane = unsigned(lowest(b.warps[w].ready));
        break;
    case CUDA_ON_CPU_BACKWARD:
        w = stay ? w : unsigned(highest(b.ready));
        lane = unsigned(highest(b.warps[w].ready));
        break;
    default:
        w = unsigned(any(b.ready, b.order.seed));
        lane = unsigned(any(b.warps[w].ready, b.order.seed));
    }
    b.warps[w].ready &= ~(1u << lane);
    b.ready &= ~((b.warps[w].ready == 0 ? 1u : 0u) << w);
    return int(32 * w + lane);
}

/* What thread t waits for; empty if it has returned. */
std::string wait_of(const block &b, unsigned t)
{
    const warp &group = b.warps[t / 32];
    const visit &v = group.visits[t % 32];
    if (!(group.alive >> t % 32 & 1))
        return "";
    if (group.meeting >> t % 32 & 1)
        return call(v) + text(" with mask %08x", v.mask);
    return call(block_operations[int(b.operation)], b.where[t]);
}

[[noreturn]] void deadlock(const block &b)
{
    std::string report;
    for (unsigned t = 0, end; t < b.threads; t = end) {
        std::string wait = wait_of(b, t);
        for (end = t + 1; end < b.threads && wait_of(b, end) == wait;)
            end++;
        report += text("\n    threads %u..%u ", t, end - 1) + (wait.empty() ? "have returned" : "wait at " + wait);
    }
    wrong("deadlock in %s: none of its threads can go on%s", this_block().c_str(), report.c_str());
}

void go_on(block &b, unsigned thread)
{
    b.current = thread;
    threadIdx = b.index[thread];
}

void thread_main();

/* Leaves the running stack for that of a thread. */
void switch_to(block &b, unsigned thread)
{
    go_on(b, thread);
    fiber *to = b.stack[thread], *from = b.running;
    if (!to && b.idle) {
        to = b.idle;
        b.idle = to->next;
    } else if (!to) {
        to = fiber_create(thread_main, b.stacks++);
    }
    b.running = b.stack[thread] = to;
    fiber_switch(from, to);
}

/* The current thread waits until someone has made it ready and its turn has come. */
void wait(block &b)
{
    int next = take(b);
    if (next < 0)
        deadlock(b);
    if (unsigned(next) != b.current)
        switch_to(b, unsigned(next));
}

/* Values of the lanes that have met, each for itself. */
void exchange(warp &group, unsigned members)
{
    for (unsigned rest = members; rest; rest &= rest - 1) {
        int i = lowest(rest);
        const visit &v = group.visits[i];
        if (!(members >> v.source & 1))
            wrong("lane %d reads lane %d, which has %s, in %s with mask %08x, %s", i, v.source,
                  v.mask >> v.source & 1 ? "returned" : "no part in it", call(v).c_str(), v.mask, this_block().c_str());
        group.result[i] = group.visits[v.source].value;
    }
}

uint64_t combine(warp_operation operation, uint64_t x, uint64_t y)
{
    switch (operation) {
    case warp_operation::reduce_add:
        return x + y;
    case warp_operation::reduce_min:
        return int64_t(x) < int64_t(y) ? x : y;
    case warp_operation::reduce_max:
        return int64_t(x) > int64_t(y) ? x : y;
    case warp_operation::reduce_and:
        return x & y;
    case warp_operation::reduce_or:
        return x | y;
    case warp_operation::reduce_xor:
        return x ^ y;
    default:
        return 0;
    }
}

/* One value for all the lanes that have met. */
void vote_or_reduce(warp &group, unsigned members)
{
    warp_operation operation = group.visits[lowest(members)].operation;
    bool vote = operation < warp_operation::reduce_add;
    uint64_t all = vote ? 0 : group.visits[lowest(members)].value;
    for (unsigned rest = vote ? members : members & (members - 1); rest; rest &= rest - 1) {
        int i = lowest(rest);
        all = vote ? all | group.visits[i].value << i : combine(operation, all, group.visits[i].value);
    }
    for (unsigned rest = members; rest; rest &= rest - 1)
        group.result[lowest(rest)] = all;
}

/* For TSan: what the threads of `lanes` in the warps from..to - 1 did before they met happens before what they do from now on. */
void order_memory(block &b, unsigned from, unsigned to, unsigned lanes)
{
    if (!fiber_races_are_watched())
        return;
    for (unsigned t = 32 * from; t < 32 * to; t++)
        if (b.warps[t / 32].alive & lanes & 1u << t % 32)
            order_after(&b.arrival[t]);
    for (unsigned t = 32 * from; t < 32 * to; t++)
        if (b.warps[t / 32].alive & lanes & 1u << t % 32)
            order_before(&b.departure[t]);
}

/* If all lanes of the mask that have not returned have met: their results; they are ready. */
bool complete(block &b, unsigned w, unsigned mask)
{
    warp &group = b.warps[w];
    unsigned members = mask & group.alive;
    if ((group.meeting & members) != members)
        return false;
    for (unsigned rest = members; rest; rest &= rest - 1)
        if (group.visits[lowest(rest)].mask != mask)
            return false;
    const visit &first = group.visits[lowest(members)];
    for (unsigned rest = members; rest; rest &= rest - 1) {
        const visit &v = group.visits[lowest(rest)];
        if (v.operation != first.operation || v.bytes != first.bytes)
            wrong("lanes of mask %08x meet in different operations: lane %d in %s of %u bytes, lane %d in %s of %u bytes, %s",
                  mask, lowest(members), call(first).c_str(), first.bytes, lowest(rest), call(v).c_str(), v.bytes,
                  this_block().c_str());
    }
    if (first.operation == warp_operation::sync)
        order_memory(b, w, w + 1, members);
    else if (first.operation < warp_operation::ballot)
        exchange(group, members);
    else
        vote_or_reduce(group, members);
    group.meeting &= ~members;
    make_ready(b, w, members);
    return true;
}

void release(block &b)
{
    b.arrived = 0;
    b.result = b.predicates;
    b.predicates = 0;
    order_memory(b, 0, (b.threads + 31) / 32, ~0u);
    for (unsigned w = 0; 32 * w < b.threads; w++)
        make_ready(b, w, b.warps[w].alive);
}

/* The current thread, which has just made itself and others ready, goes on; in a random order anyone may. */
void go_on_first(block &b)
{
    if (b.order.order == CUDA_ON_CPU_RANDOM) {
        wait(b);
        return;
    }
    warp &group = b.warps[b.current / 32];
    group.ready &= ~(1u << b.current % 32);
    if (!group.ready)
        b.ready &= ~(1u << b.current / 32);
}

/* The current thread has returned. */
void leave(block &b)
{
    unsigned w = b.current / 32;
    warp &group = b.warps[w];
    group.alive &= ~(1u << b.current % 32);
    b.stack[b.current] = fiber_races_are_watched() ? b.stack[b.current] : nullptr;
    b.alive--;
    for (unsigned rest = group.meeting; rest; rest &= rest - 1)
        if (group.meeting >> lowest(rest) & 1)
            complete(b, w, group.visits[lowest(rest)].mask);
    if (b.alive && b.arrived == b.alive)
        release(b);
}

/* What a stack runs: one CUDA thread after the other, of this block and of those that follow. */
void thread_main()
{
    for (;;) {
        block &b = *self;
        order_after(&b.start);
        (*b.kernel)();
        order_before(&b.end);
        fiber *here = b.running;
        leave(b);
        int next = take(b);
        if (next < 0 && b.alive)
            deadlock(b);
        if (!b.stack[b.current]) {
            if (next >= 0 && !b.stack[next]) {
                b.stack[next] = here;
                go_on(b, unsigned(next));
                continue;
            }
            here->next = b.idle;
            b.idle = here;
        }
        if (next >= 0) {
            switch_to(b, unsigned(next));
        } else {
            b.running = &b.own;
            fiber_switch(here, &b.own);
        }
    }
}

void shape(block &b, dim3 threads)
{
    b.threads = threads.x * threads.y * threads.z;
    if (b.shape.x != threads.x || b.shape.y != threads.y || b.shape.z != threads.z)
        for (unsigned t = 0; t < b.threads; t++)
            b.index[t] = {t % threads.x, t / threads.x % threads.y, t / (threads.x * threads.y)};
    b.shape = threads;
}

void fill_shared_memory(size_t bytes)
{
    memset(shared_memory, 0xff, bytes);
#if defined __SANITIZE_ADDRESS__
    __asan_poison_memory_region(shared_memory + bytes, sizeof shared_memory - bytes);
#else
    memset(shared_memory + bytes, FENCE_VALUE, FENCE);
#endif
}

void check_shared_memory([[maybe_unused]] size_t bytes)
{
#if defined __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(shared_memory, sizeof shared_memory);
#else
    for (size_t i = bytes; i < bytes + FENCE; i++)
        if (shared_memory[i] != FENCE_VALUE)
            wrong("%s wrote byte %zu of its %zu bytes of shared memory", this_block().c_str(), i, bytes);
#endif
}

} // namespace

int meet_block(block_operation operation, int predicate, location where)
{
    block &b = *self;
    if (b.arrived && operation != b.operation)
        wrong("threads of %s meet at different barriers: thread %u at %s, thread %u at %s", this_block().c_str(), b.current,
              call(block_operations[int(operation)], where).c_str(), b.first,
              call(block_operations[int(b.operation)], b.where[b.first]).c_str());
    b.operation = operation;
    b.where[b.current] = where;
    b.first = b.arrived ? b.first : b.current;
    b.predicates += predicate != 0;
    order_before(&b.arrival[b.current]);
    if (++b.arrived == b.alive) {
        release(b);
        go_on_first(b);
    } else {
        wait(b);
    }
    order_after(&b.departure[b.current]);
    return b.result;
}

uint64_t meet_warp(warp_operation operation, unsigned mask, uint64_t value, unsigned bytes, int source, location where)
{
    block &b = *self;
    unsigned w = b.current / 32, lane = b.current % 32;
    if (!(mask >> lane & 1))
        wrong("lane %u of warp %u is not in its own mask %08x, %s of %s", lane, w, mask,
              call(warp_operations[int(operation)], where).c_str(), this_block().c_str());
    b.warps[w].visits[lane] = {operation, mask, bytes, source, value, where};
    b.warps[w].meeting |= 1u << lane;
    if (operation == warp_operation::sync)
        order_before(&b.arrival[b.current]);
    if (complete(b, w, mask))
        go_on_first(b);
    else
        wait(b);
    if (operation == warp_operation::sync)
        order_after(&b.departure[b.current]);
    return b.warps[w].result[lane];
}

int group_start(int width, location where)
{
    if (width < 1 || width > 32 || (width & (width - 1)) != 0)
        wrong("groups of %d lanes, not 1, 2, 4, 8, 16 or 32: %s", width, call("shuffle", where).c_str());
    return lane() & -width;
}

} // namespace cuda_on_cpu

void __threadfence()
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void __threadfence_block()
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void __threadfence_system()
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

namespace cuda_on_cpu {

void trap(location where)
{
    wrong("%s by thread %u of %s", call("__trap()", where).c_str(), self->current, this_block().c_str());
}

void run_block(const grid &g, dim3 index, schedule order)
{
    static thread_local std::unique_ptr<block> mine;
    if (!mine)
        mine = std::make_unique<block>();
    block &b = *(self = mine.get());
    shape(b, g.threads);
    b.alive = b.threads;
    b.kernel = &g.kernel;
    b.order = order;
    b.running = &b.own;
    b.current = order.order == CUDA_ON_CPU_BACKWARD ? b.threads - 1 : 0;
    for (unsigned w = 0; 32 * w < b.threads; w++) {
        b.warps[w].alive = b.threads - 32 * w < 32 ? (1u << (b.threads - 32 * w)) - 1 : ~0u;
        make_ready(b, w, b.warps[w].alive);
    }
    blockIdx = index;
    blockDim = g.threads;
    gridDim = g.blocks;
    fill_shared_memory(g.shared_bytes);
    order_before(&b.start);
    switch_to(b, unsigned(take(b)));
    order_after(&b.end);
    check_shared_memory(g.shared_bytes);
}

} // namespace cuda_on_cpu
