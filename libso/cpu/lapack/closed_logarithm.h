/* closed_logarithm.h: the logarithm and its derivative for n = 2, 3, 4, in f64.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_LAPACK_CLOSED_LOGARITHM_H
#define SO_CPU_LAPACK_CLOSED_LOGARITHM_H

#include "../../so.h"
#include "../group/matrix.h"

/* A = log of the rotation nearest to X. SO_ESINGULAR: X is too far from one; SO_EREFLECTION. */
so_status SO_(closed_logarithm)(int n, const elem *X, elem *A);

/* dR = R phi(ad_A)^-1 skew(dA). SO_ESINGULAR: an angle x of ad_A other than 0 has |sin(x/2)| <= smallest_sine. */
so_status SO_(closed_logarithm_vjp)(int n, const elem *R, const elem *A, const elem *dA, double smallest_sine, elem *dR);

#endif
