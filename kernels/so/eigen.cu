/* eigen.cu: exp(A) and its derivative from the eigenvectors of the Hermitian matrix H = iA, found by cuSOLVER; products by
 * cuBLAS.
 *
 *   H = V diag(lambda) V^H,   exp(A) = Re V diag(e^(-i lambda)) V^H
 *
 * All of it in f64, for f32 too: an f32 decomposition would miss the 16 u of orthogonality and the 10 u at small angles, and
 * where f64 runs at half the speed of f32 or better it costs little beside the solver. Eigenvalues come in pairs +-lambda up to
 * rounding only; nothing relies on the pairs, so that a null space and equal angles need no care, at the price of complex
 * arithmetic. Rounding then leaves an imaginary part of the size of rho u, and as much as its square of the orthogonality is
 * missing. Where that counts the rotation is made orthogonal in the end; beyond rho = 2^38 A is scaled down to that first.
 *
 * Rounding in the solver leaves V^H V = I + F and H = U (diag(lambda) + E) U^H with U = V (I + F)^(-1/2): E of the size of n u
 * rho, more than so.h allows. As on the CPU (libso/cpu/lapack/spectral.h) both are computed, and go to first order into the
 * vectors and eigenvalues, which become exact but for products and for what couples angles within 2^-20 rho of each other:
 *
 *   U = V (I + K - F/2),  K_jk = E_jk / (lambda_k - lambda_j) or 0;   lambda_j + E_jj;   N = the rest of E
 *   exp(A) = I + Re U (Z + C) U^H,   Z = diag(e^(-i lambda) - 1),
 *                                    C_jk = -i N_jk e^(-i (lambda_j + lambda_k)/2) sinc((lambda_j - lambda_k)/2)
 *   phi(ad_A) M = Re U (phi(-i x) B + phi'(-i x) (-i) [N, B]) U^H,   B = U^H M U,   x = lambda_j - lambda_k
 *
 * Daleckii and Krein's divided differences of e^z are sinc of half differences (exponential.md 2.6): nothing is divided by them.
 *
 * The residual also says whether the solver converged, to the point: its own info, which the two solvers define differently, is
 * not read.
 *
 * Complex matrices are column-major, element (i, j) at i + n j; those of the caller are row-major.
 * SPDX-License-Identifier: MIT */
#include "maps.cuh"
#include "outcome.cuh"
#include "sine.cuh"
#include "vendor.cuh"

typedef cuDoubleComplex complex64;

/* Whether the Jacobi solver is taken; else divide and conquer on a tridiagonal form. Others measured the latter faster from 32
 * on (A100, CUDA 12.6); not measured here. */
static bool by_jacobi(int n)
{
    return n < 32;
}

namespace { /* templates made with it must not be taken for those of the other real type */

/* The eigenvectors and eigenvalues of a chunk, and what else its matrices need. */
typedef struct chunk_spectrum {
    complex64 *H, *V, *T, *P;  /* n n each; H becomes U, T becomes N, the others are scratch */
    double *lambda, *angle;    /* n each: of H scaled; of A */
    complex64 *half;           /* n each: e^(-i angle/2) */
    double *unit;              /* angle = lambda unit, a power of two; 0 for A = 0 */
    double *correction;        /* what N is multiplied by to be in units of the angles; 0 where it would not be small */
    int *bad, *failed, *large; /* the matrix reads a NaN or Inf; the solver did not converge; rho > LARGEST_CORRECTED_ANGLE */
    int *exponent;             /* of the direction M */
    int *info;
    char *solver; /* workspace */
    size_t solver_bytes;
} chunk_spectrum;

} // namespace

/* ---- Complex numbers ---------------------------------------------------------------------------------------------- */

static __device__ inline complex64 times(complex64 x, complex64 y)
{
    return make_cuDoubleComplex(x.x * y.x - x.y * y.y, x.x * y.y + x.y * y.x);
}

static __device__ inline complex64 conjugate(complex64 x)
{
    return make_cuDoubleComplex(x.x, -x.y);
}

static __device__ inline double sinc(double x)
{
    double sine, cosine;
    sine_cosine(x, &sine, &cosine);
    return x == 0 ? 1 : sine / x;
}

/* ---- Decomposition ------------------------------------------------------------------------------------------------ */

/* H = V = iA / unit; for A = 0 diag(1, .., n)/n, since solvers have returned NaN for a zero matrix (cupy/cupy#6539): with angles of
 * 0 its eigenvectors do not show. A bad matrix counts as 0, and so do those that fill the chunk, from `count` on. */
