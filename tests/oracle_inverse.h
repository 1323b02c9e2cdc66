/* oracle_inverse.h: what the tests of the logarithm and of the inverse Cayley map share.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_ORACLE_INVERSE_H
#define TESTS_ORACLE_INVERSE_H

#include "oracle_call.h"
#include "oracle_matrices.h"

extern const int inverse_orders[];
int inverse_order_count(void);

/* Angles in [0, pi], theta[0] >= theta[1] >= the others; n/2 of them. */
typedef enum angle_case {
    ANGLES_ZERO,
    ANGLES_TINY,
    ANGLES_GRADED,
    ANGLES_SMALL,
    ANGLES_SPREAD,
    ANGLES_EQUAL,
    ANGLES_SAME_SINE,
    ANGLES_QUARTER,
    ANGLES_THRESHOLD,
    ANGLES_ONE_NEAR_PI,
    ANGLES_TWO_NEAR_PI,
    ANGLES_ALL_NEAR_PI,
    ANGLE_CASES
} angle_case;
/* `gap` is the distance from pi in the last three cases, from equality in ANGLES_SAME_SINE and ANGLES_QUARTER. */
void make_angles(angle_case c, int bits, double gap, int n, random_sequence *r, double *theta);
/* The skew matrix with these angles in a random basis, all entries written. */
void make_skew_of_angles(int n, const double *theta, random_sequence *r, double *A);
/* X <- the orthogonal matrix nearest to X, which is close to one already. */
void oracle_polar(int n, oracle_pair X);
/* ||X - Y||_F / sqrt(n) */
double pair_distance(int n, oracle_pair X, oracle_pair Y);
void skew_part_of(int n, const double *X, double *Y);
double inner_product(int n, const double *X, oracle_pair Y);
/* R = R0 (I + a symmetric matrix of size `defect`), rounded to the type. */
void perturb_and_round(int bits, int n, oracle_pair R0, double defect, random_sequence *r, double *R);
/* A skew direction with normal entries, all of it written. */
void make_direction(int n, random_sequence *r, double *E);

#endif
