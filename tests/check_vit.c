/* check_vit.c: the model against PyTorch in float64 (tests/golden/make_vit_goldens.py), and its promises about batches, threads
 * and bad input.
 *
 * Tolerances of the golden tests: errors are largest difference / largest entry of the tensor. An f32 implementation that sums
 * in another order than PyTorch's f32 run has an error of the same size but not the same value; the yardstick stored with
 * each group of results is the largest over its tensors, and 8 times that is allowed. A wrong factor or a missing term shows
 * as 1e-3 or more, a thousand times the tolerance.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/safetensors.h"
#include "model/vit.h"

static const char *const GOLDENS[] = {
    "absolute",       "none_mean",           "visionllama",          "rope_mixed",        "liere4",
    "liere8",         "liere_dense",         "liere_dense_mean",     "liere4_shared_heads", "liere4_shared_layers",
    "liere4_shared_all", "liere4_layer0",    "liere4_dropout",       "absolute_3d",       "visionllama_3d",
    "rope_mixed_3d",  "liere_dense_3d",      "absolute_1d",          "liere4_1d",
};
enum { GOLDEN_COUNT = sizeof GOLDENS / sizeof *GOLDENS, MARGIN = 8 };

typedef struct golden {
    safetensors *file;
    vit_config config;
    int batch, steps, other[3];
    uint32_t epoch;
    double lr;
    ops_adam adam;
    uint64_t sample[3];
} golden;

static const float *tensor(const golden *g, const char *prefix, const char *name, int64_t count)
{
    char full[160];
    fault f = {{0}};
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const float *data = safetensors_f32(g->file, full, count, &f);
    ck_assert_msg(data != NULL, "%s", f.text);
    return data;
}

static golden open_golden(const char *name)
{
    golden g = {0};
    char path[128];
    fault f = {{0}};
    snprintf(path, sizeof path, "tests/golden/vit_%s.safetensors", name);
    g.file = safetensors_read(path, &f);
    ck_assert_msg(g.file != NULL, "%s", f.text);
    vit_config *c = &g.config;
    *c = vit_config_default();
    int mean, encoding, per_layer, per_head, layer0;
    int n = sscanf(safetensors_metadata(g.file, "config"),
                   "dims=%d size=%d,%d,%d patch=%d,%d,%d other=%d,%d,%d channels=%d classes=%d dim=%d depth=%d heads=%d head_dim=%d "
                   "mlp=%d mean=%d encoding=%d tile=%d per_layer=%d per_head=%d layer0=%d dropout=%f seed=%" SCNu64
                   " batch=%d epoch=%" SCNu32 " steps=%d lr=%lf eps=%lf weight_decay=%lf",
                   &c->dims, &c->size[0], &c->size[1], &c->size[2], &c->patch[0], &c->patch[1], &c->patch[2], &g.other[0],
                   &g.other[1], &g.other[2], &c->channels, &c->classes, &c->dim, &c->depth, &c->heads, &c->head_dim, &c->mlp_dim,
                   &mean, &encoding, &c->tile, &per_layer, &per_head, &layer0, &c->dropout, &c->seed, &g.batch, &g.epoch, &g.steps,
                   &g.lr, &g.adam.eps, &g.adam.weight_decay);
    ck_assert_int_eq(n, 31);
    c->pool = mean ? VIT_POOL_MEAN : VIT_POOL_CLS;
    c->encoding = (vit_encoding)encoding;
    c->per_layer = per_layer;
    c->per_head = per_head;
    c->rotations = layer0 ? VIT_ROTATIONS_LAYER0 : VIT_ROTATIONS_PER_LAYER;
    g.adam.beta1 = 0.9;
    g.adam.beta2 = 0.999;
    n = sscanf(safetensors_metadata(g.file, "samples"), "%" SCNu64 " %" SCNu64 " %" SCNu64, &g.sample[0], &g.sample[1], &g.sample[2]);
    ck_assert_int_eq(n, g.batch);
    return g;
}

/* A model with the golden's parameters; every tensor of the table must be in the file with the same number of elements. */
static vit *load(const golden *g, ops *o)
{
    char error[VIT_ERROR_SIZE];
    vit *v = vit_create(o, &g->config, error);
    ck_assert_msg(v != NULL, "%s", error);
    int count, golden_count = 0;
    const vit_parameter *p = vit_parameters(v, &count);
    for (int i = 0; i < count; i++)
        o->upload(o, vit_values(v) + p[i].offset, tensor(g, "parameter.", p[i].name, p[i].count),
                  (size_t)p[i].count * sizeof(float));
    for (int i = 0; i < g->file->count; i++)
        golden_count += !strncmp(g->file->tensor[i].name, "parameter.", 10);
    ck_assert_int_eq(count, golden_count);
    return v;
}

static int64_t pixels(const golden *g, const int size[3])
{
    int64_t n = (int64_t)g->batch * g->config.channels;
    for (int d = 0; d < g->config.dims; d++)
        n *= size[d];
    return n;
}

static vit_batch batch_of(const golden *g, const char *images, const int size[3], bool training)
{
    return (vit_batch){.batch = g->batch,
                       .size = {size[0], size[1], size[2]},
                       .images = tensor(g, images, "", pixels(g, size)),
                       .labels = safetensors_find(g->file, "labels")->data,
                       .training = training,
                       .epoch = g->epoch,
                       .sample = g->sample};
}

/* Largest difference / largest entry; a NaN anywhere gives NaN or infinity, never a small number. */
static double difference(const float *got, const float *want, int64_t n)
{
    double most = 0, scale = 0;
    for (int64_t i = 0; i < n; i++) {
        double d = fabs((double)got[i] - (double)want[i]);
        most = most <= INFINITY && !(d <= most) ? d : most;
        scale = fmax(scale, fabs((double)want[i]));
    }
    return most == 0 ? 0 : most / scale;
}

