/* fault.h: what went wrong, as one line for a person: what, where, what to do.
 *
 * A function of the harness that can fail takes a `fault *`, returns false and writes the line. Only programs print it.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_IO_FAULT_H
#define HARNESS_IO_FAULT_H

#include <stdbool.h>

typedef struct fault {
    char text[1024]; /* without a newline; "" as long as nothing went wrong */
} fault;

/* Writes the line (cut at the size of the buffer) and returns false, so that callers can `return fault_set(...)`. */
bool fault_set(fault *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
