/* check_logarithm.c: so_log and its vjp against the exponential in double-double arithmetic, within the bounds of so.h.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "inverse_contract.h"
#include "oracle_campaign.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int types[] = {F64, F32};
#define U64 0x1p-53

/* One input: A0 with the given angles and R = its exponential, times I + a symmetric matrix of size `defect`, rounded. */
typedef struct input {
    int n;
    double rho, kappa, *theta, *A0, *R;
    oracle_pair Q; /* the rotation nearest to R */
} input;

static input new_input(int bits, int n, angle_case c, double gap, double defect, random_sequence *r)
{
    size_t size = (size_t)(n * n);
    input x = {.n = n, .theta = calloc((size_t)n + 2, sizeof(double)), .Q = oracle_new(n)};
    x.A0 = malloc(size * sizeof(double)), x.R = malloc(size * sizeof(double));
    make_angles(c, bits, gap, n, r, x.theta);
    make_skew_of_angles(n, x.theta, r, x.A0);
    double sigma = n > 2 ? (x.theta[0] + (n > 3 ? x.theta[1] : 0)) / 2 : 0;
    x.rho = x.theta[0];
    x.kappa = M_PI / (M_PI - sigma);
    oracle_pair R0 = oracle_new(n);
    oracle_exp(n, x.A0, NULL, &R0, NULL);
    perturb_and_round(bits, n, R0, defect, r, x.R);
    memcpy(x.Q.hi, x.R, size * sizeof *x.R);
    oracle_polar(n, x.Q);
    oracle_free(&R0);
    return x;
}

static void free_input(input *x)
{
    free(x->theta), free(x->A0), free(x->R), oracle_free(&x->Q);
}

typedef struct ratios {
    double forward, backward, gradient, adjoint;
} ratios;

/* A = log R: skew, exp(A) = Q and, where the bound says something, A = A0. */
static void check_value(int bits, const input *x, const double *A, int c, double gap, ratios *highest)
{
    int n = x->n;
    double u = call_u(bits), error = 0;
    oracle_pair back = oracle_new(n);
    oracle_exp(n, A, NULL, &back, NULL);
    inverse_note(&highest->backward, pair_distance(n, back, x->Q), (10 * U64 + u) * x->rho, "exp(log R) - Q", bits, n, c, gap);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            ck_assert(A[i * n + j] == -A[j * n + i]);
            error = hypot(error, A[i * n + j] - x->A0[i * n + j]);
        }
    /* R0 was rounded to R: relative to the skew part where that is small. Close to pi rounding may turn A into -A. */
    double rounding = 2 * u * fmin(1, x->rho) * x->kappa, bound = (10 * U64 * x->kappa + u) * x->rho + rounding;
    if (bound < 0.1 && M_PI - x->rho > 1000 * u)
        inverse_note(&highest->forward, error / sqrt(n), bound, "log R - A0", bits, n, c, gap);
    oracle_free(&back);
}