static __global__ void __launch_bounds__(CHUNK_THREADS) load_kernel(int n, int count, const real *A, chunk_spectrum s)
{
    const int64_t b = blockIdx.x, first = b * n * n;
    const extent size = b < count ? extent_of<true>(n, A + first) : extent{0, false};
    const bool none = size.bad || size.largest == 0;
    const int exponent = none ? 0 : exponent_of(size.largest);
    const double factor = ldexp(1.0, -exponent);
    each_entry(n, [&](int e) {
        int i = e % n, j = e / n;
        complex64 h = none ? make_cuDoubleComplex(i == j ? (double)(i + 1) / n : 0, 0)
                           : make_cuDoubleComplex(0, factor * (double)skew_entry(n, A + first, i, j));
        s.H[first + e] = s.V[first + e] = h;
    });
    if (threadIdx.x == 0) {
        s.unit[b] = none ? 0 : ldexp(1.0, exponent);
        s.bad[b] = size.bad;
    }
}

/* T <- T - V diag(lambda) */
static __global__ void __launch_bounds__(CHUNK_THREADS) residual_kernel(int n, chunk_spectrum s)
{
    const int64_t b = blockIdx.x, first = b * n * n;
    each_entry(n, [&](int e) {
        double lambda = s.lambda[b * n + e / n];
        complex64 v = s.V[first + e], t = s.T[first + e];
        s.T[first + e] = make_cuDoubleComplex(fma(-lambda, v.x, t.x), fma(-lambda, v.y, t.y));
    });
}

/* Angles closer than this, in units of rho, stay coupled. What N leaves uncorrected is below 2^-20 rho N, and K stays below
 * 2^20 E / rho, whose square counts as little. */
#define NEAR 0x1p-20
/* E / rho and F that the solver may leave, in the Frobenius norm: its rounding is far below for every order, and the squares of
 * this are below u. */
#define CONVERGED 0x1p-28
/* Above this angle N is not small enough for a first-order correction to keep R orthogonal. */
#define LARGEST_CORRECTED_ANGLE 0x1p22
/* Up to this one the imaginary part is small beside 1. */
#define LARGEST_ANGLE 0x1p38

/* Given V^H (H V - V diag(lambda)) in H and V^H V in P: K - F/2 to P, N to T, and what belongs to the eigenvalues. */
static __global__ void __launch_bounds__(CHUNK_THREADS) correct_kernel(int n, chunk_spectrum s)
{
    const int64_t b = blockIdx.x, first = b * n * n;
    const complex64 *G = s.H + first;
    complex64 *P = s.P + first, *N = s.T + first;
    double *lambda = s.lambda + b * n, *angle = s.angle + b * n, most = 0, residual = 0, defect = 0;
    for (int k = (int)threadIdx.x; k < n; k += (int)blockDim.x)
        most = fmax(most, fabs(lambda[k]));
    const double rho = block_largest(most), near = NEAR * rho;
    each_entry(n, [&](int e) {
        int j = e % n, k = e / n;
        complex64 g = G[e], h = G[(int64_t)j * n + k], f = P[e], K = make_cuDoubleComplex(0, 0), E;
        E = make_cuDoubleComplex((g.x + h.x) / 2, (g.y - h.y) / 2);
        f.x -= j == k;
        residual += E.x * E.x + E.y * E.y;
        defect += f.x * f.x + f.y * f.y;
        double apart = lambda[k] - lambda[j];
        if (fabs(apart) > near) {
            K = make_cuDoubleComplex(E.x / apart, E.y / apart);
            E = make_cuDoubleComplex(0, 0);
        }
        P[e] = make_cuDoubleComplex(K.x - f.x / 2, K.y - f.y / 2);
        N[e] = j == k ? make_cuDoubleComplex(0, 0) : E;
    });
    residual = sqrt(block_sum(residual)), defect = sqrt(block_sum(defect));
    const bool failed = !(residual <= CONVERGED * rho && defect <= CONVERGED);
    double unit = s.unit[b];
    const bool large = !failed && rho * unit > LARGEST_CORRECTED_ANGLE;
    if (rho * unit > LARGEST_ANGLE) {
        int exponent;
        frexp(rho, &exponent);
        unit = ldexp(LARGEST_ANGLE, -exponent);
    }
    for (int k = (int)threadIdx.x; k < n; k += (int)blockDim.x) {
        double sine, cosine, a = failed ? 0 : (lambda[k] + G[(int64_t)k * n + k].x) * unit;
        sine_cosine(a / 2, &sine, &cosine);
        angle[k] = a;
        s.half[b * n + k] = make_cuDoubleComplex(cosine, -sine);
    }
    if (threadIdx.x == 0) {
        s.failed[b] = failed;
        s.large[b] = large;
        s.correction[b] = failed || large ? 0 : unit;
    }
}

