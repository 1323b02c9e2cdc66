/* rows.h: rows of the sweep as a table for people and as CSV; each row carries its own evidence.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include <stdio.h>

#include "measure.h"
#include "roofline.h"

typedef struct evidence { /* where and when the rows were measured */
    char machine[128], compiler[64], commit[64], date[32];
    int threads;
    roofline roof;
} evidence;

typedef struct rows_case { /* what a row measured */
    sweep_real real;
    int n;
    int64_t batch;
    char input[16], norm[24];
} rows_case;

/* threads: 0 = all cores that this process may use. Measures the roofline. */
evidence evidence_collect(int threads);

void rows_table_head(FILE *to, const evidence *e);
void rows_table_row(FILE *to, const evidence *e, const rows_case *c, const sweep_row *row);
void rows_csv_numbers(FILE *to, const double *values, int count); /* each after a comma; NaN = empty */
void rows_csv_head(FILE *to);
void rows_csv_row(FILE *to, const evidence *e, const rows_case *c, const sweep_row *row);

#endif
