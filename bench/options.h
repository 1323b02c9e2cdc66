/* options.h: command-line options of a benchmark from one table: parser, defaults and --help all read it.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>

typedef struct option {
    const char *name;   /* without the dashes */
    const char *value;  /* how --help calls the value: NULL = a flag, "[X]" = may be left out */
    const char *preset; /* text used when the option is not given; NULL = none */
    const char *help;   /* one line, or more with \n */
    bool given;
    const char *text; /* value in force: the one given, else the preset, else NULL */
} option;

/* The table ends with an entry without a name. Unknown options, missing and superfluous values end the program with one line
 * and status 2. --help prints `about`, the table and `after`, and ends it with 0. */
void options_parse(option *table, int argc, char **argv, const char *about, const char *after);

option *options_find(option *table, const char *name); /* the name must exist */

/* Prints "program: message" and ends the program with status 2, the status of every wrong use. */
__attribute__((noreturn, format(printf, 1, 2))) void options_refuse(const char *format, ...);

/* A number within [low, high], or the end of the program. `what` names the option in the message. */
long long options_integer(const char *what, const char *text, long long low, long long high);
double options_number(const char *what, const char *text, double low, double high);

/* Calls use(item, to) for each item of a list separated by commas; an empty list or item ends the program. */
void options_list(const char *what, const char *text, void (*use)(const char *item, void *to), void *to);

/* Lists of names, each at most once, as indices into `names` (room for `count`); of integers within [low, high]. Return their
 * number, or end the program. */
int options_choices(const char *what, const char *text, const char *const *names, int count, int *chosen);
int options_integers(const char *what, const char *text, long long low, long long high, int *values, int room);

#endif
