/* derivative.h: the derivative of exp on skew matrices in ball arithmetic, in the two forms that adjoint.md connects.
 * SPDX-License-Identifier: MIT */
#ifndef PROOFS_DERIVATIVE_H
#define PROOFS_DERIVATIVE_H

#include <arb_mat.h>
#include <math.h>

/* <X, Y> = sum_ij X_ij Y_ij */
static inline void inner(arb_t out, const arb_mat_t X, const arb_mat_t Y, slong prec)
{
    arb_zero(out);
    for (slong i = 0; i < arb_mat_nrows(X); i++)
        for (slong j = 0; j < arb_mat_ncols(X); j++)
            arb_addmul(out, arb_mat_entry(X, i, j), arb_mat_entry(Y, i, j), prec);
}

/* X <- (X - X^T)/2 */
static inline void skew_part(arb_mat_t X, slong prec)
{
    arb_mat_t T;
    arb_mat_init(T, arb_mat_nrows(X), arb_mat_ncols(X));
    arb_mat_transpose(T, X);
    arb_mat_sub(X, X, T, prec);
    arb_mat_scalar_mul_2exp_si(X, X, -1);
    arb_mat_clear(T);
}

/* C = A M - M A; C may be M. */
static inline void commutator(arb_mat_t C, const arb_mat_t A, const arb_mat_t M, slong prec)
{
    arb_mat_t P;
    arb_mat_init(P, arb_mat_nrows(A), arb_mat_ncols(A));
    arb_mat_mul(P, A, M, prec);
    arb_mat_mul(C, M, A, prec);
    arb_mat_sub(C, P, C, prec);
    arb_mat_clear(P);
}

/* L = d/dt exp(A + t E) at 0: the upper right block of exp([[A, E], [0, A]]) (Mathias 1996). */
static inline void exp_derivative(arb_mat_t L, const arb_mat_t A, const arb_mat_t E, slong prec)
{
    slong n = arb_mat_nrows(A);
    arb_mat_t X;
    arb_mat_init(X, 2 * n, 2 * n);
    for (slong i = 0; i < n; i++)
        for (slong j = 0; j < n; j++) {
            arb_set(arb_mat_entry(X, i, j), arb_mat_entry(A, i, j));
            arb_set(arb_mat_entry(X, n + i, n + j), arb_mat_entry(A, i, j));
            arb_set(arb_mat_entry(X, i, n + j), arb_mat_entry(E, i, j));
        }
    arb_mat_exp(X, X, prec);
    for (slong i = 0; i < n; i++)
        for (slong j = 0; j < n; j++)
            arb_set(arb_mat_entry(L, i, j), arb_mat_entry(X, i, n + j));
    arb_mat_clear(X);
}

/* Every entry of Y <- an interval wider by x on both sides. */
static inline void widen(arb_mat_t Y, const arb_t x)
{
    for (slong i = 0; i < arb_mat_nrows(Y); i++)
        for (slong j = 0; j < arb_mat_ncols(Y); j++)
            arb_add_error(arb_mat_entry(Y, i, j), x);
}

/* Y = phi(ad_A) M, phi(z) = (e^z - 1)/z: the series sum ad_B^k M/(k+1)! of B = A 2^-s with 2 ||B||_F <= 1, then s times
 * phi(ad_2B) M = (Y + e^B Y e^-B)/2. The rest of the series is below 2 ||M||_F/(K+1)!. Y must not be M. */
static inline void phi_ad(arb_mat_t Y, const arb_mat_t A, const arb_mat_t M, slong prec)
{
    slong n = arb_mat_nrows(A), doublings = 0;
    ulong terms = 1;
    arb_mat_t B, P, Q, T;
    arb_t x;
    mag_t size;
    arb_mat_init(B, n, n), arb_mat_init(P, n, n), arb_mat_init(Q, n, n), arb_mat_init(T, n, n), arb_init(x), mag_init(size);
    arb_mat_bound_frobenius_norm(size, A);
    mag_mul_2exp_si(size, size, 1);
    while (mag_cmp_2exp_si(size, doublings) > 0)
        doublings++;
    arb_mat_scalar_mul_2exp_si(B, A, -doublings);
    arb_mat_set(Y, M), arb_mat_set(P, M);
    for (double bits = 1; bits < (double)prec; bits += log2((double)++terms + 1)) {
        commutator(P, B, P, prec);
        arb_mat_scalar_div_si(P, P, (slong)terms + 1, prec); /* ad^k M/(k+1)! */
        arb_mat_add(Y, Y, P, prec);
    }
    arb_mat_frobenius_norm(x, M, prec);
    arb_mul_2exp_si(x, x, 1);
    for (ulong k = 2; k <= terms + 1; k++)
        arb_div_ui(x, x, k, prec);
    widen(Y, x);
    arb_mat_exp(Q, B, prec);
    for (slong k = 0; k < doublings; k++) {
        arb_mat_transpose(T, Q);
        arb_mat_mul(P, Q, Y, prec), arb_mat_mul(P, P, T, prec);
        arb_mat_add(Y, Y, P, prec);
        arb_mat_scalar_mul_2exp_si(Y, Y, -1);
        arb_mat_mul(Q, Q, Q, prec);
    }
    arb_mat_clear(B), arb_mat_clear(P), arb_mat_clear(Q), arb_mat_clear(T), arb_clear(x), mag_clear(size);
}

/* Y = phi(ad_A)^-1 M = M - ad_A M/2 + sum B_2j ad_A^2j M/(2j)!, |B_2j/(2j)!| <= 4/(2 pi)^2j, for angles <= rho < pi: the terms
 * from j on are below 4 r^2j/(1 - r^2) ||M||_F, r = rho/pi. Summed to about 2^-(prec/2). */
static inline void phi_ad_inverse(arb_mat_t Y, const arb_mat_t A, const arb_mat_t M, double rho, slong prec)
{
    slong n = arb_mat_nrows(A);
    ulong terms = 2 + (ulong)(0.25 * (double)prec / log2(M_PI / rho));
    arb_mat_t P;
    arb_t c, d, r;
    arb_mat_init(P, n, n), arb_init(c), arb_init(d), arb_init(r);
    slong work = 2 * prec; /* balls of powers of ad_A grow faster than the powers */
    commutator(P, A, M, work);
    arb_mat_scalar_mul_2exp_si(P, P, -1);
    arb_mat_sub(Y, M, P, work);
    arb_mat_set(P, M);
    for (ulong j = 1; j < terms; j++) {
        commutator(P, A, P, work), commutator(P, A, P, work);
        arb_bernoulli_ui(c, 2 * j, work), arb_fac_ui(d, 2 * j, work), arb_div(c, c, d, work);
        arb_mat_scalar_addmul_arb(Y, P, c, work);
    }
    arb_set_d(r, rho), arb_const_pi(c, prec), arb_div(r, r, c, prec), arb_sqr(r, r, prec);
    arb_sub_si(c, r, 1, prec), arb_neg(c, c);
    arb_pow_ui(r, r, terms, prec), arb_div(r, r, c, prec), arb_mul_2exp_si(r, r, 2);
    arb_mat_frobenius_norm(c, M, prec), arb_mul(r, r, c, prec);
    widen(Y, r);
    arb_mat_clear(P), arb_clear(c), arb_clear(d), arb_clear(r);
}

#endif
