/* orthogonality.cu: the orthogonality defect of matrices.
 *
 * A block per matrix. R^T R is made of tiles of 32 x 32 entries, each over panels of 32 rows of R that pass through shared
 * memory, in f64 whatever the real type; of a pair of tiles one is computed. What a thread adds up is that of the entries it
 * holds, in a fixed order. R is read n / 32 + 1 times, n rounded up to 32: of each of (n / 32) (n / 32 + 1) / 2 tiles two panels.
 * SPDX-License-Identifier: MIT */
#include "outcome.cuh"
#include "maps.cuh"
#include "real.cuh"

enum { TILE = 32, PADDED = TILE + 1, WARPS = 8, THREADS = 32 * WARPS, HELD = TILE / WARPS };

template <class number>
__global__ void __launch_bounds__(THREADS)
orthogonality_kernel(int n, int64_t batch, const number *R, number *defect, int *outcome)
{
    double *left = (double *)shared_memory, *right = left + TILE * PADDED, *partial = right + TILE * PADDED;
    int lane = (int)threadIdx.x % 32, warp = (int)threadIdx.x / 32;
    for (int64_t b = blockIdx.x; b < batch; b += gridDim.x) {
        const number *X = R + b * n * n;
        double squares = 0;
        bool bad = false;
        for (int i0 = 0; i0 < n; i0 += TILE)
            for (int j0 = 0; j0 <= i0; j0 += TILE) {
                double sum[HELD] = {};
                for (int k0 = 0; k0 < n; k0 += TILE) {
                    for (int k = warp; k < TILE; k += WARPS) {
                        const number *row = X + (int64_t)(k0 + k) * n;
                        number x = k0 + k < n && i0 + lane < n ? row[i0 + lane] : (number)0;
                        number y = k0 + k < n && j0 + lane < n ? row[j0 + lane] : (number)0;
                        bad |= !is_finite(x);
                        left[k * PADDED + lane] = (double)x;
                        right[k * PADDED + lane] = (double)y;
                    }
                    __syncthreads();
                    double panel[HELD] = {}; /* runs of 32 terms that are then added up */
                    for (int k = 0; k < TILE; k++) {
                        double y = right[k * PADDED + lane];
#pragma unroll
                        for (int h = 0; h < HELD; h++)
                            panel[h] += left[k * PADDED + warp + WARPS * h] * y;
                    }
#pragma unroll
                    for (int h = 0; h < HELD; h++)
                        sum[h] += panel[h];
                    __syncthreads();
                }
#pragma unroll
                for (int h = 0; h < HELD; h++) {
                    int i = i0 + warp + WARPS * h, j = j0 + lane;
                    double x = sum[h] - (i == j), weight = i < n && j < n ? (i0 == j0 ? 1 : 2) : 0;
                    squares += weight != 0 ? weight * x * x : 0;
                }
            }
        for (int apart = 16; apart > 0; apart /= 2)
            squares += __shfl_xor_sync(0xffffffffu, squares, apart);
        if (lane == 0)
            partial[warp] = squares;
        bad = __syncthreads_or(bad) != 0;
        if (threadIdx.x == 0) {
            squares = 0;
            for (int w = 0; w < WARPS; w++)
                squares += partial[w];
            double finite = isnan(squares) ? INFINITY : sqrt(squares); /* as libso/cpu/orthogonality.c has it */
            defect[b] = bad ? not_a_number<number>() : (number)finite;
            if (bad)
                report_outcome(outcome, OUTCOME_NONFINITE);
        }
        __syncthreads();
    }
}

so_status SO_(so_cuda_orthogonality)(so_ctx *ctx, int n, int64_t batch, const real *R, real *defect)
{
    size_t shared = (2 * TILE * PADDED + WARPS) * sizeof(double);
    return launch(ctx, orthogonality_kernel<real>, blocks_for(batch), THREADS, shared, n, batch, R, defect,
                  cuda_of(ctx)->device_outcome);
}
