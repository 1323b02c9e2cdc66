/* closed_logarithm.c: the logarithm for n = 2, 3, 4, by atan2 of a complex number, a quaternion, a pair of quaternions: accurate
 * next to the identity and next to pi alike. Their lengths cancel, so that none is ever normalised.
 *
 *   n = 3  The quaternion q = (w, v) of a rotation by t about v has w : |v| = cos(t/2) : sin(t/2). It is taken from the largest
 *          column of 4 q q^T, whose entries are sums of entries of the rotation (Shepperd 1978).
 *   n = 4  so(4) = so(3) + so(3): X = L(p) R(q), left and right products by unit quaternions, and p q^T has as entries sums of
 *          entries of X (van Elfrinkhof 1897). exp is that of each part (group/closed_form.c), so the logarithm has the two vectors
 *          a p^, b q^ with a = angle of p, b = angle of q in [0, pi]; of (p, q) and (-p, -q) the principal one has a + b <= pi.
 *
 * Derivative: phi(ad_w)^-1 m = m - w x m/2 + (1 - (t/2) cot(t/2)) w^ x (w^ x m), t = |w|, w^ = w/t.
 * SPDX-License-Identifier: MIT */
#include "closed_logarithm.h"

#include "rotation.h"

#if defined(SO_REAL_f64)

typedef double matrix4[4][4]; /* n < 4: X beside the identity of order 4 - n */

static inline __attribute__((always_inline)) void load(int n, const elem *X, matrix4 x)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            x[i][j] = X[i * matrix_stride(n) + j];
}

static inline void set_skew(int n, int i, int j, double value, elem *A)
{
    A[i * matrix_stride(n) + j] = value;
    A[j * matrix_stride(n) + i] = 0 - value;
}

/* x <- the orthogonal matrix nearest to it; as nearest_orthogonal (rotation.h). */
static inline __attribute__((always_inline)) int make_orthogonal(int n, matrix4 x)
{
    for (int first = 1;; first = 0) {
        matrix4 d, y;
        double squares = 0;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                d[i][j] = i == j ? -1 : 0;
                for (int k = 0; k < n; k++)
                    d[i][j] += x[i][k] * x[j][k];
                squares += d[i][j] * d[i][j];
            }
        if (first && !(squares <= LARGEST_DEFECT * LARGEST_DEFECT))
            return 0;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                y[i][j] = 0;
                for (int k = 0; k < n; k++)
                    y[i][j] += d[i][k] * x[k][j];
            }
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                x[i][j] -= y[i][j] / 2;
        if (squares <= REAL_EPSILON) /* what is left is below u */
            return 1;
    }
}

/* By 2 x 2 minors of the first two rows times those of the others. */
static double determinant(matrix4 x)
{
    double sum = 0;
    static const int pairs[6][4] = {{0, 1, 2, 3}, {0, 2, 3, 1}, {0, 3, 1, 2}, {2, 3, 0, 1}, {3, 1, 0, 2}, {1, 2, 0, 3}};
    for (int k = 0; k < 6; k++) {
        const int *p = pairs[k];
        sum += (x[0][p[0]] * x[1][p[1]] - x[0][p[1]] * x[1][p[0]]) * (x[2][p[2]] * x[3][p[3]] - x[2][p[3]] * x[3][p[2]]);
    }
    return sum;
}

static inline double dot(const double *x, const double *y)
{
    return x[0] * y[0] + x[1] * y[1] + x[2] * y[2];
}

/* What turns the vector part v of a quaternion (w, v) into its angle times its direction. */
static inline double angle_ratio(double w, const double *v)
{
    double length = sqrt(dot(v, v));
    if (length <= 0x1p-30 * w) /* atan x = x; no square is lost to underflow where it counts */
        return 1 / w;
    return length > 0 ? atan2(length, w) / length : 0;
}

