/* encodings.h: the positional encodings of the benchmarks on a GPU, in f32, at the sizes of the paper's networks: 12 layers of 12 heads,
 * 64 numbers a head. Generators as LieRE starts: entries 2 pi U(0, 1) right of the diagonal.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_GPU_ENCODINGS_H
#define BENCH_GPU_ENCODINGS_H

#include <math.h>

#include "libso/so.h"

typedef struct encoding_case {
    const char *name;
    so_encoding e;
} encoding_case;

static const encoding_case encoding_cases[] = {
    {"cifar", {SO_AUTO, 2, 64, 144, 65}},       /* LieRE-64: 9,360 rotations */
    {"cifar", {SO_AUTO, 2, 8, 144, 65}},        /* as many of order 8 */
    {"cifar", {SO_AUTO, 2, 8, 144 * 8, 65}},    /* LieRE-8: eight tiles a head */
    {"cifar", {SO_AUTO, 2, 2, 144 * 32, 65}},   /* RoPE-Mixed */
    {"ucf101", {SO_AUTO, 3, 64, 144, 785}},     /* 113,040 rotations */
};
enum { ENCODINGS = sizeof encoding_cases / sizeof *encoding_cases };

/* Coordinate d of token t: token 0 at the origin, the others on a grid of [0, 1). */
static inline double encoding_position(const so_encoding *e, int64_t t, int d)
{
    int64_t side = 1, place = t - 1;
    while (pow((double)side, e->dims) < (double)(e->tokens - 1))
        side++;
    for (; d > 0; d--)
        place /= side;
    return t ? (double)(place % side) / (double)side : 0;
}

#endif
