/* exp_vjp.c: the gradient of a loss through R = exp(A), checked against finite differences.
 *
 *   cc exp_vjp.c $(pkg-config --cflags --libs so) -lm
 *
 * The loss is <W, exp(A)> for a fixed W, hence dLoss/dR = W. A parameter p that stands for A_ij = p, A_ji = -p has
 * dLoss/dp = 2 dA_ij (so.h, "gradients").
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <so.h>
#include <stdio.h>

enum { N = 5 };

static so_status loss(so_ctx *ctx, const double *A, const double *W, double *value)
{
    double R[N * N];
    so_status status = so_exp_f64(ctx, SO_AUTO, N, 1, A, R);
    *value = 0;
    for (int k = 0; k < N * N; k++)
        *value += W[k] * R[k];
    return status;
}

int main(void)
{
    const double h = 1e-5; /* step of the central difference: its error is about h^2 + u/h */
    double A[N * N] = {0}, W[N * N], R[N * N], dA[N * N], worst = 0;
    for (int k = 0; k < N * N; k++) {
        A[k] = k / N < k % N ? sin(3.0 * k) : 0; /* only the entries right of the diagonal are read */
        W[k] = cos(5.0 * k);
    }

    so_ctx *ctx;
    so_status status = so_ctx_create_cpu(&ctx, 1);
    if (status == SO_OK)
        status = so_exp_f64(ctx, SO_AUTO, N, 1, A, R);
    if (status == SO_OK)
        status = so_exp_vjp_f64(ctx, SO_AUTO, N, 1, A, R, W, dA);
    for (int k = 0; k < N * N && status == SO_OK; k++) {
        if (k / N >= k % N)
            continue;
        double entry = A[k], above, below;
        A[k] = entry + h;
        status = loss(ctx, A, W, &above);
        A[k] = entry - h;
        if (status == SO_OK)
            status = loss(ctx, A, W, &below);
        A[k] = entry;
        if (status == SO_OK)
            worst = fmax(worst, fabs(2 * dA[k] - (above - below) / (2 * h)));
    }
    if (status != SO_OK)
        fprintf(stderr, "libso: %s (%s)\n", so_status_string(status), so_ctx_argument(ctx));
    else
        printf("largest difference between so_exp_vjp and finite differences: %s\n", worst < 1e-8 ? "below 1e-8" : "TOO LARGE");
    so_ctx_destroy(ctx);
    return status != SO_OK || !(worst < 1e-8);
}
