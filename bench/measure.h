/* measure.h: one case of the sweep (a stack of matrices) measured for several methods, speed and error in the same run.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "so.h"

typedef enum sweep_real { SWEEP_F32, SWEEP_F64, SWEEP_REALS } sweep_real;
typedef enum sweep_direction { SWEEP_FORWARD, SWEEP_VJP, SWEEP_DIRECTIONS } sweep_direction;
enum { SWEEP_METHODS = 5 }; /* SO_AUTO .. SO_CAYLEY */

extern const char *const sweep_real_name[SWEEP_REALS];
extern const char *const sweep_direction_name[SWEEP_DIRECTIONS];
extern const char *const sweep_method_name[SWEEP_METHODS];

size_t sweep_real_bytes(sweep_real real);
double sweep_unit(sweep_real real);                  /* u of so.h */
void *sweep_allocate(int64_t numbers, size_t bytes); /* or the end of the program with one line */
so_ctx *sweep_context(int threads);                  /* the same; each thread on a core of its own from now on (cores.h) */
double sweep_now(void);                              /* seconds */
double sweep_median(double *values, int count);      /* sorts them */

/* ---- Input ------------------------------------------------------------------------------------------------------------ */

typedef struct sweep_input {
    sweep_real real;
    int n;
    int64_t batch;
    char kind[16]; /* gaussian, pencil, rho, file */
    void *A, *G;   /* (batch, n, n) matrices and upstream gradients; G may be NULL: no vjp */
} sweep_input;

/* `norm` is a number (Gaussian matrices scaled to this spectral norm), "gaussian" (entries N(0, 1), not scaled) or "pencil"
 * (LieRE at initialisation: y P + x Q, entries of P and Q uniform on [0, 2 pi), (y, x) uniform on the unit square) or "wigner"
 * (entries N(0, 1/n): rho tends to 2). `distinct` different matrices are drawn and repeated to fill the batch. */
sweep_input sweep_input_make(sweep_real real, int n, int64_t batch, int64_t distinct, const char *norm, uint64_t seed);
void sweep_input_free(sweep_input *input);

/* Is it one of the words above, not a number? */
bool sweep_input_is_word(const char *norm);

/* Smallest batch whose A alone fills the second-level caches of the cores in use, so that A and R do not fit; with in_cache the
 * largest that fits half of them with A, R, dR and dA. */
int64_t sweep_batch(sweep_real real, int n, int threads, bool in_cache);

/* ---- Measurement ------------------------------------------------------------------------------------------------------ */

typedef struct sweep_effort {
    int threads;
    int repetitions; /* timings of each row; a slow row stops at three when it has used its seconds */
    double seconds;
} sweep_effort;

typedef struct sweep_row {
    so_method method;
    sweep_direction direction;
    int warmup, repetitions;                   /* calls before the timings; timings */
    int calls;                                 /* of the function in one timing */
    double median_us, min_us;                  /* per matrix */
    double bytes, flops;                       /* per matrix: read and written once; of the algorithm, see sweep_flops() */
    bool f64_inside;                           /* f32 that is computed in f64 (so_ctx_set_f64_inside) */
    int checked;                               /* matrices compared with the reference */
    double rho;                                /* largest of these */
    double error, error_bound;                 /* units of u; worst quotient of the matrices checked. NaN = not measured */
    double orthogonality, orthogonality_bound; /* forward only, else NaN */
} sweep_row;

typedef struct sweep_output {
    void *R, *D; /* what libso made of the input; D is NULL without G */
} sweep_output;

/* Rows for each method (so_method): forward, and vjp where the input has G. The methods take turns in every repetition (paired
 * timings on the same input). With a single method `keep`, if not NULL, receives the outputs, which the caller frees. Ends the
 * program with one line if libso fails; SO_ENONFINITE is no failure. Returns the number of rows written, at most 2 per method.
 */
int sweep_measure(const sweep_input *input, const int *methods, int count, const sweep_effort *effort, sweep_row *rows,
                  sweep_output *keep);

/* The contract of so.h covers n <= 128 and rho <= 1e3; outside, or where nothing was checked, every row is accepted. */
bool sweep_row_keeps_contract(const sweep_row *row, int n);

/* Nominal flops per matrix of spectral norm rho. */
double sweep_flops(so_method method, sweep_real real, sweep_direction direction, int n, double rho);

#endif
