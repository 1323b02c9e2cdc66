/* encode.cu: positional encoding. Methods that work on teams form the matrices in shared memory (pencil.cuh) and sum gradients in
 * the same kernel (encode.cuh); so do closed forms in registers (encode_closed_form.cuh); for the others the matrices of a piece
 * of the batch stand in the workspace.
 * SPDX-License-Identifier: MIT */
#include "cayley.cuh"
#include "encode_closed_form.cuh"
#include "maps.cuh"
#include "polynomial.cuh"

/* ---- By pieces of the batch ------------------------------------------------------------------------------------------------ */

/* Matrices in a piece: at most 32 MiB, and half of the batch, so that A and dA take no more than R. */
static int64_t matrices_in_piece(const so_encoding *e)
{
    int64_t most = ((int64_t)32 << 20) / ((int64_t)sizeof(real) * e->tile * e->tile), half = (e->groups * e->tokens + 1) / 2;
    return most < 1 ? 1 : most < half ? most : half;
}

/* The matrices first, first + 1, .. of the batch. */
__global__ void form_kernel(int n, pencil<real> A, int64_t first, int64_t count, real *to)
{
    const int64_t size = (int64_t)n * n;
    for (int64_t k = first_job(); k < count * size; k += jobs_apart())
        to[k] = A.matrix(n, first + k / size, first + count).one((int)(k % size));
}

/* dgenerator += position dA for the matrices first, first + 1, .. of the batch, token by token; a generator's first token begins
 * its sum. One thread for each number of the generators that the piece meets. */
__global__ void add_tokens_kernel(int n, pencil<real> A, int64_t first, int64_t count, const real *dA, real *dgenerator)
{
    const int64_t size = (int64_t)n * n, generator = A.dims * size;
    const int64_t group = first / A.tokens, groups = (first + count - 1) / A.tokens - group + 1;
    for (int64_t k = first_job(); k < groups * generator; k += jobs_apart()) {
        int64_t g = group + k / generator, d = k % generator / size, e = k % size, begin = g * A.tokens, end = begin + A.tokens;
        real *to = dgenerator + g * generator + d * size + e, sum = begin < first ? *to : (real)0;
        for (int64_t b = begin < first ? first : begin; b < end && b < first + count; b++)
            sum = fma(A.position[(b - begin) * A.dims + d], dA[(b - first) * size + e], sum);
        *to = sum;
    }
}

/* along = <dA, generator> for the same matrices; a warp for each. */
__global__ void along_kernel(int n, pencil<real> A, int64_t first, int64_t count, const real *dA, real *along)
{
    const int64_t size = (int64_t)n * n, warps = (int64_t)gridDim.x * (JOB_THREADS / 32);
    for (int64_t k = (int64_t)blockIdx.x * (JOB_THREADS / 32) + threadIdx.x / 32; k < count * A.dims; k += warps) {
        int64_t b = first + k / A.dims, d = k % A.dims;
        const real *G = A.generator + (b / A.tokens * A.dims + d) * size, *Y = dA + (b - first) * size;
        real sum = 0;
        for (int64_t e = threadIdx.x % 32; e < size; e += 32)
            if (e / n < e % n)
                sum = fma(2 * G[e], Y[e], sum);
        sum = reduce_lanes<32>(sum, [](real a, real b) { return a + b; });
        if (threadIdx.x % 32 == 0)
            along[b * A.dims + d] = sum;
    }
}

static so_status encode_in_pieces(so_ctx *ctx, const SO_(cuda_method) *method, const so_encoding *e, const pencil<real> &A,
                                  real *R)
{
    const int n = e->tile;
    const int64_t size = (int64_t)n * n, batch = e->groups * e->tokens, most = matrices_in_piece(e);
    so_status status;
    do {
        void *memory;
        status = so_ctx_hold(ctx, (size_t)most, (size_t)size * sizeof(real), &memory);
        for (int64_t first = 0; status == SO_OK && first < batch; first += most) {
            int64_t count = batch - first < most ? batch - first : most;
            real *formed = (real *)memory;
            status = launch_each(ctx, form_kernel, count * size, n, A, first, count, formed);
            if (status == SO_OK)
                status = method->map(ctx, n, count, formed, R + first * size);
        }
    } while (so_ctx_let_go(ctx));
    return status;
}

