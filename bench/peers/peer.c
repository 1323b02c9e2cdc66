/* peer.c: see peer.h. SPDX-License-Identifier: MIT */
#include "peer.h"

#include <inttypes.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct desk {
    const peer_kernels *kernels;
    int threads;
    npy_stack A;
    void *R;
} desk;

__attribute__((noreturn)) static void fail(const char *why)
{
    fprintf(stderr, "peer: %s\n", why);
    exit(EXIT_FAILURE);
}

static bool run(const desk *d, int64_t batch)
{
    return d->A.bytes == 4 ? d->kernels->f32(d->A.n, batch, d->A.data, d->R, d->threads)
                           : d->kernels->f64(d->A.n, batch, d->A.data, d->R, d->threads);
}

static void load(desk *d, const char *path)
{
    char message[NPY_MESSAGE];
    npy_free(&d->A);
    free(d->R);
    if (!npy_read(path, &d->A, message))
        fail(message);
    d->R = calloc((size_t)d->A.batch * (size_t)d->A.n * (size_t)d->A.n + 1, (size_t)d->A.bytes);
    if (!d->R)
        fail("out of memory");
    puts("ok");
}

static void measure(const desk *d, int64_t batch, int calls)
{
    double start = omp_get_wtime();
    bool able = true;
    for (int i = 0; i < calls && able; i++)
        able = run(d, batch);
    if (able)
        printf("%.9g\n", omp_get_wtime() - start);
    else
        puts("none");
}

static void save(const desk *d, int64_t batch, const char *path)
{
    char message[NPY_MESSAGE];
    npy_stack R = {.bytes = d->A.bytes, .batch = batch, .n = d->A.n, .data = d->R};
    if (!run(d, batch))
        fail("nothing to save: not for this n");
    if (!npy_write(path, &R, message))
        fail(message);
    puts("ok");
}

int peer_serve(const char *version, const peer_kernels *kernels, int threads)
{
    desk d = {.kernels = kernels, .threads = threads};
    char line[4096], path[2048];
    int64_t batch;
    int calls;
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("peer %s\n", version);
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "load %2047s", path) == 1)
            load(&d, path);
        else if (sscanf(line, "time forward %" SCNd64 " %d", &batch, &calls) == 2 && batch <= d.A.batch)
            measure(&d, batch, calls);
        else if (strncmp(line, "time both ", 10) == 0)
            puts("none");
        else if (sscanf(line, "save %" SCNd64 " %2047s", &batch, path) == 2 && batch <= d.A.batch)
            save(&d, batch, path);
        else
            fail(line);
    }
    npy_free(&d.A);
    free(d.R);
    return EXIT_SUCCESS;
}
