/* dropout_cpu.c: dropout by counter-based random numbers. The words are those of random_block() (harness/random.h), computed
 * for sixteen blocks at a time so that the compiler can use SIMD; tests/check_ops.c compares the two.
 * SPDX-License-Identifier: MIT */
#include "ops/ops_cpu.h"

#include <math.h>

#include "ops/simd.h"
#include "random.h"

enum { BLOCKS = 16, WORDS = 4 * BLOCKS };

/* Philox4x32-10 for the blocks index .. index + 15; word j of block i goes to out[4 i + j]. */
SIMD_CLONES static void random_blocks(const random_key *key, uint32_t index, uint32_t out[WORDS])
{
    uint32_t c0[BLOCKS], c1[BLOCKS], c2[BLOCKS], c3[BLOCKS];
    for (uint32_t i = 0; i < BLOCKS; i++) {
        c0[i] = index + i;
        c1[i] = (uint32_t)key->sample;
        c2[i] = (uint32_t)(key->sample >> 32);
        c3[i] = key->epoch;
    }
    uint32_t k0 = (uint32_t)key->seed, k1 = (uint32_t)(key->seed >> 32) ^ key->stream << 24;
    for (int round = 0; round < 10; round++) {
#pragma omp simd
        for (int i = 0; i < BLOCKS; i++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * c0[i], p1 = (uint64_t)0xCD9E8D57u * c2[i];
            c0[i] = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0;
            c1[i] = (uint32_t)p1;
            c2[i] = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;
            c3[i] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int i = 0; i < BLOCKS; i++) {
        out[4 * i] = c0[i];
        out[4 * i + 1] = c1[i];
        out[4 * i + 2] = c2[i];
        out[4 * i + 3] = c3[i];
    }
}

SIMD_CLONES static void keep_or_zero(int64_t n, const uint32_t *word, uint32_t threshold, float scale, const float *x, float *y)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[i] = word[i] >= threshold ? x[i] * scale : 0.0f;
}

void cpu_dropout(ops *o, const ops_dropout *d, int batch, size_t n, const float *x, float *y)
{
    const uint32_t threshold = (uint32_t)((double)d->p * 0x1p32);
    const float scale = 1.0f / (1.0f - d->p);
    int64_t per_example = pieces((int64_t)n, ELEMENTS_PER_PIECE), count = batch * per_example;
#pragma omp parallel for schedule(static) num_threads(cpu_threads(o)) if (count > 1)
    for (int64_t i = 0; i < count; i++) {
        int64_t example = i / per_example, piece = i % per_example;
        int64_t size = piece_size((int64_t)n, ELEMENTS_PER_PIECE, piece),
                first = example * (int64_t)n + piece * ELEMENTS_PER_PIECE;
        random_key key = {.seed = d->seed, .stream = RANDOM_DROPOUT, .epoch = d->epoch, .sample = d->sample[example]};
        uint32_t index = d->first_block + (uint32_t)(piece * (ELEMENTS_PER_PIECE / 4));
        for (int64_t at = 0; at < size; at += WORDS, index += BLOCKS) {
            uint32_t word[WORDS];
            random_blocks(&key, index, word);
            keep_or_zero(size - at < WORDS ? size - at : WORDS, word, threshold, scale, x + first + at, y + first + at);
        }
    }
}
