/* pade.cu: exp(A) and its derivative by the diagonal Pade approximant with scaling and squaring, on cuBLAS: the mirror of
 * libso/cpu/lapack/pade.c, which says why; the same coefficients and thresholds.
 *
 *   r(A) = (V - U)^-1 (V + U),  V and A^-1 U polynomials in A^2
 *
 * These are evaluated as polynomials in X = A^2 - x I, x near the mean of the diagonal of A^2, by their Taylor coefficients at x.
 * Where the angles are close X is small, and so are the rounding errors of its powers, in whatever order cuBLAS sums them
 * (libso/cpu/group/centre.h says what for). What they would not make small is not left to cuBLAS: the diagonal of A^2, the residual
 * of the solution, squarings.
 *
 * Nothing that is launched depends on what the matrices hold: the degree is always the highest of the CPU's ladder, which is as
 * good for small angles; powers and polynomials are products of the whole chunk, the solve is batched LU with one step of
 * refinement. How often a matrix is squared is known to the device alone, so that is done by a kernel of ours, a block for each
 * matrix.
 *
 * Matrices are row-major; to cuBLAS they are column-major and transposed.
 * SPDX-License-Identifier: MIT */
#include "maps.cuh"
#include "../../libso/pade_coefficients.h"
#include "outcome.cuh"
#include "vendor.cuh"

#if defined(SO_REAL_f32)
#define GETRF cublasSgetrfBatched
#define GETRS cublasSgetrsBatched
#else
#define GETRF cublasDgetrfBatched
#define GETRS cublasDgetrsBatched
#endif

/* The top rung of this type's ladder. */
enum { RUNGS = sizeof SO_(so_pade_ladder) / sizeof *SO_(so_pade_ladder) };
static const so_pade_rung &rung = SO_(so_pade_ladder)[RUNGS - 1];

/* Types of this file alone: templates made with them must not be taken for those of the other real type. */
namespace {

/* V and A^-1 U as polynomials in A^2: coefficients, zeros beyond the degree. */
enum { TERMS = 7 };
typedef struct half_polynomials {
    double a[2][TERMS];
} half_polynomials;

/* Of the matrices of a chunk. */
typedef struct chunk_memory {
    jet<real> A, X, X2, X3, H, S, U;
    real *centre, *taylor;                 /* x; TERMS coefficients of V, then of A^-1 U */
    real **of_LU, **of_R, **of_T, **of_dP; /* what cuBLAS calls arrays of pointers */
    int *pivots, *info;
    int *bad;
    int *squarings;
    int *exponent; /* of the direction */
} chunk_memory;

} // namespace

/* The matrix of this block. */
static __device__ real *own(int n, real *X)
{
    return X + (int64_t)blockIdx.x * n * n;
}

/* ---- Before the base ---------------------------------------------------------------------------------------------- */

/* A of the chunk, its entries below 2^5: what it was divided by begins the number of squarings. A bad matrix counts as 0. */
static __global__ void __launch_bounds__(CHUNK_THREADS) load_kernel(int n, const real *A, chunk_memory m)
{
    const int64_t at = blockIdx.x, first = at * n * n;
    const extent size = extent_of<true>(n, A + first);
    int exponent = size.bad ? 0 : exponent_of(size.largest) - 4;
    exponent = exponent > 0 ? exponent : 0;
    const real factor = (real)ldexp(1.0, -exponent);
    each_entry(n, [&](int e) { m.A.v[first + e] = size.bad ? (real)0 : factor * skew_entry(n, A + first, e / n, e % n); });
    if (threadIdx.x == 0) {
        m.bad[at] = size.bad;
        m.squarings[at] = exponent;
    }
}

/* The direction M = the skew matrix E 2^-exponent, into the tangent of A. */
static __global__ void __launch_bounds__(CHUNK_THREADS) load_direction_kernel(int n, const real *E, chunk_memory m)
{
    const int64_t at = blockIdx.x, first = at * n * n;
    const extent size = extent_of<true>(n, E + first);
    const int exponent = size.bad ? 0 : exponent_of(size.largest);
    each_entry(n, [&](int e) {
        m.A.d[first + e] = size.bad ? (real)0 : (real)ldexp((double)skew_entry(n, E + first, e / n, e % n), -exponent);
    });
    if (threadIdx.x == 0) {
        m.bad[at] |= size.bad;
        m.exponent[at] = exponent;
    }
}

