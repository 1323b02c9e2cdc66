/* planes.cuh: A = W D W^T of a skew matrix, by a crew: orthonormal bases of invariant planes; W and D as in
 * libso/cpu/group/planes.h: plane k < n/2 is spanned by columns k and n/2 + k of W, for odd n the last column spans the null
 * space, D = [[0, -Theta], [Theta, 0]].
 *
 * By Jacobi rotations of pairs of planes (Paardekooper, Linear Algebra Appl. 15, 1976; Hacon, SIAM J. Matrix Anal. Appl. 14,
 * 1993): the 4 x 4 block of two planes is skew, so(4) = so(3) + so(3), and each of its two vectors is turned onto the first axis
 * by a unit quaternion, which leaves the angles |p| + |q| and |p| - |q|. Of a plane and the null vector likewise, a row of zeros
 * being the fourth. Equal angles and angles 0 need no care, W is a product of rotations.
 * SPDX-License-Identifier: MIT */
#ifndef SO_KERNELS_PLANES_CUH
#define SO_KERNELS_PLANES_CUH

#include "singular.cuh"

/* (w, 0, y, z) / norm: half of the rotation that takes v onto |v| e_1; the identity where that is within `tolerance`. */
struct half_turn {
    double w, y, z;

    __device__ half_turn(double v1, double v2, double v3, double tolerance) : w(1), y(0), z(0)
    {
        double off = v2 * v2 + v3 * v3, length = sqrt(v1 * v1 + off);
        if (!(sqrt(off) > tolerance))
            return;
        w = v1 < 0 ? off / (length - v1) : length + v1;
        double norm = 1 / sqrt(w * w + off);
        w *= norm;
        y = v3 * norm;
        z = -v2 * norm;
    }
    __device__ bool turns() const
    {
        return y != 0 || z != 0;
    }
};

/* Turns every pair of planes of S, and the planes and the null vector, once, and the rows of WT with them: S <- Q^T S Q,
 * WT <- Q^T WT. Returns whether any was turned. smallest: couplings up to this are left. */
inline __device__ bool plane_sweep(const crew &c, double *S, double *WT, double smallest)
{
    int n = c.n, m = n / 2, players = m + n % 2, seats = players + players % 2;
    int lane = c.thread % PAIR_LANES, groups = c.threads / PAIR_LANES;
    bool turned = false;
    for (int round = 0; round < seats - 1; round++)
        for (int first = 0; first < seats / 2; first += groups) {
            int place = first + c.thread / PAIR_LANES;
            int x = seated(place, round, seats), y = seated(seats - 1 - place, round, seats);
            int a = x < y ? x : y, b = x < y ? y : x;
            bool present = place < seats / 2 && b < players;
            /* Rows u_a, v_a, u_b, v_b, so that entry (u, v) is the angle; the null vector for u_b, none for v_b. */
            int lines = b < m ? 4 : 3, at[4] = {m + a, a, b < m ? m + b : n - 1, b < m ? b : n - 1};
            double e[4][4] = {};
            if (present)
#pragma unroll
                for (int i = 0; i < 4; i++)
#pragma unroll
                    for (int j = i + 1; j < 4; j++)
                        e[i][j] = j < lines ? S[(ptrdiff_t)at[i] * c.stride + at[j]] : 0;
            double p1 = (e[0][1] + e[2][3]) / 2, p2 = (e[0][2] - e[1][3]) / 2, p3 = (e[0][3] + e[1][2]) / 2;
            double q1 = (e[0][1] - e[2][3]) / 2, q2 = (e[0][2] + e[1][3]) / 2, q3 = (e[0][3] - e[1][2]) / 2;
            double p_length = sqrt(p1 * p1 + p2 * p2 + p3 * p3), q_length = sqrt(q1 * q1 + q2 * q2 + q3 * q3);
            double tolerance = fmax(smallest, limits<double>::u * (p_length + q_length));
            half_turn p(p1, p2, p3, tolerance), q(q1, q2, q3, tolerance);
            bool turn = present && (p.turns() || q.turns());
            turned |= turn;
            double P[4][4] = {{p.w, 0, p.y, p.z}, {0, p.w, p.z, -p.y}, {-p.y, -p.z, p.w, 0}, {-p.z, p.y, 0, p.w}};
            double K[4][4] = {{q.w, 0, -q.y, -q.z}, {0, q.w, q.z, -q.y}, {q.y, -q.z, q.w, 0}, {q.z, q.y, 0, q.w}};
            double Q[4][4];
#pragma unroll
            for (int i = 0; i < 4; i++)
#pragma unroll
                for (int j = 0; j < 4; j++)
                    Q[i][j] = P[i][0] * K[0][j] + P[i][1] * K[1][j] + P[i][2] * K[2][j] + P[i][3] * K[3][j];
            __syncwarp(); /* the block has been read by all lanes */
            auto combine = [&](double *M, ptrdiff_t line, ptrdiff_t along) {
                for (int k = lane; k < n && turn; k += PAIR_LANES) {
                    double *column = M + along * k, old[4];
#pragma unroll
                    for (int i = 0; i < 4; i++)
                        old[i] = i < lines ? column[line * at[i]] : 0;
#pragma unroll
                    for (int j = 0; j < 4; j++)
                        if (j < lines)
                            column[line * at[j]] = old[0] * Q[0][j] + old[1] * Q[1][j] + old[2] * Q[2][j] + old[3] * Q[3][j];
                }
            };
            combine(S, c.stride, 1);
            combine(WT, c.stride, 1);
            c.sync();
            combine(S, 1, c.stride);
            c.sync();
            if (turn && lane == 0) {
                double p_left = p.turns() ? 0 : 1, q_left = q.turns() ? 0 : 1; /* couplings that stay */
                p1 = p.turns() ? p_length : p1;
                q1 = q.turns() ? q_length : q1;
                p2 *= p_left, p3 *= p_left, q2 *= q_left, q3 *= q_left;
                double entry[4][4] = {{0, p1 + q1, p2 + q2, p3 + q3}, {0, 0, p3 - q3, q2 - p2}, {0, 0, 0, p1 - q1}, {0}};
#pragma unroll
                for (int i = 0; i < 4; i++)
#pragma unroll
                    for (int j = i + 1; j < 4; j++)
                        if (j < lines) {
                            S[(ptrdiff_t)at[i] * c.stride + at[j]] = entry[i][j];
                            S[(ptrdiff_t)at[j] * c.stride + at[i]] = -entry[i][j];
                        }
            }
            c.sync();
        }
    return c.any(turned);
}

