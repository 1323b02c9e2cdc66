/* check_api.c: what so.h says about arguments, statuses and the workspace.
 * SPDX-License-Identifier: MIT */
#include "libso/backend_cpu.h"
#include "libso/context.h"
#include "oracle_campaign.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int types[] = {F64, F32};
static so_ctx *ctx;

static void setup(void)
{
    ck_assert_int_eq(so_ctx_create_cpu(&ctx, 1), SO_OK);
}

static void teardown(void)
{
    so_ctx_destroy(ctx);
}

/* The call must return this status, name this argument and have left the output as it was. */
static void refused(so_status got, so_status wanted, const char *argument, const double *output, size_t count)
{
    ck_assert_msg(got == wanted, "argument %s: status %d, not %d", argument, (int)got, (int)wanted);
    ck_assert_str_eq(so_ctx_argument(ctx), argument);
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(output[i] == 7, "a refused call (%s) has written", argument);
}

START_TEST(statuses)
{
    static const so_status all[] = {SO_OK,        SO_ENULL,       SO_ESIZE,  SO_EMETHOD,    SO_ENONFINITE,
                                    SO_ESINGULAR, SO_EREFLECTION, SO_ENOMEM, SO_EWORKSPACE, SO_EDEVICE, SO_EISA};
    for (int i = 0; i < 11; i++) {
        const char *text = so_status_string(all[i]);
        ck_assert_ptr_nonnull(text);
        ck_assert(strlen(text) > 0 && text[strlen(text) - 1] != '.' && !strchr(text, '\n'));
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(text, so_status_string(all[j]));
    }
    ck_assert_ptr_nonnull(so_status_string((so_status)12345));
    ck_assert_int_eq(SO_ENULL, 10);
    ck_assert_int_eq(SO_ENONFINITE, 20);
    ck_assert_int_eq(SO_EDEVICE, 40);
}
END_TEST

START_TEST(contexts)
{
    so_ctx *other = ctx;
    ck_assert_int_eq(so_ctx_create_cpu(NULL, 1), SO_ENULL);
    ck_assert_int_eq(so_ctx_create_cpu(&other, -1), SO_ESIZE);
    ck_assert_int_eq(so_ctx_create_cpu(&other, 1025), SO_ESIZE);
    ck_assert_ptr_null(other);
    so_ctx_destroy(NULL);
    ck_assert_int_eq(so_ctx_set_workspace(NULL, NULL, 0), SO_ENULL);
    ck_assert_int_eq(so_ctx_status(NULL), SO_ENULL);
    ck_assert_int_eq(so_ctx_status(ctx), SO_OK);
    double A[1] = {0}, R[1];
    ck_assert_int_eq(so_exp_f64(NULL, SO_AUTO, 1, 1, A, R), SO_ENULL);
    ck_assert_str_eq(so_ctx_argument(ctx), "");
}
END_TEST

/* SO_ISA chooses the copy; without it the widest that machine and build have. */
START_TEST(instruction_sets)
{
    static const char *const names[] = {"portable", "avx2", "avx512", "neon"};
    const char *before = getenv("SO_ISA");
    before = before ? strdup(before) : NULL;
    so_backend chosen[4], widest;
    int found = 0;
    for (int i = 0; i < 4; i++) {
        setenv("SO_ISA", names[i], 1);
        so_status status = so_backend_cpu(&chosen[found]);
        ck_assert(status == SO_OK || status == SO_EISA);
#if defined(SO_HAVE_portable)
        ck_assert(status == SO_OK || i > 0);
#endif
        so_ctx *other;
        ck_assert_int_eq(so_ctx_create_cpu(&other, 1), status);
        ck_assert_int_eq(other != NULL, status == SO_OK);
        so_ctx_destroy(other);
        for (int j = 0; j < found && status == SO_OK; j++)
            ck_assert(chosen[j].f32 != chosen[found].f32 && chosen[j].f64 != chosen[found].f64);
        found += status == SO_OK;
    }
    for (int i = 0; i < 2; i++) { /* not set, and empty */
        i ? setenv("SO_ISA", "", 1) : unsetenv("SO_ISA");
        ck_assert_int_eq(so_backend_cpu(&widest), SO_OK);
        ck_assert(widest.f32 == chosen[found - 1].f32 && widest.f64 == chosen[found - 1].f64);
    }
    static const char *const unknown[] = {"AVX2", "avx", "avx512f", "NEON", "portable ", "0"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        setenv("SO_ISA", unknown[i], 1);
        so_ctx *other = ctx;
        ck_assert_int_eq(so_ctx_create_cpu(&other, 1), SO_EISA);
        ck_assert_ptr_null(other);
    }
    before ? setenv("SO_ISA", before, 1) : unsetenv("SO_ISA");
    free((char *)before);
}
END_TEST

