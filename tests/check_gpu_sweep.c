/* check_gpu_sweep.c: the benchmark of the GPU, $BUILD/shim/gpu_sweep, on the CUDA of tests/cuda_on_cpu: every kind of row, no
 * figure; and the script of the bundle.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "csv.h"
#include "folder.h"
#include "process.h"

static char folder[64];
static process p;

static void make_folder(void)
{
    folder_make(folder);
}

static void remove_folder(void)
{
    folder_remove(folder);
}

#define RUN(...) process_run(&p, "shim/gpu_sweep", __VA_ARGS__)

enum { MOST_ROWS = 128, WIDTH = 2048 };
static char head[WIDTH], sheet[MOST_ROWS][WIDTH];

/* Measures a few matrices with these options; the number of rows, every one with all fields. */
static int measure(const char *options)
{
    char path[128];
    int count = 0;
    snprintf(path, sizeof path, "%s/rows.csv", folder);
    int status = RUN("--tiny --seconds 0 --repetitions 3 %s --csv %s", options, path);
    ck_assert_msg(status == 0, "status %d: %s", status, p.output);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(head, sizeof head, file));
    for (; fgets(sheet[count], WIDTH, file); count++) {
        ck_assert_int_eq(csv_count(sheet[count]), csv_count(head));
        ck_assert_int_lt(count, MOST_ROWS - 1);
    }
    fclose(file);
    remove(path);
    return count;
}

static double number(int k, const char *name)
{
    return csv_number(head, sheet[k], name);
}

static bool has(int k, const char *name, const char *value)
{
    return strncmp(csv_field(head, sheet[k], name), value, strlen(value)) == 0;
}

/* A row per order, input, method and kind of work, the times positive, the errors within the contract; what has a count of
 * operations, also encodings, with its share of the peak. */
START_TEST(rows)
{
    int count = measure("--n 2,5 --dtypes f32 --methods auto");
    ck_assert_int_eq(count, 2 * 2 * 3 + 5 * 3 + 3 * 2 * 2); /* orders, inputs, works; encodings, works; tiles, bf16 and f32, works */
    for (int k = 0; k < count; k++) {
        ck_assert_msg(has(k, "work", "both") == (number(k, "checked") == 0) && number(k, "kept") == 1, "%s", sheet[k]);
        ck_assert_msg(has(k, "same_bits", has(k, "function", "encode") && !has(k, "work", "both") ? "1," : ","), "%s", sheet[k]);
        ck_assert_msg(number(k, "median_us") > 0 && number(k, "roofline_share") > 0, "%s", sheet[k]);
        ck_assert_msg(number(k, "n") > 4 ? number(k, "fma_share") > 0 : number(k, "flops") == 0, "%s", sheet[k]);
        if (number(k, "checked") > 0)
            ck_assert_msg(number(k, "error_u") <= number(k, "error_bound_u"), "%s", sheet[k]);
    }
}
END_TEST

/* The goals: two of encodings, those of the orders, in f32 by SO_AUTO alone. */
START_TEST(goals)
{
    int of_liere_64 = 0, of_liere_8 = 0, orders = 0;
    int count = measure("--n 16,64 --dtypes f32,f64 --methods auto,cayley --input wigner");
    for (int k = 0; k < count; k++) {
        bool ours = has(k, "method", "auto") && has(k, "dtype", "f32,"), none = has(k, "goal", ",");
        of_liere_64 += has(k, "goal", "us <= 4000 and workspace_over_r <= 1,");
        of_liere_8 += has(k, "goal", "us <= 150 and");
        orders += has(k, "goal", has(k, "n", "16,") ? "copy_share >= 0.6 and" : "fma_share >= 0.4 and");
        ck_assert_msg(ours || none, "%s", sheet[k]);
        ck_assert_msg(none || number(k, "goal_met") == 0 || number(k, "goal_met") == 1, "%s", sheet[k]);
    }
    ck_assert_int_eq(of_liere_64, 1);
    ck_assert_int_eq(of_liere_8, 1);
    ck_assert_int_eq(orders, 2 * 3);
}
END_TEST

