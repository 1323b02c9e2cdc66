/* polynomial.cuh: exp(A) for skew A by polynomials in X = A^2, with scaling and squaring, and its trivialised derivative, on a
 * team. The mirror of libso/cpu/group/polynomial.c, which says why; the same coefficients, thresholds and choices.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_POLYNOMIAL_CUH
#define SO_KERNELS_POLYNOMIAL_CUH

#define SO_COEFFICIENTS static __constant__ const
#include "../../libso/coefficients.h"
#include "scaling.cuh"

/* ---- The ladder: the top rung is RUNGS - 1, the split form P(Y) = L + Y^m H unless it is nested ---------------------------- */

enum { RUNGS = 3 };

template <class real> struct ladder;

template <> struct ladder<float> {
    static constexpr bool NESTED_TOP = false;
    static constexpr int SPLIT_POWERS = 4;

    static __device__ __forceinline__ float theta(int rung, bool derivative)
    {
        return rung == 0   ? (derivative ? SO_F32_P4_THETA_DERIVATIVE : SO_F32_P4_THETA)
               : rung == 1 ? (derivative ? SO_F32_Y6_THETA_DERIVATIVE : SO_F32_Y6_THETA)
                           : (derivative ? SO_F32_Y8_THETA_DERIVATIVE : SO_F32_Y8_THETA);
    }
    static __device__ __forceinline__ int powers(int rung)
    {
        return 2 + rung;
    }
    static __device__ __forceinline__ float scale(int rung)
    {
        return rung == 0 ? 1 : rung == 1 ? SO_F32_Y6_SCALE : SO_F32_Y8_SCALE;
    }
    static __device__ __forceinline__ float shift(int rung)
    {
        return rung == 0 ? 0 : 1;
    }
    /* Coefficient k of c (sine: of s); zero beyond the degree. */
    static __device__ __forceinline__ float coefficient(int rung, bool sine, int k)
    {
        float p4 = k <= 4 ? (sine ? so_f32_p4_s[k] : so_f32_p4_c[k]) : 0, y6 = k <= 6 ? (sine ? so_f32_y6_s[k] : so_f32_y6_c[k]) : 0;
        return rung == 0 ? p4 : rung == 1 ? y6 : sine ? so_f32_y8_s[k] : so_f32_y8_c[k];
    }
};

template <> struct ladder<double> {
    static constexpr bool NESTED_TOP = true;
    static constexpr int SPLIT_POWERS = 3;

    static __device__ __forceinline__ double theta(int rung, bool derivative)
    {
        return rung == 0   ? (derivative ? SO_F64_P4_THETA_DERIVATIVE : SO_F64_P4_THETA)
               : rung == 1 ? (derivative ? SO_F64_P6_THETA_DERIVATIVE : SO_F64_P6_THETA)
                           : (derivative ? SO_F64_Y12_THETA_DERIVATIVE : SO_F64_Y12_THETA);
    }
    static __device__ __forceinline__ int powers(int rung)
    {
        return 2 + rung;
    }
    static __device__ __forceinline__ double scale(int rung)
    {
        return rung < 2 ? 1 : SO_F64_Y12_SCALE;
    }
    static __device__ __forceinline__ double shift(int rung)
    {
        return rung < 2 ? 0 : 1;
    }
    static __device__ __forceinline__ double coefficient(int rung, bool sine, int k)
    {
        return rung == 0 ? (k <= 4 ? (sine ? so_f64_p4_s[k] : so_f64_p4_c[k]) : 0) : sine ? so_f64_p6_s[k] : so_f64_p6_c[k];
    }
    /* B1..B4 of the nested form of degree 12: b = 0..3. */
    static __device__ __forceinline__ double nested(int b, bool sine, int k)
    {
        return b == 0   ? (sine ? so_f64_y12_s_B1[k] : so_f64_y12_c_B1[k])
               : b == 1 ? (sine ? so_f64_y12_s_B2[k] : so_f64_y12_c_B2[k])
               : b == 2 ? (sine ? so_f64_y12_s_B3[k] : so_f64_y12_c_B3[k])
                        : (sine ? so_f64_y12_s_B4[k] : so_f64_y12_c_B4[k]);
    }
};

/* ---- Matrices with a tangent ---------------------------------------------------------------------------------------------- */

template <class real> struct jet {
    real *v, *d; /* value and, where derivatives are computed, tangent */
};

/* A jet of a symmetric matrix in registers: what a thread's tile of the lower triangle holds. */
template <class Team, bool TANGENT> struct held {
    quad<typename Team::real> v[Team::ROWS], d[TANGENT ? Team::ROWS : 1];
};

enum { TERMS = 4 };

