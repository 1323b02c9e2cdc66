/* check_config.c: the option table and what is made from it.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/config.h"
#include "settings.h"
#include "tests/folder.h"

typedef struct sample {
    int64_t count;
    double rate;
    bool flag;
    char name[CONFIG_TEXT_SIZE];
    int kind;
    config_list sizes;
} sample;

static const config_option options[] = {
    {"run", "name", CONFIG_TEXT, offsetof(sample, name), "first", .help = "a name", .incidental = true},
    {"run", "count", CONFIG_INT, offsetof(sample, count), "3", 0, 10, .help = "a count"},
    {"train", "rate", CONFIG_REAL, offsetof(sample, rate), "0.001", 0, 1, .help = "a rate"},
    {"train", "flag", CONFIG_BOOL, offsetof(sample, flag), "true", .help = "a flag"},
    {"train", "kind", CONFIG_CHOICE, offsetof(sample, kind), "two", .choices = "one|two|three", .help = "a kind"},
    {"train", "sizes", CONFIG_LIST, offsetof(sample, sizes), "5 8", 1, 64, .help = "sizes"},
};
static const config_table table = {options, sizeof options / sizeof options[0]};

static sample defaults(void)
{
    sample s;
    fault f = {""};
    memset(&s, 0, sizeof s);
    ck_assert_msg(config_defaults(&table, &s, &f), "%s", f.text);
    return s;
}

START_TEST(defaults_come_from_the_table)
{
    sample s = defaults();
    ck_assert_int_eq((int)s.count, 3);
    ck_assert(s.rate == 0.001 && s.flag && s.kind == 1);
    ck_assert_str_eq(s.name, "first");
    ck_assert_int_eq(s.sizes.count, 2);
    ck_assert_int_eq((int)s.sizes.value[1], 8);
}
END_TEST

START_TEST(a_file_and_then_set)
{
    sample s = defaults();
    fault f = {""};
    ck_assert_msg(config_read_text(&table, &s,
                                   "; a comment\n[run]\nname = some thing ; a remark\r\n count = 7\n\n[train]\nrate=5e-1\n"
                                   "flag = false\nkind = three\nsizes = 1  2\t3\n",
                                   "x.ini", &f),
                  "%s", f.text);
    ck_assert_str_eq(s.name, "some thing");
    ck_assert_int_eq((int)s.count, 7);
    ck_assert(s.rate == 0.5 && !s.flag && s.kind == 2);
    ck_assert_int_eq(s.sizes.count, 3);
    ck_assert(config_set(&table, &s, "run.count=9", &f));
    ck_assert(config_set(&table, &s, "train.sizes=", &f));
    ck_assert(config_flag(&table, &s, "--name", "run", "name", "a=b", &f));
    ck_assert(config_flag(&table, &s, "--name", "run", "name", NULL, &f));
    ck_assert_int_eq((int)s.count, 9);
    ck_assert_int_eq(s.sizes.count, 0);
    ck_assert_str_eq(s.name, "a=b");
}
END_TEST

static const struct {
    const char *text, *line;
} bad_files[] = {
    {"[run]\nname=x\ncuont = 3\n", "x.ini:3: unknown option run.cuont; the nearest known one is run.count"},
    {"[trian]\nrate = 3\n", "x.ini:2: unknown option trian.rate; the nearest known one is train.rate"},
    {"rate = 1\n", "x.ini:1: unknown option .rate; the nearest known one is train.rate"},
    {"[run]\nrate = 1\n", "x.ini:2: unknown option run.rate; the nearest known one is train.rate"},
    {"[run]\ncount = 11\n", "x.ini:2: run.count = 11: must be in 0..10"},
    {"[run]\ncount = -1\n", "x.ini:2: run.count = -1: must be in 0..10"},
    {"[run]\ncount = 3.5\n", "x.ini:2: run.count = 3.5: an integer is wanted"},
    {"[run]\ncount =\n", "x.ini:2: run.count = : an integer is wanted"},
    {"[run]\ncount = 99999999999999999999\n", "an integer is wanted"},
    {"[train]\nrate = nan\n", "x.ini:2: train.rate = nan: a finite number is wanted"},
    {"[train]\nrate = 0.1x\n", "a finite number is wanted"},
    {"[train]\nrate = 1.5\n", "x.ini:2: train.rate = 1.5: must be in 0..1"},
    {"[train]\nflag = yes\n", "x.ini:2: train.flag = yes: must be true or false"},
    {"[train]\nkind = four\n", "x.ini:2: train.kind = four: must be one of one|two|three"},
    {"[train]\nkind = t\n", "must be one of"},
    {"[train]\nsizes = 1 x\n", "integers separated by blanks"},
    {"[train]\nsizes = 1,2\n", "integers separated by blanks"},
    {"[train]\nsizes = 1 65\n", "each number must be in 1..64"},
    {"[train]\nsizes = 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n", "takes at most 16 numbers"},
    {"[run]\ncount = 1\ncount = 2\n", "x.ini:3: run.count is given twice; keep one"},
    {"[run]\ncount = 1\n  count = 2\n", "x.ini:3: run.count is given twice"},
    {"[run]\ncount\n", "x.ini:2: neither [section] nor key = value"},
    {"[run\ncount=1\n", "x.ini:1: neither [section] nor key = value"},
};

START_TEST(bad_files_are_named)
{
    for (size_t i = 0; i < sizeof bad_files / sizeof bad_files[0]; i++) {
        sample s = defaults(), before = s;
        fault f = {""};
        ck_assert_msg(!config_read_text(&table, &s, bad_files[i].text, "x.ini", &f), "taken: %s", bad_files[i].text);
        ck_assert_msg(strstr(f.text, bad_files[i].line), "\"%s\" is not in \"%s\"", bad_files[i].line, f.text);
        ck_assert_ptr_null(strchr(f.text, '\n'));
        ck_assert(s.rate == before.rate && s.kind == before.kind);
    }
}
END_TEST

START_TEST(long_lines_and_texts)
{
    sample s = defaults();
    fault f = {""};
    char text[1000] = "[run]\nname = ";
    size_t used = strlen(text);
    memset(text + used, 'x', 300);
    ck_assert(!config_read_text(&table, &s, text, "x.ini", &f));
    ck_assert_str_eq(f.text, "x.ini:2: the line is longer than 190 characters");
    memcpy(text, "run.name=", 9);
    memset(text + 9, 'x', 300);
    text[309] = 0;
    ck_assert(!config_set(&table, &s, text, &f));
    ck_assert_ptr_nonnull(strstr(f.text, "longer than 255 characters"));
}
END_TEST

START_TEST(bad_assignments)
{
    static const char *const bad[] = {"", "=", "run.count", "count=3", "run.=3", ".count=3", "run.cuont=3", "run.count=x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sample s = defaults();
        fault f = {""};
        ck_assert(!config_set(&table, &s, bad[i], &f));
        ck_assert_ptr_eq(strstr(f.text, "--set"), f.text);
    }
}
END_TEST

START_TEST(missing_file_and_folder)
{
    sample s = defaults();
    fault f = {""};
    ck_assert(!config_read(&table, &s, "/nonexistent/x.ini", &f));
    ck_assert_str_eq(f.text, "/nonexistent/x.ini: cannot read this config: No such file or directory");
    ck_assert(!config_read(&table, &s, "/tmp", &f));
    ck_assert_ptr_nonnull(strstr(f.text, "/tmp: cannot read this config"));
}
END_TEST

/* The resolved config reads back to the same bits, awkward doubles included. */
START_TEST(written_config_reads_back)
{
    static const double rates[] = {0.1, 1.0 / 3, 5e-324, 0.30000000000000004, 1, 0};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        sample s = defaults(), again = defaults();
        fault f = {""};
        char one[CONFIG_TEXT_SIZE], other[CONFIG_TEXT_SIZE];
        s.rate = rates[i];
        s.kind = 0;
        s.flag = false;
        s.count = 10;
        s.sizes = (config_list){.count = 3, .value = {1, 64, 7}};
        snprintf(s.name, sizeof s.name, "runs/a b");
        char *text = config_text(&table, &s);
        ck_assert_msg(config_read_text(&table, &again, text, "x.ini", &f), "%s", f.text);
        ck_assert(again.rate == s.rate);
        ck_assert_str_eq(again.name, s.name);
        ck_assert_ptr_null(config_difference(&table, &s, &again, one, other));
        free(text);
    }
}
END_TEST

