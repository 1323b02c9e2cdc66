/* libraries.cpp: what kernels/so loads by name.
 * SPDX-License-Identifier: MIT */
#include "libraries.h"
#include "dlfcn.h"
#include <cblas.h>
#include <cstdlib>

void *cuda_on_cpu_dlopen(const char *library, int)
{
    const named_function *functions = strcmp(library, "libcublas.so.13") == 0     ? cublas_functions
                                      : strcmp(library, "libcusolver.so.12") == 0 ? cusolver_functions
                                                                                  : nullptr;
    return getenv("CUDA_ON_CPU_NO_LIBRARIES") || failure_due(FAILURE_LIBRARY) ? nullptr : (void *)functions;
}

void *cuda_on_cpu_dlsym(void *library, const char *name)
{
    const named_function *f = (const named_function *)library;
    while (f->name && strcmp(f->name, name) != 0)
        f++;
    return f->address;
}

namespace cuda_on_cpu {

static const char MARK = 0x5a;

void each_matrix(int64_t batch, const std::function<void(int64_t)> &f)
{
    const int threads = openblas_get_num_threads();
    openblas_set_num_threads(1);
#pragma omp parallel for schedule(dynamic, 16)
    for (int64_t b = 0; b < batch; b++)
        f(b);
    openblas_set_num_threads(threads);
}

void scribble(void *memory, size_t bytes)
{
    const size_t end = bytes < 4096 ? bytes : 4096;
    memset(memory, MARK, end);
    memset((char *)memory + bytes - end, MARK, end);
}

bool scribbled(const void *memory, size_t bytes)
{
    const char *all = (const char *)memory;
    const size_t end = bytes < 4096 ? bytes : 4096;
    bool same = true;
    for (size_t i = 0; i < end; i++)
        same = same && all[i] == MARK && all[bytes - end + i] == MARK;
    return same;
}

} // namespace cuda_on_cpu
