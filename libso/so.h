/* so.h: maps between skew-symmetric matrices and rotations, in batches, with derivatives.
 *
 *   so_status s = so_exp_f32(ctx, SO_AUTO, n, batch, A, R);        R_b = exp(A_b),  b < batch
 *
 * Conventions, valid for every function below unless it says otherwise
 *   layout       Matrices are dense, row-major and contiguous: element (i, j) of matrix b is X[(b*n + i)*n + j].
 *   skew input   Only the strict upper triangle of A, E and of a generator is read: A_ij for i < j; A_ji = -A_ij and A_ii = 0
 *                are implied, whatever the memory there holds (NaN included).
 *   gradients    dX stands for dLoss/dX. The gradient for a skew matrix A is returned as the skew projection
 *                (Z - Z^T)/2 of the full gradient Z, all n*n entries written. A parameter p that stands for the pair
 *                A_ij = p, A_ji = -p therefore has dLoss/dp = 2 dA_ij; so_pack of dA gives dA_ij, without the factor 2.
 *   aliasing     Inputs and outputs must not overlap, except where a function says "in place".
 *   empty        n = 0 and batch = 0 are no-ops that return SO_OK; pointers may then be NULL.
 *   non-finite   A matrix that reads a NaN or Inf, or whose entries overflow when so_encode forms them, gives NaN in all of its
 *                own outputs, and the call returns SO_ENONFINITE; every other matrix of the call is exact, as if the bad one
 *                had not been there.
 *   same bits    A result depends on its own matrix only: not on the batch size, the place in the batch, the neighbours,
 *                the number of threads or that of the BLAS. It may differ between instruction sets, in the last bits.
 *   errors       A call with a bad argument writes nothing; so_ctx_argument() names the argument.
 *   threads      One context serves one thread at a time; different contexts are independent. The library prints nothing,
 *                never exits, keeps no global state and reads nothing of its environment but SO_ISA (so_ctx_create_cpu).
 *
 * Accuracy.  u = 2^-24 (f32) or 2^-53 (f64); rho = the largest rotation angle of A = its spectral norm; ||.|| = Frobenius
 * norm / sqrt(n); the input is taken as exact. For n <= 128 and rho <= 1e3, every method:
 *   forward        ||R - exp(A)||      <= (10 + 2 rho) u         (SO_CAYLEY: against the Cayley map)
 *   orthogonality  ||R^T R - I||       <= (16 + 2 rho) u         (SO_EIGEN and SO_CAYLEY: 16 u)
 *   vjp            ||dA - exact||      <= 30 u ||dR|| (1 + rho/10), whatever the scale of dR
 *   jvp            ||L - exact||       <= 30 u ||E|| (1 + rho/10)
 *   exp(0) = I exactly.
 *   small angles   rho <= 1, off the diagonal: ||R - exp(A)|| <= 10 u ||A||, while entries of A are not below 2^-126 (2^-1022)
 * Above rho = 1e3 the same bounds are tested at fewer matrices up to rho = 8e3 (f32) and 4e6 (f64); beyond they are aimed at but
 * not tested, except for orthogonality: for every A, SO_EIGEN and SO_CAYLEY hold their 16 u. Where rho*u >= 1 angles carry no
 * information, R is still finite and orthogonal.
 * Sources and derivations: README.md of this folder and proofs/.
 *
 * SPDX-License-Identifier: MIT */
#ifndef SO_H
#define SO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SO_API __attribute__((visibility("default")))
#else
#define SO_API
#endif

/* ---- Status ---------------------------------------------------------------------------------------------------------- */

typedef enum so_status {
    SO_OK          = 0,
    SO_ENULL       = 10, /* a required pointer is NULL */
    SO_ESIZE       = 11, /* a size is negative, out of range, or the product of sizes overflows */
    SO_EMETHOD     = 12, /* the method is unknown, or its library is not installed (so_cuda.h) */
    SO_ENONFINITE  = 20, /* at least one matrix read a NaN or Inf; its outputs are NaN, all others are valid */
    SO_ESINGULAR   = 21, /* the result is not unique, does not exist or (SO_EIGEN, so_log) an iteration did not converge,
                            for at least one matrix; its outputs are NaN */
    SO_EREFLECTION = 22, /* at least one matrix has a negative determinant; its outputs are NaN */
    SO_ENOMEM      = 30, /* the workspace could not be grown */
    SO_EWORKSPACE  = 31, /* the caller's workspace is too small; see so_workspace_bytes() */
    SO_EDEVICE     = 40, /* the device failed */
    SO_EISA        = 41  /* the environment variable SO_ISA names an instruction set that is unknown, or that this machine lacks */
} so_status;

