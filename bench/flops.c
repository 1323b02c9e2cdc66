/* flops.c: nominal operation counts, so that GFLOP/s of different methods and machines can be compared.
 * Counted with h = n^3 flops, symmetric and skew products at half price, squarings at the spectral norm of the matrix.
 * A method whose implementation does more work than its count shows a lower rate, which is the point of a nominal count.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "measure.h"

typedef struct count {
    double theta;    /* no squaring up to this norm */
    double product;  /* h */
    double squaring; /* h per squaring */
} count;

/* Polynomial: degree 2*8+1 in f32 and 2*12+1 in f64, even and odd part from one A^2. Pade: degree 13 in f64, 7 in f32 (Higham,
 * SIAM J. Matrix Anal. 2005), products and one LU solve; vjp: Al-Mohy and Higham (2009), the Frechet derivative beside the
 * exponential. Eigen: real Schur form of a skew matrix and its use; the vjp repeats it. Cayley: one LU solve; two products. */
static const count forward_count[SWEEP_METHODS][SWEEP_REALS] = {
    [SO_POLYNOMIAL] = {{5.9, 7, 2}, {5.04, 8, 2}},
    [SO_PADE] = {{3.9, 10.67, 2}, {5.37, 14.67, 2}},
    [SO_EIGEN] = {{INFINITY, 7.2, 0}, {INFINITY, 7.2, 0}},
    [SO_CAYLEY] = {{INFINITY, 2.67, 0}, {INFINITY, 2.67, 0}},
};
static const count vjp_count[SWEEP_METHODS][SWEEP_REALS] = {
    [SO_POLYNOMIAL] = {{5.9, 24, 5}, {5.04, 27, 5}},
    [SO_PADE] = {{3.9, 28, 6}, {5.37, 36, 6}},
    [SO_EIGEN] = {{INFINITY, 14.2, 0}, {INFINITY, 14.2, 0}},
    [SO_CAYLEY] = {{INFINITY, 5, 0}, {INFINITY, 5, 0}},
};

double sweep_flops(so_method method, sweep_real real, sweep_direction direction, int n, double rho)
{
    if (method == SO_AUTO && n <= 4) /* closed forms: a handful of operations, no power law; counted as one product */
        return 2.0 * n * n * n;
    method = method == SO_AUTO ? SO_POLYNOMIAL : method;
    const count *c = direction == SWEEP_FORWARD ? &forward_count[method][real] : &vjp_count[method][real];
    double squarings = rho > c->theta ? ceil(log2(rho / c->theta)) : 0;
    return (c->product + squarings * c->squaring) * n * n * n;
}
