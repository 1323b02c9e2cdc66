/* coefficients.c: derives, rounds and certifies every polynomial of libso/coefficients.h.
 *
 * Arguments: printed.h. The derivation is in coefficients.md. Four steps per set, each in ball arithmetic at 400 bits:
 *   1. ideal coefficients: Chebyshev interpolation (ladder) or Bessel series (shifted), in closed form;
 *   2. machine numbers: the lattice point near the ideal with the smallest largest error. Rounding each coefficient to the
 *      nearest would cost up to 2.2 u (f64) and 3.7 u (f32);
 *   3. certificate: a bound of |p(it) - e^(it)| on [0, theta], and of its derivative on [0, theta_derivative], by
 *      Taylor expansion with remainder on adaptively halved intervals. It holds for the machine numbers;
 *   4. values at centres (shifted): c and s of the machine numbers at y = j/16, correctly rounded.
 * SPDX-License-Identifier: MIT */
#include <arb.h>
#include <arb_hypgeom.h>
#include <arb_poly.h>
#include <math.h>
#include "printed.h"

enum { PREC = 400, POINTS = 256, CONSTANTS = 16, TERMS = 64, CENTRES = 16 };
enum kind { LADDER, SHIFTED, NESTED };

/* One row of exponential.md 2.4. derivative: the fraction of theta up to which the set may be differentiated. */
typedef struct set {
    enum kind kind;
    int bits, degree;
    const char *theta;
    double derivative;
} set;

/* The rungs of libso/cpu/group/polynomial.c. */
static const set sets[] = {
    {LADDER, 53, 4, "0.1867", 0.95}, {LADDER, 53, 6, "0.756", 0.90}, {NESTED, 53, 12, "5.0", 0.95},
    {LADDER, 24, 4, "1.398", 0.95}, {SHIFTED, 24, 6, "3.5", 0.95}, {SHIFTED, 24, 8, "5.85", 0.95},
};
enum { SETS = sizeof sets / sizeof sets[0] };

/* One of the two real polynomials of a set: its constants, the linear model of its error on the grid of the search, and its
 * values at the centres. */
typedef struct part {
    int count;
    double value[CONSTANTS];
    int fixed[CONSTANTS];             /* 0 and 1 that the evaluation scheme does not multiply by */
    double gradient[CONSTANTS][POINTS]; /* d error / d constant */
    double error[POINTS];             /* in units of u */
    double at[2 * CENTRES + 1];       /* element j + CENTRES: at Y = j / CENTRES */
} part;

static double round_to(double x, int bits)
{
    return bits == 24 ? (double)(float)x : x;
}

/* The factor of Y = 1 + scale X: a machine number, so that forming Y adds no error of its own to the angle. */
static double scale_of(const set *s)
{
    double theta = strtod(s->theta, NULL);
    return round_to(2 / (theta * theta), s->bits);
}

static double theta_derivative(const set *s) /* a number of 7 digits, as the header prints it */
{
    char text[32];
    snprintf(text, sizeof text, "%.7g", strtod(s->theta, NULL) * s->derivative);
    return strtod(text, NULL);
}

/* ---- 1. Ideal coefficients ------------------------------------------------------------------------------------------ */

