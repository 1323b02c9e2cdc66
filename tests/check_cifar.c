/* check_cifar.c: CIFAR-100's binary form. Made-up files for the rules; the real ones, where they are, for the content.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/cifar.h"
#include "tests/folder.h"

enum { RECORD = 3074, PIXELS = 3072 };

static const double mean[] = {0.4914, 0.4822, 0.4465}, deviation[] = {0.2023, 0.1994, 0.2010};

static char folder[64];

static void setup(void)
{
    folder_make(folder);
}

static void teardown(void)
{
    folder_remove(folder);
}

/* A file of zeros (valid labels) with one record written into it; a hole takes no disk. */
static void make_file(const char *name, long long bytes, long long place, const unsigned char record[RECORD])
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(ftruncate(file, bytes), 0);
    if (record)
        ck_assert_int_eq(pwrite(file, record, RECORD, place * RECORD), RECORD);
    close(file);
}

static void make_record(unsigned char record[RECORD])
{
    record[0] = 7;
    record[1] = 42;
    for (int i = 0; i < PIXELS; i++)
        record[2 + i] = (unsigned char)(i * 31 + i / 1024 * 7);
}

static float expected(const unsigned char *record, int channel, int row, int column)
{
    double value = row < 0 || row > 31 || column < 0 || column > 31 ? 0 : record[2 + channel * 1024 + row * 32 + column];
    return (float)((value / 255 - mean[channel]) / deviation[channel]);
}

static dataset *open_set(bool train, bool augment, uint64_t seed)
{
    fault f = {""};
    dataset *d = cifar100_create(&(cifar_options){.folder = folder, .train = train, .augment = augment, .seed = seed}, &f);
    ck_assert_msg(d != NULL, "%s", f.text);
    return d;
}

START_TEST(a_record_becomes_an_image)
{
    unsigned char record[RECORD];
    float image[PIXELS];
    int32_t label;
    fault f;
    make_record(record);
    make_file("test.bin", 10000LL * RECORD, 9999, record);
    dataset *d = open_set(false, false, 0);
    ck_assert_int_eq((int)d->count, 10000);
    ck_assert_int_eq(d->classes, 100);
    ck_assert_uint_eq(dataset_floats(d), PIXELS);
    ck_assert(d->get(d, 9999, 0, image, &label, &f));
    ck_assert_int_eq(label, 42);
    for (int channel = 0; channel < 3; channel++)
        for (int i = 0; i < 1024; i++)
            ck_assert(fabsf(image[channel * 1024 + i] - expected(record, channel, i / 32, i % 32)) <= 1e-6f);
    ck_assert(d->get(d, 0, 0, image, &label, &f));
    ck_assert_int_eq(label, 0);
    d->destroy(d);
}
END_TEST

/* Which crop and flip this image is; -1 if it is none. */
static int recognise(const float *image, const unsigned char *record)
{
    for (int variant = 0; variant < 9 * 9 * 2; variant++) {
        int down = variant / 2 / 9 - 4, right = variant / 2 % 9 - 4, flip = variant % 2, same = 1;
        for (int i = 0; i < 1024 && same; i++) {
            int row = i / 32, column = i % 32;
            same = fabsf(image[i] - expected(record, 0, row + down, (flip ? 31 - column : column) + right)) <= 1e-6f;
        }
        if (same)
            return variant;
    }
    return -1;
}

START_TEST(augmentation_is_a_crop_and_a_flip)
{
    enum { EPOCHS = 4000 };
    unsigned char record[RECORD];
    float image[PIXELS], again[PIXELS];
    int32_t label;
    fault f;
    int down[9] = {0}, right[9] = {0}, flip[2] = {0};
    make_record(record);
    make_file("train.bin", 50000LL * RECORD, 3, record);
    dataset *d = open_set(true, true, 5), *other = open_set(true, true, 6);
    int differ = 0;
    for (uint32_t epoch = 0; epoch < EPOCHS; epoch++) {
        ck_assert(d->get(d, 3, epoch, image, &label, &f));
        int variant = recognise(image, record);
        ck_assert_int_ge(variant, 0);
        down[variant / 2 / 9]++;
        right[variant / 2 % 9]++;
        flip[variant % 2]++;
        if (epoch < 100) {
            ck_assert(d->get(d, 3, epoch, again, &label, &f));
            ck_assert_int_eq(memcmp(image, again, sizeof image), 0);
            ck_assert(other->get(other, 3, epoch, again, &label, &f));
            differ += memcmp(image, again, sizeof image) != 0;
        }
    }
    ck_assert_int_gt(differ, 90);
    for (int i = 0; i < 9; i++) { /* five standard deviations */
        double spread = 5 * sqrt(EPOCHS / 9.0 * (1 - 1 / 9.0));
        ck_assert(fabs(down[i] - EPOCHS / 9.0) < spread && fabs(right[i] - EPOCHS / 9.0) < spread);
    }
    ck_assert(fabs(flip[0] - EPOCHS / 2.0) < 5 * sqrt(EPOCHS / 4.0));
    d->destroy(d);
    other->destroy(other);
}
END_TEST

