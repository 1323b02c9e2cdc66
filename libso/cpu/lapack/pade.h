/* SPDX-License-Identifier: MIT */
#ifndef SO_CPU_LAPACK_PADE_H
#define SO_CPU_LAPACK_PADE_H

#include "../group.h"

extern const group_method SO_(so_pade);

#endif