/* phi(ad_A)(skew(exp(A)^T dR)) = skew(dA), R^T dR is skew, and <dR, D exp(A)[E]> = <dA, E> for skew E. */
static void check_gradient(int bits, so_ctx *ctx, const input *x, const double *A, int c, double gap, random_sequence *r,
                           ratios *highest)
{
    int n = x->n;
    size_t size = (size_t)(n * n);
    double *dA = malloc(size * sizeof *dA), *dR = malloc(size * sizeof *dR), *G = malloc(size * sizeof *G),
           *E = malloc(size * sizeof *E), u = call_u(bits);
    double bound = (50 * U64 * x->kappa + u) * x->kappa + 2 * u * x->kappa; /* what R differs from exp(A) by */
    if (bound < 0.1) {
        oracle_pair Z = oracle_new(n), L = oracle_new(n);
        make_dense(bits, n, ldexp(1, (int)random_below(r, 60) - 30), r, dA);
        skew_part_of(n, dA, G);
        double norm = frobenius(n, dA), symmetric = 0;
        ck_assert_int_eq(call_log_vjp(bits, ctx, n, 1, x->R, A, dA, dR), SO_OK);
        oracle_vjp(0, n, A, dR, &Z);
        inverse_note(&highest->gradient, distance(n, G, Z), bound * norm, "vjp of exp of dR - dA", bits, n, c, gap);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int k = 0; k < n; k++)
                    sum += x->Q.hi[k * n + i] * dR[k * n + j] + dR[k * n + i] * x->Q.hi[k * n + j];
                symmetric = hypot(symmetric, sum);
            }
        inverse_note(&highest->gradient, symmetric / 2 / sqrt(n), (bound + 10 * U64 * x->kappa) * norm, "symmetric part of R^T dR",
             bits, n, c, gap);
        make_direction(n, r, E);
        oracle_exp(n, A, E, NULL, &L);
        double wanted = 0;
        for (size_t i = 0; i < size; i++)
            wanted += G[i] * E[i];
        inverse_note(&highest->adjoint, fabs(inner_product(n, dR, L) - wanted), (bound * n + 10 * n * U64) * norm * frobenius(n, E),
             "adjoint identity", bits, n, c, gap);
        oracle_free(&Z), oracle_free(&L);
    }
    free(dA), free(dR), free(G), free(E);
}

static void check_input(int bits, so_ctx *ctx, int n, angle_case c, double gap, double defect, ratios *highest,
                        int with_gradient)
{
    if (!campaign_wants_order(n))
        return;
    random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 5100 + (uint64_t)c, (uint64_t)n);
    input x = new_input(bits, n, c, gap, defect, &r);
    double *A = malloc((size_t)(n * n) * sizeof *A);
    so_status status = call_log(bits, ctx, n, 1, x.R, A);
    ck_assert_msg(status == SO_OK, "%s n %d angle case %d gap %g: status %d", call_type(bits), n, (int)c, gap, (int)status);
    check_value(bits, &x, A, (int)c, gap, highest);
    if (with_gradient)
        check_gradient(bits, ctx, &x, A, (int)c, gap, &r, highest);
    free(A), free_input(&x);
}

static void report(const char *what, int bits, const ratios *w)
{
    printf("check_logarithm %s %s, worst error/bound: value %.2f, exp(log R) %.2f, gradient %.2f, adjoint %.2f\n",
           call_type(bits), what, w->forward, w->backward, w->gradient, w->adjoint);
}

START_TEST(angles)
{
    static const double gaps[] = {1e-1, 1e-4, 1e-8, 1e-12, 0};
    int bits = types[_i];
    so_ctx *ctx;
    ratios highest = {0};
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    for (int o = 0; o < inverse_order_count(); o++)
        for (int c = 0; c <= ANGLES_QUARTER; c++)
            for (int g = 0; g < (c >= ANGLES_SAME_SINE ? 5 : 1); g++)
                check_input(bits, ctx, inverse_orders[o], (angle_case)c, gaps[g], 0, &highest, 1);
    for (int n = 2; n < 40; n++)
        check_input(bits, ctx, n, ANGLES_THRESHOLD, 0, 0, &highest, 1);
    report("angles", bits, &highest);
    so_ctx_destroy(ctx);
}
END_TEST

START_TEST(near_pi)
{
    int bits = types[_i];
    so_ctx *ctx;
    ratios highest = {0};
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    for (int o = 0; o < inverse_order_count(); o++)
        for (int c = ANGLES_ONE_NEAR_PI; c < ANGLE_CASES; c++)
            for (int k = 1; k <= 17; k += inverse_orders[o] > 65 ? 8 : inverse_orders[o] > 17 ? 4 : 1)
                check_input(bits, ctx, inverse_orders[o], (angle_case)c, k == 17 ? 0 : pow(10, -k), 0, &highest, k < 12);
    report("near pi", bits, &highest);
    so_ctx_destroy(ctx);
}
END_TEST

