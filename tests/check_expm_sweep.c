/* check_expm_sweep.c: the program $BUILD/bench/expm_sweep on a user's own matrices and on wrong use, and the reference that its
 * errors are measured against.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "bench/exact.h"
#include "bench/npy.h"
#include "csv.h"

static char folder[64];
static char output[1 << 16]; /* of the last run, stdout and stderr */

static void make_folder(void)
{
    strcpy(folder, "/tmp/check_expm_sweep_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

/* Runs the program with @ in the arguments standing for the folder; returns its exit status. */
static int run(const char *arguments)
{
    char command[2048], expanded[1024] = "";
    const char *build = getenv("BUILD");
    for (const char *c = arguments; *c; c++) {
        size_t used = strlen(expanded);
        if (*c == '@')
            snprintf(expanded + used, sizeof expanded - used, "%s", folder);
        else
            snprintf(expanded + used, sizeof expanded - used, "%c", *c);
    }
    snprintf(command, sizeof command, "%s/bench/expm_sweep %s --threads 1 >%s/output 2>&1", build ? build : "build", expanded,
             folder);
    int status = system(command);
    snprintf(command, sizeof command, "%s/output", folder);
    FILE *file = fopen(command, "r");
    ck_assert_ptr_nonnull(file);
    output[fread(output, 1, sizeof output - 1, file)] = '\0';
    fclose(file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect_refusal(const char *arguments, const char *defect)
{
    ck_assert_msg(run(arguments) == 2, "%s: exit status is not 2: %s", arguments, output);
    ck_assert_msg(strstr(output, defect), "%s: '%s' does not hold '%s'", arguments, output, defect);
    ck_assert_msg(strchr(output, '\n') == output + strlen(output) - 1, "%s: more than one line: %s", arguments, output);
}

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void save(const char *name, int bytes, int64_t batch, int n, void *data)
{
    char message[NPY_MESSAGE];
    npy_stack stack = {.bytes = bytes, .batch = batch, .n = n, .data = data};
    ck_assert_msg(npy_write(in_folder(name), &stack, message), "%s", message);
}

static npy_stack open_stack(const char *name)
{
    char message[NPY_MESSAGE];
    npy_stack stack = {0};
    ck_assert_msg(npy_read(in_folder(name), &stack, message), "%s", message);
    return stack;
}

/* n = 2 has a closed form: R = [[c, s], [-s, c]], and <G, dR/da> = c (G01 - G10) - s (G00 + G11) is twice the entry of dA. */
START_TEST(own_matrices_f64)
{
    enum { BATCH = 7 };
    double A[BATCH][4], G[BATCH][4];
    for (int b = 0; b < BATCH; b++) {
        double a = 1.5 * b - 3;
        memcpy(A[b], (double[]){0, a, -a, 0}, sizeof A[b]);
        memcpy(G[b], (double[]){0.5 * b, -1, 2, 1.25 - b}, sizeof G[b]);
    }
    save("A.npy", 8, BATCH, 2, A);
    save("G.npy", 8, BATCH, 2, G);
    static const char *const methods[] = {"", "--methods polynomial", "--methods pade", "--methods eigen"};
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        char arguments[256];
        snprintf(arguments, sizeof arguments, "--matrices @/A.npy --upstream @/G.npy --save-exp @/R.npy --save-vjp @/D.npy %s",
                 methods[m]);
        ck_assert_msg(run(arguments) == 0, "%s", output);
        npy_stack R = open_stack("R.npy"), D = open_stack("D.npy");
        ck_assert(R.bytes == 8 && R.batch == BATCH && R.n == 2 && D.bytes == 8 && D.batch == BATCH && D.n == 2);
        for (int b = 0; b < BATCH; b++) {
            double c = cos(A[b][1]), s = sin(A[b][1]), *r = (double *)R.data + 4 * b, *d = (double *)D.data + 4 * b;
            double half = (c * (G[b][1] - G[b][2]) - s * (G[b][0] + G[b][3])) / 2, tolerance = 60 * 0x1p-53 * 8;
            double expected_r[] = {c, s, -s, c}, expected_d[] = {0, half, -half, 0};
            for (int i = 0; i < 4; i++) {
                ck_assert_msg(fabs(r[i] - expected_r[i]) <= tolerance, "R[%d][%d] = %.17g", b, i, r[i]);
                ck_assert_msg(fabs(d[i] - expected_d[i]) <= tolerance, "D[%d][%d] = %.17g", b, i, d[i]);
            }
        }
        npy_free(&R);
        npy_free(&D);
    }
}
END_TEST

/* A NaN is reported and stays in its own matrix; the lower triangle is not read; f32 stays f32. */
START_TEST(own_matrices_that_are_not_finite)
{
    enum { BATCH = 9, N = 5, SIZE = N * N };
    float A[BATCH][SIZE] = {{0}};
    for (int b = 0; b < BATCH; b++)
        for (int i = 0; i < N; i++)
            for (int j = i + 1; j < N; j++)
                A[b][i * N + j] = (float)(b + 1) * 0.25f + (float)(i * j) * 0.125f;
    save("A.npy", 4, BATCH, N, A);
    ck_assert_msg(run("--matrices @/A.npy --save-exp @/R.npy") == 0, "%s", output);
    ck_assert_ptr_nonnull(strstr(output, "A.npy: matrix 0 is not skew-symmetric"));
    A[4][2 * N + 3] = NAN;
    A[5][3 * N + 2] = INFINITY; /* lower triangle */
    save("B.npy", 4, BATCH, N, A);
    ck_assert_msg(run("--matrices @/B.npy --save-exp @/S.npy") == 0, "%s", output);
    ck_assert_ptr_nonnull(strstr(output, "B.npy: matrix 4 holds a NaN"));
    npy_stack R = open_stack("R.npy"), S = open_stack("S.npy");
    ck_assert_int_eq(R.bytes, 4);
    for (int b = 0; b < BATCH; b++) {
        float *r = (float *)R.data + b * SIZE, *s = (float *)S.data + b * SIZE;
        if (b != 4)
            ck_assert_msg(memcmp(r, s, SIZE * sizeof *r) == 0, "matrix %d differs", b);
        for (int i = 0; i < SIZE && b == 4; i++)
            ck_assert_msg(isnan(s[i]), "entry %d of the bad matrix is %g", i, s[i]);
    }
    npy_free(&R);
    npy_free(&S);
}
END_TEST

START_TEST(empty_stacks)
{
    char nothing;
    save("A.npy", 8, 0, 4, &nothing);
    ck_assert_msg(run("--matrices @/A.npy --save-exp @/R.npy") == 0, "%s", output);
    npy_stack R = open_stack("R.npy");
    ck_assert(R.batch == 0 && R.n == 4 && R.bytes == 8);
    npy_free(&R);
}
END_TEST

START_TEST(bad_files_and_wrong_use)
{
    float A[2 * 9] = {0};
    double G[3 * 9] = {0};
    save("A.npy", 4, 2, 3, A);
    save("G3.npy", 8, 3, 3, G);
    save("G8.npy", 8, 2, 3, G);
    expect_refusal("--matrices @/no.npy", "No such file");
    expect_refusal("--matrices @/output", "truncated");
    expect_refusal("--matrices @/A.npy --upstream @/G3.npy", "shape (3, 3, 3), but");
    expect_refusal("--matrices @/A.npy --upstream @/G8.npy", "float64, but");
    expect_refusal("--matrices @/A.npy --save-vjp @/D.npy", "needs --upstream");
    expect_refusal("--matrices @/A.npy --save-exp @/no/R.npy", "No such file");
    expect_refusal("--matrices @/A.npy --save-exp @/R.npy --methods pade,eigen", "one method");
    expect_refusal("--matrices @/A.npy --save-exp @", "is no regular file");
    expect_refusal("--matrices @/A.npy --save-exp @/./A.npy", "--matrices and --save-exp name one file");
    expect_refusal("--matrices @/A.npy --csv @/A.npy", "--matrices and --csv name one file");
    expect_refusal("--matrices @/A.npy --upstream @/A.npy --save-exp @/R.npy --save-vjp @/R.npy", "--save-exp and --save-vjp name");
    npy_stack same = open_stack("A.npy");
    ck_assert_mem_eq(same.data, A, sizeof A);
    npy_free(&same);
    expect_refusal("--matrices @/A.npy --n 3", "the file decides");
    expect_refusal("--save-exp @/R.npy", "needs --matrices");
    expect_refusal("--methods taylor", "'taylor' is unknown");
    expect_refusal("--methods pade,pade", "twice");
    expect_refusal("--dtypes f16", "'f16' is unknown");
    expect_refusal("--n 0", "not a whole number");
    expect_refusal("--n 4,,8", "empty item");
    expect_refusal("--norm nan", "not a number");
    expect_refusal("--norm -1", "not a number");
    expect_refusal("--batch 1e3", "not a whole number");
    expect_refusal("--quick=yes", "takes no value");
    expect_refusal("--csv", "needs a value");
    expect_refusal("--csv @/no/rows.csv", "No such file");
    expect_refusal("--plot @/output/x", "Not a directory");
    expect_refusal("--fast", "unknown option '--fast'");
    expect_refusal("rows.csv", "unknown option 'rows.csv'");
}
END_TEST

/* The shares are of the peaks in the same row; no machine multiplies and adds slower than 10^7 or faster than 10^18 per second.
 */
static void expect_shares(const char *head, const char *row)
{
    static const struct {
        const char *work, *peak, *share;
    } columns[] = {{"flops", "peak_gflops", "fma_share"}, {"bytes", "copy_gb_s", "copy_share"}};
    for (int i = 0; i < 2; i++) {
        double peak = csv_number(head, row, columns[i].peak), us = csv_number(head, row, "median_us");
        double share = 1e-3 * csv_number(head, row, columns[i].work) / us / peak;
        ck_assert_msg(peak > 0.01 && peak < 1e9, "%s: %s", columns[i].peak, row);
        ck_assert_msg(fabs(csv_number(head, row, columns[i].share) / share - 1) < 0.01, "%s: %s", columns[i].share, row);
    }
}

/* Each row carries its evidence: as many fields as the head names, none of those that must be there empty. */
START_TEST(csv_rows)
{
    ck_assert_msg(run("--n 3,8 --norm 2,pencil,wigner --batch 5 --repetitions 3 --seconds 0 --csv @/rows.csv") == 0, "%s",
                  output);
    FILE *file = fopen(in_folder("rows.csv"), "r");
    ck_assert_ptr_nonnull(file);
    char line[2048], head[2048] = "";
    int rows = 0, fields = 0;
    for (; fgets(line, sizeof line, file); rows++) {
        int commas = 0;
        for (char *c = line; *c; c++)
            commas += *c == ',';
        fields = rows == 0 ? commas : fields;
        ck_assert_msg(commas == fields && line[strlen(line) - 1] == '\n', "row %d: %s", rows, line);
        ck_assert_msg(line[0] != ',' && strstr(line, rows == 0 ? "commit" : ",gcc") != NULL, "row %d: %s", rows, line);
        if (rows == 0)
            strcpy(head, line);
        else
            expect_shares(head, line);
        if (strstr(line, ",polynomial,f32,8,5,rho,2,") && strstr(line, ",forward,")) /* degree 6 in A^2: six half products */
            ck_assert(csv_number(head, line, "flops") == 6 * 512);
    }
    fclose(file);
    ck_assert_int_eq(rows, 1 + 2 * 2 * 3 * 4 * 2); /* head; types, n, norms, methods, directions */
    ck_assert_int_eq(run("--n 3 --norm 1 --batch 5 --repetitions 1 --csv /dev/full"), 1);
    ck_assert_ptr_nonnull(strstr(output, "/dev/full could not be written whole"));
}
END_TEST

START_TEST(instruction_sets)
{
    static const char narrow[] = "--n 8 --norm 1 --batch 5 --seconds 0 --repetitions 1 --methods auto --dtypes f32";
    setenv("SO_ISA", "portable", 1);
    ck_assert_msg(run(narrow) == 0, "%s", output);
    ck_assert_msg(strstr(output, "1 thread, portable;"), "%s", output);
    setenv("SO_ISA", "mmx", 1);
    ck_assert_int_eq(run(narrow), 1);
    ck_assert_msg(strstr(output, "SO_ISA"), "%s", output);
    unsetenv("SO_ISA");
}
END_TEST

START_TEST(help_names_every_option)
{
    static const char *const names[] = {"--quick",    "--methods",  "--dtypes", "--n ",       "--norm",
                                        "--batch",    "--threads",  "--csv",    "--matrices", "--upstream",
                                        "--save-exp", "--save-vjp", "--plot"};
    ck_assert_int_eq(run("--help"), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_ptr_nonnull(strstr(output, names[i]));
}
END_TEST

/* The reference: two planes of known angles, turned into a general position by a reflection that mixes all axes. */
START_TEST(reference_against_closed_form)
{
    enum { N = 4 };
    static const long double angles[][2] = {{0, 0}, {1e-9L, 0.3L}, {1, 2}, {3.14159L, 0.01L}, {40, 700.5L}};
    for (size_t k = 0; k < sizeof angles / sizeof *angles; k++) {
        long double H[N][N], A[N][N] = {{0}}, exact[N][N] = {{0}}, got[N][N], cayley[N][N] = {{0}};
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) /* I - 2 v v^T with v = (1, 1, 1, 1) / 2, exact in binary */
                H[i][j] = (i == j) - 0.5L;
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                for (int p = 0; p < 2; p++) {
                    int x = 2 * p, y = 2 * p + 1;
                    long double a = angles[k][p], c = (1 - a * a / 4) / (1 + a * a / 4), s = a / (1 + a * a / 4);
                    long double sine = H[i][x] * H[j][y] - H[i][y] * H[j][x], cosine = H[i][x] * H[j][x] + H[i][y] * H[j][y];
                    A[i][j] += a * sine;
                    exact[i][j] += sinl(a) * sine + cosl(a) * cosine;
                    cayley[i][j] += s * sine + c * cosine;
                }
        double rho = exact_rho(N, A[0]), tolerance = 0x1p-64 * (30 + 6 * rho);
        ck_assert_double_le(fabs(rho - (double)fmaxl(angles[k][0], angles[k][1])), 1e-14 * rho);
        exact_exp(N, rho, A[0], NULL, got[0], NULL);
        ck_assert_msg(exact_distance(N, got[0], exact[0]) <= tolerance, "rho = %g: %g", rho,
                      exact_distance(N, got[0], exact[0]));
        ck_assert_double_le(exact_defect(N, got[0]), tolerance);
        exact_cayley(N, A[0], NULL, got[0], NULL);
        ck_assert_msg(exact_distance(N, got[0], cayley[0]) <= tolerance, "rho = %g", rho);
    }
}
END_TEST

/* The reference gradient against a symmetric difference quotient along a direction E: <D, E> = d/dt <G, f(A + t E)>. */
START_TEST(reference_gradient)
{
    enum { N = 5, SIZE = N * N };
    long double A[SIZE], E[SIZE], G[SIZE], D[SIZE], R[2][SIZE], shifted[SIZE];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            A[i * N + j] = (long double)(i - j) / (1 + i + j);
            E[i * N + j] = (long double)(i - j) * (1 + i * j % 3);
            G[i * N + j] = sinl(1 + 3 * i + 7 * j);
        }
    const long double step = 1e-6L;
    for (int cayley = 0; cayley < 2; cayley++) {
        for (int side = 0; side < 2; side++) {
            for (int i = 0; i < SIZE; i++)
                shifted[i] = A[i] + (side ? step : -step) * E[i];
            if (cayley)
                exact_cayley(N, shifted, NULL, R[side], NULL);
            else
                exact_exp(N, exact_rho(N, shifted), shifted, NULL, R[side], NULL);
        }
        if (cayley)
            exact_cayley(N, A, G, shifted, D);
        else
            exact_exp(N, exact_rho(N, A), A, G, shifted, D);
        long double slope = 0, product = 0;
        for (int i = 0; i < SIZE; i++) {
            slope += G[i] * (R[1][i] - R[0][i]) / (2 * step);
            product += D[i] * E[i];
            ck_assert(D[i] == -D[i % N * N + i / N]);
        }
        ck_assert_msg(fabsl(slope - product) <= 1e-8L * fabsl(slope), "slope %Lg, gradient %Lg", slope, product);
    }
}
END_TEST

Suite *check_expm_sweep(void)
{
    Suite *suite = suite_create("expm_sweep");
    TCase *reference = tcase_create("reference"), *program = tcase_create("program");
    tcase_add_test(reference, reference_against_closed_form);
    tcase_add_test(reference, reference_gradient);
    suite_add_tcase(suite, reference);
    tcase_add_checked_fixture(program, make_folder, remove_folder);
    tcase_set_timeout(program, 60);
    tcase_add_test(program, own_matrices_f64);
    tcase_add_test(program, own_matrices_that_are_not_finite);
    tcase_add_test(program, empty_stacks);
    tcase_add_test(program, bad_files_and_wrong_use);
    tcase_add_test(program, csv_rows);
    tcase_add_test(program, instruction_sets);
    tcase_add_test(program, help_names_every_option);
    suite_add_tcase(suite, program);
    return suite;
}
