/* maps.h: the functions of the CPU backend's table (backend.h), one source file each group.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_MAPS_H
#define SO_CPU_MAPS_H

#include "../backend.h"
#include "../real.h"

/* batch.c */
so_status SO_(so_cpu_exp)(so_ctx *, so_method, int n, int64_t batch, const real *A, real *R);
so_status SO_(so_cpu_exp_vjp)(so_ctx *, so_method, int n, int64_t batch, const real *A, const real *R, const real *dR, real *dA);
so_status SO_(so_cpu_exp_jvp)(so_ctx *, so_method, int n, int64_t batch, const real *A, const real *E, real *R, real *L);
/* logarithm.c */
so_status SO_(so_cpu_log)(so_ctx *, int n, int64_t batch, const real *R, real *A);
so_status SO_(so_cpu_log_vjp)(so_ctx *, int n, int64_t batch, const real *R, const real *A, const real *dA, real *dR);
/* cayley_inverse.c */
so_status SO_(so_cpu_cayley_inverse)(so_ctx *, int n, int64_t batch, const real *R, real *A);
so_status SO_(so_cpu_cayley_inverse_vjp)(so_ctx *, int n, int64_t batch, const real *A, const real *dA, real *dR);
/* pack.c */
so_status SO_(so_cpu_pack)(so_ctx *, int n, int64_t batch, const real *A, real *p);
so_status SO_(so_cpu_unpack)(so_ctx *, int n, int64_t batch, const real *p, real *A);
/* orthogonality.c */
so_status SO_(so_cpu_orthogonality)(so_ctx *, int n, int64_t batch, const real *R, real *defect);
/* project.c */
so_status SO_(so_cpu_project)(so_ctx *, int n, int64_t batch, real *R);
so_status SO_(so_cpu_project_vjp)(so_ctx *, int n, int64_t batch, const real *X, const real *dR, real *dX);
/* encode.c */
so_status SO_(so_cpu_encode)(so_ctx *, const so_encoding *, const real *position, const real *generator, real *R);
so_status SO_(so_cpu_encode_vjp)(so_ctx *, const so_encoding *, const real *position, const real *generator, const real *R,
                                 const real *dR, real *dgenerator, real *dposition);
/* rotate.c */
so_status SO_(so_cpu_rotate)(so_ctx *, const so_rotation *, const real *R, const real *x, real *y);
so_status SO_(so_cpu_rotate_vjp)(so_ctx *, const so_rotation *, const real *R, const real *x, const real *dy, real *dx, real *dR);
#if defined(SO_REAL_f32)
so_status SO_(so_cpu_rotate_bf16)(so_ctx *, const so_rotation *, const float *R, const so_bf16 *x, so_bf16 *y);
so_status SO_(so_cpu_rotate_vjp_bf16)(so_ctx *, const so_rotation *, const float *R, const so_bf16 *x, const so_bf16 *dy, so_bf16 *dx,
                                      float *dR);
#endif

#endif
