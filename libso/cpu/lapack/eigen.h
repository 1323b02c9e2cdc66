/* SPDX-License-Identifier: MIT */
#ifndef SO_CPU_LAPACK_EIGEN_H
#define SO_CPU_LAPACK_EIGEN_H

#include "../group.h"
#include "widen.h"

extern const group_method SO_(so_eigen);

/* What the f32 method calls: f64 without the corrections for its own rounding. */
wide_map WIDE_(eigen_map_plain);
wide_differential WIDE_(eigen_differential_plain);

enum { EIGEN_MAP_MATRICES = 11, EIGEN_DIFFERENTIAL_MATRICES = 11 };

#endif
