/* rotate.cu: so_rotate and its vjp: orders up to 64 by slabs (rotate.cuh), larger ones by a block for each rotation.
 *
 * Bound by memory where the traffic of a number, read and written, takes longer than its 2 n operations: on an H200 below order 64
 * in f32 (estimate: 4.8 TB/s against 67 TFLOP/s, so that 8 bytes weigh as much as 112 operations, which order 64 just exceeds).
 * SPDX-License-Identifier: MIT */
#include <type_traits>

#include "maps.cuh"
#include "rotate.cuh"

enum { LARGEST_IN_SLAB = 64 };

/* ---- Larger orders: a few vectors of a rotation at a time in shared memory ---- */

enum { LARGE_BLOCK = 256, LARGE_VECTORS = 4, LARGE_BYTES = 48 * 1024 };

/* c.length: vectors at a time, 1..LARGE_VECTORS. A row of R is a warp's work, a column (R^T) that of a thread. */
template <class Stored>
static __global__ void __launch_bounds__(LARGE_BLOCK)
rotate_large_kernel(rotation_call c, const typename arithmetic<Stored>::real *R, const Stored *x, Stored *y)
{
    typedef typename arithmetic<Stored>::real real;
    real *vectors = (real *)shared_memory;
    int n = c.n, thread = (int)threadIdx.x, across = c.transposed ? 1 : 32;
    for (int64_t job = blockIdx.x; job < c.tokens * c.rotations * c.copies; job += gridDim.x) {
        int64_t rotation = job % c.rotations, copy = job / c.rotations % c.copies, token = job / c.rotations / c.copies;
        int64_t at = token * c.token_stride + copy * c.copy_stride + rotation * n;
        int64_t down = c.transposed ? 1 : n, along = c.transposed ? n : 1;
        const real *matrix = R + (rotation * c.tokens + token) * n * n;
        for (int first = 0; first < c.samples; first += c.length) {
            int count = c.samples - first < c.length ? c.samples - first : c.length;
            for (int e = thread; e < count * n; e += LARGE_BLOCK)
                vectors[e] = widen(x[at + (first + e / n) * c.sample_stride + e % n]);
            __syncthreads();
            for (int i = thread / across; i < n; i += LARGE_BLOCK / across) {
                real sum[LARGE_VECTORS] = {};
                for (int j = thread % across; j < n; j += across) {
                    real r = matrix[i * down + j * along];
#pragma unroll
                    for (int v = 0; v < LARGE_VECTORS; v++)
                        if (v < count)
                            sum[v] += r * vectors[v * n + j];
                }
#pragma unroll
                for (int v = 0; v < LARGE_VECTORS; v++) {
                    for (int apart = across / 2; apart > 0; apart /= 2)
                        sum[v] += __shfl_xor_sync(0xffffffffu, sum[v], apart);
                    if (v < count && thread % across == 0)
                        narrow(sum[v], &y[at + (first + v) * c.sample_stride + i]);
                }
            }
            __syncthreads();
        }
    }
}

/* dR += sum of dy x^T, a row of a rotation per block. */
template <class Stored>
static __global__ void __launch_bounds__(LARGE_BLOCK)
outer_large_kernel(rotation_call c, const Stored *x, const Stored *dy, typename arithmetic<Stored>::real *dR)
{
    int n = c.n;
    for (int64_t job = blockIdx.x; job < c.tokens * c.rotations * n; job += gridDim.x) {
        int64_t i = job % n, rotation = job / n % c.rotations, token = job / n / c.rotations;
        for (int j = (int)threadIdx.x; j < n; j += LARGE_BLOCK) {
            typename arithmetic<Stored>::real sum = 0;
            for (int64_t copy = 0; copy < c.copies; copy++) {
                int64_t at = token * c.token_stride + copy * c.copy_stride + rotation * n;
                for (int s = 0; s < c.samples; s++, at += c.sample_stride)
                    sum += widen(dy[at + i]) * widen(x[at + j]);
            }
            dR[((rotation * c.tokens + token) * n + i) * n + j] += sum;
        }
    }
}

/* ---- Launching ---- */

static rotation_call call_of(const so_rotation *r, int samples, bool transposed)
{
    rotation_call c = {};
    c.n = r->tile;
    c.transposed = transposed;
    c.samples = samples;
    c.tokens = r->tokens;
    c.rotations = r->rotations;
    c.copies = r->groups / r->rotations;
    c.sample_stride = r->sample_stride;
    c.token_stride = r->token_stride;
    c.copy_stride = r->rotations * r->tile;
    c.sections = 1;
    c.length = c.samples;
    return c;
}

/* May four elements of x be accessed at once? */
template <class Stored> static bool in_fours(const Stored *x)
{
    return (size_t)x % alignof(together<Stored, 4>) == 0;
}

/* aligned: all pointers to vectors are in_fours(). share: of few slabs several blocks share the samples, as long as each has
 * enough of them to read R for. */
template <class Slab> static rotation_call with_slabs(const so_ctx *ctx, rotation_call c, bool aligned, bool share)
{
    const int64_t enough = 4 * Slab::N, wanted = 8 * (int64_t)cuda_of(ctx)->multiprocessors;
    c.whole = aligned && c.n == Slab::N && c.sample_stride % 4 == 0 && c.token_stride % 4 == 0 && c.copy_stride % 4 == 0;
    c.slabs = (c.rotations + Slab::GROUPS - 1) / Slab::GROUPS;
    while (share && c.tokens * c.slabs * c.sections < wanted && c.length >= 2 * enough) {
        c.sections *= 2;
        c.length = (c.samples + c.sections - 1) / c.sections;
    }
    return c;
}

