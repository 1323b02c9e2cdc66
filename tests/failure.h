/* failure.h: failures on demand. tests/check is linked with --wrap (Makefile) around what libso calls and cannot rely on: calloc,
 * aligned_alloc, and the SVD of the eigen method, which may not converge. The k-th call after failure_set(kind, k) fails, once.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_FAILURE_H
#define TESTS_FAILURE_H

typedef enum failure { FAILURE_ALLOCATION, FAILURE_SVD, FAILURES } failure;

void failure_set(failure kind, int k); /* 0: none fails */
int failure_happened(failure kind);    /* since failure_set */

#endif