START_TEST(null_pointers)
{
    int bits = types[_i];
    double in[4] = {0, 1, -1, 0}, out[4] = {7, 7, 7, 7}, more[4] = {7, 7, 7, 7};
    refused(call_exp(bits, ctx, SO_AUTO, 2, 1, NULL, out), SO_ENULL, "A", out, 4);
    refused(call_exp(bits, ctx, SO_AUTO, 2, 1, in, NULL), SO_ENULL, "R", out, 0);
    refused(call_exp_vjp(bits, ctx, SO_AUTO, 2, 1, NULL, in, in, out), SO_ENULL, "A", out, 4);
    refused(call_exp_vjp(bits, ctx, SO_AUTO, 2, 1, in, NULL, in, out), SO_ENULL, "R", out, 4);
    refused(call_exp_vjp(bits, ctx, SO_AUTO, 2, 1, in, in, NULL, out), SO_ENULL, "dR", out, 4);
    refused(call_exp_vjp(bits, ctx, SO_AUTO, 2, 1, in, in, more, NULL), SO_ENULL, "dA", out, 0);
    refused(call_exp_jvp(bits, ctx, SO_AUTO, 2, 1, NULL, in, out, more), SO_ENULL, "A", out, 4);
    refused(call_exp_jvp(bits, ctx, SO_AUTO, 2, 1, in, NULL, out, more), SO_ENULL, "E", out, 4);
    refused(call_exp_jvp(bits, ctx, SO_AUTO, 2, 1, in, in, NULL, more), SO_ENULL, "R", more, 4);
    refused(call_exp_jvp(bits, ctx, SO_AUTO, 2, 1, in, in, out, NULL), SO_ENULL, "L", out, 4);
    refused(call_cayley(bits, ctx, 2, 1, NULL, out), SO_ENULL, "A", out, 4);
    refused(call_cayley_vjp(bits, ctx, 2, 1, in, NULL, in, out), SO_ENULL, "R", out, 4);
    refused(call_cayley_jvp(bits, ctx, 2, 1, in, NULL, out, more), SO_ENULL, "E", out, 4);
    refused(call_pack(bits, ctx, 2, 1, NULL, out), SO_ENULL, "A", out, 1);
    refused(call_pack(bits, ctx, 2, 1, in, NULL), SO_ENULL, "p", out, 0);
    refused(call_unpack(bits, ctx, 2, 1, NULL, out), SO_ENULL, "p", out, 4);
    refused(call_unpack(bits, ctx, 2, 1, in, NULL), SO_ENULL, "A", out, 0);
    refused(call_orthogonality(bits, ctx, 2, 1, NULL, out), SO_ENULL, "R", out, 1);
    refused(call_orthogonality(bits, ctx, 2, 1, in, NULL), SO_ENULL, "defect", out, 0);
    refused(call_project(bits, ctx, 2, 1, NULL), SO_ENULL, "R", out, 0);
}
END_TEST

