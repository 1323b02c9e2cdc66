/* accuracy.c: the steps of accuracy.md that do not depend on the algorithm's constants (those: summation.c, rounding_*.c).
 * SPDX-License-Identifier: MIT */
#include "derivative.h"
#include "skew.h"
#include "statement.h"
#include <flint/fmpq_mat.h>
#include <stdlib.h>

enum { PREC = 192, SQUARE = LARGEST_ORDER * LARGEST_ORDER };

/* ---- 6.1, 6.2: conditioning ------------------------------------------------------------------------------------------ */

typedef struct verdicts {
    int exponential, cayley, second_order, contraction, lipschitz;
} verdicts;

/* ||X - Y||_F <= bound */
static int close_by(const arb_mat_t X, const arb_mat_t Y, const arb_t bound)
{
    arb_mat_t D;
    arb_t norm;
    arb_mat_init(D, arb_mat_nrows(X), arb_mat_ncols(X)), arb_init(norm);
    arb_mat_sub(D, X, Y, PREC);
    arb_mat_frobenius_norm(norm, D, PREC);
    int holds = arb_le(norm, bound);
    arb_mat_clear(D), arb_clear(norm);
    return holds;
}

static void cayley(arb_mat_t R, const arb_mat_t A)
{
    arb_mat_t B, C;
    arb_mat_init(B, arb_mat_nrows(A), arb_mat_nrows(A)), arb_mat_init(C, arb_mat_nrows(A), arb_mat_nrows(A));
    arb_mat_one(C);
    arb_mat_scalar_mul_2exp_si(R, A, -1);
    arb_mat_sub(B, C, R, PREC), arb_mat_add(C, C, R, PREC);
    arb_mat_solve(R, B, C, PREC);
    arb_mat_clear(B), arb_mat_clear(C);
}

/* A and A + E, E of equal angles (2-norm ||E||_F/sqrt(n) for even n) or of rank 2 (||E||_F/sqrt 2). */
static void conditioning(flint_rand_t state, shape s, int n, int rank2, verdicts *v)
{
    double a[SQUARE], e[SQUARE], m[SQUARE];
    arb_mat_t A, E, M, B, P, Q, Y;
    arb_t size, bound, slack;
    arb_mat_init(A, n, n), arb_mat_init(E, n, n), arb_mat_init(M, n, n), arb_mat_init(B, n, n);
    arb_mat_init(P, n, n), arb_mat_init(Q, n, n), arb_mat_init(Y, n, n), arb_init(size), arb_init(bound), arb_init(slack);
    random_skew(state, s, n, a), random_skew(state, rank2 ? RANK2 : EQUAL, n, e), random_skew(state, DENSE, n, m);
    balls_of(A, a), balls_of(E, e), balls_of(M, m);
    arb_mat_scalar_mul_2exp_si(E, E, -(slong)n_randint(state, 12));
    arb_mat_add(B, A, E, PREC);
    arb_mat_frobenius_norm(size, E, PREC);
    arb_one(slack), arb_mul_2exp_si(slack, slack, -100); /* n = 2: equality */

    arb_mat_exp(P, A, PREC), arb_mat_exp(Q, B, PREC);
    arb_add(bound, size, slack, PREC);
    v->exponential &= close_by(P, Q, bound);
    phi_ad(Y, A, E, PREC);
    arb_mat_mul(Y, Y, P, PREC), arb_mat_add(Y, Y, P, PREC);
    arb_sqr(bound, size, PREC), arb_mul_2exp_si(bound, bound, -1);
    v->second_order &= close_by(Q, Y, bound);
    cayley(P, A), cayley(Q, B);
    v->cayley &= close_by(P, Q, size);

    phi_ad(P, A, M, PREC), phi_ad(Q, B, M, PREC);
    arb_mat_frobenius_norm(bound, M, PREC);
    arb_sqrt_ui(slack, rank2 ? 2 : (ulong)(n / 2 * 2), PREC);
    arb_div(size, size, slack, PREC); /* ||E||_2 */
    arb_mul(size, size, bound, PREC);
    v->lipschitz &= close_by(P, Q, size);
    arb_one(slack), arb_mul_2exp_si(slack, slack, -100), arb_add(bound, bound, slack, PREC);
    arb_mat_zero(Q);
    v->contraction &= close_by(P, Q, bound);
    arb_mat_clear(A), arb_mat_clear(E), arb_mat_clear(M), arb_mat_clear(B), arb_mat_clear(P), arb_mat_clear(Q);
    arb_mat_clear(Y), arb_clear(size), arb_clear(bound), arb_clear(slack);
}

/* ---- 6.3, 6.4: the defect ---------------------------------------------------------------------------------------------- */

