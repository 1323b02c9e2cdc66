/* loss_cpu.c: softmax cross-entropy, one example at a time.
 * SPDX-License-Identifier: MIT */
#include "ops/ops_cpu.h"

#include <math.h>

#include "ops/simd.h"

/* The largest logit, the first of equals. */
static int largest(int classes, const float *logits)
{
    int best = 0;
    for (int k = 1; k < classes; k++)
        if (logits[k] > logits[best])
            best = k;
    return best;
}

/* sum exp(logit - shift), accumulated in double: the error does not grow with the number of classes. */
static float sum_exp(int classes, const float *logits, float shift)
{
    double sum = 0.0;
    for (int k = 0; k < classes; k++)
        sum += (double)simd_exp(logits[k] - shift);
    return (float)sum;
}

void cpu_cross_entropy(ops *o, int batch, int classes, const float *logits, const int32_t *label, float *loss, int32_t *correct)
{
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if ((int64_t)batch * classes > ELEMENTS_PER_PIECE)
    for (int64_t b = 0; b < batch; b++) {
        const float *z = logits + b * classes;
        int best = largest(classes, z);
        float sum = sum_exp(classes, z, z[best]);
        loss[b] = logf(sum) - (z[label[b]] - z[best]);
        correct[b] = best == label[b] && loss[b] == loss[b];
    }
}

void cpu_cross_entropy_backward(ops *o, int batch, int classes, const float *logits, const int32_t *label, float scale,
                                float *dlogits)
{
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if ((int64_t)batch * classes > ELEMENTS_PER_PIECE)
    for (int64_t b = 0; b < batch; b++) {
        const float *z = logits + b * classes;
        float *dz = dlogits + b * classes, shift = z[largest(classes, z)];
        float f = scale / sum_exp(classes, z, shift);
        for (int k = 0; k < classes; k++)
            dz[k] = f * simd_exp(z[k] - shift);
        dz[label[b]] -= scale;
    }
}
