/* oracle.c: exponential and Cayley map with derivatives in double-double arithmetic.
 *
 * The exponential is the Taylor series of degree 20 of A/2^s with ||A/2^s||_1 <= 1/16 (remainder 2^-149) by Paterson &
 * Stockmeyer (SIAM J. Comput. 2, 1973), then s squarings; the derivative follows every step by the product rule. Textbook
 * methods on purpose: they share nothing with libso.
 * SPDX-License-Identifier: MIT */
#include "oracle_dd.h"
#include <math.h>
#include <stddef.h>

enum { DEGREE = 20, BLOCK = 4 };

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

/* A matrix and its derivative in one direction; d.hi is NULL where none is wanted. */
typedef struct jet {
    oracle_pair v, d;
} jet;

static jet new_jet(int n, int derivative)
{
    jet x = {oracle_new(n), {NULL, NULL}};
    if (derivative)
        x.d = oracle_new(n);
    return x;
}

static void free_jet(jet *x)
{
    oracle_free(&x->v), oracle_free(&x->d);
}

static void swap(jet *x, jet *y)
{
    jet t = *x;
    *x = *y, *y = t;
}

/* out <- x y */
static void product(int n, jet out, jet x, jet y, oracle_pair scratch)
{
    dd_multiply(n, out.v, x.v, y.v);
    if (!out.d.hi)
        return;
    dd_multiply(n, out.d, x.v, y.d);
    dd_multiply(n, scratch, x.d, y.v);
    dd_add(n, out.d, scratch, 1);
}

/* sum <- sum + c_(4 block) I + c_(4 block + 1) x + .. + c_(4 block + 3) x^3, c_k = DEGREE!/k! */
static void add_block(int n, int block, const jet *power, jet sum)
{
    for (int i = 0; i < BLOCK; i++) {
        double c = 1; /* exact: the odd part of 20! has 43 bits */
        for (int k = BLOCK * block + i + 1; k <= DEGREE; k++)
            c *= k;
        if (i == 0) {
            dd_add_identity(n, sum.v, c);
            continue;
        }
        dd_add(n, sum.v, power[i].v, c);
        if (sum.d.hi)
            dd_add(n, sum.d, power[i].d, c);
    }
}

/* exp of x, which is destroyed, and its slope in the direction x.d. */
static jet exponential(int n, jet x)
{
    int derivative = x.d.hi != NULL;
    double norm = norm1(n, x.v);
    int squarings = norm > 0.0625 ? ilogb(norm) + 5 : 0;
    jet sum = new_jet(n, derivative), next = new_jet(n, derivative), power[BLOCK + 1] = {[1] = x};
    oracle_pair scratch = oracle_new(n);
    dd_scale(n, x.v, ldexp(1, -squarings));
    if (derivative)
        dd_scale(n, x.d, ldexp(1, -squarings));
    for (int k = 2; k <= BLOCK; k++) {
        power[k] = new_jet(n, derivative);
        product(n, power[k], power[k - k / 2], power[k / 2], scratch);
    }
    dd_copy(n, sum.v, power[BLOCK].v); /* c_DEGREE = 1 */
    if (derivative)
        dd_copy(n, sum.d, power[BLOCK].d);
    for (int block = DEGREE / BLOCK - 1; block >= 0; block--) {
        add_block(n, block, power, sum);
        if (block > 0)
            product(n, next, sum, power[BLOCK], scratch), swap(&sum, &next);
    }
    double factorial = 1;
    for (int k = 2; k <= DEGREE; k++)
        factorial *= k;
    dd_divide(n, sum.v, factorial);
    if (derivative)
        dd_divide(n, sum.d, factorial);
    for (int k = 0; k < squarings; k++)
        product(n, next, sum, sum, scratch), swap(&sum, &next);
    for (int k = 2; k <= BLOCK; k++)
        free_jet(&power[k]);
    free_jet(&next), oracle_free(&scratch);
    return sum;
}

/* (I - x/2)^-1 (I + x/2) = 2K - I and its slope K dx K; x is destroyed. */
static jet cayley(int n, jet x)
{
    jet K = new_jet(n, x.d.hi != NULL);
    oracle_pair scratch = oracle_new(n);
    dd_scale(n, x.v, -0.5);
    dd_add_identity(n, x.v, 1);
    dd_inverse(n, K.v, x.v);
    if (x.d.hi)
        dd_multiply(n, scratch, K.v, x.d), dd_multiply(n, K.d, scratch, K.v);
    dd_scale(n, K.v, 2);
    dd_add_identity(n, K.v, -1);
    oracle_free(&scratch);
    return K;
}

static void evaluate(jet map(int n, jet x), int n, double sign, const double *A, const double *E, oracle_pair *R,
                     oracle_pair *L)
{
    jet x = {skew(n, A, sign), {NULL, NULL}};
    double unit = 1;
    if (L) {
        x.d = oracle_new(n);
        unit = binade(n, E); /* so that the low parts of a tiny E do not underflow */
        for (int i = 0; i < n * n; i++)
            x.d.hi[i] = E[i] / unit;
    }
    jet y = map(n, x);
    if (R)
        dd_copy(n, *R, y.v);
    if (L)
        dd_scale(n, y.d, unit), dd_copy(n, *L, y.d);
    free_jet(&x), free_jet(&y);
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
    oracle_pair defect = oracle_new(n);
    dd_gram(n, defect, R);
    dd_add_identity(n, defect, -1);
    double sum = 0;
    for (int i = 0; i < n * n; i++)
        sum += defect.hi[i] * defect.hi[i];
    oracle_free(&defect);
    return sqrt(sum);
}
