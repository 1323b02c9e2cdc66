/* spectral.c: the real Schur form of a skew matrix by half-size SVD (exponential.md 2.5; Ward & Gray, TOMS 530, 1978).
 *
 *   1. A = Q T Q^T, T skew tridiagonal: Householder reflections H = I - tau v v^T. Since v^T A v = 0,
 *      H A H = A + v p^T - p v^T with p = tau A v; only the lower triangle is kept, so skewness is exact.
 *   2. Even before odd indices: T ~ [[0, B], [-B^T, 0]], B lower bidiagonal, ceil(n/2) x floor(n/2).
 *   3. B = U S V^T by LAPACK's bdsqr (Demmel & Kahan 1990), which lets a coupling go at 100 epsilon of what it couples. For odd
 * n a zero column makes B square; its singular value is exactly 0, last, with right vector e_last.
 *   4. W = Q [V on odd rows | U on even rows], column pairs interleaved.
 * SPDX-License-Identifier: MIT */
#include "spectral.h"

#if defined(SO_REAL_f64)

#include <lapacke.h>

static inline elem *row_of(elem *A, int ld, int i)
{
    return A + (ptrdiff_t)i * (ptrdiff_t)ld;
}

/* The exponent of the largest entry, at least -1000 so that 2^-exponent is finite. A <- A 2^-exponent. */
static int scale_to_one(int n, elem *A)
{
    int ld = matrix_stride(n), exponent;
    real largest = 0;
    for (int i = 1; i < n; i++)
        for (int j = 0; j < i; j++)
            largest = fmax(largest, fabs(A[(ptrdiff_t)i * ld + j]));
    frexp(largest, &exponent);
    exponent = exponent < -1000 ? -1000 : exponent;
    real factor = ldexp(1, -exponent);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        A[i] *= factor;
    return exponent;
}

/* Reflection that maps x to beta e_0: x <- v with v_0 = 1. Returns tau; 0 if x is a multiple of e_0, up to squares that would
 * be denormal numbers (the largest entry of A is about 1). */
static real reflector(int n, real *x, real *beta)
{
    real rest = 0;
#pragma omp simd reduction(+ : rest)
    for (int i = 1; i < n; i++)
        rest += x[i] * x[i];
    *beta = x[0];
    if (rest < 0x1p-900)
        return 0;
    *beta = -copysign(sqrt(x[0] * x[0] + rest), x[0]);
    real tau = (*beta - x[0]) / *beta, inverse = 1 / (x[0] - *beta);
    x[0] = 1;
    for (int i = 1; i < n; i++)
        x[i] *= inverse;
    return tau;
}

/* A (lower triangle) -> sub[i] = T_(i+1,i); the vectors v stay below the diagonal of A. v, p: n numbers of scratch. */
static void tridiagonalise(int n, elem *A, real *sub, real *tau, real *v, real *p)
{
    int ld = matrix_stride(n);
    for (int k = 0; k + 1 < n; k++) {
        int m = n - k - 1;
        elem *block = row_of(A, ld, k + 1) + k + 1;
        for (int i = 0; i < m; i++)
            v[i] = A[(ptrdiff_t)(k + 1 + i) * ld + k];
        tau[k] = reflector(m, v, &sub[k]);
        if (tau[k] == 0)
            continue;
        for (int i = 0; i < m; i++) {
            A[(ptrdiff_t)(k + 1 + i) * ld + k] = v[i];
            p[i] = 0;
        }
        for (int i = 0; i < m; i++) {
            const elem *a = row_of(block, ld, i);
            real vi = v[i], sum = 0;
#pragma omp simd reduction(+ : sum)
            for (int j = 0; j < i; j++) {
                sum += a[j] * v[j];
                p[j] -= a[j] * vi;
            }
            p[i] += sum;
        }
        for (int i = 0; i < m; i++)
            p[i] *= tau[k];
        for (int i = 0; i < m; i++) {
            elem *a = row_of(block, ld, i);
            real vi = v[i], pi = p[i];
#pragma omp simd
            for (int j = 0; j < i; j++)
                a[j] += vi * p[j] - pi * v[j];
        }
    }
}

