/* combination.c: a_0 I + sum_k a_k M_k of symmetric matrices, and such a sum added to a product whose lower part is known.
 * lanes: the lower triangle is computed and stored twice; single: whole rows.
 * SPDX-License-Identifier: MIT */
#include "matrix.h"

#define FOR_TERMS(call, terms)                                                                                                  \
    switch (terms) {                                                                                                            \
    case 0:                                                                                                                     \
        call(0);                                                                                                                \
        break;                                                                                                                  \
    case 1:                                                                                                                     \
        call(1);                                                                                                                \
        break;                                                                                                                  \
    case 2:                                                                                                                     \
        call(2);                                                                                                                \
        break;                                                                                                                  \
    case 3:                                                                                                                     \
        call(3);                                                                                                                \
        break;                                                                                                                  \
    default:                                                                                                                    \
        call(4);                                                                                                                \
    }

/* x + sum_(0 < k <= terms) a_k M_k at `at`. One chain of fused operations from x on, the last term first: a term with a_k = 0 and
 * none but such before it changes no bit, so that lanes which need fewer terms than others may share a call with them. (x + 0
 * because -0 + 0 would.) */
static inline __attribute__((always_inline)) vector add_terms(int terms, const elem *a, const elem *const *M, ptrdiff_t at, vector x)
{
    x += 0;
#pragma GCC unroll 4
    for (int k = terms; k > 0; k--)
        x += *(const vector *)&M[k - 1][at] * a[k];
    return x;
}

#if defined(SO_LAYOUT_lanes)

static inline __attribute__((always_inline)) void combine_terms(int terms, int n, const elem *a, const elem *const *M,
                                                                elem *restrict R)
{
    ptrdiff_t ld = matrix_stride(n);
    for (ptrdiff_t i = 0; i < n; i++) {
        for (ptrdiff_t j = 0; j < i; j++)
            R[i * ld + j] = R[j * ld + i] = add_terms(terms, a, M, i * ld + j, (vector){0});
        R[i * ld + i] = add_terms(terms, a, M, i * ld + i, (vector){0}) + a[0];
    }
}

static inline __attribute__((always_inline)) void complete_terms(int terms, int n, int sign, const elem *a, const elem *const *M,
                                                                 elem *restrict C)
{
    ptrdiff_t ld = matrix_stride(n);
    for (ptrdiff_t i = 0; i < n; i++) {
        for (ptrdiff_t j = 0; j < i; j++) {
            elem x = C[i * ld + j], lower = add_terms(terms, a, M, i * ld + j, x);
            C[i * ld + j] = lower;
            C[j * ld + i] = sign > 0 ? lower : add_terms(terms, a, M, i * ld + j, -x);
        }
        elem x = sign > 0 ? C[i * ld + i] : broadcast(0);
        C[i * ld + i] = add_terms(terms, a, M, i * ld + i, x) + a[0];
    }
}

#else

static inline __attribute__((always_inline)) void combine_terms(int terms, int n, const elem *a, const elem *const *M,
                                                                elem *restrict R)
{
    for (ptrdiff_t at = 0; at < matrix_size(n); at += UNIT)
        *(vector *)&R[at] = add_terms(terms, a, M, at, (vector){0});
    for (ptrdiff_t i = 0; i < n; i++)
        R[i * matrix_stride(n) + i] += a[0];
}

static inline __attribute__((always_inline)) void complete_terms(int terms, int n, int sign, const elem *a, const elem *const *M,
                                                                 elem *restrict C)
{
    mirror(n, sign, C);
    for (ptrdiff_t at = 0; at < matrix_size(n); at += UNIT)
        *(vector *)&C[at] = add_terms(terms, a, M, at, *(const vector *)&C[at]);
    for (ptrdiff_t i = 0; i < n; i++)
        C[i * matrix_stride(n) + i] += a[0];
}

#endif

void SO_(linear_combination)(int n, int terms, const elem *a, const elem *const *M, elem *R)
{
#define CALL(terms) combine_terms(terms, n, a, M, R)
    FOR_TERMS(CALL, terms)
#undef CALL
}

void SO_(complete)(int n, int sign, int terms, const elem *a, const elem *const *M, elem *C)
{
#define CALL(terms) complete_terms(terms, n, sign, a, M, C)
    FOR_TERMS(CALL, terms)
#undef CALL
}
