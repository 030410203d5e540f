/* Weight gradients of convolutions over time with fewer products than taps (winograd.h), for layers wide enough.
 * Not dilations or other windows (kernel_contract_wgrad.c).
 *
 * Positions are cut into tiles, tiles into parts, by sizes only.  First call: an item is one part and one group of column blocks.  It packs its
 * tiles, both operands, and for one point of the taps after the other transforms them and adds products to the part's accumulators: block of
 * columns, component, row, column of the block.  Second call: parts are added in order, components become taps.  Third call: the epilogue.
 */
#include "kernel_contract.h"

enum {
    POSITIONS = 50,       /* of a component in a tile: 64 columns of them stay in the first-level cache */
    ITEMS = 8,            /* at least so many items, for as many threads */
    PART_MEMORY = 3 << 22  /* floats of all parts, unless items are then too few */
};

typedef struct fast {
    sn_ct_reduction side;
    sn_ct_fast      fast;
    int64_t         steps, slots[2];              /* transformed frames of a tile: y's, and of each operand */
    sn_gemm_block   block;
    int64_t         width, rows, blocks;          /* floats of a block; rows padded; column blocks */
    int64_t         groups, parts;                /* of blocks; at most */
    int64_t         accumulator, part;            /* floats: component of one block; a part */
    int64_t         frames_at[2], parts_at[2], component[2], floats; /* in scratch; floats of a transformed component */
    uint32_t        sums, taps;                   /* buffers */
} fast;

/* ---- plan ---- */

static sn_refusal plan_frames(fast *w, int64_t taps)
{
    sn_ct_reduction *s = &w->side;
    sn_ct_pack probe = {0};
    sn_refusal no = sn_ct_fast_window(&w->fast, &probe, &s->product, false, 1, taps);
    if (no)
        return no;
    const int64_t steps = POSITIONS / s->pack[0].inner_rows;
    w->steps = steps < 1 ? 1 : steps;
    const int64_t frames = w->steps * w->fast.frames;
    sn_ct_pack *y = &s->pack[s->product.y];
    y->group[y->groups++] = (sn_ct_frames){0, frames, 0, 1};
    y->slots = frames;
    w->slots[s->product.y] = w->steps;
    w->slots[s->product.x] = w->steps + w->fast.segments - 1;
    return sn_ct_fast_window(&w->fast, &s->pack[s->product.x], &s->product, false, frames, taps);
}

/* As for results (kernel_contract_winograd.c), but both operands are transformed, point by point. */
static sn_refusal pays(const sn_plan *p, const fast *w, int64_t taps, int64_t lanes)
{
    const int64_t rows = w->side.pack[w->side.row_side].width, width = w->side.pack[w->side.column_side].width;
    const int64_t in = (rows + lanes - 1) / lanes, out = (width + lanes - 1) / lanes;
    const int64_t products = w->fast.components * w->fast.segments * rows * out, transforms = 12 * w->fast.components * (in + out);
    const int64_t direct = w->fast.frames * taps * rows * out;
    if (rows < SN_WINO_LEAST_WIDTH || width < SN_WINO_LEAST_WIDTH)
        return sn_plan_no(p, "%lld and %lld channels are too narrow, it takes %d", (long long)rows, (long long)width, SN_WINO_LEAST_WIDTH);
    return products + transforms < direct ? NULL : sn_plan_no(p, "it does not pay: %lld vector operations with transforms, %lld of direct multiply-adds",
                                                               (long long)(products + transforms), (long long)direct);
}

