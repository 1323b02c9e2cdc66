/* check_cuda_rotate.c: so_rotate and its vjp on a CUDA device: every slab order and those between, shared rotations,
 * samples on both sides of a round and of a section, strides, unaligned pointers, orders too large for slabs.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "rotation.h"
#include <check.h>
#include <math.h>
#include <string.h>

static const int types[] = {F64, F32, BF16};
/* Vectors of a token follow each other; `gap` elements are between tokens, and twice as many between samples. */
#define CASE(tile, samples, tokens, groups, rotations, gap)                                                                     \
    {tile, samples, tokens, groups, rotations, tokens * (groups * tile + gap) + 2 * gap, groups * tile + gap}
static const so_rotation cases[] = {
    CASE(1, 9, 2, 5, 5, 0),    CASE(2, 17, 2, 70, 70, 2), CASE(2, 5, 1, 33, 11, 1),  CASE(3, 40, 1, 4, 2, 1),
    CASE(4, 33, 2, 20, 20, 4), CASE(4, 8, 1, 6, 3, 0),    CASE(5, 3, 3, 9, 9, 0),    CASE(8, 70, 1, 8, 8, 16),
    CASE(8, 15, 2, 20, 10, 0), CASE(8, 1, 3, 11, 11, 0),  CASE(12, 18, 1, 5, 5, 0),  CASE(16, 130, 1, 5, 5, 3),
    CASE(16, 31, 2, 8, 4, 32), CASE(24, 10, 1, 3, 3, 0),  CASE(32, 20, 2, 3, 3, 64), CASE(32, 257, 1, 2, 2, 0),
    CASE(48, 9, 1, 2, 1, 0),   CASE(64, 35, 2, 2, 2, 64), CASE(64, 513, 1, 1, 1, 0), CASE(64, 16, 1, 4, 2, 0),
    CASE(65, 6, 2, 2, 1, 0),   CASE(130, 3, 1, 2, 2, 5),
};
enum { CASES = sizeof cases / sizeof *cases };

static rotation_problem problem_of(int bits, int k)
{
    return rotation_new(bits, &cases[k], k);
}

static void run(int bits, so_ctx *ctx, rotation_problem *p)
{
    ck_assert_int_eq(call_rotate(bits, ctx, &p->r, p->elements, p->R, p->x, p->y), SO_OK);
    ck_assert_int_eq(call_rotate_vjp(bits, ctx, &p->r, p->elements, p->R, p->x, p->dy, p->dx, p->dR), SO_OK);
}

static void same(int bits, int k, const rotation_problem *a, const rotation_problem *b, const char *what)
{
    size_t vectors = a->elements * sizeof(double), matrices = a->matrices * sizeof(double);
    ck_assert_msg(memcmp(a->y, b->y, vectors) == 0, "%s case %d: other bits of y %s", call_type(bits), k, what);
    ck_assert_msg(memcmp(a->dx, b->dx, vectors) == 0, "%s case %d: other bits of dx %s", call_type(bits), k, what);
    ck_assert_msg(memcmp(a->dR, b->dR, matrices) == 0, "%s case %d: other bits of dR %s", call_type(bits), k, what);
}

START_TEST(contract)
{
    so_ctx *ctx = cuda_context();
    rotation_contract("check_cuda_rotate", types[_i], ctx, cases, CASES);
    so_ctx_destroy(ctx);
}
END_TEST

