/* bidiagonal.c: the singular value decomposition of a bidiagonal matrix by implicit-shift QR (Golub & Kahan 1965), without a
 * shift where one would cost relative accuracy (Demmel & Kahan, SIAM J. Sci. Stat. Comput. 1990).
 *
 * A coupling is dropped at u of what it couples (4 u if it does not go away), two orders below bdsqr: where angles are equal, what
 * is dropped here is the error of the exponential. A sweep starts at the larger end of its block. Its rotations are kept and then
 * applied to the vectors, which lie in rows, in strips that stay in registers.
 * SPDX-License-Identifier: MIT */
#include "bidiagonal.h"

#if defined(SO_REAL_f64)

typedef real vector __attribute__((vector_size(VECTOR_BYTES), may_alias));

typedef struct rotation {
    real c, s; /* [[c, s], [-s, c]] on two neighbouring rows */
} rotation;

/* An unreduced block, read from the end where the sweep starts: from the top as it is, from the bottom as its transpose. */
typedef struct block {
    int size, step; /* step 1 or -1 from entry to entry */
    real *d, *e;
    elem *inner, *outer; /* row of the vectors at the start: of the rows and of the columns of this reading */
} block;

/* The rotation that maps (f, g) to (r, 0). */
static inline rotation rotation_of(real f, real g, real *r)
{
    real sum = f * f + g * g;
    if (g == 0) {
        *r = f;
        return (rotation){1, 0};
    }
    if (sum < 0x1p-900) { /* entries of B are at most about n */
        f *= 0x1p600;
        g *= 0x1p600;
        sum = f * f + g * g;
        real length = sqrt(sum);
        *r = length * 0x1p-600;
        return (rotation){f / length, g / length};
    }
    *r = sqrt(sum);
    return (rotation){f / *r, g / *r};
}

/* The smaller singular value of [[f, g], [0, h]]. */
static real smaller_singular_value(real f, real g, real h)
{
    real sum = fabs(f) + fabs(h), difference = fabs(f) - fabs(h);
    real denominator = sqrt(sum * sum + g * g) + sqrt(difference * difference + g * g);
    return denominator > 0 ? 2 * (fabs(f) / denominator) * fabs(h) : 0;
}

/* One sweep over the block; columns[i], rows[i]: what it does to columns and to rows i, i + 1. */
static void shifted_sweep(const block *b, real shift, rotation *columns, rotation *rows)
{
    int step = b->step, last = b->size - 1;
    real *d = b->d, *e = b->e, diagonal = *d, above = *e;
    real f = (fabs(diagonal) - shift) * (copysign(1, diagonal) + shift / diagonal), g = above, r;
    for (int i = 0; i < last; i++) {
        rotation column = columns[i] = rotation_of(f, g, &r);
        if (i > 0)
            e[(i - 1) * step] = r;
        f = column.c * diagonal + column.s * above;
        above = column.c * above - column.s * diagonal;
        real below = column.s * d[(i + 1) * step], next = column.c * d[(i + 1) * step];
        rotation row = rows[i] = rotation_of(f, below, &r);
        d[i * step] = r;
        f = row.c * above + row.s * next;
        diagonal = row.c * next - row.s * above;
        if (i + 1 < last) {
            g = row.s * e[(i + 1) * step];
            above = row.c * e[(i + 1) * step];
        }
    }
    e[(last - 1) * step] = f;
    d[last * step] = diagonal;
}

/* The same with shift 0, in the order of operations that keeps every entry's relative accuracy. */
static void zero_shift_sweep(const block *b, rotation *columns, rotation *rows)
{
    int step = b->step, last = b->size - 1;
    real *d = b->d, *e = b->e, r;
    rotation column = {1, 0}, row = {1, 0};
    for (int i = 0; i < last; i++) {
        columns[i] = column = rotation_of(d[i * step] * column.c, e[i * step], &r);
        if (i > 0)
            e[(i - 1) * step] = row.s * r;
        rows[i] = row = rotation_of(row.c * r, d[(i + 1) * step] * column.s, &d[i * step]);
    }
    real h = d[last * step] * column.c;
    d[last * step] = h * row.c;
    e[(last - 1) * step] = h * row.s;
}

