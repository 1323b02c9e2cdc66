/* check_cuda_closed_form.c: exp and its derivatives for n = 2, 3, 4 on a CUDA device: the contract of so.h, the same bits wherever
 * a matrix stands, NaN in its own matrix only, angles and scales at the ends of the range.
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

/* Two whole blocks of 128 threads and part of a third. */
enum { BATCH = 300, MOST = BATCH * 16 };

typedef struct inputs {
    int bits, n;
    sample samples[BATCH];
    double A[MOST], E[MOST], G[MOST], R[MOST];
} inputs;

typedef struct outputs {
    double R[MOST], dA[MOST], R2[MOST], L[MOST];
} outputs;

/* R: what the rotations are that so_exp_vjp is given, from the CPU. */
static void make_inputs(int bits, int n, inputs *in)
{
    int size = n * n;
    random_sequence r;
    so_ctx *cpu;
    in->bits = bits, in->n = n;
    ck_assert_int_eq(so_ctx_create_cpu(&cpu, 1), SO_OK);
    for (int b = 0; b < BATCH; b++) {
        double *A = in->A + b * size, *R = in->R + b * size;
        in->samples[b] = campaign_matrix(bits, n, b, A, &r);
        ck_assert_int_eq(call_exp(bits, cpu, SO_AUTO, n, 1, A, R), SO_OK);
        campaign_gradient(bits, &in->samples[b], A, R, &r, in->G + b * size);
        make_skew(bits, n, DENSE, 1, &r, in->E + b * size);
    }
    so_ctx_destroy(cpu);
}

static so_status run(so_ctx *ctx, const inputs *in, int first, int count, outputs *out)
{
    int at = first * in->n * in->n;
    so_status status[] = {
        call_exp(in->bits, ctx, SO_AUTO, in->n, count, in->A + at, out->R + at),
        call_exp_vjp(in->bits, ctx, SO_AUTO, in->n, count, in->A + at, in->R + at, in->G + at, out->dA + at),
        call_exp_jvp(in->bits, ctx, SO_AUTO, in->n, count, in->A + at, in->E + at, out->R2 + at, out->L + at),
    };
    return status[0] != SO_OK ? status[0] : status[1] != SO_OK ? status[1] : status[2];
}

static void full_skew(int n, const double *E, double *full)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            full[i * n + j] = i == j ? 0 : i < j ? E[i * n + j] : -E[j * n + i];
}

START_TEST(contract)
{
    int bits = types[_i];
    double u = call_u(bits);
    enum { FORWARD, ORTHOGONALITY, VJP, JVP, JVP_FORWARD, ALL };
    worst all[ALL] = {{0}};
    static inputs in;
    static outputs out;
    so_ctx *ctx = cuda_context();
    for (int n = 2; n <= 4; n++) {
        make_inputs(bits, n, &in);
        ck_assert_int_eq(run(ctx, &in, 0, BATCH, &out), SO_OK);
        for (int b = 0; b < BATCH; b++) {
            int at = b * n * n;
            double E[16], rho = in.samples[b].rho, slope = 30 * u * (1 + rho / 10);
            oracle_pair R = oracle_new(n), L = oracle_new(n), dA = oracle_new(n);
            worst here = {.n = n, .rho = rho, .shape = in.samples[b].shape, .sample = b};
            full_skew(n, in.E + at, E);
            oracle_exp(n, in.A + at, E, &R, &L);
            oracle_vjp(0, n, in.A + at, in.G + at, &dA);
            worst_of(&all[FORWARD], distance(n, out.R + at, R), (10 + 2 * rho) * u, &here);
            worst_of(&all[ORTHOGONALITY], oracle_orthogonality(n, out.R + at) / sqrt(n), (16 + 2 * rho) * u, &here);
            worst_of(&all[VJP], distance(n, out.dA + at, dA), slope * frobenius(n, in.G + at), &here);
            worst_of(&all[JVP], distance(n, out.L + at, L), slope * frobenius(n, E), &here);
            worst_of(&all[JVP_FORWARD], distance(n, out.R2 + at, R), (10 + 2 * rho) * u, &here);
            oracle_free(&R), oracle_free(&L), oracle_free(&dA);
        }
    }
    printf("check_cuda_closed_form %s, worst error/bound: forward %.3f  orthogonality %.3f  vjp %.3f  jvp %.3f, its R %.3f\n",
           call_type(bits), all[FORWARD].ratio, all[ORTHOGONALITY].ratio, all[VJP].ratio, all[JVP].ratio, all[JVP_FORWARD].ratio);
    for (int k = 0; k < ALL; k++)
        ck_assert_msg(all[k].ratio <= 1, "%s quantity %d: error/bound %g at n %d rho %g %s sample %ld", call_type(bits), k,
                      all[k].ratio, all[k].n, all[k].rho, shape_name(all[k].shape), all[k].sample);
    so_ctx_destroy(ctx);
}
END_TEST

