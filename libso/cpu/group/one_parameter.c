/* one_parameter.c: see cpu/one_parameter.h.
 * SPDX-License-Identifier: MIT */
#include "../one_parameter.h"

#include "planes.h"

static half_angles half_angles_of(int n, const double *angle, const double *p, real *memory)
{
    half_angles h = half_angles_in(n, (elem *)memory);
    for (int l = 0; l < LANES; l++)
        SO_(set_half_angles)(n, l, p[l], angle, &h);
    return h;
}

static void map(int n, const real *W, const real *WT, const double *angle, const double *p, real *R, real *T, real *U)
{
    half_angles h = half_angles_of(n, angle, p, T);
    SO_(rotation_in_planes)(n, &h, (const elem *)W, (const elem *)WT, NULL, (elem *)U, (elem *)R);
}

static void differential(int n, const real *W, const real *WT, const double *angle, const double *p, const real *G, real *M,
                         double *along, real *T)
{
    elem *Y = (elem *)M;
    product(n, (const elem *)G, (const elem *)W, (elem *)T);
    product(n, (const elem *)WT, (const elem *)T, Y);
    half_angles h = half_angles_of(n, angle, p, T);
    SO_(trivialise_in_planes)(n, &h, Y);
    SO_(phi_in_planes)(n, &h, Y);
    for (int l = 0; l < LANES; l++) {
        along[l] = 0;
        for (int k = 0; k < n / 2; k++)
            along[l] += 2 * angle[k] * (double)get_lane(Y[(ptrdiff_t)(n / 2 + k) * matrix_stride(n) + k], l);
    }
}

const one_parameter_method SO_(so_one_parameter) = {map, differential};