/* (cos sqrt(-X) - 1)/X or (sinc sqrt(-X) - 1)/X, interpolated at `degree` Chebyshev nodes of [-theta^2, 0]; then 1 + X (..). */
static void ideal_ladder(arb_poly_t out, const set *s, int sine)
{
    arb_t theta2, x, t, y;
    arb_init(theta2), arb_init(x), arb_init(t), arb_init(y);
    arb_ptr nodes = _arb_vec_init(s->degree), values = _arb_vec_init(s->degree);
    arb_set_str(theta2, s->theta, PREC);
    arb_mul(theta2, theta2, theta2, PREC);
    for (int k = 0; k < s->degree; k++) { /* t^2 = theta^2 (1 + cos((2k+1) pi/(2p)))/2 */
        arb_const_pi(t, PREC);
        arb_mul_si(t, t, 2 * k + 1, PREC);
        arb_div_si(t, t, 4 * s->degree, PREC);
        arb_cos(t, t, PREC);
        arb_mul(t, t, t, PREC);
        arb_mul(x, t, theta2, PREC);
        arb_neg(nodes + k, x);
        arb_sqrt(t, x, PREC);
        sine ? arb_sinc(y, t, PREC) : arb_cos(y, t, PREC);
        arb_sub_si(y, y, 1, PREC);
        arb_div(values + k, y, nodes + k, PREC);
    }
    arb_poly_interpolate_newton(out, nodes, values, s->degree, PREC);
    arb_poly_shift_left(out, out, 1);
    arb_poly_set_coeff_si(out, 0, 1);
    _arb_vec_clear(nodes, s->degree), _arb_vec_clear(values, s->degree);
    arb_clear(theta2), arb_clear(x), arb_clear(t), arb_clear(y);
}

/* c = J_0 + 2 sum J_2k T_k(Y);  s = 2/theta sum (-1)^k J_2k+1 V_k(Y), V_k = T_2k+1(x)/x, x^2 = (1 - Y)/2:
 * V_0 = 1, V_1 = -1 - 2Y, V_k+1 = -2 Y V_k - V_k-1. theta = sqrt(2/scale). */
static void ideal_shifted(arb_poly_t out, const set *s, int sine)
{
    arb_poly_t now, before, next;
    arb_t theta, order, bessel;
    arb_poly_init(now), arb_poly_init(before), arb_poly_init(next);
    arb_init(theta), arb_init(order), arb_init(bessel);
    arb_set_d(theta, scale_of(s));
    arb_ui_div(theta, 2, theta, PREC);
    arb_sqrt(theta, theta, PREC);
    arb_poly_set_coeff_si(now, 0, 1);                      /* T_0, V_0 */
    arb_poly_set_coeff_si(before, sine ? 0 : 1, 1);        /* T_-1 = T_1 = Y, V_-1 = 1 */
    arb_poly_zero(out);
    for (int k = 0; k <= s->degree; k++) {
        arb_set_si(order, 2 * k + sine);
        arb_hypgeom_bessel_j(bessel, order, theta, PREC);
        arb_mul_si(bessel, bessel, (k == 0 && !sine) ? 1 : 2, PREC);
        if (sine)
            arb_div(bessel, bessel, theta, PREC), arb_mul_si(bessel, bessel, k % 2 ? -1 : 1, PREC);
        arb_poly_scalar_mul(next, now, bessel, PREC);
        arb_poly_add(out, out, next, PREC);
        arb_poly_shift_left(next, now, 1);
        arb_set_si(bessel, sine ? -2 : 2);
        arb_poly_scalar_mul(next, next, bessel, PREC);
        arb_poly_sub(next, next, before, PREC);
        arb_poly_swap(before, now), arb_poly_swap(now, next);
    }
    arb_poly_clear(now), arb_poly_clear(before), arb_poly_clear(next);
    arb_clear(theta), arb_clear(order), arb_clear(bessel);
}

/* out = [r^2]_k for the coefficients r[0..6]. */
static void square_coefficient(arb_t out, arb_srcptr r, int k)
{
    arb_zero(out);
    for (int i = k > 6 ? k - 6 : 0; i <= 6 && i <= k; i++)
        arb_addmul(out, r + i, r + k - i, PREC);
}

