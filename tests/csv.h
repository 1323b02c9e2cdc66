/* csv.h: fields of a CSV file without quotes. SPDX-License-Identifier: MIT */
#ifndef TESTS_CSV_H
#define TESTS_CSV_H

/* The field of a row under a name of the head; it ends at a comma or the end of the line. Fails the test if there is no such
 * name. */
const char *csv_field(const char *head, const char *row, const char *name);

/* The same as a number; fails the test if it is none. */
double csv_number(const char *head, const char *row, const char *name);

/* Number of fields of a line. */
int csv_count(const char *line);

#endif