/* a_0 I + a_1 M_1 + .. at (i, j).., in the lower triangle; of the tangents (without I) if `tangent`. */
template <class Team>
__device__ __forceinline__ quad<typename Team::real> combination(const Team &t, bool tangent, int terms, const typename Team::real *a,
                                                                 const jet<typename Team::real> *M, int i, int j)
{
    typedef typename Team::real real;
    quad<real> sum = {};
#pragma unroll
    for (int c = 0; c < 4; c++)
        sum.x[c] = !tangent && i == j + c ? a[0] : (real)0;
#pragma unroll
    for (int k = 1; k <= TERMS; k++)
        if (k <= terms) {
            quad<real> m = t.lower_quad(tangent ? M[k - 1].d : M[k - 1].v, i, j);
#pragma unroll
            for (int c = 0; c < 4; c++)
                sum.x[c] += a[k] * m.x[c];
        }
    return sum;
}

/* R = a_0 I + a_1 M_1 + .. + a_terms M_terms */
template <bool TANGENT, class Team>
__device__ void combine(const Team &t, int terms, const typename Team::real *a, const jet<typename Team::real> *M,
                        jet<typename Team::real> R)
{
    typedef typename Team::real real;
    t.each_quad([&](int at, int i, int j) {
        quad<real> v = {}, d = {};
#pragma unroll
        for (int c = 0; c < 4; c++)
            v.x[c] = i == j + c ? a[0] : (real)0;
#pragma unroll
        for (int k = 1; k <= TERMS; k++)
            if (k <= terms) {
                quad<real> m = load_quad(M[k - 1].v + at), dm = {};
                if (TANGENT)
                    dm = load_quad(M[k - 1].d + at);
#pragma unroll
                for (int c = 0; c < 4; c++) {
                    v.x[c] += a[k] * m.x[c];
                    d.x[c] += a[k] * dm.x[c];
                }
            }
        store_quad(R.v + at, v);
        if (TANGENT)
            store_quad(R.d + at, d);
    });
}

/* R = P Q + a_0 I + a_1 M_1 + .., symmetric. R may be an M_k. */
template <bool TANGENT, class Team>
__device__ void multiply_add(const Team &t, jet<typename Team::real> P, jet<typename Team::real> Q, int terms,
                             const typename Team::real *a, const jet<typename Team::real> *M, jet<typename Team::real> R)
{
    typedef typename Team::real real;
    const real *none = NULL;
    auto put = [&](bool tangent, real *to, int i, int j, quad<real> q) {
        quad<real> more = combination(t, tangent, terms, a, M, i, j);
#pragma unroll
        for (int c = 0; c < 4; c++)
            q.x[c] += more.x[c];
        t.put_symmetric(i, j, q, to);
    };
    if (TANGENT) /* first: R.v may be an M_k.v, which the tangent does not read */
        t.lower(P.v, Q.d, P.d, Q.v, [&](int, int i, int j, const quad<real> &q) { put(true, R.d, i, j, q); });
    t.lower(P.v, Q.v, none, none, [&](int, int i, int j, const quad<real> &q) { put(false, R.v, i, j, q); });
}

/* The same into registers, for the teams that are `mine`. */
template <bool TANGENT, class Team>
__device__ void multiply_add_held(const Team &t, bool mine, jet<typename Team::real> P, jet<typename Team::real> Q, int terms,
                                  const typename Team::real *a, const jet<typename Team::real> *M, held<Team, TANGENT> &R)
{
    typedef typename Team::real real;
    const real *none = NULL;
    auto sum = [&](bool tangent, int i, int j, quad<real> q) {
        quad<real> more = combination(t, tangent, terms, a, M, i, j);
#pragma unroll
        for (int c = 0; c < 4; c++)
            q.x[c] += more.x[c];
        return q;
    };
    t.lower(P.v, Q.v, none, none, [&](int r, int i, int j, const quad<real> &q) {
        if (mine)
            R.v[r] = sum(false, i, j, q);
    });
    if constexpr (TANGENT)
        t.lower(P.v, Q.d, P.d, Q.v, [&](int r, int i, int j, const quad<real> &q) {
            if (mine)
                R.d[r] = sum(true, i, j, q);
        });
}

/* ---- Choice of rung and scaling --------------------------------------------------------------------------------------------- */

struct plan {
    int rung, squarings;
};

