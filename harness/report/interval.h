/* interval.h: how sure a proportion is, and what a guess is worth. SPDX-License-Identifier: MIT */
#ifndef HARNESS_REPORT_INTERVAL_H
#define HARNESS_REPORT_INTERVAL_H

#include <stdint.h>

typedef struct interval {
    double low, high;
} interval;

/* 95 % interval of Wilson (1927) for `correct` successes in n trials; [0, 1] when n is 0. Covers the scatter of the test
 * images, not that between seeds. */
interval interval_wilson(int64_t correct, int64_t n);

/* Expected share of the most frequent of `directions` among `arrows` independent uniform draws: the accuracy of the best answer
 * that ignores positions. arrows from 1 to 64. */
double interval_guess(int arrows, int directions);

#endif
