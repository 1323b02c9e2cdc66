/* lie1d.c: LieRE with one position dimension is RoPE with learned frequencies. README.md, section 2.
 * SPDX-License-Identifier: MIT */
#include "statement.h"
#include <acb_mat.h>
#include <stdlib.h>

enum { PREC = 400, BITS = 100, ORDER = 8 };

static void random_vector(arb_mat_t v, flint_rand_t state)
{
    for (slong i = 0; i < arb_mat_nrows(v); i++) {
        arb_set_si(arb_mat_entry(v, i, 0), (slong)n_randint(state, 2001) - 1000);
        arb_div_si(arb_mat_entry(v, i, 0), arb_mat_entry(v, i, 0), 256, PREC);
    }
}

static void random_skew(arb_mat_t A, flint_rand_t state)
{
    for (slong i = 0; i < ORDER; i++)
        for (slong j = i + 1; j < ORDER; j++) {
            arb_ptr x = arb_mat_entry(A, i, j);
            arb_set_si(x, (slong)n_randint(state, 2001) - 1000);
            arb_mul_2exp_si(x, x, -8);
            arb_neg(arb_mat_entry(A, j, i), x);
        }
}

/* W and frequencies with W^T A W = blockdiag(frequency_k J), J = [0 -1; 1 0], from enclosures of all eigenpairs (Rump). An
 * eigenpair (i f, x + i y), f > 0, gives the columns sqrt(2) y, sqrt(2) x. Returns 0 if the eigenvalues could not be separated. */
static int canonical_form(arb_mat_t W, arb_ptr frequency, const arb_mat_t A)
{
    acb_mat_t C, right, approximate;
    acb_ptr values = _acb_vec_init(ORDER), guesses = _acb_vec_init(ORDER);
    arb_t norm;
    acb_mat_init(C, ORDER, ORDER), acb_mat_init(right, ORDER, ORDER), acb_mat_init(approximate, ORDER, ORDER), arb_init(norm);
    acb_mat_set_arb_mat(C, A);
    acb_mat_approx_eig_qr(guesses, NULL, approximate, C, NULL, 0, PREC);
    int done = acb_mat_eig_simple(values, NULL, right, C, guesses, approximate, PREC), pairs = 0;
    for (slong k = 0; done && k < ORDER && pairs < ORDER / 2; k++) {
        if (!arb_is_positive(acb_imagref(values + k)))
            continue;
        arb_set(frequency + pairs, acb_imagref(values + k));
        arb_zero(norm);
        for (slong i = 0; i < ORDER; i++) {
            arb_addmul(norm, acb_realref(acb_mat_entry(right, i, k)), acb_realref(acb_mat_entry(right, i, k)), PREC);
            arb_addmul(norm, acb_imagref(acb_mat_entry(right, i, k)), acb_imagref(acb_mat_entry(right, i, k)), PREC);
        }
        arb_mul_2exp_si(norm, norm, -1);
        arb_rsqrt(norm, norm, PREC);
        for (slong i = 0; i < ORDER; i++) {
            arb_mul(arb_mat_entry(W, i, 2 * pairs), acb_imagref(acb_mat_entry(right, i, k)), norm, PREC);
            arb_mul(arb_mat_entry(W, i, 2 * pairs + 1), acb_realref(acb_mat_entry(right, i, k)), norm, PREC);
        }
        pairs++;
    }
    acb_mat_clear(C), acb_mat_clear(right), acb_mat_clear(approximate), arb_clear(norm);
    _acb_vec_clear(values, ORDER), _acb_vec_clear(guesses, ORDER);
    return done && pairs == ORDER / 2;
}

static void blocks(arb_mat_t out, arb_srcptr frequency)
{
    arb_mat_zero(out);
    for (slong k = 0; k < ORDER / 2; k++) {
        arb_set(arb_mat_entry(out, 2 * k + 1, 2 * k), frequency + k);
        arb_neg(arb_mat_entry(out, 2 * k, 2 * k + 1), frequency + k);
    }
}

/* What RoPE does: pair k of x turns by position * frequency_k. */
static void rope(arb_mat_t x, arb_srcptr frequency, const arb_t position)
{
    arb_t angle, sine, cosine, a, b;
    arb_init(angle), arb_init(sine), arb_init(cosine), arb_init(a), arb_init(b);
    for (slong k = 0; k < ORDER / 2; k++) {
        arb_ptr x0 = arb_mat_entry(x, 2 * k, 0), x1 = arb_mat_entry(x, 2 * k + 1, 0);
        arb_mul(angle, position, frequency + k, PREC);
        arb_sin_cos(sine, cosine, angle, PREC);
        arb_mul(a, cosine, x0, PREC), arb_submul(a, sine, x1, PREC);
        arb_mul(b, sine, x0, PREC), arb_addmul(b, cosine, x1, PREC);
        arb_set(x0, a), arb_set(x1, b);
    }
    arb_clear(angle), arb_clear(sine), arb_clear(cosine), arb_clear(a), arb_clear(b);
}

