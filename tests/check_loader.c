/* check_loader.c: batches are the same whatever the threads, errors arrive in order, nothing hangs.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "data/loader.h"

/* A set whose image tells sample and epoch. Sample `bad` cannot be made; `slow` makes odd samples late. */
typedef struct numbers {
    dataset base;
    int64_t bad;
    bool slow;
} numbers;

static bool get(const dataset *d, uint64_t sample, uint32_t epoch, float *image, int32_t *label, fault *f)
{
    const numbers *n = (const numbers *)d;
    if (n->slow && sample % 2)
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    if ((int64_t)sample == n->bad)
        return fault_set(f, "sample %d is bad", (int)sample);
    image[0] = (float)sample;
    image[1] = (float)epoch;
    *label = (int32_t)(sample % 7);
    return true;
}

static numbers make(int64_t count)
{
    return (numbers){.base = {.count = count, .channels = 1, .size = {1, 2}, .classes = 7, .get = get}, .bad = -1};
}

/* Everything that a loader hands out from first_step on, as one text. */
static char *record(const dataset *set, loader_plan plan, int64_t first_step, int threads, int ahead)
{
    fault f = {""};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    loader *l = loader_create(set, &plan, first_step, threads, ahead, &f);
    ck_assert_ptr_nonnull(l);
    const loader_batch *b;
    while ((b = loader_next(l, &f)) != NULL) {
        fprintf(out, "%d:", (int)b->step);
        for (int i = 0; i < b->range.count; i++) {
            ck_assert(b->images[2 * i] == (float)b->sample[i]);
            ck_assert(b->images[2 * i + 1] == (float)b->range.epoch);
            ck_assert_int_eq(b->labels[i], (int)(b->sample[i] % 7));
            fprintf(out, " %d/%d", (int)b->sample[i], (int)b->range.epoch);
        }
        fprintf(out, "\n");
    }
    ck_assert_str_eq(f.text, "");
    loader_destroy(l);
    fclose(out);
    return text;
}

START_TEST(the_same_for_any_threads)
{
    numbers n = make(103);
    n.slow = true;
    loader_plan plan = {.batch = 10, .examples = 250, .shuffle = true, .seed = 3};
    char *expected = record(&n.base, plan, 0, 1, 1);
    for (int threads = 1; threads <= 5; threads += 2)
        for (int ahead = 1; ahead <= 7; ahead += 3) {
            char *text = record(&n.base, plan, 0, threads, ahead);
            ck_assert_str_eq(text, expected);
            free(text);
        }
    free(expected);
}
END_TEST

START_TEST(starts_anywhere)
{
    numbers n = make(103);
    loader_plan plan = {.batch = 10, .examples = 250, .shuffle = true, .seed = 3};
    char *whole = record(&n.base, plan, 0, 2, 4), *place = whole;
    for (int64_t step = 0; *place; step++) {
        char *rest = record(&n.base, plan, step, 2, 4);
        ck_assert_str_eq(rest, place);
        free(rest);
        place = strchr(place, '\n') + 1;
    }
    free(whole);
}
END_TEST

START_TEST(each_epoch_has_every_example_once)
{
    numbers n = make(103);
    loader_plan plan = {.batch = 10, .examples = 3 * 103, .shuffle = true};
    ck_assert_int_eq((int)loader_steps(&n.base, &plan), 33);
    int seen[3][103] = {{0}};
    fault f;
    loader *l = loader_create(&n.base, &plan, 0, 2, 4, &f);
    const loader_batch *b;
    int64_t before = 0;
    while ((b = loader_next(l, &f)) != NULL) {
        ck_assert_int_eq((int)b->range.before, (int)before);
        before += b->range.count;
        for (int i = 0; i < b->range.count; i++)
            seen[b->range.epoch][b->sample[i]]++;
    }
    ck_assert_int_eq((int)before, 309);
    for (int e = 0; e < 3; e++)
        for (int i = 0; i < 103; i++)
            ck_assert_int_eq(seen[e][i], 1);
    loader_destroy(l);
}
END_TEST

START_TEST(endless_sets_go_on)
{
    numbers n = make(0);
    loader_plan plan = {.batch = 8, .examples = 30, .shuffle = true};
    char *text = record(&n.base, plan, 2, 3, 2);
    ck_assert_str_eq(text, "2: 16/0 17/0 18/0 19/0 20/0 21/0 22/0 23/0\n3: 24/0 25/0 26/0 27/0 28/0 29/0\n");
    free(text);
}
END_TEST

START_TEST(the_plan_adds_up)
{
    for (int64_t count = 0; count <= 12; count += 3)
        for (int batch = 1; batch <= 14; batch++)
            for (int64_t examples = 1; examples <= 40; examples++) {
                numbers n = make(count);
                loader_plan plan = {.batch = batch, .examples = examples};
                int64_t steps = loader_steps(&n.base, &plan), total = 0;
                for (int64_t step = 0; step < steps; step++) {
                    loader_range r = loader_locate(&n.base, &plan, step);
                    ck_assert_int_gt(r.count, 0);
                    ck_assert_int_eq((int)r.before, (int)total);
                    total += r.count;
                }
                ck_assert_int_eq((int)total, (int)examples);
                ck_assert_int_eq(loader_locate(&n.base, &plan, steps).count, 0);
            }
}
END_TEST

START_TEST(a_bad_example_arrives_in_its_place)
{
    for (int threads = 1; threads <= 4; threads++) {
        numbers n = make(100);
        n.bad = 57;
        n.slow = true;
        loader_plan plan = {.batch = 10, .examples = 100};
        fault f = {""};
        loader *l = loader_create(&n.base, &plan, 0, threads, 4, &f);
        for (int step = 0; step < 5; step++)
            ck_assert_ptr_nonnull(loader_next(l, &f));
        ck_assert_ptr_null(loader_next(l, &f));
        ck_assert_str_eq(f.text, "sample 57 is bad");
        f.text[0] = 0;
        ck_assert_ptr_null(loader_next(l, &f));
        ck_assert_str_eq(f.text, "sample 57 is bad");
        loader_destroy(l);
    }
}
END_TEST

START_TEST(stops_in_the_middle)
{
    numbers n = make(0);
    n.slow = true;
    loader_plan plan = {.batch = 10, .examples = 1000000};
    fault f;
    for (int taken = 0; taken < 4; taken++) {
        loader *l = loader_create(&n.base, &plan, 0, 3, 4, &f);
        for (int i = 0; i < taken; i++)
            ck_assert_ptr_nonnull(loader_next(l, &f));
        loader_destroy(l);
    }
    loader_destroy(NULL);
}
END_TEST

Suite *check_loader(void);
Suite *check_loader(void)
{
    Suite *suite = suite_create("loader");
    TCase *all = tcase_create("batches");
    tcase_add_test(all, the_same_for_any_threads);
    tcase_add_test(all, starts_anywhere);
    tcase_add_test(all, each_epoch_has_every_example_once);
    tcase_add_test(all, endless_sets_go_on);
    tcase_add_test(all, the_plan_adds_up);
    tcase_add_test(all, a_bad_example_arrives_in_its_place);
    tcase_add_test(all, stops_in_the_middle);
    tcase_set_timeout(all, 60);
    suite_add_tcase(suite, all);
    return suite;
}
