/* check_cuda_exp.cpp: the exponential on a CUDA device beyond what the suites of the CPU hold it to: every size of team and both
 * sides of where they change, blocks on wide matrices, devices with less shared memory, arrays that no vector load fits. Of many
 * orders those that SO_TEST_N names.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "kernels/so/device.cuh"
#include <algorithm>
#include <check.h>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <vector>

extern "C" {
#include "libso/so_cuda.h"
#include "oracle_campaign.h"
}

namespace {

template <class real> struct type_of;
template <> struct type_of<float> {
    static constexpr int bits = F32;
};
template <> struct type_of<double> {
    static constexpr int bits = F64;
};

so_status exponential(so_ctx *c, int n, int64_t b, const float *A, float *R)
{
    return so_exp_f32(c, SO_POLYNOMIAL, n, b, A, R);
}
so_status exponential(so_ctx *c, int n, int64_t b, const double *A, double *R)
{
    return so_exp_f64(c, SO_POLYNOMIAL, n, b, A, R);
}
so_status vjp(so_ctx *c, int n, int64_t b, const float *A, const float *R, const float *dR, float *dA)
{
    return so_exp_vjp_f32(c, SO_POLYNOMIAL, n, b, A, R, dR, dA);
}
so_status vjp(so_ctx *c, int n, int64_t b, const double *A, const double *R, const double *dR, double *dA)
{
    return so_exp_vjp_f64(c, SO_POLYNOMIAL, n, b, A, R, dR, dA);
}
so_status jvp(so_ctx *c, int n, int64_t b, const float *A, const float *E, float *R, float *L)
{
    return so_exp_jvp_f32(c, SO_POLYNOMIAL, n, b, A, E, R, L);
}
so_status jvp(so_ctx *c, int n, int64_t b, const double *A, const double *E, double *R, double *L)
{
    return so_exp_jvp_f64(c, SO_POLYNOMIAL, n, b, A, E, R, L);
}

/* Matrices and what becomes of them. */
template <class real> struct maps {
    int n;
    size_t size, batch;
    std::vector<real> A, G, E, R, dA, RL, L;

    maps(int order, size_t count)
        : n(order), size((size_t)(order * order)), batch(count), A(batch * size), G(A), E(A), R(A), dA(A), RL(A), L(A)
    {
    }
};

/* An array on the device that begins `shift` numbers behind a boundary of 256 bytes. */
template <class real> struct device_copy {
    real *begin, *at;
    device_copy(const real *from, size_t count, size_t shift)
    {
        std::vector<real> padded(count + shift, (real)NAN);
        if (from)
            memcpy(padded.data() + shift, from, count * sizeof(real));
        begin = (real *)cuda_array(padded.data(), padded.size() * sizeof(real));
        at = begin + shift;
    }
    ~device_copy()
    {
        cuda_free(begin);
    }
    device_copy(const device_copy &) = delete;
};

/* All three maps of matrices first .. first + count - 1 of m. */
template <class real> so_status run(so_ctx *ctx, maps<real> &m, size_t first, size_t count, size_t shift = 0)
{
    const size_t at = first * m.size, length = count * m.size;
    const int64_t b = (int64_t)count;
    device_copy<real> A(&m.A[at], length, shift), G(&m.G[at], length, shift), E(&m.E[at], length, shift), R(NULL, length, shift),
        dA(NULL, length, shift), RL(NULL, length, shift), L(NULL, length, shift);
    so_status status = exponential(ctx, m.n, b, A.at, R.at);
    status = status == SO_OK ? vjp(ctx, m.n, b, A.at, R.at, G.at, dA.at) : status;
    status = status == SO_OK ? jvp(ctx, m.n, b, A.at, E.at, RL.at, L.at) : status;
    status = cuda_finish(ctx, status);
    cuda_read(&m.R[at], R.at, length * sizeof(real)), cuda_read(&m.dA[at], dA.at, length * sizeof(real));
    cuda_read(&m.RL[at], RL.at, length * sizeof(real)), cuda_read(&m.L[at], L.at, length * sizeof(real));
    return status;
}

