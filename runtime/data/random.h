/* Counter-based random numbers: Philox4x32-10.
 * Not for secrets, and no hidden state: the same key and counter give the same numbers on any thread, in any order.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 *
 * A stream is keyed by (seed, purpose, step, sample); within it numbers are drawn one after another:
 *   key     = seed low, seed high
 *   counter = block number (0, 1, ... of four 32-bit words), sample, step low, step bits 32..47 | purpose << 16 */
#ifndef SN_RUNTIME_DATA_RANDOM_H
#define SN_RUNTIME_DATA_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* What a stream is for: streams of different purposes never share a counter. Values are part of every result
 * that was ever produced with a seed; add at the end, never renumber. */
typedef enum sn_rt_purpose {
    SN_RT_FOR_INIT = 1,    /* initial weights; step = hash of the weight's name, sample = chunk of elements */
    SN_RT_FOR_ORDER = 2,   /* epoch permutation; step = epoch, sample = 0 */
    SN_RT_FOR_AUGMENT = 3, /* step = training step, sample = batch row * views + view */
    SN_RT_FOR_QUEUE = 4,   /* initial negatives outside a graph; step = 0, sample = index of the queue */
    SN_RT_FOR_DROPOUT = 5,
    SN_RT_FOR_TEST = 6,
    SN_RT_FOR_SHARE = 7,   /* which sequences a share of a set keeps; step = 0, sample = 0 */
    SN_RT_FOR_EMBEDDING = 8 /* first places of an embedding's points; step = 0, sample = 0 */
} sn_rt_purpose;

/* One application of the bijection: ten rounds. `out` may be `counter`. */
void sn_rt_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* A stream; plain value, copy it freely. */
typedef struct sn_rt_random {
    uint32_t key[2], counter[4], block[4];
    uint32_t used; /* words of block already handed out */
} sn_rt_random;

/* `step` is below 2^48. */
void sn_rt_random_start(sn_rt_random *r, uint64_t seed, sn_rt_purpose purpose, uint64_t step, uint32_t sample);

/* Words drawn per call: u32 one, uniform two, normal four, below one or (rarely) more. */
uint32_t sn_rt_random_u32(sn_rt_random *r);
double sn_rt_random_uniform(sn_rt_random *r);              /* [0, 1), multiples of 2^-53 */
double sn_rt_random_normal(sn_rt_random *r);               /* N(0, 1), Box-Muller, cosine branch (normals.c) */
void sn_rt_random_normals(sn_rt_random *r, double *out, size_t n); /* n calls of the above, bit by bit, ten times as fast */
uint32_t sn_rt_random_below(sn_rt_random *r, uint32_t n);  /* 0 .. n-1 without bias; n > 0 */

/* Fisher-Yates: items[0..n-1] become a permutation of 0..n-1. */
void sn_rt_random_permutation(sn_rt_random *r, uint32_t *items, uint32_t n);

#endif
