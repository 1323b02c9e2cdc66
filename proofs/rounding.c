/* rounding.c: what the roundings of the polynomial method cost: the bound of the worst case, and the estimate of the random-walk
 * model. Derivation: accuracy.md, sections 3 and 4. Everything is to first order in u, and in units of u.
 * SPDX-License-Identifier: MIT */
#include "libso/coefficients.h"
#include "skew.h"
#include "statement.h"
#include <arb_poly.h>
#include <complex.h>
#include <stdlib.h>

enum { PREC = 192, LARGEST_DOT = 128, RUNGS = 3 };

/* ---- 6.6: sums of runs ----------------------------------------------------------------------------------------------- */

enum { RUN = 32 };

/* Roundings that a term of a sum of n products passes through: those of its run, then one for every further run. */
static int roundings(int n)
{
    return (n < RUN ? n : RUN) + (n + RUN - 1) / RUN - 1;
}

/* The sum as libso/cpu/group/product.c forms it in f32, with or without fused multiply-add. */
static float sum_of_runs(int n, const float *a, const float *b, int fused)
{
    float total = 0;
    for (int start = 0; start < n; start += RUN) {
        float sum = 0;
        for (int k = start; k < n && k < start + RUN; k++) {
            volatile float product = a[k] * b[k]; /* rounded before it is added */
            sum = fused ? fmaf(a[k], b[k], sum) : sum + product;
        }
        total = start ? sum + total : sum;
    }
    return total;
}

/* |computed - exact| <= gamma_k sum |a b|, gamma_k = k u/(1 - k u). Random signs and equal signs. */
static int sum_bound(flint_rand_t state, int n)
{
    float a[LARGEST_DOT], b[LARGEST_DOT];
    int holds = 1, trials = 400, k = roundings(n);
    arb_t exact, sizes, x, y;
    arb_init(exact), arb_init(sizes), arb_init(x), arb_init(y);
    for (int trial = 0; trial < trials; trial++) {
        arb_zero(exact), arb_zero(sizes);
        for (int i = 0; i < n; i++) {
            double p = ldexp((double)n_randint(state, 1 << 24), -24), q = ldexp((double)n_randint(state, 1 << 24), -24);
            int positive = trial % 4 >= 2;
            a[i] = (float)((positive ? p : 2 * p - 1) * sqrt(3.0 / n));
            b[i] = (float)((positive ? q : 2 * q - 1) * sqrt(3.0 / n));
            arb_set_d(x, (double)a[i]), arb_set_d(y, (double)b[i]), arb_mul(x, x, y, PREC);
            arb_add(exact, exact, x, PREC), arb_abs(x, x), arb_add(sizes, sizes, x, PREC);
        }
        arb_set_d(x, (double)sum_of_runs(n, a, b, trial % 2));
        arb_sub(x, x, exact, PREC), arb_abs(x, x);
        arb_set_d(y, k / (ldexp(1, 24) - k)), arb_mul(y, y, sizes, PREC);
        holds &= arb_le(x, y);
    }
    arb_clear(exact), arb_clear(sizes), arb_clear(x), arb_clear(y);
    return holds;
}

/* ---- The rungs of libso/cpu/group/polynomial.c ----------------------------------------------------------------------- */

typedef struct rung {
    int bits, degree; /* degree 12: the nested form */
    double theta, theta_derivative, scale; /* scale 0: a polynomial in X */
    double c[4][9], s[4][9];
} rung;

/* What coefficients.c certifies for every rung, in u: of the value, of the derivative. */
#define TRUNCATION 1.3
#define TRUNCATION_DERIVATIVE 13.1

static void copy(double *out, int count, const double *x, const float *y)
{
    for (int i = 0; i < count; i++)
        out[i] = x ? x[i] : (double)y[i];
}