/* out = E^T E - I */
static void defect(fmpq_mat_t out, const fmpq_mat_t E)
{
    fmpq_mat_t T;
    fmpq_mat_init(T, fmpq_mat_nrows(E), fmpq_mat_nrows(E));
    fmpq_mat_transpose(T, E);
    fmpq_mat_mul(out, T, E);
    fmpq_mat_one(T);
    fmpq_mat_sub(out, out, T);
    fmpq_mat_clear(T);
}

/* For any rational E with D = E^T E - I: E^2 has the defect D + E^T D E, and E - E D/2 the defect -3/4 D^2 + 1/4 D^3. */
static int defect_identities(flint_rand_t state, int n)
{
    double e[SQUARE];
    fmpq_mat_t E, D, F, G, T;
    fmpq_t c;
    fmpq_mat_init(E, n, n), fmpq_mat_init(D, n, n), fmpq_mat_init(F, n, n), fmpq_mat_init(G, n, n), fmpq_mat_init(T, n, n);
    fmpq_init(c);
    random_dense(state, n, e);
    for (int i = 0; i < n * n; i++)
        fmpq_set_si(fmpq_mat_entry(E, i / n, i % n), (slong)(256 * e[i]), 512);
    defect(D, E);
    fmpq_mat_mul(F, E, E), defect(F, F);
    fmpq_mat_transpose(T, E), fmpq_mat_mul(G, T, D), fmpq_mat_mul(G, G, E), fmpq_mat_add(G, G, D);
    int holds = fmpq_mat_equal(F, G);

    fmpq_set_si(c, 1, 2);
    fmpq_mat_mul(F, E, D), fmpq_mat_scalar_mul_fmpq(F, F, c), fmpq_mat_sub(F, E, F);
    defect(F, F);
    fmpq_mat_mul(T, D, D);
    fmpq_set_si(c, 1, 4);
    fmpq_mat_mul(G, T, D), fmpq_mat_scalar_mul_fmpq(G, G, c);
    fmpq_set_si(c, 3, 4);
    fmpq_mat_scalar_mul_fmpq(T, T, c), fmpq_mat_sub(G, G, T);
    holds &= fmpq_mat_equal(F, G);
    fmpq_mat_clear(E), fmpq_mat_clear(D), fmpq_mat_clear(F), fmpq_mat_clear(G), fmpq_mat_clear(T), fmpq_clear(c);
    return holds;
}

/* A step takes a defect d to at most 3/4 d^2 + 1/4 d^3: from 1/8 four steps reach u = 2^-53, from sqrt(u) one does. */
static int newton_schulz(void)
{
    arb_t d, square;
    arb_init(d), arb_init(square);
    int holds = 1;
    for (int near = 0; near < 2; near++) {
        arb_one(d), arb_mul_2exp_si(d, d, near ? -53 : -6);
        arb_sqrt(d, d, PREC);
        for (int step = 0; step < (near ? 1 : 4); step++) {
            arb_sqr(square, d, PREC);
            arb_add_ui(d, d, 3, PREC), arb_mul(d, d, square, PREC), arb_mul_2exp_si(d, d, -2);
        }
        arb_one(square), arb_mul_2exp_si(square, square, -53);
        holds &= arb_le(d, square);
    }
    arb_clear(d), arb_clear(square);
    return holds;
}

int main(void)
{
    static const int orders[] = {2, 3, 4, 5, 8, 13, LARGEST_ORDER};
    flint_rand_t state;
    flint_randinit(state); /* holds no memory: nothing to clear */
    verdicts v = {1, 1, 1, 1, 1};
    int failed = 0, identities = 1;
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        for (int s = 0; s < SHAPES; s++)
            conditioning(state, (shape)s, orders[i], s % 2, &v);
        identities &= defect_identities(state, orders[i]);
    }
    failed |= statement(v.exponential && v.cayley,
                        "6.1 ||f(A + E) - f(A)||_F <= ||E||_F for exp and the Cayley map (balls, n = 2..17, 8 shapes)");
    failed |= statement(v.second_order, "6.2 ||exp(A + E) - (I + phi(ad_A) E) exp(A)||_F <= ||E||_F^2/2");
    failed |= statement(v.contraction && v.lipschitz,
                        "6.3 ||phi(ad_A) M||_F <= ||M||_F; in A it moves by at most ||E||_2 ||M||_F");
    failed |= statement(identities,
                        "6.4 defects: D + E^T D E after a squaring, -3/4 D^2 + 1/4 D^3 after a step (exact rationals)");
    failed |= statement(newton_schulz(),
                        "6.5 four steps take any defect up to 1/8 to u, one step any up to sqrt(u), in f64 (balls)");
    flint_cleanup();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