static void plan_blocks(const sn_plan *p, fast *w)
{
    sn_ct_pack *rows = &w->side.pack[w->side.row_side], *columns = &w->side.pack[w->side.column_side];
    const int64_t lanes = p->target->lanes, vectors = (columns->width + lanes - 1) / lanes;
    w->block = sn_gemm_block_choose(p->target->registers, rows->width, vectors, NULL);
    w->width = w->block.vectors * lanes;
    w->rows = sn_ct_ceil(rows->width, w->block.rows);
    w->blocks = (vectors + w->block.vectors - 1) / w->block.vectors;
    w->accumulator = w->rows * w->width;
    w->part = w->fast.components * w->fast.segments * w->blocks * w->accumulator;
    w->parts = PART_MEMORY / w->part < ITEMS ? PART_MEMORY / w->part : ITEMS;
    w->parts = w->parts < 1 ? 1 : w->parts;
    w->groups = 1;
    while (w->groups < w->blocks && (w->blocks % w->groups != 0 || w->groups * w->parts < ITEMS))
        w->groups++;
    const int64_t least = (ITEMS + w->groups - 1) / w->groups;
    w->parts = w->parts < least ? least : w->parts;
    if (w->groups > 1 && columns->columns == 1)
        columns->part = w->blocks / w->groups * w->width;
}

static void plan_scratch(fast *w, int64_t lanes)
{
    int64_t at = 0, outer = 0;
    for (int64_t q = 0; q < w->fast.phases; q++)
        outer = w->fast.form[q].outer > outer ? w->fast.form[q].outer : outer;
    for (int i = 0; i < 2; i++) {
        const sn_ct_pack *k = &w->side.pack[i];
        const int64_t frame = k->inner_rows * k->stride;
        w->component[i] = w->slots[i] * frame;
        w->frames_at[i] = at;
        w->parts_at[i] = at + sn_ct_ceil(k->slots * frame, lanes);
        at = w->parts_at[i] + sn_ct_ceil(outer * w->component[i] + k->stride + w->width + w->block.rows, lanes);
    }
    for (int i = 0; i < 2; i++) {
        w->side.pack[i].mix_at = at;
        at += w->side.pack[i].mix_floats;
    }
    w->floats = at;
}

static void plan_calls(sn_plan *p, sn_ct *ct, fast *w, int64_t taps)
{
    w->sums = sn_plan_temp(p, sn_dim_const(w->parts * w->part));
    w->taps = sn_plan_temp(p, sn_dim_const(taps * w->blocks * w->accumulator));
    sn_plan_call *products = sn_plan_add(p, sn_dim_const(w->parts * w->groups), sn_dim_const(4 * w->floats), false);
    sn_ct_reads(p, ct, products, SN_CT_OPERANDS);
    sn_plan_write(p, products, w->sums);
    sn_plan_call *add = sn_plan_add(p, sn_dim_const(w->blocks * w->rows), sn_dim_const(0), false);
    sn_plan_read(p, add, w->sums);
    sn_plan_write(p, add, w->taps);
    sn_plan_call *end = sn_plan_add(p, sn_ct_tiles(p, ct), sn_dim_const(0), false);
    sn_ct_reads(p, ct, end, SN_CT_EPILOGUE);
    sn_plan_read(p, end, w->taps);
    for (uint32_t i = 0; i < p->k->outs; i++)
        sn_plan_write(p, end, p->k->ins + i);
}

/* As `pays` counts, with the padding to blocks, and sums that every tile takes from memory and puts back. */
static void predict(const sn_plan *p, sn_ct *ct, const fast *w, int64_t taps)
{
    const sn_ct_pack *k = w->side.pack, *rows = &k[w->side.row_side], *columns = &k[w->side.column_side];
    const int64_t lanes = p->target->lanes, in = (rows->width + lanes - 1) / lanes, vectors = (columns->width + lanes - 1) / lanes;
    const int64_t positions = w->steps * k[0].inner_rows, frames = w->steps * w->fast.frames;
    const double packed[2] = {(double)(frames * (w->side.product.x == 0 ? w->side.product.s : 1)), (double)(frames * (w->side.product.x == 1 ? w->side.product.s : 1))};
    ct->cost = (sn_ct_cost){.macs = (double)(frames * k[0].inner_rows * taps) * (double)(rows->width * columns->width) + packed[0] * sn_ct_mix_macs(&k[0]) + packed[1] * sn_ct_mix_macs(&k[1]),
                            .products = (double)(w->fast.components * w->fast.segments * positions) * sn_gemm_step_cost(rows->width, vectors, w->block),
                            .moves = (double)(12 * w->fast.components * (in + vectors) * positions) + sn_ct_pack_cost(p, &k[0]) + sn_ct_pack_cost(p, &k[1]) +
                                     2 * (double)(w->part / lanes),
                            .block = w->block, .rows = rows->width, .vectors = vectors};
}

