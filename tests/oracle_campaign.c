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

/* Matrices on both sides of every switch of SO_PADE and of 1, where series end (closed forms, planes). In the shapes before
 * INTEGER: the others have a rho of their own. */
static int beside_switches(int bits)
{
    return 2 * (pade_switch_count(bits) + 1);
}

/* The bounds of so.h end at the last, those of f32 at 8e3. */
static const double corner_radii[] = {1, 4 * M_PI, 6 * M_PI, 20 * M_PI, 200 * M_PI, 3e3, 8e3, 1e5, 1e6, 4e6};
enum { CORNER_RADII = sizeof corner_radii / sizeof *corner_radii, CORNER_RADII_F32 = 7 };

/* Every shape with every radius; the first ALL_SHAPES of an order have each shape once. */
static sample corner_matrix(int bits, int n, long number, double *A, random_sequence *r)
{
    long k = number - CAMPAIGN_CORNERS;
    sample s = {n, number, (shape)(k % ALL_SHAPES), 0};
    long radius = (k / ALL_SHAPES + k % ALL_SHAPES + n) % (bits == F32 ? CORNER_RADII_F32 : CORNER_RADII);
    make_skew(bits, n, s.shape, corner_radii[radius], r, A);
    s.rho = spectral_norm(n, A);
    return s;
}

