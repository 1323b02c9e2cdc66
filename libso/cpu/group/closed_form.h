/* SPDX-License-Identifier: MIT */
#ifndef SO_CPU_GROUP_CLOSED_FORM_H
#define SO_CPU_GROUP_CLOSED_FORM_H

#include "../group.h"

extern const group_method SO_(so_closed_form); /* n = 2, 3, 4 */

#endif
