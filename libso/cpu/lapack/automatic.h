/* SPDX-License-Identifier: MIT */
#ifndef SO_CPU_LAPACK_AUTOMATIC_H
#define SO_CPU_LAPACK_AUTOMATIC_H

#include "../group.h"

extern const group_method SO_(so_automatic);

#endif
