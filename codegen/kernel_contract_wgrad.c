/* Weight gradients of convolutions and linear maps: taps times rows times columns, summed over positions.
 * Not products whose result has positions (kernel_contract_rows.c).
 *
 *     w[k, r.., c..] = sum over positions of  x[.. s*u + d*k + off .., ] * y[.. u ..]
 *
 * One more loop may be in all three: the groups of a grouped linear map.  It divides rows and columns into bands that meet only their likes.
 * Columns are the loops of the operand that holds the result's last axis, rows those of the other; the window may be on either side.
 * Positions are cut into tiles, tiles into parts.  How many parts there are, and what is in them, depends on the sizes only.  First call:
 * an item is one part and one group of column blocks; it packs its tiles and adds their products to the part's accumulators.  Second
 * call: the parts are added in order, and the epilogue is applied.
 */
#include <string.h>

#include "kernel_contract.h"

enum {
    STRIP = 100,           /* positions multiplied at a time: 64 columns of them stay in the first-level cache */
    ITEMS = 16,            /* at least so many items, for as many threads */
    PART_MEMORY = 5 << 20  /* floats of all parts, unless items are then too few */
};

typedef struct wgrad {
    sn_product    product;
    int           row_side, column_side;      /* operands */
    sn_ct_pack    pack[2];                    /* of a and b */
    sn_ct_window  window;                     /* of x's pack; y's frames are the tile's */
    uint8_t       outer[SN_MAX_RANK]; uint32_t outers; /* position loops outside the frame axis */
    sn_dim        frame_extent;               /* of y */
    int64_t       taps, frames;               /* frames of a tile */
    int64_t       bands, band_rows, band_columns;
    sn_gemm_block block;
    int64_t       rows, row_blocks, column_blocks; /* rows of a band, padded; column blocks of all bands */
    int64_t       groups;                     /* of column blocks, items of their own; divides their number */
    int64_t       parts, part_floats;         /* at most; accumulators of a part */
    int64_t       offset[2];                  /* packed operands in scratch, floats */
    uint32_t      temp;
} wgrad;

/* ---- plan ---- */

/* Position loops in y's order: those outside the frame axis, the frame axis, those of a frame. */
static sn_refusal find_positions(const sn_contract_facts *f, wgrad *w)
{
    const sn_product *p = &w->product;
    const sn_contract *c = f->spec;
    uint8_t position[SN_MAX_RANK];
    uint32_t n = 0, frame = UINT32_MAX;
    for (int i = 0; i < c->rank[p->y]; i++) {
        uint8_t l = c->at[p->y][i].loop[0];
        if (p->role[l] != SN_LOOP_POSITION)
            continue;
        if (p->x_axis >= 0 && l == p->frame)
            frame = n;
        position[n++] = l;
    }
    if (n == 0)
        return "no positions are summed";
    if (frame == UINT32_MAX) {
        int64_t inner = 1, extent;
        for (frame = n - 1; frame > 0 && sn_ct_const_extent(f, position[frame], &extent) && inner * extent <= 64; frame--)
            inner *= extent;
    }
    for (uint32_t i = 0; i < frame; i++)
        w->outer[w->outers++] = position[i];
    for (uint32_t side = 0; side < 2; side++)
        for (uint32_t i = frame + 1; i < n; i++)
            w->pack[side].inner[w->pack[side].inners++] = position[i];
    w->frame_extent = f->loop[position[frame]].extent;
    w->pack[p->y].frame_axis = f->loop[position[frame]].alone[p->y];
    w->pack[p->x].frame_axis = p->x_axis >= 0 ? p->x_axis : f->loop[position[frame]].alone[p->x];
    return w->pack[p->x].frame_axis >= 0 ? NULL : "its frames are a window of both operands";
}

