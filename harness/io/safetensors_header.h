/* safetensors_header.h: what reader and writer share. Private to io/safetensors*.c.
 *
 * The checksum "xxh3_64" in the metadata is XXH3-64 over header and data, with its own 16 hexadecimal digits taken as '0'.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_IO_SAFETENSORS_HEADER_H
#define HARNESS_IO_SAFETENSORS_HEADER_H

#include <stddef.h>

#define SAFETENSORS_HASH_KEY "xxh3_64"
#define SAFETENSORS_HASH_DIGITS 16

/* Overwrites the digits of the checksum by '0' and returns where they stand; NULL if there is none. */
char *safetensors_header_blank(char *header, size_t length);

/* What cJSON lets pass and the format does not: NULL when the text begins with '{', is valid UTF-8 and holds no NUL, else what
 * is wrong. */
const char *safetensors_header_check(const char *header, size_t length);

#endif
