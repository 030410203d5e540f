/* A hand-written compiled program in the form code generation emits.
 * Not generated and not a test by itself: tests of the runtime run it, so it stays true. */
#ifndef SN_TESTS_ABI_TWIN_H
#define SN_TESTS_ABI_TWIN_H

#include "runtime/abi.h"

/* A momentum pair on pooled joints, small enough to check by hand:
 *
 *   q[n,o]  = sum_i mean_t view_q[n,t,i] * w[i,o] * (1 + noise[n])     noise from (seed, step, n), so that runs depend on both
 *   k[n,o]  = sum_i mean_t view_k[n,t,i] * copy[i,o]
 *   d[n,o]  = (q - k - mean_r queue[r,o] + bias[o]) / N
 *   loss    = N/2 sum d^2                  grad.w[i,o] = sum_n xq[n,i] d[n,o]      grad.bias[o] = sum_n d[n,o]
 *   after:   average = 0.9 average + 0.1 mean_n q;  k is enqueued
 *
 * i runs over the 75 coordinates, o over 8.  Frozen weights: `scale` has no gradient. */
enum { TWIN_IN = 75, TWIN_OUT = 8, TWIN_ROWS = 4 /* rows a tile */, TWIN_QUEUE = 120 };
enum { TWIN_VIEW_Q, TWIN_VIEW_K, TWIN_W, TWIN_BIAS, TWIN_SCALE, TWIN_COPY, TWIN_QUEUE_STATE, TWIN_AVERAGE, TWIN_PARAMS };
enum { TWIN_LOSS, TWIN_GRAD_W, TWIN_GRAD_BIAS, TWIN_FEATURES, TWIN_OUTPUTS };

const sn_abi_program *twin_program(void);

#endif
