/* The parameter store: everything a training run carries from step to step, in one piece of memory.
 * Not the optimiser (optimizer.h) and not files (checkpoint.h).
 *
 * One slab holds five regions; tensors in each are aligned to 64 bytes, padding is zero:
 *
 *   weights | gradients | velocity | copies | states
 *
 * Gradients and velocity have the layout of the weights, copies that of the weights they follow; so the optimiser and the momentum copies
 * are one pass over long stretches of memory.  A second average, if there is one, is a piece of its own.  Inputs are the caller's. */
#ifndef SN_RUNTIME_TRAIN_STORE_H
#define SN_RUNTIME_TRAIN_STORE_H

#include "../sinew_rt.h"

typedef struct sn_rt_store sn_rt_store;

/* Memory for the parameters of the program `s` is bound for; all zeros.  Weights, copies and states must not depend on symbols; `program` and
 * the store outlive the session's use of it.  SN_RT_BAD_SHAPE if a gradient or copy differs in size from its weight; SN_RT_MEMORY. */
sn_rt_status sn_rt_store_new(const sn_abi_program *program, const sn_rt_session *s, sn_rt_store **out, sn_rt_error *err);
void         sn_rt_store_free(sn_rt_store *store); /* accepts NULL */
size_t       sn_rt_store_bytes(const sn_rt_store *store);

/* Memory of a weight, copy or state and its element count; NULL for an input.  gradient, velocity: NULL for anything but a weight with a
 * gradient output. */
float *sn_rt_store_param(const sn_rt_store *store, uint32_t param, size_t *out_count);
float *sn_rt_store_gradient(const sn_rt_store *store, uint32_t param, size_t *out_count);
float *sn_rt_store_velocity(const sn_rt_store *store, uint32_t param, size_t *out_count);
/* Room for a second running average a weight beside the velocity, zeros at first: Adam's.  SN_RT_MEMORY.  second: NULL without it, and for
 * anything but a weight with a gradient output. */
sn_rt_status sn_rt_store_add_second(sn_rt_store *store, sn_rt_error *err);
float *sn_rt_store_second(const sn_rt_store *store, uint32_t param, size_t *out_count);
/* Next row an enqueue into state `param` overwrites; writable. */
uint64_t *sn_rt_store_head(sn_rt_store *store, uint32_t param);

/* Point the session's weights, copies, states and gradient outputs here.  Between bind and prepare. */
sn_rt_status sn_rt_store_attach(sn_rt_store *store, sn_rt_session *s, sn_rt_error *err);

/* Initial values by the program's initialisers; copies equal their weights; velocity, second average and heads 0.
 * Element e of parameter `name` depends on (seed, name, e) only: not on other parameters, threads or order.  Implemented in init.c. */
void sn_rt_store_init(sn_rt_store *store, uint64_t seed, int threads);
/* The same values for one tensor of `count` elements, rows of `width` (the last dimension; 1 for a scalar). */
void sn_rt_init_fill(sn_abi_init init, double a, double b, const char *name, uint64_t seed, int threads, float *out, size_t count, size_t width);

/* Momentum copies: copy += (1 - coefficient) * (weight - copy), which is the stated average and keeps equal values equal.  This is due before
 * every training run; the optimiser does it with the weights for the run to come, so it is to be called only for a store that is not
 * ahead: a new one (where it changes nothing), or weights from a file.  Implemented in moves.c. */
void sn_rt_store_follow(sn_rt_store *store, int threads);
bool sn_rt_store_ahead(const sn_rt_store *store);
void sn_rt_store_set_ahead(sn_rt_store *store, bool ahead);

/* State updates, after a training run: assign, and enqueue rows at the ring's head (sizes were checked by bind).  One thread a store.
 * Source of the ring: MoCo, arXiv 1911.05722, section 3.2.  Implemented in update.c. */
void sn_rt_store_update(sn_rt_store *store, const sn_rt_session *s);

/* Number of the first weight, copy or state that holds a value that is not finite, or SN_RT_NONE. */
uint32_t sn_rt_store_not_finite(const sn_rt_store *store, int threads);

#endif
