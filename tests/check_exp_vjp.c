/* check_exp_vjp.c: the accuracy contract of so.h for the derivatives (vjp and jvp), every method and both types.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "oracle_campaign.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const int types[] = {F64, F32};

enum { VJP, JVP, FORWARD };

/* A sample with what is differentiated and what comes out. */
typedef struct problem {
    sample sample;
    double *A, *E, *G;         /* of E and A the strict upper triangle */
    oracle_pair dA[2], L[2], R[2]; /* of exp and of the Cayley map */
} problem;

typedef struct matrices {
    double *A, *E, *G;       /* the batch */
    double *R, *dA, *RL, *L; /* METHODS times the batch */
} matrices;

static double *new_matrices(const campaign_chunk *c, int64_t count)
{
    double *x = malloc((size_t)count * (size_t)(c->n * c->n) * sizeof *x);
    ck_assert_ptr_nonnull(x);
    return x;
}

static void make_problem(const campaign_chunk *c, long number, problem *p)
{
    int n = c->n;
    random_sequence r;
    p->A = new_matrices(c, 1), p->E = new_matrices(c, 1), p->G = new_matrices(c, 1);
    p->sample = campaign_matrix(c->bits, n, number, p->A, &r);
    oracle_pair R0 = oracle_new(n);
    oracle_exp(n, p->A, NULL, &R0, NULL);
    campaign_gradient(c->bits, &p->sample, p->A, R0.hi, &r, p->G);
    make_dense(c->bits, n, random_below(&r, 4) ? 1 : 1e-12, &r, p->E);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            p->E[i * n + j] = -p->E[j * n + i];
    for (int i = 0; i < n; i++)
        p->E[i * n + i] = 0;
    for (int cayley = 0; cayley < 2; cayley++) {
        oracle_pair *dA = &p->dA[cayley], *L = &p->L[cayley], *R = &p->R[cayley];
        *dA = oracle_new(n), *L = oracle_new(n), *R = oracle_new(n);
        oracle_vjp(cayley, n, p->A, p->G, dA);
        (cayley ? oracle_cayley : oracle_exp)(n, p->A, p->E, R, L);
    }
    oracle_free(&R0);
}

static void free_problem(problem *p)
{
    free(p->A), free(p->E), free(p->G);
    for (int cayley = 0; cayley < 2; cayley++)
        oracle_free(&p->dA[cayley]), oracle_free(&p->L[cayley]), oracle_free(&p->R[cayley]);
}

static double turned_distance(const sample *s, int copy, const double *X, const oracle_pair *reference, oracle_pair scratch)
{
    campaign_turn(s, copy, reference->hi, scratch.hi), campaign_turn(s, copy, reference->lo, scratch.lo);
    return distance(s->n, X, scratch);
}

static void compare(const campaign_chunk *c, const problem *p, int copy, int64_t b, const matrices *x,
                    worst out[QUANTITIES][METHODS])
{
    int n = c->n;
    size_t size = (size_t)(n * n);
    const sample *s = &p->sample;
    worst here = {.n = n, .shape = s->shape, .rho = s->rho, .sample = s->number, .copy = copy};
    oracle_pair turned = oracle_new(n);
    for (int m = 0; m < METHODS; m++) {
        int cayley = m == SO_CAYLEY;
        size_t place = ((size_t)m * (size_t)c->batch + (size_t)b) * size;
        double u = call_u(c->bits), growth = 30 * u * (1 + s->rho / 10);
        if (!campaign_wants((so_method)m))
            continue;
        double vjp = turned_distance(s, copy, x->dA + place, &p->dA[cayley], turned);
        double jvp = turned_distance(s, copy, x->L + place, &p->L[cayley], turned);
        double forward = turned_distance(s, copy, x->RL + place, &p->R[cayley], turned);
#pragma omp critical
        {
            worst_of(&out[VJP][m], vjp, growth * frobenius(n, p->G), &here);
            worst_of(&out[JVP][m], jvp, growth * skew_frobenius(n, p->E), &here);
            worst_of(&out[FORWARD][m], forward, (10 + 2 * s->rho) * u, &here);
        }
    }
    oracle_free(&turned);
}

