/* check_vit.c: what the model promises about threads, initial values, bad configurations and divergence.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "model/vit.h"
#include "random.h"

/* Gradients of a model that is large enough to be cut into pieces, with dropout; the caller frees. */
static float *gradients(int threads, int pool, size_t *count)
{
    enum { B = 16, PIXELS = 3 * 60 * 60 };
    vit_config c = vit_config_default();
    c.size[0] = c.size[1] = 60;
    c.patch[0] = c.patch[1] = 12;
    c.dim = 64;
    c.depth = c.heads = 2;
    c.head_dim = 32;
    c.mlp_dim = 128;
    c.pool = (vit_pool)pool;
    static float images[B * PIXELS];
    int32_t labels[B];
    random_sequence r = random_start(3, RANDOM_ANALYSIS, 0, 0);
    for (int i = 0; i < B * PIXELS; i++)
        images[i] = random_normal(&r);
    for (int i = 0; i < B; i++)
        labels[i] = i;
    ops *o = ops_create_cpu(threads);
    char error[VIT_ERROR_SIZE];
    vit *v = vit_create(o, &c, error);
    vit_batch b = {.batch = B, .size = {60, 60}, .images = images, .labels = labels, .training = true};
    vit_forward(v, &b);
    vit_backward(v, 1);
    *count = (size_t)vit_flat_size(v);
    float *copy = malloc(*count * sizeof *copy);
    ck_assert(copy != NULL);
    o->download(o, copy, vit_gradients(v), *count * sizeof *copy);
    vit_destroy(v);
    o->destroy(o);
    return copy;
}

START_TEST(same_bits_for_any_number_of_threads)
{
    size_t n, m;
    float *one = gradients(1, _i, &n);
    for (int threads = 2; threads <= 5; threads++) {
        float *many = gradients(threads, _i, &m);
        ck_assert(n == m && !memcmp(one, many, n * sizeof *one));
        free(many);
    }
    free(one);
}
END_TEST

static vit_config small(void)
{
    vit_config c = vit_config_default();
    c.size[0] = c.size[1] = 8;
    c.classes = 3;
    c.dim = 12;
    c.depth = c.heads = 2;
    c.head_dim = 8;
    c.mlp_dim = 20;
    c.dropout = 0;
    c.tile = 4;
    return c;
}

/* Models that differ in the encoding alone start from the same values; distributions have the documented bounds and moments. */
START_TEST(initial_values)
{
    ops *o = ops_create_cpu(1);
    char error[VIT_ERROR_SIZE];
    vit_config c = small();
    c.dim = 96;
    vit *liere = vit_create(o, &c, error);
    c.encoding = VIT_ABSOLUTE;
    c.table_std = 0.02f;
    vit *absolute = vit_create(o, &c, error);
    int a, b;
    const vit_parameter *p = vit_parameters(liere, &a), *q = vit_parameters(absolute, &b);
    ck_assert_int_eq(a, b);
    for (int i = 0; i < a - 1; i++)
        ck_assert(
            !strcmp(p[i].name, q[i].name) && p[i].offset == q[i].offset &&
            !memcmp(vit_values(liere) + p[i].offset, vit_values(absolute) + q[i].offset, (size_t)p[i].count * sizeof(float)));
    ck_assert_str_eq(p[a - 1].name, "generators.weight");
    ck_assert_str_eq(q[a - 1].name, "pos_embedding.weight");
    ck_assert_int_eq(p[a - 1].count, 2 * 2 * 2 * 2 * 6);
    for (int i = 0; i < a; i++) {
        const float *x = (i == a - 1 ? vit_values(liere) : vit_values(absolute)) + p[i].offset;
        double least = INFINITY, most = -INFINITY, square = 0;
        for (int64_t k = 0; k < p[i].count; k++) {
            least = fmin(least, (double)x[k]);
            most = fmax(most, (double)x[k]);
            square += (double)x[k] * (double)x[k] / (double)p[i].count;
        }
        if (p[i].ndim == 2) { /* all entries of U(-s, s); of the outermost 5 % on either side at least one is drawn */
            double bound = 1 / sqrt((double)p[i].shape[1]);
            ck_assert(most <= bound && least >= -bound && most >= 0.9 * bound && least <= -0.9 * bound);
        } else if (strstr(p[i].name, "norm.weight")) {
            ck_assert(least == 1 && most == 1);
        } else if (strstr(p[i].name, "norm.bias")) {
            ck_assert(least == 0 && most == 0);
        } else if (i == a - 1) {
            ck_assert(least >= 0 && most <= 6.2832 && most > 5.5 && least < 0.8);
        }
        if (!strcmp(p[i].name, "cls_token")) /* 96 squares of N(0,1): 1 +- 4 sqrt(2/96) */
            ck_assert(fabs(square - 1) <= 4 * sqrt(2.0 / 96));
    }
    double square = 0;
    for (int64_t k = 0; k < q[b - 1].count; k++)
        square += pow((double)vit_values(absolute)[q[b - 1].offset + k], 2) / (double)q[b - 1].count;
    ck_assert(fabs(square / 0.0004 - 1) <= 4 * sqrt(2.0 / (double)q[b - 1].count));
    vit_destroy(liere);
    vit_destroy(absolute);
    o->destroy(o);
}
END_TEST

