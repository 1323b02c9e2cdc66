/* inverse_contract.c: see inverse_contract.h.
 * SPDX-License-Identifier: MIT */
#include "inverse_contract.h"
#include "cuda_context.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static so_status log_vjp(int bits, so_ctx *ctx, int n, int64_t batch, const double *const *in, double *dR)
{
    return call_log_vjp(bits, ctx, n, batch, in[0], in[1], in[2], dR);
}

static so_status cayley_inverse_vjp(int bits, so_ctx *ctx, int n, int64_t batch, const double *const *in, double *dR)
{
    return call_cayley_inverse_vjp(bits, ctx, n, batch, in[0], in[1], dR);
}

const inverse_map inverse_log = {call_log, log_vjp, 3, {"R", "A", "dA"}};
const inverse_map inverse_cayley = {call_cayley_inverse, cayley_inverse_vjp, 2, {"A", "dA"}};

void inverse_note(double *highest, double error, double bound, const char *what, int bits, int n, int c, double gap)
{
    if (bound > 0)
        *highest = fmax(*highest, error / bound);
    ck_assert_msg(error <= bound, "%s %s n %d angle case %d gap %g: error %g > %g", what, call_type(bits), n, c, gap, error,
                  bound);
}

void inverse_next_to_identity(int bits, const inverse_map *f)
{
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    for (int o = 0; o < inverse_order_count(); o++) {
        int n = inverse_orders[o];
        double *A0 = malloc((size_t)(n * n) * sizeof *A0), *R = malloc((size_t)(n * n) * sizeof *R), error = 0, norm = 0;
        random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 5200, (uint64_t)n);
        make_skew(bits, n, DENSE, bits == F32 ? 1e-15 : 1e-100, &r, A0);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                R[i * n + j] = i == j ? 1 : i < j ? A0[i * n + j] : -A0[j * n + i];
        ck_assert_int_eq(f->map(bits, ctx, n, 1, R, R), SO_OK);
        for (int i = 0; i < n; i++)
            for (int j = i + 1; j < n; j++)
                error = hypot(error, R[i * n + j] - A0[i * n + j]), norm = hypot(norm, A0[i * n + j]);
        ck_assert_msg(error <= (10 * 0x1p-53 + call_u(bits)) * norm, "%s n %d: %g of %g", call_type(bits), n, error, norm);
        for (int i = 0; i < n * n; i++)
            R[i] = i % (n + 1) == 0;
        ck_assert_int_eq(f->map(bits, ctx, n, 1, R, R), SO_OK);
        for (int i = 0; i < n * n; i++)
            ck_assert(R[i] == 0);
        free(A0), free(R);
    }
    so_ctx_destroy(ctx);
}

/* ---- The derivative ---- */

enum { N = 9, SIZE = N * N, INPUTS = 3 };

typedef struct problem {
    double in[INPUTS][2 * SIZE]; /* two matrices for each argument of the vjp */
} problem;

static void rotations(int bits, so_ctx *ctx, const inverse_map *f, problem *p)
{
    random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 5300, 0);
    double R[2 * SIZE], theta[N], A0[SIZE];
    oracle_pair R0 = oracle_new(N);
    for (int b = 0; b < 2; b++) {
        make_angles(b ? ANGLES_SMALL : ANGLES_SPREAD, bits, 0, N, &r, theta);
        make_skew_of_angles(N, theta, &r, A0);
        oracle_exp(N, A0, NULL, &R0, NULL);
        perturb_and_round(bits, N, R0, 0, &r, R + b * SIZE);
        make_dense(bits, N, 1, &r, p->in[f->inputs - 1] + b * SIZE);
    }
    if (f->inputs == 3)
        memcpy(p->in[0], R, sizeof R);
    ck_assert_int_eq(f->map(bits, ctx, N, 2, R, p->in[f->inputs - 2]), SO_OK);
    oracle_free(&R0);
}

static so_status vjp(int bits, so_ctx *ctx, const inverse_map *f, const problem *p, double *dR)
{
    return f->vjp(bits, ctx, N, 2, (const double *const[]){p->in[0], p->in[1], p->in[2]}, dR);
}

