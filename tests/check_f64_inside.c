/* check_f64_inside.c: so_ctx_set_f64_inside: every f32 result is the rounded result of the f64 function, bit for bit, whatever the
 * pieces of the batch; NaN stays in its own matrix; memory.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_context.h"
#include "libso/context.h"
#include "oracle_campaign.h"
#include "oracle_encode.h"

static so_ctx *inside, *plain;

/* A context without workspace in the place of `inside`. */
static void fresh(int threads)
{
    so_ctx_destroy(inside);
    ck_assert_int_eq(test_context(&inside, threads), SO_OK);
    ck_assert_int_eq(so_ctx_set_f64_inside(inside, 1), SO_OK);
}

static void setup(void)
{
    inside = NULL;
    fresh(2);
    ck_assert_int_eq(test_context(&plain, 2), SO_OK);
}

static void teardown(void)
{
    so_ctx_destroy(inside), so_ctx_destroy(plain);
}

/* Pieces have 2^22 numbers in all. `several`: so that there are three of jobs of so many numbers. */
static int64_t several(int64_t numbers)
{
    return test_on_cuda() ? 3 : 2 * (((int64_t)1 << 22) / numbers) + 1;
}

static void same_rounded(const double *rounded, const double *wide, size_t count, const char *what, int n, int method)
{
    size_t i = 0;
    while (i < count && rounded[i] == (double)(float)wide[i])
        i++;
    ck_assert_msg(i == count, "%s n %d %s, number %zu: %a is not the rounded %a", what, n, call_method((so_method)method), i,
                  rounded[i], wide[i]);
}

typedef struct operands {
    int n;
    int64_t batch;
    size_t count;
    double *A, *E, *R, *L, *wide_R, *wide_L;
} operands;

/* Matrices of all shapes, repeated to fill the batch; E: upstream gradients. */
static operands new_operands(int n, int64_t batch)
{
    enum { DISTINCT = 40 };
    size_t size = (size_t)(n * n), count = (size_t)batch * size;
    operands o = {n, batch, count, reals(count), reals(count), reals(count), reals(count), reals(count), reals(count)};
    for (size_t b = 0; b < (size_t)batch; b++) {
        random_sequence r;
        if (b >= DISTINCT) {
            memcpy(o.A + b * size, o.A + (b - DISTINCT) * size, size * sizeof *o.A);
            memcpy(o.E + b * size, o.E + (b - DISTINCT) * size, size * sizeof *o.E);
            continue;
        }
        campaign_matrix(F32, n, (long)b, o.A + b * size, &r);
        make_dense(F32, n, 1, &r, o.E + b * size);
    }
    return o;
}

static void free_operands(operands *o)
{
    free(o->A), free(o->E), free(o->R), free(o->L), free(o->wide_R), free(o->wide_L);
}

static const int orders[] = {1, 2, 3, 4, 5, 8, 17, 33, 64, 65};
enum { ORDERS = sizeof orders / sizeof *orders };

