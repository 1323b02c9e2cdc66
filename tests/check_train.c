/* check_train.c: training as a user sees it: the same bits whatever happens on the way, one clear line when it cannot go on.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/checkpoint.h"
#include "io/file.h"
#include "random.h"
#include "tests/folder.h"
#include "tests/process.h"

#define TRAIN "harness/train"

static char folder[64];
static process p;

/* A model that takes a fraction of a second. */
static const char small[] =
    "[run]\nthreads = 1\n[arrows]\ngrid = 3\narrows = 3\nletters = 2\ntest_grids = 3 4\n"
    "test_examples = 50\n[model]\ndim = 16\ndepth = 2\nheads = 2\nhead_dim = 8\nmlp_dim = 16\n"
    "dropout = 0.1\n[position]\ntile = 4\n[train]\nbatch = 8\nexamples = 2404\n[evaluate]\nevery = 1000\n"
    "[checkpoint]\nevery = 20\n[log]\nwindow = 100\nprogress = false\n";

static char config[256]; /* path of the file with it */

static void setup(void)
{
    folder_make(folder);
    folder_write(folder, "small.ini", small, sizeof small - 1, config);
    memset(&p, 0, sizeof p);
}

static void teardown(void)
{
    folder_remove(folder);
}

static void assert_code(int code)
{
    ck_assert_msg(p.code == code, "exit code %d instead of %d: %s", p.code, code, p.output);
}

/* The output is one line that holds this. */
static void assert_line(const char *part)
{
    const char *end = strchr(p.output, '\n');
    ck_assert_msg(strstr(p.output, part), "\"%s\" is not in \"%s\"", part, p.output);
    ck_assert_msg(end && end[1] == 0, "more than one line: %s", p.output);
}

static void assert_same_tensors(const char *one, const char *other)
{
    fault f = {""};
    safetensors *a = safetensors_read(one, &f), *b = safetensors_read(other, &f);
    ck_assert_msg(a && b, "%s", f.text);
    ck_assert_int_eq(a->count, b->count);
    for (int i = 0; i < a->count; i++) {
        ck_assert_str_eq(a->tensor[i].name, b->tensor[i].name);
        ck_assert_uint_eq(a->tensor[i].bytes, b->tensor[i].bytes);
        ck_assert_msg(memcmp(a->tensor[i].data, b->tensor[i].data, a->tensor[i].bytes) == 0, "%s differs", a->tensor[i].name);
    }
    safetensors_free(a);
    safetensors_free(b);
}

/* The file without what may differ between two runs: times, and the name of the folder. */
static char *stable_text(const char *run, const char *name)
{
    char path[256];
    fault f = {""};
    size_t bytes;
    snprintf(path, sizeof path, "%s/%s/%s", folder, run, name);
    char *text = file_read(path, &bytes, &f);
    ck_assert_msg(text != NULL, "%s", f.text);
    static const char *const unstable[] = {"\"seconds\":", "\"out\":"};
    for (int i = 0; i < 2; i++)
        for (char *found = text; (found = strstr(found, unstable[i])) != NULL;) {
            found += strlen(unstable[i]);
            char *end = found + strcspn(found, ",}\n");
            memmove(found, end, strlen(end) + 1);
        }
    return text;
}

/* Weights, moments, log and figures of two runs of the small model are the same. */
static void assert_same_runs(const char *one, const char *other)
{
    static const char *const tensors[] = {"model.safetensors", "checkpoint-000000301.safetensors"};
    static const char *const texts[] = {"log.jsonl", "result.json"};
    for (int i = 0; i < 2; i++) {
        char a[256], b[256];
        snprintf(a, sizeof a, "%s/%s/%s", folder, one, tensors[i]);
        snprintf(b, sizeof b, "%s/%s/%s", folder, other, tensors[i]);
        assert_same_tensors(a, b);
        char *x = stable_text(one, texts[i]), *y = stable_text(other, texts[i]);
        ck_assert_str_eq(x, y);
        free(x);
        free(y);
    }
}

