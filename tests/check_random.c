/* check_random.c: the generator against its publication, the permutation, the distributions.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "random.h"

/* Philox4x32-10, known answers of Salmon et al. (Random123, kat_vectors). Counter and key as random_block() lays them out. */
START_TEST(known_answers)
{
    static const struct {
        random_key key;
        uint32_t index, answer[4];
    } vectors[] = {
        {{0, 0, 0, 0}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffffffffffff, 0, 0xffffffff, 0xffffffffffffffff}, 0xffffffff, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x299f31d0a4093822, 0, 0x03707344, 0x13198a2e85a308d3}, 0x243f6a88, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint32_t out[4];
        random_block(&vectors[i].key, vectors[i].index, out);
        for (int k = 0; k < 4; k++)
            ck_assert_uint_eq(out[k], vectors[i].answer[k]);
    }
}
END_TEST

START_TEST(keys_differ)
{
    random_key base = {.seed = 1, .stream = RANDOM_ORDER, .epoch = 2, .sample = 3}, key[5] = {base, base, base, base, base};
    key[1].seed++;
    key[2].stream++;
    key[3].epoch++;
    key[4].sample++;
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < i; j++) {
            uint32_t a[4], b[4];
            random_block(&key[i], 0, a);
            random_block(&key[j], 0, b);
            ck_assert(a[0] != b[0] || a[1] != b[1]);
        }
}
END_TEST

START_TEST(sequence_is_the_blocks)
{
    random_sequence s = random_start(7, RANDOM_INIT, 1, 9);
    for (uint32_t i = 0; i < 10; i++) {
        uint32_t block[4];
        random_block(&(random_key){.seed = 7, .stream = RANDOM_INIT, .epoch = 1, .sample = 9}, i, block);
        for (int k = 0; k < 4; k++)
            ck_assert_uint_eq(random_u32(&s), block[k]);
    }
}
END_TEST

START_TEST(permutation_is_a_bijection)
{
    static const uint64_t sizes[] = {1, 2, 3, 4, 5, 16, 17, 100, 255, 256, 257, 1000, 50000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (uint32_t epoch = 0; epoch < 3; epoch++) {
            uint64_t n = sizes[i], fixed = 0;
            unsigned char *seen = calloc(n, 1);
            for (uint64_t p = 0; p < n; p++) {
                uint64_t x = random_permute(p, n, 5, RANDOM_ORDER, epoch);
                ck_assert_uint_lt(x, n);
                ck_assert_int_eq(seen[x], 0);
                seen[x] = 1;
                fixed += x == p;
            }
            free(seen);
            if (n >= 100)
                ck_assert_uint_lt(fixed, 10); /* a random permutation has one fixed point on average */
        }
}
END_TEST

START_TEST(epochs_have_other_orders)
{
    int same = 0;
    for (uint64_t p = 0; p < 1000; p++)
        same += random_permute(p, 1000, 5, RANDOM_ORDER, 0) == random_permute(p, 1000, 5, RANDOM_ORDER, 1);
    ck_assert_int_lt(same, 10);
}
END_TEST

/* Pearson's statistic of the first positions of many permutations: each place equally likely. */
START_TEST(permutation_is_uniform)
{
    enum { N = 10, DRAWS = 20000 };
    for (uint64_t p = 0; p < N; p++) {
        int count[N] = {0};
        for (uint32_t epoch = 0; epoch < DRAWS; epoch++)
            count[random_permute(p, N, 11, RANDOM_ORDER, epoch)]++;
        double chi2 = 0, expected = (double)DRAWS / N;
        for (int i = 0; i < N; i++)
            chi2 += (count[i] - expected) * (count[i] - expected) / expected;
        ck_assert(chi2 < 40); /* 9 degrees of freedom: exceeded with probability 1e-5 */
    }
}
END_TEST

START_TEST(below_is_uniform)
{
    static const uint32_t sizes[] = {1, 2, 3, 7, 10};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint32_t n = sizes[i];
        double count[10] = {0}, draws = 100000, chi2 = 0;
        random_sequence s = random_start(3, RANDOM_ANALYSIS, 0, n);
        for (int k = 0; k < (int)draws; k++) {
            uint32_t x = random_below(&s, n);
            ck_assert_uint_lt(x, n);
            count[x]++;
        }
        for (uint32_t k = 0; k < n; k++)
            chi2 += (count[k] - draws / n) * (count[k] - draws / n) / (draws / n);
        ck_assert(chi2 < 40);
    }
    random_sequence s = random_start(3, RANDOM_ANALYSIS, 1, 0);
    uint64_t sum = 0;
    for (int k = 0; k < 1000; k++) /* a range that is not a power of two and nearly all of 32 bits: rejection is frequent */
        sum += random_below(&s, 0xC0000000u) >= 0x60000000u;
    ck_assert(sum > 400 && sum < 600);
}
END_TEST

START_TEST(moments)
{
    enum { N = 200000 };
    random_sequence s = random_start(4, RANDOM_INIT, 0, 0);
    double uniform = 0, mean = 0, square = 0, fourth = 0;
    for (int i = 0; i < N; i++) {
        float u = random_uniform(&s);
        ck_assert(u >= 0 && u < 1);
        uniform += (double)u;
        double x = (double)random_normal(&s);
        ck_assert(isfinite(x));
        mean += x;
        square += x * x;
        fourth += x * x * x * x;
    }
    /* five standard errors */
    ck_assert(fabs(uniform / N - 0.5) < 5 * sqrt(1.0 / 12 / N));
    ck_assert(fabs(mean / N) < 5 * sqrt(1.0 / N));
    ck_assert(fabs(square / N - 1) < 5 * sqrt(2.0 / N));
    ck_assert(fabs(fourth / N - 3) < 5 * sqrt(96.0 / N));
}
END_TEST

Suite *check_random(void);
Suite *check_random(void)
{
    Suite *suite = suite_create("random");
    TCase *all = tcase_create("philox");
    tcase_add_test(all, known_answers);
    tcase_add_test(all, keys_differ);
    tcase_add_test(all, sequence_is_the_blocks);
    tcase_add_test(all, permutation_is_a_bijection);
    tcase_add_test(all, epochs_have_other_orders);
    tcase_add_test(all, permutation_is_uniform);
    tcase_add_test(all, below_is_uniform);
    tcase_add_test(all, moments);
    tcase_set_timeout(all, 60);
    suite_add_tcase(suite, all);
    return suite;
}