SO_API const char *so_status_string(so_status status); /* one line of English without a full stop; never NULL */

/* ---- Context ----------------------------------------------------------------------------------------------------------
 * A context owns a device, its threads and a workspace. The workspace grows to the largest call seen and is then reused:
 * no allocation in the steady state.
 * It does not grow with the batch, but for what so_encode_vjp says below. On the CPU a call takes, for each thread (at most one per
 * matrix or token), at most
 *   so_exp, so_cayley and their derivatives              29 matrices of order n; to n = 32 so many for each lane of a vector
 *   so_encode                                            the same, of order tile; in one dimension 46 in place of 29
 *   so_encode_vjp                                        dims more, and the sums that are stated there
 *   so_log, so_cayley_inverse, so_project, derivatives   11 matrices of order n in f64
 *   so_orthogonality                                     2 n numbers in f64
 *   so_rotate, so_rotate_vjp                             rotations tile^2 + tile numbers; in bf16 also 2 groups tile
 * where rows of matrices are rounded up to 64 bytes, and a vector has as many lanes as 64 bytes hold numbers. */

typedef struct so_ctx so_ctx;

/* threads: number of CPU threads a call may use, 0 = all cores, at most 1024. On failure *ctx is NULL. (Threads come from the
 * OpenMP runtime, which ends the process if the system refuses to create one.)
 * The widest instruction set of this machine is used. For tests and comparisons the environment variable SO_ISA = portable, avx2
 * (x86-64-v3), avx512 (x86-64-v4) or neon (AArch64) chooses for the contexts created while it is set; empty counts as not set.
 * Returns SO_OK, SO_ENULL (ctx), SO_ESIZE (threads), SO_ENOMEM, SO_EISA. */
SO_API so_status so_ctx_create_cpu(so_ctx **ctx, int threads);

SO_API void so_ctx_destroy(so_ctx *ctx); /* NULL is allowed */

/* For contexts whose calls return before their work is done (so_cuda.h): what the matrices of all calls since the last
 * so_ctx_status have met, as far as the device has come; of several the first in the order SO_ENONFINITE, SO_EREFLECTION,
 * SO_ESINGULAR. Wait for the stream first to know it all; this function does not wait. On a CPU context, whose calls return their
 * status themselves, SO_OK. Also returns SO_ENULL. */
SO_API so_status so_ctx_status(so_ctx *ctx);

/* Name of the argument that the last call on this context refused ("n", "A", ...); "" if it refused none. */
SO_API const char *so_ctx_argument(const so_ctx *ctx);

/* Bytes of workspace that the context holds now. After a warm-up call of each kind it is what so_ctx_set_workspace() needs. */
SO_API size_t so_workspace_bytes(const so_ctx *ctx);

/* From now on use the caller's memory (64-byte aligned, alive until replaced or the context is destroyed) and never
 * allocate; a call that needs more returns SO_EWORKSPACE and writes nothing. NULL, 0 returns to own memory.
 * Returns SO_OK, SO_ENULL (ctx; memory with bytes > 0), SO_ESIZE (memory not aligned). */
SO_API so_status so_ctx_set_workspace(so_ctx *ctx, void *memory, size_t bytes);

/* From now on (on != 0) the f32 functions of exponentials, so_exp, so_cayley, so_encode and their derivatives, compute in f64 and
 * round every result once, to nearest; on = 0, as a context begins: in f32. (so_log, so_cayley_inverse, so_project and their
 * derivatives compute in f64 anyway.) A number x of a result is then the f32 number nearest to that of the f64 function for the same
 * input: error <= 2^-24 |x| from 2^-126 to 2^128 (1 - 2^-25), Inf above, beside the error of f64. Derivatives do not read R, which
 * has been rounded already; a matrix for which SO_EIGEN does not converge counts there as non-finite. dposition is the sum over
 * groups of what pieces of them give, in f64.
 * Workspace, beside that of the f64 function: pieces of the batch, together 32 MiB in f64, or as many matrices as the device works
 * on at a time, with one array for so_exp, three for its vjp, four for its jvp; so_encode: of at least one group, besides position
 * and its generators; so_encode_vjp: of at least one group with all its tokens, 2 (dims + tokens) tile^2 numbers, and 3 dims tokens.
 * Returns SO_OK, SO_ENULL (ctx). */