static sn_refusal fast_plan(sn_plan *p, sn_ct *ct)
{
    fast *w = sn_new(p->arena, fast);
    int64_t taps;
    sn_refusal no;
    if ((no = sn_ct_reduction_find(p, ct, &w->side, &taps)) || (no = plan_frames(w, taps)) || (no = pays(p, w, taps, p->target->lanes)))
        return no;
    if ((no = sn_ct_mix_plan(p, ct, &w->side.pack[0])) || (no = sn_ct_mix_plan(p, ct, &w->side.pack[1])))
        return no;
    plan_blocks(p, w);
    plan_scratch(w, p->target->lanes);
    if ((no = sn_ct_scratch(p, 4 * w->floats)) || (no = sn_ct_sums_fit(p, w->part)))
        return no;
    predict(p, ct, w, taps);
    ct->transforms = sn_ct_fast_transforms(&w->fast, true);
    ct->data = w;
    ct->outer = ct->facts.type[SN_AT_OUT].rank - 1u;
    ct->chunk = ct->facts.type[SN_AT_OUT].dim[ct->outer].v;
    plan_calls(p, ct, w, taps);
    return NULL;
}

/* ---- products of the parts ---- */

typedef struct body {
    sn_kb       *kb;
    sn_ct       *ct;
    const fast  *w;
    LLVMValueRef chunks, tiles, parts;                /* of the positions; parts in use */
    LLVMValueRef loop[SN_MAX_LOOPS], steps;           /* of the tile; live steps */
    LLVMValueRef begin;                               /* first block of the item's group */
    LLVMValueRef micro, table;
} body;

static LLVMValueRef scratch(const body *b, int64_t at) { return sn_kb_ptr(b->kb, b->kb->scratch, sn_kb_i64(b->kb, at)); }

static void count_tiles(body *b)
{
    sn_kb *kb = b->kb;
    const int64_t frames = b->w->steps * b->w->fast.frames;
    b->chunks = sn_kb_idiv(kb, sn_kb_iadd(kb, sn_kb_dim(kb, b->w->side.frame_extent), sn_kb_i64(kb, frames - 1)), sn_kb_i64(kb, frames));
    b->tiles = b->chunks;
    for (uint32_t i = 0; i < b->w->side.outers; i++)
        b->tiles = sn_kb_imul(kb, b->tiles, sn_kb_dim(kb, b->ct->facts.loop[b->w->side.outer[i]].extent));
    b->parts = sn_kb_imin(kb, b->tiles, sn_kb_i64(kb, b->w->parts));
}

static void pack_tile(body *b, LLVMValueRef tile)
{
    sn_kb *kb = b->kb;
    const fast *w = b->w;
    const sn_ct_reduction *s = &w->side;
    const int64_t frames = w->steps * w->fast.frames;
    LLVMValueRef rest = sn_kb_idiv(kb, tile, b->chunks), from = sn_kb_imul(kb, sn_kb_irem(kb, tile, b->chunks), sn_kb_i64(kb, frames));
    for (uint32_t i = s->outers; i > 0; i--) {
        LLVMValueRef n = sn_kb_dim(kb, b->ct->facts.loop[s->outer[i - 1]].extent);
        b->loop[s->outer[i - 1]] = i > 1 ? sn_kb_irem(kb, rest, n) : rest;
        rest = i > 1 ? sn_kb_idiv(kb, rest, n) : rest;
    }
    LLVMValueRef column = sn_kb_imul(kb, b->begin, sn_kb_i64(kb, w->width));
    for (int side = 0; side < 2; side++) {
        LLVMValueRef frame = side == s->product.x ? sn_kb_imul(kb, from, sn_kb_i64(kb, s->product.s)) : from;
        sn_ct_pack_emit(kb, b->ct, &s->pack[side], b->loop, frame, column, scratch(b, w->frames_at[side]));
    }
    LLVMValueRef live = sn_kb_imin(kb, sn_kb_i64(kb, frames), sn_kb_isub(kb, sn_kb_dim(kb, s->frame_extent), from));
    b->steps = sn_kb_idiv(kb, sn_kb_iadd(kb, live, sn_kb_i64(kb, w->fast.frames - 1)), sn_kb_i64(kb, w->fast.frames));
}

