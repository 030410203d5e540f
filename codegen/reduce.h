/* A reduction kernel: its shape, and the states of its reductions.
 * Not for other kernel forms. */
#ifndef SN_CODEGEN_REDUCE_H
#define SN_CODEGEN_REDUCE_H

#include "internal.h"

enum { SN_MAX_REDS = 8 };

typedef struct sn_red { sn_ref node, of; sn_op op; } sn_red;

typedef struct sn_reduce {
    sn_space *space;
    uint8_t   rank;
    sn_dim    dim[SN_MAX_RANK];
    bool      reduced[SN_MAX_RANK];
    bool      down;
    uint8_t   axes, axis[SN_MAX_RANK]; /* reduced axes that are loops, outermost first (across: without the last axis) */
    uint8_t   kept[SN_MAX_RANK], keeps; /* kept axes that are rows (down: without the last axis) */
    uint32_t  lanes, width;   /* floats a vector, vectors a block */
    int64_t   terms;          /* of a result, as far as extents are constant */
    bool      open;           /* there are others */
    bool      exact;          /* f64 above runs */
    bool      split;
    int64_t   group;          /* rows (or rows x blocks) a tile */
    sn_dim    rows, blocks;   /* kept index combinations; down: blocks of the last axis */
    uint32_t  reds;
    sn_red    red[SN_MAX_REDS];
    uint32_t  states;         /* values a vector: argmax has two */
    uint32_t  temp;           /* first private buffer of split parts; one a state */
} sn_reduce;

/* Scalar or vector of `lanes`. */
LLVMTypeRef sn_red_type(LLVMTypeRef scalar, uint32_t lanes);
/* Start values of all states of `width` vectors; sums are f64 if `wide`. */
void sn_red_start(sn_kb *kb, const sn_reduce *r, bool wide, LLVMValueRef *s);
/* Take (x, place) where it is better than (s[0], s[1]); place NULL for amax.  With `ties`, also the lower place of equals. */
void sn_red_take_best(sn_kb *kb, LLVMValueRef *s, LLVMValueRef x, LLVMValueRef place, bool ties);
/* A run of f32 sums begins from zero beside wide ones, and goes into them; other states just continue. */
void sn_red_start_run(sn_kb *kb, const sn_reduce *r, const LLVMValueRef *wide, LLVMValueRef *run);
void sn_red_merge_run(sn_kb *kb, const sn_reduce *r, LLVMValueRef *wide, const LLVMValueRef *run);
/* Two states of one reduction into the first. */
void sn_red_join(sn_kb *kb, sn_op op, LLVMValueRef *s, const LLVMValueRef *t);
/* All vectors and lanes of every reduction into the first vector's states, which become scalars: halves onto halves. */
void sn_red_meet(sn_kb *kb, const sn_reduce *r, LLVMValueRef *s);
/* The number a reduction yields: sums back in f32, places as numbers. */
LLVMValueRef sn_red_result(sn_kb *kb, sn_op op, const LLVMValueRef *s, uint32_t lanes);

#endif