/* P of degree 12 as q = B3 + B4^2, P = B1 + (B2 + q) q: exponential.md 2.4. b[0..15] = B1, B2, B3, B4. */
static void ideal_nested(arb_ptr b, const arb_poly_t P, int sine)
{
    arb_ptr r = _arb_vec_init(7), q = _arb_vec_init(7), B1 = b, B2 = b + 4, B3 = b + 8, B4 = b + 12;
    arb_t t, p;
    arb_init(t), arb_init(p);
    arb_poly_get_coeff_arb(p, P, 12);
    arb_sqrt(r + 6, p, PREC);
    for (int k = 5; k >= 1; k--) { /* 2 r6 rk = P_(6+k) - [what r6..r(k+1) give there] */
        square_coefficient(t, r, 6 + k);
        arb_poly_get_coeff_arb(p, P, 6 + k);
        arb_sub(p, p, t, PREC);
        arb_div(p, p, r + 6, PREC);
        arb_mul_2exp_si(r + k, p, -1);
    }
    arb_set_d(r, 1e-6); /* r0 is free; small, with the sign that amplifies rounding errors least */
    arb_mul_si(r, r, sine ? 1 : -1, PREC);
    for (int k = 6; k >= 4; k--) { /* a, b, c of B2 from [r^2 - B2^2/4]_k = P_k */
        arb_ptr out = B2 + k - 3;
        square_coefficient(t, r, k);
        arb_poly_get_coeff_arb(p, P, k);
        arb_sub(t, t, p, PREC);
        if (k == 4)
            arb_mul(p, B2 + 2, B2 + 2, PREC), arb_mul_2exp_si(p, p, -2), arb_sub(t, t, p, PREC);
        if (k == 6)
            arb_sqrt(t, t, PREC);
        else
            arb_div(t, t, B2 + 3, PREC);
        arb_mul_2exp_si(out, t, 1);
    }
    arb_zero(B2), arb_zero(B4);
    for (int k = 0; k <= 6; k++)
        arb_set(q + k, r + k);
    for (int k = 1; k <= 3; k++)
        arb_mul_2exp_si(t, B2 + k, -1), arb_sub(q + k, q + k, t, PREC);
    arb_sqrt(B4 + 3, q + 6, PREC);
    arb_div(B4 + 2, q + 5, B4 + 3, PREC), arb_mul_2exp_si(B4 + 2, B4 + 2, -1);
    arb_mul(t, B4 + 2, B4 + 2, PREC), arb_sub(t, q + 4, t, PREC);
    arb_div(B4 + 1, t, B4 + 3, PREC), arb_mul_2exp_si(B4 + 1, B4 + 1, -1);
    arb_set(B3, q), arb_set(B3 + 1, q + 1);
    arb_mul(t, B4 + 1, B4 + 1, PREC), arb_sub(B3 + 2, q + 2, t, PREC);
    arb_mul(t, B4 + 1, B4 + 2, PREC), arb_mul_2exp_si(t, t, 1), arb_sub(B3 + 3, q + 3, t, PREC);
    for (int k = 0; k <= 3; k++) { /* B1 = P - (B2 + q) q */
        arb_poly_get_coeff_arb(B1 + k, P, k);
        for (int i = 0; i <= k; i++)
            arb_add(t, B2 + i, q + i, PREC), arb_submul(B1 + k, t, q + k - i, PREC);
    }
    _arb_vec_clear(r, 7), _arb_vec_clear(q, 7);
    arb_clear(t), arb_clear(p);
}

/* The constants of one part, rounded to nearest. */
static void nearest(part *out, const set *s, int sine)
{
    arb_poly_t P;
    arb_poly_init(P);
    arb_ptr c = _arb_vec_init(CONSTANTS);
    s->kind == LADDER ? ideal_ladder(P, s, sine) : ideal_shifted(P, s, sine);
    out->count = s->kind == NESTED ? 16 : s->degree + 1;
    if (s->kind == NESTED)
        ideal_nested(c, P, sine);
    else
        for (int k = 0; k < out->count; k++)
            arb_poly_get_coeff_arb(c + k, P, k);
    for (int k = 0; k < out->count; k++) {
        out->value[k] = round_to(arf_get_d(arb_midref(c + k), ARF_RND_NEAR), s->bits);
        out->fixed[k] = s->kind == LADDER ? k == 0 : s->kind == NESTED && (k == 4 || k == 12);
    }
    _arb_vec_clear(c, CONSTANTS);
    arb_poly_clear(P);
}

