/* adjoint.c: the adjoint of the derivative of exp, log, the Cayley map and its inverse. Statements and derivations: adjoint.md.
 * SPDX-License-Identifier: MIT */
#include "derivative.h"
#include "skew.h"
#include "statement.h"
#include <flint/fmpq_mat.h>
#include <stdlib.h>

enum { PREC = 256, BITS = 100, SQUARE = LARGEST_ORDER * LARGEST_ORDER };

/* ---- exp and log, in balls ------------------------------------------------------------------------------------------- */

typedef struct verdicts {
    int block, trivialised, packed, inverse, along;
} verdicts;

static int same_number(const arb_t x, const arb_t y)
{
    arb_t d;
    mag_t bound;
    arb_init(d), mag_init(bound);
    arb_sub(d, x, y, PREC);
    arb_get_mag(bound, d);
    int holds = arb_overlaps(x, y) && mag_cmp_2exp_si(bound, -BITS) < 0;
    arb_clear(d), mag_clear(bound);
    return holds;
}

/* Do <W, X> and <Y, Z> agree? */
static int same_inner(const arb_mat_t W, const arb_mat_t X, const arb_mat_t Y, const arb_mat_t Z)
{
    arb_t x, y;
    arb_init(x), arb_init(y);
    inner(x, W, X, PREC), inner(y, Y, Z, PREC);
    int holds = same_number(x, y);
    arb_clear(x), arb_clear(y);
    return holds;
}

/* <G, L(A, E_ij)> = 2 V_ij for every pair, E_ij = e_i e_j^T - e_j e_i^T. */
static int packed_gradient(const arb_mat_t A, const arb_mat_t G, const arb_mat_t V)
{
    slong n = arb_mat_nrows(A);
    int holds = 1;
    arb_mat_t E, L;
    arb_t x, y;
    arb_mat_init(E, n, n), arb_mat_init(L, n, n), arb_init(x), arb_init(y);
    for (slong i = 0; i < n; i++)
        for (slong j = i + 1; j < n; j++) {
            arb_mat_zero(E);
            arb_set_si(arb_mat_entry(E, i, j), 1), arb_set_si(arb_mat_entry(E, j, i), -1);
            exp_derivative(L, A, E, PREC);
            inner(x, G, L, PREC);
            arb_mul_2exp_si(y, arb_mat_entry(V, i, j), 1);
            holds &= same_number(x, y);
        }
    arb_mat_clear(E), arb_mat_clear(L), arb_clear(x), arb_clear(y);
    return holds;
}

static void exponential(flint_rand_t state, shape s, int n, verdicts *v)
{
    double a[SQUARE], e[SQUARE], g[SQUARE];
    arb_mat_t A, minus, Q, T, E, G, L, V, M, Y;
    arb_mat_init(A, n, n), arb_mat_init(minus, n, n), arb_mat_init(Q, n, n), arb_mat_init(T, n, n), arb_mat_init(E, n, n);
    arb_mat_init(G, n, n), arb_mat_init(L, n, n), arb_mat_init(V, n, n), arb_mat_init(M, n, n), arb_mat_init(Y, n, n);
    random_skew(state, s, n, a), random_dense(state, n, g), random_skew(state, DENSE, n, e);
    balls_of(A, a), balls_of(E, e), balls_of(G, g);
    arb_mat_exp(Q, A, PREC);
    arb_mat_transpose(T, Q);

    exp_derivative(L, A, E, PREC);
    arb_mat_neg(minus, A);
    exp_derivative(V, minus, G, PREC);
    v->block &= same_inner(G, L, V, E);

    phi_ad(Y, A, E, PREC);
    arb_mat_mul(Y, Y, Q, PREC);
    v->trivialised &= encloses(L, Y, BITS, PREC);
    arb_mat_mul(M, T, G, PREC), skew_part(M, PREC);
    phi_ad(Y, A, M, PREC);
    skew_part(V, PREC);
    v->trivialised &= encloses(V, Y, BITS, PREC);
    v->trivialised &= same_inner(G, L, Y, E);
    if (n <= 6)
        v->packed &= packed_gradient(A, G, Y);
    arb_mat_clear(A), arb_mat_clear(minus), arb_mat_clear(Q), arb_mat_clear(T), arb_mat_clear(E);
    arb_mat_clear(G), arb_mat_clear(L), arb_mat_clear(V), arb_mat_clear(M), arb_mat_clear(Y);
}

