/* plot.h: pictures of a sweep, drawn by gnuplot. SPDX-License-Identifier: MIT */
#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

#include "rows.h"

typedef struct plot_point {
    rows_case where;
    sweep_row row;
} plot_point;

/* Writes folder/expm_error and folder/expm_throughput as .gp (script with the data inside), .png and .svg. */
bool plot_draw(const char *folder, const plot_point *points, int count, const evidence *e);

#endif
