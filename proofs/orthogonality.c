/* orthogonality.c: exp and Cayley of a skew matrix are orthogonal, and by how much the polynomials of libso miss it.
 * Statements and derivations: README.md, section 1.
 * SPDX-License-Identifier: MIT */
#include "libso/coefficients.h"
#include "statement.h"
#include <arb_poly.h>
#include <flint/fmpq_mat.h>
#include <math.h>
#include <stdlib.h>

enum { PREC = 300, BITS = 100 };

/* A random skew matrix of rationals p/q, |p| <= size * 8, q <= 8. */
static void random_skew(fmpq_mat_t A, flint_rand_t state, slong size)
{
    slong n = fmpq_mat_nrows(A);
    fmpq_mat_zero(A);
    for (slong i = 0; i < n; i++)
        for (slong j = i + 1; j < n; j++) {
            slong p = (slong)n_randint(state, (ulong)(16 * size + 1)) - 8 * size;
            ulong q = 1 + n_randint(state, 8);
            fmpq_set_si(fmpq_mat_entry(A, i, j), p, q), fmpq_set_si(fmpq_mat_entry(A, j, i), -p, q);
        }
}

static int exponentials(flint_rand_t state)
{
    int holds = 1;
    for (slong n = 1; n <= 21; n += 4)
        for (slong size = 1; size <= 64; size *= 8) {
            fmpq_mat_t Q;
            arb_mat_t A, R;
            fmpq_mat_init(Q, n, n), arb_mat_init(A, n, n), arb_mat_init(R, n, n);
            random_skew(Q, state, size);
            arb_mat_set_fmpq_mat(A, Q, 4 * PREC);
            arb_mat_exp(R, A, 4 * PREC);
            holds &= is_orthogonal(R, BITS, 4 * PREC);
            fmpq_mat_clear(Q), arb_mat_clear(A), arb_mat_clear(R);
        }
    return holds;
}

/* R = (I - A/2)^-1 (I + A/2) in exact rational arithmetic: R^T R = I, det R = 1 and det (I - A/2) >= 1 without any rounding. */
static void cayley_maps(flint_rand_t state, int *orthogonal, int *special, int *nonsingular)
{
    *orthogonal = *special = *nonsingular = 1;
    for (slong n = 1; n <= 13; n++) {
        fmpq_mat_t A, M, N, R, T, I;
        fmpq_t d, half;
        fmpq_mat_init(A, n, n), fmpq_mat_init(M, n, n), fmpq_mat_init(N, n, n), fmpq_mat_init(R, n, n);
        fmpq_mat_init(T, n, n), fmpq_mat_init(I, n, n), fmpq_init(d), fmpq_init(half);
        random_skew(A, state, 20);
        fmpq_set_si(half, 1, 2);
        fmpq_mat_one(I);
        fmpq_mat_scalar_mul_fmpq(A, A, half);
        fmpq_mat_sub(M, I, A), fmpq_mat_add(N, I, A);
        *nonsingular &= fmpq_mat_solve(R, M, N);
        fmpq_mat_det(d, M);
        *nonsingular &= fmpq_cmp_si(d, 1) >= 0;
        fmpq_mat_transpose(T, R);
        fmpq_mat_mul(T, T, R);
        *orthogonal &= fmpq_mat_equal(T, I);
        fmpq_mat_det(d, R);
        *special &= fmpq_is_one(d);
        fmpq_mat_clear(A), fmpq_mat_clear(M), fmpq_mat_clear(N), fmpq_mat_clear(R);
        fmpq_mat_clear(T), fmpq_mat_clear(I), fmpq_clear(d), fmpq_clear(half);
    }
}

/* ---- |p(it)|^2 - 1 for the sets of libso ----------------------------------------------------------------------------- */

typedef struct set {
    const char *name;
    int bits, degree;
    double theta, scale; /* scale 0: a polynomial in X */
    const double *c64, *s64;
    const float *c32, *s32;
    const double (*nested)[4]; /* c: B1 .. B4, s: B1 .. B4 */
} set;

static void coefficients_of(arb_poly_t out, const double *x, const float *y, int count)
{
    arb_t value;
    arb_init(value);
    arb_poly_zero(out);
    for (int k = 0; k < count; k++)
        arb_set_d(value, x ? x[k] : (double)y[k]), arb_poly_set_coeff_arb(out, k, value);
    arb_clear(value);
}

static void nested_poly(arb_poly_t out, const double (*B)[4])
{
    arb_poly_t q, b;
    arb_poly_init(q), arb_poly_init(b);
    coefficients_of(b, B[3], NULL, 4), arb_poly_mul(q, b, b, PREC);
    coefficients_of(b, B[2], NULL, 4), arb_poly_add(q, q, b, PREC);
    coefficients_of(b, B[1], NULL, 4), arb_poly_add(b, b, q, PREC), arb_poly_mul(out, b, q, PREC);
    coefficients_of(b, B[0], NULL, 4), arb_poly_add(out, out, b, PREC);
    arb_poly_clear(q), arb_poly_clear(b);
}

