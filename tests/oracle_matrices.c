/* oracle_matrices.c: see oracle_matrices.h.
 * SPDX-License-Identifier: MIT */
#include "oracle_matrices.h"
#include "libso/coefficients.h"
#include "libso/pade_coefficients.h"
#include "oracle_call.h"
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *shape_name(shape s)
{
    static const char *const names[ALL_SHAPES] = {"dense",       "spread",  "equal angles", "clustered", "rank 2",
                                                  "graded",      "blocks",  "tridiagonal",  "integer",   "pencil",
                                                  "Hadamard",    "logarithm", "permuted blocks", "zero rows", "signs"};
    return names[s];
}

uint64_t test_seed(void)
{
    const char *text = getenv("SO_TEST_SEED");
    return text ? strtoull(text, NULL, 10) : 1;
}

static int depth_is(const char *depth)
{
    const char *text = getenv("SO_TEST_DEPTH");
    return text && strcmp(text, depth) == 0;
}

int test_deep(void)
{
    return depth_is("deep");
}

int test_short(void)
{
    return depth_is("short");
}

/* Where libso or LAPACK-like Pade tables change course; each is tested at (1 +- 1e-3) times the value. */
static const double thresholds64[] = {SO_F64_P4_THETA, SO_F64_P6_THETA,
                                      SO_F64_P4_THETA_DERIVATIVE, SO_F64_P6_THETA_DERIVATIVE,
                                      1.495585217958292e-2, 2.539398330063232e-1, 9.504178996162932e-1, 2.097847961257067,
                                      5.371920351148152};
static const double thresholds32[] = {SO_F32_P4_THETA, SO_F32_Y6_THETA, SO_F32_P4_THETA_DERIVATIVE, SO_F32_Y6_THETA_DERIVATIVE,
                                      4.258730035e-1, 1.880152699, 3.925724846};
static const double tops64[] = {SO_F64_Y12_THETA, SO_F64_Y12_THETA_DERIVATIVE};
static const double tops32[] = {SO_F32_Y8_THETA, SO_F32_Y8_THETA_DERIVATIVE};
static const double plain[] = {0, 1e-310, 1e-300, 1e-42, 1e-20, 1.1102230246251565e-16, 5.9604644775390625e-8, 1.05e-8,
                               2.44e-4, 1, M_PI, 2 * M_PI, 10, 30, 100, 300, 1000};
enum {
    PLAIN = sizeof plain / sizeof *plain,
    T64 = sizeof thresholds64 / sizeof *thresholds64,
    T32 = sizeof thresholds32 / sizeof *thresholds32,
    DOUBLINGS = 8 /* 2^7 theta is the last below 1e3 */
};

int rho_count(int bits)
{
    return PLAIN + 2 * (bits == F32 ? T32 : T64) + 2 * 2 * DOUBLINGS;
}

double rho_value(int bits, int index)
{
    if (index < PLAIN)
        return plain[index];
    index -= PLAIN;
    double side = index % 2 ? 1 + 1e-3 : 1 - 1e-3;
    index /= 2;
    if (index < (bits == F32 ? T32 : T64))
        return side * (bits == F32 ? thresholds32 : thresholds64)[index];
    index -= bits == F32 ? T32 : T64;
    return side * ldexp((bits == F32 ? tops32 : tops64)[index % 2], index / 2);
}

enum {
    RUNGS64 = sizeof so_pade_ladder_f64 / sizeof *so_pade_ladder_f64,
    RUNGS32 = sizeof so_pade_ladder_f32 / sizeof *so_pade_ladder_f32
};

int pade_switch_count(int bits)
{
    return 2 * ((bits == F32 ? RUNGS32 : RUNGS64) - 1 + DOUBLINGS);
}

pade_switch pade_switch_at(int bits, int index)
{
    const so_pade_rung *ladder = bits == F32 ? so_pade_ladder_f32 : so_pade_ladder_f64;
    int top = (bits == F32 ? RUNGS32 : RUNGS64) - 1, step = index / 2, derivative = index % 2;
    const so_pade_rung *rung = &ladder[step < top ? step : top];
    double theta = derivative ? rung->theta_derivative : rung->theta;
    return (pade_switch){step < top ? theta : ldexp(theta, step - top), derivative, step >= top};
}

double uniform53(random_sequence *r)
{
    double high = (double)random_uniform(r);
    return high + ldexp((double)random_uniform(r), -24);
}

double normal53(random_sequence *r)
{
    return (double)random_normal(r) * (1 + ldexp(uniform53(r), -20)); /* the last bits of a float's 53 filled */
}

