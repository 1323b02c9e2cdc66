/* oracle_campaign.h: the sizes and matrices on which the accuracy contract of so.h is held, and the report of the worst.
 *
 * SO_TEST_DEPTH=deep holds it at 100,000 matrices for every order, type and method. There a reference costs far more than the
 * call, so above n = 17 one reference serves several matrices: P A P^T with signed permutations P, whose exponential is exactly that
 * of A, turned, while the sums of the computation run in another order.
 *   SO_TEST_N=64,128, SO_TEST_METHOD=EIGEN,PADE   only these: so that a long run can be cut in pieces
 *   SO_TEST_MATRICES=1000                         instead of 100,000
 *   SO_TEST_TABLE=FILE                            rows of the worst ratios are appended to it, in CSV; what it already has is not
 *                                                 computed again, so that a run can be stopped and goes on where it was
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_ORACLE_CAMPAIGN_H
#define TESTS_ORACLE_CAMPAIGN_H

#include "oracle_call.h"
#include "oracle_matrices.h"

enum { METHODS = 5, QUANTITIES = 3, LARGEST_N = 128 };

typedef struct sample {
    int n;
    long number;
    shape shape;
    double rho; /* of the matrix as rounded */
} sample;

extern const int campaign_sizes[];
int campaign_size_count(void);

/* Matrix `number` of order n: a function of the seed, the type, n and the number alone. The reader of random numbers is left
 * where the caller may draw a gradient from it. Numbers below 0 and from
 * CAMPAIGN_CORNERS on stand beside the campaign, whose numbers keep their matrices: the former lie beside the angles where methods
 * switch, by 1e-3 of them; the latter have more shapes, angles of several turns, norms from 1e3 to where the bounds of so.h end. */
#define CAMPAIGN_CORNERS (1L << 40)
sample campaign_matrix(int bits, int n, long number, double *A, random_sequence *r);
/* A gradient for it: normal entries, R0 times a skew matrix (what rotates), R0 A itself; over 60 orders of magnitude. R0 = exp(A). */
void campaign_gradient(int bits, const sample *s, const double *A, const double *R0, random_sequence *r, double *G);

/* Y = P X P^T with the signed permutation of this copy of the sample; copy 0: P = I. */
void campaign_turn(const sample *s, int copy, const double *X, double *Y);
/* The same for a skew matrix of which the strict upper triangle is known; the rest of Y is NaN. */
void campaign_turn_skew(const sample *s, int copy, const double *X, double *Y);

/* Matrices of one order: matrix b is copy b % copies of number first + b / copies. */
typedef struct campaign_chunk {
    int bits, n, copies;
    long first;
    int64_t batch; /* a multiple of copies */
    so_ctx *ctx;
} campaign_chunk;

int campaign_wants(so_method m);
int campaign_wants_order(int n);

typedef struct campaign {
    const char *suite, *quantity[QUANTITIES]; /* NULL: fewer quantities */
    int share;                                /* not deep, above n = 33: one matrix in so many */
    void (*measure)(const campaign_chunk *c, worst out[QUANTITIES][METHODS]);
} campaign;

/* A campaign is so many tests: one for each type, in the deep run one for each type and tenth of an order. */
int campaign_tests(void);

/* Test `test` of the campaign. Prints a line for all methods of a quantity; on failure (a ratio above 1) also a line of what failed,
 * with the operand for n <= 4. Returns the number of pairs of quantity and method that failed. */
int campaign_run(const campaign *c, int test);

/* The same for numbers below 0, n = 2 to 33, in every shape for small n: test 0 for f64, 1 for f32. Not to the table. */
int campaign_run_switches(const campaign *c, int test);
/* The same for the matrices beside the campaign; a test for each type. */
int campaign_run_corners(const campaign *c, int bits);

#endif
