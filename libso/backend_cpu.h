/* backend_cpu.h: the CPU backend for the instruction set of this machine.
 * SPDX-License-Identifier: MIT */
#ifndef SO_BACKEND_CPU_H
#define SO_BACKEND_CPU_H

#include "backend.h"

so_backend so_backend_cpu(void);

#endif