static void solve(chunk_work *w, so_cusolver *c, const chunk_spectrum *s)
{
    int n = w->n;
    if (w->status != SO_OK)
        return;
    if (by_jacobi(n))
        check(w, succeeds(c->cusolverDnZheevjBatched(
                     c->handle, CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_LOWER, n, s->V, n, s->lambda, (complex64 *)s->solver,
                     (int)(s->solver_bytes / sizeof(complex64)), s->info, c->jacobi, w->chunk)));
    else
        check(w, succeeds(c->cusolverDnXsyevBatched(c->handle, c->parameters, CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_LOWER,
                                                    n, CUDA_C_64F, s->V, n, CUDA_R_64F, s->lambda, CUDA_C_64F, s->solver,
                                                    s->solver_bytes, c->host + 1, c->host->bytes, s->info, w->chunk)));
}

static const complex64 one = {1, 0}, zero = {0, 0};

/* U, N and the eigenvalues of the matrices from A on. */
static void decompose(chunk_work *w, so_cusolver *c, const chunk_spectrum *s, const real *A)
{
    const size_t bytes = (size_t)w->chunk * w->n * w->n * sizeof(complex64);
    run_on(w, w->chunk, load_kernel, w->count, A, *s);
    solve(w, c, s);
    gemm(w, CUBLAS_OP_N, CUBLAS_OP_N, one, s->H, s->V, zero, s->T);
    run(w, residual_kernel, *s);
    gemm(w, CUBLAS_OP_C, CUBLAS_OP_N, one, s->V, s->T, zero, s->H);
    gemm(w, CUBLAS_OP_C, CUBLAS_OP_N, one, s->V, s->V, zero, s->P);
    run(w, correct_kernel, *s);
    check(w, w->status == SO_OK &&
                 succeeds(cudaMemcpyAsync(s->H, s->V, bytes, cudaMemcpyDeviceToDevice, cuda_of(w->ctx)->stream)));
    gemm(w, CUBLAS_OP_N, CUBLAS_OP_N, one, s->V, s->P, one, s->H);
}

/* ---- The map ------------------------------------------------------------------------------------------------------ */

/* A power of two by which Z + C is multiplied and R - I divided again: angles near the least normal number times components of
 * vectors are subnormal, and the roundings of two products reached 1.1 of the bound at n = 96. */
static __device__ double lift(double unit)
{
    return unit < 0x1p-500 ? 0x1p500 : 1;
}

/* V <- (Z + C) lift */
static __global__ void __launch_bounds__(CHUNK_THREADS) exponential_kernel(int n, chunk_spectrum s)
{
    const int64_t b = blockIdx.x, first = b * n * n;
    const double *angle = s.angle + b * n, correction = s.correction[b], factor = lift(s.unit[b]);
    const complex64 *half = s.half + b * n;
    each_entry(n, [&](int e) {
        int j = e % n, k = e / n;
        complex64 N = s.T[first + e], X = times(half[j], half[k]);
        double slope = sinc((angle[j] - angle[k]) / 2) * correction;
        X = times(make_cuDoubleComplex(N.y * slope, -N.x * slope), X);
        if (j == k) /* e^(-i a) - 1 = -2i sin(a/2) e^(-i a/2) */
            X = make_cuDoubleComplex(-2 * half[k].y * half[k].y, 2 * half[k].y * half[k].x);
        s.V[first + e] = make_cuDoubleComplex(X.x * factor, X.y * factor);
    });
}

/* R = I + Re V / lift. P is lost, and V. */
static __global__ void __launch_bounds__(CHUNK_THREADS) store_rotation_kernel(int n, chunk_spectrum s, real *R, int *outcome)
{
    const int64_t b = blockIdx.x, first = b * n * n;
    const bool bad = s.bad[b], failed = s.failed[b];
    double *E = (double *)(s.P + first), *D = E + (int64_t)n * n, *F = (double *)(s.V + first);
    const double factor = 1 / lift(s.unit[b]);
    each_entry(n, [&](int e) { E[e] = (double)(e / n == e % n) + s.V[first + (int64_t)(e % n) * n + e / n].x * factor; });
    __syncthreads();
    for (int step = 0; step < 3 && s.large[b]; step++) /* the defect, below 1/4 at first, is squared each time */
        orthogonalize(n, E, D, F);
    each_entry(n, [&](int e) { R[first + e] = bad || failed ? not_a_number<real>() : (real)E[e]; });
    report_block(bad, failed, outcome);
}