/* Q = the orthogonal factor of a normal matrix; diagonal: that of the other factor, whose signs make Q Haar random. */
static void random_orthogonal(int n, random_sequence *r, double *Q, double *diagonal)
{
    double *tau = malloc((size_t)n * sizeof *tau);
    for (int i = 0; i < n * n; i++)
        Q[i] = normal53(r);
    LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, n, n, Q, n, tau);
    for (int i = 0; i < n; i++)
        diagonal[i] = Q[i * n + i];
    LAPACKE_dorgqr(LAPACK_ROW_MAJOR, n, n, n, Q, n, tau);
    free(tau);
}

/* A = Q blockdiag(angle_k J) Q^T */
static void from_angles(int n, const double *angle, random_sequence *r, double *A)
{
    double *Q = malloc((size_t)(n + 1) * (size_t)n * sizeof *Q);
    random_orthogonal(n, r, Q, Q + n * n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int k = 0; k < n / 2; k++)
                sum += angle[k] * (Q[i * n + 2 * k + 1] * Q[j * n + 2 * k] - Q[i * n + 2 * k] * Q[j * n + 2 * k + 1]);
            A[i * n + j] = sum;
        }
    free(Q);
}

/* The logarithm of a Haar random rotation, as so_log finds it: any logarithm is as good a matrix. */
static void haar_logarithm(int n, random_sequence *r, double *A)
{
    double *Q = malloc((size_t)(n + 1) * (size_t)n * sizeof *Q);
    so_ctx *ctx;
    random_orthogonal(n, r, Q, Q + n * n);
    for (int i = 0; i < n * n; i++)
        Q[i] *= copysign(1, Q[n * n + i % n]);
    so_status status = so_ctx_create_cpu(&ctx, 1);
    if (status == SO_OK)
        status = so_log_f64(ctx, n, 1, Q, A);
    for (int i = 0; i < n && status == SO_EREFLECTION; i++)
        Q[i] = -Q[i];
    if (status == SO_EREFLECTION)
        status = so_log_f64(ctx, n, 1, Q, A);
    if (status != SO_OK)
        abort();
    so_ctx_destroy(ctx);
    free(Q);
}

/* Entry (i, j) of the skew Hadamard matrix of order 128 less I: S_2n = [[S, S + I], [S - I, -S]]. */
static double hadamard(int i, int j)
{
    double sign = 1;
    for (int half = 64; i != j; half /= 2) {
        int low = i & half, right = j & half;
        i &= ~half, j &= ~half;
        if (i == j)
            return right ? sign : -sign;
        sign = low && right ? -sign : sign;
    }
    return 0;
}

static void permuted_blocks(int n, random_sequence *r, double *A)
{
    int place[128];
    for (int i = 0; i < n; i++) {
        int j = (int)random_below(r, (uint32_t)i + 1);
        place[i] = place[j], place[j] = i;
    }
    for (int i = 0; i < n * n; i++)
        A[i] = 0;
    for (int i = 0; i + 1 < n; i += 2) {
        int a = place[i], b = place[i + 1];
        A[(a < b ? a : b) * n + (a < b ? b : a)] = i % 4 == 0 ? 1 : 2 * uniform53(r) - 1;
    }
}

static void angles_of(shape s, int pairs, random_sequence *r, double *angle)
{
    for (int k = 0; k < pairs; k++) {
        double x = uniform53(r);
        angle[k] = s == SPREAD      ? x
                   : s == CLUSTERED ? 1 - pow(10, -16 + 15 * x)
                   : s == GRADED    ? pow(10, -16.0 * k / (pairs > 1 ? pairs - 1 : 1))
                   : s == RANK2     ? 0
                                    : 1;
    }
    if (pairs > 0)
        angle[0] = 1;
}

static void entries_of(shape s, int n, random_sequence *r, double *A)
{
    static const double bands[3][8] = {{0, 1, 0, 0, 1, 0, 0, 1}, {1, 0, 1, 1, 0, 1, 1, 0}, {1, 1e-4, 1, 1e-4, 1, 1e-4, 1, 1e-4}};
    const double *band = bands[random_below(r, 3)];
    double position[3] = {2 * uniform53(r) - 1, 2 * uniform53(r) - 1, 2 * uniform53(r) - 1};
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++) {
            double x = 0;
            if (s == DENSE)
                x = normal53(r);
            if (s == BLOCKS && j == i + 1 && i % 2 == 0)
                x = i == 0 ? 1 : 2 * uniform53(r) - 1;
            if (s == TRIDIAGONAL && j == i + 1)
                x = band[i % 8];
            if (s == INTEGER)
                x = (double)random_below(r, 7) - 3;
            for (int d = 0; s == PENCIL && d < 3; d++)
                x += position[d] * 2 * M_PI * uniform53(r);
            if (s == HADAMARD)
                x = hadamard(i, j);
            if (s == SIGNS)
                x = uniform53(r) < 0.5 ? -1 : 1;
            if (s == ZERO_ROWS && i % 3 != 1 && j % 3 != 1)
                x = normal53(r);
            A[i * n + j] = x;
        }
}

