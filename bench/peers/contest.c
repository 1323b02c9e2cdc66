/* contest.c: see contest.h. SPDX-License-Identifier: MIT */
#include "contest.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/npy.h"

enum { PROBE = 64, LEAST_TURNS = 3, MOST_TURNS = 1000 };
static const double timing_seconds = 0.02; /* far beyond the cost of the line that asks for it and of cold caches */
static const useconds_t pause_us = 20000;  /* until the threads of the other side stop spinning */

const char *const contest_work_name[CONTEST_WORKS] = {"forward", "both"};

struct contest {
    sweep_input in, probe; /* the first matrices of `in`: errors are those of the probe */
    const contest_effort *effort;
    const char *folder;
    so_ctx *ctx;
    judge *references;
    void *R, *D;
    sweep_row own[SWEEP_DIRECTIONS]; /* errors of libso */
};

static void check(bool good, const char *what, const char *why)
{
    if (good)
        return;
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
    exit(EXIT_FAILURE);
}

/* ---- libso -------------------------------------------------------------------------------------------------------------- */

static void run_own(const contest *c, contest_work work)
{
    int n = c->in.n;
    bool f32 = c->in.real == SWEEP_F32;
    so_status s = f32 ? so_exp_f32(c->ctx, SO_AUTO, n, c->in.batch, c->in.A, c->R)
                      : so_exp_f64(c->ctx, SO_AUTO, n, c->in.batch, c->in.A, c->R);
    if (s == SO_OK && work == CONTEST_BOTH)
        s = f32 ? so_exp_vjp_f32(c->ctx, SO_AUTO, n, c->in.batch, c->in.A, c->R, c->in.G, c->D)
                : so_exp_vjp_f64(c->ctx, SO_AUTO, n, c->in.batch, c->in.A, c->R, c->in.G, c->D);
    check(s == SO_OK, "libso", so_status_string(s));
}

static double time_own(const contest *c, contest_work work, int calls)
{
    double start = sweep_now();
    for (int i = 0; i < calls; i++)
        run_own(c, work);
    return sweep_now() - start;
}

/* ---- Peer --------------------------------------------------------------------------------------------------------------- */

/* NaN where the peer cannot do this work, or has ended. */
static double time_peer(child *peer, contest_work work, int64_t batch, int calls)
{
    char reply[256];
    if (!child_ask(peer, reply, sizeof reply, "time %s %lld %d", contest_work_name[work], (long long)batch, calls) ||
        strcmp(reply, "none") == 0)
        return NAN;
    double seconds = strtod(reply, NULL);
    check(seconds > 0, peer->name, reply);
    return seconds;
}

static void path_of(const contest *c, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s.npy", c->folder, name);
}

static void write_stack(const contest *c, const char *name, void *data)
{
    char path[256], message[NPY_MESSAGE];
    npy_stack s = {.bytes = (int)sweep_real_bytes(c->in.real), .batch = c->in.batch, .n = c->in.n, .data = data};
    path_of(c, name, path, sizeof path);
    check(npy_write(path, &s, message), "inputs of the peers", message);
}

static npy_stack read_probe(const contest *c, const child *peer, const char *path)
{
    npy_stack s = {0};
    char message[NPY_MESSAGE];
    check(npy_read(path, &s, message), peer->name, message);
    check(s.bytes == (int)sweep_real_bytes(c->in.real) && s.n == c->in.n && s.batch == c->probe.batch, peer->name,
          "results of another shape or type");
    return s;
}

static bool judge_peer(const contest *c, child *peer, contest_work work, sweep_row *row)
{
    char R_path[256], D_path[256], reply[256];
    path_of(c, "R", R_path, sizeof R_path);
    path_of(c, "D", D_path, sizeof D_path);
    if (!child_ask(peer, reply, sizeof reply, "save %lld %s %s", (long long)c->probe.batch, R_path,
                   work == CONTEST_BOTH ? D_path : ""))
        return false;
    check(strcmp(reply, "ok") == 0, peer->name, reply);
    npy_stack R = read_probe(c, peer, R_path), D = {0};
    if (work == CONTEST_BOTH)
        D = read_probe(c, peer, D_path);
    *row = (sweep_row){.method = SO_AUTO};
    judge_row(c->references, R.data, D.data, row);
    npy_free(&R);
    npy_free(&D);
    return true;
}

/* ---- Both --------------------------------------------------------------------------------------------------------------- */

static int calls_for(double once)
{
    return (int)fmax(1, ceil(timing_seconds / fmax(once, 1e-7)));
}

/* Of the matrices, in memory. PyTorch's gradient at n = 128 in f64 was killed when it held 33, by a machine without more. */
enum { COPIES = 64 };