/* Angles below pi, where log(exp(A)) = A and D log(Q) [L(A, F)] = F. */
static void logarithm(flint_rand_t state, shape s, int n, verdicts *v)
{
    double a[SQUARE], f[SQUARE], g[SQUARE];
    arb_mat_t A, minus, Q, T, F, G, L, X, Y;
    arb_mat_init(A, n, n), arb_mat_init(minus, n, n), arb_mat_init(Q, n, n), arb_mat_init(T, n, n), arb_mat_init(F, n, n);
    arb_mat_init(G, n, n), arb_mat_init(L, n, n), arb_mat_init(X, n, n), arb_mat_init(Y, n, n);
    random_skew(state, s, n, a), random_dense(state, n, g), random_skew(state, DENSE, n, f);
    for (int i = 0; i < n * n && s == DENSE; i++)
        a[i] /= 8;
    double rho = fmin(2, largest_angle(n, a)); /* no shape here has an angle above 2 */
    balls_of(A, a), balls_of(F, f), balls_of(G, g);
    arb_mat_exp(Q, A, 2 * PREC); /* high powers of ad_A widen the balls of what they are applied to */
    arb_mat_transpose(T, Q);
    exp_derivative(L, A, F, 2 * PREC);

    arb_mat_neg(minus, A);
    arb_mat_mul(Y, T, L, 2 * PREC);
    phi_ad_inverse(X, minus, Y, rho, PREC);
    v->inverse &= encloses(X, F, BITS, PREC);

    arb_mat_set(T, G), skew_part(T, PREC);
    phi_ad_inverse(X, A, T, rho, PREC);
    arb_mat_mul(Y, Q, X, PREC);
    v->along &= same_inner(Y, L, G, F);
    arb_mat_transpose(T, G), arb_mat_add(T, T, G, PREC);
    arb_mat_mul(L, Q, T, PREC); /* Q S, S symmetric */
    arb_mat_zero(G);
    v->along &= same_inner(Y, L, G, G);
    arb_mat_clear(A), arb_mat_clear(minus), arb_mat_clear(Q), arb_mat_clear(T), arb_mat_clear(F);
    arb_mat_clear(G), arb_mat_clear(L), arb_mat_clear(X), arb_mat_clear(Y);
}

/* ---- The Cayley map and its inverse, in exact rational arithmetic ---------------------------------------------------- */

static void rationals_of(fmpq_mat_t X, const double *x)
{
    arf_t f;
    arf_init(f);
    for (slong i = 0; i < fmpq_mat_nrows(X); i++)
        for (slong j = 0; j < fmpq_mat_ncols(X); j++)
            arf_set_d(f, x[i * fmpq_mat_ncols(X) + j]), arf_get_fmpq(fmpq_mat_entry(X, i, j), f);
    arf_clear(f);
}

/* out = <X, Y> */
static void inner_exact(fmpq_t out, const fmpq_mat_t X, const fmpq_mat_t Y)
{
    fmpq_zero(out);
    for (slong i = 0; i < fmpq_mat_nrows(X); i++)
        for (slong j = 0; j < fmpq_mat_ncols(X); j++)
            fmpq_addmul(out, fmpq_mat_entry(X, i, j), fmpq_mat_entry(Y, i, j));
}

static int same_inner_exact(const fmpq_mat_t W, const fmpq_mat_t X, const fmpq_mat_t Y, const fmpq_mat_t Z)
{
    fmpq_t x, y;
    fmpq_init(x), fmpq_init(y);
    inner_exact(x, W, X), inner_exact(y, Y, Z);
    int holds = fmpq_equal(x, y);
    fmpq_clear(x), fmpq_clear(y);
    return holds;
}

/* X <- X Y Z; X, Y, Z different. */
static void multiply3(fmpq_mat_t X, const fmpq_mat_t Y, const fmpq_mat_t Z)
{
    fmpq_mat_mul(X, X, Y), fmpq_mat_mul(X, X, Z);
}

/* M <- (M - M^T)/2; T: scratch. */
static void skew_part_exact(fmpq_mat_t M, fmpq_mat_t T, const fmpq_t half)
{
    fmpq_mat_transpose(T, M);
    fmpq_mat_sub(M, M, T);
    fmpq_mat_scalar_mul_fmpq(M, M, half);
}

