/* check_cuda_graph.cpp: every function of so.h captured in a CUDA graph: nothing runs while it is captured, and a replay on other
 * inputs gives the bits of direct calls.
 * SPDX-License-Identifier: MIT */
#include "cuda_context.h"
#include "left_out.h"
#include "libso/so_cuda.h"
#include <check.h>
#include <cmath>
#include <cstdio>
#include <cuda_runtime.h>
#include <vector>

extern "C" Suite *check_cuda_graph(void);

namespace {

enum { DIMS = 2, INPUTS = 5, OUTPUTS = 22 };

/* Arrays on the device. Inputs: A, G, positions, generators, vectors in bf16. */
template <class real> struct arrays {
    so_method method; /* of exponentials and encodings */
    int n, groups, tokens, batch; /* large matrices take the shim seconds each: fewer */
    size_t size, numbers;         /* of a matrix; of an array, at least */
    real *in[INPUTS], *out[OUTPUTS];

    arrays(so_method m, int order)
        : method(m), n(order), groups(n > 33 ? 1 : 2), tokens(n > 33 ? 2 : 3), batch(groups * tokens), size((size_t)(n * n)),
          numbers(size * (size_t)(batch * DIMS))
    {
        for (real *&x : in)
            x = (real *)cuda_array(nullptr, numbers * sizeof(real));
        for (real *&x : out)
            x = (real *)cuda_array(nullptr, numbers * sizeof(real));
    }
    ~arrays()
    {
        for (real *x : in)
            cuda_free(x);
        for (real *x : out)
            cuda_free(x);
    }
    arrays(const arrays &) = delete;

    so_rotation rotation() const
    {
        return {n, 1, tokens, groups, groups, (int64_t)tokens * groups * n, (int64_t)groups * n};
    }
    void fill(int which) const
    {
        std::vector<real> x(numbers);
        for (int k = 0; k < INPUTS; k++) {
            for (size_t i = 0; i < numbers; i++)
                x[i] = (real)(sin(1.0 + 7 * k + 13 * which + (double)i) / sqrt(n));
            for (size_t i = 0; k == 4 && i < numbers; i++) /* one of two, the other being 0 */
                ((so_bf16 *)&x[i])[0] = (so_bf16)(0x3f00 + (int)(i % 99)), ((so_bf16 *)&x[i])[1] = 0;
            cuda_write(in[k], x.data(), numbers * sizeof(real));
        }
    }
    void poison() const
    {
        for (real *x : out)
            ck_assert_int_eq(cudaMemset(x, 0xff, numbers * sizeof(real)), cudaSuccess);
    }
    std::vector<real> results() const
    {
        std::vector<real> all(OUTPUTS * numbers);
        for (int k = 0; k < OUTPUTS; k++)
            cuda_read(&all[(size_t)k * numbers], out[k], numbers * sizeof(real));
        return all;
    }
};

/* Calls every function whose type is `suffix`; what accumulates (dR of so_rotate_vjp) begins with what this wrote itself. */
#define DEFINE(real, suffix)                                                                                                    \
    so_status call_all(so_ctx *ctx, const arrays<real> &a)                                                                      \
    {                                                                                                                           \
        const so_encoding e = {a.method, DIMS, a.n, a.groups, a.tokens};                                                        \
        const so_rotation r = a.rotation();                                                                                     \
        const real *A = a.in[0], *G = a.in[1], *position = a.in[2], *generator = a.in[3];                                       \
        real *const *o = a.out;                                                                                                 \
        const so_status statuses[] = {                                                                                          \
            so_encode_##suffix(ctx, &e, position, generator, o[0]),                                                             \
            so_encode_vjp_##suffix(ctx, &e, position, generator, o[0], G, o[1], o[2]),                                          \
            so_exp_##suffix(ctx, a.method, a.n, a.batch, A, o[3]),                                                              \
            so_exp_vjp_##suffix(ctx, a.method, a.n, a.batch, A, o[3], G, o[4]),                                                 \
            so_exp_jvp_##suffix(ctx, a.method, a.n, a.batch, A, G, o[5], o[6]),                                                 \
            so_cayley_##suffix(ctx, a.n, a.batch, A, o[7]),                                                                     \
            so_cayley_vjp_##suffix(ctx, a.n, a.batch, A, o[7], G, o[8]),                                                        \
            so_log_##suffix(ctx, a.n, a.batch, o[3], o[9]),                                                                     \
            so_log_vjp_##suffix(ctx, a.n, a.batch, o[3], o[9], G, o[10]),                                                       \
            so_cayley_inverse_##suffix(ctx, a.n, a.batch, o[7], o[11]),                                                         \
            so_cayley_inverse_vjp_##suffix(ctx, a.n, a.batch, o[11], G, o[12]),                                                 \
            so_orthogonality_##suffix(ctx, a.n, a.batch, o[3], o[13]),                                                          \
            so_project_##suffix(ctx, a.n, a.batch, o[5]),                                                                       \
            so_project_vjp_##suffix(ctx, a.n, a.batch, o[3], G, o[14]),                                                         \
            so_pack_##suffix(ctx, a.n, a.batch, A, o[15]),                                                                      \
            so_unpack_##suffix(ctx, a.n, a.batch, o[15], o[16]),                                                                \
            so_rotate_##suffix(ctx, &r, o[0], G, o[17]),                                                                        \
            so_rotate_vjp_##suffix(ctx, &r, o[0], G, o[17], o[17], o[16]),                                                      \
            so_cayley_jvp_##suffix(ctx, a.n, a.batch, A, G, o[18], o[19]),                                                      \
        };                                                                                                                      \
        size_t k = 0;                                                                                                           \
        while (k + 1 < sizeof statuses / sizeof *statuses && statuses[k] == SO_OK)                                              \
            k++;                                                                                                                \
        if (statuses[k] != SO_OK)                                                                                               \
            printf("check_cuda_graph: call %zu: %s\n", k, so_status_string(statuses[k]));                                       \
        return statuses[k];                                                                                                     \
    }
DEFINE(float, f32)
DEFINE(double, f64)

void call_bf16(so_ctx *, const arrays<double> &) {}

void call_bf16(so_ctx *ctx, const arrays<float> &a)
{
    const so_rotation r = a.rotation();
    const so_bf16 *x = (const so_bf16 *)a.in[4];
    ck_assert_int_eq(so_rotate_bf16(ctx, &r, a.out[0], x, (so_bf16 *)a.out[20]), SO_OK);
    ck_assert_int_eq(so_rotate_vjp_bf16(ctx, &r, a.out[0], x, x, (so_bf16 *)a.out[21], a.out[16]), SO_OK);
}

/* How many numbers a call writes to each output, at least: those must not be NaN. bf16 stands in pairs: not looked at. */
template <class real> void written(const arrays<real> &a, const std::vector<real> &x)
{
    for (int k = 0; k < 20; k++) {
        const size_t n = (size_t)a.n, batch = (size_t)a.batch, positions = (size_t)(a.tokens * DIMS);
        size_t count = k == 1 ? (size_t)(a.groups * DIMS) * a.size : k == 2 ? positions : k == 13 ? batch : batch * a.size;
        count = k == 15 ? batch * n * (n - 1) / 2 : k == 17 ? batch * n : count;
        size_t i = 0;
        while (i < count && x[(size_t)k * a.numbers + i] == x[(size_t)k * a.numbers + i])
            i++;
        ck_assert_msg(i == count, "output %d, number %zu is NaN", k, i);
    }
}

/* Equal bits, or both NaN: what no call writes. */
template <class real> bool same(const std::vector<real> &x, const std::vector<real> &y, size_t numbers)
{
    size_t i = 0;
    while (i < x.size() && (x[i] == y[i] || (x[i] != x[i] && y[i] != y[i])))
        i++;
    if (i < x.size())
        printf("check_cuda_graph: output %zu, number %zu differs\n", i / numbers, i % numbers);
    return i == x.size();
}

/* All calls in a graph, while none of them runs. */
template <class real> cudaError_t capture(so_ctx *ctx, const arrays<real> &a, cudaStream_t stream, cudaGraphExec_t *executable)
{
    cudaGraph_t graph;
    a.poison();
    ck_assert_int_eq(cudaDeviceSynchronize(), cudaSuccess);
    ck_assert_int_eq(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), cudaSuccess);
    const so_status status = call_all(ctx, a);
    if (status == SO_OK)
        call_bf16(ctx, a);
    cudaError_t error = cudaStreamEndCapture(stream, &graph);
    if (error != cudaSuccess || status != SO_OK)
        return error != cudaSuccess ? error : cudaErrorStreamCaptureUnsupported;
    for (real x : a.results())
        ck_assert(x != x);
    error = cudaGraphInstantiate(executable, graph, 0);
    cudaGraphDestroy(graph);
    return error;
}