static void compare(const golden *g, const char *group, const char *yardstick, const char *name, const float *got, int64_t n)
{
    char key[64], prefix[32];
    snprintf(key, sizeof key, "%s.f32_error", yardstick);
    snprintf(prefix, sizeof prefix, "%s%s", group, *name ? "." : "");
    double tolerance = MARGIN * strtod(safetensors_metadata(g->file, key), NULL);
    double error = difference(got, tensor(g, prefix, name, n), n);
    if (getenv("SO_TEST_VERBOSE"))
        printf("%-10s %-34s %.2e of %.2e\n", group, name, error, tolerance);
    ck_assert_msg(error <= tolerance, "%s of %s: error %.3e, allowed %.3e", group, name, error, tolerance);
}

static void compare_all(const golden *g, const char *group, vit *v, const float *flat)
{
    int count;
    const vit_parameter *p = vit_parameters(v, &count);
    for (int i = 0; i < count; i++)
        compare(g, group, group, p[i].name, flat + p[i].offset, p[i].count);
}

static void compare_training(const golden *g, const char *group, bool decoupled)
{
    ops *o = ops_create_cpu(1);
    vit *v = load(g, o);
    vit_batch b = batch_of(g, "images", g->config.size, true);
    ops_adam adam = g->adam;
    adam.decoupled = decoupled;
    for (int step = 1; step <= g->steps; step++) {
        vit_forward(v, &b);
        vit_zero_gradients(v);
        vit_backward(v, 1);
        vit_adam_step(v, &adam, g->lr, step);
    }
    compare_all(g, group, v, vit_values(v));
    vit_destroy(v);
    o->destroy(o);
}

START_TEST(agrees_with_pytorch)
{
    golden g = open_golden(GOLDENS[_i]);
    ops *o = ops_create_cpu(2);
    vit *v = load(&g, o);
    vit_batch b = batch_of(&g, "images", g.config.size, true);
    float logits[64];
    int64_t n = (int64_t)g.batch * g.config.classes;
    ck_assert(n <= 64);
    vit_forward(v, &b);
    vit_logits(v, logits);
    compare(&g, "logits", "logits", "", logits, n);
    float loss = (float)vit_loss(v).loss;
    compare(&g, "loss", "logits", "", &loss, 1);
    vit_zero_gradients(v);
    vit_backward(v, 1);
    compare_all(&g, "gradient", v, vit_gradients(v));

    b = batch_of(&g, "other_images", g.other, false);
    vit_forward(v, &b);
    vit_logits(v, logits);
    compare(&g, "other", "other", "", logits, n);
    vit_destroy(v);
    o->destroy(o);

    compare_training(&g, "adam", false);
    compare_training(&g, "adamw", true);
    safetensors_free(g.file);
}
END_TEST

/* Gradients of one golden for a number of threads; the caller frees. */
static float *gradients(const golden *g, int threads, size_t *count)
{
    ops *o = ops_create_cpu(threads);
    vit *v = load(g, o);
    vit_batch b = batch_of(g, "images", g->config.size, true);
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
    golden g = open_golden("liere4_dropout");
    size_t n, m;
    float *one = gradients(&g, 1, &n);
    for (int threads = 2; threads <= 5; threads++) {
        float *many = gradients(&g, threads, &m);
        ck_assert(n == m && !memcmp(one, many, n * sizeof *one));
        free(many);
    }
    free(one);
    safetensors_free(g.file);
}
END_TEST

/* One batch of three, or three batches of one with scale 1/3: the same masks, logits and gradients up to rounding. */
START_TEST(examples_do_not_see_each_other)
{
    golden g = open_golden(GOLDENS[_i]);
    ops *o = ops_create_cpu(1);
    vit *v = load(&g, o);
    vit_batch all = batch_of(&g, "images", g.config.size, true);
    const int classes = g.config.classes;
    float together[64], alone[64];
    vit_forward(v, &all);
    vit_logits(v, together);
    for (int i = 0; i < g.batch; i++) {
        vit_batch one = all;
        one.batch = 1;
        one.images += i * pixels(&g, g.config.size) / g.batch;
        one.labels += i;
        one.sample += i;
        vit_forward(v, &one);
        vit_logits(v, alone + i * classes);
        vit_backward(v, 1.0f / (float)g.batch);
    }
    double tolerance = MARGIN * strtod(safetensors_metadata(g.file, "logits.f32_error"), NULL);
    ck_assert(difference(alone, together, g.batch * classes) <= tolerance);
    compare_all(&g, "gradient", v, vit_gradients(v));
    vit_destroy(v);
    o->destroy(o);
    safetensors_free(g.file);
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
        ck_assert(!strcmp(p[i].name, q[i].name) && p[i].offset == q[i].offset &&
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
        {"dims", offsetof(vit_config, dims), 4},       {"tile", offsetof(vit_config, tile), 3},
        {"tile", offsetof(vit_config, tile), 1},       {"size", offsetof(vit_config, size), 7},
        {"heads", offsetof(vit_config, heads), 0},     {"patch", offsetof(vit_config, patch), 0},
        {"classes", offsetof(vit_config, classes), -1}, {"method", offsetof(vit_config, method), 9},
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
    tcase_add_loop_test(t, agrees_with_pytorch, 0, GOLDEN_COUNT);
    tcase_add_test(t, same_bits_for_any_number_of_threads);
    tcase_add_loop_test(t, examples_do_not_see_each_other, 0, GOLDEN_COUNT);
    tcase_add_test(t, initial_values);
    tcase_add_test(t, refuses_impossible_configurations);
    tcase_add_loop_test(t, not_a_number_is_seen, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
