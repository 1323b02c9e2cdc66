/* check_cayley.c: what is particular to the Cayley map; its accuracy is held in check_exp.c and check_exp_vjp.c.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "oracle_campaign.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int types[] = {F64, F32};
static const int orders[] = {1, 2, 3, 4, 5, 8, 16, 17, 33, 64};
enum { ORDERS = sizeof orders / sizeof *orders, LARGEST = 64 * 64 };

/* so_cayley is so_exp with SO_CAYLEY, in every bit, and so are the derivatives. */
START_TEST(same_as_method)
{
    int bits = types[_i];
    static double A[LARGEST], G[LARGEST], E[LARGEST], R[LARGEST], S[LARGEST], X[LARGEST], Y[LARGEST];
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    for (int o = 0; o < ORDERS; o++) {
        int n = orders[o];
        size_t bytes = (size_t)(n * n) * sizeof(double);
        random_sequence r;
        campaign_matrix(bits, n, 30 + o, A, &r);
        make_dense(bits, n, 1, &r, G), make_dense(bits, n, 1, &r, E);
        ck_assert_int_eq(call_exp(bits, ctx, SO_CAYLEY, n, 1, A, R), SO_OK);
        ck_assert_int_eq(call_cayley(bits, ctx, n, 1, A, S), SO_OK);
        ck_assert_mem_eq(R, S, bytes);
        ck_assert_int_eq(call_exp_vjp(bits, ctx, SO_CAYLEY, n, 1, A, R, G, X), SO_OK);
        ck_assert_int_eq(call_cayley_vjp(bits, ctx, n, 1, A, R, G, Y), SO_OK);
        ck_assert_mem_eq(X, Y, bytes);
        ck_assert_int_eq(call_exp_jvp(bits, ctx, SO_CAYLEY, n, 1, A, E, R, X), SO_OK);
        ck_assert_int_eq(call_cayley_jvp(bits, ctx, n, 1, A, E, S, Y), SO_OK);
        ck_assert_mem_eq(X, Y, bytes);
        ck_assert_mem_eq(R, S, bytes);
    }
    so_ctx_destroy(ctx);
}
END_TEST

/* n = 2: the angle a becomes 2 atan(a/2), also where a is huge. */
START_TEST(angle)
{
    int bits = types[_i];
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    for (int e = -30; e <= 30; e++) {
        double a = call_round(bits, pow(10, e)), A[4] = {0, -a, a, 0}, R[4], phi = 2 * atan(a / 2);
        ck_assert_int_eq(call_cayley(bits, ctx, 2, 1, A, R), SO_OK);
        double bound = (10 + 2 * fmin(a, 1000)) * call_u(bits) * M_SQRT2; /* one entry may hold the whole Frobenius error */
        double error = fmax(fmax(fabs(R[0] - cos(phi)), fabs(R[3] - cos(phi))), fmax(fabs(R[2] - sin(phi)), fabs(R[1] + sin(phi))));
        ck_assert_msg(error <= bound, "%s angle %g: R = [%g %g; %g %g], error %g > %g", call_type(bits), a, R[0], R[1], R[2], R[3],
                      error, bound);
    }
    so_ctx_destroy(ctx);
}
END_TEST

/* The error against exp is rho^3/12 to first order: |2 atan(t/2) - t| <= t^3/12. */
START_TEST(third_order)
{
    int bits = types[_i], n = 8;
    double A[64], R[64];
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    for (int k = 0; k < 100; k++) {
        random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 3000, (uint64_t)k);
        make_skew(bits, n, (shape)(k % INTEGER), pow(2, -k / 12), &r, A);
        double rho = spectral_norm(n, A);
        oracle_pair exact = oracle_new(n);
        oracle_exp(n, A, NULL, &exact, NULL);
        ck_assert_int_eq(call_cayley(bits, ctx, n, 1, A, R), SO_OK);
        ck_assert_double_le(distance(n, R, exact), rho * rho * rho / 12 + (10 + 2 * rho) * call_u(bits));
        oracle_free(&exact);
    }
    so_ctx_destroy(ctx);
}
END_TEST

Suite *check_cayley(void)
{
    Suite *suite = suite_create("cayley");
    TCase *tests = tcase_create("map");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, same_as_method, 0, 2);
    tcase_add_loop_test(tests, angle, 0, 2);
    tcase_add_loop_test(tests, third_order, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
