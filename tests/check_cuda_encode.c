/* check_cuda_encode.c: so_encode and its vjp on a CUDA device: every kernel against the oracle, the same bits whatever the launch
 * and the place, NaN in its own token only, memory. check_encode with SO_TEST_DEVICE=cuda tests what both devices promise.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "oracle_campaign.h"
#include "oracle_encode.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int types[] = {F64, F32};

static so_status run(int bits, so_ctx *ctx, problem *p)
{
    so_status status = call_encode(bits, ctx, &p->e, p->position, p->generator, p->R);
    so_status gradient = call_encode_vjp(bits, ctx, &p->e, p->position, p->generator, p->R, p->dR, p->dgenerator, p->dposition);
    return status != SO_OK ? status : gradient;
}

static void poison(problem *p)
{
    size_t generators = p->groups * p->dims * p->square, positions = p->tokens * p->dims;
    size_t rotations = p->groups * p->tokens * p->square;
    for (size_t i = 0; i < generators; i++)
        p->dgenerator[i] = 7;
    for (size_t i = 0; i < positions; i++)
        p->dposition[i] = 7;
    for (size_t i = 0; i < rotations; i++)
        p->R[i] = 7;
}

/* Each team's orders and those beside them; then tokens about the ends of runs, of 8 tokens or 4 dims, of 9 from 288 on, of 128
 * in closed form. */
static const struct {
    int tile, groups, tokens, dims;
} shapes[] = {
    {1, 2, 5, 2},   {2, 3, 9, 1},   {3, 3, 9, 3},   {4, 2, 17, 2}, {5, 3, 13, 4}, {7, 2, 3, 2},   {8, 5, 9, 3},    {9, 2, 3, 2},
    {15, 2, 3, 1},  {16, 3, 5, 2},  {17, 2, 2, 3},  {31, 1, 2, 2}, {32, 2, 3, 1}, {33, 1, 2, 2},  {64, 1, 2, 1}, {65, 1, 3, 2},
    {5, 1, 1, 1},   {5, 2, 7, 1},   {5, 2, 8, 1},   {5, 2, 9, 1},  {6, 1, 16, 3}, {6, 1, 12, 3},  {6, 1, 287, 2},  {6, 1, 288, 2},
    {6, 1, 289, 2}, {8, 33, 1, 2},  {8, 1, 65, 2},  {2, 2, 127, 2}, {2, 2, 128, 1}, {2, 2, 129, 3}, {3, 2, 129, 2},
    {4, 1, 257, 4}, {4, 2, 3, 10},
};
enum { SHAPES_HERE = sizeof shapes / sizeof *shapes };

START_TEST(contract)
{
    static const so_method methods[] = {SO_AUTO, SO_CAYLEY, SO_EIGEN, SO_PADE};
    int bits = types[_i];
    ratios worst_of_all = {0};
    so_ctx *ctx = cuda_context();
    for (int k = 0; k < SHAPES_HERE; k++)
        for (int m = 0; m < 4; m++) {
            const int pieces = m > 1 && shapes[k].tile * shapes[k].tokens > 100; /* of any size */
            if (pieces || !campaign_wants(methods[m]))
                continue;
            ratios now = {0};
            problem p = new_problem(bits, methods[m], shapes[k].dims, shapes[k].tile, shapes[k].groups, shapes[k].tokens,
                                    (uint64_t)(7000 + k));
            poison(&p);
            ck_assert_int_eq(run(bits, ctx, &p), SO_OK);
            check_values(bits, &p, &now);
            ck_assert_msg(now.R <= 1 && now.dgenerator <= 1 && now.dposition <= 1,
                          "%s %s shape %d, tile %d: error/bound of R %.3g, dgenerator %.3g, dposition %.3g",
                          call_method(methods[m]), call_type(bits), k, shapes[k].tile, now.R, now.dgenerator, now.dposition);
            for (size_t i = 0; i < p.groups * p.tokens * p.square; i++) /* token 0 stands at the origin */
                ck_assert(i / p.square % p.tokens != 0 || p.R[i] == (i % p.square % (size_t)(shapes[k].tile + 1) == 0));
            for (size_t i = 0; i < p.groups * p.dims * p.square; i++) {
                size_t n = (size_t)shapes[k].tile, e = i % p.square;
                ck_assert(p.dgenerator[i] == -p.dgenerator[i - e + e % n * n + e / n]);
            }
            worst_of_all.R = fmax(worst_of_all.R, now.R);
            worst_of_all.dgenerator = fmax(worst_of_all.dgenerator, now.dgenerator);
            worst_of_all.dposition = fmax(worst_of_all.dposition, now.dposition);
            free_problem(&p);
        }
    printf("check_cuda_encode %s, worst error/bound: R %.2f  dgenerator %.2f  dposition %.2f\n", call_type(bits), worst_of_all.R,
           worst_of_all.dgenerator, worst_of_all.dposition);
    so_ctx_destroy(ctx);
}
END_TEST