static sn_refusal find_columns(const sn_plan *plan, const sn_ct *ct, wgrad *w)
{
    sn_refusal no;
    const sn_contract_facts *f = &ct->facts;
    const sn_product *p = &w->product;
    const sn_contract *c = f->spec;
    int rank = c->rank[SN_AT_OUT];
    uint8_t last = c->at[SN_AT_OUT][rank - 1].loop[0];
    for (int side = 0; side < 2 && p->batched; side++)
        w->pack[side].column[w->pack[side].columns++] = p->band;
    for (uint32_t i = 0; i < p->ins; i++)
        w->pack[p->x].column[w->pack[p->x].columns++] = p->in[i];
    for (uint32_t i = 0; i < p->outs; i++)
        w->pack[p->y].column[w->pack[p->y].columns++] = p->out[i];
    for (int side = 0; side < 2; side++) {
        w->pack[side].tensor = side;
        if ((no = sn_ct_pack_plan(plan, ct, &w->pack[side])))
            return no;
    }
    w->column_side = p->role[last] == SN_LOOP_OUT ? p->y : p->x;
    w->row_side = 1 - w->column_side;
    const sn_ct_pack *q = &w->pack[w->column_side];
    if (last != q->column[q->columns - 1])
        return "the last axis of its result is not the last of an operand's columns";
    return q->columns == 1 || f->loop[last].extent.v % plan->target->lanes == 0 ? NULL : sn_plan_no(plan, "rows of %lld numbers of its result are no whole vectors", (long long)f->loop[last].extent.v);
}

static void plan_blocks(const sn_plan *p, const sn_contract_facts *f, wgrad *w)
{
    int64_t lanes = p->target->lanes, vectors = (w->pack[w->column_side].width + lanes - 1) / lanes;
    w->bands = sn_ct_bands(f, &w->product);
    w->band_rows = w->pack[w->row_side].width / w->bands;
    w->band_columns = w->pack[w->column_side].width / w->bands;
    w->block = sn_ct_band_block(p, w->band_rows, w->band_columns, w->bands > 1);
    w->rows = sn_ct_ceil(w->band_rows, w->block.rows);
    w->row_blocks = w->rows / w->block.rows;
    w->column_blocks = (vectors + w->block.vectors - 1) / w->block.vectors;
    w->part_floats = w->taps * w->rows * w->column_blocks * w->block.vectors * lanes;
    /* Parts cost memory and a pass to add them; where they are dear, blocks of columns are items too. */
    int64_t most = PART_MEMORY / w->part_floats < ITEMS ? PART_MEMORY / w->part_floats : ITEMS;
    for (w->groups = 1; w->groups < w->column_blocks && (w->groups * most < ITEMS || w->column_blocks % w->groups); w->groups++)
        ;
    w->parts = (ITEMS + w->groups - 1) / w->groups;
    if (w->groups > 1 && w->pack[w->column_side].columns == 1)
        w->pack[w->column_side].part = w->column_blocks / w->groups * w->block.vectors * lanes;
}

static int64_t packed_floats(const wgrad *w, int side, int64_t lanes)
{
    const sn_ct_pack *k = &w->pack[side];
    return sn_ct_ceil((k->slots * k->inner_rows + 1) * k->stride + w->block.vectors * lanes + w->block.rows, lanes);
}

static sn_refusal plan_frames(wgrad *w)
{
    int64_t frames = 300 / w->pack[0].inner_rows;
    w->frames = frames < 1 ? 1 : frames < w->taps ? w->taps : frames;
    sn_ct_pack *y = &w->pack[w->product.y];
    y->group[y->groups++] = (sn_ct_frames){0, w->frames, 0, 1};
    y->slots = w->frames;
    return sn_ct_window_gather(&w->window, &w->pack[w->product.x], &w->product, w->frames, w->taps);
}

/* Everything but the cuts. */
static sn_refusal plan_sides(const sn_plan *p, sn_ct *ct, wgrad *w)
{
    const sn_contract_facts *f = &ct->facts;
    sn_refusal no;
    if (p->k->tiled)
        return "its result has positions, which the schedule cuts into tiles";
    if (f->type[SN_AT_OUT].rank == 0)
        return "its result is one number";
    if (sn_contract_product(f, SN_AT_A, SN_AT_OUT, SN_AT_B, &w->product) && (no = sn_contract_product(f, SN_AT_B, SN_AT_OUT, SN_AT_A, &w->product)))
        return no;
    if (w->product.batched && w->product.band == UINT8_MAX)
        return "it makes weights for several axes of positions";
    if ((no = sn_ct_taps(p, f, &w->product, &w->taps)) || (no = find_positions(f, w)))
        return no;
    return find_columns(p, ct, w);
}

