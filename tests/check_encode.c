/* check_encode.c: so_encode and its vjp against the exponential of the token-wise generators, summed here.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "oracle_campaign.h"
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int types[] = {F64, F32};

typedef struct problem {
    so_encoding e;
    size_t square, tokens, dims, groups;
    double *position, *generator, *R, *dR, *dgenerator, *dposition;
} problem;

static double *reals(size_t count)
{
    double *x = malloc((count + 1) * sizeof *x);
    ck_assert_ptr_nonnull(x);
    return x;
}

/* Positions on [-1, 1), the first one 0; generators with entries 2 pi U(0, 1), as LieRE starts, and NaN where nobody reads. */
static problem new_problem(int bits, so_method method, int dims, int tile, int groups, int tokens, uint64_t number)
{
    problem p = {.e = {method, dims, tile, groups, tokens}, .square = (size_t)(tile * tile)};
    random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 5000, number);
    p.tokens = (size_t)tokens, p.dims = (size_t)dims, p.groups = (size_t)groups;
    p.position = reals(p.tokens * p.dims), p.dposition = reals(p.tokens * p.dims);
    p.generator = reals(p.groups * p.dims * p.square), p.dgenerator = reals(p.groups * p.dims * p.square);
    p.R = reals(p.groups * p.tokens * p.square), p.dR = reals(p.groups * p.tokens * p.square);
    for (size_t i = 0; i < p.tokens * p.dims; i++)
        p.position[i] = i < p.dims ? 0 : call_round(bits, 2 * uniform53(&r) - 1);
    for (size_t i = 0; i < p.groups * p.dims * p.square; i++) {
        size_t row = i % p.square / (size_t)tile, column = i % (size_t)tile;
        p.generator[i] = row < column ? call_round(bits, 2 * M_PI * uniform53(&r)) : NAN;
    }
    for (size_t i = 0; i < p.groups * p.tokens * p.square; i++)
        p.dR[i] = call_round(bits, normal53(&r));
    return p;
}

static void free_problem(problem *p)
{
    free(p->position), free(p->generator), free(p->R), free(p->dR), free(p->dgenerator), free(p->dposition);
}

/* The exponent of group g and token t, summed in the working type with one rounding per dimension, and, normalised like the
 * contract, the sum of what was added: one rounding per dimension errs by at most dims u times that. */
static double exponent(int bits, const problem *p, size_t g, size_t t, double *A)
{
    double sum = 0;
    for (size_t i = 0; i < p->square; i++) {
        double total = 0, size = 0;
        for (size_t d = 0; d < p->dims; d++) {
            double x = p->position[t * p->dims + d], y = p->generator[(g * p->dims + d) * p->square + i];
            total = call_round(bits, fma(x, y, total));
            size += fabs(x * y);
        }
        A[i] = total;
        if (i / (size_t)p->e.tile < i % (size_t)p->e.tile)
            sum += 2 * size * size;
    }
    return sqrt(sum / p->e.tile);
}

/* Largest ratio of an error to its bound. The exponent's own roundings move R by their size and dA by twice that times ||dR||
 * (phi' is 1/2 at most, and ad doubles the norm); on each side there is one exponent. */
typedef struct ratios {
    double R, dgenerator, dposition;
} ratios;

static void raise_worst(double *most, double ratio)
{
    if (!(ratio <= *most))
        *most = isnan(ratio) ? INFINITY : ratio;
}

