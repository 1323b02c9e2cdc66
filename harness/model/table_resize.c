/* table_resize.c: the absolute table on another grid, by the interpolation of torch.nn.functional.interpolate with
 * align_corners = False: linear, bicubic (Keys 1981 with a = -0.75), trilinear, each as a product of 1-D weights.
 * SPDX-License-Identifier: MIT */
#include "model/vit_state.h"

#include <math.h>
#include <string.h>

enum { TAPS = 4 };

typedef struct taps {
    int at[TAPS];
    double weight[TAPS];
} taps;

static double cubic(double t)
{
    const double a = -0.75;
    t = fabs(t);
    if (t <= 1)
        return ((a + 2) * t - (a + 3)) * t * t + 1;
    return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}

static double hat(double t)
{
    t = fabs(t);
    return t < 1 ? 1 - t : 0;
}

/* Point i of a grid of n lies at (i + 1/2)/n of the axis. */
static taps taps_of(int i, int to, int from, double (*kernel)(double))
{
    double x = (i + 0.5) * from / to - 0.5;
    if (kernel == hat && x < 0)
        x = 0;
    int first = (int)floor(x) - 1;
    taps t;
    for (int k = 0; k < TAPS; k++) {
        int j = first + k;
        t.at[k] = j < 0 ? 0 : j >= from ? from - 1 : j;
        t.weight[k] = kernel(x - j);
    }
    return t;
}

void vit_table_resize(int dims, const int from[3], const int to[3], int cols, const float *source, float *target)
{
    double (*kernel)(double) = dims == 2 ? cubic : hat;
    memcpy(target, source, (size_t)cols * sizeof(float));
    source += cols;
    target += cols;
    for (int i = 0; i < to[0]; i++)
        for (int j = 0; j < to[1]; j++)
            for (int k = 0; k < to[2]; k++, target += cols) {
                taps a = taps_of(i, to[0], from[0], kernel), b = taps_of(j, to[1], from[1], kernel),
                     c = taps_of(k, to[2], from[2], kernel);
                for (int col = 0; col < cols; col++) {
                    double sum = 0;
                    for (int p = 0; p < TAPS; p++)
                        for (int q = 0; q < TAPS; q++)
                            for (int r = 0; r < TAPS; r++) {
                                double w = a.weight[p] * b.weight[q] * c.weight[r];
                                if (w != 0)
                                    sum +=
                                        w *
                                        (double)
                                            source[((int64_t)(a.at[p] * from[1] + b.at[q]) * from[2] + c.at[r]) * cols + col];
                            }
                    target[col] = (float)sum;
                }
            }
}
