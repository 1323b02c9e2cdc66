/* check_task.c: what the settings make of data, model and learning rate.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <string.h>

#include "task.h"

static settings defaults(void)
{
    settings s;
    fault f = {""};
    ck_assert_msg(config_defaults(&settings_table, &s, &f), "%s", f.text);
    return s;
}

/* A set of 100 examples without content, to have epochs. */
static dataset epochs_of_100 = {.count = 100, .channels = 1, .size = {1, 1}, .classes = 2};

START_TEST(constant_rate_with_warmup)
{
    settings s = defaults();
    task t = {.train = &epochs_of_100};
    s.epochs = 3;
    s.batch = 10;
    s.rate = 0.5;
    s.warmup = 4;
    static const double rise[] = {0.125, 0.25, 0.375, 0.5, 0.5, 0.5};
    for (int64_t step = 0; step < 6; step++)
        ck_assert(task_rate(&t, &s, step) == rise[step]);
    s.warmup = 0;
    ck_assert(task_rate(&t, &s, 0) == 0.5);
}
END_TEST

START_TEST(cosine_by_step)
{
    settings s = defaults();
    task t = {.train = &epochs_of_100};
    s.epochs = 3;
    s.batch = 10;
    s.rate = 1;
    s.warmup = 10;
    s.schedule = SCHEDULE_COSINE_STEP;
    ck_assert(task_rate(&t, &s, 9) == 1);
    ck_assert(task_rate(&t, &s, 10) == 1);
    ck_assert(fabs(task_rate(&t, &s, 20) - 0.5) < 1e-15);
    for (int64_t step = 11; step < 30; step++)
        ck_assert(task_rate(&t, &s, step) < task_rate(&t, &s, step - 1) && task_rate(&t, &s, step) > 0);
}
END_TEST

/* The official code's: lr_e = lr/2 (1 + cos(pi e/E)), the same for all steps of epoch e. */
START_TEST(cosine_by_epoch)
{
    settings s = defaults();
    task t = {.train = &epochs_of_100};
    s.epochs = 4;
    s.batch = 30; /* 4 steps per epoch, the last one with 10 examples */
    s.rate = 1e-4;
    s.warmup = 0;
    s.schedule = SCHEDULE_COSINE_EPOCH;
    for (int64_t step = 0; step < 16; step++) {
        double expected = 0.5e-4 * (1 + cos(acos(-1) * (double)(step / 4) / 4));
        ck_assert(fabs(task_rate(&t, &s, step) - expected) < 1e-19);
    }
}
END_TEST

START_TEST(arrows)
{
    settings s = defaults();
    fault f = {""};
    task t;
    ck_assert_msg(task_create(&t, &s, true, &f), "%s", f.text);
    ck_assert_int_eq((int)t.train->count, 0);
    ck_assert_int_eq(t.tests, 3);
    ck_assert_str_eq(t.test[2].name, "13x13");
    ck_assert_int_eq((int)t.test[2].set->count, 2000);
    ck_assert_int_eq(t.test[2].set->size[1], 156);
    vit_config c = task_model(&s);
    ck_assert(c.dims == 2 && c.size[0] == 60 && c.size[1] == 60 && c.patch[0] == 12 && c.channels == 3 && c.classes == 4);
    ck_assert(c.encoding == VIT_LIERE && c.tile == 8 && c.pool == VIT_POOL_CLS && c.per_head && c.per_layer);
    s.tile = 0;
    ck_assert_int_eq(task_model(&s).tile, 32);
    loader_plan plan = task_plan(&t, &s);
    ck_assert_int_eq((int)loader_steps(t.train, &plan), 1875);
    task_destroy(&t);
    ck_assert_msg(task_create(&t, &s, false, &f), "%s", f.text);
    ck_assert_ptr_null(t.train);
    task_destroy(&t);
}
END_TEST

/* Words of the option table stand for the values of the enums of vit.h and so.h by their order. */
START_TEST(words_and_enums_agree)
{
    static const struct {
        const char *assignment;
        int encoding, pool, rotations, method;
    } rows[] = {
        {"position.encoding=absolute", VIT_ABSOLUTE, -1, -1, -1},
        {"position.encoding=visionllama", VIT_VISIONLLAMA, -1, -1, -1},
        {"position.encoding=rope_mixed", VIT_ROPE_MIXED, -1, -1, -1},
        {"position.encoding=liere", VIT_LIERE, -1, -1, -1},
        {"position.encoding=none", VIT_NONE, -1, -1, -1},
        {"model.pool=cls", -1, VIT_POOL_CLS, -1, -1},
        {"model.pool=mean", -1, VIT_POOL_MEAN, -1, -1},
        {"position.rotations=per_layer", -1, -1, VIT_ROTATIONS_PER_LAYER, -1},
        {"position.rotations=layer0", -1, -1, VIT_ROTATIONS_LAYER0, -1},
        {"position.method=auto", -1, -1, -1, SO_AUTO},
        {"position.method=polynomial", -1, -1, -1, SO_POLYNOMIAL},
        {"position.method=pade", -1, -1, -1, SO_PADE},
        {"position.method=eigen", -1, -1, -1, SO_EIGEN},
        {"position.method=cayley", -1, -1, -1, SO_CAYLEY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        settings s = defaults();
        fault f = {""};
        ck_assert_msg(config_set(&settings_table, &s, rows[i].assignment, &f), "%s", f.text);
        vit_config c = task_model(&s);
        ck_assert(rows[i].encoding < 0 || (int)c.encoding == rows[i].encoding);
        ck_assert(rows[i].pool < 0 || (int)c.pool == rows[i].pool);
        ck_assert(rows[i].rotations < 0 || (int)c.rotations == rows[i].rotations);
        ck_assert(rows[i].method < 0 || (int)c.method == rows[i].method);
    }
}
END_TEST

Suite *check_task(void);
Suite *check_task(void)
{
    Suite *suite = suite_create("task");
    TCase *all = tcase_create("settings");
    tcase_add_test(all, constant_rate_with_warmup);
    tcase_add_test(all, cosine_by_step);
    tcase_add_test(all, cosine_by_epoch);
    tcase_add_test(all, arrows);
    tcase_add_test(all, words_and_enums_agree);
    suite_add_tcase(suite, all);
    return suite;
}
