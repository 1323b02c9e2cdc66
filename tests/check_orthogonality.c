/* check_orthogonality.c: so_orthogonality against exact arithmetic; so_project against LAPACK's singular value decomposition.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "oracle_campaign.h"
#include <check.h>
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int types[] = {F64, F32};
static const int orders[] = {1, 2, 3, 4, 5, 8, 16, 17, 33, 64, 128};
enum { ORDERS = sizeof orders / sizeof *orders };

/* A rotation of order n (the exponential of a random skew matrix) plus normal noise of this size. */
static void near_rotation(int bits, int n, double noise, random_sequence *r, double *M)
{
    double *A = malloc((size_t)(n * n) * sizeof *A);
    oracle_pair R = oracle_new(n);
    make_skew(F64, n, SPREAD, 3, r, A);
    oracle_exp(n, A, NULL, &R, NULL);
    for (int i = 0; i < n * n; i++)
        M[i] = call_round(bits, R.hi[i] + noise * normal53(r));
    oracle_free(&R), free(A);
}

START_TEST(defect)
{
    static const double noises[] = {0, 1e-12, 1e-7, 1e-3, 1, 1e6};
    int bits = types[_i];
    double u = call_u(bits), worst_ratio = 0;
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 2), SO_OK);
    for (int o = 0; o < ORDERS; o++) {
        int n = orders[o];
        size_t size = (size_t)(n * n);
        double *M = malloc(6 * size * sizeof *M), got[6];
        random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 4000, (uint64_t)n);
        for (size_t k = 0; k < 6; k++)
            near_rotation(bits, n, noises[k], &r, M + k * size);
        ck_assert_int_eq(call_orthogonality(bits, ctx, n, 6, M, got), SO_OK);
        for (size_t k = 0; k < 6; k++) {
            double exact = oracle_orthogonality(n, M + k * size), bound = 4 * u * sqrt(n) * (1 + exact) + u * exact;
            worst_ratio = fmax(worst_ratio, fabs(got[k] - exact) / bound);
            ck_assert_msg(fabs(got[k] - exact) <= bound, "%s n %d noise %g: %.17g, exactly %.17g, allowed %g", call_type(bits), n,
                          noises[k], got[k], exact, bound);
        }
        M[2 * size] = NAN;
        double before[6];
        memcpy(before, got, sizeof got);
        ck_assert_int_eq(call_orthogonality(bits, ctx, n, 6, M, got), SO_ENONFINITE);
        for (int k = 0; k < 6; k++)
            ck_assert(k == 2 ? isnan(got[k]) : got[k] == before[k]);
        for (size_t i = 0; i < size; i++) /* columns of numbers whose products overflow, with both signs */
            M[2 * size + i] = call_round(bits, (i * i % 7 < 3 ? -1 : 1) * (bits == F64 ? 1e200 : 1e30));
        ck_assert_int_eq(call_orthogonality(bits, ctx, n, 6, M, got), SO_OK);
        for (int k = 0; k < 6; k++)
            ck_assert(k == 2 ? got[k] == INFINITY : got[k] == before[k]);
        free(M);
    }
    printf("check_orthogonality %s defect, worst error/bound: %.2f\n", call_type(bits), worst_ratio);
    so_ctx_destroy(ctx);
}
END_TEST

/* The nearest rotation U diag(1, .., 1, det) V^T and the singular values. */
static void reference(int n, const double *M, double *nearest, double *sigma, double *sign)
{
    size_t size = (size_t)(n * n);
    double *X = malloc(size * sizeof *X), *U = malloc(size * sizeof *U), *Vt = malloc(size * sizeof *Vt);
    int *pivot = malloc((size_t)n * sizeof *pivot);
    memcpy(X, M, size * sizeof *X);
    ck_assert_int_eq(LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'A', n, n, X, n, sigma, U, n, Vt, n), 0);
    *sign = 1;
    for (int side = 0; side < 2; side++) { /* det U det V by LU */
        memcpy(X, side ? Vt : U, size * sizeof *X);
        LAPACKE_dgetrf(LAPACK_ROW_MAJOR, n, n, X, n, pivot);
        for (int i = 0; i < n; i++)
            *sign *= (X[i * n + i] < 0 ? -1 : 1) * (pivot[i] != i + 1 ? -1 : 1);
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int k = 0; k < n; k++)
                sum += U[i * n + k] * Vt[k * n + j] * (k == n - 1 ? *sign : 1);
            nearest[i * n + j] = sum;
        }
    free(X), free(U), free(Vt), free(pivot);
}

/* LAPACK's backward error p(n) u sigma_1 (p(n) = 10 n covers its documented modest growth) over the gap sigma_n-1 +- sigma_n that
 * governs the rotation's sensitivity (Higham, Functions of Matrices, 8.2), on both sides. */
