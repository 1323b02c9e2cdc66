/* plot.c: see plot.h. SPDX-License-Identifier: MIT */
#include "plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"

/* Okabe and Ito's palette, distinct for colour-blind eyes; the point types tell the methods apart in print. */
static const struct {
    const char *colour;
    int point;
} style[SWEEP_METHODS] = {{"#000000", 4}, {"#0072b2", 7}, {"#d55e00", 5}, {"#009e73", 9}, {"#cc79a7", 11}};

typedef enum quantity { FORWARD_ERROR, ORTHOGONALITY, VJP_ERROR, FORWARD_SPEED, VJP_SPEED } quantity;

static const struct {
    const char *title, *axis;
    const char *contract; /* as a function of x in gnuplot; NULL = none */
} text[] = {
    [FORWARD_ERROR] = {"exp: |R - exp(A)|", "error in units of u", "10 + 2*x"},
    [ORTHOGONALITY] = {"orthogonality: |R^T R - I| (dotted: contract of eigen and cayley)", "error in units of u", "16 + 2*x"},
    [VJP_ERROR] = {"gradient: |dA - exact| / |dR|", "error in units of u", "30*(1 + x/10)"},
    [FORWARD_SPEED] = {"exp", "matrices per second", NULL},
    [VJP_SPEED] = {"gradient", "matrices per second", NULL},
};

typedef struct drawing {
    FILE *script;
    const plot_point *points;
    int count;
    const char *norm; /* of the throughput */
} drawing;

/* y of a point in a picture, or NaN if the point does not belong to it. */
static double value(const drawing *d, quantity q, const plot_point *p, so_method method, sweep_real real)
{
    bool speed = q == FORWARD_SPEED || q == VJP_SPEED, vjp = q == VJP_ERROR || q == VJP_SPEED;
    if (p->row.method != method || p->where.real != real || (p->row.direction == SWEEP_VJP) != vjp)
        return NAN;
    if (speed)
        return strcmp(p->where.norm, d->norm) == 0 ? 1e6 / p->row.median_us : NAN;
    if (strcmp(p->where.input, "rho") != 0)
        return NAN;
    return q == ORTHOGONALITY ? p->row.orthogonality : p->row.error;
}

static double place(quantity q, const plot_point *p)
{
    return q == FORWARD_SPEED || q == VJP_SPEED ? p->where.n : strtod(p->where.norm, NULL);
}

/* One curve as a data block: for each place the largest value found there. Returns the number of places. */
static int write_curve(const drawing *d, quantity q, so_method method, sweep_real real)
{
    double(*curve)[2] = sweep_allocate(2 * (int64_t)d->count, sizeof(double));
    int length = 0;
    for (int i = 0; i < d->count; i++) {
        double y = value(d, q, &d->points[i], method, real), x = place(q, &d->points[i]);
        if (!(y > 0) || !(x > 0)) /* no place on a logarithmic scale; NaN */
            continue;
        int at = 0;
        while (at < length && curve[at][0] < x)
            at++;
        if (at == length || curve[at][0] > x) {
            memmove(curve + at + 1, curve + at, (size_t)(length - at) * sizeof *curve);
            length++;
            curve[at][0] = x;
            curve[at][1] = y;
        }
        curve[at][1] = fmax(curve[at][1], y);
    }
    fprintf(d->script, "$c%d_%d_%d << EOD\n", (int)q, (int)real, (int)method);
    for (int i = 0; i < length; i++)
        fprintf(d->script, "%.6g %.6g\n", curve[i][0], curve[i][1]);
    fprintf(d->script, "EOD\n");
    free(curve);
    return length;
}

static void write_panel(const drawing *d, quantity q, sweep_real real)
{
    int curves = 0, points[SWEEP_METHODS];
    char title[128];
    for (int m = 0; m < SWEEP_METHODS; m++)
        points[m] = write_curve(d, q, (so_method)m, real);
    snprintf(title, sizeof title, "%s, %s", text[q].title, sweep_real_name[real]);
    picture_panel(d->script, title, text[q].axis);
    for (int m = 0; m < SWEEP_METHODS; m++)
        if (points[m] > 0)
            fprintf(d->script, "%s$c%d_%d_%d using 1:2 with linespoints lw 2 ps 1.1 pt %d lc rgb '%s' title '%s'",
                    curves++ ? ", \\\n     " : "", (int)q, (int)real, m, style[m].point, style[m].colour, sweep_method_name[m]);
    if (text[q].contract)
        fprintf(d->script, "%s%s with lines dt 2 lw 2 lc rgb '#555555' title 'contract'", curves ? ", \\\n     " : "",
                text[q].contract);
    else if (!curves)
        fprintf(d->script, "NaN notitle");
    if (q == ORTHOGONALITY)
        fprintf(d->script, ", \\\n     16 with lines dt 3 lw 2 lc rgb '#555555' notitle");
    fprintf(d->script, "\n");
}

static bool draw(const drawing *like, const char *folder, const char *name, const char *title, const char *xlabel,
                 const quantity *rows, int row_count, const evidence *e)
{
    drawing d = *like;
    bool seen[SWEEP_REALS] = {false};
    for (int i = 0; i < d.count; i++)
        seen[d.points[i].where.real] = true;
    picture p = {name, title, xlabel, seen[SWEEP_F32] + seen[SWEEP_F64], row_count, rows[0] == FORWARD_SPEED};
    d.script = picture_begin(folder, &p, e);
    for (int q = 0; q < row_count && d.script; q++)
        for (int r = 0; r < SWEEP_REALS; r++)
            if (seen[r])
                write_panel(&d, rows[q], (sweep_real)r);
    return d.script && picture_end(d.script, folder, &p);
}

/* The norm of the throughput picture: of those measured the one nearest to 10, a typical pencil. */
static const char *typical_norm(const plot_point *points, int count)
{
    const char *best = "";
    double distance = INFINITY;
    for (int i = 0; i < count; i++) {
        double norm = strtod(points[i].where.norm, NULL), d = norm > 0 ? fabs(log10(norm) - 1) : 1e3;
        if (d < distance) {
            distance = d;
            best = points[i].where.norm;
        }
    }
    return best;
}

bool plot_draw(const char *folder, const plot_point *points, int count, const evidence *e)
{
    static const quantity errors[] = {FORWARD_ERROR, ORTHOGONALITY, VJP_ERROR}, speeds[] = {FORWARD_SPEED, VJP_SPEED};
    char title[96];
    drawing d = {.points = points, .count = count, .norm = typical_norm(points, count)};
    snprintf(title, sizeof title, "Throughput against matrix order, norm %s", d.norm);
    bool drawn = draw(&d, folder, "expm_error", "Error against norm, worst over the orders measured",
                      "largest rotation angle rho (radians)", errors, 3, e);
    return draw(&d, folder, "expm_throughput", title, "matrix order n", speeds, 2, e) && drawn;
}
