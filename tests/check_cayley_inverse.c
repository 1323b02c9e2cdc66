/* check_cayley_inverse.c: so_cayley_inverse and its vjp against the Cayley map in double-double arithmetic, within the bounds
 * of so.h. SPDX-License-Identifier: MIT */
#include "oracle_dd.h"
#include "oracle_inverse.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int types[] = {F64, F32};
#define U64 0x1p-53

typedef struct ratios {
    double value, gradient, adjoint;
} ratios;

static void note(double *highest, double error, double bound, const char *what, int bits, int n, int c, double gap)
{
    if (bound > 0)
        *highest = fmax(*highest, error / bound);
    ck_assert_msg(error <= bound, "%s %s n %d angle case %d gap %g: error %g > %g", what, call_type(bits), n, c, gap, error,
                  bound);
}

/* A0 with angles 2 tan(theta/2); R = its Cayley map times I + a symmetric matrix of size `defect`, rounded. */
static void make_input(int bits, int n, angle_case c, double gap, double defect, random_sequence *r, double *A0, double *R,
                       double *tau)
{
    double *theta = calloc((size_t)n, sizeof *theta), *S = malloc((size_t)(n * n) * sizeof *S);
    oracle_pair R0 = oracle_new(n);
    make_angles(c, bits, gap, n, r, theta);
    for (int k = 0; k < n / 2; k++)
        theta[k] = 2 * tan(theta[k] / 2);
    *tau = theta[0];
    make_skew_of_angles(n, theta, r, A0);
    oracle_cayley(n, A0, NULL, &R0, NULL);
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
    free(theta), free(S), oracle_free(&R0);
}

/* A = A0 but for the rounding of R: up to u, relative to the skew part where that is small, times (1 + tau^2/4). */
static void check_value(int bits, int n, const double *A0, const double *A, double tau, int c, double gap, ratios *highest)
{
    double u = call_u(bits), error = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            ck_assert(A[i * n + j] == -A[j * n + i]);
            error = hypot(error, A[i * n + j] - A0[i * n + j]);
        }
    double rounding = 2 * u * fmin(1, tau) * (1 + tau * tau / 4), bound = (10 * U64 * (1 + tau / 4) + u) * tau + rounding;
    if (bound < 0.1 * fmax(1, tau))
        note(&highest->value, error / sqrt(n), bound, "A - A0", bits, n, c, gap);
}

/* The derivative of the Cayley map at A takes dR back to skew(dA), and <dR, D cayley(A)[E]> = <dA, E> for skew E. */
static void check_gradient(int bits, so_ctx *ctx, int n, const double *A, double tau, random_sequence *r, int c, double gap,
                           ratios *highest)
{
    size_t size = (size_t)(n * n);
    double *dA = malloc(size * sizeof *dA), *dR = malloc(size * sizeof *dR), *G = malloc(size * sizeof *G),
           *E = malloc(size * sizeof *E), bound = (10 * U64 + call_u(bits)) * (1 + tau * tau / 4);
    oracle_pair Z = oracle_new(n), L = oracle_new(n);
    make_dense(bits, n, ldexp(1, (int)random_below(r, 60) - 30), r, dA);
    skew_part_of(n, dA, G);
    double norm = frobenius(n, dA), wanted = 0;
    ck_assert_int_eq(call_cayley_inverse_vjp(bits, ctx, n, 1, A, dA, dR), SO_OK);
    oracle_vjp(1, n, A, dR, &Z);
    note(&highest->gradient, distance(n, G, Z), bound * norm, "vjp of cayley of dR - dA", bits, n, c, gap);

    memcpy(Z.hi, A, size * sizeof *A), memset(Z.lo, 0, size * sizeof *A); /* the formula of so.h itself */
    oracle_pair P = oracle_new(n), T = oracle_new(n);
    dd_scale(n, Z, 0.5), dd_add_identity(n, Z, 1);
    memcpy(P.hi, G, size * sizeof *G);
    dd_multiply(n, T, Z, P), dd_multiply(n, P, T, Z);
    note(&highest->gradient, distance(n, dR, P), bound * norm, "dR", bits, n, c, gap);

    make_skew(F64, n, DENSE, 1, r, E);
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            E[i * n + j] = i == j ? 0 : -E[j * n + i];
    oracle_cayley(n, A, E, NULL, &L);
    for (size_t i = 0; i < size; i++)
        wanted += G[i] * E[i];
    note(&highest->adjoint, fabs(inner_product(n, dR, L) - wanted), (bound * n + 10 * n * U64) * norm * frobenius(n, E),
         "adjoint identity", bits, n, c, gap);
    free(dA), free(dR), free(G), free(E);
    oracle_free(&Z), oracle_free(&L), oracle_free(&P), oracle_free(&T);
}

