/* check_cuda_pack.c: so_pack and so_unpack on a CUDA device: the bits of the CPU, for orders on both sides of every tile and
 * batches on both sides of every block.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "oracle_call.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int types[] = {F64, F32};
static const struct {
    int n, batch;
} sizes[] = {{1, 3},  {2, 1},  {2, 1025}, {3, 400}, {5, 170}, {16, 19}, {31, 5},
             {32, 4}, {33, 5}, {64, 3},   {65, 2},  {96, 2},  {129, 1}};

static void compare(int bits, so_ctx *cuda, so_ctx *cpu, int n, int batch)
{
    size_t size = (size_t)(batch * n * n), packed = (size_t)(batch * (n * (n - 1) / 2));
    double *A = malloc(size * sizeof *A), *B = malloc(size * sizeof *B);
    double *p = calloc(packed + 1, sizeof *p), *q = calloc(packed + 1, sizeof *q);
    for (size_t i = 0; i < size; i++)
        A[i] = i % (size_t)(n * n) / (size_t)n < i % (size_t)n ? (double)(i % 7 ? i : 0) : NAN;
    ck_assert_int_eq(call_pack(bits, cpu, n, batch, A, p), SO_OK);
    ck_assert_int_eq(call_pack(bits, cuda, n, batch, A, q), SO_OK);
    ck_assert_msg(memcmp(p, q, packed * sizeof *p) == 0, "%s n %d batch %d: pack", call_type(bits), n, batch);
    ck_assert_int_eq(call_unpack(bits, cpu, n, batch, p, A), SO_OK);
    memset(B, 0xff, size * sizeof *B);
    ck_assert_int_eq(call_unpack(bits, cuda, n, batch, p, B), SO_OK);
    ck_assert_msg(memcmp(A, B, size * sizeof *A) == 0, "%s n %d batch %d: unpack", call_type(bits), n, batch);
    free(A), free(B), free(p), free(q);
}

START_TEST(copies)
{
    int bits = types[_i];
    so_ctx *cuda = cuda_context(), *cpu;
    ck_assert_int_eq(so_ctx_create_cpu(&cpu, 1), SO_OK);
    for (int order = 2; order >= 0; order--) {
        cuda_order(order);
        call_unaligned(order == 1);
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            compare(bits, cuda, cpu, sizes[k].n, sizes[k].batch);
    }
    so_ctx_destroy(cuda), so_ctx_destroy(cpu);
}
END_TEST

Suite *check_cuda_pack(void)
{
    Suite *suite = suite_create("cuda_pack");
    TCase *tests = tcase_create("entries");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, copies, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
