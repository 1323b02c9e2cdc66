/* oracle_inverse.c: see oracle_inverse.h.
 * SPDX-License-Identifier: MIT */
#include "oracle_inverse.h"
#include "oracle_dd.h"
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

const int inverse_orders[] = {1, 2, 3, 4, 5, 8, 9, 16, 17, 33, 64, 65, 128};

int inverse_order_count(void)
{
    return sizeof inverse_orders / sizeof *inverse_orders - (test_short() ? 3 : 0);
}

/* ---- Matrices ---- */

static int descending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a < b) - (a > b);
}

void make_angles(angle_case c, int bits, double gap, int n, random_sequence *r, double *theta)
{
    for (int k = 0; k < n / 2; k++) {
        double x = uniform53(r), near = M_PI - gap;
        switch (c) {
        case ANGLES_ZERO:
            theta[k] = 0;
            break;
        case ANGLES_TINY:
            theta[k] = x * (bits == F32 ? 1e-25 : 1e-250);
            break;
        case ANGLES_GRADED:
            theta[k] = pow(10, -16.0 * k / n);
            break;
        case ANGLES_SMALL:
            theta[k] = 0.6 * x;
            break;
        case ANGLES_SPREAD:
            theta[k] = 3 * x;
            break;
        case ANGLES_EQUAL:
            theta[k] = 2;
            break;
        case ANGLES_SAME_SINE:
            theta[k] = k % 2 ? 0.3 : M_PI - 0.3 + gap * x;
            break;
        case ANGLES_QUARTER:
            theta[k] = M_PI / 2 + gap * (2 * x - 1);
            break;
        case ANGLES_THRESHOLD:
            theta[k] = asin(0.7) * (1 + 1e-3 * (x - 0.5));
            break;
        case ANGLES_ONE_NEAR_PI:
            theta[k] = k ? 2 * x : near;
            break;
        case ANGLES_TWO_NEAR_PI:
            theta[k] = k > 1 ? 2 * x : near;
            break;
        case ANGLES_ALL_NEAR_PI:
        case ANGLE_CASES:
            theta[k] = M_PI - gap * (1 + x);
            break;
        }
    }
    qsort(theta, (size_t)(n / 2), sizeof *theta, descending);
}

void make_skew_of_angles(int n, const double *theta, random_sequence *r, double *A)
{
    double *Q = malloc((size_t)(n * n) * sizeof *Q), *tau = malloc((size_t)n * sizeof *tau);
    for (int i = 0; i < n * n; i++)
        Q[i] = normal53(r);
    LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, n, n, Q, n, tau);
    LAPACKE_dorgqr(LAPACK_ROW_MAJOR, n, n, n, Q, n, tau);
    for (int i = 0; i < n; i++)
        for (int j = i; j < n; j++) {
            double sum = 0;
            for (int k = 0; k < n / 2 && j > i; k++)
                sum += theta[k] * (Q[i * n + 2 * k + 1] * Q[j * n + 2 * k] - Q[i * n + 2 * k] * Q[j * n + 2 * k + 1]);
            A[i * n + j] = sum, A[j * n + i] = -sum;
        }
    free(Q), free(tau);
}

void oracle_polar(int n, oracle_pair X)
{
    oracle_pair T = oracle_new(n), D = oracle_new(n);
    for (int step = 0; step < 6; step++) { /* X <- X - X (X^T X - I)/2, to 2^-64 or so from a defect below 1/8 */
        dd_transpose(n, T, X);
        dd_multiply(n, D, T, X);
        dd_add_identity(n, D, -1);
        dd_multiply(n, T, X, D);
        dd_add(n, X, T, -0.5);
    }
    oracle_free(&T), oracle_free(&D);
}

double pair_distance(int n, oracle_pair X, oracle_pair Y)
{
    double sum = 0;
    for (int i = 0; i < n * n; i++) {
        double d = (X.hi[i] - Y.hi[i]) + (X.lo[i] - Y.lo[i]);
        sum += d * d;
    }
    return sqrt(sum / n);
}

void skew_part_of(int n, const double *X, double *Y)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            Y[i * n + j] = (X[i * n + j] - X[j * n + i]) / 2;
}

double inner_product(int n, const double *X, oracle_pair Y)
{
    long double sum = 0;
    for (int i = 0; i < n * n; i++)
        sum += (long double)X[i] * ((long double)Y.hi[i] + (long double)Y.lo[i]);
    return (double)sum;
}

void perturb_and_round(int bits, int n, oracle_pair R0, double defect, random_sequence *r, double *R)
{
    double *S = malloc((size_t)(n * n) * sizeof *S);
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            S[i * n + j] = S[j * n + i] = defect * (2 * uniform53(r) - 1) / n;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double sum = R0.lo[i * n + j];
            for (int k = 0; k < n; k++)
                sum += R0.hi[i * n + k] * S[k * n + j];
            R[i * n + j] = call_round(bits, R0.hi[i * n + j] + sum);
        }
    free(S);
}

void make_direction(int n, random_sequence *r, double *E)
{
    make_skew(F64, n, DENSE, 1, r, E);
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            E[i * n + j] = i == j ? 0 : -E[j * n + i];
}
