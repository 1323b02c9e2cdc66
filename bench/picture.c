/* picture.c: see picture.h. SPDX-License-Identifier: MIT */
#include "picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "options.h"

void picture_open(const char *folder)
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

FILE *picture_begin(const char *folder, const picture *p, const evidence *e)
{
    int height = 150 + 345 * p->rows, width = 80 + 560 * p->columns;
    char path[1024];
    int length = snprintf(path, sizeof path, "%s/%s.gp", folder, p->name);
    FILE *script = length < (int)sizeof path && !strchr(folder, '\'') ? fopen(path, "w") : NULL;
    if (!script) {
        fprintf(stderr, "%s: %s could not be written\n", program_invocation_short_name, path);
        return NULL;
    }
    fprintf(script, "# gnuplot %s.gp draws %s.png; gnuplot -e 'kind=\"svg\"' %s.gp draws %s.svg\n", p->name, p->name, p->name,
            p->name);
    fprintf(script,
            "if (!exists('kind')) kind = 'png'\n"
            "if (kind eq 'png') set terminal pngcairo font 'sans,11' size %d,%d; else "
            "set terminal svg font 'sans,14' background rgb 'white' size %d,%d\n",
            width, height, width, height);
    fprintf(script,
            "set output '%s.'.kind\nset logscale xy\nset format y '10^{%%L}'\n"
            "set grid lt 1 lw 0.7 lc rgb '#cccccc'\n",
            p->name);
    fprintf(script, "set border 3\nset tics nomirror\nset xlabel \"%s\"\n%s\n", p->xlabel,
            p->orders ? "set logscale x 2" : "set format x '10^{%L}'");
    fprintf(script, "set multiplot layout %d,%d title \"{/:Bold %s}\\n{/*0.8 %s, %d threads, %s, %s, commit %s, %.10s}\\n \" ",
            p->rows, p->columns, p->title, e->machine, e->threads, e->roof.isa, e->compiler, e->commit, e->date);
    fprintf(script, "margins screen %g, screen 0.98, screen %g, screen %g spacing screen %g, screen %g\n", 80.0 / width,
            60.0 / height, 1 - 120.0 / height, 90.0 / width, 105.0 / height);
    fprintf(script, "set key at screen 0.5,%g center center vertical maxrows %d samplen 2 reverse Left\nkeyed = 0\n",
            1 - 75.0 / height, p->columns == 1 ? 2 : 1);
    return script;
}

void picture_panel(FILE *script, const char *title, const char *ylabel)
{
    fprintf(script, "if (keyed) unset key\nkeyed = 1\nset title \"%s\"\nset ylabel \"%s\"\nplot ", title, ylabel);
}

bool picture_end(FILE *script, const char *folder, const picture *p)
{
    char command[2304];
    fprintf(script, "unset multiplot\n");
    if ((ferror(script) | fclose(script)) != 0) {
        fprintf(stderr, "%s: %s/%s.gp could not be written whole\n", program_invocation_short_name, folder, p->name);
        return false;
    }
    snprintf(command, sizeof command, "cd '%s' && gnuplot %s.gp && gnuplot -e 'kind=\"svg\"' %s.gp", folder, p->name, p->name);
    if (system(command) != 0) {
        fprintf(stderr, "%s: gnuplot failed on %s/%s.gp\n", program_invocation_short_name, folder, p->name);
        return false;
    }
    printf("drawn: %s/%s.png and .svg\n", folder, p->name);
    return true;
}
