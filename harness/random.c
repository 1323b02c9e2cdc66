/* SPDX-License-Identifier: MIT */
#include "random.h"

#include <math.h>

/* One call mixes a 128-bit counter with a 64-bit key in ten rounds. Seed and stream form the key: streams of one seed and
 * seeds of one stream are as independent as two keys. */
static void philox(uint32_t counter[4], uint32_t k0, uint32_t k1)
{
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * counter[0];
        uint64_t p1 = (uint64_t)0xCD9E8D57u * counter[2];
        uint32_t c1 = counter[1], c3 = counter[3];
        counter[0] = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        counter[1] = (uint32_t)p1;
        counter[2] = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        counter[3] = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

void random_block(const random_key *key, uint32_t index, uint32_t out[4])
{
    out[0] = index;
    out[1] = (uint32_t)key->sample;
    out[2] = (uint32_t)(key->sample >> 32);
    out[3] = key->epoch;
    philox(out, (uint32_t)key->seed, (uint32_t)(key->seed >> 32) ^ key->stream << 24);
}

random_sequence random_start(uint64_t seed, random_stream stream, uint32_t epoch, uint64_t sample)
{
    random_sequence s = {.key = {.seed = seed, .stream = (uint32_t)stream, .epoch = epoch, .sample = sample}};
    return s;
}

uint32_t random_u32(random_sequence *s)
{
    if (s->left == 0) {
        random_block(&s->key, s->index++, s->word);
        s->left = 4;
    }
    return s->word[4 - s->left--];
}

uint32_t random_below(random_sequence *s, uint32_t n)
{
    uint32_t biased = (uint32_t)(-n) % n; /* 2^32 mod n: Lemire's rejection bound */
    for (;;) {
        uint64_t product = (uint64_t)random_u32(s) * n;
        if ((uint32_t)product >= biased)
            return (uint32_t)(product >> 32);
    }
}

float random_uniform(random_sequence *s)
{
    return (float)(random_u32(s) >> 8) * 0x1p-24f;
}

float random_normal(random_sequence *s)
{
    float u = ((float)(random_u32(s) >> 8) + 0.5f) * 0x1p-24f; /* never 0 */
    float v = random_uniform(s);
    return sqrtf(-2.0f * logf(u)) * cosf(6.28318530717958647692f * v);
}

uint64_t random_permute(uint64_t position, uint64_t n, uint64_t seed, random_stream stream, uint32_t epoch)
{
    if (n < 2)
        return 0;
    int half = 1; /* the network permutes 2^(2 half) >= n values; walking the cycle back into 0..n-1 takes < 4 steps on average */
    while ((n - 1) >> (2 * half))
        half++;
    uint64_t mask = ((uint64_t)1 << half) - 1;
    uint64_t x = position;
    do {
        uint64_t left = x >> half, right = x & mask;
        for (uint32_t round = 0; round < 6; round++) {
            random_key key = {.seed = seed, .stream = (uint32_t)stream, .epoch = epoch, .sample = right};
            uint32_t word[4];
            random_block(&key, round, word);
            uint64_t mixed = left ^ (word[0] & mask);
            left = right;
            right = mixed;
        }
        x = left << half | right;
    } while (x >= n);
    return x;
}