/* Matrix b of the campaign's, at radii and of shapes that differ from one to the next, with normal G and E. */
template <class real> std::vector<sample> fill(maps<real> &m)
{
    std::vector<sample> samples;
    std::vector<double> x(m.size);
    for (size_t b = 0; b < m.batch; b++) {
        random_sequence r;
        auto take = [&](std::vector<real> &to) {
            for (size_t i = 0; i < m.size; i++)
                to[b * m.size + i] = (real)x[i];
        };
        samples.push_back(campaign_matrix(type_of<real>::bits, m.n, 7L * (long)b + 2, x.data(), &r));
        take(m.A);
        make_dense(type_of<real>::bits, m.n, 1, &r, x.data());
        take(m.G);
        make_dense(type_of<real>::bits, m.n, 1, &r, x.data());
        for (int i = 0; i < m.n; i++)
            for (int j = 0; j <= i; j++)
                x[(size_t)(i * m.n + j)] = i == j ? 0 : -x[(size_t)(j * m.n + i)];
        take(m.E);
    }
    return samples;
}

template <class real> void same(const maps<real> &x, const maps<real> &y, size_t first, size_t count, const char *what)
{
    const size_t at = first * x.size, bytes = count * x.size * sizeof(real);
    const char *type = call_type(type_of<real>::bits);
    ck_assert_msg(memcmp(&x.R[at], &y.R[at], bytes) == 0, "%s: R of %s n %d", what, type, x.n);
    ck_assert_msg(memcmp(&x.dA[at], &y.dA[at], bytes) == 0, "%s: dA of %s n %d", what, type, x.n);
    ck_assert_msg(memcmp(&x.RL[at], &y.RL[at], bytes) == 0, "%s: R (jvp) of %s n %d", what, type, x.n);
    ck_assert_msg(memcmp(&x.L[at], &y.L[at], bytes) == 0, "%s: L of %s n %d", what, type, x.n);
}

/* Shared memory of a block as on a device of compute capability 8.0; so little that only small teams fit. */
enum { SMALLER_DEVICE = 163 << 10, SMALLEST_DEVICE = 70 << 10 };

so_ctx *context_with(int block_bytes)
{
    so_ctx *ctx = cuda_context();
    if (block_bytes && block_bytes < cuda_of(ctx)->block_bytes)
        cuda_of(ctx)->block_bytes = block_bytes;
    return ctx;
}

const int orders[] = {1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 47, 63, 64, 65, 80};
constexpr int ORDERS = sizeof orders / sizeof *orders;
const int large_orders[] = {48, 64}, mixed_orders[] = {5, 20, 33, 68}, wide_orders[] = {65, 97, 130};

template <class F> void for_both(F f)
{
    f((float *)NULL);
    f((double *)NULL);
}

} // namespace

/* ---- Bits ---- */

/* Alone, in another company at another place, behind odd addresses. The batch ends amid the teams of a block. */
START_TEST(same_bits_everywhere)
{
    for_both([&](auto *which) {
        typedef std::remove_pointer_t<decltype(which)> real;
        const int n = orders[_i];
        if (!campaign_wants_order(n))
            return;
        so_ctx *ctx = cuda_context();
        const size_t batch = n <= 17 ? 19 : n <= 32 ? 5 : 3;
        maps<real> reference(n, batch);
        fill(reference);
        maps<real> other = reference;
        ck_assert_int_eq(run(ctx, reference, 0, batch), SO_OK);
        ck_assert_int_eq(run(ctx, other, 0, 1), SO_OK);
        ck_assert_int_eq(run(ctx, other, 1, batch - 1, 1), SO_OK);
        same(reference, other, 0, batch, "cut, not aligned");
        so_ctx_destroy(ctx);
    });
}
END_TEST

/* dA is skew and RL is R in every bit; a power of two in dR comes out again. */
START_TEST(exact_relations)
{
    for_both([&](auto *which) {
        typedef std::remove_pointer_t<decltype(which)> real;
        const int n = orders[_i];
        if (!campaign_wants_order(n))
            return;
        so_ctx *ctx = cuda_context();
        maps<real> m(n, 3);
        fill(m);
        maps<real> scaled = m;
        for (real &g : scaled.G)
            g *= (real)0x1p20;
        ck_assert_int_eq(run(ctx, m, 0, m.batch), SO_OK);
        ck_assert_int_eq(run(ctx, scaled, 0, m.batch), SO_OK);
        for (size_t b = 0; b < m.batch; b++)
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++) {
                    const real x = m.dA[b * m.size + (size_t)(i * n + j)], y = m.dA[b * m.size + (size_t)(j * n + i)];
                    ck_assert_msg(x == -y, "n %d: dA_%d,%d = %a, %a", n, i, j, (double)x, (double)y);
                    ck_assert_msg(scaled.dA[b * m.size + (size_t)(i * n + j)] == x * (real)0x1p20, "n %d: dA of 2^20 dR", n);
                }
        ck_assert_int_eq(memcmp(m.R.data(), m.RL.data(), m.R.size() * sizeof(real)), 0);
        so_ctx_destroy(ctx);
    });
}
END_TEST

