/* group.h: the unit of work of the CPU backend: a group of skew matrices that go through a map together.
 *
 * Two layouts, one source (cpu/group/ is compiled for both):
 *   lanes   small n. A group is as many matrices as a vector register has lanes, interleaved: an `elem` holds the same entry of
 *           all of them, and every operation is a vector operation without shuffles.
 *   single  larger n. A group is one matrix, an `elem` is a scalar, and products vectorise along the rows.
 * An operation on an elem never mixes lanes, so that a matrix never sees its neighbours.
 *
 * A group matrix is n rows of stride(n) elems, row-major; entry (i, j) of the matrix in lane l is real number
 * (i*stride(n) + j)*lanes + l. What lies beyond column n is padding: read by vector operations, never by a result.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_GROUP_H
#define SO_CPU_GROUP_H

#include <stddef.h>

#include "../real.h"

#define VECTOR_LANES (VECTOR_BYTES / (int)sizeof(real))

/* A method, as the driver (cpu/batch.c) sees it. Matrices are group matrices; work is aligned to 64 bytes. Returns nothing:
 * a lane that cannot be computed is filled with NaN. */
typedef struct group_method {
    /* R = map(A). A is destroyed. */
    void (*map)(int n, real *A, real *R, real *work);
    /* Y = the derivative of the map at A in the direction M (skew), times R^T: dmap_A(M) R^T, which is skew; given R = map(A).
     * It serves both derivatives: for exp it is phi(ad_A) M, hence vjp: dA = Y(skew(R^T dR)), jvp: L = Y(E) R (trivialised form,
     * exponential.md 2.7); for Cayley K M K^T, K = (I + R)/2. A and M are destroyed. */
    void (*differential)(int n, real *A, const real *R, real *M, real *Y, real *work);
    int map_matrices, differential_matrices; /* size of work, in group matrices */
} group_method;

/* One layout: its geometry, its methods (NULL: not in this layout) and the arithmetic that the driver needs. */
typedef struct group_layout {
    int lanes;
    int (*stride)(int n);             /* elems in a row of a group matrix */
    size_t (*matrix_elements)(int n); /* reals in a group matrix, a multiple of 64 bytes */
    const group_method *polynomial, *pade, *eigen, *automatic, *cayley, *closed_form;
    void (*multiply)(int n, const real *A, const real *B, real *C);            /* C = A B */
    void (*multiply_transposed)(int n, const real *A, const real *B, real *C); /* C = A^T B */
    uint64_t (*make_skew)(int n, real *A); /* A <- U - U^T, U its strict upper triangle; lanes with NaN or Inf in U */
    void (*project_skew)(int n, real *A); /* A <- (A - A^T)/2 */
    /* Directions of derivatives may be as large or small as the type allows: X <- X 2^-exponent per lane, with exponent 0 for
     * ordinary sizes, and back. The derivative is linear, so this changes no bit of a result that needs no scaling. */
    void (*scale_to_unit)(int n, real *X, int *exponent);
    void (*scale_back)(int n, real *X, const int *exponent);
} group_layout;

#endif