void inverse_gradient_contract(int bits, const inverse_map *f)
{
    so_ctx *ctx;
    problem p, q;
    double dR[2 * SIZE], again[2 * SIZE];
    ck_assert_int_eq(test_context(&ctx, 2), SO_OK);
    rotations(bits, ctx, f, &p);
    double *A = p.in[f->inputs - 2], *dA = q.in[f->inputs - 1];
    ck_assert_int_eq(vjp(bits, ctx, f, &p, dR), SO_OK);
    for (int i = 0; i < 2 * SIZE; i++)
        ck_assert(isfinite(dR[i]));
    q = p;
    for (int i = 0; i < 2 * SIZE; i++)
        dA[i] = ldexp(dA[i], -60);
    ck_assert_int_eq(vjp(bits, ctx, f, &q, again), SO_OK);
    for (int i = 0; i < 2 * SIZE; i++)
        ck_assert(ldexp(again[i], 60) == dR[i]);
    for (int i = 0; i < 2 * SIZE; i++)
        if (i % SIZE / N >= i % N)
            A[i] = NAN;
    for (int place = 0; place < f->inputs; place++) {
        q = p;
        ck_assert_int_eq(vjp(bits, ctx, f, &q, q.in[place]), SO_OK);
        ck_assert_mem_eq(q.in[place], dR, sizeof dR);
        q = p;
        q.in[place][1] = INFINITY;
        ck_assert_int_eq(vjp(bits, ctx, f, &q, again), SO_ENONFINITE);
        ck_assert(isnan(again[0]) && isnan(again[SIZE - 1]));
        ck_assert_mem_eq(again + SIZE, dR + SIZE, sizeof dR / 2);
    }
    for (int place = 0; place <= f->inputs; place++) { /* the last is dR */
        double x[4] = {7, 7, 7, 7};
        const double *in[4] = {&x[0], &x[1], &x[2], &x[3]};
        in[place] = NULL;
        ck_assert_int_eq(f->vjp(F64, ctx, 1, 1, in, place < f->inputs ? &x[3] : NULL), SO_ENULL);
        ck_assert_str_eq(so_ctx_argument(ctx), place < f->inputs ? f->argument[place] : "dR");
        ck_assert(x[3] == 7);
    }
    so_ctx_destroy(ctx);
}

/* ---- Batches ---- */

enum { BATCH = 11, WITH_NAN = 2, REFLECTION = 5, FAR = 8 };

static void bad_matrix(int n, const double *X, int which)
{
    for (int i = 0; i < n * n; i++)
        ck_assert_msg(isnan(X[i]), "n %d: matrix %d is not NaN", n, which);
}

/* What is farther from a rotation than so.h allows is refused, what is nearer is not. */
static void check_defects(int bits, so_ctx *ctx, const inverse_map *f)
{
    static const double defects[] = {0.12, 0.13};
    for (int n = 1; n <= 16; n += n < 5 ? 1 : 11)
        for (int k = 0; k < 2; k++) {
            double X[256] = {0};
            for (int i = 0; i < n; i++)
                X[i * n + i] = call_round(bits, sqrt(1 + defects[k] / sqrt(n)));
            ck_assert_int_eq(f->map(bits, ctx, n, 1, X, X), k ? SO_ESINGULAR : SO_OK);
        }
}

