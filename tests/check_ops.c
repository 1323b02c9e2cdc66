/* check_ops.c: products, normalisation, attention and token handling of the CPU backend against plain double precision, at
 * sizes that fill no piece and no SIMD vector, with gaps between rows.
 *
 * A sum of K products has an f32 error of at most (K + 2) u sum |terms| in any order (Higham, Accuracy and Stability, 3.1);
 * that is the tolerance of every product here. Gradients of non-linear functions are compared with a central difference of the
 * double reference along random directions; its own error is stated where it is used. SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/ops.h"
#include "random.h"

static const double U = 0x1p-24;

/* |got - want| <= tolerance, or the test fails; NaN fails. Unlike ck_assert() it is cheap as long as it holds. */
static void near(const char *what, int64_t at, double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        ck_abort_msg("%s, element %lld: %.9g, exact %.9g, allowed difference %.3g", what, (long long)at, got, want, tolerance);
}

static float *draw(int64_t n, uint64_t seed)
{
    float *x = malloc((size_t)(n ? n : 1) * sizeof *x);
    ck_assert(x != NULL);
    random_sequence s = random_start(seed, RANDOM_ANALYSIS, 0, 0);
    for (int64_t i = 0; i < n; i++)
        x[i] = random_normal(&s);
    return x;
}

static double dot(int64_t n, const float *x, const float *y)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)y[i];
    return sum;
}

static const int SHAPES[][3] = {{1, 1, 1}, {3, 5, 2}, {130, 33, 17}, {257, 64, 192}, {300, 530, 7}, {64, 1, 65}};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES };

START_TEST(linear_layers)
{
    const int rows = SHAPES[_i][0], in = SHAPES[_i][1], out = SHAPES[_i][2], ldx = in + 3, ldy = out + 5;
    ops *o = ops_create_cpu(2);
    float *x = draw(rows * ldx, 1), *w = draw(out * in, 2), *b = draw(out, 3), *y = draw(rows * ldy, 4),
          *y0 = draw(rows * ldy, 4);
    float *dx = draw(rows * ldx, 5), *dx0 = draw(rows * ldx, 5), *dw = draw(out * in, 6), *dw0 = draw(out * in, 6);
    float *db = draw(out, 7), *db0 = draw(out, 7);
    o->linear(o, rows, in, out, x, ldx, w, b, y, ldy);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < ldy; c++) {
            if (c >= out) { /* gaps stay as they were */
                near("gap", r * ldy + c, (double)y[r * ldy + c], (double)y0[r * ldy + c], 0);
                continue;
            }
            double sum = (double)b[c], size = fabs(sum);
            for (int k = 0; k < in; k++) {
                double term = (double)x[r * ldx + k] * (double)w[c * in + k];
                sum += term;
                size += fabs(term);
            }
            near("y", r * ldy + c, (double)y[r * ldy + c], sum, (in + 2) * U * size);
        }
    memcpy(y, y0, (size_t)(rows * ldy) * sizeof(float)); /* now the upstream gradient */
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        memcpy(dx, dx0, (size_t)(rows * ldx) * sizeof(float));
        o->linear_backward_input(o, rows, in, out, y, ldy, w, dx, ldx, accumulate);
        for (int r = 0; r < rows; r++)
            for (int k = 0; k < ldx; k++) {
                double sum = accumulate || k >= in ? (double)dx0[r * ldx + k] : 0, size = fabs(sum);
                for (int c = 0; c < out && k < in; c++) {
                    double term = (double)y[r * ldy + c] * (double)w[c * in + k];
                    sum += term;
                    size += fabs(term);
                }
                near("dx", r * ldx + k, (double)dx[r * ldx + k], sum, (out + 2) * U * size);
            }
    }
    o->linear_backward_weight(o, rows, in, out, y, ldy, x, ldx, dw, db);
    for (int c = 0; c < out; c++) {
        double bias = (double)db0[c], bias_size = fabs(bias);
        for (int r = 0; r < rows; r++) {
            bias += (double)y[r * ldy + c];
            bias_size += fabs((double)y[r * ldy + c]);
        }
        near("db", c, (double)db[c], bias, (rows + 2) * U * bias_size);
        for (int k = 0; k < in; k++) {
            double sum = (double)dw0[c * in + k], size = fabs(sum);
            for (int r = 0; r < rows; r++) {
                double term = (double)y[r * ldy + c] * (double)x[r * ldx + k];
                sum += term;
                size += fabs(term);
            }
            near("dw", c * in + k, (double)dw[c * in + k], sum, (rows + 2) * U * size);
        }
    }
    float *all[] = {x, w, b, y, y0, dx, dx0, dw, dw0, db, db0};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    o->destroy(o);
}
END_TEST

