/* The edge of a packed tile: its results row by row through the epilogue to memory, while they are hot.
 * Not the products. */
#include "kernel_contract.h"

typedef struct edging {
    sn_kb            *kb;
    sn_ct            *ct;
    const sn_ct_edge *edge;
    const sn_ct_tile *tile;
    LLVMValueRef      block, c;
    LLVMValueRef      frame;          /* rows of the frame */
    sn_val            at[SN_MAX_RANK];
    uint32_t          count;          /* sums carried in registers */
    LLVMValueRef      value;          /* of the anchor, now */
} edging;

static const sn_type *result(const edging *e) { return &e->ct->facts.type[SN_AT_OUT]; }

/* First column of vector j of the block, and its mask; sets the indices of the column axes. */
static LLVMValueRef column_at(edging *e, int64_t j)
{
    sn_kb *kb = e->kb;
    const sn_ct_edge *g = e->edge;
    int64_t lanes = kb->target->lanes;
    LLVMValueRef column = sn_kb_imul(kb, e->block, sn_kb_i64(kb, g->vectors * lanes));
    column = sn_kb_iadd(kb, column, sn_kb_i64(kb, j * lanes));
    kb->mask = NULL;
    if (g->blocks * g->vectors * lanes > g->width) {
        kb->mask = sn_kb_tail(kb, sn_kb_isub(kb, sn_kb_i64(kb, g->width), column), kb->lanes);
        column = sn_kb_imin(kb, column, sn_kb_i64(kb, (g->width - 1) / lanes * lanes)); /* vectors of padding alone */
    }
    LLVMValueRef flat = column;
    for (uint32_t i = 0; i < g->columns; i++) {
        uint32_t axis = result(e)->rank - 1u - i;
        LLVMValueRef n = sn_kb_i64(kb, result(e)->dim[axis].v);
        bool first = i + 1 == g->columns;
        e->at[axis] = sn_kb_index(kb, first ? flat : sn_kb_irem(kb, flat, n), i == 0);
        flat = first ? flat : sn_kb_idiv(kb, flat, n);
    }
    return column;
}

static sn_val anchor_value(sn_kb *kb, void *context, sn_ref r, const sn_val *at)
{
    (void)kb;
    (void)r;
    (void)at;
    return sn_kb_wrap(((edging *)context)->value);
}

/* Carried in registers: sums that keep exactly the columns. */
static bool is_carried(const edging *e, sn_ref r)
{
    return sn_ct_is_sums(e->kb->g, r) && sn_at(e->kb->g, r)->type.rank == e->edge->columns + 1;
}

/* One vector of one row: store outs, add to the sums. */
static void vector(edging *e, LLVMValueRef from, LLVMValueRef *sums)
{
    sn_kb *kb = e->kb;
    uint32_t carried = 0;
    e->value = sn_kb_load(kb, from, sn_kb_i64(kb, 0), kb->lanes, NULL);
    for (uint32_t i = 0; i < kb->k->outs; i++) {
        sn_ref r = kb->k->out[i];
        if (is_carried(e, r)) {
            LLVMValueRef v = sn_kb_number(kb, sn_kb_value(kb, sn_at(kb->g, r)->arg[0], e->at));
            sums[carried] = LLVMBuildFAdd(kb->b, sums[carried], v, "");
            carried++;
        } else if (sn_ct_is_sums(kb->g, r)) {
            sn_ct_add_sums(kb, r, e->tile, e->at);
        } else {
            sn_kb_store_at(kb, sn_kb_memory(kb, r), &sn_at(kb->g, r)->type, e->at, sn_kb_value(kb, r, e->at));
        }
    }
}

/* Row `row` of the frame, all vectors of the block. */
static void row_of(edging *e, LLVMValueRef row, LLVMValueRef *sums)
{
    sn_kb *kb = e->kb;
    int64_t lanes = kb->lanes, vectors = e->edge->vectors;
    LLVMValueRef from = sn_kb_ptr(kb, e->frame, sn_kb_imul(kb, row, sn_kb_i64(kb, vectors * lanes)));
    for (int64_t j = 0; j < vectors; j++) {
        uint32_t mark = sn_kb_mark(kb);
        column_at(e, j);
        vector(e, sn_kb_ptr(kb, from, sn_kb_i64(kb, j * lanes)), sums + j * e->count);
        sn_kb_forget(kb, mark);
    }
    kb->mask = NULL;
}

