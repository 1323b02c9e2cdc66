/* SPDX-License-Identifier: MIT */
#ifndef SO_CPU_GROUP_POLYNOMIAL_H
#define SO_CPU_GROUP_POLYNOMIAL_H

#include "../group.h"

extern const group_method SO_(so_polynomial);

#endif
