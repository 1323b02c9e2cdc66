/* rotate.cuh: how the threads of a block share the rotations of neighbouring groups of a token, and the vectors these rotate.
 *
 * A slab is 64 neighbouring numbers of a token's vectors: the vectors of 64/N groups of order N, each with its own matrix. Threads
 * hold the matrices in registers, a patch of ROWS x COLUMNS each, while the slabs of many samples pass through shared memory: R
 * is read once, x and y are read and written once, in order. LANES neighbouring threads share the columns of ROWS rows; they take
 * turns by W columns, so that they read neighbours. A team of threads has all matrices of the slab; the teams of a block have
 * different samples. Orders between are padded with zeros to the next N. Matrices of several groups (copies) that share their
 * rotation stay in the registers meanwhile.
 *
 *     one matrix, N = 64, f32:      columns 0..3   4..7   8..11  12..15  16..19 ..
 *                        rows 0..3  thread  0      1      2      3       0      ..
 *                        rows 4..7  thread  4      5      6      7       4      ..
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_ROTATE_CUH
#define SO_KERNELS_ROTATE_CUH

#include "device.cuh"
#include "vectors.cuh"

/* What a kernel needs to know of an so_rotation. */
struct rotation_call {
    int n;
    bool whole; /* four neighbours of a slab can be accessed at once */
    bool transposed;
    int samples;
    int64_t tokens, rotations, copies; /* copies: groups that share a rotation */
    int64_t sample_stride, token_stride, copy_stride;
    int64_t slabs;        /* of a token's rotations */
    int sections, length; /* blocks that share the samples of a slab, and how many each has */
};

