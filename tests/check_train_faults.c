/* check_train_faults.c: a training run in which a write, fsync or rename fails, or is the last thing that the process does, and
 * which is then resumed: it always ends with the weights of a run without faults.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/file.h"
#include "io/safetensors.h"
#include "tests/folder.h"
#include "trainer.h"

enum { FAILED = 1, NOT_STRUCK = 3, DIED = 42 };

static char folder[64];

static void setup(void)
{
    folder_make(folder);
}

static void teardown(void)
{
    folder_remove(folder);
}

static int left; /* calls until the one that is struck; 0 = none is */
static bool dies;
static bool struck_once;

static bool strike(void)
{
    if (left == 0 || --left > 0)
        return false;
    if (dies)
        _exit(DIED);
    struck_once = true;
    errno = ENOSPC;
    return true;
}

static ssize_t struck_write(int descriptor, const void *data, size_t bytes)
{
    return strike() ? -1 : write(descriptor, data, bytes);
}

static int struck_fsync(int descriptor)
{
    return strike() ? -1 : fsync(descriptor);
}

static int struck_rename(const char *from, const char *to)
{
    return strike() ? -1 : rename(from, to);
}

static settings tiny(const char *run)
{
    static const char *const change[] = {
        "run.threads=1",          "arrows.grid=3",     "arrows.arrows=2", "arrows.letters=1",  "arrows.test_grids=3",
        "arrows.test_examples=8", "model.dim=8",       "model.depth=1",   "model.heads=1",     "model.head_dim=8",
        "model.mlp_dim=8",        "position.tile=4",   "train.batch=4",   "train.examples=64", "checkpoint.every=4",
        "log.window=8",           "log.progress=false"};
    settings s;
    fault f = {""};
    ck_assert(config_defaults(&settings_table, &s, &f));
    for (size_t i = 0; i < sizeof change / sizeof change[0]; i++)
        ck_assert_msg(config_set(&settings_table, &s, change[i], &f), "%s", f.text);
    snprintf(s.out, sizeof s.out, "%s/%s", folder, run);
    return s;
}

/* Trains in a process of its own, struck at call k. */
static int train(const char *run, int k, bool die)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        settings s = tiny(run);
        fault f = {""};
        left = k;
        dies = die;
        if (!freopen("/dev/null", "w", stderr))
            _exit(2);
        file_system = (file_calls){.write = struck_write, .fsync = struck_fsync, .rename = struck_rename};
        trainer_end end = trainer_run(&s, true, &f);
        bool one_line = f.text[0] && !strchr(f.text, '\n');
        if (struck_once)
            _exit(end == TRAINER_FAILED && one_line ? FAILED : 2);
        _exit(end != TRAINER_DONE ? 2 : k > 0 ? NOT_STRUCK : 0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static safetensors *model_of(const char *run)
{
    char path[256];
    fault f = {""};
    snprintf(path, sizeof path, "%s/%s/model.safetensors", folder, run);
    safetensors *file = safetensors_read(path, &f);
    ck_assert_msg(file != NULL, "%s", f.text);
    return file;
}

START_TEST(any_call_may_fail_or_be_the_last)
{
    ck_assert_int_eq(train("whole", 0, false), 0);
    safetensors *whole = model_of("whole");
    /* every call up to the first checkpoints, then ever sparser ones; SO_TEST_DEPTH=deep tries all */
    const char *depth = getenv("SO_TEST_DEPTH");
    bool deep = depth && strcmp(depth, "deep") == 0;
    int tried = 0;
    for (int k = 1;; k += deep ? 1 : 1 + k / 8, tried++) {
        char run[32], path[256];
        snprintf(run, sizeof run, "struck-%d", k);
        int code = train(run, k, _i);
        if (code == NOT_STRUCK)
            break;
        ck_assert_msg(code == (_i ? DIED : FAILED), "call %d: exit code %d", k, code);
        ck_assert_int_eq(train(run, 0, false), 0);
        safetensors *again = model_of(run);
        ck_assert_int_eq(again->count, whole->count);
        for (int i = 0; i < whole->count; i++)
            ck_assert_msg(memcmp(again->tensor[i].data, whole->tensor[i].data, whole->tensor[i].bytes) == 0, "call %d: %s", k,
                          whole->tensor[i].name);
        safetensors_free(again);
        snprintf(path, sizeof path, "%s/%s", folder, run);
        folder_remove(path);
    }
    ck_assert_int_gt(tried, 20);
    safetensors_free(whole);
}
END_TEST

Suite *check_train_faults(void);
Suite *check_train_faults(void)
{
    Suite *suite = suite_create("train_faults");
    TCase *all = tcase_create("calls");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_loop_test(all, any_call_may_fail_or_be_the_last, 0, 2);
    tcase_set_timeout(all, 600);
    suite_add_tcase(suite, all);
    return suite;
}
