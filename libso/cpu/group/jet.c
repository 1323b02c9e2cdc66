/* SPDX-License-Identifier: MIT */
#include "jet.h"

void multiply(int n, int sign, jet P, jet Q, jet R)
{
    product_lower(n, P.v, Q.v, R.v);
    mirror(n, sign, R.v);
    if (R.d) {
        product_lower(n, P.d, Q.v, R.d);
        product_lower_add(n, P.v, Q.d, R.d);
        mirror(n, sign, R.d);
    }
}

static inline __attribute__((always_inline)) void sum_terms(ptrdiff_t size, int terms, const real *a, elem *const *P,
                                                            elem *restrict R)
{
    for (ptrdiff_t i = 0; i < size; i++) {
        elem sum = P[terms - 1][i] * a[terms];
#pragma GCC unroll 4
        for (int k = terms - 1; k > 0; k--)
            sum += P[k - 1][i] * a[k];
        R[i] = sum;
    }
}

static void sum_of(ptrdiff_t size, int terms, const real *a, elem *const *P, elem *R)
{
    switch (terms) {
    case 1:
        sum_terms(size, 1, a, P, R);
        break;
    case 2:
        sum_terms(size, 2, a, P, R);
        break;
    case 3:
        sum_terms(size, 3, a, P, R);
        break;
    default:
        sum_terms(size, 4, a, P, R);
        break;
    }
}

void combine(int n, int terms, const real *a, const jet *power, jet R)
{
    elem *v[4] = {0}, *d[4] = {0};
    for (int k = 0; k < terms; k++) {
        v[k] = power[k].v;
        d[k] = power[k].d;
    }
    sum_of(matrix_size(n), terms, a, v, R.v);
    for (int i = 0; i < n; i++)
        R.v[(ptrdiff_t)i * (matrix_stride(n) + 1)] += a[0];
    if (R.d)
        sum_of(matrix_size(n), terms, a, d, R.d);
}

void add(int n, jet P, jet R)
{
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        R.v[i] += P.v[i];
    if (R.d)
        for (ptrdiff_t i = 0; i < matrix_size(n); i++)
            R.d[i] += P.d[i];
}
