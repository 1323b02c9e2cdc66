/* gather.c: between the caller's matrices and group matrices.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "batch.h"

/* One body for all layouts: with lanes known at compile time the innermost loop is a vector operation. check accumulates
 * 0*x, which is NaN when x is NaN or Inf. */
enum gather_kind { GATHER, GATHER_TRANSPOSED, GATHER_SKEW };

static inline __attribute__((always_inline)) void gather_lanes(enum gather_kind kind, int lanes, int n, int ld, int used,
                                                               const real *x, real *group, real *check)
{
    size_t size = (size_t)n * (size_t)n;
    for (int i = 0; i < n; i++)
        for (int j = kind == GATHER_SKEW ? i + 1 : 0; j < n; j++) {
            real *ij = group + ((size_t)i * (size_t)ld + (size_t)j) * (size_t)lanes;
            real *ji = group + ((size_t)j * (size_t)ld + (size_t)i) * (size_t)lanes;
            const real *from = x + (size_t)i * (size_t)n + j;
            for (int l = 0; l < used; l++) {
                real value = from[(size_t)l * size];
                check[l] += value * 0;
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
    if (kind == GATHER_SKEW)
        for (int i = 0; i < n; i++)
            for (int l = 0; l < lanes; l++)
                group[((size_t)i * (size_t)ld + (size_t)i) * (size_t)lanes + (size_t)l] = 0;
}

static void gather(enum gather_kind kind, const group_layout *layout, int n, int used, const real *x, real *group, uint64_t *bad)
{
    int lanes = layout->lanes, ld = layout->stride(n);
    real check[VECTOR_LANES] = {0};
    if (lanes == VECTOR_LANES && used == VECTOR_LANES)
        gather_lanes(kind, VECTOR_LANES, n, ld, VECTOR_LANES, x, group, check);
    else
        gather_lanes(kind, lanes, n, ld, used, x, group, check);
    for (int l = 0; l < used; l++)
        if (!(check[l] == 0)) {
            *bad |= (uint64_t)1 << l;
            for (size_t i = 0; i < (size_t)n * (size_t)ld; i++)
                group[i * (size_t)lanes + (size_t)l] = 0;
        }
    for (int i = 0; i < n; i++)
        for (size_t j = (size_t)n * (size_t)lanes; j < (size_t)ld * (size_t)lanes; j++)
            group[(size_t)i * (size_t)ld * (size_t)lanes + j] = 0;
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

void SO_(so_scatter)(const group_layout *layout, int n, int used, const real *group, uint64_t bad, real *matrices)
{
    int lanes = layout->lanes, ld = layout->stride(n);
    for (int l = 0; l < used; l++) {
        real *matrix = matrices + (size_t)l * (size_t)n * (size_t)n;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                matrix[(size_t)i * (size_t)n + (size_t)j] =
                    bad >> l & 1 ? (real)NAN : group[((size_t)i * (size_t)ld + (size_t)j) * (size_t)lanes + (size_t)l];
    }
}