static void log3(matrix4 x, elem *A)
{
    double trace = x[0][0] + x[1][1] + x[2][2];
    double q[4] = {1 + trace, x[2][1] - x[1][2], x[0][2] - x[2][0], x[1][0] - x[0][1]}; /* the column of w */
    double diagonal[4] = {q[0], 2 * x[0][0] + 1 - trace, 2 * x[1][1] + 1 - trace, 2 * x[2][2] + 1 - trace};
    int largest = 0;
    for (int k = 1; k < 4; k++)
        largest = diagonal[k] > diagonal[largest] ? k : largest;
    if (largest) {
        int i = largest - 1, j = (i + 1) % 3, k = (i + 2) % 3;
        q[0] = q[largest];
        q[1 + i] = diagonal[largest];
        q[1 + j] = x[i][j] + x[j][i];
        q[1 + k] = x[i][k] + x[k][i];
    }
    double sign = q[0] < 0 ? -1 : 1, ratio = 2 * sign * angle_ratio(sign * q[0], q + 1);
    for (int k = 0; k < 3; k++)
        set_skew(3, (k + 2) % 3, (k + 1) % 3, ratio * q[1 + k], A);
}

/* 4 p q^T */
static void quaternions_of(matrix4 x, matrix4 m)
{
    /* Row i of L_a has its only entry, of the sign left[a][i], in column[a][i]; likewise R_b. */
    static const int column[4][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 3, 0, 1}, {1, 0, 3, 2}};
    static const double left[4][4] = {{1, 1, 1, 1}, {1, -1, 1, -1}, {1, 1, -1, -1}, {-1, 1, 1, -1}};
    static const double right[4][4] = {{1, 1, 1, 1}, {1, 1, -1, -1}, {-1, 1, 1, -1}, {1, -1, 1, -1}};
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < 4; b++) {
            m[a][b] = 0;
            for (int i = 0; i < 4; i++) {
                int k = column[a][i];
                m[a][b] += left[a][i] * right[b][k] * x[i][column[b][k]];
            }
        }
}

/* -1 if the angles of p and q add up to more than pi, seen from their cosines unless these cancel. */
static double principal_sign(const double *p, const double *q)
{
    double v = dot(p + 1, p + 1), w = dot(q + 1, q + 1), cosines = p[0] / sqrt(p[0] * p[0] + v) + q[0] / sqrt(q[0] * q[0] + w);
    if (fabs(cosines) < 0x1p-20)
        cosines = M_PI - atan2(sqrt(v), p[0]) - atan2(sqrt(w), q[0]);
    return cosines < 0 ? -1 : 1;
}

static void log4(matrix4 x, elem *A)
{
    matrix4 m;
    double p[4] = {0, 0, 0, 0}, q[4] = {0, 0, 0, 0}, longest = -1;
    quaternions_of(x, m);
    for (int b = 0; b < 4; b++) {
        double square = 0;
        for (int k = 0; k < 4; k++)
            square += m[k][b] * m[k][b];
        if (square > longest) {
            longest = square;
            for (int k = 0; k < 4; k++)
                p[k] = m[k][b];
        }
    }
    for (int k = 0; k < 4; k++)
        for (int b = 0; b < 4; b++)
            q[b] += m[k][b] * p[k] / 4;
    double sign = principal_sign(p, q);
    double ratio[2] = {sign * angle_ratio(sign * p[0], p + 1), sign * angle_ratio(sign * q[0], q + 1)};
    if (ratio[0] == 0) /* X = -I: p^ may be anything; q is positive, by its making */
        p[1] = 1, ratio[0] = M_PI;
    for (int k = 0; k < 3; k++) {
        double a = ratio[0] * p[1 + k], b = ratio[1] * q[1 + k];
        set_skew(4, (k + 2) % 3, (k + 1) % 3, a - b, A);
        set_skew(4, k, 3, a + b, A);
    }
}

