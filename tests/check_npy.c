/* check_npy.c: bench/npy.c on good, foreign and hostile files.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/npy.h"

static char path[64];
static char message[NPY_MESSAGE];

static void make_path(void)
{
    strcpy(path, "/tmp/check_npy_XXXXXX");
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    close(file);
}

static void remove_path(void)
{
    remove(path);
}

static void write_bytes(const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, count, file), count);
    ck_assert_int_eq(fclose(file), 0);
}

/* A file of the given version with this dictionary and `data` bytes of zeros behind it. */
static void write_file(int version, const char *dictionary, size_t data)
{
    size_t length = strlen(dictionary), head = version == 1 ? 10 : 12;
    unsigned char *bytes = calloc(head + length + data, 1);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, "\x93NUMPY", 6);
    bytes[6] = (unsigned char)version;
    bytes[8] = (unsigned char)length;
    bytes[9] = (unsigned char)(length >> 8);
    memcpy(bytes + head, dictionary, length);
    write_bytes(bytes, head + length + data);
    free(bytes);
}

/* The message names the file and holds `defect`; the output is as it was. */
static void expect_refusal(const char *defect)
{
    npy_stack stack = {.bytes = -7};
    ck_assert_msg(!npy_read(path, &stack, message), "accepted a file that should be refused for: %s", defect);
    ck_assert_msg(strstr(message, path) && strstr(message, defect), "'%s' does not hold '%s'", message, defect);
    ck_assert_ptr_null(strchr(message, '\n'));
    ck_assert_int_eq(stack.bytes, -7);
}

START_TEST(round_trip)
{
    for (int bytes = 4; bytes <= 8; bytes += 4)
        for (int n = 0; n <= 5; n++)
            for (int64_t batch = 0; batch <= 3; batch++) {
                size_t size = (size_t)batch * (size_t)n * (size_t)n * (size_t)bytes;
                unsigned char *data = malloc(size + 1);
                for (size_t i = 0; i < size; i++)
                    data[i] = (unsigned char)(i * 37 + 11);
                npy_stack out = {.bytes = bytes, .batch = batch, .n = n, .data = data}, in = {0};
                ck_assert_msg(npy_write(path, &out, message), "%s", message);
                ck_assert_msg(npy_read(path, &in, message), "%s", message);
                ck_assert_int_eq(in.bytes, bytes);
                ck_assert_int_eq(in.batch, batch);
                ck_assert_int_eq(in.n, n);
                ck_assert_int_eq(memcmp(in.data, data, size), 0);
                npy_free(&in);
                free(data);
            }
}
END_TEST

/* What numpy.load asks of the layout. */
START_TEST(written_header_is_canonical)
{
    double data[4] = {1, 2, 3, 4};
    npy_stack out = {.bytes = 8, .batch = 1, .n = 2, .data = data};
    ck_assert_msg(npy_write(path, &out, message), "%s", message);
    char bytes[256];
    FILE *file = fopen(path, "rb");
    size_t count = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    size_t start = count - sizeof data;
    ck_assert_uint_eq(start % 64, 0);
    ck_assert_int_eq(bytes[start - 1], '\n');
    ck_assert_int_eq(memcmp(bytes, "\x93NUMPY\x01\x00", 8), 0);
    ck_assert_int_eq(strncmp(bytes + 10, "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2, 2), }", 61), 0);
    ck_assert_int_eq(memcmp(bytes + start, data, sizeof data), 0);
}
END_TEST

START_TEST(foreign_but_valid_headers)
{
    static const char *const good[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 3), }      \n",
        "{\"shape\":(2,3,3),\"fortran_order\":False,\"descr\":\"<f4\"}",
        "{'fortran_order': False, 'shape': (2, 3, 3,), 'descr': '<f4'}\n",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        for (int version = 1; version <= 2; version++) {
            npy_stack stack = {0};
            write_file(version, good[i], 72);
            ck_assert_msg(npy_read(path, &stack, message), "%s", message);
            ck_assert_int_eq(stack.batch, 2);
            ck_assert_int_eq(stack.n, 3);
            ck_assert_int_eq(stack.bytes, 4);
            npy_free(&stack);
        }
}
END_TEST