/* R to X and dR 2^-exponent to X2. */
static __global__ void __launch_bounds__(CHUNK_THREADS)
    load_gradient_kernel(int n, const real *R, const real *dR, chunk_memory m)
{
    const int64_t at = blockIdx.x, first = at * n * n;
    const extent of_R = extent_of<false>(n, R + first), of_dR = extent_of<false>(n, dR + first);
    const bool none = of_R.bad || of_dR.bad;
    const int exponent = none ? 0 : exponent_of(of_dR.largest);
    each_entry(n, [&](int e) {
        m.X.v[first + e] = none ? (real)0 : R[first + e];
        m.X2.v[first + e] = none ? (real)0 : (real)ldexp((double)dR[first + e], -exponent);
    });
    if (threadIdx.x == 0) {
        m.bad[at] |= none;
        m.exponent[at] = exponent;
    }
}

/* Y <- the skew part of X */
static __global__ void __launch_bounds__(CHUNK_THREADS) skew_kernel(int n, const real *X, real *Y)
{
    const int64_t first = (int64_t)blockIdx.x * n * n;
    each_entry(n, [&](int e) { Y[first + e] = (X[first + e] - X[first + e % n * n + e / n]) * (real)0.5; });
}

/* A sum hi + lo. */
typedef struct double_double {
    double hi, lo;
} double_double;

/* x + a b, as if in twice the precision (Ogita, Rump & Oishi 2005: Dot2). */
static __device__ __forceinline__ double_double add_product(double_double x, double a, double b)
{
    const double product = __dmul_rn(a, b), sum = x.hi + product, part = sum - x.hi;
    return {sum, x.lo + (fma(a, b, -product) + ((x.hi - (sum - part)) + (product - part)))};
}

/* Of few bits, as on the CPU: matrices of nearly the same angles have the same centre. */
static __device__ real centre_near(double mean)
{
    enum { BITS = 6 };
    int exponent;
    const double fraction = frexp(mean, &exponent);
    return (real)ldexp(rint(ldexp(fraction, BITS)), exponent - BITS);
}

/* X <- X - x I, X = A^2 with a diagonal that is rounded once. */
static __global__ void __launch_bounds__(CHUNK_THREADS) centre_kernel(int n, chunk_memory m)
{
    const real *A = own(n, m.A.v);
    real *X = own(n, m.X.v);
    double trace = 0;
    for (int i = (int)threadIdx.x; i < n; i += (int)blockDim.x) {
        double_double sum = {};
        for (int j = 0; j < n; j++) { /* down a column, of which neighbours read the next */
            const double a = (double)A[(int64_t)j * n + i];
            sum = add_product(sum, -a, a);
        }
        X[(int64_t)i * (n + 1)] = (real)(sum.hi + sum.lo);
        trace += sum.hi;
    }
    const real x = centre_near(block_sum(trace) / n);
    for (int i = (int)threadIdx.x; i < n; i += (int)blockDim.x)
        X[(int64_t)i * (n + 1)] -= x;
    if (threadIdx.x == 0)
        m.centre[blockIdx.x] = x;
}

/* c_0 + c_1 X + .. = the polynomial with coefficients a at x I + X. Horner's scheme for each in twice the precision (Graillat,
 * Langlois & Louvet 2005), since an error of c_0 would be that of all planes: rounded once. */
static __device__ void taylor_coefficients(const double *a, double x, real *c)
{
    double_double s[TERMS];
#pragma unroll
    for (int k = 0; k < TERMS; k++)
        s[k] = {a[k], 0};
#pragma unroll
    for (int j = 0; j < TERMS; j++) {
#pragma unroll
        for (int k = TERMS - 2; k >= j; k--) {
            s[k] = add_product(s[k], x, s[k + 1].hi);
            s[k].lo += x * s[k + 1].lo;
        }
        c[j] = (real)(s[j].hi + s[j].lo);
    }
}

