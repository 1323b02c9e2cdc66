/* npy.c: see npy.h.
 *
 *   bytes 0-5   \x93NUMPY      6-7  major, minor     8-9 (v1) or 8-11 (v2)  length of the header, little-endian
 *   header      {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4, 4), }   padded by blanks and one newline
 *   data        starts at a multiple of 64 when we write; any offset is accepted when we read
 * SPDX-License-Identifier: MIT */
#include "npy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DIMS = 8, MAX_HEADER = 1 << 16, MAX_ORDER = 1 << 15 };

typedef struct header {
    char descr[16];
    int fortran_order; /* -1 = not seen yet */
    int dims;          /* -1 = not seen yet */
    int64_t shape[MAX_DIMS];
} header;

__attribute__((format(printf, 3, 4))) static bool refuse(char message[NPY_MESSAGE], const char *path, const char *format, ...)
{
    int used = snprintf(message, NPY_MESSAGE, "%.200s: ", path);
    va_list list;
    va_start(list, format);
    vsnprintf(message + used, (size_t)(NPY_MESSAGE - used), format, list);
    va_end(list);
    return false;
}

/* ---- The header: a Python literal with exactly three keys, in any order ------------------------------------------------ */

static void skip_blanks(const char **p)
{
    while (**p == ' ' || **p == '\t' || **p == '\n')
        ++*p;
}

static bool take(const char **p, char c)
{
    skip_blanks(p);
    if (**p != c)
        return false;
    ++*p;
    return true;
}

static bool take_string(const char **p, char *out, size_t size)
{
    skip_blanks(p);
    char quote = **p;
    if (quote != '\'' && quote != '"')
        return false;
    size_t length = strcspn(*p + 1, quote == '"' ? "\"" : "'");
    if ((*p)[1 + length] != quote || length >= size)
        return false;
    memcpy(out, *p + 1, length);
    out[length] = '\0';
    *p += length + 2;
    return true;
}

static bool take_bool(const char **p, int *out)
{
    skip_blanks(p);
    *out = strncmp(*p, "True", 4) == 0;
    if (!*out && strncmp(*p, "False", 5) != 0)
        return false;
    *p += *out ? 4 : 5;
    return true;
}

static bool take_shape(const char **p, header *h)
{
    if (!take(p, '('))
        return false;
    for (h->dims = 0; !take(p, ')'); h->dims++) {
        if (h->dims == MAX_DIMS || (h->dims > 0 && !take(p, ',')))
            return false;
        if (h->dims > 0 && take(p, ')')) /* the comma of (3,) */
            return true;
        skip_blanks(p);
        if (**p < '0' || **p > '9') /* strtoll would take a sign */
            return false;
        char *end;
        errno = 0;
        h->shape[h->dims] = strtoll(*p, &end, 10);
        if (errno)
            return false;
        *p = end;
    }
    return true;
}

static bool parse_header(const char *text, header *h)
{
    *h = (header){.fortran_order = -1, .dims = -1};
    const char *p = text;
    if (!take(&p, '{'))
        return false;
    for (bool first = true; !take(&p, '}'); first = false) {
        if (!first && !take(&p, ','))
            return false;
        if (!first && take(&p, '}'))
            break;
        char key[24];
        if (!take_string(&p, key, sizeof key) || !take(&p, ':'))
            return false;
        bool ok = false;
        if (strcmp(key, "descr") == 0)
            ok = take_string(&p, h->descr, sizeof h->descr);
        else if (strcmp(key, "fortran_order") == 0)
            ok = take_bool(&p, &h->fortran_order);
        else if (strcmp(key, "shape") == 0)
            ok = take_shape(&p, h);
        if (!ok)
            return false;
    }
    skip_blanks(&p);
    return *p == '\0' && h->descr[0] && h->fortran_order >= 0 && h->dims >= 0;
}

static bool judge_header(const header *h, const char *path, npy_stack *stack, char message[NPY_MESSAGE])
{
    if (h->descr[0] == '>')
        return refuse(message, path, "big-endian numbers ('%s'); save them as '<%s'", h->descr, h->descr + 1);
    if (strcmp(h->descr, "<f4") != 0 && strcmp(h->descr, "<f8") != 0)
        return refuse(message, path, "numbers of type '%s'; float32 ('<f4') or float64 ('<f8') is needed", h->descr);
    if (h->fortran_order && h->dims > 1)
        return refuse(message, path, "Fortran (column) order; save it in C order (numpy.ascontiguousarray)");
    if (h->dims != 3)
        return refuse(message, path, "%d dimensions; (batch, n, n) is needed", h->dims);
    if (h->shape[1] != h->shape[2])
        return refuse(message, path, "matrices of %" PRId64 " x %" PRId64 " are not square", h->shape[1], h->shape[2]);
    stack->bytes = h->descr[2] - '0';
    int64_t limit = INT64_MAX / 8, n = h->shape[1];
    if (n > MAX_ORDER || (n > 0 && h->shape[0] > limit / (n * n)))
        return refuse(message, path, "shape (%" PRId64 ", %" PRId64 ", %" PRId64 ") is too large", h->shape[0], n, n);
    stack->batch = h->shape[0];
    stack->n = (int)n;
    return true;
}

