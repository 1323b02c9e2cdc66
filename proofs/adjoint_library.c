/* adjoint_library.c: the gradients that libso returns are the adjoints of adjoint.md, with its conventions: skew projection,
 * packed entries, the sums of so_encode_vjp. Bounds are those of so.h; everything they are compared with is a ball.
 * SPDX-License-Identifier: MIT */
#include "derivative.h"
#include "libso/so.h"
#include "skew.h"
#include "statement.h"
#include <stdlib.h>

enum { PREC = 256, SQUARE = LARGEST_ORDER * LARGEST_ORDER };

static void narrow(int count, const double *x, float *y)
{
    for (int i = 0; i < count; i++)
        y[i] = (float)x[i];
}

static void widen_numbers(int count, const float *x, double *y)
{
    for (int i = 0; i < count; i++)
        y[i] = (double)x[i];
}

static double unit(int bits)
{
    return ldexp(1, -bits);
}

/* x <- numbers of the type */
static void round_numbers(int bits, int count, double *x)
{
    for (int i = 0; i < count && bits == 24; i++)
        x[i] = (double)(float)x[i];
}

/* ||x - X||_F <= bound, for certain? */
static int within(const arb_mat_t X, const double *x, const arb_t bound)
{
    arb_mat_t D;
    arb_t norm;
    arb_mat_init(D, arb_mat_nrows(X), arb_mat_ncols(X)), arb_init(norm);
    balls_of(D, x);
    arb_mat_sub(D, D, X, PREC);
    arb_mat_frobenius_norm(norm, D, PREC);
    int holds = arb_le(norm, bound);
    arb_mat_clear(D), arb_clear(norm);
    return holds;
}

/* out = ||X||_F ||Y||_F; Y may be NULL. */
static void norms(arb_t out, const arb_mat_t X, const arb_mat_struct *Y)
{
    arb_t y;
    arb_init(y);
    arb_mat_frobenius_norm(out, X, PREC);
    if (Y)
        arb_mat_frobenius_norm(y, Y, PREC), arb_mul(out, out, y, PREC);
    arb_clear(y);
}

/* bound = c u (1 + ||A||/10) ||X||_F ||Y||_F, where ||A|| = ||A||_F/sqrt(n) <= rho; Y may be NULL. */
static void contract(arb_t bound, double c, int bits, const arb_mat_t A, const arb_mat_t X, const arb_mat_struct *Y)
{
    arb_t x;
    arb_init(x);
    norms(bound, A, NULL);
    arb_sqrt_ui(x, (ulong)arb_mat_nrows(A), PREC);
    arb_div(bound, bound, x, PREC), arb_div_ui(bound, bound, 10, PREC), arb_add_ui(bound, bound, 1, PREC);
    norms(x, X, Y), arb_mul(bound, bound, x, PREC);
    arb_set_d(x, c * unit(bits)), arb_mul(bound, bound, x, PREC);
    arb_clear(x);
}

/* |x - y| <= bound, for certain? */
static int near(const arb_t x, const arb_t y, const arb_t bound)
{
    arb_t d;
    arb_init(d);
    arb_sub(d, x, y, PREC), arb_abs(d, d);
    int holds = arb_le(d, bound);
    arb_clear(d);
    return holds;
}

/* ---- exp and Cayley -------------------------------------------------------------------------------------------------- */

typedef struct answers {
    double R[SQUARE], dA[SQUARE], L[SQUARE];
} answers;

static int call_exp(int bits, so_ctx *ctx, so_method method, int n, const double *A, const double *E, const double *G,
                    answers *out)
{
    int count = n * n;
    float a[SQUARE], e[SQUARE], g[SQUARE], r[SQUARE], v[SQUARE], l[SQUARE];
    if (bits == 53)
        return so_exp_f64(ctx, method, n, 1, A, out->R) == SO_OK &&
               so_exp_vjp_f64(ctx, method, n, 1, A, out->R, G, out->dA) == SO_OK &&
               so_exp_jvp_f64(ctx, method, n, 1, A, E, out->R, out->L) == SO_OK;
    narrow(count, A, a), narrow(count, E, e), narrow(count, G, g);
    int done = so_exp_f32(ctx, method, n, 1, a, r) == SO_OK && so_exp_vjp_f32(ctx, method, n, 1, a, r, g, v) == SO_OK &&
               so_exp_jvp_f32(ctx, method, n, 1, a, e, r, l) == SO_OK;
    widen_numbers(count, r, out->R), widen_numbers(count, v, out->dA), widen_numbers(count, l, out->L);
    return done;
}

