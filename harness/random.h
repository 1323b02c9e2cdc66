/* random.h: random numbers without state: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011).
 *
 * A number is a function of (seed, stream, epoch, sample, index), so that data order, augmentation and dropout depend neither
 * on the batch size, the threads, nor on where a run was resumed.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_RANDOM_H
#define HARNESS_RANDOM_H

#include <stdint.h>

/* What the numbers are for; fixed values, part of what makes a run reproducible. */
typedef enum random_stream {
    RANDOM_INIT     = 1, /* parameters: sample = number of the parameter tensor */
    RANDOM_ORDER    = 2, /* order of the training examples */
    RANDOM_AUGMENT  = 3, /* crops, flips */
    RANDOM_DROPOUT  = 4, /* sample = global number of the training step's example */
    RANDOM_ARROWS   = 5, /* generated images, training */
    RANDOM_ARROWS_TEST = 6,
    RANDOM_ANALYSIS = 7  /* bootstrap, patch shuffling */
} random_stream;

typedef struct random_key {
    uint64_t seed;
    uint32_t stream; /* random_stream */
    uint32_t epoch;
    uint64_t sample;
} random_key;

/* Four independent uniform 32-bit words, block number `index` of this key. */
void random_block(const random_key *key, uint32_t index, uint32_t out[4]);

/* A reader that hands out the words of a key one after the other. */
typedef struct random_sequence {
    random_key key;
    uint32_t index, left;
    uint32_t word[4];
} random_sequence;

random_sequence random_start(uint64_t seed, random_stream stream, uint32_t epoch, uint64_t sample);
uint32_t random_u32(random_sequence *s);
uint32_t random_below(random_sequence *s, uint32_t n); /* uniform on 0..n-1, without bias; n > 0 */
float random_uniform(random_sequence *s);              /* [0, 1), multiples of 2^-24 */
float random_normal(random_sequence *s);               /* N(0, 1), Box-Muller */

/* A permutation of 0..n-1, as a function of the position alone (no array): the cycle-walking Feistel network keyed by
 * (seed, stream, epoch). */
uint64_t random_permute(uint64_t position, uint64_t n, uint64_t seed, random_stream stream, uint32_t epoch);

#endif
