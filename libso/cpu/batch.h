/* batch.h: from the caller's batch to groups and back. Shared by the maps (batch.c) and the encoding (encode.c).
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_BATCH_H
#define SO_CPU_BATCH_H

#include "../context.h"
#include "group.h"

/* The layout and the method for so many matrices of order n. */
typedef struct choice {
    const group_layout *layout;
    const group_method *method;
} choice;
choice SO_(so_choose)(so_method method, int n, int64_t matrices);

/* A thread's share of the workspace, cut into group matrices. */
typedef struct thread_work {
    real *A, *R, *G, *M, *Y;
    real *scratch; /* method->map_matrices or differential_matrices */
} thread_work;
enum { THREAD_MATRICES = 5 };

size_t SO_(so_thread_bytes)(choice c, int n, int derivative);
thread_work SO_(so_thread_work)(choice c, int n, void *memory);

/* Group matrix <- `used` matrices; further lanes are zero. Lanes with a NaN or Inf become zero, their bits are set in *bad.
 * skew: from the strict upper triangle. */
void SO_(so_gather)(const group_layout *layout, int n, int used, const real *matrices, real *group, uint64_t *bad);
void SO_(so_gather_skew)(const group_layout *layout, int n, int used, const real *matrices, real *group, uint64_t *bad);

/* `used` matrices <- group matrix; those with a bit in `bad` become NaN. */
void SO_(so_scatter)(const group_layout *layout, int n, int used, const real *group, uint64_t bad, real *matrices);

/* What became of a group; the bits of a call are combined. */
enum { GROUP_NONFINITE = 1, GROUP_FAILED = 2 };

/* bad: the lanes that read a NaN or Inf. Of the other `used` lanes of the result, one that holds NaN is one that the method could
 * not compute. */
int SO_(so_group_outcome)(const group_layout *layout, int used, const real *result, uint64_t bad);

static inline so_status status_of_groups(int outcome)
{
    return outcome & GROUP_NONFINITE ? SO_ENONFINITE : outcome & GROUP_FAILED ? SO_ESINGULAR : SO_OK;
}

/* Y = derivative of the map at w->A in the direction skew(R^T dR), all already in w: A, R, G = dR. */
void SO_(so_group_vjp)(choice c, int n, thread_work *w);

#endif
