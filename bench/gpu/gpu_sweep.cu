/* gpu_sweep.cu: speed, error and extra memory of libso on a CUDA device, a row per case, with the shares of what the device can do.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sweep.h"

extern "C" {
#include "bench/options.h"
}

static option table[] = {
    {"csv", "FILE", NULL, "append the rows to FILE", false, NULL},
    {"methods", "LIST", "auto,polynomial,pade,eigen,cayley",
     "methods of so.h; pade and eigen, references on NVIDIA's libraries, at the first batch\n"
     "and the smaller networks alone", false, NULL},
    {"dtypes", "LIST", "f32,f32-by-f64,f64", "real types; f32-by-f64: f32 that is computed in f64", false, NULL},
    {"n", "LIST", "2,3,4,8,16,32,64,128", "orders", false, NULL},
    {"input", "LIST", "wigner,pencil", "wigner: Gaussian entries of variance 1/n; pencil: LieRE at initialisation", false, NULL},
    {"batch", "LIST", "9216,0", "matrices; 0: as many as make 128 MiB", false, NULL},
    {"seconds", "X", "0.1", "that a row may take, beyond three timings", false, NULL},
    {"repetitions", "K", "50", "timings of a row at most", false, NULL},
    {"no-networks", NULL, NULL, "without positional encodings and rotations at the sizes of the paper's networks", false, NULL},
    {"driver", "TEXT", "unknown", "version of the driver, for the rows: nvidia-smi tells it", false, NULL},
    {"probe", NULL, NULL, "only says what device 0 is and which of the methods work on it", false, NULL},
    {"tiny", NULL, NULL, "a few matrices everywhere: tries the program, measures nothing", false, NULL},
    {NULL, NULL, NULL, NULL, false, NULL},
};

static const char *text(const char *name)
{
    return options_find(table, name)->text;
}

/* ---- What is there ---- */

/* A small matrix; for SO_EIGEN a larger one too, which goes to the other of its solvers. */
static so_status try_method(so_method method, int n)
{
    sweep s = {};
    so_status status;
    float *ones = (float *)sweep_allocate(n * n, sizeof *ones);
    for (int e = 0; e < n * n; e++)
        ones[e] = 1;
    fresh_context(&s, &precisions[0]);
    arrays A = new_arrays(1, (size_t)(n * n) * sizeof *ones, ones);
    status = so_exp_f32(s.ctx, method, n, 1, (float *)A.memory, (float *)A.memory);
    status = finish(&s, status);
    so_ctx_destroy(s.ctx);
    free_arrays(&A);
    free(ones);
    return status == SO_OK && method == SO_EIGEN && n < 32 ? try_method(method, 33) : status;
}

/* Lines that tests/gpu/run reads. The exit status: 2 if a method of these fails, though its library is there. */
static int probe(const sweep *s)
{
    const gpu g = gpu_find();
    printf("device: %s\ndriver: for CUDA %s, needed %s\n", g.name, g.driver, g.runtime);
    for (int m = 0; m < s->method_count; m++) {
        const so_method method = (so_method)s->methods[m];
        const so_status status = try_method(method, 5);
        if (status == SO_OK)
            printf("method: %s\n", sweep_method_name[method]);
        else if (status == SO_EMETHOD)
            printf("left out: %s, for want of cuBLAS and cuSOLVER of CUDA 13\n", sweep_method_name[method]);
        else
            printf("failed: %s: %s\n", sweep_method_name[method], so_status_string(status));
        fflush(stdout);
        if (status != SO_OK && status != SO_EMETHOD)
            return 2;
    }
    return EXIT_SUCCESS;
}

/* ---- The program ---- */

static sweep read_options(int argc, char **argv)
{
    static char command[1024];
    const char *names[PRECISIONS];
    sweep s = {};
    options_parse(table, argc, argv, "Speed, error and extra memory of libso on CUDA device 0.",
                  "Exit status: 0, 1 if a row breaks the contract of so.h or was refused, 2 for wrong use or no usable device.");
    for (int i = 0; i < argc; i++)
        snprintf(command + strlen(command), sizeof command - strlen(command), "%s%s", i ? " " : "", argv[i]);
    for (char *comma = command; (comma = strchr(comma, ',')) != NULL;)
        *comma = ';'; /* a field of CSV */
    s.command = command;
    s.driver = text("driver");
    s.tiny = options_find(table, "tiny")->given;
    s.method_count = options_choices("methods", text("methods"), sweep_method_name, SWEEP_METHODS, s.methods);
    for (int k = 0; k < PRECISIONS; k++)
        names[k] = precisions[k].name;
    s.kind_count = options_choices("dtypes", text("dtypes"), names, PRECISIONS, s.kinds);
    s.n_count = options_integers("n", text("n"), 1, 1024, s.n, MOST);
    s.input_count = options_choices("input", text("input"), input_name, INPUTS, s.inputs);
    s.batch_count = s.tiny ? 1 : options_integers("batch", text("batch"), 0, 1 << 30, s.batches, MOST);
    s.seconds = options_number("seconds", text("seconds"), 0, 1e6);
    s.repetitions = (int)options_integer("repetitions", text("repetitions"), 3, 1000);
    time_t now = time(NULL);
    strftime(s.date, sizeof s.date, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    return s;
}

int main(int argc, char **argv)
{
    sweep s = read_options(argc, argv);
    if (options_find(table, "probe")->given)
        return probe(&s);
    if (text("csv") && !(s.csv = fopen(text("csv"), "a")))
        options_refuse("--csv: %s: %s", text("csv"), strerror(errno));
    s.device = gpu_open(s.tiny ? 1 << 14 : (size_t)1 << 30);
    print_head(&s);
    if (!options_find(table, "no-networks")->given) {
        measure_encodings(&s);
        measure_rotations(&s);
    }
    measure_orders(&s);
    so_ctx_destroy(s.ctx);
    if (s.csv && fclose(s.csv) != 0)
        options_refuse("--csv: %s: %s", text("csv"), strerror(errno));
    return s.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