/* Scales A, X and X^2 so that angles are below `limit`, by a bound of the norm of A^4, whose eigenvalues are double: the Frobenius
 * norm over sqrt 2 or the infinity norm. */
static __global__ void __launch_bounds__(CHUNK_THREADS) scale_kernel(int n, double limit, half_polynomials p, chunk_memory m)
{
    const int64_t at = blockIdx.x, first = at * n * n;
    const double x = (double)m.centre[at];
    double squares = 0, columns = 0;
    for (int j = (int)threadIdx.x; j < n; j += (int)blockDim.x) {
        double column = 0;
        for (int i = 0; i < n; i++) {
            const int64_t k = first + (int64_t)i * n + j;
            const double entry = (double)m.X2.v[k] + 2 * x * (double)m.X.v[k] + (i == j ? x * x : 0);
            squares += entry * entry;
            column += fabs(entry);
        }
        columns = fmax(columns, column);
    }
    double bound = fmin(sqrt(block_sum(squares) / 2), block_largest(columns)) * (1 + (8 * n + 16) * (double)limits<real>::u);
    int halvings = 0;
    for (double rho = sqrt(sqrt(bound)); rho > limit; rho /= 2)
        halvings++;
    if (halvings > 0)
        each_entry(n, [&](int e) {
            const int64_t k = first + e;
            m.A.v[k] = (real)ldexp(m.A.v[k], -halvings);
            m.X.v[k] = (real)ldexp(m.X.v[k], -2 * halvings);
            m.X2.v[k] = (real)ldexp(m.X2.v[k], -4 * halvings);
            if (m.A.d) {
                m.X.d[k] = (real)ldexp(m.X.d[k], -halvings);
                m.X2.d[k] = (real)ldexp(m.X2.d[k], -3 * halvings);
            }
        });
#pragma unroll
    for (int half = 0; half < 2; half++)
        if ((int)threadIdx.x == half) /* p.a[threadIdx.x] would put p into local memory */
            taylor_coefficients(p.a[half], ldexp(x, -2 * halvings), m.taylor + (2 * at + half) * TERMS);
    if (threadIdx.x == 0)
        m.squarings[at] += halvings;
}

/* ---- The base ----------------------------------------------------------------------------------------------------- */

/* R <- alpha P Q + beta R */
static void multiply(chunk_work *w, real alpha, const real *P, const real *Q, real beta, real *R)
{
    gemm(w, CUBLAS_OP_N, CUBLAS_OP_N, alpha, Q, P, beta, R);
}

/* R <- P Q + beta R, of jets where they have tangents. */
static void multiply_jets(chunk_work *w, jet<real> P, jet<real> Q, real beta, jet<real> R)
{
    multiply(w, 1, P.v, Q.v, beta, R.v);
    if (R.d) {
        multiply(w, 1, P.d, Q.v, beta, R.d);
        multiply(w, 1, P.v, Q.d, 1, R.d);
    }
}

/* R = c_(skip + 1) X + c_(skip + 2) X^2 + c_(skip + 3) X^3, and c_0 I if nothing is skipped, of V or (half = 1) A^-1 U. */
static __global__ void __launch_bounds__(CHUNK_THREADS) combine_kernel(int n, int half, int skip, chunk_memory m, jet<real> R)
{
    const int64_t first = (int64_t)blockIdx.x * n * n;
    const real *c = m.taylor + (2 * (int64_t)blockIdx.x + half) * TERMS;
    const real unit = skip ? (real)0 : c[0], c1 = c[skip + 1], c2 = c[skip + 2], c3 = c[skip + 3];
    each_entry(n, [&](int e) {
        const int64_t k = first + e;
        R.v[k] = c1 * m.X.v[k] + c2 * m.X2.v[k] + c3 * m.X3.v[k] + (e % (n + 1) == 0 ? unit : (real)0);
        if (R.d)
            R.d[k] = c1 * m.X.d[k] + c2 * m.X2.d[k] + c3 * m.X3.d[k];
    });
}

