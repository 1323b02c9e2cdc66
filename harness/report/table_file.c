/* SPDX-License-Identifier: MIT */
#include "report/table_file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    *end = '\0';
    return text;
}

static bool add_row(table_file *table, char *line, int fields, const char *path, int number, fault *f)
{
    int found = 0;
    for (char *rest = line, *field; (field = strsep(&rest, "|")); found++)
        if (found < fields)
            table->row[table->rows][found] = trim(field);
    table->rows++;
    return found == fields || fault_set(f, "%s:%d: %d fields instead of %d", path, number, found, fields);
}

bool table_read(const char *path, int fields, table_file *out, fault *f)
{
    size_t bytes;
    table_file table = {.text = file_read(path, &bytes, f)};
    if (!table.text)
        return false;
    size_t lines = 1;
    for (const char *c = table.text; *c; c++)
        lines += *c == '\n';
    table.row = calloc(lines, sizeof *table.row);
    bool good = table.row || fault_set(f, "%s: out of memory", path);
    char *rest = table.text;
    for (int number = 1; good && rest; number++) {
        char *line = trim(strsep(&rest, "\n"));
        if (*line && *line != '#')
            good = add_row(&table, line, fields, path, number, f);
    }
    if (good)
        *out = table;
    else
        table_free(&table);
    return good;
}

void table_free(table_file *table)
{
    free(table->text);
    free(table->row);
    *table = (table_file){0};
}
