/* maps.h: functions of so.h by the type of their arguments, for templates.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_GPU_MAPS_H
#define BENCH_GPU_MAPS_H

#include "libso/so.h"

#define EACH_REAL(F) F(float, f32) F(double, f64)

#define MAPS(real, suffix)                                                                                                      \
    inline so_status so_exp(so_ctx *ctx, so_method method, int n, int64_t batch, const real *A, real *R)                        \
    {                                                                                                                           \
        return so_exp_##suffix(ctx, method, n, batch, A, R);                                                                    \
    }                                                                                                                           \
    inline so_status so_exp_vjp(so_ctx *ctx, so_method method, int n, int64_t batch, const real *A, const real *R,              \
                                const real *dR, real *dA)                                                                       \
    {                                                                                                                           \
        return so_exp_vjp_##suffix(ctx, method, n, batch, A, R, dR, dA);                                                        \
    }                                                                                                                           \
    inline so_status so_encode(so_ctx *ctx, const so_encoding *e, const real *position, const real *generator, real *R)         \
    {                                                                                                                           \
        return so_encode_##suffix(ctx, e, position, generator, R);                                                              \
    }                                                                                                                           \
    inline so_status so_encode_vjp(so_ctx *ctx, const so_encoding *e, const real *position, const real *generator,              \
                                   const real *R, const real *dR, real *dgenerator, real *dposition)                            \
    {                                                                                                                           \
        return so_encode_vjp_##suffix(ctx, e, position, generator, R, dR, dgenerator, dposition);                               \
    }
EACH_REAL(MAPS)
#undef MAPS

/* Vectors in bf16 have rotations in f32. */
#define ROTATE(matrix, vector, suffix)                                                                                       \
    inline so_status so_rotate(so_ctx *ctx, const so_rotation *r, const matrix *R, const vector *x, vector *y)                  \
    {                                                                                                                           \
        return so_rotate_##suffix(ctx, r, R, x, y);                                                                             \
    }                                                                                                                           \
    inline so_status so_rotate_vjp(so_ctx *ctx, const so_rotation *r, const matrix *R, const vector *x, const vector *dy,       \
                                   vector *dx, matrix *dR)                                                                      \
    {                                                                                                                           \
        return so_rotate_vjp_##suffix(ctx, r, R, x, dy, dx, dR);                                                                \
    }
ROTATE(float, so_bf16, bf16)
ROTATE(float, float, f32)
ROTATE(double, double, f64)
#undef ROTATE
#undef EACH_REAL

#endif
