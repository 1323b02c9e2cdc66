/* fiber.cpp: see fiber.h.
 * SPDX-License-Identifier: MIT */
#include "fiber.h"
#include "message.h"
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <sys/mman.h>
#if defined __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(start, end) 0
#define VALGRIND_STACK_DEREGISTER(id) (void)(id)
#endif

/* Not there without TSan. */
extern "C" {
void *__tsan_get_current_fiber(void) __attribute__((weak));
void *__tsan_create_fiber(unsigned flags) __attribute__((weak));
void __tsan_destroy_fiber(void *fiber) __attribute__((weak));
void __tsan_switch_to_fiber(void *fiber, unsigned flags) __attribute__((weak));
void __tsan_acquire(void *place) __attribute__((weak));
void __tsan_release(void *place) __attribute__((weak));
}
constexpr unsigned TSAN_NO_ORDER = 1;

#if defined __x86_64__
/* Saves the registers that a call preserves on the stack that is left, takes those on the stack that is entered. It is called
 * from one place, so that the processor predicts where it returns to. */
extern "C" void cuda_on_cpu_switch(void **left, void *entered);
asm(R"(
    .text
    .globl cuda_on_cpu_switch
    .hidden cuda_on_cpu_switch
    .type cuda_on_cpu_switch, @function
cuda_on_cpu_switch:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
    .size cuda_on_cpu_switch, . - cuda_on_cpu_switch
)");
#endif

namespace cuda_on_cpu {

namespace {

#if defined __SANITIZE_ADDRESS__
constexpr size_t STACK = 256 << 10; /* instrumented frames are larger */
#else
constexpr size_t STACK = 64 << 10;
#endif
constexpr size_t GUARD = 64 << 10; /* a multiple of every page size */

__thread fiber *left, *entered; /* of the latest switch */

/* The first thing to do after a switch. */
void arrive()
{
#if defined __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(entered->fake_stack, &left->bottom, &left->bytes);
#endif
}

void start()
{
    arrive();
    entered->entry();
    wrong("a fiber has returned");
}

} // namespace

fiber *fiber_create(void (*entry)(), unsigned number)
{
    void *memory = mmap(nullptr, GUARD + STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, GUARD, PROT_NONE) != 0)
        wrong("no memory for a stack: %s", strerror(errno));
    fiber *f = new fiber{};
    f->entry = entry;
    f->memory = memory;
    f->bottom = (char *)memory + GUARD;
    f->bytes = STACK - number % 61 * 320;
    f->valgrind = VALGRIND_STACK_REGISTER(f->bottom, (char *)memory + GUARD + STACK);
    f->tsan = fiber_races_are_watched() ? __tsan_create_fiber(0) : nullptr;
#if defined __x86_64__
    void **top = (void **)((char *)f->bottom + f->bytes);
    top[-1] = nullptr; /* what start() would return to */
    top[-2] = (void *)start;
    f->stack_pointer = top - 8; /* six registers below */
#else
    getcontext(&f->context);
    f->context.uc_stack.ss_sp = (void *)f->bottom;
    f->context.uc_stack.ss_size = f->bytes;
    f->context.uc_link = nullptr;
    makecontext(&f->context, start, 0);
#endif
    return f;
}

void fiber_destroy(fiber *f)
{
#if defined __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(f->bottom, STACK);
#endif
    if (f->tsan)
        __tsan_destroy_fiber(f->tsan);
    VALGRIND_STACK_DEREGISTER(f->valgrind);
    munmap(f->memory, GUARD + STACK);
    delete f;
}

void fiber_switch(fiber *from, fiber *to)
{
    left = from;
    entered = to;
#if defined __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(&from->fake_stack, to->bottom, to->bytes);
#endif
    if (fiber_races_are_watched()) {
        from->tsan = __tsan_get_current_fiber();
        __tsan_switch_to_fiber(to->tsan, TSAN_NO_ORDER);
    }
#if defined __x86_64__
    cuda_on_cpu_switch(&from->stack_pointer, to->stack_pointer);
#else
    swapcontext(&from->context, &to->context);
#endif
    arrive();
}

bool fiber_races_are_watched()
{
    return __tsan_switch_to_fiber != nullptr;
}

void order_before(void *place)
{
    if (fiber_races_are_watched())
        __tsan_release(place);
}

void order_after(void *place)
{
    if (fiber_races_are_watched())
        __tsan_acquire(place);
}

} // namespace cuda_on_cpu
