/* check_pade.c: SO_PADE changes its degree and its squarings at the angles of pade_switch_at(), on both sides of which the
 * contract is tested (oracle_campaign.h).
 *
 * Seen from outside: of A = diag(angle J, B) the block of B is a function of B, the degree and the squarings alone, and these
 * follow from the angle as long as it is larger than those of B. So with B fixed the bits of that block change where the angle
 * passes a switch and else now and then: where rounding decides whether the base is made orthogonal once more, which is half of the
 * time at most, and where the centre (a mean rounded to few bits) changes.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "left_out.h"
#include "oracle_call.h"
#include "oracle_matrices.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 8, SIZE = N * N, TRIALS = 100, ANGLES = 4, BATCH = TRIALS * ANGLES, QUANTITIES = 3 };

static const char *const quantities[QUANTITIES] = {"value", "vjp", "jvp"};

typedef struct results {
    double A[BATCH * SIZE], E[BATCH * SIZE], R[BATCH * SIZE], X[QUANTITIES][BATCH * SIZE]; /* matrix b: angle b % ANGLES */
} results;

static void make_matrices(int bits, double middle, results *x)
{
    static const double side[ANGLES] = {-2e-3, -1e-3, 1e-3, 2e-3};
    random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 7000, 0);
    for (int b = 0; b < BATCH; b += ANGLES) {
        double B[6 * 6], E[SIZE];
        make_skew(bits, 6, DENSE, middle / 2, &r, B);
        make_dense(bits, N, 1, &r, E);
        for (int angle = 0; angle < ANGLES; angle++) {
            double *A = x->A + (b + angle) * SIZE;
            memset(A, 0, SIZE * sizeof *A);
            A[1] = call_round(bits, middle * (1 + side[angle]));
            for (int i = 0; i < 6; i++)
                for (int j = 0; j < 6; j++)
                    A[(i + 2) * N + j + 2] = B[i * 6 + j];
            memcpy(x->E + (b + angle) * SIZE, E, sizeof E);
        }
    }
}

static void compute(int bits, so_ctx *ctx, results *x)
{
    ck_assert_int_eq(call_exp(bits, ctx, SO_PADE, N, BATCH, x->A, x->X[0]), SO_OK);
    ck_assert_int_eq(call_exp_vjp(bits, ctx, SO_PADE, N, BATCH, x->A, x->X[0], x->E, x->X[1]), SO_OK);
    ck_assert_int_eq(call_exp_jvp(bits, ctx, SO_PADE, N, BATCH, x->A, x->E, x->R, x->X[2]), SO_OK);
}

/* Of how many B the bits change from this angle to the next. */
static int changes(const double *X, int angle)
{
    int count = 0;
    for (int b = angle; b < BATCH; b += ANGLES) {
        int differ = 0;
        for (int i = 2; i < N; i++)
            for (int j = 2; j < N; j++)
                differ |= !(X[b * SIZE + i * N + j] == X[(b + 1) * SIZE + i * N + j]);
        count += differ;
    }
    return count;
}

/* On CUDA one degree serves all angles. Derivatives are computed from R, too, and change with it. */
static int is_wrong(int bits, const pade_switch *s, int quantity, const double *X)
{
    int crossed = (!s->derivative || quantity > 0) && (s->squarings || !test_on_cuda());
    int before = changes(X, 0), at = changes(X, 1), after = changes(X, 2), few = TRIALS * 7 / 10, most = TRIALS * 9 / 10;
    int wrong = !(before <= few && after <= few && (crossed ? at >= most : at <= few));
    if (wrong || getenv("SO_TEST_VERBOSE"))
        printf("  %s %s %s at %.5g: of %d blocks %d change before, %d there, %d behind\n", wrong ? "FAIL" : "ok",
               call_type(bits), quantities[quantity], s->angle, TRIALS, before, at, after);
    return wrong;
}

START_TEST(switches)
{
    int bits = _i ? F32 : F64, failed = 0;
    results *x = malloc(sizeof *x);
    so_ctx *ctx;
    ck_assert_ptr_nonnull(x);
    ck_assert_int_eq(test_context(&ctx, 0), SO_OK);
    for (int k = 0; k < pade_switch_count(bits); k++) {
        pade_switch s = pade_switch_at(bits, k);
        make_matrices(bits, s.angle, x);
        compute(bits, ctx, x);
        for (int q = 0; q < QUANTITIES; q++)
            failed += is_wrong(bits, &s, q, x->X[q]);
    }
    so_ctx_destroy(ctx);
    free(x);
    fflush(stdout);
    ck_assert_msg(failed == 0, "%d times the switches are elsewhere; see the lines FAIL above", failed);
}
END_TEST

Suite *check_pade(void)
{
    Suite *suite = suite_create("pade");
    if (left_out(SO_PADE, "check_pade"))
        return suite;
    TCase *tests = tcase_create("switches");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, switches, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
