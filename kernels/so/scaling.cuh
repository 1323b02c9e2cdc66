/* scaling.cuh: scaling and squaring of a skew matrix on a team. The mirror of libso/cpu/group/scaling.c.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_SCALING_CUH
#define SO_KERNELS_SCALING_CUH

#include "norms.cuh"
#include "team.cuh"

template <class Team> __device__ void scale(const Team &t, typename Team::real factor, typename Team::real *X)
{
    t.each_quad([&](int at, int, int) {
        quad<typename Team::real> q = load_quad(X + at);
#pragma unroll
        for (int c = 0; c < 4; c++)
            q.x[c] *= factor;
        store_quad(X + at, q);
    });
}

/* A <- A 2^-exponent, so that entries are at most 2^5 and ||A^4||_F^2 ~ rho^8 cannot overflow. Returns the exponent. */
template <class Team> __device__ int scale_large(const Team &t, typename Team::real *A)
{
    typedef typename Team::real real;
    int exponent = 0;
    real largest = largest_entry(t, A);
    if (largest >= 0x1p5f)
        frexp(largest, &exponent);
    exponent = exponent > 5 ? exponent - 5 : 0;
    if (t.any(exponent > 0))
        scale(t, (real)ldexp((real)1, -exponent), A);
    return exponent;
}

/* X <- X 2^-exponent, exponent != 0 only where X is so large or small that products with it could leave the range. */
template <class Team> __device__ int scale_to_unit(const Team &t, typename Team::real *X)
{
    typedef typename Team::real real;
    constexpr bool narrow = sizeof(real) == sizeof(float);
    constexpr int most = narrow ? 120 : 1000; /* 2^most and 2^-most are normal numbers */
    const real ordinary = narrow ? (real)0x1p30 : (real)0x1p250, largest = largest_entry(t, X);
    int exponent = 0;
    if (largest > 0 && !(largest * (real)(2 * t.order()) < ordinary && largest * ordinary > 1))
        frexp(largest, &exponent);
    exponent = exponent > most ? most : exponent < -most ? -most : exponent;
    if (t.any(exponent != 0))
        scale(t, (real)ldexp((real)1, -exponent), X);
    return exponent;
}

template <class Team> __device__ void scale_back(const Team &t, int exponent, typename Team::real *X)
{
    typedef typename Team::real real;
    if (t.any(exponent != 0))
        scale(t, (real)ldexp((real)1, exponent), X);
}

/* E <- E - E (E^T E - I) / 2 for the teams that want it and whose defect is above the rounding, `steps` times at most. D and F are
 * scratch. */
template <class Team>
__device__ void orthogonalize(const Team &t, bool wanted, int steps, typename Team::real *E, typename Team::real *D,
                              typename Team::real *F)
{
    typedef typename Team::real real;
    for (int step = 0; step < steps; step++) {
        const jet<real> factor = {E, NULL};
        t.template lower<false>(factor, factor, [&](auto v, const auto &) {
#pragma unroll
            for (int r = 0; r < v.ROWS; r++)
#pragma unroll
                for (int c = 0; c < 4; c++)
                    v.row[r].x[c] -= (real)(v.i + r == v.j + c);
            put_symmetric(t, v, D);
        });
        real squares = sum_of_squares(t, D); /* of every team: the sum goes across the lanes of a warp */
        bool off = wanted && squares > 4 * limits<real>::u * limits<real>::u * (real)t.order();
        if (!t.any(off))
            return;
        t.product(E, D, F);
        t.each_quad([&](int at, int, int) {
            quad<real> e = load_quad(E + at), f = load_quad(F + at);
#pragma unroll
            for (int c = 0; c < 4; c++)
                e.x[c] = off ? e.x[c] - f.x[c] * (real)0.5 : e.x[c];
            store_quad(E + at, e);
        });
    }
}

/* Between two re-orthogonalisations a defect grows at most 2^8 times. */
enum { SQUARINGS_PER_STEP = 8 };

template <class real> __device__ __forceinline__ void swap(real *&x, real *&y)
{
    real *z = x;
    x = y;
    y = z;
}

/* E^(2^count), which stands in E or F: returns where. S, T: scratch. */
template <class Team>
__device__ typename Team::real *square_repeatedly(const Team &t, int count, typename Team::real *E, typename Team::real *F,
                                                  typename Team::real *S, typename Team::real *T)
{
    for (int step = 0; t.any(step < count); step++) {
        bool active = step < count;
        if (step % SQUARINGS_PER_STEP == 0)
            orthogonalize(t, active, 1, E, S, T);
        t.product(E, E, F);
        if (active)
            swap(E, F);
    }
    return E;
}

/* Y <- phi(ad_(2^count A)) M from Y = phi(ad_A) M and E = exp(-A): count times (Y + E^T Y E)/2, E <- E^2 (exponential.md 2.7).
 * E and F are destroyed; S, T: scratch. */
template <class Team>
__device__ void double_angles(const Team &t, int count, typename Team::real *E, typename Team::real *F, typename Team::real *Y,
                              typename Team::real *S, typename Team::real *T)
{
    typedef typename Team::real real;
    for (int step = 0; t.any(step < count); step++) {
        bool active = step < count;
        if (step % SQUARINGS_PER_STEP == 0)
            orthogonalize(t, active, 1, E, S, T);
        t.product(Y, E, T);
        t.template lower<false>(jet<real>{E, NULL}, jet<real>{T, NULL}, [&](auto v, const auto &) {
            if (!active)
                return;
#pragma unroll
            for (int r = 0; r < v.ROWS; r++) {
                quad<real> y = lower_row(t, Y, v, r);
#pragma unroll
                for (int c = 0; c < 4; c++)
                    v.row[r].x[c] = (y.x[c] + v.row[r].x[c]) * (real)0.5;
            }
            put_skew(t, 1, v, Y);
        });
        if (t.any(step + 1 < count)) {
            t.product(E, E, F);
            if (active)
                swap(E, F);
        }
    }
}

#endif
