/* check_cuda_asynchronous.c: calls in a CUDA context return before their work is done: after a warm-up the host allocates nothing and
 * does not wait, and results are there when it does.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "cuda_on_cpu/cuda_on_cpu.h"
#include "oracle_call.h"
#include "oracle_encode.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

START_TEST(encodings)
{
    static const so_method methods[] = {SO_AUTO, SO_CAYLEY, SO_EIGEN};
    so_ctx *ctx = cuda_context();
    for (int m = 0; m < 3; m++)
        for (int tile = 3; tile <= 6; tile += 3) {
            problem p = new_problem(F64, methods[m], 2, tile, 2, 9, 7500);
            size_t real = sizeof(double), R_bytes = p.groups * p.tokens * p.square * real;
            size_t generator_bytes = p.groups * p.dims * p.square * real, position_bytes = p.tokens * p.dims * real;
            ck_assert_int_eq(call_encode(F64, ctx, &p.e, p.position, p.generator, p.R), SO_OK);
            ck_assert_int_eq(call_encode_vjp(F64, ctx, &p.e, p.position, p.generator, p.R, p.dR, p.dgenerator, p.dposition), SO_OK);
            double *position = cuda_array(p.position, position_bytes), *generator = cuda_array(p.generator, generator_bytes);
            double *R = cuda_array(NULL, R_bytes), *dR = cuda_array(p.dR, R_bytes), first;
            double *dgenerator = cuda_array(NULL, generator_bytes), *dposition = cuda_array(NULL, position_bytes);
            double *dgenerator_here = reals(p.groups * p.dims * p.square);
            int64_t allocations = cuda_on_cpu_allocations();
            cuda_on_cpu_defer(1);
            ck_assert_int_eq(so_encode_f64(ctx, &p.e, position, generator, R), SO_OK);
            ck_assert_int_eq(so_encode_vjp_f64(ctx, &p.e, position, generator, R, dR, dgenerator, dposition), SO_OK);
            memcpy(&first, R, real); /* on the shim the device's memory is the host's */
            ck_assert(isnan(first));
            ck_assert_int_eq(cuda_on_cpu_allocations(), allocations);
            ck_assert_int_eq(cuda_finish(ctx, SO_OK), SO_OK);
            cuda_on_cpu_defer(0);
            cuda_read(dgenerator_here, dgenerator, generator_bytes);
            ck_assert_mem_eq(dgenerator_here, p.dgenerator, generator_bytes);
            cuda_free(position), cuda_free(generator), cuda_free(R), cuda_free(dR), cuda_free(dgenerator), cuda_free(dposition);
            free(dgenerator_here);
            free_problem(&p);
        }
    so_ctx_destroy(ctx);
}
END_TEST

Suite *check_cuda_asynchronous(void)
{
    Suite *suite = suite_create("cuda_asynchronous");
    TCase *tests = tcase_create("host");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, encodings);
    suite_add_tcase(suite, tests);
    return suite;
}
