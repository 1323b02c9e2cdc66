/* SPDX-License-Identifier: MIT */
#include "io/safetensors_header.h"

#include <string.h>

char *safetensors_header_blank(char *header, size_t length)
{
    static const char key[] = "\"" SAFETENSORS_HASH_KEY "\":\"";
    char *found = memmem(header, length, key, sizeof key - 1);
    if (!found || found + sizeof key - 1 + SAFETENSORS_HASH_DIGITS > header + length)
        return NULL;
    return memset(found + sizeof key - 1, '0', SAFETENSORS_HASH_DIGITS);
}

/* Length of the UTF-8 character at p, 0 if it is not one (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). */
static size_t utf8(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    size_t length = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) || (p[0] == 0xF0 && p[1] < 0x90) ||
        (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return length;
}

const char *safetensors_header_check(const char *header, size_t length)
{
    if (header[0] != '{')
        return "the header does not begin with {";
    for (size_t i = 0; i < length;) {
        size_t step = utf8((const unsigned char *)header + i, length - i);
        if (step == 0)
            return "the header is not UTF-8";
        if (header[i] == 0)
            return "the header holds a NUL";
        i += step;
    }
    if (memmem(header, length, "\\u0000", 6))
        return "the header holds a NUL";
    return NULL;
}