SO_API so_status so_ctx_set_f64_inside(so_ctx *ctx, int on);

/* ---- Exponential ------------------------------------------------------------------------------------------------------
 * R = exp(A), A: (batch, n, n) skew, R: (batch, n, n) rotation.
 *   so_exp      R_b = exp(A_b). In place (R == A) is allowed.
 *   so_exp_vjp  dA_b = skew projection of the gradient, given dR_b = dLoss/dR_b and R_b = exp(A_b) from so_exp of the same
 *               method: dA = phi(ad_A)(skew(R^T dR)), phi(z) = (e^z - 1)/z. dA may be the memory of R or of dR.
 *   so_exp_jvp  R_b = exp(A_b) and L_b = d/dt exp(A_b + t E_b) at t = 0.
 * Returns SO_OK, SO_ENULL, SO_ESIZE (n < 0 or > 16384, batch < 0 or too large), SO_EMETHOD, SO_ENONFINITE,
 * SO_ESINGULAR (SO_EIGEN did not converge), SO_ENOMEM, SO_EWORKSPACE. */

typedef enum so_method {
    SO_AUTO       = 0, /* closed forms for n = 2, 3, 4, else polynomial; gradients at large angles beyond n = 32 by eigen */
    SO_POLYNOMIAL = 1, /* even/odd split, shifted Chebyshev series in A^2, scaling and squaring */
    SO_PADE       = 2, /* diagonal Pade approximant, linear solve by LAPACK, scaling and squaring */
    SO_EIGEN      = 3, /* skew tridiagonal form, bidiagonal SVD of half the size; error of R^T R independent of rho */
    SO_CAYLEY     = 4  /* (I - A/2)^-1 (I + A/2): first-order approximation of exp (angles become 2 atan(angle/2)),
                          orthogonal for every A; its error against exp is about rho^3/12. Where ||A||_F u exceeds about
                          2^-7.5 A is scaled down to that first: angles small beside rho are not resolved */
} so_method;

SO_API so_status so_exp_f32(so_ctx *, so_method, int n, int64_t batch, const float *A, float *R);
SO_API so_status so_exp_f64(so_ctx *, so_method, int n, int64_t batch, const double *A, double *R);
SO_API so_status so_exp_vjp_f32(so_ctx *, so_method, int n, int64_t batch, const float *A, const float *R, const float *dR, float *dA);
SO_API so_status so_exp_vjp_f64(so_ctx *, so_method, int n, int64_t batch, const double *A, const double *R, const double *dR, double *dA);
SO_API so_status so_exp_jvp_f32(so_ctx *, so_method, int n, int64_t batch, const float *A, const float *E, float *R, float *L);
SO_API so_status so_exp_jvp_f64(so_ctx *, so_method, int n, int64_t batch, const double *A, const double *E, double *R, double *L);

/* ---- Cayley map -------------------------------------------------------------------------------------------------------
 * R = (I - A/2)^-1 (I + A/2): the same as so_exp with SO_CAYLEY. Never singular; the inverse misses rotations by pi.
 * Derivative without a solve: dA = 1/4 (I + R) skew(R^T dR) (I + R)^T. Aliasing and statuses as for so_exp. */

SO_API so_status so_cayley_f32(so_ctx *, int n, int64_t batch, const float *A, float *R);
SO_API so_status so_cayley_f64(so_ctx *, int n, int64_t batch, const double *A, double *R);
SO_API so_status so_cayley_vjp_f32(so_ctx *, int n, int64_t batch, const float *A, const float *R, const float *dR, float *dA);
SO_API so_status so_cayley_vjp_f64(so_ctx *, int n, int64_t batch, const double *A, const double *R, const double *dR, double *dA);
SO_API so_status so_cayley_jvp_f32(so_ctx *, int n, int64_t batch, const float *A, const float *E, float *R, float *L);
SO_API so_status so_cayley_jvp_f64(so_ctx *, int n, int64_t batch, const double *A, const double *E, double *R, double *L);

