/* rounding_random_walk.c: what the roundings of the polynomial method cost where they behave like independent random numbers:
 * an estimate. Derivation: accuracy.md, sections 3 and 4. Everything is to first order in u, and in units of u.
 * SPDX-License-Identifier: MIT */
#include "contract.h"
#include "rungs.h"
#include "statement.h"
#include "summation.h"
#include <complex.h>
#include <stdlib.h>

/* Root of the mean square of the rounding error of x, in |x| u, for mantissas of logarithmic distribution: 1/sqrt(8 ln 2). */
#define ROUNDING 0.425

/* ---- The steps of an evaluation -------------------------------------------------------------------------------------- */

/* The scalar that a matrix f(A) has for the eigenvalues a and b of A, and the entry (a, b) of its first-order error. */
typedef struct scalar {
    double complex a, b, d;
} scalar;

/* What a step rounds: a number, whose error is the same for all planes; the entries of a matrix; a product of which one
 * triangle is computed; such a one whose diagonal is summed by pairs (libso/cpu/group/diagonal.c); a squaring. */
enum kind { NUMBER, ENTRIES, HALF, PAIRED, SQUARING };

enum { EIGENVALUES = 16, LONGEST = 128 };

/* The steps of an evaluation in turn, of which step `active` errs by 1 in the entry (a, b). What their rounding errors are
 * proportional to is gathered on the diagonal, a = b: of a product the mean squares of the factors and its mean; of all else
 * its mean square. */
typedef struct tape {
    int steps, active;
    enum kind kind[LONGEST];
    double left[LONGEST], right[LONGEST];
    double complex mean[LONGEST];
} tape;

static double square(double complex x)
{
    return creal(x) * creal(x) + cimag(x) * cimag(x);
}

static scalar constant(double x)
{
    return (scalar){x, x, 0};
}

static int next_step(tape *t)
{
    if (t->steps == LONGEST)
        abort();
    return t->steps++;
}

static scalar plus(scalar x, scalar y)
{
    return (scalar){x.a + y.a, x.b + y.b, x.d + y.d};
}

static scalar times(scalar x, scalar y)
{
    return (scalar){x.a * y.a, x.b * y.b, x.a * y.d + x.d * y.b};
}

static scalar rounded(tape *t, enum kind kind, scalar x)
{
    int k = next_step(t);
    t->kind[k] = kind;
    t->left[k] += square(x.a) / EIGENVALUES;
    x.d += k == t->active;
    return x;
}

static scalar product(tape *t, enum kind kind, scalar x, scalar y)
{
    int k = next_step(t);
    scalar z = times(x, y);
    t->kind[k] = kind;
    t->left[k] += square(x.a) / EIGENVALUES, t->right[k] += square(y.a) / EIGENVALUES, t->mean[k] += z.a / EIGENVALUES;
    z.d += k == t->active;
    return z;
}

/* ---- The evaluation of libso/cpu/group/polynomial.c ------------------------------------------------------------------ */

/* x + a_0 + a_1 M_1 + .. + a_terms M_terms in fused operations, the last term first. */
static scalar with_terms(tape *t, scalar x, int terms, const scalar *a, const scalar *M)
{
    for (int k = terms; k >= 0; k--)
        if (a[k].a != 0)
            x = rounded(t, ENTRIES, plus(x, k > 0 ? times(a[k], M[k - 1]) : a[0]));
    return x;
}

/* a_0 + a_1 y + .. + a_degree y^degree, as a coefficient. */
static scalar coefficient_at(tape *t, int degree, const double *a, double y)
{
    scalar sum = constant(0);
    if (y == 0)
        return constant(a[0]);
    for (int k = degree; k >= 0; k--)
        sum = rounded(t, NUMBER, plus(sum, constant(a[k] * pow(y, k))));
    return sum;
}

static scalar tabled_coefficient(tape *t, const rung *g, const double (*a)[9], double y)
{
    scalar v = constant(value_at(g, a, y));
    return g->scale > 0 ? rounded(t, NUMBER, v) : v;
}

static scalar split_part(tape *t, const rung *g, const double (*a)[9], double y, const scalar *P)
{
    int m = g->degree / 2;
    scalar low[POWERS + 1], high[POWERS + 1];
    for (int k = 0; k <= m; k++)
        high[k] = constant(a[0][m + k]);
    for (int k = 0; k < m; k++)
        low[k] = constant(a[0][k]);
    low[m] = coefficient_at(t, m, a[0] + m, y);
    for (int k = 1; k <= m; k++)
        low[k] = rounded(t, NUMBER, plus(low[k], constant(pow(y, m) * a[0][m + k])));
    low[0] = tabled_coefficient(t, g, a, y);
    high[0] = constant(0);
    scalar upper = with_terms(t, constant(0), m, high, P);
    return with_terms(t, product(t, HALF, P[m - 1], upper), m, low, P);
}

