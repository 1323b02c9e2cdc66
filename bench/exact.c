/* exact.c: see exact.h. SPDX-License-Identifier: MIT */
#include "exact.h"

#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(LDBL_MANT_DIG >= 64, "the reference must be far more accurate than f64");

typedef long double wide;

static wide *matrix(int n)
{
    wide *X = calloc((size_t)n * (size_t)n + 1, sizeof *X);
    if (!X) {
        fprintf(stderr, "exact: out of memory for a matrix of order %d\n", n);
        exit(EXIT_FAILURE);
    }
    return X;
}

/* C = scale * (A B + C_factor * C); the loop order streams rows. */
static void multiply(int n, wide scale, const wide *A, const wide *B, wide C_factor, wide *C)
{
    for (int i = 0; i < n; i++) {
        wide *row = C + (size_t)i * (size_t)n;
        for (int j = 0; j < n; j++)
            row[j] = C_factor == 0 ? 0 : C_factor * row[j];
        for (int k = 0; k < n; k++) {
            wide a = A[(size_t)i * (size_t)n + (size_t)k];
            const wide *b = B + (size_t)k * (size_t)n;
            for (int j = 0; j < n; j++)
                row[j] += a * b[j];
        }
        for (int j = 0; j < n; j++)
            row[j] *= scale;
    }
}

static void swap(wide **X, wide **Y)
{
    wide *keep = *X;
    *X = *Y;
    *Y = keep;
}

static void add_identity(int n, wide *X)
{
    for (int i = 0; i < n; i++)
        X[(size_t)i * (size_t)(n + 1)] += 1;
}

static void skew_part(int n, const wide *Z, wide *D)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            D[(size_t)i * (size_t)n + (size_t)j] =
                (Z[(size_t)i * (size_t)n + (size_t)j] - Z[(size_t)j * (size_t)n + (size_t)i]) / 2;
}

