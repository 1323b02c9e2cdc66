/* Pictures by gnuplot. A script holds its data, so that a picture can be drawn again, or differently, from the .gp alone.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "report/interval.h"
#include "report/results.h"

/* Okabe and Ito's palette, distinct for colour-blind eyes; point types tell the rows apart in print. */
static const struct {
    const char *colour;
    int point;
} style[] = {{"#000000", 5},  {"#e69f00", 7}, {"#0072b2", 9}, {"#009e73", 11},
             {"#d55e00", 13}, {"#cc79a7", 4}, {"#56b4e9", 6}, {"#8c8c00", 8}};
enum { STYLES = sizeof style / sizeof *style };

static void write_start(FILE *to, const char *name, int width, int height)
{
    fprintf(to, "# gnuplot %s.gp draws %s.png; gnuplot -e 'kind=\"svg\"' %s.gp draws %s.svg\n", name, name, name, name);
    fprintf(to,
            "if (!exists('kind')) kind = 'png'\n"
            "if (kind eq 'png') set terminal pngcairo font 'sans,11' size %d,%d; else "
            "set terminal svg font 'sans,14' background rgb 'white' size %d,%d\n",
            width, height, width, height);
    fprintf(to, "set output '%s.'.kind\nset border 3\nset tics nomirror\nset grid lt 1 lw 0.7 lc rgb '#dddddd'\n", name);
    fprintf(to, "set yrange [0:103]\nset ytics 0,20,100\n");
}

/* ---- Accuracy against training examples -------------------------------------------------------------------------------- */

static int write_curves(FILE *to, const experiment *e)
{
    int curves = 0;
    for (int r = 0; r < e->rows; r++)
        for (int k = 0; k < e->row[r].runs; k++) {
            const run *one = &e->row[r].run[k];
            fprintf(to, "$r%d_%d << EOD\n", r, k);
            for (int i = 0; i < one->points; i++)
                fprintf(to, "%.6g %.4f\n", one->curve[i].examples / 1000, 100 * one->curve[i].accuracy);
            fprintf(to, "EOD\n");
            curves += one->points > 0;
        }
    return curves;
}

static double last_example(const experiment *e)
{
    double last = 0;
    for (int r = 0; r < e->rows; r++)
        for (int k = 0; k < e->row[r].runs; k++)
            if (e->row[r].run[k].points > 0)
                last = fmax(last, e->row[r].run[k].curve[e->row[r].run[k].points - 1].examples);
    return last;
}

static void write_examples(FILE *to, const experiment *e, const char *name)
{
    const run *like = runs_first(e);
    const char *between = "plot ";
    write_start(to, name, 1100, 620);
    write_curves(to, e);
    fprintf(to,
            "set title \"{/:Bold %s}\\nstreaming accuracy: each window of training examples is scored before the model learns "
            "from it\"\n",
            e->title);
    fprintf(to, "set xlabel 'training examples seen, thousands'\nset ylabel 'accuracy, %%'\nset xrange [0:%g]\n",
            last_example(e) / 1000);
    fprintf(to, "set key outside right center vertical samplen 2.5 spacing 1.25 reverse Left\n");
    if (like->arrows > 0 && like->arrows <= 64) {
        fprintf(to, "guess = %.4f\n", 100 * interval_guess((int)like->arrows, 4));
        fprintf(to, "%sguess with lines dt 3 lw 2 lc rgb '#777777' title sprintf('guess ceiling %%.1f %%%%', guess)", between);
        between = ", \\\n     ";
    }
    for (int r = 0; r < e->rows; r++)
        for (int k = 0; k < e->row[r].runs; k++)
            if (e->row[r].run[k].points > 0) {
                fprintf(to, "%s$r%d_%d using 1:2 with linespoints lw 2 ps 0.8 dt %d pt %d lc rgb '%s' title '%s, seed %lld'",
                        between, r, k, k % 4 + 1, style[r % STYLES].point, style[r % STYLES].colour, e->row[r].title,
                        (long long)e->row[r].run[k].seed);
                between = ", \\\n     ";
            }
    fprintf(to, "\n");
}

/* ---- Accuracy against test grid ------------------------------------------------------------------------------------------ */

/* One panel per row: seeds with error bars, their mean, the paper's curve. x is the number of the test set. */
static void write_panel_data(FILE *to, const runs *all, const experiment *e, int r, const run *like)
{
    for (int k = 0; k < e->row[r].runs; k++) {
        fprintf(to, "$r%d_%d << EOD\n", r, k);
        for (int i = 0; i < like->tests && e->row[r].run[k].finished; i++) {
            const run_test *t = results_test(&e->row[r].run[k], like->test[i].set);
            interval ci = t ? interval_wilson(t->correct, t->n) : (interval){0, 0};
            if (t)
                fprintf(to, "%d %.4f %.4f %.4f\n", i, 100 * (double)t->correct / (double)t->n, 100 * ci.low, 100 * ci.high);
        }
        fprintf(to, "EOD\n");
    }
    fprintf(to, "$p%d << EOD\n", r);
    for (int i = 0; i < like->tests; i++) {
        char metric[64];
        snprintf(metric, sizeof metric, "accuracy %s", like->test[i].set);
        const char *paper = runs_paper(all, e, &e->row[r], metric, NULL);
        if (paper)
            fprintf(to, "%d %s\n", i, paper);
    }
    fprintf(to, "EOD\n");
}

static bool has_paper(const runs *all, const experiment *e, int r)
{
    for (int i = 0; i < all->paper.rows; i++)
        if (strcmp(all->paper.row[i][0], e->name) == 0 && strcmp(all->paper.row[i][1], e->row[r].name) == 0)
            return true;
    return false;
}

