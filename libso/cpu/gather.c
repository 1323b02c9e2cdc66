/* gather.c: between the caller's matrices and group matrices.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "batch.h"

/* One body for all layouts: with lanes known at compile time the innermost loop over lanes, or, in a layout of one lane, that
 * over j is a vector operation. */
enum gather_kind { GATHER, GATHER_TRANSPOSED, GATHER_SKEW };

static inline __attribute__((always_inline)) void gather_lanes(enum gather_kind kind, int lanes, int n, int ld, int used,
                                                               const real *restrict x, real *restrict group, real_bits *bad)
{
    ptrdiff_t size = (ptrdiff_t)n * n;
    for (int i = 0; i < n; i++) {
        real_bits row_bad[VECTOR_LANES] = {0};
        for (int j = kind == GATHER_SKEW ? i + 1 : 0; j < n; j++) {
            real *ij = group + ((ptrdiff_t)i * ld + j) * lanes, *ji = group + ((ptrdiff_t)j * ld + i) * lanes;
            const real *from = x + (ptrdiff_t)i * n + j;
            for (int l = 0; l < used; l++) {
                real value = from[l * size];
                row_bad[l] |= nonfinite_bits(value);
                if (kind != GATHER_TRANSPOSED)
                    ij[l] = value;
                if (kind == GATHER_TRANSPOSED)
                    ji[l] = value;
                if (kind == GATHER_SKEW)
                    ji[l] = -value;
            }
            for (int l = used; l < lanes; l++) {
                ij[l] = 0;
                ji[l] = 0;
            }
        }
        for (int l = 0; l < lanes; l++) {
            bad[l] |= row_bad[l];
            if (kind == GATHER_SKEW)
                group[((ptrdiff_t)i * ld + i) * lanes + l] = 0;
        }
    }
}

static void gather(enum gather_kind kind, const group_layout *layout, int n, int used, const real *x, real *group, uint64_t *bad)
{
    int lanes = layout->lanes, ld = layout->stride(n);
    real_bits lane_bad[VECTOR_LANES] = {0};
    if (lanes == 1 && kind == GATHER)
        gather_lanes(GATHER, 1, n, ld, 1, x, group, lane_bad);
    else if (lanes == 1)
        gather_lanes(kind, 1, n, ld, 1, x, group, lane_bad);
    else if (used == VECTOR_LANES)
        gather_lanes(kind, VECTOR_LANES, n, ld, VECTOR_LANES, x, group, lane_bad);
    else
        gather_lanes(kind, lanes, n, ld, used, x, group, lane_bad);
    for (int l = 0; l < used; l++)
        if (lane_bad[l]) {
            *bad |= (uint64_t)1 << l;
            for (ptrdiff_t i = 0; i < (ptrdiff_t)n * ld; i++)
                group[i * lanes + l] = 0;
        }
    for (int i = 0; i < n; i++)
        for (ptrdiff_t j = (ptrdiff_t)n * lanes; j < (ptrdiff_t)ld * lanes; j++)
            group[(ptrdiff_t)i * ld * lanes + j] = 0;
}

void SO_(so_gather)(const group_layout *layout, int n, int used, const real *matrices, real *group, uint64_t *bad)
{
    gather(GATHER, layout, n, used, matrices, group, bad);
}

void SO_(so_gather_transposed)(const group_layout *layout, int n, int used, const real *matrices, real *group, uint64_t *bad)
{
    gather(GATHER_TRANSPOSED, layout, n, used, matrices, group, bad);
}

void SO_(so_gather_skew)(const group_layout *layout, int n, int used, const real *matrices, real *group, uint64_t *bad)
{
    gather(GATHER_SKEW, layout, n, used, matrices, group, bad);
}

uint64_t SO_(so_scatter)(const group_layout *layout, int n, int used, const real *group, uint64_t bad, real *matrices)
{
    int lanes = layout->lanes, ld = layout->stride(n);
    uint64_t failed = 0;
    for (int l = 0; l < used; l++) {
        failed |= (uint64_t)(isnan(group[l]) && !(bad >> l & 1)) << l;
        real *matrix = matrices + (size_t)l * (size_t)n * (size_t)n;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                matrix[(size_t)i * (size_t)n + (size_t)j] =
                    bad >> l & 1 ? (real)NAN : group[((size_t)i * (size_t)ld + (size_t)j) * (size_t)lanes + (size_t)l];
    }
    return failed;
}
