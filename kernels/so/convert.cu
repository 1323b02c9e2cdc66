/* convert.cu: numbers from f32 to f64 and back. The contracts are in libso/backend.h.
 * SPDX-License-Identifier: MIT */
#include "jobs.cuh"
#include "table.cuh"

template <class from_, class to_> static __global__ void convert_kernel(int64_t count, const from_ *from, to_ *to)
{
    for (int64_t k = first_job(); k < count; k += jobs_apart())
        to[k] = (to_)from[k];
}

static __global__ void add_numbers_kernel(int64_t count, const double *from, double *to)
{
    for (int64_t k = first_job(); k < count; k += jobs_apart())
        to[k] += from[k];
}

so_status so_cuda_widen(so_ctx *ctx, int64_t count, const float *from, double *to)
{
    return launch_each(ctx, convert_kernel<float, double>, count, count, from, to);
}

so_status so_cuda_narrow(so_ctx *ctx, int64_t count, const double *from, float *to)
{
    return launch_each(ctx, convert_kernel<double, float>, count, count, from, to);
}

so_status so_cuda_add(so_ctx *ctx, int64_t count, const double *from, double *to)
{
    return launch_each(ctx, add_numbers_kernel, count, count, from, to);
}