static double train_whole(const char *run)
{
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    process_run(&p, TRAIN, "%s --out %s/%s", config, folder, run);
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_code(0);
    return (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
}

static void sleep_for(double seconds)
{
    nanosleep(&(struct timespec){.tv_sec = (time_t)seconds, .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))},
              NULL);
}

START_TEST(killed_and_resumed_gives_the_same_bits)
{
    double duration = train_whole("whole");
    random_sequence r = random_start((uint64_t)time(NULL), RANDOM_ANALYSIS, 0, 0);
    int killed = 0;
    do {
        process_start(&p, TRAIN, "%s --out %s/killed --resume", config, folder);
        if (killed < 6) {
            sleep_for(duration * (0.2 + 0.7 * (double)random_uniform(&r)));
            kill(p.pid, SIGKILL);
        }
        process_end(&p);
        killed += p.code == -SIGKILL;
    } while (p.code == -SIGKILL);
    assert_code(0);
    assert_same_runs("whole", "killed");
}
END_TEST

/* Waits until the log of the run has grown by two lines; false if the process ended before. */
static bool wait_for_progress(const char *run)
{
    char path[256];
    int start = -1;
    snprintf(path, sizeof path, "%s/%s/log.jsonl", folder, run);
    for (int i = 0; i < 20000; i++) {
        FILE *log = fopen(path, "r");
        int lines = 0;
        for (int c; log && (c = fgetc(log)) != EOF;)
            lines += c == '\n';
        if (log)
            fclose(log);
        if (lines > 0 && start < 0)
            start = lines;
        if (start > 0 && lines >= start + 2)
            return true;
        if (kill(p.pid, 0) != 0)
            return false;
        sleep_for(0.001);
    }
    return false;
}

START_TEST(sigterm_writes_a_checkpoint)
{
    char x[256], y[256];
    process_run(&p, TRAIN, "%s --out %s/whole --set train.examples=8000", config, folder);
    assert_code(0);
    for (int stop = 0; stop < 2; stop++) {
        process_start(&p, TRAIN, "%s --out %s/stopped --resume --set checkpoint.every=0 --set train.examples=8000", config,
                      folder);
        ck_assert(wait_for_progress("stopped"));
        kill(p.pid, SIGTERM);
        process_end(&p);
        assert_code(0);
        ck_assert_ptr_nonnull(strstr(p.output, "stopped by a signal, checkpoint written; go on with: train --resume --out"));
    }
    process_run(&p, TRAIN, "--out %s/stopped --resume", folder);
    assert_code(0);
    ck_assert_ptr_nonnull(strstr(p.output, "going on at step "));
    snprintf(x, sizeof x, "%s/whole/model.safetensors", folder);
    snprintf(y, sizeof y, "%s/stopped/model.safetensors", folder);
    assert_same_tensors(x, y);
}
END_TEST

START_TEST(threads_change_nothing)
{
    train_whole("one");
    process_run(&p, TRAIN, "%s --out %s/three --threads 3 --set data.threads=3 --set data.ahead=2", config, folder);
    assert_code(0);
    char x[256], y[256];
    snprintf(x, sizeof x, "%s/one/model.safetensors", folder);
    snprintf(y, sizeof y, "%s/three/model.safetensors", folder);
    assert_same_tensors(x, y);
}
END_TEST

START_TEST(resume_needs_only_the_folder)
{
    train_whole("whole");
    process_run(&p, TRAIN, "%s --out %s/part --set checkpoint.every=100", config, folder);
    char path[256];
    snprintf(path, sizeof path, "%s/part/checkpoint-000000301.safetensors", folder);
    ck_assert_int_eq(unlink(path), 0);
    process_run(&p, TRAIN, "--resume --out %s/part", folder);
    assert_code(0);
    ck_assert_ptr_nonnull(strstr(p.output, "going on at step 300 of 301"));
    char x[256], y[256];
    snprintf(x, sizeof x, "%s/whole/model.safetensors", folder);
    snprintf(y, sizeof y, "%s/part/model.safetensors", folder);
    assert_same_tensors(x, y);
}
END_TEST

