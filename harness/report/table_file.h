/* table_file.h: small tables that people edit: one line per row, fields separated by |, blanks around them do not count, lines
 * that start with # and empty ones are skipped.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_REPORT_TABLE_FILE_H
#define HARNESS_REPORT_TABLE_FILE_H

#include "io/fault.h"

enum { TABLE_FIELDS = 8 };

typedef struct table_file {
    char *text; /* the fields point into it */
    const char *(*row)[TABLE_FIELDS];
    int rows;
} table_file;

/* A row with other than `fields` fields is refused with file and line. */
bool table_read(const char *path, int fields, table_file *out, fault *f);
void table_free(table_file *table);

#endif
