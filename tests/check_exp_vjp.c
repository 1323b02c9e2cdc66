/* check_exp_vjp.c: the accuracy contract of so.h for the derivatives (vjp and jvp), every method and both types.
 * SPDX-License-Identifier: MIT */
#include "oracle_campaign.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const int types[] = {F64, F32};

typedef struct results {
    worst vjp[METHODS], jvp[METHODS], forward[METHODS];
} results;

typedef struct chunk {
    int bits, n;
    int64_t batch;
    sample *samples;
    double *A, *E, *G;         /* batch matrices each */
    double *R, *dA, *RL, *L;   /* METHODS times batch matrices each */
} chunk;

static double *matrices(const chunk *c, size_t copies)
{
    double *x = malloc(copies * (size_t)c->batch * (size_t)(c->n * c->n) * sizeof *x);
    ck_assert_ptr_nonnull(x);
    return x;
}

static void make_inputs(chunk *c, long first)
{
    size_t size = (size_t)(c->n * c->n);
#pragma omp parallel for schedule(dynamic)
    for (int64_t b = 0; b < c->batch; b++) {
        double *A = c->A + (size_t)b * size, *E = c->E + (size_t)b * size;
        random_sequence r;
        c->samples[b] = campaign_matrix(c->bits, c->n, first + (long)b, A, &r);
        oracle_pair R0 = oracle_new(c->n);
        oracle_exp(c->n, A, NULL, &R0, NULL);
        campaign_gradient(c->bits, &c->samples[b], A, R0.hi, &r, c->G + (size_t)b * size);
        make_dense(c->bits, c->n, random_below(&r, 4) ? 1 : 1e-12, &r, E);
        for (int i = 0; i < c->n; i++)
            for (int j = 0; j <= i; j++)
                E[i * c->n + j] = NAN;
        oracle_free(&R0);
    }
}

/* The skew matrix whose strict upper triangle E holds, in full. */
static void complete(int n, const double *E, double *full)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            full[i * n + j] = i < j ? E[i * n + j] : i > j ? -E[j * n + i] : 0;
}

static void compare(const chunk *c, int64_t b, results *out)
{
    int n = c->n;
    size_t size = (size_t)(n * n), at = (size_t)b * size;
    const sample *s = &c->samples[b];
    double u = call_u(c->bits), *E = malloc(size * sizeof *E);
    double growth = 30 * u * (1 + s->rho / 10);
    complete(n, c->E + at, E);
    for (int cayley = 0; cayley < 2; cayley++) {
        oracle_pair dA = oracle_new(n), L = oracle_new(n), R = oracle_new(n);
        oracle_vjp(cayley, n, c->A + at, c->G + at, &dA);
        (cayley ? oracle_cayley : oracle_exp)(n, c->A + at, E, &R, &L);
        for (int m = 0; m < METHODS; m++) {
            size_t place = (size_t)m * (size_t)c->batch * size + at;
            if ((m == SO_CAYLEY) != cayley)
                continue;
            double vjp = distance(n, c->dA + place, dA), jvp = distance(n, c->L + place, L);
            double forward = distance(n, c->RL + place, R);
#pragma omp critical
            {
                worst_of(&out->vjp[m], vjp, growth * frobenius(n, c->G + at), n, s->shape, s->rho, s->number);
                worst_of(&out->jvp[m], jvp, growth * skew_frobenius(n, c->E + at), n, s->shape, s->rho, s->number);
                worst_of(&out->forward[m], forward, (10 + 2 * s->rho) * u, n, s->shape, s->rho, s->number);
            }
        }
        oracle_free(&dA), oracle_free(&L), oracle_free(&R);
    }
    free(E);
}

static void run_chunk(int bits, so_ctx *ctx, int n, long first, int64_t batch, results *out)
{
    chunk c = {.bits = bits, .n = n, .batch = batch};
    c.samples = malloc((size_t)batch * sizeof *c.samples);
    c.A = matrices(&c, 1), c.E = matrices(&c, 1), c.G = matrices(&c, 1);
    c.R = matrices(&c, METHODS), c.dA = matrices(&c, METHODS), c.RL = matrices(&c, METHODS), c.L = matrices(&c, METHODS);
    make_inputs(&c, first);
    for (int k = 0; k < METHODS; k++) {
        so_method m = (so_method)k;
        size_t place = (size_t)k * (size_t)batch * (size_t)(n * n);
        so_status forward = call_exp(bits, ctx, m, n, batch, c.A, c.R + place);
        so_status vjp = call_exp_vjp(bits, ctx, m, n, batch, c.A, c.R + place, c.G, c.dA + place);
        so_status jvp = call_exp_jvp(bits, ctx, m, n, batch, c.A, c.E, c.RL + place, c.L + place);
        ck_assert_msg(forward == SO_OK && vjp == SO_OK && jvp == SO_OK, "%s %s n %d: status of exp %d, vjp %d, jvp %d",
                      call_method(m), call_type(bits), n, (int)forward, (int)vjp, (int)jvp);
    }
#pragma omp parallel for schedule(dynamic)
    for (int64_t b = 0; b < batch; b++)
        compare(&c, b, out);
    free(c.samples), free(c.A), free(c.E), free(c.G), free(c.R), free(c.dA), free(c.RL), free(c.L);
}