/* D(x) = c^2 + x s^2 - 1 at x = t^2, a polynomial; its largest absolute value on [0, theta^2], from above, in u. */
static double defect(const set *s)
{
    arb_poly_t part[2], inner, D, at;
    arb_t x, b, power, total;
    double worst = 0, top = s->theta * s->theta * (1 + ldexp(1, -20));
    double substitution[2] = {s->scale > 0 ? 1 : 0, s->scale > 0 ? -s->scale : -1};
    arb_poly_init(part[0]), arb_poly_init(part[1]), arb_poly_init(inner), arb_poly_init(D), arb_poly_init(at);
    arb_init(x), arb_init(b), arb_init(power), arb_init(total);
    coefficients_of(inner, substitution, NULL, 2);
    for (int sine = 0; sine < 2; sine++) {
        if (s->nested)
            nested_poly(part[sine], s->nested + 4 * sine);
        else
            coefficients_of(part[sine], sine ? s->s64 : s->c64, sine ? s->s32 : s->c32, s->degree + 1);
        arb_poly_compose(part[sine], part[sine], inner, PREC);
        arb_poly_mul(part[sine], part[sine], part[sine], PREC);
    }
    arb_poly_shift_left(part[1], part[1], 1);
    arb_poly_add(D, part[0], part[1], PREC);
    arb_poly_add_si(D, D, -1, PREC);
    enum { PIECES = 4096 };
    for (int i = 0; i < PIECES; i++) { /* |D(m)| + |D'(m)| h + .. */
        arb_set_d(x, top * (i + 0.5) / PIECES);
        arb_poly_taylor_shift(at, D, x, PREC);
        arb_zero(total), arb_one(power);
        for (slong k = 0; k < arb_poly_length(at); k++) {
            arb_poly_get_coeff_arb(b, at, k), arb_abs(b, b);
            arb_addmul(total, b, power, PREC);
            arb_set_d(b, top * 0.5000001 / PIECES), arb_mul(power, power, b, PREC);
        }
        arf_t edge;
        arf_init(edge);
        arb_get_ubound_arf(edge, total, PREC);
        worst = fmax(worst, ldexp(arf_get_d(edge, ARF_RND_UP), s->bits));
        arf_clear(edge);
    }
    arb_poly_clear(part[0]), arb_poly_clear(part[1]), arb_poly_clear(inner), arb_poly_clear(D), arb_poly_clear(at);
    arb_clear(x), arb_clear(b), arb_clear(power), arb_clear(total);
    return worst;
}

#define SET64(k, K) {.name = #k, .bits = 53, .theta = SO_F64_##K##_THETA, .c64 = so_f64_##k##_c, .s64 = so_f64_##k##_s
#define SET32(k, K) {.name = #k, .bits = 24, .theta = (double)SO_F32_##K##_THETA, .c32 = so_f32_##k##_c, .s32 = so_f32_##k##_s

static int polynomial_bases(void)
{
    static double y12[8][4];
    const double *const rows[8] = {so_f64_y12_c_B1, so_f64_y12_c_B2, so_f64_y12_c_B3, so_f64_y12_c_B4,
                                   so_f64_y12_s_B1, so_f64_y12_s_B2, so_f64_y12_s_B3, so_f64_y12_s_B4};
    for (int i = 0; i < 32; i++)
        y12[i / 4][i % 4] = rows[i / 4][i % 4];
    const set sets[] = {
        SET64(p4, P4), .degree = 4}, SET64(p6, P6), .degree = 6},
        {.name = "y12", .bits = 53, .theta = SO_F64_Y12_THETA, .scale = SO_F64_Y12_SCALE, .nested = y12},
        SET32(p4, P4), .degree = 4}, SET32(y6, Y6), .degree = 6, .scale = (double)SO_F32_Y6_SCALE},
        SET32(y8, Y8), .degree = 8, .scale = (double)SO_F32_Y8_SCALE},
    };
    int holds = 1;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        double worst = defect(&sets[i]);
        printf("     f%d %-3s ||p(A)^T p(A) - I||_2 <= %.2f u for rho <= %g\n", sets[i].bits == 24 ? 32 : 64, sets[i].name, worst,
               sets[i].theta);
        holds &= worst <= 3;
    }
    return holds;
}

int main(void)
{
    flint_rand_t state;
    flint_randinit(state); /* holds no memory: nothing to clear */
    int failed = 0, orthogonal, special, nonsingular;
    failed |= statement(exponentials(state), "1.1 exp(A) is orthogonal (random rational A, balls within 2^-100)");
    cayley_maps(state, &orthogonal, &special, &nonsingular);
    failed |= statement(nonsingular, "1.2 I - A/2 is never singular: det >= 1 (random rational A, exact)");
    failed |= statement(orthogonal, "1.3 the Cayley map is orthogonal (random rational A, exact)");
    failed |= statement(special, "1.4 the Cayley map is a rotation: det = 1 (random rational A, exact)");
    failed |= statement(polynomial_bases(), "1.5 every polynomial of libso is orthogonal within 3 u on its range (all angles, balls)");
    flint_cleanup();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
