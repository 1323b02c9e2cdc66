/* cayley.cu: the Cayley map as a method of the exponential.
 * SPDX-License-Identifier: MIT */
#include "batch.cuh"
#include "cayley.cuh"
#include "maps.cuh"

typedef method_in_teams<cayley, real> method;

const SO_(cuda_method) SO_(cuda_cayley) = {method::map, method::vjp, method::jvp};
