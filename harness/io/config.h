/* config.h: options of a program, from one table.
 *
 * The table says for every option its section, key, type, default, range and help. The INI reader, --set, --help, the defaults
 * and the resolved config that is written into a run's folder are all made from it; values live in a struct of the caller's.
 *
 *   defaults < file < --set section.key=value < flags     (the caller applies them in this order)
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_IO_CONFIG_H
#define HARNESS_IO_CONFIG_H

#include "io/fault.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_TEXT_SIZE 256
#define CONFIG_LIST_SIZE 16

typedef struct config_list {
    int count;
    int64_t value[CONFIG_LIST_SIZE];
} config_list;

typedef enum config_type {
    CONFIG_INT,    /* int64_t */
    CONFIG_REAL,   /* double */
    CONFIG_BOOL,   /* bool; true or false */
    CONFIG_TEXT,   /* char[CONFIG_TEXT_SIZE] */
    CONFIG_CHOICE, /* int: place of the word among `choices` */
    CONFIG_LIST    /* config_list of integers, separated by blanks */
} config_type;

typedef struct config_option {
    const char *section, *key;
    config_type type;
    size_t offset;       /* of the field in the struct of values */
    const char *initial; /* the default, as it would stand in a file */
    double low, high;    /* inclusive range of numbers and of each number of a list */
    const char *choices; /* "one|two|three" */
    const char *help;
    bool incidental; /* changes where, how fast or how talkatively a program works, not what comes out */
} config_option;

typedef struct config_table {
    const config_option *option;
    int count;
} config_table;

bool config_defaults(const config_table *table, void *values, fault *f);

/* Reads an INI file. An unknown section or key, a key given twice, a value of the wrong type or out of its range is refused
 * with file:line and, for a key, the nearest known one. */
bool config_read(const config_table *table, void *values, const char *path, fault *f);

/* The same for a text in memory; `name` stands for the file in messages. */
bool config_read_text(const config_table *table, void *values, const char *text, const char *name, fault *f);

/* "section.key=value" */
bool config_set(const config_table *table, void *values, const char *assignment, fault *f);

/* The option section.key from a flag of its own, "--data"; value NULL = the flag was not given. */
bool config_flag(const config_table *table, void *values, const char *flag, const char *section, const char *key,
                 const char *value, fault *f);

/* The first option that is not incidental and differs between two structs of values; NULL if there is none. The values are
 * written to one and other as text. */
const config_option *config_difference(const config_table *table, const void *a, const void *b, char one[CONFIG_TEXT_SIZE],
                                       char other[CONFIG_TEXT_SIZE]);

/* Every option as an INI file that config_read takes back to the same bits, each with its help above it. The caller frees it.
 */
char *config_text(const config_table *table, const void *values);

/* {"section": {"key": value}} with numbers, booleans, words and lists as such. */
cJSON *config_json(const config_table *table, const void *values);

void config_help(const config_table *table, FILE *out);

#endif
