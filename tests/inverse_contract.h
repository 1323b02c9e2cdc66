/* inverse_contract.h: what so.h promises alike of so_log and of so_cayley_inverse, and of their vjps.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_INVERSE_CONTRACT_H
#define TESTS_INVERSE_CONTRACT_H

#include "oracle_inverse.h"

typedef struct inverse_map {
    so_status (*map)(int bits, so_ctx *, int n, int64_t batch, const double *R, double *A);
    so_status (*vjp)(int bits, so_ctx *, int n, int64_t batch, const double *const *in, double *dR);
    int inputs;              /* of the vjp; the last two are A and dA */
    const char *argument[3]; /* their names */
} inverse_map;
extern const inverse_map inverse_log, inverse_cayley;

/* Bits that depend on nothing but the matrix, in place, the workspace, NaN for non-finite matrices, reflections and what is far
 * from a rotation, refused arguments. */
void inverse_batches(int bits, const inverse_map *);
/* Next to the identity, where R = I + A to the last bit, and at it. */
void inverse_next_to_identity(int bits, const inverse_map *);
/* Scaling by powers of two is exact, only the upper triangle of A counts, dR may be any input, a bad matrix is alone, arguments
 * are checked. */
void inverse_gradient_contract(int bits, const inverse_map *);

/* Holds error <= bound and raises the highest ratio seen. */
void inverse_note(double *highest, double error, double bound, const char *what, int bits, int n, int c, double gap);

#endif
