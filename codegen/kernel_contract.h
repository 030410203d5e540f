/* What the generators of the contract form share: the kernel taken apart, its tiles, its edges.
 * Not for the rest of code generation, which knows sn_kernel_contract only.
 *
 *   kernel_contract.c          choice of kind; tiles; epilogue of one point
 *   kernel_contract_general.c  any contraction, as a loop nest
 */
#ifndef SN_CODEGEN_KERNEL_CONTRACT_H
#define SN_CODEGEN_KERNEL_CONTRACT_H

#include "contract_class.h"
#include "internal.h"

typedef struct sn_ct sn_ct;
typedef struct sn_ct_kind { /* one kind of contraction */
    const char *name;
    bool (*plan)(sn_plan *p, sn_ct *ct); /* false: not of this kind; nothing was added to p */
    bool (*emit)(sn_kb *kb, sn_ct *ct);
} sn_ct_kind;

struct sn_ct { /* made by the plan, read by emission */
    const sn_ct_kind *kind;
    sn_ref            anchor, operand[2];
    sn_contract_facts facts;
    uint32_t          outer; /* tiles: one for each index of result axes 0 .. outer-1 and each chunk of axis outer */
    int64_t           chunk;
    void             *data;  /* of the kind */
};

extern const sn_ct_kind sn_ct_general;

/* ---- tiles -------------------------------------------------------------------------------------------------------------- */

sn_dim sn_ct_tiles(sn_plan *p, const sn_ct *ct);

typedef struct sn_ct_tile { /* a tile at run time; i64 values */
    LLVMValueRef number, at[SN_MAX_RANK]; /* indices of axes 0 .. outer-1 */
    LLVMValueRef from, to;                /* of axis outer: to - from = chunk but for the last */
} sn_ct_tile;

sn_ct_tile sn_ct_tile_of(sn_kb *kb, const sn_ct *ct, LLVMValueRef number);

/* ---- epilogue ----------------------------------------------------------------------------------------------------------- */

/* Memory of partial sums of this tile := 0.  Before the tile's first sn_ct_store. */
void sn_ct_clear_sums(sn_kb *kb, const sn_ct *ct, const sn_ct_tile *tile);
/* The anchor has `value` at the point `at` of the result: evaluate and store every out, add to the partial sums of the tile.
 * Uses kb->lanes and kb->mask; every point of the tile once, in a fixed order. */
void sn_ct_store(sn_kb *kb, const sn_ct *ct, const sn_ct_tile *tile, const sn_val *at, LLVMValueRef value);

#endif