/* S <- V or (half = 1) A^-1 U; H: scratch. */
static void half_polynomial(chunk_work *w, int half, const chunk_memory *m)
{
    run(w, combine_kernel, half, 0, *m, m->S);
    if (rung.degree / 2 > 3) { /* X^3 (c_4 X + c_5 X^2 + c_6 X^3) */
        run(w, combine_kernel, half, 3, *m, m->H);
        multiply_jets(w, m->X3, m->H, 1, m->S);
    }
}

/* P = S + U to S and H, Q = S - U to X2 and X3; of the tangents dP to X, dQ to X2. */
static __global__ void __launch_bounds__(CHUNK_THREADS) numerator_kernel(int n, chunk_memory m)
{
    const int64_t first = (int64_t)blockIdx.x * n * n;
    each_entry(n, [&](int e) {
        const int64_t k = first + e;
        const real s = m.S.v[k], u = m.U.v[k];
        m.S.v[k] = m.H.v[k] = s + u;
        m.X2.v[k] = m.X3.v[k] = s - u;
        if (m.A.d) {
            m.X.d[k] = m.S.d[k] + m.U.d[k];
            m.X2.d[k] = m.S.d[k] - m.U.d[k];
        }
    });
}

/* The chunk's arrays of pointers, also to the zeros that fill it up. */
static __global__ void __launch_bounds__(CHUNK_THREADS) pointers_kernel(int n, int chunk, chunk_memory m)
{
    for (int64_t at = (int)(blockIdx.x * blockDim.x + threadIdx.x); at < chunk; at += (int)(gridDim.x * blockDim.x)) {
        m.of_LU[at] = m.X3.v + at * n * n;
        m.of_R[at] = m.H.v + at * n * n;
        m.of_T[at] = m.S.v + at * n * n;
        m.of_dP[at] = m.X.d ? m.X.d + at * n * n : NULL;
    }
}

/* X <- X + Y */
static __global__ void __launch_bounds__(CHUNK_THREADS) add_kernel(int n, real *X, const real *Y)
{
    const int64_t first = (int64_t)blockIdx.x * n * n;
    each_entry(n, [&](int e) { X[first + e] += Y[first + e]; });
}

/* S <- P - H Q, the residual of H = P Q^-1 that the refinement divides by Q; X: scratch. */
static __global__ void __launch_bounds__(CHUNK_THREADS) refinement_kernel(int n, chunk_memory m)
{
    real *P = own(n, m.S.v), *T = own(n, m.X.v);
    product<false>(n, own(n, m.H.v), own(n, m.X2.v), T);
    each_entry(n, [&](int e) { P[e] -= T[e]; });
}

/* B <- B Q^-1 by the factors of Q, which to cuBLAS is Q^T. */
static void substitute(chunk_work *w, const chunk_memory *m, real *const *B)
{
    int info = 0;
    check(w, w->status == SO_OK && succeeds(w->cublas->GETRS(w->cublas->handle, CUBLAS_OP_N, w->n, w->n, m->of_LU, w->n,
                                                             m->pivots, B, w->n, &info, w->chunk)));
}

static half_polynomials halves_of_rung(void)
{
    half_polynomials p = {};
    for (int k = 0; k <= rung.degree; k++)
        p.a[k % 2][k / 2] = (double)(real)(rung.b[k] / rung.b[0]);
    return p;
}

/* r(A) of the scaled A to H; Y = the derivative in the direction of the tangent of A, made skew, to the tangent of H. */
static void evaluate(chunk_work *w, const chunk_memory *m)
{
    const bool derivative = m->A.d != NULL;
    multiply_jets(w, m->A, m->A, 0, m->X);
    run(w, centre_kernel, *m);
    multiply_jets(w, m->X, m->X, 0, m->X2);
    run(w, scale_kernel, derivative ? rung.theta_derivative : rung.theta, halves_of_rung(), *m);
    multiply_jets(w, m->X2, m->X, 0, m->X3);
    half_polynomial(w, 1, m);
    multiply_jets(w, m->A, m->S, 0, m->U);
    half_polynomial(w, 0, m);
    run(w, numerator_kernel, *m);
    run(w, pointers_kernel, w->chunk, *m);

    check(w, w->status == SO_OK &&
                 succeeds(w->cublas->GETRF(w->cublas->handle, w->n, m->of_LU, w->n, m->pivots, m->info, w->chunk)));
    substitute(w, m, m->of_R);
    run(w, refinement_kernel, *m);
    substitute(w, m, m->of_T);
    run(w, add_kernel, m->H.v, (const real *)m->S.v);
    if (derivative) {
        multiply(w, -1, m->H.v, m->X2.d, 1, m->X.d);
        substitute(w, m, m->of_dP);
        gemm(w, CUBLAS_OP_T, CUBLAS_OP_N, (real)1, m->H.v, m->X.d, (real)0, m->X3.d); /* dr r^T */
        run(w, skew_kernel, (const real *)m->X3.d, m->H.d);
    }
}

