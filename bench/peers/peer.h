/* peer.h: a peer is a program that computes the exponential of the same matrices as libso and times itself. It obeys one line
 * on its standard input at a time and answers with one line:
 *
 *   (at the start)               peer VERSION             one line of text; or it ends: the peer is absent
 *   load A.npy G.npy             ok                       G: upstream gradients
 *   time forward BATCH CALLS     SECONDS                  CALLS times over the first BATCH matrices; "none": not for this n
 *   time both BATCH CALLS        SECONDS                  exponential, then gradient; "none": no gradients
 *   save BATCH R.npy             ok                       results for the first BATCH matrices
 *   save BATCH R.npy D.npy       ok                       and the skew projections of the gradients
 *
 * Between two orders it waits without using a core. Peers in Python: peer.py.
 * SPDX-License-Identifier: MIT */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "bench/npy.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct peer_kernels { /* R_b = exp(A_b), b < batch, by `threads` threads; row-major; false: not for this n */
    bool (*f32)(int n, int64_t batch, const float *A, float *R, int threads);
    bool (*f64)(int n, int64_t batch, const double *A, double *R, int threads);
} peer_kernels;

/* Obeys until the input ends; returns the exit status. A peer without gradients. */
int peer_serve(const char *version, const peer_kernels *kernels, int threads);

#ifdef __cplusplus
}
#endif

#endif