static void compare_maps(int n, int64_t batch, so_method m)
{
    operands o = new_operands(n, batch);
    ck_assert_int_eq(call_exp(F64, plain, m, n, batch, o.A, o.wide_R), SO_OK);
    ck_assert_int_eq(call_exp(F32, inside, m, n, batch, o.A, o.R), SO_OK);
    same_rounded(o.R, o.wide_R, o.count, "exp", n, m);

    for (size_t i = 0; i < o.count; i++)
        o.R[i] = 7; /* not read */
    ck_assert_int_eq(call_exp_vjp(F64, plain, m, n, batch, o.A, o.wide_R, o.E, o.wide_L), SO_OK);
    ck_assert_int_eq(call_exp_vjp(F32, inside, m, n, batch, o.A, o.R, o.E, o.L), SO_OK);
    same_rounded(o.L, o.wide_L, o.count, "vjp", n, m);
    fresh(2);
    ck_assert_int_eq(call_exp_vjp(F32, inside, m, n, batch, o.A, o.R, o.E, o.R), SO_OK);
    ck_assert_mem_eq(o.R, o.L, o.count * sizeof *o.R);
    fresh(2);
    memcpy(o.R, o.E, o.count * sizeof *o.R);
    ck_assert_int_eq(call_exp_vjp(F32, inside, m, n, batch, o.A, o.A, o.R, o.R), SO_OK);
    ck_assert_mem_eq(o.R, o.L, o.count * sizeof *o.R);

    ck_assert_int_eq(call_exp_jvp(F64, plain, m, n, batch, o.A, o.E, o.wide_R, o.wide_L), SO_OK);
    ck_assert_int_eq(call_exp_jvp(F32, inside, m, n, batch, o.A, o.E, o.R, o.L), SO_OK);
    same_rounded(o.R, o.wide_R, o.count, "R of the jvp", n, m);
    same_rounded(o.L, o.wide_L, o.count, "jvp", n, m);

    fresh(2);
    ck_assert_int_eq(call_exp(F32, inside, m, n, batch, o.A, o.A), SO_OK);
    same_rounded(o.A, o.wide_R, o.count, "exp in place", n, m);
    free_operands(&o);
}

START_TEST(maps)
{
    for (int m = 0; m < METHODS; m++)
        if (campaign_wants((so_method)m))
            compare_maps(orders[_i], test_on_cuda() && orders[_i] > 33 ? 2 : 40, (so_method)m);
}
END_TEST

START_TEST(pieces)
{
    int n = test_on_cuda() ? 5 : 64;
    compare_maps(n, several(4 * n * n), SO_AUTO);
}
END_TEST

/* In place, where a later piece could want more workspace than the first one: more jobs of few matrices, for so many threads. */
START_TEST(later_piece)
{
    enum { THREADS = 200, ORDER = 32, MATRICES = 1365 + 1362 };
    if (test_short() || test_on_cuda())
        return;
    operands o = new_operands(ORDER, MATRICES);
    ck_assert_int_eq(call_exp_vjp(F32, inside, SO_AUTO, ORDER, MATRICES, o.A, o.A, o.E, o.L), SO_OK);
    fresh(THREADS);
    ck_assert_int_eq(call_exp_vjp(F32, inside, SO_AUTO, ORDER, MATRICES, o.A, o.A, o.E, o.E), SO_OK);
    ck_assert_mem_eq(o.E, o.L, o.count * sizeof *o.E);
    free_operands(&o);
}
END_TEST

/* As many matrices at a time as there are threads, of which one is larger than a third of a piece. */
START_TEST(few_large_matrices)
{
    enum { ORDER = 1300, MATRICES = 3 };
    if (test_short() || test_on_cuda())
        return;
    size_t count = (size_t)MATRICES * ORDER * ORDER;
    double *A = reals(count), *R = reals(count), *wide_R = reals(count);
    for (size_t i = 0; i < count; i++)
        A[i] = call_round(F32, sin(1.0 + (double)i) / 40);
    ck_assert_int_eq(call_exp(F64, plain, SO_CAYLEY, ORDER, MATRICES, A, wide_R), SO_OK);
    ck_assert_int_eq(call_exp(F32, inside, SO_CAYLEY, ORDER, MATRICES, A, R), SO_OK);
    same_rounded(R, wide_R, count, "exp", ORDER, SO_CAYLEY);
    ck_assert_uint_ge(so_workspace_bytes(inside), 2 * (size_t)ORDER * ORDER * sizeof(double));
    free(A), free(R), free(wide_R);
}
END_TEST

