/* oracle_project.h: the rotation nearest to a matrix and its derivative in double-double arithmetic, by refinement: a solution
 * that is known roughly is improved until what it leaves of its equation is rounding.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_ORACLE_PROJECT_H
#define TESTS_ORACLE_PROJECT_H

#include "oracle.h"

/* What is known roughly of X = R H: the eigenvectors V (columns) and eigenvalues s of H = R^T X; s_i + s_j > 0 for i != j, which
 * makes R the nearest rotation. */
typedef struct oracle_axes {
    const double *V, *s; /* n * n and n numbers */
} oracle_axes;

/* R (a rotation near it) <- the rotation nearest to X. */
void oracle_project(int n, oracle_axes axes, oracle_pair X, oracle_pair R);
/* dX = R Y with Y H + H Y = R^T dR - dR^T R, the gradient of <dR, R> for X; R from oracle_project. */
void oracle_project_vjp(int n, oracle_axes axes, oracle_pair X, oracle_pair R, const double *dR, oracle_pair dX);

#endif
