/* check_failures.c: what so.h promises when something under libso fails. Memory: the call returns SO_ENOMEM, writes nothing,
 * leaks nothing, and the context works as before. An SVD that does not converge: NaN for that matrix alone. And how much memory a call
 * takes.
 * SPDX-License-Identifier: MIT */
#include "failure.h"
#include "oracle_call.h"
#include "oracle_matrices.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 33, BATCH = 3, SIZE = BATCH * N * N };
enum {
    ENCODE,
    ENCODE_VJP,
    ENCODE_MANY,
    ENCODE_MANY_VJP,
    ENCODE_LINE,
    ENCODE_LINE_VJP,
    EXP,
    VJP,
    JVP,
    TAKE_METHOD, /* those before it */
    CAYLEY = TAKE_METHOD,
    CAYLEY_VJP,
    CAYLEY_JVP,
    LOG,
    LOG_VJP,
    CAYLEY_INVERSE,
    CAYLEY_INVERSE_VJP,
    PACK,
    UNPACK,
    ORTHOGONALITY,
    PROJECT,
    PROJECT_VJP,
    ROTATE,
    ROTATE_VJP,
    KINDS
};

/* The encoding of a kind before EXP: of as many groups of one token, of as many tokens in 3 dimensions, or in one. */
static so_encoding encoding_of(int kind, so_method m, int n, int64_t batch)
{
    int groups = kind <= ENCODE_VJP, dims = kind == ENCODE_MANY || kind == ENCODE_MANY_VJP ? 3 : 1;
    return (so_encoding){m, dims, n, groups ? batch : 1, groups ? 1 : batch};
}

/* One call of each kind on `batch` matrices of order n, which are rotations; so_rotate has as many tokens. in and out hold twice as
 * many numbers. bits: BF16 for ROTATE and ROTATE_VJP. */
static so_status call(int bits, int kind, so_ctx *ctx, so_method m, int n, int64_t batch, const double *in, double *out)
{
    const so_encoding encoding = encoding_of(kind, m, n, batch);
    const so_rotation r = {n, 1, batch, 1, 1, batch * n, n};
    const size_t vectors = (size_t)batch * (size_t)n, size = vectors * (size_t)n;
    const double *x = in + size;
    double *second = out + size;
    switch (kind) {
    case EXP:
        return call_exp(bits, ctx, m, n, batch, in, out);
    case VJP:
        return call_exp_vjp(bits, ctx, m, n, batch, in, in, in, out);
    case JVP:
        return call_exp_jvp(bits, ctx, m, n, batch, in, in, out, second);
    case ENCODE:
    case ENCODE_MANY:
    case ENCODE_LINE:
        return call_encode(bits, ctx, &encoding, x, in, out);
    case ENCODE_VJP:
    case ENCODE_MANY_VJP:
    case ENCODE_LINE_VJP:
        return call_encode_vjp(bits, ctx, &encoding, x, in, in, in, out, second);
    case CAYLEY:
        return call_cayley(bits, ctx, n, batch, in, out);
    case CAYLEY_VJP:
        return call_cayley_vjp(bits, ctx, n, batch, in, in, in, out);
    case CAYLEY_JVP:
        return call_cayley_jvp(bits, ctx, n, batch, in, in, out, second);
    case LOG:
        return call_log(bits, ctx, n, batch, in, out);
    case LOG_VJP:
        return call_log_vjp(bits, ctx, n, batch, in, in, in, out);
    case CAYLEY_INVERSE:
        return call_cayley_inverse(bits, ctx, n, batch, in, out);
    case CAYLEY_INVERSE_VJP:
        return call_cayley_inverse_vjp(bits, ctx, n, batch, in, in, out);
    case PACK:
        return call_pack(bits, ctx, n, batch, in, out);
    case UNPACK:
        return call_unpack(bits, ctx, n, batch, in, out);
    case ORTHOGONALITY:
        return call_orthogonality(bits, ctx, n, batch, in, out);
    case PROJECT:
        return call_project(bits, ctx, n, batch, out);
    case PROJECT_VJP:
        return call_project_vjp(bits, ctx, n, batch, in, in, out);
    case ROTATE:
        return call_rotate(bits, ctx, &r, vectors, in, x, out);
    default:
        return call_rotate_vjp(bits, ctx, &r, vectors, in, x, x, out, second);
    }
}

/* in: rotations of order n and, behind them, numbers; out: other numbers. All are numbers of every type. */
static void fill(int n, int batch, double *in, double *out)
{
    for (int i = 0; i < 2 * batch * n * n; i++) {
        in[i] = call_round(BF16, sin(i + 1.0));
        out[i] = call_round(BF16, cos(0.3 * i * i));
    }
    for (int e = 0; e < batch * n * n; e++) {
        int i = e % (n * n) / n, j = e % n, plane = i / 2 == j / 2 && (i ^ 1) < n;
        double cosine = call_round(F32, cos(1)), sine = call_round(F32, sin(1));
        in[e] = !plane ? i == j : i == j ? cosine : i < j ? -sine : sine;
    }
}

