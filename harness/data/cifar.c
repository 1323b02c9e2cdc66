/* SPDX-License-Identifier: MIT */
#include "data/cifar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/file.h"
#include "random.h"

#define SIDE 32
#define PLANE (SIDE * SIDE)
#define RECORD (2 + 3 * PLANE)
#define BORDER 4
#define COARSE_CLASSES 20
#define FINE_CLASSES 100

static const float mean[3] = {0.4914f, 0.4822f, 0.4465f};
static const float deviation[3] = {0.2023f, 0.1994f, 0.2010f};

typedef struct cifar_set {
    dataset base;
    bool augment;
    uint64_t seed;
    unsigned char *record;
} cifar_set;

static bool get(const dataset *d, uint64_t sample, uint32_t epoch, float *image, int32_t *label, fault *f)
{
    (void)f;
    const cifar_set *set = (const cifar_set *)d;
    const unsigned char *record = set->record + sample * RECORD;
    int down = 0, right = 0;
    bool flip = false;
    if (set->augment) {
        random_sequence s = random_start(set->seed, RANDOM_AUGMENT, epoch, sample);
        down = (int)random_below(&s, 2 * BORDER + 1) - BORDER;
        right = (int)random_below(&s, 2 * BORDER + 1) - BORDER;
        flip = random_below(&s, 2);
    }
    *label = record[1];
    for (int channel = 0; channel < 3; channel++) {
        const unsigned char *plane = record + 2 + channel * PLANE;
        for (int row = 0; row < SIDE; row++)
            for (int column = 0; column < SIDE; column++) {
                int from_row = row + down, from_column = (flip ? SIDE - 1 - column : column) + right;
                bool inside = from_row >= 0 && from_row < SIDE && from_column >= 0 && from_column < SIDE;
                float value = inside ? (float)plane[from_row * SIDE + from_column] / 255.0f : 0.0f;
                *image++ = (value - mean[channel]) / deviation[channel];
            }
    }
    return true;
}

static void destroy(dataset *d)
{
    free(((cifar_set *)d)->record);
    free(d);
}

/* Opens folder/name or folder/cifar-100-binary/name. */
static FILE *open_split(const char *folder, const char *name, char **path, fault *f)
{
    char inner[64];
    snprintf(inner, sizeof inner, "cifar-100-binary/%s", name);
    *path = file_path(folder, name);
    FILE *in = *path ? fopen(*path, "rb") : NULL;
    if (*path && !in && errno == ENOENT) {
        free(*path);
        *path = file_path(folder, inner);
        in = *path ? fopen(*path, "rb") : NULL;
    }
    if (!in)
        fault_set(
            f,
            "CIFAR-100: no %s in %s nor in its cifar-100-binary (%s); put the official binary version there (--data names "
            "the folder; unpack parts with: cat train.bin.part?.xz | xz -dc > train.bin; xz -dc test.bin.xz > test.bin)",
            name, folder, strerror(errno));
    return in;
}

static bool read_records(cifar_set *set, FILE *in, const char *path, fault *f)
{
    long long expected = (long long)set->base.count * RECORD;
    struct stat status;
    if (fstat(fileno(in), &status) != 0 || !S_ISREG(status.st_mode))
        return fault_set(f, "%s: not a regular file; CIFAR-100's binary version is wanted", path);
    if (status.st_size != expected)
        return fault_set(f, "%s: %s: %lld bytes, %lld are wanted (%lld records of %d bytes); unpack or download it again", path,
                         status.st_size % RECORD == 0 && status.st_size < expected ? "records are missing"
                         : status.st_size < expected                               ? "cut off, or not CIFAR-100"
                                                                                   : "not this part of CIFAR-100",
                         (long long)status.st_size, expected, (long long)set->base.count, RECORD);
    set->record = malloc((size_t)expected);
    if (!set->record)
        return fault_set(f, "%s: out of memory for %lld bytes", path, expected);
    if (fread(set->record, 1, (size_t)expected, in) != (size_t)expected)
        return fault_set(f, "%s: cannot read: %s", path, ferror(in) ? strerror(errno) : "the file ended");
    for (int64_t i = 0; i < set->base.count; i++) {
        const unsigned char *r = set->record + i * RECORD;
        if (r[0] >= COARSE_CLASSES || r[1] >= FINE_CLASSES)
            return fault_set(f, "%s: record %lld has labels %d and %d, at most %d and %d are possible: not CIFAR-100", path,
                             (long long)i, r[0], r[1], COARSE_CLASSES - 1, FINE_CLASSES - 1);
    }
    return true;
}

dataset *cifar100_create(const cifar_options *o, fault *f)
{
    if (!o->folder[0]) {
        fault_set(f, "CIFAR-100: no folder given; name the one that holds train.bin and test.bin with --data");
        return NULL;
    }
    char *path = NULL;
    FILE *in = open_split(o->folder, o->train ? "train.bin" : "test.bin", &path, f);
    cifar_set *set = in ? calloc(1, sizeof *set) : NULL;
    bool good = false;
    if (set) {
        set->base = (dataset){.count = o->train ? 50000 : 10000,
                              .channels = 3,
                              .size = {SIDE, SIDE},
                              .classes = FINE_CLASSES,
                              .get = get,
                              .destroy = destroy};
        set->augment = o->augment;
        set->seed = o->seed;
        good = read_records(set, in, path, f);
    }
    if (in)
        fclose(in);
    free(path);
    if (good)
        return &set->base;
    if (set)
        destroy(&set->base);
    return NULL;
}
