/* sweep.h: what the parts of gpu_sweep share: what is to be measured, rows, arrays on the device.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_GPU_SWEEP_H
#define BENCH_GPU_SWEEP_H

#include <stdio.h>

#include "device.h"
#include "networks.h"

extern "C" {
#include "nominal.h"
}

enum { MOST = 16, CHECKED = 16 /* matrices of a row at least, if there are so many */ };
enum { INPUTS = 2 };
extern const char *const input_name[INPUTS];

typedef struct sweep {
    gpu device;
    FILE *csv;
    so_ctx *ctx;
    const char *command, *driver;
    char date[32];
    int methods[SWEEP_METHODS], method_count, kinds[PRECISIONS], kind_count, n[MOST], n_count, inputs[INPUTS], input_count;
    int batches[MOST], batch_count, repetitions, failed;
    bool not_installed[SWEEP_METHODS];
    double seconds;
    bool tiny;
} sweep;

/* ---- Rows ---- */

typedef struct row {
    const char *function, *method, *dtype, *input, *work;
    sweep_real computed; /* the type of the arithmetic */
    int n;
    int64_t batch;
    gpu_times times;
    double bytes, flops; /* of a call: read and written once; of the algorithm (nominal.h), 0 if it has no count */
    size_t workspace, result_bytes;
    sweep_row judged; /* checked, rho, errors; checked = 0: not compared */
    enum { NOT_TRIED, SAME_BITS, OTHER_BITS } elsewhere; /* in another place of the batch */
    double goal_us; /* at most; 0: the goal is a share of what the device can do (sweep.cu), or there is none */
} row;

void print_head(const sweep *s);

/* Into the table and the file; a row outside the contract counts as failed. */
void finish_row(sweep *s, const row *r);

/* Of a case that gave no rows. A library that a machine need not have is no failure, and said once. */
void no_rows(sweep *s, const row *r, so_method method, so_status status);

/* `status` of the calls, and what they met on the device, once that has finished them. */
so_status finish(const sweep *s, so_status status);

/* ---- Memory ---- */

/* `copies` arrays of `bytes` on the device, one after the other; all as on the host, if that is not NULL. */
typedef struct arrays {
    char *memory;
    size_t bytes;
    int copies;
} arrays;

arrays new_arrays(int copies, size_t bytes, const void *from);
void free_arrays(arrays *a);
void *array_of(const arrays *a, long k);                   /* the k-th, and from the first again */
void read_array(void *to, const void *from, size_t bytes); /* to the host */

/* So many that what a call touches has left the cache when its turn comes again. */
int copies_for(const sweep *s, size_t bytes);

/* A context per case: its workspace only grows. */
void fresh_context(sweep *s, const precision *p);

/* ---- Parts ---- */

void measure_encodings(sweep *s);
void measure_orders(sweep *s);
void measure_rotations(sweep *s);

#endif