/* Components of one point of a correlation, one operand; of a part of the columns if no more are packed. */
static void transform(body *b, int side, int64_t phase, LLVMValueRef point)
{
    sn_kb *kb = b->kb;
    const fast *w = b->w;
    const sn_ct_pack *k = &w->side.pack[side];
    const bool source = side == w->side.product.x;
    const int64_t frame = k->inner_rows * k->stride, line = k->part ? k->stride : frame, first = source ? w->fast.slot[phase] * frame : 0;
    LLVMValueRef slots = sn_kb_iadd(kb, b->steps, sn_kb_i64(kb, w->slots[side] - w->steps));
    sn_loop slot = sn_kb_for(kb, sn_kb_i64(kb, 0), slots, 1, NULL, 0);
    LLVMValueRef frames = sn_kb_ptr(kb, scratch(b, w->frames_at[side] + first), sn_kb_imul(kb, slot.i, sn_kb_i64(kb, w->fast.frames * frame)));
    LLVMValueRef parts = sn_kb_ptr(kb, scratch(b, w->parts_at[side]), sn_kb_imul(kb, slot.i, sn_kb_i64(kb, frame)));
    sn_loop row = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, frame), line, NULL, 0);
    LLVMValueRef from = k->part ? sn_kb_imul(kb, b->begin, sn_kb_i64(kb, w->width)) : sn_kb_i64(kb, 0);
    LLVMValueRef to = k->part ? sn_ct_pack_end(kb, k, from) : sn_kb_i64(kb, line);
    LLVMValueRef at = sn_kb_iadd(kb, row.i, from);
    const sn_wino_place place = {sn_kb_ptr(kb, frames, at), sn_kb_ptr(kb, parts, at), frame, w->component[side]};
    (source ? sn_wino_source : sn_wino_gradient)(kb, &w->fast.form[phase], &place, sn_kb_isub(kb, to, from), point);
    sn_kb_endfor(kb, &row, NULL);
    sn_kb_endfor(kb, &slot, NULL);
}

/* acc += products of one component of the tile, one block of columns; x's transformed frames begin at `segment`. */
static void block_products(body *b, LLVMValueRef component, int64_t segment, LLVMValueRef block, LLVMValueRef acc, LLVMValueRef first)
{
    sn_kb *kb = b->kb;
    const fast *w = b->w;
    const sn_ct_pack *pack = w->side.pack;
    LLVMValueRef base[2];
    for (int side = 0; side < 2; side++) {
        const int64_t shift = side == w->side.product.x ? segment * pack[side].inner_rows * pack[side].stride : 0;
        base[side] = sn_kb_ptr(kb, scratch(b, w->parts_at[side] + shift), sn_kb_imul(kb, component, sn_kb_i64(kb, w->component[side])));
    }
    LLVMValueRef columns = sn_kb_ptr(kb, base[w->side.column_side], sn_kb_imul(kb, block, sn_kb_i64(kb, w->width)));
    LLVMValueRef positions = sn_kb_imul(kb, b->steps, sn_kb_i64(kb, pack[0].inner_rows));
    sn_loop row = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, w->rows), w->block.rows, NULL, 0);
    LLVMValueRef to = sn_kb_ptr(kb, acc, sn_kb_imul(kb, row.i, sn_kb_i64(kb, w->width)));
    sn_ct_ahead_floats(kb, sn_kb_ptr(kb, to, sn_kb_i64(kb, w->block.rows * w->width)), w->block.rows * w->width, true);
    LLVMValueRef arg[7] = {sn_kb_ptr(kb, base[w->side.row_side], row.i), columns, to, b->table, sn_kb_i64(kb, 1), first, positions};
    LLVMBuildCall2(kb->b, LLVMGlobalGetValueType(b->micro), b->micro, arg, 7, "");
    sn_kb_endfor(kb, &row, NULL);
}

