/* sine.cuh: sine and cosine in f64, without the local memory that CUDA's own reduction of large angles takes.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_SINE_CUH
#define SO_KERNELS_SINE_CUH

#include <cuda_runtime.h>

/* sin x and cos x for finite x, absolute error below 2 u + |x| u / 2, of which the second part only for |x| >= 2^48.
 * x = k pi/2 + r with pi/2 in two parts of 53 bits. While |k| < 2^48, k times the first cancels x without rounding in one fused
 * operation, and k times what both leave of pi/2 is below 2^-60. Angles beyond first lose multiples of 2 pi rounded to f64; their
 * error |x| u / 2 is a quarter of what so.h allows. Taylor polynomials on |r| < pi/4 + 2^-5 with a remainder below 2^-60. */
__device__ __forceinline__ void sine_cosine(double x, double *s, double *c)
{
    const double shift = 0x1.8p52;
    if (!(fabs(x) < 0x1p48))
        x = fmod(x, 0x1.921fb54442d18p+2);
    double shifted = fma(x, 0x1.45f306dc9c883p-1, shift), k = shifted - shift;
    int quadrant = __double2loint(shifted);
    double r = fma(-k, 0x1.1a62633145c07p-54, fma(-k, 0x1.921fb54442d18p+0, x)), z = r * r;

    double odd = fma(z, -1 / 355687428096000.0, 1 / 1307674368000.0);
    odd = fma(z, odd, -1 / 6227020800.0);
    odd = fma(z, odd, 1 / 39916800.0);
    odd = fma(z, odd, -1 / 362880.0);
    odd = fma(z, odd, 1 / 5040.0);
    odd = fma(z, odd, -1 / 120.0);
    odd = fma(z, odd, 1 / 6.0);
    double sine = fma(-r * z, odd, r);

    double even = fma(z, 1 / 6402373705728000.0, -1 / 20922789888000.0);
    even = fma(z, even, 1 / 87178291200.0);
    even = fma(z, even, -1 / 479001600.0);
    even = fma(z, even, 1 / 3628800.0);
    even = fma(z, even, -1 / 40320.0);
    even = fma(z, even, 1 / 720.0);
    even = fma(z, even, -1 / 24.0);
    even = fma(z, even, 1 / 2.0);
    double cosine = fma(-z, even, 1.0);

    double first = quadrant & 1 ? cosine : sine, second = quadrant & 1 ? sine : cosine;
    *s = quadrant & 2 ? -first : first;
    *c = (quadrant + 1) & 2 ? -second : second;
}

#endif
