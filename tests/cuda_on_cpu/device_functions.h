/* device_functions.h: what a kernel calls to know where it is and to meet other threads.
 * SPDX-License-Identifier: MIT */
#ifndef CUDA_ON_CPU_DEVICE_FUNCTIONS_H
#define CUDA_ON_CPU_DEVICE_FUNCTIONS_H

extern __thread uint3 threadIdx, blockIdx;
extern __thread dim3 blockDim, gridDim;
constexpr int warpSize = 32;

namespace cuda_on_cpu {

using location = std::source_location;

enum class block_operation : unsigned char { sync, sync_or, sync_and, sync_count };
enum class warp_operation : unsigned char {
    sync,
    shuffle,
    shuffle_up,
    shuffle_down,
    shuffle_xor,
    ballot,
    any,
    all,
    reduce_add,
    reduce_min,
    reduce_max,
    reduce_and,
    reduce_or,
    reduce_xor
};

/* Waits for the threads of the block that have not returned; the number of those with a predicate that is not 0. */
int meet_block(block_operation, int predicate, location);

/* Waits for the lanes of mask that have not returned. Shuffles: the value of lane `source`; votes: the lanes of the mask with a
 * value that is not 0; reductions: that of all values, as signed 64-bit numbers. `bytes`: the size of the value's type. */
uint64_t meet_warp(warp_operation, unsigned mask, uint64_t value, unsigned bytes, int source, location);

[[noreturn]] void trap(location);

inline int lane()
{
    return int((threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32);
}

/* Ends with a message unless width is 1, 2, 4, 8, 16 or 32. The first lane of the group of `width` lanes that holds this one. */
int group_start(int width, location);

template <class T> T shuffle(warp_operation operation, unsigned mask, T value, int source, location where)
{
    static_assert(std::is_arithmetic_v<T> && sizeof(T) <= 8, "a shuffle moves a number of at most 8 bytes");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    bits = meet_warp(operation, mask, bits, sizeof value, source, where);
    memcpy(&value, &bits, sizeof value);
    return value;
}

} // namespace cuda_on_cpu

#define HERE cuda_on_cpu::location where = cuda_on_cpu::location::current()

inline void __syncthreads(HERE)
{
    cuda_on_cpu::meet_block(cuda_on_cpu::block_operation::sync, 0, where);
}
inline int __syncthreads_or(int predicate, HERE)
{
    return cuda_on_cpu::meet_block(cuda_on_cpu::block_operation::sync_or, predicate, where) != 0;
}
inline int __syncthreads_and(int predicate, HERE)
{
    return cuda_on_cpu::meet_block(cuda_on_cpu::block_operation::sync_and, !predicate, where) == 0;
}
inline int __syncthreads_count(int predicate, HERE)
{
    return cuda_on_cpu::meet_block(cuda_on_cpu::block_operation::sync_count, predicate, where);
}
inline void __syncwarp(unsigned mask = 0xffffffffu, HERE)
{
    cuda_on_cpu::meet_warp(cuda_on_cpu::warp_operation::sync, mask, 0, 0, 0, where);
}

/* Lanes form groups of `width`. Out of its group a lane reads itself, except that xor may reach into the groups below. */
template <class T> T __shfl_sync(unsigned mask, T value, int source, int width = 32, HERE)
{
    int first = cuda_on_cpu::group_start(width, where);
    return cuda_on_cpu::shuffle(cuda_on_cpu::warp_operation::shuffle, mask, value, first + (source & (width - 1)), where);
}
template <class T> T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, HERE)
{
    int lane = cuda_on_cpu::lane(), first = cuda_on_cpu::group_start(width, where);
    int source = delta <= unsigned(lane - first) ? lane - int(delta) : lane;
    return cuda_on_cpu::shuffle(cuda_on_cpu::warp_operation::shuffle_up, mask, value, source, where);
}
template <class T> T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, HERE)
{
    int lane = cuda_on_cpu::lane(), first = cuda_on_cpu::group_start(width, where);
    int source = delta < unsigned(first + width - lane) ? lane + int(delta) : lane;
    return cuda_on_cpu::shuffle(cuda_on_cpu::warp_operation::shuffle_down, mask, value, source, where);
}
template <class T> T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, HERE)
{
    int lane = cuda_on_cpu::lane(), first = cuda_on_cpu::group_start(width, where);
    int source = (lane ^ bits) >= 0 && (lane ^ bits) < first + width ? lane ^ bits : lane;
    return cuda_on_cpu::shuffle(cuda_on_cpu::warp_operation::shuffle_xor, mask, value, source, where);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, HERE)
{
    return unsigned(cuda_on_cpu::meet_warp(cuda_on_cpu::warp_operation::ballot, mask, predicate != 0, 0, 0, where));
}
inline int __any_sync(unsigned mask, int predicate, HERE)
{
    return cuda_on_cpu::meet_warp(cuda_on_cpu::warp_operation::any, mask, predicate != 0, 0, 0, where) != 0;
}
inline int __all_sync(unsigned mask, int predicate, HERE)
{
    return cuda_on_cpu::meet_warp(cuda_on_cpu::warp_operation::all, mask, predicate == 0, 0, 0, where) == 0;
}