/* Rows of one frame from inner axis `depth` on. */
static void inner_rows(edging *e, uint32_t depth, LLVMValueRef row, LLVMValueRef *sums)
{
    sn_kb *kb = e->kb;
    const sn_ct_edge *g = e->edge;
    if (depth == g->inners) {
        row_of(e, row, sums);
        return;
    }
    LLVMValueRef n = sn_kb_dim(kb, result(e)->dim[g->inner[depth]]), next[SN_MAX_CARRY];
    uint32_t carried = (uint32_t)g->vectors * e->count;
    sn_loop l = sn_kb_for(kb, sn_kb_i64(kb, 0), n, 1, sums, carried);
    for (uint32_t i = 0; i < carried; i++)
        next[i] = l.carry[i];
    e->at[g->inner[depth]] = sn_kb_index(kb, l.i, 0);
    inner_rows(e, depth + 1, sn_kb_iadd(kb, sn_kb_imul(kb, row, n), l.i), next);
    sn_kb_endfor(kb, &l, next);
    for (uint32_t i = 0; i < carried; i++)
        sums[i] = l.carry[i];
}

LLVMValueRef sn_ct_edge_origin(sn_kb *kb, const sn_ct_edge *edge, const sn_ct_tile *tile)
{
    return edge->phases == 1 ? tile->from : sn_kb_isub(kb, tile->from, sn_kb_irem(kb, tile->from, sn_kb_i64(kb, edge->phases)));
}

static LLVMValueRef first_row(sn_kb *kb, const sn_ct_edge *g, LLVMValueRef frame)
{
    LLVMValueRef rows = sn_kb_i64(kb, g->inner_rows), phases = sn_kb_i64(kb, g->phases);
    if (g->phases == 1)
        return sn_kb_imul(kb, frame, rows);
    LLVMValueRef phase = sn_kb_imul(kb, sn_kb_irem(kb, frame, phases), sn_kb_i64(kb, g->phase_rows));
    return sn_kb_iadd(kb, phase, sn_kb_imul(kb, sn_kb_idiv(kb, frame, phases), rows));
}

static void frames(edging *e, LLVMValueRef *sums)
{
    sn_kb *kb = e->kb;
    const sn_ct_edge *g = e->edge;
    uint32_t carried = (uint32_t)g->vectors * e->count;
    LLVMValueRef next[SN_MAX_CARRY];
    sn_loop l = sn_kb_for(kb, e->tile->from, e->tile->to, 1, sums, carried);
    for (uint32_t i = 0; i < carried; i++)
        next[i] = l.carry[i];
    e->at[e->ct->outer] = sn_kb_index(kb, l.i, 0);
    LLVMValueRef row = first_row(kb, g, sn_kb_isub(kb, l.i, sn_ct_edge_origin(kb, g, e->tile)));
    e->frame = sn_kb_ptr(kb, e->c, sn_kb_imul(kb, row, sn_kb_i64(kb, g->vectors * kb->lanes)));
    inner_rows(e, 0, sn_kb_i64(kb, 0), next);
    sn_kb_endfor(kb, &l, next);
    for (uint32_t i = 0; i < carried; i++)
        sums[i] = l.carry[i];
}

static void store_sums(edging *e, LLVMValueRef *sums)
{
    sn_kb *kb = e->kb;
    for (int64_t j = 0; j < e->edge->vectors; j++) {
        LLVMValueRef column = column_at(e, j), size;
        uint32_t carried = 0;
        for (uint32_t i = 0; i < kb->k->outs; i++)
            if (is_carried(e, kb->k->out[i])) {
                LLVMValueRef row = sn_ct_sums_row(kb, kb->k->out[i], e->tile, &size);
                sn_kb_store(kb, row, column, sums[j * e->count + carried++], kb->mask);
            }
    }
    kb->mask = NULL;
}

sn_refusal sn_ct_edge_fits(const sn_plan *p, const sn_ct_edge *edge)
{
    uint32_t carried = 0;
    for (uint32_t i = 0; i < p->k->outs; i++)
        carried += sn_ct_is_sums(p->g, p->k->out[i]) && sn_at(p->g, p->k->out[i])->type.rank == edge->columns + 1;
    return carried * (uint64_t)edge->vectors <= SN_MAX_CARRY ? NULL : sn_plan_no(p, "%u partial sums of %lld vectors are too many to carry", carried, (long long)edge->vectors);
}

void sn_ct_edge_emit(sn_kb *kb, sn_ct *ct, const sn_ct_edge *edge, const sn_ct_tile *tile, LLVMValueRef block, LLVMValueRef c)
{
    edging e = {.kb = kb, .ct = ct, .edge = edge, .tile = tile, .block = block, .c = c};
    LLVMValueRef sums[SN_MAX_CARRY];
    for (uint32_t i = 0; i < kb->k->outs; i++)
        e.count += is_carried(&e, kb->k->out[i]);
    for (uint32_t i = 0; i < e.count * (uint32_t)edge->vectors; i++)
        sums[i] = sn_kb_zero(kb, kb->lanes);
    for (uint32_t i = 0; i < ct->outer; i++)
        e.at[i] = sn_kb_index(kb, tile->at[i], 0);
    sn_kb_bind(kb, ct->anchor, anchor_value, &e);
    frames(&e, sums);
    store_sums(&e, sums);
    sn_kb_bind(kb, ct->anchor, NULL, NULL);
}