START_TEST(a_damaged_checkpoint_is_passed_over)
{
    train_whole("whole");
    train_whole("damaged");
    char path[256];
    snprintf(path, sizeof path, "%s/damaged/checkpoint-000000301.safetensors", folder);
    int file = open(path, O_RDWR);
    ck_assert_int_eq(pwrite(file, "XYZ", 3, 20000), 3);
    close(file);
    process_run(&p, TRAIN, "--resume --out %s/damaged", folder);
    assert_code(0);
    ck_assert_ptr_nonnull(strstr(p.output, "checkpoint-000000301.safetensors: damaged: its checksum is"));
    ck_assert_ptr_nonnull(strstr(p.output, "going on at step 300 of 301"));
    assert_same_runs("whole", "damaged");
}
END_TEST

START_TEST(full_disk_loses_nothing)
{
    train_whole("whole");
    /* the config fits the limit, a checkpoint does not */
    p.file_limit = 20000;
    process_run(&p, TRAIN, "%s --out %s/full", config, folder);
    assert_code(1);
    assert_line("checkpoint-000000020.safetensors: cannot write: File too large; free some space or choose another folder");
    p.file_limit = 0;
    process_run(&p, TRAIN, "--resume --out %s/full", folder);
    assert_code(0);
    assert_same_runs("whole", "full");
    p.file_limit = 100;
    process_run(&p, TRAIN, "%s --out %s/nothing", config, folder);
    assert_code(1);
    assert_line("nothing/config.ini: cannot write: File too large");
}
END_TEST

START_TEST(a_loss_that_is_not_finite_stops_the_run)
{
    fault f = {""};
    checkpoint c;
    char run[128];
    process_run(&p, TRAIN, "%s --out %s/diverged --set train.rate=1e30 --set train.warmup=0 --set checkpoint.every=1", config,
                folder);
    assert_code(1);
    assert_line("the model has diverged; lower train.rate");
    ck_assert_ptr_eq(strstr(p.output, "train: step "), p.output);
    snprintf(run, sizeof run, "%s/diverged", folder);
    ck_assert_msg(checkpoint_read_latest(run, &c, NULL, &f), "%s", f.text);
    safetensors_free(c.file);
}
END_TEST

static const struct {
    const char *arguments; /* behind the config and --out */
    const char *line;
} refused[] = {
    {"--set train.rat=1", "train: --set: unknown option train.rat; the nearest known one is train.rate"},
    {"--set train.batch=0", "train: --set: train.batch = 0: must be in 1..1000000"},
    {"--threads x", "train: --threads: run.threads = x: an integer is wanted"},
    {"--nonsense", "train: --nonsense is no option; see --help"},
    {"-x", "train: -x is no option; see --help"},
    {"-r", "train: -r is no option; see --help"},
    {"--data=d -resume", "train: -r is no option; see --help"},
    {"--resume=yes", "train: --resume takes no value; see --help"},
    {"--data", "train: --data needs a value; see --help"},
    {"second.ini", "train: second.ini: one config is wanted, this is a second one"},
    {"--set arrows.arrows=9", "9 arrows and 2 letters do not always fit a grid of 3 x 3"},
    {"--set position.tile=3", "train: model: "},
    {"--set model.patch=7", "train: model: "},
    {"--set train.epochs=2", "the arrow task is endless"},
    {"--set train.examples=0", "train.epochs and train.examples are both 0"},
    {"--set train.schedule=cosine_epoch", "has no epochs"},
    {"--set data.set=cifar100", "no folder given; name the one that holds train.bin and test.bin with --data"},
    {"--set data.set=cifar100 --data /nonexistent", "no train.bin in /nonexistent"},
};

