/* eigen.cpp: the peers "eigen" and "eigen_fixed": Eigen's unsupported MatrixExponential, with sizes known when it runs or (n =
 * 2, 3, 4, 8, 16) when it is compiled. One matrix at a time, the batch over OpenMP threads. usage: eigen dynamic|fixed THREADS
 * SPDX-License-Identifier: MIT */
#define EIGEN_DONT_PARALLELIZE
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unsupported/Eigen/MatrixFunctions>

#include "peer.h"

namespace
{

/* Row-major A read as column-major is A^T, and exp(A^T) = exp(A)^T: no transposition. */
template <typename Real, int N> bool batch_of(int n, int64_t batch, const Real *A, Real *R, int threads)
{
    using Matrix = Eigen::Matrix<Real, N, N>;
    const Eigen::Index order = n, size = order * order;
#pragma omp parallel for num_threads(threads)
    for (int64_t i = 0; i < batch; i++) {
        const Matrix X = Eigen::Map<const Matrix>(A + i * size, order, order);
        Eigen::Map<Matrix>(R + i * size, order, order) = X.exp();
    }
    return true;
}

template <typename Real> bool dynamic_size(int n, int64_t batch, const Real *A, Real *R, int threads)
{
    return batch_of<Real, Eigen::Dynamic>(n, batch, A, R, threads);
}

template <typename Real> bool fixed_size(int n, int64_t batch, const Real *A, Real *R, int threads)
{
    switch (n) {
    case 2:
        return batch_of<Real, 2>(n, batch, A, R, threads);
    case 3:
        return batch_of<Real, 3>(n, batch, A, R, threads);
    case 4:
        return batch_of<Real, 4>(n, batch, A, R, threads);
    case 8:
        return batch_of<Real, 8>(n, batch, A, R, threads);
    case 16:
        return batch_of<Real, 16>(n, batch, A, R, threads);
    default:
        return false;
    }
}

const peer_kernels dynamic_kernels = {dynamic_size<float>, dynamic_size<double>};
const peer_kernels fixed_kernels = {fixed_size<float>, fixed_size<double>};

} // namespace

int main(int argc, char **argv)
{
    const bool fixed = argc == 3 && std::strcmp(argv[1], "fixed") == 0;
    if (argc != 3 || (!fixed && std::strcmp(argv[1], "dynamic") != 0) || std::atoi(argv[2]) < 1) {
        std::fprintf(stderr, "usage: eigen dynamic|fixed THREADS\n");
        return 2;
    }
    char version[256];
    std::snprintf(version, sizeof version, "%d.%d.%d; %s", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION,
                  Eigen::SimdInstructionSetsInUse());
    return peer_serve(version, fixed ? &fixed_kernels : &dynamic_kernels, std::atoi(argv[2]));
}