/* ---- The polynomial that machine numbers stand for ------------------------------------------------------------------ */

static void polynomial_of(arb_poly_t out, const double *c, int count)
{
    arb_t x;
    arb_init(x);
    arb_poly_zero(out);
    for (int k = 0; k < count; k++)
        arb_set_d(x, c[k]), arb_poly_set_coeff_arb(out, k, x);
    arb_clear(x);
}

/* The part as a polynomial in X (ladder) or Y. */
static void stored(arb_poly_t out, const set *s, const part *p)
{
    if (s->kind != NESTED) {
        polynomial_of(out, p->value, p->count);
        return;
    }
    arb_poly_t q, b;
    arb_poly_init(q), arb_poly_init(b);
    polynomial_of(b, p->value + 12, 4), arb_poly_mul(q, b, b, PREC);
    polynomial_of(b, p->value + 8, 4), arb_poly_add(q, q, b, PREC);
    polynomial_of(b, p->value + 4, 4), arb_poly_add(b, b, q, PREC), arb_poly_mul(out, b, q, PREC);
    polynomial_of(b, p->value, 4), arb_poly_add(out, out, b, PREC);
    arb_poly_clear(q), arb_poly_clear(b);
}

/* p(it) = c(-t^2) + it s(-t^2): the part's c(-t^2) or t s(-t^2), as a polynomial in t. */
static void expand(arb_poly_t out, const set *s, const part *p, int sine)
{
    arb_poly_t inner, P;
    arb_poly_init(inner), arb_poly_init(P);
    stored(P, s, p);
    double inner_coefficients[3] = {s->kind == LADDER ? 0 : 1, 0, s->kind == LADDER ? -1 : -scale_of(s)};
    polynomial_of(inner, inner_coefficients, 3);
    arb_poly_compose(out, P, inner, PREC);
    if (sine)
        arb_poly_shift_left(out, out, 1);
    arb_poly_clear(inner), arb_poly_clear(P);
}

/* ---- 2. Lattice search ---------------------------------------------------------------------------------------------- */

static double evaluate(const double *c, int count, double y)
{
    double v = 0;
    for (int k = count - 1; k >= 0; k--)
        v = v * y + c[k];
    return v;
}

static void linear_model(part *p, const set *s, int sine)
{
    double theta = strtod(s->theta, NULL), unit = ldexp(1, s->bits);
    arb_poly_t P;
    arb_t t, v, f;
    arb_poly_init(P), arb_init(t), arb_init(v), arb_init(f);
    expand(P, s, p, sine);
    for (int i = 0; i < POINTS; i++) {
        double ti = theta * sin((i + 1) * M_PI_2 / POINTS), y = s->kind == LADDER ? -ti * ti : 1 - scale_of(s) * ti * ti;
        arb_set_d(t, ti);
        arb_poly_evaluate(v, P, t, PREC);
        sine ? arb_sin(f, t, PREC) : arb_cos(f, t, PREC);
        arb_sub(v, v, f, PREC);
        p->error[i] = arf_get_d(arb_midref(v), ARF_RND_NEAR) * unit;
        double b2 = evaluate(p->value + 4, 4, y), b4 = evaluate(p->value + 12, 4, y),
               q = evaluate(p->value + 8, 4, y) + b4 * b4;
        for (int k = 0; k < p->count; k++) {
            double g = pow(y, s->kind == NESTED ? k % 4 : k) * (sine ? ti : 1) * unit;
            if (s->kind == NESTED && k >= 4) /* dP/dB2 = q, dP/dB3 = B2 + 2q, dP/dB4 = 2 B4 (B2 + 2q) */
                g *= k < 8 ? q : k < 12 ? b2 + 2 * q : 2 * b4 * (b2 + 2 * q);
            p->gradient[k][i] = g;
        }
    }
    arb_poly_clear(P), arb_clear(t), arb_clear(v), arb_clear(f);
}