so_status SO_(closed_logarithm)(int n, const elem *X, elem *A)
{
    matrix4 x = {{0}, {0}, {0, 0, 1, 0}, {0, 0, 0, 1}};
    int orthogonal;
    memset(A, 0, (size_t)matrix_size(n) * sizeof(elem));
    if (n == 2) {
        load(2, X, x);
        orthogonal = make_orthogonal(2, x);
    } else if (n == 3) {
        load(3, X, x);
        orthogonal = make_orthogonal(3, x);
    } else {
        load(4, X, x);
        orthogonal = make_orthogonal(4, x);
    }
    if (!orthogonal)
        return SO_ESINGULAR;
    if (!(determinant(x) > 0))
        return SO_EREFLECTION;
    if (n == 2)
        set_skew(2, 1, 0, atan2(x[1][0] - x[0][1], x[0][0] + x[1][1]), A);
    else if (n == 3)
        log3(x, A);
    else
        log4(x, A);
    return SO_OK;
}

/* ---- The derivative ---- */

static void cross(const double *x, const double *y, double *z)
{
    for (int k = 0; k < 3; k++)
        z[k] = x[(k + 1) % 3] * y[(k + 2) % 3] - x[(k + 2) % 3] * y[(k + 1) % 3];
}

/* y = phi(ad_w)^-1 m; returns 0 where it does not exist. */
static int inverse_phi(const double *w, const double *m, double smallest_sine, double *y)
{
    double t = sqrt(dot(w, w)), wm[3], direction[3], um[3], uum[3];
    cross(w, m, wm);
    for (int k = 0; k < 3; k++)
        y[k] = m[k] - wm[k] / 2;
    if (t < 0x1p-30) /* the third term, t^2/12, is below u */
        return 1;
    double sine = sin(t / 2), factor = 1 - t / 2 * cos(t / 2) / sine;
    if (t > 1 && !(fabs(sine) > smallest_sine)) /* also where t overflows */
        return 0;
    for (int k = 0; k < 3; k++)
        direction[k] = w[k] / t;
    cross(direction, m, um);
    cross(direction, um, uum);
    for (int k = 0; k < 3; k++)
        y[k] += factor * uum[k];
    return 1;
}

static double skew_entry(int n, const elem *X, int i, int j)
{
    return (X[i * matrix_stride(n) + j] - X[j * matrix_stride(n) + i]) / 2;
}

static void vector_of(int n, const elem *X, double *v) /* of the leading 3 x 3 block: X x = v x x */
{
    for (int k = 0; k < 3; k++)
        v[k] = skew_entry(n, X, (k + 2) % 3, (k + 1) % 3);
}

/* so(4) = so(3) + so(3): p and -q of X = L(p) + R(q), both times 1/2 of what ad acts by. */
static void split(const elem *X, double *plus, double *minus)
{
    vector_of(4, X, plus);
    for (int k = 0; k < 3; k++) {
        double a = plus[k] / 2, b = skew_entry(4, X, k, 3) / 2;
        plus[k] = a + b;
        minus[k] = a - b;
    }
}

so_status SO_(closed_logarithm_vjp)(int n, const elem *R, const elem *A, const elem *dA, double smallest_sine, elem *dR)
{
    int ld = matrix_stride(n), exists = 1;
    double w[2][3], m[2][3], y[2][3];
    matrix4 Y = {{0}};
    if (n == 2) {
        Y[1][0] = skew_entry(2, dA, 1, 0);
    } else if (n == 3) {
        vector_of(3, A, w[0]);
        vector_of(3, dA, m[0]);
        exists = inverse_phi(w[0], m[0], smallest_sine, y[0]);
        for (int k = 0; k < 3; k++)
            Y[(k + 2) % 3][(k + 1) % 3] = y[0][k];
    } else {
        split(A, w[0], w[1]);
        split(dA, m[0], m[1]);
        for (int s = 0; s < 2; s++) {
            for (int k = 0; k < 3; k++)
                w[s][k] *= 2;
            exists &= inverse_phi(w[s], m[s], smallest_sine, y[s]);
        }
        for (int k = 0; k < 3; k++) {
            Y[(k + 2) % 3][(k + 1) % 3] = y[0][k] + y[1][k];
            Y[k][3] = y[0][k] - y[1][k];
        }
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int k = 0; k < n; k++)
                sum += R[i * ld + k] * (Y[k][j] - Y[j][k]);
            dR[i * ld + j] = sum;
        }
    return exists ? SO_OK : SO_ESINGULAR;
}

#endif