/* Q = H_0 H_1 ..; the reflector k acts on rows k+1.. . v, w: n numbers of scratch. */
static void accumulate(int n, const elem *A, const real *tau, elem *Q, real *v, real *w)
{
    int ld = matrix_stride(n);
    memset(Q, 0, (size_t)matrix_size(n) * sizeof(elem));
    for (int i = 0; i < n; i++)
        Q[(ptrdiff_t)i * ld + i] = 1;
    for (int k = n - 2; k >= 0; k--) {
        int m = n - k - 1;
        if (tau[k] == 0)
            continue;
        elem *block = row_of(Q, ld, k + 1) + k + 1;
        for (int i = 0; i < m; i++) {
            v[i] = i ? A[(ptrdiff_t)(k + 1 + i) * ld + k] : 1;
            w[i] = 0;
        }
        for (int i = 0; i < m; i++) {
            const elem *q = row_of(block, ld, i);
            real vi = v[i];
#pragma omp simd
            for (int j = 0; j < m; j++)
                w[j] += vi * q[j];
        }
        for (int i = 0; i < m; i++) {
            elem *q = row_of(block, ld, i);
            real factor = tau[k] * v[i];
#pragma omp simd
            for (int j = 0; j < m; j++)
                q[j] -= factor * w[j];
        }
    }
}

/* Singular value decomposition of the half-size block of T; U and VT column-major. bdsqr_work: 4 half numbers. */
static int half_svd(int n, const real *sub, real *theta, real *super, elem *U, elem *VT, real *bdsqr_work)
{
    int half = (n + 1) / 2;
    for (int i = 0; i < half; i++) {
        theta[i] = 2 * i + 1 < n ? -sub[2 * i] : 0;
        super[i] = 2 * i + 2 < n ? sub[2 * i + 1] : 0;
        for (int j = 0; j < half; j++)
            U[(ptrdiff_t)i * half + j] = VT[(ptrdiff_t)i * half + j] = i == j;
    }
    return LAPACKE_dbdsqr_work(LAPACK_COL_MAJOR, 'L', half, half, half, 0, theta, super, VT, half, U, half, NULL, 1,
                               bdsqr_work) == 0;
}

/* The vectors of T as a matrix: column 2k = v_k on the odd rows, column 2k+1 = u_k on the even rows, so that T maps the first
 * to theta times the second; a last null column for odd n. */
static void interleave(int n, const elem *U, const elem *VT, elem *P)
{
    int ld = matrix_stride(n), half = (n + 1) / 2;
    memset(P, 0, (size_t)matrix_size(n) * sizeof(elem));
    for (int i = 0; i < half; i++)
        for (int k = 0; k < half; k++) {
            if (2 * i + 1 < n && 2 * k + 1 < n)
                P[(ptrdiff_t)(2 * i + 1) * ld + 2 * k] = VT[(ptrdiff_t)i * half + k];
            P[(ptrdiff_t)(2 * i) * ld + (2 * k + 1 < n ? 2 * k + 1 : n - 1)] = U[(ptrdiff_t)k * half + i];
        }
}

int SO_(spectrum_of)(int n, elem *A, spectrum *s, real *work)
{
    elem *U = matrix_of(work, n, 0), *Q = matrix_of(work, n, 3), *P = matrix_of(work, n, 4), *VT = matrix_of(work, n, 5);
    /* 5 n + 2 numbers in two matrices: matrix_elements(n) is at least 8 and at least n^2. */
    real *theta = (real *)matrix_of(work, n, 1), *sub = theta + n, *tau = sub + n, *v = tau + n, *p = v + n;
    *s = (spectrum){.W = U, .theta = theta, .exponent = scale_to_one(n, A)};
    memcpy(P, A, (size_t)matrix_size(n) * sizeof(elem));
    tridiagonalise(n, P, sub, tau, v, p);
    accumulate(n, P, tau, Q, v, p);
    if (!half_svd(n, sub, theta, tau, U, VT, v))
        return 0;
    interleave(n, U, VT, P);
    product(n, Q, P, s->W);
    return 1;
}

void SO_(spectrum_unscale)(int n, const spectrum *s, real *angle)
{
    for (int k = 0; k < (n + 1) / 2; k++)
        angle[k] = fmin(ldexp(s->theta[k], s->exponent), REAL_MAX / 4);
}

