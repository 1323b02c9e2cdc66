/* left_out.h: methods that SO_TEST_METHOD leaves out, because their libraries are not installed or to save time. A test that was
 * not run must not look like one that passed.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_LEFT_OUT_H
#define TESTS_LEFT_OUT_H

#include "libso/so.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether `what` must be left out, being of this method; says so in a line. */
int left_out(so_method m, const char *what);

/* A line with all methods that are left out, if there are any: for the tests that go through the methods. */
void left_out_say(void);

#ifdef __cplusplus
}
#endif

#endif
