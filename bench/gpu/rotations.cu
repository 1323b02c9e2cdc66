/* rotations.cu: rows of so_rotate and its gradient on the queries of one layer; errors entry by entry, against sums in long double.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "maps.h"
#include "sweep.h"

extern "C" {
#include "bench/judge.h"
}

static float number_of(so_bf16 x)
{
    const uint32_t bits = (uint32_t)x << 16;
    float y;
    memcpy(&y, &bits, sizeof y);
    return y;
}

template <class real> static real number_of(real x)
{
    return x;
}

static void set_number(so_bf16 *to, double x)
{
    const float y = (float)x;
    uint32_t bits;
    memcpy(&bits, &y, sizeof bits);
    *to = (so_bf16)(bits >> 16);
}

template <class real> static void set_number(real *to, double x)
{
    *to = (real)x;
}

template <class number> static number *draw(int64_t count)
{
    number *x = (number *)sweep_allocate(count, sizeof *x);
    for (int64_t i = 0; i < count; i++)
        set_number(&x[i], drand48() - 0.5);
    return x;
}

template <class matrix, class vector> struct rotations {
    so_ctx *ctx;
    so_rotation r;
    int work;
    matrix *R_here;
    vector *x_here, *dy_here;
    arrays R, x, dy, y, dR; /* y: also dx */
    so_status status;
};

template <class matrix, class vector> static void rotate(void *data, long k)
{
    rotations<matrix, vector> *c = (rotations<matrix, vector> *)data;
    const matrix *R = (matrix *)array_of(&c->R, k);
    const vector *x = (vector *)array_of(&c->x, k);
    vector *y = (vector *)array_of(&c->y, k);
    if (c->status == SO_OK)
        c->status = c->work == FORWARD ? so_rotate(c->ctx, &c->r, R, x, y)
                                       : so_rotate_vjp(c->ctx, &c->r, R, x, (vector *)array_of(&c->dy, k), y,
                                                       (matrix *)array_of(&c->dR, k));
}

/* A sum of products, and of their sizes. */
typedef struct sum {
    long double value, size;
} sum;

static void add_product(sum *to, double a, double b)
{
    to->value += (long double)a * b;
    to->size += fabsl((long double)a * b);
}

/* x: what stands for `exact`, within so many u of its size and, rounded to bf16, 2^-8 of its value. */
static void judge_sum(double x, const sum *exact, double u, double terms, bool rounded, sweep_row *row)
{
    const double unit = u * (double)exact->size, error = fabs((double)((long double)x - exact->value));
    const double bound = rounded ? fabs((double)exact->value) / 256 + 1.01 * terms * unit : terms * unit;
    judge_error(error / unit, bound / unit, row);
    row->checked++;
}

/* y = R x, or dx = R^T dy, of CHECKED vectors, first and last included. */
template <class matrix, class vector> static void judge_vectors(const rotations<matrix, vector> *c, double u, sweep_row *row)
{
    const int64_t n = c->r.tile, tokens = c->r.tokens, vectors = c->r.samples * tokens * c->r.groups;
    vector *found = (vector *)sweep_allocate(vectors * n, sizeof *found);
    read_array(found, c->y.memory, (size_t)(vectors * n) * sizeof *found);
    for (int64_t k = 0; k < CHECKED; k++) {
        const int64_t v = k * (vectors - 1) / (CHECKED - 1), group = v % c->r.groups, token = v / c->r.groups % tokens;
        const matrix *R = c->R_here + (group * tokens + token) * n * n;
        const vector *x = (c->work == FORWARD ? c->x_here : c->dy_here) + v * n;
        for (int64_t i = 0; i < n; i++) {
            sum exact = {};
            for (int64_t j = 0; j < n; j++)
                add_product(&exact, (double)R[c->work == FORWARD ? i * n + j : j * n + i], (double)number_of(x[j]));
            judge_sum((double)number_of(found[v * n + i]), &exact, u, (double)n, sizeof(vector) == 2, row);
        }
    }
    free(found);
}

