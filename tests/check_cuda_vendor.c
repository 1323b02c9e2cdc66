/* check_cuda_vendor.c: SO_EIGEN and SO_PADE of the CUDA backend, on cuSOLVER and cuBLAS: the contract of so.h.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "left_out.h"
#include "oracle_campaign.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cases: type and method. */
static const struct {
    int bits;
    so_method method;
} cases[] = {{F64, SO_EIGEN}, {F32, SO_EIGEN}, {F64, SO_PADE}, {F32, SO_PADE}};
enum { CASES = sizeof cases / sizeof *cases };

/* Orders on both sides of every change, and how many matrices of each. */
static const struct {
    int n, count;
} orders[] = {{1, 2}, {2, 10}, {3, 20}, {8, 40}, {17, 10}, {31, 10}, {32, 10}, {33, 5}, {64, 2}};
enum { ORDERS = sizeof orders / sizeof *orders };

/* A batch with all that is computed from it. */
typedef struct batch {
    int bits, n, count;
    so_method method;
    double *A, *G, *E, *R, *dA, *RL, *L;
    sample *samples;
} batch;

static double *numbers(const batch *x, double value)
{
    size_t length = (size_t)(x->n * x->n * x->count);
    double *p = malloc(length * sizeof *p);
    ck_assert_ptr_nonnull(p);
    for (size_t i = 0; i < length; i++)
        p[i] = value;
    return p;
}

static batch make_batch(int c, int n, int count)
{
    batch x = {.bits = cases[c].bits, .n = n, .count = count, .method = cases[c].method};
    x.A = numbers(&x, 0), x.G = numbers(&x, 0), x.E = numbers(&x, 0);
    x.R = numbers(&x, 7), x.dA = numbers(&x, 7), x.RL = numbers(&x, 7), x.L = numbers(&x, 7);
    x.samples = malloc((size_t)count * sizeof *x.samples);
    oracle_pair R0 = oracle_new(n);
    for (int b = 0; b < count; b++) {
        random_sequence r;
        size_t at = (size_t)(b * n * n);
        x.samples[b] = campaign_matrix(x.bits, n, b, x.A + at, &r);
        oracle_exp(n, x.A + at, NULL, &R0, NULL);
        campaign_gradient(x.bits, &x.samples[b], x.A + at, R0.hi, &r, x.G + at);
        make_dense(x.bits, n, b % 4 ? 1 : 1e-12, &r, x.E + at);
    }
    oracle_free(&R0);
    return x;
}

static void free_batch(batch *x)
{
    free(x->A), free(x->G), free(x->E), free(x->R), free(x->dA), free(x->RL), free(x->L), free(x->samples);
}

/* The statuses of the calls, the worst one; R of so_exp is what so_exp_vjp is given. */
static so_status compute(so_ctx *ctx, batch *x)
{
    so_status forward = call_exp(x->bits, ctx, x->method, x->n, x->count, x->A, x->R);
    so_status vjp = call_exp_vjp(x->bits, ctx, x->method, x->n, x->count, x->A, x->R, x->G, x->dA);
    so_status jvp = call_exp_jvp(x->bits, ctx, x->method, x->n, x->count, x->A, x->E, x->RL, x->L);
    return forward > vjp ? (forward > jvp ? forward : jvp) : vjp > jvp ? vjp : jvp;
}

enum { FORWARD, ORTHOGONALITY, VJP, JVP, JVP_FORWARD, BOUNDS };

