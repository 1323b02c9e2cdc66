/* csv.c: see csv.h. SPDX-License-Identifier: MIT */
#include "csv.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

const char *csv_field(const char *head, const char *row, const char *name)
{
    size_t length = strlen(name);
    while (strncmp(head, name, length) != 0 || !strchr(",\n", head[length])) {
        head += strcspn(head, ",");
        row += strcspn(row, ",");
        ck_assert_msg(*head == ',' && *row == ',', "no column %s", name);
        head++;
        row++;
    }
    return row;
}

double csv_number(const char *head, const char *row, const char *name)
{
    const char *field = csv_field(head, row, name);
    char *end;
    double number = strtod(field, &end);
    ck_assert_msg(end > field && strchr(",\n", *end), "%s is no number: %s", name, row);
    return number;
}

int csv_count(const char *line)
{
    int count = 1;
    for (; *line; line++)
        count += *line == ',';
    return count;
}
