/* Convolutions over time and their data gradients with fewer products than taps (winograd.h), for layers wide enough.
 * Not weight gradients, dilations or other windows.
 *
 * First call: weights transformed, as panels of columns: block of columns, component, segment, row, column of the block.
 * Second call: a tile is some frames of the result.  Its source frames are packed once, prologue applied, frames outside as zeros, and transformed
 * together: component, transformed frame, inner rows.  Then, for some blocks of columns at a time, each component is a product of its own, and
 * the sums of components are the results that the epilogue meets.  Where the transformed weights are too large for a cache (by_point), the
 * components of one point after the other are made, multiplied with all columns and added up to a few sums a block: weights pass once a tile,
 * operands and sums stay.  With a stride s there are s correlations: forward of the frames with one residue each, whose results are added; in a
 * data gradient for the results with one residue each.
 */
#include "kernel_contract.h"
#include "winograd.h"

typedef struct fast {
    sn_ct_sides   side;
    sn_ct_fast    fast;
    int64_t       steps, slots;             /* transformed frames of a component in a whole tile: results, operands */
    sn_gemm_block block;
    bool          by_point;                 /* of the taps; else all components are held at once */
    int64_t       held;                     /* components */
    int64_t       together;                 /* blocks of columns multiplied by a component before the next one */
    int64_t       frame, result;            /* floats: packed frame; results of a block's frame */
    int64_t       part, product;            /* floats from component to component: operands, products and sums */
    int64_t       sums;                     /* of a block, all correlations: tiles of results at every point of the taps */
    int64_t       parts_at, products_at, sums_at, c_at, floats; /* in scratch */
    uint32_t      temp;                     /* buffer of the weights */
} fast;

/* ---- plan ---- */

/* CHUNK_ROWS: as many as tiles of batch statistics have.  Transformed operands, some megabyte, need not fit a second-level cache; a component of them
 * does.  So it meets TOGETHER columns while it is there, as many as one block has with wide registers.  WIDE_WEIGHTS: floats, half a megabyte. */
enum { CHUNK_ROWS = 600, TOGETHER = 64, UNROLL = 4, WIDE_WEIGHTS = 1 << 17 };

/* Vector operations of a transformed tile of one inner row, and of the direct method for its frames; transforms move a number in about
 * the time of a multiply-add and come to some four operations a component. */
static sn_refusal pays(const sn_plan *p, const fast *k, int64_t frames, int64_t taps, int64_t lanes)
{
    const sn_ct_fast *w = &k->fast;
    const int64_t rows = k->side.pack.width, in = (rows + lanes - 1) / lanes, out = (k->side.panels.width + lanes - 1) / lanes;
    const int64_t products = w->components * w->segments * rows * out, transforms = 8 * w->components * (in + out);
    const int64_t fast_cost = k->steps * (products + transforms), direct = frames * taps * rows * out;
    if (rows < SN_WINO_LEAST_WIDTH || k->side.panels.width < SN_WINO_LEAST_WIDTH)
        return sn_plan_no(p, "%lld to %lld channels are too narrow, it takes %d", (long long)rows, (long long)k->side.panels.width, SN_WINO_LEAST_WIDTH);
    return fast_cost < direct ? NULL : sn_plan_no(p, "it does not pay: %lld vector operations with transforms, %lld of direct multiply-adds", (long long)fast_cost, (long long)direct);
}

/* Floats that are transformed weights. */
static int64_t weights_of(const fast *k) { return k->fast.components * k->fast.segments * k->side.panels.depth * k->side.panels.width; }

