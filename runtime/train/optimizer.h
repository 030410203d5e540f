/* The optimisers, stochastic gradient descent with momentum and Adam, and the schedule of their rate.
 * Not the momentum encoder (store.h), which has nothing to do with momentum here but the name. */
#ifndef SN_RUNTIME_TRAIN_OPTIMIZER_H
#define SN_RUNTIME_TRAIN_OPTIMIZER_H

#include "store.h"

typedef struct sn_rt_sgd {
    double momentum, weight_decay;
    bool   nesterov;
} sn_rt_sgd;

/* One step over all weights that have a gradient, and then over all momentum copies (sn_rt_store_follow), in one pass over memory; elementwise
 * in f32, the same bits for any number of threads:
 *
 *   g = gradient + weight_decay * w
 *   v = momentum * v + g           (no dampening; from v = 0 the first v is the first g)
 *   w = w - rate * v               nesterov: w - rate * (g + momentum * v)
 *   c = c + (1 - m) * (w - c)      for each copy c of w
 *
 * Weight decay applies to every such weight, norms and biases included.  The store is then ahead. */
void sn_rt_sgd_step(sn_rt_store *store, const sn_rt_sgd *sgd, double rate, int threads);

/* Bytes a step reads and writes once: weights, velocities and copies both, gradients read. */
double sn_rt_sgd_bytes(const sn_rt_store *store);

typedef struct sn_rt_adam {
    double beta1, beta2, epsilon, weight_decay;
} sn_rt_adam;

/* Step number `step` (from 0) of Adam, over weights and copies as above; the store has a second average (sn_rt_store_add_second):
 *
 *   g = gradient + weight_decay * w          (L2, not decoupled)
 *   v = beta1 * v + (1 - beta1) * g          kept in the velocity
 *   s = beta2 * s + (1 - beta2) * g * g      kept in the second average
 *   w = w - rate / (1 - beta1^n) * v / (sqrt(s) / sqrt(1 - beta2^n) + epsilon)      n = step + 1
 *
 * Source: Kingma, Ba, "Adam", arXiv 1412.6980, in the form PyTorch computes it. */
void sn_rt_adam_step(sn_rt_store *store, const sn_rt_adam *adam, double rate, uint64_t step, int threads);

/* One of the two. */
typedef struct sn_rt_optimizer {
    bool       is_adam;
    sn_rt_sgd  sgd;  /* if not is_adam */
    sn_rt_adam adam; /* if is_adam */
} sn_rt_optimizer;

/* The rate over time: it rises linearly over the first `warmup` epochs, and is multiplied by `factor` once for each s in `step` with
 * epoch >= s, epochs counted from 0. */
typedef struct sn_rt_schedule {
    double         rate, factor;
    int64_t        epochs, warmup;
    const int64_t *step;
    uint32_t       steps;
} sn_rt_schedule;

/* Rate of training step `step` (from 0) when an epoch has `steps_per_epoch` >= 1.  The last warm-up step has the full rate. */
double sn_rt_schedule_rate(const sn_rt_schedule *s, uint64_t step, uint64_t steps_per_epoch);

#endif
