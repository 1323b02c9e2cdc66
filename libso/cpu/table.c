/* table.c: the CPU backend for one real type and one instruction set.
 * SPDX-License-Identifier: MIT */
#include "maps.h"

#if defined(SO_REAL_f32)
typedef so_backend_f32 backend_table;
#else
typedef so_backend_f64 backend_table;
#endif
extern const backend_table SO_(so_cpu);

const backend_table SO_(so_cpu) = {
    .exp = SO_(so_cpu_exp),
    .exp_vjp = SO_(so_cpu_exp_vjp),
    .exp_jvp = SO_(so_cpu_exp_jvp),
    .log = SO_(so_cpu_log),
    .log_vjp = SO_(so_cpu_log_vjp),
    .cayley_inverse = SO_(so_cpu_cayley_inverse),
    .cayley_inverse_vjp = SO_(so_cpu_cayley_inverse_vjp),
    .pack = SO_(so_cpu_pack),
    .unpack = SO_(so_cpu_unpack),
    .orthogonality = SO_(so_cpu_orthogonality),
    .project = SO_(so_cpu_project),
    .project_vjp = SO_(so_cpu_project_vjp),
    .encode = SO_(so_cpu_encode),
    .encode_vjp = SO_(so_cpu_encode_vjp),
    .rotate = SO_(so_cpu_rotate),
    .rotate_vjp = SO_(so_cpu_rotate_vjp),
#if defined(SO_REAL_f32)
    .rotate_bf16 = SO_(so_cpu_rotate_bf16),
    .rotate_vjp_bf16 = SO_(so_cpu_rotate_vjp_bf16),
#endif
};