static void cayley_maps(flint_rand_t state, shape s, int n, int *map, int *inverse)
{
    double a[SQUARE], e[SQUARE], g[SQUARE];
    fmpq_mat_t A, E, G, H, I, minus, plus, R, L, V, M, T;
    fmpq_t half;
    fmpq_mat_init(A, n, n), fmpq_mat_init(E, n, n), fmpq_mat_init(G, n, n), fmpq_mat_init(H, n, n), fmpq_mat_init(I, n, n);
    fmpq_mat_init(minus, n, n), fmpq_mat_init(plus, n, n), fmpq_mat_init(R, n, n), fmpq_mat_init(L, n, n);
    fmpq_mat_init(V, n, n), fmpq_mat_init(M, n, n), fmpq_mat_init(T, n, n), fmpq_init(half);
    random_skew(state, s, n, a), random_dense(state, n, g), random_skew(state, DENSE, n, e);
    rationals_of(A, a), rationals_of(E, e), rationals_of(G, g);
    fmpq_set_si(half, 1, 2);
    fmpq_mat_one(I);
    fmpq_mat_scalar_mul_fmpq(H, A, half);
    fmpq_mat_sub(minus, I, H), fmpq_mat_add(plus, I, H); /* I -+ A/2 */
    *map &= fmpq_mat_solve(R, minus, plus);

    /* The derivative L of (I - A/2) R = I + A/2: (I - A/2) L = E (R + I)/2. */
    fmpq_mat_add(H, R, I), fmpq_mat_scalar_mul_fmpq(H, H, half); /* K */
    fmpq_mat_mul(T, E, H);
    *map &= fmpq_mat_solve(L, minus, T);
    fmpq_mat_transpose(T, R);
    fmpq_mat_mul(M, T, G), skew_part_exact(M, T, half);
    fmpq_mat_mul(V, H, M);
    fmpq_mat_transpose(T, H);
    fmpq_mat_mul(V, V, T);
    *map &= same_inner_exact(G, L, V, E);

    /* dA = (I - A/2) dR (I - A/2) undoes L; the gradient along the rotations is V = (I + A/2) skew(G) (I + A/2) = R (skew). */
    fmpq_mat_set(T, minus), multiply3(T, L, minus);
    *inverse &= fmpq_mat_equal(T, E);
    fmpq_mat_set(M, G), skew_part_exact(M, T, half);
    fmpq_mat_set(V, plus), multiply3(V, M, plus);
    *inverse &= same_inner_exact(V, L, G, E);
    fmpq_mat_transpose(T, R), fmpq_mat_mul(M, T, V);
    fmpq_mat_transpose(T, M), fmpq_mat_neg(T, T);
    *inverse &= fmpq_mat_equal(M, T);

    fmpq_mat_clear(A), fmpq_mat_clear(E), fmpq_mat_clear(G), fmpq_mat_clear(H), fmpq_mat_clear(I), fmpq_mat_clear(minus);
    fmpq_mat_clear(plus), fmpq_mat_clear(R), fmpq_mat_clear(L), fmpq_mat_clear(V), fmpq_mat_clear(M), fmpq_mat_clear(T);
    fmpq_clear(half);
}

int main(void)
{
    flint_rand_t state;
    flint_randinit(state); /* holds no memory: nothing to clear */
    verdicts v = {1, 1, 1, 1, 1};
    int failed = 0, map = 1, inverse = 1;
    for (int n = 2; n <= LARGEST_ORDER; n += n < 9 ? 1 : 4)
        for (int s = 0; s < SHAPES; s++) {
            exponential(state, (shape)s, n, &v);
            if (s != NEAR_TURNS && s != LARGE)
                logarithm(state, (shape)s, n, &v);
            cayley_maps(state, (shape)s, n, &map, &inverse);
        }
    failed |= statement(v.block,
                        "4.1 exp: <G, L(A, E)> = <L(-A, G), E>, block form (n = 2..9, 13, 17, 8 shapes of A, balls, 2^-100)");
    failed |= statement(v.trivialised,
                        "4.2 the skew part of L(-A, G) is phi(ad_A) skew(exp(A)^T G), and L(A, E) = phi(ad_A)(E) exp(A)");
    failed |= statement(v.packed,
                        "4.3 a parameter A_ij = p, A_ji = -p has the gradient 2 L*(A, G)_ij, every pair i < j (n = 2..6)");
    failed |= statement(map, "4.4 Cayley: <G, L(A, E)> = <(I + R)/2 skew(R^T G) (I + R)^T/2, E> (exact rationals)");
    failed |= statement(v.inverse, "4.5 log: phi(-ad_A)^-1 (Q^T dQ) is the derivative, angles below pi (balls)");
    failed |= statement(v.along,
                        "4.6 log: Q phi(ad_A)^-1 skew(G) is the gradient along the rotations, orthogonal to every Q S");
    failed |= statement(inverse,
                        "4.7 inverse Cayley: the gradient along the rotations is (I + A/2) skew(G) (I + A/2) (exact rationals)");
    flint_cleanup();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