/* Whatever the order of threads, the alignment, in place, without dR, and fewer samples. */
START_TEST(same_bits)
{
    int bits = types[_i];
    so_ctx *ctx = cuda_context();
    for (int k = 0; k < CASES; k++) {
        rotation_problem p = problem_of(bits, k);
        size_t bytes = p.elements * sizeof(double);
        memcpy(p.y, p.x, bytes), memcpy(p.dx, p.dy, bytes); /* so that the gaps agree */
        run(bits, ctx, &p);
        rotation_problem q = problem_of(bits, k);
        cuda_order(1 + k % 2);
        memcpy(q.y, q.x, bytes), memcpy(q.dx, q.dy, bytes);
        run(bits, ctx, &q);
        same(bits, k, &p, &q, "in another order of threads");
        cuda_order(0);
        ck_assert_int_eq(call_rotate_vjp(bits, ctx, &p.r, p.elements, p.R, NULL, p.dy, q.dx, NULL), SO_OK);
        same(bits, k, &p, &q, "without dR");
        rotation_free(&q);

        q = problem_of(bits, k);
        call_unaligned(1);
        ck_assert_int_eq(call_rotate_vjp(bits, ctx, &q.r, q.elements, q.R, q.x, q.dy, q.dy, q.dR), SO_OK);
        ck_assert_int_eq(call_rotate(bits, ctx, &q.r, q.elements, q.R, q.x, q.x), SO_OK);
        call_unaligned(0);
        memcpy(q.y, q.x, bytes), memcpy(q.dx, q.dy, bytes);
        same(bits, k, &p, &q, "in place, unaligned");
        rotation_free(&q);

        q = problem_of(bits, k);
        q.r.samples = 1;
        memcpy(q.y, q.x, bytes);
        ck_assert_int_eq(call_rotate(bits, ctx, &q.r, q.elements, q.R, q.x, q.y), SO_OK);
        ck_assert_msg(memcmp(p.y, q.y, (size_t)(q.r.tokens * q.r.token_stride) * sizeof(double)) == 0,
                      "%s case %d: other bits of y with one sample", call_type(bits), k);
        rotation_free(&p), rotation_free(&q);
    }
    so_ctx_destroy(ctx);
}
END_TEST

/* A NaN stays in its vector, and in the dR that reads it. */
START_TEST(non_finite)
{
    int bits = types[_i];
    so_ctx *ctx = cuda_context();
    for (int k = 0; k < CASES; k++) {
        rotation_problem p = problem_of(bits, k), q = problem_of(bits, k);
        size_t n = (size_t)p.r.tile, group = (size_t)p.r.groups - 1, row = (size_t)(p.r.tokens - 1);
        size_t vector = row * (size_t)p.r.token_stride + group * n;
        size_t matrix = (group % (size_t)p.r.rotations * (size_t)p.r.tokens + row) * n * n;
        run(bits, ctx, &p);
        q.x[vector] = NAN, q.dy[vector + n - 1] = INFINITY;
        ck_assert_int_eq(call_rotate(bits, ctx, &q.r, q.elements, q.R, q.x, q.y), SO_OK);
        ck_assert_int_eq(call_rotate_vjp(bits, ctx, &q.r, q.elements, q.R, q.x, q.dy, q.dx, q.dR), SO_OK);
        for (size_t i = 0; i < p.elements; i++) {
            int own = i >= vector && i < vector + n;
            ck_assert_msg(own ? isnan(q.y[i]) && !isfinite(q.dx[i]) : q.y[i] == p.y[i] && q.dx[i] == p.dx[i],
                          "%s case %d element %zu: y %g, dx %g", call_type(bits), k, i, q.y[i], q.dx[i]);
        }
        for (size_t i = 0; i < p.matrices; i++) {
            int own = i >= matrix && i < matrix + n * n && ((i - matrix) % n == 0 || (i - matrix) / n == n - 1);
            ck_assert_msg(own ? !isfinite(q.dR[i]) : q.dR[i] == p.dR[i], "%s case %d dR[%zu] = %g", call_type(bits), k, i,
                          q.dR[i]);
        }
        rotation_free(&p), rotation_free(&q);
    }
    so_ctx_destroy(ctx);
}
END_TEST

Suite *check_cuda_rotate(void)
{
    Suite *suite = suite_create("cuda_rotate");
    TCase *tests = tcase_create("vectors");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, contract, 0, 3);
    tcase_add_loop_test(tests, same_bits, 0, 3);
    tcase_add_loop_test(tests, non_finite, 0, 3);
    suite_add_tcase(suite, tests);
    return suite;
}