void make_skew(int bits, int n, shape s, double rho, random_sequence *r, double *A)
{
    double angle[128];
    if (s == SPREAD || s == EQUAL || s == CLUSTERED || s == RANK2 || s == GRADED)
        angles_of(s, n / 2, r, angle), from_angles(n, angle, r, A);
    else if (s == LOGARITHM)
        haar_logarithm(n, r, A);
    else if (s == PERMUTED)
        permuted_blocks(n, r, A);
    else
        entries_of(s, n, r, A);
    int own = s == INTEGER || s == PENCIL || s == LOGARITHM;
    double norm = spectral_norm(n, A), factor = own ? fmin(1, 1000 / norm) : rho / norm;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            A[i * n + j] = j <= i ? NAN : norm > 0 ? call_round(bits, A[i * n + j] * factor) : 0;
}

double pade_estimate(int n, const double *A)
{
    double *X = calloc((size_t)(3 * n * n), sizeof *X), *square = X + n * n, *fourth = square + n * n, squares = 0, largest = 0;
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            X[i * n + j] = A[i * n + j], X[j * n + i] = -A[i * n + j];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            for (int k = 0; k < n; k++)
                square[i * n + j] += X[i * n + k] * X[k * n + j];
    for (int i = 0; i < n; i++) {
        double row = 0;
        for (int j = 0; j < n; j++) {
            for (int k = 0; k < n; k++)
                fourth[i * n + j] += square[i * n + k] * square[k * n + j];
            squares += fourth[i * n + j] * fourth[i * n + j];
            row += fabs(fourth[i * n + j]);
        }
        largest = fmax(largest, row);
    }
    free(X);
    return sqrt(sqrt(fmin(sqrt(squares / 2), largest)));
}

void make_skew_estimated(int bits, int n, shape s, double estimate, random_sequence *r, double *A)
{
    make_skew(F64, n, s, 1, r, A);
    double now = pade_estimate(n, A);
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n && now > 0; j++)
            A[i * n + j] = call_round(bits, A[i * n + j] * (estimate / now));
}

void make_dense(int bits, int n, double scale, random_sequence *r, double *G)
{
    for (int i = 0; i < n * n; i++)
        G[i] = call_round(bits, scale * normal53(r));
}

double spectral_norm(int n, const double *A)
{
    if (n < 2)
        return 0;
    size_t count = (size_t)n * (size_t)n;
    double *X = malloc(count * sizeof *X), *sigma = malloc((size_t)n * sizeof *sigma), largest;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            X[i * n + j] = i < j ? A[i * n + j] : i > j ? -A[j * n + i] : 0;
    lapack_int info = LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'N', n, n, X, n, sigma, NULL, n, NULL, n);
    largest = info == 0 ? sigma[0] : NAN;
    free(X), free(sigma);
    return largest;
}

static double scaled_norm(size_t count, const double *x)
{
    double largest = 0, sum = 0;
    int exponent;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(x[i]));
    frexp(largest, &exponent);
    double unit = ldexp(1, exponent < -1000 ? 1000 : -exponent); /* Inf and NaN: the sum becomes NaN */
    for (size_t i = 0; i < count; i++)
        sum += unit * x[i] * (unit * x[i]);
    return sqrt(sum) / unit;
}

double frobenius(int n, const double *X)
{
    return scaled_norm((size_t)n * (size_t)n, X) / sqrt(n);
}

double skew_frobenius(int n, const double *E)
{
    double norm = 0;
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            norm = hypot(norm, E[i * n + j]);
    return norm * sqrt(2.0 / n);
}

double distance(int n, const double *X, oracle_pair reference)
{
    size_t count = (size_t)n * (size_t)n;
    double *difference = malloc((count + 1) * sizeof *difference);
    for (size_t i = 0; i < count; i++)
        difference[i] = (X[i] - reference.hi[i]) - reference.lo[i];
    double norm = frobenius(n, difference);
    free(difference);
    return norm;
}

void worst_of(worst *w, double error, double bound, const worst *where)
{
    double ratio = error == 0 ? 0 : error / bound; /* an exact zero satisfies a bound of zero */
    if (!(ratio <= w->ratio)) {
        *w = *where;
        w->ratio = isnan(ratio) ? INFINITY : ratio;
    }
}
