/* check_closed_logarithm.c: so_log and its vjp for n = 2, 3, 4, which have closed forms, on many rotations: against the
 * exponential in double-double arithmetic, and against the general algorithm, by way of the same rotation in a space of order 7.
 * SPDX-License-Identifier: MIT */
#include "oracle_inverse.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int types[] = {F64, F32};
#define U64 0x1p-53
enum { SAMPLES = 1200, WIDE = 7 };

/* One or two angles: anywhere, near 0, near pi, near each other, adding up to nearly pi. */
static void some_angles(int n, random_sequence *r, double *theta)
{
    double gap = pow(10, -17 * uniform53(r));
    for (int k = 0; k < 2; k++) {
        int kind = (int)random_below(r, 4);
        theta[k] = kind == 0 ? M_PI * uniform53(r) : kind == 1 ? gap : kind == 2 ? M_PI - gap : k ? theta[0] * (1 - gap) : M_PI;
    }
    if (random_below(r, 4) == 0)
        theta[1] = fabs(M_PI - theta[0] - gap);
    if (n < 4)
        theta[1] = 0;
    double larger = fmax(theta[0], theta[1]);
    theta[1] = fmin(theta[0], theta[1]);
    theta[0] = larger;
}

typedef struct ratios {
    double value, general, gradient;
} ratios;

static void note(double *highest, double error, double bound, const char *what, int bits, int n, const double *theta)
{
    *highest = fmax(*highest, error == 0 ? 0 : error / bound);
    ck_assert_msg(error <= bound, "%s %s n %d angles %.17g %.17g: error %g > %g", what, call_type(bits), n, theta[0], theta[1], error,
                  bound);
}

static void check_sample(int bits, so_ctx *ctx, int n, random_sequence *r, ratios *highest)
{
    double theta[2], A0[16], R[16], A[16], wide[WIDE * WIDE] = {0}, u = call_u(bits);
    oracle_pair Q = oracle_new(n), back = oracle_new(n);
    some_angles(n, r, theta);
    make_skew_of_angles(n, theta, r, A0);
    oracle_exp(n, A0, NULL, &Q, NULL);
    for (int i = 0; i < n * n; i++)
        R[i] = Q.hi[i] = call_round(bits, Q.hi[i]), Q.lo[i] = 0;
    oracle_polar(n, Q);
    double sigma = n == 2 ? 0 : (theta[0] + theta[1]) / 2, kappa = M_PI / (M_PI - sigma);
    ck_assert_int_eq(call_log(bits, ctx, n, 1, R, A), SO_OK);
    oracle_exp(n, A, NULL, &back, NULL);
    note(&highest->value, pair_distance(n, back, Q), (10 * U64 + u) * theta[0], "exp(log R) - Q", bits, n, theta);

    for (int i = 0; i < WIDE; i++)
        for (int j = 0; j < WIDE; j++)
            wide[i * WIDE + j] = i < n && j < n ? R[i * n + j] : i == j;
    ck_assert_int_eq(call_log(bits, ctx, WIDE, 1, wide, wide), SO_OK);
    double bound = (10 * U64 * kappa + u) * theta[0], difference = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            difference = hypot(difference, A[i * n + j] - wide[i * WIDE + j]);
    if (bound < 0.1 && M_PI - theta[0] > 1000 * u) /* closer to pi rounding chooses between A and -A */
        note(&highest->general, difference / sqrt(n), 2 * sqrt(7.0 / n) * bound, "closed form - general", bits, n, theta);

    bound = (50 * U64 * kappa + 3 * u) * kappa; /* R differs from exp(A) by 2 u or so */
    if (bound < 0.1) {
        double dA[16], dR[16], G[16];
        make_dense(bits, n, ldexp(1, (int)random_below(r, 60) - 30), r, dA);
        skew_part_of(n, dA, G);
        ck_assert_int_eq(call_log_vjp(bits, ctx, n, 1, R, A, dA, dR), SO_OK);
        oracle_vjp(0, n, A, dR, &back);
        note(&highest->gradient, distance(n, G, back), bound * frobenius(n, dA), "vjp of exp of dR - dA", bits, n, theta);
    }
    oracle_free(&Q), oracle_free(&back);
}

START_TEST(many)
{
    int bits = types[_i];
    ratios highest = {0};
    so_ctx *ctx;
    ck_assert_int_eq(so_ctx_create_cpu(&ctx, 1), SO_OK);
    for (int n = 2; n <= 4; n++) {
        random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 6400, (uint64_t)n);
        for (int k = 0; k < (test_deep() ? 100000 : SAMPLES); k++)
            check_sample(bits, ctx, n, &r, &highest);
    }
    printf("check_closed_logarithm %s, worst error/bound: exp(log R) %.2f, against the general algorithm %.2f, gradient %.2f\n",
           call_type(bits), highest.value, highest.general, highest.gradient);
    so_ctx_destroy(ctx);
}
END_TEST

/* The vjp refuses where two angles add up to 2 pi, as the general algorithm does, and where A is too large to
 * have angles. */
START_TEST(singular)
{
    int bits = types[_i];
    double pi = call_round(bits, M_PI);
    double both[16] = {0, pi, 0, 0, -pi, 0, 0, 0, 0, 0, 0, pi, 0, 0, -pi, 0}, one[9] = {0, 2 * pi, 0, -2 * pi, 0, 0, 0, 0, 0};
    double identity[16] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}, eye[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, out[16];
    double large[9] = {0, 1e307, 1e307, -1e307, 0, 1e307, -1e307, -1e307, 0};
    so_ctx *ctx;
    ck_assert_int_eq(so_ctx_create_cpu(&ctx, 1), SO_OK);
    for (int i = 0; i < 16; i++)
        out[i] = 0;
    ck_assert_int_eq(call_log_vjp(bits, ctx, 4, 1, identity, both, identity, out), SO_ESINGULAR);
    for (int i = 0; i < 16; i++)
        ck_assert(isnan(out[i]));
    ck_assert_int_eq(call_log_vjp(bits, ctx, 3, 1, eye, one, eye, out), SO_ESINGULAR);
    for (int i = 0; i < 9; i++)
        ck_assert(isnan(out[i]));
    if (bits == F64) {
        ck_assert_int_eq(so_log_vjp_f64(ctx, 3, 1, eye, large, eye, out), SO_ESINGULAR);
        for (int i = 0; i < 9; i++)
            ck_assert(isnan(out[i]));
    }
    so_ctx_destroy(ctx);
}
END_TEST

Suite *check_closed_logarithm(void)
{
    Suite *suite = suite_create("closed_logarithm");
    TCase *tests = tcase_create("n = 2, 3, 4");
    tcase_set_timeout(tests, 600);
    tcase_add_loop_test(tests, many, 0, 2);
    tcase_add_loop_test(tests, singular, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
