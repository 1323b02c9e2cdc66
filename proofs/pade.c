/* pade.c: derives and certifies the ladder of diagonal Pade approximants of libso/pade_coefficients.h. Arguments: printed.h.
 *
 * The derivation is in pade.md. For every degree, exactly, in integers: the b_k, and the identity that gives the error of the
 * phase. By it both errors grow with the angle, so that one ball at theta decides for all angles below. What rounding b_k / b_0
 * to the type adds is bounded in balls on all of [0, theta].
 * SPDX-License-Identifier: MIT */
#include <acb_poly.h>
#include <flint/fmpz_poly.h>
#include <math.h>
#include "printed.h"

enum { PREC = 256, PIECES = 512, LARGEST_DEGREE = 13 };

/* The rungs of libso/cpu/lapack/pade.c. digits: of theta. lower: a theta_derivative below the largest possible. */
typedef struct ladder {
    int bits, digits, rungs, degree[5];
    const char *lower[5];
} ladder;

/* lower: l_m of Al-Mohy & Higham 2009, where the derivatives of f32 have been measured. */
static const ladder ladders[] = {{24, 3, 3, {3, 5, 7}, {NULL, "1.48", "3.24"}}, {53, 4, 5, {3, 5, 7, 9, 13}, {NULL}}};
enum { LADDERS = sizeof ladders / sizeof *ladders };

/* p(z) and p(-z), b_k = (2m - k)! / (k! (m - k)!), r(z) = p(z) / p(-z). */
typedef struct approximant {
    int degree;
    fmpz_poly_t numerator, denominator;
} approximant;

static void set_approximant(approximant *r, int m)
{
    fmpz_t b, f;
    fmpz_init(b), fmpz_init(f);
    fmpz_poly_init(r->numerator), fmpz_poly_init(r->denominator);
    r->degree = m;
    for (ulong k = 0; k <= (ulong)m; k++) {
        fmpz_fac_ui(b, 2 * (ulong)m - k);
        fmpz_fac_ui(f, k), fmpz_divexact(b, b, f);
        fmpz_fac_ui(f, (ulong)m - k), fmpz_divexact(b, b, f);
        fmpz_poly_set_coeff_fmpz(r->numerator, (slong)k, b);
        if (k % 2)
            fmpz_mul_si(b, b, -1);
        fmpz_poly_set_coeff_fmpz(r->denominator, (slong)k, b);
    }
    fmpz_clear(b), fmpz_clear(f);
}

static void clear_approximant(approximant *r)
{
    fmpz_poly_clear(r->numerator), fmpz_poly_clear(r->denominator);
}

/* p' q - p q' - p q = -(-1)^m z^2m, q = p(-z); and |p(it)|^2 = p q at z = it has positive coefficients. */
static int identity_holds(const approximant *r)
{
    fmpz_poly_t sum, product, expected;
    fmpz_poly_init(sum), fmpz_poly_init(product), fmpz_poly_init(expected);
    fmpz_poly_derivative(sum, r->numerator), fmpz_poly_mul(sum, sum, r->denominator);
    fmpz_poly_derivative(product, r->denominator), fmpz_poly_mul(product, product, r->numerator);
    fmpz_poly_sub(sum, sum, product);
    fmpz_poly_mul(product, r->numerator, r->denominator);
    fmpz_poly_sub(sum, sum, product);
    fmpz_poly_set_coeff_si(expected, 2 * r->degree, r->degree % 2 ? 1 : -1);
    int holds = fmpz_poly_equal(sum, expected);
    for (slong k = 0; k <= r->degree; k++)
        holds &= fmpz_sgn(fmpz_poly_get_coeff_ptr(product, 2 * k)) == (k % 2 ? -1 : 1);
    fmpz_poly_clear(sum), fmpz_poly_clear(product), fmpz_poly_clear(expected);
    return holds;
}

/* |r(it) - e^(it)| or, derivative, |phi'(t) - 1| = t^2m / |p(it)|^2, where r(it) = e^(i phi(t)). */
static void error_at(arb_t out, const approximant *r, const arb_t t, int derivative)
{
    acb_poly_t p;
    acb_t z, w, conjugate;
    acb_poly_init(p), acb_init(z), acb_init(w), acb_init(conjugate);
    acb_poly_set_fmpz_poly(p, r->numerator, PREC);
    arb_set(acb_imagref(z), t);
    acb_poly_evaluate(w, p, z, PREC);
    acb_conj(conjugate, w);
    if (derivative)
        acb_pow_ui(z, z, 2 * (ulong)r->degree, PREC), acb_mul(w, w, conjugate, PREC), acb_div(w, z, w, PREC);
    else
        acb_exp(z, z, PREC), acb_div(w, w, conjugate, PREC), acb_sub(w, w, z, PREC);
    acb_abs(out, w, PREC);
    acb_poly_clear(p), acb_clear(z), acb_clear(w), acb_clear(conjugate);
}