START_TEST(sizes_and_methods)
{
    int bits = types[_i];
    double in[4] = {0, 1, -1, 0}, out[4] = {7, 7, 7, 7};
    refused(call_exp(bits, ctx, SO_AUTO, -1, 1, in, out), SO_ESIZE, "n", out, 4);
    refused(call_exp(bits, ctx, SO_AUTO, 2, -1, in, out), SO_ESIZE, "batch", out, 4);
    refused(call_exp(bits, ctx, SO_AUTO, 0, -1, NULL, NULL), SO_ESIZE, "batch", out, 0);
    refused(call_exp(bits, ctx, (so_method)5, 2, 1, in, out), SO_EMETHOD, "method", out, 4);
    refused(call_exp(bits, ctx, (so_method)-1, 2, 1, in, out), SO_EMETHOD, "method", out, 4);
    refused(call_exp_vjp(bits, ctx, (so_method)99, 2, 1, in, in, in, out), SO_EMETHOD, "method", out, 4);
    refused(call_exp_jvp(bits, ctx, (so_method)99, 2, 1, in, in, out, out), SO_EMETHOD, "method", out, 4);
    refused(call_project(bits, ctx, -3, 1, out), SO_ESIZE, "n", out, 4);
    double d = 0;
    float f = 0; /* sizes whose product overflows: straight to the library, no copies */
    if (bits == F64) {
        ck_assert_int_eq(so_exp_f64(ctx, SO_AUTO, 16385, 1, &d, &d), SO_ESIZE);
        ck_assert_int_eq(so_exp_f64(ctx, SO_AUTO, 16384, INT64_MAX / 2, &d, &d), SO_ESIZE);
        ck_assert_int_eq(so_exp_f64(ctx, SO_AUTO, 2, INT64_MAX / 4, &d, &d), SO_ESIZE);
        ck_assert_int_eq(so_exp_f64(ctx, SO_AUTO, INT32_MAX, 1, &d, &d), SO_ESIZE);
        ck_assert_int_eq(so_unpack_f64(ctx, 3, INT64_MAX, &d, &d), SO_ESIZE);
    } else {
        ck_assert_int_eq(so_exp_f32(ctx, SO_AUTO, 16385, 1, &f, &f), SO_ESIZE);
        ck_assert_int_eq(so_exp_f32(ctx, SO_AUTO, 16384, INT64_MAX / 2, &f, &f), SO_ESIZE);
        ck_assert_int_eq(so_exp_f32(ctx, SO_AUTO, 2, INT64_MAX / 4, &f, &f), SO_ESIZE);
        ck_assert_int_eq(so_exp_f32(ctx, SO_AUTO, INT32_MAX, 1, &f, &f), SO_ESIZE);
        ck_assert_int_eq(so_unpack_f32(ctx, 3, INT64_MAX, &f, &f), SO_ESIZE);
    }
}
END_TEST

START_TEST(empty)
{
    int bits = types[_i];
    for (int n = 0; n <= 3; n += 3) {
        int64_t batch = n == 0 ? 5 : 0;
        for (int m = 0; m < METHODS; m++) {
            ck_assert_int_eq(call_exp(bits, ctx, (so_method)m, n, batch, NULL, NULL), SO_OK);
            ck_assert_int_eq(call_exp_vjp(bits, ctx, (so_method)m, n, batch, NULL, NULL, NULL, NULL), SO_OK);
            ck_assert_int_eq(call_exp_jvp(bits, ctx, (so_method)m, n, batch, NULL, NULL, NULL, NULL), SO_OK);
        }
        ck_assert_int_eq(call_cayley(bits, ctx, n, batch, NULL, NULL), SO_OK);
        ck_assert_int_eq(call_pack(bits, ctx, n, batch, NULL, NULL), SO_OK);
        ck_assert_int_eq(call_unpack(bits, ctx, n, batch, NULL, NULL), SO_OK);
        ck_assert_int_eq(call_project(bits, ctx, n, batch, NULL), SO_OK);
    }
    ck_assert_int_eq(call_orthogonality(bits, ctx, 3, 0, NULL, NULL), SO_OK);
    so_encoding e = {SO_AUTO, 2, 4, 0, 3};
    ck_assert_int_eq(call_encode(bits, ctx, &e, NULL, NULL, NULL), SO_OK);
    so_rotation r = {2, 0, 3, 4, 2, 0, 8};
    ck_assert_int_eq(call_rotate(bits, ctx, &r, 0, NULL, NULL, NULL), SO_OK);
}
END_TEST