/* Tiles, and the frames they pack. */
static sn_refusal plan_tiles(const sn_plan *p, sn_ct *ct, fast *k, int64_t taps)
{
    const sn_product *q = &k->side.product;
    const int64_t phases = k->side.scatter ? q->s : 1; /* of the result */
    sn_ct_pack probe = {0};
    sn_refusal no = sn_ct_fast_window(&k->fast, &probe, q, k->side.scatter, 1, taps);
    if (no)
        return no;
    k->by_point = weights_of(k) > WIDE_WEIGHTS;
    const int64_t free_steps = CHUNK_ROWS / k->side.pack.inner_rows / k->fast.frames;
    ct->chunk = p->k->tiled ? ct->chunk : (free_steps < 1 ? 1 : free_steps) * k->fast.frames * phases;
    const int64_t frames = k->side.scatter ? sn_ct_window_whole(ct->chunk, q->s) / q->s : ct->chunk;
    k->steps = (frames + k->fast.frames - 1) / k->fast.frames;
    k->slots = k->steps + k->fast.segments - 1;
    k->side.edge.phases = phases;
    no = pays(p, k, frames, taps, p->target->lanes);
    return no ? no : sn_ct_fast_window(&k->fast, &k->side.pack, q, k->side.scatter, k->steps * k->fast.frames, taps);
}

static void plan_blocks(const sn_plan *p, fast *k)
{
    int64_t lanes = p->target->lanes, rows = k->steps * k->side.pack.inner_rows, width = k->side.panels.width;
    k->block = sn_gemm_block_choose(p->target->registers, rows, (width + lanes - 1) / lanes, NULL);
    k->side.panels.vectors = k->side.edge.vectors = k->block.vectors;
    k->side.panels.blocks = k->side.edge.blocks = (width + lanes * k->block.vectors - 1) / (lanes * k->block.vectors);
    k->together = sn_ct_ceil(TOGETHER, lanes * k->block.vectors) / (lanes * k->block.vectors);
    k->together = k->together < k->side.panels.blocks ? k->together : k->side.panels.blocks;
    k->side.edge.inner_rows = k->side.pack.inner_rows;
    k->side.edge.phase_rows = k->steps * k->fast.frames * k->side.pack.inner_rows;
    k->frame = k->side.pack.inner_rows * k->side.pack.stride;
    k->result = k->side.pack.inner_rows * lanes * k->block.vectors;
    k->part = k->slots * k->frame;
    k->product = sn_ct_ceil(rows, k->block.rows) * lanes * k->block.vectors;
    k->held = k->by_point ? 0 : k->fast.components;
    for (int64_t q = 0; q < k->fast.phases && k->by_point; q++) {
        k->sums += sn_wino_sums(&k->fast.form[q]);
        k->held = k->fast.form[q].outer > k->held ? k->fast.form[q].outer : k->held;
    }
    k->parts_at = k->side.pack.slots * k->frame;
    k->products_at = k->parts_at + k->held * k->part + k->block.rows * k->side.pack.stride; /* a block may begin in the last row */
    k->sums_at = k->products_at + k->together * k->held * k->product;
    k->c_at = k->sums_at + k->side.panels.blocks * k->sums * k->product;
    k->side.pack.mix_at = k->c_at + k->side.edge.phases * k->steps * k->fast.frames * k->result;
    k->floats = k->side.pack.mix_at + k->side.pack.mix_floats;
}

/* As `pays` counts, with the padding to blocks; the frames of whole transformed tiles. */
static void predict(const sn_plan *p, sn_ct *ct, const fast *k, int64_t taps)
{
    const int64_t lanes = p->target->lanes, frames = k->steps * k->fast.frames, inner = k->side.pack.inner_rows, depth = k->side.panels.depth;
    const int64_t in = (depth + lanes - 1) / lanes, out = (k->side.panels.width + lanes - 1) / lanes, rows = k->steps * inner;
    const double packed = (double)(k->side.scatter ? frames : frames * k->side.product.s), results = (double)(k->side.edge.phases * frames * inner * out);
    ct->cost = (sn_ct_cost){.macs = (double)(frames * taps * inner * depth) * (double)k->side.panels.width + packed * sn_ct_mix_macs(&k->side.pack),
                            .products = (double)(k->fast.components * k->fast.segments * depth) * sn_gemm_step_cost(rows, out, k->block),
                            .moves = (double)(8 * k->fast.components * (in + out) * rows) + sn_ct_pack_cost(p, &k->side.pack) + 2 * results,
                            .block = k->block, .rows = rows, .vectors = out};
    if (p->why)
        ct->cost.order = sn_format(p->arena, "transformed weights are %lld KiB, %s %d: %s", (long long)(weights_of(k) >> 8), k->by_point ? "above" : "not above", WIDE_WEIGHTS >> 8,
                                   k->by_point ? "point by point, so that they pass once a tile" : "all components of a tile at once");
}

