/* check_exp_batch.c: a result depends on its own matrix only, in every bit: not on the batch size, the place, the neighbours, the
 * threads, whether input and output share memory, where it begins, or what NaN stands next to it.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "oracle_campaign.h"
#include <check.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int types[] = {F64, F32};
static const int orders[] = {1, 2, 3, 4, 5, 8, 16, 17, 33, 64};
enum { ORDERS = sizeof orders / sizeof *orders, BATCH = 37 };

typedef struct maps {
    int n;
    double *A, *G, *E, *R, *dA, *RL, *L; /* BATCH matrices each */
} maps;

static maps new_maps(int n)
{
    maps m = {.n = n};
    double **all[] = {&m.A, &m.G, &m.E, &m.R, &m.dA, &m.RL, &m.L};
    for (int i = 0; i < 7; i++) {
        *all[i] = calloc((size_t)(BATCH * n * n), sizeof(double));
        ck_assert_ptr_nonnull(*all[i]);
    }
    return m;
}

static void free_maps(maps *m)
{
    free(m->A), free(m->G), free(m->E), free(m->R), free(m->dA), free(m->RL), free(m->L);
}

static maps copy_inputs(const maps *from)
{
    maps m = new_maps(from->n);
    size_t bytes = (size_t)(BATCH * m.n * m.n) * sizeof(double);
    memcpy(m.A, from->A, bytes), memcpy(m.G, from->G, bytes), memcpy(m.E, from->E, bytes);
    return m;
}

/* All three maps of matrices first .. first + count - 1, at the place they have in m. */
static so_status run(int bits, so_ctx *ctx, so_method method, maps *m, int first, int count)
{
    size_t at = (size_t)(first * m->n * m->n);
    so_status a = call_exp(bits, ctx, method, m->n, count, m->A + at, m->R + at);
    so_status b = call_exp_vjp(bits, ctx, method, m->n, count, m->A + at, m->R + at, m->G + at, m->dA + at);
    so_status c = call_exp_jvp(bits, ctx, method, m->n, count, m->A + at, m->E + at, m->RL + at, m->L + at);
    return a != SO_OK ? a : b != SO_OK ? b : c;
}

/* Radii and shapes mixed, so that neighbours want different degrees and squarings. */
static void fill(int bits, maps *m)
{
    for (int b = 0; b < BATCH; b++) {
        random_sequence r;
        size_t at = (size_t)(b * m->n * m->n);
        campaign_matrix(bits, m->n, 11L * b, m->A + at, &r);
        make_dense(bits, m->n, 1, &r, m->G + at), make_dense(bits, m->n, 1, &r, m->E + at);
    }
}

static void same(const maps *x, const maps *y, int first, int count, so_method method, int bits, const char *what)
{
    size_t at = (size_t)(first * x->n * x->n), bytes = (size_t)(count * x->n * x->n) * sizeof(double);
    ck_assert_msg(memcmp(x->R + at, y->R + at, bytes) == 0, "%s: R of %s %s n %d", what, call_method(method), call_type(bits), x->n);
    ck_assert_msg(memcmp(x->dA + at, y->dA + at, bytes) == 0, "%s: dA of %s %s n %d", what, call_method(method), call_type(bits),
                  x->n);
    ck_assert_msg(memcmp(x->RL + at, y->RL + at, bytes) == 0, "%s: R (jvp) of %s %s n %d", what, call_method(method),
                  call_type(bits), x->n);
    ck_assert_msg(memcmp(x->L + at, y->L + at, bytes) == 0, "%s: L of %s %s n %d", what, call_method(method), call_type(bits), x->n);
}

/* On the shim every thread of a kernel costs context switches: less there. */
static int on_shim(void)
{
    return test_on_cuda() && test_short();
}

/* On CUDA every call of these is one of 2^20/n^2 matrices. */
static int padded(int method)
{
    return on_shim() && (method == SO_PADE || method == SO_EIGEN);
}

/* The test's function for every order up to `largest`, of those that SO_TEST_N names, and every method. */
static void each_to(int largest, int bits, void (*test)(int bits, so_ctx *, so_method, maps *reference, maps *other))
{
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    for (int o = 0; o < ORDERS - test_short(); o++) {
        if (orders[o] > largest || !campaign_wants_order(orders[o]))
            continue;
        maps inputs = new_maps(orders[o]);
        fill(bits, &inputs);
        for (int k = 0; k < METHODS; k++) {
            if (!campaign_wants((so_method)k))
                continue;
            maps reference = copy_inputs(&inputs), other = copy_inputs(&inputs);
            so_status status = run(bits, ctx, (so_method)k, &reference, 0, BATCH);
            ck_assert_msg(status == SO_OK, "%s %s n %d: status %d", call_method((so_method)k), call_type(bits), orders[o], (int)status);
            test(bits, ctx, (so_method)k, &reference, &other);
            free_maps(&reference), free_maps(&other);
        }
        free_maps(&inputs);
    }
    so_ctx_destroy(ctx);
}

