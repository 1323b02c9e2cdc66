/* check_cayley_inverse.c: so_cayley_inverse and its vjp against the Cayley map in double-double arithmetic, within the bounds
 * of so.h. SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "inverse_contract.h"
#include "oracle_dd.h"
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

/* A0 with angles 2 tan(theta/2); R = its Cayley map times I + a symmetric matrix of size `defect`, rounded. */
static void make_input(int bits, int n, angle_case c, double gap, double defect, random_sequence *r, double *A0, double *R,
                       double *tau)
{
    double *theta = calloc((size_t)n, sizeof *theta);
    oracle_pair R0 = oracle_new(n);
    make_angles(c, bits, gap, n, r, theta);
    for (int k = 0; k < n / 2; k++)
        theta[k] = 2 * tan(theta[k] / 2);
    *tau = theta[0];
    make_skew_of_angles(n, theta, r, A0);
    oracle_cayley(n, A0, NULL, &R0, NULL);
    perturb_and_round(bits, n, R0, defect, r, R);
    free(theta), oracle_free(&R0);
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
        inverse_note(&highest->value, error / sqrt(n), bound, "A - A0", bits, n, c, gap);
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
    inverse_note(&highest->gradient, distance(n, G, Z), bound * norm, "vjp of cayley of dR - dA", bits, n, c, gap);

    memcpy(Z.hi, A, size * sizeof *A), memset(Z.lo, 0, size * sizeof *A); /* the formula of so.h itself */
    oracle_pair P = oracle_new(n), T = oracle_new(n);
    dd_scale(n, Z, 0.5), dd_add_identity(n, Z, 1);
    memcpy(P.hi, G, size * sizeof *G);
    dd_multiply(n, T, Z, P), dd_multiply(n, P, T, Z);
    inverse_note(&highest->gradient, distance(n, dR, P), bound * norm, "dR", bits, n, c, gap);

    make_direction(n, r, E);
    oracle_cayley(n, A, E, NULL, &L);
    for (size_t i = 0; i < size; i++)
        wanted += G[i] * E[i];
    inverse_note(&highest->adjoint, fabs(inner_product(n, dR, L) - wanted), (bound * n + 10 * n * U64) * norm * frobenius(n, E),
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
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
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
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
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

/* Within this share of 32 n u_64, times sqrt(m) where m pairs of eigenvalues are, -1 counts as one; beyond it not. */
static void check_threshold(int bits, so_ctx *ctx, int n, double share, const double *R)
{
    double *A = malloc((size_t)(n * n) * sizeof *A);
    int exists = share > 1;
    ck_assert_msg(call_cayley_inverse(bits, ctx, n, 1, R, A) == (exists ? SO_OK : SO_ESINGULAR), "%s n %d: %g of the threshold",
                  call_type(bits), n, share);
    for (int i = 0; i < n * n; i++)
        ck_assert_int_eq(isfinite(A[i]) != 0, exists);
    free(A);
}

/* R = a rotation with these angles, rounded; as an exponential because there the Cayley map is beyond double-double numbers. */
static void rotation_near_pi(int bits, int n, angle_case c, double gap, double *R)
{
    random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 5600 + (uint64_t)c, (uint64_t)n);
    double *theta = calloc((size_t)n, sizeof *theta), *A = malloc((size_t)(n * n) * sizeof *A);
    oracle_pair R0 = oracle_new(n);
    make_angles(c, bits, gap, n, &r, theta);
    make_skew_of_angles(n, theta, &r, A);
    oracle_exp(n, A, NULL, &R0, NULL);
    perturb_and_round(bits, n, R0, 0, &r, R);
    free(theta), free(A), oracle_free(&R0);
}

START_TEST(threshold)
{
    static const double shares[] = {0.02, 0.75, 1.5};
    int bits = types[_i];
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    for (int o = 1; o < inverse_order_count(); o++)
        for (int k = 0; k < 3; k++) {
            int n = inverse_orders[o];
            double *R = calloc((size_t)(n * n), sizeof *R), gap = shares[k] * 32 * n * U64;
            for (int i = 0; i < n; i++)
                R[i * n + i] = i == 0 || i == n - 1 ? -1 : 1;
            R[n - 1] = -gap, R[(n - 1) * n] = gap;
            check_threshold(bits, ctx, n, shares[k], R);
            for (int c = ANGLES_ONE_NEAR_PI; c <= ANGLES_ALL_NEAR_PI && bits == F64; c++) { /* f32 would round the gap away */
                double pairs = c == ANGLES_ONE_NEAR_PI ? 1 : c == ANGLES_TWO_NEAR_PI ? fmin(2, n / 2) : n / 2;
                double spread = c == ANGLES_ALL_NEAR_PI && shares[k] < 1 ? 2 : 1; /* there up to twice the gap */
                rotation_near_pi(bits, n, (angle_case)c, gap * sqrt(pairs) / spread, R);
                check_threshold(bits, ctx, n, shares[k], R);
            }
            free(R);
        }
    so_ctx_destroy(ctx);
}
END_TEST

START_TEST(next_to_identity)
{
    inverse_next_to_identity(types[_i], &inverse_cayley);
}
END_TEST

START_TEST(gradient_contract)
{
    inverse_gradient_contract(types[_i], &inverse_cayley);
}
END_TEST

START_TEST(batches)
{
    inverse_batches(types[_i], &inverse_cayley);
}
END_TEST

Suite *check_cayley_inverse(void)
{
    Suite *suite = suite_create("cayley_inverse");
    TCase *tests = tcase_create("inverse Cayley map and its derivative");
    tcase_set_timeout(tests, 240);
    tcase_add_loop_test(tests, angles, 0, 2);
    tcase_add_loop_test(tests, no_inverse, 0, 2);
    tcase_add_loop_test(tests, threshold, 0, 2);
    tcase_add_loop_test(tests, next_to_identity, 0, 2);
    tcase_add_loop_test(tests, gradient_contract, 0, 2);
    tcase_add_loop_test(tests, batches, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
