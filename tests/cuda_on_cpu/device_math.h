/* device_math.h: the mathematics of device code that <math.h> lacks.
 * SPDX-License-Identifier: MIT */
#ifndef CUDA_ON_CPU_DEVICE_MATH_H
#define CUDA_ON_CPU_DEVICE_MATH_H

/* ---- bits ---- */

#define BITS_OF(name, from, to)                                                                                                \
    inline to name(from value)                                                                                                 \
    {                                                                                                                          \
        return __builtin_bit_cast(to, value);                                                                                  \
    }
BITS_OF(__float_as_int, float, int)
BITS_OF(__float_as_uint, float, unsigned)
BITS_OF(__int_as_float, int, float)
BITS_OF(__uint_as_float, unsigned, float)
BITS_OF(__double_as_longlong, double, long long)
BITS_OF(__longlong_as_double, long long, double)
#undef BITS_OF
inline int __double2hiint(double x)
{
    return int(__double_as_longlong(x) >> 32);
}
inline int __double2loint(double x)
{
    return int(__double_as_longlong(x));
}
inline double __hiloint2double(int high, int low)
{
    return __longlong_as_double((long long)((unsigned long long)(unsigned)high << 32 | (unsigned)low));
}

inline int __popc(unsigned x)
{
    return __builtin_popcount(x);
}
inline int __popcll(unsigned long long x)
{
    return __builtin_popcountll(x);
}
inline int __clz(int x)
{
    return x ? __builtin_clz(unsigned(x)) : 32;
}
inline int __clzll(long long x)
{
    return x ? __builtin_clzll((unsigned long long)x) : 64;
}
inline int __ffs(int x)
{
    return __builtin_ffs(x);
}
inline int __ffsll(long long x)
{
    return __builtin_ffsll(x);
}
inline unsigned __umulhi(unsigned a, unsigned b)
{
    return unsigned((unsigned long long)a * b >> 32);
}

/* ---- one rounding each: nothing here is contracted ---- */

#define ROUNDED(name, type, parameters, value)                                                                                 \
    inline type name parameters                                                                                                \
    {                                                                                                                          \
        return value;                                                                                                          \
    }
ROUNDED(__fadd_rn, float, (float a, float b), a + b)
ROUNDED(__fsub_rn, float, (float a, float b), a - b)
ROUNDED(__fmul_rn, float, (float a, float b), a *b)
ROUNDED(__fdiv_rn, float, (float a, float b), a / b)
ROUNDED(__frcp_rn, float, (float a), 1 / a)
ROUNDED(__fsqrt_rn, float, (float a), sqrtf(a))
ROUNDED(__frsqrt_rn, float, (float a), float(1 / sqrt(double(a))))
ROUNDED(__fmaf_rn, float, (float a, float b, float c), fmaf(a, b, c))
ROUNDED(__dadd_rn, double, (double a, double b), a + b)
ROUNDED(__dsub_rn, double, (double a, double b), a - b)
ROUNDED(__dmul_rn, double, (double a, double b), a *b)
ROUNDED(__ddiv_rn, double, (double a, double b), a / b)
ROUNDED(__drcp_rn, double, (double a), 1 / a)
ROUNDED(__dsqrt_rn, double, (double a), sqrt(a))
ROUNDED(__fma_rn, double, (double a, double b, double c), fma(a, b, c))
ROUNDED(__double2float_rn, float, (double a), float(a))
ROUNDED(__int2float_rn, float, (int a), float(a))
ROUNDED(__float2int_rn, int, (float a), int(lrintf(a)))
ROUNDED(__float2int_rd, int, (float a), int(floorf(a)))
ROUNDED(__float2int_ru, int, (float a), int(ceilf(a)))
ROUNDED(__float2int_rz, int, (float a), int(a))
ROUNDED(__double2int_rn, int, (double a), int(lrint(a)))
ROUNDED(__double2int_rz, int, (double a), int(a))
ROUNDED(__double2ll_rn, long long, (double a), llrint(a))
#undef ROUNDED

/* ---- functions ---- */

inline float rsqrtf(float x)
{
    return float(1 / sqrt(double(x)));
}
inline double rsqrt(double x)
{
    return 1 / sqrt(x);
}
inline float rsqrt(float x)
{
    return rsqrtf(x);
}
inline void sincos(float x, float *sine, float *cosine)
{
    sincosf(x, sine, cosine);
}

/* As device code has them: of floating-point numbers a NaN loses, mixed signs compare as unsigned. */
template <class T, class U> constexpr std::common_type_t<T, U> min(T x, U y)
{
    using V = std::common_type_t<T, U>;
    if constexpr (std::is_floating_point_v<V>)
        return fmin(V(x), V(y));
    else
        return V(y) < V(x) ? V(y) : V(x);
}
template <class T, class U> constexpr std::common_type_t<T, U> max(T x, U y)
{
    using V = std::common_type_t<T, U>;
    if constexpr (std::is_floating_point_v<V>)
        return fmax(V(x), V(y));
    else
        return V(x) < V(y) ? V(y) : V(x);
}

#endif