static const struct {
    const char *dictionary;
    size_t data;
    const char *defect;
} bad_headers[] = {
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 3), }", 71, "truncated"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 3), }", 0, "truncated"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 3), }", 73, "too many"},
    {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3, 3), }", 72, "Fortran"},
    {"{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3, 3), }", 72, "big-endian"},
    {"{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3, 3), }", 36, "'<f2'"},
    {"{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3, 3), }", 144, "'<i8'"},
    {"{'descr': '|O', 'fortran_order': False, 'shape': (2, 3, 3), }", 72, "'|O'"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3), }", 36, "2 dimensions"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 4, "0 dimensions"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (9,), }", 36, "1 dimensions"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 3, 3), }", 36, "4 dimensions"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 4), }", 96, "not square"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 40000, 40000), }", 0, "too large"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 2, 2), }", 0, "too large"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000, 2, 2), }", 0, "truncated"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 3, 3), }", 36, "damaged header"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 3, 3), }", 36, "damaged header"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1), }", 4, "damaged header"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2 3 3), }", 72, "damaged header"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 3)", 72, "damaged header"},
    {"{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2, 3, 3), }", 72, "damaged header"},
    {"{'descr': '<f4', 'fortran_order': False}", 72, "damaged header"},
    {"{'shape': (2, 3, 3), 'fortran_order': False}", 72, "damaged header"},
    {"{'descr': '<f4', 'shape': (2, 3, 3)}", 72, "damaged header"},
    {"{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2, 3, 3), }", 72, "damaged header"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 3), 'more': 1}", 72, "damaged header"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 3), } trailing", 72, "damaged header"},
    {"{'descr': '<f4000000000000000000000000', 'fortran_order': False, 'shape': (2, 3, 3), }", 72, "damaged header"},
    {"", 0, "damaged header"},
};

START_TEST(bad_header_is_named)
{
    for (int version = 1; version <= 2; version++) {
        write_file(version, bad_headers[_i].dictionary, bad_headers[_i].data);
        expect_refusal(bad_headers[_i].defect);
    }
}
END_TEST

START_TEST(bad_start_is_named)
{
    write_bytes("", 0);
    expect_refusal("truncated");
    write_bytes("\x93NUMPY\x01", 7);
    expect_refusal("truncated");
    write_bytes("PK\x03\x04 a zip file, .npz", 21);
    expect_refusal("wrong magic");
    write_bytes("\x93NUMPY\x03\x00\x10\x00\x00\x00", 12);
    expect_refusal("version 3.0");
    write_bytes("\x93NUMPY\x01\x00\xff\x00{", 11);
    expect_refusal("truncated");
    write_bytes("\x93NUMPY\x02\x00\xff\x00", 10);
    expect_refusal("truncated");
    write_bytes("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12);
    expect_refusal("not credible");
    write_bytes("\x93NUMPY\x01\x00\x04\x00{\0}\n", 14);
    expect_refusal("damaged header");
}
END_TEST

/* Every prefix of a good file is refused, none crashes. */
START_TEST(every_prefix_is_refused)
{
    float data[18] = {0};
    npy_stack out = {.bytes = 4, .batch = 2, .n = 3, .data = data};
    ck_assert_msg(npy_write(path, &out, message), "%s", message);
    char bytes[512];
    FILE *file = fopen(path, "rb");
    size_t count = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t length = 0; length < count; length++) {
        write_bytes(bytes, length);
        expect_refusal("truncated");
    }
}
END_TEST

START_TEST(places_that_are_no_files)
{
    npy_stack stack = {.bytes = 4};
    ck_assert(!npy_read("/tmp/there/is/no/such.npy", &stack, message));
    ck_assert_ptr_nonnull(strstr(message, "No such file"));
    ck_assert(!npy_read("/tmp", &stack, message));
    ck_assert_ptr_nonnull(strstr(message, "not a regular file"));
    ck_assert(!npy_write("/tmp/there/is/no/such.npy", &stack, message));
    ck_assert_ptr_nonnull(strstr(message, "could not be written"));
}
END_TEST

/* A failing write leaves the old file as it was. */
START_TEST(full_disk)
{
    float data[4] = {0};
    npy_stack stack = {.bytes = 4, .batch = 1, .n = 2, .data = data};
    char beside[80];
    snprintf(beside, sizeof beside, "%s.part", path);
    write_bytes("old", 3);
    ck_assert_int_eq(symlink("/dev/full", beside), 0);
    ck_assert(!npy_write(path, &stack, message));
    ck_assert_ptr_nonnull(strstr(message, "could not be written"));
    expect_refusal("truncated");
    remove(beside);
}
END_TEST

Suite *check_npy(void)
{
    Suite *suite = suite_create("npy");
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, make_path, remove_path);
    tcase_add_test(files, round_trip);
    tcase_add_test(files, written_header_is_canonical);
    tcase_add_test(files, foreign_but_valid_headers);
    tcase_add_loop_test(files, bad_header_is_named, 0, (int)(sizeof bad_headers / sizeof *bad_headers));
    tcase_add_test(files, bad_start_is_named);
    tcase_add_test(files, every_prefix_is_refused);
    tcase_add_test(files, places_that_are_no_files);
    tcase_add_test(files, full_disk);
    suite_add_tcase(suite, files);
    return suite;
}
