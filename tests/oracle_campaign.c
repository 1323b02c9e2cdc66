/* oracle_campaign.c: see oracle_campaign.h.
 * SPDX-License-Identifier: MIT */
#include "oracle_campaign.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const int campaign_sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128};

int campaign_size_count(void)
{
    return sizeof campaign_sizes / sizeof *campaign_sizes;
}

long campaign_samples(int bits, int n)
{
    if (test_deep())
        return n < 2 ? 1 : 100000;
    long count = n <= 9 ? (long)SHAPES * rho_count(bits) : n <= 17 ? 300 : n <= 33 ? 100 : n <= 65 ? 24 : 10;
    return n < 2 ? 1 : test_short() ? (count + 3) / 4 : count;
}

sample campaign_matrix(int bits, int n, long number, double *A, random_sequence *r)
{
    sample s = {n, number, (shape)(number % SHAPES), 0};
    *r = random_start(test_seed(), RANDOM_ANALYSIS, (uint32_t)(2 * n + (bits == F32)), (uint64_t)number);
    int radii = rho_count(bits), every = campaign_samples(bits, n) >= (long)SHAPES * radii;
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

int campaign_report(const char *suite, int bits, const char *quantity, const worst w[METHODS])
{
    int failed = 0;
    printf("%s %s %s, worst error/bound:", suite, call_type(bits), quantity);
    for (int m = 0; m < METHODS; m++)
        printf("  %s %.2f", call_method((so_method)m), w[m].ratio);
    printf("\n");
    for (int m = 0; m < METHODS; m++) {
        if (w[m].ratio <= 1)
            continue;
        failed++;
        printf("  FAIL %s %s %s: %.3g of the bound at n %d, rho %.17g, %s, batch index %ld, seed %llu\n",
               call_method((so_method)m), call_type(bits), quantity, w[m].ratio, w[m].n, w[m].rho, shape_name(w[m].shape),
               w[m].sample, (unsigned long long)test_seed());
        if (w[m].n <= 4)
            print_operand(bits, &w[m]);
    }
    fflush(stdout);
    return failed;
}
