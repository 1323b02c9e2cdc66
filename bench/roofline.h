/* roofline.h: what this machine can do at most, measured by kernels of its own: multiply-adds and copies.
 * Model: Williams, Waterman, Patterson, Roofline, Comm. ACM 52(4), 2009.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_ROOFLINE_H
#define BENCH_ROOFLINE_H

#include "measure.h"

typedef struct roofline {
    char isa[16];               /* the instruction set that libso uses: SO_ISA, or the widest of this machine */
    double gflops[SWEEP_REALS]; /* independent multiply-adds in registers, 2 flops each, all threads at once */
    double copy_gb_s;           /* memory to memory, all threads at once, twice the last cache each way; read + written */
} roofline;

/* Best of several runs, about half a second in all. Ends the program with one line if libso refuses SO_ISA. */
roofline roofline_measure(int threads);

#endif
