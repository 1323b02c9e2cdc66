/* matrix.h: arithmetic on group matrices (cpu/group.h), in the layout that this file is compiled for.
 * SPDX-License-Identifier: MIT */
#ifndef SO_CPU_GROUP_MATRIX_H
#define SO_CPU_GROUP_MATRIX_H

#include <math.h>
#include <string.h>

#include "../block.h"
#include "../group.h"

static inline real root(real x)
{
#if defined(SO_REAL_f32)
    return sqrtf(x);
#else
    return sqrt(x);
#endif
}

#if defined(SO_LAYOUT_lanes)
#define LANES VECTOR_LANES
#define UNIT 1 /* elems in a vector */
typedef real elem __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef real_bits mask __attribute__((vector_size(VECTOR_BYTES), may_alias)); /* per lane: all ones or all zeros */
static inline elem broadcast(real x)
{
    return x - (elem){0}; /* x + 0 would turn -0 into 0 */
}
static inline elem select_lanes(mask m, elem yes, elem no)
{
    return (elem)((m & (mask)yes) | (~m & (mask)no));
}
static inline int any_lane(mask m)
{
    real_bits any = 0;
    for (int l = 0; l < LANES; l++)
        any |= m[l];
    return any != 0;
}
static inline void set_mask(mask *m, int l)
{
    (*m)[l] = -1;
}
static inline mask greater(elem x, elem y)
{
    return x > y;
}
static inline mask greater_int(mask x, int y)
{
    return x > (real_bits)y;
}
static inline real_bits get_int(mask x, int l)
{
    return x[l];
}
static inline void set_int(mask *x, int l, int value)
{
    (*x)[l] = value;
}
static inline elem square_root(elem x)
{
    real lane[LANES];
    memcpy(lane, &x, sizeof x);
    for (int l = 0; l < LANES; l++)
        lane[l] = root(lane[l]);
    memcpy(&x, lane, sizeof x);
    return x;
}
static inline int matrix_stride(int n) /* not a multiple of 16 vectors: columns would compete for a few sets of the cache */
{
    return n % 16 ? n : n + 1;
}
static inline real get_lane(elem x, int l)
{
    return x[l];
}
static inline void set_lane(elem *x, int l, real value)
{
    (*x)[l] = value;
}
#else
#define LANES 1
#define UNIT VECTOR_LANES
typedef real elem __attribute__((may_alias));
typedef real_bits mask; /* all ones or zero */
static inline elem broadcast(real x)
{
    return x;
}
static inline elem select_lanes(mask m, elem yes, elem no)
{
    return m ? yes : no;
}
static inline int any_lane(mask m)
{
    return m != 0;
}
static inline void set_mask(mask *m, int l)
{
    (void)l;
    *m = -1;
}
static inline mask greater(elem x, elem y)
{
    return -(mask)(x > y);
}
static inline mask greater_int(mask x, int y)
{
    return -(mask)(x > y);
}
static inline real_bits get_int(mask x, int l)
{
    (void)l;
    return x;
}
static inline void set_int(mask *x, int l, int value)
{
    (void)l;
    *x = value;
}
static inline elem square_root(elem x)
{
    return root(x);
}
static inline int matrix_stride(int n)
{
    return (n + VECTOR_LANES - 1) / VECTOR_LANES * VECTOR_LANES;
}
static inline real get_lane(elem x, int l)
{
    (void)l;
    return x;
}
static inline void set_lane(elem *x, int l, real value)
{
    (void)l;
    *x = value;
}
#endif

static inline ptrdiff_t matrix_size(int n) /* elems */
{
    return (ptrdiff_t)n * matrix_stride(n);
}
static inline size_t matrix_elements(int n) /* reals, rounded up so that matrices laid end to end stay aligned */
{
    size_t line = 64 / sizeof(real);
    return ((size_t)matrix_size(n) * LANES + line - 1) / line * line;
}
static inline elem *matrix_of(real *work, int n, int k) /* the k-th matrix of a workspace */
{
    return (elem *)(work + (size_t)k * matrix_elements(n));
}