START_TEST(contract)
{
    int bits = types[_i], failed = 0;
    results out = {0};
    so_ctx *ctx;
    ck_assert_int_eq(so_ctx_create_cpu(&ctx, 0), SO_OK);
    for (int i = 0; i < campaign_size_count(); i++) {
        int n = campaign_sizes[i];
        long count = n > 33 ? (campaign_samples(bits, n) + 1) / 2 : campaign_samples(bits, n);
        if (n == 0) {
            ck_assert_int_eq(call_exp_vjp(bits, ctx, SO_AUTO, 0, 7, NULL, NULL, NULL, NULL), SO_OK);
            ck_assert_int_eq(call_exp_jvp(bits, ctx, SO_AUTO, 0, 7, NULL, NULL, NULL, NULL), SO_OK);
        }
        for (long first = 0; n > 0 && first < count; first += CHUNK)
            run_chunk(bits, ctx, n, first, count - first < CHUNK ? count - first : CHUNK, &out);
    }
    so_ctx_destroy(ctx);
    failed += campaign_report("check_exp_vjp", bits, "vjp", out.vjp);
    failed += campaign_report("check_exp_vjp", bits, "jvp", out.jvp);
    failed += campaign_report("check_exp_vjp", bits, "R of the jvp", out.forward);
    ck_assert_msg(failed == 0, "%d bounds of so.h are not held; see the lines FAIL above", failed);
}
END_TEST

/* The gradient that is returned is skew in every bit and all of it is written; scaling dR by a power of two scales dA exactly. */
START_TEST(skew_and_scaling)
{
    int bits = types[_i];
    static const int orders[] = {1, 2, 3, 4, 5, 8, 17, 33}, powers[2][3] = {{40, 118, -60}, {40, 1010, -800}};
    so_ctx *ctx;
    ck_assert_int_eq(so_ctx_create_cpu(&ctx, 1), SO_OK);
    for (size_t o = 0; o < sizeof orders / sizeof *orders; o++)
        for (int k = 0; k < METHODS; k++) {
            int n = orders[o];
            so_method m = (so_method)k;
            double A[33 * 33], R[33 * 33], G[33 * 33], H[33 * 33], X[33 * 33], Y[33 * 33];
            random_sequence r;
            campaign_matrix(bits, n, 20 + k, A, &r);
            make_dense(bits, n, 1, &r, G);
            for (int i = 0; i < n * n; i++)
                X[i] = NAN;
            ck_assert_int_eq(call_exp(bits, ctx, m, n, 1, A, R), SO_OK);
            ck_assert_int_eq(call_exp_vjp(bits, ctx, m, n, 1, A, R, G, X), SO_OK);
            for (int i = 0; i < n * n; i++)
                ck_assert_msg(X[i] == -X[i % n * n + i / n], "%s %s n %d: dA[%d] is not skew", call_method(m), call_type(bits), n, i);
            for (int p = 0; p < 3; p++) {
                int power = powers[bits == F64][p];
                for (int i = 0; i < n * n; i++)
                    H[i] = ldexp(G[i], power), Y[i] = NAN;
                ck_assert_int_eq(call_exp_vjp(bits, ctx, m, n, 1, A, R, H, Y), SO_OK);
                for (int i = 0; i < n * n; i++)
                    ck_assert_msg(Y[i] == ldexp(X[i], power), "%s %s n %d: dA[%d] does not scale with dR by 2^%d", call_method(m),
                                  call_type(bits), n, i, power);
            }
        }
    so_ctx_destroy(ctx);
}
END_TEST

Suite *check_exp_vjp(void)
{
    Suite *suite = suite_create("exp_vjp");
    TCase *tests = tcase_create("contract");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, contract, 0, 2);
    tcase_add_loop_test(tests, skew_and_scaling, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