/* ---- Squaring ----------------------------------------------------------------------------------------------------- */

/* Between two re-orthogonalisations a defect grows at most 2^8 times. */
enum { SQUARINGS_PER_STEP = 8 };

/* R = r(A)^(2^squarings) */
static __global__ void __launch_bounds__(CHUNK_THREADS) square_kernel(int n, chunk_memory m, real *R, int *outcome)
{
    real *E = own(n, m.H.v), *F = own(n, m.A.v);
    const bool nan = report_block(m.bad[blockIdx.x], m.info[blockIdx.x] != 0, outcome);
    const int squarings = nan ? 0 : m.squarings[blockIdx.x];
    orthogonalize(n, E, own(n, m.U.v), F);
    for (int step = 0; step < squarings; step++) {
        if (step % SQUARINGS_PER_STEP == SQUARINGS_PER_STEP - 1)
            orthogonalize(n, E, own(n, m.U.v), F);
        product<false>(n, E, E, F);
        real *square = F;
        F = E;
        E = square;
    }
    each_entry(n, [&](int e) { own(n, R)[e] = nan ? not_a_number<real>() : E[e]; });
}

/* Y <- phi(ad_(2^s A)) M from Y = phi(ad_A) M, s times (Y + E Y E^T)/2 and E <- E^2 (exponential.md 2.7). Then, if dA is not
 * NULL, dA = Y 2^exponent. */
static __global__ void __launch_bounds__(CHUNK_THREADS) double_kernel(int n, chunk_memory m, real *dA, int *outcome)
{
    real *E = own(n, m.H.v), *F = own(n, m.A.v), *Y = own(n, m.H.d), *T = own(n, m.U.v), *Z = own(n, m.S.v);
    const bool nan = report_block(m.bad[blockIdx.x], m.info[blockIdx.x] != 0, outcome);
    const int squarings = nan ? 0 : m.squarings[blockIdx.x];
    for (int step = 0; step < squarings; step++) {
        if (step % SQUARINGS_PER_STEP == 0)
            orthogonalize(n, E, T, F);
        product<false>(n, E, Y, T);
        product<true>(n, T, E, Z);
        each_entry(n, [&](int e) {
            const int i = e / n, j = e % n, mirror = j * n + i;
            if (i < j) {
                Y[e] = (Y[e] + (Z[e] - Z[mirror]) * (real)0.5) * (real)0.5;
                Y[mirror] = -Y[e];
            }
        });
        __syncthreads();
        if (step + 1 < squarings) {
            product<false>(n, E, E, F);
            real *square = F;
            F = E;
            E = square;
        }
    }
    if (dA)
        each_entry(
            n, [&](int e) { own(n, dA)[e] = nan ? not_a_number<real>() : (real)ldexp((double)Y[e], m.exponent[blockIdx.x]); });
}

/* ---- Batches ------------------------------------------------------------------------------------------------------ */

static void lay_out(pieces *p, int n, int chunk, bool derivative, chunk_memory *m)
{
    jet<real> *const jets[] = {&m->A, &m->X, &m->X2, &m->X3, &m->H, &m->S, &m->U};
    for (jet<real> *j : jets) {
        take(p, (int64_t)n * n * chunk, &j->v);
        if (derivative)
            take(p, (int64_t)n * n * chunk, &j->d);
    }
    take(p, chunk, &m->centre), take(p, (int64_t)2 * TERMS * chunk, &m->taylor);
    take(p, chunk, &m->of_LU), take(p, chunk, &m->of_R), take(p, chunk, &m->of_T), take(p, chunk, &m->of_dP);
    take(p, (int64_t)n * chunk, &m->pivots), take(p, chunk, &m->info);
    take(p, chunk, &m->bad), take(p, chunk, &m->squarings), take(p, chunk, &m->exponent);
}

