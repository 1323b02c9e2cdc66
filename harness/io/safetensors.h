/* safetensors.h: the safetensors file format, reader and writer.
 *
 *   u64 little-endian N | N bytes of JSON, padded with spaces to a multiple of 8 | data
 *   {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ..., "__metadata__": {"key": "value", ...}}
 *
 * The reader takes no file on trust: every rule of the format is checked (README.md of harness/, "safetensors"), and a file
 * that carries the metadata key "xxh3_64" must have that hash. SPDX-License-Identifier: MIT */
#ifndef HARNESS_IO_SAFETENSORS_H
#define HARNESS_IO_SAFETENSORS_H

#include "io/fault.h"

#include <stddef.h>
#include <stdint.h>

#define SAFETENSORS_DIMS 8

typedef enum safetensors_dtype {
    SAFETENSORS_BOOL,
    SAFETENSORS_U8,
    SAFETENSORS_I8,
    SAFETENSORS_I16,
    SAFETENSORS_U16,
    SAFETENSORS_F16,
    SAFETENSORS_BF16,
    SAFETENSORS_I32,
    SAFETENSORS_U32,
    SAFETENSORS_F32,
    SAFETENSORS_I64,
    SAFETENSORS_U64,
    SAFETENSORS_F64
} safetensors_dtype;

typedef struct safetensors_tensor {
    const char *name;
    safetensors_dtype dtype;
    int dims; /* 0 = a scalar, one element */
    int64_t shape[SAFETENSORS_DIMS];
    const void *data; /* row-major; 64-byte aligned when it comes from safetensors_read */
    size_t bytes;     /* product of the shape times the size of the dtype */
} safetensors_tensor;

typedef struct safetensors_pair {
    const char *key, *value;
} safetensors_pair;

typedef struct safetensors {
    int count;
    safetensors_tensor *tensor; /* in the order of their data in the file */
    int pairs;
    safetensors_pair *pair; /* __metadata__ */
    void *memory;           /* what the pointers above point into */
    void *json;
} safetensors;

/* Reads and checks the whole file; NULL and a line in *f when it cannot be read or breaks a rule. */
safetensors *safetensors_read(const char *path, fault *f);
void safetensors_free(safetensors *file); /* NULL is allowed */

const safetensors_tensor *safetensors_find(const safetensors *file, const char *name); /* NULL if absent */
const char *safetensors_metadata(const safetensors *file, const char *key);            /* NULL if absent */

/* The f32 tensor of this name with exactly this many elements; NULL and a line in *f otherwise. */
const float *safetensors_f32(const safetensors *file, const char *name, int64_t elements, fault *f);

/* Writes atomically (file_write_atomic): either the whole new file is at `path` afterwards or what was there before.
 * Tensors are stored by falling size of the dtype, then by name; "xxh3_64" is added to the metadata. */
bool safetensors_write(const char *path, const safetensors_tensor *tensor, int count, const safetensors_pair *pair, int pairs,
                       fault *f);

size_t safetensors_size(safetensors_dtype dtype);      /* bytes of one element */
const char *safetensors_name(safetensors_dtype dtype); /* "F32" */

#endif
