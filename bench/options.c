/* options.c: see options.h. SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void options_refuse(const char *format, ...)
{
    va_list list;
    fprintf(stderr, "%s: ", program_invocation_short_name);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    exit(2);
}

static void print_help(const option *table, const char *about, const char *after)
{
    enum { COLUMN = 24 };
    printf("%s\n\n", about);
    for (const option *o = table; o->name; o++) {
        int used = printf("  --%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
        printf("%*s", used < COLUMN ? COLUMN - used : 2, "");
        for (const char *line = o->help; *line; line += *line == '\n') {
            int length = (int)strcspn(line, "\n");
            printf("%.*s", length, line);
            line += length;
            if (*line)
                printf("\n%*s", COLUMN, "");
        }
        if (o->preset)
            printf(" [%s]", o->preset);
        putchar('\n');
    }
    printf("\n%s\n", after);
}

void options_parse(option *table, int argc, char **argv, const char *about, const char *after)
{
    for (option *o = table; o->name; o++)
        o->text = o->preset;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(table, about, after);
            exit(EXIT_SUCCESS);
        }
        const char *name = argv[i] + 2, *equals = strchr(argv[i], '=');
        size_t length = equals ? (size_t)(equals - name) : strlen(argv[i]) - (strlen(argv[i]) > 1 ? 2 : 0);
        option *o = NULL;
        if (strncmp(argv[i], "--", 2) == 0)
            for (o = table; o->name && (strlen(o->name) != length || strncmp(o->name, name, length) != 0);)
                o++;
        if (!o || !o->name)
            options_refuse("unknown option '%s' (--help lists them)", argv[i]);
        if (!o->value && equals)
            options_refuse("--%s takes no value", o->name);
        o->given = true;
        bool next = o->value && !equals && i + 1 < argc && strncmp(argv[i + 1], "--", 2) != 0;
        if (o->value && !equals && !next && o->value[0] != '[')
            options_refuse("--%s needs a value: %s", o->name, o->value);
        if (equals)
            o->text = equals + 1;
        else if (next)
            o->text = argv[++i];
    }
}

option *options_find(option *table, const char *name)
{
    while (strcmp(table->name, name) != 0)
        table++;
    return table;
}

long long options_integer(const char *what, const char *text, long long low, long long high)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < low || value > high)
        options_refuse("--%s: '%s' is not a whole number from %lld to %lld", what, text, low, high);
    return value;
}

double options_number(const char *what, const char *text, double low, double high)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= low && value <= high))
        options_refuse("--%s: '%s' is not a number from %g to %g", what, text, low, high);
    return value;
}

void options_list(const char *what, const char *text, void (*use)(const char *item, void *to), void *to)
{
    char *copy = strdup(text);
    if (!copy)
        options_refuse("out of memory");
    char *rest = copy;
    for (char *item = strsep(&rest, ","); item; item = strsep(&rest, ",")) {
        if (!*item)
            options_refuse("--%s: an empty item in '%s'", what, text);
        use(item, to);
    }
    free(copy);
}

typedef struct list { /* what options_choices() or options_integers() reads */
    const char *what;
    const char *const *names;
    long long low, high;
    int *out, length, room;
} list;

static void choose(const char *item, void *to)
{
    list *l = to;
    int i = 0;
    while (i < l->room && strcmp(item, l->names[i]) != 0)
        i++;
    if (i == l->room)
        options_refuse("--%s: '%s' is unknown (--help lists what there is)", l->what, item);
    for (int k = 0; k < l->length; k++)
        if (l->out[k] == i)
            options_refuse("--%s: '%s' is named twice", l->what, item);
    l->out[l->length++] = i;
}

static void add_integer(const char *item, void *to)
{
    list *l = to;
    if (l->length == l->room)
        options_refuse("--%s: more than %d items", l->what, l->room);
    l->out[l->length++] = (int)options_integer(l->what, item, l->low, l->high);
}

int options_choices(const char *what, const char *text, const char *const *names, int count, int *chosen)
{
    list l = {.what = what, .names = names, .out = chosen, .room = count};
    options_list(what, text, choose, &l);
    return l.length;
}

int options_integers(const char *what, const char *text, long long low, long long high, int *values, int room)
{
    list l = {.what = what, .low = low, .high = high, .out = values, .room = room};
    options_list(what, text, add_integer, &l);
    return l.length;
}