static void form_rotations(chunk_work *w, const chunk_spectrum *s, real *R)
{
    run(w, exponential_kernel, *s);
    gemm(w, CUBLAS_OP_N, CUBLAS_OP_N, one, s->H, s->V, zero, s->P);
    gemm(w, CUBLAS_OP_N, CUBLAS_OP_C, one, s->P, s->H, zero, s->V);
    run(w, store_rotation_kernel, *s, R, cuda_of(w->ctx)->device_outcome);
}

/* ---- The derivative ----------------------------------------------------------------------------------------------- */

/* ((1 - i x) e^(i x) - 1) / x^2 at -x: phi'(-i x). It multiplies a correction, so a few digits suffice. */
static __device__ inline complex64 phi_slope(double x)
{
    double sine, cosine;
    if (fabs(x) < 0.01)
        return make_cuDoubleComplex(0.5, -x / 3);
    sine_cosine(x, &sine, &cosine);
    return make_cuDoubleComplex((cosine - 1 + x * sine) / (x * x), (x * cosine - sine) / (x * x));
}

/* T <- phi(-i x) B + phi'(-i x) (-i) [N, B], given B in P and N B in V */
static __global__ void __launch_bounds__(CHUNK_THREADS) phi_kernel(int n, chunk_spectrum s)
{
    const int64_t b = blockIdx.x, first = b * n * n;
    const double *angle = s.angle + b * n, correction = s.correction[b];
    const complex64 *half = s.half + b * n, *B = s.P + first, *S = s.V + first;
    each_entry(n, [&](int e) {
        int j = e % n, k = e / n, mirror = j * n + k;
        double x = angle[j] - angle[k];
        complex64 phi = times(half[j], conjugate(half[k]));
        double size = sinc(x / 2) / 2; /* of the skew-Hermitian part of B */
        complex64 Y = times(make_cuDoubleComplex(phi.x * size, phi.y * size),
                            make_cuDoubleComplex(B[e].x - B[mirror].x, B[e].y + B[mirror].y));
        if (correction > 0) {
            complex64 D = times(phi_slope(x), make_cuDoubleComplex(S[e].y - S[mirror].y, -(S[e].x + S[mirror].x)));
            Y = make_cuDoubleComplex(fma(correction, D.x, Y.x), fma(correction, D.y, Y.y));
        }
        s.T[first + e] = Y;
    });
}

/* P <- phi(ad_A) M, whose real part counts, of the real matrices M in P. N is lost. */
static void differentiate(chunk_work *w, const chunk_spectrum *s)
{
    gemm(w, CUBLAS_OP_N, CUBLAS_OP_N, one, s->P, s->H, zero, s->V);
    gemm(w, CUBLAS_OP_C, CUBLAS_OP_N, one, s->H, s->V, zero, s->P);
    gemm(w, CUBLAS_OP_N, CUBLAS_OP_N, one, s->T, s->P, zero, s->V);
    run(w, phi_kernel, *s);
    gemm(w, CUBLAS_OP_N, CUBLAS_OP_N, one, s->H, s->T, zero, s->V);
    gemm(w, CUBLAS_OP_N, CUBLAS_OP_C, one, s->V, s->H, zero, s->P);
}

/* Real matrices, of which two are in the place of a complex one. */
static double *reals(complex64 *X)
{
    return (double *)X;
}

/* P <- R^T and, after it, dR^T 2^-exponent, both column-major; `bad` grows. */
static __global__ void __launch_bounds__(CHUNK_THREADS)
    load_gradient_kernel(int n, int chunk, const real *R, const real *dR, chunk_spectrum s)
{
    const int64_t b = blockIdx.x, first = b * n * n;
    double *to = (double *)s.P + first, *to_gradient = to + (int64_t)chunk * n * n;
    const extent of_R = extent_of<false>(n, R + first), of_dR = extent_of<false>(n, dR + first);
    const bool none = of_R.bad || of_dR.bad;
    const int exponent = none ? 0 : exponent_of(of_dR.largest);
    const double factor = ldexp(1.0, -exponent);
    each_entry(n, [&](int e) {
        to[e] = none ? 0 : (double)R[first + e];
        to_gradient[e] = none ? 0 : (double)dR[first + e] * factor;
    });
    if (threadIdx.x == 0) {
        s.bad[b] |= none;
        s.exponent[b] = exponent;
    }
}

