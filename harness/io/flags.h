/* flags.h: the flags of a program, and one line for a person about each that is wrong.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_IO_FLAGS_H
#define HARNESS_IO_FLAGS_H

#include <getopt.h>

#include "io/fault.h"

/* getopt_long for programs whose flags all have long names: the flag's letter, -1 after the last one, or '?' with a line in *f.
 * Prints nothing. */
int flags_next(int argc, char **argv, const struct option *flags, fault *f);

#endif