static scalar nested_part(tape *t, const rung *g, const double (*a)[9], double y, const scalar *P)
{
    scalar B[4][5], M[4] = {P[0], P[1], P[2]};
    for (int j = 0; j < 4; j++)
        for (int k = 0; k < 4; k++)
            B[j][k] = constant(a[j][k]);
    B[1][4] = constant(1);
    scalar b4 = coefficient_at(t, 3, a[3], y), b = rounded(t, NUMBER, plus(coefficient_at(t, 3, a[2], y), times(b4, b4)));
    for (int k = 1; k < 4; k++) {
        B[2][k] = rounded(t, NUMBER, plus(B[2][k], times(constant(2 * a[3][k]), b4)));
        B[0][k] = rounded(t, NUMBER, plus(B[0][k], times(constant(a[1][k]), b)));
    }
    for (int j = 1; j < 4; j++)
        B[j][0] = constant(0);
    B[0][0] = tabled_coefficient(t, g, a, y);
    B[0][4] = rounded(t, NUMBER, plus(coefficient_at(t, 3, a[1], y), times(constant(2), b)));
    scalar root = with_terms(t, constant(0), 3, B[3], M);
    M[3] = with_terms(t, product(t, HALF, root, root), 3, B[2], M);
    scalar sum = with_terms(t, constant(0), 4, B[1], M);
    return with_terms(t, product(t, HALF, sum, M[3]), 4, B[0], M);
}

static scalar part_of(tape *t, const rung *g, const double (*a)[9], double y, const scalar *P)
{
    return g->degree < 12 ? split_part(t, g, a, y, P) : nested_part(t, g, a, y, P);
}

/* exp(A) on the eigenvalues i alpha and i beta of A; returns the entry (a, b) of its error. */
static double complex evaluate_pair(tape *t, const rung *g, double y, double alpha, double beta)
{
    int m = g->degree < 12 ? g->degree / 2 : 3;
    scalar A = {I * alpha, I * beta, 0}, P[POWERS];
    t->steps = 0;
    P[0] = product(t, PAIRED, A, A);
    if (g->scale > 0)
        P[0] = rounded(t, ENTRIES, plus(times(constant(g->scale), P[0]), constant(1 - y)));
    P[1] = with_terms(t, product(t, HALF, P[0], P[0]), 1, (scalar[]){constant(0), constant(2 * y)}, P);
    if (m > 2)
        P[2] = with_terms(t, product(t, HALF, P[1], P[0]), 2, (scalar[]){constant(0), constant(y * y), constant(y)}, P);
    if (m > 3)
        P[3] = with_terms(t, product(t, HALF, P[1], P[1]), 1, (scalar[]){constant(0), constant(2 * y * y)}, P + 1);
    scalar even = part_of(t, g, g->c, y, P), odd = part_of(t, g, g->s, y, P);
    return rounded(t, ENTRIES, plus(even, product(t, HALF, A, odd))).d;
}

/* ---- The mean square of a rounding error ----------------------------------------------------------------------------- */

/* A sum of n terms: over its roundings, the sum of the number of terms that are summed by then, and of its square. */
typedef struct path {
    double terms, squares;
} path;

static void round_after(int terms, path *p)
{
    p->terms += terms, p->squares += (double)terms * terms;
}

static path path_of_runs(int n, int whole)
{
    path p = {0, 0};
    int run = run_of(n, whole);
    for (int start = 0; start < n; start += run) {
        int end = n - start < run ? n : start + run;
        for (int terms = 1; terms <= end - start; terms++)
            round_after(terms, &p);
        if (start > 0)
            round_after(end, &p);
    }
    return p;
}

/* Halves down to runs of 4; libso/cpu/group/diagonal.c differs from it where n is no power of 2. */
static path path_of_pairs(int n)
{
    if (n <= 4)
        return path_of_runs(n, n);
    path p = path_of_pairs(n / 2), q = path_of_pairs(n - n / 2);
    p.terms += q.terms, p.squares += q.squares;
    round_after(n, &p);
    return p;
}

/* Mean square of a step's rounding error in the norm ||.||, in u^2. Sums of products are random walks about the drift of the
 * diagonal, whose entries are the mean of the product. */
static double variance(const tape *t, int k, int n)
{
    enum kind kind = t->kind[k];
    if (kind == NUMBER || kind == ENTRIES)
        return ROUNDING * ROUNDING * t->left[k];
    path walk = path_of_runs(n, kind == SQUARING ? WHOLE_FULL : WHOLE_HALF), drift = walk;
    if ((kind == PAIRED && n > 8) || (kind == SQUARING && n > 64))
        drift = path_of_pairs(n);
    return ROUNDING * ROUNDING *
           (walk.terms / n * t->left[k] * t->right[k] + drift.squares / ((double)n * n) * square(t->mean[k]));
}

/* ---- 6.8 ------------------------------------------------------------------------------------------------------------- */

