/* SPDX-License-Identifier: MIT */
#include "report/interval.h"

#include <math.h>

interval interval_wilson(int64_t correct, int64_t n)
{
    const double z = 1.959963984540054; /* standard normal quantile of 0.975 */
    if (n <= 0)
        return (interval){0, 1};
    double trials = (double)n, p = (double)correct / trials, square = z * z / trials;
    double centre = (p + square / 2) / (1 + square);
    double half = z / (1 + square) * sqrt(p * (1 - p) / trials + square / (4 * trials));
    return (interval){fmax(0, centre - half), fmin(1, centre + half)};
}

/* Probability that no direction occurs more than `most` times: arrows! times a coefficient of (sum_{k <= most} x^k /
 * k!)^directions, each factor weighted by (1/directions)^k. */
static double at_most(int arrows, int directions, int most)
{
    double power[65] = {1};
    for (int d = 0; d < directions; d++) {
        double next[65] = {0};
        for (int i = 0; i <= arrows; i++) {
            double term = 1;
            for (int k = 0; k <= most && i + k <= arrows; k++) {
                next[i + k] += power[i] * term;
                term /= (k + 1) * (double)directions;
            }
        }
        for (int i = 0; i <= arrows; i++)
            power[i] = next[i];
    }
    return power[arrows] * tgamma(arrows + 1.0);
}

double interval_guess(int arrows, int directions)
{
    double expected = 0;
    for (int most = 0; most < arrows; most++) /* E[max] = sum over m of P(max > m) */
        expected += 1 - at_most(arrows, directions, most);
    return expected / arrows;
}