static void check_input(int bits, so_ctx *ctx, int n, angle_case c, double gap, double defect, ratios *highest)
{
    random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 5500 + (uint64_t)c, (uint64_t)n);
    double *A0 = malloc((size_t)(n * n) * sizeof *A0), *R = malloc((size_t)(n * n) * sizeof *R),
           *A = malloc((size_t)(n * n) * sizeof *A), tau;
    make_input(bits, n, c, gap, defect, &r, A0, R, &tau);
    so_status status = call_cayley_inverse(bits, ctx, n, 1, R, A);
    ck_assert_msg(status == SO_OK, "%s n %d angle case %d gap %g: status %d", call_type(bits), n, (int)c, gap, (int)status);
    check_value(bits, n, A0, A, tau, (int)c, gap, highest);
    if (tau < 1e6)
        check_gradient(bits, ctx, n, A, tau, &r, (int)c, gap, highest);
    free(A0), free(R), free(A);
}

START_TEST(angles)
{
    static const double defect[] = {0.05, 1e-3, 1e-8, 1e-14};
    int bits = types[_i];
    so_ctx *ctx;
    ratios highest = {0};
    ck_assert_int_eq(so_ctx_create_cpu(&ctx, 1), SO_OK);
    for (int o = 0; o < inverse_order_count(); o++)
        for (int c = 0; c <= ANGLES_THRESHOLD; c++)
            check_input(bits, ctx, inverse_orders[o], (angle_case)c, 1e-5, 0, &highest);
    for (int o = 0; o < inverse_order_count() - 1; o++) {
        for (int d = 0; d < 4; d++)
            check_input(bits, ctx, inverse_orders[o], ANGLES_SPREAD, 0, defect[d], &highest);
        for (int c = ANGLES_ONE_NEAR_PI; c < ANGLE_CASES; c++)
            for (int k = 1; k <= (bits == F32 ? 5 : 10); k++)
                check_input(bits, ctx, inverse_orders[o], (angle_case)c, pow(10, -k), 0, &highest);
    }
    printf("check_cayley_inverse %s, worst error/bound: value %.2f, gradient %.2f, adjoint %.2f\n", call_type(bits),
           highest.value, highest.gradient, highest.adjoint);
    so_ctx_destroy(ctx);
}
END_TEST

/* An eigenvalue -1 in every bit. */
START_TEST(no_inverse)
{
    int bits = types[_i];
    so_ctx *ctx;
    ck_assert_int_eq(so_ctx_create_cpu(&ctx, 1), SO_OK);
    for (int n = 2; n <= 17; n++)
        for (int negative = 2; negative <= n; negative += 2) {
            double *R = calloc((size_t)(n * n), sizeof *R);
            for (int i = 0; i < n; i++)
                R[i * n + i] = i < negative ? -1 : 1;
            ck_assert_int_eq(call_cayley_inverse(bits, ctx, n, 1, R, R), SO_ESINGULAR);
            for (int i = 0; i < n * n; i++)
                ck_assert(isnan(R[i]));
            free(R);
        }
    so_ctx_destroy(ctx);
}
END_TEST