static void same(const inputs *in, const outputs *a, const outputs *b, const char *what)
{
    size_t bytes = (size_t)(BATCH * in->n * in->n) * sizeof(double);
    ck_assert_msg(!memcmp(a->R, b->R, bytes) && !memcmp(a->dA, b->dA, bytes) && !memcmp(a->R2, b->R2, bytes) &&
                      !memcmp(a->L, b->L, bytes),
                  "%s n %d: other bits %s", call_type(in->bits), in->n, what);
}

START_TEST(same_bits)
{
    int bits = types[_i];
    static inputs in;
    static outputs reference, out;
    so_ctx *ctx = cuda_context();
    for (int n = 2; n <= 4; n++) {
        size_t bytes = (size_t)(BATCH * n * n) * sizeof(double);
        make_inputs(bits, n, &in);
        run(ctx, &in, 0, BATCH, &reference);
        for (int b = 0; b < BATCH; b += b < 8 ? 1 : 73) /* alone, so first of its batch */
            run(ctx, &in, b, 1, &out);
        run(ctx, &in, 0, 5, &out), run(ctx, &in, 5, 128, &out), run(ctx, &in, 133, BATCH - 133, &out);
        same(&in, &reference, &out, "in batches of another size");
        memset(&out, 0, sizeof out);
        call_unaligned(1);
        run(ctx, &in, 0, BATCH, &out);
        call_unaligned(0);
        same(&in, &reference, &out, "with unaligned pointers");
        for (int order = 2; order >= 0; order--) {
            cuda_order(order);
            memset(&out, 0, sizeof out);
            run(ctx, &in, 0, BATCH, &out);
            same(&in, &reference, &out, "in another order of threads");
        }
        memcpy(out.R, in.A, bytes);
        ck_assert_int_eq(call_exp(bits, ctx, SO_AUTO, n, BATCH, out.R, out.R), SO_OK);
        memcpy(out.dA, in.R, bytes);
        ck_assert_int_eq(call_exp_vjp(bits, ctx, SO_AUTO, n, BATCH, in.A, out.dA, in.G, out.dA), SO_OK);
        same(&in, &reference, &out, "in place");
        memcpy(out.dA, in.G, bytes);
        ck_assert_int_eq(call_exp_vjp(bits, ctx, SO_AUTO, n, BATCH, in.A, in.R, out.dA, out.dA), SO_OK);
        same(&in, &reference, &out, "with dA in the place of dR");
    }
    so_ctx_destroy(ctx);
}
END_TEST

/* Matrix `bad` is NaN, the others are those of the reference. */
static void spoilt(int n, int bad, const double *reference, const double *X)
{
    for (int i = 0; i < BATCH * n * n; i++)
        ck_assert_msg(i / (n * n) == bad ? isnan(X[i]) : memcmp(&X[i], &reference[i], sizeof *X) == 0,
                      "n %d, matrix %d spoilt: matrix %d entry %d is %a", n, bad, i / (n * n), i % (n * n), X[i]);
}

START_TEST(non_finite)
{
    int bits = types[_i];
    static inputs in;
    static outputs reference, out;
    so_ctx *ctx = cuda_context();
    for (int n = 2; n <= 4; n++) {
        int bad = 128 + n, at = bad * n * n, last = at + n * n - 1 - n;
        make_inputs(bits, n, &in);
        ck_assert_int_eq(run(ctx, &in, 0, BATCH, &reference), SO_OK); /* NaN on and below the diagonals of A and E */
        double *const input[] = {&in.A[at + 1], &in.A[last], &in.R[at + n], &in.G[at + n * n - 1], &in.E[at + 1]};
        for (int k = 0; k < 5; k++) {
            double keep = *input[k];
            *input[k] = k % 2 ? NAN : INFINITY;
            ck_assert_int_eq(run(ctx, &in, 0, BATCH, &out), SO_ENONFINITE);
            spoilt(n, k < 2 ? bad : -1, reference.R, out.R);
            spoilt(n, k < 4 ? bad : -1, reference.dA, out.dA);
            spoilt(n, k < 2 || k == 4 ? bad : -1, reference.R2, out.R2);
            spoilt(n, k < 2 || k == 4 ? bad : -1, reference.L, out.L);
            *input[k] = keep;
        }
        ck_assert_int_eq(run(ctx, &in, 0, BATCH, &out), SO_OK);
    }
    so_ctx_destroy(ctx);
}
END_TEST

