/* safetensors.c: the reader.
 * SPDX-License-Identifier: MIT */
#include "io/safetensors.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "io/safetensors_header.h"

#define HEADER_LIMIT 100000000u /* the limit of the format's own reader */
#define ALIGNMENT 64

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {{"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"I16", 2}, {"U16", 2}, {"F16", 2}, {"BF16", 2},
              {"I32", 4},  {"U32", 4}, {"F32", 4}, {"I64", 8}, {"U64", 8}, {"F64", 8}};

size_t safetensors_size(safetensors_dtype dtype)
{
    return dtypes[dtype].size;
}

const char *safetensors_name(safetensors_dtype dtype)
{
    return dtypes[dtype].name;
}

/* A tensor of the header with the place of its data. */
typedef struct entry {
    safetensors_tensor tensor;
    uint64_t begin, end;
} entry;

/* A JSON number that is an integer of 0..2^53. */
static bool whole(const cJSON *item, uint64_t *value)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= 0x1p53))
        return false;
    *value = (uint64_t)item->valuedouble;
    return (double)*value == item->valuedouble;
}

static const char *parse_tensor(const cJSON *item, entry *e)
{
    if (!cJSON_IsObject(item) || cJSON_GetArraySize(item) != 3)
        return "must have exactly dtype, shape and data_offsets";
    const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(item, "dtype");
    const cJSON *shape = cJSON_GetObjectItemCaseSensitive(item, "shape");
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(item, "data_offsets");
    if (!cJSON_IsString(dtype) || !cJSON_IsArray(shape) || !cJSON_IsArray(offsets))
        return "must have exactly dtype, shape and data_offsets";

    size_t kind = 0, kinds = sizeof dtypes / sizeof dtypes[0];
    while (kind < kinds && strcmp(dtypes[kind].name, dtype->valuestring) != 0)
        kind++;
    if (kind == kinds)
        return "has a dtype that this reader does not know";
    e->tensor.dtype = (safetensors_dtype)kind;

    e->tensor.dims = cJSON_GetArraySize(shape);
    if (e->tensor.dims > SAFETENSORS_DIMS)
        return "has more than 8 dimensions";
    uint64_t elements = 1;
    int d = 0;
    for (const cJSON *size = shape->child; size; size = size->next, d++) {
        uint64_t extent;
        if (!whole(size, &extent))
            return "has a shape that is not made of whole numbers";
        if (__builtin_mul_overflow(elements, extent, &elements))
            return "has a shape whose product overflows";
        e->tensor.shape[d] = (int64_t)extent;
    }
    if (cJSON_GetArraySize(offsets) != 2 || !whole(offsets->child, &e->begin) || !whole(offsets->child->next, &e->end))
        return "has data_offsets that are not two whole numbers";
    uint64_t bytes;
    if (__builtin_mul_overflow(elements, (uint64_t)dtypes[kind].size, &bytes) || e->end < e->begin ||
        e->end - e->begin != bytes)
        return "has data_offsets that do not fit its shape and dtype";
    e->tensor.bytes = (size_t)bytes;
    e->tensor.name = item->string;
    return NULL;
}

