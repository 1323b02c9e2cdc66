/* cayley.c: the Cayley map R = (I - A/2)^-1 (I + A/2) = 2 K - I, K = (I - A/2)^-1, and its trivialised derivative.
 *
 * The symmetric part of I - A/2 is I, and so it is at least I in every Schur complement: Gauss-Jordan elimination needs no
 * pivoting, pivots are >= 1 (Golub & Van Loan 1979; exponential.md 2.9). But the complements may grow to rho^2/4, and that many
 * units of roundoff are lost: beyond small angles (I - A/2) R = I + A/2 is solved with row exchanges, lane by lane, which loses
 * rho/2 units. What is left of the defect of R is removed by Newton-Schulz steps.
 *
 * Where ||A||_F u / sqrt 2 exceeds 2^-8, A is scaled down to that: R stays a rotation, angles small beside rho are not resolved.
 *
 * Derivative: dK = K dA/2 K gives dR R^T = K dA K^T, K = (I + R)/2: no solve.
 * SPDX-License-Identifier: MIT */
#include "cayley.h"

#include "scaling.h"

/* F <- (I + F)^-1 - I. Diagonals stay without their 1: small sums to which it were added first would lose their digits to it. */
static void invert_near_identity(int n, elem *F)
{
    int ld = matrix_stride(n);
    for (int k = 0; k < n; k++) {
        elem *pivot_row = F + (ptrdiff_t)k * ld;
        elem inverse = broadcast(1) / (pivot_row[k] + broadcast(1));
        for (int j = 0; j < ld; j++)
            pivot_row[j] *= inverse;
        pivot_row[k] = -pivot_row[k];
        for (int i = 0; i < n; i++) {
            if (i == k)
                continue;
            elem *restrict row = F + (ptrdiff_t)i * ld;
            elem factor = row[k];
            row[k] = -factor;
            for (int j = 0; j < ld; j++)
                row[j] -= factor * pivot_row[j];
        }
    }
}

static inline elem size_of(elem x)
{
    return select_lanes(x < broadcast(0), -x, x);
}

static void exchange_rows(int n, mask lanes, elem *x, elem *y)
{
    for (int j = 0; j < n; j++) {
        elem old = x[j];
        x[j] = select_lanes(lanes, y[j], old);
        y[j] = select_lanes(lanes, old, y[j]);
    }
}

/* C <- B^-1 C by Gauss-Jordan elimination with partial pivoting. B is destroyed. */
static void solve(int n, elem *B, elem *C)
{
    int ld = matrix_stride(n);
    for (int k = 0; k < n; k++) {
        elem *pivot_row = B + (ptrdiff_t)k * ld, *pivot_right = C + (ptrdiff_t)k * ld;
        elem largest = size_of(pivot_row[k]), chosen = broadcast((real)k);
        for (int i = k + 1; i < n; i++) {
            elem candidate = size_of(B[(ptrdiff_t)i * ld + k]);
            mask larger = candidate > largest;
            largest = select_lanes(larger, candidate, largest);
            chosen = select_lanes(larger, broadcast((real)i), chosen);
        }
        for (int i = k + 1; i < n; i++) {
            mask lanes = chosen == broadcast((real)i);
            if (any_lane(lanes)) {
                exchange_rows(n, lanes, pivot_row, B + (ptrdiff_t)i * ld);
                exchange_rows(n, lanes, pivot_right, C + (ptrdiff_t)i * ld);
            }
        }
        elem inverse = broadcast(1) / pivot_row[k];
        for (int j = 0; j < n; j++) {
            pivot_row[j] *= inverse;
            pivot_right[j] *= inverse;
        }
        for (int i = 0; i < n; i++) {
            if (i == k)
                continue;
            elem *restrict row = B + (ptrdiff_t)i * ld, *restrict right = C + (ptrdiff_t)i * ld;
            elem factor = row[k];
            for (int j = k; j < n; j++)
                row[j] -= factor * pivot_row[j];
            for (int j = 0; j < n; j++)
                right[j] -= factor * pivot_right[j];
        }
    }
}

/* A <- A / 2, scaled down further where ||A||_F / sqrt 2 >= rho exceeds `limit`. Returns the lanes in which it exceeds 4. */
static mask halve(int n, double limit, elem *A)
{
    int exponent[LANES];
    elem factor = broadcast(1);
    mask large = {0};
    SO_(scale_large)(n, A, exponent);
    elem squares = sum_of_squares(n, A);
    for (int l = 0; l < LANES; l++) {
        double rho = ldexp(sqrt((double)get_lane(squares, l) / 2), exponent[l] < 900 ? exponent[l] : 900);
        int down = 0;
        if (rho > limit)
            frexp(rho / limit, &down);
        if (rho > 4)
            set_mask(&large, l);
        /* 2^exponent restores A; what is beyond the limit need not be restored. */
        int up = rho > limit && exponent[l] >= 900 ? 0 : exponent[l] - down;
        set_lane(&factor, l, (real)ldexp(0.5, up));
    }
    scale(n, factor, A);
    return large;
}

static void cayley_map(int n, real *A_, real *R_, real *work)
{
    int ld = matrix_stride(n);
    elem *A = (elem *)A_, *R = (elem *)R_, *B = matrix_of(work, n, 0), *C = matrix_of(work, n, 1);
    mask large = halve(n, 0x1p-8 / (double)REAL_EPSILON, A), all = {0}; /* A is A/2 from here on */
    all = ~all;

    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        R[i] = -A[i];
    int any_large = any_lane(large);
    if (any_large) {
        memcpy(B, R, (size_t)matrix_size(n) * sizeof(elem));
        memcpy(C, A, (size_t)matrix_size(n) * sizeof(elem));
        for (int i = 0; i < n; i++)
            B[(ptrdiff_t)i * ld + i] = C[(ptrdiff_t)i * ld + i] = broadcast(1);
        solve(n, B, C);
    }
    if (any_lane(all & ~large)) {
        invert_near_identity(n, R);
        for (ptrdiff_t i = 0; i < matrix_size(n); i++)
            R[i] *= (real)2;
        for (int i = 0; i < n; i++)
            R[(ptrdiff_t)i * ld + i] += (real)1;
    }
    if (any_large)
        blend(n, large, C, R);
    SO_(orthogonalize)(n, all, R, 6, work);
}

static void cayley_differential(int n, real *A, const real *R_, real *M, real *Y_, real *work)
{
    (void)A;
    int ld = matrix_stride(n);
    const elem *R = (const elem *)R_;
    elem *Y = (elem *)Y_, *K = matrix_of(work, n, 0), *T = matrix_of(work, n, 1), *transposed = matrix_of(work, n, 2);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        K[i] = R[i] * (real)0.5;
    for (int i = 0; i < n; i++)
        K[(ptrdiff_t)i * ld + i] += (real)0.5;
    transpose(n, K, transposed);
    product(n, K, (const elem *)M, T);
    product_lower(n, T, transposed, Y);
    mirror(n, -1, Y);
}

const group_method SO_(so_cayley) = {
    .map = cayley_map,
    .differential = cayley_differential,
    .map_matrices = 3,
    .differential_matrices = 3,
};