/* V = the adjoint applied to G: the skew part of L(-A, G), or of K^T G K^T with K^T = (I + A/2)^-1. */
static void adjoint_of(int cayley, arb_mat_t V, const arb_mat_t A, const arb_mat_t G)
{
    arb_mat_t M;
    arb_mat_init(M, arb_mat_nrows(A), arb_mat_nrows(A));
    if (cayley) {
        arb_mat_one(M);
        arb_mat_scalar_mul_2exp_si(V, A, -1), arb_mat_add(V, V, M, PREC);
        arb_mat_inv(M, V, PREC);
        arb_mat_mul(V, M, G, PREC), arb_mat_mul(V, V, M, PREC);
    } else {
        arb_mat_neg(M, A);
        exp_derivative(V, M, G, PREC);
    }
    skew_part(V, PREC);
    arb_mat_clear(M);
}

typedef struct verdicts {
    int gradient, pair, packed, log, cayley_inverse, encode;
} verdicts;

static int is_skew(int n, const double *X)
{
    int holds = 1;
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            holds &= X[i * n + j] == -X[j * n + i];
    return holds;
}

static void exponential(flint_rand_t state, so_ctx *ctx, int bits, shape s, int n, verdicts *v)
{
    double a[SQUARE], e[SQUARE], g[SQUARE];
    answers got;
    arb_mat_t A, E, G, L, V;
    arb_t x, y, bound;
    arb_mat_init(A, n, n), arb_mat_init(E, n, n), arb_mat_init(G, n, n), arb_mat_init(L, n, n), arb_mat_init(V, n, n);
    arb_init(x), arb_init(y), arb_init(bound);
    random_skew(state, s, n, a), random_dense(state, n, g), random_skew(state, DENSE, n, e);
    round_numbers(bits, n * n, a);
    balls_of(A, a), balls_of(E, e), balls_of(G, g);
    for (int method = SO_AUTO; method <= SO_CAYLEY; method++) {
        v->gradient &= call_exp(bits, ctx, (so_method)method, n, a, e, g, &got) && is_skew(n, got.dA);
        if (method == SO_AUTO || method == SO_CAYLEY)
            adjoint_of(method == SO_CAYLEY, V, A, G);
        contract(bound, 30, bits, A, G, NULL);
        v->gradient &= within(V, got.dA, bound);
        balls_of(L, got.L);
        inner(x, G, L, PREC);
        balls_of(L, got.dA);
        inner(y, L, E, PREC);
        contract(bound, 60, bits, A, G, E);
        v->pair &= near(x, y, bound);
    }
    arb_mat_clear(A), arb_mat_clear(E), arb_mat_clear(G), arb_mat_clear(L), arb_mat_clear(V);
    arb_clear(x), arb_clear(y), arb_clear(bound);
}

/* Parameters p, A = so_unpack(p): 2 so_pack(dA) is the gradient of p -> <G, exp(A(p))>, entry by entry. */
static void packed(flint_rand_t state, so_ctx *ctx, int n, verdicts *v)
{
    double p[SQUARE], q[SQUARE], a[SQUARE], g[SQUARE];
    answers got;
    int count = n * (n - 1) / 2;
    arb_mat_t A, E, G, L;
    arb_t x, y, bound;
    arb_mat_init(A, n, n), arb_mat_init(E, n, n), arb_mat_init(G, n, n), arb_mat_init(L, n, n);
    arb_init(x), arb_init(y), arb_init(bound);
    random_dense(state, n, p), random_dense(state, n, g);
    v->packed &= so_unpack_f64(ctx, n, 1, p, a) == SO_OK;
    v->packed &= call_exp(53, ctx, SO_AUTO, n, a, a, g, &got) && so_pack_f64(ctx, n, 1, got.dA, q) == SO_OK;
    balls_of(A, a), balls_of(G, g);
    contract(bound, 60, 53, A, G, NULL);
    for (int k = 0; k < count; k++) {
        double e[SQUARE], one[SQUARE] = {0};
        one[k] = 1; /* the direction of parameter k */
        v->packed &= so_unpack_f64(ctx, n, 1, one, e) == SO_OK;
        balls_of(E, e);
        exp_derivative(L, A, E, PREC);
        inner(x, G, L, PREC);
        arb_set_d(y, 2 * q[k]);
        v->packed &= near(x, y, bound);
    }
    arb_mat_clear(A), arb_mat_clear(E), arb_mat_clear(G), arb_mat_clear(L), arb_clear(x), arb_clear(y), arb_clear(bound);
}