static int by_place(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* True when all keys of the object differ; a repeated key would let two readers see two different files. */
static bool keys_differ(const cJSON *object)
{
    size_t count = (size_t)cJSON_GetArraySize(object), i = 0;
    const char **key = malloc((count + 1) * sizeof *key);
    if (!key)
        return false;
    for (const cJSON *item = object->child; item; item = item->next)
        key[i++] = item->string;
    qsort(key, count, sizeof *key, by_text);
    bool differ = true;
    for (i = 1; i < count && differ; i++)
        differ = strcmp(key[i - 1], key[i]) != 0;
    free(key);
    return differ;
}

static bool read_header(FILE *in, uint64_t file_bytes, const char *path, char **header, uint64_t *length, fault *f)
{
    unsigned char prefix[8];
    if (file_bytes < 8 || fread(prefix, 1, 8, in) != 8)
        return fault_set(f, "%s: not a safetensors file: shorter than its 8-byte length field", path);
    uint64_t n = 0;
    for (int i = 7; i >= 0; i--)
        n = n << 8 | prefix[i];
    if (n > HEADER_LIMIT || n < 2)
        return fault_set(f, "%s: not a safetensors file: a header of %llu bytes is announced", path, (unsigned long long)n);
    if (n > file_bytes - 8)
        return fault_set(f, "%s: truncated: the header of %llu bytes does not fit the file of %llu bytes", path,
                         (unsigned long long)n, (unsigned long long)file_bytes);
    char *text = malloc((size_t)n + 1);
    if (!text)
        return fault_set(f, "%s: out of memory", path);
    text[n] = 0;
    *header = text;
    *length = n;
    if (fread(text, 1, (size_t)n, in) != n)
        return fault_set(f, "%s: cannot read the header: %s", path, ferror(in) ? strerror(errno) : "the file ended");
    return true;
}

static bool parse_metadata(safetensors *s, const cJSON *metadata, const char *path, fault *f)
{
    if (!cJSON_IsObject(metadata) || !keys_differ(metadata))
        return fault_set(f, "%s: __metadata__ must be an object without repeated keys", path);
    s->pair = calloc((size_t)cJSON_GetArraySize(metadata) + 1, sizeof *s->pair);
    if (!s->pair)
        return fault_set(f, "%s: out of memory", path);
    for (const cJSON *item = metadata->child; item; item = item->next) {
        if (!cJSON_IsString(item))
            return fault_set(f, "%s: __metadata__ key %s must be a string", path, item->string);
        s->pair[s->pairs++] = (safetensors_pair){.key = item->string, .value = item->valuestring};
    }
    return true;
}

/* Header to entries in the order of their data, without holes and without overlap. */
static entry *parse_header(safetensors *s, const char *header, uint64_t length, uint64_t data_bytes, const char *path, fault *f)
{
    const char *problem = safetensors_header_check(header, (size_t)length);
    const char *end = NULL;
    if (!problem) {
        s->json = cJSON_ParseWithLengthOpts(header, (size_t)length + 1, &end, false);
        if (!s->json || end[strspn(end, " ")] != 0 || !cJSON_IsObject((cJSON *)s->json))
            problem = "the header is not one JSON object padded with spaces";
        else if (!keys_differ(s->json))
            problem = "a name is repeated in the header";
    }
    if (problem) {
        fault_set(f, "%s: not a valid safetensors file: %s", path, problem);
        return NULL;
    }
    entry *e = calloc((size_t)cJSON_GetArraySize(s->json) + 1, sizeof *e);
    if (!e) {
        fault_set(f, "%s: out of memory", path);
        return NULL;
    }
    for (const cJSON *item = ((cJSON *)s->json)->child; item; item = item->next) {
        if (strcmp(item->string, "__metadata__") == 0) {
            if (!parse_metadata(s, item, path, f))
                goto refuse;
            continue;
        }
        problem = parse_tensor(item, &e[s->count]);
        if (problem) {
            fault_set(f, "%s: tensor %s %s", path, item->string, problem);
            goto refuse;
        }
        s->count++;
    }
    qsort(e, (size_t)s->count, sizeof *e, by_place);
    uint64_t place = 0;
    for (int i = 0; i < s->count; i++) {
        if (e[i].begin != place) {
            fault_set(f, "%s: tensor %s begins at byte %llu of the data, %llu is wanted: no holes, no overlap", path,
                      e[i].tensor.name, (unsigned long long)e[i].begin, (unsigned long long)place);
            goto refuse;
        }
        place = e[i].end;
    }
    if (place == data_bytes)
        return e;
    fault_set(f, "%s: %s: its tensors take %llu bytes, the file has %llu", path, place > data_bytes ? "truncated" : "too long",
              (unsigned long long)place, (unsigned long long)data_bytes);
refuse:
    free(e);
    return NULL;
}

static bool read_data(safetensors *s, entry *e, FILE *in, XXH3_state_t *hash, const char *path, fault *f)
{
    size_t total = ALIGNMENT;
    for (int i = 0; i < s->count; i++)
        total += (e[i].tensor.bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    s->memory = aligned_alloc(ALIGNMENT, total);
    s->tensor = calloc((size_t)s->count + 1, sizeof *s->tensor);
    if (!s->memory || !s->tensor)
        return fault_set(f, "%s: out of memory for %zu bytes", path, total);
    char *place = s->memory;
    for (int i = 0; i < s->count; i++) {
        size_t bytes = e[i].tensor.bytes;
        if (fread(place, 1, bytes, in) != bytes)
            return fault_set(f, "%s: cannot read tensor %s: %s", path, e[i].tensor.name,
                             ferror(in) ? strerror(errno) : "the file ended");
        XXH3_64bits_update(hash, place, bytes);
        e[i].tensor.data = place;
        s->tensor[i] = e[i].tensor;
        place += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
    return true;
}

static bool check_hash(const safetensors *s, XXH3_state_t *hash, const char *path, fault *f)
{
    const char *stored = safetensors_metadata(s, SAFETENSORS_HASH_KEY);
    char computed[SAFETENSORS_HASH_DIGITS + 1];
    snprintf(computed, sizeof computed, "%016llx", (unsigned long long)XXH3_64bits_digest(hash));
    if (stored && strcmp(stored, computed) != 0)
        return fault_set(f, "%s: damaged: its checksum is %s, the content has %s", path, stored, computed);
    return true;
}

static bool read_all(safetensors *s, FILE *in, XXH3_state_t *hash, const char *path, fault *f)
{
    struct stat status;
    if (fstat(fileno(in), &status) != 0 || !S_ISREG(status.st_mode))
        return fault_set(f, "%s: not a regular file", path);
    char *header = NULL;
    uint64_t length = 0, file_bytes = (uint64_t)status.st_size;
    bool good = read_header(in, file_bytes, path, &header, &length, f);
    entry *e = good ? parse_header(s, header, length, file_bytes - 8 - length, path, f) : NULL;
    if (e) {
        safetensors_header_blank(header, (size_t)length);
        XXH3_64bits_update(hash, header, (size_t)length);
    }
    good = e && read_data(s, e, in, hash, path, f) && check_hash(s, hash, path, f);
    free(e);
    free(header);
    return good;
}

safetensors *safetensors_read(const char *path, fault *f)
{
    FILE *in = fopen(path, "rb");
    if (!in) {
        fault_set(f, "%s: cannot read: %s", path, strerror(errno));
        return NULL;
    }
    safetensors *s = calloc(1, sizeof *s);
    XXH3_state_t *hash = XXH3_createState();
    bool good = s && hash;
    if (good) {
        XXH3_64bits_reset(hash);
        good = read_all(s, in, hash, path, f);
    } else {
        fault_set(f, "%s: out of memory", path);
    }
    XXH3_freeState(hash);
    fclose(in);
    if (good)
        return s;
    safetensors_free(s);
    return NULL;
}

void safetensors_free(safetensors *s)
{
    if (!s)
        return;
    cJSON_Delete(s->json);
    free(s->tensor);
    free(s->pair);
    free(s->memory);
    free(s);
}

const safetensors_tensor *safetensors_find(const safetensors *s, const char *name)
{
    for (int i = 0; i < s->count; i++)
        if (strcmp(s->tensor[i].name, name) == 0)
            return &s->tensor[i];
    return NULL;
}

const char *safetensors_metadata(const safetensors *s, const char *key)
{
    for (int i = 0; i < s->pairs; i++)
        if (strcmp(s->pair[i].key, key) == 0)
            return s->pair[i].value;
    return NULL;
}

const float *safetensors_f32(const safetensors *s, const char *name, int64_t elements, fault *f)
{
    const safetensors_tensor *t = safetensors_find(s, name);
    if (!t)
        fault_set(f, "there is no tensor %s in the file", name);
    else if (t->dtype != SAFETENSORS_F32)
        fault_set(f, "tensor %s is %s, F32 is wanted", name, safetensors_name(t->dtype));
    else if (t->bytes != (size_t)elements * sizeof(float))
        fault_set(f, "tensor %s has %zu elements, %lld are wanted", name, t->bytes / sizeof(float), (long long)elements);
    else
        return t->data;
    return NULL;
}
