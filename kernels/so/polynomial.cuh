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
    /* c (sine: s) at centre j. */
    static __device__ __forceinline__ float at(int rung, bool sine, int j)
    {
        return rung == 0   ? 1
               : rung == 1 ? (sine ? so_f32_y6_s_at : so_f32_y6_c_at)[j + SO_CENTRES]
                           : (sine ? so_f32_y8_s_at : so_f32_y8_c_at)[j + SO_CENTRES];
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
    static __device__ __forceinline__ double at(int rung, bool sine, int j)
    {
        return rung < 2 ? 1 : (sine ? so_f64_y12_s_at : so_f64_y12_c_at)[j + SO_CENTRES];
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
                    v.x[c] = fma(a[k], m.x[c], v.x[c]);
                    d.x[c] = fma(a[k], dm.x[c], d.x[c]);
                }
            }
        store_quad(R.v + at, v);
        if (TANGENT)
            store_quad(R.d + at, d);
    });
}

/* x += a_1 M_1 + .. + a_0 I in the place of a tile, in this order, since a_0 is the largest; of the tangents, which have no I,
 * if `tangent`. */
template <class Team, class Tile>
__device__ __forceinline__ void add_terms(const Team &t, bool tangent, Tile &x, int terms, const typename Tile::real *a,
                                          const jet<typename Tile::real> *M)
{
    typedef typename Tile::real real;
#pragma unroll
    for (int r = 0; r < Tile::ROWS; r++) {
#pragma unroll
        for (int k = 1; k <= TERMS; k++)
            if (k <= terms) {
                quad<real> m = lower_row(t, tangent ? M[k - 1].d : M[k - 1].v, x, r);
#pragma unroll
                for (int c = 0; c < 4; c++)
                    x.row[r].x[c] += a[k] * m.x[c];
            }
#pragma unroll
        for (int c = 0; c < 4; c++)
            if (!tangent && x.i + r == x.j + c)
                x.row[r].x[c] += a[0];
    }
}

/* P Q + a_1 M_1 + .. + a_0 I, symmetric, tile by tile of its lower triangle to f(v, d), which may write it into an M_k. */
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

/* ---- The base: angles within a rung ---------------------------------------------------------------------------------------
 *
 * With a centre y near the mean of the diagonal of Y = y I + P_1 and with Y^k = y^k I + P_k a polynomial of Y is its value at y
 * and a sum of multiples of the P_k, which are small, and their rounding errors with them, where the eigenvalues of Y are close.
 * y is j / SO_CENTRES, so that its powers are exact, and a constant: P_k has the tangent of Y^k. */

/* j; y is in [-1, 1] like the spectrum of Y, and 0 in the rungs without a shift. */
template <class Team> __device__ int centre(const Team &t, int rung, const typename Team::real *X)
{
    typedef typename Team::real real;
    real trace = 0;
    for (int i = t.thread; i < t.order(); i += Team::THREADS)
        trace += X[i * t.stride() + i];
    trace = t.sum(trace);
    t.sync();
    const real shift = ladder<real>::shift(rung), mean = shift + ladder<real>::scale(rung) * trace / (real)t.n;
    return shift == 0 ? 0 : (int)rint(mean * SO_CENTRES);
}

template <class real> __device__ __forceinline__ real centre_at(int j)
{
    return (real)j / SO_CENTRES;
}

/* A rung with m powers: L + Y^m H, H = h I + H', is P_m H' + a_0 I + a_1 P_1 + .. + a_m P_m. Leaves H' in H. */
template <bool TANGENT, class Team>
__device__ void split_half(const Team &t, int rung, int m, bool sine, int j, const jet<typename Team::real> *power,
                           jet<typename Team::real> H, typename Team::real *a)
{
    typedef typename Team::real real;
    const real y = centre_at<real>(j), y_to_m = y * y * (m > 2 ? y : 1) * (m > 3 ? y : 1);
    real high[TERMS + 1] = {}, h = 0;
#pragma unroll
    for (int k = TERMS; k >= 0; k--) {
        high[k] = k <= m ? ladder<real>::coefficient(rung, sine, m + k) : (real)0;
        h = h * y + high[k];
        a[k] = (k < m ? ladder<real>::coefficient(rung, sine, k) : (real)0) + y_to_m * high[k];
    }
#pragma unroll
    for (int k = 1; k <= TERMS; k++)
        a[k] += k == m ? h : (real)0;
    a[0] = ladder<real>::at(rung, sine, j);
    high[0] = 0;
    combine<TANGENT>(t, m, high, power, H);
}

/* (B2 + q) q + B1 with q = B3 + B4^2, and all of these a multiple of I and the rest: q = b I + q', is
 * (B2' + q') q' + a_0 I + a_1 P_1 + a_2 P_2 + a_3 P_3 + a_4 q'. Leaves B2' + q' in H and q' in `q`. */
