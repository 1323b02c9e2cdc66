/* config_value.h: one value of the option table, from text and to text. Private to io/config*.c.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_IO_CONFIG_VALUE_H
#define HARNESS_IO_CONFIG_VALUE_H

#include "io/config.h"

/* `where` opens the line of a refused value: "file.ini:12", "--set", "default". Nothing is changed then. */
bool config_value_set(const config_option *option, void *values, const char *text, const char *where, fault *f);

/* Text that config_value_set reads back to the same bits. */
void config_value_print(const config_option *option, const void *values, char *text, size_t size);

#endif