START_TEST(defects)
{
    static const double sizes[] = {0.05, 1e-3, 1e-6, 1e-9, 1e-12, 1e-15};
    int bits = types[_i];
    so_ctx *ctx;
    ratios highest = {0};
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    for (int o = 0; o < inverse_order_count() - 1; o++)
        for (int d = 0; d < 6; d++) {
            check_input(bits, ctx, inverse_orders[o], ANGLES_SPREAD, 0, sizes[d], &highest, 0);
            check_input(bits, ctx, inverse_orders[o], ANGLES_SMALL, 0, sizes[d], &highest, 0);
        }
    report("defects", bits, &highest);
    so_ctx_destroy(ctx);
}
END_TEST

/* Angles that are pi in every bit, on scattered places, and one of pi/2. */
START_TEST(exactly_pi)
{
    int bits = types[_i];
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    static const int orders[] = {2, 3, 4, 5, 6, 7, 8, 9, 17, 25, 33, 64, 65, 128};
    for (size_t o = 0; o < sizeof orders / sizeof *orders; o++)
        for (int n = orders[o], negative = 2; negative <= n; negative += n > 33 ? 62 : 2) {
            if (!campaign_wants_order(n))
                continue;
            size_t size = (size_t)(n * n);
            double *R = calloc(size, sizeof *R), *A = malloc(size * sizeof *A), *dR = malloc(size * sizeof *dR);
            oracle_pair back = oracle_new(n), exact = oracle_new(n);
            for (int i = 0; i < n; i++) /* negative ones on every other place first */
                R[i * n + i] = (i % 2 ? (n + 1) / 2 + i / 2 : i / 2) < negative ? -1 : 1;
            if (negative + 2 <= n) { /* and one angle pi/2, in the last two places that are positive */
                int p = -1, q = -1;
                for (int i = 0; i < n; i++)
                    if (R[i * n + i] > 0)
                        p = q, q = i;
                R[p * n + p] = R[q * n + q] = 0, R[p * n + q] = -1, R[q * n + p] = 1;
            }
            memcpy(exact.hi, R, size * sizeof *R);
            ck_assert_int_eq(call_log(bits, ctx, n, 1, R, A), SO_OK);
            oracle_exp(n, A, NULL, &back, NULL);
            ck_assert_double_le(pair_distance(n, back, exact), (10 * U64 + call_u(bits)) * M_PI);
            so_status status = call_log_vjp(bits, ctx, n, 1, R, A, R, dR);
            ck_assert_int_eq(status, negative > 2 ? SO_ESINGULAR : SO_OK);
            for (size_t i = 0; i < size; i++)
                ck_assert_int_eq(isnan(dR[i]) != 0, negative > 2);
            free(R), free(A), free(dR), oracle_free(&back), oracle_free(&exact);
        }
    so_ctx_destroy(ctx);
}
END_TEST

START_TEST(next_to_identity)
{
    inverse_next_to_identity(types[_i], &inverse_log);
}
END_TEST

START_TEST(gradient_contract)
{
    inverse_gradient_contract(types[_i], &inverse_log);
}
END_TEST

START_TEST(batches)
{
    inverse_batches(types[_i], &inverse_log);
}
END_TEST

Suite *check_logarithm(void)
{
    Suite *suite = suite_create("logarithm");
    TCase *tests = tcase_create("logarithm and its derivative");
    tcase_set_timeout(tests, 240);
    tcase_add_loop_test(tests, angles, 0, 2);
    tcase_add_loop_test(tests, near_pi, 0, 2);
    tcase_add_loop_test(tests, defects, 0, 2);
    tcase_add_loop_test(tests, exactly_pi, 0, 2);
    tcase_add_loop_test(tests, next_to_identity, 0, 2);
    tcase_add_loop_test(tests, gradient_contract, 0, 2);
    tcase_add_loop_test(tests, batches, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
