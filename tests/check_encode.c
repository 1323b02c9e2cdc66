/* check_encode.c: so_encode and its vjp: the contract, the same bits, what is not finite.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "oracle_campaign.h"
#include "oracle_encode.h"
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int types[] = {F64, F32};

static int wanted(so_method m, int tile)
{
    return campaign_wants(m) && campaign_wants_order(tile);
}

START_TEST(values)
{
    static const int tiles[] = {1, 2, 3, 4, 8, 16, 33, 64};
    static const int tokens[] = {13, 13, 150, 13, 70, 13, 4, 4}; /* the gradient cuts them in blocks of 64 */
    int bits = types[_i], held = 0;
    ratios worst_of_all = {0};
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 2), SO_OK);
    for (int k = 0; k < 8 - test_short(); k++)
        for (int m = 0; m < METHODS; m++)
            for (int dims = 1; dims <= 3 && wanted((so_method)m, tiles[k]); dims++, held++) {
                ratios now = {0};
                problem p = new_problem(bits, (so_method)m, dims, tiles[k], 1 + (k + dims) % 3, tokens[k],
                                        (uint64_t)(k * 100 + dims));
                ck_assert_int_eq(call_encode(bits, ctx, &p.e, p.position, p.generator, p.R), SO_OK);
                ck_assert_int_eq(call_encode_vjp(bits, ctx, &p.e, p.position, p.generator, p.R, p.dR, p.dgenerator, p.dposition),
                                 SO_OK);
                for (size_t g = 0; g < p.groups; g++) /* token 0 stands at the origin */
                    for (size_t i = 0; i < p.square; i++)
                        ck_assert(p.R[g * p.tokens * p.square + i] == (i % (size_t)(tiles[k] + 1) == 0 ? 1 : 0));
                check_values(bits, &p, &now);
                ck_assert_msg(now.R <= 1 && now.dgenerator <= 1 && now.dposition <= 1,
                              "%s %s tile %d dims %d: error/bound of R %.3g, dgenerator %.3g, dposition %.3g",
                              call_method((so_method)m), call_type(bits), tiles[k], dims, now.R, now.dgenerator, now.dposition);
                worst_of_all.R = fmax(worst_of_all.R, now.R);
                worst_of_all.dgenerator = fmax(worst_of_all.dgenerator, now.dgenerator);
                worst_of_all.dposition = fmax(worst_of_all.dposition, now.dposition);
                free_problem(&p);
            }
    printf("check_encode %s, %d encodings, worst error/bound: R %.2f  dgenerator %.2f  dposition %.2f\n", call_type(bits), held,
           worst_of_all.R, worst_of_all.dgenerator, worst_of_all.dposition);
    so_ctx_destroy(ctx);
}
END_TEST

/* In one dimension a generator is decomposed once: generators whose angles are equal, clustered, tiny beside each other or zero, of
 * even and odd order. Orthogonality does not depend on the norm. */
START_TEST(one_dimension)
{
    static const int tiles[] = {2, 5, 7, 8, 16, 17, 31, 64};
    static const double radii[] = {1e-9, 1, 30, 1000};
    int bits = types[_i], held = 0;
    ratios worst_of_all = {0};
    double worst_defect = 0, u = call_u(bits);
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 2), SO_OK);
    for (int k = 0; k < 8 - test_short(); k++)
        for (int i = 0; i < SHAPES * 4; i++) {
            ratios now = {0};
            shape s = (shape)(i % SHAPES);
            so_method m = i % 2 ? SO_AUTO : SO_EIGEN;
            if (!wanted(m, tiles[k]))
                continue;
            held++;
            problem p = new_problem(bits, m, 1, tiles[k], 2, tiles[k] > 31 ? 2 : 5, (uint64_t)(10000 + 100 * k + i));
            random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 6000 + (uint32_t)k, (uint64_t)i);
            for (size_t g = 0; g < p.groups; g++)
                make_skew(bits, tiles[k], s, radii[i / SHAPES], &r, p.generator + g * p.square);
            ck_assert_int_eq(call_encode(bits, ctx, &p.e, p.position, p.generator, p.R), SO_OK);
            ck_assert_int_eq(call_encode_vjp(bits, ctx, &p.e, p.position, p.generator, p.R, p.dR, p.dgenerator, p.dposition), SO_OK);
            check_values(bits, &p, &now);
            for (size_t t = 0; t < p.groups * p.tokens && p.e.method == SO_EIGEN; t++)
                raise_worst(&worst_defect, oracle_orthogonality(tiles[k], p.R + t * p.square) / sqrt(tiles[k]) / (16 * u));
            ck_assert_msg(now.R <= 1 && now.dgenerator <= 1 && now.dposition <= 1 && worst_defect <= 1,
                          "%s tile %d %s rho %g: error/bound of R %.3g, dgenerator %.3g, dposition %.3g, defect %.3g", call_type(bits),
                          tiles[k], shape_name(s), radii[i / SHAPES], now.R, now.dgenerator, now.dposition, worst_defect);
            worst_of_all.R = fmax(worst_of_all.R, now.R);
            worst_of_all.dgenerator = fmax(worst_of_all.dgenerator, now.dgenerator);
            worst_of_all.dposition = fmax(worst_of_all.dposition, now.dposition);
            free_problem(&p);
        }
    printf("check_encode %s, one dimension, %d encodings, worst error/bound: R %.2f  orthogonality %.2f  dgenerator %.2f  "
           "dposition %.2f\n",
           call_type(bits), held, worst_of_all.R, worst_defect, worst_of_all.dgenerator, worst_of_all.dposition);
    so_ctx_destroy(ctx);
}
END_TEST

