/* backend_cpu.c: chooses, at run time, the widest copy of libso/cpu that this machine can execute, or the one that SO_ISA names.
 * The Makefile defines SO_HAVE_X for each copy that it builds (ISAS).
 * SPDX-License-Identifier: MIT */
#include "backend_cpu.h"
#include "convert.h"

#include <stdlib.h>
#include <string.h>

#define DECLARE(isa)                                                                                                            \
    extern const so_backend_f32 so_cpu_f32_##isa;                                                                               \
    extern const so_backend_f64 so_cpu_f64_##isa;
#if defined(SO_HAVE_portable)
DECLARE(portable)
#endif
#if defined(SO_HAVE_avx2)
DECLARE(avx2)
#endif
#if defined(SO_HAVE_avx512)
DECLARE(avx512)
#endif
#if defined(SO_HAVE_neon)
DECLARE(neon)
#endif

static void *allocate(so_ctx *ctx, size_t bytes)
{
    (void)ctx;
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static void release(so_ctx *ctx, void *memory)
{
    (void)ctx;
    free(memory);
}

/* Does the caller's wish allow this copy? No wish allows all. */
static int allowed(const char *wish, const char *isa)
{
    return !wish || strcmp(wish, isa) == 0;
}

so_status so_backend_cpu(so_backend *backend)
{
    const char *wish = getenv("SO_ISA");
    if (wish && !*wish)
        wish = NULL;
    backend->allocate = allocate;
    backend->release = release;
    backend->widen = so_cpu_widen;
    backend->narrow = so_cpu_narrow;
    backend->add = so_cpu_add;
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
#if defined(SO_HAVE_avx512)
    if (allowed(wish, "avx512") && __builtin_cpu_supports("x86-64-v4")) {
        backend->f32 = &so_cpu_f32_avx512;
        backend->f64 = &so_cpu_f64_avx512;
        return SO_OK;
    }
#endif
#if defined(SO_HAVE_avx2)
    if (allowed(wish, "avx2") && __builtin_cpu_supports("x86-64-v3")) {
        backend->f32 = &so_cpu_f32_avx2;
        backend->f64 = &so_cpu_f64_avx2;
        return SO_OK;
    }
#endif
#if defined(SO_HAVE_neon)
    if (allowed(wish, "neon")) { /* part of every AArch64 */
        backend->f32 = &so_cpu_f32_neon;
        backend->f64 = &so_cpu_f64_neon;
        return SO_OK;
    }
#endif
#if defined(SO_HAVE_portable)
    if (allowed(wish, "portable")) {
        backend->f32 = &so_cpu_f32_portable;
        backend->f64 = &so_cpu_f64_portable;
        return SO_OK;
    }
#endif
    return SO_EISA;
}