/* x <- exp(position A) x: LieRE. */
static void liere(arb_mat_t x, const arb_mat_t A, const arb_t position)
{
    arb_mat_t R;
    arb_mat_init(R, ORDER, ORDER);
    arb_mat_scalar_mul_arb(R, A, position, PREC);
    arb_mat_exp(R, R, PREC);
    arb_mat_mul(x, R, x, PREC);
    arb_mat_clear(R);
}

static void dot(arb_mat_t out, const arb_mat_t x, const arb_mat_t y)
{
    arb_mat_t t;
    arb_mat_init(t, 1, ORDER);
    arb_mat_transpose(t, x);
    arb_mat_mul(out, t, y, PREC);
    arb_mat_clear(t);
}

typedef struct verdicts {
    int orthogonal, canonical, scores, relative;
} verdicts;

static void one_trial(flint_rand_t state, verdicts *v)
{
    arb_mat_t A, W, Wt, D, P, q, k, fq, fk, s[3];
    arb_t position[3];
    arb_ptr frequency = _arb_vec_init(ORDER / 2);
    arb_mat_init(A, ORDER, ORDER), arb_mat_init(W, ORDER, ORDER), arb_mat_init(Wt, ORDER, ORDER);
    arb_mat_init(D, ORDER, ORDER), arb_mat_init(P, ORDER, ORDER);
    arb_mat_init(q, ORDER, 1), arb_mat_init(k, ORDER, 1), arb_mat_init(fq, ORDER, 1), arb_mat_init(fk, ORDER, 1);
    for (int i = 0; i < 3; i++) {
        arb_mat_init(s[i], 1, 1), arb_init(position[i]);
        arb_set_si(position[i], (slong)n_randint(state, 2001) - 1000), arb_mul_2exp_si(position[i], position[i], -6);
    }
    random_skew(A, state), random_vector(q, state), random_vector(k, state);
    v->canonical &= canonical_form(W, frequency, A);
    v->orthogonal &= is_orthogonal(W, BITS, PREC);
    arb_mat_transpose(Wt, W);
    arb_mat_mul(P, Wt, A, PREC), arb_mat_mul(P, P, W, PREC);
    blocks(D, frequency);
    v->canonical &= encloses(P, D, BITS, PREC);

    arb_mat_mul(fq, Wt, q, PREC), arb_mat_mul(fk, Wt, k, PREC); /* W folded into the weights that make q and k */
    rope(fq, frequency, position[0]), rope(fk, frequency, position[1]);
    dot(s[0], fq, fk);
    liere(q, A, position[0]), liere(k, A, position[1]);
    dot(s[1], q, k);
    v->scores &= encloses(s[1], s[0], BITS, PREC);
    liere(q, A, position[2]), liere(k, A, position[2]); /* both tokens moved by the same distance */
    dot(s[2], q, k);
    v->relative &= encloses(s[2], s[0], BITS, PREC);

    arb_mat_clear(A), arb_mat_clear(W), arb_mat_clear(Wt), arb_mat_clear(D), arb_mat_clear(P);
    arb_mat_clear(q), arb_mat_clear(k), arb_mat_clear(fq), arb_mat_clear(fk);
    for (int i = 0; i < 3; i++)
        arb_mat_clear(s[i]), arb_clear(position[i]);
    _arb_vec_clear(frequency, ORDER / 2);
}

int main(void)
{
    flint_rand_t state;
    verdicts v = {1, 1, 1, 1};
    int failed = 0;
    flint_randinit(state); /* holds no memory: nothing to clear */
    for (int trial = 0; trial < 20; trial++)
        one_trial(state, &v);
    failed |= statement(v.orthogonal, "2.1 W is orthogonal (20 random A of order 8, balls within 2^-100)");
    failed |= statement(v.canonical, "2.2 W^T A W = blockdiag(frequency_k J)");
    failed |= statement(v.scores, "2.3 the scores of LieRE are those of RoPE with these frequencies and W folded into the weights");
    failed |= statement(v.relative, "2.4 they depend on the difference of the positions alone");
    flint_cleanup();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