double exact_rho(int n, const long double *A)
{
    if (n < 1)
        return 0;
    size_t size = (size_t)n * (size_t)n;
    double *X = malloc(size * sizeof *X), *values = malloc((size_t)n * sizeof *values), none[1];
    double largest = NAN, scale = 0;
    for (size_t i = 0; i < size; i++)
        scale = fmax(scale, fabs((double)A[i]));
    if (scale == 0 || !isfinite(scale)) {
        free(X);
        free(values);
        return scale == 0 ? 0 : NAN;
    }
    if (X && values) {
        for (size_t i = 0; i < size; i++)
            X[i] = (double)(A[i] / (wide)scale);
        if (LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', n, n, X, n, values, none, 1, none, 1) == 0)
            largest = values[0] * scale;
    }
    free(X);
    free(values);
    return largest;
}

/* With X = -A (the transpose) the upper right block of exp([[X, G], [0, X]]) is the gradient of <G, exp(A)>, and the diagonal
 * block is R^T. At norm 1/2, 20 terms leave 0.5^21 / 21! < 2^-85. */
void exact_exp(int n, double rho, const long double *A, const long double *G, long double *R, long double *D)
{
    enum { TERMS = 20 };
    int squarings = 0;
    if (rho > 0.5)
        squarings = (int)ceil(log2(rho / 0.5));
    size_t size = (size_t)n * (size_t)n;
    wide *X = matrix(n), *H = matrix(n), *T = matrix(n), *L = matrix(n), *T1 = matrix(n), *L1 = matrix(n);
    for (size_t i = 0; i < size; i++) {
        X[i] = ldexpl(-A[i], -squarings);
        H[i] = G ? ldexpl(G[i], -squarings) : 0;
    }
    add_identity(n, T);
    for (int k = TERMS; k >= 1; k--) { /* (T, L) <- (I + X T / k, (X L + H T) / k) */
        if (G) {
            multiply(n, 1, X, L, 0, L1);
            multiply(n, 1.0L / k, H, T, 1, L1);
            swap(&L, &L1);
        }
        multiply(n, 1.0L / k, X, T, 0, T1);
        add_identity(n, T1);
        swap(&T, &T1);
    }
    for (int s = 0; s < squarings; s++) { /* (T, L) <- (T T, T L + L T) */
        if (G) {
            multiply(n, 1, T, L, 0, L1);
            multiply(n, 1, L, T, 1, L1);
            swap(&L, &L1);
        }
        multiply(n, 1, T, T, 0, T1);
        swap(&T, &T1);
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            R[(size_t)i * (size_t)n + (size_t)j] = T[(size_t)j * (size_t)n + (size_t)i];
    if (D)
        skew_part(n, L, D);
    free(X);
    free(H);
    free(T);
    free(L);
    free(T1);
    free(L1);
}

/* M <- inverse of M, N <- scratch. Gauss-Jordan with row pivoting. */
static void invert(int n, wide *M, wide *N)
{
    memset(N, 0, (size_t)n * (size_t)n * sizeof *N);
    add_identity(n, N);
    for (int c = 0; c < n; c++) {
        int pivot = c;
        for (int r = c + 1; r < n; r++)
            if (fabsl(M[(size_t)r * (size_t)n + (size_t)c]) > fabsl(M[(size_t)pivot * (size_t)n + (size_t)c]))
                pivot = r;
        for (int j = 0; j < n; j++) {
            size_t p = (size_t)pivot * (size_t)n + (size_t)j, q = (size_t)c * (size_t)n + (size_t)j;
            wide m = M[p], k = N[p];
            M[p] = M[q], N[p] = N[q];
            M[q] = m, N[q] = k;
        }
        wide factor = 1 / M[(size_t)c * (size_t)(n + 1)];
        for (int j = 0; j < n; j++) {
            M[(size_t)c * (size_t)n + (size_t)j] *= factor;
            N[(size_t)c * (size_t)n + (size_t)j] *= factor;
        }
        for (int r = 0; r < n; r++) {
            wide f = r == c ? 0 : M[(size_t)r * (size_t)n + (size_t)c];
            for (int j = 0; j < n && f != 0; j++) {
                M[(size_t)r * (size_t)n + (size_t)j] -= f * M[(size_t)c * (size_t)n + (size_t)j];
                N[(size_t)r * (size_t)n + (size_t)j] -= f * N[(size_t)c * (size_t)n + (size_t)j];
            }
        }
    }
    memcpy(M, N, (size_t)n * (size_t)n * sizeof *M);
}

/* With N = (I + A/2)^-1: R = N^T (I + A/2), and the gradient of <G, R> is N G N. */
void exact_cayley(int n, const long double *A, const long double *G, long double *R, long double *D)
{
    size_t size = (size_t)n * (size_t)n;
    wide *N = matrix(n), *P = matrix(n), *T = matrix(n);
    for (size_t i = 0; i < size; i++)
        N[i] = P[i] = A[i] / 2;
    add_identity(n, N);
    add_identity(n, P);
    invert(n, N, T);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            T[(size_t)i * (size_t)n + (size_t)j] = N[(size_t)j * (size_t)n + (size_t)i];
    multiply(n, 1, T, P, 0, R);
    if (D) {
        multiply(n, 1, N, G, 0, P);
        multiply(n, 1, P, N, 0, T);
        skew_part(n, T, D);
    }
    free(N);
    free(P);
    free(T);
}

double exact_distance(int n, const long double *X, const long double *Y)
{
    wide sum = 0;
    for (size_t i = 0; i < (size_t)n * (size_t)n; i++) {
        wide d = Y ? X[i] - Y[i] : X[i];
        sum += d * d;
    }
    return n > 0 ? (double)sqrtl(sum / n) : 0;
}

double exact_defect(int n, const long double *R)
{
    wide *T = matrix(n), *P = matrix(n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            T[(size_t)i * (size_t)n + (size_t)j] = R[(size_t)j * (size_t)n + (size_t)i];
    multiply(n, 1, T, R, 0, P);
    for (int i = 0; i < n; i++)
        P[(size_t)i * (size_t)(n + 1)] -= 1;
    double defect = exact_distance(n, P, NULL);
    free(T);
    free(P);
    return defect;
}
