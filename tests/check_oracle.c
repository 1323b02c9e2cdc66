/* check_oracle.c: the double-double references of the other suites, held against ball arithmetic. So a bound that those suites
 * find held is held against Arb, up to 2^-80 relative to max(1, rho).
 * SPDX-License-Identifier: MIT */
#include "oracle_campaign.h"
#include <check.h>
#include <flint/flint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The largest difference of two pairs, relative to the largest entry of b (at least `least`). */
static double difference(int n, oracle_pair a, oracle_pair b, double least)
{
    double most = 0, scale = least;
    for (int i = 0; i < n * n; i++) {
        double d = fabs((a.hi[i] - b.hi[i]) + (a.lo[i] - b.lo[i]));
        most = d <= most ? most : d;
        scale = fmax(scale, fabs(b.hi[i]));
    }
    return most / scale;
}

/* E in and dA out are checked too: the vjp is the jvp at -A, projected. */
static void compare(int n, long number, int derivative, double *worst_seen)
{
    size_t size = (size_t)(n * n);
    double *A = malloc(size * sizeof *A), *B = malloc(size * sizeof *B), *G = malloc(size * sizeof *G), difference_now;
    oracle_pair R = oracle_new(n), L = oracle_new(n), D = oracle_new(n), Rb = oracle_new(n), Lb = oracle_new(n);
    random_sequence r;
    sample s = campaign_matrix(F64, n, number, A, &r);
    make_dense(F64, n, number % 2 ? 1e10 : 1, &r, G);
    for (size_t i = 0; i < size; i++)
        B[i] = -A[i];
    for (int cayley = 0; cayley < 2; cayley++) {
        (cayley ? oracle_cayley : oracle_exp)(n, B, G, &R, &L);
        (cayley ? oracle_arb_cayley : oracle_arb_exp)(n, B, derivative ? G : NULL, &Rb, &Lb);
        difference_now = difference(n, R, Rb, 1);
        if (derivative) {
            double scale = number % 2 ? 1e10 : 1;
            difference_now = fmax(difference_now, difference(n, L, Lb, scale));
            for (int i = 0; i < n * n; i++) { /* (Lb - Lb^T)/2, without a rounding in the high part */
                double x = Lb.hi[i], y = -Lb.hi[i % n * n + i / n], sum = x + y, t = sum - x;
                Rb.hi[i] = sum / 2;
                Rb.lo[i] = ((x - (sum - t)) + (y - t) + (Lb.lo[i] - Lb.lo[i % n * n + i / n])) / 2;
            }
            oracle_vjp(cayley, n, A, G, &D);
            difference_now = fmax(difference_now, difference(n, D, Rb, scale));
        }
        *worst_seen = fmax(*worst_seen, difference_now / fmax(1, s.rho));
        ck_assert_msg(difference_now <= ldexp(fmax(1, s.rho), -80), "%s n %d rho %g %s sample %ld: 2^%.1f",
                      cayley ? "cayley" : "exp", n, s.rho, shape_name(s.shape), number, log2(difference_now));
    }
    oracle_free(&R), oracle_free(&L), oracle_free(&D), oracle_free(&Rb), oracle_free(&Lb);
    free(A), free(B), free(G);
}

START_TEST(against_arb)
{
    double worst_seen = 0;
    for (int i = 1; i < campaign_size_count(); i++) {
        int n = campaign_sizes[i], count = test_deep() ? 400 : n <= 9 ? 60 : n <= 17 ? 12 : n <= 65 ? 2 : 1;
        for (int k = 0; k < count; k++) {
            compare(n, n <= 9 ? 7 * k : 3 * k + 1, n <= 17 || test_deep(), &worst_seen);
            flint_cleanup();
        }
    }
    printf("check_oracle: double-double differs from ball arithmetic by 2^%.1f max(1, rho) at most\n", log2(worst_seen));
    fflush(stdout);
}
END_TEST

Suite *check_oracle(void)
{
    Suite *suite = suite_create("oracle");
    TCase *tests = tcase_create("against ball arithmetic");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, against_arb);
    suite_add_tcase(suite, tests);
    return suite;
}
