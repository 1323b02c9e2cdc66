/* automatic.c: the faster of the polynomial and the eigen method, for each matrix by its own norm.
 *
 * Root mean square r of the angles, random matrices (rho = 2 r), one core of an AMD EPYC (AVX-512), microseconds per matrix, the
 * least of 300 runs (n = 128: 60):
 *
 *                  n = 33      48      64      96     128
 *   gradient       f32
 *     eigen           28      54     103     279     591
 *     polynomial      24      45      96     287     650   r = 2
 *                     33      62     128     392     883   r = 8
 *                     40      74     156     484    1097   r = 32
 *   gradient       f64
 *     eigen           45      92     187     535    1215   r = 2, 8
 *                     35      73     147     413    1223   r = 32: fewer angles close together, fewer corrections
 *     polynomial      43      94     201     614    1483   r = 2
 *                     56     123     265     833    2001   r = 8
 *                     67     147     322    1006    2443   r = 32
 *   exponential
 *     f32 eigen       23      45      85     218     455
 *     polynomial      17      30      63     196     440   r = 32
 *     f64 eigen       34      69     139     383     835
 *     polynomial      28      60     133     404     952   r = 32
 *
 * So the gradient is taken from the eigen method from r = 8 on, and the exponential, where it hardly ever wins, never.
 * SPDX-License-Identifier: MIT */
#include "automatic.h"

#include "../group/matrix.h"
#include "../group/polynomial.h"
#include "eigen.h"

#define EIGEN_FROM 8 /* root mean square of the angles */

static void automatic_map(int n, real *A, real *R, real *work)
{
    SO_(so_polynomial).map(n, A, R, work);
}

static void automatic_differential(int n, real *A, const real *R, real *M, real *Y, real *work)
{
    if (sum_of_squares(n, A) >= (real)(EIGEN_FROM * EIGEN_FROM) * (real)n) { /* also if it overflows */
        real *kept = work, *eigen_work = (real *)matrix_of(work, n, 1);
        memcpy(kept, A, (size_t)matrix_size(n) * sizeof(real));
        SO_(so_eigen).differential(n, A, R, M, Y, eigen_work);
        if (!isnan(Y[0]))
            return;
        memcpy(A, kept, (size_t)matrix_size(n) * sizeof(real)); /* the SVD did not converge */
    }
    SO_(so_polynomial).differential(n, A, R, M, Y, work);
}

#define LARGER(a, b) ((int)(a) > (int)(b) ? (int)(a) : (int)(b))

const group_method SO_(so_automatic) = {
    .map = automatic_map,
    .differential = automatic_differential,
    .map_matrices = POLYNOMIAL_MAP_MATRICES,
    .differential_matrices = LARGER(1 + EIGEN_MATRICES, POLYNOMIAL_DIFFERENTIAL_MATRICES),
};
