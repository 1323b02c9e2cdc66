/* folder.h: a temporary folder for one test.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

#include <stddef.h>

/* Makes a folder of its own; `folder` holds its name. */
void folder_make(char folder[64]);

/* Removes it with all that it holds. */
void folder_remove(const char *folder);

/* Writes bytes to folder/name and puts that path into `path`. */
void folder_write(const char *folder, const char *name, const void *data, size_t bytes, char path[256]);

#endif
