/* check_safetensors.c: what is written reads back, and every broken rule of the format is found.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/safetensors.h"
#include "random.h"
#include "tests/folder.h"

static char folder[64];

static void setup(void)
{
    folder_make(folder);
}

static void teardown(void)
{
    folder_remove(folder);
}

/* A file with this header (padding as given) and so many bytes 0, 1, 2, .. of data. */
static safetensors *read_made(const char *header, size_t header_bytes, size_t data_bytes, fault *f)
{
    unsigned char file[2048];
    for (size_t i = 0; i < 8; i++)
        file[i] = (unsigned char)((uint64_t)header_bytes >> (8 * i));
    memcpy(file + 8, header, header_bytes);
    for (size_t i = 0; i < data_bytes; i++)
        file[8 + header_bytes + i] = (unsigned char)i;
    char path[256];
    folder_write(folder, "made.safetensors", file, 8 + header_bytes + data_bytes, path);
    return safetensors_read(path, f);
}

START_TEST(round_trip)
{
    float a[6] = {1, -2, 3.5f, 0, 1e-30f, 5}, scalar = 7;
    double b[2] = {1.0 / 3, -1};
    unsigned char c[3] = {1, 2, 3};
    int64_t d[1] = {-5};
    safetensors_tensor tensor[] = {
        {.name = "c \"q\" \n \xc3\xa9", .dtype = SAFETENSORS_U8, .dims = 1, .shape = {3}, .data = c, .bytes = sizeof c},
        {.name = "a", .dtype = SAFETENSORS_F32, .dims = 2, .shape = {2, 3}, .data = a, .bytes = sizeof a},
        {.name = "scalar", .dtype = SAFETENSORS_F32, .dims = 0, .data = &scalar, .bytes = sizeof scalar},
        {.name = "b", .dtype = SAFETENSORS_F64, .dims = 1, .shape = {2}, .data = b, .bytes = sizeof b},
        {.name = "d", .dtype = SAFETENSORS_I64, .dims = 1, .shape = {1}, .data = d, .bytes = sizeof d},
        {.name = "empty", .dtype = SAFETENSORS_F32, .dims = 2, .shape = {0, 4}, .data = a, .bytes = 0},
    };
    safetensors_pair pair[] = {{"config", "[a]\nb = \"c\"\n"}, {"step", "12"}};
    char path[256];
    fault f = {""};
    snprintf(path, sizeof path, "%s/x.safetensors", folder);
    ck_assert_msg(safetensors_write(path, tensor, 6, pair, 2, &f), "%s", f.text);
    safetensors *s = safetensors_read(path, &f);
    ck_assert_msg(s != NULL, "%s", f.text);
    ck_assert_int_eq(s->count, 6);
    for (int i = 0; i < 6; i++) {
        const safetensors_tensor *t = safetensors_find(s, tensor[i].name);
        ck_assert_ptr_nonnull(t);
        ck_assert_int_eq(t->dtype, tensor[i].dtype);
        ck_assert_int_eq(t->dims, tensor[i].dims);
        ck_assert_int_eq(memcmp(t->shape, tensor[i].shape, (size_t)t->dims * sizeof t->shape[0]), 0);
        ck_assert_uint_eq(t->bytes, tensor[i].bytes);
        ck_assert_int_eq(memcmp(t->data, tensor[i].data, t->bytes), 0);
        ck_assert_uint_eq((uintptr_t)t->data % 64, 0);
    }
    ck_assert_str_eq(safetensors_metadata(s, "config"), pair[0].value);
    ck_assert_str_eq(safetensors_metadata(s, "step"), "12");
    ck_assert_ptr_null(safetensors_metadata(s, "absent"));
    ck_assert_ptr_null(safetensors_find(s, "absent"));
    ck_assert(safetensors_f32(s, "a", 6, &f)[2] == 3.5f);
    ck_assert_ptr_null(safetensors_f32(s, "a", 5, &f));
    ck_assert_ptr_null(safetensors_f32(s, "b", 2, &f));
    ck_assert_ptr_null(safetensors_f32(s, "absent", 2, &f));
    /* by falling size, then by name: the order of the format's own writer */
    static const char *const order[] = {"b", "d", "a", "empty", "scalar"};
    for (int i = 0; i < 5; i++)
        ck_assert_str_eq(s->tensor[i].name, order[i]);
    safetensors_free(s);
    safetensors_free(NULL);
}
END_TEST