static void measure(const batch *x, worst out[BOUNDS])
{
    int n = x->n;
    double u = call_u(x->bits), *E = malloc((size_t)(n * n) * sizeof *E);
    oracle_pair R = oracle_new(n), L = oracle_new(n), dA = oracle_new(n);
    for (int b = 0; b < x->count; b++) {
        size_t at = (size_t)(b * n * n);
        double rho = x->samples[b].rho, growth = 30 * u * (1 + rho / 10);
        worst here = {.n = n, .shape = x->samples[b].shape, .rho = rho, .sample = b};
        for (int e = 0; e < n * n; e++) {
            int i = e / n, j = e % n;
            E[e] = i < j ? x->E[at + (size_t)e] : i > j ? -x->E[at + (size_t)(j * n + i)] : 0;
        }
        oracle_exp(n, x->A + at, E, &R, &L);
        oracle_vjp(0, n, x->A + at, x->G + at, &dA);
        worst_of(&out[FORWARD], distance(n, x->R + at, R), (10 + 2 * rho) * u, &here);
        worst_of(&out[ORTHOGONALITY], oracle_orthogonality(n, x->R + at) / sqrt(n),
                 (x->method == SO_EIGEN ? 16 : 16 + 2 * rho) * u, &here);
        worst_of(&out[VJP], distance(n, x->dA + at, dA), growth * frobenius(n, x->G + at), &here);
        worst_of(&out[JVP], distance(n, x->L + at, L), growth * frobenius(n, E), &here);
        worst_of(&out[JVP_FORWARD], distance(n, x->RL + at, R), (10 + 2 * rho) * u, &here);
    }
    oracle_free(&R), oracle_free(&L), oracle_free(&dA), free(E);
}

START_TEST(contract)
{
    static const char *const names[BOUNDS] = {"forward", "orthogonality", "vjp", "jvp", "jvp forward"};
    so_ctx *ctx = cuda_context();
    worst out[BOUNDS] = {0};
    for (int k = 0; k < ORDERS; k++) {
        batch x = make_batch(_i, orders[k].n, orders[k].count);
        ck_assert_int_eq(compute(ctx, &x), SO_OK);
        measure(&x, out);
        free_batch(&x);
    }
    const size_t bytes = so_workspace_bytes(ctx); /* as so_cuda.h says; cuSOLVER's share is its own matter */
    ck_assert_msg(bytes >= 32 << 20 && (bytes <= 145 << 20 || cases[_i].method == SO_EIGEN), "workspace of %zu bytes", bytes);
    so_ctx_destroy(ctx);
    printf("check_cuda_vendor: %s %s, worst error/bound:", call_method(cases[_i].method), call_type(cases[_i].bits));
    for (int q = 0; q < BOUNDS; q++)
        printf(" %s %.2f (n %d %s rho %.3g)%s", names[q], out[q].ratio, out[q].n, shape_name(out[q].shape), out[q].rho,
               q + 1 < BOUNDS ? "," : "\n");
    for (int q = 0; q < BOUNDS; q++)
        ck_assert_msg(out[q].ratio <= 1, "%s: %.2f times the bound at n %d, %s, rho %g", names[q], out[q].ratio, out[q].n,
                      shape_name(out[q].shape), out[q].rho);
}
END_TEST

/* Matrix b of a batch, and so many from it on, as a batch that shares its memory. */
static batch part_of(const batch *x, int first, int count)
{
    size_t at = (size_t)(first * x->n * x->n);
    batch part = *x;
    part.A += at, part.G += at, part.E += at, part.R += at, part.dA += at, part.RL += at, part.L += at;
    part.samples += first, part.count = count;
    return part;
}

static void copy_inputs(batch *to, const batch *from)
{
    size_t bytes = (size_t)(from->n * from->n * from->count) * sizeof *to->A;
    memcpy(to->A, from->A, bytes), memcpy(to->G, from->G, bytes), memcpy(to->E, from->E, bytes);
}

static int same_matrix(const batch *x, const double *p, const batch *y, const double *q)
{
    return x->n == y->n && memcmp(p, q, (size_t)(x->n * x->n) * sizeof *p) == 0;
}

/* Of one matrix each: all that is computed is the same in every bit. */
static int same_bits(const batch *x, const batch *y)
{
    return same_matrix(x, x->R, y, y->R) && same_matrix(x, x->dA, y, y->dA) && same_matrix(x, x->RL, y, y->RL) &&
           same_matrix(x, x->L, y, y->L);
}

static int all_nan(const batch *x, const double *p)
{
    int all = 1;
    for (int e = 0; e < x->n * x->n; e++)
        all &= isnan(p[e]) != 0;
    return all;
}

