/* convert.h: numbers from f32 to f64 and back, for the CPU backend. The contracts are in backend.h.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CONVERT_H
#define SO_CONVERT_H

#include "context.h"

so_status so_cpu_widen(so_ctx *ctx, int64_t count, const float *from, double *to);
so_status so_cpu_narrow(so_ctx *ctx, int64_t count, const double *from, float *to);
so_status so_cpu_add(so_ctx *ctx, int64_t count, const double *from, double *to);

#endif
