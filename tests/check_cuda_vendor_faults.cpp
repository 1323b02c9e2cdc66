/* check_cuda_vendor_faults.cpp: what goes wrong below SO_EIGEN and SO_PADE of the CUDA backend.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "cuda_on_cpu/cuda_on_cpu.h"
#include "cuda_runtime.h"
#include "failure.h"
#include "libso/so_cuda.h"
#include <check.h>
#include <math.h>
#include <string.h>
#include <vector>

extern "C" Suite *check_cuda_vendor_faults(void);

namespace {

constexpr so_method methods[] = {SO_EIGEN, SO_PADE};
enum { METHODS = 2, N = 4, COUNT = 3, ELEMENTS = N * N * COUNT, BYTES = ELEMENTS * sizeof(double) };

/* Matrices on the device; what is computed of them. */
struct batch {
    double *A, *dR, *R, *dA;

    batch()
    {
        double x[ELEMENTS];
        for (int e = 0; e < ELEMENTS; e++)
            x[e] = sin(e + 1);
        A = (double *)cuda_array(x, BYTES);
        dR = (double *)cuda_array(x, BYTES);
        R = (double *)cuda_array(x, BYTES); /* so that a gradient can be the first call */
        dA = (double *)cuda_array(nullptr, BYTES);
    }
    ~batch()
    {
        cuda_free(A), cuda_free(dR), cuda_free(R), cuda_free(dA);
    }
    batch(const batch &) = delete;

    so_status map(so_ctx *ctx, so_method m) const
    {
        return so_exp_f64(ctx, m, N, COUNT, A, R);
    }
    so_status vjp(so_ctx *ctx, so_method m) const
    {
        return so_exp_vjp_f64(ctx, m, N, COUNT, A, R, dR, dA);
    }
};

std::vector<double> read(const double *array)
{
    std::vector<double> here(ELEMENTS);
    cuda_read(here.data(), array, BYTES);
    return here;
}

START_TEST(library_is_missing)
{
    const so_method m = methods[_i];
    batch x;
    for (int which = 1; which <= (m == SO_EIGEN ? 2 : 1); which++) {
        so_ctx *ctx = cuda_context();
        failure_set(FAILURE_LIBRARY, which);
        ck_assert_int_eq(x.map(ctx, m), SO_EMETHOD);
        ck_assert_str_eq(so_ctx_argument(ctx), "method");
        ck_assert_ptr_nonnull(strstr(so_status_string(SO_EMETHOD), "not installed"));
        ck_assert_int_eq(cuda_finish(ctx, x.map(ctx, m)), SO_OK); /* it is there again */
        so_ctx_destroy(ctx);
    }
}
END_TEST

/* One matrix, whichever comes first, fails: it is NaN, and the others are as ever. */
START_TEST(solver_fails)
{
    const so_method m = methods[_i];
    so_ctx *ctx = cuda_context();
    batch x;
    ck_assert_int_eq(cuda_finish(ctx, x.map(ctx, m)), SO_OK);
    ck_assert_int_eq(cuda_finish(ctx, x.vjp(ctx, m)), SO_OK);
    std::vector<double> R = read(x.R), dA = read(x.dA);
    for (int derivative = 0; derivative < 2; derivative++) {
        failure_set(FAILURE_SOLVER, 2);
        ck_assert_int_eq(cuda_finish(ctx, derivative ? x.vjp(ctx, m) : x.map(ctx, m)), SO_ESINGULAR);
        ck_assert(failure_happened(FAILURE_SOLVER));
        const std::vector<double> &good = derivative ? dA : R, now = read(derivative ? x.dA : x.R);
        int failed = 0;
        for (int b = 0; b < COUNT; b++) {
            const bool nan = isnan(now[b * N * N]);
            failed += nan;
            for (int e = b * N * N; e < (b + 1) * N * N; e++)
                ck_assert(nan ? (bool)isnan(now[e]) : now[e] == good[e]);
        }
        ck_assert_int_eq(failed, 1);
        ck_assert_int_eq(cuda_finish(ctx, x.map(ctx, m)), SO_OK);
    }
    so_ctx_destroy(ctx);
}
END_TEST

/* Whatever call of CUDA fails, the call says so, and the context goes on. */
START_TEST(device_fails)
{
    const so_method m = methods[_i];
    const failure kinds[] = {FAILURE_CUDA_CALL, FAILURE_CUDA_ALLOCATION, FAILURE_CUDA_LAUNCH};
    const size_t before = cuda_on_cpu_bytes();
    for (failure kind : kinds) {
        int failures = 0;
        for (int k = 1, happened = 1; happened; k += 1 + k / 8) { /* all of the first, a share of the many launches */
            so_ctx *ctx = cuda_context();
            {
                batch x;
                failure_set(kind, k);
                const so_status status = x.vjp(ctx, m);
                happened = failure_happened(kind);
                failure_set(kind, 0);
                failures += happened;
                ck_assert_msg(happened ? status == SO_EDEVICE || status == SO_ENOMEM : status == SO_OK, "call %d: %s", k,
                              so_status_string(status));
                ck_assert_int_eq(cudaGetLastError(), cudaSuccess); /* nothing is left for others who share the runtime */
                ck_assert_int_eq(cuda_finish(ctx, x.map(ctx, m)), SO_OK);
            }
            so_ctx_destroy(ctx);
        }
        ck_assert_int_gt(failures, 0);
    }
    ck_assert_uint_eq(cuda_on_cpu_bytes(), before);
}
END_TEST

} // namespace

Suite *check_cuda_vendor_faults(void)
{
    Suite *s = suite_create("cuda_vendor_faults");
    TCase *t = tcase_create("faults");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, library_is_missing, 0, METHODS);
    tcase_add_loop_test(t, solver_fails, 0, METHODS);
    tcase_add_loop_test(t, device_fails, 0, METHODS);
    suite_add_tcase(s, t);
    return s;
}