sn_refusal sn_ct_reduction_find(const sn_plan *p, sn_ct *ct, sn_ct_reduction *out, int64_t *taps)
{
    wgrad *w = sn_new(p->arena, wgrad);
    sn_refusal no = plan_sides(p, ct, w);
    if (no || w->product.batched)
        return no ? no : "its weights differ from group to group";
    *taps = w->taps;
    *out = (sn_ct_reduction){.product = w->product, .row_side = w->row_side, .column_side = w->column_side, .outers = w->outers,
                             .pack = {w->pack[0], w->pack[1]}, .frame_extent = w->frame_extent};
    memcpy(out->outer, w->outer, sizeof out->outer);
    return NULL;
}

/* Products of a tile, strip by strip, each of which takes its sums from memory and puts them back; both operands packed, rows for every group of columns. */
static void predict(const sn_plan *p, sn_ct *ct, const wgrad *w)
{
    const int64_t lanes = p->target->lanes, positions = w->frames * w->pack[0].inner_rows, vectors = (w->band_columns + lanes - 1) / lanes;
    const double strips = (double)((positions + STRIP - 1) / STRIP), y = (double)w->frames, x = y * (double)w->product.s;
    const double mixed = (w->product.x == 0 ? x : y) * sn_ct_mix_macs(&w->pack[0]) + (w->product.x == 1 ? x : y) * sn_ct_mix_macs(&w->pack[1]);
    ct->cost = (sn_ct_cost){.macs = (double)(positions * w->taps) * (double)(w->band_rows * w->band_columns * w->bands) + mixed,
                            .products = (double)(positions * w->taps * w->bands) * sn_gemm_step_cost(w->band_rows, vectors, w->block),
                            .moves = 2 * strips * (double)(w->part_floats / lanes) + (double)w->groups * sn_ct_pack_cost(p, &w->pack[w->row_side]) +
                                     (w->pack[w->column_side].part ? 1 : (double)w->groups) * sn_ct_pack_cost(p, &w->pack[w->column_side]),
                            .block = w->block, .rows = w->band_rows, .vectors = vectors};
}

static sn_refusal wgrad_plan(sn_plan *p, sn_ct *ct)
{
    wgrad *w = sn_new(p->arena, wgrad);
    const sn_contract_facts *f = &ct->facts;
    int64_t lanes = p->target->lanes;
    sn_refusal no;
    if ((no = plan_sides(p, ct, w)) || (no = plan_frames(w)) || (no = sn_ct_mix_plan(p, ct, &w->pack[0])) || (no = sn_ct_mix_plan(p, ct, &w->pack[1])))
        return no;
    plan_blocks(p, f, w);
    w->offset[1] = packed_floats(w, 0, lanes);
    w->pack[0].mix_at = w->offset[1] + packed_floats(w, 1, lanes);
    w->pack[1].mix_at = w->pack[0].mix_at + w->pack[0].mix_floats;
    int64_t scratch = 4 * (w->pack[1].mix_at + w->pack[1].mix_floats);
    if ((no = sn_ct_scratch(p, scratch)) || (no = sn_ct_sums_fit(p, w->part_floats)))
        return no;
    predict(p, ct, w);
    ct->data = w;
    ct->outer = f->type[SN_AT_OUT].rank - 1u;
    ct->chunk = f->type[SN_AT_OUT].dim[ct->outer].v;
    w->temp = sn_plan_temp(p, sn_dim_const(w->parts * w->part_floats));
    sn_plan_call *sum = sn_plan_add(p, sn_dim_const(w->parts * w->groups), sn_dim_const(scratch), false);
    sn_ct_reads(p, ct, sum, SN_CT_OPERANDS);
    sn_plan_write(p, sum, w->temp);
    sn_plan_call *add = sn_plan_add(p, sn_ct_tiles(p, ct), sn_dim_const(0), false);
    sn_ct_reads(p, ct, add, SN_CT_EPILOGUE);
    sn_plan_read(p, add, w->temp);
    for (uint32_t i = 0; i < p->k->outs; i++)
        sn_plan_write(p, add, p->k->ins + i);
    return NULL;
}

