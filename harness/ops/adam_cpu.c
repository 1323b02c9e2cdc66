/* adam_cpu.c: Adam and AdamW with the constants and the order of operations of PyTorch's optimisers.
 * SPDX-License-Identifier: MIT */
#include "ops/ops_cpu.h"

#include <math.h>

#include "ops/simd.h"

typedef struct adam_step {
    float beta1, beta2, one_minus_beta1, one_minus_beta2;
    float step;       /* lr / (1 - beta1^t) */
    float root_scale; /* 1 / sqrt(1 - beta2^t) */
    float eps;
    float decay;  /* added to the gradient, times x */
    float shrink; /* factor on x */
} adam_step;

SIMD_CLONES static void adam_piece(int64_t n, const adam_step *constants, float *x, const float *gradient, float *m, float *v)
{
    const adam_step s = *constants;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float g = gradient[i] + s.decay * x[i];
        m[i] = s.beta1 * m[i] + s.one_minus_beta1 * g;
        v[i] = s.beta2 * v[i] + s.one_minus_beta2 * g * g;
        x[i] = s.shrink * x[i] - s.step * m[i] / (sqrtf(v[i]) * s.root_scale + s.eps);
    }
}

void cpu_adam(ops *o, const ops_adam *a, double lr, int64_t step, size_t n, float *x, const float *gradient, float *m, float *v)
{
    const adam_step s = {
        .beta1 = (float)a->beta1,
        .beta2 = (float)a->beta2,
        .one_minus_beta1 = (float)(1 - a->beta1),
        .one_minus_beta2 = (float)(1 - a->beta2),
        .step = (float)(lr / (1 - pow(a->beta1, (double)step))),
        .root_scale = (float)(1 / sqrt(1 - pow(a->beta2, (double)step))),
        .eps = (float)a->eps,
        .decay = a->decoupled ? 0.0f : (float)a->weight_decay,
        .shrink = a->decoupled ? (float)(1 - lr * a->weight_decay) : 1.0f,
    };
    int64_t count = pieces((int64_t)n, ELEMENTS_PER_PIECE);
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if (count > 1)
    for (int64_t i = 0; i < count; i++) {
        int64_t at = i * ELEMENTS_PER_PIECE;
        adam_piece(piece_size((int64_t)n, ELEMENTS_PER_PIECE, i), &s, x + at, gradient + at, m + at, v + at);
    }
}
