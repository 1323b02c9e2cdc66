/* wait_policy.h: threads that wait for each other sleep instead of spinning.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_WAIT_POLICY_H
#define HARNESS_WAIT_POLICY_H

/* To be called first in main(). Starts the program over with OMP_WAIT_POLICY=passive, which the OpenMP runtime reads only
 * before main(); returns if the variable is set or that is not possible. Spinning costs a factor of 3 as soon as the machine
 * has anything else to do, and the loader's threads are something else. */
void wait_policy_passive(char **argv);

#endif
