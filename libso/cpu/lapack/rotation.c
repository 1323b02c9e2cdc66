/* rotation.c: see rotation.h.
 * SPDX-License-Identifier: MIT */
#include "rotation.h"

#if defined(SO_REAL_f64)

#include <lapacke.h>

/* ---- The nearest rotation ---- */

/* Newton-Schulz maps the singular value 1 + d to 1 - 3/2 d^2: from |X^T X - I|_F <= NEAR, |d| <= 0.0646, five steps are enough.
 */
#define NEAR 0.125
enum { STEPS_FROM_NEAR = 6 };

int SO_(solve_pivoting)(int n, elem *B, elem *C)
{
    int ld = matrix_stride(n), sign = 1;
    for (int k = 0; k < n; k++) {
        elem *pivot_row = B + (ptrdiff_t)k * ld, *pivot_right = C + (ptrdiff_t)k * ld;
        int chosen = k;
        for (int i = k + 1; i < n; i++)
            if (fabs(B[(ptrdiff_t)i * ld + k]) > fabs(B[(ptrdiff_t)chosen * ld + k]))
                chosen = i;
        for (int j = 0; j < n && chosen != k; j++) {
            elem b = pivot_row[j], c = pivot_right[j];
            pivot_row[j] = B[(ptrdiff_t)chosen * ld + j];
            pivot_right[j] = C[(ptrdiff_t)chosen * ld + j];
            B[(ptrdiff_t)chosen * ld + j] = b;
            C[(ptrdiff_t)chosen * ld + j] = c;
        }
        real pivot = pivot_row[k];
        if (pivot == 0)
            return 0;
        sign = (pivot < 0) == (chosen != k) ? sign : -sign;
        for (int j = 0; j < n; j++) {
            pivot_row[j] /= pivot;
            pivot_right[j] /= pivot;
        }
        for (int i = 0; i < n; i++) {
            elem *restrict row = B + (ptrdiff_t)i * ld, *restrict right = C + (ptrdiff_t)i * ld;
            real factor = row[k];
            if (i == k)
                continue;
            for (int j = k; j < n; j++)
                row[j] -= factor * pivot_row[j];
            for (int j = 0; j < n; j++)
                right[j] -= factor * pivot_right[j];
        }
    }
    return sign;
}

so_status SO_(nearest_rotation)(int n, elem *X, real *work)
{
    int ld = matrix_stride(n);
    elem *T = matrix_of(work, n, 0), *D = matrix_of(work, n, 1);
    real sum = 0;
    transpose(n, X, T);
    product(n, X, T, D);
    for (int i = 0; i < n; i++) {
        D[(ptrdiff_t)i * ld + i] -= 1;
        for (int j = 0; j < n; j++)
            sum += D[(ptrdiff_t)i * ld + j] * D[(ptrdiff_t)i * ld + j];
    }
    if (!(sum <= NEAR * NEAR))
        return SO_ESINGULAR;
    SO_(orthogonalize)(n, -1, X, STEPS_FROM_NEAR, work);
    memcpy(T, X, (size_t)matrix_size(n) * sizeof(elem));
    return SO_(solve_pivoting)(n, T, D) > 0 ? SO_OK : SO_EREFLECTION;
}

/* ---- The real Schur form ---- */

/* The implicit double-shift QR iteration. Unlike hseqr, which calls it, it is plain scalar code: the same bits on any number of
 * threads. */
extern void LAPACK_GLOBAL(dlahqr, DLAHQR)(const lapack_int *wantt, const lapack_int *wantz, const lapack_int *n,
                                          const lapack_int *ilo, const lapack_int *ihi, double *h, const lapack_int *ldh,
                                          double *wr, double *wi, const lapack_int *iloz, const lapack_int *ihiz, double *z,
                                          const lapack_int *ldz, lapack_int *info);

/* Column-major X <- X (I - tau v v^T) for n rows and m columns. w: n numbers of scratch. */
static void reflect_columns(int n, int m, int ld, real tau, const real *v, elem *X, real *w)
{
    memset(w, 0, (size_t)n * sizeof *w);
    for (int j = 0; j < m; j++)
        for (int i = 0; i < n; i++)
            w[i] += v[j] * X[(ptrdiff_t)j * ld + i];
    for (int j = 0; j < m; j++)
        for (int i = 0; i < n; i++)
            X[(ptrdiff_t)j * ld + i] -= tau * v[j] * w[i];
}