/* The step of constant k: its unit in the last place, or the multiple that moves the error by 1/64 u. */
static double unit_of(const part *p, int k, int bits)
{
    int e;
    double largest = 0;
    frexp(p->value[k], &e);
    for (int i = 0; i < POINTS; i++)
        largest = fmax(largest, fabs(p->gradient[k][i]));
    double unit = ldexp(1, e - bits);
    while (unit * largest < 1.0 / 64)
        unit *= 2;
    return unit;
}

/* A smooth stand-in for the largest |p(it) - e^(it)|: sum of 32nd powers, after moving constants of p by step[k] unit[k].
 * `other` is the other part of the set, at rest. */
static double penalty(const part *p, const part *other, const int *index, const double *move, int moves)
{
    double sum = 0;
    for (int i = 0; i < POINTS; i++) {
        double e = p->error[i];
        for (int m = 0; m < moves; m++)
            e += move[m] * p->gradient[index[m]][i];
        e = e * e + other->error[i] * other->error[i];
        e *= e, e *= e, e *= e;
        sum += e * e;
    }
    return sum;
}

static void apply(part *p, const int *index, const double *move, int moves)
{
    for (int m = 0; m < moves; m++) {
        p->value[index[m]] += move[m];
        for (int i = 0; i < POINTS; i++)
            p->error[i] += move[m] * p->gradient[index[m]][i];
    }
}

/* Finds the best move of one or two constants of p by up to 5 units each; makes it if it lowers the penalty by 1 %. */
static int improve(part *p, const part *other, const set *s)
{
    enum { STEPS = 9 };
    static const double steps[STEPS] = {0, 1, -1, 2, -2, 3, -3, 5, -5};
    double best = 0.99 * penalty(p, other, NULL, NULL, 0), best_move[2], unit[CONSTANTS];
    int free_index[CONSTANTS], count = 0, best_index[2], found = 0;
    for (int k = 0; k < p->count; k++)
        if (!p->fixed[k])
            free_index[count] = k, unit[count++] = unit_of(p, k, s->bits);
    for (int a = 0; a < count; a++)
        for (int b = 0; b <= a; b++)
            for (int i = 1; i < STEPS; i++)
                for (int j = 0; j < (b < a ? STEPS : 1); j++) {
                    int index[2] = {free_index[a], free_index[b]};
                    double move[2] = {steps[i] * unit[a], steps[j] * unit[b]}, now = penalty(p, other, index, move, 2);
                    if (now < best) {
                        best = now, found = 1;
                        memcpy(best_index, index, sizeof index), memcpy(best_move, move, sizeof move);
                    }
                }
    if (found)
        apply(p, best_index, best_move, 2);
    return found;
}

/* ---- 3. Certificate ------------------------------------------------------------------------------------------------- */

/* With (p(it) - e^(it)) e^(-it) = rho + i tau, rho = pc cos + ps sin - 1, tau = ps cos - pc sin:
 *   value       |rho + i tau|
 *   derivative  |rho| + |tau'|: bounds the skew-projected derivative for every pair of angles (coefficients.md)
 * at m (lower bound, *value) and on |t - m| <= h (upper bound, *bound), in u. */