static sn_refusal fast_plan(sn_plan *p, sn_ct *ct)
{
    fast *k = sn_new(p->arena, fast);
    int64_t taps;
    sn_refusal no;
    if ((no = sn_ct_sides_find(p, ct, &k->side, &taps)) || (no = plan_tiles(p, ct, k, taps)))
        return no;
    plan_blocks(p, k);
    if ((no = sn_ct_scratch(p, 4 * k->floats)) || (no = sn_ct_edge_fits(p, &k->side.edge)))
        return no;
    predict(p, ct, k, taps);
    ct->data = k;
    ct->main = 1;
    ct->transforms = sn_ct_fast_transforms(&k->fast, k->by_point);
    int64_t row = k->fast.components * k->fast.segments * k->block.vectors * p->target->lanes;
    k->temp = sn_plan_temp(p, sn_dim_const(k->side.panels.blocks * k->side.panels.depth * row));
    sn_plan_call *weights = sn_plan_add(p, sn_dim_const(k->side.panels.blocks * k->side.panels.depth), sn_dim_const(0), false);
    sn_ct_reads(p, ct, weights, 1u << k->side.panels.tensor);
    sn_plan_write(p, weights, k->temp);
    sn_plan_call *main = sn_plan_add(p, sn_ct_tiles(p, ct), sn_dim_const(4 * k->floats), false);
    sn_ct_reads(p, ct, main, (1u << k->side.pack.tensor) | SN_CT_EPILOGUE);
    sn_plan_read(p, main, k->temp);
    for (uint32_t i = 0; i < p->k->outs; i++)
        sn_plan_write(p, main, p->k->ins + i);
    return NULL;
}

/* ---- weights ---- */

/* An item is one row of one block of columns, all taps. */
static void emit_weights(sn_kb *kb, sn_ct *ct)
{
    const fast *k = ct->data;
    const sn_ct_panels *w = &k->side.panels;
    const int64_t pieces = k->fast.components * k->fast.segments, panel = w->vectors * kb->target->lanes;
    LLVMValueRef loop[SN_MAX_LOOPS], tap[SN_WINO_MAX_TAPS], piece[SN_CT_FAST_PIECES];
    sn_kb_begin(kb, 0);
    sn_loop item = sn_kb_for(kb, kb->begin, kb->end, 1, NULL, 0);
    LLVMValueRef depth = sn_kb_i64(kb, w->depth), block = sn_kb_idiv(kb, item.i, depth), row = sn_kb_irem(kb, item.i, depth);
    LLVMValueRef line = sn_kb_iadd(kb, sn_kb_imul(kb, block, sn_kb_i64(kb, pieces * w->depth)), row);
    LLVMValueRef to = sn_kb_ptr(kb, kb->buffer[k->temp], sn_kb_imul(kb, line, sn_kb_i64(kb, panel)));
    sn_loop vector = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, panel), kb->lanes, NULL, 0);
    LLVMValueRef column = sn_kb_iadd(kb, sn_kb_imul(kb, block, sn_kb_i64(kb, panel)), vector.i);
    for (int64_t q = 0; q < k->fast.phases; q++) {
        for (int64_t i = 0; i < k->fast.form[q].taps; i++) {
            loop[w->tap] = sn_kb_i64(kb, k->fast.tap[q][i]);
            tap[i] = sn_ct_panels_vector(kb, ct, w, loop, row, column);
        }
        sn_wino_weights(kb, &k->fast.form[q], tap, piece + k->fast.component[q] * k->fast.segments);
    }
    for (int64_t i = 0; i < pieces; i++)
        sn_kb_store(kb, to, sn_kb_iadd(kb, vector.i, sn_kb_i64(kb, i * w->depth * panel)), piece[i], NULL);
    sn_kb_endfor(kb, &vector, NULL);
    sn_kb_endfor(kb, &item, NULL);
    sn_kb_end(kb);
}

/* ---- tiles ---- */

