/* npy.h: strict reading and writing of NumPy's .npy files, versions 1 and 2, little-endian float32 and float64, C order.
 *
 * Both functions return true, or false with one line in `message` that names the file, the defect and, where there is one,
 * the remedy. Format: numpy.lib.format, "Format Version 1.0" and "2.0".
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_NPY_H
#define BENCH_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NPY_MESSAGE = 512 }; /* bytes of a message */

typedef struct npy_stack { /* (batch, n, n) */
    int bytes;             /* of a number: 4 = float32, 8 = float64 */
    int64_t batch;
    int n;
    void *data; /* malloc'ed; batch * n * n numbers */
} npy_stack;

/* Reads a stack of square matrices; refuses every other shape, order and type. On failure *out is unchanged. */
bool npy_read(const char *path, npy_stack *out, char message[NPY_MESSAGE]);

/* Writes beside `path`, flushes to the disk, then renames: `path` is either the old file or the whole new one. */
bool npy_write(const char *path, const npy_stack *stack, char message[NPY_MESSAGE]);

void npy_free(npy_stack *stack);

#endif
