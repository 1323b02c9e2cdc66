/* rotation.c: see rotation.h.
 * SPDX-License-Identifier: MIT */
#include "rotation.h"
#include "oracle_matrices.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double *normals(int bits, size_t count, random_sequence *r)
{
    double *x = malloc((count + 1) * sizeof *x);
    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < count; i++)
        x[i] = call_round(bits, normal53(r));
    return x;
}

/* R and dR of vectors in bf16 are f32. */
static int matrix_bits(int bits)
{
    return bits == BF16 ? F32 : bits;
}

rotation_problem rotation_new(int bits, const so_rotation *rotation, int number)
{
    rotation_problem p = {.r = *rotation};
    random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 6000, (uint64_t)number);
    p.elements = (size_t)((p.r.samples - 1) * p.r.sample_stride + p.r.tokens * p.r.token_stride);
    p.matrices = (size_t)(p.r.rotations * p.r.tokens) * (size_t)(p.r.tile * p.r.tile);
    p.R = normals(matrix_bits(bits), p.matrices, &r), p.dR = normals(matrix_bits(bits), p.matrices, &r);
    p.x = normals(bits, p.elements, &r), p.dy = normals(bits, p.elements, &r);
    p.y = normals(bits, p.elements, &r), p.dx = normals(bits, p.elements, &r);
    return p;
}

void rotation_free(rotation_problem *p)
{
    free(p->R), free(p->dR), free(p->x), free(p->dy), free(p->y), free(p->dx);
}

/* One matrix and the vectors it rotates. */
typedef void visit(const rotation_problem *p, size_t matrix, size_t vector, void *data);

static void each_vector(const rotation_problem *p, visit *f, void *data)
{
    for (int64_t s = 0; s < p->r.samples; s++)
        for (int64_t t = 0; t < p->r.tokens; t++)
            for (int64_t g = 0; g < p->r.groups; g++)
                f(p, (size_t)((g % p->r.rotations * p->r.tokens + t) * p->r.tile * p->r.tile),
                  (size_t)(s * p->r.sample_stride + t * p->r.token_stride + g * p->r.tile), data);
}

/* A sum and that of the absolute values of its terms. In double-double, since valgrind computes long double in 64 bits: an error
 * of the reference as large as the bound. */
typedef struct sum {
    double high, low, size;
} sum;

static void add_product(sum *to, double a, double b)
{
    double p = a * b, rest = fma(a, b, -p), s = to->high + p, t = s - to->high;
    to->low += ((to->high - (s - t)) + (p - t)) + rest;
    to->high = s;
    to->size += fabs(p);
}

static double sum_error(double x, const sum *exact)
{
    return fabs((x - exact->high) - exact->low);
}

typedef struct reference {
    sum *y, *dx, *dR;
    char *touched;
} reference;

static void reference_of(const rotation_problem *p, size_t matrix, size_t vector, void *data)
{
    reference *out = data;
    size_t n = (size_t)p->r.tile;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            add_product(&out->y[vector + i], p->R[matrix + i * n + j], p->x[vector + j]);
            add_product(&out->dx[vector + i], p->R[matrix + j * n + i], p->dy[vector + j]);
            add_product(&out->dR[matrix + i * n + j], p->dy[vector + i], p->x[vector + j]);
            out->touched[vector + i] = 1;
        }
}

/* The bound of so.h for an entry of y or dx. */
static double vector_bound(int bits, int tile, const sum *exact)
{
    double rounding = tile * call_u(matrix_bits(bits)) * exact->size;
    return bits == BF16 ? fabs(exact->high) / 256 + 1.01 * rounding : rounding;
}

void rotation_contract(const char *suite, int bits, so_ctx *ctx, const so_rotation *cases, int count)
{
    double u = call_u(matrix_bits(bits)), worst_y = 0, worst_dx = 0, worst_dR = 0;
    for (int k = 0; k < count; k++) {
        rotation_problem p = rotation_new(bits, &cases[k], k), q = rotation_new(bits, &cases[k], k);
        reference e;
        sum *memory = calloc(2 * p.elements + p.matrices, sizeof *memory);
        e.y = memory, e.dx = e.y + p.elements, e.dR = e.dx + p.elements;
        e.touched = calloc(p.elements, 1);
        ck_assert(memory && e.touched);
        for (size_t i = 0; i < p.matrices; i++)
            add_product(&e.dR[i], q.dR[i], 1);
        each_vector(&p, reference_of, &e);
        ck_assert_int_eq(call_rotate(bits, ctx, &p.r, p.elements, p.R, p.x, p.y), SO_OK);
        ck_assert_int_eq(call_rotate_vjp(bits, ctx, &p.r, p.elements, p.R, p.x, p.dy, p.dx, p.dR), SO_OK);
        double terms = (double)(p.r.samples * p.r.groups / p.r.rotations) + 1;
        for (size_t i = 0; i < p.elements; i++) {
            if (!e.touched[i]) { /* gaps keep what they held */
                ck_assert(p.y[i] == q.y[i] && p.dx[i] == q.dx[i]);
                continue;
            }
            double ry = sum_error(p.y[i], &e.y[i]) / vector_bound(bits, p.r.tile, &e.y[i]);
            double rx = sum_error(p.dx[i], &e.dx[i]) / vector_bound(bits, p.r.tile, &e.dx[i]);
            ck_assert_msg(ry <= 1 && rx <= 1, "%s case %d element %zu: error/bound of y %g, dx %g", call_type(bits), k, i, ry,
                          rx);
            worst_y = fmax(worst_y, ry), worst_dx = fmax(worst_dx, rx);
        }
        for (size_t i = 0; i < p.matrices; i++) {
            double ratio = sum_error(p.dR[i], &e.dR[i]) / (terms * u * e.dR[i].size);
            ck_assert_msg(ratio <= 1, "%s case %d dR[%zu]: error/bound %g", call_type(bits), k, i, ratio);
            worst_dR = fmax(worst_dR, ratio);
        }
        free(memory), free(e.touched);
        rotation_free(&p), rotation_free(&q);
    }
    printf("%s %s, worst error/bound: y %.2f  dx %.2f  dR %.2f\n", suite, call_type(bits), worst_y, worst_dx, worst_dR);
}