START_TEST(refuses_impossible_configurations)
{
    ops *o = ops_create_cpu(1);
    char error[VIT_ERROR_SIZE];
    const struct {
        const char *word;
        size_t offset;
        int value;
    } bad[] = {
        {"dims", offsetof(vit_config, dims), 4},          {"tile", offsetof(vit_config, tile), 3},
        {"tile", offsetof(vit_config, tile), 1},          {"size", offsetof(vit_config, size), 7},
        {"heads", offsetof(vit_config, heads), 0},        {"patch", offsetof(vit_config, patch), 0},
        {"classes", offsetof(vit_config, classes), -1},   {"method", offsetof(vit_config, method), 9},
        {"encoding", offsetof(vit_config, encoding), 17},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        vit_config c = small();
        memcpy((char *)&c + bad[i].offset, &bad[i].value, sizeof(int));
        ck_assert_ptr_null(vit_create(o, &c, error));
        ck_assert_msg(strstr(error, bad[i].word) != NULL, "%s: %s", bad[i].word, error);
    }
    vit_config c = small();
    c.dropout = NAN;
    ck_assert_ptr_null(vit_create(o, &c, error));
    c = small();
    vit *v = vit_create(o, &c, error);
    ck_assert(vit_size_error(v, (int[3]){12, 16, 1}) == NULL);
    ck_assert(vit_size_error(v, (int[3]){12, 15, 1}) != NULL);
    vit_destroy(v);
    o->destroy(o);
}
END_TEST

/* A model that has diverged says so: the loss is not finite and no example counts as correct. */
START_TEST(not_a_number_is_seen)
{
    ops *o = ops_create_cpu(1);
    char error[VIT_ERROR_SIZE];
    vit_config c = small();
    vit *v = vit_create(o, &c, error);
    int count;
    const vit_parameter *p = vit_parameters(v, &count);
    vit_values(v)[p[_i ? count - 1 : 0].offset] = NAN; /* a patch weight; a generator */
    float images[3 * 8 * 8];
    for (int i = 0; i < 3 * 8 * 8; i++)
        images[i] = (float)(i % 5) - 2;
    vit_batch b = {.batch = 1, .size = {8, 8}, .images = images, .labels = (int32_t[]){0}};
    vit_forward(v, &b);
    vit_score s = vit_loss(v);
    ck_assert(!isfinite(s.loss));
    ck_assert_int_eq(s.correct, 0);
    vit_destroy(v);
    o->destroy(o);
}
END_TEST

Suite *check_vit(void)
{
    Suite *s = suite_create("vit");
    TCase *t = tcase_create("vit");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, same_bits_for_any_number_of_threads, VIT_POOL_CLS, VIT_POOL_MEAN + 1);
    tcase_add_test(t, initial_values);
    tcase_add_test(t, refuses_impossible_configurations);
    tcase_add_loop_test(t, not_a_number_is_seen, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
