/* rotation.c: see rotation.h.
 * SPDX-License-Identifier: MIT */
#include "rotation.h"

#if defined(SO_REAL_f64)

#include <lapacke.h>

/* ---- Elimination ---- */

/* Exchanges rows so that B_kk is the largest entry of column k on and below the diagonal. Returns whether it had to. */
static int bring_pivot(int n, int k, elem *B, elem *C)
{
    int ld = matrix_stride(n), chosen = k;
    for (int i = k + 1; i < n; i++)
        if (fabs(B[(ptrdiff_t)i * ld + k]) > fabs(B[(ptrdiff_t)chosen * ld + k]))
            chosen = i;
    elem *matrices[2] = {B, C};
    for (int m = 0; m < 2 && matrices[m] && chosen != k; m++) {
        elem *x = matrices[m] + (ptrdiff_t)k * ld, *y = matrices[m] + (ptrdiff_t)chosen * ld;
        for (int j = 0; j < n; j++) {
            elem a = x[j];
            x[j] = y[j];
            y[j] = a;
        }
    }
    return chosen != k;
}

static void subtract(int first, int n, real factor, const elem *restrict from, elem *restrict row)
{
#pragma omp simd
    for (int j = first; j < n; j++)
        row[j] -= factor * from[j];
}

int SO_(determinant_sign)(int n, elem *B)
{
    int ld = matrix_stride(n), sign = 1;
    for (int k = 0; k < n; k++) {
        sign = bring_pivot(n, k, B, NULL) ? -sign : sign;
        elem *pivot_row = B + (ptrdiff_t)k * ld;
        if (pivot_row[k] == 0)
            return 0;
        sign = pivot_row[k] < 0 ? -sign : sign;
        for (int i = k + 1; i < n; i++) {
            elem *row = B + (ptrdiff_t)i * ld;
            subtract(k + 1, n, row[k] / pivot_row[k], pivot_row, row);
        }
    }
    return sign;
}

int SO_(solve_pivoting)(int n, elem *B, elem *C)
{
    int ld = matrix_stride(n);
    for (int k = 0; k < n; k++) {
        bring_pivot(n, k, B, C);
        elem *pivot_row = B + (ptrdiff_t)k * ld, *pivot_right = C + (ptrdiff_t)k * ld;
        real pivot = pivot_row[k];
        if (pivot == 0)
            return 0;
        for (int j = 0; j < n; j++) {
            pivot_row[j] /= pivot;
            pivot_right[j] /= pivot;
        }
        for (int i = 0; i < n; i++) {
            elem *row = B + (ptrdiff_t)i * ld, *right = C + (ptrdiff_t)i * ld;
            real factor = row[k];
            if (i == k)
                continue;
            subtract(k, n, factor, pivot_row, row);
            subtract(0, n, factor, pivot_right, right);
        }
    }
    return 1;
}

/* ---- The nearest rotation ---- */

/* Newton-Schulz maps the defect d = ||X^T X - I||_F to at most 3/4 d^2 + d^3/4 (exponential.md 2.10): four steps from the largest
 * one reach u. */
int SO_(nearest_orthogonal)(int n, elem *X, real *work)
{
    int ld = matrix_stride(n);
    elem *T = matrix_of(work, n, 0), *D = matrix_of(work, n, 1), *F = matrix_of(work, n, 2);
    for (int first = 1;; first = 0) {
        real squares = 0;
        transpose(n, X, T);
        product_lower(n, X, T, D);
        mirror(n, 1, D);
        for (int i = 0; i < n; i++) {
            elem *row = D + (ptrdiff_t)i * ld;
            row[i] -= 1;
            for (int j = 0; j < n; j++)
                squares += row[j] * row[j];
        }
        if (first && !(squares <= LARGEST_DEFECT * LARGEST_DEFECT))
            return 0;
        if (squares <= 4 * n * REAL_EPSILON * REAL_EPSILON)
            return 1;
        product(n, D, X, F);
        for (ptrdiff_t i = 0; i < matrix_size(n); i++)
            X[i] -= F[i] / 2;
        if (squares <= REAL_EPSILON) /* what is left is below u */
            return 1;
    }
}

int SO_(is_rotation)(int n, const elem *X, real *work)
{
    elem *B = matrix_of(work, n, 0);
    real trace = 0;
    for (int i = 0; i < n; i++)
        trace += X[(ptrdiff_t)i * matrix_stride(n) + i];
    if (trace > n - 1) /* an eigenvalue -1 would leave at most n - 2 */
        return 1;
    memcpy(B, X, (size_t)matrix_size(n) * sizeof(elem));
    return SO_(determinant_sign)(n, B) > 0;
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

so_status SO_(schur_of_rotation)(int n, const elem *X, elem *W, real *theta, real *work)
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
        return SO_ESINGULAR;
    memset(W, 0, (size_t)matrix_size(n) * sizeof(elem));
    for (int i = 0; i < n; i++) {
        const elem *here = H + (ptrdiff_t)i * ld + i;
        int *open = *here < 0 ? &minus : &plus;
        if (i + 1 < n && here[1] != 0) { /* [[a, b], [c, a]], b = -c but for rounding; c > 0 turns the first towards the second */
            int turned = here[1] < 0;
            theta[pair] = atan2(fabs(here[1]), here[0]);
            take_column(n, Z, i + turned, W, pair);
            take_column(n, Z, i + !turned, W, n / 2 + pair);
            pair++;
            i++;
        } else if (*open < 0) {
            *open = i;
        } else {
            theta[pair] = *here < 0 ? M_PI : 0;
            take_column(n, Z, *open, W, pair);
            take_column(n, Z, i, W, n / 2 + pair);
            pair++;
            *open = -1;
        }
    }
    if (plus >= 0 && n % 2)
        take_column(n, Z, plus, W, n - 1);
    return pair == n / 2 && minus < 0 ? SO_OK : SO_EREFLECTION;
}

#endif
