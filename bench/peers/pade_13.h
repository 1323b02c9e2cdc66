/* pade_13.h: the exponential of lapacke.c for one real type; included once per type, with `real`, `gemm`, `gesv` and NAME(x)
 * defined. SPDX-License-Identifier: MIT */

static void NAME(combine)(size_t size, const real *const power[3], int first, real *to)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (real)b[first] * power[0][i] + (real)b[first + 2] * power[1][i] + (real)b[first + 4] * power[2][i];
}

static void NAME(product)(int n, const real *X, const real *Y, real *Z, real keep)
{
    gemm(CblasColMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, X, n, Y, n, keep, Z, n);
}

static void NAME(add_diagonal)(int n, double term, real *X)
{
    for (int i = 0; i < n; i++)
        X[(size_t)i * ((size_t)n + 1)] += (real)term;
}

static double NAME(norm_1)(int n, const real *A)
{
    double worst = 0;
    for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int i = 0; i < n; i++)
            sum += fabs((double)A[(size_t)j * (size_t)n + (size_t)i]);
        worst = fmax(worst, sum);
    }
    return worst;
}

/* Row-major A read as column-major is A^T, and exp(A^T) = exp(A)^T: no transposition. work: 7 n^2. */
static void NAME(exponential)(int n, const real *A, real *R, real *work, lapack_int *pivots)
{
    size_t size = (size_t)n * (size_t)n;
    real *X = work, *X2 = X + size, *X4 = X2 + size, *X6 = X4 + size, *U = X6 + size, *V = U + size, *T = V + size;
    const real *power[] = {X2, X4, X6};
    double norm = NAME(norm_1)(n, A);
    int squarings = norm > theta ? (int)ceil(log2(norm / theta)) : 0;
    for (size_t i = 0; i < size; i++)
        X[i] = A[i] * (real)ldexp(1, -squarings);
    NAME(product)(n, X, X, X2, 0);
    NAME(product)(n, X2, X2, X4, 0);
    NAME(product)(n, X2, X4, X6, 0);
    NAME(combine)(size, power, 9, U);
    NAME(combine)(size, power, 3, T);
    NAME(product)(n, X6, U, T, 1);
    NAME(add_diagonal)(n, b[1], T);
    NAME(product)(n, X, T, U, 0);
    NAME(combine)(size, power, 8, T);
    NAME(combine)(size, power, 2, V);
    NAME(product)(n, X6, T, V, 1);
    NAME(add_diagonal)(n, b[0], V);
    for (size_t i = 0; i < size; i++) {
        T[i] = V[i] - U[i];
        R[i] = V[i] + U[i];
    }
    gesv(LAPACK_COL_MAJOR, n, n, T, n, pivots, R, n);
    for (int s = 0; s < squarings; s++) {
        memcpy(T, R, size * sizeof *T);
        NAME(product)(n, T, T, R, 0);
    }
}

static bool NAME(batch)(int n, int64_t batch, const real *A, real *R, int threads)
{
    size_t size = (size_t)n * (size_t)n;
#pragma omp parallel num_threads(threads)
    {
        real *work = calloc(7 * size + 1, sizeof *work);
        lapack_int *pivots = calloc((size_t)n + 1, sizeof *pivots);
        if (!work || !pivots)
            abort();
#pragma omp for
        for (int64_t i = 0; i < batch; i++)
            NAME(exponential)(n, A + (size_t)i * size, R + (size_t)i * size, work, pivots);
        free(work);
        free(pivots);
    }
    return true;
}
