/* polynomial.c: exp(A) for skew A by polynomials in X = A^2, with scaling and squaring, and its trivialised derivative.
 *
 *   exp(A) = c(X) + A s(X),  c(X) = cos sqrt(-X),  s(X) = sinc sqrt(-X)
 *
 * X is symmetric with spectrum in [-rho^2, 0], so near-minimax polynomials on that interval serve (exponential.md 2.4); all
 * products are between commuting symmetric or skew matrices, and half of each is known from the other half. Large angles:
 * A/2^s first, s squarings afterwards, from a base made orthogonal to the last bit (9.4), because squaring doubles a defect.
 *
 * The derivative runs through the same products with a tangent beside each matrix; its truncation error is a divided
 * difference, so it switches earlier (theta_derivative, 9.1). Angles double by phi(ad_2A) M = (Y + Q Y Q^T)/2 (2.7).
 *
 * Degree and scaling are chosen lane by lane from bounds of rho^2 = ||X||_2: the Frobenius norm, whose square counts every
 * eigenvalue twice, and the infinity norm, which is close when the angles are (X near a multiple of I). Where squarings are
 * needed X^2 gives sharper ones: it costs less than the squaring that it often saves, and a squaring too many costs accuracy.
 * SPDX-License-Identifier: MIT */
#include "polynomial.h"

#include "../../coefficients.h"
#include "centre.h"
#include "scaling.h"

/* ---- The ladder ------------------------------------------------------------------------------------------------------- */

/* P(Y) = sum_k<powers a_k Y^k + Y^powers sum_k<=powers a_(powers+k) Y^k, with Y = scale X + shift I: degree 2 powers.
 * powers = 0: the nested form of degree 12, q = B3 + B4^2, P = B1 + (B2 + q) q with Bj = bj0 I + bj1 Y + bj2 Y^2 + bj3 Y^3. */
typedef struct rung {
    double theta, theta_derivative; /* largest angle for the value, for the derivative */
    int powers;
    real scale, shift;
    const real *c[4], *s[4]; /* one array, or B1..B4 */
    const real *at[2];       /* c and s at the centres; NULL: 0 is the only one */
} rung;

