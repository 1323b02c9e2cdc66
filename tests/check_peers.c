/* check_peers.c: the program $BUILD/bench/peers/peer_ratios with the peer that every build has, with one that is absent, and
 * with made-up ones (shell scripts that speak the protocol of bench/peers/peer.h). SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#define RUN(...) process_run(&p, "bench/peers/peer_ratios", "--threads 1 --repetitions 3 --seconds 0 " __VA_ARGS__)

static FILE *open_file(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    return file;
}

/* The rows of folder/rows.csv, each with as many fields as the head and the ratio of its own medians. */
static int read_rows(char head[2048], char rows[][2048], int room)
{
    FILE *file = open_file("rows.csv");
    int count = 0;
    ck_assert_ptr_nonnull(fgets(head, 2048, file));
    for (; count < room && fgets(rows[count], 2048, file); count++) {
        double ratio = csv_number(head, rows[count], "peer_median_us") / csv_number(head, rows[count], "libso_median_us");
        ck_assert_int_eq(csv_count(rows[count]), csv_count(head));
        ck_assert_msg(fabs(csv_number(head, rows[count], "ratio") / ratio - 1) < 1e-3, "%s", rows[count]);
        ck_assert_msg(csv_number(head, rows[count], "libso_error_u") <= csv_number(head, rows[count], "error_bound_u"), "%s",
                      rows[count]);
    }
    fclose(file);
    return count;
}

/* An error of a few hundred u says that both sides saw the same matrices in the same layout. */
START_TEST(lapacke_and_an_absent_peer)
{
    char head[2048], rows[9][2048];
    int status = RUN("--peers torch,lapacke --python %s/none --n 2,5 --batch 70 --csv %s/rows.csv --table %s/table", folder,
                     folder, folder);
    ck_assert_msg(status == 0, "%s", p.output);
    ck_assert_msg(strstr(p.output, "absent: torch ("), "%s", p.output);
    ck_assert_msg(strstr(p.output, "bench/peers/setup"), "%s", p.output);
    ck_assert_int_eq(read_rows(head, rows, 9), 8); /* orders, types, inputs */
    for (int i = 0; i < 8; i++) {
        ck_assert_msg(csv_number(head, rows[i], "peer_error_u") < 1e3, "%s", rows[i]);
        ck_assert_msg(csv_number(head, rows[i], "peer_orthogonality_u") < 1e3, "%s", rows[i]);
        ck_assert(csv_number(head, rows[i], "peer_batch") == 70 && csv_number(head, rows[i], "libso_batch") == 70);
        ck_assert(csv_number(head, rows[i], "target") > 3);
    }
}
END_TEST

/* The ratio falls from line to line of the table. */
START_TEST(smallest_ratio_last)
{
    char line[512];
    double last = INFINITY;
    int lines = 0;
    ck_assert_msg(RUN("--peers lapacke --n 2,3,4 --batch 70 --table %s/table", folder) == 0, "%s", p.output);
    FILE *file = open_file("table");
    while (fgets(line, sizeof line, file)) {
        double ratio;
        if (sscanf(line, "%*d %*s %*s forward %*s %*d %*f %*f %lf", &ratio) != 1)
            continue;
        ck_assert_msg(ratio > 0 && ratio <= last, "%s", line);
        last = ratio;
        lines++;
    }
    fclose(file);
    ck_assert_int_eq(lines, 3 * 2 * 2);
}
END_TEST

/* Where its call would take too long, or too much memory. */
START_TEST(smaller_batches)
{
    char head[2048], rows[2][2048];
    static const char *const limits[] = {"--longest 0", "--memory 0.000116"}; /* 64 copies of 50 matrices: 115,200 bytes */
    for (int i = 0; i < 2; i++) {
        ck_assert_msg(RUN("--peers lapacke --n 3 --dtypes f32 --inputs pencil --batch 200 %s --csv %s/rows.csv", limits[i],
                          folder) == 0,
                      "%s", p.output);
        ck_assert_int_eq(read_rows(head, rows, 2), 1);
        ck_assert(csv_number(head, rows[0], "peer_batch") == 50 && csv_number(head, rows[0], "libso_batch") == 200);
    }
}
END_TEST

/* A peer that takes half a second by its own account and gives its input back as the result. */
START_TEST(protocol)
{
    static const char script[] =
        "echo 'peer 1, \"2\"'\n"
        "while read -r order a b c; do case $order in\n"
        "load) A=$a; echo ok;; time) echo 0.5;; save) cp \"$A\" \"$b\"; [ -z \"$c\" ] || cp \"$A\" \"$c\"; echo ok;;\n"
        "esac; done\n";
    char path[256], head[2048], rows[3][2048];
    folder_write(folder, "torch_peer.py", script, sizeof script - 1, path);
    ck_assert_msg(RUN("--peers torch --python sh --scripts %s --n 4 --dtypes f64 --inputs wigner --batch 20 --csv %s/rows.csv "
                      "--plot %s/plot",
                      folder, folder, folder) == 0,
                  "%s", p.output);
    ck_assert_int_eq(read_rows(head, rows, 3), 2);
    for (int i = 0; i < 2; i++) {
        ck_assert(strncmp(csv_field(head, rows[i], "peer_version"), "1; '2',", 7) == 0);
        ck_assert(csv_number(head, rows[i], "peer_median_us") == 25000 && csv_number(head, rows[i], "peer_calls") == 1);
        ck_assert(csv_number(head, rows[i], "target") == (i == 0 ? 3.2 : 80)); /* forward, both; f64 */
        ck_assert(csv_number(head, rows[i], "peer_error_u") > 1e10);
    }
    fclose(open_file("plot/peers_speedup.png"));
}
END_TEST