/* <gradient, direction> against (f(+h) - f(-h))/2h, where f is computed in double: its truncation error is O(h^2), about 1e-8
 * for h = 1e-4, its rounding error 1e-16/h. */
static const double STEP = 1e-4;

static double normalised_dot(int rows, int cols, const float *x, const float *dir, double h, const float *w, const float *b,
                             const float *dy)
{
    double total = 0;
    for (int r = 0; r < rows; r++) {
        double mean = 0, var = 0;
        for (int c = 0; c < cols; c++)
            mean += ((double)x[r * cols + c] + h * (double)dir[r * cols + c]) / cols;
        for (int c = 0; c < cols; c++)
            var += pow((double)x[r * cols + c] + h * (double)dir[r * cols + c] - mean, 2) / cols;
        for (int c = 0; c < cols; c++) {
            double z = (double)x[r * cols + c] + h * (double)dir[r * cols + c];
            total += (double)dy[r * cols + c] * ((z - mean) / sqrt(var + 1e-5) * (double)w[c] + (double)b[c]);
        }
    }
    return total;
}

START_TEST(layer_normalisation)
{
    const int rows = SHAPES[_i][0], cols = SHAPES[_i][1] + 1, n = rows * cols;
    ops *o = ops_create_cpu(3);
    float *x = draw(n, 1), *w = draw(cols, 2), *b = draw(cols, 3), *y = draw(n, 4), *mean = draw(rows, 5),
          *rstd = draw(rows, 6);
    float *dy = draw(n, 7), *dx = draw(n, 8), *before = draw(n, 8), *dw = draw(cols, 9), *db = draw(cols, 10);
    for (int i = 0; i < n; i++)
        x[i] += 3;
    o->layernorm(o, rows, cols, x, w, b, y, mean, rstd);
    for (int r = 0; r < rows; r++) {
        double m = 0, var = 0, most = 0;
        for (int c = 0; c < cols; c++)
            m += (double)x[r * cols + c] / cols;
        for (int c = 0; c < cols; c++) {
            var += pow((double)x[r * cols + c] - m, 2) / cols;
            most = fmax(most, fabs((double)x[r * cols + c]));
        }
        double s = 1 / sqrt(var + 1e-5);
        for (int c = 0; c < cols; c++) {
            double h = ((double)x[r * cols + c] - m) * s;
            /* the mean is wrong by (cols + 2) u max|x|, the variance relatively by (cols + 4) u, then four roundings */
            double tolerance = (cols + 8) * U * ((most * s + fabs(h)) * fabs((double)w[c]) + fabs((double)b[c]));
            near("y", r * cols + c, (double)y[r * cols + c], h * (double)w[c] + (double)b[c], tolerance);
        }
    }
    float *dw0 = draw(cols, 9), *db0 = draw(cols, 10);
    o->layernorm_backward(o, rows, cols, x, w, mean, rstd, dy, dx, dw, db);
    for (int i = 0; i < n; i++)
        dx[i] -= before[i]; /* the function adds */
    for (int trial = 0; trial < 3; trial++) {
        float *dir = draw(n, 20 + (uint64_t)trial);
        double slope =
            (normalised_dot(rows, cols, x, dir, STEP, w, b, dy) - normalised_dot(rows, cols, x, dir, -STEP, w, b, dy)) /
            (2 * STEP);
        double size = 0, steepest = 0;
        for (int r = 0; r < rows; r++)
            steepest = fmax(steepest, (double)rstd[r]);
        for (int i = 0; i < n; i++)
            size += fabs((double)dir[i]) * (fabs((double)dx[i]) + fabs((double)before[i]));
        /* rounding as above; truncation: third derivatives of 1/sqrt grow with rstd^3 */
        double tolerance = (cols + 16) * U * (size + n) * fmax(1, steepest) + STEP * STEP * n * pow(fmax(1, steepest), 3);
        ck_assert_msg(fabs(dot(n, dx, dir) - slope) <= tolerance, "%d x %d: %g, difference quotient %g, allowed %g", rows, cols,
                      dot(n, dx, dir), slope, tolerance);
        free(dir);
    }
    for (int c = 0; c < cols; c++) {
        double sum = (double)dw0[c], size = fabs(sum), bias = (double)db0[c], bias_size = fabs(bias);
        for (int r = 0; r < rows; r++) {
            double h = ((double)x[r * cols + c] - (double)mean[r]) * (double)rstd[r], term = (double)dy[r * cols + c] * h;
            sum += term;
            size += fabs(term);
            bias += (double)dy[r * cols + c];
            bias_size += fabs((double)dy[r * cols + c]);
        }
        near("dw", c, (double)dw[c], sum, (rows + 8) * U * (size + rows));
        near("db", c, (double)db[c], bias, (rows + 2) * U * bias_size);
    }
    float *all[] = {x, w, b, y, mean, rstd, dy, dx, before, dw, db, dw0, db0};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    o->destroy(o);
}
END_TEST

