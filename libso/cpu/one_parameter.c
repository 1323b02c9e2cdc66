/* SPDX-License-Identifier: MIT */
#include "one_parameter.h"

#include <math.h>
#include <string.h>

#include "group/layout.h"
#include "lapack/generator.h"

size_t SO_(so_one_parameter_bytes)(const group_layout *layout, int n)
{
    const group_layout *single = &SO_VARIANT(so_layout, _single);
    size_t angles = ((size_t)n * sizeof(double) + 63) / 64 * 64;
    size_t matrices =
        single->matrix_elements(n) * (2 + GENERATOR_MATRICES) + (layout == single ? 0 : 2 * layout->matrix_elements(n));
    return angles + matrices * sizeof(real);
}

one_parameter SO_(so_one_parameter_in)(const group_layout *layout, int n, void *memory)
{
    const group_layout *single = &SO_VARIANT(so_layout, _single);
    size_t size = single->matrix_elements(n), angles = ((size_t)n * sizeof(double) + 63) / 64 * 64;
    real *frame = (real *)(void *)((char *)memory + angles);
    one_parameter o = {.layout = layout,
                       .single = single,
                       .method =
                           layout == single ? &SO_VARIANT(so_one_parameter, _single) : &SO_VARIANT(so_one_parameter, _lanes),
                       .n = n,
                       .number = -1,
                       .frame = frame,
                       .frame_transposed = frame + size,
                       .angle = memory,
                       .work = frame + 2 * size};
    o.W = layout == single ? frame : frame + (2 + GENERATOR_MATRICES) * size;
    o.WT = layout == single ? o.frame_transposed : o.W + layout->matrix_elements(n);
    return o;
}

/* Group matrix <- X of the layout `single` in every lane. */
static void spread(const one_parameter *o, const real *X, real *group)
{
    int n = o->n, lanes = o->layout->lanes, ld = o->layout->stride(n), ld_single = o->single->stride(n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            for (int l = 0; l < lanes; l++)
                group[((size_t)i * (size_t)ld + (size_t)j) * (size_t)lanes + (size_t)l] =
                    X[(size_t)i * (size_t)ld_single + (size_t)j];
}

int SO_(so_one_parameter_factor)(one_parameter *o, int64_t number, const real *generator)
{
    if (o->number == number)
        return o->factored;
    int n = o->n, ld = o->single->stride(n);
    real_bits bad = 0;
    o->number = number;
    o->largest = 0;
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++) {
            real size = (real)fabs((double)generator[(size_t)i * (size_t)n + (size_t)j]);
            bad |= nonfinite_bits(size);
            o->largest = size > o->largest ? size : o->largest;
        }
    o->factored = !bad && SO_VARIANT(so_factor_generator, _single)(n, generator, o->frame, o->angle, o->work);
    if (!o->factored)
        return 0;
    memset(o->frame_transposed, 0, o->single->matrix_elements(n) * sizeof(real));
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            o->frame_transposed[(size_t)j * (size_t)ld + (size_t)i] = o->frame[(size_t)i * (size_t)ld + (size_t)j];
    if (o->layout != o->single) {
        spread(o, o->frame, o->W);
        spread(o, o->frame_transposed, o->WT);
    }
    return 1;
}

void SO_(so_one_parameter_screen)(const one_parameter *o, int used, const real *position, double *p, uint64_t *bad)
{
    for (int l = 0; l < o->layout->lanes; l++) {
        p[l] = 0;
        if (l >= used)
            continue;
        if (nonfinite_bits(position[l]) | nonfinite_bits(position[l] * o->largest))
            *bad |= (uint64_t)1 << l;
        else
            p[l] = (double)position[l];
    }
}

void SO_(so_one_parameter_from_planes)(const one_parameter *o, real *S, real *out)
{
    int n = o->n, ld = o->single->stride(n);
    real *T = o->work, first = S[0];
    o->single->multiply_transposed(n, S, o->frame_transposed, T); /* (W S)^T */
    o->single->multiply_transposed(n, T, o->frame_transposed, S);
    o->single->project_skew(n, S);
    for (int i = 0; i < n && isnan(first); i++) /* the diagonal too */
        S[(size_t)i * (size_t)ld + (size_t)i] = first;
    for (int i = 0; i < n; i++)
        memcpy(out + (size_t)i * (size_t)n, S + (size_t)i * (size_t)ld, (size_t)n * sizeof(real));
}