/* `along` NULL: not wanted. */
static so_status gradient_of_piece(so_ctx *ctx, const SO_(cuda_method) *method, int n, const pencil<real> &A, int64_t first,
                                   int64_t count, const real *R, const real *dR, real *formed, real *dA, real *dgenerator,
                                   real *along)
{
    const int64_t size = (int64_t)n * n, at = first * size, met = (first + count - 1) / A.tokens - first / A.tokens + 1;
    so_status status = launch_each(ctx, form_kernel, count * size, n, A, first, count, formed);
    if (status == SO_OK)
        status = method->vjp(ctx, n, count, formed, R + at, dR + at, dA);
    if (status == SO_OK)
        status = launch_each(ctx, add_tokens_kernel, met * A.dims * size, n, A, first, count, dA, dgenerator);
    if (status == SO_OK && along)
        status = launch_each(ctx, along_kernel, count * A.dims * 32, n, A, first, count, dA, along);
    return status;
}

static so_status add_groups(so_ctx *ctx, const so_encoding *e, const real *along, real *dposition)
{
    const int64_t positions = e->tokens * e->dims;
    return launch_each(ctx, add_groups_kernel<real>, positions, e->groups, positions, along, dposition);
}

static so_status encode_vjp_in_pieces(so_ctx *ctx, const SO_(cuda_method) *method, const so_encoding *e, const pencil<real> &A,
                                      const real *R, const real *dR, real *dgenerator, real *dposition)
{
    const int n = e->tile;
    const int64_t size = (int64_t)n * n, batch = e->groups * e->tokens, most = matrices_in_piece(e);
    const int64_t lengths = dposition ? batch * e->dims : 0;
    so_status status;
    do {
        void *memory;
        status = so_ctx_hold(ctx, (size_t)(2 * most * size + lengths), sizeof(real), &memory);
        real *formed = (real *)memory, *dA = formed + most * size, *along = dposition ? dA + most * size : NULL;
        for (int64_t first = 0; status == SO_OK && first < batch; first += most)
            status = gradient_of_piece(ctx, method, n, A, first, batch - first < most ? batch - first : most, R, dR, formed, dA,
                                       dgenerator, along);
        if (status == SO_OK && dposition)
            status = add_groups(ctx, e, along, dposition);
    } while (so_ctx_let_go(ctx));
    return status;
}

/* ---- On teams -------------------------------------------------------------------------------------------------------------- */

/* The gradient by a kernel that leaves the sums of so many runs per generator: kernel(sums, along). */
template <class F>
static so_status encode_vjp_by_runs(so_ctx *ctx, const so_encoding *e, int64_t runs, real *dgenerator, real *dposition, F kernel)
{
    const int n = e->tile;
    const int64_t numbers = e->groups * e->dims * n * n, sums = e->groups * runs * e->dims * n * padded_row(n);
    const int64_t lengths = dposition ? e->groups * e->tokens * e->dims : 0;
    if (e->groups * runs > INT32_MAX) /* more than a launch has blocks: R would have as many times 8 matrices */
        return SO_ESIZE;
    void *memory;
    so_status status = so_ctx_reserve(ctx, (size_t)(sums + lengths), sizeof(real), &memory);
    if (status != SO_OK)
        return status;
    real *sum = (real *)memory, *along = dposition ? sum + sums : NULL;
    status = kernel(sum, along);
    if (status == SO_OK)
        status = launch_each(ctx, add_runs_kernel<real>, numbers, n, e->groups, runs, e->dims, sum, dgenerator);
    return status == SO_OK && dposition ? add_groups(ctx, e, along, dposition) : status;
}

template <class Method>
static so_status encode_vjp_in_teams(so_ctx *ctx, const so_encoding *e, const pencil<real> &A, const real *R, const real *dR,
                                     real *dgenerator, real *dposition)
{
    const int64_t runs = runs_of(e->tokens, e->dims);
    return encode_vjp_by_runs(ctx, e, runs, dgenerator, dposition, [&](real *sums, real *along) {
        return with_team<real, true>(e->tile, [&](auto *which) {
            typedef std::remove_pointer_t<decltype(which)> Team;
            return launch(ctx, encode_vjp_kernel<Method, Team>, blocks_of<Team>(e->groups * runs), Team::BLOCK,
                          Team::bytes(Method::DIFFERENTIAL_MATRICES), e->tile, (unsigned)e->groups, (unsigned)runs,
                          (int)((e->tokens + runs - 1) / runs), A, R, dR, sums, along, cuda_of(ctx)->device_outcome);
        });
    });
}

