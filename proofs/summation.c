/* summation.c: the rounding error of the sums of libso/cpu/group/product.c. Derivation: accuracy.md, section 3.
 * SPDX-License-Identifier: MIT */
#include "summation.h"
#include "statement.h"
#include <math.h>
#include <stdlib.h>

enum { PREC = 192, LARGEST_DOT = 128 };

/* The sum as product.c forms it in f32, with or without fused multiply-add. */
static float sum_of_runs(int n, int whole, const float *a, const float *b, int fused)
{
    float total = 0;
    int run = run_of(n, whole);
    for (int start = 0; start < n; start += run) {
        float sum = 0;
        for (int k = start; k < n && k < start + run; k++) {
            volatile float product = a[k] * b[k]; /* rounded before it is added */
            sum = fused ? fmaf(a[k], b[k], sum) : sum + product;
        }
        total = start ? total + sum : sum;
    }
    return total;
}

/* |computed - exact| <= gamma_k sum |a b|, gamma_k = k u/(1 - k u). Random signs and equal signs. */
static int sum_bound(flint_rand_t state, int n, int whole)
{
    float a[LARGEST_DOT], b[LARGEST_DOT];
    int holds = 1, trials = 400, k = roundings(n, whole);
    arb_t exact, sizes, x, y;
    arb_init(exact), arb_init(sizes), arb_init(x), arb_init(y);
    for (int trial = 0; trial < trials; trial++) {
        arb_zero(exact), arb_zero(sizes);
        for (int i = 0; i < n; i++) {
            double p = ldexp((double)n_randint(state, 1 << 24), -24), q = ldexp((double)n_randint(state, 1 << 24), -24);
            int positive = trial % 4 >= 2;
            a[i] = (float)((positive ? p : 2 * p - 1) * sqrt(3.0 / n));
            b[i] = (float)((positive ? q : 2 * q - 1) * sqrt(3.0 / n));
            arb_set_d(x, (double)a[i]), arb_set_d(y, (double)b[i]), arb_mul(x, x, y, PREC);
            arb_add(exact, exact, x, PREC), arb_abs(x, x), arb_add(sizes, sizes, x, PREC);
        }
        arb_set_d(x, (double)sum_of_runs(n, whole, a, b, trial % 2));
        arb_sub(x, x, exact, PREC), arb_abs(x, x);
        arb_set_d(y, k / (ldexp(1, 24) - k)), arb_mul(y, y, sizes, PREC);
        holds &= arb_le(x, y);
    }
    arb_clear(exact), arb_clear(sizes), arb_clear(x), arb_clear(y);
    return holds;
}

int main(void)
{
    flint_rand_t state;
    flint_randinit(state); /* holds no memory: nothing to clear */
    int holds = 1;
    for (int n = 9; n <= LARGEST_DOT; n += 17)
        holds &= sum_bound(state, n, WHOLE_FULL) && sum_bound(state, n, WHOLE_HALF);
    int failed = statement(
        holds, "6.6 sums in equal runs of at most 8: |error| <= gamma_k sum |a b|, k = a run + their number - 1 (f32)");
    flint_cleanup();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