static void refuse(bool train, const char *line)
{
    fault f = {""};
    dataset *d = cifar100_create(&(cifar_options){.folder = folder, .train = train}, &f);
    ck_assert_ptr_null(d);
    ck_assert_msg(strstr(f.text, line), "\"%s\" is not in \"%s\"", line, f.text);
    ck_assert_ptr_nonnull(strstr(f.text, train ? "train.bin" : "test.bin"));
    ck_assert_ptr_null(strchr(f.text, '\n'));
}

START_TEST(wrong_files_are_named)
{
    unsigned char record[RECORD];
    refuse(true, "no train.bin in");
    refuse(false, "xz -dc");
    make_file("test.bin", 0, 0, NULL);
    refuse(false, "0 bytes, 30740000 are wanted (10000 records of 3074 bytes)");
    make_file("test.bin", 10000LL * RECORD - 1, 0, NULL);
    refuse(false, "cut off, or not CIFAR-100");
    make_file("test.bin", 9000LL * RECORD, 0, NULL);
    refuse(false, "records are missing");
    make_file("test.bin", 50000LL * RECORD, 0, NULL);
    refuse(false, "not this part of CIFAR-100");
    make_file("train.bin", 30730000, 0, NULL); /* a batch of CIFAR-10 */
    refuse(true, "cut off, or not CIFAR-100: 30730000 bytes, 153700000 are wanted");
    make_record(record);
    record[1] = 100;
    make_file("test.bin", 10000LL * RECORD, 77, record);
    refuse(false, "record 77 has labels 7 and 100, at most 19 and 99 are possible: not CIFAR-100");
    record[0] = 20;
    record[1] = 0;
    make_file("test.bin", 10000LL * RECORD, 77, record);
    refuse(false, "record 77 has labels 20 and 0");
    fault f = {""};
    ck_assert_ptr_null(cifar100_create(&(cifar_options){.folder = ""}, &f));
    ck_assert_ptr_nonnull(strstr(f.text, "--data"));
    char path[256];
    snprintf(path, sizeof path, "%s/test.bin", folder);
    unlink(path);
    mkdir(path, 0777);
    refuse(false, "not a regular file");
}
END_TEST

START_TEST(also_in_the_folder_of_the_archive)
{
    char path[256];
    snprintf(path, sizeof path, "%s/cifar-100-binary", folder);
    ck_assert_int_eq(mkdir(path, 0777), 0);
    make_file("cifar-100-binary/test.bin", 10000LL * RECORD, 0, NULL);
    dataset *d = open_set(false, false, 0);
    d->destroy(d);
}
END_TEST

/* The real data: first labels, class counts, mean and spread of the channels, all published. */
static void check_real(bool train)
{
    static const int first[] = {19, 29, 0, 11, 1, 86, 90, 28, 23, 31, 39, 96, 82, 17, 71, 39, 8, 97, 80, 71};
    static const double real_mean[2][3] = {{0.5087964127604174, 0.4873930131741691, 0.4419422112438727},
                                           {0.5070751592371326, 0.4865488733149525, 0.4409178433670350}};
    static const double real_std[2][3] = {{0.2682515741720804, 0.2573637364478124, 0.2770957707973040},
                                          {0.2673342858792403, 0.2564384629170879, 0.2761504713256837}};
    const char *data = getenv("SO_DATA");
    fault f = {""};
    dataset *d = cifar100_create(&(cifar_options){.folder = data ? data : ".", .train = train}, &f);
    if (!d) {
        printf("check_cifar: real %s skipped: %s\n", train ? "train.bin" : "test.bin", f.text);
        return;
    }
    int count[100] = {0};
    double sum[3] = {0}, square[3] = {0};
    float image[PIXELS];
    for (int64_t i = 0; i < d->count; i++) {
        int32_t label;
        ck_assert(d->get(d, (uint64_t)i, 0, image, &label, &f));
        count[label]++;
        if (train && i < 20)
            ck_assert_int_eq(label, first[i]);
        for (int k = 0; k < PIXELS; k++) {
            double value = (double)image[k] * deviation[k / 1024] + mean[k / 1024];
            sum[k / 1024] += value;
            square[k / 1024] += value * value;
        }
    }
    for (int c = 0; c < 100; c++)
        ck_assert_int_eq(count[c], (int)d->count / 100);
    for (int c = 0; c < 3; c++) {
        double n = (double)d->count * 1024, m = sum[c] / n;
        ck_assert(fabs(m - real_mean[train][c]) < 1e-6);
        ck_assert(fabs(sqrt(square[c] / n - m * m) - real_std[train][c]) < 1e-6);
    }
    d->destroy(d);
}

START_TEST(real_data)
{
    check_real(true);
    check_real(false);
}
END_TEST

Suite *check_cifar(void);
Suite *check_cifar(void)
{
    Suite *suite = suite_create("cifar");
    TCase *all = tcase_create("files");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, a_record_becomes_an_image);
    tcase_add_test(all, augmentation_is_a_crop_and_a_flip);
    tcase_add_test(all, wrong_files_are_named);
    tcase_add_test(all, also_in_the_folder_of_the_archive);
    tcase_add_test(all, real_data);
    tcase_set_timeout(all, 120);
    suite_add_tcase(suite, all);
    return suite;
}