/* Of SO_EIGEN nothing is promised (so_cuda.h): what a device makes of it is told, and is no failure. */
void judge_capture(so_method method, int n, cudaError_t error, bool replayed)
{
    const char *outcome = error != cudaSuccess ? cudaGetErrorString(error) : replayed ? "captured" : "captured, a replay differs";
    if (method == SO_EIGEN && cuda_is_device())
        printf("check_cuda_graph: SO_EIGEN, n %d, in a graph: %s%s\n", n, error != cudaSuccess ? "refused, " : "", outcome);
    else
        ck_assert_msg(replayed, "n %d: %s", n, outcome);
}

template <class real> void replay(so_method method, int n, int f64_inside)
{
    arrays<real> a(method, n);
    std::vector<real> direct[2];
    so_ctx *ctx;
    cudaStream_t stream;
    cudaGraphExec_t executable;
    ck_assert_int_eq(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    ck_assert_int_eq(so_ctx_create_cuda(&ctx, 0, stream), SO_OK);
    ck_assert_int_eq(so_ctx_set_f64_inside(ctx, f64_inside), SO_OK);
    for (int which = 0; which < 2; which++) {
        a.fill(which);
        a.poison();
        ck_assert_int_eq(cudaDeviceSynchronize(), cudaSuccess);
        ck_assert_int_eq(call_all(ctx, a), SO_OK);
        call_bf16(ctx, a);
        ck_assert_int_eq(cuda_finish(ctx, SO_OK), SO_OK);
        direct[which] = a.results();
        written(a, direct[which]);
    }
    const size_t bytes = so_workspace_bytes(ctx);
    const cudaError_t error = capture(ctx, a, stream, &executable);
    bool replayed = error == cudaSuccess;
    for (int times = 0; times < 2 && replayed; times++) {
        a.fill(times);
        a.poison();
        ck_assert_int_eq(cudaDeviceSynchronize(), cudaSuccess);
        ck_assert_int_eq(cudaGraphLaunch(executable, stream), cudaSuccess);
        ck_assert_int_eq(cuda_finish(ctx, SO_OK), SO_OK);
        replayed = same(a.results(), direct[times], a.numbers);
    }
    judge_capture(method, n, error, replayed);
    ck_assert_uint_eq(so_workspace_bytes(ctx), bytes);
    if (error == cudaSuccess)
        cudaGraphExecDestroy(executable);
    so_ctx_destroy(ctx);
    cudaStreamDestroy(stream);
}

const int orders[] = {2, 3, 4, 6, 33, 66}; /* closed forms, teams, blocks on the workspace */
enum { ORDERS = sizeof orders / sizeof *orders };

START_TEST(captured)
{
    replay<float>(SO_AUTO, orders[_i], 0);
    replay<double>(SO_AUTO, orders[_i], 0);
    replay<float>(SO_AUTO, orders[_i], 1);
}
END_TEST

/* cuBLAS and both solvers of cuSOLVER. */
START_TEST(captured_with_libraries)
{
    const so_method method = _i % 2 ? SO_EIGEN : SO_PADE;
    const int n = _i / 2 ? 33 : 5;
    if (left_out(method, "check_cuda_graph captured_with_libraries"))
        return;
    replay<float>(method, n, 0);
    replay<double>(method, n, 0);
}
END_TEST

} // namespace

Suite *check_cuda_graph(void)
{
    Suite *s = suite_create("cuda_graph");
    TCase *t = tcase_create("graphs");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, captured, 0, ORDERS);
    tcase_add_loop_test(t, captured_with_libraries, 0, 4);
    suite_add_tcase(s, t);
    return s;
}