sample campaign_matrix(int bits, int n, long number, double *A, random_sequence *r)
{
    sample s = {.n = n, .number = number};
    *r = random_start(test_seed(), RANDOM_ANALYSIS, (uint32_t)(2 * n + (bits == F32)), (uint64_t)number);
    if (number < 0) {
        int k = (int)(-1 - number), switches = pade_switch_count(bits), at = k / 2 % (switches + 1);
        double angle = at < switches ? pade_switch_at(bits, at).angle : 1;
        s.shape = (shape)((k / beside_switches(bits) + at) % INTEGER);
        make_skew_estimated(bits, n, s.shape, angle * (1 + (k % 2 ? 1e-3 : -1e-3)), r, A);
        s.rho = spectral_norm(n, A);
        return s;
    }
    if (number >= CAMPAIGN_CORNERS)
        return corner_matrix(bits, n, number, A, r);
    s.shape = (shape)(number % SHAPES);
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

int campaign_wants_order(int n)
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

/* Spectra `first` to `end` - 1 of one order. */
typedef struct piece {
    int bits, n, copies;
    long first, end;
} piece;

/* Does the table already have the rows of this piece? */
static int tabulated(const campaign *c, const piece *p)
{
    const char *path = getenv("SO_TEST_TABLE");
    FILE *table = path ? fopen(path, "r") : NULL;
    char start[80], line[400];
    int found = 0;
    snprintf(start, sizeof start, "%s,%d,%s,", c->quantity[0], p->n, call_type(p->bits));
    while (table && !found && fgets(line, sizeof line, table)) {
        long first;
        found = strncmp(line, start, strlen(start)) == 0 && sscanf(line + strlen(start), "%*[^,],%ld,", &first) == 1 &&
                first == p->first;
    }
    if (table)
        fclose(table);
    return found;
}

/* The rows of a piece: to the table, if there is one, and a line to the output. */
static void tabulate(const campaign *c, const piece *p, double seconds, worst w[QUANTITIES][METHODS])
{
    const char *path = getenv("SO_TEST_TABLE"), *isa = getenv("SO_ISA");
    long spectra = p->end - p->first, matrices = spectra * p->copies;
    FILE *table = path ? fopen(path, "a") : NULL;
    ck_assert_msg(!path || table, "SO_TEST_TABLE: cannot append to %s", path);
    if (table && ftell(table) == 0)
        fprintf(table, "quantity,n,type,method,first,spectra,matrices,worst_error_over_bound,rho,shape,number,copy,seed,"
                       "instruction_set\n");
    printf("%s %s n %d from %ld on: %ld matrices, %.0f s:", c->suite, call_type(p->bits), p->n, p->first, matrices, seconds);
    for (int q = 0; q < QUANTITIES && c->quantity[q]; q++) {
        printf("  %s", c->quantity[q]);
        for (int m = 0; m < METHODS; m++) {
            const worst *x = &w[q][m];
            if (!campaign_wants((so_method)m))
                continue;
            printf(" %.3f", x->ratio);
            if (table)
                fprintf(table, "%s,%d,%s,%s,%ld,%ld,%ld,%.4f,%.9g,%s,%ld,%d,%llu,%s\n", c->quantity[q], p->n, call_type(p->bits),
                        call_method((so_method)m), p->first, spectra, matrices, x->ratio, x->rho, shape_name(x->shape), x->sample,
                        x->copy, (unsigned long long)test_seed(), isa ? isa : "widest");
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

static void measure(const campaign *c, const piece *p, worst out[QUANTITIES][METHODS])
{
    campaign_chunk chunk = {.bits = p->bits, .n = p->n, .copies = p->copies};
    int64_t at_once = chunk_bases(p->n, p->copies);
    ck_assert_int_eq(test_context(&chunk.ctx, 0), SO_OK);
    for (chunk.first = p->first; chunk.first < p->end; chunk.first += at_once) {
        int64_t left = p->end - chunk.first;
        chunk.batch = (left < at_once ? left : at_once) * p->copies;
        c->measure(&chunk, out);
    }
    so_ctx_destroy(chunk.ctx);
}

static int report_all(const campaign *c, int bits, worst w[QUANTITIES][METHODS])
{
    int failed = 0;
    for (int q = 0; q < QUANTITIES && c->quantity[q]; q++)
        failed += report(c, bits, c->quantity[q], w[q]);
    return failed;
}

static piece whole_order(const campaign *c, int bits, int n)
{
    int copies = copies_of(n);
    long spectra = (samples(bits, n) + copies - 1) / copies;
    if (!test_deep() && n > 33)
        spectra = (spectra + c->share - 1) / c->share;
    return (piece){bits, n, copies, 0, spectra};
}

/* One order in PARTS, since Check's clock of a test ends at 35 minutes. */
enum { PARTS = 10 };

static int run_part(const campaign *c, int bits, int n, int part)
{
    worst w[QUANTITIES][METHODS] = {0};
    piece p = whole_order(c, bits, n);
    long spectra = p.end;
    p.first = spectra * part / PARTS;
    p.end = spectra * (part + 1) / PARTS;
    if (n == 0 || p.first == p.end || !campaign_wants_order(n) || tabulated(c, &p))
        return 0;
    double start = seconds_now();
    measure(c, &p, w);
    tabulate(c, &p, seconds_now() - start, w);
    return report_all(c, bits, w);
}

static int run_all(const campaign *c, int bits)
{
    worst all[QUANTITIES][METHODS] = {0};
    for (int i = 0; i < campaign_size_count(); i++) {
        piece p = whole_order(c, bits, campaign_sizes[i]);
        if (p.n > 0 && campaign_wants_order(p.n))
            measure(c, &p, all);
    }
    return report_all(c, bits, all);
}

int campaign_run_corners(const campaign *c, int bits)
{
    worst all[QUANTITIES][METHODS] = {0};
    for (int i = 0; i < campaign_size_count(); i++) {
        int n = campaign_sizes[i], radii = bits == F32 ? CORNER_RADII_F32 : CORNER_RADII;
        long count = (long)ALL_SHAPES * (n > 17 || test_short() ? 1 : radii);
        if (n > 1 && campaign_wants_order(n))
            measure(c, &(piece){bits, n, 1, CAMPAIGN_CORNERS, CAMPAIGN_CORNERS + count}, all);
    }
    printf("beside the campaign: ");
    return report_all(c, bits, all);
}

int campaign_tests(void)
{
    return test_deep() ? 2 * campaign_size_count() * PARTS : 2;
}

int campaign_run(const campaign *c, int test)
{
    int bits = test % 2 ? F32 : F64, wanted = 0;
    for (int i = 0; i < campaign_size_count(); i++)
        wanted += campaign_sizes[i] > 0 && campaign_wants_order(campaign_sizes[i]);
    ck_assert_msg(wanted > 0, "SO_TEST_N=%s names no order of the campaign", getenv("SO_TEST_N"));
    return test_deep() ? run_part(c, bits, campaign_sizes[test / 2 / PARTS], test / 2 % PARTS) : run_all(c, bits);
}

int campaign_run_switches(const campaign *c, int test)
{
    worst all[QUANTITIES][METHODS] = {0};
    int bits = test % 2 ? F32 : F64;
    for (int i = 0; i < campaign_size_count(); i++) {
        int n = campaign_sizes[i], all_shapes = n <= 9 && !test_short();
        piece p = {bits, n, 1, -(long)beside_switches(bits) * (all_shapes ? INTEGER : 1), 0};
        if (n >= 2 && n <= 33 && campaign_wants_order(n))
            measure(c, &p, all);
    }
    return report_all(c, bits, all);
}
