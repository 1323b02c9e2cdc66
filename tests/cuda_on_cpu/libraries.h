/* libraries.h: what the stand-ins for cuBLAS and cuSOLVER share.
 * SPDX-License-Identifier: MIT */
#ifndef CUDA_ON_CPU_LIBRARIES_H
#define CUDA_ON_CPU_LIBRARIES_H

#include "api.h"

/* A function of a stand-in, by name. */
struct named_function {
    const char *name;
    void *address;
};
extern const named_function cublas_functions[], cusolver_functions[]; /* the last has no name */
#define NAMED(name) {#name, (void *)name}

namespace cuda_on_cpu {

/* f(0) .. f(batch - 1), side by side, with an OpenBLAS that starts no threads of its own. */
void each_matrix(int64_t batch, const std::function<void(int64_t)> &f);

/* A workspace of the library's is written to: nobody else may keep anything there. */
void scribble(void *memory, size_t bytes);
bool scribbled(const void *memory, size_t bytes); /* nobody else has */

} // namespace cuda_on_cpu

#endif