static void fill(rung *g, int bits)
{
    static const rung f64[] = {{53, 4, SO_F64_P4_THETA, SO_F64_P4_THETA_DERIVATIVE, 0, {{0}}, {{0}}},
                               {53, 6, SO_F64_P6_THETA, SO_F64_P6_THETA_DERIVATIVE, 0, {{0}}, {{0}}},
                               {53, 12, SO_F64_Y12_THETA, SO_F64_Y12_THETA_DERIVATIVE, SO_F64_Y12_SCALE, {{0}}, {{0}}}};
    static const rung f32[] = {{24, 4, (double)SO_F32_P4_THETA, (double)SO_F32_P4_THETA_DERIVATIVE, 0, {{0}}, {{0}}},
                               {24, 6, (double)SO_F32_Y6_THETA, (double)SO_F32_Y6_THETA_DERIVATIVE,
                                (double)SO_F32_Y6_SCALE, {{0}}, {{0}}},
                               {24, 8, (double)SO_F32_Y8_THETA, (double)SO_F32_Y8_THETA_DERIVATIVE,
                                (double)SO_F32_Y8_SCALE, {{0}}, {{0}}}};
    static const double *const c64[] = {so_f64_p4_c, so_f64_p6_c};
    static const double *const s64[] = {so_f64_p4_s, so_f64_p6_s};
    static const double *const B[8] = {so_f64_y12_c_B1, so_f64_y12_c_B2, so_f64_y12_c_B3, so_f64_y12_c_B4,
                                       so_f64_y12_s_B1, so_f64_y12_s_B2, so_f64_y12_s_B3, so_f64_y12_s_B4};
    static const float *const c32[] = {so_f32_p4_c, so_f32_y6_c, so_f32_y8_c};
    static const float *const s32[] = {so_f32_p4_s, so_f32_y6_s, so_f32_y8_s};
    for (int k = 0; k < RUNGS; k++) {
        g[k] = bits == 24 ? f32[k] : f64[k];
        if (bits == 24) {
            copy(g[k].c[0], g[k].degree + 1, NULL, c32[k]);
            copy(g[k].s[0], g[k].degree + 1, NULL, s32[k]);
        } else if (k < RUNGS - 1) {
            copy(g[k].c[0], g[k].degree + 1, c64[k], NULL);
            copy(g[k].s[0], g[k].degree + 1, s64[k], NULL);
        }
    }
    if (bits == 53)
        for (int b = 0; b < 4; b++)
            copy(g[RUNGS - 1].c[b], 4, B[b], NULL), copy(g[RUNGS - 1].s[b], 4, B[4 + b], NULL);
}

/* ---- 6.7: the worst case ------------------------------------------------------------------------------------------------ */

/* The most that one rounding costs, in u and the norm ||.|| = ||.||_F/sqrt(n): a product of P and Q `product` ||P||_2 ||Q||_2, an
 * addition the size of its result; ||E||_2 <= spectral ||E|| for errors E. */
typedef struct rounding {
    double product, spectral;
} rounding;

/* f(Y), Y with its spectrum in [low_end, high_end]: size = max |f|; slope = max |f'| bounds the derivative in a direction dY,
 * ||dY||_F = 1. error, slope_error: of the computed matrices, in u. */
typedef struct quantity {
    arb_poly_t f;
    double size, slope, error, slope_error;
} quantity;

static double low_end, high_end; /* the interval of the rung at hand */

/* max |f| on [low_end, high_end], from above: f enclosed on 256 pieces by its Taylor coefficients there. */
static double largest(const arb_poly_t f)
{
    enum { PIECES = 256 };
    double most = 0, h = (high_end - low_end) / (2 * PIECES) * (1 + 1e-12);
    arb_poly_t at;
    arb_t x, total, power;
    arb_poly_init(at), arb_init(x), arb_init(total), arb_init(power);
    for (int i = 0; i < PIECES; i++) {
        arb_set_d(x, low_end + (2 * i + 1) * (high_end - low_end) / (2 * PIECES));
        arb_poly_taylor_shift(at, f, x, PREC);
        arb_zero(total), arb_one(power);
        for (slong k = 0; k < arb_poly_length(at); k++) {
            arb_poly_get_coeff_arb(x, at, k), arb_abs(x, x);
            arb_addmul(total, x, power, PREC);
            arb_set_d(x, h), arb_mul(power, power, x, PREC);
        }
        most = fmax(most, arf_get_d(arb_midref(total), ARF_RND_UP) * (1 + 1e-12));
    }
    arb_poly_clear(at), arb_clear(x), arb_clear(total), arb_clear(power);
    return most;
}