/* ---- Logarithm --------------------------------------------------------------------------------------------------------
 * so_log      A_b = log(Q_b), the principal logarithm: skew, exp(A) = Q, angles in [0, pi]; Q = the rotation nearest to R.
 *             R is a rotation up to a defect ||R^T R - I||_F <= 1/8 (else SO_ESINGULAR; so_project first). A defect eps is removed
 *             and costs no accuracy; what moved R along the rotations by eps moves A by up to kappa eps.
 *             Angles of exactly pi: A is not unique. One of its values is returned, with SO_OK; rounding chooses which (also
 *             between A and -A in a plane whose angle is within some u of pi).
 *             In place (A == R) is allowed.
 * so_log_vjp  given R, A = log(R) from so_log and dA = dLoss/dA (all entries read, the skew part counts: a parameter p with
 *             A_ij = p, A_ji = -p has dA_ij = -dA_ji = 1/2 dLoss/dp):
 *               dR = R X,  X = phi(ad_A)^-1 (dA - dA^T)/2,  phi(z) = (e^z - 1)/z;  X is skew.
 *             It is the gradient along the rotations: <dR, R E> = <dA, D log(R)[R E]> for all skew E; <dR, R S> = 0 for
 *             symmetric S. dR may be the memory of R, A or dA.
 *             Where the angles of two planes add up to 2 pi, within 32 u, it does not exist: SO_ESINGULAR.
 * Both are computed in f64 and rounded once. kappa = pi/(pi - sigma), sigma = half the sum of the two largest angles (0 for n = 2,
 * half the angle for n = 3), u = that of the type; for n <= 128:
 *   log  ||A - log(Q)|| <= (10 u_64 kappa + u) rho, while that is below 1;  ||exp(A) - Q|| <= (10 u_64 + u) rho always
 *   vjp  ||dR - exact||  <= (50 u_64 kappa + u) kappa ||dA||,               A taken as exact
 * Returns SO_OK, SO_ENULL, SO_ESIZE, SO_ENONFINITE, SO_EREFLECTION (so_log), SO_ESINGULAR, SO_ENOMEM, SO_EWORKSPACE; of the three
 * that concern single matrices the first in this order. */

SO_API so_status so_log_f32(so_ctx *, int n, int64_t batch, const float *R, float *A);
SO_API so_status so_log_f64(so_ctx *, int n, int64_t batch, const double *R, double *A);
SO_API so_status so_log_vjp_f32(so_ctx *, int n, int64_t batch, const float *R, const float *A, const float *dA, float *dR);
SO_API so_status so_log_vjp_f64(so_ctx *, int n, int64_t batch, const double *R, const double *A, const double *dA, double *dR);

/* ---- Inverse Cayley map -----------------------------------------------------------------------------------------------
 * so_cayley_inverse      A = 2 (Q - I)(Q + I)^-1, Q = the rotation nearest to R, on R as for so_log. Angles theta of Q become
 *                        2 tan(theta/2); an eigenvalue -1 (within 32 n u_64, or m pairs within 32 n u_64 sqrt(m)) gives
 *                        SO_ESINGULAR. In place (A == R) is allowed.
 * so_cayley_inverse_vjp  given A from so_cayley_inverse and dA as for so_log_vjp: dR = (I + A/2) (dA - dA^T)/2 (I + A/2), which is
 *                        R X with X skew and the gradient along the rotations, as for so_log. It always exists. dR may be the
 *                        memory of A or dA.
 * Both are computed in f64 and rounded once. With tau = 2 tan(rho/2) = the largest angle of A, for n <= 128:
 *   inverse  ||A - exact||  <= (10 u_64 (1 + tau/4) + u) tau
 *   vjp      ||dR - exact|| <= (10 u_64 + u) (1 + tau^2/4) ||dA||
 * Returns the statuses of so_log. */

SO_API so_status so_cayley_inverse_f32(so_ctx *, int n, int64_t batch, const float *R, float *A);
SO_API so_status so_cayley_inverse_f64(so_ctx *, int n, int64_t batch, const double *R, double *A);
SO_API so_status so_cayley_inverse_vjp_f32(so_ctx *, int n, int64_t batch, const float *A, const float *dA, float *dR);
SO_API so_status so_cayley_inverse_vjp_f64(so_ctx *, int n, int64_t batch, const double *A, const double *dA, double *dR);

/* ---- Skew matrices and their entries (vee, hat) -----------------------------------------------------------------------
 * so_pack    p: (batch, n(n-1)/2) = strict upper triangle of A row by row: A_01 A_02 .. A_0,n-1 A_12 ..
 * so_unpack  the skew matrix with these entries: A_ij = p, A_ji = -p, A_ii = 0.
 * Plain copies: a NaN or Inf is copied and SO_OK returned. Not in place. For n = 1 there are no entries and p may be NULL.
 * Returns SO_OK, SO_ENULL, SO_ESIZE. */

