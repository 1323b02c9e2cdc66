/* SPDX-License-Identifier: MIT */
#include "io/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

double progress_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

progress progress_start(bool shown, double seconds, int64_t first_example, int64_t examples)
{
    double now = progress_clock();
    bool terminal = isatty(STDERR_FILENO);
    return (progress){.shown = shown,
                      .terminal = terminal,
                      .interval = terminal ? 0.2 : seconds,
                      .start = now,
                      .last = now,
                      .first = first_example,
                      .total = examples};
}

void progress_show(progress *p, int64_t step, int64_t examples, double loss, double accuracy)
{
    if (!p->shown)
        return;
    double now = progress_clock();
    if (now - p->last < p->interval)
        return;
    p->last = now;
    double rate = (double)(examples - p->first) / (now - p->start);
    long left = rate > 0 ? (long)((double)(p->total - examples) / rate) : 0;
    fprintf(stderr, "%sstep %lld  %5.1f %%  loss %.4f  accuracy %.1f %%  %.0f images/s  %ld:%02ld:%02ld left%s",
            p->terminal ? "\r\033[K" : "", (long long)step, 100 * (double)examples / (double)p->total, loss, 100 * accuracy,
            rate, left / 3600, left / 60 % 60, left % 60, p->terminal ? "" : "\n");
    p->open = p->terminal;
}

void progress_end(progress *p)
{
    if (p->open)
        fputc('\n', stderr);
    p->open = false;
}