static void measure(quantity *q)
{
    arb_poly_t d;
    arb_poly_init(d);
    q->size = largest(q->f);
    arb_poly_derivative(d, q->f, PREC);
    q->slope = largest(d);
    arb_poly_clear(d);
}

/* Computing one triangle of a symmetric or skew product and copying it may enlarge its error by sqrt 2. */
#define MIRROR 1.4143

/* R = P Q */
static void multiply(const rounding *r, const quantity *P, const quantity *Q, quantity *R)
{
    arb_poly_t f;
    arb_poly_init(f);
    arb_poly_mul(f, P->f, Q->f, PREC);
    R->error = MIRROR * (P->error * Q->size + P->size * Q->error + r->product * P->size * Q->size);
    R->slope_error = MIRROR * (P->slope_error * Q->size + P->size * Q->slope_error +
                               r->spectral * (P->error * Q->slope + P->slope * Q->error) +
                               r->product * (P->slope * Q->size + P->size * Q->slope));
    arb_poly_swap(R->f, f);
    measure(R);
    arb_poly_clear(f);
}

/* R = a_0 + a_1 Y + .. + a_terms Y^terms */
static void combine(int terms, const double *a, const quantity *power, quantity *R)
{
    arb_poly_t f, g;
    arb_t c;
    arb_poly_init(f), arb_poly_init(g), arb_init(c);
    double error = 0, slope_error = 0, sizes = fabs(a[0]), slopes = 0;
    arb_set_d(c, a[0]), arb_poly_set_coeff_arb(f, 0, c);
    for (int k = 1; k <= terms; k++) {
        const quantity *p = &power[k - 1];
        error += fabs(a[k]) * p->error, slope_error += fabs(a[k]) * p->slope_error;
        sizes += fabs(a[k]) * p->size, slopes += fabs(a[k]) * p->slope;
        arb_set_d(c, a[k]), arb_poly_scalar_mul(g, p->f, c, PREC), arb_poly_add(f, f, g, PREC);
    }
    R->error = error + (terms + 1) * sizes;
    R->slope_error = slope_error + (terms + 1) * slopes;
    arb_poly_swap(R->f, f);
    measure(R);
    arb_poly_clear(f), arb_poly_clear(g), arb_clear(c);
}

/* R += P. P may be a combination of up to 4 powers that is added term by term: up to 5 roundings of what is there already. */
static void add(const quantity *P, quantity *R)
{
    R->error += P->error + 5 * (P->size + R->size);
    R->slope_error += P->slope_error + 5 * (P->slope + R->slope);
    arb_poly_add(R->f, R->f, P->f, PREC);
    measure(R);
}

enum { Y1, Y2, Y3, Y4, H, C, S, N, QUANTITIES };

static void evaluate_part(const rounding *r, const rung *g, const double (*a)[9], quantity *q, quantity *P)
{
    int m = g->degree / 2;
    if (g->degree < 12) {
        combine(m, a[0] + m, q, &q[H]);
        multiply(r, &q[m - 1], &q[H], P);
        combine(m - 1, a[0], q, &q[H]);
        add(&q[H], P);
        return;
    }
    combine(3, a[3], q, &q[H]);
    multiply(r, &q[H], &q[H], &q[N]);
    combine(3, a[2], q, &q[H]);
    add(&q[H], &q[N]);
    combine(3, a[1], q, &q[H]);
    add(&q[N], &q[H]);
    multiply(r, &q[H], &q[N], P);
    combine(3, a[0], q, &q[H]);
    add(&q[H], P);
}

typedef struct costs {
    double value, derivative; /* of the base, in u, truncation included */
} costs;

