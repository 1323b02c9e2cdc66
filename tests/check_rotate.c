/* check_rotate.c: so_rotate and its vjp against plain loops: strides, gaps, shared rotations, in place.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "oracle_call.h"
#include "oracle_matrices.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int types[] = {F64, F32};
static const so_rotation cases[] = {
    {.tile = 1, .samples = 2, .tokens = 3, .groups = 4, .rotations = 4, .sample_stride = 12, .token_stride = 4},
    {.tile = 2, .samples = 3, .tokens = 5, .groups = 6, .rotations = 2, .sample_stride = 60, .token_stride = 12},
    {.tile = 2, .samples = 2, .tokens = 7, .groups = 8, .rotations = 8, .sample_stride = 400, .token_stride = 48},
    {.tile = 3, .samples = 1, .tokens = 4, .groups = 3, .rotations = 1, .sample_stride = 0, .token_stride = 11},
    {.tile = 4, .samples = 2, .tokens = 3, .groups = 4, .rotations = 4, .sample_stride = 150, .token_stride = 48},
    {.tile = 8, .samples = 3, .tokens = 17, .groups = 4, .rotations = 2, .sample_stride = 17 * 96, .token_stride = 96},
    {.tile = 16, .samples = 2, .tokens = 9, .groups = 6, .rotations = 3, .sample_stride = 9 * 96, .token_stride = 96},
    {.tile = 32, .samples = 2, .tokens = 4, .groups = 4, .rotations = 2, .sample_stride = 4 * 130, .token_stride = 130},
    {.tile = 33, .samples = 2, .tokens = 3, .groups = 2, .rotations = 2, .sample_stride = 300, .token_stride = 70},
    {.tile = 64, .samples = 2, .tokens = 5, .groups = 3, .rotations = 3, .sample_stride = 5 * 576, .token_stride = 576},
};
enum { CASES = sizeof cases / sizeof *cases };

typedef struct problem {
    so_rotation r;
    size_t elements, matrices;
    double *R, *x, *dy, *y, *dx, *dR;
} problem;

static double *normals(int bits, size_t count, random_sequence *r)
{
    double *x = malloc((count + 1) * sizeof *x);
    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < count; i++)
        x[i] = call_round(bits, normal53(r));
    return x;
}

static problem new_problem(int bits, int k)
{
    problem p = {.r = cases[k]};
    random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 6000, (uint64_t)k);
    p.elements = (size_t)((p.r.samples - 1) * p.r.sample_stride + p.r.tokens * p.r.token_stride);
    p.matrices = (size_t)(p.r.rotations * p.r.tokens) * (size_t)(p.r.tile * p.r.tile);
    p.R = normals(bits, p.matrices, &r), p.dR = normals(bits, p.matrices, &r);
    p.x = normals(bits, p.elements, &r), p.dy = normals(bits, p.elements, &r);
    p.y = normals(bits, p.elements, &r), p.dx = normals(bits, p.elements, &r);
    return p;
}

static void free_problem(problem *p)
{
    free(p->R), free(p->dR), free(p->x), free(p->dy), free(p->y), free(p->dx);
}

/* One matrix and the vectors it rotates. */
typedef void visit(const problem *p, size_t matrix, size_t vector, void *data);

static void each_vector(const problem *p, visit *f, void *data)
{
    for (int64_t s = 0; s < p->r.samples; s++)
        for (int64_t t = 0; t < p->r.tokens; t++)
            for (int64_t g = 0; g < p->r.groups; g++)
                f(p, (size_t)((g % p->r.rotations * p->r.tokens + t) * p->r.tile * p->r.tile),
                  (size_t)(s * p->r.sample_stride + t * p->r.token_stride + g * p->r.tile), data);
}

typedef struct reference {
    long double *y, *y_size, *dx, *dx_size, *dR, *dR_size;
    double *touched;
} reference;

static void reference_of(const problem *p, size_t matrix, size_t vector, void *data)
{
    reference *out = data;
    size_t n = (size_t)p->r.tile;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            long double y = (long double)p->R[matrix + i * n + j] * p->x[vector + j];
            long double dx = (long double)p->R[matrix + j * n + i] * p->dy[vector + j];
            long double dR = (long double)p->dy[vector + i] * p->x[vector + j];
            out->y[vector + i] += y, out->y_size[vector + i] += fabsl(y);
            out->dx[vector + i] += dx, out->dx_size[vector + i] += fabsl(dx);
            out->dR[matrix + i * n + j] += dR, out->dR_size[matrix + i * n + j] += fabsl(dR);
            out->touched[vector + i] = 1;
        }
}

