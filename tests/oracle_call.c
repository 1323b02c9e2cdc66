/* oracle_call.c: see oracle_call.h.
 * SPDX-License-Identifier: MIT */
#include "oracle_call.h"
#include "cuda_context.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

double call_u(int bits)
{
    return ldexp(1, -bits);
}

double call_round(int bits, double x)
{
    if (bits != BF16)
        return bits == F32 ? (double)(float)x : x;
    int exponent;
    frexp(x, &exponent);
    return ldexp(nearbyint(ldexp(x, BF16 - exponent)), exponent - BF16);
}

const char *call_type(int bits)
{
    return bits == BF16 ? "bf16" : bits == F32 ? "f32" : "f64";
}

const char *call_method(so_method method)
{
    static const char *const names[] = {"AUTO", "POLYNOMIAL", "PADE", "EIGEN", "CAYLEY"};
    return names[method];
}

/* ---- Arguments ---- */

/* The arrays of one call, where the library wants them: of its type, in the memory of its device. */
typedef struct arguments {
    int bits, count;
    so_ctx *ctx;
    struct {
        double *here;
        void *there;
        size_t length;
        int bits, is_result;
    } array[8];
} arguments;

static size_t shift;

void call_unaligned(size_t elements)
{
    shift = elements;
}

static size_t bytes_of(int bits)
{
    return bits == BF16 ? sizeof(so_bf16) : bits == F32 ? sizeof(float) : sizeof(double);
}

/* A copy of that type in the memory of the host, `shift` elements behind an aligned address. */
static void *convert(int bits, const double *x, size_t length)
{
    char *memory = malloc((length + shift + 1) * bytes_of(bits));
    if (!memory)
        abort();
    void *copy = memory + shift * bytes_of(bits);
    for (size_t i = 0; bits != F64 && i < length; i++) {
        union {
            float value;
            so_bf16 halves[2]; /* of which the second is the upper one */
        } f = {(float)x[i]};
        if (bits == F32)
            ((float *)copy)[i] = f.value;
        else
            ((so_bf16 *)copy)[i] = f.halves[1];
    }
    if (bits == F64)
        memcpy(copy, x, length * sizeof *x);
    return copy;
}

static void free_copy(int bits, void *copy)
{
    free((char *)copy - shift * bytes_of(bits));
}

/* The reverse of convert. */
static void convert_back(int bits, const void *copy, size_t length, double *x)
{
    for (size_t i = 0; bits != F64 && i < length; i++) {
        union {
            float value;
            so_bf16 halves[2];
        } f = {0};
        if (bits == F32)
            f.value = ((const float *)copy)[i];
        else
            f.halves[1] = ((const so_bf16 *)copy)[i];
        x[i] = (double)f.value;
    }
    if (bits == F64 && copy != x)
        memcpy(x, copy, length * sizeof *x);
}

static int is_copied(const arguments *a, int bits)
{
    return bits != F64 || shift > 0 || is_cuda(a->ctx);
}

/* Where x stands for the call, as that type; NULL stays NULL, and what was given before stands where it stood. */
static void *given(arguments *a, int bits, const double *x, size_t length)
{
    if (!x)
        return NULL;
    for (int k = 0; k < a->count; k++)
        if (a->array[k].here == x)
            return a->array[k].there;
    void *there = (void *)x;
    if (is_copied(a, bits))
        there = convert(bits, x, length);
    if (is_cuda(a->ctx)) {
        void *host = there;
        there = cuda_array(NULL, (length + shift) * bytes_of(bits));
        there = (char *)there + shift * bytes_of(bits);
        cuda_write(there, host, length * bytes_of(bits));
        free_copy(bits, host);
    }
    int k = a->count++;
    a->array[k].here = (double *)x, a->array[k].there = there, a->array[k].length = length;
    a->array[k].bits = bits, a->array[k].is_result = 0;
    return there;
}

/* The same for what the call writes. */
static void *result(arguments *a, int bits, double *x, size_t length)
{
    void *there = given(a, bits, x, length);
    for (int k = 0; k < a->count; k++)
        a->array[k].is_result |= a->array[k].here == x;
    return there;
}

static void bring_back(const arguments *a, int bits, double *here, void *there, size_t length)
{
    void *host = there;
    if (is_cuda(a->ctx)) {
        host = convert(bits, here, length);
        cuda_read(host, there, length * bytes_of(bits));
    }
    convert_back(bits, host, length, here);
    if (host != there)
        free_copy(bits, host);
}