/* How many allocations the call makes on a new context; each of them has failed once. */
static int each_fails(int bits, int kind, so_method m, int n, int f64_inside)
{
    static double in[2 * SIZE], before[2 * SIZE], expected[2 * SIZE], out[2 * SIZE];
    fill(n, BATCH, in, before);
    for (int k = 0;; k++) { /* none fails; then one after the other */
        so_ctx *ctx;
        ck_assert_int_eq(so_ctx_create_cpu(&ctx, 2), SO_OK);
        ck_assert_int_eq(so_ctx_set_f64_inside(ctx, f64_inside), SO_OK);
        memcpy(out, before, sizeof out);
        failure_set(FAILURE_ALLOCATION, k);
        so_status status = call(bits, kind, ctx, m, n, BATCH, in, out);
        int failed = failure_happened(FAILURE_ALLOCATION);
        failure_set(FAILURE_ALLOCATION, 0);
        ck_assert_msg(status == (failed ? SO_ENOMEM : SO_OK), "kind %d %s %s n %d, allocation %d: status %d", kind, call_type(bits),
                      call_method(m), n, k, (int)status);
        if (failed) {
            ck_assert_mem_eq(out, before, sizeof out);
            ck_assert_int_eq(call(bits, kind, ctx, m, n, BATCH, in, out), SO_OK);
        }
        if (k == 0)
            memcpy(expected, out, sizeof out);
        ck_assert_mem_eq(out, expected, sizeof out);
        so_ctx_destroy(ctx);
        if (k > 0 && !failed)
            return k - 1;
    }
}

