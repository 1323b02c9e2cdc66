/* backend.h: what a device must provide: one table of functions per real type, called by api.c after the arguments have been
 * checked (pointers present, sizes non-negative and without overflow, method known, nothing empty except in encode_vjp, which
 * writes zeros when there are no tokens or no groups).
 * Pointers live on the backend's device. Contracts are those of the public functions of the same name in so.h.
 * SPDX-License-Identifier: MIT */
#ifndef SO_BACKEND_H
#define SO_BACKEND_H

#include "so.h"

#define SO_BACKEND_TABLE(name, real, ...)                                                                                       \
    typedef struct name {                                                                                                       \
        so_status (*exp)(so_ctx *, so_method, int n, int64_t batch, const real *A, real *R);                                    \
        so_status (*exp_vjp)(so_ctx *, so_method, int n, int64_t batch, const real *A, const real *R, const real *dR, real *dA); \
        so_status (*exp_jvp)(so_ctx *, so_method, int n, int64_t batch, const real *A, const real *E, real *R, real *L);        \
        so_status (*log)(so_ctx *, int n, int64_t batch, const real *R, real *A);                                               \
        so_status (*log_vjp)(so_ctx *, int n, int64_t batch, const real *R, const real *A, const real *dA, real *dR);           \
        so_status (*cayley_inverse)(so_ctx *, int n, int64_t batch, const real *R, real *A);                                    \
        so_status (*cayley_inverse_vjp)(so_ctx *, int n, int64_t batch, const real *A, const real *dA, real *dR);               \
        so_status (*pack)(so_ctx *, int n, int64_t batch, const real *A, real *p);                                              \
        so_status (*unpack)(so_ctx *, int n, int64_t batch, const real *p, real *A);                                            \
        so_status (*orthogonality)(so_ctx *, int n, int64_t batch, const real *R, real *defect);                                \
        so_status (*project)(so_ctx *, int n, int64_t batch, real *R);                                                          \
        so_status (*project_vjp)(so_ctx *, int n, int64_t batch, const real *X, const real *dR, real *dX);                      \
        so_status (*encode)(so_ctx *, const so_encoding *, const real *position, const real *generator, real *R);               \
        so_status (*encode_vjp)(so_ctx *, const so_encoding *, const real *position, const real *generator, const real *R,      \
                                const real *dR, real *dgenerator, real *dposition);                                             \
        so_status (*rotate)(so_ctx *, const so_rotation *, const real *R, const real *x, real *y);                              \
        so_status (*rotate_vjp)(so_ctx *, const so_rotation *, const real *R, const real *x, const real *dy, real *dx,          \
                                real *dR);                                                                                      \
        __VA_ARGS__                                                                                                             \
    } name;
SO_BACKEND_TABLE(so_backend_f32, float,
    so_status (*rotate_bf16)(so_ctx *, const so_rotation *, const float *R, const so_bf16 *x, so_bf16 *y);
    so_status (*rotate_vjp_bf16)(so_ctx *, const so_rotation *, const float *R, const so_bf16 *x, const so_bf16 *dy, so_bf16 *dx,
                                 float *dR);)
SO_BACKEND_TABLE(so_backend_f64, double, )
#undef SO_BACKEND_TABLE

typedef struct so_backend {
    const so_backend_f32 *f32;
    const so_backend_f64 *f64;
    void *(*allocate)(so_ctx *, size_t bytes); /* workspace, 64-byte aligned; NULL on failure */
    void (*release)(so_ctx *, void *memory);
    so_status (*status)(so_ctx *); /* so_ctx_status; NULL: every call returns its own */
    void (*destroy)(so_ctx *);     /* what ctx->device holds; NULL: nothing */
    so_status (*widen)(so_ctx *, int64_t count, const float *from, double *to);
    so_status (*narrow)(so_ctx *, int64_t count, const double *from, float *to); /* to nearest */
    so_status (*add)(so_ctx *, int64_t count, const double *from, double *to);   /* to += from */
} so_backend;

#endif
