/* polynomial.cu: the polynomial method of the exponential.
 * SPDX-License-Identifier: MIT */
#include "batch.cuh"
#include "maps.cuh"
#include "polynomial.cuh"

typedef method_in_teams<polynomial, real> method;

const SO_(cuda_method) SO_(cuda_polynomial) = {method::map, method::vjp, method::jvp};
