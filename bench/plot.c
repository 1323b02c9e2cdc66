/* plot.c: see plot.h. A script holds its data, so that a picture can be drawn again, or differently, from the .gp alone.
 * SPDX-License-Identifier: MIT */
#include "plot.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "options.h"

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
    [ORTHOGONALITY] = {"orthogonality: |R^T R - I|", "error in units of u", "16 + 2*x"},
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

void plot_open(const char *folder)
{
    char *path = strdup(folder);
    if (!path)
        options_refuse("out of memory");
    for (char *c = path + 1; *c; c++) /* the parents first */
        if (*c == '/') {
            *c = '\0';
            mkdir(path, 0777);
            *c = '/';
        }
    free(path);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        options_refuse("--plot: %s: %m", folder);
    if (system("command -v gnuplot >/dev/null 2>&1") != 0)
        options_refuse("--plot needs gnuplot: make deps installs it");
}

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

/* The key of the first panel stands above all of them. */
static void write_panel(const drawing *d, quantity q, sweep_real real, bool keyed)
{
    int curves = 0, points[SWEEP_METHODS];
    for (int m = 0; m < SWEEP_METHODS; m++)
        points[m] = write_curve(d, q, (so_method)m, real);
    fprintf(d->script, "set title \"%s, %s\"\nset ylabel \"%s\"\n", text[q].title, sweep_real_name[real], text[q].axis);
    fprintf(d->script, keyed ? "set key at screen 0.5,keyheight center center vertical maxrows 1 samplen 2 reverse Left\n"
                             : "unset key\n");
    fprintf(d->script, "plot ");
    for (int m = 0; m < SWEEP_METHODS; m++)
        if (points[m] > 0)
            fprintf(d->script, "%s$c%d_%d_%d using 1:2 with linespoints lw 2 ps 1.1 pt %d lc rgb '%s' title '%s'",
                    curves++ ? ", \\\n     " : "", (int)q, (int)real, m, style[m].point, style[m].colour, sweep_method_name[m]);
    if (text[q].contract)
        fprintf(d->script, "%s%s with lines dt 2 lw 2 lc rgb '#555555' title 'contract'", curves ? ", \\\n     " : "",
                text[q].contract);
    else if (!curves)
        fprintf(d->script, "NaN notitle");
    fprintf(d->script, "\n");
}

typedef struct picture {
    const char *name, *title, *xlabel;
    const quantity *rows;
    int row_count;
} picture;

static void write_script(const drawing *d, const picture *p, const evidence *e)
{
    bool seen[SWEEP_REALS] = {false};
    for (int i = 0; i < d->count; i++)
        seen[d->points[i].where.real] = true;
    int columns = seen[SWEEP_F32] + seen[SWEEP_F64], height = 150 + 330 * p->row_count, width = 80 + 560 * columns;
    fprintf(d->script, "# gnuplot %s.gp draws %s.png; gnuplot -e 'kind=\"svg\"' %s.gp draws %s.svg\n", p->name, p->name,
            p->name, p->name);
    fprintf(d->script,
            "if (!exists('kind')) kind = 'png'\n"
            "if (kind eq 'png') set terminal pngcairo font 'sans,11' size %d,%d; else "
            "set terminal svg font 'sans,14' background rgb 'white' size %d,%d\n",
            width, height, width, height);
    fprintf(d->script,
            "set output '%s.'.kind\nset logscale xy\nset format y '10^{%%L}'\n"
            "set grid lt 1 lw 0.7 lc rgb '#cccccc'\n",
            p->name);
    fprintf(d->script, "set border 3\nset tics nomirror\nset xlabel \"%s\"\n%s\n", p->xlabel,
            p->rows[0] == FORWARD_SPEED ? "set logscale x 2" : "set format x '10^{%L}'");
    fprintf(d->script, "set multiplot layout %d,%d title \"{/:Bold %s}\\n{/*0.8 %s, %d threads, %s, commit %s, %.10s}\\n \" ",
            p->row_count, columns, p->title, e->machine, e->threads, e->compiler, e->commit, e->date);
    fprintf(d->script, "margins screen %g, screen 0.98, screen %g, screen %g spacing screen %g, screen %g\n", 80.0 / width,
            60.0 / height, 1 - 120.0 / height, 90.0 / width, 90.0 / height);
    fprintf(d->script, "keyheight = %g\n", 1 - 75.0 / height);
    bool first = true;
    for (int q = 0; q < p->row_count; q++)
        for (int r = 0; r < SWEEP_REALS; r++)
            if (seen[r]) {
                write_panel(d, p->rows[q], (sweep_real)r, first);
                first = false;
            }
    fprintf(d->script, "unset multiplot\n");
}

static bool draw(const drawing *like, const char *folder, const picture *p, const evidence *e)
{
    char path[1024], command[2304];
    drawing d = *like;
    int length = snprintf(path, sizeof path, "%s/%s.gp", folder, p->name);
    d.script = length < (int)sizeof path && !strchr(folder, '\'') ? fopen(path, "w") : NULL;
    bool ok = d.script;
    if (ok) {
        write_script(&d, p, e);
        ok = !(ferror(d.script) | fclose(d.script));
    }
    if (!ok) {
        fprintf(stderr, "expm_sweep: %s could not be written\n", path);
        return false;
    }
    snprintf(command, sizeof command, "cd '%s' && gnuplot %s.gp && gnuplot -e 'kind=\"svg\"' %s.gp", folder, p->name, p->name);
    if (system(command) != 0) {
        fprintf(stderr, "expm_sweep: gnuplot failed on %s\n", path);
        return false;
    }
    printf("drawn: %s/%s.png and .svg\n", folder, p->name);
    return true;
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
    picture error = {"expm_error", "Error against norm, worst over the orders measured",
                     "largest rotation angle (spectral norm)", errors, 3};
    picture speed = {"expm_throughput", title, "matrix order n", speeds, 2};
    bool drawn = draw(&d, folder, &error, e);
    return draw(&d, folder, &speed, e) && drawn;
}
