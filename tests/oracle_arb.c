/* oracle_arb.c: exponential and Cayley map with derivatives in ball arithmetic (Arb), rigorous.
 *
 * The derivative of the exponential is the upper right block of exp([[A, E], [0, A]]) (Mathias, SIAM J. Matrix Anal. Appl. 17,
 * 1996), that of the Cayley map K E K with K = (I - A/2)^-1.
 * SPDX-License-Identifier: MIT */
#include "oracle.h"
#include <arb_mat.h>
#include <math.h>
#include <stdlib.h>

enum { START = 256, LIMIT = 1 << 14, ACCURATE = 110 };

static void set_skew(arb_mat_t X, int n, const double *A, int row, int column)
{
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++) {
            arb_set_d(arb_mat_entry(X, row + i, column + j), A[i * n + j]);
            arb_set_d(arb_mat_entry(X, row + j, column + i), -A[i * n + j]);
        }
}

static void set_dense(arb_mat_t X, int n, const double *E, int row, int column)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            arb_set_d(arb_mat_entry(X, row + i, column + j), E[i * n + j]);
}

/* Is every entry of this block known to 2^-ACCURATE times scale? If so, it is copied to out. */
static int take(int n, oracle_pair *out, const arb_mat_t X, int row, int column, double scale)
{
    arb_t low;
    arb_init(low);
    int good = 1;
    for (int i = 0; i < n && good; i++)
        for (int j = 0; j < n && good; j++) {
            arb_srcptr x = arb_mat_entry(X, row + i, column + j);
            good = arb_is_finite(x) && mag_get_d(arb_radref(x)) <= ldexp(scale, -ACCURATE);
            if (!good || !out)
                continue;
            double hi = arf_get_d(arb_midref(x), ARF_RND_NEAR);
            arb_set_d(low, hi);
            arb_sub(low, x, low, LIMIT);
            out->hi[i * n + j] = hi;
            out->lo[i * n + j] = arf_get_d(arb_midref(low), ARF_RND_NEAR);
        }
    arb_clear(low);
    return good;
}

static double largest(int n, const double *E)
{
    double most = 0;
    for (int i = 0; i < n * n; i++)
        most = fmax(most, fabs(E[i]));
    return most;
}

void oracle_arb_exp(int n, const double *A, const double *E, oracle_pair *R, oracle_pair *L)
{
    int size = E ? 2 * n : n, done = 0;
    double scale = E ? fmax(largest(n, E), 1e-300) : 1;
    for (slong prec = START; !done; prec *= 2) {
        if (prec > LIMIT)
            abort();
        arb_mat_t X;
        arb_mat_init(X, size, size);
        set_skew(X, n, A, 0, 0);
        if (E)
            set_dense(X, n, E, 0, n), set_skew(X, n, A, n, n);
        arb_mat_exp(X, X, prec);
        done = take(n, R, X, 0, 0, 1) && (!E || take(n, L, X, 0, n, scale));
        arb_mat_clear(X);
    }
}

void oracle_arb_cayley(int n, const double *A, const double *E, oracle_pair *R, oracle_pair *L)
{
    double scale = E ? fmax(largest(n, E), 1e-300) : 1;
    int done = 0;
    for (slong prec = START; !done; prec *= 2) {
        if (prec > LIMIT)
            abort();
        arb_mat_t X, K, D;
        arb_mat_init(X, n, n), arb_mat_init(K, n, n), arb_mat_init(D, n, n);
        set_skew(X, n, A, 0, 0);
        arb_mat_scalar_mul_2exp_si(X, X, -1);
        arb_mat_one(D);
        arb_mat_sub(X, D, X, prec);
        done = arb_mat_inv(K, X, prec);
        if (done && E) {
            set_dense(D, n, E, 0, 0);
            arb_mat_mul(D, K, D, prec), arb_mat_mul(D, D, K, prec);
            done = take(n, L, D, 0, 0, scale);
        }
        arb_mat_one(D);
        arb_mat_scalar_mul_2exp_si(K, K, 1);
        arb_mat_sub(K, K, D, prec);
        done = done && take(n, R, K, 0, 0, 1);
        arb_mat_clear(X), arb_mat_clear(K), arb_mat_clear(D);
    }
}
