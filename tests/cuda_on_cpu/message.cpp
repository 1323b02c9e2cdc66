/* SPDX-License-Identifier: MIT */
#include "message.h"
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

void cuda_on_cpu::wrong(const char *format, ...)
{
    static bool spoken;
    while (__atomic_exchange_n(&spoken, true, __ATOMIC_ACQ_REL))
        pause();
    va_list values;
    va_start(values, format);
    fputs("cuda_on_cpu: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    abort();
}