/* ---- parts ---- */

typedef struct body {
    sn_kb       *kb;
    sn_ct       *ct;
    wgrad       *w;
    LLVMValueRef chunks, tiles, parts; /* of the positions; parts in use */
    LLVMValueRef loop[SN_MAX_LOOPS], from;  /* positions of the tile; its first frame of y */
    LLVMValueRef first_block, first_column; /* of the item */
    LLVMValueRef packed[2], zero_table, shift;
    sn_gemm_micro form;
    sn_ct_streams ahead;
    LLVMValueRef  asking; /* micro-kernel that asks for so many addresses */
    uint32_t      asked;
} body;

static void count_tiles(body *b)
{
    sn_kb *kb = b->kb;
    LLVMValueRef frames = sn_kb_dim(kb, b->w->frame_extent), chunk = sn_kb_i64(kb, b->w->frames);
    b->chunks = sn_kb_idiv(kb, sn_kb_iadd(kb, frames, sn_kb_i64(kb, b->w->frames - 1)), chunk);
    b->tiles = b->chunks;
    for (uint32_t i = 0; i < b->w->outers; i++)
        b->tiles = sn_kb_imul(kb, b->tiles, sn_kb_dim(kb, b->ct->facts.loop[b->w->outer[i]].extent));
    b->parts = sn_kb_imin(kb, b->tiles, sn_kb_i64(kb, b->w->parts));
}

/* Pack both operands for tile number `tile`, columns from block `block` on where they are cut; returns the live frames. */
static LLVMValueRef pack_tile(body *b, LLVMValueRef tile, LLVMValueRef block)
{
    sn_kb *kb = b->kb;
    const wgrad *w = b->w;
    LLVMValueRef *loop = b->loop, rest = sn_kb_idiv(kb, tile, b->chunks);
    LLVMValueRef from = sn_kb_imul(kb, sn_kb_irem(kb, tile, b->chunks), sn_kb_i64(kb, w->frames));
    for (uint32_t i = w->outers; i > 0; i--) {
        LLVMValueRef n = sn_kb_dim(kb, b->ct->facts.loop[w->outer[i - 1]].extent);
        loop[w->outer[i - 1]] = i > 1 ? sn_kb_irem(kb, rest, n) : rest;
        rest = i > 1 ? sn_kb_idiv(kb, rest, n) : rest;
    }
    b->from = from;
    b->first_block = block;
    b->first_column = sn_kb_imul(kb, block, sn_kb_i64(kb, w->block.vectors * kb->lanes));
    for (int side = 0; side < 2; side++) {
        LLVMValueRef frame = side == w->product.x ? sn_kb_imul(kb, from, sn_kb_i64(kb, w->window.multiple)) : from;
        sn_ct_pack_emit(kb, b->ct, &w->pack[side], loop, frame, b->first_column, b->packed[side]);
    }
    return sn_kb_imin(kb, sn_kb_i64(kb, w->frames), sn_kb_isub(kb, sn_kb_dim(kb, w->frame_extent), from));
}

/* While the first block of columns is multiplied, ask for what the next tile packs and this one did not: with each tap and row block a
 * share of as many rows as the strip has. */