/* X = A^2 and the plan; scales A and X so that every team is within its rung. square: scratch matrix. */
template <class Team>
__device__ plan prepare(const Team &t, bool derivative, typename Team::real *A, typename Team::real *X, typename Team::real *square)
{
    typedef typename Team::real real;
    const real *none = NULL;
    int count = scale_large(t, A);
    bool scaled = count > 0;
    t.lower(A, A, none, none, [&](int, int i, int j, const quad<real> &q) { t.put_symmetric(i, j, q, X); });
    real square_rho = t.bound_norm(X), theta = ladder<real>::theta(RUNGS - 1, derivative), top = theta * theta;
    bool large = scaled || square_rho > top;
    if (t.any(large)) {
        t.lower(X, X, none, none, [&](int, int i, int j, const quad<real> &q) { t.put_symmetric(i, j, q, square); });
        real sharper = sqrt(t.bound_norm(square));
        if (large && square_rho > sharper)
            square_rho = sharper;

        /* Where A was scaled before, an entry is at least 2^4, so rho is beyond the top rung here too. */
        real factor = 1;
        for (; square_rho > top; square_rho *= (real)0.25) {
            factor *= (real)0.5;
            count++;
            scaled = true;
        }
        if (t.any(scaled)) {
            scale(t, factor, A);
            scale(t, factor * factor, X);
        }
    }
    int rung = 0;
    while (rung < RUNGS - 1 && (scaled || !(square_rho < ladder<real>::theta(rung, derivative) * ladder<real>::theta(rung, derivative))))
        rung++;
    return {rung, count};
}

/* ---- The base: angles within a rung ------------------------------------------------------------------------------------------ */

/* H = the upper half of c (sine: s), a = coefficients of the lower half, of a team whose rung has the split form. */
template <bool TANGENT, class Team>
__device__ void split_half(const Team &t, int rung, int most, bool sine, const jet<typename Team::real> *power,
                           jet<typename Team::real> H, typename Team::real *a)
{
    typedef typename Team::real real;
    int m = ladder<real>::powers(rung);
    real high[TERMS + 1] = {};
#pragma unroll
    for (int k = 0; k <= TERMS; k++) {
        a[k] = k < m ? ladder<real>::coefficient(rung, sine, k) : (real)0;
        high[k] = k <= m ? ladder<real>::coefficient(rung, sine, k <= m ? m + k : 0) : (real)0;
    }
    combine<TANGENT>(t, most, high, power, H);
}

/* P = (B2 + q) q + B1 with q = B3 + B4^2: leaves B2 + q in H and q in `q`, B1 in a. */
template <bool TANGENT, class Team>
__device__ void nested_half(const Team &t, bool sine, const jet<typename Team::real> *power, jet<typename Team::real> H,
                            jet<typename Team::real> q, typename Team::real *a)
{
    typedef typename Team::real real;
    real b[TERMS + 1] = {};
    auto take = [&](int block, real *to) {
#pragma unroll
        for (int k = 0; k < 4; k++)
            to[k] = ladder<real>::nested(block, sine, k);
    };
    take(3, b);
    combine<TANGENT>(t, 3, b, power, H);
    take(2, b);
    multiply_add<TANGENT>(t, H, H, 3, b, power, q);
    take(1, b);
    b[4] = 1;
    jet<real> terms[TERMS] = {power[0], power[1], power[2], q};
    combine<TANGENT>(t, 4, b, terms, H);
    take(0, a);
    a[4] = 0;
}

/* Where the matrices of a team stand: value and, if TANGENT, tangent after it. */
enum { AT_A, AT_POWER, AT_H = AT_POWER + 4, POLYNOMIAL_JETS };

template <bool TANGENT, class Team> __device__ __forceinline__ jet<typename Team::real> jet_at(const Team &t, int k)
{
    return {t.matrix(TANGENT ? 2 * k : k), TANGENT ? t.matrix(2 * k + 1) : NULL};
}

