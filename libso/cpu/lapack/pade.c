/* pade.c: exp(A) for skew A by the diagonal Pade approximant, with scaling and squaring, and its trivialised derivative
 * (exponential.md 2.1, 2.7; Higham 2005; Al-Mohy & Higham 2009).
 *
 *   r(A) = (V - U)^-1 (V + U),  V and A^-1 U polynomials in X = A^2
 *
 * V - U = (V + U)^T, so r(A) is orthogonal but for rounding. On the imaginary axis |V - U| stays near 1 for all angles used:
 * the solve is well conditioned. Scaling is chosen from a bound of the spectral norm of X^2, not from a norm of A that is
 * several times rho; thresholds are those of the imaginary axis. The base is made orthogonal to the last bit before it is
 * squared (9.4).
 *
 * Derivative: r = P Q^-1 gives dr = (dP - r dQ) Q^-1; made skew as dr r^T; angles double by phi(ad_2A) M = (Y + R Y R^T)/2.
 *
 * Both types run in working precision. Largest error / bound of so.h as measured: contract.csv in bench/results; without the
 * refinement in solve() 2.6 forward, f64, n = 128, all angles near pi.
 * SPDX-License-Identifier: MIT */
#include "pade.h"

#include <lapacke.h>

#include "../../pade_coefficients.h"
#include "../group/centre.h"
#include "../group/scaling.h"

#define ladder SO_JOIN(so_pade_ladder, SO_TYPE)
enum { RUNGS = sizeof ladder / sizeof *ladder };

#if defined(SO_REAL_f32)
#define GETF2 LAPACKE_sgetf2_work
#else
#define GETF2 LAPACKE_dgetf2_work
#endif

/* x[k] = x^k, exact, with x near the mean of the diagonal of X */
static void set_centre(int n, const elem *X, real *x)
{
    enum { BITS = 6 }; /* 4 BITS fit a float */
    double trace = 0;
    int exponent;
    for (int i = 0; i < n; i++)
        trace += (double)X[(ptrdiff_t)i * matrix_stride(n) + i];
    double fraction = frexp(trace / n, &exponent);
    x[0] = 1;
    x[1] = (real)ldexp(rint(ldexp(fraction, BITS)), exponent - BITS);
    for (int k = 2; k <= CENTRE_POWERS; k++)
        x[k] = x[k - 1] * x[1];
}

static void add_to_diagonal(int n, real x, elem *X)
{
    for (int i = 0; i < n; i++)
        X[(ptrdiff_t)i * matrix_stride(n) + i] += x;
}

/* P_1, P_2 of the scaled A about x (centre.h) and tangents in power[0..1]; the rung for it. square: scratch. */
static squarings prepare(int n, jet A, jet *power, real *x, elem *square, const so_pade_rung **chosen)
{
    int before, after = 0, k = 0;
    SO_(scale_large)(n, A.v, &before);
    square_of_skew(n, A, power[0]);
    set_centre(n, power[0].v, x);
    add_to_diagonal(n, -x[1], power[0].v);
    powers_about(n, 1, 2, x, power);
    memcpy(square, power[1].v, (size_t)matrix_size(n) * sizeof(elem));
    add_to_diagonal(n, x[2], square);
    double rho = sqrt(sqrt((double)bound_norm(n, square))); /* of A 2^-before */
#define LIMIT(k) (A.d ? ladder[k].theta_derivative : ladder[k].theta)
    while (k < RUNGS - 1 && (before || !(rho <= LIMIT(k))))
        k++;
    *chosen = &ladder[k];
    while (ldexp(rho, -after) > LIMIT(k))
        after++;
#undef LIMIT
    if (after) {
        scale(n, (real)ldexp(1, -after), A.v);
        for (int p = 0; p < 2; p++) {
            scale(n, (real)ldexp(1, -2 * (p + 1) * after), power[p].v);
            if (A.d)
                scale(n, (real)ldexp(1, (1 - 2 * (p + 1)) * after), power[p].d);
        }
        for (int p = 1; p <= CENTRE_POWERS; p++)
            x[p] *= (real)ldexp(1, -2 * p * after);
    }
    return squarings_of(before + after);
}

/* H = sum_k a_k X^k for every second coefficient a_k = b_(first + 2k) / b_0, X^k = x^k I + power[k - 1]; T: scratch. */
static void half_polynomial(int n, const so_pade_rung *r, int first, const real *x, const jet *power, jet T, jet H)
{
    real a[7] = {0};
    long double at_centre = 0; /* its error would be that of all planes */
    int terms = (r->degree - first) / 2;
    for (int k = terms; k >= 0; k--) {
        a[k] = (real)(r->b[first + 2 * k] / r->b[0]);
        at_centre = at_centre * (long double)x[1] + (long double)a[k];
    }
    real v = (real)at_centre;
    if (terms <= 4) {
        combine(n, terms, (const real[]){v, a[1], a[2], a[3], a[4]}, power, H);
    } else { /* X^3 T + a_1 X + .. + a_3 X^3 + a_0, T = a_4 X + a_5 X^2 + a_6 X^3 = t I + T': P_3 T' + t P_3 + x^3 T' + .. */
        const real high[4] = {0, a[4], a[5], a[6]};
        real low[4] = {v, a[1], a[2], a[3]};
        for (int k = 1; k < 4; k++) {
            low[k] += x[3] * high[k];
            low[3] += high[k] * x[k];
        }
        combine(n, 3, high, power, T);
        multiply_add(n, 1, power[2], T, 3, low, power, H);
    }
}