static int64_t affordable(const contest *c, double probed)
{
    double seconds = probed / (double)c->probe.batch, bytes = COPIES * (double)sweep_real_bytes(c->in.real) * c->in.n * c->in.n;
    int64_t batch = c->in.batch;
    while (batch > c->probe.batch && (seconds * (double)batch > c->effort->longest || bytes * (double)batch > c->effort->memory))
        batch = (batch + 1) / 2;
    return batch;
}

static void summarise(contest_side *side, double *us, int count)
{
    side->median_us = sweep_median(us, count);
    side->min_us = us[0];
}

static void take_turns(const contest *c, child *peer, contest_row *row)
{
    double us[2][MOST_TURNS], spent = 0;
    int turn = 0;
    for (; turn < c->effort->repetitions && (turn < LEAST_TURNS || spent < c->effort->seconds); turn++) {
        usleep(pause_us);
        double own = time_own(c, row->work, row->libso.calls);
        usleep(pause_us);
        double theirs = time_peer(peer, row->work, row->theirs.batch, row->theirs.calls);
        if (child_ended(peer))
            return;
        us[0][turn] = 1e6 * own / ((double)row->libso.calls * (double)row->libso.batch);
        us[1][turn] = 1e6 * theirs / ((double)row->theirs.calls * (double)row->theirs.batch);
        spent += own + theirs;
    }
    row->repetitions = turn;
    summarise(&row->libso, us[0], turn);
    summarise(&row->theirs, us[1], turn);
}

static bool hold_one(contest *c, child *peer, contest_work work, contest_row *row)
{
    sweep_row judged;
    const sweep_row *own = &c->own[work == CONTEST_BOTH ? SWEEP_VJP : SWEEP_FORWARD];
    double probed = time_peer(peer, work, c->probe.batch, 1);
    if (isnan(probed))
        return false;
    probed = fmin(probed, time_peer(peer, work, c->probe.batch, 1)); /* the first call pays for more than its work */
    if (!judge_peer(c, peer, work, &judged))
        return false;
    *row = (contest_row){.real = c->in.real,
                         .n = c->in.n,
                         .work = work,
                         .peer = peer,
                         .target = NAN,
                         .rho = own->rho,
                         .error_bound = own->error_bound,
                         .orthogonality_bound = own->orthogonality_bound};
    snprintf(row->input, sizeof row->input, "%s", c->in.kind);
    row->libso = (contest_side){.batch = c->in.batch, .error = own->error, .orthogonality = own->orthogonality};
    row->theirs = (contest_side){.batch = affordable(c, probed), .error = judged.error, .orthogonality = judged.orthogonality};
    double once = probed * (double)row->theirs.batch / (double)c->probe.batch;
    if (once < 1) /* a longer one needs no warm-up */
        once = time_peer(peer, work, row->theirs.batch, 1);
    row->theirs.calls = calls_for(once);
    time_own(c, work, 1);
    row->libso.calls = calls_for(time_own(c, work, 1));
    take_turns(c, peer, row);
    return !child_ended(peer);
}

int contest_hold(contest *c, child *peer, contest_row rows[CONTEST_WORKS])
{
    int count = 0;
    char A_path[256], G_path[256], reply[256];
    path_of(c, "A", A_path, sizeof A_path);
    path_of(c, "G", G_path, sizeof G_path);
    if (!child_ask(peer, reply, sizeof reply, "load %s %s", A_path, G_path))
        return 0;
    check(strcmp(reply, "ok") == 0, peer->name, reply);
    for (int work = 0; work < CONTEST_WORKS; work++)
        count += hold_one(c, peer, (contest_work)work, &rows[count]);
    return count;
}

contest *contest_open(sweep_input *input, const contest_effort *effort, const char *folder)
{
    contest *c = sweep_allocate(1, sizeof *c);
    int64_t numbers = input->batch * input->n * input->n;
    *c = (contest){.in = *input, .probe = *input, .effort = effort, .folder = folder, .ctx = sweep_context(effort->threads)};
    *input = (sweep_input){0};
    c->probe.batch = c->in.batch < PROBE ? c->in.batch : PROBE;
    c->R = sweep_allocate(numbers, sweep_real_bytes(c->in.real));
    c->D = sweep_allocate(numbers, sweep_real_bytes(c->in.real));
    c->references = judge_create(&c->probe, 1);
    write_stack(c, "A", c->in.A);
    write_stack(c, "G", c->in.G);
    run_own(c, CONTEST_BOTH);
    for (int d = 0; d < SWEEP_DIRECTIONS; d++) {
        c->own[d] = (sweep_row){.method = SO_AUTO, .direction = (sweep_direction)d};
        judge_row(c->references, c->R, d == SWEEP_VJP ? c->D : NULL, &c->own[d]);
    }
    return c;
}

void contest_close(contest *c)
{
    judge_free(c->references);
    so_ctx_destroy(c->ctx);
    free(c->R);
    free(c->D);
    sweep_input_free(&c->in);
    free(c);
}