#define REDUCE(name, type)                                                                                                     \
    inline type __reduce_##name##_sync(unsigned mask, type value, HERE)                                                        \
    {                                                                                                                          \
        return type(cuda_on_cpu::meet_warp(cuda_on_cpu::warp_operation::reduce_##name, mask, uint64_t(int64_t(value)),         \
                                           sizeof value, 0, where));                                                           \
    }
REDUCE(add, int)
REDUCE(add, unsigned)
REDUCE(min, int)
REDUCE(min, unsigned)
REDUCE(max, int)
REDUCE(max, unsigned)
REDUCE(and, unsigned)
REDUCE(or, unsigned)
REDUCE(xor, unsigned)
#undef REDUCE

[[noreturn]] inline void __trap(HERE)
{
    cuda_on_cpu::trap(where);
}

#undef HERE

/* ---- memory: other blocks run on other OS threads, so atomics are atomic ---- */

void __threadfence();
void __threadfence_block();
void __threadfence_system();

#define LOAD(name)                                                                                                             \
    template <class T> T name(const T *p)                                                                                      \
    {                                                                                                                          \
        return *p;                                                                                                             \
    }
LOAD(__ldg)
LOAD(__ldca)
LOAD(__ldcg)
LOAD(__ldcs)
LOAD(__ldcv)
#undef LOAD
#define STORE(name)                                                                                                            \
    template <class T> void name(T *p, std::type_identity_t<T> value)                                                          \
    {                                                                                                                          \
        *p = value;                                                                                                            \
    }
STORE(__stcg)
STORE(__stcs)
STORE(__stwb)
#undef STORE
/* Blocks may store one word of status at once, which is no race: ThreadSanitizer sees one step. */
inline void __stwt(int *p, int value)
{
    __atomic_store_n(p, value, __ATOMIC_RELAXED);
}

namespace cuda_on_cpu {

/* *p = change(*p) in one step; the old value. */
template <class T, class F> T update(T *p, F change)
{
    T before, after;
    __atomic_load(p, &before, __ATOMIC_RELAXED);
    do
        after = change(before);
    while (!__atomic_compare_exchange(p, &before, &after, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return before;
}

} // namespace cuda_on_cpu

#define ATOMIC(name, type, change)                                                                                             \
    inline type name(type *p, type value)                                                                                      \
    {                                                                                                                          \
        return cuda_on_cpu::update(p, [value](type before) -> type { return change; });                                        \
    }
#define ATOMIC_INTEGER(name, change)                                                                                           \
    ATOMIC(name, int, change)                                                                                                  \
    ATOMIC(name, unsigned, change)                                                                                             \
    ATOMIC(name, unsigned long long, change)
#define ATOMIC_ANY(name, change)                                                                                               \
    ATOMIC_INTEGER(name, change)                                                                                               \
    ATOMIC(name, float, change)
ATOMIC_ANY(atomicAdd, before + value)
ATOMIC(atomicAdd, double, before + value)
ATOMIC_ANY(atomicExch, (void(before), value))
ATOMIC(atomicSub, int, before - value)
ATOMIC(atomicSub, unsigned, before - value)
ATOMIC_INTEGER(atomicMin, value < before ? value : before)
ATOMIC_INTEGER(atomicMax, value > before ? value : before)
ATOMIC_INTEGER(atomicAnd, before & value)
ATOMIC_INTEGER(atomicOr, before | value)
ATOMIC_INTEGER(atomicXor, before ^ value)
#undef ATOMIC
#undef ATOMIC_ANY
#undef ATOMIC_INTEGER

#define ATOMIC_CAS(type)                                                                                                       \
    inline type atomicCAS(type *p, type expected, type value)                                                                  \
    {                                                                                                                          \
        return cuda_on_cpu::update(p, [=](type before) { return before == expected ? value : before; });                       \
    }
ATOMIC_CAS(int)
ATOMIC_CAS(unsigned)
ATOMIC_CAS(unsigned short)
ATOMIC_CAS(unsigned long long)
#undef ATOMIC_CAS

#endif