typedef struct body {
    sn_kb            *kb;
    sn_ct            *ct;
    const fast       *k;
    const sn_ct_tile *tile;
    LLVMValueRef      loop[SN_MAX_LOOPS], micro, table, steps; /* live steps */
    sn_gemm_micro     form;
    sn_ct_streams     ahead; /* the next panel of weights */
} body;

static LLVMValueRef scratch(const body *b, int64_t at) { return sn_kb_ptr(b->kb, b->kb->scratch, sn_kb_i64(b->kb, at)); }

/* Weights of a component for a block of columns. */
static int64_t panel_floats(const fast *k) { return k->fast.segments * k->side.panels.depth * (k->result / k->side.pack.inner_rows); }

/* Turns of the micro-kernel's unrolled loop in a call. */
static int64_t turns_of(const fast *k) { return k->fast.segments * (k->side.pack.width / UNROLL); }

static void make_micro(body *b)
{
    sn_kb *kb = b->kb;
    const fast *k = b->k;
    sn_gemm_env env = sn_ct_env(kb);
    int64_t offset[SN_WINO_MAX_TAPS];
    for (int64_t i = 0; i < k->fast.segments; i++)
        offset[i] = i * k->frame;
    b->table = sn_gemm_table(&env, offset, (uint32_t)k->fast.segments);
    const int64_t width = k->block.vectors * kb->target->lanes;
    b->form = (sn_gemm_micro){.rows = (uint32_t)k->block.rows, .vectors = (uint32_t)k->block.vectors, .lanes = kb->target->lanes,
                              .steps = (uint32_t)k->side.pack.width, .unroll = UNROLL, .x_row = k->side.pack.stride, .x_step = 1, .w_step = width,
                              .c_row = width, .fma = kb->target->fma};
    b->ahead = (sn_ct_streams){.calls = (k->steps * k->side.pack.inner_rows + k->block.rows - 1) / k->block.rows};
    if (k->by_point)
        sn_ct_stream_add(&b->ahead, NULL, panel_floats(k), false);
    sn_ct_stream_pace(&b->ahead, turns_of(k), &b->form);
    b->micro = sn_gemm_micro_function(&env, &b->form);
}

/* Frames to components of one correlation, of one point or all (NULL); the first is number `to` of those held. */
static void transform_source(body *b, int64_t phase, LLVMValueRef point, int64_t to)
{
    sn_kb *kb = b->kb;
    const fast *k = b->k;
    LLVMValueRef slots = sn_kb_iadd(kb, b->steps, sn_kb_i64(kb, k->fast.segments - 1));
    sn_loop slot = sn_kb_for(kb, sn_kb_i64(kb, 0), slots, 1, NULL, 0);
    sn_wino_place place = {.frame_step = k->frame, .part_step = k->part};
    place.frames = sn_kb_ptr(kb, scratch(b, k->fast.slot[phase] * k->frame), sn_kb_imul(kb, slot.i, sn_kb_i64(kb, k->fast.frames * k->frame)));
    place.parts = sn_kb_ptr(kb, scratch(b, k->parts_at + to * k->part), sn_kb_imul(kb, slot.i, sn_kb_i64(kb, k->frame)));
    sn_wino_source(kb, &k->fast.form[phase], &place, sn_kb_i64(kb, k->frame), point);
    sn_kb_endfor(kb, &slot, NULL);
}

/* Components that are held; the first one's product is number `to` of its block, among products or, if told, among sums. */
typedef struct some { LLVMValueRef first, count, to; bool sums; } some;