/* ---- log and the inverse Cayley map ---------------------------------------------------------------------------------- */

static int call_inverse(int bits, so_ctx *ctx, int cayley, int n, const double *R, const double *A, const double *G, double *dR)
{
    float r[SQUARE], a[SQUARE], g[SQUARE], d[SQUARE];
    if (bits == 53)
        return (cayley ? so_cayley_inverse_vjp_f64(ctx, n, 1, A, G, dR) : so_log_vjp_f64(ctx, n, 1, R, A, G, dR)) == SO_OK;
    narrow(n * n, R, r), narrow(n * n, A, a), narrow(n * n, G, g);
    so_status status = cayley ? so_cayley_inverse_vjp_f32(ctx, n, 1, a, g, d) : so_log_vjp_f32(ctx, n, 1, r, a, g, d);
    widen_numbers(n * n, d, dR);
    return status == SO_OK;
}

/* dR against R phi(ad_A)^-1 skew(G) and (I + A/2) skew(G) (I + A/2); kappa and tau of so.h at the bound of the angles. */
static void inverse_maps(flint_rand_t state, so_ctx *ctx, int bits, shape s, int n, verdicts *v)
{
    double a[SQUARE], g[SQUARE], r[SQUARE], d[SQUARE], u = unit(bits), u64 = unit(53);
    arb_mat_t A, G, M, X, D;
    arb_t bound, x;
    arb_mat_init(A, n, n), arb_mat_init(G, n, n), arb_mat_init(M, n, n), arb_mat_init(X, n, n), arb_mat_init(D, n, n);
    arb_init(bound), arb_init(x);
    random_skew(state, s, n, a), random_dense(state, n, g);
    for (int i = 0; i < n * n && s == DENSE; i++)
        a[i] /= 8;
    round_numbers(bits, n * n, a);
    double rho = fmin(2, largest_angle(n, a)), kappa = M_PI / (M_PI - rho);
    balls_of(A, a), balls_of(G, g);
    arb_mat_exp(D, A, PREC);
    for (int i = 0; i < n * n; i++)
        r[i] = arf_get_d(arb_midref(arb_mat_entry(D, i / n, i % n)), ARF_RND_NEAR);
    round_numbers(bits, n * n, r);
    balls_of(D, r);
    arb_mat_set(M, G), skew_part(M, PREC);
    norms(x, G, NULL);

    phi_ad_inverse(X, A, M, rho, PREC);
    arb_mat_mul(X, D, X, PREC);
    arb_set_d(bound, (50 * u64 * kappa + u) * kappa), arb_mul(bound, bound, x, PREC);
    v->log &= call_inverse(bits, ctx, 0, n, r, a, g, d) && within(X, d, bound);

    arb_mat_one(D);
    arb_mat_scalar_mul_2exp_si(X, A, -1), arb_mat_add(D, D, X, PREC);
    arb_mat_mul(X, D, M, PREC), arb_mat_mul(X, X, D, PREC);
    arb_set_d(bound, (10 * u64 + u) * (1 + rho * rho / 4)), arb_mul(bound, bound, x, PREC);
    v->cayley_inverse &= call_inverse(bits, ctx, 1, n, r, a, g, d) && within(X, d, bound);
    arb_mat_clear(A), arb_mat_clear(G), arb_mat_clear(M), arb_mat_clear(X), arb_mat_clear(D), arb_clear(bound), arb_clear(x);
}