static void each(int bits, void (*test)(int bits, so_ctx *, so_method, maps *reference, maps *other))
{
    each_to(INT_MAX, bits, test);
}

static void test_cuts(int bits, so_ctx *ctx, so_method method, maps *reference, maps *other)
{
    static const int cuts[][5] = {{17, 2, 7, 10, 1}, {1, 36}, {3, 34}, {8, 16, 13}};
    for (size_t c = 0; c < (padded(method) ? 1 : sizeof cuts / sizeof *cuts); c++) {
        for (int i = 0, first = 0; i < 5 && cuts[c][i]; first += cuts[c][i++])
            ck_assert_int_eq(run(bits, ctx, method, other, first, cuts[c][i]), SO_OK);
        same(reference, other, 0, BATCH, method, bits, "batch cut in pieces");
    }
}

START_TEST(batch_size_and_place)
{
    each(types[_i], test_cuts);
}
END_TEST

/* Batches of every size up to two groups and one matrix, the widest group being 16. */
START_TEST(every_count)
{
    static const int few[] = {1, 2, 3, 4, 5, 8, 9, 17, 32};
    int bits = types[_i], step = on_shim() ? 16 : 1;
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    for (size_t o = 0; o < sizeof few / sizeof *few - (on_shim() ? 4 : 0); o++) {
        maps inputs = new_maps(few[o]);
        fill(bits, &inputs);
        for (int k = 0; k < METHODS; k++) {
            if (!campaign_wants((so_method)k) || padded(k)) /* check_cuda_vendor has this */
                continue;
            maps reference = copy_inputs(&inputs), other = copy_inputs(&inputs);
            ck_assert_int_eq(run(bits, ctx, (so_method)k, &reference, 0, BATCH), SO_OK);
            for (int count = 1; count <= 33; count += step) {
                ck_assert_int_eq(run(bits, ctx, (so_method)k, &other, BATCH - count, count), SO_OK);
                same(&reference, &other, BATCH - count, count, (so_method)k, bits, "fewer");
            }
            free_maps(&reference), free_maps(&other);
        }
        free_maps(&inputs);
    }
    so_ctx_destroy(ctx);
}
END_TEST

/* A lone matrix goes through another layout than a full group: every order that has both, and many zeros, whose signs count. */
START_TEST(alone)
{
    int bits = types[_i];
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    for (int n = 1; n <= 33; n++) {
        if (on_shim() && n > 9 && n % 8 > 1)
            continue;
        maps inputs = new_maps(n);
        fill(bits, &inputs);
        for (int i = 0; i < BATCH * n * n; i++)
            if (i % n > i / n % n && ((unsigned)i * 2654435761U >> 16) % 4)
                inputs.A[i] = inputs.E[i] = i % 2 ? 0.0 : -0.0;
        for (int k = 0; k < METHODS; k++) {
            if (!campaign_wants((so_method)k))
                continue;
            maps reference = copy_inputs(&inputs), other = copy_inputs(&inputs);
            ck_assert_int_eq(run(bits, ctx, (so_method)k, &reference, 0, BATCH), SO_OK);
            for (int b = 0; b < BATCH; b += on_shim() ? BATCH / 2 : 1) {
                ck_assert_int_eq(run(bits, ctx, (so_method)k, &other, b, 1), SO_OK);
                same(&reference, &other, b, 1, (so_method)k, bits, "alone");
            }
            free_maps(&reference), free_maps(&other);
        }
        free_maps(&inputs);
    }
    so_ctx_destroy(ctx);
}
END_TEST

static void test_threads(int bits, so_ctx *ctx, so_method method, maps *reference, maps *other)
{
    (void)ctx;
    for (int threads = 2; threads <= 3; threads++) {
        so_ctx *many;
        ck_assert_int_eq(test_context(&many, threads), SO_OK);
        ck_assert_int_eq(run(bits, many, method, other, 0, BATCH), SO_OK);
        so_ctx_destroy(many);
        same(reference, other, 0, BATCH, method, bits, threads == 2 ? "2 threads" : "3 threads");
    }
}

START_TEST(threads)
{
    each_to(on_shim() ? 9 : INT_MAX, types[_i], test_threads);
}
END_TEST

/* One upper entry of matrix 5 becomes NaN, one of matrix 20 Inf: their outputs are NaN throughout, the others unchanged. */
static void test_non_finite(int bits, so_ctx *ctx, so_method method, maps *reference, maps *other)
{
    int n = other->n;
    if (n < 2)
        return;
    size_t size = (size_t)(n * n);
    other->A[5 * size + 1] = NAN;
    other->A[20 * size + size - (size_t)n - 1] = -INFINITY; /* (n-2, n-1), the last of the triangle */
    ck_assert_int_eq(run(bits, ctx, method, other, 0, BATCH), SO_ENONFINITE);
    same(reference, other, 0, 5, method, bits, "before a NaN");
    same(reference, other, 6, 14, method, bits, "between NaN and Inf");
    same(reference, other, 21, BATCH - 21, method, bits, "after an Inf");
    for (size_t i = 0; i < size; i++)
        for (size_t b = 5; b <= 20; b += 15) {
            size_t at = b * size + i;
            ck_assert_msg(isnan(other->R[at]) && isnan(other->dA[at]) && isnan(other->RL[at]) && isnan(other->L[at]),
                          "%s %s n %d: entry %zu of a bad matrix: R %g dA %g R %g L %g", call_method(method), call_type(bits), n,
                          i, other->R[at], other->dA[at], other->RL[at], other->L[at]);
        }
}

