/* safetensors_write.c: the writer.
 * SPDX-License-Identifier: MIT */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "io/file.h"
#include "io/safetensors.h"
#include "io/safetensors_header.h"

/* By falling size of the dtype, so that every tensor is aligned for its type; then by name. */
static int by_size(const void *a, const void *b)
{
    const safetensors_tensor *x = a, *y = b;
    size_t one = safetensors_size(x->dtype), other = safetensors_size(y->dtype);
    if (one != other)
        return one > other ? -1 : 1;
    return strcmp(x->name, y->name);
}

static cJSON *describe(const safetensors_tensor *tensor, int count, const safetensors_pair *pair, int pairs)
{
    cJSON *root = cJSON_CreateObject();
    cJSON *metadata = cJSON_AddObjectToObject(root, "__metadata__");
    cJSON_AddStringToObject(metadata, SAFETENSORS_HASH_KEY, "0000000000000000");
    for (int i = 0; i < pairs; i++)
        cJSON_AddStringToObject(metadata, pair[i].key, pair[i].value);
    size_t place = 0;
    for (int i = 0; i < count; i++) {
        cJSON *item = cJSON_AddObjectToObject(root, tensor[i].name);
        cJSON_AddStringToObject(item, "dtype", safetensors_name(tensor[i].dtype));
        cJSON *shape = cJSON_AddArrayToObject(item, "shape");
        for (int d = 0; d < tensor[i].dims; d++)
            cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)tensor[i].shape[d]));
        cJSON *offsets = cJSON_AddArrayToObject(item, "data_offsets");
        cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)place));
        place += tensor[i].bytes;
        cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)place));
    }
    return root;
}

/* Length field, JSON, padding, with the checksum in place; NULL when memory is short. */
static char *make_header(const safetensors_tensor *tensor, int count, const safetensors_pair *pair, int pairs, size_t *bytes)
{
    cJSON *root = describe(tensor, count, pair, pairs);
    char *json = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    if (!json)
        return NULL;
    size_t used = strlen(json), padded = (used + 7) / 8 * 8;
    char *header = malloc(8 + padded);
    XXH3_state_t *hash = XXH3_createState();
    if (header && hash) {
        for (int i = 0; i < 8; i++)
            header[i] = (char)(unsigned char)(padded >> (8 * i));
        memcpy(header + 8, json, used);
        memset(header + 8 + used, ' ', padded - used);
        char *digits = safetensors_header_blank(header + 8, padded);
        XXH3_64bits_reset(hash);
        XXH3_64bits_update(hash, header + 8, padded);
        for (int i = 0; i < count; i++)
            XXH3_64bits_update(hash, tensor[i].data, tensor[i].bytes);
        char text[SAFETENSORS_HASH_DIGITS + 1];
        snprintf(text, sizeof text, "%016llx", (unsigned long long)XXH3_64bits_digest(hash));
        memcpy(digits, text, SAFETENSORS_HASH_DIGITS);
        *bytes = 8 + padded;
    } else {
        free(header);
        header = NULL;
    }
    XXH3_freeState(hash);
    free(json);
    return header;
}

bool safetensors_write(const char *path, const safetensors_tensor *tensor, int count, const safetensors_pair *pair, int pairs,
                       fault *f)
{
    safetensors_tensor *sorted = malloc(((size_t)count + 1) * sizeof *sorted);
    file_part *part = malloc(((size_t)count + 1) * sizeof *part);
    char *header = NULL;
    if (sorted && part) {
        memcpy(sorted, tensor, (size_t)count * sizeof *sorted);
        qsort(sorted, (size_t)count, sizeof *sorted, by_size);
        header = make_header(sorted, count, pair, pairs, &part[0].bytes);
    }
    bool good = header != NULL;
    if (good) {
        part[0].data = header;
        for (int i = 0; i < count; i++)
            part[i + 1] = (file_part){.data = sorted[i].data, .bytes = sorted[i].bytes};
        good = file_write_atomic(path, part, count + 1, f);
    } else {
        fault_set(f, "%s: out of memory", path);
    }
    free(header);
    free(part);
    free(sorted);
    return good;
}