template <class Stored_, int N_> struct slab {
    typedef Stored_ Stored;
    typedef typename arithmetic<Stored>::real real;
    static constexpr int N = N_, NUMBERS = 64, BLOCK = 128, GROUPS = NUMBERS / N;
    static constexpr int W = N < 4 ? N : 4, ROWS = W;
    static constexpr int MOST_COLUMNS = 64 / (int)sizeof(real), COLUMNS = N < MOST_COLUMNS ? N : MOST_COLUMNS;
    static constexpr int PARTS = COLUMNS / W;
    static constexpr int LANES = N / COLUMNS, MATRIX_THREADS = LANES * (N / ROWS), TEAM = GROUPS * MATRIX_THREADS;
    static constexpr int TEAMS = BLOCK / TEAM;
    static constexpr int BLOCKS = sizeof(real) == sizeof(float) ? 4 : 3; /* per multiprocessor: as many as no spill allows */
    /* After the sum over LANES a thread keeps so many rows. */
    static constexpr int SPLIT = LANES < ROWS ? LANES : ROWS, KEPT = ROWS / SPLIT;
    /* In shared memory groups are so far apart that the threads of a warp meet different banks. */
    static constexpr int STRIDE = N + (N > 4 && N < 64 ? 16 / (int)sizeof(real) * LANES : 0), SIZE = GROUPS * STRIDE;
    /* A thread fetches 32 bytes ahead, four numbers at a time. */
    static constexpr int QUADS = NUMBERS / 4, PASS = BLOCK / QUADS, PASSES = 32 / (4 * (int)sizeof(Stored));
    static constexpr int ROUND = PASS * PASSES; /* samples */
    static constexpr int BUFFER = ROUND * SIZE;
    /* Shared memory holds two rounds, so that one is filled while the other is read; and before and after that the matrices. */
    static constexpr int MATRIX = N * (N + 1);
    static constexpr size_t bytes(int vectors)
    {
        int rounds = 2 * vectors * BUFFER, matrices = GROUPS * MATRIX;
        return (size_t)(rounds > matrices ? rounds : matrices) * sizeof(real);
    }
    typedef together<Stored, 4> fetched[PASSES];

    int team, group, row, lane; /* of this thread: the first row of its patch; 0 <= lane < LANES */
    int groups;                 /* of the slab that exist */

    __device__ slab()
    {
        int thread = (int)threadIdx.x % TEAM;
        team = (int)threadIdx.x / TEAM;
        group = thread / MATRIX_THREADS;
        row = thread % MATRIX_THREADS / LANES * ROWS;
        lane = thread % LANES;
    }

    /* Row of the matrix that stands in row j of the patch: in another order in each lane, so that multiply sends what the other
     * lane keeps from registers that are the same in both. */
    __device__ __forceinline__ int row_of(int j) const
    {
        return row + (j ^ lane % SPLIT * KEPT);
    }

    __device__ __forceinline__ int column_of(int part) const
    {
        return W * (lane + LANES * part);
    }

    /* Of two buffers of so many numbers the one that is not `buffer`. */
    static __device__ __forceinline__ real *other(real *buffers, real *buffer, int numbers)
    {
        return buffer == buffers ? buffers + numbers : buffers;
    }

    /* f(number in memory, number in shared memory) for the entries of the slab's matrices of order n, `next` apart in memory. */
    template <class F> __device__ __forceinline__ void each_entry(int n, int64_t next, F f) const
    {
        for (int g = 0; g < groups; g++)
#pragma unroll 1
            for (int e = (int)threadIdx.x; e < n * n; e += BLOCK)
                f(g * next + e, g * MATRIX + e / n * (N + 1) + e % n);
    }

    /* The thread's patch of R, or of R^T, by way of `matrices` in shared memory; zero where there is nothing. */
    __device__ __forceinline__ void load_patch(int n, bool transposed, const real *R, int64_t next, real *matrices,
                                               real (*patch)[COLUMNS]) const
    {
#pragma unroll 1
        for (int e = (int)threadIdx.x; e < GROUPS * MATRIX; e += BLOCK)
            matrices[e] = 0;
        __syncthreads();
        each_entry(n, next, [&](int64_t from, int to) { matrices[to] = R[from]; });
        __syncthreads();
        const real *own = matrices + group * MATRIX;
        if (transposed)
            copy_patch<1, N + 1>(own, patch);
        else
            copy_patch<N + 1, 1>(own, patch);
        __syncthreads();
    }

    /* Of a matrix whose entries (i, j) stand at i DOWN + j ACROSS. */
    template <int DOWN, int ACROSS> __device__ __forceinline__ void copy_patch(const real *own, real (*patch)[COLUMNS]) const
    {
#pragma unroll
        for (int j = 0; j < ROWS; j++) {
            const real *from = own + row_of(j) * DOWN + column_of(0) * ACROSS;
#pragma unroll
            for (int k = 0; k < COLUMNS; k++)
                patch[j][k] = from[(W * LANES * (k / W) + k % W) * ACROSS];
        }
    }

    /* Four numbers of the slabs of PASSES samples, the first of them at x, PASS samples apart, of which `left` exist. */
    __device__ __forceinline__ void fetch(const rotation_call &c, const Stored *x, int left, fetched &q) const
    {
        int number = (int)threadIdx.x % QUADS * 4;
#pragma unroll
        for (int pass = 0; pass < PASSES; pass++, x += PASS * c.sample_stride) {
            q[pass] = {};
            if (pass * PASS >= left)
                continue;
            if (c.whole) {
                if (number / N < groups)
                    q[pass] = *(const together<Stored, 4> *)(x + number);
            } else {
#pragma unroll
                for (int w = 0; w < 4; w++) {
                    int g = (number + w) / N, j = (number + w) % N;
                    if (g < groups && j < c.n)
                        q[pass].x[w] = x[g * c.n + j];
                }
            }
        }
    }

    static __device__ __forceinline__ void commit(const fetched &q, real *buffer)
    {
        int number = (int)threadIdx.x % QUADS * 4, vector = (int)threadIdx.x / QUADS;
#pragma unroll
        for (int pass = 0; pass < PASSES; pass++)
#pragma unroll
            for (int w = 0; w < 4; w += W) {
                real *to = buffer + (vector + pass * PASS) * SIZE + (number + w) / N * STRIDE + (number + w) % N;
                together<real, W> part;
#pragma unroll
                for (int k = 0; k < W; k++)
                    part.x[k] = widen(q[pass].x[w + k]);
                *(together<real, W> *)to = part;
            }
    }

    /* Of the thread's group in vector `vector` of a round. */
    __device__ __forceinline__ together<real, W> part_of(const real *buffer, int vector, int column) const
    {
        return *(const together<real, W> *)(buffer + vector * SIZE + group * STRIDE + column);
    }

    /* sum[0 .. KEPT): rows row + lane KEPT .. of patch times the vector, in the lanes below SPLIT. */
    __device__ __forceinline__ void multiply(const real (*patch)[COLUMNS], const real *buffer, int vector, real *sum) const
    {
#pragma unroll
        for (int j = 0; j < ROWS; j++)
            sum[j] = 0;
#pragma unroll
        for (int part = 0; part < PARTS; part++) {
            together<real, W> x = part_of(buffer, vector, column_of(part));
#pragma unroll
            for (int w = 0; w < W; w++)
#pragma unroll
                for (int j = 0; j < ROWS; j++)
                    sum[j] += patch[j][part * W + w] * x.x[w];
        }
#pragma unroll
        for (int bit = SPLIT / 2; bit > 0; bit /= 2)
#pragma unroll
            for (int j = 0; j < bit * KEPT; j++)
                sum[j] += __shfl_xor_sync(0xffffffffu, sum[j ^ bit * KEPT], bit);
#pragma unroll
        for (int bit = SPLIT; bit < LANES; bit *= 2)
            sum[0] += __shfl_xor_sync(0xffffffffu, sum[0], bit);
    }

    /* outer += dy x^T, in natural order of rows. */
    __device__ __forceinline__ void add_outer(const real *dy, const real *x, int vector, real (*outer)[COLUMNS]) const
    {
        together<real, W> rows = part_of(dy, vector, row);
#pragma unroll
        for (int part = 0; part < PARTS; part++) {
            together<real, W> columns = part_of(x, vector, column_of(part));
#pragma unroll
            for (int w = 0; w < W; w++)
#pragma unroll
                for (int j = 0; j < ROWS; j++)
                    outer[j][part * W + w] += rows.x[j] * columns.x[w];
        }
    }

    /* matrices = or += the patches of all threads of the team, which has no entry twice. */
    __device__ __forceinline__ void add_patch(bool add, const real (*patch)[COLUMNS], real *matrices) const
    {
#pragma unroll
        for (int j = 0; j < ROWS; j++)
#pragma unroll
            for (int k = 0; k < COLUMNS; k++) {
                real *sum = matrices + group * MATRIX + (row + j) * (N + 1) + column_of(k / W) + k % W;
                *sum = add ? *sum + patch[j][k] : patch[j][k];
            }
    }

    /* y: the slab of the vector. */
    __device__ __forceinline__ void store(const rotation_call &c, const real *sum, Stored *y) const
    {
        int first = row + lane * KEPT;
        if (group >= groups || lane >= SPLIT)
            return;
        together<Stored, KEPT> out;
#pragma unroll
        for (int j = 0; j < KEPT; j++)
            narrow(sum[j], &out.x[j]);
        y += group * c.n + first;
        if (c.whole) {
            *(together<Stored, KEPT> *)y = out;
        } else {
#pragma unroll
            for (int j = 0; j < KEPT; j++)
                if (first + j < c.n)
                    y[j] = out.x[j];
        }
    }
};