/* Brings the results back. Returns what the call as a whole has to say. */
static so_status finish(arguments *a, so_status status)
{
    if (is_cuda(a->ctx))
        status = cuda_finish(a->ctx, status);
    for (int k = 0; k < a->count; k++) {
        if (a->array[k].is_result)
            bring_back(a, a->array[k].bits, a->array[k].here, a->array[k].there, a->array[k].length);
        if (is_cuda(a->ctx))
            cuda_free((char *)a->array[k].there - shift * bytes_of(a->array[k].bits));
        else if (is_copied(a, a->array[k].bits))
            free_copy(a->array[k].bits, a->array[k].there);
    }
    return status;
}

#define CALL(function, ...) finish(&a, bits == F64 ? function##_f64(ctx, __VA_ARGS__) : function##_f32(ctx, __VA_ARGS__))
#define IN(x, length) given(&a, bits, x, length)
#define OUT(x, length) result(&a, bits, x, length)

static size_t matrices(int n, int64_t batch)
{
    return n > 0 && batch > 0 ? (size_t)n * (size_t)n * (size_t)batch : 0;
}

so_status call_exp(int bits, so_ctx *ctx, so_method method, int n, int64_t batch, const double *A, double *R)
{
    arguments a = {.bits = bits, .ctx = ctx};
    size_t count = matrices(n, batch);
    return CALL(so_exp, method, n, batch, IN(A, count), OUT(R, count));
}

so_status call_exp_vjp(int bits, so_ctx *ctx, so_method method, int n, int64_t batch, const double *A, const double *R,
                       const double *dR, double *dA)
{
    arguments a = {.bits = bits, .ctx = ctx};
    size_t count = matrices(n, batch);
    return CALL(so_exp_vjp, method, n, batch, IN(A, count), IN(R, count), IN(dR, count), OUT(dA, count));
}

so_status call_exp_jvp(int bits, so_ctx *ctx, so_method method, int n, int64_t batch, const double *A, const double *E,
                       double *R, double *L)
{
    arguments a = {.bits = bits, .ctx = ctx};
    size_t count = matrices(n, batch);
    return CALL(so_exp_jvp, method, n, batch, IN(A, count), IN(E, count), OUT(R, count), OUT(L, count));
}

so_status call_cayley(int bits, so_ctx *ctx, int n, int64_t batch, const double *A, double *R)
{
    arguments a = {.bits = bits, .ctx = ctx};
    size_t count = matrices(n, batch);
    return CALL(so_cayley, n, batch, IN(A, count), OUT(R, count));
}

so_status call_cayley_vjp(int bits, so_ctx *ctx, int n, int64_t batch, const double *A, const double *R, const double *dR,
                          double *dA)
{
    arguments a = {.bits = bits, .ctx = ctx};
    size_t count = matrices(n, batch);
    return CALL(so_cayley_vjp, n, batch, IN(A, count), IN(R, count), IN(dR, count), OUT(dA, count));
}

so_status call_cayley_jvp(int bits, so_ctx *ctx, int n, int64_t batch, const double *A, const double *E, double *R, double *L)
{
    arguments a = {.bits = bits, .ctx = ctx};
    size_t count = matrices(n, batch);
    return CALL(so_cayley_jvp, n, batch, IN(A, count), IN(E, count), OUT(R, count), OUT(L, count));
}

so_status call_log(int bits, so_ctx *ctx, int n, int64_t batch, const double *R, double *A)
{
    arguments a = {.bits = bits, .ctx = ctx};
    size_t count = matrices(n, batch);
    return CALL(so_log, n, batch, IN(R, count), OUT(A, count));
}

so_status call_log_vjp(int bits, so_ctx *ctx, int n, int64_t batch, const double *R, const double *A, const double *dA,
                       double *dR)
{
    arguments a = {.bits = bits, .ctx = ctx};
    size_t count = matrices(n, batch);
    return CALL(so_log_vjp, n, batch, IN(R, count), IN(A, count), IN(dA, count), OUT(dR, count));
}

so_status call_cayley_inverse(int bits, so_ctx *ctx, int n, int64_t batch, const double *R, double *A)
{
    arguments a = {.bits = bits, .ctx = ctx};
    size_t count = matrices(n, batch);
    return CALL(so_cayley_inverse, n, batch, IN(R, count), OUT(A, count));
}

