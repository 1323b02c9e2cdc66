/* batch.c: the maps and their derivatives over a batch: cut it into groups, spread the groups over the threads.
 * SPDX-License-Identifier: MIT */
#include "batch.h"

#include <omp.h>

#include "group/layout.h"
#include "maps.h"

/* Up to this order matrices are interleaved; above, a group of lanes no longer fits the second-level cache. Nor are few matrices
 * interleaved, since empty lanes cost as much as full ones: a quarter of a group takes about as long one by one. Both layouts
 * give the same bits. */
enum { LARGEST_IN_LANES = 32 };

choice SO_(so_choose)(so_method method, int n, int64_t matrices)
{
    const group_layout *lanes = &SO_VARIANT(so_layout, _lanes), *single = &SO_VARIANT(so_layout, _single);
    const group_layout *layout = n <= LARGEST_IN_LANES && matrices > lanes->lanes / 4 ? lanes : single;
    switch (method) {
    case SO_PADE:
        return (choice){single, single->pade};
    case SO_EIGEN:
        return (choice){single, single->eigen};
    case SO_CAYLEY:
        return (choice){layout, layout->cayley};
    case SO_AUTO:
        if (n >= 2 && n <= 4)
            return (choice){lanes, lanes->closed_form};
        return (choice){layout, n > LARGEST_IN_LANES ? layout->automatic : layout->polynomial};
    case SO_POLYNOMIAL:
        break;
    }
    return (choice){layout, layout->polynomial};
}

static size_t matrix_bytes(choice c, int n)
{
    return c.layout->matrix_elements(n) * sizeof(real);
}

size_t SO_(so_thread_bytes)(choice c, int n, int derivative)
{
    int map = c.method->map_matrices, differential = c.method->differential_matrices;
    int scratch = derivative && differential > map ? differential : map;
    return matrix_bytes(c, n) * (size_t)(THREAD_MATRICES + scratch);
}

thread_work SO_(so_thread_work)(choice c, int n, void *memory)
{
    size_t size = c.layout->matrix_elements(n);
    real *m = memory;
    return (thread_work){m, m + size, m + 2 * size, m + 3 * size, m + 4 * size, m + 5 * size};
}

void SO_(so_group_vjp)(choice c, int n, thread_work *w)
{
    int exponent[VECTOR_LANES];
    c.layout->scale_to_unit(n, w->G, exponent);
    c.layout->multiply_transposed(n, w->R, w->G, w->M);
    c.layout->project_skew(n, w->M);
    c.method->differential(n, w->A, w->R, w->M, w->Y, w->scratch);
    c.layout->scale_back(n, w->Y, exponent);
}

/* What a call works on; pointers that the operation does not use are NULL. */
typedef struct batch_call {
    enum { MAP, VJP, JVP } operation;
    const real *A, *R, *dR, *E;
    real *R_out, *dA, *L;
} batch_call;

static int run_group(const batch_call *call, choice c, int n, int64_t first, int used, thread_work *w)
{
    size_t at = (size_t)first * (size_t)n * (size_t)n;
    uint64_t bad = 0;
    int exponent[VECTOR_LANES], outcome = 0;
    SO_(so_gather_skew)(c.layout, n, used, call->A + at, w->A, &bad);
    switch (call->operation) {
    case MAP:
        c.method->map(n, w->A, w->R, w->scratch);
        SO_(so_scatter)(c.layout, n, used, w->R, bad, call->R_out + at);
        outcome = SO_(so_group_outcome)(c.layout, used, w->R, bad);
        break;
    case VJP:
        SO_(so_gather)(c.layout, n, used, call->R + at, w->R, &bad);
        SO_(so_gather)(c.layout, n, used, call->dR + at, w->G, &bad);
        SO_(so_group_vjp)(c, n, w);
        SO_(so_scatter)(c.layout, n, used, w->Y, bad, call->dA + at);
        outcome = SO_(so_group_outcome)(c.layout, used, w->Y, bad);
        break;
    case JVP:
        SO_(so_gather_skew)(c.layout, n, used, call->E + at, w->M, &bad);
        c.method->map(n, w->A, w->R, w->scratch);
        SO_(so_gather_skew)(c.layout, n, used, call->A + at, w->A, &bad);
        c.layout->scale_to_unit(n, w->M, exponent);
        c.method->differential(n, w->A, w->R, w->M, w->Y, w->scratch);
        c.layout->multiply(n, w->Y, w->R, w->G);
        c.layout->scale_back(n, w->G, exponent);
        SO_(so_scatter)(c.layout, n, used, w->R, bad, call->R_out + at);
        SO_(so_scatter)(c.layout, n, used, w->G, bad, call->L + at);
        outcome = SO_(so_group_outcome)(c.layout, used, w->R, bad) | SO_(so_group_outcome)(c.layout, used, w->G, bad);
        break;
    }
    return outcome;
}

static so_status run(so_ctx *ctx, so_method method, int n, int64_t batch, const batch_call *call)
{
    choice whole = SO_(so_choose)(method, n, batch);
    int64_t lanes = whole.layout->lanes, groups = batch / lanes, rest = batch % lanes;
    choice last = SO_(so_choose)(method, n, rest);
    int64_t jobs = groups + (rest + last.layout->lanes - 1) / last.layout->lanes;
    int threads = jobs < ctx->threads ? (int)jobs : ctx->threads, derivative = call->operation != MAP;
    int most = batch < ctx->threads ? (int)batch : ctx->threads; /* a larger batch may have fewer jobs, not less workspace */
    size_t bytes = SO_(so_thread_bytes)(whole, n, derivative), last_bytes = SO_(so_thread_bytes)(last, n, derivative);
    bytes = bytes > last_bytes ? bytes : last_bytes;
    void *memory;
    so_status status = so_ctx_reserve(ctx, (size_t)most, bytes, &memory);
    if (status != SO_OK)
        return status;

    int outcome = 0;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(| : outcome) if (threads > 1)
    for (int64_t job = 0; job < jobs; job++) {
        choice c = job < groups ? whole : last;
        int64_t first = job < groups ? job * lanes : groups * lanes + (job - groups) * c.layout->lanes, left = batch - first;
        thread_work w = SO_(so_thread_work)(c, n, (char *)memory + bytes * (size_t)omp_get_thread_num());
        outcome |= run_group(call, c, n, first, (int)(left < c.layout->lanes ? left : c.layout->lanes), &w);
    }
    return status_of_groups(outcome);
}

so_status SO_(so_cpu_exp)(so_ctx *ctx, so_method method, int n, int64_t batch, const real *A, real *R)
{
    return run(ctx, method, n, batch, &(batch_call){.operation = MAP, .A = A, .R_out = R});
}

so_status SO_(so_cpu_exp_vjp)(so_ctx *ctx, so_method method, int n, int64_t batch, const real *A, const real *R, const real *dR,
                              real *dA)
{
    return run(ctx, method, n, batch, &(batch_call){.operation = VJP, .A = A, .R = R, .dR = dR, .dA = dA});
}

so_status SO_(so_cpu_exp_jvp)(so_ctx *ctx, so_method method, int n, int64_t batch, const real *A, const real *E, real *R, real *L)
{
    return run(ctx, method, n, batch, &(batch_call){.operation = JVP, .A = A, .E = E, .R_out = R, .L = L});
}
