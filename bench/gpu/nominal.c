/* nominal.c: see nominal.h. SPDX-License-Identifier: MIT */
#include "nominal.h"

#include <math.h>
#include <stdlib.h>

#include "bench/exact.h"
#include "networks.h"

const char *const work_name[WORKS] = {"forward", "vjp", "both"};
const precision precisions[PRECISIONS] = {
    {"f32", SWEEP_F32, SWEEP_F32}, {"f32-by-f64", SWEEP_F32, SWEEP_F64}, {"f64", SWEEP_F64, SWEEP_F64}};

static bool in_closed_form(so_method method, int n)
{
    return method == SO_AUTO && n <= 4;
}

static double flops_of(sweep_real real, so_method method, int n, double rho, int work)
{
    if (in_closed_form(method, n))
        return 0;
    method = method == SO_AUTO ? SO_POLYNOMIAL : method;
    return (work == VJP ? 0 : sweep_flops(method, real, SWEEP_FORWARD, n, rho)) +
           (work == FORWARD ? 0 : sweep_flops(method, real, SWEEP_VJP, n, rho));
}

void nominal_angles(int n, const char *input, double rho[DRAWS])
{
    sweep_input in = sweep_input_make(SWEEP_F64, n, DRAWS, DRAWS, input, 1);
    long double *A = sweep_allocate((int64_t)n * n, sizeof *A);
    for (int k = 0; k < DRAWS; k++) {
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                const double *X = (double *)in.A + (size_t)k * (size_t)n * (size_t)n;
                A[i * n + j] = i < j ? X[i * n + j] : i > j ? -X[j * n + i] : 0;
            }
        rho[k] = exact_rho(n, A);
    }
    free(A);
    sweep_input_free(&in);
}

double nominal_exp(sweep_real real, so_method method, int n, const double rho[DRAWS], int work)
{
    double flops = 0;
    for (int k = 0; k < DRAWS; k++)
        flops += flops_of(real, method, n, rho[k], work) / DRAWS;
    return flops;
}

/* The angle of token t for one draw of generators. */
static double token_angle(const so_encoding *e, int64_t t, long double *A)
{
    int n = e->tile;
    srand48(1);
    for (int i = 0; i < n * n; i++)
        A[i] = 0;
    for (int d = 0; d < e->dims; d++)
        for (int i = 0; i < n; i++)
            for (int j = i + 1; j < n; j++)
                A[i * n + j] += 2 * M_PI * drand48() * encoding_position(e, t, d);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            A[i * n + j] = -A[j * n + i];
    return exact_rho(n, A);
}

void nominal_token_angles(const so_encoding *e, double *rho)
{
    long double *A = sweep_allocate((int64_t)e->tile * e->tile, sizeof *A);
    for (int64_t t = 0; t < e->tokens; t++)
        rho[t] = token_angle(e, t, A);
    free(A);
}

void nominal_encode(sweep_real real, const so_encoding *e, const double *rho, double flops[WORKS])
{
    for (int work = 0; work < WORKS; work++) {
        flops[work] = 0;
        for (int64_t t = 0; t < e->tokens; t++)
            flops[work] += (double)e->groups * flops_of(real, e->method, e->tile, rho[t], work);
    }
}

bool of_nvidia(so_method method)
{
    return method == SO_PADE || method == SO_EIGEN;
}

sweep_real nominal_real(const precision *p, so_method method, int n)
{
    return in_closed_form(method, n) || method == SO_EIGEN ? SWEEP_F64 : p->computed;
}

static bool reads_rotations(const precision *p)
{
    return p->stored == p->computed;
}

double nominal_exp_bytes(const precision *p, int n, int work)
{
    const double forward = 2, vjp = 3 + reads_rotations(p);
    return ((work == VJP ? 0 : forward) + (work == FORWARD ? 0 : vjp)) * n * n * (double)sweep_real_bytes(p->stored);
}

double nominal_encode_bytes(const precision *p, const so_encoding *e, int work)
{
    const double square = (double)e->tile * e->tile, generators = (double)(e->groups * e->dims) * square;
    const double rotations = (double)(e->groups * e->tokens) * square, positions = (double)(e->tokens * e->dims);
    const double forward = positions + generators + rotations;
    const double vjp = 2 * positions + 2 * generators + (1 + reads_rotations(p)) * rotations;
    return ((work == VJP ? 0 : forward) + (work == FORWARD ? 0 : vjp)) * (double)sweep_real_bytes(p->stored);
}

void nominal_rotate(const so_rotation *r, size_t vector, size_t matrix, int work, double *bytes, double *flops)
{
    const double tile = r->tile, numbers = (double)(r->samples * r->tokens * r->groups) * tile;
    const double R = (double)(r->rotations * r->tokens) * tile * tile * (double)matrix, x = numbers * (double)vector;
    *bytes = work == FORWARD ? R + 2 * x : 3 * R + 3 * x; /* dR is added to */
    *flops = 2 * numbers * tile * (work == FORWARD ? 1 : 2);
}