/* What can be bit for bit is; dposition, when its groups come in pieces, is summed in another order. */
static void compare_encodings(so_method method, int dims, int tile, int64_t groups, int64_t tokens, int one_piece)
{
    problem p = new_problem(F32, method, dims, tile, (int)groups, (int)tokens, 77);
    size_t rotations = p.groups * p.tokens * p.square, generators = p.groups * p.dims * p.square, positions = p.tokens * p.dims;
    double *R = reals(rotations), *dgenerator = reals(generators), *dposition = reals(positions);
    ck_assert_int_eq(call_encode(F64, plain, &p.e, p.position, p.generator, R), SO_OK);
    ck_assert_int_eq(call_encode(F32, inside, &p.e, p.position, p.generator, p.R), SO_OK);
    same_rounded(p.R, R, rotations, "encode", tile, (int)method);
    ck_assert_int_eq(call_encode_vjp(F64, plain, &p.e, p.position, p.generator, R, p.dR, dgenerator, dposition), SO_OK);
    for (size_t i = 0; i < rotations; i++)
        p.R[i] = 7; /* not read */
    for (int wanted = 0; wanted < 2; wanted++) {
        ck_assert_int_eq(call_encode_vjp(F32, inside, &p.e, p.position, p.generator, p.R, p.dR, p.dgenerator,
                                         wanted ? p.dposition : NULL), SO_OK);
        same_rounded(p.dgenerator, dgenerator, generators, "dgenerator", tile, (int)method);
    }
    double largest = 0;
    for (size_t i = 0; i < positions; i++)
        largest = fmax(largest, fabs(dposition[i]));
    if (one_piece)
        same_rounded(p.dposition, dposition, positions, "dposition", tile, (int)method);
    for (size_t i = 0; i < positions; i++) /* u of each number, and sums in f64 whose terms may cancel */
        ck_assert_msg(fabs(p.dposition[i] - dposition[i]) <= 0x1p-24 * fabs(dposition[i]) + 1e-12 * largest, "dposition %zu: %a, %a", i,
                      p.dposition[i], dposition[i]);
    free(R), free(dgenerator), free(dposition), free_problem(&p);
}

START_TEST(encodings)
{
    static const int tiles[] = {1, 2, 3, 4, 5, 16, 33};
    for (int k = 0; k < 7; k++)
        for (int dims = 1; dims <= 3; dims++)
            compare_encodings(SO_AUTO, dims, tiles[k], 3, test_on_cuda() ? 3 : 40, 1);
    for (int m = SO_POLYNOMIAL; m < METHODS; m++)
        if (campaign_wants((so_method)m))
            compare_encodings((so_method)m, 2, 7, 2, test_on_cuda() ? 3 : 40, 1);
}
END_TEST

/* Runs of tokens of one group, whose gradient is a piece of its own; several groups in a piece. */
START_TEST(encodings_in_pieces)
{
    if (test_short() || test_on_cuda())
        return; /* the loops are the same, the matrices would be too many for the shim */
    compare_encodings(SO_AUTO, 2, 64, 2, 1100, 0);
    compare_encodings(SO_AUTO, 2, 64, 12, 100, 0);
}
END_TEST

/* Every number, also of more than one block of threads; rounded to nearest even, Inf and NaN kept. */
START_TEST(conversions)
{
    enum { COUNT = 20011 };
    static float narrow[COUNT], back[COUNT];
    static double wide[COUNT], sum[COUNT];
    for (int k = 0; k < COUNT; k++) {
        narrow[k] = k == 0 ? INFINITY : sinf((float)k);
        wide[k] = k == 0 ? NAN : k == 1 ? 1e300 : k == 2 ? 1 + 0x1p-24 : k == 3 ? 1 + 3 * 0x1p-24 : sin(k);
    }
    const so_backend *b = &inside->backend;
    if (test_on_cuda()) {
        void *x = cuda_array(narrow, sizeof narrow), *y = cuda_array(NULL, sizeof wide), *z = cuda_array(wide, sizeof wide);
        ck_assert_int_eq(b->widen(inside, COUNT, x, y), SO_OK);
        ck_assert_int_eq(b->narrow(inside, COUNT, z, x), SO_OK);
        ck_assert_int_eq(b->add(inside, COUNT, z, y), SO_OK);
        ck_assert_int_eq(cuda_finish(inside, SO_OK), SO_OK);
        cuda_read(back, x, sizeof back), cuda_read(sum, y, sizeof sum);
        cuda_free(x), cuda_free(y), cuda_free(z);
    } else {
        ck_assert_int_eq(b->widen(inside, COUNT, narrow, sum), SO_OK);
        ck_assert_int_eq(b->narrow(inside, COUNT, wide, back), SO_OK);
        ck_assert_int_eq(b->add(inside, COUNT, wide, sum), SO_OK);
    }
    ck_assert(isnan(back[0]) && back[1] == INFINITY && back[2] == 1 && back[3] == 1 + 0x1p-22f && isnan(sum[0]));
    for (int k = 4; k < COUNT; k++)
        ck_assert(back[k] == (float)wide[k] && sum[k] == (double)narrow[k] + wide[k]);
}
END_TEST

