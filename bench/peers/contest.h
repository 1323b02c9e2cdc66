/* contest.h: libso against a peer on the same matrices, taking turns. SPDX-License-Identifier: MIT */
#ifndef BENCH_CONTEST_H
#define BENCH_CONTEST_H

#include "bench/judge.h"
#include "child.h"

typedef enum contest_work {
    CONTEST_FORWARD,
    CONTEST_BOTH,
    CONTEST_WORKS
} contest_work; /* exponential; and then its gradient */
extern const char *const contest_work_name[CONTEST_WORKS];

typedef struct contest_effort {
    int threads, repetitions;
    double seconds; /* a row stops repeating after this time, but not before three turns */
    double longest; /* a call of a peer that would last longer gets a smaller batch */
    double memory;  /* bytes; so does one that might need more */
} contest_effort;

typedef struct contest_side {
    int64_t batch;
    int calls;                   /* in one timing */
    double median_us, min_us;    /* per matrix */
    double error, orthogonality; /* units of u, as in sweep_row */
} contest_side;

typedef struct contest_row {
    sweep_real real;
    int n;
    char input[16];
    contest_work work;
    const child *peer;
    int repetitions;
    contest_side libso, theirs;
    double rho, error_bound, orthogonality_bound; /* of the contract of so.h */
    double target;                                /* for ratio(); NaN = this row has none */
} contest_row;

/* One input, its files for the peers, and libso's side. */
typedef struct contest contest;

/* Writes the matrices into `folder`. Ends the program with one line if that or libso fails. */
contest *contest_open(sweep_input *input, const contest_effort *effort, const char *folder);
void contest_close(contest *c); /* frees the input as well */

/* Rows of one peer: forward and, if it has gradients, both. Returns their number: fewer if it ends meanwhile. */
int contest_hold(contest *c, child *peer, contest_row rows[CONTEST_WORKS]);

#endif