static void ahead(body *b, LLVMValueRef block, LLVMValueRef from, LLVMValueRef tap, LLVMValueRef row)
{
    sn_kb *kb = b->kb;
    const wgrad *w = b->w;
    int64_t calls = w->taps * w->row_blocks, share = (STRIP + calls - 1) / calls;
    LLVMValueRef call = sn_kb_iadd(kb, sn_kb_imul(kb, tap, sn_kb_i64(kb, w->row_blocks)), sn_kb_idiv(kb, row, sn_kb_i64(kb, w->block.rows)));
    LLVMValueRef start = sn_kb_imul(kb, call, sn_kb_i64(kb, share));
    LLVMValueRef turn = LLVMBuildICmp(kb->b, LLVMIntEQ, block, b->first_block, "");
    sn_if wanted = sn_kb_if(kb, LLVMBuildAnd(kb->b, turn, sn_kb_iless(kb, start, sn_kb_i64(kb, STRIP)), ""));
    start = sn_kb_iadd(kb, from, start);
    for (int side = 0; side < 2; side++) {
        const sn_ct_pack *p = &w->pack[side];
        int64_t multiple = side == w->product.x ? w->window.multiple : 1;
        LLVMValueRef base = sn_kb_imul(kb, b->from, sn_kb_i64(kb, multiple));
        LLVMValueRef frame = sn_kb_iadd(kb, base, sn_kb_i64(kb, sn_ct_pack_last(p) + 1));
        sn_ct_ahead_source(kb, b->ct, p, b->loop, frame, b->first_column, sn_kb_imul(kb, start, sn_kb_i64(kb, multiple)), multiple * share);
    }
    sn_kb_endif(kb, &wanted);
}

enum { UNROLL = 4, TURNS = STRIP / UNROLL }; /* of the micro-kernel, in a whole strip */

static int64_t strips(const wgrad *w) { return (w->frames * w->pack[0].inner_rows + STRIP - 1) / STRIP; }

/* What the next tile packs and this one did not, for the micro-kernel to ask for; not where items pack parts of rows. */
static void plan_ahead(body *b)
{
    sn_kb *kb = b->kb;
    const wgrad *w = b->w;
    b->ahead = (sn_ct_streams){.calls = w->column_blocks * strips(w) * w->taps * w->row_blocks};
    for (int side = 0; side < 2 && w->groups == 1; side++) {
        const sn_ct_pack *p = &w->pack[side];
        int64_t multiple = side == w->product.x ? w->window.multiple : 1;
        LLVMValueRef base = sn_kb_imul(kb, b->from, sn_kb_i64(kb, multiple));
        LLVMValueRef next = sn_kb_iadd(kb, base, sn_kb_i64(kb, sn_ct_pack_last(p) + 1));
        sn_ct_stream_source(kb, b->ct, p, b->loop, next, w->frames * multiple, &b->ahead);
    }
    sn_gemm_micro m = b->form;
    sn_ct_stream_pace(&b->ahead, TURNS, &m);
    sn_gemm_env env = sn_ct_env(kb);
    b->asking = sn_gemm_micro_function(&env, &m);
    b->asked = m.ahead;
}

/* Addresses for the call with this block of columns, strip, tap and row. */
static void ask(body *b, LLVMValueRef block, LLVMValueRef from, LLVMValueRef tap, LLVMValueRef row, LLVMValueRef *address)
{
    sn_kb *kb = b->kb;
    const wgrad *w = b->w;
    LLVMValueRef call = sn_kb_iadd(kb, sn_kb_imul(kb, block, sn_kb_i64(kb, strips(w))), sn_kb_idiv(kb, from, sn_kb_i64(kb, STRIP)));
    call = sn_kb_iadd(kb, sn_kb_imul(kb, call, sn_kb_i64(kb, w->taps)), tap);
    call = sn_kb_iadd(kb, sn_kb_imul(kb, call, sn_kb_i64(kb, w->row_blocks)), sn_kb_idiv(kb, row, sn_kb_i64(kb, w->block.rows)));
    sn_ct_stream_call(kb, &b->ahead, TURNS, call, address);
}

