/* check_report.c: harness/report: intervals, tables, what is read of run folders; make_report's flags.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report/interval.h"
#include "report/results.h"
#include "tests/process.h"

static char folder[64];

static void make_folder(void)
{
    strcpy(folder, "/tmp/check_report_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static const char *in_folder(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_text(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static char *read_text(const char *name)
{
    static char text[1 << 16];
    FILE *file = fopen(in_folder(name), "r");
    ck_assert_msg(file != NULL, "%s is missing", name);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* The interval is where |p - correct/n| = z sqrt(p (1 - p) / n): checked by that equation, and at the ends. */
START_TEST(wilson)
{
    const double z = 1.959963984540054;
    static const struct {
        int64_t correct, n;
    } cases[] = {{1, 10}, {888, 2000}, {1999, 2000}, {5, 9}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double n = (double)cases[i].n, share = (double)cases[i].correct / n;
        interval ci = interval_wilson(cases[i].correct, cases[i].n);
        ck_assert(ci.low < share && share < ci.high);
        ck_assert_double_le(fabs(share - ci.low - z * sqrt(ci.low * (1 - ci.low) / n)), 1e-12);
        ck_assert_double_le(fabs(ci.high - share - z * sqrt(ci.high * (1 - ci.high) / n)), 1e-12);
    }
    interval none = interval_wilson(0, 20), all = interval_wilson(20, 20), nothing = interval_wilson(0, 0);
    ck_assert(none.low == 0 && none.high > 0.1 && none.high < 0.2);
    ck_assert(fabs(all.high - 1) <= 1e-15 && fabs(all.low - (1 - none.high)) <= 1e-12);
    ck_assert(nothing.low == 0 && nothing.high == 1);
}
END_TEST

/* Against the enumeration of all draws of up to six arrows. */
START_TEST(guess_ceiling)
{
    for (int arrows = 1; arrows <= 6; arrows++) {
        int draws = 1, total = 0;
        for (int i = 0; i < arrows; i++)
            draws *= 4;
        for (int draw = 0; draw < draws; draw++) {
            int count[4] = {0}, most = 0;
            for (int i = 0, rest = draw; i < arrows; i++, rest /= 4)
                count[rest % 4]++;
            for (int d = 0; d < 4; d++)
                most = count[d] > most ? count[d] : most;
            total += most;
        }
        ck_assert_double_le(fabs(interval_guess(arrows, 4) - (double)total / draws / arrows), 1e-12);
    }
    ck_assert_double_le(fabs(interval_guess(8, 4) - 0.442), 5e-4);
}
END_TEST

static void write_tables(void)
{
    write_text("experiments.table", "# name | tier | needs | title\none | quick | | First | \n");
}

START_TEST(table_defects_are_named)
{
    runs all;
    fault f = {""};
    ck_assert(!runs_load(folder, folder, &all, &f));
    ck_assert_msg(strstr(f.text, "experiments.table"), "%s", f.text);
    write_tables();
    ck_assert(!runs_load(folder, folder, &all, &f));
    ck_assert_msg(strstr(f.text, "experiments.table:2: 5 fields instead of 4"), "%s", f.text);
    write_text("experiments.table", "one | quick | | First\n");
    write_text("rows.table", "two | r | c | | 1 | R\n");
    write_text("paper.table", "");
    ck_assert(!runs_load(folder, folder, &all, &f));
    ck_assert_msg(strstr(f.text, "no experiment 'two'"), "%s", f.text);
}
END_TEST

static const char result[] = "{\"schema\":\"libso-result-1\",\"commit\":\"c0ffee\",\"seed\":1,\"parameters\":10,\"steps\":2,"
                             "\"examples\":128,\"seconds\":1.5,"
                             "\"takeoff_examples\":null,\"tests\":[{\"set\":\"5x5\",\"n\":200,\"correct\":150,\"loss\":0.5}],"
                             "\"config\":{\"data\":{\"set\":\"arrows\"},\"arrows\":{\"grid\":5,\"arrows\":8,\"letters\":6}}}\n";