START_TEST(bad_settings_get_one_line)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        process_run(&p, TRAIN, "%s --out %s/refused %s", config, folder, refused[i].arguments);
        assert_code(2);
        assert_line(refused[i].line);
        char path[256];
        snprintf(path, sizeof path, "%s/refused", folder);
        ck_assert_int_ne(access(path, F_OK), 0); /* nothing is made before everything is checked */
    }
}
END_TEST

START_TEST(bad_files_and_folders_get_one_line)
{
    char path[256];
    process_run(&p, TRAIN, "/nonexistent/x.ini --out %s/x", folder);
    assert_code(2);
    assert_line("train: /nonexistent/x.ini: cannot read this config: No such file or directory");
    folder_write(folder, "bad.ini", "[model]\ndim = 16\ndepht = 2\n", 27, path);
    process_run(&p, TRAIN, "%s --out %s/x", path, folder);
    assert_code(2);
    assert_line("bad.ini:3: unknown option model.depht; the nearest known one is model.depth");
    process_run(&p, TRAIN, "--resume --out %s/x", folder);
    assert_code(2);
    assert_line("x/config.ini: cannot read this config");
    process_run(&p, TRAIN, "%s --out %s/x", config, config);
    assert_code(1);
    assert_line("a file stands where the folder should be");
    process_run(&p, TRAIN, "%s --out /proc/x", config);
    assert_code(1);
    assert_line("/proc/x: cannot make this folder");
    process_run(&p, TRAIN, "%s", "");
    assert_code(2);
    assert_line("train: no config given; see --help");
}
END_TEST

START_TEST(a_folder_with_a_run_is_not_overwritten)
{
    train_whole("run");
    process_run(&p, TRAIN, "%s --out %s/run", config, folder);
    assert_code(1);
    assert_line("already holds a run; go on with it by --resume or choose another --out");
    process_run(&p, TRAIN, "%s --out %s/run --resume --set train.rate=0.5", config, folder);
    assert_code(1);
    assert_line("this run was started with train.rate = 0.002, now it is 0.5; use the same config or another --out");
}
END_TEST

START_TEST(help_is_complete)
{
    process_run(&p, TRAIN, "--help");
    assert_code(0);
    ck_assert_ptr_nonnull(strstr(p.output, "--resume"));
    ck_assert_ptr_nonnull(strstr(p.output, "[position]"));
}
END_TEST

/* What evaluate finds is what train wrote; the model alone is enough. */
START_TEST(evaluate_agrees_with_train)
{
    char path[256];
    fault f = {""};
    size_t bytes;
    train_whole("run");
    process_run(&p, "harness/evaluate", "%s/run --json %s/e.json --correct %s/c.csv", folder, folder, folder);
    assert_code(0);
    snprintf(path, sizeof path, "%s/run/result.json", folder);
    char *result = file_read(path, &bytes, &f);
    snprintf(path, sizeof path, "%s/e.json", folder);
    char *found = file_read(path, &bytes, &f);
    ck_assert_ptr_nonnull(result);
    ck_assert_ptr_nonnull(found);
    cJSON *a = cJSON_Parse(result), *b = cJSON_Parse(found);
    ck_assert(cJSON_Compare(cJSON_GetObjectItem(a, "tests"), cJSON_GetObjectItem(b, "tests"), true));
    int correct = 0, lines = -1;
    const cJSON *test;
    cJSON_ArrayForEach(test, cJSON_GetObjectItem(b, "tests"))
    {
        correct -= cJSON_GetObjectItem(test, "correct")->valueint;
        lines -= cJSON_GetObjectItem(test, "n")->valueint;
    }
    cJSON_Delete(a);
    cJSON_Delete(b);
    free(result);
    free(found);
    snprintf(path, sizeof path, "%s/c.csv", folder);
    char *csv = file_read(path, &bytes, &f);
    ck_assert_int_eq(strncmp(csv, "set,sample,correct\n3x3,0,", 25), 0);
    for (char *c = csv; *c; c++)
        if (*c == '\n') {
            lines++;
            correct += c[-1] == '1';
        }
    ck_assert_int_eq(lines, 0);
    ck_assert_int_eq(correct, 0);
    free(csv);

    snprintf(path, sizeof path, "%s/run/model.safetensors", folder);
    ck_assert_int_eq(unlink(path), 0);
    process_run(&p, "harness/evaluate", "%s/run --set arrows.test_grids=5 --examples 20 --threads 1", folder);
    assert_code(0);
    ck_assert_ptr_nonnull(strstr(p.output, "5x5"));
    ck_assert_ptr_nonnull(strstr(p.output, " 20 "));
}
END_TEST