/* ---- theta ---------------------------------------------------------------------------------------------------------- */

/* The numbers of so many digits in ascending order, from 10^-4 on: as text and, returned, as a machine number. */
enum { DECADES = 6 };
static double number(char text[32], long index, int digits)
{
    long decade = 9 * lround(pow(10, digits - 1));
    snprintf(text, 32, "%#.*g", digits, (double)(decade / 9 + index % decade) * pow(10, (double)(index / decade - 3 - digits)));
    return strtod(text, NULL);
}

/* The last of them at which the error is at most u for certain; that at the next it is more, for certain, is demanded. */
static double largest_angle(char text[32], const approximant *r, const ladder *l, int derivative, int *failed)
{
    arb_t t, error, u;
    arb_init(t), arb_init(error), arb_init(u);
    arb_set_si(u, 1), arb_mul_2exp_si(u, u, -l->bits);
    long low = 0, high = DECADES * 9 * lround(pow(10, l->digits - 1));
    while (high - low > 1) {
        long middle = (low + high) / 2;
        arb_set_d(t, number(text, middle, l->digits));
        error_at(error, r, t, derivative);
        *(arb_le(error, u) ? &low : &high) = middle;
    }
    for (int next = 1; next >= 0; next--) {
        arb_set_d(t, number(text, low + next, l->digits));
        error_at(error, r, t, derivative);
        *failed |= !(next ? arb_gt(error, u) : arb_le(error, u));
    }
    arb_clear(t), arb_clear(error), arb_clear(u);
    return number(text, low, l->digits);
}

/* ---- Rounded coefficients ------------------------------------------------------------------------------------------- */

/* a_k = b_k / b_0 as the library computes it; difference: a_k - b_k / b_0. */
static void round_coefficients(acb_poly_t rounded, acb_poly_t difference, acb_poly_t exact, const approximant *r, int bits)
{
    acb_t c;
    acb_init(c);
    double first = fmpz_get_d(fmpz_poly_get_coeff_ptr(r->numerator, 0));
    acb_poly_set_fmpz_poly(exact, r->numerator, PREC);
    acb_poly_get_coeff_acb(c, exact, 0), acb_poly_scalar_div(exact, exact, c, PREC);
    for (slong k = 0; k <= r->degree; k++) {
        double a = fmpz_get_d(fmpz_poly_get_coeff_ptr(r->numerator, k)) / first;
        acb_set_d(c, bits == 24 ? (double)(float)a : a);
        acb_poly_set_coeff_acb(rounded, k, c);
    }
    acb_poly_sub(difference, rounded, exact, PREC);
    acb_clear(c);
}

/* Upper bounds on [0, theta], in u, for the a_k: of |r(it) - e^(it)| or, derivative, |phi'(t) - 1|. pade.md, 4. */
static double certify(const approximant *r, int bits, double theta, int derivative)
{
    acb_poly_t a, d, p;
    acb_t z, value[3], slope[3]; /* of d, p, a */
    arb_t end, error;
    double most = 0;
    acb_poly_init(a), acb_poly_init(d), acb_poly_init(p);
    acb_init(z), arb_init(end), arb_init(error);
    for (int k = 0; k < 3; k++)
        acb_init(value[k]), acb_init(slope[k]);
    round_coefficients(a, d, p, r, bits);
    for (int i = 0; i < PIECES; i++) {
        arb_set_d(end, theta), arb_mul_si(end, end, i + 1, PREC), arb_div_si(end, end, PIECES, PREC);
        arb_set_d(error, theta), arb_mul_si(error, error, i, PREC), arb_div_si(error, error, PIECES, PREC);
        arb_union(acb_imagref(z), error, end, PREC);
        acb_poly_evaluate2(value[0], slope[0], d, z, PREC);
        acb_poly_evaluate2(value[1], slope[1], p, z, PREC);
        acb_poly_evaluate2(value[2], slope[2], a, z, PREC);
        if (derivative) { /* 2 Re (d' p - d p') / (p a) */
            acb_mul(slope[0], slope[0], value[1], PREC);
            acb_submul(slope[0], value[0], slope[1], PREC);
            acb_mul(value[1], value[1], value[2], PREC);
            acb_div(z, slope[0], value[1], PREC);
            arb_abs(acb_realref(z), acb_realref(z));
        } else { /* 2 |Im g| / |g|, g = 1 + d / p */
            acb_div(z, value[0], value[1], PREC);
            acb_add_si(z, z, 1, PREC);
            acb_abs(acb_realref(slope[0]), z, PREC);
            arb_abs(acb_imagref(z), acb_imagref(z));
            arb_div(acb_realref(z), acb_imagref(z), acb_realref(slope[0]), PREC);
        }
        error_at(error, r, end, derivative);
        arb_addmul_si(error, acb_realref(z), 2, PREC);
        arf_t bound;
        arf_init(bound);
        arb_get_ubound_arf(bound, error, PREC);
        most = fmax(most, ldexp(arf_get_d(bound, ARF_RND_UP), bits));
        arf_clear(bound);
        acb_zero(z);
    }
    acb_poly_clear(a), acb_poly_clear(d), acb_poly_clear(p);
    acb_clear(z), arb_clear(end), arb_clear(error);
    for (int k = 0; k < 3; k++)
        acb_clear(value[k]), acb_clear(slope[k]);
    return most;
}