START_TEST(non_finite)
{
    each(types[_i], test_non_finite);
}
END_TEST

/* A NaN in dR or R spoils that matrix's dA alone, in the last group too, which is not full; a NaN in E that matrix's R and L. */
static void test_non_finite_gradient(int bits, so_ctx *ctx, so_method method, maps *reference, maps *other)
{
    int n = other->n;
    size_t size = (size_t)(n * n), batch_size = BATCH * size;
    if (n < 2)
        return;
    memcpy(other->R, reference->R, batch_size * sizeof(double));
    other->G[7 * size + size - 1] = INFINITY;
    other->G[35 * size] = NAN;
    other->R[9 * size] = NAN;
    other->E[30 * size + 1] = NAN;
    ck_assert_int_eq(call_exp_vjp(bits, ctx, method, n, BATCH, other->A, other->R, other->G, other->dA), SO_ENONFINITE);
    ck_assert_int_eq(call_exp_jvp(bits, ctx, method, n, BATCH, other->A, other->E, other->RL, other->L), SO_ENONFINITE);
    for (size_t i = 0; i < batch_size; i++) {
        size_t b = i / size;
        int bad = b == 7 || b == 9 || b == 35;
        ck_assert_msg(bad ? isnan(other->dA[i]) : memcmp(&other->dA[i], &reference->dA[i], 8) == 0, "%s %s n %d: dA[%zu][%zu]",
                      call_method(method), call_type(bits), n, b, i % size);
        ck_assert_msg(b == 30 ? isnan(other->L[i]) && isnan(other->RL[i])
                              : memcmp(&other->L[i], &reference->L[i], 8) == 0 && memcmp(&other->RL[i], &reference->RL[i], 8) == 0,
                      "%s %s n %d: R or L[%zu][%zu]", call_method(method), call_type(bits), n, b, i % size);
    }
}

START_TEST(non_finite_gradient)
{
    each(types[_i], test_non_finite_gradient);
}
END_TEST

/* R may be A; dA may be R or dR. */
static void test_in_place(int bits, so_ctx *ctx, so_method method, maps *reference, maps *other)
{
    int n = other->n;
    size_t bytes = (size_t)(BATCH * n * n) * sizeof(double);
    const char *format = "%s %s n %d: %s";
    memcpy(other->R, other->A, bytes);
    ck_assert_int_eq(call_exp(bits, ctx, method, n, BATCH, other->R, other->R), SO_OK);
    ck_assert_msg(memcmp(other->R, reference->R, bytes) == 0, format, call_method(method), call_type(bits), n, "R == A");
    ck_assert_int_eq(call_exp_vjp(bits, ctx, method, n, BATCH, other->A, other->R, other->G, other->R), SO_OK);
    ck_assert_msg(memcmp(other->R, reference->dA, bytes) == 0, format, call_method(method), call_type(bits), n, "dA == R");
    ck_assert_int_eq(call_exp_vjp(bits, ctx, method, n, BATCH, other->A, reference->R, other->G, other->G), SO_OK);
    ck_assert_msg(memcmp(other->G, reference->dA, bytes) == 0, format, call_method(method), call_type(bits), n, "dA == dR");
}

START_TEST(in_place)
{
    each(types[_i], test_in_place);
}
END_TEST

static void test_unaligned(int bits, so_ctx *ctx, so_method method, maps *reference, maps *other)
{
    call_unaligned(1);
    ck_assert_int_eq(run(bits, ctx, method, other, 0, BATCH), SO_OK);
    call_unaligned(0);
    same(reference, other, 0, BATCH, method, bits, "unaligned");
}

START_TEST(unaligned)
{
    each_to(on_shim() ? 9 : INT_MAX, types[_i], test_unaligned); /* larger ones: check_cuda_exp */
}
END_TEST

Suite *check_exp_batch(void)
{
    Suite *suite = suite_create("exp_batch");
    TCase *tests = tcase_create("same bits");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, batch_size_and_place, 0, 2);
    tcase_add_loop_test(tests, every_count, 0, 2);
    tcase_add_loop_test(tests, alone, 0, 2);
    tcase_add_loop_test(tests, threads, 0, 2);
    tcase_add_loop_test(tests, non_finite, 0, 2);
    tcase_add_loop_test(tests, non_finite_gradient, 0, 2);
    tcase_add_loop_test(tests, in_place, 0, 2);
    tcase_add_loop_test(tests, unaligned, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
