/* oracle.c: exponential and Cayley map with derivatives in double-double arithmetic.
 *
 * The exponential is the Taylor series of degree 20 of A/2^s with ||A/2^s||_1 <= 1/16 (remainder 2^-149), then s squarings; the
 * derivative follows every step by the product rule. A textbook method on purpose: it shares nothing with libso.
 * SPDX-License-Identifier: MIT */
#include "oracle_dd.h"
#include <math.h>
#include <stddef.h>

enum { DEGREE = 20 };

/* The skew matrix of A's strict upper triangle, times sign. */
static oracle_pair skew(int n, const double *A, double sign)
{
    oracle_pair x = oracle_new(n);
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            x.hi[i * n + j] = sign * A[i * n + j], x.hi[j * n + i] = -sign * A[i * n + j];
    return x;
}

static double norm1(int n, oracle_pair x)
{
    double largest = 0;
    for (int i = 0; i < n; i++) { /* of a skew matrix: rows are columns */
        double sum = 0;
        for (int j = 0; j < n; j++)
            sum += fabs(x.hi[i * n + j]);
        largest = fmax(largest, sum);
    }
    return largest;
}

/* A power of two near the largest entry; 1 for zero. */
static double binade(int n, const double *E)
{
    double largest = 0;
    for (int i = 0; i < n * n; i++)
        largest = fmax(largest, fabs(E[i]));
    return largest > 0 ? ldexp(1, ilogb(largest)) : 1;
}

/* (value, slope) <- (a, da) times (b, db). */
static void product(int n, oracle_pair value, oracle_pair slope, oracle_pair a, oracle_pair da, oracle_pair b, oracle_pair db,
                    oracle_pair scratch)
{
    dd_multiply(n, value, a, b);
    if (!slope.hi)
        return;
    dd_multiply(n, slope, a, db);
    dd_multiply(n, scratch, da, b);
    dd_add(n, slope, scratch, 1);
}

static void swap(oracle_pair *a, oracle_pair *b)
{
    oracle_pair t = *a;
    *a = *b, *b = t;
}

/* exp of x and its slope in direction dx (dx.hi may be NULL); both are destroyed. */
static void exponential(int n, oracle_pair x, oracle_pair dx, oracle_pair *value, oracle_pair *slope)
{
    oracle_pair none = {NULL, NULL}, sum = oracle_new(n), next = oracle_new(n), scratch = oracle_new(n);
    oracle_pair dsum = dx.hi ? oracle_new(n) : none, dnext = dx.hi ? oracle_new(n) : none;
    double norm = norm1(n, x);
    int squarings = norm > 0.0625 ? ilogb(norm) + 5 : 0;
    dd_scale(n, x, ldexp(1, -squarings));
    if (dx.hi)
        dd_scale(n, dx, ldexp(1, -squarings));
    dd_add_identity(n, sum, 1);
    for (int k = DEGREE; k >= 1; k--) { /* sum <- I + x sum/k */
        product(n, next, dnext, x, dx, sum, dsum, scratch);
        dd_divide(n, next, k);
        dd_add_identity(n, next, 1);
        swap(&sum, &next);
        if (dx.hi)
            dd_divide(n, dnext, k), swap(&dsum, &dnext);
    }
    for (int k = 0; k < squarings; k++) {
        product(n, next, dnext, sum, dsum, sum, dsum, scratch);
        swap(&sum, &next), swap(&dsum, &dnext);
    }
    oracle_free(&next), oracle_free(&scratch), oracle_free(&dnext);
    *value = sum, *slope = dsum;
}

/* x <- (I - x/2)^-1 (I + x/2) = 2K - I, slope K dx K; x is destroyed. */
static void cayley(int n, oracle_pair x, oracle_pair dx, oracle_pair *value, oracle_pair *slope)
{
    oracle_pair none = {NULL, NULL}, K = oracle_new(n), scratch = oracle_new(n);
    *slope = dx.hi ? oracle_new(n) : none;
    dd_scale(n, x, -0.5);
    dd_add_identity(n, x, 1);
    dd_inverse(n, K, x);
    if (dx.hi)
        dd_multiply(n, scratch, K, dx), dd_multiply(n, *slope, scratch, K);
    dd_scale(n, K, 2);
    dd_add_identity(n, K, -1);
    *value = K;
    oracle_free(&scratch);
}

typedef void map(int n, oracle_pair x, oracle_pair dx, oracle_pair *value, oracle_pair *slope);

static void evaluate(map *f, int n, double sign, const double *A, const double *E, oracle_pair *R, oracle_pair *L)
{
    oracle_pair x = skew(n, A, sign), dx = {NULL, NULL}, value, slope;
    double unit = 1;
    if (L) {
        dx = oracle_new(n);
        unit = binade(n, E); /* so that the low parts of a tiny E do not underflow */
        for (int i = 0; i < n * n; i++)
            dx.hi[i] = E[i] / unit;
    }
    f(n, x, dx, &value, &slope);
    if (R)
        dd_copy(n, *R, value);
    if (L)
        dd_scale(n, slope, unit), dd_copy(n, *L, slope);
    oracle_free(&x), oracle_free(&dx), oracle_free(&value), oracle_free(&slope);
}

void oracle_exp(int n, const double *A, const double *E, oracle_pair *R, oracle_pair *L)
{
    evaluate(exponential, n, 1, A, E, R, L);
}

void oracle_cayley(int n, const double *A, const double *E, oracle_pair *R, oracle_pair *L)
{
    evaluate(cayley, n, 1, A, E, R, L);
}

void oracle_vjp(int is_cayley, int n, const double *A, const double *G, oracle_pair *dA)
{
    oracle_pair Z = oracle_new(n);
    evaluate(is_cayley ? cayley : exponential, n, -1, A, G, NULL, &Z);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) { /* (Z - Z^T)/2 */
            double a = Z.hi[i * n + j], b = -Z.hi[j * n + i], s = a + b, t = s - a;
            dA->lo[i * n + j] = ((a - (s - t)) + (b - t) + Z.lo[i * n + j] - Z.lo[j * n + i]) / 2;
            dA->hi[i * n + j] = s / 2;
        }
    oracle_free(&Z);
}

double oracle_orthogonality(int n, const double *R)
{
    oracle_pair x = oracle_new(n), xt = oracle_new(n), p = oracle_new(n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            x.hi[i * n + j] = R[i * n + j], xt.hi[j * n + i] = R[i * n + j];
    dd_multiply(n, p, xt, x);
    dd_add_identity(n, p, -1);
    double sum = 0;
    for (int i = 0; i < n * n; i++)
        sum += p.hi[i] * p.hi[i];
    oracle_free(&x), oracle_free(&xt), oracle_free(&p);
    return sqrt(sum);
}
