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

void square_of_skew(int n, jet A, jet X)
{
    multiply(n, 1, A, A, X);
    symmetric_diagonal(n, -1, A.v, A.v, X.v);
}

/* A combination of jets as one of values and one of tangents, whose identity has none. */
typedef struct parts {
    const elem *v[4], *d[4];
    elem a[5];
} parts;

static parts parts_of(int terms, const elem *a, const jet *M)
{
    parts p = {.a = {broadcast(0)}};
    for (int k = 0; k < terms; k++) {
        p.v[k] = M[k].v;
        p.d[k] = M[k].d;
        p.a[k + 1] = a[k + 1];
    }
    return p;
}

void multiply_add(int n, int sign, jet P, jet Q, int terms, const elem *a, const jet *M, jet R)
{
    parts p = parts_of(terms, a, M);
    product_lower(n, P.v, Q.v, R.v);
    SO_(complete)(n, sign, terms, a, p.v, R.v);
    if (R.d) {
        product_lower(n, P.d, Q.v, R.d);
        product_lower_add(n, P.v, Q.d, R.d);
        SO_(complete)(n, sign, terms, p.a, p.d, R.d);
    }
}

void combine(int n, int terms, const elem *a, const jet *M, jet R)
{
    parts p = parts_of(terms, a, M);
    SO_(linear_combination)(n, terms, a, p.v, R.v);
    if (R.d)
        SO_(linear_combination)(n, terms, p.a, p.d, R.d);
}