START_TEST(encodings)
{
    int bits = types[_i];
    double in[16] = {0}, out[16];
    for (int i = 0; i < 16; i++)
        out[i] = 7;
    const so_encoding good = {SO_AUTO, 2, 2, 1, 2};
    so_encoding e = good;
    refused(bits == F64 ? so_encode_f64(ctx, NULL, in, in, out) : so_encode_f32(ctx, NULL, NULL, NULL, NULL), SO_ENULL,
            "encoding", out, 16);
    refused(call_encode(bits, ctx, &e, NULL, in, out), SO_ENULL, "position", out, 8);
    refused(call_encode(bits, ctx, &e, in, NULL, out), SO_ENULL, "generator", out, 8);
    refused(call_encode(bits, ctx, &e, in, in, NULL), SO_ENULL, "R", out, 0);
    refused(call_encode_vjp(bits, ctx, &e, in, in, NULL, in, out, out + 8), SO_ENULL, "R", out, 8);
    refused(call_encode_vjp(bits, ctx, &e, in, in, in, NULL, out, out + 8), SO_ENULL, "dR", out, 8);
    refused(call_encode_vjp(bits, ctx, &e, in, in, in, in, NULL, out + 8), SO_ENULL, "dgenerator", out + 8, 4);
    double d = 0;
    float f = 0;
#define ENCODE() (bits == F64 ? so_encode_f64(ctx, &e, &d, &d, &d) : so_encode_f32(ctx, &e, &f, &f, &f))
    e = good, e.method = (so_method)9;
    ck_assert_int_eq(ENCODE(), SO_EMETHOD);
    e = good, e.dims = 0;
    ck_assert_int_eq(ENCODE(), SO_ESIZE);
    e = good, e.dims = 65;
    ck_assert_int_eq(ENCODE(), SO_ESIZE);
    e = good, e.tile = 0;
    ck_assert_int_eq(ENCODE(), SO_ESIZE);
    e = good, e.groups = -1;
    ck_assert_int_eq(ENCODE(), SO_ESIZE);
    e = good, e.tokens = -1;
    ck_assert_int_eq(ENCODE(), SO_ESIZE);
    e = good, e.tokens = INT64_MAX / 3;
    ck_assert_int_eq(ENCODE(), SO_ESIZE);
    e = good, e.groups = INT64_MAX / 8, e.tokens = 0;
    ck_assert_int_eq(ENCODE(), SO_ESIZE);
    e = good, e.dims = 64, e.tile = 1, e.tokens = INT64_MAX / 128; /* the positions alone are too many */
    ck_assert_int_eq(ENCODE(), SO_ESIZE);
#undef ENCODE
    e = good, e.dims = 0; /* the gradient checks the same */
    refused(call_encode_vjp(bits, ctx, &e, in, in, in, in, out, NULL), SO_ESIZE, "encoding->dims", out, 0);
}
END_TEST

