/* peer_ratios.c: times libso and its peers in turns on the same matrices; ends with a table of the ratios.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <libgen.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/options.h"
#include "bench/picture.h"
#include "ratios.h"

enum { MAX_ITEMS = 32, PEERS = 5, INPUTS = 2 };

static const char *const peer_names[PEERS] = {"torch", "scipy", "eigen", "eigen_fixed", "lapacke"};
static const struct {
    bool python, threads;       /* threads: of OpenMP; else processes, which must not all keep to the first core */
    const char *program, *mode; /* beside this program, or a script; first argument or NULL */
} known[PEERS] = {{true, true, "torch_peer.py", NULL},
                  {true, false, "scipy_peer.py", NULL},
                  {false, true, "eigen", "dynamic"},
                  {false, true, "eigen", "fixed"},
                  {false, true, "lapacke", NULL}};
static const char *const input_names[INPUTS] = {"pencil", "wigner"};

static option table[] = {
    {"peers", "LIST", "torch,scipy,eigen,eigen_fixed,lapacke", "of these; one that cannot be started is named and left out",
     false, NULL},
    {"n", "LIST", "2,3,4,8,16,32,64,128", "orders of the matrices", false, NULL},
    {"dtypes", "LIST", "f32,f64", "of f32, f64", false, NULL},
    {"inputs", "LIST", "pencil,wigner",
     "pencil: LieRE at initialisation, two generators with entries 2 pi U(0, 1),\n"
     "positions uniform in the unit square; wigner: entries N(0, 1/n)",
     false, NULL},
    {"batch", "N", "4096", "different matrices per call", false, NULL},
    {"threads", "N", "2", "threads (SciPy: processes) of each side", false, NULL},
    {"repetitions", "N", "7", "turns per row", false, NULL},
    {"seconds", "S", "10", "a row ends after this time, but not before three turns", false, NULL},
    {"longest", "S", "30", "a peer gets half, a quarter .. of the batch where its call would last longer", false, NULL},
    {"memory", "GB", NULL, "so it does where it might need more [that of this machine]", false, NULL},
    {"seed", "N", "1", "of the random matrices", false, NULL},
    {"python", "PROGRAM", "python3", "that imports the peers in Python", false, NULL},
    {"scripts", "DIR", "bench/peers", "where these peers lie", false, NULL},
    {"csv", "FILE", NULL, "write every row to FILE", false, NULL},
    {"table", "FILE", NULL, "write the table of ratios to FILE as well", false, NULL},
    {"plot", "[DIR]", "runs/peer_ratios", "draw the ratios against n (gnuplot): PNG and SVG in DIR", false, NULL},
    {0}};

static const char about[] = "usage: peer_ratios [options]\n"
                            "Times libso and other programs for the matrix exponential on the same matrices, in turns.\n"
                            "SO_ISA=avx2 holds libso and the peers to AVX2 on a wider machine.";
static const char after[] = "A peer that ends is named and left out from there on. Exit status: 0, or 1 if no peer is there or one fails or\n"
                            "ends, 2 for wrong use.";

typedef struct campaign {
    int wanted[PEERS], n[MAX_ITEMS], reals[SWEEP_REALS], inputs[INPUTS];
    int wanted_count, n_count, real_count, input_count;
    int64_t batch;
    uint64_t seed;
    contest_effort effort;
    child peers[PEERS];
    int peer_count;
    evidence evidence;
    FILE *csv, *table;
    contest_row *rows;
    int row_count;
} campaign;

static const char *text(const char *name)
{
    return options_find(table, name)->text;
}

/* ---- Folder ---------------------------------------------------------------------------------------------------------- */

static char folder[128]; /* of the files that the peers read */

static void remove_folder(void)
{
    char command[256];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    if (system(command) != 0)
        fprintf(stderr, "peer_ratios: %s could not be removed\n", folder);
}

static void make_folder(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.100s/peer_ratios_XXXXXX", parent && *parent ? parent : "/tmp");
    if (!mkdtemp(folder))
        options_refuse("%s: %s", folder, strerror(errno));
    atexit(remove_folder);
}

/* ---- Peers -------------------------------------------------------------------------------------------------------------- */

/* One thread for BLAS inside a peer that divides the batch itself; the others are told. Peers may use all of this machine,
 * whatever kernels the caller's environment prescribes, or as much of it as SO_ISA leaves to libso. */
static void prepare_environment(void)
{
    static const char *const limits[] = {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "ATEN_CPU_CAPABILITY",
                                         "MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR"};
    const char *isa = getenv("SO_ISA");
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        unsetenv(limits[i]);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
    setenv("OMP_NUM_THREADS", text("threads"), 1);
    setenv("MKL_NUM_THREADS", text("threads"), 1);
    if (isa && strcmp(isa, "avx2") == 0) {
        setenv("ATEN_CPU_CAPABILITY", "avx2", 1);
        setenv("MKL_ENABLE_INSTRUCTIONS", "AVX2", 1);
        setenv("OPENBLAS_CORETYPE", "Haswell", 1);
    }
}

static bool start_peer(child *c, int which)
{
    char here[512], program[1024];
    const char *command[6] = {NULL}, **argument = command;
    ssize_t length = readlink("/proc/self/exe", here, sizeof here - 1);
    here[length > 0 ? length : 0] = '\0';
    snprintf(program, sizeof program, "%s/%s", known[which].python ? text("scripts") : dirname(here), known[which].program);
    if (known[which].python)
        *argument++ = text("python");
    *argument++ = program;
    if (known[which].mode)
        *argument++ = known[which].mode;
    *argument++ = text("threads");
    setenv("OMP_PROC_BIND", known[which].threads ? "true" : "false", 1); /* a core for each thread, as libso has it (cores.h) */
    return child_start(c, peer_names[which], command, folder);
}

