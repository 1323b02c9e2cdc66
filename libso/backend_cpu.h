/* backend_cpu.h: the CPU backend.
 * SPDX-License-Identifier: MIT */
#ifndef SO_BACKEND_CPU_H
#define SO_BACKEND_CPU_H

#include "backend.h"

/* For the widest instruction set of this machine, or the one named by the environment variable SO_ISA. SO_OK or SO_EISA. */
so_status so_backend_cpu(so_backend *backend);

#endif