/* out (B, Q, H, D) in double for qkv + h dir; returns <dout, out>. */
static double attention_dot(const ops_attention *a, const float *qkv, const float *dir, double h, const float *dout,
                            double *out)
{
    const int T = a->tokens, H = a->heads, D = a->head_dim, Q = a->queries;
    double total = 0, *p = malloc((size_t)T * sizeof *p);
#define AT(b, t, slot, head, d) ((((int64_t)((b)*T + (t)) * 3 + (slot)) * H + (head)) * D + (d))
#define VALUE(i) ((double)qkv[i] + h * (double)dir[i])
    for (int b = 0; b < a->batch; b++)
        for (int head = 0; head < H; head++)
            for (int t = 0; t < Q; t++) {
                double most = -INFINITY, sum = 0;
                for (int j = 0; j < T; j++) {
                    p[j] = 0;
                    for (int d = 0; d < D; d++)
                        p[j] += VALUE(AT(b, t, 0, head, d)) * VALUE(AT(b, j, 1, head, d)) / sqrt(D);
                    most = fmax(most, p[j]);
                }
                for (int j = 0; j < T; j++)
                    sum += p[j] = exp(p[j] - most);
                for (int d = 0; d < D; d++) {
                    double y = 0;
                    for (int j = 0; j < T; j++)
                        y += p[j] / sum * VALUE(AT(b, j, 2, head, d));
                    int64_t i = ((int64_t)(b * Q + t) * H + head) * D + d;
                    total += y * (double)dout[i];
                    if (out)
                        out[i] = y;
                }
            }
    free(p);
    return total;
}

static const ops_attention ATTENTIONS[] = {{1, 1, 1, 1, 1},   {2, 5, 5, 3, 4},   {2, 26, 26, 2, 32},
                                           {2, 26, 1, 2, 32}, {1, 67, 67, 2, 7}, {3, 17, 1, 1, 3}};
enum { ATTENTION_COUNT = sizeof ATTENTIONS / sizeof *ATTENTIONS };

START_TEST(attention)
{
    const ops_attention a = ATTENTIONS[_i];
    const int T = a.tokens, H = a.heads, D = a.head_dim, Q = a.queries, B = a.batch;
    const int64_t n = (int64_t)B * T * 3 * H * D, m = (int64_t)B * Q * H * D;
    ops *o = ops_create_cpu(2);
    float *qkv = draw(n, 1), *dout = draw(m, 2), *out = draw(m, 3), *lse = draw(B * H * Q, 4),
          *dqkv = calloc((size_t)n, sizeof(float));
    double *exact = malloc((size_t)m * sizeof *exact);
    o->attention(o, &a, qkv, out, lse);
    attention_dot(&a, qkv, qkv, 0, dout, exact);
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fabs((double)qkv[i]));
    /* scores are wrong by (D + 4) u sqrt(D) most^2 at worst, probabilities relatively by twice that, values are averaged */
    double scores = (D + 4) * U * sqrt(D) * most * most;
    for (int64_t i = 0; i < m; i++)
        near("out", i, (double)out[i], exact[i], (2 * scores + (T + 6) * U) * most);
    o->attention_backward(o, &a, qkv, out, lse, dout, dqkv);
    for (int trial = 0; trial < 4; trial++) {
        float *dir = draw(n, 10 + (uint64_t)trial);
        for (int64_t i = 0; i < n && trial < 3; i++) /* q alone, k alone, v alone, all */
            if (i / (H * D) % 3 != trial)
                dir[i] = 0;
        double slope =
            (attention_dot(&a, qkv, dir, STEP, dout, NULL) - attention_dot(&a, qkv, dir, -STEP, dout, NULL)) / (2 * STEP);
        double size = 0;
        for (int64_t i = 0; i < n; i++)
            size += fabs((double)dir[i] * (double)dqkv[i]);
        /* dS = P (dP - delta) is a difference of numbers up to most^2, hence not relative to its own size alone */
        double tolerance = (4 * scores + (T + D + 16) * U) * (size + (double)m * most) + STEP * STEP * (double)m * most;
        ck_assert_msg(fabs(dot(n, dqkv, dir) - slope) <= tolerance, "trial %d: %g, difference quotient %g, allowed %g", trial,
                      dot(n, dqkv, dir), slope, tolerance);
        free(dir);
    }
    float *all[] = {qkv, dout, out, lse, dqkv};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(exact);
    o->destroy(o);
}
END_TEST

