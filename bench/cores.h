/* cores.h: a core for each thread. Two threads that wait for each other at a barrier, both on one core while another stands idle, take
 * turns by the millisecond: a call of 10 us then reads as 40 to 300 times slower, for as long as the system leaves them there.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_CORES_H
#define BENCH_CORES_H

/* Cores that the process might use when it was started. */
int cores_count(void);

/* From now on each thread of a team of so many (OpenMP's, begun by the caller) keeps to a core of its own; nothing where there are
 * fewer cores. OpenMP itself then counts one core: sizes of teams must come from cores_count(). */
void cores_share_out(int threads);

/* In a child process, before it becomes another program: any core again. Safe after fork(). */
void cores_give_back(void);

#endif