template <bool TANGENT, class Team>
__device__ void nested_half(const Team &t, bool sine, int j, const jet<typename Team::real> *power, jet<typename Team::real> H,
                            jet<typename Team::real> q, typename Team::real *a)
{
    typedef typename Team::real real;
    const real y = centre_at<real>(j);
    real b[TERMS + 1] = {};
    auto take = [&](int block, real factor) { /* b <- coefficients of B' + factor b; returns B's multiple of I */
        real number = 0;
#pragma unroll
        for (int k = 3; k >= 0; k--) {
            const real x = ladder<real>::nested(block, sine, k);
            number = number * y + x;
            b[k] = k > 0 ? x + factor * b[k] : (real)0;
        }
        return number;
    };
    const real b4 = take(3, 0);
    combine<TANGENT>(t, 3, b, power, H);
    const real b_q = take(2, 2 * b4) + b4 * b4;
    multiply_add<TANGENT>(t, H, H, 3, b, power, to_matrix<TANGENT, Team>{t, q, true});
    const real b2 = take(1, 0);
    b[4] = 1;
    jet<real> terms[TERMS] = {power[0], power[1], power[2], q};
    combine<TANGENT>(t, 4, b, terms, H);
    take(0, b_q);
#pragma unroll
    for (int k = 1; k < 4; k++)
        a[k] = b[k];
    a[0] = ladder<real>::at(RUNGS - 1, sine, j);
    a[4] = b2 + 2 * b_q;
}

/* Where the matrices of a team stand: value and, if TANGENT, tangent after it. */
enum { AT_A, AT_POWER, AT_H = AT_POWER + 4, POLYNOMIAL_JETS };

template <bool TANGENT, class Team> __device__ __forceinline__ jet<typename Team::real> jet_at(const Team &t, int k)
{
    return {t.matrix(TANGENT ? 2 * k : k), TANGENT ? t.matrix(2 * k + 1) : NULL};
}

/* c or s (sine) of the powers, tile by tile to f(v, d). Teams of one warp that have split and nested rungs go through both; f is
 * called for each with its own. It may write s into the first power, of which the others have their own. */
template <bool TANGENT, class Team, class F> __device__ void evaluate_half(const Team &t, int rung, bool sine, int j, F f)
{
    typedef typename Team::real real;
    jet<real> H = jet_at<TANGENT>(t, AT_H), power[TERMS];
    for (int k = 0; k < TERMS; k++)
        power[k] = jet_at<TANGENT>(t, AT_POWER + k);
    const bool nested = ladder<real>::NESTED_TOP && rung == RUNGS - 1;
    real a[TERMS + 1];
    if (t.any(!nested)) {
        const int split = nested ? 0 : rung, m = ladder<real>::powers(split);
        split_half<TANGENT>(t, split, m, sine, j, power, H, a);
        multiply_add<TANGENT>(t, jet_at<TANGENT>(t, AT_POWER + m - 1), H, m, a, power, [&](const auto &v, const auto &d) {
            if (!nested)
                f(v, d);
        });
    }
    if constexpr (ladder<real>::NESTED_TOP)
        if (t.any(nested)) {
            jet<real> q = power[3]; /* no rung there needs it */
            nested_half<TANGENT>(t, sine, j, power, H, q, a);
            multiply_add<TANGENT>(t, H, q, 4, a, power, [&](const auto &v, const auto &d) {
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
    const int m = ladder<real>::powers(rung), j = centre(t, rung, power[0].v);
    const real y = centre_at<real>(j), first[2] = {ladder<real>::shift(rung) - y, ladder<real>::scale(rung)};
    const real second[2] = {0, 2 * y}, third[3] = {0, y * y, y}, fourth[2] = {0, 2 * y * y};
    combine<TANGENT>(t, 1, first, power, power[0]);
    multiply_add<TANGENT>(t, power[0], power[0], 1, second, power, to_matrix<TANGENT, Team>{t, power[1], true});
    if (t.any(m > 2))
        multiply_add<TANGENT>(t, power[1], power[0], 2, third, power, to_matrix<TANGENT, Team>{t, power[2], true});
    if (t.any(m > 3))
        multiply_add<TANGENT>(t, power[1], power[1], 1, fourth, power + 1, to_matrix<TANGENT, Team>{t, power[3], true});

    typename Team::template kept<TANGENT> c(t);
    evaluate_half<TANGENT>(t, rung, false, j, [&](const auto &v, const auto &d) { c.put(v, d); });
    evaluate_half<TANGENT>(t, rung, true, j, to_matrix<TANGENT, Team>{t, power[0], true});
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
