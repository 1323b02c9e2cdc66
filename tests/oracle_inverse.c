/* oracle_inverse.c: see oracle_inverse.h.
 * SPDX-License-Identifier: MIT */
#include "oracle_inverse.h"
#include "oracle_dd.h"
#include <check.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const int inverse_orders[] = {1, 2, 3, 4, 5, 8, 9, 16, 17, 33, 64, 65, 128};

int inverse_order_count(void)
{
    return sizeof inverse_orders / sizeof *inverse_orders - (test_short() ? 3 : 0);
}

/* ---- Calls ---- */

enum { LOG, LOG_VJP, CAYLEY_INVERSE, CAYLEY_INVERSE_VJP };

static so_status call32(int map, so_ctx *ctx, int n, int64_t batch, const double *in[3], double *out)
{
    size_t count = n > 0 && batch > 0 ? (size_t)n * (size_t)n * (size_t)batch : 0;
    float *copy[4], *result = NULL;
    for (int k = 0; k < 4; k++) {
        const double *from = k < 3 ? in[k] : out;
        copy[k] = malloc((count + 1) * sizeof *copy[k]);
        for (size_t i = 0; i < count && from; i++)
            copy[k][i] = (float)from[i];
    }
    for (int k = 3; k >= 0; k--)
        if (k == 3 || in[k] == out)
            result = copy[k];
    so_status status = map == LOG              ? so_log_f32(ctx, n, batch, copy[0], result)
                       : map == LOG_VJP        ? so_log_vjp_f32(ctx, n, batch, copy[0], copy[1], copy[2], result)
                       : map == CAYLEY_INVERSE ? so_cayley_inverse_f32(ctx, n, batch, copy[0], result)
                                               : so_cayley_inverse_vjp_f32(ctx, n, batch, copy[0], copy[1], result);
    for (size_t i = 0; i < count; i++)
        out[i] = (double)result[i];
    for (int k = 0; k < 4; k++)
        free(copy[k]);
    return status;
}

so_status call_log(int bits, so_ctx *ctx, int n, int64_t batch, const double *R, double *A)
{
    return bits == F64 ? so_log_f64(ctx, n, batch, R, A) : call32(LOG, ctx, n, batch, (const double *[3]){R}, A);
}

so_status call_log_vjp(int bits, so_ctx *ctx, int n, int64_t batch, const double *R, const double *A, const double *dA,
                       double *dR)
{
    return bits == F64 ? so_log_vjp_f64(ctx, n, batch, R, A, dA, dR)
                       : call32(LOG_VJP, ctx, n, batch, (const double *[3]){R, A, dA}, dR);
}

so_status call_cayley_inverse(int bits, so_ctx *ctx, int n, int64_t batch, const double *R, double *A)
{
    return bits == F64 ? so_cayley_inverse_f64(ctx, n, batch, R, A)
                       : call32(CAYLEY_INVERSE, ctx, n, batch, (const double *[3]){R}, A);
}

