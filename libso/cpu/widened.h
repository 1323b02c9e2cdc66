/* widened.h: maps computed in f64, one matrix at a time, whatever the real type of the batch.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_WIDENED_H
#define SO_CPU_WIDENED_H

#include "../context.h"
#include "../real.h"

enum { WIDENED_INPUTS = 3 };

/* Matrices are as in the layout `single` of f64 (group.h). compute: inputs may be destroyed; u is the unit roundoff of the type
 * in which they were given; on a status other than SO_OK the output is unspecified. */
typedef struct widened_map {
    int inputs;
    unsigned skew; /* bit k: of input k only the strict upper triangle is read */
    int work_matrices;
    so_status (*compute)(int n, double *const *in, double *out, double *work, double u);
} widened_map;

/* out_b = map(in_b). All inputs of a matrix are read before its output is written, so that they may share memory. Of the
 * statuses of the matrices the call returns SO_ENONFINITE rather than SO_EREFLECTION rather than SO_ESINGULAR. */
#define so_run_widened SO_VARIANT(so_run_widened, )
so_status so_run_widened(so_ctx *ctx, const widened_map *map, int n, int64_t batch, const real *const *in, real *out);

/* lapack/logarithm.c, lapack/cayley_inverse.c, lapack/project.c */
#define WIDENED_MAP_(name) SO_JOIN(SO_JOIN(name, _f64), SO_ISA)
#define so_log_map WIDENED_MAP_(so_log_map)
#define so_log_vjp_map WIDENED_MAP_(so_log_vjp_map)
#define so_cayley_inverse_map WIDENED_MAP_(so_cayley_inverse_map)
#define so_cayley_inverse_vjp_map WIDENED_MAP_(so_cayley_inverse_vjp_map)
#define so_project_map WIDENED_MAP_(so_project_map)
#define so_project_vjp_map WIDENED_MAP_(so_project_vjp_map)
extern const widened_map so_log_map, so_log_vjp_map, so_cayley_inverse_map, so_cayley_inverse_vjp_map, so_project_map,
    so_project_vjp_map;

#endif
