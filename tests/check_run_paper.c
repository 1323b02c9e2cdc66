/* check_run_paper.c: harness/run_paper.sh from start to report with very short trainings, stopped and continued, and wrong use.
 * Runs from the root of the repository, as `make check` does.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static char output[1 << 15]; /* of the last run, stdout and stderr */

static void make_folder(void)
{
    strcpy(folder, "/tmp/check_run_paper_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static void read_file(const char *name, char *text, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s is missing: %s", path, output);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void exec_script(const char *arguments)
{
    char command[1024];
    snprintf(command, sizeof command, "exec harness/run_paper.sh %s >%s/output 2>&1", arguments, folder);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* Waits, for a minute at most, until the output of the longest training holds `text`. */
static void await(const char *text)
{
    static char path[128], seen[1 << 14];
    snprintf(path, sizeof path, "%s/runs/arrows/liere_dense-s0/output.txt", folder);
    for (int tenth = 0; tenth < 600; tenth++) {
        FILE *file = fopen(path, "r");
        seen[file ? fread(seen, 1, sizeof seen - 1, file) : 0] = '\0';
        if (file)
            fclose(file);
        if (strstr(seen, text))
            return;
        usleep(100000);
    }
    ck_abort_msg("no '%s' in %s after a minute", text, path);
}

/* Returns the exit status of the script, which is sent SIGTERM as soon as the longest training says `until`, if that is given.
 */
static int run(const char *arguments, const char *until)
{
    pid_t child = fork();
    int status = 0;
    if (child == 0)
        exec_script(arguments);
    ck_assert_int_gt(child, 0);
    if (until) {
        await(until);
        ck_assert_int_eq(kill(child, SIGTERM), 0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    read_file("output", output, sizeof output);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *quick(const char *examples, const char *more)
{
    static char arguments[512];
    snprintf(arguments, sizeof arguments,
             "--out %s/runs --set train.examples=%s --set arrows.test_examples=20 --set log.window=64 %s", folder, examples,
             more);
    return arguments;
}

START_TEST(from_start_to_report)
{
    static char text[1 << 16];
    ck_assert_msg(run(quick("128", ""), NULL) == 0, "%s", output);
    read_file("runs/report.md", text, sizeof text);
    static const char *const rows[] = {"| Absolute | 0 |",
                                       "| VisionLLaMA RoPE | 1 |",
                                       "| RoPE-Mixed | 0 |",
                                       "| LieRE, tile 8 | 1 |",
                                       "| LieRE, dense (tile 32) | 1 |",
                                       "mean of 2",
                                       "| imagenet |",
                                       "| cifar100 |",
                                       "harness/run_paper.sh"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(strstr(text, rows[i]), "'%s' is not in the report:\n%s", rows[i], text);
    read_file("runs/results.csv", text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "arrows,liere_dense,accuracy 13x13,"));
    read_file("runs/arrows_examples.png", text, sizeof text);
    read_file("runs/arrows_resolution.svg", text, sizeof text);
    ck_assert_msg(run(quick("128", ""), NULL) == 0, "%s", output);
    ck_assert_msg(strstr(output, "10 trainings, 10 already done"), "%s", output);
    ck_assert_msg(run(quick("64", "--seeds 1"), NULL) == 0, "%s", output); /* another config: the former runs are kept */
    ck_assert_msg(strstr(output, "5 trainings, 0 already done") && strstr(output, "runs/replaced/"), "%s", output);
}
END_TEST

/* Long trainings, so that SIGTERM meets them at work; the second call continues the first. */
START_TEST(stopped_and_continued)
{
    static char text[1 << 16];
    ck_assert_msg(run(quick("10000000", "--seeds 0"), "starting at step 0") == 130, "%s", output);
    ck_assert_msg(strstr(output, "stopped; go on with: harness/run_paper.sh --out"), "%s", output);
    read_file("runs/arrows/liere_dense-s0/output.txt", text, sizeof text);
    ck_assert_msg(strstr(text, "checkpoint written"), "%s", text);
    ck_assert_msg(run(quick("10000000", "--seeds 0"), "going on at step") == 130, "%s", output);
}
END_TEST

START_TEST(wrong_use_is_one_line)
{
    static const struct {
        const char *arguments, *defect;
    } wrong[] = {
        {"--tier big", "quick or full"},
        {"--fast", "unknown option '--fast'"},
        {"--out", "needs a value"},
        {"--out /proc/no", "cannot be made or written"},
        {"--data /no/such/folder", "no such folder"},
        {"--seeds one", "not a whole number"},
        {"--seeds ' '", "at least one"},
        {"--only nothing", "no such experiment; there are: arrows"},
        {"--only imagenet", "needs GPUs"},
        {"--device cuda", "CPU only"},
        {"--jobs 0", "whole number from 1"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_msg(run(wrong[i].arguments, NULL) == 2, "%s: %s", wrong[i].arguments, output);
        ck_assert_msg(strstr(output, wrong[i].defect), "%s: %s", wrong[i].arguments, output);
        ck_assert_msg(strchr(output, '\n') == output + strlen(output) - 1, "%s: %s", wrong[i].arguments, output);
    }
    ck_assert_int_eq(run("--help", NULL), 0);
    ck_assert_msg(run(quick("64", "--seeds 0 --set no.such=1"), NULL) == 1, "%s", output);
    ck_assert_msg(strstr(output, "5 of 5 trainings failed"), "%s", output);
}
END_TEST

Suite *check_run_paper(void)
{
    Suite *suite = suite_create("run_paper");
    TCase *script = tcase_create("script");
    tcase_add_checked_fixture(script, make_folder, remove_folder);
    tcase_set_timeout(script, 300);
    tcase_add_test(script, from_start_to_report);
    tcase_add_test(script, stopped_and_continued);
    tcase_add_test(script, wrong_use_is_one_line);
    suite_add_tcase(suite, script);
    return suite;
}