/* ---- so_encode ------------------------------------------------------------------------------------------------------- */

enum { GROUPS = 2, TOKENS = 3, DIMS = 2, TILE = 5, TILES = TILE * TILE };

typedef struct encoding {
    double position[TOKENS * DIMS], generator[GROUPS * DIMS * TILES];
} encoding;

typedef struct gradient {
    encoding d; /* dposition, dgenerator */
    double R[GROUPS * TOKENS * TILES], dR[GROUPS * TOKENS * TILES];
} gradient;

/* Positions are multiples of 1/4, generators of 2^-9: the token-wise generators are f32 numbers, no rounding. */
static void random_encoding(flint_rand_t state, encoding *x)
{
    for (int i = 0; i < TOKENS * DIMS; i++)
        x->position[i] = ((double)n_randint(state, 33) - 16) / 4;
    for (int i = 0; i < GROUPS * DIMS; i++)
        random_skew(state, DENSE, TILE, x->generator + i * TILES);
}

static int call_encode(int bits, so_ctx *ctx, so_method method, const encoding *x, gradient *out)
{
    enum { P = TOKENS * DIMS, B = GROUPS * DIMS * TILES, M = GROUPS * TOKENS * TILES };
    const so_encoding e = {.method = method, .dims = DIMS, .tile = TILE, .groups = GROUPS, .tokens = TOKENS};
    float p[P], b[B], r[M], g[M], dp[P], db[B];
    if (bits == 53)
        return so_encode_f64(ctx, &e, x->position, x->generator, out->R) == SO_OK &&
               so_encode_vjp_f64(ctx, &e, x->position, x->generator, out->R, out->dR, out->d.generator, out->d.position) == SO_OK;
    narrow(P, x->position, p), narrow(B, x->generator, b), narrow(M, out->dR, g);
    int done = so_encode_f32(ctx, &e, p, b, r) == SO_OK && so_encode_vjp_f32(ctx, &e, p, b, r, g, db, dp) == SO_OK;
    widen_numbers(P, dp, out->d.position), widen_numbers(B, db, out->d.generator);
    return done;
}

/* out = sum_d x->position[t][d] y->generator[g][d] */
static void token_generator(arb_mat_t out, const encoding *x, const encoding *y, int g, int t)
{
    arb_mat_t B;
    arb_t p;
    arb_mat_init(B, TILE, TILE), arb_init(p);
    arb_mat_zero(out);
    for (int d = 0; d < DIMS; d++) {
        balls_of(B, y->generator + (g * DIMS + d) * TILES);
        arb_set_d(p, x->position[t * DIMS + d]);
        arb_mat_scalar_addmul_arb(out, B, p, PREC);
    }
    arb_mat_clear(B), arb_clear(p);
}

/* out += <x, y>, exactly */
static void add_products(arb_t out, int count, const double *x, const double *y)
{
    arb_t a, b;
    arb_init(a), arb_init(b);
    for (int i = 0; i < count; i++)
        arb_set_d(a, x[i]), arb_set_d(b, y[i]), arb_addmul(out, a, b, PREC);
    arb_clear(a), arb_clear(b);
}

/* bound += what rounding the sums of so_encode_vjp may cost for group g and token t: up to `additions` per entry, ||dA||_F <= 2
 * ||dR||_F. */
static void add_roundings(arb_t bound, int bits, const encoding *position, const encoding *generator, int g, int t,
                          const arb_mat_t dR)
{
    enum { ADDITIONS = TOKENS + TILES + GROUPS };
    arb_mat_t B;
    arb_t x, c;
    arb_mat_init(B, TILE, TILE), arb_init(x), arb_init(c);
    for (int d = 0; d < DIMS; d++) {
        balls_of(B, generator->generator + (g * DIMS + d) * TILES);
        norms(x, dR, B);
        arb_set_d(c, 2 * ADDITIONS * unit(bits) * fabs(position->position[t * DIMS + d]));
        arb_addmul(bound, c, x, PREC);
    }
    arb_mat_clear(B), arb_clear(x), arb_clear(c);
}

