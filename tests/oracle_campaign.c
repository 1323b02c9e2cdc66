/* oracle_campaign.c: see oracle_campaign.h.
 * SPDX-License-Identifier: MIT */
#include "oracle_campaign.h"
#include "cuda_context.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const int campaign_sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 96, 127, 128};

int campaign_size_count(void)
{
    return sizeof campaign_sizes / sizeof *campaign_sizes;
}

static long samples(int bits, int n)
{
    const char *wanted = getenv("SO_TEST_MATRICES");
    if (n < 2)
        return 1;
    if (test_deep())
        return wanted ? strtol(wanted, NULL, 10) : 100000;
    long count = n <= 9 ? (long)SHAPES * rho_count(bits) : n <= 17 ? 300 : n <= 33 ? 100 : n <= 65 ? 24 : 10;
    return test_short() ? (count + 3) / 4 : count;
}

static int copies_of(int n)
{
    return !test_deep() || n <= 17 ? 1 : n <= 33 ? 4 : n <= 65 ? 16 : 32;
}

sample campaign_matrix(int bits, int n, long number, double *A, random_sequence *r)
{
    sample s = {n, number, (shape)(number % SHAPES), 0};
    *r = random_start(test_seed(), RANDOM_ANALYSIS, (uint32_t)(2 * n + (bits == F32)), (uint64_t)number);
    int radii = rho_count(bits), every = samples(bits, n) / copies_of(n) >= (long)SHAPES * radii;
    int radius = every ? (int)(number / SHAPES % radii) : (int)random_below(r, (uint32_t)radii);
    make_skew(bits, n, s.shape, rho_value(bits, radius), r, A);
    s.rho = spectral_norm(n, A);
    return s;
}

void campaign_gradient(int bits, const sample *s, const double *A, const double *R0, random_sequence *r, double *G)
{
    static const double scales[] = {1, 1, 1, 100, 65536, 1e-30, 1e-10, 1e10, 1e30};
    int n = s->n;
    uint32_t kind = random_below(r, s->rho > 1e-200 ? 3 : 2); /* below, scale / rho would overflow */
    double scale = scales[random_below(r, sizeof scales / sizeof *scales)];
    make_dense(bits, n, scale, r, G);
    if (kind == 0)
        return;
    double *S = calloc((size_t)(n * n), sizeof *S), unit = kind == 2 ? scale / s->rho : 1;
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            S[i * n + j] = kind == 2 ? unit * A[i * n + j] : G[i * n + j], S[j * n + i] = -S[i * n + j];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int k = 0; k < n; k++)
                sum += R0[i * n + k] * S[k * n + j];
            G[i * n + j] = call_round(bits, sum);
        }
    free(S);
}

/* P of a copy: row i of P X P^T is row place[i] of X, times sign[i]. */
static void signed_permutation(const sample *s, int copy, int place[LARGEST_N], double sign[LARGEST_N])
{
    uint64_t which = ((uint64_t)s->number << 8) + (uint64_t)copy;
    random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 9000 + (uint32_t)s->n, which);
    for (int i = 0; i < s->n; i++) {
        int j = copy ? (int)random_below(&r, (uint32_t)i + 1) : i;
        place[i] = place[j];
        place[j] = i;
    }
    for (int i = 0; i < s->n; i++)
        sign[i] = copy && random_below(&r, 2) ? -1 : 1;
}

void campaign_turn(const sample *s, int copy, const double *X, double *Y)
{
    int n = s->n, place[LARGEST_N];
    double sign[LARGEST_N];
    signed_permutation(s, copy, place, sign);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            Y[i * n + j] = sign[i] * sign[j] * X[place[i] * n + place[j]];
}

void campaign_turn_skew(const sample *s, int copy, const double *X, double *Y)
{
    int n = s->n, place[LARGEST_N];
    double sign[LARGEST_N];
    signed_permutation(s, copy, place, sign);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            int k = place[i], l = place[j];
            Y[i * n + j] = i >= j ? (double)NAN : sign[i] * sign[j] * (k < l ? X[k * n + l] : -X[l * n + k]);
        }
}

/* ---- Running and reporting ---- */

/* Is this word in the list of an environment variable, separated by commas? Without the variable everything is. */
static int listed(const char *variable, const char *word)
{
    const char *list = getenv(variable);
    size_t length = strlen(word);
    while (list) {
        if (strncmp(list, word, length) == 0 && (list[length] == ',' || list[length] == 0))
            return 1;
        list = strchr(list, ',');
        list = list ? list + 1 : NULL;
    }
    return !getenv(variable);
}

static int wants_order(int n)
{
    char word[16];
    snprintf(word, sizeof word, "%d", n);
    return listed("SO_TEST_N", word);
}

int campaign_wants(so_method m)
{
    return listed("SO_TEST_METHOD", call_method(m));
}

