/* project_vjp.c: learning a rotation without constraints.
 *
 * Any 3 x 3 matrix X stands for the rotation nearest to it, R = so_project(X) (Levinson et al., arXiv 2006.14616). The loss is how far
 * R turns four points from where they should be, and X takes plain gradient steps, with dLoss/dX from so_project_vjp.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <so.h>
#include <stdio.h>
#include <string.h>

enum { N = 3, POINTS = 4, STEPS = 200 };

static const double point[POINTS][N] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, -1, 2}};

/* sum |R p - target|^2 over the points, and dR. */
static double loss(const double R[N][N], const double target[POINTS][N], double dR[N][N])
{
    double sum = 0;
    memset(dR, 0, sizeof(double[N][N]));
    for (int p = 0; p < POINTS; p++)
        for (int i = 0; i < N; i++) {
            double off = -target[p][i];
            for (int j = 0; j < N; j++)
                off += R[i][j] * point[p][j];
            for (int j = 0; j < N; j++)
                dR[i][j] += 2 * off * point[p][j];
            sum += off * off;
        }
    return sum;
}

int main(void)
{
    const double A[N][N] = {{0, 1, -0.5}, {0, 0, 2}, {0, 0, 0}}; /* only the entries right of the diagonal are read */
    double X[N][N] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, hidden[N][N], R[N][N], dR[N][N], dX[N][N], target[POINTS][N];
    double first = 0, last = 0;
    so_ctx *ctx;
    so_status status = so_ctx_create_cpu(&ctx, 1);
    if (status == SO_OK)
        status = so_exp_f64(ctx, SO_AUTO, N, 1, &A[0][0], &hidden[0][0]);
    memset(target, 0, sizeof target);
    for (int p = 0; p < POINTS && status == SO_OK; p++)
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                target[p][i] += hidden[i][j] * point[p][j];
    for (int step = 0; step <= STEPS && status == SO_OK; step++) {
        memcpy(R, X, sizeof R);
        status = so_project_f64(ctx, N, 1, &R[0][0]); /* SO_ESINGULAR if there were no nearest rotation */
        if (status != SO_OK)
            break;
        last = loss(R, target, dR);
        first = step ? first : last;
        status = so_project_vjp_f64(ctx, N, 1, &X[0][0], &dR[0][0], &dX[0][0]);
        for (int k = 0; k < N * N && status == SO_OK; k++)
            X[k / N][k % N] -= 0.1 * dX[k / N][k % N];
    }
    if (status != SO_OK)
        fprintf(stderr, "libso: %s (%s)\n", so_status_string(status), so_ctx_argument(ctx));
    else
        printf("loss %.3f at the identity, %s after %d steps\n", first, last < 1e-6 ? "below 1e-6" : "TOO LARGE", STEPS);
    so_ctx_destroy(ctx);
    return status != SO_OK || !(last < 1e-6);
}
