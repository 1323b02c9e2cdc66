/* SPDX-License-Identifier: MIT */
#ifndef SO_CPU_GROUP_LAYOUT_H
#define SO_CPU_GROUP_LAYOUT_H

#include "../group.h"

extern const group_layout SO_VARIANT(so_layout, _lanes), SO_VARIANT(so_layout, _single);

#endif