/* What f32 computed by f64 is measured for: the peak is that of f64, references on NVIDIA's libraries are left out; and networks in
 * f64, without the one that takes gigabytes. */
START_TEST(other_types)
{
    int count = measure("--n 5 --dtypes f32-by-f64,f64 --methods cayley,eigen --input pencil --no-networks");
    ck_assert_int_eq(count, 3 + 2 * 3);
    for (int k = 0; k < count; k++) {
        ck_assert_double_eq(number(k, "peak_gflops"), number(0, "peak_gflops"));
        if (k < 2) /* rounded once */
            ck_assert_msg(number(k, "error_bound_u") < 1.02, "%s", sheet[k]);
    }
    count = measure("--n 5 --dtypes f64 --methods auto --input pencil");
    ck_assert_int_eq(count, 4 * 3 + 3 * 2 + 3);
}
END_TEST

/* On a CUDA device SO_AUTO is the polynomial method, also for large angles. */
START_TEST(operations_of_auto)
{
    int count = measure("--n 33 --dtypes f32 --methods auto,polynomial --input pencil --no-networks");
    ck_assert_int_eq(count, 2 * 3);
    for (int k = 0; k < 3; k++)
        ck_assert_double_eq(number(k, "flops"), number(3 + k, "flops"));
    ck_assert_double_eq_tol(number(0, "flops") + number(1, "flops"), number(2, "flops"), 1e-4 * number(2, "flops"));
}
END_TEST

/* The peak of a row is that of the type in which it computes: of f64 for SO_EIGEN. */
START_TEST(peak_of_the_arithmetic)
{
    double peak[2] = {0};
    int count = measure("--n 5 --dtypes f32,f64 --methods polynomial,eigen --input pencil --no-networks");
    ck_assert_int_eq(count, 2 * 2 * 3);
    for (int k = 0; k < count; k++)
        if (has(k, "method", "polynomial"))
            peak[has(k, "dtype", "f64")] = number(k, "peak_gflops");
    ck_assert(peak[0] > 0 && peak[1] > 0 && peak[0] != peak[1]);
    for (int k = 0; k < count; k++)
        if (has(k, "method", "eigen"))
            ck_assert_double_eq(number(k, "peak_gflops"), peak[1]);
}
END_TEST

/* A method whose library is not installed is named once, and no failure. */
START_TEST(without_libraries)
{
    setenv("CUDA_ON_CPU_NO_LIBRARIES", "1", 1);
    ck_assert_int_eq(measure("--n 5,9 --dtypes f32 --methods pade,eigen,cayley --input wigner --no-networks"), 2 * 3);
    static const char *const methods[] = {"pade", "eigen"};
    for (int m = 0; m < 2; m++) {
        char line[64];
        snprintf(line, sizeof line, "%-10s left out", methods[m]);
        const char *first = strstr(p.output, line);
        ck_assert_msg(first && !strstr(first + 1, line), "%s", p.output);
    }
}
END_TEST

START_TEST(wrong_use)
{
    ck_assert_int_eq(RUN("--frequency 3"), 2);
    ck_assert_ptr_nonnull(strstr(p.output, "unknown option '--frequency'"));
    ck_assert_int_eq(RUN("--methods taylor"), 2);
    ck_assert_int_eq(RUN("--csv %s/none/rows.csv", folder), 2);
    ck_assert_ptr_nonnull(strstr(p.output, "No such file"));
}
END_TEST

static bool says(const char *text)
{
    return strstr(p.output, text) != NULL;
}