START_TEST(nearest_rotation)
{
    static const double noises[] = {0, 1e-6, 0.1, 1};
    int bits = types[_i];
    double u = call_u(bits), worst_ratio = 0;
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 2), SO_OK);
    for (int o = 0; o < ORDERS; o++)
        for (size_t k = 0; k < 8; k++) {
            int n = orders[o];
            size_t size = (size_t)(n * n);
            double *M = malloc(size * sizeof *M), *P = malloc(size * sizeof *P), *N = malloc(size * sizeof *N), sign;
            double *sigma = malloc((size_t)n * sizeof *sigma);
            random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 4100, (uint64_t)n * 100 + k);
            near_rotation(bits, n, noises[k % 4], &r, M);
            for (int i = 0; i < n && k >= 4; i++) /* a reflection, and no two equal singular values */
                M[i] *= -0.5;
            memcpy(P, M, size * sizeof *M);
            ck_assert_int_eq(call_project(bits, ctx, n, 1, P), SO_OK);
            reference(n, M, N, sigma, &sign);
            double gap = n > 1 ? sigma[n - 2] + sign * sigma[n - 1] : 1, error = 0;
            double bound = 2 * 10 * n * u * fmax(1, sigma[0] / gap);
            for (size_t i = 0; i < size; i++)
                error = hypot(error, P[i] - N[i]);
            worst_ratio = fmax(worst_ratio, error / bound);
            ck_assert_msg(error <= bound, "%s n %d case %zu: ||P - nearest|| = %g > %g", call_type(bits), n, k, error, bound);
            ck_assert_double_le(oracle_orthogonality(n, P), 10 * n * u);
            free(M), free(P), free(N), free(sigma);
        }
    printf("check_orthogonality %s project, worst error/bound: %.2f\n", call_type(bits), worst_ratio);
    so_ctx_destroy(ctx);
}
END_TEST

/* Where the nearest rotation is not unique: NaN there, and the neighbours as if alone. */
START_TEST(not_unique)
{
    int bits = types[_i];
    so_ctx *ctx;
    ck_assert_int_eq(test_context(&ctx, 2), SO_OK);
    for (int n = 2; n <= 17; n += 3) {
        size_t size = (size_t)(n * n);
        double *M = calloc(5 * size, sizeof *M), *alone = malloc(size * sizeof *alone);
        random_sequence r = random_start(test_seed(), RANDOM_ANALYSIS, 4200, (uint64_t)n);
        near_rotation(bits, n, 0.1, &r, M), near_rotation(bits, n, 0.1, &r, M + 4 * size);
        for (int i = 0; i < n; i++) {
            size_t place = (size_t)(i * n + i);
            M[size + place] = i < n - 2 ? 1 : 0;         /* rank n - 2 */
            M[2 * size + place] = i == n - 1 ? -1 : 1;   /* det < 0, the two smallest singular values equal */
            M[3 * size + place] = i == n - 1 ? 0 : 1;    /* rank n - 1: the identity is nearest */
        }
        memcpy(alone, M + 4 * size, size * sizeof *M);
        ck_assert_int_eq(call_project(bits, ctx, n, 1, alone), SO_OK);
        ck_assert_int_eq(call_project(bits, ctx, n, 5, M), SO_ESINGULAR);
        for (size_t i = 0; i < size; i++) {
            ck_assert_msg(isnan(M[size + i]) && isnan(M[2 * size + i]), "%s n %d: %g %g", call_type(bits), n, M[size + i],
                          M[2 * size + i]);
            ck_assert_double_le(fabs(M[3 * size + i] - (i % (size_t)(n + 1) == 0)), 10 * n * call_u(bits));
        }
        ck_assert_mem_eq(alone, M + 4 * size, size * sizeof *M);
        M[0] = INFINITY, memcpy(M + size, alone, size * sizeof *M);
        ck_assert_int_eq(call_project(bits, ctx, n, 2, M), SO_ENONFINITE);
        for (size_t i = 0; i < size; i++)
            ck_assert(isnan(M[i]) && !isnan(M[size + i]));
        free(M), free(alone);
    }
    double one[2] = {-3, 0};
    ck_assert_int_eq(call_project(bits, ctx, 1, 2, one), SO_OK); /* SO(1) = {1} */
    ck_assert(one[0] == 1 && one[1] == 1);
    so_ctx_destroy(ctx);
}
END_TEST

Suite *check_orthogonality(void)
{
    Suite *suite = suite_create("orthogonality");
    TCase *tests = tcase_create("defect and projection");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, defect, 0, 2);
    tcase_add_loop_test(tests, nearest_rotation, 0, 2);
    tcase_add_loop_test(tests, not_unique, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
