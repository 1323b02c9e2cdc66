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

/* libso/cpu/group/product.c: one run up to `whole` terms, beyond that as few of at most RUN terms as there can be, of equal
 * length. `whole` is larger where one triangle of a product is computed than where all of it is. */
enum { RUN = 8, WHOLE_FULL = 8, WHOLE_HALF = 16 };

static int run_of(int n, int whole)
{
    int runs = n <= whole ? 1 : (n + RUN - 1) / RUN;
    return (n + runs - 1) / runs;
}

/* Roundings that a term of a sum of n products passes through: those of its run, then one for every further run. */
static int roundings(int n, int whole)
{
    int run = run_of(n, whole);
    return run + (n + run - 1) / run - 1;
}

/* The sum as product.c forms it in f32, with or without fused multiply-add. */
static float sum_of_runs(int n, int whole, const float *a, const float *b, int fused)
{
    float total = 0;
    int run = run_of(n, whole);
    for (int start = 0; start < n; start += run) {
        float sum = 0;
        for (int k = start; k < n && k < start + run; k++) {
            volatile float product = a[k] * b[k]; /* rounded before it is added */
            sum = fused ? fmaf(a[k], b[k], sum) : sum + product;
        }
        total = start ? total + sum : sum;
    }
    return total;
}

/* |computed - exact| <= gamma_k sum |a b|, gamma_k = k u/(1 - k u). Random signs and equal signs. */
static int sum_bound(flint_rand_t state, int n, int whole)
{
    float a[LARGEST_DOT], b[LARGEST_DOT];
    int holds = 1, trials = 400, k = roundings(n, whole);
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
        arb_set_d(x, (double)sum_of_runs(n, whole, a, b, trial % 2));
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

/* ---- The centre of libso/cpu/group/polynomial.c and centre.h --------------------------------------------------------- */

/* Y = y I + P_1 and Y^k = y^k I + P_k; y is a multiple of 1 / CENTRES in [-1, 1], and 0 where Y = X. */
enum { CENTRES = 16, POWERS = 4 };

static double polynomial_at(int degree, const double *a, double y)
{
    double sum = a[degree];
    for (int k = degree - 1; k >= 0; k--)
        sum = sum * y + a[k];
    return sum;
}

/* v = c(y) or s(y) */
static double value_at(const rung *g, const double (*a)[9], double y)
{
    if (g->degree < 12)
        return polynomial_at(g->degree, a[0], y);
    double b = polynomial_at(3, a[3], y), q = b * b + polynomial_at(3, a[2], y);
    return polynomial_at(3, a[0], y) + (polynomial_at(3, a[1], y) + q) * q;
}

/* ---- 6.7: the worst case ------------------------------------------------------------------------------------------------ */

/* The most that one rounding costs, in u and the norm ||.|| = ||.||_F/sqrt(n): a product of P and Q, of which one triangle is
 * computed, half ||P||_2 ||Q||_2; of which all is, full ||P||_2 ||Q||_2 (where the diagonal is summed by pairs its terms pass
 * through fewer roundings); any other operation the size of its result. ||E||_2 <= spectral ||E|| for errors E. */
typedef struct rounding {
    double half, full, spectral;
} rounding;

/* A coefficient that is computed; error in u. */
typedef struct number {
    double value, error;
} number;

static number plus_number(number x, number y)
{
    double sum = x.value + y.value;
    return (number){sum, x.error + y.error + fabs(sum)};
}

static number times_number(number x, number y)
{
    double product = x.value * y.value;
    return (number){product, fabs(x.value) * y.error + fabs(y.value) * x.error + fabs(product)};
}

/* v as tables have it, correctly rounded; in the rungs of X it is 1. */
static number tabled(const rung *g, const double (*a)[9], double y)
{
    double v = value_at(g, a, y);
    return (number){v, g->scale > 0 ? fabs(v) : 0};
}

/* a_0 + a_1 y + .. + a_degree y^degree; the powers of y are exact. */
static number number_at(int degree, const double *a, double y)
{
    number sum = {0, 0};
    if (y == 0)
        return (number){a[0], 0};
    for (int k = degree; k >= 0; k--) {
        double term = a[k] * pow(y, k);
        sum = plus_number(sum, (number){term, fabs(term)});
    }
    return sum;
}

/* f(Y), Y with its spectrum in [low_end, high_end]: size = max |f|; slope = max |f'| bounds the derivative in a direction dY,
 * ||dY||_F = 1. error, slope_error: of the computed matrices, in u. */
typedef struct quantity {
    arb_poly_t f;
    double size, slope, error, slope_error;
} quantity;

static double low_end, high_end; /* the interval of the rung at hand */

/* max |f| on [low_end, high_end], from above: f enclosed on 64 pieces by its Taylor coefficients there. */
static double largest(const arb_poly_t f)
{
    enum { PIECES = 64 };
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
    R->error = MIRROR * (P->error * Q->size + P->size * Q->error + r->half * P->size * Q->size);
    R->slope_error = MIRROR * (P->slope_error * Q->size + P->size * Q->slope_error +
                               r->spectral * (P->error * Q->slope + P->slope * Q->error) +
                               (r->half + 1) * (P->slope * Q->size + P->size * Q->slope)); /* a sum of two products */
    arb_poly_swap(R->f, f);
    measure(R);
    arb_poly_clear(f);
}

/* R += a_0 + a_1 M_1 + .. + a_terms M_terms, term by term, the last first; without fused operations a_k M_k is rounded too. */
static void add_terms(int terms, const number *a, const quantity *const *M, quantity *R)
{
    arb_poly_t term;
    arb_t c;
    arb_poly_init(term), arb_init(c);
    for (int k = terms; k >= 0; k--) {
        double size = fabs(a[k].value);
        if (size == 0 && a[k].error == 0)
            continue;
        arb_set_d(c, a[k].value);
        if (k > 0) {
            R->error += size * (M[k - 1]->error + M[k - 1]->size) + a[k].error * M[k - 1]->size;
            R->slope_error += size * (M[k - 1]->slope_error + M[k - 1]->slope) + a[k].error * M[k - 1]->slope;
            arb_poly_scalar_mul(term, M[k - 1]->f, c, PREC);
        } else {
            R->error += a[0].error;
            arb_poly_set_arb(term, c);
        }
        arb_poly_add(R->f, R->f, term, PREC);
        measure(R);
        R->error += R->size, R->slope_error += k > 0 ? R->slope : 0;
    }
    arb_poly_clear(term), arb_clear(c);
}

static void combine(int terms, const number *a, const quantity *const *M, quantity *R)
{
    arb_poly_zero(R->f);
    R->error = R->slope_error = 0;
    add_terms(terms, a, M, R);
}

enum { P1, P2, P3, P4, H, Q, C, S, QUANTITIES };

/* P_2 .. P_4 from P_1. */
static void powers_about(const rounding *r, double y, quantity *q)
{
    const quantity *const P[] = {&q[P1], &q[P2]};
    multiply(r, &q[P1], &q[P1], &q[P2]);
    add_terms(1, (number[]){{0, 0}, {2 * y, 0}}, P, &q[P2]);
    multiply(r, &q[P2], &q[P1], &q[P3]);
    add_terms(2, (number[]){{0, 0}, {y * y, 0}, {y, 0}}, P, &q[P3]);
    multiply(r, &q[P2], &q[P2], &q[P4]);
    add_terms(1, (number[]){{0, 0}, {2 * y * y, 0}}, P + 1, &q[P4]);
}

/* P = Y^m H + L; about a centre P_m H' + h P_m + sum_(0<k<m) l_k P_k + sum_(0<k<=m) y^m h_k P_k + v, H = h I + H'. */
static void split_form(const rounding *r, const rung *g, const double (*a)[9], double y, quantity *q, quantity *P)
{
    int m = g->degree / 2;
    number low[POWERS + 1] = {{0, 0}}, high[POWERS + 1];
    const quantity *const M[] = {&q[P1], &q[P2], &q[P3], &q[P4]};
    for (int k = 0; k <= m; k++)
        high[k] = (number){a[0][m + k], 0};
    for (int k = 0; k < m; k++)
        low[k] = (number){a[0][k], 0};
    low[m] = number_at(m, a[0] + m, y);
    for (int k = 1; k <= m; k++)
        low[k] = plus_number(low[k], times_number((number){pow(y, m), 0}, high[k]));
    low[0] = tabled(g, a, y);
    high[0].value = 0;
    combine(m, high, M, &q[H]);
    multiply(r, &q[m - 1], &q[H], P);
    add_terms(m, low, M, P);
}

/* P = B1 + (B2 + q) q, q = B3 + B4^2; about a centre, Bj = bj I + Bj' and q = b I + q', H'q' + (b2 + 2 b) q' + b B2' + B1' + v with
 * H' = B2' + q'. */
static void nested_form(const rounding *r, const rung *g, const double (*a)[9], double y, quantity *q, quantity *P)
{
    number B[4][5] = {{{0, 0}}};
    const quantity *const M[] = {&q[P1], &q[P2], &q[P3], &q[Q]};
    for (int j = 0; j < 4; j++)
        for (int k = 0; k < 4; k++)
            B[j][k].value = a[j][k];
    B[1][4].value = 1;
    number b4 = number_at(3, a[3], y), b = plus_number(number_at(3, a[2], y), times_number(b4, b4));
    for (int k = 1; k < 4; k++) {
        B[2][k] = plus_number(B[2][k], times_number((number){2 * b4.value, 2 * b4.error}, B[3][k]));
        B[0][k] = plus_number(B[0][k], times_number(b, B[1][k]));
    }
    for (int j = 1; j < 4; j++)
        B[j][0].value = 0;
    B[0][0] = tabled(g, a, y);
    B[0][4] = plus_number(number_at(3, a[1], y), (number){2 * b.value, 2 * b.error});
    combine(3, B[3], M, &q[H]);
    multiply(r, &q[H], &q[H], &q[Q]);
    add_terms(3, B[2], M, &q[Q]);
    combine(4, B[1], M, &q[H]);
    multiply(r, &q[H], &q[Q], P);
    add_terms(4, B[0], M, P);
}

static void evaluate_part(const rounding *r, const rung *g, const double (*a)[9], double y, quantity *q, quantity *P)
{
    if (g->degree < 12)
        split_form(r, g, a, y, q, P);
    else
        nested_form(r, g, a, y, q, P);
}

typedef struct costs {
    double value, derivative; /* of the base, in u, truncation included */
} costs;

/* exp(A) = C + A S as libso/cpu/group/polynomial.c evaluates it for angles up to theta, and its derivative in the direction M. */
static costs costs_about(const rounding *r, const rung *g, double theta, double y)
{
    quantity q[QUANTITIES];
    double k = g->scale > 0 ? g->scale : 1, x = theta * theta, dY = k * 2 * theta; /* ||dY||_F for ||M||_F = 1 */
    for (int i = 0; i < QUANTITIES; i++)
        arb_poly_init(q[i].f);
    low_end = (g->scale > 0) - k * x, high_end = g->scale > 0;
    arb_poly_set_coeff_si(q[P1].f, 1, 1);
    arb_t c;
    arb_init(c), arb_set_d(c, -y);
    arb_poly_set_coeff_arb(q[P1].f, 0, c);
    arb_clear(c);
    measure(&q[P1]);
    q[P1].error = MIRROR * k * x * r->half + k * x + q[P1].size, q[P1].slope_error = MIRROR * (r->half + 1) + 1;
    powers_about(r, y, q);
    evaluate_part(r, g, g->c, y, q, &q[C]);
    evaluate_part(r, g, g->s, y, q, &q[S]);
    double value = q[C].error + MIRROR * theta * (q[S].error + r->half * q[S].size) + 1;
    double tangent = dY * (q[C].slope_error + MIRROR * theta * q[S].slope_error) + MIRROR * r->spectral * q[S].error +
                     MIRROR * (r->half + 1) * (q[S].size + theta * dY * q[S].slope) + 1;
    double skew = r->spectral * value + r->full + 1; /* skew part of L E^T */
    for (int i = 0; i < QUANTITIES; i++)
        arb_poly_clear(q[i].f);
    return (costs){value + TRUNCATION, tangent + skew + TRUNCATION_DERIVATIVE + TRUNCATION};
}

/* The largest over the centres. */
static costs base_costs(const rounding *r, const rung *g, double theta)
{
    int last = g->scale > 0 ? CENTRES : 0;
    costs most = {0, 0};
    for (int i = -last; i <= last; i++) {
        costs c = costs_about(r, g, theta, (double)i / CENTRES);
        most.value = fmax(most.value, c.value), most.derivative = fmax(most.derivative, c.derivative);
    }
    return most;
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
    double forward = growth * (base.value + MIRROR * r->half / 2 + 1 + r->full);
    double orthogonality = growth * (MIRROR * r->half + 2 + 2 * r->full);
    double vjp = base.derivative + r->spectral * forward + log2(growth) * (MIRROR * (r->full + r->half) / 2 + 1);
    return (bounds){forward, orthogonality, vjp};
}

static bounds with_gradient(const rounding *r, bounds b) /* M = skew(R^T dR) is formed from the computed R */
{
    b.vjp += r->spectral * b.forward + r->full + 1;
    return b;
}

/* The largest ratios of bound to contract over the rungs, in *within, and at rho = 1000. */
static void worst_case(const rung *rungs, int count, int n, bounds *within, bounds *beyond)
{
    rounding r = {roundings(n, WHOLE_HALF) * sqrt(n), roundings(n, WHOLE_FULL) * sqrt(n), sqrt(n)};
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

/* What a step rounds: a number, whose error is the same for all planes; the entries of a matrix; a product of which one triangle
 * is computed; such a one whose diagonal is summed by pairs (libso/cpu/group/diagonal.c); a squaring. */
enum kind { NUMBER, ENTRIES, HALF, PAIRED, SQUARING };

enum { EIGENVALUES = 16, LONGEST = 128 };

/* The steps of an evaluation in turn, of which step `active` errs by 1 in the entry (a, b). What their rounding errors are
 * proportional to is gathered on the diagonal, a = b: of a product the mean squares of the factors and its mean; of all else its
 * mean square. */
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

/* exp(A) as libso/cpu/group/polynomial.c evaluates it, on the eigenvalues i alpha and i beta of A; returns the
 * entry (a, b) of its error. */
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
            worst &= x[0].forward <= 1.4e4 && x[0].orthogonality <= 2.1e4 && x[0].vjp <= 2e5;
            worst &= x[1].forward <= 9e4 && x[1].orthogonality <= 320 && x[1].vjp <= 1.3e6;
            for (int spread = 0; spread < 2; spread++) {
                bounds y[2] = {{0, 0, 0}, {0, 0, 0}};
                model(rungs, RUNGS, n, spread, &y[0], &y[1]);
                print_row(n, spread ? "model, spread angles" : "model, equal angles", 0, y);
                for (int k = 0; k < 2; k++)
                    walk &= y[k].forward <= 0.6 && y[k].orthogonality <= 0.6;
            }
        }
    }
    for (int n = 9; n <= LARGEST_DOT; n += 17)
        sums &= sum_bound(state, n, WHOLE_FULL) && sum_bound(state, n, WHOLE_HALF);
    failed |= statement(
        sums, "6.6 sums in equal runs of at most 8: |error| <= gamma_k sum |a b|, k = a run + their number - 1 (f32)");
    failed |= statement(
        worst, "6.7 worst case, n <= 128: forward 1.4e4, orthogonality 2.1e4, vjp 2e5 contracts; rho 1000: 9e4, 320, 1.3e6");
    failed |= statement(walk, "6.8 random-walk model (an estimate): 0.6 of the contract forward and in orthogonality, n <= 128");
    flint_cleanup();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
