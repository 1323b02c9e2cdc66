/* config_file.c: INI files and --set assignments over the option table.
 *
 * libinih does not tell a handler the number of its line, so the reader that feeds it counts them.
 * SPDX-License-Identifier: MIT */
#include "io/config_value.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#define LINE_LIMIT 190 /* libinih's buffer is 200 bytes; longer lines would be cut silently */

/* Levenshtein distance, for the nearest known key. */
static int distance(const char *a, const char *b)
{
    size_t length = strlen(b);
    int row[64];
    if (length >= sizeof row / sizeof row[0])
        return 64;
    for (size_t j = 0; j <= length; j++)
        row[j] = (int)j;
    for (size_t i = 0; a[i]; i++) {
        int diagonal = row[0];
        row[0] = (int)i + 1;
        for (size_t j = 0; j < length; j++) {
            int best = diagonal + (a[i] != b[j]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j + 1] + 1 < best)
                best = row[j + 1] + 1;
            diagonal = row[j + 1];
            row[j + 1] = best;
        }
    }
    return row[length];
}

static const config_option *find(const config_table *table, const char *section, const char *key)
{
    for (int i = 0; i < table->count; i++)
        if (strcmp(table->option[i].section, section) == 0 && strcmp(table->option[i].key, key) == 0)
            return &table->option[i];
    return NULL;
}

/* The same key in another section counts as near as one wrong letter. */
static bool unknown(const config_table *table, const char *section, const char *key, const char *where, fault *f)
{
    const config_option *nearest = NULL;
    int least = 0;
    for (int i = 0; i < table->count; i++) {
        const config_option *o = &table->option[i];
        int apart = distance(key, o->key) + (strcmp(section, o->section) != 0);
        if (!nearest || apart < least) {
            nearest = o;
            least = apart;
        }
    }
    return fault_set(f, "%s: unknown option %s.%s; the nearest known one is %s.%s (--help lists all)", where, section, key,
                     nearest->section, nearest->key);
}

bool config_set(const config_table *table, void *values, const char *assignment, fault *f)
{
    char name[CONFIG_TEXT_SIZE];
    const char *equals = strchr(assignment, '=');
    size_t length = equals ? (size_t)(equals - assignment) : 0;
    if (length == 0 || length >= sizeof name)
        return fault_set(f, "--set %s: section.key=value is wanted", assignment);
    memcpy(name, assignment, length);
    name[length] = 0;
    char *dot = strchr(name, '.');
    if (!dot)
        return fault_set(f, "--set %s: section.key=value is wanted", assignment);
    *dot = 0;
    const config_option *option = find(table, name, dot + 1);
    if (!option)
        return unknown(table, name, dot + 1, "--set", f);
    return config_value_set(option, values, equals + 1, "--set", f);
}

bool config_flag(const config_table *table, void *values, const char *flag, const char *section, const char *key,
                 const char *value, fault *f)
{
    return !value || config_value_set(find(table, section, key), values, value, flag, f);
}

typedef struct reading {
    const config_table *table;
    void *values;
    const char *path;
    FILE *file;
    int line;
    bool *given;
    bool good;
    fault *f;
} reading;

static void at_line(const reading *r, char *where, size_t size)
{
    snprintf(where, size, "%s:%d", r->path, r->line);
}

static char *next_line(char *buffer, int size, void *state)
{
    reading *r = state;
    if (!r->good)
        return NULL;
    char *line = fgets(buffer, size, r->file);
    if (!line)
        return NULL;
    r->line++;
    size_t length = strlen(line);
    if (length > LINE_LIMIT)
        r->good = fault_set(r->f, "%s:%d: the line is longer than %d characters", r->path, r->line, LINE_LIMIT);
    line[strcspn(line, "\r\n")] = 0;
    size_t indent = strspn(line, " \t");
    memmove(line, line + indent,
            strlen(line + indent) + 1); /* an indented line would be read as going on with the one before */
    return r->good ? line : NULL;
}

static int take(void *state, const char *section, const char *key, const char *text)
{
    reading *r = state;
    if (!r->good)
        return 0;
    char where[2 * CONFIG_TEXT_SIZE];
    at_line(r, where, sizeof where);
    const config_option *option = find(r->table, section, key);
    if (!option)
        r->good = unknown(r->table, section, key, where, r->f);
    else if (r->given[option - r->table->option])
        r->good = fault_set(r->f, "%s: %s.%s is given twice; keep one", where, section, key);
    else {
        r->given[option - r->table->option] = true;
        r->good = config_value_set(option, r->values, text, where, r->f);
    }
    return r->good;
}

/* Reads and closes the stream. */
static bool read_stream(const config_table *table, void *values, FILE *in, const char *path, fault *f)
{
    reading r = {.table = table, .values = values, .path = path, .file = in, .good = true, .f = f};
    r.given = calloc((size_t)table->count + 1, sizeof *r.given);
    ini_stop_on_first_error = true;
    int bad_line = r.given ? ini_parse_stream(next_line, &r, take, &r) : -2;
    if (r.good && ferror(in))
        r.good = fault_set(f, "%s: cannot read this config: %s", path, strerror(errno));
    if (r.good && bad_line > 0)
        r.good = fault_set(f, "%s:%d: neither [section] nor key = value", path, bad_line);
    if (r.good && bad_line < 0)
        r.good = fault_set(f, "%s: out of memory", path);
    free(r.given);
    fclose(in);
    return r.good;
}

bool config_read(const config_table *table, void *values, const char *path, fault *f)
{
    FILE *in = fopen(path, "r");
    if (!in)
        return fault_set(f, "%s: cannot read this config: %s", path, strerror(errno));
    return read_stream(table, values, in, path, f);
}

bool config_read_text(const config_table *table, void *values, const char *text, const char *name, fault *f)
{
    if (!text[0])
        return true;
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    if (!in)
        return fault_set(f, "%s: out of memory", name);
    return read_stream(table, values, in, name, f);
}