START_TEST(difference_leaves_out_what_is_incidental)
{
    sample a = defaults(), b = defaults();
    char one[CONFIG_TEXT_SIZE], other[CONFIG_TEXT_SIZE];
    snprintf(b.name, sizeof b.name, "second");
    ck_assert_ptr_null(config_difference(&table, &a, &b, one, other));
    b.kind = 2;
    const config_option *o = config_difference(&table, &a, &b, one, other);
    ck_assert_ptr_nonnull(o);
    ck_assert_str_eq(o->key, "kind");
    ck_assert_str_eq(one, "two");
    ck_assert_str_eq(other, "three");
}
END_TEST

START_TEST(json_has_types)
{
    sample s = defaults();
    cJSON *root = config_json(&table, &s);
    char *text = cJSON_PrintUnformatted(root);
    ck_assert_str_eq(text, "{\"run\":{\"name\":\"first\",\"count\":3},\"train\":{\"rate\":0.001,\"flag\":true,\"kind\":\"two\","
                           "\"sizes\":[5,8]}}");
    cJSON_free(text);
    cJSON_Delete(root);
}
END_TEST

START_TEST(help_lists_everything)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    config_help(&settings_table, out);
    fclose(out);
    for (int i = 0; i < settings_table.count; i++) {
        ck_assert_ptr_nonnull(strstr(text, settings_table.option[i].key));
        ck_assert_ptr_nonnull(strstr(text, settings_table.option[i].help));
    }
    free(text);
}
END_TEST

/* The real table: its defaults are valid and every experiment's config is read. */
START_TEST(experiments_are_valid)
{
    static const char *const names[] = {"arrows", "cifar100_small", "cifar100_base"};
    settings s;
    fault f = {""};
    ck_assert_msg(config_defaults(&settings_table, &s, &f), "%s", f.text);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, "harness/experiments/%s.ini", names[i]);
        ck_assert_msg(config_read(&settings_table, &s, path, &f), "%s", f.text);
        ck_assert_str_eq(s.name, names[i]);
    }
}
END_TEST

Suite *check_config(void);
Suite *check_config(void)
{
    Suite *suite = suite_create("config");
    TCase *all = tcase_create("options");
    tcase_add_test(all, defaults_come_from_the_table);
    tcase_add_test(all, a_file_and_then_set);
    tcase_add_test(all, bad_files_are_named);
    tcase_add_test(all, long_lines_and_texts);
    tcase_add_test(all, bad_assignments);
    tcase_add_test(all, missing_file_and_folder);
    tcase_add_test(all, written_config_reads_back);
    tcase_add_test(all, difference_leaves_out_what_is_incidental);
    tcase_add_test(all, json_has_types);
    tcase_add_test(all, help_lists_everything);
    tcase_add_test(all, experiments_are_valid);
    suite_add_tcase(suite, all);
    return suite;
}
