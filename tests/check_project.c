/* check_project.c: so_project and its vjp against double-double arithmetic within the bounds of so.h, and what so.h says about
 * statuses, aliasing, batches and scales.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "oracle_campaign.h"
#include "oracle_dd.h"
#include "oracle_inverse.h"
#include "oracle_project.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int types[] = {F64, F32};
static const int orders[] = {1, 2, 3, 4, 5, 8, 9, 16, 17, 33, 64, 128};
enum { ORDERS = sizeof orders / sizeof *orders, LARGEST_THRESHOLD_ORDER = 17 };
#define U64 0x1p-53

/* In REFLECTION X is a reflection but for a defect that so_project would take for rounding if X were a rotation. */
typedef enum values {
    NEAR_ONE,
    ONE,
    SPREAD_OUT,
    EQUAL_PAIRS,
    SCALED,
    DECADES,
    MIRRORED,
    NEARLY_EQUAL,
    LOST,
    REFLECTION,
    VALUES
} values;

/* Singular values, the last with the sign of the determinant. */
static void make_values(values c, int bits, int n, random_sequence *r, double *s)
{
    for (int k = 0; k < n; k++) {
        double x = uniform53(r);
        s[k] = c == NEAR_ONE || c == REFLECTION ? 1 + 1e-3 * x
               : c == ONE                       ? 1
               : c == EQUAL_PAIRS               ? 1 + k / 2
               : c == SCALED                    ? (1 + x) * (bits == F32 ? 1e25 : 1e280)
               : c == DECADES                   ? pow(10, (bits == F32 ? -2.0 : -9.0) * k / n)
                                                : 1 + x;
    }
    double *last = &s[n - 1];
    if (n > 1)
        *last = c == MIRRORED       ? -0.5
                : c == NEARLY_EQUAL ? -(1 - (bits == F32 ? 1e-2 : 1e-6))
                : c == LOST         ? 0
                : c == REFLECTION   ? -0.95
                                    : *last;
}

typedef struct input {
    int n;
    double *V, *s, *X, gap, kappa;
    oracle_pair exact, nearest; /* X as a pair, the rotation nearest to it */
} input;

/* X = R0 V diag(s) V^T, rounded to the type, R0 and V random rotations. */
static input new_input(int bits, int n, values c, random_sequence *r)
{
    size_t bytes = (size_t)(n * n) * sizeof(double);
    input x = {n, malloc(bytes), malloc((size_t)n * sizeof(double)), malloc(bytes), 0, 1, oracle_new(n), oracle_new(n)};
    oracle_pair V = oracle_new(n), T = oracle_new(n), H = oracle_new(n);
    double *A = malloc(bytes), second = INFINITY, first = 0;
    make_values(c, bits, n, r, x.s);
    make_skew(F64, n, DENSE, 3, r, A);
    oracle_exp(n, A, NULL, &V, NULL);
    make_skew(F64, n, SPREAD, 3, r, A);
    oracle_exp(n, A, NULL, &x.nearest, NULL);
    memcpy(x.V, V.hi, bytes);
    dd_transpose(n, T, V);
    for (int i = 0; i < n * n; i++)
        T.hi[i] *= x.s[i / n], T.lo[i] *= x.s[i / n];
    dd_multiply(n, H, V, T);
    dd_multiply(n, T, x.nearest, H);
    for (int i = 0; i < n * n; i++)
        x.exact.hi[i] = x.X[i] = call_round(bits, T.hi[i]);
    for (int k = 0; k < n; k++) {
        first = fmax(first, fabs(x.s[k]));
        if (k < n - 1)
            second = fmin(second, x.s[k]);
    }
    x.gap = second + x.s[n - 1];
    x.kappa = n > 1 ? first / x.gap : 1;
    oracle_project(n, (oracle_axes){x.V, x.s}, x.exact, x.nearest);
    oracle_free(&V), oracle_free(&T), oracle_free(&H), free(A);
    return x;
}

static void free_input(input *x)
{
    free(x->V), free(x->s), free(x->X), oracle_free(&x->exact), oracle_free(&x->nearest);
}

static void note(double *highest, double error, double bound, const char *what, int bits, int n, values c)
{
    if (bound > 0)
        *highest = fmax(*highest, error / bound);
    ck_assert_msg(error <= bound, "%s %s n %d case %d: error %g > %g", what, call_type(bits), n, (int)c, error, bound);
}