/* Column-major H <- Z^T H Z, upper Hessenberg, by Householder reflections. v, w: n numbers of scratch. */
static void hessenberg(int n, elem *H, elem *Z, real *v, real *w)
{
    int ld = matrix_stride(n);
    memset(Z, 0, (size_t)matrix_size(n) * sizeof(elem));
    for (int i = 0; i < n; i++)
        Z[(ptrdiff_t)i * ld + i] = 1;
    for (int k = 0; k + 2 < n; k++) {
        int m = n - k - 1;
        elem *x = H + (ptrdiff_t)k * ld + k + 1;
        real rest = 0;
        for (int i = 1; i < m; i++)
            rest += x[i] * x[i];
        if (rest < 0x1p-900) /* nothing beside entries of order 1, and its square would be a denormal number */
            continue;
        real beta = -copysign(sqrt(x[0] * x[0] + rest), x[0]), tau = (beta - x[0]) / beta;
        v[0] = 1;
        for (int i = 1; i < m; i++) {
            v[i] = x[i] / (x[0] - beta);
            x[i] = 0;
        }
        x[0] = beta;
        for (int j = k + 1; j < n; j++) {
            elem *column = H + (ptrdiff_t)j * ld + k + 1;
            real dot = 0;
            for (int i = 0; i < m; i++)
                dot += v[i] * column[i];
            for (int i = 0; i < m; i++)
                column[i] -= tau * dot * v[i];
        }
        reflect_columns(n, m, ld, tau, v, H + (ptrdiff_t)(k + 1) * ld, w);
        reflect_columns(n, m, ld, tau, v, Z + (ptrdiff_t)(k + 1) * ld, w);
    }
}

/* Column `to` of row-major W <- column `from` of column-major Z. */
static void take_column(int n, const elem *Z, int from, elem *W, int to)
{
    int ld = matrix_stride(n);
    for (int i = 0; i < n; i++)
        W[(ptrdiff_t)i * ld + to] = Z[(ptrdiff_t)from * ld + i];
}

int SO_(schur_of_rotation)(int n, const elem *X, elem *W, real *theta, real *work)
{
    int ld = matrix_stride(n), pair = 0, plus = -1, minus = -1;
    elem *H = matrix_of(work, n, 0), *Z = matrix_of(work, n, 1);
    real *numbers = (real *)matrix_of(work, n, 2); /* 2 n in two matrices */
    transpose(n, X, H);
    hessenberg(n, H, Z, numbers, numbers + n);
    const lapack_int one = 1, order = n, stride = ld;
    lapack_int info = 0;
    LAPACK_GLOBAL(dlahqr, DLAHQR)
    (&one, &one, &order, &one, &order, H, &stride, numbers, numbers + n, &one, &order, Z, &stride, &info);
    if (info != 0)
        return 0;
    memset(W, 0, (size_t)matrix_size(n) * sizeof(elem));
    for (int i = 0; i < n; i++) {
        const elem *here = H + (ptrdiff_t)i * ld + i, *next = here + ld;
        int *open = *here < 0 ? &minus : &plus;
        if (i + 1 < n && here[1] != 0) { /* [[a, b], [c, d]], b c < 0; c > 0 turns the first vector towards the second */
            int turned = here[1] < 0;
            theta[pair] = atan2(fabs(here[1] - next[0]) / 2, (here[0] + next[1]) / 2);
            take_column(n, Z, i + turned, W, 2 * pair);
            take_column(n, Z, i + !turned, W, 2 * pair + 1);
            pair++;
            i++;
        } else if (*open < 0) {
            *open = i;
        } else {
            theta[pair] = *here < 0 ? M_PI : 0;
            take_column(n, Z, *open, W, 2 * pair);
            take_column(n, Z, i, W, 2 * pair + 1);
            pair++;
            *open = -1;
        }
    }
    if (plus >= 0 && n % 2)
        take_column(n, Z, plus, W, n - 1);
    return pair == n / 2 && minus < 0;
}

#endif