/* What is there: a device with all methods, one where cuSOLVER fails, one without NVIDIA's libraries, one whose driver is too old. */
START_TEST(probe)
{
    ck_assert_int_eq(RUN("--probe"), 0);
    ck_assert_msg(says("device: CUDA on CPU\n") && says("method: auto\n") && says("method: eigen\n"), "%s", p.output);
    setenv("CUDA_ON_CPU_SOLVER_FAILS", "1", 1);
    ck_assert_int_eq(RUN("--probe --methods pade,eigen"), 2);
    ck_assert_msg(says("method: pade\n") && says("failed: eigen: "), "%s", p.output);
    setenv("CUDA_ON_CPU_NO_LIBRARIES", "1", 1);
    ck_assert_int_eq(RUN("--probe"), 0);
    ck_assert_msg(says("method: cayley\n") && says("left out: pade, for want of cuBLAS") && says("left out: eigen, for want"), "%s",
                  p.output);
    setenv("CUDA_ON_CPU_DRIVER", "12040", 1);
    ck_assert_int_eq(RUN("--probe"), 2);
    ck_assert_msg(says("driver version is insufficient") && says("12.4") && says("install driver 580 or later"), "%s",
                  p.output);
    ck_assert_int_eq(RUN("--tiny"), 2);
}
END_TEST

/* ---- The script of the bundle, on a bundle of the shim's programs and a made up nvidia-smi ---- */

static void make_bundle(void)
{
    static const char smi[] = "#!/bin/sh\ncase $* in *=driver_version*) echo 580.1 ;; *) echo made up ;; esac\n";
    char path[256], command[1024], *build = realpath(getenv("BUILD") ? getenv("BUILD") : "build", NULL);
    make_folder();
    ck_assert_ptr_nonnull(build);
    snprintf(command, sizeof command, "mkdir %s/bin && cp tests/gpu/run %s && ln -s %s/shim/gpu_sweep %s/tests/check %s/bin",
             folder, folder, build, build, folder);
    ck_assert_int_eq(system(command), 0);
    folder_write(folder, "commit", "c0ffee\n", 7, path);
    folder_write(folder, "nvidia-smi", smi, sizeof smi - 1, path);
    ck_assert_int_eq(chmod(path, 0755), 0);
    free(build);
}

