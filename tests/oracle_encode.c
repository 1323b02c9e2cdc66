/* oracle_encode.c: see oracle_encode.h.
 * SPDX-License-Identifier: MIT */
#include "oracle_encode.h"
#include "oracle_campaign.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

double *reals(size_t count)
{
    double *x = malloc((count + 1) * sizeof *x);
    ck_assert_ptr_nonnull(x);
    return x;
}

problem new_problem(int bits, so_method method, int dims, int tile, int groups, int tokens, uint64_t number)
{
    problem p = {.e = {method, dims, tile, groups, tokens}, .square = (size_t)(tile * tile)};
    random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 5000, number);
    p.tokens = (size_t)tokens, p.dims = (size_t)dims, p.groups = (size_t)groups;
    p.position = reals(p.tokens * p.dims), p.dposition = reals(p.tokens * p.dims);
    p.generator = reals(p.groups * p.dims * p.square), p.dgenerator = reals(p.groups * p.dims * p.square);
    p.R = reals(p.groups * p.tokens * p.square), p.dR = reals(p.groups * p.tokens * p.square);
    for (size_t i = 0; i < p.tokens * p.dims; i++)
        p.position[i] = i < p.dims ? 0 : call_round(bits, 2 * uniform53(&r) - 1);
    for (size_t i = 0; i < p.groups * p.dims * p.square; i++) {
        size_t row = i % p.square / (size_t)tile, column = i % (size_t)tile;
        p.generator[i] = row < column ? call_round(bits, 2 * M_PI * uniform53(&r)) : NAN;
    }
    for (size_t i = 0; i < p.groups * p.tokens * p.square; i++)
        p.dR[i] = call_round(bits, normal53(&r));
    return p;
}

void free_problem(problem *p)
{
    free(p->position), free(p->generator), free(p->R), free(p->dR), free(p->dgenerator), free(p->dposition);
}

/* The exponent of group g and token t, summed in the working type with one rounding per dimension, and, normalised like the
 * contract, the sum of what was added: one rounding per dimension errs by at most dims u times that. */
static double exponent(int bits, const problem *p, size_t g, size_t t, double *A)
{
    double sum = 0;
    for (size_t i = 0; i < p->square; i++) {
        double total = 0, size = 0;
        for (size_t d = 0; d < p->dims; d++) {
            double x = p->position[t * p->dims + d], y = p->generator[(g * p->dims + d) * p->square + i];
            total = call_round(bits, fma(x, y, total));
            size += fabs(x * y);
        }
        A[i] = total;
        if (i / (size_t)p->e.tile < i % (size_t)p->e.tile)
            sum += 2 * size * size;
    }
    return sqrt(sum / p->e.tile);
}

void raise_worst(double *most, double ratio)
{
    if (!(ratio <= *most))
        *most = isnan(ratio) ? INFINITY : ratio;
}

void check_values(int bits, const problem *p, ratios *most)
{
    int n = p->e.tile;
    double u = call_u(bits), *A = reals(p->square), *E = reals(p->square);
    double *generator_sum = calloc(p->groups * p->dims * p->square, sizeof(double));
    double *generator_bound = calloc(p->groups * p->dims, sizeof(double));
    double *position_sum = calloc(p->tokens * p->dims, sizeof(double));
    double *position_bound = calloc(p->tokens * p->dims, sizeof(double));
    oracle_pair exact = oracle_new(n), dA = oracle_new(n);
    for (size_t g = 0; g < p->groups; g++)
        for (size_t t = 0; t < p->tokens; t++) {
            size_t at = (g * p->tokens + t) * p->square;
            double formed = 2 * (double)p->dims * u * exponent(bits, p, g, t, A), rho = spectral_norm(n, A);
            (p->e.method == SO_CAYLEY ? oracle_cayley : oracle_exp)(n, A, NULL, &exact, NULL);
            oracle_vjp(p->e.method == SO_CAYLEY, n, A, p->dR + at, &dA);
            raise_worst(&most->R, distance(n, p->R + at, exact) / ((10 + 2 * rho) * u + formed));
            double slope = frobenius(n, p->dR + at), slope_error = slope * (30 * u * (1 + rho / 10) + 2 * formed);
            for (size_t d = 0; d < p->dims; d++) {
                const double *generator = p->generator + (g * p->dims + d) * p->square;
                double x = p->position[t * p->dims + d], norm = skew_frobenius(n, generator), inner = 0;
                for (size_t i = 0; i < p->square; i++) {
                    generator_sum[(g * p->dims + d) * p->square + i] += x * dA.hi[i];
                    if (i / (size_t)n < i % (size_t)n)
                        inner += 2 * dA.hi[i] * generator[i];
                }
                generator_bound[g * p->dims + d] += fabs(x) * (slope_error + ((double)p->tokens + 2) * u * slope);
                position_sum[t * p->dims + d] += inner;
                position_bound[t * p->dims + d] +=
                    n * norm * (slope_error + ((double)(p->square + p->groups) + 2) * u * slope);
            }
        }
    for (size_t k = 0; k < p->groups * p->dims; k++) {
        for (size_t i = 0; i < p->square; i++)
            E[i] = p->dgenerator[k * p->square + i] - generator_sum[k * p->square + i];
        double error = frobenius(n, E);
        raise_worst(&most->dgenerator, error == 0 ? 0 : error / generator_bound[k]);
    }
    for (size_t k = 0; k < p->tokens * p->dims; k++) {
        double error = fabs(p->dposition[k] - position_sum[k]);
        raise_worst(&most->dposition, error == 0 ? 0 : error / position_bound[k]);
    }
    oracle_free(&exact), oracle_free(&dA);
    free(A), free(E), free(generator_sum), free(generator_bound), free(position_sum), free(position_bound);
}