static void check_values(int bits, const problem *p, ratios *out)
{
    int n = p->e.tile;
    double u = call_u(bits), *A = reals(p->square), *E = reals(p->square);
    double *generator_sum = calloc(p->groups * p->dims * p->square, sizeof(double));
    double *generator_bound = calloc(p->groups * p->dims, sizeof(double));
    double *position_sum = calloc(p->tokens * p->dims, sizeof(double));
    double *position_bound = calloc(p->tokens * p->dims, sizeof(double));
    oracle_pair exact = oracle_new(n), dA = oracle_new(n);
    for (size_t g = 0; g < p->groups; g++)
        for (size_t t = 0; t < p->tokens; t++) {
            size_t at = (g * p->tokens + t) * p->square;
            double formed = 2 * (double)p->dims * u * exponent(bits, p, g, t, A), rho = spectral_norm(n, A);
            (p->e.method == SO_CAYLEY ? oracle_cayley : oracle_exp)(n, A, NULL, &exact, NULL);
            oracle_vjp(p->e.method == SO_CAYLEY, n, A, p->dR + at, &dA);
            raise_worst(&out->R, distance(n, p->R + at, exact) / ((10 + 2 * rho) * u + formed));
            double slope = frobenius(n, p->dR + at), slope_error = slope * (30 * u * (1 + rho / 10) + 2 * formed);
            for (size_t d = 0; d < p->dims; d++) {
                const double *generator = p->generator + (g * p->dims + d) * p->square;
                double x = p->position[t * p->dims + d], norm = skew_frobenius(n, generator), inner = 0;
                for (size_t i = 0; i < p->square; i++) {
                    generator_sum[(g * p->dims + d) * p->square + i] += x * dA.hi[i];
                    if (i / (size_t)n < i % (size_t)n)
                        inner += 2 * dA.hi[i] * generator[i];
                }
                generator_bound[g * p->dims + d] += fabs(x) * (slope_error + ((double)p->tokens + 2) * u * slope);
                position_sum[t * p->dims + d] += inner;
                position_bound[t * p->dims + d] +=
                    n * norm * (slope_error + ((double)(p->square + p->groups) + 2) * u * slope);
            }
        }
    for (size_t k = 0; k < p->groups * p->dims; k++) {
        for (size_t i = 0; i < p->square; i++)
            E[i] = p->dgenerator[k * p->square + i] - generator_sum[k * p->square + i];
        double error = frobenius(n, E);
        raise_worst(&out->dgenerator, error == 0 ? 0 : error / generator_bound[k]);
    }
    for (size_t k = 0; k < p->tokens * p->dims; k++) {
        double error = fabs(p->dposition[k] - position_sum[k]);
        raise_worst(&out->dposition, error == 0 ? 0 : error / position_bound[k]);
    }
    oracle_free(&exact), oracle_free(&dA);
    free(A), free(E), free(generator_sum), free(generator_bound), free(position_sum), free(position_bound);
}

START_TEST(values)
{
    static const int tiles[] = {1, 2, 3, 4, 8, 16, 33, 64};
    static const int tokens[] = {13, 13, 150, 13, 70, 13, 4, 4}; /* the gradient cuts them in blocks of 64 */
    int bits = types[_i];
    ratios worst_of_all = {0};
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 2), SO_OK);
    for (int k = 0; k < 8 - test_short(); k++)
        for (int m = 0; m < METHODS; m++)
            for (int dims = 1; dims <= 3; dims++) {
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
    printf("check_encode %s, worst error/bound: R %.2f  dgenerator %.2f  dposition %.2f\n", call_type(bits), worst_of_all.R,
           worst_of_all.dgenerator, worst_of_all.dposition);
    so_ctx_destroy(ctx);
}
END_TEST

/* In one dimension a generator is decomposed once: generators whose angles are equal, clustered, tiny beside each other or zero, of
 * even and odd order. Orthogonality does not depend on the norm. */
START_TEST(one_dimension)
{
    static const int tiles[] = {2, 5, 7, 8, 16, 17, 31, 64};
    static const double radii[] = {1e-9, 1, 30, 1000};
    int bits = types[_i];
    ratios worst_of_all = {0};
    double worst_defect = 0, u = call_u(bits);
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 2), SO_OK);
    for (int k = 0; k < 8 - test_short(); k++)
        for (int i = 0; i < SHAPES * 4; i++) {
            ratios now = {0};
            shape s = (shape)(i % SHAPES);
            problem p = new_problem(bits, i % 2 ? SO_AUTO : SO_EIGEN, 1, tiles[k], 2, tiles[k] > 31 ? 2 : 5, (uint64_t)(10000 + 100 * k + i));
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
    printf("check_encode %s, one dimension, worst error/bound: R %.2f  orthogonality %.2f  dgenerator %.2f  dposition %.2f\n",
           call_type(bits), worst_of_all.R, worst_defect, worst_of_all.dgenerator, worst_of_all.dposition);
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
