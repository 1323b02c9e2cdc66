/* oracle_call.c: see oracle_call.h.
 * SPDX-License-Identifier: MIT */
#include "oracle_call.h"
#include <math.h>
#include <stdlib.h>

double call_u(int bits)
{
    return ldexp(1, -bits);
}

double call_round(int bits, double x)
{
    return bits == F32 ? (double)(float)x : x;
}

const char *call_type(int bits)
{
    return bits == F32 ? "f32" : "f64";
}

const char *call_method(so_method method)
{
    static const char *const names[] = {"AUTO", "POLYNOMIAL", "PADE", "EIGEN", "CAYLEY"};
    return names[method];
}

/* A copy as floats; NULL stays NULL. */
static float *narrow(const double *x, size_t count)
{
    if (!x)
        return NULL;
    float *copy = malloc((count + 1) * sizeof *copy);
    if (!copy)
        abort();
    for (size_t i = 0; i < count; i++)
        copy[i] = (float)x[i];
    return copy;
}

static void widen(double *x, float *copy, size_t count)
{
    for (size_t i = 0; x && i < count; i++)
        x[i] = (double)copy[i];
}

static size_t matrices(int n, int64_t batch)
{
    return n > 0 && batch > 0 ? (size_t)n * (size_t)n * (size_t)batch : 0;
}

so_status call_exp(int bits, so_ctx *ctx, so_method method, int n, int64_t batch, const double *A, double *R)
{
    if (bits == F64)
        return so_exp_f64(ctx, method, n, batch, A, R);
    size_t count = matrices(n, batch);
    float *a = narrow(A, count), *r = R == A ? a : narrow(R, count);
    so_status status = so_exp_f32(ctx, method, n, batch, a, r);
    widen(R, r, count);
    if (r != a)
        free(r);
    free(a);
    return status;
}

so_status call_cayley(int bits, so_ctx *ctx, int n, int64_t batch, const double *A, double *R)
{
    if (bits == F64)
        return so_cayley_f64(ctx, n, batch, A, R);
    size_t count = matrices(n, batch);
    float *a = narrow(A, count), *r = R == A ? a : narrow(R, count);
    so_status status = so_cayley_f32(ctx, n, batch, a, r);
    widen(R, r, count);
    if (r != a)
        free(r);
    free(a);
    return status;
}

/* so_exp_vjp, or so_cayley_vjp for method < 0. */
static so_status vjp(int bits, so_ctx *ctx, int method, int n, int64_t batch, const double *A, const double *R, const double *dR,
                     double *dA)
{
    if (bits == F64)
        return method < 0 ? so_cayley_vjp_f64(ctx, n, batch, A, R, dR, dA)
                          : so_exp_vjp_f64(ctx, (so_method)method, n, batch, A, R, dR, dA);
    size_t count = matrices(n, batch);
    float *a = narrow(A, count), *r = narrow(R, count), *g = narrow(dR, count);
    float *d = dA == R ? r : dA == dR ? g : narrow(dA, count);
    so_status status = method < 0 ? so_cayley_vjp_f32(ctx, n, batch, a, r, g, d)
                                  : so_exp_vjp_f32(ctx, (so_method)method, n, batch, a, r, g, d);
    widen(dA, d, count);
    if (d != r && d != g)
        free(d);
    free(a), free(r), free(g);
    return status;
}

so_status call_exp_vjp(int bits, so_ctx *ctx, so_method method, int n, int64_t batch, const double *A, const double *R,
                       const double *dR, double *dA)
{
    return vjp(bits, ctx, (int)method, n, batch, A, R, dR, dA);
}

so_status call_cayley_vjp(int bits, so_ctx *ctx, int n, int64_t batch, const double *A, const double *R, const double *dR,
                          double *dA)
{
    return vjp(bits, ctx, -1, n, batch, A, R, dR, dA);
}

static so_status jvp(int bits, so_ctx *ctx, int method, int n, int64_t batch, const double *A, const double *E, double *R, double *L)
{
    if (bits == F64)
        return method < 0 ? so_cayley_jvp_f64(ctx, n, batch, A, E, R, L)
                          : so_exp_jvp_f64(ctx, (so_method)method, n, batch, A, E, R, L);
    size_t count = matrices(n, batch);
    float *a = narrow(A, count), *e = narrow(E, count), *r = narrow(R, count), *l = narrow(L, count);
    so_status status = method < 0 ? so_cayley_jvp_f32(ctx, n, batch, a, e, r, l)
                                  : so_exp_jvp_f32(ctx, (so_method)method, n, batch, a, e, r, l);
    widen(R, r, count), widen(L, l, count);
    free(a), free(e), free(r), free(l);
    return status;
}

so_status call_exp_jvp(int bits, so_ctx *ctx, so_method method, int n, int64_t batch, const double *A, const double *E, double *R,
                       double *L)
{
    return jvp(bits, ctx, (int)method, n, batch, A, E, R, L);
}

so_status call_cayley_jvp(int bits, so_ctx *ctx, int n, int64_t batch, const double *A, const double *E, double *R, double *L)
{
    return jvp(bits, ctx, -1, n, batch, A, E, R, L);
}

so_status call_pack(int bits, so_ctx *ctx, int n, int64_t batch, const double *A, double *p)
{
    if (bits == F64)
        return so_pack_f64(ctx, n, batch, A, p);
    size_t count = matrices(n, batch), packed = n > 0 ? count / (size_t)n * (size_t)(n - 1) / 2 : 0;
    float *a = narrow(A, count), *q = narrow(p, packed);
    so_status status = so_pack_f32(ctx, n, batch, a, q);
    widen(p, q, packed);
    free(a), free(q);
    return status;
}