/* In a direction h: sum <dR, L(A, E)>, E = sum_d h.position generator + position h.generator, is <dgenerator, h.generator> +
 * <dposition, h.position>, up to the contract of exp and the roundings of the sums. */
static void encode(flint_rand_t state, so_ctx *ctx, int bits, so_method method, verdicts *v)
{
    encoding x, h;
    gradient got;
    arb_mat_t A, E, F, G, L;
    arb_t left, right, bound, y;
    arb_mat_init(A, TILE, TILE), arb_mat_init(E, TILE, TILE), arb_mat_init(F, TILE, TILE), arb_mat_init(G, TILE, TILE);
    arb_mat_init(L, TILE, TILE), arb_init(left), arb_init(right), arb_init(bound), arb_init(y);
    random_encoding(state, &x), random_encoding(state, &h);
    for (int k = 0; k < GROUPS * TOKENS; k++)
        random_dense(state, TILE, got.dR + k * TILES);
    v->encode &= call_encode(bits, ctx, method, &x, &got);
    for (int g = 0; g < GROUPS; g++)
        for (int t = 0; t < TOKENS; t++) {
            token_generator(A, &x, &x, g, t), token_generator(E, &h, &x, g, t), token_generator(F, &x, &h, g, t);
            arb_mat_add(E, E, F, PREC);
            balls_of(G, got.dR + (g * TOKENS + t) * TILES);
            exp_derivative(L, A, E, PREC);
            inner(y, G, L, PREC), arb_add(left, left, y, PREC);
            contract(y, 30, bits, A, G, E), arb_add(bound, bound, y, PREC);
            add_roundings(bound, bits, &h, &x, g, t, G), add_roundings(bound, bits, &x, &h, g, t, G);
        }
    add_products(right, GROUPS * DIMS * TILES, got.d.generator, h.generator);
    add_products(right, TOKENS * DIMS, got.d.position, h.position);
    v->encode &= near(left, right, bound);
    arb_mat_clear(A), arb_mat_clear(E), arb_mat_clear(F), arb_mat_clear(G), arb_mat_clear(L);
    arb_clear(left), arb_clear(right), arb_clear(bound), arb_clear(y);
}

int main(void)
{
    static const int orders[] = {2, 3, 4, 5, 8, LARGEST_ORDER};
    flint_rand_t state;
    flint_randinit(state); /* holds no memory: nothing to clear */
    verdicts v = {1, 1, 1, 1, 1, 1};
    int failed = 0;
    so_ctx *ctx;
    if (so_ctx_create_cpu(&ctx, 1) != SO_OK)
        return EXIT_FAILURE;
    for (int bits = 53; bits >= 24; bits -= 53 - 24) {
        for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
            for (int s = 0; s < SHAPES; s++) {
                exponential(state, ctx, bits, (shape)s, orders[i], &v);
                if (s != NEAR_TURNS && s != LARGE)
                    inverse_maps(state, ctx, bits, (shape)s, orders[i], &v);
            }
        for (int k = 0; k < 4 * SO_CAYLEY; k++)
            encode(state, ctx, bits, (so_method)(k % SO_CAYLEY), &v); /* all methods for exp */
    }
    for (int n = 2; n <= 6; n++)
        packed(state, ctx, n, &v);
    so_ctx_destroy(ctx);
    failed |= statement(v.gradient,
                        "4.8 so_exp_vjp returns the adjoint, skew, within the contract (5 methods, f64 and f32, 8 shapes)");
    failed |= statement(v.pair, "4.9 <dR, L> = <dA, E> for so_exp_jvp and so_exp_vjp, within twice the contract");
    failed |= statement(v.packed, "4.10 parameters of so_unpack: their gradient is 2 so_pack(dA)");
    failed |= statement(v.log, "4.11 so_log_vjp returns R phi(ad_A)^-1 skew(dA) within its bound");
    failed |= statement(v.cayley_inverse, "4.12 so_cayley_inverse_vjp returns (I + A/2) skew(dA) (I + A/2) within its bound");
    failed |= statement(v.encode,
                        "4.13 so_encode_vjp: <dgenerator, h> + <dposition, k> is the derivative of the loss along (h, k)");
    flint_cleanup();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
