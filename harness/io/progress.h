/* progress.h: how a run is getting on, on stderr: one line that is rewritten on a terminal, a line every so often elsewhere.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_IO_PROGRESS_H
#define HARNESS_IO_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct progress {
    bool shown, terminal;
    double interval;      /* seconds between lines */
    double start, last;   /* clock, seconds */
    int64_t first, total; /* examples at the start of this process and at the end of the run */
    bool open;            /* a line without its newline stands on the terminal */
} progress;

progress progress_start(bool shown, double seconds, int64_t first_example, int64_t examples);

/* Cheap when it is not yet time for a line. */
void progress_show(progress *p, int64_t step, int64_t examples, double loss, double accuracy);

/* Ends the line on the terminal, so that something else can be printed. */
void progress_end(progress *p);

double progress_clock(void); /* seconds, monotonic */

#endif
