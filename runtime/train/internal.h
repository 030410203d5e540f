/* What the files of runtime/train share.
 * Not for neighbours: they include the header of the noun they use. */
#ifndef SN_RUNTIME_TRAIN_INTERNAL_H
#define SN_RUNTIME_TRAIN_INTERNAL_H

#include "store.h"

/* A stretch of `count` floats at `to` that is computed from one at `from` (offsets into the slab). */
typedef struct sn_rt_block { size_t to, from, count; float coefficient; } sn_rt_block;
typedef struct sn_rt_blocks { sn_rt_block *block; size_t count, capacity; } sn_rt_blocks;
/* What a thread moves at once: `count` weights at `weight` (perhaps none), and then pieces begin .. end-1 of copies, whose sources lie there. */
typedef struct sn_rt_move { size_t weight, count, begin, end; } sn_rt_move;
typedef struct sn_rt_moves { sn_rt_move *move; size_t count; } sn_rt_moves;

/* Threads worth waking for a pass over pieces: a few are done sooner by one. */
static inline int sn_rt_pieces_threads(size_t pieces, int threads) { return pieces < 32 ? 1 : threads; }

typedef struct sn_rt_slot { size_t offset, count; } sn_rt_slot; /* floats */

struct sn_rt_store {
    const sn_abi_program *program;
    float      *slab, *second; /* second: of the layout of the weights; NULL: none */
    size_t      slab_bytes, second_bytes;
    sn_rt_slot *slot;      /* [params]; inputs have count 0 and no place */
    uint32_t   *gradient;  /* [params]: output number or SN_RT_NONE */
    uint64_t   *head;      /* [params] */
    size_t      gradients, velocity; /* offset of a weight's gradient and velocity from the weight, floats */
    sn_rt_blocks trained;  /* pieces of weights with a gradient: to = from = weight */
    sn_rt_blocks followed; /* copies: to = copy, from = weight; by place of the weight */
    sn_rt_moves  moves;    /* both, each piece once */
    bool         ahead;    /* copies have moved for the step to come */
};

size_t sn_rt_store_padded(size_t count); /* floats a tensor takes in the slab */
/* moves.c */
bool sn_rt_store_make_moves(sn_rt_store *store); /* fill trained, followed and moves; false without memory */
void sn_rt_store_follow_pieces(const sn_rt_store *store, size_t begin, size_t end);

#endif