/* acc += products of a strip of the packed tile, for one block of columns; acc at tap, row, column of the block. */
static void strip_products(body *b, LLVMValueRef block, LLVMValueRef acc, LLVMValueRef from, LLVMValueRef steps, LLVMValueRef first)
{
    sn_kb *kb = b->kb;
    const wgrad *w = b->w;
    int64_t width = w->block.vectors * kb->lanes;
    const sn_ct_pack *rows = &w->pack[w->row_side], *columns = &w->pack[w->column_side];
    LLVMValueRef x0 = sn_kb_ptr(kb, b->packed[w->row_side], sn_kb_imul(kb, from, sn_kb_i64(kb, rows->stride)));
    LLVMValueRef y0 = sn_kb_ptr(kb, b->packed[w->column_side], sn_kb_imul(kb, from, sn_kb_i64(kb, columns->stride)));
    y0 = sn_kb_ptr(kb, y0, sn_kb_imul(kb, block, sn_kb_i64(kb, width)));
    if (w->bands > 1)
        x0 = sn_kb_ptr(kb, x0, sn_kb_imul(kb, sn_kb_idiv(kb, block, sn_kb_i64(kb, w->band_columns / width)), sn_kb_i64(kb, w->band_rows)));
    sn_loop tap = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, w->taps), 1, NULL, 0);
    LLVMValueRef shift = LLVMBuildLoad2(kb->b, kb->i64, LLVMBuildInBoundsGEP2(kb->b, kb->i64, b->shift, &tap.i, 1, ""), "");
    bool rows_shift = w->row_side == w->product.x;
    LLVMValueRef x = rows_shift ? sn_kb_ptr(kb, x0, shift) : x0, y = rows_shift ? y0 : sn_kb_ptr(kb, y0, shift);
    acc = sn_kb_ptr(kb, acc, sn_kb_imul(kb, tap.i, sn_kb_i64(kb, w->rows * width)));
    sn_loop row = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, w->rows), w->block.rows, NULL, 0);
    if (w->groups > 1)
        ahead(b, block, from, tap.i, row.i);
    LLVMValueRef arg[7 + SN_GEMM_MAX_AHEAD] = {sn_kb_ptr(kb, x, row.i), y, sn_kb_ptr(kb, acc, sn_kb_imul(kb, row.i, sn_kb_i64(kb, width))), b->zero_table,
                           sn_kb_i64(kb, 1), first, steps};
    ask(b, block, from, tap.i, row.i, arg + 7);
    LLVMBuildCall2(kb->b, LLVMGlobalGetValueType(b->asking), b->asking, arg, 7 + b->asked, "");
    sn_kb_endfor(kb, &row, NULL);
    sn_kb_endfor(kb, &tap, NULL);
}

/* The same for all live positions; `first`: this is the first tile of the part. */
static void tile_products(body *b, LLVMValueRef block, LLVMValueRef acc, LLVMValueRef live, LLVMValueRef first)
{
    sn_kb *kb = b->kb;
    LLVMValueRef strip = sn_kb_i64(kb, STRIP);
    sn_loop l = sn_kb_for(kb, sn_kb_i64(kb, 0), live, STRIP, NULL, 0);
    LLVMValueRef start = LLVMBuildAnd(kb->b, first, LLVMBuildICmp(kb->b, LLVMIntEQ, l.i, sn_kb_i64(kb, 0), ""), "");
    strip_products(b, block, acc, l.i, sn_kb_imin(kb, strip, sn_kb_isub(kb, live, l.i)), LLVMBuildZExt(kb->b, start, kb->i64, ""));
    sn_kb_endfor(kb, &l, NULL);
}

