/* speedup.c: the picture of ratios.h. SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/picture.h"
#include "ratios.h"

enum { MOST_PEERS = 16 };

static const struct {
    const char *colour;
    int point;
} style[] = {{"#000000", 5}, {"#0072b2", 7}, {"#d55e00", 9}, {"#009e73", 11}, {"#cc79a7", 13}};

typedef struct drawing {
    FILE *script;
    const contest_row *rows;
    int count, peer_count;
    const child *peers[MOST_PEERS];
} drawing;

static void find_peers(drawing *d)
{
    for (int i = 0; i < d->count; i++) {
        int k = 0;
        while (k < d->peer_count && d->peers[k] != d->rows[i].peer)
            k++;
        if (k == d->peer_count && k < MOST_PEERS)
            d->peers[d->peer_count++] = d->rows[i].peer;
    }
}

/* The smaller ratio of the inputs against each order; returns the number of points. */
static int write_curve(const drawing *d, contest_work work, sweep_real real, int peer)
{
    int points = 0;
    fprintf(d->script, "$c%d_%d_%d << EOD\n", (int)work, (int)real, peer);
    for (int n = 1; n <= 1024; n++) {
        double least = INFINITY;
        for (int i = 0; i < d->count; i++) {
            const contest_row *r = &d->rows[i];
            if (r->n == n && r->work == work && r->real == real && r->peer == d->peers[peer])
                least = fmin(least, ratios_of(r));
        }
        if (isfinite(least) && ++points)
            fprintf(d->script, "%d %.6g\n", n, least);
    }
    fprintf(d->script, "EOD\n");
    return points;
}

static void write_target(const drawing *d, contest_work work, sweep_real real)
{
    fprintf(d->script, "$t%d_%d << EOD\n", (int)work, (int)real);
    for (int n = 1, last = 0; n <= 128; n++) {
        bool wanted = false;
        for (int i = 0; i < d->count; i++)
            wanted = wanted || d->rows[i].n == n;
        if (wanted && last != n)
            fprintf(d->script, "%d %g\n", last = n, ratios_target(n, real, work));
    }
    fprintf(d->script, "EOD\n");
}

static void write_panel(const drawing *d, contest_work work, sweep_real real)
{
    static const char *const titles[] = {"exponential", "exponential and gradient"};
    int points[MOST_PEERS];
    char title[64];
    write_target(d, work, real);
    for (int p = 0; p < d->peer_count; p++)
        points[p] = write_curve(d, work, real, p);
    snprintf(title, sizeof title, "%s, %s", titles[work], sweep_real_name[real]);
    fprintf(d->script, "set format y '%%g'\n");
    picture_panel(d->script, title, "times as fast as the peer");
    for (int p = 0; p < d->peer_count; p++) {
        int s = p % (int)(sizeof style / sizeof *style);
        if (points[p] > 0)
            fprintf(d->script, "$c%d_%d_%d using 1:2", (int)work, (int)real, p);
        else
            fprintf(d->script, "keyentry");
        fprintf(d->script, " with linespoints lw 2 ps 1.1 pt %d lc rgb '%s' title '%s' noenhanced, \\\n     ", style[s].point,
                style[s].colour, d->peers[p]->name);
    }
    fprintf(d->script, "$t%d_%d using 1:2 with lines dt 2 lw 2 lc rgb '#555555' title 'target'\n", (int)work, (int)real);
}

bool ratios_draw(const char *folder, const contest_row *rows, int count, const evidence *e)
{
    drawing d = {.rows = rows, .count = count};
    bool seen[SWEEP_REALS] = {false};
    for (int i = 0; i < count; i++)
        seen[rows[i].real] = true;
    find_peers(&d);
    picture p = {"peers_speedup",  "libso and its peers on the same matrices, smaller ratio of the inputs",
                 "matrix order n", seen[SWEEP_F32] + seen[SWEEP_F64],
                 CONTEST_WORKS,    true};
    d.script = picture_begin(folder, &p, e);
    for (int work = CONTEST_WORKS - 1; work >= 0 && d.script; work--)
        for (int r = 0; r < SWEEP_REALS; r++)
            if (seen[r])
                write_panel(&d, (contest_work)work, (sweep_real)r);
    return d.script && picture_end(d.script, folder, &p);
}
