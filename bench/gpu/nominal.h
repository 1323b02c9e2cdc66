/* nominal.h: the work of calls on a CUDA device by the counts of flops.c, for the benchmark and for the bounds of a data sheet: the
 * methods that SO_AUTO takes there (so_cuda.h), on the matrices of the sweep.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_GPU_NOMINAL_H
#define BENCH_GPU_NOMINAL_H

#include "bench/measure.h"

/* What a row is about; BOTH: a map, then its gradient. */
enum { FORWARD = SWEEP_FORWARD, VJP = SWEEP_VJP, BOTH, WORKS };
extern const char *const work_name[WORKS];

/* Different matrices of an input; a prime, so that places spread evenly over a batch hold different ones. */
enum { DRAWS = 61 };

/* The angles of the matrices that sweep_input_make draws with DRAWS and seed 1. */
void nominal_angles(int n, const char *input, double rho[DRAWS]);

/* Flops of a call per matrix, the mean over these angles. 0 for closed forms: some hundred operations, which no count covers and
 * memory outlasts. */
double nominal_exp(sweep_real real, so_method method, int n, const double rho[DRAWS], int work);

/* The angle of every token at the positions of networks.h, of one draw of generators. */
void nominal_token_angles(const so_encoding *e, double *rho);

/* Flops of calls of so_encode with these angles. */
void nominal_encode(sweep_real real, const so_encoding *e, const double *rho, double flops[WORKS]);

/* The type of the arguments and that of the arithmetic (so_ctx_set_f64_inside). */
typedef struct precision {
    const char *name;
    sweep_real stored, computed;
} precision;
enum { PRECISIONS = 3 };
extern const precision precisions[PRECISIONS];

/* NVIDIA's libraries compute for it on a device: a reference, which takes long and need not be installed. */
bool of_nvidia(so_method method);

/* The type in which a method computes: f64 for closed forms and SO_EIGEN (kernels/so), else that of the precision. */
sweep_real nominal_real(const precision *p, so_method method, int n);

/* Bytes that calls read and write once: of so_exp, per matrix; of so_encode. Computed in f64, gradients do not read R. */
double nominal_exp_bytes(const precision *p, int n, int work);
double nominal_encode_bytes(const precision *p, const so_encoding *e, int work);

/* Bytes and flops of a call of so_rotate or, VJP, its gradient; so many bytes a number of a vector, of a matrix. */
void nominal_rotate(const so_rotation *r, size_t vector, size_t matrix, int work, double *bytes, double *flops);

#endif
