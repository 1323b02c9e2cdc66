/* diagonal.c: the diagonal of a product, more accurately than product_lower() leaves it.
 *
 * Entries that are multiples of one number (signs, integers times a scale, the rows of a Hadamard matrix) have products whose
 * diagonals are sums of the same terms in every row, so that the rounding errors of all rows are the same: a shift of the whole
 * spectrum, which does not average out as other errors do and which squarings double. Here terms are added in pairs of runs, whose
 * errors grow with the logarithm of n. For the powers of Y see centre.h.
 * SPDX-License-Identifier: MIT */
#include "matrix.h"

enum { RUN = 4, DEPTH = 32 };

/* sum_i P_ij Q_ij of a unit of columns */
static vector column_product(int n, int ld, const elem *P, const elem *Q)
{
    vector open[DEPTH]; /* sums of 2^k runs, at most one of each k */
    int count = 0;
    for (int first = 0, run = 0; first < n; first += RUN, run++) {
        int end = n - first < RUN ? n : first + RUN;
        vector sum = {0};
        for (int i = first; i < end; i++)
            sum += *(const vector *)&P[(ptrdiff_t)i * ld] * *(const vector *)&Q[(ptrdiff_t)i * ld];
        for (int pairs = run; pairs & 1; pairs >>= 1)
            sum += open[--count];
        open[count++] = sum;
    }
    vector all = open[--count];
    while (count > 0)
        all += open[--count];
    return all;
}

void symmetric_diagonal(int n, int sign, const elem *P, const elem *Q, elem *C)
{
    if (n <= 2 * RUN) /* the product has short runs */
        return;
    int ld = matrix_stride(n);
    for (int j = 0; j < n; j += UNIT) {
        vector sum = column_product(n, ld, P + j, Q + j) * (real)sign;
        for (int k = 0; k < UNIT && j + k < n; k++)
            C[(ptrdiff_t)(j + k) * ld + j + k] = ((const elem *)&sum)[k];
    }
}