static void same_gradient(const problem *p, size_t first_group, const problem *q, const char *what)
{
    size_t generator = p->dims * p->square, rotation = p->tokens * p->square;
    ck_assert_msg(memcmp(p->R + first_group * rotation, q->R, q->groups * rotation * sizeof(double)) == 0, "tile %d: R %s",
                  p->e.tile, what);
    ck_assert_msg(memcmp(p->dgenerator + first_group * generator, q->dgenerator, q->groups * generator * sizeof(double)) == 0,
                  "tile %d: dgenerator %s", p->e.tile, what);
}

/* In other orders of threads and blocks, with unaligned pointers, without dposition, and one group alone. */
START_TEST(same_bits)
{
    static const int tiles[] = {3, 4, 8, 13, 16, 23, 32, 40};
    int bits = types[_i];
    so_ctx *ctx = cuda_context();
    for (int k = 0; k < 8; k++) {
        int groups = tiles[k] < 20 ? 5 : 2, tokens = tiles[k] < 20 ? 19 : 3;
        problem p = new_problem(bits, SO_AUTO, 2, tiles[k], groups, tokens, (uint64_t)(7200 + k));
        problem q = new_problem(bits, SO_AUTO, 2, tiles[k], groups, tokens, (uint64_t)(7200 + k)), one = q;
        ck_assert_int_eq(run(bits, ctx, &p), SO_OK);
        for (int order = 1; order <= 2; order++) {
            cuda_order(order);
            poison(&q);
            ck_assert_int_eq(run(bits, ctx, &q), SO_OK);
            same_gradient(&p, 0, &q, "in another order");
            ck_assert_mem_eq(p.dposition, q.dposition, p.tokens * p.dims * sizeof(double));
        }
        cuda_order(0);
        poison(&q);
        call_unaligned(1);
        ck_assert_int_eq(run(bits, ctx, &q), SO_OK);
        call_unaligned(0);
        same_gradient(&p, 0, &q, "with unaligned pointers");
        ck_assert_mem_eq(p.dposition, q.dposition, p.tokens * p.dims * sizeof(double));
        poison(&q);
        memcpy(q.R, p.R, p.groups * p.tokens * p.square * sizeof(double));
        ck_assert_int_eq(call_encode_vjp(bits, ctx, &q.e, q.position, q.generator, q.R, q.dR, q.dgenerator, NULL), SO_OK);
        same_gradient(&p, 0, &q, "without dposition");

        one.e.groups = 1, one.groups = 1;
        one.generator = q.generator + (p.groups - 1) * p.dims * p.square;
        one.dR = q.dR + (p.groups - 1) * p.tokens * p.square;
        poison(&one);
        ck_assert_int_eq(run(bits, ctx, &one), SO_OK);
        same_gradient(&p, p.groups - 1, &one, "of a group alone");
        free_problem(&p), free_problem(&q);
    }
    so_ctx_destroy(ctx);
}
END_TEST