static void start_peers(campaign *c)
{
    bool python = false, compiled = false;
    for (int i = 0; i < c->wanted_count; i++) {
        child *peer = &c->peers[c->peer_count];
        if (start_peer(peer, c->wanted[i])) {
            printf("peer %s: %s\n", peer->name, peer->version);
            c->peer_count++;
            continue;
        }
        printf("absent: %s (%s)\n", peer->name, peer->version);
        python = python || known[c->wanted[i]].python;
        compiled = compiled || !known[c->wanted[i]].python;
    }
    if (python || compiled)
        printf("to get the absent peers:%s%s%s\n", python ? " bench/peers/setup (PyTorch and SciPy from PyPI)" : "",
               python && compiled ? ";" : "", compiled ? " PACKAGES='g++ libeigen3-dev' make deps" : "");
    fflush(stdout);
}

/* ---- Contests ----------------------------------------------------------------------------------------------------------- */

static int peers_left(const campaign *c)
{
    int left = 0;
    for (int p = 0; p < c->peer_count; p++)
        left += !child_ended(&c->peers[p]);
    return left;
}

static void run_case(campaign *c, sweep_real real, int n, const char *kind)
{
    sweep_input in = sweep_input_make(real, n, c->batch, c->batch, kind, c->seed);
    contest *held = contest_open(&in, &c->effort, folder);
    contest_row *rows = c->rows + c->row_count;
    int count = 0;
    for (int p = 0; p < c->peer_count; p++) {
        int new = contest_hold(held, &c->peers[p], rows + count);
        for (int i = 0; i < new; i++)
            ratios_progress_row(stdout, &rows[count + i]);
        count += new;
    }
    ratios_set_targets(rows, count);
    for (int i = 0; i < count && c->csv; i++)
        ratios_csv_row(c->csv, &c->evidence, &rows[i]);
    c->row_count += count;
    contest_close(held);
}

/* ---- Start and end ------------------------------------------------------------------------------------------------------ */

static FILE *open_output(const char *name)
{
    FILE *file = text(name) ? fopen(text(name), "w") : NULL;
    if (text(name) && !file)
        options_refuse("--%s: %s: %s", name, text(name), strerror(errno));
    return file;
}

static void read_options(campaign *c, int argc, char **argv)
{
    options_parse(table, argc, argv, about, after);
    c->wanted_count = options_choices("peers", text("peers"), peer_names, PEERS, c->wanted);
    c->real_count = options_choices("dtypes", text("dtypes"), sweep_real_name, SWEEP_REALS, c->reals);
    c->input_count = options_choices("inputs", text("inputs"), input_names, INPUTS, c->inputs);
    c->n_count = options_integers("n", text("n"), 1, 1024, c->n, MAX_ITEMS);
    c->batch = options_integer("batch", text("batch"), 1, 1 << 24);
    c->seed = (uint64_t)options_integer("seed", text("seed"), 0, INT64_MAX);
    c->effort.threads = (int)options_integer("threads", text("threads"), 1, 1024);
    c->effort.repetitions = (int)options_integer("repetitions", text("repetitions"), 1, 1000);
    c->effort.seconds = options_number("seconds", text("seconds"), 0, 1e6);
    c->effort.longest = options_number("longest", text("longest"), 0, 1e6);
    c->effort.memory = text("memory") ? 1e9 * options_number("memory", text("memory"), 0, 1e9)
                                      : (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    c->csv = open_output("csv");
    c->table = open_output("table");
    if (options_find(table, "plot")->given)
        picture_open(text("plot"));
}

static bool close_output(FILE *file, const char *name)
{
    if (!file || (ferror(file) | fclose(file)) == 0)
        return true;
    fprintf(stderr, "peer_ratios: %s could not be written whole\n", text(name));
    return false;
}

static bool report(campaign *c)
{
    bool good = true;
    putchar('\n');
    if (options_find(table, "plot")->given)
        good = ratios_draw(text("plot"), c->rows, c->row_count, &c->evidence);
    if (c->table)
        ratios_table(c->table, &c->evidence, c->rows, c->row_count);
    ratios_table(stdout, &c->evidence, c->rows, c->row_count);
    good = close_output(c->csv, "csv") && good;
    return close_output(c->table, "table") && good;
}

int main(int argc, char **argv)
{
    static campaign c;
    read_options(&c, argc, argv);
    prepare_environment();
    child_heed_signals();
    make_folder();
    c.evidence = evidence_collect(c.effort.threads);
    start_peers(&c);
    c.rows = sweep_allocate((int64_t)c.real_count * c.n_count * c.input_count * PEERS * CONTEST_WORKS, sizeof *c.rows);
    if (c.csv)
        ratios_csv_head(c.csv);
    ratios_progress_head(stdout, &c.evidence);
    for (int r = 0; r < c.real_count; r++)
        for (int i = 0; i < c.n_count; i++)
            for (int k = 0; k < c.input_count && peers_left(&c) > 0; k++)
                run_case(&c, (sweep_real)c.reals[r], c.n[i], input_names[c.inputs[k]]);
    int lost = c.peer_count - peers_left(&c);
    for (int p = 0; p < c.peer_count; p++)
        child_stop(&c.peers[p]);
    bool good = c.peer_count > 0 && report(&c) && lost == 0;
    if (c.peer_count == 0)
        fprintf(stderr, "peer_ratios: no peer is there\n");
    if (lost > 0)
        fprintf(stderr, "peer_ratios: incomplete: %d of the peers ended\n", lost);
    free(c.rows);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