/* <dR, (R(X + h E) - R(X - h E))/(2 h)> by double-double projections: independent of the formula of the derivative. */
static double by_differences(const input *x, const double *dR, const double *E)
{
    int n = x->n;
    double h = ldexp(x->gap, -40), slope = 0;
    oracle_pair shifted = oracle_new(n), R = oracle_new(n), P = oracle_new(n);
    for (int side = -1; side <= 1; side += 2) {
        dd_copy(n, shifted, x->exact);
        memcpy(P.hi, E, (size_t)(n * n) * sizeof *E);
        memset(P.lo, 0, (size_t)(n * n) * sizeof *E);
        dd_scale(n, P, h);
        dd_add(n, shifted, P, side);
        dd_copy(n, R, x->nearest);
        oracle_project(n, (oracle_axes){x->V, x->s}, shifted, R);
        dd_add(n, R, x->nearest, -1);
        slope += side * inner_product(n, dR, R) / (2 * h);
    }
    oracle_free(&shifted), oracle_free(&R), oracle_free(&P);
    return slope;
}

START_TEST(bounds)
{
    int bits = types[_i];
    double u = call_u(bits), value = 0, gradient = 0, adjoint = 0;
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    for (int o = 0; o < ORDERS; o++)
        for (int c = 0; c < VALUES; c += orders[o] <= 64 ? 1 : test_short() ? 5 : 2) {
            int n = orders[o];
            if (!campaign_wants_order(n))
                continue;
            size_t bytes = (size_t)(n * n) * sizeof(double);
            random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 6000 + (uint32_t)c, (uint64_t)n);
            input x = new_input(bits, n, (values)c, &r);
            double *R = malloc(bytes), *dR = malloc(bytes), *dX = malloc(bytes), *E = malloc(bytes);
            oracle_pair exact = oracle_new(n);
            memcpy(R, x.X, bytes);
            ck_assert_int_eq(call_project(bits, ctx, n, 1, R), SO_OK);
            note(&value, distance(n, R, x.nearest), 10 * U64 * x.kappa + u, "project", bits, n, (values)c);

            make_dense(bits, n, 1, &r, dR);
            ck_assert_int_eq(call_project_vjp(bits, ctx, n, 1, x.X, dR, dX), SO_OK);
            oracle_project_vjp(n, (oracle_axes){x.V, x.s}, x.exact, x.nearest, dR, exact);
            double bound = n > 1 ? (20 * U64 * x.kappa + u) * 2 * frobenius(n, dR) / x.gap : 0;
            note(&gradient, distance(n, dX, exact), bound, "vjp", bits, n, (values)c);
            if (n <= 9) {
                make_dense(F64, n, 1, &r, E);
                memset(exact.lo, 0, bytes), memcpy(exact.hi, E, bytes);
                note(&adjoint, fabs(inner_product(n, dX, exact) - by_differences(&x, dR, E)),
                     (bound + 1e-10 * frobenius(n, dR) / (n > 1 ? x.gap : 1) * u) * n * frobenius(n, E), "adjoint identity", bits,
                     n, (values)c);
            }
            free(R), free(dR), free(dX), free(E), oracle_free(&exact), free_input(&x);
        }
    printf("check_project %s, worst error/bound: value %.2f, gradient %.2f, adjoint %.2f\n", call_type(bits), value, gradient,
           adjoint);
    so_ctx_destroy(ctx);
}
END_TEST

/* Powers of two in dR and in X only move the exponent of dX. */
START_TEST(scales)
{
    static const int powers[] = {1, 17, 60, 100};
    int bits = types[_i];
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    for (int n = 2; n <= 17; n += 3) {
        size_t size = (size_t)(n * n), bytes = size * sizeof(double);
        random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 6100, (uint64_t)n);
        input x = new_input(bits, n, SPREAD_OUT, &r);
        double *dR = malloc(bytes), *dX = malloc(bytes), *again = malloc(bytes), *G = malloc(bytes), *Y = malloc(bytes);
        make_dense(bits, n, 1, &r, dR);
        ck_assert_int_eq(call_project_vjp(bits, ctx, n, 1, x.X, dR, dX), SO_OK);
        for (int p = 0; p < (bits == F32 ? 3 : 4); p++)
            for (int sign = -1; sign <= 1; sign += 2) {
                int k = sign * powers[p] * (bits == F32 ? 1 : 9); /* the last beyond what is ordinary in f64 */
                for (size_t i = 0; i < size; i++)
                    G[i] = ldexp(dR[i], k), Y[i] = ldexp(x.X[i], -k);
                ck_assert_int_eq(call_project_vjp(bits, ctx, n, 1, x.X, G, again), SO_OK);
                for (size_t i = 0; i < size; i++)
                    ck_assert_msg(again[i] == ldexp(dX[i], k), "%s n %d: dR 2^%d", call_type(bits), n, k);
                ck_assert_int_eq(call_project_vjp(bits, ctx, n, 1, Y, dR, again), SO_OK);
                for (size_t i = 0; i < size; i++)
                    ck_assert_msg(again[i] == ldexp(dX[i], k), "%s n %d: X 2^%d", call_type(bits), n, -k);
            }
        free(dR), free(dX), free(again), free(G), free(Y), free_input(&x);
    }
    so_ctx_destroy(ctx);
}
END_TEST

