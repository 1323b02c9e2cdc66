/* flops.c: nominal operation counts, so that GFLOP/s of different methods and machines can be compared.
 * Counted with h = n^3 flops, symmetric and skew products at half price, squarings at the spectral norm of the matrix.
 * A method whose implementation does more work than its count shows a lower rate, which is the point of a nominal count.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "measure.h"

typedef struct rung {
    double theta[SWEEP_DIRECTIONS]; /* up to this norm */
    double products;                /* h */
} rung;

/* The ladder of libso/cpu/group/polynomial.c; its last theta is the one of scaling. */
enum { RUNGS = 3 };
static const rung ladder[SWEEP_REALS][RUNGS] = {
    {{{1.398, 1.328}, 5}, {{3.5, 3.325}, 6}, {{5.85, 5.5575}, 7}},
    {{{0.1867, 0.1774}, 5}, {{0.756, 0.6804}, 6}, {{5, 4.75}, 8}},
};

typedef struct count {
    double theta;    /* no squaring up to this norm */
    double product;  /* h */
    double squaring; /* h per squaring */
} count;

/* Pade: degree 13 in f64, 7 in f32 (Higham, SIAM J. Matrix Anal. 2005), products and one LU solve; vjp: Al-Mohy and Higham
 * (2009), the Frechet derivative beside the exponential. Eigen: real Schur form of a skew matrix and its use; the vjp repeats
 * it. Cayley: one LU solve; two products. */
static const count forward_count[SWEEP_METHODS][SWEEP_REALS] = {
    [SO_PADE] = {{3.9, 10.67, 2}, {5.37, 14.67, 2}},
    [SO_EIGEN] = {{INFINITY, 7.2, 0}, {INFINITY, 7.2, 0}},
    [SO_CAYLEY] = {{INFINITY, 2.67, 0}, {INFINITY, 2.67, 0}},
};
static const count vjp_count[SWEEP_METHODS][SWEEP_REALS] = {
    [SO_PADE] = {{3.9, 28, 6}, {5.37, 36, 6}},
    [SO_EIGEN] = {{INFINITY, 14.2, 0}, {INFINITY, 14.2, 0}},
    [SO_CAYLEY] = {{INFINITY, 5, 0}, {INFINITY, 5, 0}},
};

static double squarings(double rho, double theta)
{
    return rho > theta ? ceil(log2(rho / theta)) : 0;
}

/* Even and odd part from one A^2. Squarings start from a base that is made orthogonal: a symmetric product and a general one.
 * vjp: each product and its two tangents, R^T dR and the product with R^T; E Y E^T and E^2 per squaring, no E^2 in the last. */
static double polynomial_flops(sweep_real real, sweep_direction direction, double rho)
{
    const rung *r = ladder[real];
    double s = squarings(rho, r[RUNGS - 1].theta[direction]);
    while (r < &ladder[real][RUNGS - 1] && !(rho <= r->theta[direction]))
        r++;
    if (direction == SWEEP_FORWARD)
        return r->products + (s > 0 ? 3 + 2 * s : 0);
    return 3 * r->products + 3 + (s > 0 ? 3 + 5 * s - 2 : 0);
}

double sweep_flops(so_method method, sweep_real real, sweep_direction direction, int n, double rho)
{
    double cube = (double)n * n * n;
    if (method == SO_AUTO && n <= 4) /* closed forms: a handful of operations, no power law; counted as one product */
        return 2 * cube;
    if (method == SO_AUTO) /* as in libso/cpu/lapack/automatic.c, for random matrices */
        method = direction == SWEEP_VJP && n > 32 && rho > 16 ? SO_EIGEN : SO_POLYNOMIAL;
    if (method == SO_POLYNOMIAL)
        return polynomial_flops(real, direction, rho) * cube;
    const count *c = direction == SWEEP_FORWARD ? &forward_count[method][real] : &vjp_count[method][real];
    return (c->product + squarings(rho, c->theta) * c->squaring) * cube;
}