START_TEST(next_to_identity)
{
    int bits = types[_i];
    so_ctx *ctx;
    ck_assert_int_eq(so_ctx_create_cpu(&ctx, 1), SO_OK);
    for (int o = 0; o < inverse_order_count(); o++) {
        int n = inverse_orders[o];
        double *A0 = malloc((size_t)(n * n) * sizeof *A0), *R = malloc((size_t)(n * n) * sizeof *R), error = 0, norm = 0;
        random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 5600, (uint64_t)n);
        make_skew(bits, n, DENSE, bits == F32 ? 1e-15 : 1e-100, &r, A0);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                R[i * n + j] = i == j ? 1 : i < j ? A0[i * n + j] : -A0[j * n + i];
        ck_assert_int_eq(call_cayley_inverse(bits, ctx, n, 1, R, R), SO_OK);
        for (int i = 0; i < n; i++)
            for (int j = i + 1; j < n; j++)
                error = hypot(error, R[i * n + j] - A0[i * n + j]), norm = hypot(norm, A0[i * n + j]);
        ck_assert_msg(error <= (10 * U64 + call_u(bits)) * norm, "%s n %d: %g of %g", call_type(bits), n, error, norm);
        for (int i = 0; i < n * n; i++)
            R[i] = i % (n + 1) == 0;
        ck_assert_int_eq(call_cayley_inverse(bits, ctx, n, 1, R, R), SO_OK);
        for (int i = 0; i < n * n; i++)
            ck_assert(R[i] == 0);
        free(A0), free(R);
    }
    so_ctx_destroy(ctx);
}
END_TEST

/* Only the upper triangle of A counts, dR may be A or dA, a bad matrix is alone, arguments are checked. */
START_TEST(gradient_contract)
{
    enum { N = 5, SIZE = N * N };
    int bits = types[_i];
    so_ctx *ctx;
    double A[2 * SIZE], dA[2 * SIZE], dR[2 * SIZE], again[2 * SIZE], in[2][2 * SIZE], x = 1;
    ck_assert_int_eq(so_ctx_create_cpu(&ctx, 2), SO_OK);
    random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 5700, 0);
    make_skew(bits, N, DENSE, 2, &r, A), make_skew(bits, N, DENSE, 1, &r, A + SIZE);
    make_dense(bits, N, 1, &r, dA), make_dense(bits, N, 1, &r, dA + SIZE);
    ck_assert_int_eq(call_cayley_inverse_vjp(bits, ctx, N, 2, A, dA, dR), SO_OK);
    for (int i = 0; i < 2 * SIZE; i++)
        ck_assert(isfinite(dR[i]));
    for (int place = 0; place < 2; place++) {
        memcpy(in[0], A, sizeof A), memcpy(in[1], dA, sizeof dA);
        ck_assert_int_eq(call_cayley_inverse_vjp(bits, ctx, N, 2, in[0], in[1], in[place]), SO_OK);
        ck_assert_mem_eq(in[place], dR, sizeof dR);
        memcpy(in[0], A, sizeof A), memcpy(in[1], dA, sizeof dA);
        in[place][1] = INFINITY;
        ck_assert_int_eq(call_cayley_inverse_vjp(bits, ctx, N, 2, in[0], in[1], again), SO_ENONFINITE);
        ck_assert(isnan(again[0]) && isnan(again[SIZE - 1]));
        ck_assert_mem_eq(again + SIZE, dR + SIZE, sizeof dR / 2);
    }
    ck_assert_int_eq(so_cayley_inverse_vjp_f64(ctx, 1, 1, NULL, &x, &x), SO_ENULL);
    ck_assert_str_eq(so_ctx_argument(ctx), "A");
    ck_assert_int_eq(so_cayley_inverse_vjp_f64(ctx, 1, 1, &x, NULL, &x), SO_ENULL);
    ck_assert_str_eq(so_ctx_argument(ctx), "dA");
    ck_assert_int_eq(so_cayley_inverse_vjp_f64(ctx, 1, 1, &x, &x, NULL), SO_ENULL);
    ck_assert_str_eq(so_ctx_argument(ctx), "dR");
    so_ctx_destroy(ctx);
}
END_TEST

START_TEST(batches)
{
    inverse_batches(types[_i], call_cayley_inverse);
}
END_TEST

Suite *check_cayley_inverse(void)
{
    Suite *suite = suite_create("cayley_inverse");
    TCase *tests = tcase_create("inverse Cayley map and its derivative");
    tcase_set_timeout(tests, 240);
    tcase_add_loop_test(tests, angles, 0, 2);
    tcase_add_loop_test(tests, no_inverse, 0, 2);
    tcase_add_loop_test(tests, next_to_identity, 0, 2);
    tcase_add_loop_test(tests, gradient_contract, 0, 2);
    tcase_add_loop_test(tests, batches, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