/* What is not finite stays with its matrix. */
START_TEST(not_finite)
{
    for_both([&](auto *which) {
        typedef std::remove_pointer_t<decltype(which)> real;
        const int n = orders[_i];
        if (!campaign_wants_order(n))
            return;
        so_ctx *ctx = cuda_context();
        if (n < 2)
            return so_ctx_destroy(ctx);
        maps<real> reference(n, 5);
        fill(reference);
        maps<real> m = reference;
        m.A[1 * m.size + 1] = (real)INFINITY;
        m.G[2 * m.size + m.size - 1] = (real)NAN;
        m.E[3 * m.size + (size_t)n - 1] = (real)NAN;
        ck_assert_int_eq(run(ctx, reference, 0, 5), SO_OK);
        ck_assert_int_eq(run(ctx, m, 0, 5), SO_ENONFINITE);
        same(reference, m, 0, 1, "before");
        same(reference, m, 4, 1, "after");
        for (size_t i = 0; i < m.size; i++)
            for (size_t b = 1; b < 4; b++) {
                const size_t at = b * m.size + i;
                ck_assert_msg(std::isnan(m.R[at]) == (b == 1) && std::isnan(m.dA[at]) == (b != 3), "n %d, matrix %zu: %g %g", n, b,
                              (double)m.R[at], (double)m.dA[at]);
                ck_assert_msg(std::isnan(m.RL[at]) == (b != 2) && std::isnan(m.L[at]) == (b != 2), "n %d, matrix %zu: %g %g (jvp)", n,
                              b, (double)m.RL[at], (double)m.L[at]);
            }
        so_ctx_destroy(ctx);
    });
}
END_TEST

/* ---- The contract ---- */

namespace {

enum { FORWARD, ORTHOGONALITY, VJP, JVP, MEASURES };

template <class real> void measure(const maps<real> &m, const std::vector<sample> &samples, worst out[MEASURES])
{
    const int n = m.n;
    const double u = call_u(type_of<real>::bits);
    oracle_pair exact = oracle_new(n), tangent = oracle_new(n), gradient = oracle_new(n);
    for (size_t b = 0; b < m.batch; b++) {
        auto widened = [&](const std::vector<real> &x) {
            return std::vector<double>(x.begin() + (ptrdiff_t)(b * m.size), x.begin() + (ptrdiff_t)((b + 1) * m.size));
        };
        const std::vector<double> A = widened(m.A), E = widened(m.E), G = widened(m.G);
        const std::vector<double> R = widened(m.R), dA = widened(m.dA), L = widened(m.L);
        const double rho = samples[b].rho, growth = 30 * u * (1 + rho / 10);
        const worst here = {.ratio = 0, .rho = rho, .n = n, .shape = samples[b].shape, .sample = (long)b, .copy = 0};
        oracle_exp(n, A.data(), E.data(), &exact, &tangent);
        oracle_vjp(0, n, A.data(), G.data(), &gradient);
        worst_of(&out[FORWARD], distance(n, R.data(), exact), (10 + 2 * rho) * u, &here);
        worst_of(&out[ORTHOGONALITY], oracle_orthogonality(n, R.data()) / std::sqrt(n), (16 + 2 * rho) * u, &here);
        worst_of(&out[VJP], distance(n, dA.data(), gradient), growth * frobenius(n, G.data()), &here);
        worst_of(&out[JVP], distance(n, L.data(), tangent), growth * frobenius(n, E.data()), &here);
    }
    oracle_free(&exact), oracle_free(&tangent), oracle_free(&gradient);
}

/* Prints the worst, or that none of the orders is asked for; fails above 1. */
template <class real> void hold(int block_bytes, const int *order, int count, const char *where)
{
    static const char *const names[MEASURES] = {"forward", "orthogonality", "vjp", "jvp"};
    worst out[MEASURES] = {};
    const char *type = call_type(type_of<real>::bits);
    std::vector<int> wanted;
    std::copy_if(order, order + count, std::back_inserter(wanted), [](int n) { return campaign_wants_order(n) != 0; });
    if (wanted.empty()) {
        printf("check_cuda_exp %s, %s: nothing held, SO_TEST_N has none of its orders\n", type, where);
        return;
    }
    so_ctx *ctx = context_with(block_bytes);
    for (const int n : wanted) {
        maps<real> m(n, n <= 9 ? 40 : n <= 17 ? 12 : n <= 33 ? 5 : 2);
        const std::vector<sample> samples = fill(m);
        ck_assert_int_eq(run(ctx, m, 0, m.batch), SO_OK);
        measure(m, samples, out);
    }
    so_ctx_destroy(ctx);
    printf("check_cuda_exp %s, %s, worst error/bound:", type, where);
    for (int q = 0; q < MEASURES; q++)
        printf("  %s %.2f (n %d, rho %.3g)", names[q], out[q].ratio, out[q].n, out[q].rho);
    printf("\n");
    fflush(stdout);
    for (int q = 0; q < MEASURES; q++)
        ck_assert_msg(out[q].ratio <= 1, "%s %s: %g of the bound, n %d %s rho %g", where, names[q], out[q].ratio, out[q].n,
                      shape_name(out[q].shape), out[q].rho);
}

} // namespace

