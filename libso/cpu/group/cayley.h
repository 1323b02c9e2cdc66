/* SPDX-License-Identifier: MIT */
#ifndef SO_CPU_GROUP_CAYLEY_H
#define SO_CPU_GROUP_CAYLEY_H

#include "../group.h"

extern const group_method SO_(so_cayley);

#endif