/* exp(A) = C + A S as libso/cpu/group/polynomial.c evaluates it for angles up to theta, and its derivative in the direction M. */
static costs base_costs(const rounding *r, const rung *g, double theta)
{
    quantity q[QUANTITIES];
    double k = g->scale > 0 ? g->scale : 1, x = theta * theta, dY = k * 2 * theta; /* ||dY||_F for ||M||_F = 1 */
    for (int i = 0; i < QUANTITIES; i++)
        arb_poly_init(q[i].f);
    low_end = (g->scale > 0) - k * x, high_end = g->scale > 0;
    arb_poly_set_coeff_si(q[Y1].f, 1, 1);
    q[Y1].size = fmax(fabs(low_end), high_end), q[Y1].slope = 1;
    q[Y1].error = MIRROR * k * x * r->product + 2 * (k * x + high_end), q[Y1].slope_error = MIRROR * r->product + 2;
    multiply(r, &q[Y1], &q[Y1], &q[Y2]);
    multiply(r, &q[Y2], &q[Y1], &q[Y3]);
    multiply(r, &q[Y2], &q[Y2], &q[Y4]);
    evaluate_part(r, g, g->c, q, &q[C]);
    evaluate_part(r, g, g->s, q, &q[S]);
    double value = q[C].error + MIRROR * theta * (q[S].error + r->product * q[S].size) + 1;
    double tangent = dY * (q[C].slope_error + MIRROR * theta * q[S].slope_error) + MIRROR * r->spectral * q[S].error +
                     MIRROR * r->product * (q[S].size + theta * dY * q[S].slope) + 1;
    double skew = r->spectral * value + r->product + 1; /* skew part of L E^T */
    for (int i = 0; i < QUANTITIES; i++)
        arb_poly_clear(q[i].f);
    return (costs){value + TRUNCATION, tangent + skew + TRUNCATION_DERIVATIVE + TRUNCATION};
}

/* Errors, in u, or the bounds of so.h for them. */
typedef struct bounds {
    double forward, orthogonality, vjp;
} bounds;

static bounds contract(double rho)
{
    return (bounds){10 + 2 * rho, 16 + 2 * rho, 30 + 3 * rho};
}

static void keep_worst(bounds *most, bounds b, double rho)
{
    bounds c = contract(rho);
    most->forward = fmax(most->forward, b.forward / c.forward);
    most->orthogonality = fmax(most->orthogonality, b.orthogonality / c.orthogonality);
    most->vjp = fmax(most->vjp, b.vjp / c.vjp);
}

/* Angles within the top rung, doubled s times. The bound of rho that s comes from is ||X^2||_F^(1/4), at most (n/2)^(1/8) too
 * large, and s is rounded up: 2^s <= growth. */
static bounds squared(const rounding *r, costs base, int n, double rho, double theta)
{
    double growth = 2 * pow(n / 2.0, 0.125) * 1.001 * rho / theta;
    double forward = growth * (base.value + MIRROR * r->product / 2 + 1 + r->product);
    double orthogonality = growth * (MIRROR * r->product + 2 + 2 * r->product);
    double vjp = base.derivative + r->spectral * forward + log2(growth) * (MIRROR * r->product + 1);
    return (bounds){forward, orthogonality, vjp};
}

static bounds with_gradient(const rounding *r, bounds b) /* M = skew(R^T dR) is formed from the computed R */
{
    b.vjp += r->spectral * b.forward + r->product + 1;
    return b;
}

/* The largest ratios of bound to contract over the rungs, in *within, and at rho = 1000. */
static void worst_case(const rung *rungs, int count, int n, bounds *within, bounds *beyond)
{
    double runs = (n + RUN - 1) / RUN;
    rounding r = {(roundings(n) + runs) * sqrt(n), sqrt(n)}; /* a sum of two products has `runs` additions more */
    costs base = {0, 0};
    for (int k = 0; k < count; k++) {
        base = base_costs(&r, &rungs[k], rungs[k].theta);
        bounds b = {base.value, 2 * base.value, base.derivative};
        keep_worst(within, with_gradient(&r, b), rungs[k].theta_derivative);
    }
    keep_worst(beyond, with_gradient(&r, squared(&r, base, n, 1000, rungs[count - 1].theta_derivative)), 1000);
}

/* ---- 6.8: the random-walk model ------------------------------------------------------------------------------------------ */

/* Root of the mean square of the rounding error of x, in |x| u, for mantissas of logarithmic distribution: 1/sqrt(8 ln 2). */
#define ROUNDING 0.425

/* The scalar that a matrix f(A) has for the eigenvalues a and b of A, and the entry (a, b) of its first-order error. */
typedef struct scalar {
    double complex a, b, d;
} scalar;

