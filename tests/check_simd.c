/* check_simd.c: element-wise functions of the CPU backend: exp, GELU, dropout, Adam, cross-entropy, against double precision.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ops/ops.h"
#include "random.h"

#include "ops/simd.h"

/* ck_assert() writes to a pipe each time; this one only when it fails, which matters in loops over millions. */
#define REQUIRE(condition, ...)                                                                                                \
    do {                                                                                                                       \
        if (!(condition))                                                                                                      \
            ck_abort_msg(__VA_ARGS__);                                                                                         \
    } while (0)

static const double U = 0x1p-24;
enum { BLOCK = 4096 };

SIMD_CLONES static void exp_all(int n, const float *x, float *y)
{
#pragma omp simd
    for (int i = 0; i < n; i++)
        y[i] = simd_exp(x[i]);
}

/* Distance in units in the last place of the exact result; of the smallest subnormal at the bottom. */
static double ulps(float got, double exact)
{
    if (isinf(got))
        return exact >= 0x1.ffffffp127 ? 0 : INFINITY;
    int exponent;
    frexp(exact, &exponent);
    return fabs((double)got - exact) / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

/* Every 997th float of all that there are (all exponents, both signs), with SIMD and without. */
START_TEST(exponential_is_accurate)
{
    static float x[BLOCK], y[BLOCK];
    double worst = 0;
    for (uint64_t bits = 0; bits <= 0xFFFFFFFFu;) {
        for (int i = 0; i < BLOCK; i++, bits += 997) {
            uint32_t b = (uint32_t)bits;
            memcpy(&x[i], &b, sizeof b);
        }
        exp_all(BLOCK, x, y);
        for (int i = 0; i < BLOCK; i++) {
            float plain = simd_exp(x[i]);
            if (isnan(x[i])) {
                REQUIRE(isnan(y[i]) && isnan(plain), "exp(NaN) is not NaN");
                continue;
            }
            double exact = exp((double)x[i]), error = fmax(ulps(y[i], exact), ulps(plain, exact));
            REQUIRE(error <= 1.5, "exp(%a) = %a, off by %g ulp", (double)x[i], (double)y[i], error);
            worst = fmax(worst, error);
        }
    }
    ck_assert(worst > 0.5); /* the comparison compares something */
    ck_assert(simd_exp(0) == 1 && simd_exp(-INFINITY) == 0 && isinf(simd_exp(INFINITY)));
    if (getenv("SO_TEST_VERBOSE"))
        printf("exp: %.3f ulp\n", worst);
}
END_TEST

START_TEST(gelu_is_accurate)
{
    static float x[BLOCK], y[BLOCK], slope[BLOCK];
    ops *o = ops_create_cpu(1);
    double worst = 0, worst_slope = 0;
    for (int block = 0; block < 200; block++) {
        for (int i = 0; i < BLOCK; i++) {
            double t = (block * BLOCK + i + 0.5) / (200.0 * BLOCK) * 2 - 1; /* dense around 0, out to 40 */
            x[i] = (float)(40 * t * t * t);
        }
        o->gelu(o, BLOCK, x, y, slope);
        for (int i = 0; i < BLOCK; i++) {
            double z = (double)x[i], phi = erfc(-z / sqrt(2)) / 2, upper = erfc(-fabs(z) / sqrt(2)) / 2;
            double density = exp(-z * z / 2) / sqrt(2 * acos(-1));
            double error = fabs((double)y[i] - z * phi) / (U * fabs(z) * upper);
            double error_slope = fabs((double)slope[i] - (phi + z * density)) / U;
            REQUIRE(error <= 6, "gelu(%a) = %a, off by %g u", z, (double)y[i], error);
            REQUIRE(error_slope <= 4, "gelu'(%a) = %a, off by %g u", z, (double)slope[i], error_slope);
            worst = fmax(worst, error);
            worst_slope = fmax(worst_slope, error_slope);
        }
    }
    if (getenv("SO_TEST_VERBOSE"))
        printf("gelu: %.3f u, slope %.3f u\n", worst, worst_slope);
    float special[3] = {0, 50, -50}, value[3];
    o->gelu(o, 3, special, value, special); /* slope in the memory of x */
    ck_assert(value[0] == 0 && value[1] == 50 && value[2] == 0);
    ck_assert(special[0] == 0.5f && special[1] == 1 && special[2] == 0);
    o->destroy(o);
}
END_TEST

/* The mask is, bit for bit, the one that ops.h defines by random_block(); whatever the batch, the length, the threads. */
START_TEST(dropout_masks_are_the_documented_ones)
{
    enum { N = 8192 * 2 + 77, B = 3 };
    static float x[B * N], y[B * N];
    const uint64_t sample[B] = {3, (uint64_t)1 << 40, 0};
    const float ps[] = {0.0f, 0.1f, 0.5f, 0.999f};
    for (int i = 0; i < B * N; i++)
        x[i] = (float)(i + 1);
    for (int threads = 1; threads <= 3; threads += 2)
        for (int k = 0; k < 4; k++) {
            ops *o = ops_create_cpu(threads);
            ops_dropout d = {.p = ps[k], .seed = 0x123456789ABCDEFull, .epoch = 9, .first_block = 1000, .sample = sample};
            o->dropout(o, &d, B, N, x, y);
            for (int b = 0; b < B; b++) {
                random_key key = {.seed = d.seed, .stream = RANDOM_DROPOUT, .epoch = 9, .sample = sample[b]};
                int kept = 0;
                for (int i = 0; i < N; i++) {
                    uint32_t word[4];
                    random_block(&key, 1000 + (uint32_t)i / 4, word);
                    bool keep = word[i % 4] >= (double)ps[k] * 0x1p32;
                    kept += keep;
                    double want = keep ? (double)x[b * N + i] / (1 - (double)ps[k]) : 0;
                    REQUIRE(fabs((double)y[b * N + i] - want) <= 2 * U * want, "example %d, element %d: %g, not %g", b, i,
                            (double)y[b * N + i], want);
                }
                /* 5 standard deviations of a binomial */
                ck_assert(fabs(kept - N * (1 - (double)ps[k])) <= 5 * sqrt(N * (double)ps[k] * (1 - (double)ps[k])));
            }
            o->destroy(o);
        }
}
END_TEST

START_TEST(cross_entropy_is_accurate)
{
    enum { B = 6, K = 5 };
    float logits[B * K] = {0,    0,     0,    0,    0,     1e4f, -1e4f, 0, 3, 2, -80,      -81, -82, -83, -84,
                           0.3f, -1.7f, 2.2f, 0.9f, -0.4f, NAN,  1,     2, 3, 4, INFINITY, 0,   0,   0,   0};
    const int32_t label[B] = {2, 1, 3, 4, 1, 0};
    float loss[B], dlogits[B * K];
    int32_t correct[B];
    ops *o = ops_create_cpu(2);
    o->cross_entropy(o, B, K, logits, label, loss, correct);
    o->cross_entropy_backward(o, B, K, logits, label, 0.25f, dlogits);
    for (int b = 0; b < 4; b++) {
        const float *z = logits + b * K;
        double most = -INFINITY, sum = 0, dsum = 0;
        for (int k = 0; k < K; k++)
            most = fmax(most, (double)z[k]);
        for (int k = 0; k < K; k++)
            sum += exp((double)z[k] - most);
        double exact = log(sum) + most - (double)z[label[b]];
        ck_assert(fabs((double)loss[b] - exact) <= 4 * U * (exact + 1)); /* difference, log, difference, and exp in the sum */
        for (int k = 0; k < K; k++) {
            double want = 0.25 * (exp((double)z[k] - most) / sum - (k == label[b]));
            ck_assert(fabs((double)dlogits[b * K + k] - want) <= 8 * U * 0.25);
            dsum += (double)dlogits[b * K + k];
        }
        ck_assert(fabs(dsum) <= 8 * U);
    }
    ck_assert_int_eq(correct[0], 0); /* five equals: the first is the answer */
    ck_assert_int_eq(correct[1], 0);
    ck_assert(isnan(loss[4]) && correct[4] == 0);
    ck_assert(!isfinite(loss[5]) && correct[5] == 0);
    o->destroy(o);
}
END_TEST

/* Ten steps with the default eps on given gradients against the formulas of the papers in double.
 * A step is lr times a ratio of size <= 1/sqrt(1 - beta2) at worst, here <= 4; its relative error is below 16 u, and x is
 * rounded three times per step. */
START_TEST(adam_is_accurate)
{
    enum { N = 8192 + 13, STEPS = 10 };
    static float x[N], g[N], m[N], v[N];
    static double X[N], M[N], V[N];
    for (int decoupled = 0; decoupled < 2; decoupled++) {
        ops *o = ops_create_cpu(2);
        const ops_adam a = {0.9, 0.999, 1e-8, 0.01, decoupled};
        random_sequence r = random_start(5, RANDOM_ANALYSIS, 0, 0);
        for (int i = 0; i < N; i++) {
            x[i] = random_normal(&r);
            X[i] = (double)x[i];
            m[i] = v[i] = 0;
            M[i] = V[i] = 0;
        }
        for (int step = 1; step <= STEPS; step++) {
            for (int i = 0; i < N; i++)
                g[i] = random_normal(&r) * powf(10, (float)(i % 9) - 6);
            o->adam(o, &a, 1e-3, step, N, x, g, m, v);
            for (int i = 0; i < N; i++) {
                double G = (double)g[i] + (decoupled ? 0 : a.weight_decay * X[i]);
                M[i] = a.beta1 * M[i] + (1 - a.beta1) * G;
                V[i] = a.beta2 * V[i] + (1 - a.beta2) * G * G;
                X[i] -= decoupled ? 1e-3 * a.weight_decay * X[i] : 0;
                X[i] -= 1e-3 * M[i] / (1 - pow(a.beta1, step)) / (sqrt(V[i] / (1 - pow(a.beta2, step))) + a.eps);
            }
        }
        for (int i = 0; i < N; i++) {
            double tolerance = STEPS * (3 * U * (fabs(X[i]) + 0.01) + 1e-3 * 4 * 16 * U);
            REQUIRE(fabs((double)x[i] - X[i]) <= tolerance, "x[%d] = %a, exact %a", i, (double)x[i], X[i]);
        }
        o->destroy(o);
    }
}
END_TEST

Suite *check_simd(void)
{
    Suite *s = suite_create("simd");
    TCase *t = tcase_create("simd");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, exponential_is_accurate);
    tcase_add_test(t, gelu_is_accurate);
    tcase_add_test(t, dropout_masks_are_the_documented_ones);
    tcase_add_test(t, cross_entropy_is_accurate);
    tcase_add_test(t, adam_is_accurate);
    suite_add_tcase(s, t);
    return s;
}