/* The same bits with 1, 2 and 3 threads, with numbers below the diagonal in place of NaN, with fewer tokens, and without dposition;
 * dgenerator is skew. */
START_TEST(same_bits)
{
    int bits = types[_i % 2], dims = 1 + _i / 2;
    problem p = new_problem(bits, SO_AUTO, dims, 8, 3, 29, 1), q = new_problem(bits, SO_AUTO, dims, 8, 3, 29, 1);
    size_t generators = p.groups * p.dims * p.square;
    for (size_t i = 0; i < generators; i++)
        q.generator[i] = isnan(q.generator[i]) ? 7 : q.generator[i];
    for (int threads = 1; threads <= 3; threads++) {
        so_ctx *ctx;
        ck_assert_int_eq(test_context(&ctx, threads), SO_OK);
        problem *x = threads == 1 ? &p : &q;
        ck_assert_int_eq(call_encode(bits, ctx, &x->e, x->position, x->generator, x->R), SO_OK);
        ck_assert_int_eq(call_encode_vjp(bits, ctx, &x->e, x->position, x->generator, x->R, x->dR, x->dgenerator, x->dposition),
                         SO_OK);
        if (threads > 1) {
            ck_assert_mem_eq(p.R, q.R, p.groups * p.tokens * p.square * sizeof(double));
            ck_assert_mem_eq(p.dgenerator, q.dgenerator, generators * sizeof(double));
            ck_assert_mem_eq(p.dposition, q.dposition, p.tokens * p.dims * sizeof(double));
        }
        ck_assert_int_eq(call_encode_vjp(bits, ctx, &x->e, x->position, x->generator, x->R, x->dR, q.dgenerator, NULL), SO_OK);
        ck_assert_mem_eq(p.dgenerator, q.dgenerator, generators * sizeof(double));
        size_t few = threads == 1 ? 1 : 7; /* one by one, and in lanes */
        so_encoding fewer = p.e;
        fewer.tokens = (int64_t)few;
        ck_assert_int_eq(call_encode(bits, ctx, &fewer, p.position, p.generator, q.R), SO_OK);
        for (size_t g = 0; g < p.groups; g++)
            ck_assert_mem_eq(p.R + g * p.tokens * p.square, q.R + g * few * p.square, few * p.square * sizeof(double));
        so_ctx_destroy(ctx);
    }
    for (size_t i = 0; i < generators; i++)
        ck_assert(p.dgenerator[i] == -p.dgenerator[i / 64 * 64 + i % 8 * 8 + i % 64 / 8]);
    free_problem(&p), free_problem(&q);
}
END_TEST

/* A NaN in one position spoils that token in every group, one in a generator that group; the rest is unchanged. */
START_TEST(non_finite)
{
    int bits = types[_i % 2], dims = 1 + _i / 2;
    problem p = new_problem(bits, SO_AUTO, dims, 5, 3, 11, 2), q = new_problem(bits, SO_AUTO, dims, 5, 3, 11, 2);
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 2), SO_OK);
    ck_assert_int_eq(call_encode(bits, ctx, &p.e, p.position, p.generator, p.R), SO_OK);
    q.position[5 * dims - 1] = NAN;
    q.generator[2 * dims * 25 + 1] = INFINITY;
    ck_assert_int_eq(call_encode(bits, ctx, &q.e, q.position, q.generator, q.R), SO_ENONFINITE);
    for (size_t g = 0; g < 3; g++)
        for (size_t t = 0; t < 11; t++)
            for (size_t i = 0; i < 25; i++) {
                size_t at = (g * 11 + t) * 25 + i;
                ck_assert_msg(t == 4 || g == 2 ? isnan(q.R[at]) : q.R[at] == p.R[at], "%s group %zu token %zu: %g, without NaN %g",
                              call_type(bits), g, t, q.R[at], p.R[at]);
            }
    /* the gradient: of a position, that position's; of the generators, all that the token enters */
    memcpy(q.generator, p.generator, p.groups * p.dims * p.square * sizeof(double));
    ck_assert_int_eq(call_encode_vjp(bits, ctx, &p.e, p.position, p.generator, p.R, p.dR, p.dgenerator, p.dposition), SO_OK);
    ck_assert_int_eq(call_encode_vjp(bits, ctx, &q.e, q.position, q.generator, p.R, p.dR, q.dgenerator, q.dposition),
                     SO_ENONFINITE);
    for (size_t i = 0; i < p.tokens * p.dims; i++)
        ck_assert(i / p.dims == 4 ? isnan(q.dposition[i]) : q.dposition[i] == p.dposition[i]);
    for (size_t i = 0; i < p.groups * p.dims * p.square; i++)
        ck_assert(isnan(q.dgenerator[i]));
    so_ctx_destroy(ctx);
    free_problem(&p), free_problem(&q);
}
END_TEST

