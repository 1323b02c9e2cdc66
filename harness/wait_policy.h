/* wait_policy.h: threads that wait for each other sleep instead of spinning.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_WAIT_POLICY_H
#define HARNESS_WAIT_POLICY_H

/* To be called first in main(). Starts the program over with OMP_WAIT_POLICY=passive, which the OpenMP runtime reads only
 * before main(); returns if the variable is set or that is not possible.
 *
 * Measured, two threads on two cores, the small model of arrows.ini: with anything else running, spinning is 3 to 15 times
 * slower than sleeping; on an idle machine it is up to 1.8 times faster, which OMP_WAIT_POLICY=active gives back. */
void wait_policy_passive(char **argv);

#endif