/* The exponent of the largest entry, at least -1000 so that 2^-exponent is finite. S <- S 2^-exponent. */
inline __device__ int scale_to_one(const crew &c, double *S)
{
    double most = 0;
    c.each([&](ptrdiff_t at, int, int) { most = fmax(most, fabs(S[at])); });
    int exponent;
    frexp(c.largest(most), &exponent);
    exponent = exponent < -1000 ? -1000 : exponent;
    double factor = ldexp(1.0, -exponent);
    c.each([&](ptrdiff_t at, int, int) { S[at] *= factor; });
    return exponent;
}

/* The planes of the skew matrix V^T S V, V^T = WT on entry, given S: WT <- W^T, theta[k] >= 0 in no order. S is destroyed; its
 * entries are of size 2^-500 .. 2^500 or 0. false: no convergence. */
inline __device__ bool decompose_planes(const crew &c, double *S, double *WT, double *theta)
{
    int m = c.n / 2;
    double smallest = limits<double>::u / (8 * c.n) * sqrt(c.sum_of_squares(S));
    bool left = true;
    for (int sweep = 0; sweep < JACOBI_SWEEPS && left; sweep++)
        left = plane_sweep(c, S, WT, smallest);
    c.each_row([&](int k) {
        if (k < m)
            theta[k] = S[(ptrdiff_t)(m + k) * c.stride + k];
    });
    c.each([&](ptrdiff_t at, int i, int) { WT[at] = i >= m && i < 2 * m && theta[i - m] < 0 ? -WT[at] : WT[at]; });
    c.each_row([&](int k) {
        if (k < m)
            theta[k] = fabs(theta[k]);
    });
    return !left;
}

/* M <- f(ad_D) M for skew M, as plane_function of libso/cpu/group/planes.h; multiplier(x/2, re, im) multiplies re + i im by
 * f(i x). */
template <class F> __device__ void plane_function(const crew &c, const double *theta, double *M, F multiplier)
{
    int n = c.n, m = n / 2, columns = m + n % 2;
    for (int pair = c.thread; pair < m * columns; pair += c.threads) {
        int a = pair / columns, b = pair % columns;
        double half = theta[a] / 2;
        if (b == m) {
            double *v = c.row(M, a) + n - 1, *u = c.row(M, m + a) + n - 1;
            multiplier(half, *v, *u);
            c.row(M, n - 1)[a] = -*v;
            c.row(M, n - 1)[m + a] = -*u;
            continue;
        }
        double *vv = c.row(M, a) + b, *uv = c.row(M, m + a) + b, *vu = vv + m, *uu = uv + m, other = theta[b] / 2;
        double re_plus = (*vv + *uu) * 0.5, im_plus = (*uv - *vu) * 0.5;
        double re_minus = (*vv - *uu) * 0.5, im_minus = (*uv + *vu) * 0.5;
        multiplier(half - other, re_plus, im_plus);
        multiplier(half + other, re_minus, im_minus);
        *vv = re_plus + re_minus;
        *uu = re_plus - re_minus;
        *uv = im_plus + im_minus;
        *vu = im_minus - im_plus;
    }
    c.sync();
}

#endif