/* The centre for these angles; 0 in the rungs of X. */
static double centre_of(const rung *g, const double *angle)
{
    double mean = 0;
    for (int a = 0; a < EIGENVALUES; a++)
        mean += (1 - g->scale * angle[a] * angle[a]) / EIGENVALUES;
    return g->scale > 0 ? nearbyint(CENTRES * mean) / CENTRES : 0;
}

/* |(x^m - y^m)/(x - y)| for x = e^(i alpha), y = e^(i beta), m = 2^s: what an error of e^A becomes in its power. */
static double amplification(double alpha, double beta, int s)
{
    double half = (alpha - beta) / 2, m = ldexp(1, s);
    return fabs(sin(half)) < 1e-9 ? m : fabs(sin(m * half) / sin(half));
}

/* Root mean squares of the errors of R and of R^T R: these angles, within the rung, then s squarings. */
static bounds random_walk(const rung *g, const double *angle, int n, int s)
{
    tape t = {.active = -1};
    double forward = 0, defect = 0, weight[32] = {0}, y = centre_of(g, angle);
    for (int a = 0; a < EIGENVALUES; a++)
        evaluate_pair(&t, g, y, angle[a], angle[a]);
    tape sizes = t;
    for (t.active = 0; t.active < sizes.steps; t.active++) {
        int diagonal = sizes.kind[t.active] == NUMBER; /* the error is a multiple of some f(A) */
        double share = variance(&sizes, t.active, n) / (diagonal ? EIGENVALUES : EIGENVALUES * EIGENVALUES);
        for (int a = 0; a < EIGENVALUES; a++)
            for (int b = 0; b < EIGENVALUES; b++) {
                if (diagonal && a != b)
                    continue;
                double e = square(evaluate_pair(&t, g, y, angle[a], angle[b])), w = amplification(angle[a], angle[b], s);
                forward += share * e * w * w;
            }
    }
    if (s == 0)
        return (bounds){sqrt(forward), sqrt(2 * forward), 0};
    for (int a = 0; a < EIGENVALUES; a++)
        for (int b = 0; b < EIGENVALUES; b++)
            for (int j = 0; j <= s; j++) { /* an error made after j squarings */
                double w = amplification(ldexp(angle[a], j), ldexp(angle[b], j), s - j);
                weight[j] += w * w / (EIGENVALUES * EIGENVALUES);
            }
    tape last = {.kind = {PAIRED}, .left = {1}, .right = {1}, .mean = {1}}; /* E E^T */
    double product = variance(&last, 0, n), addition = ROUNDING * ROUNDING;
    forward += weight[0] * (product / 4 + addition), defect = weight[0] * (product + 4 * addition);
    last.kind[0] = SQUARING;
    for (int j = 1; j <= s; j++) {
        last.mean[0] = 0;
        for (int a = 0; a < EIGENVALUES; a++)
            last.mean[0] += cexp(I * ldexp(angle[a], j)) / EIGENVALUES;
        product = variance(&last, 0, n);
        forward += weight[j] * product, defect += weight[j] * 2 * product;
    }
    return (bounds){sqrt(forward), sqrt(defect), 0};
}

/* Ratios of the model's errors (and the truncation) to the contract: over the rungs, and at rho = 1000. All angles equal, or
 * spread evenly. */
static void model(const rung *rungs, int count, int n, int spread, bounds *within, bounds *beyond)
{
    for (int k = 0; k <= count; k++) {
        const rung *g = &rungs[k < count ? k : count - 1];
        double rho = k < count ? g->theta : 1000, angle[EIGENVALUES];
        double bound = rho * (spread ? fmax(1, pow(n / 18.0, 0.125)) : 1); /* from ||X^2||_F or ||X^2||_inf */
        int s = k < count ? 0 : (int)ceil(log2(bound / g->theta));
        for (int j = 0; j < EIGENVALUES; j++)
            angle[j] = ldexp(rho, -s) * (j % 2 ? -1 : 1) * (spread ? (j / 2 + 1) / (EIGENVALUES / 2.0) : 1);
        bounds b = random_walk(g, angle, n, s);
        b.forward += ldexp(TRUNCATION, s), b.orthogonality += s ? 0 : 3;
        keep_worst(k < count ? within : beyond, b, rho);
    }
}

int main(void)
{
    int holds = 1;
    for (int bits = 24; bits <= 53; bits += 53 - 24) {
        rung rungs[RUNGS];
        rungs_of(rungs, bits);
        print_heading(bits);
        for (int i = 0; i < ORDERS; i++)
            for (int spread = 0; spread < 2; spread++) {
                bounds y[2] = {{0, 0, 0}, {0, 0, 0}};
                model(rungs, RUNGS, orders[i], spread, &y[0], &y[1]);
                print_row(orders[i], spread ? "model, spread angles" : "model, equal angles", 0, y);
                for (int k = 0; k < 2; k++)
                    holds &= y[k].forward <= 0.6 && y[k].orthogonality <= 0.6;
            }
    }
    int failed =
        statement(holds, "6.8 random-walk model (an estimate): 0.6 of the contract forward and in orthogonality, n <= 128");
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