static void write_runs(void)
{
    write_text("experiments.table", "one | quick | | First\ntwo | full | a GPU | Second\n");
    write_text("rows.table", "one | r | c | | 1 | Row R\none | r8 | c | | 1 | Row R8\n");
    write_text("paper.table", "one | r | accuracy 5x5 | 99.5 | 9x9\n");
    static const char *const folders[] = {"one", "one/r-s1", "one/r-s2", "one/r8-s1", "one/r-sX", "one/other"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        ck_assert_int_eq(mkdir(in_folder(folders[i]), 0777), 0);
    write_text("one/r-s1/result.json", result);
    write_text("one/r-s1/log.jsonl", "{\"schema\":\"libso-log-1\"}\n"
                                     "{\"kind\":\"train\",\"examples\":64,\"n\":64,\"correct\":16}\n"
                                     "{\"kind\":\"test\",\"examples\":64,\"n\":64,\"correct\":16}\n"
                                     "{\"kind\":\"train\",\"examples\":128,\"n\":64,\"corr");
}

START_TEST(runs_are_read)
{
    runs all;
    fault f = {""};
    write_runs();
    ck_assert_msg(runs_load(folder, folder, &all, &f), "%s", f.text);
    ck_assert_int_eq(all.count, 2);
    const experiment *e = &all.experiment[0];
    ck_assert(e->rows == 2 && e->runs == 3 && e->finished == 1);
    const run *first = &e->row[0].run[0];
    ck_assert(first->finished && first->seed == 1 && first->takeoff == -1 && first->arrows == 8 && first->tests == 1);
    ck_assert(first->points == 1 && first->curve[0].examples == 64 && first->curve[0].accuracy == 0.25);
    ck_assert(!e->row[0].run[1].finished && e->row[0].run[1].seed == 2);
    int seeds;
    ck_assert_double_eq(results_mean(&e->row[0], "5x5", &seeds), 75);
    ck_assert_int_eq(seeds, 1);
    ck_assert(isnan(results_mean(&e->row[1], "5x5", &seeds)));
    runs_free(&all);
}
END_TEST

START_TEST(csv_and_markdown)
{
    runs all;
    fault f = {""};
    write_runs();
    ck_assert_msg(runs_load(folder, folder, &all, &f), "%s", f.text);
    results_context c = {
        .tables = folder, .out = folder, .command = "the command", .machine = "a machine", .device = "cpu", .seconds = 9};
    ck_assert_msg(results_csv(&all, &c, &f) && results_markdown(&all, &c, &f), "%s", f.text);
    const char *csv = read_text("results.csv");
    ck_assert_int_eq(strncmp(csv, "experiment,row,metric,value,ci_low,ci_high,n,paper,seed,commit\n", 63), 0);
    ck_assert_ptr_nonnull(strstr(csv, "one,r,accuracy 5x5,75.0000,68."));
    ck_assert_ptr_nonnull(strstr(csv, ",200,99.5,1,c0ffee\n"));
    ck_assert_ptr_nonnull(strstr(csv, "one,r,accuracy 5x5,75.0000,,,1,99.5,mean,c0ffee\n"));
    for (const char *line = csv; *line; line = strchr(line, '\n') + 1) {
        int commas = 0;
        for (const char *at = line; *at != '\n'; at++)
            commas += *at == ',';
        ck_assert_int_eq(commas, 9);
    }
    const char *report = read_text("report.md");
    static const char *const parts[] = {
        "Row R | 1 | 75.0 [68.",          "**75.0** | 99.5 |", "Guess ceiling: 44.2 %", "Not finished:** Row R, seed 2",
        "| two | Second | needs a GPU |", "`c0ffee`",          "the command",           "a machine"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        ck_assert_msg(strstr(report, parts[i]), "'%s' is not in the report:\n%s", parts[i], report);
    c.out = "/tmp/there/is/no/such/folder";
    ck_assert(!results_csv(&all, &c, &f));
    ck_assert_msg(strstr(f.text, c.out), "%s", f.text);
    runs_free(&all);
}
END_TEST

START_TEST(damaged_results_are_named)
{
    static const char *const damaged[] = {"",
                                          "{",
                                          "[]",
                                          "{\"seed\":1}",
                                          "{\"seed\":1,\"tests\":[{\"set\":\"5x5\",\"n\":0,\"correct\":0}]}",
                                          "{\"seed\":1,\"tests\":[{\"set\":\"5x5\",\"n\":2,\"correct\":3}]}",
                                          "{\"seed\":1,\"tests\":[{\"set\":\"5x5\"}]}"};
    write_runs();
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        runs all;
        fault f = {""};
        write_text("one/r8-s1/result.json", damaged[i]);
        ck_assert_msg(!runs_load(folder, folder, &all, &f), "accepted: %s", damaged[i]);
        ck_assert_msg(strstr(f.text, "r8-s1/result.json"), "%s", f.text);
    }
}
END_TEST

START_TEST(wrong_flags_get_one_line)
{
    static const struct {
        const char *arguments, *line;
    } bad[] = {
        {"--nonsense", "make_report: --nonsense is no option; see --help\n"},
        {"--out x --tables x --seconds 1h", "make_report: --seconds: '1h' is not a number\n"},
        {"--out x --tables x y", "make_report: 'y' is no option; see --help\n"},
        {"--out x", "make_report: --out and --tables are needed; see --help\n"},
    };
    if (!process_exists("harness/make_report"))
        return;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        process p = {0};
        process_run(&p, "harness/make_report", "%s", bad[i].arguments);
        ck_assert_int_eq(p.code, 2);
        ck_assert_str_eq(p.output, bad[i].line);
    }
}
END_TEST

Suite *check_report(void)
{
    Suite *suite = suite_create("report");
    TCase *numbers = tcase_create("numbers"), *files = tcase_create("files");
    tcase_add_test(numbers, wilson);
    tcase_add_test(numbers, guess_ceiling);
    suite_add_tcase(suite, numbers);
    tcase_add_checked_fixture(files, make_folder, remove_folder);
    tcase_add_test(files, table_defects_are_named);
    tcase_add_test(files, runs_are_read);
    tcase_add_test(files, csv_and_markdown);
    tcase_add_test(files, damaged_results_are_named);
    tcase_add_test(files, wrong_flags_get_one_line);
    suite_add_tcase(suite, files);
    return suite;
}