START_TEST(every_flipped_byte_is_found)
{
    float a[5] = {1, 2, 3, 4, 5};
    safetensors_tensor tensor = {.name = "a", .dtype = SAFETENSORS_F32, .dims = 1, .shape = {5}, .data = a, .bytes = sizeof a};
    char path[256];
    fault f = {""};
    snprintf(path, sizeof path, "%s/x.safetensors", folder);
    ck_assert(safetensors_write(path, &tensor, 1, &(safetensors_pair){"k", "v"}, 1, &f));
    FILE *in = fopen(path, "rb");
    char whole[1024], damaged[1024];
    size_t bytes = fread(whole, 1, sizeof whole, in);
    fclose(in);
    for (size_t i = 0; i < bytes; i++) {
        memcpy(damaged, whole, bytes);
        damaged[i] = (char)(damaged[i] ^ 1 << (i % 7));
        folder_write(folder, "damaged", damaged, bytes, path);
        f.text[0] = 0;
        /* The checksum's own key can lose its meaning; any other single flip must be seen. */
        safetensors *s = safetensors_read(path, &f);
        if (s) {
            ck_assert_ptr_null(safetensors_metadata(s, "xxh3_64"));
            safetensors_free(s);
        } else {
            ck_assert_str_ne(f.text, "");
        }
    }
    for (size_t length = 0; length < bytes; length++) {
        folder_write(folder, "cut", whole, length, path);
        ck_assert_ptr_null(safetensors_read(path, &f));
    }
}
END_TEST

#define TENSOR(dtype, shape, begin, end) "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"

static const struct {
    const char *header;
    size_t data;
    const char *line; /* NULL: valid */
} files[] = {
    {"{}", 0, NULL},
    {"{}      ", 0, NULL},
    {"{\"a\":" TENSOR("F32", "[2]", "0", "8") "}   ", 8, NULL},
    {"{\"__metadata__\":{\"k\":\"v\"},\"a\":" TENSOR("F32", "[]", "0", "4") "}", 4, NULL},
    {"{\"b\":" TENSOR("U8", "[3]", "0", "3") ",\"a\":" TENSOR("F32", "[1]", "3", "7") "}", 7, NULL}, /* unaligned is allowed */
    {"{\"a\":" TENSOR("F32", "[0]", "0", "0") ",\"b\":" TENSOR("F32", "[1]", "0", "4") "}", 4, NULL},
    {" {}", 0, "does not begin with {"},
    {"[]", 0, "does not begin with {"},
    {"{}x", 0, "not one JSON object"},
    {"{}{}", 0, "not one JSON object"},
    {"{\"a\":}", 0, "not one JSON object"},
    {"{\"a\":1}", 0, "tensor a must have exactly dtype, shape and data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 0, "must have exactly"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4, "must have exactly"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"shape\":[1]}}", 4, "must have exactly"},
    {"{\"a\":" TENSOR("F33", "[1]", "0", "4") "}", 4, "a dtype that this reader does not know"},
    {"{\"a\":" TENSOR("F32", "[-1]", "0", "4") "}", 4, "not made of whole numbers"},
    {"{\"a\":" TENSOR("F32", "[1.5]", "0", "4") "}", 4, "not made of whole numbers"},
    {"{\"a\":" TENSOR("F32", "[\"1\"]", "0", "4") "}", 4, "not made of whole numbers"},
    {"{\"a\":" TENSOR("F32", "[1,1,1,1,1,1,1,1,1]", "0", "4") "}", 4, "more than 8 dimensions"},
    {"{\"a\":" TENSOR("F32", "[4294967296,4294967296,4294967296]", "0", "4") "}", 4, "overflows"},
    {"{\"a\":" TENSOR("F64", "[4611686018427387904]", "0", "4") "}", 4, "whole numbers"},
    {"{\"a\":" TENSOR("F64", "[4503599627370496,1024]", "0", "4") "}", 4, "do not fit its shape"},
    {"{\"a\":" TENSOR("F32", "[1]", "0", "8") "}", 8, "do not fit its shape"},
    {"{\"a\":" TENSOR("F32", "[1]", "4", "0") "}", 4, "do not fit its shape"},
    {"{\"a\":" TENSOR("F32", "[1]", "0.5", "4.5") "}", 8, "not two whole numbers"},
    {"{\"a\":" TENSOR("F32", "[1]", "4", "8") "}", 8, "no holes"},
    {"{\"a\":" TENSOR("F32", "[1]", "0", "4") ",\"b\":" TENSOR("F32", "[1]", "8", "12") "}", 12, "no holes"},
    {"{\"a\":" TENSOR("F32", "[2]", "0", "8") ",\"b\":" TENSOR("F32", "[1]", "4", "8") "}", 8, "no overlap"},
    {"{\"a\":" TENSOR("F32", "[1]", "0", "4") ",\"b\":" TENSOR("F32", "[1]", "0", "4") "}", 4, "no overlap"},
    {"{\"a\":" TENSOR("F32", "[1]", "0", "4") ",\"a\":" TENSOR("F32", "[1]", "4", "8") "}", 8, "a name is repeated"},
    {"{\"a\":" TENSOR("F32", "[2]", "0", "8") "}", 7, "truncated"},
    {"{\"a\":" TENSOR("F32", "[2]", "0", "8") "}", 9, "too long"},
    {"{}", 1, "too long"},
    {"{\"__metadata__\":[]}", 0, "__metadata__ must be an object"},
    {"{\"__metadata__\":{\"k\":1}}", 0, "must be a string"},
    {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "without repeated keys"},
    {"{\"\xff\":" TENSOR("F32", "[1]", "0", "4") "}", 4, "not UTF-8"},
    {"{\"\xc0\x80\":" TENSOR("F32", "[1]", "0", "4") "}", 4, "not UTF-8"},
    {"{\"\xed\xa0\x80\":" TENSOR("F32", "[1]", "0", "4") "}", 4, "not UTF-8"},
    {"{\"a\\u0000b\":" TENSOR("F32", "[1]", "0", "4") "}", 4, "holds a NUL"},
    {"{\"__metadata__\":{\"xxh3_64\":\"0123456789abcdef\"}}", 0, "damaged"},
};

