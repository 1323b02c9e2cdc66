/* simd.h: loops that the compiler turns into SIMD code, one copy per instruction set, chosen when the program starts.
 *
 * Include it after the system headers. The pragma lets the compiler vectorise, use fused multiply-add, and forget errno and
 * floating-point exception flags; it does not let it reorder sums. A function with SIMD_CLONES must not itself contain an
 * `omp parallel` region, whose body would be compiled once only; call it from one.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_SIMD_H
#define HARNESS_SIMD_H

#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3", "fp-contract=fast", "no-math-errno", "no-trapping-math")
#endif

/* ThreadSanitizer would instrument the resolvers, which run before it is ready. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define SIMD_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define SIMD_CLONES
#endif

/* exp(x) without a branch or a call. Error <= 1.5 ulp for results that are normal numbers; subnormal results are within
 * 1.5 * 2^-149; 0 below x = -104, infinity above 88.73; NaN gives NaN.
 * x = n ln 2 + r, |r| <= ln(2)/2 (1 + 2^-20); exp(r) by its Taylor polynomial of degree 7, whose remainder is below
 * 0.35^8/8! = 5.6e-9 = 0.1 u; ln 2 is split so that n*hi is exact; 2^n is applied in two factors to reach subnormals. */
static inline float simd_exp(float x)
{
    const float magic = 0x1.8p23f;                               /* adding it rounds to an integer, found in the low bits */
    const float ln2_hi = 0x1.62e4p-1f, ln2_lo = 0x1.7f7d1cp-20f; /* 15 + 24 bits */
    x = x > 89.0f ? 89.0f : x;
    x = x < -105.0f ? -105.0f : x;
    float t = x * 0x1.715476p0f + magic;
    uint32_t bits;
    memcpy(&bits, &t, sizeof bits);
    float n = t - magic;
    float r = (x - n * ln2_hi) - n * ln2_lo;
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r * r + r + 1.0f;
    int32_t exponent = (int32_t)(bits - 0x4B400000u); /* n, -152..128 */
    int32_t half = exponent >> 1;
    uint32_t first = (uint32_t)(half + 127) << 23, second = (uint32_t)(exponent - half + 127) << 23;
    float scale_first, scale_second;
    memcpy(&scale_first, &first, sizeof first);
    memcpy(&scale_second, &second, sizeof second);
    return p * scale_first * scale_second;
}

#endif
