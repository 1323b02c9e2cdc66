/* maps.cuh: the functions of the CUDA backend's tables (backend.h), one source file each group, and the methods of the exponential.
 * Every .cu of this folder but context.cu and convert.cu is compiled once per real type (libso/real.h): SO_(so_cuda_exp) =
 * so_cuda_exp_f32.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_MAPS_CUH
#define SO_KERNELS_MAPS_CUH

#include "../../libso/real.h"
#include "device.cuh"

/* A method of the exponential: so_exp, so_exp_vjp and so_exp_jvp (which computes R too) for arguments that have been checked. */
typedef struct SO_(cuda_method) {
    so_status (*map)(so_ctx *, int n, int64_t batch, const real *A, real *R);
    so_status (*vjp)(so_ctx *, int n, int64_t batch, const real *A, const real *R, const real *dR, real *dA);
    so_status (*jvp)(so_ctx *, int n, int64_t batch, const real *A, const real *E, real *R, real *L);
} SO_(cuda_method);

extern const SO_(cuda_method) SO_(cuda_closed_form); /* n = 2, 3, 4 */
extern const SO_(cuda_method) SO_(cuda_polynomial);
extern const SO_(cuda_method) SO_(cuda_cayley);
extern const SO_(cuda_method) SO_(cuda_pade);  /* by cuBLAS */
extern const SO_(cuda_method) SO_(cuda_eigen); /* by cuSOLVER */

/* The method that stands for `method` at order n. */
const SO_(cuda_method) *SO_(so_cuda_choose)(so_method method, int n);

so_status SO_(so_cuda_exp)(so_ctx *, so_method, int n, int64_t batch, const real *A, real *R);
so_status SO_(so_cuda_exp_vjp)(so_ctx *, so_method, int n, int64_t batch, const real *A, const real *R, const real *dR, real *dA);
so_status SO_(so_cuda_exp_jvp)(so_ctx *, so_method, int n, int64_t batch, const real *A, const real *E, real *R, real *L);
so_status SO_(so_cuda_log)(so_ctx *, int n, int64_t batch, const real *R, real *A);
so_status SO_(so_cuda_log_vjp)(so_ctx *, int n, int64_t batch, const real *R, const real *A, const real *dA, real *dR);
so_status SO_(so_cuda_cayley_inverse)(so_ctx *, int n, int64_t batch, const real *R, real *A);
so_status SO_(so_cuda_cayley_inverse_vjp)(so_ctx *, int n, int64_t batch, const real *A, const real *dA, real *dR);
so_status SO_(so_cuda_pack)(so_ctx *, int n, int64_t batch, const real *A, real *p);
so_status SO_(so_cuda_unpack)(so_ctx *, int n, int64_t batch, const real *p, real *A);
so_status SO_(so_cuda_orthogonality)(so_ctx *, int n, int64_t batch, const real *R, real *defect);
so_status SO_(so_cuda_project)(so_ctx *, int n, int64_t batch, real *R);
so_status SO_(so_cuda_project_vjp)(so_ctx *, int n, int64_t batch, const real *X, const real *dR, real *dX);
so_status SO_(so_cuda_encode)(so_ctx *, const so_encoding *, const real *position, const real *generator, real *R);
so_status SO_(so_cuda_encode_vjp)(so_ctx *, const so_encoding *, const real *position, const real *generator, const real *R,
                                  const real *dR, real *dgenerator, real *dposition);
so_status SO_(so_cuda_rotate)(so_ctx *, const so_rotation *, const real *R, const real *x, real *y);
so_status SO_(so_cuda_rotate_vjp)(so_ctx *, const so_rotation *, const real *R, const real *x, const real *dy, real *dx, real *dR);
#if defined(SO_REAL_f32)
so_status so_cuda_rotate_bf16(so_ctx *, const so_rotation *, const float *R, const so_bf16 *x, so_bf16 *y);
so_status so_cuda_rotate_vjp_bf16(so_ctx *, const so_rotation *, const float *R, const so_bf16 *x, const so_bf16 *dy, so_bf16 *dx,
                                  float *dR);
#endif

#endif
