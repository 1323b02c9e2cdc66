/* user.c: see user.h. SPDX-License-Identifier: MIT */
#include "user.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "npy.h"
#include "options.h"

enum { NAMED = 3 }; /* defects that are named one by one before they are only counted */

static double load(const npy_stack *s, int64_t b, int i, int j)
{
    size_t at = ((size_t)b * (size_t)s->n + (size_t)i) * (size_t)s->n + (size_t)j;
    return s->bytes == 4 ? (double)((const float *)s->data)[at] : ((const double *)s->data)[at];
}

/* What so.h reads of A is its strict upper triangle; of G it reads everything. */
static bool is_finite(const npy_stack *s, int64_t b, bool upper)
{
    for (int i = 0; i < s->n; i++)
        for (int j = upper ? i + 1 : 0; j < s->n; j++)
            if (!isfinite(load(s, b, i, j)))
                return false;
    return true;
}

static bool is_skew(const npy_stack *s, int64_t b)
{
    for (int i = 0; i < s->n; i++)
        for (int j = i; j < s->n; j++)
            if (!(load(s, b, i, j) == -load(s, b, j, i)))
                return false;
    return true;
}

static void say(const char *path, int64_t b, int64_t *count, const char *defect)
{
    if ((*count)++ < NAMED)
        fprintf(stderr, "expm_sweep: %s: matrix %" PRId64 " %s\n", path, b, defect);
}

static void say_rest(const char *path, int64_t count, const char *defect)
{
    if (count > NAMED)
        fprintf(stderr, "expm_sweep: %s: and %" PRId64 " more that are not %s\n", path, count - NAMED, defect);
}

static void inspect(const char *path, const npy_stack *s, bool skew_wanted)
{
    int64_t bad = 0, lopsided = 0;
    for (int64_t b = 0; b < s->batch; b++) {
        if (!is_finite(s, b, skew_wanted))
            say(path, b, &bad, "holds a NaN or an infinity: its results are NaN");
        else if (skew_wanted && !is_skew(s, b))
            say(path, b, &lopsided, "is not skew-symmetric: only its strict upper triangle is used");
    }
    say_rest(path, bad, "finite");
    say_rest(path, lopsided, "skew-symmetric");
}

sweep_input user_read(const char *matrices, const char *upstream)
{
    char message[NPY_MESSAGE];
    npy_stack A = {0}, G = {0};
    if (!npy_read(matrices, &A, message) || (upstream && !npy_read(upstream, &G, message)))
        options_refuse("%s", message);
    if (upstream && (A.batch != G.batch || A.n != G.n))
        options_refuse("%s has shape (%" PRId64 ", %d, %d), but %s has (%" PRId64 ", %d, %d)", upstream, G.batch, G.n, G.n,
                       matrices, A.batch, A.n, A.n);
    if (upstream && A.bytes != G.bytes)
        options_refuse("%s holds float%d, but %s holds float%d", upstream, 8 * G.bytes, matrices, 8 * A.bytes);
    inspect(matrices, &A, true);
    if (upstream)
        inspect(upstream, &G, false);
    sweep_input in = {.real = A.bytes == 4 ? SWEEP_F32 : SWEEP_F64, .n = A.n, .batch = A.batch, .A = A.data, .G = G.data};
    strcpy(in.kind, "file");
    return in;
}

void user_check_target(const char *path)
{
    struct stat there;
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
        options_refuse("%s: is no regular file; results take the place of what has their name", path);
    char *folder = strdup(path);
    if (!folder)
        options_refuse("out of memory");
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    if (access(slash ? folder : ".", W_OK | X_OK) != 0)
        options_refuse("%s: %m", path);
    free(folder);
}

void user_write(const char *path, const sweep_input *input, void *stack)
{
    char message[NPY_MESSAGE];
    npy_stack s = {.bytes = (int)sweep_real_bytes(input->real), .batch = input->batch, .n = input->n, .data = stack};
    if (!npy_write(path, &s, message)) {
        fprintf(stderr, "expm_sweep: %s\n", message);
        exit(EXIT_FAILURE);
    }
}
