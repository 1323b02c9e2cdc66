/* child.h: a peer seen from the program that times it: a process that obeys the lines of peer.h.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

typedef struct child {
    const char *name;
    pid_t process;
    FILE *to, *from;
    char complaints[256]; /* file that holds what it writes to stderr */
    char version[256];    /* without the characters that CSV would quote */
} child;

/* Starts command[0] (looked up in PATH) with the arguments command[1].., NULL-terminated, and reads its version. False if it
 * ends instead: `version` is then the last line of what it complained. */
bool child_start(child *c, const char *name, const char *const *command, const char *folder);

/* Sends one line and reads the answer into reply. False once the peer has ended, which the first such call says in one line. */
__attribute__((format(printf, 4, 5))) bool child_ask(child *c, char *reply, size_t size, const char *format, ...);

bool child_ended(const child *c);

void child_stop(child *c);

/* From now on SIGINT and SIGTERM make child_ask() end the program through exit(), so that what atexit() holds is done. */
void child_heed_signals(void);

#endif