START_TEST(a_peer_that_fails)
{
    static const char script[] = "echo peer 1; read -r line; echo 'sudden end' >&2\n";
    char path[256];
    folder_write(folder, "scipy_peer.py", script, sizeof script - 1, path);
    ck_assert_int_eq(RUN("--peers scipy --python sh --scripts %s --n 2 --batch 20", folder), 1);
    ck_assert_msg(strstr(p.output, "the peer scipy ended: sudden end"), "%s", p.output);
    ck_assert_msg(strstr(p.output, "incomplete: 1 of the peers ended"), "%s", p.output);
    ck_assert_int_eq(RUN("--peers torch --python %s/none", folder), 1);
    ck_assert_msg(strstr(p.output, "no peer is there"), "%s", p.output);
}
END_TEST

/* The others go on without a peer that is killed, here by its own hand at its seventh order. */
START_TEST(a_peer_that_is_killed)
{
    static const char script[] = "echo peer 1; for i in 1 2 3 4 5 6; do read -r order a b c; case $order in\n"
                                 "load) A=$a; echo ok;; time) echo 0.5;; save) cp \"$A\" \"$b\"; echo ok;;\n"
                                 "esac; done; read -r line; kill -9 $$\n";
    char path[256], head[2048], rows[9][2048];
    folder_write(folder, "scipy_peer.py", script, sizeof script - 1, path);
    ck_assert_int_eq(RUN("--peers scipy,lapacke --python sh --scripts %s --n 2,3 --inputs pencil --batch 20 --csv %s/rows.csv "
                         "--table %s/table",
                         folder, folder, folder),
                     1);
    ck_assert_msg(strstr(p.output, "the peer scipy ended by signal: Killed: it says nothing"), "%s", p.output);
    ck_assert_msg(strstr(p.output, "of 4 ratios reach their target"), "%s", p.output);
    ck_assert_int_eq(read_rows(head, rows, 9), 4);
    for (int i = 0; i < 4; i++)
        ck_assert(strncmp(csv_field(head, rows[i], "peer"), "lapacke,", 8) == 0);
}
END_TEST

/* Whatever the caller's environment says; with SO_ISA=avx2 they have no more than libso. */
START_TEST(peers_use_the_machine)
{
    static const char script[] = "echo \"peer BLAS ${OPENBLAS_CORETYPE-free}, ATen ${ATEN_CPU_CAPABILITY-free}\"; read -r line\n";
    char path[256];
    folder_write(folder, "scipy_peer.py", script, sizeof script - 1, path);
    setenv("OPENBLAS_CORETYPE", "Prescott", 1);
    setenv("ATEN_CPU_CAPABILITY", "default", 1);
    RUN("--peers scipy --python sh --scripts %s --n 2 --batch 20", folder);
    ck_assert_msg(strstr(p.output, "peer scipy: BLAS free; ATen free"), "%s", p.output);
    setenv("SO_ISA", "avx2", 1);
    RUN("--peers scipy --python sh --scripts %s --n 2 --batch 20", folder);
    ck_assert_msg(strstr(p.output, "peer scipy: BLAS Haswell; ATen avx2") || strstr(p.output, "SO_ISA"), "%s", p.output);
    unsetenv("SO_ISA"), unsetenv("OPENBLAS_CORETYPE"), unsetenv("ATEN_CPU_CAPABILITY");
}
END_TEST

/* The files that it wrote for the peers go when it is stopped. */
START_TEST(stopped)
{
    static const char script[] = "echo peer 1; while read -r line; do exec sleep 60; done\n";
    char path[256], command[256];
    folder_write(folder, "torch_peer.py", script, sizeof script - 1, path);
    setenv("TMPDIR", folder, 1);
    process_start(&p, "bench/peers/peer_ratios", "--peers torch --python sh --scripts %s --n 2 --batch 20 --threads 1", folder);
    snprintf(command, sizeof command,
             "for i in $(seq 300); do test -e %s/peer_ratios_*/G.npy && sleep 0.2 && exit; sleep 0.1; done; exit 1", folder);
    ck_assert_int_eq(system(command), 0);
    kill(p.pid, SIGTERM);
    process_end(&p);
    ck_assert_int_eq(p.code, 1);
    snprintf(command, sizeof command, "! ls -d %s/peer_ratios_* 2>/dev/null", folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(wrong_use)
{
    static const char *const uses[][2] = {{"--peers matlab", "'matlab' is unknown"},
                                          {"--inputs gaussian", "'gaussian' is unknown"},
                                          {"--n 0", "not a whole number"},
                                          {"--csv /nonexistent/rows.csv", "No such file"},
                                          {"--fast", "unknown option"}};
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        ck_assert_int_eq(RUN("%s", uses[i][0]), 2);
        ck_assert_msg(strstr(p.output, uses[i][1]), "%s", p.output);
    }
}
END_TEST

Suite *check_peers(void)
{
    Suite *suite = suite_create("peers");
    TCase *program = tcase_create("peer_ratios");
    tcase_add_checked_fixture(program, make_folder, remove_folder);
    tcase_set_timeout(program, 120);
    tcase_add_test(program, lapacke_and_an_absent_peer);
    tcase_add_test(program, smallest_ratio_last);
    tcase_add_test(program, smaller_batches);
    tcase_add_test(program, protocol);
    tcase_add_test(program, a_peer_that_fails);
    tcase_add_test(program, a_peer_that_is_killed);
    tcase_add_test(program, peers_use_the_machine);
    tcase_add_test(program, stopped);
    tcase_add_test(program, wrong_use);
    suite_add_tcase(suite, program);
    return suite;
}