static void write_panel(FILE *to, const runs *all, const experiment *e, int r, const run *like, bool keyed)
{
    static const char *const shade[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7"};
    const char *between = "plot ";
    fprintf(to, "set title '%s'\n", e->row[r].title);
    fprintf(to, keyed ? "set key at screen 0.5,keyheight center center vertical maxrows 1 samplen 2.5 reverse Left\n"
                      : "unset key\n");
    if (like->arrows > 0 && like->arrows <= 64) {
        fprintf(to, "%s%g with lines dt 3 lw 2 lc rgb '#777777' title 'guess ceiling'", between,
                100 * interval_guess((int)like->arrows, 4));
        between = ", \\\n     ";
    }
    if (has_paper(all, e, r)) {
        fprintf(to, "%s$p%d using 1:2 with linespoints lw 2 dt 2 pt 6 ps 1.3 lc rgb '#777777' title 'paper'", between, r);
        between = ", \\\n     ";
    }
    for (int k = 0; k < e->row[r].runs; k++)
        if (e->row[r].run[k].finished) {
            double shift = 0.06 * k - 0.03 * (e->row[r].runs - 1); /* so that bars of two seeds stand side by side */
            fprintf(to, "%s$r%d_%d using ($1+%g):2:3:4 with yerrorlines lw 2 pt 7 ps 0.9 lc rgb '%s' title 'ours, seed %lld'",
                    between, r, k, shift, shade[k % 4], (long long)e->row[r].run[k].seed);
            between = ", \\\n     ";
        }
    fprintf(to, "\n");
}

static bool row_is_finished(const row *r)
{
    for (int k = 0; k < r->runs; k++)
        if (r->run[k].finished)
            return true;
    return false;
}

static void write_resolution(FILE *to, const runs *all, const experiment *e, const char *name)
{
    const run *like = runs_first(e);
    int panels = 0;
    for (int r = 0; r < e->rows; r++)
        panels += row_is_finished(&e->row[r]);
    int columns = panels < 3 ? panels : 3, lines = (panels + columns - 1) / columns;
    int width = 80 + 350 * columns, height = 130 + 330 * lines;
    write_start(to, name, width, height);
    fprintf(to, "set multiplot layout %d,%d title \"{/:Bold %s}\\n \" ", lines, columns, e->title);
    fprintf(to, "margins screen %g, screen 0.98, screen %g, screen %g spacing screen %g, screen %g\n", 70.0 / width,
            75.0 / height, 1 - 105.0 / height, 70.0 / width, 115.0 / height);
    fprintf(to,
            "keyheight = %g\nset ylabel 'test accuracy, %%'\nset xlabel 'test set' offset 0,-0.6\nset xrange [-0.3:%g]\nset "
            "xtics (",
            1 - 60.0 / height, like->tests - 0.7);
    for (int i = 0; i < like->tests; i++) {
        const char *condition = results_condition(all, e, like->test[i].set);
        fprintf(to, "%s\"%s", i ? ", " : "", like->test[i].set);
        fprintf(to, condition ? "\\n{/*0.75 paper: %s}\" %d" : "%s\" %d", condition ? condition : "", i);
    }
    fprintf(to, ")\n");
    bool keyed = true;
    for (int r = 0; r < e->rows; r++)
        if (row_is_finished(&e->row[r])) {
            write_panel_data(to, all, e, r, like);
            write_panel(to, all, e, r, like, keyed);
            keyed = false;
        }
    fprintf(to, "unset multiplot\n");
}

/* ---- Drawing ------------------------------------------------------------------------------------------------------------- */

static bool draw(const char *out, const char *name, char *text, size_t bytes, fault *f)
{
    char file[512], command[2560];
    snprintf(file, sizeof file, "%s.gp", name);
    char *path = file_path(out, file);
    bool good = path ? file_write_atomic(path, &(file_part){text, bytes}, 1, f) : fault_set(f, "out of memory");
    free(path);
    if (!good)
        return false;
    if (strchr(out, '\''))
        return fault_set(f, "%s: an apostrophe in the name of the folder; choose another for pictures", out);
    snprintf(command, sizeof command, "cd '%.1000s' && gnuplot %s && gnuplot -e 'kind=\"svg\"' %s", out, file, file);
    return system(command) == 0 || fault_set(f, "gnuplot failed on %s/%s", out, file);
}

static bool write_and_draw(const runs *all, const experiment *e, const char *out, bool resolution, fault *f)
{
    char *text = NULL, name[256];
    size_t bytes = 0;
    snprintf(name, sizeof name, "%.200s_%s", e->name, resolution ? "resolution" : "examples");
    FILE *to = open_memstream(&text, &bytes);
    if (!to)
        return fault_set(f, "out of memory for a picture");
    if (resolution)
        write_resolution(to, all, e, name);
    else
        write_examples(to, e, name);
    bool good = !(ferror(to) | fclose(to)) ? draw(out, name, text, bytes, f) : fault_set(f, "out of memory for a picture");
    free(text);
    return good;
}

bool results_plots(const runs *all, const experiment *e, const results_context *c, int *drawn, fault *f)
{
    const run *like = runs_first(e);
    *drawn = 0;
    if (!like || system("command -v gnuplot >/dev/null 2>&1") != 0)
        return true;
    if (like->points > 0) {
        if (!write_and_draw(all, e, c->out, false, f))
            return false;
        ++*drawn;
    }
    if (like->tests > 0) {
        if (!write_and_draw(all, e, c->out, true, f))
            return false;
        ++*drawn;
    }
    return true;
}
