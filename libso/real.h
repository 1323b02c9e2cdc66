/* real.h: one source for f32 and f64. A file that includes this is compiled once per real type, and the files of cpu/ once
 * more per instruction set and layout; the Makefile defines which. SO_(name) appends what distinguishes the copies.
 *
 *   libso/NAME.c          SO_(exp) = exp_f32                  f32 | f64
 *   libso/cpu/NAME.c      SO_(exp) = exp_f32_avx2             x portable | avx2 | avx512 | neon
 *   libso/cpu/group/NAME.c SO_(exp) = exp_f32_avx2_lanes       x lanes | single      (cpu/group.h says what these are)
 *   libso/cpu/lapack/NAME.c SO_(exp) = exp_f32_avx2_single
 * SPDX-License-Identifier: MIT */
#ifndef SO_REAL_H
#define SO_REAL_H

#include <float.h>
#include <stdint.h>

#define SO_PASTE(a, b) a##b
#define SO_JOIN(a, b) SO_PASTE(a, b)

#if defined(SO_REAL_f32)
typedef float real;
typedef int32_t real_bits;
#define REAL_EXPONENT 0x7f800000 /* all ones: NaN or Inf */
#define SO_TYPE _f32
#define REAL_EPSILON 0x1p-24f /* u: unit roundoff */
#define REAL_MAX FLT_MAX
#elif defined(SO_REAL_f64)
typedef double real;
typedef int64_t real_bits;
#define REAL_EXPONENT 0x7ff0000000000000
#define SO_TYPE _f64
#define REAL_EPSILON 0x1p-53
#define REAL_MAX DBL_MAX
#endif

/* All ones if x is NaN or Inf, else 0. In integers, so that loops over it vectorise. */
static inline real_bits nonfinite_bits(real x)
{
    real_bits bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return -(real_bits)((bits & REAL_EXPONENT) == REAL_EXPONENT);
}

/* Vectors, and how many of them the registers hold: what tiles are cut by. */
#if defined(SO_ISA_portable)
#define SO_ISA _portable
#define VECTOR_BYTES 16
#define VECTOR_REGISTERS 16
#elif defined(SO_ISA_avx2)
#define SO_ISA _avx2
#define VECTOR_BYTES 32
#define VECTOR_REGISTERS 16
#elif defined(SO_ISA_avx512)
#define SO_ISA _avx512
#define VECTOR_BYTES 64
#define VECTOR_REGISTERS 32
#elif defined(SO_ISA_neon)
#define SO_ISA _neon
#define VECTOR_BYTES 16
#define VECTOR_REGISTERS 32
#else
#define SO_ISA
#endif

#if defined(SO_LAYOUT_lanes)
#define SO_LAYOUT _lanes
#elif defined(SO_LAYOUT_single)
#define SO_LAYOUT _single
#else
#define SO_LAYOUT
#endif

#define SO_VARIANT(name, layout) SO_JOIN(SO_JOIN(SO_JOIN(name, SO_TYPE), SO_ISA), layout)
#define SO_(name) SO_VARIANT(name, SO_LAYOUT)

#endif