/* What a block works on: a slab of a token, for some of the samples. */
struct slab_job {
    int64_t vector; /* of the first sample and copy */
    int64_t matrix, next;
    int groups, samples;

    __device__ slab_job(const rotation_call &c, int64_t job, int most)
    {
        int64_t slab = job % c.slabs, token = job / c.slabs % c.tokens, size = (int64_t)c.n * c.n, rotation = slab * most;
        int begin = (int)(job / c.slabs / c.tokens) * c.length;
        vector = token * c.token_stride + rotation * c.n + begin * c.sample_stride;
        matrix = (rotation * c.tokens + token) * size;
        next = c.tokens * size;
        groups = c.rotations - rotation < most ? (int)(c.rotations - rotation) : most;
        samples = c.samples - begin < c.length ? c.samples - begin : c.length;
    }
};

/* y = R x, or R^T x. */
template <class Slab>
static __global__ void __launch_bounds__(Slab::BLOCK, Slab::BLOCKS)
rotate_kernel(rotation_call c, const typename Slab::real *R, const typename Slab::Stored *x, typename Slab::Stored *y)
{
    typedef typename Slab::real real;
    real *buffers = (real *)shared_memory;
    Slab s;
    int sample = (int)threadIdx.x / Slab::QUADS; /* of a round, that this thread fetches */
    for (int64_t number = blockIdx.x; number < c.tokens * c.slabs * c.sections; number += gridDim.x) {
        slab_job job(c, number, Slab::GROUPS);
        real patch[Slab::ROWS][Slab::COLUMNS];
        s.groups = job.groups;
        s.load_patch(c.n, c.transposed, R + job.matrix, job.next, buffers, patch);
        for (int64_t copy = 0; copy < c.copies; copy++) {
            typename Slab::fetched ahead;
            int64_t at = job.vector + copy * c.copy_stride;
            const typename Slab::Stored *from = x + at + sample * c.sample_stride;
            typename Slab::Stored *to = y + at + s.team * c.sample_stride;
            real *buffer = buffers;
            s.fetch(c, from, job.samples - sample, ahead);
            for (int left = job.samples; left > 0; left -= Slab::ROUND) {
                Slab::commit(ahead, buffer);
                __syncthreads();
                from += Slab::ROUND * c.sample_stride;
                s.fetch(c, from, left - Slab::ROUND - sample, ahead);
#pragma unroll 1
                for (int v = 0; v < Slab::ROUND && v < left; v += Slab::TEAMS, to += Slab::TEAMS * c.sample_stride) {
                    real sum[Slab::ROWS];
                    s.multiply(patch, buffer, v + s.team, sum);
                    if (v + s.team < left)
                        s.store(c, sum, to);
                }
                buffer = Slab::other(buffers, buffer, Slab::BUFFER);
            }
            __syncthreads();
        }
    }
}