/* Alone, and in batches of 3 at other places; both solvers of cuSOLVER. */
static void places(int c, int n, int count)
{
    so_ctx *ctx = cuda_context();
    batch x = make_batch(c, n, count), y = make_batch(c, n, count);
    ck_assert_int_eq(compute(ctx, &x), SO_OK);
    for (int size = 1; size <= 3; size += 2)
        for (int b = 0; b + size <= x.count; b++) {
            batch some = part_of(&y, 0, size), of = part_of(&x, b, size);
            copy_inputs(&some, &of);
            ck_assert_int_eq(compute(ctx, &some), SO_OK);
            for (int k = 0; k < size; k++) {
                batch one = part_of(&some, k, 1), same = part_of(&x, b + k, 1);
                ck_assert_msg(same_bits(&one, &same), "n %d: matrix %d as number %d of %d", n, b + k, k, size);
            }
        }
    free_batch(&x), free_batch(&y), so_ctx_destroy(ctx);
}

START_TEST(place_does_not_matter)
{
    places(_i, 9, 7);
    places(_i, 33, 4);
}
END_TEST

/* More matrices than go to the libraries in one call. */
START_TEST(several_chunks)
{
    enum { COUNT = 4100, N = 2 };
    so_ctx *ctx = cuda_context();
    batch x = make_batch(_i, N, COUNT), y = make_batch(_i, N, 1);
    ck_assert_int_eq(compute(ctx, &x), SO_OK);
    for (int b = 0; b < COUNT; b += b < 4090 ? 1363 : 1) {
        batch one = part_of(&x, b, 1);
        copy_inputs(&y, &one);
        ck_assert_int_eq(compute(ctx, &y), SO_OK);
        ck_assert_msg(same_bits(&one, &y), "matrix %d", b);
    }
    free_batch(&x), free_batch(&y), so_ctx_destroy(ctx);
}
END_TEST

/* NaN or Inf in A, in the gradient, in the direction: NaN in what is computed of it, and nowhere else. */
START_TEST(bad_matrices)
{
    static const int places[] = {5, 33};
    so_ctx *ctx = cuda_context();
    for (int k = 0; k < 2; k++) {
        int n = places[k], size = n * n;
        batch good = make_batch(_i, n, 4), x = make_batch(_i, n, 4);
        ck_assert_int_eq(compute(ctx, &good), SO_OK);
        x.A[0 * size + 1] = NAN, x.G[1 * size + n] = -INFINITY, x.E[2 * size + n - 1] = INFINITY;
        ck_assert_int_eq(compute(ctx, &x), SO_ENONFINITE);
        for (int b = 0; b < 4; b++) {
            batch one = part_of(&x, b, 1), same = part_of(&good, b, 1);
            ck_assert(b == 0 ? all_nan(&one, one.R) : same_matrix(&one, one.R, &same, same.R));
            ck_assert(b <= 1 ? all_nan(&one, one.dA) : same_matrix(&one, one.dA, &same, same.dA));
            ck_assert(b == 0 || b == 2 ? all_nan(&one, one.RL) && all_nan(&one, one.L)
                                       : same_matrix(&one, one.RL, &same, same.RL) && same_matrix(&one, one.L, &same, same.L));
        }
        memcpy(x.A, good.A, (size_t)size * sizeof *x.A);
        x.R[3 * size] = NAN;
        ck_assert_int_eq(call_exp_vjp(x.bits, ctx, x.method, n, 4, good.A, x.R, good.G, x.dA), SO_ENONFINITE);
        ck_assert(all_nan(&x, x.dA + 3 * size) && same_matrix(&x, x.dA + 2 * size, &good, good.dA + 2 * size));
        free_batch(&good), free_batch(&x);
    }
    so_ctx_destroy(ctx);
}
END_TEST

