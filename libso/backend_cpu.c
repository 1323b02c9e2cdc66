/* backend_cpu.c: chooses, at run time, the widest copy of libso/cpu that this machine can execute.
 * SPDX-License-Identifier: MIT */
#include "backend_cpu.h"

#include <stdlib.h>

#define DECLARE(isa)                                                                                                            \
    extern const so_backend_f32 so_cpu_f32_##isa;                                                                               \
    extern const so_backend_f64 so_cpu_f64_##isa;
DECLARE(portable)
#if defined(__x86_64__)
DECLARE(avx2)
DECLARE(avx512)
#endif

static void *allocate(size_t bytes)
{
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

so_backend so_backend_cpu(void)
{
    so_backend backend = {&so_cpu_f32_portable, &so_cpu_f64_portable, allocate, free};
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4")) {
        backend.f32 = &so_cpu_f32_avx512;
        backend.f64 = &so_cpu_f64_avx512;
    } else if (__builtin_cpu_supports("x86-64-v3")) {
        backend.f32 = &so_cpu_f32_avx2;
        backend.f64 = &so_cpu_f64_avx2;
    }
#endif
    return backend;
}
