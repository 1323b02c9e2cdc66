/* cifar.h: CIFAR-100 in its official binary form: train.bin (50,000 records) and test.bin (10,000) of 3,074 bytes each:
 * coarse label, fine label, then 32 x 32 red, green and blue.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_DATA_CIFAR_H
#define HARNESS_DATA_CIFAR_H

#include "data/dataset.h"

typedef struct cifar_options {
    const char *folder; /* holds the files, or a folder cifar-100-binary with them */
    bool train;         /* train.bin, otherwise test.bin */
    bool augment;       /* crop of 32 x 32 from the image with a black border of 4, and a left-right flip, each uniform */
    uint64_t seed;      /* of the augmentation */
} cifar_options;

/* Pixels are (value/255 - mean)/std with the constants of LieRE's code (those of CIFAR-10). The label is the fine one.
 * NULL and a line in *f if the file is missing, cut off or something else. */
dataset *cifar100_create(const cifar_options *options, fault *f);

#endif