/* dx = R^T dy and dR += sum of dy x^T, each thread the patch of its rows and columns over the vectors of its team; then team by
 * team. */
template <class Slab>
static __global__ void __launch_bounds__(Slab::BLOCK, 2)
rotate_vjp_kernel(rotation_call c, const typename Slab::real *R, const typename Slab::Stored *x, const typename Slab::Stored *dy,
                  typename Slab::Stored *dx, typename Slab::real *dR)
{
    typedef typename Slab::real real;
    real *buffers = (real *)shared_memory;
    Slab s;
    int sample = (int)threadIdx.x / Slab::QUADS;
    for (int64_t number = blockIdx.x; number < c.tokens * c.slabs; number += gridDim.x) {
        slab_job job(c, number, Slab::GROUPS);
        real patch[Slab::ROWS][Slab::COLUMNS], outer[Slab::ROWS][Slab::COLUMNS] = {};
        s.groups = job.groups;
        s.load_patch(c.n, true, R + job.matrix, job.next, buffers, patch);
        for (int64_t copy = 0; copy < c.copies; copy++) {
            typename Slab::fetched x_ahead, dy_ahead;
            int64_t at = job.vector + copy * c.copy_stride, from = at + sample * c.sample_stride;
            typename Slab::Stored *to = dx + at + s.team * c.sample_stride;
            real *buffer = buffers;
            s.fetch(c, x + from, job.samples - sample, x_ahead);
            s.fetch(c, dy + from, job.samples - sample, dy_ahead);
            for (int left = job.samples; left > 0; left -= Slab::ROUND) {
                real *dy_buffer = buffer + Slab::BUFFER;
                Slab::commit(x_ahead, buffer);
                Slab::commit(dy_ahead, dy_buffer);
                __syncthreads();
                from += Slab::ROUND * c.sample_stride;
                s.fetch(c, x + from, left - Slab::ROUND - sample, x_ahead);
                s.fetch(c, dy + from, left - Slab::ROUND - sample, dy_ahead);
#pragma unroll 1
                for (int v = 0; v < Slab::ROUND && v < left; v += Slab::TEAMS, to += Slab::TEAMS * c.sample_stride) {
                    real sum[Slab::ROWS];
                    s.multiply(patch, dy_buffer, v + s.team, sum);
                    if (v + s.team < left)
                        s.store(c, sum, to);
                    s.add_outer(dy_buffer, buffer, v + s.team, outer);
                }
                buffer = Slab::other(buffers, buffer, 2 * Slab::BUFFER);
            }
            __syncthreads();
        }
        for (int team = 0; team < Slab::TEAMS; team++) {
            if (team == s.team)
                s.add_patch(team > 0, outer, buffers);
            __syncthreads();
        }
        s.each_entry(c.n, job.next, [&](int64_t to, int from) { dR[job.matrix + to] += buffers[from]; });
        __syncthreads();
    }
}

#endif
