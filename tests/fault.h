/* fault.h: failures on demand. tests/check is linked with --wrap (Makefile) around what libso calls and cannot rely on: calloc,
 * aligned_alloc, and the SVDs of LAPACK, which may not converge. The k-th call after fault_set(kind, k) fails, once.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_FAULT_H
#define TESTS_FAULT_H

typedef enum fault { FAULT_ALLOCATION, FAULT_SVD, FAULTS } fault;

void fault_set(fault kind, int k); /* 0: none fails */
int fault_happened(fault kind);    /* since fault_set */

#endif