/* Position times generator beyond the largest number: NaN for that token, in one dimension as in two. */
START_TEST(overflow)
{
    int bits = types[_i % 2], dims = 1 + _i / 2;
    problem p = new_problem(bits, SO_AUTO, dims, 6, 2, 9, 3);
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    p.generator[p.dims * p.square + 1] = call_round(bits, 0.75 * (bits == F32 ? (double)FLT_MAX : DBL_MAX));
    p.position[6 * p.dims] = -2;
    ck_assert_int_eq(call_encode(bits, ctx, &p.e, p.position, p.generator, p.R), SO_ENONFINITE);
    for (size_t i = 0; i < p.groups * p.tokens * p.square; i++)
        ck_assert_msg(!isfinite(p.R[i]) == (i / p.square == p.tokens + 6), "%s dims %d: R[%zu] = %g", call_type(bits), dims, i, p.R[i]);
    so_ctx_destroy(ctx);
    free_problem(&p);
}
END_TEST

/* Without tokens the gradient of the generators is zero, not what the memory held; that takes no workspace. */
START_TEST(no_tokens)
{
    int bits = types[_i];
    so_encoding e = {SO_AUTO, 2, 3, 1, 0};
    double generator[18] = {0}, dgenerator[18];
    so_ctx *ctx;
    for (int i = 0; i < 18; i++)
        dgenerator[i] = 7;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    ck_assert_int_eq(call_encode_vjp(bits, ctx, &e, NULL, generator, NULL, NULL, dgenerator, NULL), SO_OK);
    for (int i = 0; i < 18; i++)
        ck_assert(dgenerator[i] == 0);
    ck_assert_uint_eq(so_workspace_bytes(ctx), 0);
    so_ctx_destroy(ctx);
}
END_TEST

/* Scaling dR by a power of two scales both gradients exactly, also beyond where the product of two of its entries is a number. */
START_TEST(scaling)
{
    int bits = types[_i % 2], dims = 1 + _i / 2, power = bits == F32 ? 70 : 600;
    problem p = new_problem(bits, SO_AUTO, dims, 8, 2, 11, 3);
    size_t generators = p.groups * p.dims * p.square, positions = p.tokens * p.dims;
    double *dgenerator = reals(generators), *dposition = reals(positions);
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    ck_assert_int_eq(call_encode(bits, ctx, &p.e, p.position, p.generator, p.R), SO_OK);
    ck_assert_int_eq(call_encode_vjp(bits, ctx, &p.e, p.position, p.generator, p.R, p.dR, dgenerator, dposition), SO_OK);
    for (int sign = -1; sign <= 1; sign += 2) {
        problem q = p;
        q.dR = reals(p.groups * p.tokens * p.square);
        for (size_t i = 0; i < p.groups * p.tokens * p.square; i++)
            q.dR[i] = ldexp(p.dR[i], sign * power);
        ck_assert_int_eq(call_encode_vjp(bits, ctx, &q.e, q.position, q.generator, q.R, q.dR, q.dgenerator, q.dposition), SO_OK);
        for (size_t i = 0; i < generators; i++)
            ck_assert(q.dgenerator[i] == ldexp(dgenerator[i], sign * power));
        for (size_t i = 0; i < positions; i++)
            ck_assert(q.dposition[i] == ldexp(dposition[i], sign * power));
        free(q.dR);
    }
    so_ctx_destroy(ctx);
    free_problem(&p), free(dgenerator), free(dposition);
}
END_TEST

/* A generator of order 1 has no entries, its positions are read nevertheless. */
START_TEST(order_one)
{
    int bits = types[_i];
    so_encoding e = {SO_AUTO, 2, 1, 1, 3};
    double position[6] = {1, 2, 3, NAN, 5, 6}, generator[2] = {0, 0}, R[3];
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    ck_assert_int_eq(call_encode(bits, ctx, &e, position, generator, R), SO_ENONFINITE);
    ck_assert(R[0] == 1 && isnan(R[1]) && R[2] == 1);
    so_ctx_destroy(ctx);
}
END_TEST

Suite *check_encode(void)
{
    Suite *suite = suite_create("encode");
    TCase *tests = tcase_create("positions");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, values, 0, 2);
    tcase_add_loop_test(tests, one_dimension, 0, 2);
    tcase_add_loop_test(tests, same_bits, 0, 4);
    tcase_add_loop_test(tests, non_finite, 0, 4);
    tcase_add_loop_test(tests, overflow, 0, 4);
    tcase_add_loop_test(tests, no_tokens, 0, 2);
    tcase_add_loop_test(tests, scaling, 0, 4);
    tcase_add_loop_test(tests, order_one, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
