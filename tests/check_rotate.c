/* check_rotate.c: so_rotate and its vjp, for all types of vectors: strides, gaps, shared rotations, in place, rounding.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "rotation.h"
#include <check.h>
#include <math.h>
#include <string.h>

static const int types[] = {F64, F32, BF16};
static const so_rotation cases[] = {
    {.tile = 1, .samples = 2, .tokens = 3, .groups = 4, .rotations = 4, .sample_stride = 12, .token_stride = 4},
    {.tile = 2, .samples = 3, .tokens = 5, .groups = 6, .rotations = 2, .sample_stride = 60, .token_stride = 12},
    {.tile = 2, .samples = 2, .tokens = 7, .groups = 8, .rotations = 8, .sample_stride = 400, .token_stride = 48},
    {.tile = 3, .samples = 1, .tokens = 4, .groups = 3, .rotations = 1, .sample_stride = 0, .token_stride = 11},
    {.tile = 4, .samples = 2, .tokens = 3, .groups = 4, .rotations = 4, .sample_stride = 150, .token_stride = 48},
    {.tile = 8, .samples = 3, .tokens = 17, .groups = 4, .rotations = 2, .sample_stride = 17 * 96, .token_stride = 96},
    {.tile = 16, .samples = 2, .tokens = 9, .groups = 6, .rotations = 3, .sample_stride = 9 * 96, .token_stride = 96},
    {.tile = 32, .samples = 2, .tokens = 4, .groups = 4, .rotations = 2, .sample_stride = 4 * 130, .token_stride = 130},
    {.tile = 33, .samples = 2, .tokens = 3, .groups = 2, .rotations = 2, .sample_stride = 300, .token_stride = 70},
    {.tile = 64, .samples = 2, .tokens = 5, .groups = 3, .rotations = 3, .sample_stride = 5 * 576, .token_stride = 576},
    {.tile = 8, .samples = 37, .tokens = 2, .groups = 12, .rotations = 12, .sample_stride = 2 * 96, .token_stride = 96},
    {.tile = 70, .samples = 5, .tokens = 2, .groups = 4, .rotations = 2, .sample_stride = 600, .token_stride = 300},
};
enum { CASES = sizeof cases / sizeof *cases };

START_TEST(contract)
{
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 2), SO_OK);
    rotation_contract("check_rotate", types[_i], ctx, cases, CASES);
    so_ctx_destroy(ctx);
}
END_TEST

/* In place, without dR, and with other threads: the same bits. */
START_TEST(same_bits)
{
    int bits = types[_i];
    for (int k = 0; k < CASES; k++) {
        rotation_problem p = rotation_new(bits, &cases[k], k), q = rotation_new(bits, &cases[k], k);
        size_t bytes = p.elements * sizeof(double);
        so_ctx *one, *three;
        ck_assert_int_eq(test_context(&one, 1), SO_OK);
        ck_assert_int_eq(test_context(&three, 3), SO_OK);
        memcpy(p.y, p.x, bytes); /* so that the gaps agree */
        memcpy(p.dx, p.dy, bytes);
        ck_assert_int_eq(call_rotate(bits, one, &p.r, p.elements, p.R, p.x, p.y), SO_OK);
        ck_assert_int_eq(call_rotate_vjp(bits, one, &p.r, p.elements, p.R, p.x, p.dy, p.dx, p.dR), SO_OK);
        ck_assert_int_eq(call_rotate_vjp(bits, three, &q.r, q.elements, q.R, q.x, q.dy, q.dy, q.dR), SO_OK);
        ck_assert_mem_eq(p.dx, q.dy, bytes);
        ck_assert_mem_eq(p.dR, q.dR, p.matrices * sizeof(double));
        ck_assert_int_eq(call_rotate(bits, three, &q.r, q.elements, q.R, q.x, q.x), SO_OK);
        ck_assert_mem_eq(p.y, q.x, bytes);
        memcpy(q.dx, p.dy, bytes);
        ck_assert_int_eq(call_rotate_vjp(bits, one, &p.r, p.elements, p.R, p.x, p.dy, q.dx, NULL), SO_OK);
        ck_assert_mem_eq(p.dx, q.dx, bytes);
        so_ctx_destroy(one), so_ctx_destroy(three);
        rotation_free(&p), rotation_free(&q);
    }
}
END_TEST

/* A NaN in a vector stays in that vector. */
START_TEST(non_finite)
{
    int bits = types[_i];
    rotation_problem p = rotation_new(bits, &cases[5], 5);
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    p.x[96 + 8 + 3] = NAN; /* sample 0, token 1, group 1 */
    ck_assert_int_eq(call_rotate(bits, ctx, &p.r, p.elements, p.R, p.x, p.y), SO_OK);
    for (size_t i = 0; i < p.elements; i++)
        ck_assert(isnan(p.y[i]) == (i >= 96 + 8 && i < 96 + 16));
    so_ctx_destroy(ctx);
    rotation_free(&p);
}
END_TEST

/* bf16: ties go to the even neighbour, a carry may reach Inf, NaN and Inf pass. */
START_TEST(rounding)
{
    static const struct {
        double x, R, y;
    } rows[] = {
        {0x1p0, 0x1.01p0, 0x1.00p0}, {0x1p0, 0x1.03p0, 0x1.04p0}, {0x1p0, 0x1.010002p0, 0x1.02p0},
        {0x1p0, 0x1.00fffep0, 0x1.00p0},
        {-0x1p0, 0x1.03p0, -0x1.04p0}, {0x1p127, 0x1.fefffep0, 0x1.fep127}, {0x1p127, 0x1.ffp0, INFINITY},
        {-0x1p127, 0x1.ffp0, -INFINITY}, {0x1p-126, 0x1.03p-1, 0x1.04p-127}, {INFINITY, 1, INFINITY}, {0, 1, 0}, {NAN, 1, NAN},
        {1, NAN, NAN},
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    so_rotation r = {.tile = 1, .samples = 1, .tokens = ROWS, .groups = 1, .rotations = 1, .token_stride = 1};
    double x[ROWS], R[ROWS], y[ROWS] = {0};
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    for (int k = 0; k < ROWS; k++)
        x[k] = rows[k].x, R[k] = rows[k].R;
    ck_assert_int_eq(call_rotate(BF16, ctx, &r, ROWS, R, x, y), SO_OK);
    for (int k = 0; k < ROWS; k++)
        ck_assert_msg(isnan(rows[k].y) ? isnan(y[k]) : y[k] == rows[k].y, "%a * %a = %a", x[k], R[k], y[k]);
    so_ctx_destroy(ctx);
}
END_TEST

Suite *check_rotate(void)
{
    Suite *suite = suite_create("rotate");
    TCase *tests = tcase_create("vectors");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, contract, 0, 3);
    tcase_add_loop_test(tests, same_bits, 0, 3);
    tcase_add_loop_test(tests, non_finite, 0, 3);
    tcase_add_test(tests, rounding);
    suite_add_tcase(suite, tests);
    return suite;
}