/* All components of one point of a correlation; memory: of the part. */
static void point_products(body *b, int64_t phase, LLVMValueRef point, LLVMValueRef memory, LLVMValueRef first)
{
    sn_kb *kb = b->kb;
    const fast *w = b->w;
    const sn_wino *form = &w->fast.form[phase];
    const int64_t each = w->fast.segments * w->accumulator;
    LLVMValueRef end = sn_kb_iadd(kb, b->begin, sn_kb_i64(kb, w->blocks / w->groups));
    LLVMValueRef before = sn_kb_iadd(kb, sn_kb_i64(kb, w->fast.component[phase]), sn_kb_imul(kb, point, sn_kb_i64(kb, form->outer)));
    sn_loop component = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_wino_count(kb, form, point), 1, NULL, 0);
    LLVMValueRef number = sn_kb_iadd(kb, component.i, before);
    sn_loop block = sn_kb_for(kb, b->begin, end, 1, NULL, 0);
    LLVMValueRef line = sn_kb_iadd(kb, sn_kb_imul(kb, block.i, sn_kb_i64(kb, w->fast.components)), number);
    LLVMValueRef acc = sn_kb_ptr(kb, memory, sn_kb_imul(kb, line, sn_kb_i64(kb, each)));
    for (int64_t s = 0; s < w->fast.segments; s++)
        block_products(b, component.i, s, block.i, sn_kb_ptr(kb, acc, sn_kb_i64(kb, s * w->accumulator)), first);
    sn_kb_endfor(kb, &block, NULL);
    sn_kb_endfor(kb, &component, NULL);
}

/* Item = part * groups + group. */
static void item_body(body *b, LLVMValueRef item)
{
    sn_kb *kb = b->kb;
    const fast *w = b->w;
    LLVMValueRef part = sn_kb_idiv(kb, item, sn_kb_i64(kb, w->groups)), group = sn_kb_irem(kb, item, sn_kb_i64(kb, w->groups));
    b->begin = sn_kb_imul(kb, group, sn_kb_i64(kb, w->blocks / w->groups));
    sn_if used = sn_kb_if(kb, sn_kb_iless(kb, part, b->parts));
    LLVMValueRef from = sn_kb_idiv(kb, sn_kb_imul(kb, part, b->tiles), b->parts);
    LLVMValueRef to = sn_kb_idiv(kb, sn_kb_imul(kb, sn_kb_iadd(kb, part, sn_kb_i64(kb, 1)), b->tiles), b->parts);
    LLVMValueRef memory = sn_kb_ptr(kb, kb->buffer[w->sums], sn_kb_imul(kb, part, sn_kb_i64(kb, w->part)));
    sn_loop tile = sn_kb_for(kb, from, to, 1, NULL, 0);
    LLVMValueRef first = LLVMBuildZExt(kb->b, LLVMBuildICmp(kb->b, LLVMIntEQ, tile.i, from, ""), kb->i64, "");
    pack_tile(b, tile.i);
    for (int64_t q = 0; q < w->fast.phases; q++) {
        sn_loop point = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, w->fast.form[q].inner.points), 1, NULL, 0);
        for (int side = 0; side < 2; side++)
            transform(b, side, q, point.i);
        point_products(b, q, point.i, memory, first);
        sn_kb_endfor(kb, &point, NULL);
    }
    sn_kb_endfor(kb, &tile, NULL);
    sn_kb_endif(kb, &used);
}

