/* check_failures.c: what so.h promises when something under libso fails. Memory: the call returns SO_ENOMEM, writes nothing,
 * leaks nothing, and the context works as before. An SVD that does not converge: NaN for that matrix alone.
 * SPDX-License-Identifier: MIT */
#include "failure.h"
#include "libso/so.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 33, BATCH = 3, SIZE = BATCH * N * N };
enum { EXP, VJP, JVP, ORTHOGONALITY, PROJECT, PROJECT_VJP, ENCODE, ENCODE_VJP, ROTATE, ROTATE_VJP, KINDS };

/* One call of each kind on BATCH matrices of order n (so_encode: as many groups, one token; so_rotate: as many tokens).
 * out holds 2 SIZE numbers. */
#define CALL(real, type)                                                                                                       \
    static so_status call_##type(int kind, so_ctx *ctx, so_method m, int n, const real *in, real *out)                         \
    {                                                                                                                          \
        static const real position[1] = {1};                                                                                   \
        const so_encoding e = {m, 1, n, BATCH, 1};                                                                             \
        const so_rotation r = {n, 1, BATCH, 1, 1, (int64_t)BATCH * n, n};                                                      \
        switch (kind) {                                                                                                        \
        case EXP:                                                                                                              \
            return so_exp_##type(ctx, m, n, BATCH, in, out);                                                                   \
        case VJP:                                                                                                              \
            return so_exp_vjp_##type(ctx, m, n, BATCH, in, in, in, out);                                                       \
        case JVP:                                                                                                              \
            return so_exp_jvp_##type(ctx, m, n, BATCH, in, in, out, out + SIZE);                                               \
        case ORTHOGONALITY:                                                                                                    \
            return so_orthogonality_##type(ctx, n, BATCH, in, out);                                                            \
        case PROJECT:                                                                                                          \
            return so_project_##type(ctx, n, BATCH, out);                                                                      \
        case PROJECT_VJP:                                                                                                      \
            return so_project_vjp_##type(ctx, n, BATCH, out, in, out);                                                         \
        case ENCODE:                                                                                                           \
            return so_encode_##type(ctx, &e, position, in, out);                                                               \
        case ENCODE_VJP:                                                                                                       \
            return so_encode_vjp_##type(ctx, &e, position, in, in, in, out, out + SIZE);                                       \
        case ROTATE:                                                                                                           \
            return so_rotate_##type(ctx, &r, in, in, out);                                                                     \
        default:                                                                                                               \
            return so_rotate_vjp_##type(ctx, &r, in, in, in, out, out + SIZE);                                                 \
        }                                                                                                                      \
    }                                                                                                                          \
                                                                                                                               \
    /* How many allocations the call makes on a new context; each of them has failed once. */                                  \
    static int each_fails_##type(int kind, so_method m, int n, int f64_inside)                                                 \
    {                                                                                                                          \
        static real in[SIZE], before[2 * SIZE], expected[2 * SIZE], out[2 * SIZE];                                             \
        so_ctx *ctx;                                                                                                           \
        for (int i = 0; i < SIZE; i++)                                                                                         \
            in[i] = (real)sin(i + 1.0);                                                                                        \
        for (int i = 0; i < 2 * SIZE; i++)                                                                                     \
            before[i] = expected[i] = (real)cos(0.3 * i * i);                                                                  \
        ck_assert_int_eq(so_ctx_create_cpu(&ctx, 2), SO_OK);                                                                   \
        ck_assert_int_eq(so_ctx_set_f64_inside(ctx, f64_inside), SO_OK);                                                       \
        ck_assert_int_eq(call_##type(kind, ctx, m, n, in, expected), SO_OK);                                                   \
        so_ctx_destroy(ctx);                                                                                                   \
        for (int k = 1;; k++) {                                                                                                \
            ck_assert_int_eq(so_ctx_create_cpu(&ctx, 2), SO_OK);                                                               \
            ck_assert_int_eq(so_ctx_set_f64_inside(ctx, f64_inside), SO_OK);                                                   \
            memcpy(out, before, sizeof out);                                                                                   \
            failure_set(FAILURE_ALLOCATION, k);                                                                                    \
            so_status status = call_##type(kind, ctx, m, n, in, out);                                                          \
            int failed = failure_happened(FAILURE_ALLOCATION);                                                                     \
            failure_set(FAILURE_ALLOCATION, 0);                                                                                    \
            ck_assert_msg(status == (failed ? SO_ENOMEM : SO_OK), "kind %d method %d n %d, allocation %d: status %d", kind,    \
                          (int)m, n, k, (int)status);                                                                          \
            if (failed) {                                                                                                      \
                ck_assert_mem_eq(out, before, sizeof out);                                                                     \
                ck_assert_int_eq(call_##type(kind, ctx, m, n, in, out), SO_OK);                                                \
            }                                                                                                                  \
            ck_assert_mem_eq(out, expected, sizeof out);                                                                       \
            so_ctx_destroy(ctx);                                                                                               \
            if (!failed)                                                                                                       \
                return k - 1;                                                                                                  \
        }                                                                                                                      \
    }
CALL(float, f32)
CALL(double, f64)

static int takes_method(int kind)
{
    return kind == EXP || kind == VJP || kind == JVP || kind == ENCODE || kind == ENCODE_VJP;
}

START_TEST(each_allocation)
{
    static const int orders[] = {3, 8, N};
    int kind = _i, most = 0;
    for (int o = 0; o < 3; o++)
        for (int m = SO_AUTO; m <= (takes_method(kind) ? SO_CAYLEY : SO_AUTO); m++) {
            int allocations = each_fails_f32(kind, (so_method)m, orders[o], 0);
            ck_assert_int_eq(each_fails_f64(kind, (so_method)m, orders[o], 0), allocations);
            ck_assert_int_ge(each_fails_f32(kind, (so_method)m, orders[o], 1), allocations);
            most = allocations > most ? allocations : most;
        }
    ck_assert(most > 0 || !takes_method(kind)); /* something has failed; the rest may do without memory */
}
END_TEST

START_TEST(context)
{
    so_ctx *ctx = (so_ctx *)&ctx;
    failure_set(FAILURE_ALLOCATION, 1);
    ck_assert_int_eq(so_ctx_create_cpu(&ctx, 1), SO_ENOMEM);
    failure_set(FAILURE_ALLOCATION, 0);
    ck_assert_ptr_null(ctx);
}
END_TEST

static so_ctx *new_context(void)
{
    so_ctx *ctx;
    ck_assert_int_eq(so_ctx_create_cpu(&ctx, 1), SO_OK);
    return ctx;
}

/* The SVD of the k-th matrix fails; kind and method are such that each matrix needs one. Returns the worst status. */
static so_status each_svd_fails(int kind, so_method m)
{
    static double in[SIZE], before[2 * SIZE], expected[2 * SIZE], out[2 * SIZE];
    so_status worst = SO_OK;
    so_ctx *ctx = new_context();
    for (int i = 0; i < SIZE; i++)
        in[i] = sin(i + 1.0);
    for (int i = 0; i < 2 * SIZE; i++)
        before[i] = expected[i] = cos(0.3 * i * i);
    ck_assert_int_eq(call_f64(kind, ctx, m, N, in, expected), SO_OK);
    for (int k = 0; k < BATCH; k++) {
        memcpy(out, before, sizeof out);
        failure_set(FAILURE_SVD, k + 1);
        so_status status = call_f64(kind, ctx, m, N, in, out);
        ck_assert(failure_happened(FAILURE_SVD));
        failure_set(FAILURE_SVD, 0);
        for (int i = 0; i < SIZE; i++)
            ck_assert(i / (N * N) == k ? isnan(out[i]) : out[i] == expected[i]);
        worst = status > worst ? status : worst;
    }
    so_ctx_destroy(ctx);
    return worst;
}

/* SO_AUTO, whose gradient at large angles needs the SVD, and so_encode in one dimension do without it where it fails. */
START_TEST(svd_is_replaced)
{
    static double A[SIZE], R[SIZE], dR[SIZE], expected[SIZE], out[SIZE];
    const so_encoding polynomial = {SO_POLYNOMIAL, 1, N, BATCH, 1}, automatic = {SO_AUTO, 1, N, BATCH, 1};
    so_ctx *ctx = new_context();
    for (int i = 0; i < SIZE; i++) {
        A[i] = 10 * sin(i + 1.0);
        dR[i] = cos(0.3 * i * i);
    }
    ck_assert_int_eq(so_exp_f64(ctx, SO_POLYNOMIAL, N, BATCH, A, R), SO_OK);
    for (int encode = 0; encode < 2; encode++) {
        ck_assert_int_eq(encode ? so_encode_f64(ctx, &polynomial, (double[]){1}, A, expected)
                                : so_exp_vjp_f64(ctx, SO_POLYNOMIAL, N, BATCH, A, R, dR, expected),
                         SO_OK);
        for (int k = 0; k < BATCH; k++) {
            failure_set(FAILURE_SVD, k + 1);
            ck_assert_int_eq(encode ? so_encode_f64(ctx, &automatic, (double[]){1}, A, out)
                                    : so_exp_vjp_f64(ctx, SO_AUTO, N, BATCH, A, R, dR, out),
                             SO_OK);
            ck_assert(failure_happened(FAILURE_SVD));
            failure_set(FAILURE_SVD, 0);
            for (int b = 0; b < BATCH; b++)
                ck_assert((memcmp(out + b * N * N, expected + b * N * N, N * N * sizeof *out) == 0) == (b == k));
        }
    }
    so_ctx_destroy(ctx);
}
END_TEST

START_TEST(each_svd)
{
    ck_assert_int_eq(each_svd_fails(EXP, SO_EIGEN), SO_ESINGULAR);
    ck_assert_int_eq(each_svd_fails(VJP, SO_EIGEN), SO_ESINGULAR);
}
END_TEST

Suite *check_failures(void)
{
    Suite *suite = suite_create("failures");
    TCase *tests = tcase_create("failures");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, context);
    tcase_add_loop_test(tests, each_allocation, EXP, KINDS);
    tcase_add_test(tests, each_svd);
    tcase_add_test(tests, svd_is_replaced);
    suite_add_tcase(suite, tests);
    return suite;
}