START_TEST(rules)
{
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        fault f = {""};
        safetensors *s = read_made(files[i].header, strlen(files[i].header), files[i].data, &f);
        if (files[i].line) {
            ck_assert_msg(s == NULL, "taken: %s", files[i].header);
            ck_assert_msg(strstr(f.text, files[i].line), "%s: \"%s\" instead of \"%s\"", files[i].header, f.text,
                          files[i].line);
        } else {
            ck_assert_msg(s != NULL, "%s: %s", files[i].header, f.text);
        }
        safetensors_free(s);
    }
}
END_TEST

START_TEST(short_and_foreign_files)
{
    char path[256];
    fault f = {""};
    folder_write(folder, "short", "1234567", 7, path);
    ck_assert_ptr_null(safetensors_read(path, &f));
    ck_assert_ptr_nonnull(strstr(f.text, "not a safetensors file"));
    folder_write(folder, "foreign", "\x89PNG\r\n\x1a\n0123456789", 18, path);
    ck_assert_ptr_null(safetensors_read(path, &f));
    ck_assert_ptr_nonnull(strstr(f.text, "not a safetensors file"));
    folder_write(folder, "long", "\x00\x10\x00\x00\x00\x00\x00\x00{}", 10, path);
    ck_assert_ptr_null(safetensors_read(path, &f));
    ck_assert_ptr_nonnull(strstr(f.text, "truncated"));
    folder_write(folder, "nul", "\x04\x00\x00\x00\x00\x00\x00\x00{}\0 ", 12, path);
    ck_assert_ptr_null(safetensors_read(path, &f));
    ck_assert_ptr_nonnull(strstr(f.text, "holds a NUL"));
    ck_assert_ptr_null(safetensors_read("/nonexistent/x", &f));
    ck_assert_str_eq(f.text, "/nonexistent/x: cannot read: No such file or directory");
    ck_assert_ptr_null(safetensors_read(folder, &f));
    ck_assert_ptr_nonnull(strstr(f.text, "not a regular file"));
}
END_TEST

/* Random damage to a valid header must never do worse than a refusal. */
START_TEST(random_damage)
{
    const char *header = "{\"__metadata__\":{\"k\":\"v\"},\"a\":" TENSOR("F32", "[2,3]", "0",
                                                                         "24") ",\"b\":" TENSOR("I64", "[1]", "24", "32") "}";
    size_t length = strlen(header);
    int taken = 0;
    for (uint64_t round = 0; round < 2000; round++) {
        random_sequence r = random_start(1, RANDOM_ANALYSIS, 0, round);
        char damaged[512];
        memcpy(damaged, header, length);
        for (uint32_t flips = 1 + random_below(&r, 3); flips > 0; flips--) {
            uint32_t place = random_below(&r, (uint32_t)length);
            damaged[place] = random_below(&r, 2) ? (char)random_below(&r, 256) : header[random_below(&r, (uint32_t)length)];
        }
        fault f;
        safetensors *s = read_made(damaged, length, 32, &f);
        for (int i = 0; s && i < s->count; i++)
            taken += ((const unsigned char *)s->tensor[i].data)[0] < 32;
        safetensors_free(s);
    }
    ck_assert_int_gt(taken, 0);
}
END_TEST

Suite *check_safetensors(void);
Suite *check_safetensors(void)
{
    Suite *suite = suite_create("safetensors");
    TCase *all = tcase_create("format");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, round_trip);
    tcase_add_test(all, every_flipped_byte_is_found);
    tcase_add_test(all, rules);
    tcase_add_test(all, short_and_foreign_files);
    tcase_add_test(all, random_damage);
    tcase_set_timeout(all, 60);
    suite_add_tcase(suite, all);
    return suite;
}
