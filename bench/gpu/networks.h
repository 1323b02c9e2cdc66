/* networks.h: what the benchmarks on a GPU take from the paper's networks: 12 layers of 12 heads, 64 numbers a head. Positional
 * encodings of all layers, generators as LieRE starts: entries 2 pi U(0, 1) right of the diagonal; queries, or keys, of one layer.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_GPU_NETWORKS_H
#define BENCH_GPU_NETWORKS_H

#include <math.h>

#include "libso/so.h"

typedef struct encoding_case {
    const char *name;
    so_encoding e;
    double goal_us; /* of a map and its gradient, on an H200 in f32; 0: none */
} encoding_case;

static const encoding_case encoding_cases[] = {
    {"cifar", {SO_AUTO, 2, 64, 144, 65}, 4000},   /* LieRE-64: 9,360 rotations */
    {"cifar", {SO_AUTO, 2, 8, 144, 65}, 0},       /* as many of order 8 */
    {"cifar", {SO_AUTO, 2, 8, 144 * 8, 65}, 150}, /* LieRE-8: eight tiles a head */
    {"cifar", {SO_AUTO, 2, 2, 144 * 32, 65}, 0},  /* RoPE-Mixed */
    {"ucf101", {SO_AUTO, 3, 64, 144, 785}, 0},    /* 113,040 rotations */
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

/* A batch of 64 samples, all vectors of which are cut into tiles, each with a rotation of its own. */
enum { ROTATIONS = 3 };
static const int rotation_tiles[ROTATIONS] = {8, 64, 128};
static inline so_rotation rotation_case(int tile, int64_t samples, int64_t tokens)
{
    const int64_t width = 12 * 64;
    so_rotation r = {tile, samples, tokens, width / tile, width / tile, tokens * width, width};
    return r;
}
enum { ROTATION_SAMPLES = 64, ROTATION_TOKENS = 65 };

#endif
