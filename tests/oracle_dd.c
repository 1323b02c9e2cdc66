/* oracle_dd.c: double-double matrix arithmetic. Correct only without contraction and re-association (-std=c11 at -O2).
 * SPDX-License-Identifier: MIT */
#include "oracle_dd.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

oracle_pair oracle_new(int n)
{
    size_t count = (size_t)n * (size_t)n;
    oracle_pair p;
    p.hi = calloc(2 * count + 1, sizeof *p.hi);
    if (!p.hi)
        abort();
    p.lo = p.hi + count;
    return p;
}

void oracle_free(oracle_pair *p)
{
    free(p->hi);
    p->hi = p->lo = NULL;
}

static inline void two_sum(double a, double b, double *s, double *e)
{
    *s = a + b;
    double t = *s - a;
    *e = (a - (*s - t)) + (b - t);
}

static inline void normalise(double *hi, double *lo)
{
    two_sum(*hi, *lo, hi, lo);
}

void dd_copy(int n, oracle_pair out, oracle_pair x)
{
    memcpy(out.hi, x.hi, sizeof(double) * (size_t)n * (size_t)n);
    memcpy(out.lo, x.lo, sizeof(double) * (size_t)n * (size_t)n);
}

void dd_transpose(int n, oracle_pair out, oracle_pair x)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            out.hi[j * n + i] = x.hi[i * n + j], out.lo[j * n + i] = x.lo[i * n + j];
}

/* c[j] += a b[j]. The low parts are summed in double: their error is 2^-53 of a quantity that is 2^-53 of the sum. */
static inline __attribute__((always_inline)) void axpy(int n, double ahi, double alo, const double *bhi, const double *blo,
                                                       double *chi, double *clo)
{
#pragma omp simd
    for (int j = 0; j < n; j++) {
        double p = ahi * bhi[j], e = __builtin_fma(ahi, bhi[j], -p);
        e += ahi * blo[j] + alo * bhi[j];
        double s = chi[j] + p, t = s - chi[j];
        clo[j] += ((chi[j] - (s - t)) + (p - t)) + e;
        chi[j] = s;
    }
}

#if defined(__x86_64__)
/* One vector instruction per fma where the machine has it; else the C library's (same bits). */
__attribute__((target("avx2,fma"))) static void axpy_fma(int n, double ahi, double alo, const double *bhi, const double *blo,
                                                         double *chi, double *clo)
{
    axpy(n, ahi, alo, bhi, blo, chi, clo);
}
#define HAVE_FMA __builtin_cpu_supports("fma")
#else
#define axpy_fma axpy
#define HAVE_FMA 0
#endif

static void add_multiple(int n, double ahi, double alo, const double *bhi, const double *blo, double *chi, double *clo)
{
    HAVE_FMA ? axpy_fma(n, ahi, alo, bhi, blo, chi, clo) : axpy(n, ahi, alo, bhi, blo, chi, clo);
}

static void normalise_all(int n, oracle_pair x)
{
    for (int i = 0; i < n * n; i++)
        normalise(&x.hi[i], &x.lo[i]);
}

typedef double lanes __attribute__((vector_size(64)));
enum { LANES = 8, ROWS = 4 };

/* c += a b with one rounding in each lane: one instruction where the machine has it, else the C library's; the same bits. */
static inline __attribute__((always_inline)) void fma_lanes(lanes *c, const lanes *a, const lanes *b)
{
    for (int l = 0; l < LANES; l++)
        (*c)[l] = __builtin_fma((*a)[l], (*b)[l], (*c)[l]);
}

/* hi + lo += a b: the sum s loses (hi - (s - t)) + (a b - t), t = s - hi. */
static inline __attribute__((always_inline)) void add_product(lanes *hi, lanes *lo, const lanes *a, const lanes *b)
{
    lanes s = *hi + *a * *b, t = s - *hi, lost = -t;
    fma_lanes(&lost, a, b);
    *lo += *hi - (s - t);
    *lo += lost;
    *hi = s;
}

