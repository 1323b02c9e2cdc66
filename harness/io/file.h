/* file.h: files that are either whole or not there.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_IO_FILE_H
#define HARNESS_IO_FILE_H

#include "io/fault.h"

#include <stddef.h>
#include <sys/types.h>

/* The system calls on which the promise rests; tests replace them to fail or to die at the k-th call. */
typedef struct file_calls {
    ssize_t (*write)(int descriptor, const void *data, size_t bytes);
    int (*fsync)(int descriptor);
    int (*rename)(const char *from, const char *to);
} file_calls;

extern file_calls file_system;

typedef struct file_part {
    const void *data;
    size_t bytes;
} file_part;

/* Writes the parts one after the other to `path`.tmp, fsync, rename to `path`, fsync of the folder. When it fails, what was at
 * `path` before is still there (or, if only the last fsync failed, the new file) and the temporary file is gone. */
bool file_write_atomic(const char *path, const file_part *part, int parts, fault *f);

/* Writes all bytes, or returns false with the reason in errno. */
bool file_write(int descriptor, const void *data, size_t bytes);

/* One line for a failed system call on `path`, errno `code`: "PATH: cannot STAGE: reason; what to do". Returns false. */
bool file_fault(fault *f, const char *path, const char *stage, int code);

/* The whole file with a 0 byte behind it; NULL and a line in *f when it cannot be read. To be freed by the caller. */
char *file_read(const char *path, size_t *bytes, fault *f);

/* Makes the folder and those above it; one that exists is fine. */
bool file_make_folder(const char *path, fault *f);

/* Whether both paths lead to one regular file or, where nothing is there yet, are spelled alike: what is written to one would be
 * lost by writing to the other. */
bool file_same(const char *path, const char *other);

/* folder/name in memory of the caller's, who frees it. */
char *file_path(const char *folder, const char *name);

#endif