/* ---- Products: the cost of everything. C must not overlap A or B. ----
 * "lower" computes the blocks of C on and below the diagonal only, half the work; complete it by mirror(). */
void SO_(product)(int n, const elem *A, const elem *B, elem *C);            /* C = A B */
void SO_(product_transposed)(int n, const elem *A, const elem *B, elem *C); /* C = A^T B */
void SO_(product_lower)(int n, const elem *A, const elem *B, elem *C);      /* C = A B, lower part */
void SO_(product_lower_add)(int n, const elem *A, const elem *B, elem *C);  /* C += A B, lower part */
/* C_jj = sign sum_i P_ij Q_ij, within few roundings: the diagonal of P^T Q, or with sign = -1 of P Q for a skew P. */
void SO_(symmetric_diagonal)(int n, int sign, const elem *P, const elem *Q, elem *C);
#define symmetric_diagonal SO_(symmetric_diagonal)
#define product SO_(product)
#define product_transposed SO_(product_transposed)
#define product_lower SO_(product_lower)
#define product_lower_add SO_(product_lower_add)

/* ---- Symmetry ---- */
void SO_(mirror)(int n, int sign, elem *C);         /* C_ij = sign C_ji for i < j; a skew C (sign = -1) gets a zero diagonal */
void SO_(transpose)(int n, const elem *A, elem *B); /* B = A^T, no overlap */
void SO_(skew_part)(int n, elem *A);                /* A <- (A - A^T)/2 */
uint64_t SO_(skew_from_upper)(int n, elem *A);      /* A <- U - U^T, U its strict upper triangle; lanes with NaN or Inf in U */
#define mirror SO_(mirror)
#define transpose SO_(transpose)
#define skew_part SO_(skew_part)
#define skew_from_upper SO_(skew_from_upper)

/* ---- Combinations of symmetric matrices M_1 .. M_terms, terms <= 4 ---- */
void SO_(linear_combination)(int n, int terms, const elem *a, const elem *const *M, elem *R); /* R = a_0 I + sum_k a_k M_k */
/* Completes the lower part of a product as mirror() does and adds the combination. */
void SO_(complete)(int n, int sign, int terms, const elem *a, const elem *const *M, elem *C);

/* ---- Norms, per lane ---- */
elem SO_(sum_of_squares)(int n, const elem *X);
elem SO_(largest_entry)(int n, const elem *X); /* largest |X_ij| */
/* Whether the sum of squares is in [low, high) in every lane; far cheaper than the largest entry. */
int SO_(squares_between)(int n, const elem *X, real low, real high);
#define sum_of_squares SO_(sum_of_squares)
#define largest_entry SO_(largest_entry)
#define squares_between SO_(squares_between)
/* An upper bound of ||X||_2 for a symmetric X in which every eigenvalue but 0 is double, as in A^2 and A^4: the smaller of
 * ||X||_F / sqrt 2 and ||X||_inf, which is close where all angles are (X near a multiple of I). Rounding is accounted for. */
elem SO_(bound_norm)(int n, const elem *X);
#define bound_norm SO_(bound_norm)

/* Newton-Schulz: E <- E - (E E^T - I) E / 2, which squares a small defect (exponential.md 9.4), in those of the given lanes
 * whose defect ||E E^T - I||_F / sqrt(n) exceeds 2 u; repeated until none does, at most `steps` times. Work: 3 matrices. */
void SO_(orthogonalize)(int n, mask lanes, elem *E, int steps, real *work);

/* E <- F in the lanes where m holds. */
static inline void blend(int n, mask m, const elem *F, elem *E)
{
    for (ptrdiff_t i = 0; i < matrix_size(n); i++)
        E[i] = select_lanes(m, F[i], E[i]);
}

#endif