static inline __attribute__((always_inline)) void store_rows(int rows, int n, int i, int j, const lanes *hi, const lanes *lo,
                                                             oracle_pair out)
{
    for (int r = 0; r < rows; r++)
        for (int l = 0; l < LANES && j + l < n; l++) {
            int at = (i + r) * n + j + l;
            out.hi[at] = hi[r][l], out.lo[at] = lo[r][l];
            normalise(&out.hi[at], &out.lo[at]);
        }
}

/* `rows` rows of out, LANES columns from column j: sums over k stay in registers. y: hi and lo of these columns by rows. */
static inline __attribute__((always_inline)) void multiply_rows(int rows, int n, int i, int j, oracle_pair out, oracle_pair x,
                                                                const lanes *y)
{
    lanes hi[ROWS] = {{0}}, lo[ROWS] = {{0}};
    for (int k = 0; k < n; k++)
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            lanes a = x.hi[(i + r) * n + k] - (lanes){0}, alo = x.lo[(i + r) * n + k] - (lanes){0};
            add_product(&hi[r], &lo[r], &a, &y[2 * k]);
            fma_lanes(&lo[r], &a, &y[2 * k + 1]);
            fma_lanes(&lo[r], &alo, &y[2 * k]);
        }
    store_rows(rows, n, i, j, hi, lo, out);
}

/* y's columns j to j + LANES - 1 to the panel; zeros beyond the last. */
static inline __attribute__((always_inline)) void load_panel(int n, int j, const double *hi, const double *lo, lanes *panel)
{
    for (int k = 0; k < n; k++)
        for (int l = 0; l < LANES; l++) {
            panel[2 * k][l] = j + l < n ? hi[k * n + j + l] : 0;
            panel[2 * k + 1][l] = lo && j + l < n ? lo[k * n + j + l] : 0;
        }
}

static inline __attribute__((always_inline)) void multiply(int n, oracle_pair out, oracle_pair x, oracle_pair y, lanes *panel)
{
    for (int j = 0; j < n; j += LANES) {
        load_panel(n, j, y.hi, y.lo, panel);
        int i = 0;
        for (; i + ROWS <= n; i += ROWS)
            multiply_rows(ROWS, n, i, j, out, x, panel);
        for (; i < n; i++)
            multiply_rows(1, n, i, j, out, x, panel);
    }
}

/* `rows` rows of R^T R, LANES columns from column j. */
static inline __attribute__((always_inline)) void gram_rows(int rows, int n, int i, int j, oracle_pair out, const double *R,
                                                            const lanes *y)
{
    lanes hi[ROWS] = {{0}}, lo[ROWS] = {{0}};
    for (int k = 0; k < n; k++)
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            lanes a = R[k * n + i + r] - (lanes){0};
            add_product(&hi[r], &lo[r], &a, &y[2 * k]);
        }
    store_rows(rows, n, i, j, hi, lo, out);
}

