/* process.h: the project's programs, run as a user runs them.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_PROCESS_H
#define TESTS_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct process {
    pid_t pid;
    int pipe;          /* its stdout and stderr */
    long file_limit;   /* bytes per file it may write; 0 = no limit */
    int code;          /* exit code, or -signal */
    char output[8192]; /* what it wrote */
} process;

/* Starts $BUILD/NAME with the words of `arguments` (separated by blanks) in the current folder. */
void process_start(process *p, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Waits for its end. */
void process_end(process *p);

/* Start and end. */
int process_run(process *p, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* False when the program is not there; says so in a line. */
bool process_exists(const char *name);

#endif
