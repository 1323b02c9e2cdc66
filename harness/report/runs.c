/* SPDX-License-Identifier: MIT */
#include "report/runs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "report/run_folder.h"

static bool grow_rows(experiment *e, const char *name, const char *title, fault *f)
{
    row *longer = realloc(e->row, (size_t)(e->rows + 1) * sizeof *longer);
    if (!longer)
        return fault_set(f, "out of memory for the rows of %s", e->name);
    e->row = longer;
    e->row[e->rows++] = (row){.name = name, .title = title};
    return true;
}

static bool fill_experiments(runs *all, fault *f)
{
    all->count = all->experiments.rows;
    all->experiment = calloc((size_t)all->count + 1, sizeof *all->experiment);
    if (!all->experiment)
        return fault_set(f, "out of memory for %d experiments", all->count);
    for (int i = 0; i < all->count; i++) {
        const char *const *field = all->experiments.row[i];
        all->experiment[i] = (experiment){.name = field[0], .tier = field[1], .needs = field[2], .title = field[3]};
    }
    for (int i = 0; i < all->rows.rows; i++) {
        experiment *e = all->experiment;
        while (e < all->experiment + all->count && strcmp(e->name, all->rows.row[i][0]) != 0)
            e++;
        if (e == all->experiment + all->count)
            return fault_set(f, "rows.table: there is no experiment '%s'", all->rows.row[i][0]);
        if (!grow_rows(e, all->rows.row[i][1], all->rows.row[i][5], f))
            return false;
    }
    return true;
}

static bool read_table(const char *folder, const char *name, int fields, table_file *table, fault *f)
{
    char *path = file_path(folder, name);
    bool good = path ? table_read(path, fields, table, f) : fault_set(f, "out of memory");
    free(path);
    return good;
}

bool runs_load(const char *tables, const char *out, runs *all, fault *f)
{
    *all = (runs){0};
    bool good = read_table(tables, "experiments.table", 4, &all->experiments, f) &&
                read_table(tables, "rows.table", 6, &all->rows, f) && read_table(tables, "paper.table", 5, &all->paper, f) &&
                fill_experiments(all, f);
    for (int i = 0; good && i < all->count; i++) {
        experiment *e = &all->experiment[i];
        for (int r = 0; good && r < e->rows; r++) {
            char folder[1024];
            snprintf(folder, sizeof folder, "%s/%s", out, e->name);
            good = run_folder_scan(folder, &e->row[r], f);
            for (int k = 0; good && k < e->row[r].runs; k++) {
                e->runs++;
                e->finished += e->row[r].run[k].finished;
            }
        }
    }
    if (!good)
        runs_free(all);
    return good;
}

void runs_free(runs *all)
{
    for (int i = 0; i < all->count; i++) {
        for (int r = 0; r < all->experiment[i].rows; r++)
            for (int k = 0; k < all->experiment[i].row[r].runs; k++)
                free(all->experiment[i].row[r].run[k].curve);
        free(all->experiment[i].row);
    }
    free(all->experiment);
    table_free(&all->experiments);
    table_free(&all->rows);
    table_free(&all->paper);
    *all = (runs){0};
}

const char *runs_paper(const runs *all, const experiment *e, const row *r, const char *metric, const char **condition)
{
    for (int i = 0; i < all->paper.rows; i++) {
        const char *const *field = all->paper.row[i];
        if (strcmp(field[0], e->name) == 0 && strcmp(field[1], r->name) == 0 && strcmp(field[2], metric) == 0) {
            if (condition)
                *condition = field[4];
            return field[3];
        }
    }
    return NULL;
}

const run *runs_first(const experiment *e)
{
    for (int r = 0; r < e->rows; r++)
        for (int k = 0; k < e->row[r].runs; k++)
            if (e->row[r].run[k].finished)
                return &e->row[r].run[k];
    return NULL;
}