/* f(slab *) with the least order >= n that there is. */
template <class Stored, class F> static so_status with_slab_for(int n, F f)
{
    if (n <= 2)
        return f((slab<Stored, 2> *)NULL);
    if (n <= 4)
        return f((slab<Stored, 4> *)NULL);
    if (n <= 8)
        return f((slab<Stored, 8> *)NULL);
    if (n <= 16)
        return f((slab<Stored, 16> *)NULL);
    if (n <= 32)
        return f((slab<Stored, 32> *)NULL);
    return f((slab<Stored, 64> *)NULL);
}

template <class Stored> static so_status rotate_large(so_ctx *ctx, rotation_call c, const real *R, const Stored *x, Stored *y)
{
    size_t bytes = (size_t)c.n * sizeof(real);
    c.length = bytes * LARGE_VECTORS <= LARGE_BYTES ? LARGE_VECTORS : bytes < LARGE_BYTES ? (int)(LARGE_BYTES / bytes) : 1;
    unsigned blocks = blocks_for(c.tokens * c.rotations * c.copies);
    return launch(ctx, rotate_large_kernel<Stored>, blocks, LARGE_BLOCK, (size_t)c.length * bytes, c, R, x, y);
}

template <class Stored> static so_status rotate(so_ctx *ctx, const rotation_call &call, const real *R, const Stored *x, Stored *y)
{
    if (call.n > LARGEST_IN_SLAB)
        return rotate_large(ctx, call, R, x, y);
    return with_slab_for<Stored>(call.n, [&](auto *which) {
        typedef std::remove_pointer_t<decltype(which)> Slab;
        rotation_call c = with_slabs<Slab>(ctx, call, in_fours(x) && in_fours(y), true);
        unsigned blocks = blocks_for(c.tokens * c.slabs * c.sections);
        return launch(ctx, rotate_kernel<Slab>, blocks, Slab::BLOCK, Slab::bytes(1), c, R, x, y);
    });
}

template <class Stored>
static so_status rotate_vjp(so_ctx *ctx, const rotation_call &call, const real *R, const Stored *x, const Stored *dy, Stored *dx,
                            real *dR)
{
    if (call.n > LARGEST_IN_SLAB) {
        unsigned blocks = blocks_for(call.tokens * call.rotations * call.n);
        so_status status = launch(ctx, outer_large_kernel<Stored>, blocks, LARGE_BLOCK, 0, call, x, dy, dR);
        return status == SO_OK ? rotate_large(ctx, call, R, dy, dx) : status;
    }
    return with_slab_for<Stored>(call.n, [&](auto *which) {
        typedef std::remove_pointer_t<decltype(which)> Slab;
        rotation_call c = with_slabs<Slab>(ctx, call, in_fours(x) && in_fours(dy) && in_fours(dx), false);
        unsigned blocks = blocks_for(c.tokens * c.slabs);
        return launch(ctx, rotate_vjp_kernel<Slab>, blocks, Slab::BLOCK, Slab::bytes(2), c, R, x, dy, dx, dR);
    });
}

/* f(call, offset of its vectors) for pieces of r whose samples an int counts. */
template <class F> static so_status in_pieces(const so_rotation *r, bool transposed, F f)
{
    const int64_t most = 1 << 30;
    so_status status = SO_OK;
    for (int64_t first = 0; first < r->samples && status == SO_OK; first += most) {
        int samples = (int)(r->samples - first < most ? r->samples - first : most);
        status = f(call_of(r, samples, transposed), first * r->sample_stride);
    }
    return status;
}

template <class Stored> static so_status rotate_all(so_ctx *ctx, const so_rotation *r, const real *R, const Stored *x, Stored *y)
{
    return in_pieces(r, false, [&](const rotation_call &c, int64_t at) { return rotate(ctx, c, R, x + at, y + at); });
}

template <class Stored>
static so_status rotate_vjp_all(so_ctx *ctx, const so_rotation *r, const real *R, const Stored *x, const Stored *dy, Stored *dx,
                                real *dR)
{
    return in_pieces(r, true, [&](const rotation_call &c, int64_t at) {
        return dR ? rotate_vjp(ctx, c, R, x + at, dy + at, dx + at, dR) : rotate(ctx, c, R, dy + at, dx + at);
    });
}

so_status SO_(so_cuda_rotate)(so_ctx *ctx, const so_rotation *r, const real *R, const real *x, real *y)
{
    return rotate_all(ctx, r, R, x, y);
}

so_status SO_(so_cuda_rotate_vjp)(so_ctx *ctx, const so_rotation *r, const real *R, const real *x, const real *dy, real *dx,
                                  real *dR)
{
    return rotate_vjp_all(ctx, r, R, x, dy, dx, dR);
}

#if defined(SO_REAL_f32)
so_status so_cuda_rotate_bf16(so_ctx *ctx, const so_rotation *r, const float *R, const so_bf16 *x, so_bf16 *y)
{
    return rotate_all(ctx, r, R, x, y);
}

so_status so_cuda_rotate_vjp_bf16(so_ctx *ctx, const so_rotation *r, const float *R, const so_bf16 *x, const so_bf16 *dy,
                                  so_bf16 *dx, float *dR)
{
    return rotate_vjp_all(ctx, r, R, x, dy, dx, dR);
}
#endif