static void enclose(double *value, double *bound, arb_poly_t parts[2], double m, double h, const set *s, int derivative)
{
    arb_poly_t f[2], g, sc[2], product;
    arb_t total, b, x, power, rest;
    double low[2], high[2];
    arb_poly_init(g), arb_poly_init(product), arb_init(total), arb_init(b), arb_init(x), arb_init(power), arb_init(rest);
    arb_set_d(x, m);
    arb_poly_set_coeff_arb(g, 0, x), arb_poly_set_coeff_si(g, 1, 1);
    for (int sine = 0; sine < 2; sine++) {
        arb_poly_init(sc[sine]), arb_poly_init(f[sine]);
        arb_poly_taylor_shift(f[sine], parts[sine], x, PREC);
        for (slong k = 0; k < arb_poly_length(f[sine]); k++)
            arb_poly_get_coeff_arb(b, f[sine], k), arb_abs(b, b), arb_add(rest, rest, b, PREC);
    }
    arb_poly_sin_cos_series(sc[1], sc[0], g, TERMS, PREC);
    for (int tau = 0; tau < 2; tau++) {
        arb_poly_mullow(g, f[tau], sc[0], TERMS, PREC);
        arb_poly_mullow(product, f[!tau], sc[1], TERMS, PREC);
        tau ? arb_poly_sub(g, g, product, PREC) : arb_poly_add(g, g, product, PREC);
        if (!tau)
            arb_poly_add_si(g, g, -1, PREC);
        if (tau && derivative)
            arb_poly_derivative(g, g, PREC);
        arb_zero(total), arb_one(power);
        for (slong k = 0; k < TERMS - 1; k++) { /* |g_0| + |g_1| h + .. */
            arb_poly_get_coeff_arb(b, g, k);
            arb_abs(b, b);
            arb_addmul(total, b, power, PREC);
            arb_set_d(b, h), arb_mul(power, power, b, PREC);
        }
        arb_addmul(total, power, rest, PREC); /* what TERMS cuts off: coefficientwise < sum |p_j| k/(k - 25)! h^(k-1) */
        arb_poly_get_coeff_arb(b, g, 0), arb_abs(b, b);
        arf_t edge;
        arf_init(edge);
        arb_get_lbound_arf(edge, b, PREC), low[tau] = ldexp(arf_get_d(edge, ARF_RND_DOWN), s->bits);
        arb_get_ubound_arf(edge, total, PREC), high[tau] = ldexp(arf_get_d(edge, ARF_RND_UP), s->bits);
        arf_clear(edge);
    }
    *value = derivative ? low[0] + low[1] : hypot(low[0], low[1]);
    *bound = (derivative ? high[0] + high[1] : hypot(high[0], high[1])) * (1 + 1e-12); /* more than this line's roundings */
    for (int sine = 0; sine < 2; sine++)
        arb_poly_clear(sc[sine]), arb_poly_clear(f[sine]);
    arb_poly_clear(g), arb_poly_clear(product), arb_clear(total), arb_clear(b), arb_clear(x), arb_clear(power), arb_clear(rest);
}

/* An upper bound, at most 0.2 % above the truth, of |p(it) - e^(it)| (or of the derivative's error) on [0, theta], in u. */
static double certify(arb_poly_t parts[2], const set *s, double theta, int derivative)
{
    enum { DEPTH = 64, START = 16 };
    double low[DEPTH + START], high[DEPTH + START], proved = 0, seen = 0;
    int top = 0;
    theta *= 1 + ldexp(1, -22); /* a caller that compares with theta rounded to f32 stays inside */
    for (; top < START; top++)
        low[top] = theta * top / START, high[top] = theta * (top + 1) / START;
    while (top > 0) {
        top--;
        double a = low[top], b = high[top], m = (a + b) / 2, h = (b - a) / 2 * (1 + 1e-12), value, bound;
        enclose(&value, &bound, parts, m, h, s, derivative);
        seen = fmax(seen, value);
        if (bound <= seen * 1.002 || top + 2 > DEPTH + START) {
            proved = fmax(proved, bound);
            continue;
        }
        low[top] = a, high[top++] = m;
        low[top] = m, high[top++] = b;
    }
    return proved;
}

/* ---- 4. Values at centres ------------------------------------------------------------------------------------------- */

/* Sets p->at, rounded to nearest, ties to even. Returns 0 if a ball does not decide the rounding of its value: rounding is
 * monotone, so a ball does whose two ends round to the same number. */