#define PLAIN(type, TYPE, p, P, powers)                                                                                         \
    {SO_##TYPE##_##P##_THETA, SO_##TYPE##_##P##_THETA_DERIVATIVE, powers, 1, 0, {so_##type##_##p##_c}, {so_##type##_##p##_s}, {0}}
#define SHIFTED(type, TYPE, y, Y, powers)                                                                                       \
    {SO_##TYPE##_##Y##_THETA, SO_##TYPE##_##Y##_THETA_DERIVATIVE, powers, SO_##TYPE##_##Y##_SCALE, 1, {so_##type##_##y##_c},    \
     {so_##type##_##y##_s}, {so_##type##_##y##_c_at, so_##type##_##y##_s_at}}

#if defined(SO_REAL_f32)
enum { RUNGS = 3 };
static const rung ladder[RUNGS] = {
    PLAIN(f32, F32, p4, P4, 2),
    SHIFTED(f32, F32, y6, Y6, 3),
    SHIFTED(f32, F32, y8, Y8, 4),
};
#else
enum { RUNGS = 3 };
static const rung ladder[RUNGS] = {
    PLAIN(f64, F64, p4, P4, 2),
    PLAIN(f64, F64, p6, P6, 3),
    {SO_F64_Y12_THETA, SO_F64_Y12_THETA_DERIVATIVE, 0, SO_F64_Y12_SCALE, 1,
     {so_f64_y12_c_B1, so_f64_y12_c_B2, so_f64_y12_c_B3, so_f64_y12_c_B4},
     {so_f64_y12_s_B1, so_f64_y12_s_B2, so_f64_y12_s_B3, so_f64_y12_s_B4}, {so_f64_y12_c_at, so_f64_y12_s_at}},
};
#endif

/* ---- Choice of rung and scaling ---------------------------------------------------------------------------------------- */

/* The square of the largest angle of a rung, rounding left to bound_norm. */
static inline real limit(int k, int derivative)
{
    double theta = derivative ? ladder[k].theta_derivative : ladder[k].theta;
    return (real)(theta * theta);
}

typedef struct plan {
    squarings squarings;
    mask in_rung[RUNGS]; /* lanes that use the rung */
} plan;

/* X = A^2 and the plan; scales A and X so that every lane is within its rung. square: scratch matrix. */
static plan prepare(int n, int derivative, elem *A, elem *X, elem *square)
{
    int before[LANES];
    mask count = {0};
    plan p;

    SO_(scale_large)(n, A, before);
    for (int l = 0; l < LANES; l++)
        set_int(&count, l, before[l]);
    mask scaled = greater_int(count, 0);
    product_lower(n, A, A, X);
    symmetric_diagonal(n, -1, A, A, X);
    mirror(n, 1, X);
    elem square_rho = bound_norm(n, X), top = broadcast(limit(RUNGS - 1, derivative));
    mask large = scaled | greater(square_rho, top);
    if (any_lane(large)) {
        product_lower(n, X, X, square);
        mirror(n, 1, square);
        elem sharper = square_root(bound_norm(n, square));
        square_rho = select_lanes(large & greater(square_rho, sharper), sharper, square_rho);

        /* Where A was scaled before, an entry is at least 2^4, so rho is beyond the top rung here too. */
        elem factor = broadcast(1);
        for (mask more = greater(square_rho, top); any_lane(more); more = greater(square_rho, top)) {
            square_rho = select_lanes(more, square_rho * (real)0.25, square_rho);
            factor = select_lanes(more, factor * (real)0.5, factor);
            count -= more;
            scaled |= more;
        }
        if (any_lane(scaled)) {
            scale(n, factor, A);
            scale(n, factor * factor, X);
        }
    }
    p.squarings = squarings_of(count);
    mask left = ~scaled;
    for (int k = 0; k < RUNGS - 1; k++) {
        p.in_rung[k] = left & greater(broadcast(limit(k, derivative)), square_rho);
        left &= ~p.in_rung[k];
    }
    p.in_rung[RUNGS - 1] = scaled | left;
    return p;
}

/* ---- The base: angles within a rung ------------------------------------------------------------------------------------ */

enum { POWERS = CENTRE_POWERS, NESTED = RUNGS - 1 };

/* The centre, a multiple of 1 / SO_CENTRES so that its powers are exact, and c and s there. */
typedef struct centre {
    elem y[POWERS + 1]; /* y^k */
    elem value[2];
} centre;

/* Added and subtracted, it rounds to a multiple of 1 / SO_CENTRES = 1/16. */
#if defined(SO_REAL_f32)
#define ROUND 0x1.8p19f
#else
#define ROUND 0x1.8p48
#endif

/* For Y = shift I + scale X; 0 in the lanes of a rung that has no values but those at 0. */
static centre centre_of(int n, const plan *p, const elem *X, elem shift, elem scale)
{
    elem trace = broadcast(0);
    for (int i = 0; i < n; i++)
        trace += X[(ptrdiff_t)i * matrix_stride(n) + i];
    elem one = broadcast(1), y = shift + scale * trace * (real)(1.0 / n);
    y = select_lanes(greater(one, y), y, one);
    y = (select_lanes(greater(y, -one), y, -one) + ROUND) - ROUND;

    centre c = {.y = {one}, .value = {one, one}};
    for (int k = 0; k < RUNGS; k++) {
        if (!ladder[k].at[0]) {
            y = select_lanes(p->in_rung[k], broadcast(0), y);
        } else if (any_lane(p->in_rung[k])) {
            for (int which = 0; which < 2; which++)
                for (int l = 0; l < LANES; l++)
                    if (get_int(p->in_rung[k], l))
                        set_lane(&c.value[which], l, ladder[k].at[which][(int)(get_lane(y, l) * SO_CENTRES) + SO_CENTRES]);
        }
    }
    for (int k = 1; k <= POWERS; k++)
        c.y[k] = c.y[k - 1] * y;
    return c;
}

/* sum_k<=degree a_k y^k */
static elem at_centre(int degree, const elem *a, const centre *c)
{
    elem sum = a[degree] * c->y[degree];
    for (int k = degree - 1; k >= 0; k--)
        sum += a[k] * c->y[k];
    return sum;
}

/* What the rungs of the form Y^m H + L need, lane by lane: lanes of different rungs go through the same products. About a centre
 *
 *   Y^m H + L = P_m H' + h P_m + sum_(0<k<m) l_k P_k + sum_(0<k<=m) y^m h_k P_k + v I,  H = h I + H',  H' = sum_k h_k P_k
 *
 * with v = c(y) or s(y), so that L has a coefficient m and H no first one. */
typedef struct split_form {
    elem low[2][POWERS + 1], high[2][POWERS + 1]; /* coefficients of L and H, of c and of s */
    int powers;                                   /* the largest m */
    int any;
} split_form;

static void set_split_form(const plan *p, const centre *c, split_form *f)
{
    f->any = f->powers = 0;
    for (int k = 0; k < RUNGS; k++) {
        int m = ladder[k].powers;
        mask in = p->in_rung[k];
        if (!m || !any_lane(in))
            continue;
        for (int which = 0; which < 2; which++) {
            const real *a = which ? ladder[k].s[0] : ladder[k].c[0];
            elem l[POWERS + 1], h[POWERS + 1];
            for (int i = 0; i <= m; i++)
                l[i] = broadcast(i < m ? a[i] : 0), h[i] = broadcast(a[m + i]);
            l[m] = at_centre(m, h, c);
            for (int i = 1; i <= m; i++)
                l[i] += c->y[m] * h[i];
            l[0] = c->value[which];
            h[0] = broadcast(0);
            for (int i = 0; i <= m; i++) {
                int fresh = !f->any || i > f->powers;
                elem zero = broadcast(0), *low = &f->low[which][i], *high = &f->high[which][i];
                *low = f->any ? select_lanes(in, l[i], fresh ? zero : *low) : l[i];
                *high = f->any ? select_lanes(in, h[i], fresh ? zero : *high) : h[i];
            }
        }
        f->powers = m; /* they grow with k */
        f->any++;
    }
}

/* Y^m of each lane's own m; Z: scratch. It begins as the largest power: blended into what was never written, memcheck sees no
 * lane as written. */
static jet own_power(const plan *p, const split_form *f, const jet *power, jet Z, int n)
{
    jet largest = power[f->powers - 1];
    if (f->any == 1)
        return largest;
    memcpy(Z.v, largest.v, (size_t)matrix_size(n) * sizeof(elem));
    if (Z.d)
        memcpy(Z.d, largest.d, (size_t)matrix_size(n) * sizeof(elem));
    for (int k = 0; k < RUNGS; k++) {
        int m = ladder[k].powers;
        if (!m || m == f->powers || !any_lane(p->in_rung[k]))
            continue;
        blend(n, p->in_rung[k], power[m - 1].v, Z.v);
        if (Z.d)
            blend(n, p->in_rung[k], power[m - 1].d, Z.d);
    }
    return Z;
}

/* About a centre, with Bj = bj I + Bj' and q = b I + q': q' = B4'^2 + 2 b4 B4' + B3', and with H' = B2' + q'
 * P = H'q' + (b2 + b) q' + b H' + B1' + v I = H'q' + (b2 + 2 b) q' + b B2' + B1' + v I. */
static void nested_polynomial(int n, const real *const *B, elem v, const centre *c, const jet *power, jet q, jet H, jet P)
{
    elem b[4][5], number[4];
    for (int j = 0; j < 4; j++)
        for (int k = 0; k < 4; k++)
            b[j][k] = broadcast(B[j][k]);
    for (int j = 1; j < 4; j++) {
        number[j] = at_centre(3, b[j], c);
        b[j][0] = broadcast(0);
    }
    number[2] += number[3] * number[3];
    for (int k = 1; k < 4; k++) {
        b[2][k] += 2 * number[3] * b[3][k];
        b[0][k] += number[2] * b[1][k];
    }
    b[0][0] = v;
    b[0][4] = number[1] + 2 * number[2];
    b[1][4] = broadcast(1);
    const jet M[] = {power[0], power[1], power[2], q};
    combine(n, 3, b[3], power, H);
    multiply_add(n, 1, H, H, 3, b[2], power, q);
    combine(n, 4, b[1], M, H);
    multiply_add(n, 1, H, q, 4, b[0], M, P);
}

/* E = c(X) + A s(X) of the scaled A, with tangents if E has one. Takes 9 jets from the arena. */
static void evaluate(const plan *p, jet A, jet X, jet E, arena a)
{
    int n = a.n;
    jet power[POWERS] = {take(&a), take(&a), take(&a), take(&a)}, H = take(&a), value[2] = {take(&a), take(&a)}, T = take(&a),
        q = take(&a);
    elem shift = broadcast(0), scale[2] = {broadcast(0), broadcast(0)};
    for (int k = 0; k < RUNGS; k++) {
        shift = select_lanes(p->in_rung[k], broadcast(ladder[k].shift), shift);
        scale[1] = select_lanes(p->in_rung[k], broadcast(ladder[k].scale), scale[1]);
    }
    const centre c = centre_of(n, p, X.v, shift, scale[1]);
    split_form f;
    set_split_form(p, &c, &f);
    mask nested = ladder[NESTED].powers ? (mask){0} : p->in_rung[NESTED];
    int any_nested = any_lane(nested);

    combine(n, 1, scale, &X, power[0]);
    shift -= c.y[1];
    for (int i = 0; i < n; i++) {
        ptrdiff_t at = (ptrdiff_t)i * matrix_stride(n) + i;
        power[0].v[at] = scale[1] * X.v[at] + shift; /* rounded once */
    }
    powers_about(n, 1, f.powers > 3 || !any_nested ? f.powers : 3, c.y, power);

    if (f.any) {
        jet Z = own_power(p, &f, power, T, n);
        for (int which = 0; which < 2; which++) {
            combine(n, f.powers, f.high[which], power, H);
            multiply_add(n, 1, Z, H, f.powers, f.low[which], power, value[which]);
        }
    }
    if (any_nested)
        for (int which = 0; which < 2; which++) {
            const real *const *B = which ? ladder[NESTED].s : ladder[NESTED].c;
            nested_polynomial(n, B, c.value[which], &c, power, q, H, f.any ? T : value[which]);
            if (f.any) {
                blend(n, nested, T.v, value[which].v);
                if (T.d)
                    blend(n, nested, T.d, value[which].d);
            }
        }
    elem one[2] = {broadcast(0), broadcast(1)};
    multiply_add(n, -1, A, value[1], 1, one, &value[0], E);
}

/* ---- The map and its derivative ----------------------------------------------------------------------------------------- */

static void polynomial_map(int n, real *A_, real *R_, real *work)
{
    arena a = {.n = n, .work = work};
    jet A = {(elem *)A_, NULL}, X = take(&a), E = {(elem *)R_, NULL};
    plan p = prepare(n, 0, A.v, X.v, E.v);
    evaluate(&p, A, X, E, a);

    SO_(square_repeatedly)(n, &p.squarings, E.v, work);
}

static void polynomial_differential(int n, real *A_, const real *R, real *M, real *Y_, real *work)
{
    (void)R; /* the base is needed before its squarings, so R does not help */
    arena a = {.n = n, .tangents = 1, .work = work};
    elem *Y = (elem *)Y_;
    jet A = {(elem *)A_, (elem *)M}, X = take(&a), E = take(&a);
    plan p = prepare(n, 1, A.v, X.v, E.v);
    product_lower(n, A.v, A.d, X.d);
    product_lower_add(n, A.d, A.v, X.d);
    mirror(n, 1, X.d);
    evaluate(&p, A, X, E, a);

    SO_(trivialise)(n, E.d, E.v, Y, (real *)matrix_of(work, n, 4));
    SO_(double_angles)(n, &p.squarings, E.v, Y, (real *)matrix_of(work, n, 4));
}

const group_method SO_(so_polynomial) = {
    .map = polynomial_map,
    .differential = polynomial_differential,
    .map_matrices = POLYNOMIAL_MAP_MATRICES,
    .differential_matrices = POLYNOMIAL_DIFFERENTIAL_MATRICES,
};