START_TEST(nothing_and_too_much)
{
    float position[2] = {1, 2}, generator[4] = {0}, dgenerator[4] = {7, 7, 7, 7}, dposition[2] = {7, 7};
    if (test_on_cuda())
        return; /* the arrays are the host's */
    so_encoding no_groups = {SO_AUTO, 1, 2, 0, 2}, no_tokens = {SO_AUTO, 1, 2, 1, 0};
    ck_assert_int_eq(so_encode_vjp_f32(inside, &no_groups, position, NULL, NULL, NULL, NULL, dposition), SO_OK);
    ck_assert(dposition[0] == 0 && dposition[1] == 0);
    ck_assert_int_eq(so_encode_vjp_f32(inside, &no_tokens, NULL, generator, NULL, NULL, dgenerator, NULL), SO_OK);
    ck_assert(dgenerator[0] == 0 && dgenerator[3] == 0);
    ck_assert_int_eq(so_exp_f32(inside, SO_AUTO, 0, 5, NULL, NULL), SO_OK);

    /* As much as api.c allows: more than can be had. */
    so_encoding vast = {SO_AUTO, 64, 8, 1, ((int64_t)1 << 55) - 1};
    ck_assert_int_eq(so_encode_f32(inside, &vast, position, generator, dgenerator), SO_ENOMEM);
    ck_assert_int_eq(so_encode_vjp_f32(inside, &vast, position, generator, generator, generator, dgenerator, dposition), SO_ENOMEM);
}
END_TEST

/* A NaN in one matrix of the first of three pieces, then in one of the last. */
START_TEST(statuses)
{
    int n = test_on_cuda() ? 2 : 32;
    int64_t batch = several(3 * n * n);
    operands o = new_operands(n, batch);
    size_t size = (size_t)(n * n), last = (size_t)(batch - 1) * size;
    o.A[size + 1] = NAN;
    ck_assert_int_eq(call_exp(F64, plain, SO_AUTO, n, batch, o.A, o.wide_R), SO_ENONFINITE);
    ck_assert_int_eq(call_exp_vjp(F64, plain, SO_AUTO, n, batch, o.A, o.wide_R, o.E, o.wide_L), SO_ENONFINITE);
    ck_assert_int_eq(call_exp_vjp(F32, inside, SO_AUTO, n, batch, o.A, o.R, o.E, o.L), SO_ENONFINITE);
    for (size_t i = 0; i < size; i++)
        ck_assert(isnan(o.L[size + i]));
    same_rounded(o.L, o.wide_L, size, "vjp", n, SO_AUTO);
    same_rounded(o.L + 2 * size, o.wide_L + 2 * size, o.count - 2 * size, "vjp", n, SO_AUTO);
    o.A[size + 1] = 0;
    o.A[last + 1] = INFINITY;
    ck_assert_int_eq(call_exp_vjp(F32, inside, SO_AUTO, n, batch, o.A, o.R, o.E, o.L), SO_ENONFINITE);
    ck_assert(!isnan(o.L[0]) && isnan(o.L[last]));
    ck_assert_int_eq(call_exp(F32, inside, SO_AUTO, n, batch, o.E, o.R), SO_OK); /* the status is that of the call */
    free_operands(&o);
}
END_TEST

