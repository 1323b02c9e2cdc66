/* printed.h: what programs that derive a header of libso have in common.
 *
 *   PROGRAM            verifies that the header is what this program prints, and prints what it certifies
 *   PROGRAM --print    prints the header
 *   PROGRAM --check F  the same as without arguments, for the file F
 * SPDX-License-Identifier: MIT */
#ifndef PROOFS_PRINTED_H
#define PROOFS_PRINTED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline int same_as_file(const char *text, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return 0;
    size_t length = strlen(text);
    char *buffer = malloc(length + 2);
    int same = buffer && fread(buffer, 1, length + 1, f) == length && memcmp(buffer, text, length) == 0;
    free(buffer);
    fclose(f);
    return same;
}

/* The body of main. derive writes the header to f and, where report is not NULL, lines to that; it returns 1 if `claim` does
 * not hold. Returns what the program exits with. */
static inline int print_or_verify(int argc, char **argv, const char *path, const char *claim,
                                  int (*derive)(FILE *f, FILE *report))
{
    int print = argc == 2 && strcmp(argv[1], "--print") == 0;
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        abort();
    int failed = derive(f, print ? NULL : stdout);
    if (fclose(f) != 0)
        abort();
    if (print) {
        fputs(text, stdout);
    } else {
        if (argc == 3 && strcmp(argv[1], "--check") == 0)
            path = argv[2];
        int same = same_as_file(text, path);
        printf("%s %s\n%s %s is what this program derives\n", failed ? "FAIL" : "PASS", claim, same ? "PASS" : "FAIL", path);
        failed |= !same;
    }
    free(text);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