/* P <- the skew part of R^T dR, which V holds */
static __global__ void __launch_bounds__(CHUNK_THREADS) skew_kernel(int n, chunk_spectrum s)
{
    const int64_t first = (int64_t)blockIdx.x * n * n;
    const double *S = (const double *)s.V + first;
    each_entry(n, [&](int e) { s.P[first + e] = make_cuDoubleComplex((S[e] - S[e % n * n + e / n]) / 2, 0); });
}

/* P <- the skew direction E 2^-exponent; `bad` grows. */
static __global__ void __launch_bounds__(CHUNK_THREADS) load_direction_kernel(int n, const real *E, chunk_spectrum s)
{
    const int64_t b = blockIdx.x, first = b * n * n;
    const extent size = extent_of<true>(n, E + first);
    const int exponent = size.bad ? 0 : exponent_of(size.largest);
    const double factor = ldexp(1.0, -exponent);
    each_entry(n, [&](int e) {
        double x = size.bad ? 0 : (double)skew_entry(n, E + first, e % n, e / n) * factor;
        s.P[first + e] = make_cuDoubleComplex(x, 0);
    });
    if (threadIdx.x == 0) {
        s.bad[b] |= size.bad;
        s.exponent[b] = exponent;
    }
}

/* Entry e of the skew part of Re Y. */
static __device__ inline double skew_real_part(int n, const complex64 *Y, int e)
{
    return (Y[e].x - Y[e % n * n + e / n].x) / 2;
}

/* dA = phi(ad_A) M 2^exponent */
static __global__ void __launch_bounds__(CHUNK_THREADS) store_gradient_kernel(int n, chunk_spectrum s, real *dA, int *outcome)
{
    const int64_t b = blockIdx.x, first = b * n * n;
    const bool bad = s.bad[b], failed = s.failed[b];
    each_entry(n, [&](int e) { /* the transpose of a skew matrix is minus it */
                               double y = -ldexp(skew_real_part(n, s.P + first, e), s.exponent[b]);
                               dA[first + e] = bad || failed ? not_a_number<real>() : (real)(y == 0 ? 0 : y);
    });
    report_block(bad, failed, outcome);
}

/* T <- phi(ad_A) M and V <- R^T, real and column-major */
static __global__ void __launch_bounds__(CHUNK_THREADS) load_factors_kernel(int n, const real *R, chunk_spectrum s)
{
    const int64_t b = blockIdx.x, first = b * n * n;
    const bool none = s.bad[b] || s.failed[b];
    each_entry(n, [&](int e) {
        ((double *)s.T)[first + e] = skew_real_part(n, s.P + first, e);
        ((double *)s.V)[first + e] = none ? 0 : (double)R[first + e];
    });
}

/* L = P 2^exponent, P row-major */
static __global__ void __launch_bounds__(CHUNK_THREADS) store_tangent_kernel(int n, chunk_spectrum s, real *L)
{
    const int64_t b = blockIdx.x, first = b * n * n;
    const bool nan = s.bad[b] || s.failed[b];
    each_entry(n, [&](int e) {
        L[first + e] = nan ? not_a_number<real>() : (real)ldexp(((const double *)s.P)[first + e], s.exponent[b]);
    });
}

/* ---- Batches ------------------------------------------------------------------------------------------------------ */

/* Makes the solver's newest block in the host's memory so large. */
static so_status reserve_host(so_cusolver *c, size_t bytes)
{
    if (c->host && c->host->bytes >= bytes)
        return SO_OK;
    host_block *larger = (host_block *)malloc(sizeof *larger + bytes);
    if (!larger)
        return SO_ENOMEM;
    *larger = {c->host, bytes};
    c->host = larger;
    return SO_OK;
}

