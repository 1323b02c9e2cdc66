/* skew.h: skew matrices of dyadic numbers with prescribed angles, exactly: what the statements are tried on.
 *
 * A = H_k .. H_1 blockdiag(angle J) H_1 .. H_k with reflections H = I - v v^T/2, v of four entries +-1: orthogonal, and each
 * costs two bits. So equal angles are equal, rank 2 is rank 2, and matrices of one basis commute, without rounding.
 * SPDX-License-Identifier: MIT */
#ifndef PROOFS_SKEW_H
#define PROOFS_SKEW_H

#include <arb_mat.h>
#include <math.h>

enum { LARGEST_ORDER = 17, REFLECTIONS = 5 };

typedef struct basis {
    int row[REFLECTIONS][4];
    double sign[REFLECTIONS][4];
} basis;

/* For n < 4 there is no such reflection; the basis is that of the coordinates. */
static inline basis random_basis(flint_rand_t state, int n)
{
    basis b;
    for (int k = 0; k < REFLECTIONS; k++) {
        int order[LARGEST_ORDER];
        for (int i = 0; i < n; i++)
            order[i] = i;
        for (int i = 0; i < 4 && i < n; i++) {
            int j = i + (int)n_randint(state, (ulong)(n - i)), t = order[i];
            order[i] = order[j], order[j] = t;
            b.row[k][i] = order[i], b.sign[k][i] = n_randint(state, 2) ? 1 : -1;
        }
    }
    return b;
}

/* A = the skew matrix with these n/2 angles in this basis. Exact for angles that are multiples of 2^-8 below 2^8, in f64 and,
 * below 2^6, in f32 (24 bits). */
static inline void skew_of_angles(int n, const double *angle, const basis *b, double *A)
{
    for (int i = 0; i < n * n; i++)
        A[i] = 0;
    for (int k = 0; k < n / 2; k++)
        A[(2 * k + 1) * n + 2 * k] = angle[k], A[2 * k * n + 2 * k + 1] = -angle[k];
    for (int k = 0; k < REFLECTIONS && n >= 4; k++)
        for (int side = 0; side < 2; side++)
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int i = 0; i < 4; i++)
                    sum += b->sign[k][i] * (side ? A[j * n + b->row[k][i]] : A[b->row[k][i] * n + j]);
                for (int i = 0; i < 4; i++)
                    *(side ? &A[j * n + b->row[k][i]] : &A[b->row[k][i] * n + j]) -= b->sign[k][i] * sum / 2;
            }
}

typedef enum shape { DENSE, ZERO, TINY, EQUAL, RANK2, NEAR_TURNS, GRADED, LARGE, SHAPES } shape;

/* A random matrix of the shape: ordinary entries; 0; angles about 2^-40; all angles equal; one angle; pairs of angles that add up
 * to nearly 2 pi; angles over 16 binary orders; angles up to 60. Entries are f32 numbers. */
static inline void random_skew(flint_rand_t state, shape s, int n, double *A)
{
    double angle[LARGEST_ORDER / 2 + 1], common = (double)(1 + n_randint(state, 512)) / 256;
    for (int k = 0; k < n / 2; k++) {
        double x = (double)(1 + n_randint(state, 512)) / 256;
        angle[k] = s == TINY         ? ldexp(x, -40)
                   : s == EQUAL      ? common
                   : s == RANK2      ? (k == 0 ? common : 0)
                   : s == NEAR_TURNS ? (k % 2 ? 6.28125 - angle[k - 1] : x)
                   : s == GRADED     ? ldexp(1, -16 * k / (n / 2))
                   : s == LARGE      ? floor(30 * x)
                                     : 0;
    }
    if (s == DENSE) {
        for (int i = 0; i < n; i++)
            for (int j = 0; j <= i; j++) {
                double x = ((double)n_randint(state, 1025) - 512) / 512;
                A[i * n + j] = i == j ? 0 : x, A[j * n + i] = -A[i * n + j];
            }
        return;
    }
    basis b = random_basis(state, n);
    skew_of_angles(n, angle, &b, A);
}

/* An upper bound of the angles of A from its Frobenius norm, which counts each twice; 2^-30 more than the roundings here. */
static inline double largest_angle(int n, const double *A)
{
    double sum = 0;
    for (int i = 0; i < n * n; i++)
        sum += A[i] * A[i];
    return sqrt(sum / 2) * (1 + ldexp(1, -30)) + ldexp(1, -60);
}

/* Multiples of 2^-8 in [-2, 2]. */
static inline void random_dense(flint_rand_t state, int n, double *G)
{
    for (int i = 0; i < n * n; i++)
        G[i] = ((double)n_randint(state, 1025) - 512) / 256;
}

static inline void balls_of(arb_mat_t X, const double *x)
{
    for (slong i = 0; i < arb_mat_nrows(X); i++)
        for (slong j = 0; j < arb_mat_ncols(X); j++)
            arb_set_d(arb_mat_entry(X, i, j), x[i * arb_mat_ncols(X) + j]);
}

#endif