void inverse_batches(int bits, const inverse_map *f)
{
    so_status (*call)(int, so_ctx *, int, int64_t, const double *, double *) = f->map;
    so_ctx *ctx[3];
    for (int t = 0; t < 3; t++)
        ck_assert_int_eq(test_context(&ctx[t], t + 1), SO_OK);
    for (int o = 0; o < inverse_order_count(); o++) {
        int n = inverse_orders[o];
        size_t size = (size_t)(n * n), bytes = size * sizeof(double);
        double *R = malloc(BATCH * bytes), *A = malloc(BATCH * bytes), *B = malloc(BATCH * bytes), *theta = malloc(bytes);
        oracle_pair pair = oracle_new(n);
        random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 5000, (uint64_t)n);
        for (int b = 0; b < BATCH; b++) {
            make_angles(b % 2 ? ANGLES_SPREAD : ANGLES_SMALL, bits, 0, n, &r, theta);
            make_skew_of_angles(n, theta, &r, A);
            oracle_exp(n, A, NULL, &pair, NULL);
            for (size_t i = 0; i < size; i++)
                R[(size_t)b * size + i] = call_round(bits, pair.hi[i]);
        }
        ck_assert_int_eq(call(bits, ctx[0], n, BATCH, R, A), SO_OK);
        for (int t = 1; t < 3; t++) {
            ck_assert_int_eq(call(bits, ctx[t], n, BATCH, R, B), SO_OK);
            ck_assert_mem_eq(A, B, BATCH * bytes);
        }
        size_t held = so_workspace_bytes(ctx[2]);
        void *memory = test_workspace(held);
        if (held) { /* on a device small orders need none */
            ck_assert_int_eq(so_ctx_set_workspace(ctx[2], memory, held - 1), SO_OK);
            ck_assert_int_eq(call(bits, ctx[2], n, BATCH, R, B), SO_EWORKSPACE);
            ck_assert_mem_eq(A, B, BATCH * bytes);
            ck_assert_int_eq(so_ctx_set_workspace(ctx[2], memory, held), SO_OK);
            ck_assert_int_eq(call(bits, ctx[2], n, BATCH, R, B), SO_OK);
            ck_assert_mem_eq(A, B, BATCH * bytes);
            ck_assert_int_eq(so_ctx_set_workspace(ctx[2], NULL, 0), SO_OK);
        }
        test_workspace_free(memory);
        for (size_t b = 0; b < BATCH; b++) { /* alone, in place */
            memcpy(B, R + b * size, bytes);
            ck_assert_int_eq(call(bits, ctx[0], n, 1, B, B), SO_OK);
            ck_assert_mem_eq(A + b * size, B, bytes);
        }
        for (size_t i = 0; i < size; i++)
            R[FAR * size + i] *= 1.5;
        ck_assert_int_eq(call(bits, ctx[1], n, BATCH, R, B), SO_ESINGULAR);
        bad_matrix(n, B + FAR * size, FAR);
        for (int i = 0; i < n; i++)
            R[REFLECTION * size + (size_t)i] *= -1;
        ck_assert_int_eq(call(bits, ctx[1], n, BATCH, R, B), SO_EREFLECTION);
        bad_matrix(n, B + REFLECTION * size, REFLECTION);
        R[WITH_NAN * size + size - 1] = n % 2 ? (double)INFINITY : (double)NAN;
        ck_assert_int_eq(call(bits, ctx[1], n, BATCH, R, B), SO_ENONFINITE);
        for (size_t b = 0; b < BATCH; b++)
            if (b == WITH_NAN || b == REFLECTION || b == FAR)
                bad_matrix(n, B + b * size, (int)b);
            else
                ck_assert_mem_eq(A + b * size, B + b * size, bytes);
        free(R), free(A), free(B), free(theta), oracle_free(&pair);
    }
    check_defects(bits, ctx[0], f);
    ck_assert_int_eq(call(bits, ctx[0], 0, 5, NULL, NULL), SO_OK);
    ck_assert_int_eq(call(bits, ctx[0], 5, 0, NULL, NULL), SO_OK);
    double x = 1;
    ck_assert_int_eq(call(F64, ctx[0], 1, 1, NULL, &x), SO_ENULL);
    ck_assert_str_eq(so_ctx_argument(ctx[0]), "R");
    ck_assert_int_eq(call(F64, ctx[0], 1, 1, &x, NULL), SO_ENULL);
    ck_assert_str_eq(so_ctx_argument(ctx[0]), "A");
    ck_assert_int_eq(call(F64, ctx[0], -1, 1, &x, &x), SO_ESIZE);
    ck_assert_int_eq(call(F64, ctx[0], 1, -1, &x, &x), SO_ESIZE);
    ck_assert_int_eq(call(F64, NULL, 1, 1, &x, &x), SO_ENULL);
    for (int t = 0; t < 3; t++)
        so_ctx_destroy(ctx[t]);
}