/* The weights that are multiplied after those of block number `one` of `count` from `first` on and component number `part` of some. */
static LLVMValueRef next_panel(const body *b, LLVMValueRef first, LLVMValueRef count, LLVMValueRef one, LLVMValueRef part, some of)
{
    sn_kb *kb = b->kb;
    const fast *k = b->k;
    LLVMValueRef zero = sn_kb_i64(kb, 0), beside = sn_kb_iadd(kb, one, sn_kb_i64(kb, 1)), more = sn_kb_iadd(kb, part, sn_kb_i64(kb, 1)), beyond = sn_kb_iadd(kb, first, count);
    LLVMValueRef in_group = sn_kb_iless(kb, beside, count), in_some = sn_kb_iless(kb, more, of.count), in_tile = sn_kb_iless(kb, beyond, sn_kb_i64(kb, k->side.panels.blocks));
    LLVMValueRef block = LLVMBuildSelect(kb->b, in_tile, beyond, zero, ""), component = LLVMBuildSelect(kb->b, in_tile, zero, of.count, "");
    block = LLVMBuildSelect(kb->b, in_group, sn_kb_iadd(kb, first, beside), LLVMBuildSelect(kb->b, in_some, first, block, ""), "");
    component = LLVMBuildSelect(kb->b, in_group, part, LLVMBuildSelect(kb->b, in_some, more, component, ""), "");
    LLVMValueRef piece = sn_kb_iadd(kb, sn_kb_imul(kb, block, sn_kb_i64(kb, k->fast.components)), sn_kb_iadd(kb, component, of.first));
    return sn_kb_ptr(kb, kb->buffer[k->temp], sn_kb_imul(kb, piece, sn_kb_i64(kb, panel_floats(k))));
}

/* Products of block number `one` of those together. */
static LLVMValueRef products_of(const body *b, LLVMValueRef one)
{
    return sn_kb_ptr(b->kb, scratch(b, b->k->products_at), sn_kb_imul(b->kb, one, sn_kb_i64(b->kb, b->k->held * b->k->product)));
}

static LLVMValueRef sums_of(const body *b, LLVMValueRef block)
{
    return sn_kb_ptr(b->kb, scratch(b, b->k->sums_at), sn_kb_imul(b->kb, block, sn_kb_i64(b->kb, b->k->sums * b->k->product)));
}

/* Products of some components for `count` blocks of columns from `first` on. */
static void products(body *b, some of, LLVMValueRef first, LLVMValueRef count)
{
    sn_kb *kb = b->kb;
    const fast *k = b->k;
    const int64_t width = k->block.vectors * kb->lanes, share = (k->side.edge.phases * k->side.edge.phase_rows + k->held - 1) / k->held;
    LLVMValueRef live = sn_kb_imul(kb, b->steps, sn_kb_i64(kb, k->side.pack.inner_rows));
    sn_loop part = sn_kb_for(kb, sn_kb_i64(kb, 0), of.count, 1, NULL, 0);
    LLVMValueRef x = sn_kb_ptr(kb, scratch(b, k->parts_at), sn_kb_imul(kb, part.i, sn_kb_i64(kb, k->part)));
    sn_loop one = sn_kb_for(kb, sn_kb_i64(kb, 0), count, 1, NULL, 0);
    LLVMValueRef block = sn_kb_iadd(kb, first, one.i);
    if (!k->by_point) /* there it stalls more than it saves */
        sn_ct_ahead(kb, b->ct, &k->side.edge, b->tile, block, sn_kb_imul(kb, part.i, sn_kb_i64(kb, share)), share);
    LLVMValueRef piece = sn_kb_iadd(kb, sn_kb_imul(kb, block, sn_kb_i64(kb, k->fast.components)), sn_kb_iadd(kb, part.i, of.first));
    LLVMValueRef w = sn_kb_ptr(kb, kb->buffer[k->temp], sn_kb_imul(kb, piece, sn_kb_i64(kb, panel_floats(k))));
    LLVMValueRef c = sn_kb_ptr(kb, of.sums ? sums_of(b, block) : products_of(b, one.i), sn_kb_imul(kb, sn_kb_iadd(kb, of.to, part.i), sn_kb_i64(kb, k->product)));
    if (k->by_point)
        b->ahead.of[0].at = next_panel(b, first, count, one.i, part.i, of);
    sn_loop row = sn_kb_for(kb, sn_kb_i64(kb, 0), live, k->block.rows, NULL, 0);
    LLVMValueRef arg[7 + SN_GEMM_MAX_AHEAD] = {sn_kb_ptr(kb, x, sn_kb_imul(kb, row.i, sn_kb_i64(kb, k->side.pack.stride))), w,
                                               sn_kb_ptr(kb, c, sn_kb_imul(kb, row.i, sn_kb_i64(kb, width))), b->table, sn_kb_i64(kb, k->fast.segments),
                                               sn_kb_i64(kb, 1), sn_kb_i64(kb, k->side.pack.width)};
    sn_ct_stream_call(kb, &b->ahead, turns_of(k), sn_kb_idiv(kb, row.i, sn_kb_i64(kb, k->block.rows)), arg + 7);
    LLVMBuildCall2(kb->b, LLVMGlobalGetValueType(b->micro), b->micro, arg, 7 + b->form.ahead, "");
    sn_kb_endfor(kb, &row, NULL);
    sn_kb_endfor(kb, &one, NULL);
    sn_kb_endfor(kb, &part, NULL);
}

