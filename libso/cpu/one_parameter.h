/* one_parameter.h: exp(p A) of one generator A at many p, and its gradient: A = W D W^T (group/planes.h) once, then
 * exp(p A) = W exp(p D) W^T for two products.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_ONE_PARAMETER_H
#define SO_CPU_ONE_PARAMETER_H

#include "group.h"

/* On a group whose lanes hold different p. W, WT: group matrices, the same in all lanes; angle: of the generator. */
typedef struct one_parameter_method {
    /* R = exp(p A). T, U: scratch. */
    void (*map)(int n, const real *W, const real *WT, const double *angle, const double *p, real *R, real *T, real *U);
    /* M = W^T Y W, Y = phi(ad_(p A)) skew(exp(p A)^T G). along = <Y, A> per lane. T: scratch. */
    void (*differential)(int n, const real *W, const real *WT, const double *angle, const double *p, const real *G, real *M,
                         double *along, real *T);
} one_parameter_method;
extern const one_parameter_method SO_VARIANT(so_one_parameter, _lanes), SO_VARIANT(so_one_parameter, _single);

/* A generator as a thread keeps it. */
typedef struct one_parameter {
    const group_layout *layout, *single;
    const one_parameter_method *method;
    int n;
    int64_t number;                 /* of the generator that is factored, or -1 */
    int factored;                   /* it could be */
    real largest;                   /* entry of the generator, in size */
    real *W, *WT;                   /* in `layout` */
    real *frame, *frame_transposed; /* the same in the layout `single` */
    double *angle;
    real *work;
} one_parameter;

size_t SO_(so_one_parameter_bytes)(const group_layout *layout, int n);
one_parameter SO_(so_one_parameter_in)(const group_layout *layout, int n, void *memory);

/* Makes generator the current one. Returns 0 if it holds a NaN or Inf, or if its decomposition is not accurate enough to serve
 * at all p (lapack/generator.c): its matrices must then be formed one by one. */
int SO_(so_one_parameter_factor)(one_parameter *o, int64_t number, const real *generator);

/* Bit l of *bad: p[l] or an entry of p[l] A is not finite; p[l] <- 0. */
void SO_(so_one_parameter_screen)(const one_parameter *o, int used, const real *position, double *p, uint64_t *bad);

/* out (n x n, compact) <- W S W^T, the skew part, of S in the layout `single`, which is destroyed. NaN stays NaN. */
void SO_(so_one_parameter_from_planes)(const one_parameter *o, real *S, real *out);

#endif
