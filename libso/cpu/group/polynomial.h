/* SPDX-License-Identifier: MIT */
#ifndef SO_CPU_GROUP_POLYNOMIAL_H
#define SO_CPU_GROUP_POLYNOMIAL_H

#include "../group.h"

extern const group_method SO_(so_polynomial);

/* Workspaces, from the jets that an evaluation takes. */
enum { EVALUATE_JETS = 9 };
enum { POLYNOMIAL_MAP_MATRICES = 1 + EVALUATE_JETS, POLYNOMIAL_DIFFERENTIAL_MATRICES = 2 * (2 + EVALUATE_JETS) };

#endif