so_status call_cayley_inverse_vjp(int bits, so_ctx *ctx, int n, int64_t batch, const double *A, const double *dA, double *dR)
{
    return bits == F64 ? so_cayley_inverse_vjp_f64(ctx, n, batch, A, dA, dR)
                       : call32(CAYLEY_INVERSE_VJP, ctx, n, batch, (const double *[3]){A, dA}, dR);
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

/* ---- Batches ---- */

enum { BATCH = 11, WITH_NAN = 2, REFLECTION = 5, FAR = 8 };

static void bad_matrix(int n, const double *X, int which)
{
    for (int i = 0; i < n * n; i++)
        ck_assert_msg(isnan(X[i]), "n %d: matrix %d is not NaN", n, which);
}

void inverse_batches(int bits, inverse_call *call)
{
    so_ctx *ctx[3];
    for (int t = 0; t < 3; t++)
        ck_assert_int_eq(so_ctx_create_cpu(&ctx[t], t + 1), SO_OK);
    for (int o = 0; o < inverse_order_count(); o++) {
        int n = inverse_orders[o];
        size_t size = (size_t)(n * n), bytes = size * sizeof(double);
        double *R = malloc(BATCH * bytes), *A = malloc(BATCH * bytes), *B = malloc(BATCH * bytes), *theta = malloc(bytes);
        oracle_pair pair = oracle_new(n);
        random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 5000, (uint64_t)n);
        for (int b = 0; b < BATCH; b++) {
            make_angles(b % 2 ? ANGLES_SPREAD : ANGLES_SMALL, bits, 0, n, &r, theta);
            make_skew_of_angles(n, theta, &r, A);
            oracle_exp(n, A, NULL, &pair, NULL);
            for (size_t i = 0; i < size; i++)
                R[(size_t)b * size + i] = call_round(bits, pair.hi[i]);
        }
        ck_assert_int_eq(call(bits, ctx[0], n, BATCH, R, A), SO_OK);
        for (int t = 1; t < 3; t++) {
            ck_assert_int_eq(call(bits, ctx[t], n, BATCH, R, B), SO_OK);
            ck_assert_mem_eq(A, B, BATCH * bytes);
        }
        size_t held = so_workspace_bytes(ctx[2]);
        void *memory = aligned_alloc(64, held);
        ck_assert_int_eq(so_ctx_set_workspace(ctx[2], memory, held - 1), SO_OK);
        ck_assert_int_eq(call(bits, ctx[2], n, BATCH, R, B), SO_EWORKSPACE);
        ck_assert_mem_eq(A, B, BATCH * bytes);
        ck_assert_int_eq(so_ctx_set_workspace(ctx[2], memory, held), SO_OK);
        ck_assert_int_eq(call(bits, ctx[2], n, BATCH, R, B), SO_OK);
        ck_assert_mem_eq(A, B, BATCH * bytes);
        ck_assert_int_eq(so_ctx_set_workspace(ctx[2], NULL, 0), SO_OK);
        free(memory);
        for (size_t b = 0; b < BATCH; b++) { /* alone, in place */
            memcpy(B, R + b * size, bytes);
            ck_assert_int_eq(call(bits, ctx[0], n, 1, B, B), SO_OK);
            ck_assert_mem_eq(A + b * size, B, bytes);
        }
        for (size_t i = 0; i < size; i++)
            R[FAR * size + i] *= 1.5;
        ck_assert_int_eq(call(bits, ctx[1], n, BATCH, R, B), SO_ESINGULAR);
        bad_matrix(n, B + FAR * size, FAR);
        for (int i = 0; i < n; i++)
            R[REFLECTION * size + (size_t)i] *= -1;
        ck_assert_int_eq(call(bits, ctx[1], n, BATCH, R, B), SO_EREFLECTION);
        bad_matrix(n, B + REFLECTION * size, REFLECTION);
        R[WITH_NAN * size + size - 1] = n % 2 ? (double)INFINITY : (double)NAN;
        ck_assert_int_eq(call(bits, ctx[1], n, BATCH, R, B), SO_ENONFINITE);
        for (size_t b = 0; b < BATCH; b++)
            if (b == WITH_NAN || b == REFLECTION || b == FAR)
                bad_matrix(n, B + b * size, (int)b);
            else
                ck_assert_mem_eq(A + b * size, B + b * size, bytes);
        free(R), free(A), free(B), free(theta), oracle_free(&pair);
    }
    ck_assert_int_eq(call(bits, ctx[0], 0, 5, NULL, NULL), SO_OK);
    ck_assert_int_eq(call(bits, ctx[0], 5, 0, NULL, NULL), SO_OK);
    double x = 1;
    ck_assert_int_eq(call(F64, ctx[0], 1, 1, NULL, &x), SO_ENULL);
    ck_assert_str_eq(so_ctx_argument(ctx[0]), "R");
    ck_assert_int_eq(call(F64, ctx[0], 1, 1, &x, NULL), SO_ENULL);
    ck_assert_str_eq(so_ctx_argument(ctx[0]), "A");
    ck_assert_int_eq(call(F64, ctx[0], -1, 1, &x, &x), SO_ESIZE);
    ck_assert_int_eq(call(F64, ctx[0], 1, -1, &x, &x), SO_ESIZE);
    ck_assert_int_eq(call(F64, NULL, 1, 1, &x, &x), SO_ENULL);
    for (int t = 0; t < 3; t++)
        so_ctx_destroy(ctx[t]);
}
