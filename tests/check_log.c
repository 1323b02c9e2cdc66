/* check_log.c: log.jsonl is made of whole lines with fixed keys, before and after a resume.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/file.h"
#include "io/log.h"
#include "tests/folder.h"

static char folder[64], path[256];

static void setup(void)
{
    folder_make(folder);
    snprintf(path, sizeof path, "%s/log.jsonl", folder);
}

static void teardown(void)
{
    folder_remove(folder);
}

static log_line line_of(int step)
{
    return (log_line){.kind = "train",
                      .set = "train",
                      .step = step,
                      .examples = 64 * step,
                      .n = 64,
                      .correct = 16,
                      .loss = 1.5,
                      .rate = 1e-3,
                      .seconds = 2};
}

static run_log *open_log(int64_t keep)
{
    fault f = {""};
    run_log *log = log_open(path, "abc", 7, keep, &f);
    ck_assert_msg(log != NULL, "%s", f.text);
    return log;
}

static char *content(void)
{
    fault f = {""};
    size_t bytes;
    char *text = file_read(path, &bytes, &f);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(strlen(text), bytes);
    return text;
}

START_TEST(lines_have_the_keys_of_the_first)
{
    fault f = {""};
    run_log *log = open_log(0);
    log_line line = line_of(1);
    ck_assert(log_write(log, &line, &f));
    log_close(log);
    char *text = content(), *second = strchr(text, '\n') + 1;
    cJSON *schema = cJSON_Parse(text), *object = cJSON_Parse(second), *keys = cJSON_GetObjectItem(schema, "keys");
    ck_assert_str_eq(cJSON_GetObjectItem(schema, "schema")->valuestring, "libso-log-1");
    ck_assert_str_eq(cJSON_GetObjectItem(schema, "commit")->valuestring, "abc");
    ck_assert_int_eq(cJSON_GetArraySize(keys), cJSON_GetArraySize(object));
    int i = 0;
    for (cJSON *item = object->child; item; item = item->next)
        ck_assert_str_eq(item->string, cJSON_GetArrayItem(keys, i++)->valuestring);
    ck_assert(cJSON_GetObjectItem(object, "accuracy")->valuedouble == 0.25);
    cJSON_Delete(schema);
    cJSON_Delete(object);
    free(text);
}
END_TEST

START_TEST(resume_cuts_back)
{
    fault f = {""};
    log_line line[6];
    int64_t size[6];
    run_log *log = open_log(0);
    for (int i = 0; i < 6; i++) {
        line[i] = line_of(i);
        ck_assert(log_write(log, &line[i], &f));
        size[i] = log_size(log);
    }
    log_close(log);
    char *whole = content();
    ck_assert_int_eq((int)size[5], (int)strlen(whole));

    log = open_log(size[2]);
    ck_assert_int_eq((int)log_size(log), (int)size[2]);
    for (int i = 3; i < 6; i++)
        ck_assert(log_write(log, &line[i], &f));
    log_close(log);
    char *again = content();
    ck_assert_str_eq(again, whole);
    free(again);

    /* a file that lost its end keeps its whole lines */
    ck_assert_int_eq(truncate(path, size[3] - 5), 0);
    log = open_log(size[5]);
    ck_assert_int_eq((int)log_size(log), (int)size[2]);
    log_close(log);

    /* a file that is gone starts with the schema */
    unlink(path);
    log = open_log(size[5]);
    log_close(log);
    again = content();
    ck_assert_int_eq(strncmp(again, whole, strlen(again)), 0);
    ck_assert_ptr_eq(strchr(again, '\n') + 1, again + strlen(again));
    free(again);
    free(whole);
}
END_TEST

static ssize_t no_space(int descriptor, const void *data, size_t bytes)
{
    (void)descriptor;
    (void)data;
    (void)bytes;
    errno = ENOSPC;
    return -1;
}

START_TEST(full_disk)
{
    fault f = {""};
    run_log *log = open_log(0);
    int64_t before = log_size(log);
    log_line line = line_of(1);
    file_calls kept = file_system;
    file_system.write = no_space;
    ck_assert(!log_write(log, &line, &f));
    file_system = kept;
    ck_assert_ptr_nonnull(strstr(f.text, "log.jsonl: cannot write: No space left on device; free some space"));
    ck_assert_int_eq((int)log_size(log), (int)before);
    log_close(log);
    ck_assert_ptr_null(log_open("/dev/full", "abc", 7, 0, &f));
    ck_assert_ptr_nonnull(strstr(f.text, "/dev/full: cannot"));
    ck_assert_ptr_null(log_open("/nonexistent/log", "abc", 7, 0, &f));
    ck_assert_ptr_nonnull(strstr(f.text, "the folder is missing"));
}
END_TEST

START_TEST(one_writer)
{
    fault f = {""};
    run_log *log = open_log(0);
    ck_assert_ptr_null(log_open(path, "abc", 7, 0, &f));
    ck_assert_ptr_nonnull(strstr(f.text, "another process writes to this run"));
    log_close(log);
    log_close(open_log(0));
    log_close(NULL);
}
END_TEST

Suite *check_log(void);
Suite *check_log(void)
{
    Suite *suite = suite_create("log");
    TCase *all = tcase_create("lines");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, lines_have_the_keys_of_the_first);
    tcase_add_test(all, resume_cuts_back);
    tcase_add_test(all, full_disk);
    tcase_add_test(all, one_writer);
    suite_add_tcase(suite, all);
    return suite;
}
