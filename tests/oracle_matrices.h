/* oracle_matrices.h: the inputs of the tests: skew matrices biased to corners, and how to measure what comes back.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_ORACLE_MATRICES_H
#define TESTS_ORACLE_MATRICES_H

#include "harness/random.h"
#include "oracle.h"

typedef enum shape {
    DENSE,       /* normal entries */
    SPREAD,      /* angles uniform on [0, rho] */
    EQUAL,       /* all angles rho */
    CLUSTERED,   /* angles rho (1 - gap), gaps 1e-16 .. 1e-1 */
    RANK2,       /* one plane: ||X||_F bounds rho exactly, the worst place for a threshold */
    GRADED,      /* angles over 16 decades */
    BLOCKS,      /* 2 x 2 blocks on the diagonal, not mixed */
    TRIDIAGONAL, /* zeros in the middle: [0,1,0], [1,0,1], [1,1e-4,1,1e-4,1] */
    INTEGER,     /* entries -3 .. 3; its own rho */
    PENCIL,      /* LieRE: position . generators with strict upper entries 2 pi U(0, 1); its own rho */
    SHAPES,
    HADAMARD = SHAPES, /* entries +-c: a skew Hadamard matrix, all of whose angles are equal, or its first rows and columns */
    LOGARITHM,         /* of a Haar random rotation; its own rho */
    PERMUTED,          /* BLOCKS with rows and columns permuted; half of the angles are rho */
    ZERO_ROWS,         /* normal entries; every third row and column is zero */
    SIGNS,             /* entries +-c with random signs: rounding errors coincide on diagonals of products */
    ALL_SHAPES
} shape;

const char *shape_name(shape s);
uint64_t test_seed(void);    /* SO_TEST_SEED, or 1 */
int test_deep(void);         /* SO_TEST_DEPTH=deep */
int test_short(void);        /* SO_TEST_DEPTH=short: a quarter of the matrices and fewer large ones */

int rho_count(int bits);             /* the radii worth testing: 0, tiny, both sides of every threshold, multiples of pi, large */
double rho_value(int bits, int index);

/* Where SO_PADE changes its degree or (squarings != 0) its number of squarings, up to rho = 1e3: at an angle of pade_estimate(),
 * for the value or for derivatives. */
typedef struct pade_switch {
    double angle;
    int derivative, squarings;
} pade_switch;
int pade_switch_count(int bits);
pade_switch pade_switch_at(int bits, int index);

double uniform53(random_sequence *r); /* [0, 1), 53 bits */
double normal53(random_sequence *r);

/* The strict upper triangle of A, rounded to the type; below it and on the diagonal NaN, which nobody may read. */
void make_skew(int bits, int n, shape s, double rho, random_sequence *r, double *A);
/* The angle by which SO_PADE chooses, an upper bound of rho: ||A^4||^(1/4) in the smaller of two norms (libso/cpu/lapack/pade.c). */
double pade_estimate(int n, const double *A);
/* make_skew of an A != 0 with this estimate, which RANK2 and EQUAL attain; A = 0 stays. */
void make_skew_estimated(int bits, int n, shape s, double estimate, random_sequence *r, double *A);
/* n x n normal entries times scale, rounded. */
void make_dense(int bits, int n, double scale, random_sequence *r, double *G);

double spectral_norm(int n, const double *A);   /* of the skew matrix A, by LAPACK's singular values */
double frobenius(int n, const double *X);       /* / sqrt(n) */
double skew_frobenius(int n, const double *E);  /* of the skew matrix of E's strict upper triangle, / sqrt(n) */
double distance(int n, const double *X, oracle_pair reference); /* ||X - reference||_F / sqrt(n) */

/* The worst ratio of an error to its bound, and where it was. */
typedef struct worst {
    double ratio, rho;
    int n;
    shape shape;
    long sample;
    int copy; /* oracle_campaign.h */
} worst;

void worst_of(worst *w, double error, double bound, const worst *where); /* a NaN counts as infinite */

#endif
