/* tile2.c: LieRE with tiles of order 2 is RoPE-Mixed, and so_encode computes it within its contract. README.md, section 3.
 * SPDX-License-Identifier: MIT */
#include "libso/so.h"
#include "statement.h"
#include <math.h>
#include <stdlib.h>

enum { PREC = 300, BITS = 100, DIMS = 3, GROUPS = 16, TOKENS = 64 };

/* sum_d position_d frequency_d, exactly (dyadic numbers). */
static void mixed_angle(arb_t angle, const double *position, const double *frequency)
{
    arb_t p, f;
    arb_init(p), arb_init(f);
    arb_zero(angle);
    for (int d = 0; d < DIMS; d++)
        arb_set_d(p, position[d]), arb_set_d(f, frequency[d]), arb_addmul(angle, p, f, PREC);
    arb_clear(p), arb_clear(f);
}

/* RoPE-Mixed's matrix: rotation by that angle. */
static void rotation(arb_mat_t R, const arb_t angle)
{
    arb_sin_cos(arb_mat_entry(R, 1, 0), arb_mat_entry(R, 0, 0), angle, PREC);
    arb_set(arb_mat_entry(R, 1, 1), arb_mat_entry(R, 0, 0));
    arb_neg(arb_mat_entry(R, 0, 1), arb_mat_entry(R, 1, 0));
}

/* LieRE's: exp(sum_d position_d frequency_d J). */
static void liere(arb_mat_t R, const double *position, const double *frequency)
{
    arb_mat_t sum, term;
    arb_t p, f;
    arb_mat_init(sum, 2, 2), arb_mat_init(term, 2, 2), arb_init(p), arb_init(f);
    for (int d = 0; d < DIMS; d++) {
        arb_set_d(p, position[d]), arb_set_d(f, frequency[d]);
        arb_mat_zero(term);
        arb_set(arb_mat_entry(term, 1, 0), f), arb_neg(arb_mat_entry(term, 0, 1), f);
        arb_mat_scalar_mul_arb(term, term, p, PREC);
        arb_mat_add(sum, sum, term, PREC);
    }
    arb_mat_exp(R, sum, PREC);
    arb_mat_clear(sum), arb_mat_clear(term), arb_clear(p), arb_clear(f);
}

/* ||R - exact|| / sqrt(2) against (10 + 2 rho) u for the exponential plus DIMS u sum |p f| for forming its argument. */
static int within_contract(const double R[4], const arb_mat_t exact, const arb_t angle, const double *position,
                           const double *frequency, double u)
{
    arb_t total, d, bound;
    arb_init(total), arb_init(d), arb_init(bound);
    for (int i = 0; i < 4; i++) {
        arb_set_d(d, R[i]);
        arb_sub(d, d, arb_mat_entry(exact, i / 2, i % 2), PREC);
        arb_addmul(total, d, d, PREC);
    }
    arb_mul_2exp_si(total, total, -1);
    arb_sqrt(total, total, PREC);
    double size = 0;
    for (int k = 0; k < DIMS; k++)
        size += fabs(position[k] * frequency[k]);
    arb_abs(bound, angle);
    arb_mul_2exp_si(bound, bound, 1);
    arb_add_si(bound, bound, 10, PREC);
    arb_set_d(d, DIMS * size);
    arb_add(bound, bound, d, PREC);
    arb_set_d(d, u);
    arb_mul(bound, bound, d, PREC);
    int holds = arb_le(total, bound);
    arb_clear(total), arb_clear(d), arb_clear(bound);
    return holds;
}

typedef struct problem {
    double position[TOKENS * DIMS], frequency[GROUPS * DIMS], generator[GROUPS * DIMS * 4], R[GROUPS * TOKENS * 4];
} problem;

/* Multiples of 2^-8 (f32 numbers too): positions below 16, frequencies below 4. */
static void fill(problem *x, flint_rand_t state)
{
    for (int i = 0; i < TOKENS * DIMS; i++)
        x->position[i] = ldexp((double)n_randint(state, 8192) - 4096, -8);
    for (int i = 0; i < GROUPS * DIMS; i++) {
        x->frequency[i] = ldexp((double)n_randint(state, 2048) - 1024, -8);
        x->generator[4 * i] = x->generator[4 * i + 3] = 0;
        x->generator[4 * i + 1] = -x->frequency[i], x->generator[4 * i + 2] = x->frequency[i];
    }
}

/* so_encode of either type into x->R. */
static int encode(problem *x, int bits)
{
    static float position[TOKENS * DIMS], generator[GROUPS * DIMS * 4], R[GROUPS * TOKENS * 4];
    const so_encoding e = {.method = SO_AUTO, .dims = DIMS, .tile = 2, .groups = GROUPS, .tokens = TOKENS};
    so_ctx *ctx;
    if (so_ctx_create_cpu(&ctx, 1) != SO_OK)
        return 0;
    so_status status;
    if (bits == 53) {
        status = so_encode_f64(ctx, &e, x->position, x->generator, x->R);
    } else {
        for (int i = 0; i < TOKENS * DIMS; i++)
            position[i] = (float)x->position[i];
        for (int i = 0; i < GROUPS * DIMS * 4; i++)
            generator[i] = (float)x->generator[i];
        status = so_encode_f32(ctx, &e, position, generator, R);
        for (int i = 0; i < GROUPS * TOKENS * 4; i++)
            x->R[i] = (double)R[i];
    }
    so_ctx_destroy(ctx);
    return status == SO_OK;
}

int main(void)
{
    static problem x;
    flint_rand_t state;
    flint_randinit(state); /* holds no memory: nothing to clear */
    fill(&x, state);
    int failed = 0, same = 1, contract[2];
    for (int k = 0; k < 2; k++) {
        contract[k] = encode(&x, k ? 24 : 53);
        for (int g = 0; g < GROUPS; g++)
            for (int t = 0; t < TOKENS; t++) {
                const double *position = x.position + t * DIMS, *frequency = x.frequency + g * DIMS;
                arb_mat_t mixed, lie;
                arb_t angle;
                arb_mat_init(mixed, 2, 2), arb_mat_init(lie, 2, 2), arb_init(angle);
                mixed_angle(angle, position, frequency);
                rotation(mixed, angle), liere(lie, position, frequency);
                same &= encloses(lie, mixed, BITS, PREC);
                contract[k] &= within_contract(x.R + (g * TOKENS + t) * 4, mixed, angle, position, frequency, ldexp(1, k ? -24 : -53));
                arb_mat_clear(mixed), arb_mat_clear(lie), arb_clear(angle);
            }
    }
    failed |= statement(same, "3.1 exp(sum_d p_d A_d) of tile 2 is the rotation by sum_d p_d frequency_d (balls within 2^-100)");
    failed |= statement(contract[0], "3.2 so_encode_f64 with tile 2 returns these rotations within its contract");
    failed |= statement(contract[1], "3.3 so_encode_f32 with tile 2 returns these rotations within its contract");
    flint_cleanup();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