/* The exit status of these commands, in the bundle's folder. */
static int shell(const char *commands)
{
    char line[1024];
    snprintf(line, sizeof line,
             "cd %s && export PATH=$PWD:$PATH PYTHON=/none SWEEP='--tiny --n 2 --methods auto --seconds 0 --no-networks' && %s",
             folder, commands);
    int status = system(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(script_without_device)
{
    ck_assert_int_eq(shell("CUDA_ON_CPU_DRIVER=12040 sh run check > said"), 2);
    ck_assert_int_eq(shell("grep -q 'install driver 580' said && grep -q 'needed are driver 580 or later' said"), 0);
    ck_assert_int_eq(shell("rm bin/gpu_sweep && sh run check > said"), 2);
    ck_assert_int_eq(shell("grep -q 'bin cannot be executed' said"), 0);
}
END_TEST

/* Without PyTorch; rows and log say with what they were made. */
START_TEST(script_benches)
{
    ck_assert_int_eq(shell("sh run bench results > said"), 0);
    ck_assert_int_eq(shell("grep -q 'Z, commit c0ffee, driver 580.1$' said && grep -q 'no Python with PyTorch' said"), 0);
    ck_assert_int_eq(shell("grep -q 'made up' results/device.txt"), 0);
    ck_assert_int_eq(shell("[ $(grep -c ',580.1,13.0,13.0,' results/gpu_sweep.csv) = 18 ]"), 0);
}
END_TEST

/* A folder with results of an earlier run is left as it is; a device that nvidia-smi cannot describe counts as a failure. */
START_TEST(script_refuses)
{
    ck_assert_int_eq(shell("mkdir results && echo old > results/gpu_sweep.csv && sh run bench results > said"), 2);
    ck_assert_int_eq(shell("grep -q 'results/gpu_sweep.csv is of an earlier run' said && [ $(cat results/*) = old ]"), 0);
    ck_assert_int_eq(shell("mkdir logs && echo old > logs/check.log && sh run all logs > said"), 2);
    ck_assert_int_eq(shell("grep -q 'logs/check.log is of an earlier run' said && [ $(cat logs/*) = old ]"), 0);
    ck_assert_int_eq(shell("printf '#!/bin/sh\\nexit 9\\n' > nvidia-smi && sh run bench other > said"), 1);
    ck_assert_int_eq(shell("grep -q 'driver unknown' said && grep -q 'nvidia-smi cannot describe the device' said"), 0);
}
END_TEST

/* What needs cuBLAS or cuSOLVER is left out by the suites, which say so. */
START_TEST(script_without_libraries)
{
    ck_assert_int_eq(shell("CUDA_ON_CPU_NO_LIBRARIES=1 SO_TEST_DEPTH=short SUITES='pade cuda_vendor pack' sh run check > said"),
                     0);
    ck_assert_int_eq(shell("grep -q 'left out: pade, for want' said && grep -q 'leaves out, in every suite: PADE, EIGEN' said"), 0);
    ck_assert_int_eq(shell("grep -q 'check_pade: left out' said && grep -q 'check_cuda_vendor: .* EIGEN' said"), 0);
}
END_TEST

/* A method of theirs that fails is left out by suites and benchmark, which then have failed; its own suite is run. */
START_TEST(script_with_a_method_that_fails)
{
    setenv("CUDA_ON_CPU_SOLVER_FAILS", "1", 1);
    ck_assert_int_eq(shell("SO_TEST_DEPTH=short SUITES='pade pack' sh run check > said"), 1);
    ck_assert_int_eq(shell("grep -q 'run: eigen fails here' said && grep -q '2 suites, .* 0 failed' said"), 0);
    ck_assert_int_eq(shell("grep -q '1 suites, .* [1-9][0-9]* failed' said && grep -q 'run: failed: eigen' said"), 0);
}
END_TEST

/* A process for each method and type: what the benchmark measures when nothing is chosen, and without what fails. */
START_TEST(script_benches_all)
{
    static const char *const kinds[] = {",auto,f32,", ",cayley,f64,", ",auto,f32-by-f64,", ",pade,f32,", ",eigen,f64,"};
    setenv("CUDA_ON_CPU_SOLVER_FAILS", "1", 1);
    for (int fails = 1; fails >= 0; fails--) {
        ck_assert_int_eq(shell("SWEEP='--tiny --n 5 --seconds 0 --repetitions 3 --no-networks --input pencil' && rm -rf results &&"
                               "sh run bench results > said"),
                         fails);
        for (int k = 0; k < 5; k++) {
            char command[128];
            snprintf(command, sizeof command, "[ $(grep -c '%s' results/gpu_sweep.csv) = %d ]", kinds[k], fails && k == 4 ? 0 : 3);
            ck_assert_msg(shell(command) == 0, "%s, fails %d", kinds[k], fails);
        }
        unsetenv("CUDA_ON_CPU_SOLVER_FAILS");
    }
}
END_TEST

/* What a made up compute-sanitizer, these commands, makes `run sanitize` return; two suites under one tool. */
static int sanitize(const char *commands)
{
    char path[256], text[256];
    snprintf(text, sizeof text, "#!/bin/sh\n%s\n", commands);
    folder_write(folder, "compute-sanitizer", text, strlen(text), path);
    ck_assert_int_eq(chmod(path, 0755), 0);
    return shell("SANITIZE_SECONDS=1 TOOLS=racecheck SUITES='pack rotate' sh run sanitize > said");
}

/* A tool that does not work is not libso's failure; a suite that is not finished is no finding. */
START_TEST(script_sanitizes)
{
    ck_assert_int_eq(sanitize("exit 0"), 0);
    ck_assert_int_eq(shell("grep -q '0 failed, 0 not finished' said"), 0);
    ck_assert_int_eq(sanitize("echo no device >&2; exit 1"), 3);
    ck_assert_int_eq(shell("grep -q 'no device' said && grep -q 'does not work here' said && ! grep -q racecheck said"), 0);
    ck_assert_int_eq(sanitize("case $* in *pack) sleep 9 ;; esac"), 3);
    ck_assert_int_eq(shell("grep -q 'racecheck, pack: not finished in 1 s' said && grep -q '0 failed, 1 not' said"), 0);
    ck_assert_int_eq(sanitize("case $* in *pack) sleep 9 ;; *rotate) exit 99 ;; esac"), 1);
    ck_assert_int_eq(shell("grep -q 'racecheck, rotate: the tool has found something' said && grep -q '1 failed, 1 not' said"),
                     0);
}
END_TEST

/* Nothing is looked for in the folder in which the script is called. */
START_TEST(script_searches)
{
    ck_assert_int_eq(
        shell("rm bin/check && printf '#!/bin/sh\\necho \"<$LD_LIBRARY_PATH>\"\\n' > bin/check && chmod +x bin/check &&"
              "LD_LIBRARY_PATH=/some sh run check > said && grep -q '[<:]/some>$' said && ! grep -q '<:\\|::\\|:>' said"),
        0);
}
END_TEST

/* The number in column `column` (0: the first) of the first line of the page that begins with `row`. */
static double expected(const char *options, const char *row, int column)
{
    char command[256], line[512];
    double value = NAN;
    snprintf(command, sizeof command, "%s/bench/gpu/expected %s", getenv("BUILD") ? getenv("BUILD") : "build", options);
    FILE *page = popen(command, "r");
    ck_assert_ptr_nonnull(page);
    while (fgets(line, sizeof line, page)) {
        if (!isnan(value) || strncmp(line, row, strlen(row)) != 0)
            continue;
        const char *field = line;
        for (int k = 0; k <= column; k++)
            field = strchr(field, '|') + 1;
        value = strtod(field, NULL);
    }
    ck_assert_int_eq(pclose(page), 0);
    return value;
}

/* Bounds by memory follow the bandwidth given, bounds by arithmetic the peak; the page says that it was not measured. */
START_TEST(roofline)
{
    ck_assert_double_eq(expected("--memory 1000", "| 2 | f32 | wigner", 7), 0.032);
    ck_assert_double_eq(expected("--memory 2000", "| 2 | f32 | wigner", 7), 0.016);
    ck_assert_double_eq_tol(expected("--f32 1000", "| cifar | auto | f32 | 64 | 9360 | both", 8),
                            2 * expected("--f32 2000", "| cifar | auto | f32 | 64 | 9360 | both", 8), 1e3);
    ck_assert_double_eq(expected("--f64 1000", "| 64 | f32-by-f64 | wigner | 2.01 | both", 7),
                        expected("--f64 1000", "| 64 | f64 | wigner | 2.01 | both", 7));
    ck_assert_int_eq(process_run(&p, "bench/gpu/expected", "--device A9"), 0);
    ck_assert_ptr_nonnull(strstr(p.output, "# A9: expected, not measured"));
    ck_assert_int_eq(process_run(&p, "bench/gpu/expected", "--memory 0"), 2);
}
END_TEST

/* The page in the repository is what the program prints. */
START_TEST(page)
{
    char command[256];
    snprintf(command, sizeof command, "%s/bench/gpu/expected | diff - bench/results/nvidia-h200/expected.md",
             getenv("BUILD") ? getenv("BUILD") : "build");
    ck_assert_msg(system(command) == 0, "expected.md is old: build/bench/gpu/expected > bench/results/nvidia-h200/expected.md");
}
END_TEST

Suite *check_gpu_sweep(void)
{
    Suite *suite = suite_create("gpu_sweep");
    TCase *tests = tcase_create("program");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, rows);
    tcase_add_test(tests, goals);
    tcase_add_test(tests, other_types);
    tcase_add_test(tests, operations_of_auto);
    tcase_add_test(tests, peak_of_the_arithmetic);
    tcase_add_test(tests, without_libraries);
    tcase_add_test(tests, wrong_use);
    tcase_add_test(tests, probe);
    tcase_add_test(tests, roofline);
    tcase_add_test(tests, page);
    suite_add_tcase(suite, tests);

    TCase *script = tcase_create("script");
    tcase_set_timeout(script, 120);
    tcase_add_checked_fixture(script, make_bundle, remove_folder);
    tcase_add_test(script, script_without_device);
    tcase_add_test(script, script_benches);
    tcase_add_test(script, script_refuses);
    tcase_add_test(script, script_without_libraries);
    tcase_add_test(script, script_with_a_method_that_fails);
    tcase_add_test(script, script_benches_all);
    tcase_add_test(script, script_sanitizes);
    tcase_add_test(script, script_searches);
    suite_add_tcase(suite, script);
    return suite;
}
