/* singular.c: one-sided Jacobi rotations (Hestenes 1958; Demmel and Veselic, SIAM J. Matrix Anal. Appl. 13, 1992): the columns of
 * X are turned in pairs until they are orthogonal; their lengths are the singular values, their directions U, the rotations V.
 * No BLAS: the same bits on any number of its threads.
 * SPDX-License-Identifier: MIT */
#include "singular.h"

#include "rotation.h"

#if defined(SO_REAL_f64)

/* Convergence is quadratic, four to nine sweeps; the limit ends a pair that rounding keeps at the tolerance. */
enum { SWEEPS = 40 };

static inline elem *row_of(elem *A, int ld, int i)
{
    return A + (ptrdiff_t)i * ld;
}

static real dot(int n, const elem *restrict x, const elem *restrict y)
{
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

static void turn(int n, real c, real s, elem *restrict x, elem *restrict y)
{
#pragma omp simd
    for (int i = 0; i < n; i++) {
        elem a = x[i], b = y[i];
        x[i] = c * a - s * b;
        y[i] = s * a + c * b;
    }
}

/* Exchanges the rows i < j of G and of VT, one of each with its sign turned: U V^T and det V stay. */
static void exchange(int n, int i, int j, elem *G, elem *VT, real *length)
{
    int ld = matrix_stride(n);
    elem *matrices[2] = {G, VT};
    for (int m = 0; m < 2 && i != j; m++) {
        elem *restrict x = row_of(matrices[m], ld, i), *restrict y = row_of(matrices[m], ld, j);
#pragma omp simd
        for (int k = 0; k < n; k++) {
            elem a = x[k];
            x[k] = y[k];
            y[k] = -a;
        }
    }
    real a = length[i];
    length[i] = length[j];
    length[j] = a;
}

/* Makes every pair of rows of G orthogonal, once, and turns the rows of VT with them, longest rows first, which converges faster
 * (de Rijk, SIAM J. Sci. Stat. Comput. 10, 1989). Returns whether a pair was not orthogonal. square: n numbers. */
static int sweep(int n, elem *G, elem *VT, real *square)
{
    int ld = matrix_stride(n), turned = 0;
    real tolerance = (n + 8) * REAL_EPSILON;
    for (int i = 0; i < n; i++)
        square[i] = dot(n, row_of(G, ld, i), row_of(G, ld, i));
    for (int i = 0; i < n; i++) {
        int longest = i;
        for (int j = i + 1; j < n; j++)
            longest = square[j] > square[longest] ? j : longest;
        exchange(n, i, longest, G, VT, square);
        elem *x = row_of(G, ld, i);
        for (int j = i + 1; j < n; j++) {
            elem *y = row_of(G, ld, j);
            real xy = dot(n, x, y);
            if (fabs(xy) <= tolerance * sqrt(square[i]) * sqrt(square[j])) /* also where a row is zero */
                continue;
            real zeta = (square[j] - square[i]) / (2 * xy), t = copysign(1 / (fabs(zeta) + sqrt(1 + zeta * zeta)), zeta);
            real c = 1 / sqrt(1 + t * t);
            turn(n, c, c * t, x, y);
            turn(n, c, c * t, row_of(VT, ld, i), row_of(VT, ld, j));
            square[i] -= t * xy;
            square[j] += t * xy;
            turned = 1;
        }
    }
    return turned;
}

/* The last row of UT <- a unit vector orthogonal to the others. */
static void complete(int n, elem *UT)
{
    int ld = matrix_stride(n), farthest = 0; /* the axis farthest from their span */
    elem *last = row_of(UT, ld, n - 1);
    real longest = -1;
    for (int i = 0; i < n; i++) {
        real left = 1;
        for (int k = 0; k < n - 1; k++)
            left -= row_of(UT, ld, k)[i] * row_of(UT, ld, k)[i];
        if (left > longest) {
            longest = left;
            farthest = i;
        }
    }
    memset(last, 0, (size_t)ld * sizeof *last);
    last[farthest] = 1;
    for (int twice = 0; twice < 2; twice++) {
        for (int k = 0; k < n - 1; k++) {
            elem *u = row_of(UT, ld, k);
            real along = dot(n, u, last);
            for (int i = 0; i < n; i++)
                last[i] -= along * u[i];
        }
        real length = sqrt(dot(n, last, last));
        for (int i = 0; i < n; i++)
            last[i] /= length;
    }
}

so_status SO_(singular_values)(int n, const elem *X, double u, elem *UT, elem *VT, real *s, real *work)
{
    int ld = matrix_stride(n), smallest = 0, left = SWEEPS;
    real largest = 0;
    transpose(n, X, UT);
    memset(VT, 0, (size_t)matrix_size(n) * sizeof(elem));
    for (int i = 0; i < n; i++)
        row_of(VT, ld, i)[i] = 1;
    while (sweep(n, UT, VT, s) && --left > 0)
        ;
    for (int k = 0; k < n; k++) {
        s[k] = sqrt(dot(n, row_of(UT, ld, k), row_of(UT, ld, k)));
        largest = fmax(largest, s[k]);
        smallest = s[k] < s[smallest] ? k : smallest;
    }
    exchange(n, smallest, n - 1, UT, VT, s);
    real rounding = 2 * n * u * largest;
    for (int k = 0; k < n - 1; k++) {
        if (!(s[k] > rounding))
            return SO_ESINGULAR;
        for (int i = 0; i < n; i++)
            row_of(UT, ld, k)[i] /= s[k];
    }

    /* The direction of the last column may be lost in rounding; the others and the determinant give it. */
    elem *last = row_of(UT, ld, n - 1), *given = matrix_of(work, n, 0);
    memcpy(given, last, (size_t)ld * sizeof *last);
    complete(n, UT);
    s[n - 1] = dot(n, given, last);
    memcpy(given, UT, (size_t)matrix_size(n) * sizeof(elem));
    int sign = SO_(determinant_sign)(n, given);
    s[n - 1] *= sign;
    for (int i = 0; i < n; i++)
        last[i] *= sign;
    for (int k = 0; k < n - 1; k++)
        if (!(s[k] + s[n - 1] > rounding))
            return SO_ESINGULAR;
    return SO_OK;
}

void SO_(singular_residual)(int n, const elem *X, elem *UT, elem *VT, real *s, elem *K, elem *N, real *work)
{
    int ld = matrix_stride(n);
    elem *V = matrix_of(work, n, 0), *T = matrix_of(work, n, 1), *B = matrix_of(work, n, 2);
    SO_(nearest_orthogonal)(n, UT, work);
    SO_(nearest_orthogonal)(n, VT, work);
    transpose(n, VT, V);
    product(n, X, V, T);
    product(n, UT, T, B); /* = (I + K) (diag(s) + N) */
    memset(K, 0, (size_t)matrix_size(n) * sizeof(elem));
    memset(N, 0, (size_t)matrix_size(n) * sizeof(elem));
    for (int i = 0; i < n; i++)
        s[i] = row_of(B, ld, i)[i];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            real ij = row_of(B, ld, i)[j], ji = row_of(B, ld, j)[i], sum = s[i] + s[j];
            row_of(K, ld, i)[j] = i == j ? 0 : (ij - ji) / sum;
            row_of(N, ld, i)[j] = i == j ? 0 : (s[i] * ij + s[j] * ji) / sum;
        }
}

#endif
