/* widened.cuh: maps computed in f64 by a crew per matrix, whatever the real type of the batch. The mirror of libso/cpu/widened.c.
 *
 * struct MAP {
 *     INPUTS, MATRICES                 matrices that are read, that a crew needs
 *     SKEW                             bit k: of input k only the strict upper triangle is read
 *     int compute(c, in, u, &result)   in: the inputs, finite; u: the unit roundoff of their type; result: one of the crew's
 *                                      matrices. Returns what was met, or FINE.
 * };
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_WIDENED_CUH
#define SO_KERNELS_WIDENED_CUH

#include "crew.cuh"
#include "outcome.cuh"

enum { WIDENED_INPUTS = 3, FINE = OUTCOMES };

template <class number> struct widened_inputs {
    const number *X[WIDENED_INPUTS];
};

template <class number> __device__ void load(const crew &c, const number *X, double *M)
{
    c.each([&](ptrdiff_t at, int i, int j) { M[at] = (double)X[(ptrdiff_t)i * c.n + j]; });
}

template <class number> __device__ void load_skew(const crew &c, const number *X, double *M)
{
    c.each([&](ptrdiff_t at, int i, int j) {
        M[at] = i < j ? (double)X[(ptrdiff_t)i * c.n + j] : i > j ? -(double)X[(ptrdiff_t)j * c.n + i] : 0;
    });
}

/* M <- the skew part of X */
template <class number> __device__ void load_skew_part(const crew &c, const number *X, double *M)
{
    c.each([&](ptrdiff_t at, int i, int j) {
        M[at] = ((double)X[(ptrdiff_t)i * c.n + j] - (double)X[(ptrdiff_t)j * c.n + i]) / 2;
    });
}

template <class Map, class number>
__global__ void __launch_bounds__(CREW_THREADS, 1)
widened_kernel(int n, int64_t batch, widened_inputs<number> in, number *out, double *workspace, size_t share, int *outcome)
{
    double *shared = (double *)shared_memory;
    crew c(n, shared, workspace ? workspace + share * blockIdx.x : shared + CREW_PARTIALS);
    for (int64_t b = blockIdx.x; b < batch; b += gridDim.x) {
        int64_t first = b * n * n;
        widened_inputs<number> one;
        bool bad = false;
        for (int k = 0; k < Map::INPUTS; k++) {
            one.X[k] = in.X[k] + first;
            c.each([&](ptrdiff_t, int i, int j) {
                if (i < j || !(Map::SKEW >> k & 1))
                    bad |= !is_finite(one.X[k][(ptrdiff_t)i * n + j]);
            });
        }
        double *result = NULL;
        int met = c.any(bad) ? (int)OUTCOME_NONFINITE : Map::compute(c, one.X, (double)limits<number>::u, result);
        c.each([&](ptrdiff_t at, int i, int j) {
            out[first + (ptrdiff_t)i * n + j] = met == FINE ? (number)result[at] : not_a_number<number>();
        });
        if (met != FINE && c.thread == 0)
            report_outcome(outcome, met);
    }
}

/* The workspace is used where the shared memory is too small: at most 2 crews per multiprocessor and 256 MiB, or one crew. */
template <class Map, class number>
so_status run_widened(so_ctx *ctx, int n, int64_t batch, widened_inputs<number> in, number *out)
{
    const so_cuda *device = cuda_of(ctx);
    size_t share = crew_share(n, Map::MATRICES), header = CREW_PARTIALS * sizeof(double), bytes = share * sizeof(double);
    int64_t crews = batch;
    void *memory = NULL;
    if (header + bytes > (size_t)device->block_bytes) {
        int64_t fitting = (int64_t)(((size_t)256 << 20) / bytes), most = 2 * (int64_t)device->multiprocessors;
        most = fitting < 1 ? 1 : fitting < most ? fitting : most;
        crews = batch < most ? batch : most;
        so_status status = so_ctx_reserve(ctx, (size_t)crews, bytes, &memory);
        if (status != SO_OK)
            return status;
    }
    size_t shared = memory ? header : header + bytes;
    return launch(ctx, widened_kernel<Map, number>, blocks_for(crews), (unsigned)crew_threads(n), shared, n, batch, in, out,
                  (double *)memory, share, device->device_outcome);
}

#endif