/* Item = part * groups + group of columns. */
static void item_body(body *b, LLVMValueRef item, LLVMValueRef memory)
{
    sn_kb *kb = b->kb;
    const wgrad *w = b->w;
    int64_t blocks = w->column_blocks / w->groups, block_floats = w->taps * w->rows * w->block.vectors * kb->lanes;
    LLVMValueRef part = sn_kb_idiv(kb, item, sn_kb_i64(kb, w->groups)), group = sn_kb_irem(kb, item, sn_kb_i64(kb, w->groups));
    LLVMValueRef begin = sn_kb_imul(kb, group, sn_kb_i64(kb, blocks));
    sn_if used = sn_kb_if(kb, sn_kb_iless(kb, part, b->parts));
    LLVMValueRef from = sn_kb_idiv(kb, sn_kb_imul(kb, part, b->tiles), b->parts);
    LLVMValueRef to = sn_kb_idiv(kb, sn_kb_imul(kb, sn_kb_iadd(kb, part, sn_kb_i64(kb, 1)), b->tiles), b->parts);
    LLVMValueRef base = sn_kb_ptr(kb, memory, sn_kb_imul(kb, part, sn_kb_i64(kb, w->part_floats)));
    sn_loop tile = sn_kb_for(kb, from, to, 1, NULL, 0);
    LLVMValueRef frames = pack_tile(b, tile.i, begin), live = sn_kb_imul(kb, frames, sn_kb_i64(kb, w->pack[0].inner_rows));
    LLVMValueRef first = LLVMBuildICmp(kb->b, LLVMIntEQ, tile.i, from, "");
    plan_ahead(b);
    sn_loop block = sn_kb_for(kb, begin, sn_kb_iadd(kb, begin, sn_kb_i64(kb, blocks)), 1, NULL, 0);
    tile_products(b, block.i, sn_kb_ptr(kb, base, sn_kb_imul(kb, block.i, sn_kb_i64(kb, block_floats))), live, first);
    sn_kb_endfor(kb, &block, NULL);
    sn_kb_endfor(kb, &tile, NULL);
    sn_kb_endif(kb, &used);
}

static void make_tables(body *b)
{
    sn_kb *kb = b->kb;
    const wgrad *w = b->w;
    sn_gemm_env env = sn_ct_env(kb);
    const sn_ct_pack *rows = &w->pack[w->row_side], *columns = &w->pack[w->column_side];
    int64_t shift[SN_CT_MAX_TAPS], zero = 0;
    for (int64_t i = 0; i < w->taps; i++)
        shift[w->window.tap[i].k] = w->window.tap[i].slot * w->pack[w->product.x].inner_rows * w->pack[w->product.x].stride;
    b->shift = sn_gemm_table(&env, shift, (uint32_t)w->taps);
    b->zero_table = sn_gemm_table(&env, &zero, 1);
    b->form = (sn_gemm_micro){.rows = (uint32_t)w->block.rows, .vectors = (uint32_t)w->block.vectors, .lanes = kb->target->lanes, .steps = 0,
                       .unroll = UNROLL, .x_row = 1, .x_step = rows->stride, .w_step = columns->stride,
                       .c_row = w->block.vectors * kb->target->lanes, .fma = kb->target->fma};
}

static void emit_parts(sn_kb *kb, sn_ct *ct)
{
    wgrad *w = ct->data;
    sn_kb_begin(kb, 0);
    body b = {.kb = kb, .ct = ct, .w = w};
    for (int side = 0; side < 2; side++)
        b.packed[side] = sn_kb_ptr(kb, kb->scratch, sn_kb_i64(kb, w->offset[side]));
    for (int side = 0; side < 2; side++)
        sn_ct_mix_weights(kb, ct, &w->pack[side]);
    make_tables(&b);
    count_tiles(&b);
    sn_loop item = sn_kb_for(kb, kb->begin, kb->end, 1, NULL, 0);
    item_body(&b, item.i, kb->buffer[w->temp]);
    sn_kb_endfor(kb, &item, NULL);
    sn_kb_end(kb);
}

/* ---- sum of the parts ---- */

/* Offset of a vector of the result in the accumulators of a part. */
static LLVMValueRef part_offset(body *b, LLVMValueRef *loop)
{
    sn_kb *kb = b->kb;
    const wgrad *w = b->w;
    LLVMValueRef width = sn_kb_i64(kb, w->block.vectors * kb->lanes);
    LLVMValueRef column = sn_ct_pack_column(kb, b->ct, &w->pack[w->column_side], loop), row = sn_ct_pack_column(kb, b->ct, &w->pack[w->row_side], loop);
    LLVMValueRef tap = w->product.tap == UINT8_MAX ? sn_kb_i64(kb, 0) : loop[w->product.tap];
    if (w->bands > 1)
        row = sn_kb_irem(kb, row, sn_kb_i64(kb, w->band_rows));
    LLVMValueRef line = sn_kb_iadd(kb, sn_kb_imul(kb, sn_kb_idiv(kb, column, width), sn_kb_i64(kb, w->taps)), tap);
    line = sn_kb_iadd(kb, sn_kb_imul(kb, line, sn_kb_i64(kb, w->rows)), row);
    return sn_kb_iadd(kb, sn_kb_imul(kb, line, width), sn_kb_irem(kb, column, width));
}