/* ---- Reading ----------------------------------------------------------------------------------------------------------- */

static bool read_header(FILE *file, const char *path, header *h, char message[NPY_MESSAGE])
{
    unsigned char start[12];
    if (fread(start, 1, 10, file) != 10)
        return refuse(message, path, "truncated: too short for an .npy file");
    if (memcmp(start, "\x93NUMPY", 6) != 0)
        return refuse(message, path, "not an .npy file (wrong magic bytes)");
    if ((start[6] != 1 && start[6] != 2) || start[7] != 0)
        return refuse(message, path, "version %d.%d of the .npy format; 1.0 and 2.0 are read", start[6], start[7]);
    size_t length = (size_t)start[8] | (size_t)start[9] << 8;
    if (start[6] == 2) {
        if (fread(start + 10, 1, 2, file) != 2)
            return refuse(message, path, "truncated inside the header");
        length |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
    }
    if (length > MAX_HEADER)
        return refuse(message, path, "a header of %zu bytes is not credible: damaged file", length);
    char *text = calloc(length + 1, 1);
    if (!text)
        return refuse(message, path, "out of memory");
    bool whole = fread(text, 1, length, file) == length;
    bool good = whole && strlen(text) == length && parse_header(text, h);
    free(text);
    if (!whole)
        return refuse(message, path, "truncated inside the header");
    return good || refuse(message, path, "damaged header: not {'descr': .., 'fortran_order': .., 'shape': ..}");
}

static bool read_stack(FILE *file, const char *path, npy_stack *stack, char message[NPY_MESSAGE])
{
    header h;
    if (!read_header(file, path, &h, message) || !judge_header(&h, path, stack, message))
        return false;
    /* Compared with the file before memory is asked for, so that a hostile shape costs nothing. */
    int64_t wanted = stack->batch * stack->n * stack->n * stack->bytes;
    struct stat status;
    long here = ftell(file);
    if (here < 0 || fstat(fileno(file), &status) != 0)
        return refuse(message, path, "%s", strerror(errno));
    int64_t there = (int64_t)status.st_size - here;
    if (there < wanted)
        return refuse(message, path, "truncated: %" PRId64 " bytes of numbers, %" PRId64 " are needed", there, wanted);
    if (there > wanted)
        return refuse(message, path, "%" PRId64 " bytes too many after the numbers: damaged file", there - wanted);
    stack->data = malloc((size_t)wanted + 1);
    if (!stack->data)
        return refuse(message, path, "out of memory for %" PRId64 " bytes", wanted);
    if (fread(stack->data, 1, (size_t)wanted, file) == (size_t)wanted)
        return true;
    free(stack->data);
    return refuse(message, path, "could not be read: %s", strerror(errno));
}

bool npy_read(const char *path, npy_stack *out, char message[NPY_MESSAGE])
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (!file)
        return refuse(message, path, "%s", strerror(errno));
    npy_stack stack = {0};
    bool ok;
    if (fstat(fileno(file), &status) == 0 && !S_ISREG(status.st_mode))
        ok = refuse(message, path, "not a regular file");
    else
        ok = read_stack(file, path, &stack, message);
    fclose(file);
    if (ok)
        *out = stack;
    return ok;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------------- */

static bool write_all(FILE *file, const npy_stack *stack)
{
    enum { START = 10 };
    char text[256] = "";
    int length = snprintf(text, sizeof text, "{'descr': '<f%d', 'fortran_order': False, 'shape': (%" PRId64 ", %d, %d), }",
                          stack->bytes, stack->batch, stack->n, stack->n);
    int padded = (START + length + 1 + 63) / 64 * 64 - START; /* with the newline */
    memset(text + length, ' ', (size_t)(padded - 1 - length));
    text[padded - 1] = '\n';
    const unsigned char start[START] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)padded, (unsigned char)(padded >> 8)};
    size_t numbers = (size_t)stack->batch * (size_t)stack->n * (size_t)stack->n;
    return fwrite(start, 1, START, file) == START && fwrite(text, 1, (size_t)padded, file) == (size_t)padded &&
           (numbers == 0 || fwrite(stack->data, (size_t)stack->bytes, numbers, file) == numbers) && fflush(file) == 0 &&
           fsync(fileno(file)) == 0;
}

bool npy_write(const char *path, const npy_stack *stack, char message[NPY_MESSAGE])
{
    char *beside = malloc(strlen(path) + 8);
    if (!beside)
        return refuse(message, path, "out of memory");
    sprintf(beside, "%s.part", path);
    FILE *file = fopen(beside, "wb");
    bool ok = file && write_all(file, stack);
    int reason = errno;
    if (file && fclose(file) != 0 && ok) {
        ok = false;
        reason = errno;
    }
    if (ok && rename(beside, path) != 0) {
        ok = false;
        reason = errno;
    }
    if (!ok && file)
        remove(beside);
    free(beside);
    return ok || refuse(message, path, "could not be written: %s", strerror(reason));
}

void npy_free(npy_stack *stack)
{
    free(stack->data);
    *stack = (npy_stack){0};
}