/* exp(0) = I exactly and the gradient there is the skew part of dR; at large angles R is finite and orthogonal. */
static void extremes_of(int bits, so_method method, int n)
{
    enum { COUNT = 7, MOST = COUNT * 33 * 33 };
    const int size = n * n, all = COUNT * size;
    const double u = call_u(bits), radii[COUNT] = {0, 0x1p21, 0x1p25, 0x1p37, 0x1p40, 0x1p60, bits == F32 ? 0x1p126 : 0x1p1022};
    const double defect = method == SO_EIGEN ? 16 * u : 0x1p11 * u; /* Pade: between two corrections it grows 2^8 times */
    static double A[MOST], R[MOST], G[MOST], dA[MOST];
    so_ctx *ctx = cuda_context();
    for (int e = 0; e < all; e++) {
        A[e] = e % size % n > e % size / n ? call_round(bits, radii[e / size] * sin(e + 1)) : NAN;
        G[e] = e * e % 7 - 3;
    }
    ck_assert_int_eq(call_exp(bits, ctx, method, n, COUNT, A, R), SO_OK);
    for (int e = 0; e < size; e++)
        ck_assert_msg(R[e] == (e % (n + 1) == 0), "n %d: exp(0)[%d] = %a", n, e, R[e]);
    for (int b = 1; b < COUNT; b++) {
        double found = oracle_orthogonality(n, R + b * size) / sqrt(n);
        ck_assert_msg(found <= defect, "n %d, entries %g: defect %g u", n, radii[b], found / u);
    }
    ck_assert_int_eq(call_exp_vjp(bits, ctx, method, n, COUNT, A, R, G, dA), SO_OK);
    for (int e = 0; e < all; e++) {
        double exact = (G[e % size] - G[e % n * n + e % size / n]) / 2;
        ck_assert(isfinite(dA[e]));
        ck_assert_msg(e >= size || fabs(dA[e] - exact) <= 30 * u * 3, "n %d: gradient at 0: %g, not %g", n, dA[e], exact);
    }
    so_ctx_destroy(ctx);
}

START_TEST(extremes)
{
    extremes_of(cases[_i].bits, cases[_i].method, 9);
    extremes_of(cases[_i].bits, cases[_i].method, 33); /* where SO_EIGEN takes the other solver */
}
END_TEST

START_TEST(in_place)
{
    so_ctx *ctx = cuda_context();
    batch x = make_batch(_i, 5, 3), y = make_batch(_i, 5, 3);
    ck_assert_int_eq(compute(ctx, &x), SO_OK);
    for (int over_R = 0; over_R < 2; over_R++) {
        double *dA = over_R ? y.R : y.G;
        copy_inputs(&y, &x);
        memcpy(y.R, y.A, 75 * sizeof *y.R);
        ck_assert_int_eq(call_exp(x.bits, ctx, x.method, 5, 3, y.R, y.R), SO_OK);
        ck_assert_mem_eq(y.R, x.R, 75 * sizeof *y.R);
        ck_assert_int_eq(call_exp_vjp(x.bits, ctx, x.method, 5, 3, y.A, y.R, y.G, dA), SO_OK);
        ck_assert_mem_eq(dA, x.dA, 75 * sizeof *dA);
    }
    free_batch(&x), free_batch(&y), so_ctx_destroy(ctx);
}
END_TEST

Suite *check_cuda_vendor(void)
{
    Suite *s = suite_create("cuda_vendor");
    TCase *t = tcase_create("contract");
    tcase_set_timeout(t, 300);
    for (int c = 0; c < CASES; c += 2) { /* of one method */
        if (left_out(cases[c].method, "check_cuda_vendor"))
            continue;
        tcase_add_loop_test(t, contract, c, c + 2);
        tcase_add_loop_test(t, place_does_not_matter, c, c + 2);
        tcase_add_loop_test(t, several_chunks, c, c + 2);
        tcase_add_loop_test(t, bad_matrices, c, c + 2);
        tcase_add_loop_test(t, extremes, c, c + 2);
        tcase_add_loop_test(t, in_place, c, c + 2);
    }
    suite_add_tcase(s, t);
    return s;
}