/* Memory of the solver on the device, in bytes, for a chunk; what it needs in the host's is there. */
static so_status solver_bytes(so_cusolver *c, int n, int chunk, size_t *bytes)
{
    size_t host = 0;
    if (by_jacobi(n)) {
        int elements = 0;
        if (!succeeds(c->cusolverDnZheevjBatched_bufferSize(c->handle, CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_LOWER, n,
                                                            NULL, n, NULL, &elements, c->jacobi, chunk)))
            return SO_EDEVICE;
        *bytes = (size_t)elements * sizeof(complex64);
        return SO_OK;
    }
    if (!succeeds(c->cusolverDnXsyevBatched_bufferSize(c->handle, c->parameters, CUSOLVER_EIG_MODE_VECTOR,
                                                       CUBLAS_FILL_MODE_LOWER, n, CUDA_C_64F, NULL, n, CUDA_R_64F, NULL,
                                                       CUDA_C_64F, bytes, &host, chunk)))
        return SO_EDEVICE;
    return reserve_host(c, host);
}

static void lay_out(pieces *p, int n, int chunk, chunk_spectrum *s)
{
    const int64_t matrices = (int64_t)n * n * chunk, rows = (int64_t)n * chunk;
    take(p, matrices, &s->H), take(p, matrices, &s->V), take(p, matrices, &s->T), take(p, matrices, &s->P);
    take(p, rows, &s->lambda), take(p, rows, &s->angle), take(p, rows, &s->half);
    take(p, chunk, &s->unit), take(p, chunk, &s->correction);
    take(p, chunk, &s->bad), take(p, chunk, &s->failed), take(p, chunk, &s->large), take(p, chunk, &s->exponent),
        take(p, chunk, &s->info);
    take(p, (int64_t)s->solver_bytes, &s->solver);
}

/* f(work, solver, spectrum, first entry) for each chunk. Workspace: 64 n n bytes for each matrix of a chunk (64 MiB, or one
 * matrix) and what the libraries ask for. */
template <class F> static so_status each_spectrum(so_ctx *ctx, int n, int64_t batch, F f)
{
    on_device here(ctx);
    so_cusolver *c;
    chunk_spectrum s = {};
    chunk_work w = {.ctx = ctx, .n = n, .chunk = chunk_of(n), .status = SO_OK};
    check(&w, here.ok);
    if (w.status == SO_OK)
        w.status = open_cublas(ctx, &w.cublas);
    if (w.status == SO_OK)
        w.status = open_cusolver(ctx, &c);
    if (w.status == SO_OK)
        w.status = solver_bytes(c, n, w.chunk, &s.solver_bytes);
    if (w.status != SO_OK)
        return w.status;
    return each_chunk(
        &w, batch, [&](pieces *p) { lay_out(p, n, w.chunk, &s); }, [&](int64_t first) { f(&w, c, &s, first); });
}

static so_status map(so_ctx *ctx, int n, int64_t batch, const real *A, real *R)
{
    return each_spectrum(ctx, n, batch, [&](chunk_work *w, so_cusolver *c, const chunk_spectrum *s, int64_t first) {
        decompose(w, c, s, A + first);
        form_rotations(w, s, R + first);
    });
}

static so_status vjp(so_ctx *ctx, int n, int64_t batch, const real *A, const real *R, const real *dR, real *dA)
{
    return each_spectrum(ctx, n, batch, [&](chunk_work *w, so_cusolver *c, const chunk_spectrum *s, int64_t first) {
        decompose(w, c, s, A + first);
        run(w, load_gradient_kernel, w->chunk, R + first, dR + first, *s);
        gemm(w, CUBLAS_OP_N, CUBLAS_OP_T, 1.0, reals(s->P), reals(s->P) + (int64_t)w->chunk * n * n, 0.0, reals(s->V));
        run(w, skew_kernel, *s);
        differentiate(w, s);
        run(w, store_gradient_kernel, *s, dA + first, cuda_of(ctx)->device_outcome);
    });
}

static so_status jvp(so_ctx *ctx, int n, int64_t batch, const real *A, const real *E, real *R, real *L)
{
    return each_spectrum(ctx, n, batch, [&](chunk_work *w, so_cusolver *c, const chunk_spectrum *s, int64_t first) {
        decompose(w, c, s, A + first);
        run(w, load_direction_kernel, E + first, *s); /* before R: where E is bad, R is too */
        form_rotations(w, s, R + first);
        run(w, load_direction_kernel, E + first, *s); /* again: the rotations took its place */
        differentiate(w, s);
        run(w, load_factors_kernel, (const real *)R + first, *s);
        gemm(w, CUBLAS_OP_N, CUBLAS_OP_T, 1.0, reals(s->V), reals(s->T), 0.0, reals(s->P)); /* phi(ad_A) E R */
        run(w, store_tangent_kernel, *s, L + first);
    });
}

const SO_(cuda_method) SO_(cuda_eigen) = {map, vjp, jvp};
