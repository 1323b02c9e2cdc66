/* dlfcn.h: stands before the system's: what the kernels load by name, cuBLAS and cuSOLVER, is found in libraries.cpp.
 * SPDX-License-Identifier: MIT */
#ifndef CUDA_ON_CPU_DLFCN_H
#define CUDA_ON_CPU_DLFCN_H

#include_next <dlfcn.h>

/* NULL: no such library here, or on demand (FAILURE_LIBRARY). */
void *cuda_on_cpu_dlopen(const char *library, int mode);
void *cuda_on_cpu_dlsym(void *library, const char *name);

#define dlopen cuda_on_cpu_dlopen
#define dlsym cuda_on_cpu_dlsym

#endif