/* Vectors of the last axis that lie together in the accumulators, as many as are added at a time. */
static int64_t together(const body *b, int64_t last)
{
    for (int64_t n = 4; n > 1; n /= 2)
        if (b->w->block.vectors % n == 0 && last % (n * b->kb->lanes) == 0)
            return n;
    return 1;
}

/* sum[j] = vector j from `offset` on, added over the parts in order. */
static void add_parts(body *b, LLVMValueRef offset, int64_t n, LLVMValueRef *sum)
{
    sn_kb *kb = b->kb;
    LLVMValueRef next[4];
    for (int64_t j = 0; j < n; j++)
        sum[j] = sn_kb_zero(kb, kb->lanes);
    sn_loop part = sn_kb_for(kb, sn_kb_i64(kb, 0), b->parts, 1, sum, (uint32_t)n);
    LLVMValueRef from = sn_kb_iadd(kb, sn_kb_imul(kb, part.i, sn_kb_i64(kb, b->w->part_floats)), offset);
    for (int64_t j = 0; j < n; j++) {
        LLVMValueRef v = sn_kb_load(kb, kb->buffer[b->w->temp], sn_kb_iadd(kb, from, sn_kb_i64(kb, j * kb->lanes)), kb->lanes, NULL);
        next[j] = LLVMBuildFAdd(kb->b, part.carry[j], v, "");
    }
    sn_kb_endfor(kb, &part, next);
    for (int64_t j = 0; j < n; j++)
        sum[j] = part.carry[j];
}

/* One row of the result's last axis. */
static void sum_row(body *b, const sn_ct_tile *tile)
{
    sn_kb *kb = b->kb;
    const sn_contract *c = b->ct->facts.spec;
    const sn_type *t = &b->ct->facts.type[SN_AT_OUT];
    LLVMValueRef loop[SN_MAX_LOOPS], sum[4];
    sn_val at[SN_MAX_RANK];
    uint32_t axis = t->rank - 1u;
    for (uint32_t i = 0; i < axis; i++) {
        loop[c->at[SN_AT_OUT][i].loop[0]] = tile->at[i];
        at[i] = sn_kb_index(kb, tile->at[i], 0);
    }
    int64_t last = t->dim[axis].v, n = together(b, last);
    sn_loop column = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, last), n * kb->lanes, NULL, 0);
    loop[c->at[SN_AT_OUT][axis].loop[0]] = column.i;
    add_parts(b, part_offset(b, loop), n, sum);
    for (int64_t j = 0; j < n; j++) {
        at[axis] = sn_kb_index(kb, sn_kb_iadd(kb, column.i, sn_kb_i64(kb, j * kb->lanes)), 1);
        kb->mask = last % kb->lanes ? sn_kb_tail(kb, sn_kb_isub(kb, sn_kb_i64(kb, last), column.i), kb->lanes) : NULL;
        sn_ct_store(kb, b->ct, tile, at, sum[j]);
        kb->mask = NULL;
    }
    sn_kb_endfor(kb, &column, NULL);
}

static void emit_sum(sn_kb *kb, sn_ct *ct)
{
    sn_kb_begin(kb, 1);
    body b = {.kb = kb, .ct = ct, .w = ct->data};
    count_tiles(&b);
    sn_loop tile = sn_kb_for(kb, kb->begin, kb->end, 1, NULL, 0);
    sn_ct_tile row = sn_ct_tile_of(kb, ct, tile.i);
    sum_row(&b, &row);
    sn_kb_endfor(kb, &tile, NULL);
    sn_kb_end(kb);
}

static bool wgrad_emit(sn_kb *kb, sn_ct *ct)
{
    emit_parts(kb, ct);
    emit_sum(kb, ct);
    return true;
}

const sn_ct_kind sn_ct_wgrad = {.name = "wgrad", .plan = wgrad_plan, .emit = wgrad_emit};