START_TEST(rotations)
{
    int bits = types[_i];
    double d = 7;
    float f = 7;
    const so_rotation good = {2, 1, 1, 2, 1, 4, 4};
    so_rotation r;
#define ROTATE() (bits == F64 ? so_rotate_f64(ctx, &r, &d, &d, &d) : so_rotate_f32(ctx, &r, &f, &f, &f))
    r = good, r.tile = 0;
    ck_assert_int_eq(ROTATE(), SO_ESIZE);
    r = good, r.samples = -1;
    ck_assert_int_eq(ROTATE(), SO_ESIZE);
    r = good, r.tokens = -1;
    ck_assert_int_eq(ROTATE(), SO_ESIZE);
    r = good, r.groups = -1;
    ck_assert_int_eq(ROTATE(), SO_ESIZE);
    r = good, r.groups = 3, r.rotations = 2, r.token_stride = 6;
    ck_assert_int_eq(ROTATE(), SO_ESIZE);
    r = good, r.rotations = 0;
    ck_assert_int_eq(ROTATE(), SO_ESIZE);
    r = good, r.token_stride = 3;
    ck_assert_int_eq(ROTATE(), SO_ESIZE);
    r = good, r.sample_stride = -1;
    ck_assert_int_eq(ROTATE(), SO_ESIZE);
    r = good, r.sample_stride = INT64_MAX / 2, r.samples = 4;
    ck_assert_int_eq(ROTATE(), SO_ESIZE);
#undef ROTATE
    r = good;
    ck_assert_int_eq(so_rotate_f64(ctx, NULL, &d, &d, &d), SO_ENULL);
    ck_assert_int_eq(so_rotate_f64(ctx, &r, NULL, &d, &d), SO_ENULL);
    ck_assert_int_eq(so_rotate_f64(ctx, &r, &d, NULL, &d), SO_ENULL);
    ck_assert_int_eq(so_rotate_f64(ctx, &r, &d, &d, NULL), SO_ENULL);
    so_bf16 h = 7;
    ck_assert_int_eq(so_rotate_bf16(NULL, &r, &f, &h, &h), SO_ENULL);
    ck_assert_int_eq(so_rotate_bf16(ctx, NULL, &f, &h, &h), SO_ENULL);
    ck_assert_int_eq(so_rotate_bf16(ctx, &r, NULL, &h, &h), SO_ENULL);
    ck_assert_int_eq(so_rotate_bf16(ctx, &r, &f, NULL, &h), SO_ENULL);
    ck_assert_int_eq(so_rotate_bf16(ctx, &r, &f, &h, NULL), SO_ENULL);
    ck_assert_str_eq(so_ctx_argument(ctx), "y");
    ck_assert_int_eq(so_rotate_vjp_bf16(ctx, &r, &f, NULL, &h, &h, &f), SO_ENULL);
    ck_assert_str_eq(so_ctx_argument(ctx), "x");
    ck_assert_int_eq(so_rotate_vjp_bf16(ctx, &r, &f, NULL, NULL, &h, NULL), SO_ENULL);
    ck_assert_str_eq(so_ctx_argument(ctx), "dy");
    ck_assert_int_eq(so_rotate_vjp_bf16(ctx, &r, &f, NULL, &h, NULL, NULL), SO_ENULL);
    r.tile = 0; /* the gradient checks the same */
    ck_assert_int_eq(so_rotate_vjp_f64(ctx, &r, &d, &d, &d, &d, &d), SO_ESIZE);
    ck_assert_int_eq(so_rotate_vjp_bf16(ctx, &r, &f, &h, &h, &h, &f), SO_ESIZE);
    ck_assert_int_eq(so_rotate_bf16(ctx, &r, &f, &h, &h), SO_ESIZE);
    r.tile = 1, r.samples = 0;
    ck_assert_int_eq(so_rotate_bf16(ctx, &r, NULL, NULL, NULL), SO_OK);
    ck_assert(h == 7 && f == 7);
    ck_assert(d == 7);
}
END_TEST

/* A call of each kind for n and batch; returns its status. */
static so_status call_kind(int kind, int bits, so_method m, int n, int64_t batch, const double *in, double *out)
{
    size_t size = (size_t)batch * (size_t)(n * n);
    switch (kind) {
    case 0:
        return call_exp(bits, ctx, m, n, batch, in, out);
    case 1:
        return call_exp_vjp(bits, ctx, m, n, batch, in, in, in, out);
    case 2:
        return call_exp_jvp(bits, ctx, m, n, batch, in, in, out, out + size);
    case 3:
        return call_orthogonality(bits, ctx, n, batch, in, out);
    default:
        return call_project(bits, ctx, n, batch, out);
    }
}