so_status call_cayley_inverse_vjp(int bits, so_ctx *ctx, int n, int64_t batch, const double *A, const double *dA, double *dR)
{
    arguments a = {.bits = bits, .ctx = ctx};
    size_t count = matrices(n, batch);
    return CALL(so_cayley_inverse_vjp, n, batch, IN(A, count), IN(dA, count), OUT(dR, count));
}

so_status call_pack(int bits, so_ctx *ctx, int n, int64_t batch, const double *A, double *p)
{
    arguments a = {.bits = bits, .ctx = ctx};
    size_t count = matrices(n, batch), packed = n > 0 ? count / (size_t)n * (size_t)(n - 1) / 2 : 0;
    return CALL(so_pack, n, batch, IN(A, count), OUT(p, packed));
}

so_status call_unpack(int bits, so_ctx *ctx, int n, int64_t batch, const double *p, double *A)
{
    arguments a = {.bits = bits, .ctx = ctx};
    size_t count = matrices(n, batch), packed = n > 0 ? count / (size_t)n * (size_t)(n - 1) / 2 : 0;
    return CALL(so_unpack, n, batch, IN(p, packed), OUT(A, count));
}

so_status call_orthogonality(int bits, so_ctx *ctx, int n, int64_t batch, const double *R, double *defect)
{
    arguments a = {.bits = bits, .ctx = ctx};
    size_t count = matrices(n, batch);
    return CALL(so_orthogonality, n, batch, IN(R, count), OUT(defect, batch > 0 ? (size_t)batch : 0));
}

so_status call_project(int bits, so_ctx *ctx, int n, int64_t batch, double *R)
{
    arguments a = {.bits = bits, .ctx = ctx};
    size_t count = matrices(n, batch);
    return CALL(so_project, n, batch, OUT(R, count));
}

so_status call_project_vjp(int bits, so_ctx *ctx, int n, int64_t batch, const double *X, const double *dR, double *dX)
{
    arguments a = {.bits = bits, .ctx = ctx};
    size_t count = matrices(n, batch);
    return CALL(so_project_vjp, n, batch, IN(X, count), IN(dR, count), OUT(dX, count));
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
    arguments a = {.bits = bits, .ctx = ctx};
    encode_sizes size = sizes_of(e);
    return CALL(so_encode, e, IN(position, size.position), IN(generator, size.generator), OUT(R, size.rotation));
}

so_status call_encode_vjp(int bits, so_ctx *ctx, const so_encoding *e, const double *position, const double *generator,
                          const double *R, const double *dR, double *dgenerator, double *dposition)
{
    arguments a = {.bits = bits, .ctx = ctx};
    encode_sizes size = sizes_of(e);
    return CALL(so_encode_vjp, e, IN(position, size.position), IN(generator, size.generator), IN(R, size.rotation),
                IN(dR, size.rotation), OUT(dgenerator, size.generator), OUT(dposition, size.position));
}

static size_t rotation_elements(const so_rotation *r)
{
    return (size_t)(r->rotations * r->tokens) * (size_t)r->tile * (size_t)r->tile;
}

so_status call_rotate(int bits, so_ctx *ctx, const so_rotation *r, size_t elements, const double *R, const double *x, double *y)
{
    arguments a = {.bits = bits, .ctx = ctx};
    size_t count = rotation_elements(r);
    if (bits == BF16)
        return finish(&a, so_rotate_bf16(ctx, r, given(&a, F32, R, count), IN(x, elements), OUT(y, elements)));
    return CALL(so_rotate, r, IN(R, count), IN(x, elements), OUT(y, elements));
}

so_status call_rotate_vjp(int bits, so_ctx *ctx, const so_rotation *r, size_t elements, const double *R, const double *x,
                          const double *dy, double *dx, double *dR)
{
    arguments a = {.bits = bits, .ctx = ctx};
    size_t count = rotation_elements(r);
    if (bits == BF16)
        return finish(&a, so_rotate_vjp_bf16(ctx, r, given(&a, F32, R, count), IN(x, elements), IN(dy, elements),
                                             OUT(dx, elements), result(&a, F32, dR, count)));
    return CALL(so_rotate_vjp, r, IN(R, count), IN(x, elements), IN(dy, elements), OUT(dx, elements), OUT(dR, count));
}