/* X = diag(s_n, s_(n-1), 1, .., 1). */
static void check_uniqueness(int bits, so_ctx *ctx, int n, double second, double last, int unique)
{
    double X[LARGEST_THRESHOLD_ORDER * LARGEST_THRESHOLD_ORDER] = {0}, dX[LARGEST_THRESHOLD_ORDER * LARGEST_THRESHOLD_ORDER];
    for (int i = 0; i < n; i++)
        X[i * n + i] = i == 0 ? last : i == 1 ? second : 1;
    so_status wanted = unique ? SO_OK : SO_ESINGULAR;
    ck_assert_msg(call_project_vjp(bits, ctx, n, 1, X, X, dX) == wanted, "%s vjp n %d: %g, %g", call_type(bits), n, second, last);
    ck_assert_int_eq(isnan(dX[0]) == 0, unique);
    ck_assert_msg(call_project(bits, ctx, n, 1, X) == wanted, "%s n %d: %g, %g", call_type(bits), n, second, last);
    ck_assert_int_eq(isnan(X[0]) == 0, unique);
}

/* Within 2 n u of the largest singular value, 1 here, the others count as zero and as equal; beyond it they do not. */
START_TEST(thresholds)
{
    int bits = types[_i];
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    for (int n = 2; n <= LARGEST_THRESHOLD_ORDER; n++) {
        double rounding = 2 * n * call_u(bits), inside = rounding / 2, outside = 2 * rounding;
        if (n > 2) {
            check_uniqueness(bits, ctx, n, inside, 0, 0);
            check_uniqueness(bits, ctx, n, outside, 0, 1);
        }
        check_uniqueness(bits, ctx, n, 1, -(1 - inside), 0);
        check_uniqueness(bits, ctx, n, 1, -(1 - outside), 1);
    }
    so_ctx_destroy(ctx);
}
END_TEST

/* A batch of good matrices and one of each kind that fails: NaN there, the same bits elsewhere on any number of threads, alone
 * and in place. */
START_TEST(batches)
{
    enum { BATCH = 9, WITH_NAN = 1, GRADIENT_NAN = 3, RANK = 4, MIRROR = 6 };
    int bits = types[_i];
    so_ctx *ctx[3];
    for (int t = 0; t < 3; t++)
        ck_assert_int_eq(test_context(&ctx[t], t + 1), SO_OK);
    for (int n = 1; n <= 33; n += n < 5 ? 1 : 14) {
        if (!campaign_wants_order(n))
            continue;
        size_t size = (size_t)(n * n), bytes = size * sizeof(double);
        double *X = calloc(BATCH, bytes), *dR = malloc(BATCH * bytes), *dX = malloc(BATCH * bytes), *again = malloc(BATCH * bytes);
        random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 6200, (uint64_t)n);
        for (size_t b = 0; b < BATCH; b++) {
            input x = new_input(bits, n, (values)(b % 3), &r);
            memcpy(X + b * size, x.X, bytes);
            make_dense(bits, n, 1, &r, dR + b * size);
            free_input(&x);
        }
        ck_assert_int_eq(call_project_vjp(bits, ctx[0], n, BATCH, X, dR, dX), SO_OK);
        for (int t = 1; t < 3; t++) {
            ck_assert_int_eq(call_project_vjp(bits, ctx[t], n, BATCH, X, dR, again), SO_OK);
            ck_assert_mem_eq(again, dX, BATCH * bytes);
        }
        for (size_t b = 0; b < BATCH; b++)
            for (int place = 0; place < 2; place++) {
                double *in[2] = {malloc(bytes), malloc(bytes)};
                memcpy(in[0], X + b * size, bytes), memcpy(in[1], dR + b * size, bytes);
                ck_assert_int_eq(call_project_vjp(bits, ctx[0], n, 1, in[0], in[1], in[place]), SO_OK);
                ck_assert_mem_eq(in[place], dX + b * size, bytes);
                free(in[0]), free(in[1]);
            }
        for (int i = 0; i < n * n; i++) {
            int diagonal = i % (n + 1) == 0, k = i / n;
            X[RANK * size + (size_t)i] = diagonal && k < n - 2;                       /* rank n - 2 */
            X[MIRROR * size + (size_t)i] = diagonal ? (k == n - 1 ? -1 : 1) : 0;      /* det < 0, equal singular values */
        }
        if (n > 1)
            ck_assert_int_eq(call_project_vjp(bits, ctx[2], n, BATCH, X, dR, again), SO_ESINGULAR);
        X[WITH_NAN * size] = NAN, dR[(GRADIENT_NAN + 1) * size - 1] = INFINITY;
        ck_assert_int_eq(call_project_vjp(bits, ctx[2], n, BATCH, X, dR, again), SO_ENONFINITE);
        for (size_t b = 0; b < BATCH; b++)
            if (b == WITH_NAN || b == GRADIENT_NAN || (n > 1 && (b == RANK || b == MIRROR)))
                for (size_t i = 0; i < size; i++)
                    ck_assert_msg(isnan(again[b * size + i]), "%s n %d: matrix %zu is not NaN", call_type(bits), n, b);
            else
                ck_assert_mem_eq(again + b * size, dX + b * size, bytes);
        free(X), free(dR), free(dX), free(again);
    }
    for (int t = 0; t < 3; t++)
        so_ctx_destroy(ctx[t]);
}
END_TEST

