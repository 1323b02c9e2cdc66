/* project.h: the rotation nearest to a matrix.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_LAPACK_PROJECT_H
#define SO_CPU_LAPACK_PROJECT_H

#include <stddef.h>

#include "../../real.h"
#include "../../so.h"

#define so_project_bytes SO_VARIANT(so_project_bytes, ) /* one name for all layouts */
#define so_project_matrix SO_VARIANT(so_project_matrix, )

size_t so_project_bytes(int n); /* of workspace */

/* R (n x n, row-major, contiguous, finite) <- its orthogonal polar factor, with determinant +1 (so.h, so_project). work:
 * aligned to 64 bytes. Returns SO_OK or SO_ESINGULAR; then R is unspecified. */
so_status so_project_matrix(int n, real *R, void *work);

#endif