SO_API so_status so_pack_f32(so_ctx *, int n, int64_t batch, const float *A, float *p);
SO_API so_status so_pack_f64(so_ctx *, int n, int64_t batch, const double *A, double *p);
SO_API so_status so_unpack_f32(so_ctx *, int n, int64_t batch, const float *p, float *A);
SO_API so_status so_unpack_f64(so_ctx *, int n, int64_t batch, const double *p, double *A);

/* ---- Orthogonality ----------------------------------------------------------------------------------------------------
 * so_orthogonality  defect[b] = ||R_b^T R_b - I||_F, batch values; accumulated in f64. Error <= 4 u sqrt(n) (1 + defect) + u defect;
 *                   Inf from 2^512 on, in f32 above its largest number.
 * so_project        R_b <- the rotation nearest to R_b in the Frobenius norm (orthogonal polar factor with det = +1), in place.
 * so_project_vjp    given X = what so_project was given and dR = dLoss/dR: dX = R Y, R = the rotation nearest to X,
 *                     Y H + H Y = R^T dR - dR^T R,  H = R^T X.  With X = U diag(s) V^T, R = U V^T, Z = U^T dR V:
 *                     dX = U T V^T,  T_ij = (Z_ij - Z_ji)/(s_i + s_j),
 *                   s_1 >= .. >= s_n the singular values of X, the last with the sign of det X. Only what turns R counts: dX is
 *                   R times a skew matrix, 0 for n = 1. dX may be the memory of X or of dR.
 * The nearest rotation is not unique, hence SO_ESINGULAR and NaN in that matrix, where the rank is < n - 1, or det < 0 and the
 * two smallest singular values are equal; both within 2 n u s_1. There the derivative does not exist either.
 * Projection and derivative are computed in f64 and rounded once. gap = s_(n-1) + s_n, kappa = s_1/gap; for n <= 128:
 *   project  ||R - nearest|| <= 10 u_64 kappa + u
 *   vjp      ||dX - exact||  <= (20 u_64 kappa + u) 2 ||dR|| / gap,  whatever the scale of dR
 * Returns SO_OK, SO_ENULL, SO_ESIZE, SO_ENONFINITE, SO_ESINGULAR (projection and derivative), SO_ENOMEM, SO_EWORKSPACE. */

SO_API so_status so_orthogonality_f32(so_ctx *, int n, int64_t batch, const float *R, float *defect);
SO_API so_status so_orthogonality_f64(so_ctx *, int n, int64_t batch, const double *R, double *defect);
SO_API so_status so_project_f32(so_ctx *, int n, int64_t batch, float *R);
SO_API so_status so_project_f64(so_ctx *, int n, int64_t batch, double *R);
SO_API so_status so_project_vjp_f32(so_ctx *, int n, int64_t batch, const float *X, const float *dR, float *dX);
SO_API so_status so_project_vjp_f64(so_ctx *, int n, int64_t batch, const double *X, const double *dR, double *dX);

/* ---- Positional encoding: LieRE ---------------------------------------------------------------------------------------
 * so_encode      R[g][t] = exp(sum_d position[t][d] generator[g][d])       (LieRE, arXiv 2406.10322, section 4)
 *   position     (tokens, dims)               any real coordinates; position 0 gives the identity exactly
 *   generator    (groups, dims, tile, tile)   skew; a group is one tile of one head of one layer
 *   R            (groups, tokens, tile, tile)
 * so_encode_vjp  given R from so_encode and dR = dLoss/dR:
 *   dgenerator[g][d] = sum_t position[t][d] dA[g][t]           (groups, dims, tile, tile), skew
 *   dposition[t][d]  = sum_g <dA[g][t], generator[g][d]>       (tokens, dims); may be NULL
 *   where dA is the skew gradient of so_exp_vjp. The token sum is done in a fixed order.
 * The token-wise generators never exist in memory as a whole. so_encode_vjp holds, beside its threads' workspace, the sums
 * over blocks of 64 tokens, groups*ceil(tokens/64)*dims*tile^2 reals, and groups*tokens*dims if dposition is wanted.
 * A token-wise generator is formed with one rounding per dimension, which counts as part of the input of the exponential.
 * In one dimension SO_AUTO (tile >= 5) and SO_EIGEN decompose each generator once and find all its tokens from that: two
 * products of matrices per token, four for the gradient, whatever the angles. so_encode_vjp then need not read R.
 * Returns SO_OK, SO_ENULL, SO_ESIZE, SO_EMETHOD, SO_ENONFINITE, SO_ESINGULAR, SO_ENOMEM, SO_EWORKSPACE. */