/* With exactly the bytes that own memory grew to, every call works and gives the same bits; with fewer it refuses and writes
 * nothing; own memory comes back with NULL. */
START_TEST(workspace)
{
    int bits = types[_i];
    static const int orders[] = {2, 5, 16, 33, 64};
    for (size_t o = 0; o < sizeof orders / sizeof *orders; o++)
        for (int kind = 0; kind < 5; kind++)
            for (int m = 0; m < (kind < 3 ? METHODS : 1); m++) {
                int n = orders[o];
                int64_t batch = 3;
                size_t size = 3 * (size_t)(n * n);
                double *in = malloc(size * sizeof *in), *first = malloc(2 * size * sizeof *first),
                       *second = malloc(2 * size * sizeof *second);
                random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 2000, (uint64_t)n);
                for (size_t i = 0; i < size; i++)
                    in[i] = call_round(bits, normal53(&r));
                for (size_t i = 0; i < 2 * size; i++)
                    first[i] = second[i] = i < size && kind == 4 ? in[i] : 7;
                setup();
                ck_assert_int_eq(call_kind(kind, bits, (so_method)m, n, batch, in, first), SO_OK);
                size_t bytes = so_workspace_bytes(ctx);
                ck_assert_int_eq(so_ctx_set_workspace(ctx, NULL, 64), SO_ENULL);
                if (bytes > 0) {
                    char *memory = aligned_alloc(64, (bytes + 127) / 64 * 64);
                    ck_assert_int_eq(so_ctx_set_workspace(ctx, memory + 8, bytes), SO_ESIZE);
                    ck_assert_int_eq(so_ctx_set_workspace(ctx, memory, bytes - 1), SO_OK);
                    so_status status = call_kind(kind, bits, (so_method)m, n, batch, in, second);
                    ck_assert_msg(status == SO_EWORKSPACE, "kind %d n %d %s: %zu of %zu bytes: status %d", kind, n,
                                  call_method((so_method)m), bytes - 1, bytes, (int)status);
                    for (size_t i = 0; i < 2 * size; i++)
                        ck_assert(second[i] == (i < size && kind == 4 ? in[i] : 7));
                    ck_assert_int_eq(so_ctx_set_workspace(ctx, memory, bytes), SO_OK);
                    ck_assert_uint_eq(so_workspace_bytes(ctx), bytes);
                    ck_assert_int_eq(call_kind(kind, bits, (so_method)m, n, batch, in, second), SO_OK);
                    ck_assert_mem_eq(first, second, 2 * size * sizeof *first);
                    ck_assert_int_eq(so_ctx_set_workspace(ctx, NULL, 0), SO_OK);
                    free(memory);
                }
                for (size_t i = 0; i < size && kind == 4; i++)
                    second[i] = in[i];
                ck_assert_int_eq(call_kind(kind, bits, (so_method)m, n, batch, in, second), SO_OK);
                ck_assert_mem_eq(first, second, 2 * size * sizeof *first);
                teardown();
                free(in), free(first), free(second);
            }
}
END_TEST