/* The blocks that reach the upper triangle, then its mirror image. */
static inline __attribute__((always_inline)) void gram(int n, oracle_pair out, const double *R, lanes *panel)
{
    for (int j = 0; j < n; j += LANES) {
        int i = 0, end = j + LANES < n ? j + LANES : n;
        load_panel(n, j, R, NULL, panel);
        for (; i + ROWS <= end; i += ROWS)
            gram_rows(ROWS, n, i, j, out, R, panel);
        for (; i < end; i++)
            gram_rows(1, n, i, j, out, R, panel);
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            out.hi[i * n + j] = out.hi[j * n + i], out.lo[i * n + j] = out.lo[j * n + i];
}

/* The same source for each instruction set: the same bits. */
#if defined(__x86_64__)
__attribute__((target("arch=x86-64-v4,prefer-vector-width=512"))) static void
multiply_avx512(int n, oracle_pair out, oracle_pair x, oracle_pair y, lanes *panel)
{
    multiply(n, out, x, y, panel);
}

__attribute__((target("arch=x86-64-v3"))) static void multiply_avx2(int n, oracle_pair out, oracle_pair x, oracle_pair y,
                                                                    lanes *panel)
{
    multiply(n, out, x, y, panel);
}

__attribute__((target("arch=x86-64-v4,prefer-vector-width=512"))) static void gram_avx512(int n, oracle_pair out,
                                                                                          const double *R, lanes *panel)
{
    gram(n, out, R, panel);
}

__attribute__((target("arch=x86-64-v3"))) static void gram_avx2(int n, oracle_pair out, const double *R, lanes *panel)
{
    gram(n, out, R, panel);
}
#define CHOOSE(f)                                                                                                              \
    (__builtin_cpu_supports("x86-64-v4") ? f##_avx512 : __builtin_cpu_supports("x86-64-v3") ? f##_avx2 : f##_portable)
#else
#define CHOOSE(f) f##_portable
#endif

static void multiply_portable(int n, oracle_pair out, oracle_pair x, oracle_pair y, lanes *panel)
{
    multiply(n, out, x, y, panel);
}

static void gram_portable(int n, oracle_pair out, const double *R, lanes *panel)
{
    gram(n, out, R, panel);
}

static lanes *new_panel(int n)
{
    lanes *panel = aligned_alloc(sizeof *panel, 2 * (size_t)n * sizeof *panel + sizeof *panel);
    if (!panel)
        abort();
    return panel;
}

void dd_multiply(int n, oracle_pair out, oracle_pair x, oracle_pair y)
{
    lanes *panel = new_panel(n);
    CHOOSE(multiply)(n, out, x, y, panel);
    free(panel);
}

void dd_gram(int n, oracle_pair out, const double *R)
{
    lanes *panel = new_panel(n);
    CHOOSE(gram)(n, out, R, panel);
    free(panel);
}

void dd_scale(int n, oracle_pair x, double factor)
{
    for (int i = 0; i < n * n; i++)
        x.hi[i] *= factor, x.lo[i] *= factor;
}

void dd_add(int n, oracle_pair out, oracle_pair x, double factor)
{
    add_multiple(n * n, factor, 0, x.hi, x.lo, out.hi, out.lo);
    normalise_all(n, out);
}

static void divide(double *hi, double *lo, double dhi, double dlo)
{
    double q = *hi / dhi, p = q * dhi, e = fma(q, dhi, -p);
    double rest = ((*hi - p) - e) + *lo - q * dlo; /* exact up to 2^-106 of hi */
    *hi = q, *lo = rest / dhi;
    normalise(hi, lo);
}

void dd_divide(int n, oracle_pair x, double divisor)
{
    for (int i = 0; i < n * n; i++)
        divide(&x.hi[i], &x.lo[i], divisor, 0);
}

void dd_add_identity(int n, oracle_pair x, double factor)
{
    for (int i = 0; i < n; i++) {
        double e;
        two_sum(x.hi[i * n + i], factor, &x.hi[i * n + i], &e);
        x.lo[i * n + i] += e;
        normalise(&x.hi[i * n + i], &x.lo[i * n + i]);
    }
}

void dd_inverse(int n, oracle_pair out, oracle_pair x)
{
    oracle_pair kept = oracle_new(n), product = oracle_new(n);
    dd_copy(n, kept, x);
    memset(out.hi, 0, sizeof(double) * (size_t)n * (size_t)n);
    memset(out.lo, 0, sizeof(double) * (size_t)n * (size_t)n);
    dd_add_identity(n, out, 1);
    for (int k = 0; k < n; k++) {
        double phi = x.hi[k * n + k], plo = x.lo[k * n + k];
        for (int j = 0; j < n; j++) {
            divide(&x.hi[k * n + j], &x.lo[k * n + j], phi, plo);
            divide(&out.hi[k * n + j], &out.lo[k * n + j], phi, plo);
        }
        for (int i = 0; i < n; i++) {
            double fhi = -x.hi[i * n + k], flo = -x.lo[i * n + k];
            if (i == k || fhi == 0)
                continue;
            add_multiple(n, fhi, flo, x.hi + k * n, x.lo + k * n, x.hi + i * n, x.lo + i * n);
            add_multiple(n, fhi, flo, out.hi + k * n, out.lo + k * n, out.hi + i * n, out.lo + i * n);
        }
        normalise_all(n, x), normalise_all(n, out);
    }
    dd_multiply(n, product, kept, out); /* K <- K + K (I - B K) */
    dd_scale(n, product, -1);
    dd_add_identity(n, product, 1);
    dd_multiply(n, kept, out, product);
    dd_add(n, out, kept, 1);
    oracle_free(&kept), oracle_free(&product);
}