/* ---- In closed form: n = 2, 3, 4 ------------------------------------------------------------------------------------------- */

template <int N> static so_status encode_closed(so_ctx *ctx, int64_t batch, const pencil<real> &A, real *R)
{
    return launch_on_trays<tray<real, N>>(ctx, closed_map_kernel<N, real, formed<real>>, 1, batch, formed<real>{A}, R);
}

template <int N>
static so_status encode_closed_vjp(so_ctx *ctx, const so_encoding *e, const pencil<real> &A, const real *R, const real *dR,
                                   real *dgenerator, real *dposition)
{
    typedef tray<real, N> tray;
    const int64_t runs = (e->tokens + tray::MATRICES - 1) / tray::MATRICES;
    return encode_vjp_by_runs(ctx, e, runs, dgenerator, dposition, [&](real *sums, real *along) {
        return launch(ctx, encode_closed_vjp_kernel<N, real>, blocks_for(e->groups * runs), tray::BLOCK,
                      (size_t)(3 * tray::BYTES), (unsigned)runs, A, R, dR, sums, along, cuda_of(ctx)->device_outcome);
    });
}

/* ---- Which ----------------------------------------------------------------------------------------------------------------- */

so_status SO_(so_cuda_encode)(so_ctx *ctx, const so_encoding *e, const real *position, const real *generator, real *R)
{
    const SO_(cuda_method) *method = SO_(so_cuda_choose)(e->method, e->tile);
    const pencil<real> A = {e->dims, e->tokens, position, generator};
    const int64_t batch = e->groups * e->tokens;
    if (method == &SO_(cuda_closed_form))
        return e->tile == 2   ? encode_closed<2>(ctx, batch, A, R)
               : e->tile == 3 ? encode_closed<3>(ctx, batch, A, R)
                              : encode_closed<4>(ctx, batch, A, R);
    if (method == &SO_(cuda_polynomial) || e->tile == 1) /* of order 1 only the positions are read, which pieces leave out */
        return map_in_teams<polynomial>(ctx, e->tile, batch, A, R);
    if (method == &SO_(cuda_cayley))
        return map_in_teams<cayley>(ctx, e->tile, batch, A, R);
    return encode_in_pieces(ctx, method, e, A, R);
}

so_status SO_(so_cuda_encode_vjp)(so_ctx *ctx, const so_encoding *e, const real *position, const real *generator, const real *R,
                                  const real *dR, real *dgenerator, real *dposition)
{
    const SO_(cuda_method) *method = SO_(so_cuda_choose)(e->method, e->tile);
    const pencil<real> A = {e->dims, e->tokens, position, generator};
    if (A.tokens * e->groups == 0) { /* sums of nothing */
        const int64_t size = (int64_t)e->tile * e->tile;
        so_status status = launch_each(ctx, add_runs_kernel<real>, e->groups * e->dims * size, e->tile, e->groups, (int64_t)0,
                                       e->dims, R, dgenerator);
        return status == SO_OK && dposition ? add_groups(ctx, e, NULL, dposition) : status;
    }
    if (method == &SO_(cuda_closed_form))
        return e->tile == 2   ? encode_closed_vjp<2>(ctx, e, A, R, dR, dgenerator, dposition)
               : e->tile == 3 ? encode_closed_vjp<3>(ctx, e, A, R, dR, dgenerator, dposition)
                              : encode_closed_vjp<4>(ctx, e, A, R, dR, dgenerator, dposition);
    if (fits_team<real, true>(ctx, e->tile, polynomial::DIFFERENTIAL_MATRICES)) {
        if (method == &SO_(cuda_polynomial) || e->tile == 1)
            return encode_vjp_in_teams<polynomial>(ctx, e, A, R, dR, dgenerator, dposition);
        if (method == &SO_(cuda_cayley))
            return encode_vjp_in_teams<cayley>(ctx, e, A, R, dR, dgenerator, dposition);
    }
    return encode_vjp_in_pieces(ctx, method, e, A, R, dR, dgenerator, dposition);
}
