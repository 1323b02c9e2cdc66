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

    static __device__ __forceinline__ double theta(int rung, bool derivative)
    {
        return rung == 0   ? (derivative ? SO_F64_P4_THETA_DERIVATIVE : SO_F64_P4_THETA)
               : rung == 1 ? (derivative ? SO_F64_P6_THETA_DERIVATIVE : SO_F64_P6_THETA)
                           : (derivative ? SO_F64_Y12_THETA_DERIVATIVE : SO_F64_Y12_THETA);
    }
    static __device__ __forceinline__ int powers(int rung)
    {
        return rung == 0 ? 2 : 3;
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

/* ---- Sums and products of jets of symmetric matrices ---------------------------------------------------------------------- */

enum { TERMS = 4 };

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

/* x += a_0 I + a_1 M_1 + .. in the place of a tile; of the tangents, which have no I, if `tangent`. */
template <class Team, class Tile>
__device__ __forceinline__ void add_terms(const Team &t, bool tangent, Tile &x, int terms, const typename Tile::real *a,
                                          const jet<typename Tile::real> *M)
{
    typedef typename Tile::real real;
#pragma unroll
    for (int r = 0; r < Tile::ROWS; r++) {
        quad<real> sum = {};
#pragma unroll
        for (int c = 0; c < 4; c++)
            sum.x[c] = !tangent && x.i + r == x.j + c ? a[0] : (real)0;
#pragma unroll
        for (int k = 1; k <= TERMS; k++)
            if (k <= terms) {
                quad<real> m = lower_row(t, tangent ? M[k - 1].d : M[k - 1].v, x, r);
#pragma unroll
                for (int c = 0; c < 4; c++)
                    sum.x[c] += a[k] * m.x[c];
            }
#pragma unroll
        for (int c = 0; c < 4; c++)
            x.row[r].x[c] += sum.x[c];
    }
}

/* P Q + a_0 I + a_1 M_1 + .., symmetric, tile by tile of its lower triangle to f(v, d), which may write it into an M_k. */
template <bool TANGENT, class Team, class F>
__device__ __forceinline__ void multiply_add(const Team &t, jet<typename Team::real> P, jet<typename Team::real> Q, int terms,
                                             const typename Team::real *a, const jet<typename Team::real> *M, F f)
{
    t.template lower<TANGENT>(P, Q, [&](const auto &v, const auto &d) {
        auto value = v, tangent = d;
        add_terms(t, false, value, terms, a, M);
        if constexpr (TANGENT)
            add_terms(t, true, tangent, terms, a, M);
        f(value, tangent);
    });
}

/* For multiply_add and lower: writes the symmetric matrix to R, in the teams that are `mine`. */
template <bool TANGENT, class Team> struct to_matrix {
    const Team &t;
    jet<typename Team::real> R;
    bool mine;

    template <class Tile> __device__ __forceinline__ void operator()(const Tile &v, const Tile &d) const
    {
        if (!mine)
            return;
        put_symmetric(t, v, R.v);
        if constexpr (TANGENT)
            put_symmetric(t, d, R.d);
    }
};

/* ---- Choice of rung and scaling ------------------------------------------------------------------------------------------- */

struct plan {
    int rung, squarings;
};

/* X = A^2 and the plan; scales A and X so that every team is within its rung. square: scratch matrix. */
template <class Team>
__device__ plan prepare(const Team &t, bool derivative, typename Team::real *A, typename Team::real *X, typename Team::real *square)
{
    typedef typename Team::real real;
    int count = scale_large(t, A);
    bool scaled = count > 0;
    const jet<real> factor = {A, NULL}, power = {X, NULL};
    t.template lower<false>(factor, factor, [&](auto v, const auto &) { /* A^T A = -X */
#pragma unroll
        for (int r = 0; r < v.ROWS; r++)
#pragma unroll
            for (int c = 0; c < 4; c++)
                v.row[r].x[c] = -v.row[r].x[c];
        put_symmetric(t, v, X);
    });
    real square_rho = bound_norm(t, X), theta = ladder<real>::theta(RUNGS - 1, derivative), top = theta * theta;
    bool large = scaled || square_rho > top;
    if (t.any(large)) {
        t.template lower<false>(power, power, to_matrix<false, Team>{t, {square, NULL}, true});
        real sharper = sqrt(bound_norm(t, square));
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
    auto within = [&](int rung) {
        const real theta = ladder<real>::theta(rung, derivative);
        return square_rho < theta * theta;
    };
    int rung = 0;
    while (rung < RUNGS - 1 && (scaled || !within(rung)))
        rung++;
    return {rung, count};
}

/* ---- The base: angles within a rung --------------------------------------------------------------------------------------- */

/* H = the upper half of c (sine: s), a = coefficients of the lower half, for a rung of the split form with m powers. */
template <bool TANGENT, class Team>
__device__ void split_half(const Team &t, int rung, int m, bool sine, const jet<typename Team::real> *power,
                           jet<typename Team::real> H, typename Team::real *a)
{
    typedef typename Team::real real;
    real high[TERMS + 1] = {};
#pragma unroll
    for (int k = 0; k <= TERMS; k++) {
        a[k] = k < m ? ladder<real>::coefficient(rung, sine, k) : (real)0;
        high[k] = k <= m ? ladder<real>::coefficient(rung, sine, m + k) : (real)0;
    }
    combine<TANGENT>(t, m, high, power, H);
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
    multiply_add<TANGENT>(t, H, H, 3, b, power, to_matrix<TANGENT, Team>{t, q, true});
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

/* c or s (sine) of the powers, tile by tile to f(v, d). Teams of one warp that have split and nested rungs go through both; f is
 * called for each with its own. It may write s into the first power, of which the others have their own. */
template <bool TANGENT, class Team, class F> __device__ void evaluate_half(const Team &t, int rung, bool sine, F f)
{
    typedef typename Team::real real;
    jet<real> H = jet_at<TANGENT>(t, AT_H), power[TERMS];
    for (int k = 0; k < TERMS; k++)
        power[k] = jet_at<TANGENT>(t, AT_POWER + k);
    const bool nested = ladder<real>::NESTED_TOP && rung == RUNGS - 1;
    real a[TERMS + 1];
    if (t.any(!nested)) {
        const int split = nested ? 0 : rung, m = ladder<real>::powers(split);
        split_half<TANGENT>(t, split, m, sine, power, H, a);
        multiply_add<TANGENT>(t, jet_at<TANGENT>(t, AT_POWER + m - 1), H, m - 1, a, power, [&](const auto &v, const auto &d) {
            if (!nested)
                f(v, d);
        });
    }
    if constexpr (ladder<real>::NESTED_TOP)
        if (t.any(nested)) {
            jet<real> q = power[3]; /* no rung there needs it */
            nested_half<TANGENT>(t, sine, power, H, q, a);
            multiply_add<TANGENT>(t, H, q, 3, a, power, [&](const auto &v, const auto &d) {
                if (nested)
                    f(v, d);
            });
        }
}

/* E = exp(sign A) = c(X) + sign A s(X) of the scaled A, into H; X stands in the first power. */
template <bool TANGENT, class Team> __device__ void evaluate(const Team &t, int rung, typename Team::real sign)
{
    typedef typename Team::real real;
    jet<real> A = jet_at<TANGENT>(t, AT_A), H = jet_at<TANGENT>(t, AT_H), power[TERMS];
    for (int k = 0; k < TERMS; k++)
        power[k] = jet_at<TANGENT>(t, AT_POWER + k);
    const real shift_scale[2] = {ladder<real>::shift(rung), ladder<real>::scale(rung)};
    const int m = ladder<real>::powers(rung);
    auto multiply = [&](jet<real> P, jet<real> Q, jet<real> R) {
        t.template lower<TANGENT>(P, Q, to_matrix<TANGENT, Team>{t, R, true});
    };
    combine<TANGENT>(t, 1, shift_scale, power, power[0]);
    multiply(power[0], power[0], power[1]);
    if (t.any(m > 2))
        multiply(power[1], power[0], power[2]);
    if (t.any(m > 3))
        multiply(power[1], power[1], power[3]);

    typename Team::template kept<TANGENT> c(t);
    evaluate_half<TANGENT>(t, rung, false, [&](const auto &v, const auto &d) { c.put(v, d); });
    evaluate_half<TANGENT>(t, rung, true, to_matrix<TANGENT, Team>{t, power[0], true});
    t.template lower<TANGENT>(A, power[0], [&](const auto &v, const auto &d) { /* A^T s = -A s */
        put_sum(t, c.value(v), -sign, v, H.v);
        if constexpr (TANGENT)
            put_sum(t, c.tangent(d), -sign, d, H.d);
    });
}

/* ---- The map and its derivative ------------------------------------------------------------------------------------------- */

struct polynomial {
    static constexpr int MAP_MATRICES = POLYNOMIAL_JETS, DIFFERENTIAL_MATRICES = 2 * POLYNOMIAL_JETS;
    static constexpr bool NEEDS_ROTATION = false;

    /* exp of the skew matrix 0 of the team; returns where it stands. */
    template <class Team> static __device__ typename Team::real *map(const Team &t)
    {
        plan p = prepare(t, false, t.matrix(AT_A), t.matrix(AT_POWER), t.matrix(AT_POWER + 1));
        evaluate<false>(t, p.rung, 1);
        return square_repeatedly(t, p.squarings, t.matrix(AT_H), t.matrix(AT_A), t.matrix(AT_POWER), t.matrix(AT_POWER + 1));
    }

    /* phi(ad_A) M of the skew matrices 0 and 1 of the team. With E = exp(-A) and its tangent dE = L^T, L = that of exp(A):
     * L exp(A)^T = dE^T E. */
    template <class Team> static __device__ typename Team::real *differential(const Team &t)
    {
        typedef typename Team::real real;
        jet<real> A = jet_at<true>(t, AT_A), X = jet_at<true>(t, AT_POWER), E = jet_at<true>(t, AT_H);
        plan p = prepare(t, true, A.v, X.v, E.v);
        t.template lower_pair<1>(A.v, A.d, [&](auto v) { /* A^T M + M^T A = -(A M + M A) */
#pragma unroll
            for (int r = 0; r < v.ROWS; r++)
#pragma unroll
                for (int c = 0; c < 4; c++)
                    v.row[r].x[c] = -v.row[r].x[c];
            put_symmetric(t, v, X.d);
        });
        evaluate<true>(t, p.rung, -1);

        real *Y = X.v;
        t.template lower_pair<-1>(E.d, E.v, [&](const auto &v) { put_skew(t, (real)0.5, v, Y); });
        double_angles(t, p.squarings, E.v, E.d, Y, A.v, A.d);
        return Y;
    }
};

#endif
