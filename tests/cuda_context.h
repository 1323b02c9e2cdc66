/* cuda_context.h: the context in which a suite works, and arrays where its functions want them.
 *
 * With SO_TEST_DEVICE=cuda in the environment the suites that begin with test_context work on a CUDA device: device 0 of the
 * machine in the runner of `make gpu-bundle`, tests/cuda_on_cpu in that of `make check`. Calls go through oracle_call.h, which
 * brings the arrays there and back.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_CUDA_CONTEXT_H
#define TESTS_CUDA_CONTEXT_H

#include "libso/so.h"

#ifdef __cplusplus
extern "C" {
#endif

/* so_ctx_create_cpu(ctx, threads); with SO_TEST_DEVICE=cuda so_ctx_create_cuda for device 0. */
so_status test_context(so_ctx **ctx, int threads);
int test_on_cuda(void); /* SO_TEST_DEVICE=cuda */

/* On device 0 and its default stream, whatever the environment says; the test fails if there is none. */
so_ctx *cuda_context(void);
int is_cuda(const so_ctx *ctx); /* NULL is not */

/* Memory of the device, `bytes` of which are copied from `from`; NULL: filled with bytes 0xff, which are NaN. */
void *cuda_array(const void *from, size_t bytes);
void cuda_write(void *array, const void *from, size_t bytes);
void cuda_read(void *to, const void *array, size_t bytes);
void cuda_free(void *array);

/* Waits for the device. `accepted`, if the call was refused; else what its matrices have met. */
so_status cuda_finish(so_ctx *ctx, so_status accepted);

/* Whether device 0 is one, and not tests/cuda_on_cpu. */
int cuda_is_device(void);

/* From now on threads and blocks run in another order, k = 0, 1, 2, where one can choose that: on tests/cuda_on_cpu. */
void cuda_order(int k);

/* Memory for so_ctx_set_workspace of a test_context. */
void *test_workspace(size_t bytes);
void test_workspace_free(void *memory);

#ifdef __cplusplus
}
#endif

#endif
