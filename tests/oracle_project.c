/* oracle_project.c: see oracle_project.h.
 * SPDX-License-Identifier: MIT */
#include "oracle_project.h"
#include "oracle_dd.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 6 };

/* C = op(A) op(B), transposed where the flags say so. */
static void multiply(int n, int ta, const double *A, int tb, const double *B, double *C)
{
    memset(C, 0, (size_t)(n * n) * sizeof *C);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++) {
            double a = ta ? A[k * n + i] : A[i * n + k];
            for (int j = 0; j < n; j++)
                C[i * n + j] += a * (tb ? B[j * n + k] : B[k * n + j]);
        }
}

/* Y with Y H + H Y = K, as well as V and s are known. */
static void solve(int n, oracle_axes axes, const double *K, double *Y)
{
    double *T = malloc((size_t)(n * n) * sizeof *T);
    multiply(n, 0, K, 0, axes.V, T);
    multiply(n, 1, axes.V, 0, T, Y);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            Y[i * n + j] = i == j ? 0 : Y[i * n + j] / (axes.s[i] + axes.s[j]);
    multiply(n, 0, axes.V, 0, Y, T);
    multiply(n, 0, T, 1, axes.V, Y);
    free(T);
}

static double largest(int n, const double *X)
{
    double size = 0;
    for (int i = 0; i < n * n; i++)
        size = fmax(size, fabs(X[i]));
    return size;
}

/* H = R^T X and K = H - H^T. */
static void symmetric_factor(int n, oracle_pair R, oracle_pair X, oracle_pair T, oracle_pair H, oracle_pair K)
{
    dd_transpose(n, T, R);
    dd_multiply(n, H, T, X);
    dd_transpose(n, T, H);
    dd_copy(n, K, H);
    dd_add(n, K, T, -1);
}

void oracle_project(int n, oracle_axes axes, oracle_pair X, oracle_pair R)
{
    oracle_pair T = oracle_new(n), H = oracle_new(n), K = oracle_new(n), turn = oracle_new(n);
    double size = largest(n, X.hi);
    for (int round = 0; round < ROUNDS; round++) { /* R <- the orthogonal matrix nearest to R (I + turn) */
        symmetric_factor(n, R, X, T, H, K);
        if (round > 0 && largest(n, K.hi) <= 1e-27 * n * size)
            break;
        solve(n, axes, K.hi, turn.hi);
        dd_multiply(n, T, R, turn);
        dd_add(n, R, T, 1);
        dd_transpose(n, T, R);
        dd_multiply(n, H, T, R);
        dd_add_identity(n, H, -1);
        dd_multiply(n, T, R, H);
        dd_add(n, R, T, -0.5);
    }
    symmetric_factor(n, R, X, T, H, K);
    ck_assert_double_le(largest(n, K.hi), 1e-26 * n * size);
    oracle_free(&T), oracle_free(&H), oracle_free(&K), oracle_free(&turn);
}

void oracle_project_vjp(int n, oracle_axes axes, oracle_pair X, oracle_pair R, const double *dR, oracle_pair dX)
{
    oracle_pair T = oracle_new(n), H = oracle_new(n), K = oracle_new(n), left = oracle_new(n), Y = oracle_new(n),
                step = oracle_new(n), G = oracle_new(n);
    memcpy(G.hi, dR, (size_t)(n * n) * sizeof *dR);
    symmetric_factor(n, R, G, T, H, K);
    symmetric_factor(n, R, X, T, H, left);
    double size = largest(n, K.hi);
    for (int round = 0; round < ROUNDS; round++) { /* left = K - Y H - H Y = K - Y H + (Y H)^T */
        dd_copy(n, left, K);
        dd_multiply(n, T, Y, H);
        dd_add(n, left, T, -1);
        dd_transpose(n, step, T);
        dd_add(n, left, step, 1);
        memset(step.lo, 0, (size_t)(n * n) * sizeof *step.lo);
        if (round > 0 && largest(n, left.hi) <= 1e-25 * n * size)
            break;
        solve(n, axes, left.hi, step.hi);
        dd_add(n, Y, step, 1);
    }
    ck_assert_double_le(largest(n, left.hi), 1e-24 * n * size);
    dd_multiply(n, dX, R, Y);
    oracle_free(&T), oracle_free(&H), oracle_free(&K), oracle_free(&left), oracle_free(&Y), oracle_free(&step), oracle_free(&G);
}
