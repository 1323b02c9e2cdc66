/* layout.c: this layout, as the driver sees it.
 * SPDX-License-Identifier: MIT */
#include "layout.h"

#include "cayley.h"
#include "closed_form.h"
#include "matrix.h"
#include "polynomial.h"
#include "scaling.h"
#if defined(SO_LAYOUT_single)
#include "../lapack/automatic.h"
#include "../lapack/eigen.h"
#include "../lapack/pade.h"
#endif

static int stride(int n)
{
    return matrix_stride(n);
}

static size_t elements(int n)
{
    return matrix_elements(n);
}

static void product_of(int n, const real *A, const real *B, real *C)
{
    product(n, (const elem *)A, (const elem *)B, (elem *)C);
}

static void product_transposed_of(int n, const real *A, const real *B, real *C)
{
    product_transposed(n, (const elem *)A, (const elem *)B, (elem *)C);
}

static uint64_t make_skew_of(int n, real *A)
{
    return skew_from_upper(n, (elem *)A);
}

static void skew_part_of(int n, real *A)
{
    skew_part(n, (elem *)A);
}

static void scale_to_unit_of(int n, real *X, int *exponent)
{
    SO_(scale_to_unit)(n, (elem *)X, exponent);
}

static void scale_back_of(int n, real *X, const int *exponent)
{
    SO_(scale_back)(n, (elem *)X, exponent);
}

const group_layout SO_(so_layout) = {
    .lanes = LANES,
    .stride = stride,
    .matrix_elements = elements,
    .polynomial = &SO_(so_polynomial),
    .cayley = &SO_(so_cayley),
#if defined(SO_LAYOUT_lanes)
    .closed_form = &SO_(so_closed_form),
#else
    .pade = &SO_(so_pade),
    .eigen = &SO_(so_eigen),
    .automatic = &SO_(so_automatic),
#endif
    .multiply = product_of,
    .multiply_transposed = product_transposed_of,
    .make_skew = make_skew_of,
    .project_skew = skew_part_of,
    .scale_to_unit = scale_to_unit_of,
    .scale_back = scale_back_of,
};
