/* rounding_worst_case.c: what the roundings of the polynomial method cost at most: all of them as large as they can be and of
 * the worst sign. Derivation: accuracy.md, sections 3 and 4. Everything is to first order in u, and in units of u.
 * SPDX-License-Identifier: MIT */
#include "contract.h"
#include "rungs.h"
#include "statement.h"
#include "summation.h"
#include <arb_poly.h>
#include <stdlib.h>

enum { PREC = 192 };

/* The most that one rounding costs, in u and the norm ||.|| = ||.||_F/sqrt(n): a product of P and Q, of which one triangle is
 * computed, half ||P||_2 ||Q||_2; of which all is, full ||P||_2 ||Q||_2 (where the diagonal is summed by pairs its terms pass
 * through fewer roundings); any other operation the size of its result. ||E||_2 <= spectral ||E|| for errors E. */
typedef struct rounding {
    double half, full, spectral;
} rounding;

/* ---- Sizes and errors of coefficients and matrices ------------------------------------------------------------------- */

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

/* ---- The evaluation of libso/cpu/group/polynomial.c ------------------------------------------------------------------ */

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

/* P = B1 + (B2 + q) q, q = B3 + B4^2; about a centre, Bj = bj I + Bj' and q = b I + q', H'q' + (b2 + 2 b) q' + b B2' + B1' + v
 * with H' = B2' + q'. */
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

/* exp(A) = C + A S for angles up to theta about the centre y, and its derivative in the direction M. */
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

/* ---- 6.7 ------------------------------------------------------------------------------------------------------------- */

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

/* The largest ratios of bound to contract over the rungs, in *within, and at rho = 1000. A rung's angles from 0 on are taken in
 * PIECES, of each the bound at its end, where it is largest, and the contract at its beginning, where that is smallest. */
static void worst_case(const rung *rungs, int count, int n, bounds *within, bounds *beyond)
{
    enum { PIECES = 12 };
    rounding r = {roundings(n, WHOLE_HALF) * sqrt(n), roundings(n, WHOLE_FULL) * sqrt(n), sqrt(n)};
    costs base = {0, 0};
    for (int k = 0; k < count; k++)
        for (int piece = 0; piece < PIECES; piece++) {
            double width = rungs[k].theta / PIECES;
            base = base_costs(&r, &rungs[k], (piece + 1) * width);
            bounds b = {base.value, 2 * base.value, base.derivative};
            keep_worst(within, with_gradient(&r, b), piece * width);
        }
    keep_worst(beyond, with_gradient(&r, squared(&r, base, n, 1000, rungs[count - 1].theta_derivative)), 1000);
}

int main(void)
{
    int holds = 1;
    for (int bits = 24; bits <= 53; bits += 53 - 24) {
        rung rungs[RUNGS];
        rungs_of(rungs, bits);
        print_heading(bits);
        for (int i = 0; i < ORDERS; i++) {
            bounds x[2] = {{0, 0, 0}, {0, 0, 0}};
            worst_case(rungs, RUNGS, orders[i], &x[0], &x[1]);
            print_row(orders[i], "worst case", 1, x);
            holds &= x[0].forward <= 1.4e4 && x[0].orthogonality <= 2.1e4 && x[0].vjp <= 2e5;
            holds &= x[1].forward <= 9e4 && x[1].orthogonality <= 320 && x[1].vjp <= 1.3e6;
        }
    }
    int failed = statement(
        holds, "6.7 worst case, n <= 128: forward 1.4e4, orthogonality 2.1e4, vjp 2e5 contracts; rho 1000: 9e4, 320, 1.3e6");
    flint_cleanup();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
