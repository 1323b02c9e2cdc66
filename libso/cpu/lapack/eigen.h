/* SPDX-License-Identifier: MIT */
#ifndef SO_CPU_LAPACK_EIGEN_H
#define SO_CPU_LAPACK_EIGEN_H

#include "../group.h"
#include "widen.h"

extern const group_method SO_(so_eigen);

/* A = W D W^T (group/planes.h) in f64, for both types: W has n rows of the f64 stride, angle has (n + 1)/2 numbers; both lie in
 * work, SPECTRUM_MATRICES of f64, of which W is the first. A is destroyed. Returns 0 if the SVD did not converge. */
int WIDE_(eigen_planes)(int n, double *A, double **W, double **angle, double *work);

#if defined(SO_REAL_f32)
enum { EIGEN_MATRICES = 4 + 2 * 7 };
#else
enum { EIGEN_MATRICES = 8 };
#endif

#endif
