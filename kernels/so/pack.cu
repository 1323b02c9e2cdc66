/* pack.cu: skew matrices <-> their strict upper triangles. Copies, at the speed of memory: both sides in order.
 * SPDX-License-Identifier: MIT */
#include "maps.cuh"
#include "real.cuh"

enum { BLOCK = 256, PER_THREAD = 4, CHUNK = BLOCK * PER_THREAD, TILE = 32, LARGEST_WHOLE = 64 };

/* Where row i of a packed triangle begins. */
static __device__ __forceinline__ int row_start(int n, int i)
{
    return i * (n - 1) - i * (i - 1) / 2;
}

/* Row of entry k of a packed triangle: the root of a quadratic, corrected for its rounding. */
static __device__ __forceinline__ int row_of_entry(int n, int k)
{
    float b = (float)n - 0.5f;
    int i = (int)(b - sqrtf(fmaxf(b * b - 2 * (float)k, 0)));
    i = i < 0 ? 0 : i > n - 2 ? n - 2 : i;
    while (row_start(n, i) > k)
        i--;
    while (row_start(n, i + 1) <= k)
        i++;
    return i;
}

/* Entry by entry of p: neighbours there are neighbours in A, but at the ends of rows. One 64-bit division per block. */
static __global__ void __launch_bounds__(BLOCK) pack_kernel(int n, int64_t batch, const real *A, real *p)
{
    int size = n * (n - 1) / 2;
    for (int64_t first = (int64_t)blockIdx.x * CHUNK; first < batch * size; first += (int64_t)gridDim.x * CHUNK) {
        int64_t matrix = first / size, left = batch * size - first;
        unsigned offset = (unsigned)(first - matrix * size);
#pragma unroll
        for (int step = 0; step < PER_THREAD; step++) {
            int e = step * BLOCK + (int)threadIdx.x;
            if (e < left) {
                unsigned b = (offset + (unsigned)e) / (unsigned)size;
                int k = (int)(offset + (unsigned)e - b * (unsigned)size), i = row_of_entry(n, k);
                p[first + e] = A[(matrix + b) * n * n + (int64_t)i * n + (k - row_start(n, i)) + i + 1];
            }
        }
    }
}

/* Entry by entry of A for n <= LARGEST_WHOLE: the triangles of the matrices of a block pass through shared memory. */
static __global__ void __launch_bounds__(BLOCK) unpack_whole_kernel(int n, int64_t batch, int per_block, const real *p, real *A)
{
    real *triangles = (real *)shared_memory;
    int size = n * (n - 1) / 2;
    for (int64_t first = (int64_t)blockIdx.x * per_block; first < batch; first += (int64_t)gridDim.x * per_block) {
        int count = batch - first < per_block ? (int)(batch - first) : per_block;
        for (int e = (int)threadIdx.x; e < count * size; e += BLOCK)
            triangles[e] = p[first * size + e];
        __syncthreads();
        for (int e = (int)threadIdx.x; e < count * n * n; e += BLOCK) {
            int b = e / (n * n), i = e / n % n, j = e % n, low = i < j ? i : j, high = i < j ? j : i;
            real x = i == j ? 0 : triangles[b * size + row_start(n, low) + high - low - 1];
            A[first * n * n + e] = i > j ? -x : x;
        }
        __syncthreads();
    }
}

/* A tile on or above the diagonal and the one that mirrors it. */
static __global__ void __launch_bounds__(BLOCK) unpack_tiles_kernel(int n, int64_t batch, const real *p, real *A)
{
    constexpr int STRIDE = TILE + 1; /* odd: columns are in different banks */
    real *tile = (real *)shared_memory;
    int tiles = (n + TILE - 1) / TILE, size = n * (n - 1) / 2, lane = (int)threadIdx.x % TILE, warp = (int)threadIdx.x / TILE;
    int64_t jobs = batch * tiles * tiles;
    for (int64_t job = blockIdx.x; job < jobs; job += gridDim.x) {
        int64_t b = job / ((int64_t)tiles * tiles);
        int which = (int)(job - b * tiles * tiles), above = which / tiles * TILE, left = which % tiles * TILE;
        if (above > left)
            continue;
        real *matrix = A + b * n * n;
        for (int r = warp; r < TILE; r += BLOCK / TILE) {
            int i = above + r, j = left + lane;
            real x = i < j && j < n ? p[b * size + row_start(n, i) + j - i - 1] : 0;
            tile[r * STRIDE + lane] = x;
            if (i < j && j < n)
                matrix[(int64_t)i * n + j] = x;
        }
        __syncthreads();
        for (int r = warp; r < TILE; r += BLOCK / TILE) {
            int i = left + r, j = above + lane; /* of the mirrored tile */
            if (i >= j && i < n)
                matrix[(int64_t)i * n + j] = i == j ? 0 : -tile[lane * STRIDE + r];
        }
        __syncthreads();
    }
}

so_status SO_(so_cuda_pack)(so_ctx *ctx, int n, int64_t batch, const real *A, real *p)
{
    int64_t count = batch * (n * (n - 1) / 2);
    return count ? launch(ctx, pack_kernel, blocks_for((count + CHUNK - 1) / CHUNK), BLOCK, 0, n, batch, A, p) : SO_OK;
}

so_status SO_(so_cuda_unpack)(so_ctx *ctx, int n, int64_t batch, const real *p, real *A)
{
    if (n <= LARGEST_WHOLE) {
        int per_block = LARGEST_WHOLE * LARGEST_WHOLE / (n * n), size = n * (n - 1) / 2;
        per_block = per_block < 256 ? per_block : 256;
        return launch(ctx, unpack_whole_kernel, blocks_for((batch + per_block - 1) / per_block), BLOCK,
                      (size_t)(per_block * size) * sizeof(real), n, batch, per_block, p, A);
    }
    int64_t tiles = (n + TILE - 1) / TILE;
    size_t bytes = TILE * (TILE + 1) * sizeof(real);
    return launch(ctx, unpack_tiles_kernel, blocks_for(batch * tiles * tiles), BLOCK, bytes, n, batch, p, A);
}