/* Memory that a function holds is not given out again; what does not fit beside it fits after so_ctx_let_go said so. */
START_TEST(held)
{
    void *own, *inner, *again;
    setup();
    ck_assert_int_eq(so_ctx_hold(ctx, 3, 50, &own), SO_OK);
    ck_assert_uint_ge(so_workspace_bytes(ctx), 192);
    ck_assert_int_eq(so_ctx_reserve(ctx, 1, 100, &inner), SO_ENOMEM);
    ck_assert_int_eq(so_ctx_let_go(ctx), 1);
    ck_assert_int_eq(so_ctx_hold(ctx, 3, 50, &own), SO_OK);
    memset(own, 1, 150);
    ck_assert_int_eq(so_ctx_reserve(ctx, 1, 100, &inner), SO_OK);
    memset(inner, 2, 100);
    ck_assert_int_eq(so_ctx_reserve(ctx, 1, 40, &again), SO_OK);
    ck_assert_ptr_eq(inner, again);
    for (int i = 0; i < 150; i++)
        ck_assert_int_eq(((char *)own)[i], 1);
    ck_assert_int_eq(so_ctx_let_go(ctx), 0);
    ck_assert_uint_eq(so_workspace_bytes(ctx), 292);
    ck_assert_int_eq(so_ctx_reserve(ctx, 1, 292, &again), SO_OK);
    ck_assert_ptr_eq(own, again);

    ck_assert_int_eq(so_ctx_hold(ctx, 1, 64, &own), SO_OK); /* what can never fit */
    ck_assert_int_eq(so_ctx_reserve(ctx, 1, PTRDIFF_MAX, &inner), SO_ENOMEM);
    ck_assert_int_eq(so_ctx_let_go(ctx), 0);
    ck_assert_int_eq(so_ctx_hold(ctx, PTRDIFF_MAX, 2, &own), SO_ENOMEM);
    ck_assert_int_eq(so_ctx_let_go(ctx), 0);

    void *deeper; /* held by a function that was called so: room for all is made by the first */
    for (int again_from_the_first = 0; again_from_the_first < 2; again_from_the_first++) {
        so_status status = so_ctx_hold(ctx, 1, 640, &own);
        ck_assert_int_eq(status, SO_OK);
        status = so_ctx_hold(ctx, 1, 60, &inner);
        if (status == SO_OK)
            status = so_ctx_reserve(ctx, 1, 5000, &deeper);
        ck_assert_int_eq(status, again_from_the_first ? SO_OK : SO_ENOMEM);
        ck_assert_int_eq(so_ctx_let_go(ctx), 0);
        if (status == SO_OK) {
            ck_assert_ptr_eq(inner, (char *)own + 640);
            ck_assert_ptr_eq(deeper, (char *)inner + 64);
            ck_assert_int_eq(so_ctx_reserve(ctx, 1, 1, &again), SO_OK);
            ck_assert_ptr_eq(again, inner);
        } else {
            ck_assert_int_eq(so_ctx_let_go(ctx), 1);
            ck_assert_int_eq(so_ctx_hold(ctx, 1, 640 + 64 + 5000, &own), SO_OK);
        }
        ck_assert_int_eq(so_ctx_let_go(ctx), 0);
    }

    char *memory = aligned_alloc(64, 128);
    ck_assert_int_eq(so_ctx_set_workspace(ctx, memory, 128), SO_OK);
    ck_assert_int_eq(so_ctx_hold(ctx, 1, 64, &own), SO_OK);
    ck_assert_int_eq(so_ctx_reserve(ctx, 1, 65, &inner), SO_EWORKSPACE);
    ck_assert_int_eq(so_ctx_let_go(ctx), 0);
    teardown();
    free(memory);
}
END_TEST

Suite *check_api(void)
{
    Suite *suite = suite_create("api");
    TCase *tests = tcase_create("arguments");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, statuses);
    tcase_add_test(tests, contexts);
    tcase_add_test(tests, instruction_sets);
    tcase_add_loop_test(tests, null_pointers, 0, 2);
    tcase_add_loop_test(tests, sizes_and_methods, 0, 2);
    tcase_add_loop_test(tests, empty, 0, 2);
    tcase_add_loop_test(tests, encodings, 0, 2);
    tcase_add_loop_test(tests, rotations, 0, 2);
    suite_add_tcase(suite, tests);
    TCase *memory = tcase_create("workspace");
    tcase_set_timeout(memory, 120);
    tcase_add_loop_test(memory, workspace, 0, 2);
    tcase_add_test(memory, held);
    suite_add_tcase(suite, memory);
    return suite;
}
