/* judge.h: the error of a method on some matrices of a case, against exact.h.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_JUDGE_H
#define BENCH_JUDGE_H

#include "measure.h"

typedef struct judge judge; /* references of the matrices that are compared, computed once for all methods */

/* Compares so many matrices as keep a row below a second on the CPU, at least `least` of them; none beyond n = 256. */
judge *judge_create(const sweep_input *input, int least);
void judge_free(judge *judge);

/* Mean of sweep_flops() over the matrices that are compared: the angles differ within a batch. NaN where there are none. */
double judge_flops(const judge *judge, so_method method, sweep_direction direction);

/* Fills checked, rho, error.. of the row from R, or from D where D is not NULL. */
void judge_row(const judge *judge, const void *R, const void *D, sweep_row *row);

/* For what is no stack of matrices. A row without errors; then a rotation X of angle rho, whose exact value is R; or any error in
 * units of u, or defect of orthogonality, and its bound. They go to the row if their quotient is the largest, or NaN. */
void judge_begin(sweep_row *row);
void judge_rotation(sweep_real real, int n, double rho, const long double *X, const long double *R, sweep_row *row);
void judge_error(double error, double bound, sweep_row *row);
void judge_defect(double defect, double bound, sweep_row *row);

#endif