static inline __attribute__((always_inline)) void rotate_strip(int width, int count, ptrdiff_t step, const rotation *q,
                                                               elem *row)
{
    vector carried[4];
    for (int j = 0; j < width; j++)
        carried[j] = ((const vector *)row)[j];
    for (int i = 0; i < count; i++) {
        vector *here = (vector *)row, *next = (vector *)(row += step);
        for (int j = 0; j < width; j++) {
            vector y = next[j];
            here[j] = q[i].c * carried[j] + q[i].s * y;
            carried[j] = q[i].c * y - q[i].s * carried[j];
        }
    }
    for (int j = 0; j < width; j++)
        ((vector *)row)[j] = carried[j];
}

/* Applies count rotations to the rows row, row + step, ... of length ld. */
static void rotate_rows(int count, ptrdiff_t step, int ld, const rotation *q, elem *row)
{
    int j = 0;
    for (; j + 4 * VECTOR_LANES <= ld; j += 4 * VECTOR_LANES)
        rotate_strip(4, count, step, q, row + j);
    for (; j + 2 * VECTOR_LANES <= ld; j += 2 * VECTOR_LANES)
        rotate_strip(2, count, step, q, row + j);
    for (; j < ld; j += VECTOR_LANES)
        rotate_strip(1, count, step, q, row + j);
}

/* Whether entry i above the diagonal is zero or becomes so: what is below `tolerance` of its neighbours, and denormal numbers. */
static int splits(real tolerance, const real *d, real *e, int i)
{
    if (fabs(e[i]) > tolerance * (fabs(d[i]) + fabs(d[i + 1])) && fabs(e[i]) > 0x1p-1000)
        return 0;
    e[i] = 0;
    return 1;
}

static void sweep(const block *b, int may_shift, int ld, rotation *columns, rotation *rows)
{
    real *d = b->d + (b->size - 2) * b->step, *e = b->e + (b->size - 2) * b->step;
    real shift = may_shift ? smaller_singular_value(d[0], *e, d[b->step]) : 0, first = fabs(*b->d);
    if (first > 0 && shift > 0x1p-26 * first)
        shifted_sweep(b, shift, columns, rows);
    else
        zero_shift_sweep(b, columns, rows);
    rotate_rows(b->size - 1, b->step * (ptrdiff_t)ld, ld, columns, b->outer);
    rotate_rows(b->size - 1, b->step * (ptrdiff_t)ld, ld, rows, b->inner);
}

/* A few sweeps find a singular value, but where two are equal rounding may keep a coupling at 2 u for ever: after PATIENCE sweeps
 * for the same value a little more is dropped. */
enum { SWEEPS_PER_VALUE = 30, PATIENCE = 10 };

int SO_(bidiagonal_svd)(int m, real *d, real *e, int ld, elem *left, elem *right, real *work)
{
    rotation *columns = (rotation *)work, *rows = columns + m;
    memset(left, 0, (size_t)m * (size_t)ld * sizeof(elem));
    memset(right, 0, (size_t)m * (size_t)ld * sizeof(elem));
    for (int i = 0; i < m; i++)
        left[(ptrdiff_t)i * ld + i] = right[(ptrdiff_t)i * ld + i] = 1;
    int high = m - 1, last_low = m, last_high = -1, upward = 0;
    if (m > 1 && d[high] == 0) { /* a zero at the end goes in one sweep */
        block whole = {m, 1, d, e, left, right};
        sweep(&whole, 0, ld, columns, rows);
        high--;
    }
    int sweeps = 0; /* for the value at `high` */
    for (long budget = (long)SWEEPS_PER_VALUE * m; high > 0; budget--) {
        real tolerance = sweeps < PATIENCE ? REAL_EPSILON : 4 * REAL_EPSILON;
        if (splits(tolerance, d, e, high - 1)) {
            high--;
            sweeps = 0;
            continue;
        }
        if (budget < 0)
            return 0;
        int low = high - 1;
        while (low > 0 && !splits(tolerance, d, e, low - 1))
            low--;
        if (low > last_high || high < last_low)
            upward = fabs(d[high]) > fabs(d[low]);
        last_low = low;
        last_high = high;
        block down = {high - low + 1, 1, d + low, e + low, left + (ptrdiff_t)low * ld, right + (ptrdiff_t)low * ld};
        block up = {high - low + 1, -1, d + high, e + high - 1, right + (ptrdiff_t)high * ld, left + (ptrdiff_t)high * ld};
        sweep(upward ? &up : &down, 1, ld, columns, rows);
        sweeps++;
    }
    for (int i = 0; i < m; i++)
        if (d[i] < 0) {
            d[i] = -d[i];
            for (int j = 0; j < ld; j++)
                left[(ptrdiff_t)i * ld + j] *= -1;
        }
    return 1;
}

#endif
