/* lapacke.c: the peer "plain LAPACKE": Pade approximant of degree 13 with scaling and squaring, as anyone would write it
 * (Higham, SIAM J. Matrix Anal. Appl. 26, 2005, algorithm 2.3 without the choice of the degree). One matrix at a time, the
 * batch over OpenMP threads, OpenBLAS with one. usage: lapacke THREADS SPDX-License-Identifier: MIT */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

static const double theta = 5.371920351148152;
static double b[14]; /* numerator of the approximant */

static void fill_coefficients(void)
{
    b[13] = 1;
    for (int j = 12; j >= 0; j--)
        b[j] = b[j + 1] * (26 - j) * (j + 1) / (13 - j);
}

#define real float
#define gemm cblas_sgemm
#define gesv LAPACKE_sgesv
#define NAME(x) x##_f32
#include "pade_13.h"
#undef real
#undef gemm
#undef gesv
#undef NAME
#define real double
#define gemm cblas_dgemm
#define gesv LAPACKE_dgesv
#define NAME(x) x##_f64
#include "pade_13.h"

int main(int argc, char **argv)
{
    static const peer_kernels kernels = {batch_f32, batch_f64};
    char version[256];
    if (argc != 2 || atoi(argv[1]) < 1) {
        fprintf(stderr, "usage: lapacke THREADS\n");
        return 2;
    }
    fill_coefficients();
    openblas_set_num_threads(1);
    snprintf(version, sizeof version, "%s", openblas_get_config());
    return peer_serve(version, &kernels, atoi(argv[1]));
}