START_TEST(contract_of_teams)
{
    for_both([&](auto *which) { hold<std::remove_pointer_t<decltype(which)>>(0, orders, ORDERS, "as the device is"); });
}
END_TEST

/* Orders that have teams elsewhere are wide there. */
START_TEST(contract_on_smaller_devices)
{
    for_both([&](auto *which) {
        typedef std::remove_pointer_t<decltype(which)> real;
        hold<real>(SMALLER_DEVICE, large_orders, 2, "163 KiB of shared memory");
        hold<real>(SMALLEST_DEVICE, mixed_orders, 4, "70 KiB of shared memory");
    });
}
END_TEST

/* Two tiles of a wide matrix in each direction, none of them full; and more matrices than blocks. */
START_TEST(contract_of_wide_matrices)
{
    for_both([&](auto *which) { hold<std::remove_pointer_t<decltype(which)>>(0, wide_orders, 3, "wide"); });
}
END_TEST

START_TEST(more_matrices_than_blocks)
{
    so_ctx *ctx = context_with(SMALLEST_DEVICE);
    cuda_of(ctx)->multiprocessors = 1;
    maps<float> all(36, 4); /* wide there */
    fill(all);
    maps<float> one = all;
    ck_assert_int_eq(run(ctx, all, 0, 4), SO_OK);
    for (size_t b = 0; b < 4; b++)
        ck_assert_int_eq(run(ctx, one, b, 1), SO_OK);
    same(all, one, 0, 4, "one block");
    so_ctx_destroy(ctx);
}
END_TEST

/* Wide matrices are in the workspace; a call that it does not suffice for writes nothing. */
START_TEST(workspace)
{
    so_ctx *ctx = cuda_context();
    void *memory = cuda_array(NULL, 4096);
    maps<float> m(70, 1);
    fill(m);
    device_copy<float> A(m.A.data(), m.size, 0), R(NULL, m.size, 0);
    ck_assert_int_eq(so_ctx_set_workspace(ctx, memory, 4096), SO_OK);
    ck_assert_int_eq(exponential(ctx, 70, 1, A.at, R.at), SO_EWORKSPACE);
    ck_assert_int_eq(cuda_finish(ctx, SO_OK), SO_OK);
    cuda_read(m.R.data(), R.at, m.size * sizeof(float));
    for (float r : m.R)
        ck_assert(std::isnan(r));
    ck_assert_int_eq(so_ctx_set_workspace(ctx, NULL, 0), SO_OK);
    ck_assert_int_eq(exponential(ctx, 70, 1, A.at, R.at), SO_OK);
    ck_assert_uint_eq(so_workspace_bytes(ctx), (size_t)(6 + 2) * 80 * 80 * sizeof(float));
    so_ctx_destroy(ctx);
    cuda_free(memory);
}
END_TEST

extern "C" Suite *check_cuda_exp(void)
{
    Suite *suite = suite_create("cuda_exp");
    TCase *tests = tcase_create("cuda_exp");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, same_bits_everywhere, 0, ORDERS);
    tcase_add_loop_test(tests, exact_relations, 0, ORDERS);
    tcase_add_loop_test(tests, not_finite, 0, ORDERS);
    tcase_add_test(tests, contract_of_teams);
    tcase_add_test(tests, contract_on_smaller_devices);
    tcase_add_test(tests, contract_of_wide_matrices);
    tcase_add_test(tests, more_matrices_than_blocks);
    tcase_add_test(tests, workspace);
    suite_add_tcase(suite, tests);
    return suite;
}
