/* ratios.h: what the contests gave: targets, rows as CSV, the table of ratios, the picture.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_RATIOS_H
#define BENCH_RATIOS_H

#include "bench/rows.h"
#include "contest.h"

/* Median time of the peer per matrix over that of libso. */
double ratios_of(const contest_row *row);

/* What ratios_of() is to reach; NaN = nothing is asked. */
double ratios_target(int n, sweep_real real, contest_work work);

/* Gives targets to the rows of one input: both against torch, forward against the fastest peer. */
void ratios_set_targets(contest_row *rows, int count);

void ratios_csv_head(FILE *to);
void ratios_csv_row(FILE *to, const evidence *e, const contest_row *row);

/* While it runs: every row. */
void ratios_progress_head(FILE *to, const evidence *e);
void ratios_progress_row(FILE *to, const contest_row *row);

/* The rows that have a target, the smallest ratio last. */
void ratios_table(FILE *to, const evidence *e, const contest_row *rows, int count);

/* Draws folder/peers_speedup: .gp, .png, .svg. */
bool ratios_draw(const char *folder, const contest_row *rows, int count, const evidence *e);

#endif