static int set_values_at_centres(part *p, const set *s)
{
    int decided = 1;
    arb_poly_t P;
    arb_t y, value;
    arf_t low, high;
    arb_poly_init(P), arb_init(y), arb_init(value), arf_init(low), arf_init(high);
    stored(P, s, p);
    for (int j = -CENTRES; j <= CENTRES; j++) {
        arb_set_d(y, (double)j / CENTRES);
        arb_poly_evaluate(value, P, y, PREC);
        arb_get_lbound_arf(low, value, PREC), arf_set_round(low, low, s->bits, ARF_RND_NEAR);
        arb_get_ubound_arf(high, value, PREC), arf_set_round(high, high, s->bits, ARF_RND_NEAR);
        decided &= arf_equal(low, high);
        p->at[j + CENTRES] = arf_get_d(low, ARF_RND_NEAR);
    }
    arb_poly_clear(P), arb_clear(y), arb_clear(value), arf_clear(low), arf_clear(high);
    return decided;
}

/* ---- The header ----------------------------------------------------------------------------------------------------- */

/* tail: what follows the letter in the declarator, with the length. The values of a long array begin on a line of their own. */
static void print_array(FILE *f, const set *s, const char *letter, const char *tail, const double *c, int count)
{
    const char *type = s->bits == 24 ? "float" : "double", *real = s->bits == 24 ? "f32" : "f64";
    const char *start = count > CONSTANTS ? "\n    " : "";
    fprintf(f, "SO_COEFFICIENTS %s so_%s_%c%d_%s%s = {", type, real, s->kind == LADDER ? 'p' : 'y', s->degree, letter, tail);
    for (int k = 0; k < count; k++)
        fprintf(f, "%s%a%s", k == 0 ? start : k % 4 ? ", " : ",\n    ", c[k], s->bits == 24 ? "f" : "");
    fprintf(f, "};\n");
}

static void print_set(FILE *f, const set *s, const part p[2], double error, double derivative_error)
{
    static const char *const letter[2] = {"c", "s"}, *const block[4] = {"_B1[4]", "_B2[4]", "_B3[4]", "_B4[4]"};
    const char *real = s->bits == 24 ? "F32" : "F64", *end = s->bits == 24 ? "f" : "";
    char kind = s->kind == LADDER ? 'P' : 'Y';
    double theta_d = theta_derivative(s);
    fprintf(f, "\n/* f%d, degree %d in %c, theta %s: |p(it) - e^(it)| <= %.3f u; its derivative <= %.1f u up to %.7g. */\n",
            s->bits == 24 ? 32 : 64, s->degree, kind == 'P' ? 'X' : 'Y', s->theta, error, derivative_error, theta_d);
    fprintf(f, "#define SO_%s_%c%d_THETA %s%s\n", real, kind, s->degree, s->theta, end);
    fprintf(f, "#define SO_%s_%c%d_THETA_DERIVATIVE %.7g%s\n", real, kind, s->degree, theta_d, end);
    if (s->kind != LADDER)
        fprintf(f, "#define SO_%s_Y%d_SCALE %a%s /* Y = I + SCALE X */\n", real, s->degree, scale_of(s), end);
    for (int sine = 0; sine < 2; sine++) {
        char length[16];
        snprintf(length, sizeof length, "[%d]", p[sine].count);
        if (s->kind != NESTED)
            print_array(f, s, letter[sine], length, p[sine].value, p[sine].count);
        else
            for (int b = 0; b < 4; b++)
                print_array(f, s, letter[sine], block[b], p[sine].value + 4 * b, 4);
    }
    for (int sine = 0; sine < 2 && s->kind != LADDER; sine++)
        print_array(f, s, letter[sine], "_at[2 * SO_CENTRES + 1]", p[sine].at, 2 * CENTRES + 1);
}