typedef struct so_encoding {
    so_method method;
    int dims;       /* D: coordinates of a position, 1..64 */
    int tile;       /* b: order of a generator, >= 1; 2 is RoPE with learned frequencies, the head dimension is dense LieRE */
    int64_t groups; /* G */
    int64_t tokens; /* T */
} so_encoding;

SO_API so_status so_encode_f32(so_ctx *, const so_encoding *, const float *position, const float *generator, float *R);
SO_API so_status so_encode_f64(so_ctx *, const so_encoding *, const double *position, const double *generator, double *R);
SO_API so_status so_encode_vjp_f32(so_ctx *, const so_encoding *, const float *position, const float *generator, const float *R,
                                   const float *dR, float *dgenerator, float *dposition);
SO_API so_status so_encode_vjp_f64(so_ctx *, const so_encoding *, const double *position, const double *generator, const double *R,
                                   const double *dR, double *dgenerator, double *dposition);

/* ---- Rotation of vectors ----------------------------------------------------------------------------------------------
 * so_rotate      y[s][t][g] = R[g mod rotations][t] x[s][t][g],  s < samples, t < tokens, g < groups
 *   x, y         vector (s, t, g) starts at element s*sample_stride + t*token_stride + g*tile and has tile elements:
 *                queries or keys of all heads, also inside a larger buffer such as (samples, tokens, 3, heads, head_dim)
 *   R            (rotations, tokens, tile, tile); rotations divides groups: fewer rotations than groups = shared by heads
 *                In place (y == x) is allowed. The vectors written must not overlap each other.
 * so_rotate_vjp  dx[s][t][g] = R^T dy[s][t][g];    dR[r][t] += sum over s and g = r mod rotations of dy x^T
 *                dR is added to, so that queries and keys can share one; dR may be NULL. dx may be the memory of dy.
 * .._bf16        the same with vectors in bf16 (so_bf16); R and dR stay in f32, and so does the arithmetic: bf16 values are f32
 *                numbers, products and sums are those of f32, and y and dx are rounded once, to nearest even.
 * Values are not screened: a NaN stays in the vector (and in the dR) that reads it, and SO_OK is returned.
 * Error of y, entry by entry, and of dx with R^T:  <= tile u |R| |x|,  in bf16  <= 2^-8 |y| + 1.01 tile u |R| |x|,  u that of f32,
 * where y is neither below 2^-126 nor above 2^128 (1 - 2^-9), which rounds to Inf in bf16.
 * Error of dR, m = samples groups / rotations:  <= (m + 1) u (|dR| + sum |dy| |x|^T), dR as it was before.
 * Returns SO_OK, SO_ENULL, SO_ESIZE, SO_ENOMEM, SO_EWORKSPACE. */

typedef struct so_rotation {
    int tile;              /* b >= 1 */
    int64_t samples;       /* S */
    int64_t tokens;        /* T */
    int64_t groups;        /* vectors per token */
    int64_t rotations;     /* rotation matrices per token; divides groups */
    int64_t sample_stride; /* elements; >= 0 */
    int64_t token_stride;  /* elements; >= groups * tile */
} so_rotation;

typedef uint16_t so_bf16; /* the upper half of the bits of a float */

SO_API so_status so_rotate_f32(so_ctx *, const so_rotation *, const float *R, const float *x, float *y);
SO_API so_status so_rotate_f64(so_ctx *, const so_rotation *, const double *R, const double *x, double *y);
SO_API so_status so_rotate_vjp_f32(so_ctx *, const so_rotation *, const float *R, const float *x, const float *dy, float *dx, float *dR);
SO_API so_status so_rotate_vjp_f64(so_ctx *, const so_rotation *, const double *R, const double *x, const double *dy, double *dx, double *dR);
SO_API so_status so_rotate_bf16(so_ctx *, const so_rotation *, const float *R, const so_bf16 *x, so_bf16 *y);
SO_API so_status so_rotate_vjp_bf16(so_ctx *, const so_rotation *, const float *R, const so_bf16 *x, const so_bf16 *dy, so_bf16 *dx, float *dR);

#ifdef __cplusplus
}
#endif
#endif