/* For A = 0: exp(A) = I with zeros +0, and dA = skew(dR) with the zeros that the CPU has. */
START_TEST(zero)
{
    int bits = types[_i];
    so_ctx *ctx = cuda_context(), *cpu;
    ck_assert_int_eq(so_ctx_create_cpu(&cpu, 1), SO_OK);
    for (int n = 2; n <= 4; n++)
        for (int sign = 0; sign < 2; sign++) {
            double A[16], R[16], dA[16], dA2[16], I[16];
            for (int i = 0; i < n * n; i++)
                A[i] = sign ? -0.0 : 0.0, I[i] = i % (n + 1) == 0;
            ck_assert_int_eq(call_exp(bits, ctx, SO_AUTO, n, 1, A, R), SO_OK);
            ck_assert_int_eq(call_exp_vjp(bits, ctx, SO_AUTO, n, 1, A, I, I, dA), SO_OK);
            ck_assert_int_eq(call_exp_vjp(bits, cpu, SO_AUTO, n, 1, A, I, I, dA2), SO_OK);
            for (int i = 0; i < n * n; i++) {
                ck_assert_msg(R[i] == I[i] && !signbit(R[i]), "n %d exp(%g)[%d] = %g", n, A[0], i, R[i]);
                ck_assert_msg(dA[i] == 0 && signbit(dA[i]) == signbit(dA2[i]), "n %d dA[%d] = %g, CPU %g", n, i, dA[i], dA2[i]);
            }
        }
    so_ctx_destroy(ctx), so_ctx_destroy(cpu);
}
END_TEST

/* Entries from the smallest to the largest number: rotations to the last bits, and those of the CPU within the contract. */
START_TEST(range)
{
    int bits = types[_i];
    double u = call_u(bits), most = bits == F64 ? DBL_MAX : FLT_MAX, least = bits == F64 ? 0x1p-1074 : 0x1p-149;
    double angle[] = {least, 3 * least, least / u, sqrt(least), u, 1e3, 0x1p20, 0x1p40, 0x1p47, 0x1p49, sqrt(most),
                      most / 2, most};
    so_ctx *ctx = cuda_context(), *cpu;
    ck_assert_int_eq(so_ctx_create_cpu(&cpu, 1), SO_OK);
    for (int n = 2; n <= 4; n++)
        for (size_t k = 0; k < sizeof angle / sizeof *angle; k++) {
            double A[16], R[16], R2[16], dA[16], dA2[16], x = call_round(bits, angle[k]), bound = (10 + 2 * sqrt(6) * x) * u;
            for (int i = 0; i < n * n; i++)
                A[i] = i % 2 ? x : -x;
            ck_assert_int_eq(call_exp(bits, ctx, SO_AUTO, n, 1, A, R), SO_OK);
            ck_assert_int_eq(call_exp(bits, cpu, SO_AUTO, n, 1, A, R2), SO_OK);
            ck_assert_msg(oracle_orthogonality(n, R) <= 16 * u, "%s n %d, entries %a: R^T R - I %g", call_type(bits), n, x,
                          oracle_orthogonality(n, R));
            ck_assert_int_eq(call_exp_vjp(bits, ctx, SO_AUTO, n, 1, A, R2, A, dA), SO_OK); /* dR as large as A */
            ck_assert_int_eq(call_exp_vjp(bits, cpu, SO_AUTO, n, 1, A, R2, A, dA2), SO_OK);
            for (int i = 0; i < n * n; i++) {
                ck_assert_msg(fabs(R[i] - R2[i]) <= 2 * bound, "%s n %d, entries %a: R[%d] = %a, CPU %a", call_type(bits), n, x, i,
                              R[i], R2[i]);
                ck_assert_msg(x > most / 16 || fabs(dA[i] - dA2[i]) <= (60 * u * (1 + x) + least / x) * 4 * x,
                              "%s n %d, entries %a: dA[%d] = %a, CPU %a", call_type(bits), n, x, i, dA[i], dA2[i]);
            }
        }
    so_ctx_destroy(ctx), so_ctx_destroy(cpu);
}
END_TEST

Suite *check_cuda_closed_form(void)
{
    Suite *suite = suite_create("cuda_closed_form");
    TCase *tests = tcase_create("closed forms");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, contract, 0, 2);
    tcase_add_loop_test(tests, same_bits, 0, 2);
    tcase_add_loop_test(tests, non_finite, 0, 2);
    tcase_add_loop_test(tests, zero, 0, 2);
    tcase_add_loop_test(tests, range, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