enum { EIGENVALUES = 16, LONGEST = 64 };

/* The steps of an evaluation in turn, of which step `active` errs by 1 in the entry (a, b). What their rounding errors are
 * proportional to is gathered on the diagonal, a = b: of a product the mean squares of the factors and its mean; of a sum its
 * mean square. */
typedef struct tape {
    int steps, active;
    int product[LONGEST];
    double left[LONGEST], right[LONGEST];
    double complex mean[LONGEST];
} tape;

static double square(double complex x)
{
    return creal(x) * creal(x) + cimag(x) * cimag(x);
}

static scalar times(tape *t, scalar p, scalar q)
{
    int k = t->steps++;
    t->product[k] = 1;
    t->left[k] += square(p.a) / EIGENVALUES, t->right[k] += square(q.a) / EIGENVALUES, t->mean[k] += p.a * q.a / EIGENVALUES;
    return (scalar){p.a * q.a, p.b * q.b, p.a * q.d + p.d * q.b + (k == t->active)};
}

static scalar rounded(tape *t, scalar x)
{
    int k = t->steps++;
    t->left[k] += square(x.a) / EIGENVALUES;
    x.d += k == t->active;
    return x;
}

static scalar plus(scalar x, scalar y)
{
    return (scalar){x.a + y.a, x.b + y.b, x.d + y.d};
}

static scalar sum_of(tape *t, int terms, const double *a, const scalar *power)
{
    scalar x = {a[0], a[0], 0};
    for (int k = 1; k <= terms; k++)
        x = plus(x, (scalar){a[k] * power[k - 1].a, a[k] * power[k - 1].b, a[k] * power[k - 1].d});
    return rounded(t, x);
}

/* Mean square of a step's rounding error in the norm ||.||, in u^2. Sums of products are random walks, in runs, about
 * the drift of the diagonal, whose entries are the mean of the product. */
static double variance(const tape *t, int k, int n)
{
    double run = n < RUN ? n : RUN, runs = ceil((double)n / RUN), several = runs > 1;
    if (!t->product[k])
        return ROUNDING * ROUNDING * t->left[k];
    double walk = run / 2 + several * runs * run / (2 * RUN);
    double drift = (run * run * run * runs + several * run * run * runs * runs * runs) / (3.0 * n * n);
    return ROUNDING * ROUNDING * (walk * t->left[k] * t->right[k] + drift * square(t->mean[k]));
}

static scalar part_of(tape *t, const rung *g, const double (*a)[9], const scalar *power)
{
    int m = g->degree / 2;
    if (g->degree < 12) {
        scalar high = times(t, power[m - 1], sum_of(t, m, a[0] + m, power));
        return rounded(t, plus(high, sum_of(t, m - 1, a[0], power)));
    }
    scalar h = sum_of(t, 3, a[3], power), q = times(t, h, h);
    q = rounded(t, plus(q, sum_of(t, 3, a[2], power)));
    h = rounded(t, plus(q, sum_of(t, 3, a[1], power)));
    return rounded(t, plus(times(t, h, q), sum_of(t, 3, a[0], power)));
}

/* exp(A) as libso/cpu/group/polynomial.c evaluates it, on the eigenvalues i alpha and i beta of A; returns the
 * entry (a, b) of its error. */