so_status call_unpack(int bits, so_ctx *ctx, int n, int64_t batch, const double *p, double *A)
{
    if (bits == F64)
        return so_unpack_f64(ctx, n, batch, p, A);
    size_t count = matrices(n, batch), packed = n > 0 ? count / (size_t)n * (size_t)(n - 1) / 2 : 0;
    float *a = narrow(A, count), *q = narrow(p, packed);
    so_status status = so_unpack_f32(ctx, n, batch, q, a);
    widen(A, a, count);
    free(a), free(q);
    return status;
}

so_status call_orthogonality(int bits, so_ctx *ctx, int n, int64_t batch, const double *R, double *defect)
{
    if (bits == F64)
        return so_orthogonality_f64(ctx, n, batch, R, defect);
    size_t count = batch > 0 ? (size_t)batch : 0;
    float *r = narrow(R, matrices(n, batch)), *d = narrow(defect, count);
    so_status status = so_orthogonality_f32(ctx, n, batch, r, d);
    widen(defect, d, count);
    free(r), free(d);
    return status;
}

so_status call_project(int bits, so_ctx *ctx, int n, int64_t batch, double *R)
{
    if (bits == F64)
        return so_project_f64(ctx, n, batch, R);
    float *r = narrow(R, matrices(n, batch));
    so_status status = so_project_f32(ctx, n, batch, r);
    widen(R, r, matrices(n, batch));
    free(r);
    return status;
}

so_status call_project_vjp(int bits, so_ctx *ctx, int n, int64_t batch, const double *X, const double *dR, double *dX)
{
    if (bits == F64)
        return so_project_vjp_f64(ctx, n, batch, X, dR, dX);
    size_t count = matrices(n, batch);
    float *x = narrow(X, count), *g = narrow(dR, count), *d = dX == X ? x : dX == dR ? g : narrow(dX, count);
    so_status status = so_project_vjp_f32(ctx, n, batch, x, g, d);
    widen(dX, d, count);
    if (d != x && d != g)
        free(d);
    free(x), free(g);
    return status;
}

typedef struct encode_sizes {
    size_t position, generator, rotation;
} encode_sizes;

static encode_sizes sizes_of(const so_encoding *e)
{
    size_t square = (size_t)e->tile * (size_t)e->tile, groups = (size_t)e->groups, tokens = (size_t)e->tokens;
    return (encode_sizes){tokens * (size_t)e->dims, groups * (size_t)e->dims * square, groups * tokens * square};
}

so_status call_encode(int bits, so_ctx *ctx, const so_encoding *e, const double *position, const double *generator, double *R)
{
    if (bits == F64)
        return so_encode_f64(ctx, e, position, generator, R);
    encode_sizes size = sizes_of(e);
    float *p = narrow(position, size.position), *g = narrow(generator, size.generator), *r = narrow(R, size.rotation);
    so_status status = so_encode_f32(ctx, e, p, g, r);
    widen(R, r, size.rotation);
    free(p), free(g), free(r);
    return status;
}

so_status call_encode_vjp(int bits, so_ctx *ctx, const so_encoding *e, const double *position, const double *generator,
                          const double *R, const double *dR, double *dgenerator, double *dposition)
{
    if (bits == F64)
        return so_encode_vjp_f64(ctx, e, position, generator, R, dR, dgenerator, dposition);
    encode_sizes size = sizes_of(e);
    float *p = narrow(position, size.position), *g = narrow(generator, size.generator), *r = narrow(R, size.rotation);
    float *dr = narrow(dR, size.rotation), *dg = narrow(dgenerator, size.generator), *dp = narrow(dposition, size.position);
    so_status status = so_encode_vjp_f32(ctx, e, p, g, r, dr, dg, dp);
    widen(dgenerator, dg, size.generator), widen(dposition, dp, size.position);
    free(p), free(g), free(r), free(dr), free(dg), free(dp);
    return status;
}

static size_t rotation_elements(const so_rotation *r)
{
    return (size_t)(r->rotations * r->tokens) * (size_t)r->tile * (size_t)r->tile;
}

so_status call_rotate(int bits, so_ctx *ctx, const so_rotation *r, size_t elements, const double *R, const double *x, double *y)
{
    if (bits == F64)
        return so_rotate_f64(ctx, r, R, x, y);
    float *rot = narrow(R, rotation_elements(r)), *in = narrow(x, elements), *out = y == x ? in : narrow(y, elements);
    so_status status = so_rotate_f32(ctx, r, rot, in, out);
    widen(y, out, elements);
    if (out != in)
        free(out);
    free(rot), free(in);
    return status;
}

so_status call_rotate_vjp(int bits, so_ctx *ctx, const so_rotation *r, size_t elements, const double *R, const double *x,
                          const double *dy, double *dx, double *dR)
{
    if (bits == F64)
        return so_rotate_vjp_f64(ctx, r, R, x, dy, dx, dR);
    size_t count = rotation_elements(r);
    float *rot = narrow(R, count), *in = narrow(x, elements), *g = narrow(dy, elements);
    float *d = dx == dy ? g : narrow(dx, elements), *dr = narrow(dR, count);
    so_status status = so_rotate_vjp_f32(ctx, r, rot, in, g, d, dr);
    widen(dx, d, elements), widen(dR, dr, count);
    if (d != g)
        free(d);
    free(rot), free(in), free(g), free(dr);
    return status;
}