/* With exactly the bytes that own memory grew to the call works; with fewer it refuses and writes nothing. */
START_TEST(arguments)
{
    int bits = types[_i];
    so_ctx *ctx;
    double X[4] = {1, 2, 3, 5}, dR[4] = {1, 1, 2, 1}, out[4] = {7, 7, 7, 7}, wanted[4];
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    ck_assert_int_eq(call_project_vjp(bits, ctx, 0, 5, NULL, NULL, NULL), SO_OK);
    ck_assert_int_eq(call_project_vjp(bits, ctx, 5, 0, NULL, NULL, NULL), SO_OK);
    ck_assert_int_eq(call_project_vjp(bits, NULL, 2, 1, X, dR, out), SO_ENULL);
    ck_assert_int_eq(call_project_vjp(bits, ctx, 2, 1, NULL, dR, out), SO_ENULL);
    ck_assert_str_eq(so_ctx_argument(ctx), "X");
    ck_assert_int_eq(call_project_vjp(bits, ctx, 2, 1, X, NULL, out), SO_ENULL);
    ck_assert_str_eq(so_ctx_argument(ctx), "dR");
    ck_assert_int_eq(call_project_vjp(bits, ctx, 2, 1, X, dR, NULL), SO_ENULL);
    ck_assert_str_eq(so_ctx_argument(ctx), "dX");
    ck_assert_int_eq(call_project_vjp(bits, ctx, -1, 1, X, dR, out), SO_ESIZE);
    ck_assert_str_eq(so_ctx_argument(ctx), "n");
    ck_assert_int_eq(call_project_vjp(bits, ctx, 2, -1, X, dR, out), SO_ESIZE);
    ck_assert_str_eq(so_ctx_argument(ctx), "batch");
    ck_assert_uint_eq(so_workspace_bytes(ctx), 0);
    ck_assert_int_eq(call_project_vjp(bits, ctx, 2, 1, X, dR, wanted), SO_OK);
    size_t bytes = so_workspace_bytes(ctx);
    void *memory = test_workspace(bytes);
    if (bytes > 0) {
        ck_assert_int_eq(so_ctx_set_workspace(ctx, memory, bytes - 1), SO_OK);
        ck_assert_int_eq(call_project_vjp(bits, ctx, 2, 1, X, dR, out), SO_EWORKSPACE);
        for (int i = 0; i < 4; i++)
            ck_assert(out[i] == 7);
    }
    ck_assert_int_eq(so_ctx_set_workspace(ctx, memory, bytes), SO_OK);
    ck_assert_int_eq(call_project_vjp(bits, ctx, 2, 1, X, dR, out), SO_OK);
    ck_assert_mem_eq(out, wanted, sizeof out);
    so_ctx_destroy(ctx);
    test_workspace_free(memory);
}
END_TEST

Suite *check_project(void)
{
    Suite *suite = suite_create("project");
    TCase *tests = tcase_create("projection and its derivative");
    tcase_set_timeout(tests, 240);
    tcase_add_loop_test(tests, bounds, 0, 2);
    tcase_add_loop_test(tests, scales, 0, 2);
    tcase_add_loop_test(tests, thresholds, 0, 2);
    tcase_add_loop_test(tests, batches, 0, 2);
    tcase_add_loop_test(tests, arguments, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