static double complex evaluate_pair(tape *t, const rung *g, double alpha, double beta)
{
    const double shift[2] = {g->scale > 0, g->scale > 0 ? g->scale : 1};
    int m = g->degree < 12 ? g->degree / 2 : 3;
    scalar A = {I * alpha, I * beta, 0}, X, power[4];
    t->steps = 0;
    X = times(t, A, A);
    power[0] = sum_of(t, 1, shift, &X);
    power[1] = times(t, power[0], power[0]);
    power[2] = m > 2 ? times(t, power[1], power[0]) : power[1];
    power[3] = m > 3 ? times(t, power[1], power[1]) : power[2];
    scalar even = part_of(t, g, g->c, power), odd = part_of(t, g, g->s, power);
    return rounded(t, plus(even, times(t, A, odd))).d;
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
    double forward = 0, defect = 0, weight[32] = {0};
    for (int a = 0; a < EIGENVALUES; a++)
        evaluate_pair(&t, g, angle[a], angle[a]);
    tape sizes = t;
    for (t.active = 0; t.active < sizes.steps; t.active++)
        for (int a = 0; a < EIGENVALUES; a++)
            for (int b = 0; b < EIGENVALUES; b++) {
                double e = square(evaluate_pair(&t, g, angle[a], angle[b])), w = amplification(angle[a], angle[b], s);
                forward += variance(&sizes, t.active, n) * e * w * w / (EIGENVALUES * EIGENVALUES);
            }
    if (s == 0)
        return (bounds){sqrt(forward), sqrt(2 * forward), 0};
    for (int a = 0; a < EIGENVALUES; a++)
        for (int b = 0; b < EIGENVALUES; b++)
            for (int j = 0; j <= s; j++) { /* an error made after j squarings */
                double w = amplification(ldexp(angle[a], j), ldexp(angle[b], j), s - j);
                weight[j] += w * w / (EIGENVALUES * EIGENVALUES);
            }
    tape unit = {.product = {1}, .left = {1}, .right = {1}, .mean = {1}}; /* E E^T */
    double product = variance(&unit, 0, n);
    unit.mean[0] = 0;
    double squaring = variance(&unit, 0, n), addition = ROUNDING * ROUNDING;
    forward += weight[0] * (product / 4 + addition), defect = weight[0] * (product + 4 * addition);
    for (int j = 1; j <= s; j++)
        forward += weight[j] * squaring, defect += weight[j] * 2 * squaring;
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

static void print_row(int n, const char *what, int gradient, const bounds x[2])
{
    printf("     n %3d  %-20s", n, what);
    for (int k = 0; k < 2; k++) {
        printf("%s %8.2f %8.2f", k ? " |" : "", x[k].forward, x[k].orthogonality);
        if (gradient)
            printf(" %9.2f", x[k].vjp);
        else
            printf(" %9s", "-");
    }
    printf("\n");
}

int main(void)
{
    static const int orders[] = {5, 8, 16, 32, 64, 128};
    flint_rand_t state;
    flint_randinit(state); /* holds no memory: nothing to clear */
    int failed = 0, sums = 1, worst = 1, walk = 1;
    for (int bits = 24; bits <= 53; bits += 53 - 24) {
        rung rungs[RUNGS];
        fill(rungs, bits);
        printf("     f%d: forward, orthogonality, vjp in shares of the contract; without squarings | at rho 1000\n",
               bits == 24 ? 32 : 64);
        for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
            int n = orders[i];
            bounds x[2] = {{0, 0, 0}, {0, 0, 0}};
            worst_case(rungs, RUNGS, n, &x[0], &x[1]);
            print_row(n, "worst case", 1, x);
            worst &= x[0].forward <= 5e3 && x[0].orthogonality <= 8e3 && x[0].vjp <= 9e4;
            worst &= x[1].forward <= 4e4 && x[1].orthogonality <= 600 && x[1].vjp <= 5e5;
            for (int spread = 0; spread < 2; spread++) {
                bounds y[2] = {{0, 0, 0}, {0, 0, 0}};
                model(rungs, RUNGS, n, spread, &y[0], &y[1]);
                print_row(n, spread ? "model, spread angles" : "model, equal angles", 0, y);
                for (int k = 0; k < 2; k++)
                    walk &= y[k].forward <= 0.7 && y[k].orthogonality <= 0.7;
            }
        }
    }
    for (int n = 8; n <= LARGEST_DOT; n *= 2)
        sums &= sum_bound(state, n);
    failed |= statement(sums,
                        "6.6 sums in runs of 32: |error| <= gamma_k sum |a b|, k = min(n, 32) + ceil(n/32) - 1 (f32)");
    failed |= statement(worst,
                        "6.7 worst case, n <= 128: forward 5e3, orthogonality 8e3, vjp 9e4 contracts; at rho 1000 4e4, 600, 5e5");
    failed |= statement(walk, "6.8 random-walk model (an estimate): 0.7 of the contract forward and in orthogonality, n <= 128");
    flint_cleanup();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