void SO_(block_function)(int n, const real *angle, block_multiplier *multiplier, elem *M)
{
    int ld = matrix_stride(n), pairs = n / 2;
    for (int a = 0; a < pairs; a++) {
        elem *diagonal = row_of(M, ld, 2 * a + 1) + 2 * a;
        real zero = 0;
        multiplier(0, &zero, diagonal);
        for (int b = 0; b < a; b++) {
            elem *upper = row_of(M, ld, 2 * a) + 2 * b, *lower = upper + ld;
            real re_plus = (upper[0] + lower[1]) / 2, im_plus = (lower[0] - upper[1]) / 2;
            real re_minus = (upper[0] - lower[1]) / 2, im_minus = (lower[0] + upper[1]) / 2;
            multiplier(angle[a] - angle[b], &re_plus, &im_plus);
            multiplier(angle[a] + angle[b], &re_minus, &im_minus);
            upper[0] = re_plus + re_minus;
            lower[1] = re_plus - re_minus;
            lower[0] = im_plus + im_minus;
            upper[1] = im_minus - im_plus;
        }
    }
    if (n % 2)
        for (int a = 0; a < pairs; a++) {
            elem *last = row_of(M, ld, n - 1) + 2 * a; /* minus the column vector that is multiplied */
            multiplier(angle[a], &last[0], &last[1]);
        }
    mirror(n, -1, M);
}

/* X = high + low; high has entries that are multiples of 2^unit. */
static void split(int n, int unit, const elem *X, elem *high, elem *low)
{
    real shift = ldexp(1.5, 52 + unit);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++) {
        real x = X[i], h = (x + shift) - shift;
        high[i] = h;
        low[i] = x - h;
    }
}

/* F = W^T W - I from W = W1 + W2: the first product is exact, the others are 2^-26 smaller. */
static void orthogonality_residual(int n, const elem *W1, const elem *W1T, const elem *W2T, elem *W2, elem *F, elem *K)
{
    int ld = matrix_stride(n);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        W2[i] = W1[i] + W2[i] / 2;
    product_lower(n, W1T, W1, F);
    product(n, W2T, W2, K);
    for (int i = 0; i < n; i++) {
        F[(ptrdiff_t)i * ld + i] -= 1;
        for (int j = 0; j <= i; j++)
            F[(ptrdiff_t)i * ld + j] += K[(ptrdiff_t)i * ld + j] + K[(ptrdiff_t)j * ld + i];
    }
    mirror(n, 1, F);
}

/* E (lower) = high + low - D - (F D + D F)/2, D_(2k+1,2k) = theta_k. */
static void subtract_blocks(int n, const real *theta, const elem *low, const elem *F, elem *E)
{
    int ld = matrix_stride(n), paired = n / 2 * 2;
    for (int a = 1; a < n; a++)
        for (int b = 0; b < a; b++) {
            const elem *f = F + (ptrdiff_t)a * ld;
            real FD = b >= paired ? 0 : b % 2 ? -f[b - 1] * theta[b / 2] : f[b + 1] * theta[b / 2];
            real DF = a >= paired ? 0 : a % 2 ? f[b - ld] * theta[a / 2] : -f[b + ld] * theta[a / 2];
            real D = b + 1 == a && a % 2 ? theta[a / 2] : 0;
            elem *e = &E[(ptrdiff_t)a * ld + b];
            *e = (*e - D) + (low[(ptrdiff_t)a * ld + b] - (FD + DF) / 2);
        }
}

/* The sums of the exact products are bounded by Cauchy and Schwarz: |rows of A| <= theta_0, |columns of W| = 1, so with parts
 * of 26 bits relative to these every partial sum has at most 53. */
void SO_(spectrum_residual)(int n, elem *A, const spectrum *s, elem *F, elem *E, real *work)
{
    elem *A1 = matrix_of(work, n, 0), *W1 = matrix_of(work, n, 1), *W2 = matrix_of(work, n, 2), *high = matrix_of(work, n, 3),
         *low = matrix_of(work, n, 4), *T = matrix_of(work, n, 5);
    int exponent;
    frexp(s->theta[0], &exponent);
    split(n, exponent - 25, A, A1, A);
    split(n, -26, s->W, W1, W2);

    product(n, A1, W1, high);
    product(n, A1, W2, low);
    product(n, A, s->W, T);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        low[i] += T[i];

    elem *high1 = A1, *W1T = T, *W2T = A;
    split(n, exponent - 25, high, high1, E);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++) { /* A W = high1 + low, high = its sum */
        low[i] += E[i];
        high[i] = high1[i] + low[i];
    }
    transpose(n, W1, W1T);
    transpose(n, W2, W2T);
    product_lower(n, W1T, high1, E);
    elem *lower = high1;
    product_lower(n, W1T, low, lower);
    product_lower_add(n, W2T, high, lower);

    orthogonality_residual(n, W1, W1T, W2T, W2, F, low);
    subtract_blocks(n, s->theta, lower, F, E);
    mirror(n, -1, E);
}
#endif
