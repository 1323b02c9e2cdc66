/* oracle_call.h: the functions of so.h for either real type, on arrays of double in the host's memory. bits = 53 calls _f64 on the
 * arrays themselves; bits = 24 calls _f32 on copies (inputs must be f32 numbers to arrive unchanged). Arrays that alias here alias
 * there. In a CUDA context: on copies in the device's memory, and the status is what the call's matrices have met.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_ORACLE_CALL_H
#define TESTS_ORACLE_CALL_H

#include <stddef.h>

#include "libso/so.h"

enum { BF16 = 8, F32 = 24, F64 = 53 };

double call_u(int bits);                        /* 2^-bits */
double call_round(int bits, double x);          /* x in that type */
const char *call_type(int bits);                /* "f32", "f64", "bf16" */
const char *call_method(so_method method);      /* "AUTO" .. */

/* From now on the library is given copies that begin so many elements behind a well-aligned address. */
void call_unaligned(size_t elements);

so_status call_exp(int bits, so_ctx *, so_method, int n, int64_t batch, const double *A, double *R);
so_status call_exp_vjp(int bits, so_ctx *, so_method, int n, int64_t batch, const double *A, const double *R, const double *dR,
                       double *dA);
so_status call_exp_jvp(int bits, so_ctx *, so_method, int n, int64_t batch, const double *A, const double *E, double *R, double *L);
so_status call_cayley(int bits, so_ctx *, int n, int64_t batch, const double *A, double *R);
so_status call_cayley_vjp(int bits, so_ctx *, int n, int64_t batch, const double *A, const double *R, const double *dR, double *dA);
so_status call_cayley_jvp(int bits, so_ctx *, int n, int64_t batch, const double *A, const double *E, double *R, double *L);
so_status call_log(int bits, so_ctx *, int n, int64_t batch, const double *R, double *A);
so_status call_log_vjp(int bits, so_ctx *, int n, int64_t batch, const double *R, const double *A, const double *dA, double *dR);
so_status call_cayley_inverse(int bits, so_ctx *, int n, int64_t batch, const double *R, double *A);
so_status call_cayley_inverse_vjp(int bits, so_ctx *, int n, int64_t batch, const double *A, const double *dA, double *dR);
so_status call_pack(int bits, so_ctx *, int n, int64_t batch, const double *A, double *p);
so_status call_unpack(int bits, so_ctx *, int n, int64_t batch, const double *p, double *A);
so_status call_orthogonality(int bits, so_ctx *, int n, int64_t batch, const double *R, double *defect);
so_status call_project(int bits, so_ctx *, int n, int64_t batch, double *R);
so_status call_project_vjp(int bits, so_ctx *, int n, int64_t batch, const double *X, const double *dR, double *dX);
so_status call_encode(int bits, so_ctx *, const so_encoding *, const double *position, const double *generator, double *R);
so_status call_encode_vjp(int bits, so_ctx *, const so_encoding *, const double *position, const double *generator,
                          const double *R, const double *dR, double *dgenerator, double *dposition);
/* `elements`: the length of x, y, dx and dy, gaps included. bits = 8 calls _bf16: vectors are bf16 numbers, R and dR f32 ones. */
so_status call_rotate(int bits, so_ctx *, const so_rotation *, size_t elements, const double *R, const double *x, double *y);
so_status call_rotate_vjp(int bits, so_ctx *, const so_rotation *, size_t elements, const double *R, const double *x,
                          const double *dy, double *dx, double *dR);

#endif