START_TEST(each_allocation)
{
    static const int orders[] = {3, 8, N};
    int kind = _i, most = 0;
    for (int o = 0; o < 3; o++)
        for (int m = SO_AUTO; m <= (kind < TAKE_METHOD ? SO_CAYLEY : SO_AUTO); m++) {
            int allocations = each_fails(F32, kind, (so_method)m, orders[o], 0);
            ck_assert_int_eq(each_fails(F64, kind, (so_method)m, orders[o], 0), allocations);
            ck_assert_int_ge(each_fails(F32, kind, (so_method)m, orders[o], 1), allocations);
            if (kind == ROTATE || kind == ROTATE_VJP)
                ck_assert_int_ge(each_fails(BF16, kind, (so_method)m, orders[o], 0), 1);
            most = allocations > most ? allocations : most;
        }
    ck_assert(most > 0 || kind >= PACK); /* something has failed; the rest may do without memory */
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

static int is_encode_vjp(int kind)
{
    return kind == ENCODE_VJP || kind == ENCODE_MANY_VJP || kind == ENCODE_LINE_VJP;
}

/* What so.h says that a call of this kind takes at most. */
static size_t most_workspace(int bits, int kind, int n, size_t batch, size_t threads)
{
    size_t number = bits == F64 ? 8 : 4, order = (size_t)n, in_line = 64 / number;
    size_t row = (order * number + 63) / 64 * 64, wide_row = (order + 7) / 8 * 64;
    if (kind == ORTHOGONALITY)
        return threads * 2 * order * 8;
    if (kind == ROTATE || kind == ROTATE_VJP)
        return threads * (order * order + order + (bits == BF16 ? 2 * order : 0)) * number;
    if (kind == PACK || kind == UNPACK)
        return 0;
    if (kind >= LOG)
        return threads * 11 * order * wide_row;
    size_t matrices = 29, sums = 0;
    if (kind < EXP) {
        const so_encoding e = encoding_of(kind, SO_AUTO, n, (int64_t)batch);
        size_t dims = (size_t)e.dims, groups = (size_t)e.groups, tokens = (size_t)e.tokens;
        matrices = dims == 1 ? 46 : 29;
        if (is_encode_vjp(kind)) {
            matrices += dims;
            sums = (groups * ((tokens + 63) / 64) * dims * order * order + groups * tokens * dims) * number;
        }
    }
    return threads * matrices * order * row * (n <= 32 ? in_line : 1) + sums;
}

/* A larger batch takes no more workspace, except in so_encode_vjp, which holds sums. */
START_TEST(workspace)
{
    enum { FEW = 64, LARGEST = 33, THREADS = 3 };
    const int orders[] = {5, 16, 32, LARGEST}, many[] = {test_short() ? 128 : 4096, test_short() ? 128 : 512, 128, 80};
    const int kind = _i;
    double *in = malloc(2 * 128 * LARGEST * LARGEST * sizeof *in), *out = malloc(2 * 128 * LARGEST * LARGEST * sizeof *out);
    for (int o = 0; o < 4; o++) {
        fill(orders[o], many[o], in, out);
        for (int m = SO_AUTO; m <= (kind < TAKE_METHOD ? SO_CAYLEY : SO_AUTO); m++)
            for (int bits = F32; bits <= F64; bits += F64 - F32) {
                so_ctx *ctx;
                ck_assert_int_eq(so_ctx_create_cpu(&ctx, THREADS), SO_OK);
                ck_assert_int_eq(call(bits, kind, ctx, (so_method)m, orders[o], FEW, in, out), SO_OK);
                size_t bytes = so_workspace_bytes(ctx), most = most_workspace(bits, kind, orders[o], FEW, THREADS);
                ck_assert_msg(bytes <= most, "kind %d %s %s n %d: %zu bytes, not %zu", kind, call_type(bits),
                              call_method((so_method)m), orders[o], bytes, most);
                ck_assert_int_eq(call(bits, kind, ctx, (so_method)m, orders[o], many[o], in, out), SO_OK);
                size_t later = so_workspace_bytes(ctx);
                ck_assert_msg(is_encode_vjp(kind) ? later <= most_workspace(bits, kind, orders[o], (size_t)many[o], THREADS)
                                                  : later == bytes,
                              "kind %d %s %s n %d: %zu bytes, then %zu", kind, call_type(bits), call_method((so_method)m),
                              orders[o], bytes, later);
                so_ctx_destroy(ctx);
            }
    }
    free(in), free(out);
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
    static double in[2 * SIZE], before[2 * SIZE], expected[2 * SIZE], out[2 * SIZE];
    so_status found = SO_OK;
    so_ctx *ctx = new_context();
    for (int i = 0; i < 2 * SIZE; i++) {
        in[i] = sin(i + 1.0);
        before[i] = expected[i] = cos(0.3 * i * i);
    }
    ck_assert_int_eq(call(F64, kind, ctx, m, N, BATCH, in, expected), SO_OK);
    for (int k = 0; k < BATCH; k++) {
        memcpy(out, before, sizeof out);
        failure_set(FAILURE_SVD, k + 1);
        so_status status = call(F64, kind, ctx, m, N, BATCH, in, out);
        ck_assert(failure_happened(FAILURE_SVD));
        failure_set(FAILURE_SVD, 0);
        for (int i = 0; i < SIZE; i++)
            ck_assert(i / (N * N) == k ? isnan(out[i]) : out[i] == expected[i]);
        found = status > found ? status : found;
    }
    so_ctx_destroy(ctx);
    return found;
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
    ck_assert_int_eq(each_svd_fails(ENCODE_MANY, SO_EIGEN), SO_ESINGULAR);
}
END_TEST

/* In so_encode_vjp it makes the gradients of its generators and of its position NaN, no others. */
START_TEST(each_svd_of_a_gradient)
{
    enum { DIMS = 2, GROUPS = 2, TOKENS = 3, MATRIX = N * N };
    enum { GENERATORS = GROUPS * DIMS * MATRIX, ROTATIONS = GROUPS * TOKENS * MATRIX };
    static double generator[GENERATORS], R[ROTATIONS], dR[ROTATIONS], expected[GENERATORS], dgenerator[GENERATORS];
    double position[TOKENS * DIMS], expected_position[TOKENS * DIMS], dposition[TOKENS * DIMS];
    const so_encoding e = {SO_EIGEN, DIMS, N, GROUPS, TOKENS};
    so_ctx *ctx = new_context();
    for (int i = 0; i < GENERATORS; i++)
        generator[i] = sin(i + 1.0);
    for (int i = 0; i < ROTATIONS; i++)
        dR[i] = cos(0.3 * i * i);
    for (int i = 0; i < TOKENS * DIMS; i++)
        position[i] = 0.1 * (i + 1);
    ck_assert_int_eq(so_encode_f64(ctx, &e, position, generator, R), SO_OK);
    ck_assert_int_eq(so_encode_vjp_f64(ctx, &e, position, generator, R, dR, expected, expected_position), SO_OK);
    for (int k = 0; k < GROUPS * TOKENS; k++) {
        failure_set(FAILURE_SVD, k + 1);
        ck_assert_int_eq(so_encode_vjp_f64(ctx, &e, position, generator, R, dR, dgenerator, dposition), SO_ESINGULAR);
        ck_assert(failure_happened(FAILURE_SVD));
        failure_set(FAILURE_SVD, 0);
        for (int i = 0; i < GENERATORS; i++)
            ck_assert(i / (DIMS * MATRIX) == k / TOKENS ? isnan(dgenerator[i]) : dgenerator[i] == expected[i]);
        for (int i = 0; i < TOKENS * DIMS; i++)
            ck_assert(i / DIMS == k % TOKENS ? isnan(dposition[i]) : dposition[i] == expected_position[i]);
    }
    so_ctx_destroy(ctx);
}
END_TEST

Suite *check_failures(void)
{
    Suite *suite = suite_create("failures");
    TCase *tests = tcase_create("failures");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, context);
    tcase_add_loop_test(tests, each_allocation, 0, KINDS);
    tcase_add_loop_test(tests, workspace, ENCODE, KINDS);
    tcase_add_test(tests, each_svd);
    tcase_add_test(tests, each_svd_of_a_gradient);
    tcase_add_test(tests, svd_is_replaced);
    suite_add_tcase(suite, tests);
    return suite;
}