static void measure(const campaign_chunk *c, worst out[QUANTITIES][METHODS])
{
    int n = c->n;
    int64_t batch = c->batch, bases = batch / c->copies;
    problem *problems = calloc((size_t)bases, sizeof *problems);
    matrices x = {new_matrices(c, batch),           new_matrices(c, batch),           new_matrices(c, batch),
                  new_matrices(c, METHODS * batch), new_matrices(c, METHODS * batch), new_matrices(c, METHODS * batch),
                  new_matrices(c, METHODS * batch)};
#pragma omp parallel for schedule(dynamic)
    for (int64_t b = 0; b < bases; b++) {
        problem *p = &problems[b];
        make_problem(c, c->first + (long)b, p);
        for (int copy = 0; copy < c->copies; copy++) {
            size_t at = (size_t)(b * c->copies + copy) * (size_t)(n * n);
            campaign_turn_skew(&p->sample, copy, p->A, x.A + at);
            campaign_turn_skew(&p->sample, copy, p->E, x.E + at);
            campaign_turn(&p->sample, copy, p->G, x.G + at);
        }
    }
    for (int k = 0; k < METHODS; k++) {
        so_method m = (so_method)k;
        size_t place = (size_t)k * (size_t)batch * (size_t)(n * n);
        if (!campaign_wants(m))
            continue;
        so_status forward = call_exp(c->bits, c->ctx, m, n, batch, x.A, x.R + place);
        so_status vjp = call_exp_vjp(c->bits, c->ctx, m, n, batch, x.A, x.R + place, x.G, x.dA + place);
        so_status jvp = call_exp_jvp(c->bits, c->ctx, m, n, batch, x.A, x.E, x.RL + place, x.L + place);
        ck_assert_msg(forward == SO_OK && vjp == SO_OK && jvp == SO_OK, "%s %s n %d: status of exp %d, vjp %d, jvp %d",
                      call_method(m), call_type(c->bits), n, (int)forward, (int)vjp, (int)jvp);
    }
#pragma omp parallel for schedule(dynamic)
    for (int64_t b = 0; b < batch; b++)
        compare(c, &problems[b / c->copies], (int)(b % c->copies), b, &x, out);
    for (int64_t b = 0; b < bases; b++)
        free_problem(&problems[b]);
    free(problems), free(x.A), free(x.E), free(x.G), free(x.R), free(x.dA), free(x.RL), free(x.L);
}

static const campaign derivatives = {"check_exp_vjp", {"vjp", "jvp", "R of the jvp"}, 2, measure};

START_TEST(contract)
{
    int failed = campaign_run(&derivatives, _i);
    ck_assert_msg(failed == 0, "%d bounds of so.h are not held; see the lines FAIL above", failed);
}
END_TEST

START_TEST(switches)
{
    static const campaign at_switches = {"check_exp_vjp switches", {"vjp", "jvp", "R of the jvp"}, 2, measure};
    int failed = campaign_run_switches(&at_switches, _i);
    ck_assert_msg(failed == 0, "%d bounds of so.h are not held; see the lines FAIL above", failed);
}
END_TEST

START_TEST(corners)
{
    int failed = campaign_run_corners(&derivatives, types[_i]);
    ck_assert_msg(failed == 0, "%d bounds of so.h are not held; see the lines FAIL above", failed);
}
END_TEST

START_TEST(empty)
{
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 0), SO_OK);
    ck_assert_int_eq(call_exp(types[_i], ctx, SO_AUTO, 0, 7, NULL, NULL), SO_OK);
    ck_assert_int_eq(call_exp_vjp(types[_i], ctx, SO_AUTO, 0, 7, NULL, NULL, NULL, NULL), SO_OK);
    ck_assert_int_eq(call_exp_jvp(types[_i], ctx, SO_AUTO, 0, 7, NULL, NULL, NULL, NULL), SO_OK);
    so_ctx_destroy(ctx);
}
END_TEST

/* The gradient that is returned is skew in every bit and all of it is written; scaling dR by a power of two scales dA exactly. */
START_TEST(skew_and_scaling)
{
    int bits = types[_i];
    static const int orders[] = {1, 2, 3, 4, 5, 8, 17, 33}, powers[2][3] = {{40, 118, -60}, {40, 1010, -800}};
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    for (size_t o = 0; o < sizeof orders / sizeof *orders; o++)
        for (int k = 0; k < METHODS; k++) {
            int n = orders[o];
            so_method m = (so_method)k;
            if (!campaign_wants(m) || !campaign_wants_order(n))
                continue;
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
    tcase_add_loop_test(tests, contract, 0, campaign_tests());
    tcase_add_loop_test(tests, switches, 0, 2);
    tcase_add_loop_test(tests, corners, 0, 2);
    tcase_add_loop_test(tests, empty, 0, 2);
    tcase_add_loop_test(tests, skew_and_scaling, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
