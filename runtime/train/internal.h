/* What the files of runtime/train share.
 * Not for neighbours: they include the header of the noun they use. */
#ifndef SN_RUNTIME_TRAIN_INTERNAL_H
#define SN_RUNTIME_TRAIN_INTERNAL_H

#include "store.h"

/* A stretch of `count` floats at `to` that is computed from one at `from` (offsets into the slab), cut into blocks for threads. */
typedef struct sn_rt_block { size_t to, from, count; float coefficient; } sn_rt_block;
typedef struct sn_rt_blocks { sn_rt_block *block; size_t count, capacity; } sn_rt_blocks;

/* Threads worth waking for a pass over the blocks: a few blocks are done sooner by one. */
static inline int sn_rt_blocks_threads(const sn_rt_blocks *b, int threads) { return b->count < 8 ? 1 : threads; }

typedef struct sn_rt_slot { size_t offset, count; } sn_rt_slot; /* floats */

struct sn_rt_store {
    const sn_abi_program *program;
    float      *slab;
    size_t      slab_bytes;
    sn_rt_slot *slot;      /* [params]; inputs have count 0 and no place */
    uint32_t   *gradient;  /* [params]: output number or SN_RT_NONE */
    uint64_t   *head;      /* [params] */
    size_t      gradients, velocity; /* offset of a weight's gradient and velocity from the weight, floats */
    sn_rt_blocks trained;  /* weights with a gradient: to = from = weight */
    sn_rt_blocks followed; /* copies: to = copy, from = weight */
};

#endif