static void emit_products(sn_kb *kb, sn_ct *ct)
{
    const fast *w = ct->data;
    const int64_t zero = 0;
    sn_kb_begin(kb, 0);
    body b = {.kb = kb, .ct = ct, .w = w};
    sn_gemm_env env = sn_ct_env(kb);
    for (int side = 0; side < 2; side++)
        sn_ct_mix_weights(kb, ct, &w->side.pack[side]);
    b.table = sn_gemm_table(&env, &zero, 1);
    sn_gemm_micro m = {.rows = (uint32_t)w->block.rows, .vectors = (uint32_t)w->block.vectors, .lanes = kb->target->lanes, .steps = 0, .unroll = 4,
                       .x_row = 1, .x_step = w->side.pack[w->side.row_side].stride, .w_step = w->side.pack[w->side.column_side].stride,
                       .c_row = w->width, .fma = kb->target->fma};
    b.micro = sn_gemm_micro_function(&env, &m);
    count_tiles(&b);
    sn_loop item = sn_kb_for(kb, kb->begin, kb->end, 1, NULL, 0);
    item_body(&b, item.i);
    sn_kb_endfor(kb, &item, NULL);
    sn_kb_end(kb);
}

/* ---- sums of the parts, as taps ---- */

/* sum[i] = piece i of n at `offset`, added over the parts in order. */
static void add_parts(body *b, LLVMValueRef offset, uint32_t n, LLVMValueRef *sum)
{
    sn_kb *kb = b->kb;
    const fast *w = b->w;
    LLVMValueRef next[SN_WINO_MAX_PIECES];
    for (uint32_t i = 0; i < n; i++)
        sum[i] = sn_kb_zero(kb, kb->lanes);
    sn_loop part = sn_kb_for(kb, sn_kb_i64(kb, 0), b->parts, 1, sum, n);
    LLVMValueRef from = sn_kb_iadd(kb, sn_kb_imul(kb, part.i, sn_kb_i64(kb, w->part)), offset);
    for (uint32_t i = 0; i < n; i++) {
        LLVMValueRef v = sn_kb_load(kb, kb->buffer[w->sums], sn_kb_iadd(kb, from, sn_kb_i64(kb, i * w->accumulator)), kb->lanes, NULL);
        next[i] = LLVMBuildFAdd(kb->b, part.carry[i], v, "");
    }
    sn_kb_endfor(kb, &part, next);
    for (uint32_t i = 0; i < n; i++)
        sum[i] = part.carry[i];
}

/* One vector of all taps of one correlation; from: its first piece, to: tap 0. */
static void add_taps(body *b, int64_t phase, LLVMValueRef from, LLVMValueRef to)
{
    sn_kb *kb = b->kb;
    const fast *w = b->w;
    const sn_wino *form = &w->fast.form[phase];
    LLVMValueRef sum[SN_WINO_MAX_PIECES], tap[SN_WINO_MAX_TAPS];
    add_parts(b, from, (uint32_t)(form->products * form->segments), sum);
    sn_wino_taps(kb, form, sum, tap);
    for (int64_t i = 0; i < form->taps; i++)
        sn_kb_store(kb, kb->buffer[w->taps], sn_kb_iadd(kb, to, sn_kb_i64(kb, w->fast.tap[phase][i] * w->blocks * w->accumulator)), tap[i], NULL);
}

