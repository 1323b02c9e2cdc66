/* oracle_campaign.h: the sizes and matrices on which the accuracy contract of so.h is held, and the report of the worst.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_ORACLE_CAMPAIGN_H
#define TESTS_ORACLE_CAMPAIGN_H

#include "oracle_call.h"
#include "oracle_matrices.h"

enum { METHODS = 5, CHUNK = 1024 }; /* matrices made at a time */

typedef struct sample {
    int n;
    long number;
    shape shape;
    double rho; /* of the matrix as rounded */
} sample;

extern const int campaign_sizes[];
int campaign_size_count(void);
long campaign_samples(int bits, int n); /* matrices of order n; SO_TEST_DEPTH=deep: 100,000 */

/* Matrix `number` of order n: a function of the seed, the type, n and the number alone. The reader of random numbers is left
 * where the caller may draw a gradient from it. */
sample campaign_matrix(int bits, int n, long number, double *A, random_sequence *r);
/* A gradient for it: normal entries, R0 times a skew matrix (what rotates), R0 A itself; over 60 orders of magnitude. R0 = exp(A). */
void campaign_gradient(int bits, const sample *s, const double *A, const double *R0, random_sequence *r, double *G);

/* One line for all methods of a quantity; on failure (a ratio above 1) also a line of what failed, with the operand for n <= 4.
 * Returns the number of methods that failed. */
int campaign_report(const char *suite, int bits, const char *quantity, const worst w[METHODS]);

#endif