START_TEST(evaluate_refuses)
{
    char path[256];
    folder_write(folder, "x.safetensors", "\2\0\0\0\0\0\0\0{}", 10, path);
    process_run(&p, "harness/evaluate", "%s", path);
    assert_code(1);
    assert_line("no config in its metadata: not written by train");
    process_run(&p, "harness/evaluate", "%s", folder);
    assert_code(1);
    assert_line("holds neither model.safetensors nor a checkpoint");
    process_run(&p, "harness/evaluate", "%s/absent", folder);
    assert_code(1);
    assert_line("absent: cannot read: No such file or directory");
    train_whole("run");
    process_run(&p, "harness/evaluate", "%s/run --set model.dim=32", folder);
    assert_code(1);
    assert_line("run: tensor ");
    process_run(&p, "harness/evaluate", "%s/run --json /nonexistent/e.json", folder);
    assert_code(1);
    ck_assert_ptr_nonnull(
        strstr(p.output, "/nonexistent/e.json: cannot create: No such file or directory; the folder is missing"));
    process_run(&p, "harness/evaluate", "%s/run --json %s/run/./model.safetensors", folder, folder);
    assert_code(2);
    assert_line("model.safetensors: is the model; --json and --correct need names of their own");
    process_run(&p, "harness/evaluate", "%s/run --json %s/e --correct %s/e", folder, folder, folder);
    assert_code(2);
    assert_line("--json and --correct name one file: ");
    process_run(&p, "harness/evaluate", "%s/run --grids x", folder);
    assert_code(2);
    assert_line("evaluate: --grids: ");
    process_run(&p, "harness/evaluate", "%s/run --nonsense", folder);
    assert_code(2);
    assert_line("evaluate: --nonsense is no option; see --help");
    process_run(&p, "harness/evaluate", "%s/run/model.safetensors --examples 20 --threads 1", folder);
    assert_code(0);
}
END_TEST

Suite *check_train(void);
Suite *check_train(void)
{
    Suite *suite = suite_create("train");
    TCase *all = tcase_create("program");
    tcase_add_checked_fixture(all, setup, teardown);
    if (process_exists(TRAIN)) {
        tcase_add_test(all, killed_and_resumed_gives_the_same_bits);
        tcase_add_test(all, sigterm_writes_a_checkpoint);
        tcase_add_test(all, threads_change_nothing);
        tcase_add_test(all, resume_needs_only_the_folder);
        tcase_add_test(all, a_damaged_checkpoint_is_passed_over);
        tcase_add_test(all, full_disk_loses_nothing);
        tcase_add_test(all, a_loss_that_is_not_finite_stops_the_run);
        tcase_add_test(all, bad_settings_get_one_line);
        tcase_add_test(all, bad_files_and_folders_get_one_line);
        tcase_add_test(all, a_folder_with_a_run_is_not_overwritten);
        tcase_add_test(all, help_is_complete);
        tcase_add_test(all, evaluate_agrees_with_train);
        tcase_add_test(all, evaluate_refuses);
    }
    tcase_set_timeout(all, 120);
    suite_add_tcase(suite, all);
    return suite;
}