/* dR of one call that begins with zeros: a line of CHECKED matrices. */
template <class matrix, class vector> static void judge_gradient(rotations<matrix, vector> *c, double u, sweep_row *row)
{
    const int64_t n = c->r.tile, tokens = c->r.tokens, matrices = c->r.rotations * tokens;
    matrix *line = (matrix *)sweep_allocate(n, sizeof *line);
    GPU(cudaMemset(c->dR.memory, 0, c->dR.bytes));
    rotate<matrix, vector>(c, 0);
    for (int64_t k = 0; k < CHECKED; k++) {
        const int64_t b = k * (matrices - 1) / (CHECKED - 1), group = b / tokens, token = b % tokens, i = b % n;
        read_array(line, (matrix *)c->dR.memory + (b * n + i) * n, (size_t)n * sizeof *line);
        for (int64_t j = 0; j < n; j++) {
            sum exact = {};
            for (int64_t s = 0; s < c->r.samples; s++) {
                const int64_t v = ((s * tokens + token) * c->r.groups + group) * n;
                add_product(&exact, (double)number_of(c->dy_here[v + i]), (double)number_of(c->x_here[v + j]));
            }
            judge_sum((double)line[j], &exact, u, (double)c->r.samples + 1, false, row);
        }
    }
    free(line);
}

template <class matrix, class vector> static void measure_rotation(sweep *s, int tile, const char *dtype, const precision *p)
{
    const double u = sweep_unit(p->stored);
    rotations<matrix, vector> c = {};
    c.r = s->tiny ? rotation_case(tile, 2, 3) : rotation_case(tile, ROTATION_SAMPLES, ROTATION_TOKENS);
    const int64_t numbers = c.r.samples * c.r.sample_stride, entries = c.r.rotations * c.r.tokens * tile * tile;
    const size_t vectors = (size_t)numbers * sizeof(vector), matrices = (size_t)entries * sizeof(matrix);
    const int copies = copies_for(s, matrices + 2 * vectors);
    row r = {"rotate", "-", dtype, "cifar", NULL, p->computed, tile, numbers / tile};
    srand48(1);
    c.R_here = draw<matrix>(entries), c.x_here = draw<vector>(numbers), c.dy_here = draw<vector>(numbers);
    fresh_context(s, p);
    c.ctx = s->ctx;
    c.R = new_arrays(copies, matrices, c.R_here), c.dR = new_arrays(copies, matrices, c.R_here);
    c.x = new_arrays(copies, vectors, c.x_here), c.dy = new_arrays(copies, vectors, c.dy_here);
    c.y = new_arrays(copies, vectors, NULL);
    for (c.work = FORWARD; c.work <= VJP && c.status == SO_OK; c.work++) {
        r.work = work_name[c.work];
        r.times = gpu_time(rotate<matrix, vector>, &c, s->repetitions, s->seconds);
        judge_begin(&r.judged);
        if (c.work == VJP && c.status == SO_OK)
            judge_gradient(&c, u, &r.judged);
        c.status = finish(s, c.status);
        if (c.status != SO_OK)
            break;
        judge_vectors(&c, u, &r.judged);
        r.judged.direction = SWEEP_VJP; /* nothing is orthogonal here */
        r.workspace = so_workspace_bytes(s->ctx), r.result_bytes = matrices;
        nominal_rotate(&c.r, sizeof(vector), sizeof(matrix), c.work, &r.bytes, &r.flops);
        finish_row(s, &r);
    }
    if (c.status != SO_OK)
        no_rows(s, &r, SO_AUTO, c.status);
    for (arrays *a : {&c.R, &c.dR, &c.x, &c.dy, &c.y})
        free_arrays(a);
    free(c.R_here), free(c.x_here), free(c.dy_here);
}

/* Not by methods, so that a run of one of them does not repeat these. */
void measure_rotations(sweep *s)
{
    bool wanted = false;
    for (int m = 0; m < s->method_count; m++)
        wanted = wanted || s->methods[m] == SO_AUTO;
    if (!wanted)
        return;
    for (int tile : rotation_tiles)
        for (int k = 0; k < s->kind_count; k++) {
            const precision *p = &precisions[s->kinds[k]];
            if (p->stored != p->computed)
                continue;
            if (p->stored == SWEEP_F64) {
                measure_rotation<double, double>(s, tile, "f64", p);
                continue;
            }
            measure_rotation<float, so_bf16>(s, tile, "bf16", p);
            measure_rotation<float, float>(s, tile, "f32", p);
        }
}