/* ---- The header ----------------------------------------------------------------------------------------------------- */

static const char head[] =
    "/* pade_coefficients.h: printed by proofs/pade.c, which derives and certifies it; do not edit.\n"
    " *\n"
    " * exp(A) is about r(A) = p(-A)^-1 p(A), p(z) = sum b_k z^k, A real skew; r(it) = e^(i phi(t)) on the plane of angle t.\n"
    " *   theta             up to it |r(it) - e^(it)| <= u\n"
    " *   theta_derivative  up to it |phi'(t) - 1| <= u, which bounds the error of the derivative, a divided difference\n"
    " * The largest such numbers of so many digits, unless a larger one is named; u = 2^-53 (f64) or 2^-24 (f32). The errors\n"
    " * named are proved for b_k / b_0 rounded to the type, exact arithmetic: of r(it) and phi'(t), up to these angles.\n"
    " * SPDX-License-Identifier: MIT */\n"
    "#ifndef SO_PADE_COEFFICIENTS_H\n"
    "#define SO_PADE_COEFFICIENTS_H\n"
    "\n"
    "typedef struct so_pade_rung {\n"
    "    int degree;\n"
    "    double theta, theta_derivative;\n"
    "    const double *b; /* b_0 .. b_degree */\n"
    "} so_pade_rung;\n"
    "\n";

/* Returns 1 if a coefficient is not a number of f64. */
static int print_coefficients(FILE *f, const approximant *r)
{
    int failed = 0;
    fprintf(f, "static const double so_pade_%d[%d] = {", r->degree, r->degree + 1);
    for (slong k = 0; k <= r->degree; k++) {
        const fmpz *b = fmpz_poly_get_coeff_ptr(r->numerator, k);
        double x = fmpz_get_d(b);
        failed |= !fmpz_equal_si(b, (slong)x);
        fprintf(f, "%s%.0f", k == 0 ? "" : k % 4 ? ", " : ",\n    ", x);
    }
    fprintf(f, "};\n");
    return failed;
}

static int derive(FILE *f, FILE *report)
{
    static approximant r[LARGEST_DEGREE + 1];
    int failed = 0;
    fputs(head, f);
    for (int k = 0; k < ladders[LADDERS - 1].rungs; k++) {
        int m = ladders[LADDERS - 1].degree[k];
        set_approximant(&r[m], m);
        failed |= !identity_holds(&r[m]);
        failed |= print_coefficients(f, &r[m]);
    }
    for (int i = 0; i < LADDERS; i++) {
        const ladder *l = &ladders[i];
        const char *type = l->bits == 24 ? "f32" : "f64";
        fprintf(f, "\nstatic const so_pade_rung so_pade_ladder_%s[%d] = {\n", type, l->rungs);
        for (int k = 0; k < l->rungs; k++) {
            int m = l->degree[k];
            char theta[2][32], possible[48] = "";
            double error[2];
            for (int d = 0; d < 2; d++) {
                double angle = largest_angle(theta[d], &r[m], l, d, &failed);
                if (d && l->lower[k]) {
                    snprintf(possible, sizeof possible, "; %s would do", theta[d]);
                    snprintf(theta[d], sizeof theta[d], "%s", l->lower[k]);
                    failed |= !(strtod(theta[d], NULL) <= angle);
                    angle = strtod(theta[d], NULL);
                }
                error[d] = ceil(certify(&r[m], l->bits, angle, d) * 1000) / 1000;
                failed |= !(error[d] <= 2.1);
            }
            fprintf(f, "    {%d, %s, %s, so_pade_%d}, /* value %.3f u, derivative %.3f u%s */\n", m, theta[0], theta[1], m,
                    error[0], error[1], possible);
            if (report)
                fprintf(report, "%s degree %-2d theta %-7s error %.3f u  theta_derivative %-7s error %.3f u%s\n", type, m,
                        theta[0], error[0], theta[1], error[1], possible);
        }
        fprintf(f, "};\n");
    }
    fputs("\n#endif\n", f);
    for (int k = 0; k < ladders[LADDERS - 1].rungs; k++)
        clear_approximant(&r[ladders[LADDERS - 1].degree[k]]);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = print_or_verify(argc, argv, "libso/pade_coefficients.h",
                                 "every rung: errors <= u up to theta, > u at the next number; rounded <= 2.1 u", derive);
    flint_cleanup();
    return failed;
}
