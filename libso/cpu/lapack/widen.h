/* widen.h: an f32 method by way of f64 functions of the same instruction set.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_LAPACK_WIDEN_H
#define SO_CPU_LAPACK_WIDEN_H

#include "../group/matrix.h"

#define WIDE_(name) SO_JOIN(SO_JOIN(SO_JOIN(name, _f64), SO_ISA), SO_LAYOUT)

/* An f64 matrix has the room of two f32 matrices: its rows are padded to a vector, theirs to one of twice as many numbers. */
static inline double *wide_matrix(real *work, int n, int k)
{
    return (double *)(void *)matrix_of(work, n, 2 * k);
}

static inline int wide_stride(int n)
{
    int lanes = VECTOR_BYTES / (int)sizeof(double);
    return (n + lanes - 1) / lanes * lanes;
}

static inline void widen(int n, const real *A, double *B)
{
    int ld = matrix_stride(n), wide = wide_stride(n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < wide; j++)
            B[(ptrdiff_t)i * wide + j] = j < n ? (double)A[(ptrdiff_t)i * ld + j] : 0;
}

static inline void narrow(int n, const double *B, real *A)
{
    int ld = matrix_stride(n), wide = wide_stride(n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < ld; j++)
            A[(ptrdiff_t)i * ld + j] = j < n ? (real)B[(ptrdiff_t)i * wide + j] : 0;
}

#endif
