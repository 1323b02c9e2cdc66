/* project.c: a long product of rotations drifts away from orthogonality; so_project brings it back.
 *
 * One small rotation is applied 100,000 times, as an integrator of rigid-body motion does. Every rounding leaves a
 * trace in R^T R - I. so_project replaces R by the nearest rotation: done now and then, it keeps the trace at one rounding.
 * SPDX-License-Identifier: MIT */
#include <so.h>
#include <stdio.h>
#include <string.h>

enum { N = 3, STEPS = 100000, EVERY = 1000 };

/* R <- R step */
static void multiply(float R[N * N], const float step[N * N])
{
    float product[N * N];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            product[i * N + j] = 0;
            for (int k = 0; k < N; k++)
                product[i * N + j] += R[i * N + k] * step[k * N + j];
        }
    memcpy(R, product, sizeof product);
}

int main(void)
{
    const float A[N * N] = {0, -0.01f, 0.02f, 0, 0, -0.03f, 0, 0, 0}; /* only the entries right of the diagonal are read */
    float step[N * N], drifting[N * N] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, kept[N * N] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    float before = 0, after = 0;
    so_ctx *ctx;
    so_status status = so_ctx_create_cpu(&ctx, 1);
    if (status == SO_OK)
        status = so_exp_f32(ctx, SO_AUTO, N, 1, A, step);
    for (int s = 1; s <= STEPS && status == SO_OK; s++) {
        multiply(drifting, step);
        multiply(kept, step);
        if (s % EVERY == 0)
            status = so_project_f32(ctx, N, 1, kept); /* SO_ESINGULAR if there were no nearest rotation */
    }
    if (status == SO_OK)
        status = so_orthogonality_f32(ctx, N, 1, drifting, &before);
    if (status == SO_OK)
        status = so_orthogonality_f32(ctx, N, 1, kept, &after);
    if (status != SO_OK)
        fprintf(stderr, "libso: %s (%s)\n", so_status_string(status), so_ctx_argument(ctx));
    else
        printf("||R^T R - I|| after %d steps: %.1e; projected every %d steps: %.1e\n", STEPS, (double)before, EVERY,
               (double)after);
    so_ctx_destroy(ctx);
    return status != SO_OK || !(after < 1e-6f && after < before / 10);
}
