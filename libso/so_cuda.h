/* so_cuda.h: contexts on a CUDA device.
 *
 * All functions of so.h work in such a context as described there, but:
 *
 *   pointers       are device pointers, of the context's device.
 *   asynchronous   A call only puts its work into the context's stream and returns. SO_OK means that it was accepted; what the
 *                  matrices met (SO_ENONFINITE, ..) is told by so_ctx_status. After a warm-up call of the same kind (function, type,
 *                  method, sizes) nothing is allocated or loaded and the host never waits, so that calls can be captured in a CUDA
 *                  graph. A graph holds addresses of the workspace: do not let it grow after that (so_ctx_set_workspace with device
 *                  memory makes sure).
 *   failures       SO_EDEVICE: CUDA refused the work; its last error is cleared. What fails later in the stream is told by the next
 *                  call, as CUDA does, not by so_ctx_status. SO_ESIZE also where a device has not the shared memory for a vector of
 *                  so_rotate (tiles of more than 10,000), or so_encode_vjp would sum more than 2^31 - 1 runs of all groups.
 *   SO_AUTO        closed forms for n = 2, 3, 4, else the polynomial method, also for gradients.
 *   workspace      Orders too large for the shared memory of a multiprocessor (above 64, gradients in f64 above 32) take 8 matrices of
 *                  it for each block at work, 14 for derivatives, orders rounded up to 16: at most 4 GiB, or what one block needs.
 *                  so_log, so_project, so_cayley_inverse and their vjps: their matrices in f64 that the shared memory does not hold, at
 *                  most 256 MiB, or what one block needs. A caller's own (so_ctx_set_workspace) must live until the stream has
 *                  finished what was put into it before the memory was replaced, and as long as captured graphs are used: the
 *                  context does not wait.
 *   same bits      A result does not depend on the batch, the place in it or the launch; it differs from that of the CPU in the
 *                  last bits.
 *   so_encode      The token-wise generators are formed in the multiprocessors (SO_AUTO, SO_POLYNOMIAL and SO_CAYLEY;
 *                  so_encode_vjp: orders up to 64, f64: 32); for the others those of a piece of the batch stand in the workspace,
 *                  at most 32 MiB or one matrix, in so_encode_vjp their gradients too. Nothing is decomposed in one dimension.
 *                  The sums of so_encode_vjp take groups * dims * tile * 4 ceil(tile/4) reals for each run of
 *                  max(8, 4 dims, min(64, tokens/32)) tokens, in closed form (SO_AUTO, tile 2, 3, 4) of 128 tokens: with
 *                  tile >= 2 and dims <= 32 never more than R, or than the sums of one run;
 *                  dposition, if wanted, takes groups * tokens * dims reals.
 *   vendor         SO_EIGEN and SO_PADE compute with NVIDIA's libraries, cuSOLVER and cuBLAS: references to compare with, which
 *                  SO_AUTO does not take. They are loaded when first needed; SO_EMETHOD where they are not installed, of the CUDA
 *                  version that this library was compiled with. The warm-up call of each method also creates their handles. Same bits
 *                  rest on NVIDIA's word that a call repeated on the same device and version gives the same, and on its treating the
 *                  matrices of a call alike: every call has the same number of them, 2^20/n^2 but at most 4096 (a small batch costs
 *                  as much). The workspace is 32 to 145 MiB up to n = 1024, beyond that 32 MiB and what one matrix needs; SO_EIGEN
 *                  adds what cuSOLVER asks for, on the host too. cuBLAS is documented to work in graphs; of cuSOLVER, hence SO_EIGEN,
 *                  nothing is documented, nor whether it waits or allocates inside, and nothing has been measured.
 *
 * SPDX-License-Identifier: MIT */
#ifndef SO_CUDA_H
#define SO_CUDA_H

#include "so.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Contexts on a CUDA device ----------------------------------------------------------------------------------------- */

/* device: an ordinal of cudaSetDevice; stream: a cudaStream_t of that device (NULL: the default stream), alive as long as the
 * context. On failure *ctx is NULL. Destroy with so_ctx_destroy, when the stream has finished.
 * Returns SO_OK, SO_ENULL (ctx), SO_ESIZE (no such device), SO_ENOMEM, SO_EDEVICE (no driver, or the device failed). */
SO_API so_status so_ctx_create_cuda(so_ctx **ctx, int device, void *stream);

#ifdef __cplusplus
}
#endif
#endif
