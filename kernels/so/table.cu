/* table.cu: the CUDA backend for one real type.
 * SPDX-License-Identifier: MIT */
#include "table.cuh"
#include "maps.cuh"

#if defined(SO_REAL_f32)
typedef so_backend_f32 backend_table;
#else
typedef so_backend_f64 backend_table;
#endif

const backend_table SO_(so_cuda) = {
    .exp = SO_(so_cuda_exp),
    .exp_vjp = SO_(so_cuda_exp_vjp),
    .exp_jvp = SO_(so_cuda_exp_jvp),
    .log = SO_(so_cuda_log),
    .log_vjp = SO_(so_cuda_log_vjp),
    .cayley_inverse = SO_(so_cuda_cayley_inverse),
    .cayley_inverse_vjp = SO_(so_cuda_cayley_inverse_vjp),
    .pack = SO_(so_cuda_pack),
    .unpack = SO_(so_cuda_unpack),
    .orthogonality = SO_(so_cuda_orthogonality),
    .project = SO_(so_cuda_project),
    .project_vjp = SO_(so_cuda_project_vjp),
    .encode = SO_(so_cuda_encode),
    .encode_vjp = SO_(so_cuda_encode_vjp),
    .rotate = SO_(so_cuda_rotate),
    .rotate_vjp = SO_(so_cuda_rotate_vjp),
#if defined(SO_REAL_f32)
    .rotate_bf16 = so_cuda_rotate_bf16,
    .rotate_vjp_bf16 = so_cuda_rotate_vjp_bf16,
#endif
};