/* The bound of so.h for y (dx is the same with R^T); for dR one rounding per product and per sum. */
START_TEST(plain_loops)
{
    int bits = types[_i];
    double u = call_u(bits), worst_y = 0, worst_dx = 0, worst_dR = 0;
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 2), SO_OK);
    for (int k = 0; k < CASES; k++) {
        problem p = new_problem(bits, k), q = new_problem(bits, k);
        reference e;
        long double *memory = calloc(4 * p.elements + 2 * p.matrices, sizeof *memory);
        e.y = memory, e.y_size = e.y + p.elements, e.dx = e.y_size + p.elements, e.dx_size = e.dx + p.elements;
        e.dR = e.dx_size + p.elements, e.dR_size = e.dR + p.matrices;
        e.touched = calloc(p.elements, sizeof *e.touched);
        each_vector(&p, reference_of, &e);
        ck_assert_int_eq(call_rotate(bits, ctx, &p.r, p.elements, p.R, p.x, p.y), SO_OK);
        ck_assert_int_eq(call_rotate_vjp(bits, ctx, &p.r, p.elements, p.R, p.x, p.dy, p.dx, p.dR), SO_OK);
        double terms = (double)(p.r.samples * p.r.groups / p.r.rotations) + 1;
        for (size_t i = 0; i < p.elements; i++) {
            if (!e.touched[i]) { /* gaps keep what they held */
                ck_assert(p.y[i] == q.y[i] && p.dx[i] == q.dx[i]);
                continue;
            }
            double ry = (double)(fabsl(p.y[i] - e.y[i]) / (p.r.tile * u * e.y_size[i]));
            double rx = (double)(fabsl(p.dx[i] - e.dx[i]) / (p.r.tile * u * e.dx_size[i]));
            ck_assert_msg(ry <= 1 && rx <= 1, "%s case %d element %zu: error/bound of y %g, dx %g", call_type(bits), k, i, ry, rx);
            worst_y = fmax(worst_y, ry), worst_dx = fmax(worst_dx, rx);
        }
        for (size_t i = 0; i < p.matrices; i++) {
            double bound = terms * u * (double)(e.dR_size[i] + fabs(q.dR[i]));
            double ratio = (double)fabsl(p.dR[i] - q.dR[i] - e.dR[i]) / bound;
            ck_assert_msg(ratio <= 1, "%s case %d dR[%zu]: error/bound %g", call_type(bits), k, i, ratio);
            worst_dR = fmax(worst_dR, ratio);
        }
        free(memory), free(e.touched);
        free_problem(&p), free_problem(&q);
    }
    printf("check_rotate %s, worst error/bound: y %.2f  dx %.2f  dR %.2f\n", call_type(bits), worst_y, worst_dx, worst_dR);
    so_ctx_destroy(ctx);
}
END_TEST

/* In place, without dR, and with other threads: the same bits. */
START_TEST(same_bits)
{
    int bits = types[_i];
    for (int k = 0; k < CASES; k++) {
        problem p = new_problem(bits, k), q = new_problem(bits, k);
        size_t bytes = p.elements * sizeof(double);
        so_ctx *one, *three;
        ck_assert_int_eq(test_context(&one, 1), SO_OK);
        ck_assert_int_eq(test_context(&three, 3), SO_OK);
        memcpy(p.y, p.x, bytes); /* so that the gaps agree */
        memcpy(p.dx, p.dy, bytes);
        ck_assert_int_eq(call_rotate(bits, one, &p.r, p.elements, p.R, p.x, p.y), SO_OK);
        ck_assert_int_eq(call_rotate_vjp(bits, one, &p.r, p.elements, p.R, p.x, p.dy, p.dx, p.dR), SO_OK);
        ck_assert_int_eq(call_rotate_vjp(bits, three, &q.r, q.elements, q.R, q.x, q.dy, q.dy, q.dR), SO_OK);
        ck_assert_mem_eq(p.dx, q.dy, bytes);
        ck_assert_mem_eq(p.dR, q.dR, p.matrices * sizeof(double));
        ck_assert_int_eq(call_rotate(bits, three, &q.r, q.elements, q.R, q.x, q.x), SO_OK);
        ck_assert_mem_eq(p.y, q.x, bytes);
        memcpy(q.dx, p.dy, bytes);
        ck_assert_int_eq(call_rotate_vjp(bits, one, &p.r, p.elements, p.R, p.x, p.dy, q.dx, NULL), SO_OK);
        ck_assert_mem_eq(p.dx, q.dx, bytes);
        so_ctx_destroy(one), so_ctx_destroy(three);
        free_problem(&p), free_problem(&q);
    }
}
END_TEST

/* A NaN in a vector stays in that vector. */
START_TEST(non_finite)
{
    int bits = types[_i];
    problem p = new_problem(bits, 5);
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 1), SO_OK);
    p.x[96 + 8 + 3] = NAN; /* sample 0, token 1, group 1 */
    ck_assert_int_eq(call_rotate(bits, ctx, &p.r, p.elements, p.R, p.x, p.y), SO_OK);
    for (size_t i = 0; i < p.elements; i++)
        ck_assert(isnan(p.y[i]) == (i >= 96 + 8 && i < 96 + 16));
    so_ctx_destroy(ctx);
    free_problem(&p);
}
END_TEST

Suite *check_rotate(void)
{
    Suite *suite = suite_create("rotate");
    TCase *tests = tcase_create("vectors");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, plain_loops, 0, 2);
    tcase_add_loop_test(tests, same_bits, 0, 2);
    tcase_add_loop_test(tests, non_finite, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
