/* attention_cpu.c: softmax attention, one (example, head) at a time, products by OpenBLAS.
 * The probabilities are not kept for the way back: they are computed again from q, k and the row's lse, as in FlashAttention
 * (Dao et al. 2022), so memory grows with T, not T^2.
 * SPDX-License-Identifier: MIT */
#include "ops/ops_cpu.h"

#include <cblas.h>
#include <math.h>
#include <omp.h>

#include "ops/simd.h"

/* Rows of scores are padded to whole SIMD vectors. */
static int padded(int tokens)
{
    return (tokens + 15) / 16 * 16;
}

/* In: scores. Out: exp(score - largest), sum of the row in `sum`, lse = largest + log(sum). */
SIMD_CLONES static void exponentiate(int rows, int cols, int ld, float *s, float *sum, float *lse)
{
    for (int i = 0; i < rows; i++, s += ld) {
        for (int j = cols; j < ld; j++)
            s[j] = -INFINITY;
        float largest = -INFINITY, total = 0.0f;
#pragma omp simd reduction(max : largest)
        for (int j = 0; j < ld; j++)
            largest = s[j] > largest ? s[j] : largest;
#pragma omp simd reduction(+ : total)
        for (int j = 0; j < ld; j++) {
            s[j] = simd_exp(s[j] - largest);
            total += s[j];
        }
        sum[i] = total;
        lse[i] = largest + logf(total);
    }
}

SIMD_CLONES static void divide_rows(int rows, int cols, int ld, const float *sum, float *x)
{
    for (int i = 0; i < rows; i++, x += ld) {
        float f = 1.0f / sum[i];
#pragma omp simd
        for (int j = 0; j < cols; j++)
            x[j] *= f;
    }
}

/* p: scores in, probabilities out; ds: dP in, gradient of the scaled scores out: scale P (dP - delta), delta = rowsum(dO O). */
SIMD_CLONES static void score_gradient(int rows, int cols, int ld, int head_dim, int ldo, float scale, const float *lse,
                                       const float *out, const float *dout, float *p, float *ds)
{
    for (int i = 0; i < rows; i++, p += ld, ds += ld, out += ldo, dout += ldo) {
        float delta = 0.0f, l = lse[i];
#pragma omp simd reduction(+ : delta)
        for (int d = 0; d < head_dim; d++)
            delta += out[d] * dout[d];
        for (int j = cols; j < ld; j++)
            p[j] = ds[j] = 0.0f;
#pragma omp simd
        for (int j = 0; j < ld; j++) {
            p[j] = simd_exp(p[j] - l);
            ds[j] = scale * p[j] * (ds[j] - delta);
        }
    }
}

void cpu_attention(ops *o, const ops_attention *a, const float *qkv, float *out, float *lse)
{
    const int T = a->tokens, Q = a->queries, H = a->heads, D = a->head_dim, ld = 3 * H * D, lds = padded(T);
    const float scale = 1.0f / sqrtf((float)D);
    const size_t per_thread = (size_t)Q * ((size_t)lds + 16);
    float *scratch = cpu_scratch(o, per_thread * (size_t)cpu_threads(o));
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o))
    for (int64_t i = 0; i < (int64_t)a->batch * H; i++) {
        int64_t b = i / H, h = i % H;
        const float *q = qkv + b * T * ld + h * D, *k = q + H * D, *v = k + H * D;
        float *y = out + (b * Q * H + h) * D;
        float *s = scratch + per_thread * (size_t)omp_get_thread_num(), *sum = s + (size_t)Q * (size_t)lds;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, Q, T, D, scale, q, ld, k, ld, 0.0f, s, lds);
        exponentiate(Q, T, lds, s, sum, lse + i * Q);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, Q, D, T, 1.0f, s, lds, v, ld, 0.0f, y, H * D);
        divide_rows(Q, D, H * D, sum, y);
    }
}

void cpu_attention_backward(ops *o, const ops_attention *a, const float *qkv, const float *out, const float *lse,
                            const float *dout, float *dqkv)
{
    const int T = a->tokens, Q = a->queries, H = a->heads, D = a->head_dim, ld = 3 * H * D, lds = padded(T);
    const float scale = 1.0f / sqrtf((float)D);
    const size_t per_thread = 2 * (size_t)Q * (size_t)lds;
    float *scratch = cpu_scratch(o, per_thread * (size_t)cpu_threads(o));
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o))
    for (int64_t i = 0; i < (int64_t)a->batch * H; i++) {
        int64_t b = i / H, h = i % H;
        const float *q = qkv + b * T * ld + h * D, *k = q + H * D, *v = k + H * D;
        float *dq = dqkv + b * T * ld + h * D, *dk = dq + H * D, *dv = dk + H * D;
        const float *y = out + (b * Q * H + h) * D, *dy = dout + (b * Q * H + h) * D;
        float *p = scratch + per_thread * (size_t)omp_get_thread_num(), *ds = p + (size_t)Q * (size_t)lds;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, Q, T, D, scale, q, ld, k, ld, 0.0f, p, lds);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, Q, T, D, 1.0f, dy, H * D, v, ld, 0.0f, ds, lds);
        score_gradient(Q, T, lds, D, H * D, scale, lse + i * Q, y, dy, p, ds);
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, T, D, Q, 1.0f, p, lds, dy, H * D, 0.0f, dv, ld);
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, T, D, Q, 1.0f, ds, lds, q, ld, 0.0f, dk, ld);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, Q, D, T, 1.0f, ds, lds, k, ld, 0.0f, dq, ld);
    }
}