/* An item is a row of a block of columns; to tap, block, row, column of the block. */
static void emit_add(sn_kb *kb, sn_ct *ct)
{
    const fast *w = ct->data;
    sn_kb_begin(kb, 1);
    body b = {.kb = kb, .ct = ct, .w = w};
    count_tiles(&b);
    sn_loop item = sn_kb_for(kb, kb->begin, kb->end, 1, NULL, 0);
    LLVMValueRef rows = sn_kb_i64(kb, w->rows), block = sn_kb_idiv(kb, item.i, rows), row = sn_kb_irem(kb, item.i, rows);
    LLVMValueRef from = sn_kb_imul(kb, block, sn_kb_i64(kb, w->fast.components * w->fast.segments * w->accumulator));
    from = sn_kb_iadd(kb, from, sn_kb_imul(kb, row, sn_kb_i64(kb, w->width)));
    LLVMValueRef to = sn_kb_imul(kb, item.i, sn_kb_i64(kb, w->width));
    sn_loop at = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, w->width), kb->lanes, NULL, 0);
    for (int64_t q = 0; q < w->fast.phases; q++) {
        LLVMValueRef first = sn_kb_i64(kb, w->fast.component[q] * w->fast.segments * w->accumulator);
        add_taps(&b, q, sn_kb_iadd(kb, sn_kb_iadd(kb, from, at.i), first), sn_kb_iadd(kb, to, at.i));
    }
    sn_kb_endfor(kb, &at, NULL);
    sn_kb_endfor(kb, &item, NULL);
    sn_kb_end(kb);
}

/* ---- epilogue ---- */

/* One row of the result's last axis. */
static void end_row(body *b, const sn_ct_tile *tile)
{
    sn_kb *kb = b->kb;
    const fast *w = b->w;
    const sn_contract *c = b->ct->facts.spec;
    const sn_type *t = &b->ct->facts.type[SN_AT_OUT];
    const uint32_t axis = t->rank - 1u;
    LLVMValueRef loop[SN_MAX_LOOPS], width = sn_kb_i64(kb, w->width);
    sn_val at[SN_MAX_RANK];
    for (uint32_t i = 0; i < axis; i++) {
        loop[c->at[SN_AT_OUT][i].loop[0]] = tile->at[i];
        at[i] = sn_kb_index(kb, tile->at[i], 0);
    }
    sn_loop l = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, t->dim[axis].v), kb->lanes, NULL, 0);
    loop[c->at[SN_AT_OUT][axis].loop[0]] = l.i;
    at[axis] = sn_kb_index(kb, l.i, 1);
    LLVMValueRef column = sn_ct_pack_column(kb, b->ct, &w->side.pack[w->side.column_side], loop);
    LLVMValueRef row = sn_ct_pack_column(kb, b->ct, &w->side.pack[w->side.row_side], loop);
    LLVMValueRef line = sn_kb_iadd(kb, sn_kb_imul(kb, loop[w->side.product.tap], sn_kb_i64(kb, w->blocks)), sn_kb_idiv(kb, column, width));
    line = sn_kb_iadd(kb, sn_kb_imul(kb, line, sn_kb_i64(kb, w->rows)), row);
    LLVMValueRef offset = sn_kb_iadd(kb, sn_kb_imul(kb, line, width), sn_kb_irem(kb, column, width));
    LLVMValueRef v = sn_kb_load(kb, kb->buffer[w->taps], offset, kb->lanes, NULL);
    kb->mask = t->dim[axis].v % kb->lanes ? sn_kb_tail(kb, sn_kb_isub(kb, sn_kb_i64(kb, t->dim[axis].v), l.i), kb->lanes) : NULL;
    sn_ct_store(kb, b->ct, tile, at, v);
    kb->mask = NULL;
    sn_kb_endfor(kb, &l, NULL);
}

static bool fast_emit(sn_kb *kb, sn_ct *ct)
{
    emit_products(kb, ct);
    emit_add(kb, ct);
    sn_kb_begin(kb, 2);
    body b = {.kb = kb, .ct = ct, .w = ct->data};
    sn_loop tile = sn_kb_for(kb, kb->begin, kb->end, 1, NULL, 0);
    sn_ct_tile row = sn_ct_tile_of(kb, ct, tile.i);
    end_row(&b, &row);
    sn_kb_endfor(kb, &tile, NULL);
    sn_kb_end(kb);
    return true;
}

const sn_ct_kind sn_ct_winograd_weights = {.name = "winograd weights", .plan = fast_plan, .emit = fast_emit};
