/* check_blas_threads.c: results do not depend on how many threads the BLAS uses, nor on whether the caller is one of several
 * OpenMP threads, each with a context of its own.
 * SPDX-License-Identifier: MIT */
#include "oracle_inverse.h"
#include <cblas.h>
#include <check.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

static const int types[] = {F64, F32};

enum { BATCH = 2, CALLS = 11 };

/* The k-th kind of call that could reach a BLAS, on skew A, rotations R and arbitrary G. */
static so_status call_of(int k, int bits, so_ctx *ctx, int n, const double *A, const double *R, const double *G, double *out)
{
    double *other = malloc((size_t)(BATCH * n * n) * sizeof *other);
    so_status status = SO_EDEVICE;
    switch (k) {
    case 0:
    case 1:
        status = call_exp(bits, ctx, k ? SO_EIGEN : SO_PADE, n, BATCH, A, out);
        break;
    case 2:
    case 3:
        status = call_exp_vjp(bits, ctx, k == 3 ? SO_EIGEN : SO_PADE, n, BATCH, A, R, G, out);
        break;
    case 4:
    case 5:
        status = call_exp_jvp(bits, ctx, k == 5 ? SO_EIGEN : SO_PADE, n, BATCH, A, G, other, out);
        break;
    case 6:
        status = call_log(bits, ctx, n, BATCH, R, out);
        break;
    case 7:
        status = call_log_vjp(bits, ctx, n, BATCH, R, A, G, out);
        break;
    case 8:
        status = call_cayley_inverse(bits, ctx, n, BATCH, R, out);
        break;
    case 9:
        memcpy(out, G, (size_t)(BATCH * n * n) * sizeof *out);
        status = call_project(bits, ctx, n, BATCH, out);
        break;
    case 10:
        status = call_project_vjp(bits, ctx, n, BATCH, G, R, out);
        break;
    }
    free(other);
    return status;
}

typedef struct problem {
    int n;
    double *A, *R, *G;
} problem;

static problem new_problem(int bits, int n)
{
    size_t size = (size_t)(n * n), bytes = BATCH * size * sizeof(double);
    problem p = {n, malloc(bytes), malloc(bytes), malloc(bytes)};
    random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 6300, (uint64_t)n);
    so_ctx *ctx;
    ck_assert_int_eq(so_ctx_create_cpu(&ctx, 1), SO_OK);
    for (size_t b = 0; b < BATCH; b++) {
        make_skew(bits, n, DENSE, b ? 2.5 : 0.5, &r, p.A + b * size);
        make_dense(bits, n, 1, &r, p.G + b * size);
    }
    ck_assert_int_eq(call_exp(bits, ctx, SO_AUTO, n, BATCH, p.A, p.R), SO_OK);
    so_ctx_destroy(ctx);
    return p;
}

static void free_problem(problem *p)
{
    free(p->A), free(p->R), free(p->G);
}

START_TEST(number_of_threads)
{
    static const int orders[] = {4, 17, 64, 128};
    int bits = types[_i], given = openblas_get_num_threads();
    so_ctx *ctx;
    ck_assert_int_eq(so_ctx_create_cpu(&ctx, 1), SO_OK);
    for (int o = 0; o < 4; o++) {
        problem p = new_problem(bits, orders[o]);
        size_t bytes = (size_t)(BATCH * p.n * p.n) * sizeof(double);
        double *one = malloc(bytes), *many = malloc(bytes);
        for (int k = 0; k < CALLS; k++) {
            openblas_set_num_threads(1);
            ck_assert_int_eq(call_of(k, bits, ctx, p.n, p.A, p.R, p.G, one), SO_OK);
            openblas_set_num_threads(4);
            ck_assert_int_eq(openblas_get_num_threads(), 4);
            ck_assert_int_eq(call_of(k, bits, ctx, p.n, p.A, p.R, p.G, many), SO_OK);
            ck_assert_msg(memcmp(one, many, bytes) == 0, "%s n %d, call %d: other bits with 4 BLAS threads", call_type(bits), p.n,
                          k);
        }
        free(one), free(many), free_problem(&p);
    }
    openblas_set_num_threads(given);
    so_ctx_destroy(ctx);
}
END_TEST

START_TEST(inside_a_parallel_region)
{
    enum { TEAM = 4 };
    int bits = types[_i];
    problem p = new_problem(bits, 33);
    size_t count = (size_t)(BATCH * p.n * p.n);
    double *wanted = malloc(CALLS * count * sizeof *wanted), *out = malloc(TEAM * CALLS * count * sizeof *out);
    so_status found[TEAM][CALLS];
    so_ctx *ctx;
    ck_assert_int_eq(so_ctx_create_cpu(&ctx, 1), SO_OK);
    for (int k = 0; k < CALLS; k++)
        ck_assert_int_eq(call_of(k, bits, ctx, p.n, p.A, p.R, p.G, wanted + (size_t)k * count), SO_OK);
    so_ctx_destroy(ctx);
#pragma omp parallel for num_threads(TEAM)
    for (int t = 0; t < TEAM; t++) {
        so_ctx *own;
        so_status made = so_ctx_create_cpu(&own, 2);
        for (int k = 0; k < CALLS; k++)
            found[t][k] = made != SO_OK ? made : call_of(k, bits, own, p.n, p.A, p.R, p.G, out + (size_t)(t * CALLS + k) * count);
        so_ctx_destroy(own);
    }
    for (int t = 0; t < TEAM; t++)
        for (int k = 0; k < CALLS; k++) {
            ck_assert_int_eq(found[t][k], SO_OK);
            ck_assert_msg(memcmp(out + (size_t)(t * CALLS + k) * count, wanted + (size_t)k * count, count * sizeof *out) == 0,
                          "%s call %d on thread %d: other bits", call_type(bits), k, t);
        }
    free(wanted), free(out), free_problem(&p);
}
END_TEST

Suite *check_blas_threads(void)
{
    Suite *suite = suite_create("blas_threads");
    TCase *tests = tcase_create("threads of the BLAS and of the caller");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, number_of_threads, 0, 2);
    tcase_add_loop_test(tests, inside_a_parallel_region, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
