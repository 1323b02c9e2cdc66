/* check_pack.c: the entries of a skew matrix and back.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "oracle_call.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int types[] = {F64, F32};

/* p counts up in the order of so.h; the triangle below and the diagonal are not read. */
START_TEST(order)
{
    int bits = types[_i];
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 2), SO_OK);
    for (int n = 1; n <= 33; n++) {
        int64_t batch = 5;
        size_t size = (size_t)(n * n), packed = size / 2 - (size_t)n / 2;
        double *A = malloc(5 * size * sizeof *A), *p = calloc(5 * packed + 1, sizeof *p), *B = malloc(5 * size * sizeof *B);
        double count = 0;
        for (size_t b = 0; b < 5; b++)
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++)
                    A[b * size + (size_t)(i * n + j)] = i < j ? ++count : NAN;
        p[5 * packed] = -7;
        ck_assert_int_eq(call_pack(bits, ctx, n, batch, A, p), SO_OK);
        for (size_t k = 0; k < 5 * packed; k++)
            ck_assert_msg(p[k] == (double)(k + 1), "%s n %d: p[%zu] = %g", call_type(bits), n, k, p[k]);
        ck_assert(p[5 * packed] == -7);
        ck_assert_int_eq(call_unpack(bits, ctx, n, batch, p, B), SO_OK);
        for (size_t b = 0; b < 5; b++)
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++) {
                    double upper = i == j ? 0 : A[b * size + (size_t)(i < j ? i * n + j : j * n + i)];
                    ck_assert_msg(B[b * size + (size_t)(i * n + j)] == (i > j ? -upper : upper), "%s n %d: A[%d][%d]",
                                  call_type(bits), n, i, j);
                }
        free(A), free(p), free(B);
    }
    so_ctx_destroy(ctx);
}
END_TEST

/* NaN and Inf are values like others here. */
START_TEST(non_finite)
{
    int bits = types[_i];
    double A[4] = {0, NAN, 0, 0}, p[1] = {0}, q[1] = {INFINITY};
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    ck_assert_int_eq(call_pack(bits, ctx, 2, 1, A, p), SO_OK);
    ck_assert(isnan(p[0]));
    ck_assert_int_eq(call_unpack(bits, ctx, 2, 1, q, A), SO_OK);
    ck_assert(A[0] == 0 && A[1] == INFINITY && A[2] == -INFINITY && A[3] == 0);
    so_ctx_destroy(ctx);
}
END_TEST

/* SO(1) has no entries: p may be NULL, and the skew matrix is 0. */
START_TEST(no_entries)
{
    int bits = types[_i];
    double A[3] = {5, NAN, 5};
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    ck_assert_int_eq(call_pack(bits, ctx, 1, 3, A, NULL), SO_OK);
    ck_assert_int_eq(call_pack(bits, ctx, 1, 3, NULL, NULL), SO_ENULL);
    ck_assert_int_eq(call_unpack(bits, ctx, 1, 3, NULL, A), SO_OK);
    ck_assert(A[0] == 0 && A[1] == 0 && A[2] == 0);
    ck_assert_int_eq(call_unpack(bits, ctx, 1, 3, NULL, NULL), SO_ENULL);
    so_ctx_destroy(ctx);
}
END_TEST

Suite *check_pack(void)
{
    Suite *suite = suite_create("pack");
    TCase *tests = tcase_create("entries");
    tcase_add_loop_test(tests, order, 0, 2);
    tcase_add_loop_test(tests, non_finite, 0, 2);
    tcase_add_loop_test(tests, no_entries, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
