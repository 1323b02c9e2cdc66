/* widen.h: an f32 method by way of f64 functions of the same instruction set.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_LAPACK_WIDEN_H
#define SO_CPU_LAPACK_WIDEN_H

#include "../group/matrix.h"

#define WIDE_(name) SO_JOIN(SO_JOIN(SO_JOIN(name, _f64), SO_ISA), SO_LAYOUT)

/* As in group_method, without R, which would be known to single precision only. */
typedef void wide_map(int n, double *A, double *R, double *work);
typedef void wide_differential(int n, double *A, double *M, double *Y, double *work);

/* An f64 matrix has the room of two f32 matrices: its rows are padded to a vector, theirs to one of twice as many numbers. */
#define WIDENED_MAP_MATRICES(count) (2 * (2 + (count)))
#define WIDENED_DIFFERENTIAL_MATRICES(count) (2 * (3 + (count)))

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

static inline void map_widened(wide_map *map, int n, const real *A, real *R, real *work)
{
    double *A64 = wide_matrix(work, n, 0), *R64 = wide_matrix(work, n, 1);
    widen(n, A, A64);
    map(n, A64, R64, wide_matrix(work, n, 2));
    narrow(n, R64, R);
}

static inline void differential_widened(wide_differential *differential, int n, const real *A, const real *M, real *Y,
                                        real *work)
{
    double *A64 = wide_matrix(work, n, 0), *M64 = wide_matrix(work, n, 1), *Y64 = wide_matrix(work, n, 2);
    widen(n, A, A64);
    widen(n, M, M64);
    differential(n, A64, M64, Y64, wide_matrix(work, n, 3));
    narrow(n, Y64, Y);
}

#endif
