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

/* A call whose solver needs more of the host's memory takes none from those that are still queued. */
START_TEST(growing_memory_of_the_solver)
{
    enum { SMALL = 33, LARGE = 40 };
    double A[LARGE * LARGE], R[2][SMALL * SMALL];
    const size_t bytes = sizeof *R;
    for (int i = 0; i < LARGE * LARGE; i++)
        A[i] = sin(i + 1);
    for (int queued = 0; queued < 2; queued++) {
        so_ctx *ctx = cuda_context();
        double *A_there = cuda_array(A, sizeof A), *small = cuda_array(NULL, bytes), *large = cuda_array(NULL, sizeof A);
        cuda_on_cpu_defer(queued);
        ck_assert_int_eq(so_exp_f64(ctx, SO_EIGEN, SMALL, 1, A_there, small), SO_OK);
        ck_assert_int_eq(so_exp_f64(ctx, SO_EIGEN, LARGE, 1, A_there, large), SO_OK);
        ck_assert_int_eq(cuda_finish(ctx, SO_OK), SO_OK);
        cuda_on_cpu_defer(0);
        cuda_read(R[queued], small, bytes);
        cuda_free(A_there), cuda_free(small), cuda_free(large), so_ctx_destroy(ctx);
    }
    ck_assert_mem_eq(R[0], R[1], bytes);
}
END_TEST

Suite *check_cuda_asynchronous(void)
{
    Suite *suite = suite_create("cuda_asynchronous");
    TCase *tests = tcase_create("host");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, encodings);
    tcase_add_test(tests, growing_memory_of_the_solver);
    suite_add_tcase(suite, tests);
    return suite;
}