/* ||x - y|| <= bound for each of `count` matrices; NaN fails. */
static void all_near(int n, size_t count, const double *x, const double *y, double bound, const char *what)
{
    double *E = reals((size_t)(n * n));
    for (size_t b = 0; b < count; b++) {
        for (size_t i = 0; i < (size_t)(n * n); i++)
            E[i] = x[b * (size_t)(n * n) + i] - y[b * (size_t)(n * n) + i];
        ck_assert_msg(frobenius(n, E) <= bound, "tile %d: %s %zu is off by %g > %g", n, what, b, frobenius(n, E), bound);
    }
    free(E);
}

/* As many tokens and groups as videos have (785 tokens, 12 layers of 12 heads: 113,040 matrices; in short the heads of one layer), against
 * the CPU in f64. The bounds are those of the contract at the largest angle and gradient there could be: what is looked for is a
 * matrix in a wrong place. */
START_TEST(as_many_as_videos_have)
{
    static const int tiles[] = {4, 5};
    const int n = tiles[_i], groups = test_short() ? 12 : 144, tokens = 785, dims = 3;
    problem p = new_problem(F32, SO_AUTO, dims, n, groups, tokens, (uint64_t)(7600 + n)), q = p;
    so_ctx *ctx = cuda_context(), *cpu;
    ck_assert_int_eq(so_ctx_create_cpu(&cpu, 0), SO_OK);
    q.R = reals(p.groups * p.tokens * p.square), q.dgenerator = reals(p.groups * p.dims * p.square);
    q.dposition = reals(p.tokens * p.dims);
    ck_assert_int_eq(run(F32, ctx, &p), SO_OK);
    ck_assert_int_eq(run(F64, cpu, &q), SO_OK);
    double u = call_u(F32), entry = 2 * M_PI * dims, rho = entry * n, formed = 2 * dims * u * rho, slope = 0;
    for (size_t b = 0; b < p.groups * p.tokens; b++)
        slope = fmax(slope, frobenius(n, p.dR + b * p.square));
    double slope_error = slope * (30 * u * (1 + rho / 10) + 2 * formed + (tokens + groups + n * n) * u);
    all_near(n, p.groups * p.tokens, p.R, q.R, (10 + 2 * rho) * u + formed, "R");
    all_near(n, p.groups * p.dims, p.dgenerator, q.dgenerator, tokens * slope_error, "dgenerator");
    all_near(1, p.tokens * p.dims, p.dposition, q.dposition, groups * n * entry * n * slope_error, "dposition");
    so_ctx_destroy(ctx), so_ctx_destroy(cpu);
    free(q.R), free(q.dgenerator), free(q.dposition);
    free_problem(&p);
}
END_TEST

/* What is not finite in one token, in R, dR or a position: NaN in the sums that it enters, all else as without it. */
START_TEST(non_finite)
{
    static const int tiles[] = {1, 3, 5, 9, 17};
    int bits = types[_i];
    so_ctx *ctx = cuda_context();
    for (int k = 0; k < 5; k++)
        for (int which = 0; which < 3; which++) {
            problem p = new_problem(bits, SO_AUTO, 2, tiles[k], 3, 11, (uint64_t)(7300 + k));
            problem q = new_problem(bits, SO_AUTO, 2, tiles[k], 3, 11, (uint64_t)(7300 + k));
            const size_t group = 1, token = 6, at = ((group + 1) * p.tokens - (p.tokens - token)) * p.square;
            ck_assert_int_eq(run(bits, ctx, &p), SO_OK);
            memcpy(q.R, p.R, p.groups * p.tokens * p.square * sizeof(double));
            if (which < 2)
                (which ? q.dR : q.R)[at + p.square - 1] = which ? -INFINITY : NAN;
            else
                q.position[token * 2 + 1] = INFINITY;
            ck_assert_int_eq(call_encode_vjp(bits, ctx, &q.e, q.position, q.generator, q.R, q.dR, q.dgenerator, q.dposition),
                             SO_ENONFINITE);
            for (size_t i = 0; i < p.groups * p.dims * p.square; i++) {
                int spoilt = which == 2 || i / p.square / p.dims == group;
                ck_assert_msg(spoilt ? isnan(q.dgenerator[i]) : q.dgenerator[i] == p.dgenerator[i],
                              "%s tile %d input %d: dgenerator[%zu] = %g, without it %g", call_type(bits), tiles[k], which, i,
                              q.dgenerator[i], p.dgenerator[i]);
            }
            for (size_t i = 0; i < p.tokens * p.dims; i++)
                ck_assert_msg(i / p.dims == token ? isnan(q.dposition[i]) : q.dposition[i] == p.dposition[i],
                              "%s tile %d input %d: dposition[%zu] = %g, without it %g", call_type(bits), tiles[k], which, i,
                              q.dposition[i], p.dposition[i]);
            ck_assert_int_eq(run(bits, ctx, &p), SO_OK); /* told once */
            free_problem(&p), free_problem(&q);
        }
    so_ctx_destroy(ctx);
}
END_TEST