/* ---- tiles: results ---- */

/* Components of one point to sums, the first of them number `sum` of the block. */
static void gather_point(body *b, LLVMValueRef one, LLVMValueRef block, const sn_wino *form, LLVMValueRef point, LLVMValueRef sum)
{
    sn_kb *kb = b->kb;
    const fast *k = b->k;
    const sn_wino_place place = {.parts = products_of(b, one), .part_step = k->product,
                                 .frames = sn_kb_ptr(kb, sums_of(b, block), sn_kb_imul(kb, sum, sn_kb_i64(kb, k->product))), .frame_step = k->product};
    sn_wino_gather(kb, form, &place, sn_kb_imul(kb, b->steps, sn_kb_i64(kb, k->result)), point);
}

/* Frames of n correlations that are added, from number `phase` on, from their components or sums at `parts`. */
static void transform_result(body *b, LLVMValueRef parts, int64_t phase, int64_t n)
{
    sn_kb *kb = b->kb;
    const fast *k = b->k;
    const int64_t rows_at = k->c_at + phase * k->steps * k->fast.frames * k->result;
    sn_loop step = sn_kb_for(kb, sn_kb_i64(kb, 0), b->steps, 1, NULL, 0);
    sn_wino_place place = {.frame_step = k->result, .part_step = k->product};
    place.frames = sn_kb_ptr(kb, scratch(b, rows_at), sn_kb_imul(kb, step.i, sn_kb_i64(kb, k->fast.frames * k->result)));
    place.parts = sn_kb_ptr(kb, parts, sn_kb_imul(kb, step.i, sn_kb_i64(kb, k->result)));
    sn_wino_result(kb, &k->fast.form[phase], n, &place, sn_kb_i64(kb, k->result), k->by_point);
    sn_kb_endfor(kb, &step, NULL);
}

static void block_results(body *b, LLVMValueRef parts, LLVMValueRef block)
{
    sn_kb *kb = b->kb;
    const fast *k = b->k;
    const int64_t added = k->side.scatter ? 1 : k->fast.phases;
    int64_t before = 0;
    for (int64_t q = 0; q < k->fast.phases; q += added) {
        transform_result(b, sn_kb_ptr(kb, parts, sn_kb_i64(kb, before * k->product)), q, added);
        before += k->by_point ? sn_wino_sums(&k->fast.form[q]) : k->fast.form[q].products;
    }
    sn_ct_edge_emit(kb, b->ct, &k->side.edge, b->tile, block, scratch(b, k->c_at));
}

/* ---- tiles: orders ---- */

/* A walk over groups of blocks: in each of them products of some components, then what is between begin and end for every block. */
typedef struct groups { sn_loop group, one; LLVMValueRef block; } groups;

static groups groups_begin(body *b, some of)
{
    sn_kb *kb = b->kb;
    const fast *k = b->k;
    groups g = {.group = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, k->side.panels.blocks), k->together, NULL, 0)};
    LLVMValueRef left = sn_kb_isub(kb, sn_kb_i64(kb, k->side.panels.blocks), g.group.i), count = sn_kb_imin(kb, left, sn_kb_i64(kb, k->together));
    products(b, of, g.group.i, count);
    g.one = sn_kb_for(kb, sn_kb_i64(kb, 0), count, 1, NULL, 0);
    g.block = sn_kb_iadd(kb, g.group.i, g.one.i);
    return g;
}

static void groups_end(body *b, groups *g)
{
    sn_kb_endfor(b->kb, &g->one, NULL);
    sn_kb_endfor(b->kb, &g->group, NULL);
}

