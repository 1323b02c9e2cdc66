/* check_vit_golden.c: the model against PyTorch in float64 (tests/golden/make_vit_goldens.py).
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
    "absolute",
    "none_mean",
    "visionllama",
    "rope_mixed",
    "liere4",
    "liere8",
    "liere_dense",
    "liere_dense_mean",
    "liere4_shared_heads",
    "liere4_shared_layers",
    "liere4_shared_all",
    "liere4_layer0",
    "liere4_dropout",
    "absolute_3d",
    "visionllama_3d",
    "rope_mixed_3d",
    "liere_dense_3d",
    "absolute_1d",
    "liere4_1d",
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
    int n = sscanf(
        safetensors_metadata(g.file, "config"),
        "dims=%d size=%d,%d,%d patch=%d,%d,%d other=%d,%d,%d channels=%d classes=%d dim=%d depth=%d heads=%d head_dim=%d "
        "mlp=%d mean=%d encoding=%d tile=%d per_layer=%d per_head=%d layer0=%d dropout=%f seed=%" SCNu64
        " batch=%d epoch=%" SCNu32 " steps=%d lr=%lf eps=%lf weight_decay=%lf",
        &c->dims, &c->size[0], &c->size[1], &c->size[2], &c->patch[0], &c->patch[1], &c->patch[2], &g.other[0], &g.other[1],
        &g.other[2], &c->channels, &c->classes, &c->dim, &c->depth, &c->heads, &c->head_dim, &c->mlp_dim, &mean, &encoding,
        &c->tile, &per_layer, &per_head, &layer0, &c->dropout, &c->seed, &g.batch, &g.epoch, &g.steps, &g.lr, &g.adam.eps,
        &g.adam.weight_decay);
    ck_assert_int_eq(n, 31);
    c->pool = mean ? VIT_POOL_MEAN : VIT_POOL_CLS;
    c->encoding = (vit_encoding)encoding;
    c->per_layer = per_layer;
    c->per_head = per_head;
    c->rotations = layer0 ? VIT_ROTATIONS_LAYER0 : VIT_ROTATIONS_PER_LAYER;
    g.adam.beta1 = 0.9;
    g.adam.beta2 = 0.999;
    n = sscanf(safetensors_metadata(g.file, "samples"), "%" SCNu64 " %" SCNu64 " %" SCNu64, &g.sample[0], &g.sample[1],
               &g.sample[2]);
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

Suite *check_vit_golden(void)
{
    Suite *s = suite_create("vit_golden");
    TCase *t = tcase_create("vit_golden");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, agrees_with_pytorch, 0, GOLDEN_COUNT);
    tcase_add_loop_test(t, examples_do_not_see_each_other, 0, GOLDEN_COUNT);
    suite_add_tcase(s, t);
    return s;
}