/* No tokens or no groups: zeros, in no workspace. */
START_TEST(empty)
{
    int bits = types[_i];
    double generator[36] = {0}, dgenerator[36], position[10] = {0}, dposition[10];
    so_ctx *ctx = cuda_context();
    for (int i = 0; i < 36; i++)
        dgenerator[i] = 7;
    for (int i = 0; i < 10; i++)
        dposition[i] = 7;
    so_encoding no_tokens = {SO_AUTO, 2, 3, 2, 0}, no_groups = {SO_AUTO, 2, 3, 0, 5};
    ck_assert_int_eq(call_encode_vjp(bits, ctx, &no_tokens, NULL, generator, NULL, NULL, dgenerator, NULL), SO_OK);
    ck_assert_int_eq(call_encode_vjp(bits, ctx, &no_groups, position, NULL, NULL, NULL, NULL, dposition), SO_OK);
    for (int i = 0; i < 36; i++)
        ck_assert(dgenerator[i] == 0);
    for (int i = 0; i < 10; i++)
        ck_assert(dposition[i] == 0);
    ck_assert_uint_eq(so_workspace_bytes(ctx), 0);
    so_ctx_destroy(ctx);
}
END_TEST

/* The workspace: none for the map, and what so_cuda.h says for the gradient: never more than R and dposition's lengths. */
START_TEST(memory)
{
    static const int tokens[] = {1, 7, 8, 20, 65, 300};
    int bits = types[_i];
    for (int k = 0; k < 6; k++)
        for (int dims = 1; dims <= 4; dims += 3) {
            size_t real_bytes = bits == F32 ? 4 : 8;
            problem p = new_problem(bits, SO_POLYNOMIAL, dims, 6, 2, tokens[k], (uint64_t)(7400 + k));
            so_ctx *ctx = cuda_context();
            ck_assert_int_eq(call_encode(bits, ctx, &p.e, p.position, p.generator, p.R), SO_OK);
            ck_assert_uint_eq(so_workspace_bytes(ctx), 0);
            ck_assert_int_eq(call_encode_vjp(bits, ctx, &p.e, p.position, p.generator, p.R, p.dR, p.dgenerator, NULL), SO_OK);
            size_t sums = so_workspace_bytes(ctx), R = p.groups * p.tokens * p.square * real_bytes;
            size_t padded = p.groups * p.dims * 6 * 8 * real_bytes;
            ck_assert_msg(sums > 0 && sums <= (R > padded ? R : padded), "%d tokens, %d dims: %zu bytes, R has %zu", tokens[k],
                          dims, sums, R);
            ck_assert_int_eq(run(bits, ctx, &p), SO_OK);
            ck_assert_uint_eq(so_workspace_bytes(ctx), sums + p.groups * p.tokens * p.dims * real_bytes);
            so_ctx_destroy(ctx);
            free_problem(&p);
        }
}
END_TEST

Suite *check_cuda_encode(void)
{
    Suite *suite = suite_create("cuda_encode");
    TCase *tests = tcase_create("positions");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, contract, 0, 2);
    tcase_add_loop_test(tests, same_bits, 0, 2);
    tcase_add_loop_test(tests, as_many_as_videos_have, 0, 2);
    tcase_add_loop_test(tests, non_finite, 0, 2);
    tcase_add_loop_test(tests, empty, 0, 2);
    tcase_add_loop_test(tests, memory, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
