/* message.h: what a program on the shim has done wrong.
 * SPDX-License-Identifier: MIT */
#ifndef CUDA_ON_CPU_MESSAGE_H
#define CUDA_ON_CPU_MESSAGE_H

namespace cuda_on_cpu {

/* "cuda_on_cpu: ..." and a line end to stderr, then abort(). Of several OS threads only the first speaks. */
[[noreturn]] void wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

} // namespace cuda_on_cpu

#endif