/* E = c(X) + A s(X) of the scaled A, into H; X stands in the first power. */
template <bool TANGENT, class Team> __device__ void evaluate(const Team &t, int rung)
{
    typedef typename Team::real real;
    const real *none = NULL;
    jet<real> A = jet_at<TANGENT>(t, AT_A), H = jet_at<TANGENT>(t, AT_H), power[TERMS];
    for (int k = 0; k < TERMS; k++)
        power[k] = jet_at<TANGENT>(t, AT_POWER + k);
    real shift_scale[2] = {ladder<real>::shift(rung), ladder<real>::scale(rung)};
    bool nested = ladder<real>::NESTED_TOP && rung == RUNGS - 1, any_nested = t.any(nested), any_split = t.any(!nested);
    int m = nested ? 0 : ladder<real>::powers(rung), most = 2;
    if (t.any(m > 2) || any_nested)
        most = 3;
    if (t.any(m > 3))
        most = 4;

    auto multiply = [&](jet<real> P, jet<real> Q, jet<real> R) {
        if constexpr (TANGENT)
            t.lower(P.v, Q.d, P.d, Q.v, [&](int, int i, int j, const quad<real> &q) { t.put_symmetric(i, j, q, R.d); });
        t.lower(P.v, Q.v, none, none, [&](int, int i, int j, const quad<real> &q) { t.put_symmetric(i, j, q, R.v); });
    };
    combine<TANGENT>(t, 1, shift_scale, power, power[0]);
    multiply(power[0], power[0], power[1]);
    if (most > 2)
        multiply(power[1], power[0], power[2]);
    if (most > 3)
        multiply(power[1], power[1], power[3]);

    held<Team, TANGENT> c;
    jet<real> Z = jet_at<TANGENT>(t, AT_POWER + (m > 0 ? m - 1 : 0)), q = power[3], s = power[0]; /* q: only where no fourth power is needed */
    real a[TERMS + 1];
    if (any_split) {
        split_half<TANGENT>(t, nested ? 0 : rung, most, false, power, H, a);
        multiply_add_held<TANGENT>(t, !nested, Z, H, most - 1, a, power, c);
    }
    if constexpr (ladder<real>::NESTED_TOP)
        if (any_nested) {
            nested_half<TANGENT>(t, false, power, H, q, a);
            multiply_add_held<TANGENT>(t, nested, H, q, 3, a, power, c);
        }
    (void)q;
    if (any_split && !any_nested) {
        split_half<TANGENT>(t, rung, most, true, power, H, a);
        multiply_add<TANGENT>(t, Z, H, most - 1, a, power, s);
    }
    if constexpr (ladder<real>::NESTED_TOP) {
        if (any_nested && !any_split) {
            nested_half<TANGENT>(t, true, power, H, q, a);
            multiply_add<TANGENT>(t, H, q, 3, a, power, s);
        }
        if (any_nested && any_split) { /* in one warp: by way of registers, since the second still needs Y */
            held<Team, TANGENT> kept;
            split_half<TANGENT>(t, nested ? 0 : rung, most, true, power, H, a);
            multiply_add_held<TANGENT>(t, !nested, Z, H, most - 1, a, power, kept);
            nested_half<TANGENT>(t, true, power, H, q, a);
            multiply_add_held<TANGENT>(t, nested, H, q, 3, a, power, kept);
            t.each_lower([&](int r, int i, int j) {
                t.put_symmetric(i, j, kept.v[r], s.v);
                if constexpr (TANGENT)
                    t.put_symmetric(i, j, kept.d[r], s.d);
            });
        }
    }
    if constexpr (TANGENT)
        t.lower(A.v, s.d, A.d, s.v, [&](int r, int i, int j, const quad<real> &q) { t.put_skew(i, j, c.d[r], q, H.d); });
    t.lower(A.v, s.v, none, none, [&](int r, int i, int j, const quad<real> &q) { t.put_skew(i, j, c.v[r], q, H.v); });
}

/* ---- The map and its derivative ------------------------------------------------------------------------------------------------ */

struct polynomial {
    static constexpr int MAP_MATRICES = POLYNOMIAL_JETS, DIFFERENTIAL_MATRICES = 2 * POLYNOMIAL_JETS;
    static constexpr bool NEEDS_ROTATION = false;

    /* exp of the skew matrix 0 of the team; returns where it stands. */
    template <class Team> static __device__ typename Team::real *map(const Team &t)
    {
        typedef typename Team::real real;
        plan p = prepare(t, false, t.matrix(AT_A), t.matrix(AT_POWER), t.matrix(AT_POWER + 1));
        evaluate<false>(t, p.rung);
        real *scratch[] = {t.matrix(AT_POWER), t.matrix(AT_POWER + 1), t.matrix(AT_POWER + 2)};
        return square_repeatedly(t, p.squarings, t.matrix(AT_H), t.matrix(AT_A), scratch);
    }

    /* phi(ad_A) M of the skew matrices 0 and 1 of the team. */
    template <class Team> static __device__ typename Team::real *differential(const Team &t)
    {
        typedef typename Team::real real;
        jet<real> A = jet_at<true>(t, AT_A), X = jet_at<true>(t, AT_POWER), E = jet_at<true>(t, AT_H);
        plan p = prepare(t, true, A.v, X.v, E.v);
        t.lower(A.v, A.d, A.d, A.v, [&](int, int i, int j, const quad<real> &q) { t.put_symmetric(i, j, q, X.d); });
        evaluate<true>(t, p.rung);

        real *Y = t.matrix(2), *scratch[] = {t.matrix(3), t.matrix(4), t.matrix(5)};
        t.transpose(E.v, scratch[0]);
        t.product(E.d, scratch[0], scratch[1]);
        t.skew_part(scratch[1], Y);
        double_angles(t, p.squarings, E.v, E.d, Y, scratch);
        return Y;
    }
};

#endif