static void tile_at_once(body *b)
{
    const fast *k = b->k;
    for (int64_t q = 0; q < k->fast.phases; q++)
        transform_source(b, q, NULL, k->fast.component[q]);
    groups g = groups_begin(b, (some){sn_kb_i64(b->kb, 0), sn_kb_i64(b->kb, k->fast.components), sn_kb_i64(b->kb, 0), false});
    block_results(b, products_of(b, g.one.i), g.block);
    groups_end(b, &g);
}

/* One point of the taps; where groups are not gathered its product is the sum. */
static void tile_point(body *b, int64_t phase, LLVMValueRef point, int64_t sums_before)
{
    sn_kb *kb = b->kb;
    const sn_wino *form = &b->k->fast.form[phase];
    const bool gathered = form->across.points > 0;
    LLVMValueRef first = sn_kb_iadd(kb, sn_kb_i64(kb, b->k->fast.component[phase]), sn_kb_imul(kb, point, sn_kb_i64(kb, form->outer)));
    LLVMValueRef sum = sn_kb_iadd(kb, sn_kb_i64(kb, sums_before), sn_kb_imul(kb, point, sn_kb_i64(kb, sn_wino_sums(form) / form->inner.points)));
    transform_source(b, phase, point, 0);
    groups g = groups_begin(b, (some){first, sn_wino_count(kb, form, point), gathered ? sn_kb_i64(kb, 0) : sum, !gathered});
    if (gathered)
        gather_point(b, g.one.i, g.block, form, point, sum);
    groups_end(b, &g);
}

static void tile_by_point(body *b)
{
    sn_kb *kb = b->kb;
    const fast *k = b->k;
    int64_t sums = 0;
    for (int64_t q = 0; q < k->fast.phases; q++) {
        const sn_wino *form = &k->fast.form[q];
        sn_loop point = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, form->inner.points), 1, NULL, 0);
        tile_point(b, q, point.i, sums);
        sn_kb_endfor(kb, &point, NULL);
        sums += sn_wino_sums(form);
    }
    sn_loop block = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, k->side.panels.blocks), 1, NULL, 0);
    block_results(b, sums_of(b, block.i), block.i);
    sn_kb_endfor(kb, &block, NULL);
}

static void tile_body(body *b, const sn_ct_tile *tile)
{
    sn_kb *kb = b->kb;
    const fast *k = b->k;
    const sn_contract *c = b->ct->facts.spec;
    const int64_t s = k->side.product.s, together = k->side.scatter ? s * k->fast.frames : k->fast.frames;
    b->tile = tile;
    for (uint32_t i = 0; i < b->ct->outer; i++)
        b->loop[c->at[SN_AT_OUT][i].loop[0]] = tile->at[i];
    LLVMValueRef origin = sn_ct_edge_origin(kb, &k->side.edge, tile), stride = sn_kb_i64(kb, s);
    LLVMValueRef frame = k->side.scatter ? sn_kb_idiv(kb, origin, stride) : sn_kb_imul(kb, origin, stride);
    b->steps = sn_kb_idiv(kb, sn_kb_iadd(kb, sn_kb_isub(kb, tile->to, origin), sn_kb_i64(kb, together - 1)), sn_kb_i64(kb, together));
    sn_ct_pack_emit(kb, b->ct, &k->side.pack, b->loop, frame, NULL, scratch(b, 0));
    sn_ct_clear_sums(kb, b->ct, tile);
    (k->by_point ? tile_by_point : tile_at_once)(b);
}

static bool fast_emit(sn_kb *kb, sn_ct *ct)
{
    const fast *k = ct->data;
    emit_weights(kb, ct);
    sn_kb_begin(kb, 1);
    body b = {.kb = kb, .ct = ct, .k = k};
    sn_ct_mix_weights(kb, ct, &k->side.pack);
    make_micro(&b);
    sn_loop tiles = sn_kb_for(kb, kb->begin, kb->end, 1, NULL, 0);
    sn_ct_tile tile = sn_ct_tile_of(kb, ct, tiles.i);
    tile_body(&b, &tile);
    sn_kb_endfor(kb, &tiles, NULL);
    sn_kb_end(kb);
    return true;
}

const sn_ct_kind sn_ct_winograd = {.name = "winograd", .plan = fast_plan, .emit = fast_emit};