START_TEST(patches)
{
    const ops_patches p = {.batch = 2, .channels = 3, .size = {4, 6, 10}, .patch = {2, 3, 5}};
    enum { PIXELS = 4 * 6 * 10, VOLUME = 2 * 3 * 5 * 3 };
    static float images[2 * 3 * PIXELS], got[2 * 3 * PIXELS];
    for (int i = 0; i < 2 * 3 * PIXELS; i++)
        images[i] = (float)i;
    ops *o = ops_create_cpu(2);
    o->patchify(o, &p, images, got);
    for (int b = 0; b < 2; b++)
        for (int f = 0; f < 4; f++)
            for (int r = 0; r < 6; r++)
                for (int c = 0; c < 10; c++)
                    for (int k = 0; k < 3; k++) {
                        int patch = (f / 2 * 2 + r / 3) * 2 + c / 5, place = (((f % 2) * 3 + r % 3) * 5 + c % 5) * 3 + k;
                        ck_assert(got[(b * 8 + patch) * VOLUME + place] == (float)(((b * 3 + k) * 4 + f) * 60 + r * 10 + c));
                    }
    o->destroy(o);
}
END_TEST

/* Linear maps: values by hand, and <dy, A x> = <A^T dy, x>. */
START_TEST(tokens)
{
    enum { B = 3, N = 5, T = N + 1, C = 7 };
    ops *o = ops_create_cpu(2);
    float *y = draw(B * N * C, 1), *cls = draw(C, 2), *table = draw(T * C, 3), *x = draw(B * T * C, 4), *mean = draw(B * C, 5);
    float *dx = draw(B * T * C, 6), *dy = draw(B * N * C, 7), *dcls = calloc(C, sizeof(float)),
          *dtable = calloc(T * C, sizeof(float));
    for (int with = 0; with < 2; with++) {
        memset(dcls, 0, C * sizeof(float));
        o->embed(o, B, N, C, y, cls, with ? table : NULL, x);
        for (int i = 0; i < B * T * C; i++) {
            int b = i / (T * C), t = i / C % T, c = i % C;
            float want = t ? y[(b * N + t - 1) * C + c] : cls[c];
            ck_assert(x[i] == (with ? want + table[t * C + c] : want));
        }
        o->embed_backward(o, B, N, C, dx, dy, dcls, with ? dtable : NULL);
        double left = dot(B * T * C, dx, x),
               right = dot(B * N * C, dy, y) + dot(C, dcls, cls) + (with ? dot(T * C, dtable, table) : 0);
        ck_assert(fabs(left - right) <= (B + 2) * U * 4 * B * T * C);
    }
    o->mean_tokens(o, B, T, C, x, mean);
    o->mean_tokens_backward(o, B, T, C, mean, dx);
    for (int b = 0; b < B; b++)
        for (int c = 0; c < C; c++) {
            double sum = 0, size = 0;
            for (int t = 0; t < T; t++) {
                sum += (double)x[(b * T + t) * C + c] / T;
                size += fabs((double)x[(b * T + t) * C + c]) / T;
                ck_assert(fabs((double)dx[(b * T + t) * C + c] - (double)mean[b * C + c] / T) <= 2 * U * size);
            }
            ck_assert(fabs((double)mean[b * C + c] - sum) <= (T + 2) * U * size);
        }
    float *all[] = {y, cls, table, x, mean, dx, dy, dcls, dtable};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    o->destroy(o);
}
END_TEST

Suite *check_ops(void)
{
    Suite *s = suite_create("ops");
    TCase *t = tcase_create("ops");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, linear_layers, 0, SHAPE_COUNT);
    tcase_add_loop_test(t, layer_normalisation, 0, SHAPE_COUNT);
    tcase_add_loop_test(t, attention, 0, ATTENTION_COUNT);
    tcase_add_test(t, patches);
    tcase_add_test(t, tokens);
    suite_add_tcase(s, t);
    return s;
}