/* f(work, memory, first entry) for each chunk. Workspace: 7 matrices for each of a chunk, 14 for derivatives (of f64 56 and
 * 112 MiB, or one matrix's), less than 1 MiB for numbers beside them, and that of cuBLAS. */
template <class F> static so_status each_base(so_ctx *ctx, int n, int64_t batch, bool derivative, F f)
{
    on_device here(ctx);
    chunk_memory m = {};
    chunk_work w = {.ctx = ctx, .n = n, .chunk = chunk_of(n), .status = SO_OK};
    check(&w, here.ok);
    if (w.status == SO_OK)
        w.status = open_cublas(ctx, &w.cublas);
    if (w.status != SO_OK)
        return w.status;
    return each_chunk(
        &w, batch, [&](pieces *p) { lay_out(p, n, w.chunk, derivative, &m); }, [&](int64_t first) { f(&w, &m, first); });
}

static so_status map(so_ctx *ctx, int n, int64_t batch, const real *A, real *R)
{
    return each_base(ctx, n, batch, false, [&](chunk_work *w, const chunk_memory *m, int64_t first) {
        run(w, load_kernel, A + first, *m);
        evaluate(w, m);
        run(w, square_kernel, *m, R + first, cuda_of(ctx)->device_outcome);
    });
}

static so_status vjp(so_ctx *ctx, int n, int64_t batch, const real *A, const real *R, const real *dR, real *dA)
{
    return each_base(ctx, n, batch, true, [&](chunk_work *w, const chunk_memory *m, int64_t first) {
        run(w, load_kernel, A + first, *m);
        run(w, load_gradient_kernel, R + first, dR + first, *m);
        gemm(w, CUBLAS_OP_N, CUBLAS_OP_T, (real)1, m->X2.v, m->X.v, (real)0, m->X3.v); /* R^T dR */
        run(w, skew_kernel, (const real *)m->X3.v, m->A.d);
        evaluate(w, m);
        run(w, double_kernel, *m, dA + first, cuda_of(ctx)->device_outcome);
    });
}

/* R to X. */
static __global__ void __launch_bounds__(CHUNK_THREADS) load_rotation_kernel(int n, const real *R, chunk_memory m)
{
    each_entry(n, [&](int e) { own(n, m.X.v)[e] = R[(int64_t)blockIdx.x * n * n + e]; });
}

/* L = X2 2^exponent. Where E is bad, R is too. */
static __global__ void __launch_bounds__(CHUNK_THREADS) store_tangent_kernel(int n, chunk_memory m, real *R, real *L)
{
    const bool nan = m.bad[blockIdx.x] || m.info[blockIdx.x] != 0;
    each_entry(n, [&](int e) {
        own(n, L)[e] = nan ? not_a_number<real>() : (real)ldexp((double)own(n, m.X2.v)[e], m.exponent[blockIdx.x]);
        if (nan)
            own(n, R)[e] = not_a_number<real>();
    });
}

static so_status jvp(so_ctx *ctx, int n, int64_t batch, const real *A, const real *E, real *R, real *L)
{
    so_status status = map(ctx, n, batch, A, R);
    if (status != SO_OK)
        return status;
    return each_base(ctx, n, batch, true, [&](chunk_work *w, const chunk_memory *m, int64_t first) {
        run(w, load_kernel, A + first, *m);
        run(w, load_direction_kernel, E + first, *m);
        evaluate(w, m);
        run(w, double_kernel, *m, (real *)NULL, cuda_of(ctx)->device_outcome);
        run(w, load_rotation_kernel, (const real *)R + first, *m);
        multiply(w, 1, m->H.d, m->X.v, 0, m->X2.v);
        run(w, store_tangent_kernel, *m, R + first, L + first);
    });
}

const SO_(cuda_method) SO_(cuda_pade) = {map, vjp, jvp};