START_TEST(switched)
{
    int n = 8;
    operands o = new_operands(n, 40);
    ck_assert_int_eq(call_exp(F32, plain, SO_AUTO, n, 40, o.A, o.wide_R), SO_OK);
    ck_assert_int_eq(call_exp(F32, inside, SO_AUTO, n, 40, o.A, o.R), SO_OK);
    ck_assert(memcmp(o.R, o.wide_R, o.count * sizeof *o.R) != 0);
    ck_assert_int_eq(so_ctx_set_f64_inside(inside, 1), SO_OK); /* on already */
    ck_assert_int_eq(so_ctx_set_f64_inside(inside, 0), SO_OK);
    ck_assert_int_eq(call_exp(F32, inside, SO_AUTO, n, 40, o.A, o.R), SO_OK);
    ck_assert_mem_eq(o.R, o.wide_R, o.count * sizeof *o.R);
    ck_assert_int_eq(so_ctx_set_f64_inside(inside, 0), SO_OK);
    ck_assert_int_eq(so_ctx_set_f64_inside(NULL, 1), SO_ENULL);
    free_operands(&o);
}
END_TEST

/* With the workspace of a first call nothing is allocated any more; with a byte less nothing is written. */
START_TEST(workspaces)
{
    for (int kind = 0; kind < 5; kind++)
        for (int m = 0; m < METHODS; m++) {
            if (!campaign_wants((so_method)m))
                continue;
            problem p = new_problem(F32, (so_method)m, 2, 9, 3, 5, 78);
            operands o = new_operands(9, 15);
            size_t bytes = 0;
            void *memory = NULL;
            for (int turn = 0; turn < 3; turn++) { /* to learn the size, with too little, with enough */
                so_ctx *ctx;
                ck_assert_int_eq(test_context(&ctx, 2), SO_OK);
                ck_assert_int_eq(so_ctx_set_f64_inside(ctx, 1), SO_OK);
                if (turn > 0)
                    ck_assert_int_eq(so_ctx_set_workspace(ctx, memory = test_workspace(bytes), bytes - (turn == 1)), SO_OK);
                for (size_t i = 0; i < o.count; i++)
                    o.R[i] = p.R[i] = 7;
                so_status status = kind == 0   ? call_exp(F32, ctx, (so_method)m, 9, 15, o.A, o.R)
                                   : kind == 1 ? call_exp_vjp(F32, ctx, (so_method)m, 9, 15, o.A, o.R, o.E, o.R)
                                   : kind == 2 ? call_encode(F32, ctx, &p.e, p.position, p.generator, p.R)
                                   : kind == 3 ? call_encode_vjp(F32, ctx, &p.e, p.position, p.generator, p.dR, p.dR, p.R, p.dposition)
                                               : call_exp_jvp(F32, ctx, (so_method)m, 9, 15, o.A, o.E, o.R, o.L);
                ck_assert_msg(status == (turn == 1 ? SO_EWORKSPACE : SO_OK), "kind %d %s, turn %d, %zu bytes: status %d", kind,
                              call_method((so_method)m), turn, bytes, (int)status);
                for (size_t i = 0; i < o.count && turn == 1; i++)
                    ck_assert(o.R[i] == 7 && p.R[i] == 7);
                bytes = so_workspace_bytes(ctx);
                if (turn == 1)
                    bytes++;
                so_ctx_destroy(ctx);
                if (turn > 0)
                    test_workspace_free(memory);
            }
            free_operands(&o), free_problem(&p);
        }
}
END_TEST

Suite *check_f64_inside(void)
{
    Suite *suite = suite_create("f64_inside");
    TCase *tests = tcase_create("f64_inside");
    tcase_set_timeout(tests, 300);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, maps, 0, ORDERS);
    tcase_add_test(tests, pieces);
    tcase_add_test(tests, later_piece);
    tcase_add_test(tests, few_large_matrices);
    tcase_add_test(tests, conversions);
    tcase_add_test(tests, encodings);
    tcase_add_test(tests, encodings_in_pieces);
    tcase_add_test(tests, nothing_and_too_much);
    tcase_add_test(tests, statuses);
    tcase_add_test(tests, switched);
    tcase_add_test(tests, workspaces);
    suite_add_tcase(suite, tests);
    return suite;
}
