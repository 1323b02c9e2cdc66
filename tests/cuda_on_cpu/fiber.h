/* fiber.h: stacks that one OS thread switches between. ASan, TSan and valgrind are told of each.
 *
 * To TSan every fiber is a thread, and a switch orders nothing: what runs on one fiber happens before what runs on another only
 * where order_before and order_after say so. Fibers must be switched by code that TSan does not see (-fno-sanitize=thread).
 * SPDX-License-Identifier: MIT */
#ifndef CUDA_ON_CPU_FIBER_H
#define CUDA_ON_CPU_FIBER_H

#include <cstddef>
#if !defined __x86_64__
#include <ucontext.h>
#endif

namespace cuda_on_cpu {

/* All zero: the stack that the OS thread came with. */
struct fiber {
#if defined __x86_64__
    void *stack_pointer; /* while it is not running */
#else
    ucontext_t context;
#endif
    void (*entry)();
    void *memory; /* a guard, then the stack */
    const void *bottom;
    size_t bytes;
    fiber *next; /* for whoever keeps a list of them */
    void *fake_stack, *tsan;
    unsigned valgrind;
};

/* A fiber that will run entry(), which must not return. `number` staggers the stacks, whose tops would otherwise compete for
 * the same lines of the caches. Ends the program when there is no memory. */
fiber *fiber_create(void (*entry)(), unsigned number);
void fiber_destroy(fiber *);

/* Suspends `from`, which is running, and goes on with `to`. Returns when someone switches back. */
void fiber_switch(fiber *from, fiber *to);

/* Whether TSan watches. */
bool fiber_races_are_watched();

/* What the fiber that calls order_before(place) has done happens before what one does that calls order_after(place) later. */
void order_before(void *place);
void order_after(void *place);

} // namespace cuda_on_cpu

#endif