static const char head[] =
    "/* coefficients.h: printed by proofs/coefficients.c, which derives and certifies it; do not edit.\n"
    " *\n"
    " * exp(A) = c(X) + A s(X), X = A A, c(X) = cos sqrt(-X), s(X) = sinc sqrt(-X), A real skew with angles <= theta.\n"
    " *   so_*_p*_c, _s   element k multiplies X^k; the constant terms are 1, so that exp(0) = I exactly\n"
    " *   so_*_y*_c, _s   element k multiplies Y^k, Y = I + SCALE X, with the spectrum in [-1, 1]\n"
    " *   so_f64_y12_*_B  c (or s) = B1 + (B2 + q) q, q = B3 + B4 B4, Bj = b0 I + b1 Y + b2 Y^2 + b3 Y^3\n"
    " *   so_*_y*_*_at    element j + SO_CENTRES is c (or s) at Y = y I, y the centre j / SO_CENTRES\n"
    " * THETA bounds the angles for the value, THETA_DERIVATIVE for derivatives (vjp, jvp).\n"
    " * The errors named are proved for the machine numbers below, in u = 2^-53 (f64) or 2^-24 (f32), exact arithmetic.\n"
    " * The values at centres are proved to be those of the polynomials with these machine numbers, correctly rounded.\n"
    " * SPDX-License-Identifier: MIT */\n"
    "#ifndef SO_COEFFICIENTS_H\n"
    "#define SO_COEFFICIENTS_H\n"
    "\n"
    "#ifndef SO_COEFFICIENTS /* device code says where its tables stand */\n"
    "#define SO_COEFFICIENTS static const\n"
    "#endif\n"
    "\n";

/* Derives all sets and prints the header to f. report != NULL: one line per set and rounding. */
static int derive(FILE *f, FILE *report)
{
    int failed = 0;
    fputs(head, f);
    fprintf(f, "#define SO_CENTRES %d /* centres y = j / SO_CENTRES, |j| <= SO_CENTRES: y^4 is exact in f32 */\n", CENTRES);
    static part p[2];
    for (int i = 0; i < SETS; i++) {
        const set *s = &sets[i];
        arb_poly_t e[2];
        double plain, theta = strtod(s->theta, NULL);
        arb_poly_init(e[0]), arb_poly_init(e[1]);
        for (int sine = 0; sine < 2; sine++)
            nearest(&p[sine], s, sine), expand(e[sine], s, &p[sine], sine);
        plain = certify(e, s, theta, 0);
        for (int sine = 0; sine < 2; sine++)
            linear_model(&p[sine], s, sine);
        for (int idle = 0, sine = 0; idle < 2; sine = !sine)
            idle = improve(&p[sine], &p[!sine], s) ? 0 : idle + 1;
        for (int sine = 0; sine < 2; sine++) {
            expand(e[sine], s, &p[sine], sine);
            failed |= s->kind != LADDER && !set_values_at_centres(&p[sine], s);
        }
        double error = certify(e, s, theta, 0), derivative = certify(e, s, theta_derivative(s), 1);
        print_set(f, s, p, error, derivative);
        if (report)
            fprintf(report, "f%d %c%-2d theta %-8s error %.3f u (rounded to nearest: %.3f u)  derivative %.1f u\n",
                    s->bits == 24 ? 32 : 64, s->kind == LADDER ? 'p' : 'y', s->degree, s->theta, error, plain, derivative);
        failed |= !(error <= plain) || !(error <= 1.3) || !(derivative <= 13.1);
        arb_poly_clear(e[0]), arb_poly_clear(e[1]);
    }
    fputs("\n#endif\n", f);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = print_or_verify(argc, argv, "libso/coefficients.h",
                                 "every set: the certified error is no larger than with plain rounding; at most 1.3 u, "
                                 "derivative 13.1 u; values at centres are correctly rounded",
                                 derive);
    flint_cleanup();
    return failed;
}
