/* failure.c: see failure.h.
 * SPDX-License-Identifier: MIT */
#include "failure.h"
#include <stdatomic.h>
#include <stddef.h>

static atomic_int left[FAILURES], happened[FAILURES];

void failure_set(failure kind, int k)
{
    happened[kind] = 0;
    left[kind] = k;
}

int failure_happened(failure kind)
{
    return happened[kind];
}

int failure_due(failure kind)
{
    if (left[kind] == 0 || atomic_fetch_sub(&left[kind], 1) != 1)
        return 0;
    happened[kind] = 1;
    return 1;
}

/* The linker makes __wrap_X of every call of X, and X of __real_X. */
#define WRAP(failure, kind, result, name, parameters, arguments)                                                               \
    result __real_##name parameters;                                                                                           \
    result __wrap_##name parameters;                                                                                           \
    result __wrap_##name parameters                                                                                            \
    {                                                                                                                          \
        return failure_due(kind) ? failure : __real_##name arguments;                                                                \
    }

WRAP(NULL, FAILURE_ALLOCATION, void *, calloc, (size_t count, size_t size), (count, size))
WRAP(NULL, FAILURE_ALLOCATION, void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size))
#define WRAP_SVD(isa)                                                                                                           \
    WRAP(0, FAILURE_SVD, int, bidiagonal_svd_f64_##isa##_single,                                                                \
         (int m, double *d, double *e, int ld, double *V, double *U, double *work), (m, d, e, ld, V, U, work))
#if defined(SO_HAVE_portable)
WRAP_SVD(portable)
#endif
#if defined(SO_HAVE_avx2)
WRAP_SVD(avx2)
#endif
#if defined(SO_HAVE_avx512)
WRAP_SVD(avx512)
#endif
#if defined(SO_HAVE_neon)
WRAP_SVD(neon)
#endif
