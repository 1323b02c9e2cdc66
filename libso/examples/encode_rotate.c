/* encode_rotate.c: LieRE, a positional encoding in two dimensions (arXiv 2406.10322), applied to queries.
 *
 * Each token's query is turned by R(p) = exp(p_x A_x + p_y A_y). If A_x and A_y commute, the score of two tokens,
 * <R(p) q, R(p') q> = <q, R(p' - p) q>, depends on where they stand relative to each other only; else it does not.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <so.h>
#include <stdio.h>
#include <string.h>

enum { TILE = 4, TOKENS = 4 };

/* Two pairs of tokens, both one step right and two steps down from first to second. */
static const float position[TOKENS][2] = {{0, 0}, {1, 2}, {5, 3}, {6, 5}};

/* The scores of the two pairs, every query being (1, 2, 3, 4). */
static so_status scores(so_ctx *ctx, const float generator[2][TILE][TILE], double score[2])
{
    so_encoding encoding = {SO_AUTO, 2 /* dims */, TILE, 1 /* group */, TOKENS};
    so_rotation rotation = {TILE, 1 /* sample */, TOKENS, 1 /* vector per token */, 1 /* rotation per token */, TOKENS * TILE,
                            TILE};
    float R[TOKENS][TILE][TILE], q[TOKENS][TILE];
    for (int t = 0; t < TOKENS; t++)
        for (int i = 0; i < TILE; i++)
            q[t][i] = (float)(i + 1);
    so_status status = so_encode_f32(ctx, &encoding, &position[0][0], &generator[0][0][0], &R[0][0][0]);
    if (status == SO_OK)
        status = so_rotate_f32(ctx, &rotation, &R[0][0][0], &q[0][0], &q[0][0]); /* in place */
    for (int pair = 0; pair < 2; pair++) {
        score[pair] = 0;
        for (int i = 0; i < TILE; i++)
            score[pair] += (double)q[2 * pair][i] * (double)q[2 * pair + 1][i];
    }
    return status;
}

int main(void)
{
    float generator[2][TILE][TILE];
    double together[2] = {0, 0}, apart[2] = {0, 0};
    memset(generator, 0, sizeof generator);
    generator[0][0][1] = 0.3f; /* A_x turns the plane (0, 1), A_y the plane (2, 3): they commute */
    generator[1][2][3] = 0.7f;
    so_ctx *ctx;
    so_status status = so_ctx_create_cpu(&ctx, 0); /* 0 = all cores */
    if (status == SO_OK)
        status = scores(ctx, generator, together);
    generator[1][1][2] = 0.5f; /* now A_y also turns the plane (1, 2), which A_x disturbs */
    if (status == SO_OK)
        status = scores(ctx, generator, apart);
    if (status != SO_OK)
        fprintf(stderr, "libso: %s (%s)\n", so_status_string(status), so_ctx_argument(ctx));
    else
        printf("generators that commute: %.4f and %.4f\nthat do not:             %.4f and %.4f\n", together[0], together[1],
               apart[0], apart[1]);
    so_ctx_destroy(ctx);
    return status != SO_OK || !(fabs(together[0] - together[1]) < 1e-4 && fabs(apart[0] - apart[1]) > 1e-2);
}