static void print_operand(int bits, const worst *w)
{
    double A[16];
    random_sequence r;
    campaign_matrix(bits, w->n, w->sample, A, &r);
    printf("    A =");
    for (int i = 0; i < w->n; i++)
        for (int j = i + 1; j < w->n; j++)
            printf(" [%d,%d] %a", i, j, A[i * w->n + j]);
    printf("\n");
}

static int report(const campaign *c, int bits, const char *quantity, const worst w[METHODS])
{
    int failed = 0;
    printf("%s %s %s, worst error/bound:", c->suite, call_type(bits), quantity);
    for (int m = 0; m < METHODS; m++)
        printf("  %s %.2f", call_method((so_method)m), w[m].ratio);
    printf("\n");
    for (int m = 0; m < METHODS; m++) {
        if (w[m].ratio <= 1)
            continue;
        failed++;
        printf("  FAIL %s %s %s: %.3g of the bound at n %d, rho %.17g, %s, matrix %ld copy %d, seed %llu\n",
               call_method((so_method)m), call_type(bits), quantity, w[m].ratio, w[m].n, w[m].rho, shape_name(w[m].shape),
               w[m].sample, w[m].copy, (unsigned long long)test_seed());
        if (w[m].n <= 4)
            print_operand(bits, &w[m]);
    }
    fflush(stdout);
    return failed;
}

/* The rows of one order: to the table, if there is one, and a line to the output. */
static void tabulate(const campaign *c, const campaign_chunk *chunk, long matrices, double seconds, worst w[QUANTITIES][METHODS])
{
    const char *path = getenv("SO_TEST_TABLE"), *isa = getenv("SO_ISA");
    FILE *table = path ? fopen(path, "a") : NULL;
    ck_assert_msg(!path || table, "SO_TEST_TABLE: cannot append to %s", path);
    if (table && ftell(table) == 0)
        fprintf(table, "quantity,n,type,method,matrices,spectra,worst_error_over_bound,rho,shape,number,copy,seed,"
                       "instruction_set\n");
    printf("%s %s n %d: %ld matrices, %.0f s:", c->suite, call_type(chunk->bits), chunk->n, matrices, seconds);
    for (int q = 0; q < QUANTITIES && c->quantity[q]; q++) {
        printf("  %s", c->quantity[q]);
        for (int m = 0; m < METHODS; m++) {
            const worst *x = &w[q][m];
            if (!campaign_wants((so_method)m))
                continue;
            printf(" %.3f", x->ratio);
            if (table)
                fprintf(table, "%s,%d,%s,%s,%ld,%ld,%.4f,%.9g,%s,%ld,%d,%llu,%s\n", c->quantity[q], chunk->n,
                        call_type(chunk->bits), call_method((so_method)m), matrices, matrices / chunk->copies, x->ratio, x->rho, shape_name(x->shape),
                        x->sample, x->copy, (unsigned long long)test_seed(), isa ? isa : "widest");
        }
    }
    printf("\n");
    fflush(stdout);
    ck_assert_msg(!table || fclose(table) == 0, "SO_TEST_TABLE: cannot write %s", path);
}

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* As many matrices at a time as 8 MB hold, and at least two of different number. */
static int64_t chunk_bases(int n, int copies)
{
    int64_t matrices = ((int64_t)1 << 20) / ((int64_t)n * n), bases = (matrices < 1024 ? matrices : 1024) / copies;
    return bases < 2 ? 2 : bases;
}

int campaign_run(const campaign *c, int bits)
{
    worst all[QUANTITIES][METHODS] = {0};
    campaign_chunk chunk = {.bits = bits};
    int failed = 0, orders = 0;
    ck_assert_int_eq(test_context(&chunk.ctx, 0), SO_OK);
    for (int i = 0; i < campaign_size_count(); i++) {
        worst here[QUANTITIES][METHODS] = {0};
        int n = chunk.n = campaign_sizes[i];
        if (n == 0 || !wants_order(n))
            continue;
        orders++;
        chunk.copies = copies_of(n);
        long bases = (samples(bits, n) + chunk.copies - 1) / chunk.copies;
        if (!test_deep() && n > 33)
            bases = (bases + c->share - 1) / c->share;
        double start = seconds_now();
        int64_t at_once = chunk_bases(n, chunk.copies);
        for (chunk.first = 0; chunk.first < bases; chunk.first += at_once) {
            int64_t left = bases - chunk.first;
            chunk.batch = (left < at_once ? left : at_once) * chunk.copies;
            c->measure(&chunk, here);
        }
        if (test_deep())
            tabulate(c, &chunk, bases * chunk.copies, seconds_now() - start, here);
        for (int q = 0; q < QUANTITIES; q++)
            for (int m = 0; m < METHODS; m++)
                if (!(here[q][m].ratio <= all[q][m].ratio))
                    all[q][m] = here[q][m];
    }
    so_ctx_destroy(chunk.ctx);
    ck_assert_msg(orders > 0, "SO_TEST_N=%s names no order of the campaign", getenv("SO_TEST_N"));
    for (int q = 0; q < QUANTITIES && c->quantity[q]; q++)
        failed += report(c, bits, c->quantity[q], all[q]);
    return failed;
}