/* P = V + U, Q = V - U of the scaled A. Takes 7 jets from the arena. */
static squarings evaluate(jet A, jet P, jet Q, arena a)
{
    int n = a.n;
    const so_pade_rung *r;
    jet power[4] = {take(&a), take(&a), take(&a), take(&a)}, S = take(&a), T = take(&a), U = take(&a);
    real x[CENTRE_POWERS + 1];
    squarings count = prepare(n, A, power, x, T.v, &r);
    powers_about(n, 2, r->degree == 9 ? 4 : r->degree > 5 ? 3 : 2, x, power);
    half_polynomial(n, r, 1, x, power, T, S);
    multiply(n, -1, A, S, U);
    half_polynomial(n, r, 0, x, power, T, S);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++) {
        P.v[i] = S.v[i] + U.v[i];
        Q.v[i] = S.v[i] - U.v[i];
    }
    if (A.d)
        for (ptrdiff_t i = 0; i < matrix_size(n); i++) {
            P.d[i] = S.d[i] + U.d[i];
            Q.d[i] = S.d[i] - U.d[i];
        }
    return count;
}
enum { EVALUATE_JETS = 7 };

/* B <- B Q^-1, given what getf2 made of the column-major matrix Q^T: row k of LU holds the column k of both factors. */
static void substitute(int n, const elem *LU, const lapack_int *pivot, elem *B)
{
    int ld = matrix_stride(n);
    for (int i = 0; i < n; i++) {
        elem *restrict x = B + (ptrdiff_t)i * ld;
        for (int k = 0; k < n; k++) {
            elem xk = x[k];
            x[k] = x[pivot[k] - 1];
            x[pivot[k] - 1] = xk;
        }
        for (int k = 0; k < n; k++) {
            const elem *l = LU + (ptrdiff_t)k * ld;
            elem xk = x[k];
            for (int j = k + 1; j < n; j++)
                x[j] -= xk * l[j];
        }
        for (int k = n - 1; k >= 0; k--) {
            const elem *u = LU + (ptrdiff_t)k * ld;
            elem xk = x[k] /= u[k];
            for (int j = 0; j < k; j++)
                x[j] -= xk * u[j];
        }
    }
}

/* R = P Q^-1. At angles near pi, V - U is close to a skew orthogonal matrix, where partial pivoting has large growth (17 u of
 * error at n = 128); one step of refinement removes it. LAPACK reads Q transposed, and the solution is taken from the right, so
 * nothing is transposed. Only getf2 is called: OpenBLAS starts threads for getrf, getrs and gesv at sizes where that costs
 * milliseconds, and the batch is parallel already. Q becomes its factors. Work: 2 matrices. */
static void solve(int n, const elem *P, elem *Q, elem *R, lapack_int *pivot, real *work)
{
    int ld = matrix_stride(n);
    elem *copy = matrix_of(work, n, 0), *T = matrix_of(work, n, 1);
    memcpy(copy, Q, (size_t)matrix_size(n) * sizeof(elem));
    memcpy(R, P, (size_t)matrix_size(n) * sizeof(elem));
    GETF2(LAPACK_COL_MAJOR, n, n, Q, ld, pivot);
    substitute(n, Q, pivot, R);
    product(n, R, copy, T);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        T[i] = P[i] - T[i];
    substitute(n, Q, pivot, T);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        R[i] += T[i];
}

static void pade_map(int n, real *A_, real *R_, real *work)
{
    arena a = {.n = n, .work = work};
    jet A = {(elem *)A_, NULL}, P = take(&a), Q = take(&a);
    squarings count = evaluate(A, P, Q, a);
    elem *R = (elem *)R_;
    solve(n, P.v, Q.v, R, (lapack_int *)(void *)matrix_of(work, n, 2), (real *)matrix_of(work, n, 3));
    SO_(orthogonalize)(n, -1, R, 1, work);
    SO_(square_repeatedly)(n, &count, R, work);
}

static void pade_differential(int n, real *A_, const real *R_, real *M, real *Y_, real *work)
{
    (void)R_; /* the base is needed before its squarings, so R does not help */
    arena a = {.n = n, .tangents = 1, .work = work};
    jet A = {(elem *)A_, (elem *)M}, P = take(&a), Q = take(&a);
    squarings count = evaluate(A, P, Q, a);
    elem *R = matrix_of(work, n, 4), *T = matrix_of(work, n, 5), *Y = (elem *)Y_;
    lapack_int *pivot = (lapack_int *)(void *)matrix_of(work, n, 6);
    solve(n, P.v, Q.v, R, pivot, (real *)matrix_of(work, n, 7));
    product(n, R, Q.d, T);
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        P.d[i] -= T[i];
    substitute(n, Q.v, pivot, P.d);
    SO_(trivialise)(n, P.d, R, Y, (real *)T);
    SO_(double_angles)(n, &count, R, Y, (real *)T);
}

const group_method SO_(so_pade) = {
    .map = pade_map,
    .differential = pade_differential,
    .map_matrices = 2 + EVALUATE_JETS,
    .differential_matrices = 2 * (2 + EVALUATE_JETS),
};
