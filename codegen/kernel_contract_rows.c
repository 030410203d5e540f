/* Convolutions along one axis, linear maps, and their data gradients: positions times columns.
 * Not weight gradients (kernel_contract_wgrad.c) and not graph products (kernel_contract_graph.c).
 *
 * A tile is some frames of the result.  The frames of the source it needs are packed once, prologue applied, frames outside as zeros; all
 * taps and all blocks of columns read the packed tile at fixed offsets:
 *
 *   forward         source x:  y[u] = sum over k of x[s*u + d*k + off] * w[k].  Packed by (frame mod s), so that a tap reads
 *                   consecutive rows.
 *   data gradient   source y:  x[f] = sum over k of y[(f - d*k - off) / s] * w[k] where that is whole: result frames f = s*u + r of one
 *                   phase r share their taps.
 *
 * One more loop may be in all three tensors, ahead of the columns: the groups of a grouped linear map, bands of source and result (sn_ct_bands).
 */
#include <string.h>

#include "kernel_contract.h"

enum { GROUP_FLOATS = 1 << 16 }; /* weights of the taps multiplied at a time: a quarter of a second-level cache */

typedef struct rows {
    sn_product   product;
    bool         scatter;              /* data gradient: the result holds the window */
    sn_ct_pack   pack;
    sn_ct_panels panels;
    sn_ct_edge   edge;
    sn_ct_window window;
    sn_gemm_block block;
    int64_t      c_offset;             /* floats from the start of scratch */
    uint32_t     temp;                 /* buffer of the panels */
} rows;

/* ---- plan: who is who ---- */

static sn_refusal find_product(const sn_contract_facts *f, rows *r)
{
    sn_refusal no = NULL;
    for (int side = 0; side < 2; side++)
        if (!(no = sn_contract_product(f, side, 1 - side, SN_AT_OUT, &r->product)))
            return NULL;
    r->scatter = true;
    for (int side = 0; side < 2; side++)
        if (!sn_contract_product(f, SN_AT_OUT, 1 - side, side, &r->product))
            return NULL;
    return no;
}

static uint32_t result_columns(const rows *r) { return (r->scatter ? r->product.ins : r->product.outs) + (r->product.batched ? 1u : 0u); }

/* Result axes: positions, then columns; which of the positions are inside a frame. */
static sn_refusal find_axes(const sn_contract_facts *f, rows *r, uint32_t frame_axis)
{
    const sn_product *p = &r->product;
    const sn_contract *c = f->spec;
    uint32_t rank = c->rank[SN_AT_OUT], columns = result_columns(r);
    uint8_t column[SN_MAX_RANK + 1] = {p->band};
    memcpy(column + (p->batched ? 1 : 0), r->scatter ? p->in : p->out, SN_MAX_RANK);
    if (columns == (p->batched ? 1u : 0u))
        return "its result has no columns of the weights";
    if (frame_axis + columns >= rank)
        return "its result is cut along its columns";
    for (uint32_t i = 0; i < columns; i++) {
        const sn_affine *at = &c->at[SN_AT_OUT][rank - columns + i];
        if (!sn_affine_is_loop(at) || at->loop[0] != column[i])
            return "the columns of the weights are not the last axes of its result";
        r->panels.column[i] = column[i];
    }
    r->panels.columns = r->edge.columns = columns;
    for (uint32_t i = frame_axis + 1; i + columns < rank; i++) {
        if (sn_contract_windowed(f, SN_AT_OUT, (int)i))
            return "its window is not along the frames that tiles cut";
        r->pack.inner[r->pack.inners++] = c->at[SN_AT_OUT][i].loop[0];
        r->edge.inner[r->edge.inners++] = (uint8_t)i;
    }
    return NULL;
}

/* Axis of the result along which tiles are cut: that of the window; without one, such that a frame has a moderate number of rows. */
static uint32_t choose_axis(const sn_contract_facts *f, const rows *r)
{
    const sn_product *p = &r->product;
    const sn_type *t = &f->type[SN_AT_OUT];
    if (p->x_axis >= 0)
        return (uint32_t)(r->scatter ? p->x_axis : f->loop[p->frame].alone[SN_AT_OUT]);
    uint32_t axis = t->rank - 1u - result_columns(r);
    int64_t inner = 1;
    while (axis > 0 && sn_dim_is_const(t->dim[axis]) && inner * t->dim[axis].v <= 64) {
        inner *= t->dim[axis].v;
        axis--;
    }
    return axis;
}

/* ---- plan ---- */

/* Frames of a tile when the schedule leaves it open: enough rows to pay for the frames read twice. */
static int64_t choose_chunk(const rows *r, int64_t taps)
{
    int64_t chunk = (taps > 1 ? 300 : 96) / r->pack.inner_rows;
    chunk = chunk < 1 ? 1 : chunk;
    if (taps > 1 && chunk < taps)
        chunk = taps;
    return r->scatter ? sn_ct_ceil(chunk, r->product.s) : chunk;
}

static sn_refusal plan_source(const sn_plan *p, sn_ct *ct, rows *r)
{
    sn_refusal no;
    const sn_product *q = &r->product;
    const sn_contract_facts *f = &ct->facts;
    int source = r->scatter ? q->y : q->x;
    r->pack.tensor = source;
    r->panels.rows = r->scatter ? q->outs : q->ins;
    if (q->batched)
        r->pack.column[r->pack.columns++] = q->band;
    for (uint32_t i = 0; i < r->panels.rows; i++)
        r->pack.column[r->pack.columns++] = r->panels.row[i] = r->scatter ? q->out[i] : q->in[i];
    if (q->x_axis >= 0)
        r->pack.frame_axis = r->scatter ? f->loop[q->frame].alone[source] : q->x_axis;
    else
        r->pack.frame_axis = f->loop[f->spec->at[SN_AT_OUT][ct->outer].loop[0]].alone[source];
    if (r->pack.frame_axis < 0)
        return "the axis that tiles cut is a window of the source";
    no = sn_ct_pack_plan(p, ct, &r->pack);
    return no ? no : sn_ct_mix_plan(p, ct, &r->pack);
}

static sn_refusal plan_weights(const sn_plan *p, sn_ct *ct, rows *r, int64_t taps)
{
    sn_ct_panels *w = &r->panels;
    int64_t n = 1;
    w->tensor = r->product.w;
    w->tap = r->product.tap;
    w->taps = taps;
    w->depth = r->pack.width / sn_ct_bands(&ct->facts, &r->product);
    w->width = 1;
    for (uint32_t i = 0; i < w->columns; i++) {
        if (!sn_ct_const_extent(&ct->facts, w->column[i], &n))
            return sn_ct_open(p, &ct->facts, w->column[i]);
        w->width *= n;
    }
    r->edge.width = w->width;
    return w->columns == 1 || n % p->target->lanes == 0 ? NULL : sn_plan_no(p, "rows of %lld numbers of its result are no whole vectors", (long long)n);
}

static void plan_blocks(const sn_plan *p, const sn_contract_facts *f, rows *r)
{
    int64_t lanes = p->target->lanes, rows_of_phase = r->window.frames * r->pack.inner_rows, bands = sn_ct_bands(f, &r->product);
    r->block = sn_ct_band_block(p, rows_of_phase, r->panels.width / bands, bands > 1);
    r->panels.vectors = r->edge.vectors = r->block.vectors;
    r->panels.blocks = r->edge.blocks = (r->panels.width + lanes * r->block.vectors - 1) / (lanes * r->block.vectors);
    r->edge.phases = r->window.phases;
    r->edge.inner_rows = r->pack.inner_rows;
    r->edge.phase_rows = sn_ct_ceil(rows_of_phase, r->block.rows);
    for (int64_t i = 0; i < r->window.first[r->window.phases]; i++)
        r->panels.tap_order[i] = r->window.tap[i].k;
}

sn_refusal sn_ct_taps(const sn_plan *p, const sn_contract_facts *f, const sn_product *q, int64_t *taps)
{
    *taps = 1;
    if (q->tap != UINT8_MAX && !sn_ct_const_extent(f, q->tap, taps))
        return sn_plan_no(p, "as a window: %s", sn_ct_open(p, f, q->tap));
    return *taps > SN_CT_MAX_TAPS ? sn_plan_no(p, "it has %lld taps, at most %d fit", (long long)*taps, SN_CT_MAX_TAPS) : NULL;
}

/* Everything but how the products are made. */
static sn_refusal plan_sides(sn_plan *p, sn_ct *ct, rows *r, int64_t *taps)
{
    const sn_contract_facts *f = &ct->facts;
    sn_refusal no;
    if ((no = find_product(f, r)))
        return no;
    if (r->product.batched && r->product.band == UINT8_MAX)
        return "its weights differ along several axes of the result";
    if ((no = sn_ct_taps(p, f, &r->product, taps)))
        return no;
    if (result_columns(r) >= f->type[SN_AT_OUT].rank)
        return "its result has no positions";
    uint32_t axis = choose_axis(f, r);
    if (p->k->tiled && r->product.x_axis >= 0 && axis != ct->outer)
        return "the schedule's tiles cut another axis than its window's";
    ct->outer = p->k->tiled ? ct->outer : axis;
    if ((no = find_axes(f, r, ct->outer)) || (no = plan_source(p, ct, r)))
        return no;
    return plan_weights(p, ct, r, *taps);
}

sn_refusal sn_ct_sides_find(sn_plan *p, sn_ct *ct, sn_ct_sides *out, int64_t *taps)
{
    rows *r = sn_new(p->arena, rows);
    sn_refusal no = plan_sides(p, ct, r, taps);
    if (no || r->product.batched)
        return no ? no : "its weights differ from group to group";
    *out = (sn_ct_sides){r->product, r->scatter, r->pack, r->panels, r->edge};
    return NULL;
}

/* Products of all phases, each of its rows with its taps; the packed frames and the results' way through scratch.  Frames that tiles pack twice count twice. */
static void predict(const sn_plan *p, sn_ct *ct, const rows *r)
{
    const int64_t lanes = p->target->lanes, bands = sn_ct_bands(&ct->facts, &r->product), rows_of_phase = r->window.frames * r->pack.inner_rows;
    const int64_t vectors = (r->panels.width / bands + lanes - 1) / lanes, taps = r->window.first[r->window.phases];
    const double steps = (double)(taps * r->panels.depth * bands), results = (double)(r->window.phases * rows_of_phase) * (double)(r->panels.blocks * r->panels.vectors);
    const double packed = (double)(r->scatter ? r->window.frames : r->window.frames * r->product.s);
    ct->cost = (sn_ct_cost){.macs = (double)(taps * rows_of_phase) * (double)(r->panels.depth * r->panels.width) + packed * sn_ct_mix_macs(&r->pack),
                            .products = steps * sn_gemm_step_cost(rows_of_phase, vectors, r->block),
                            .moves = sn_ct_pack_cost(p, &r->pack) + 2 * results,
                            .block = r->block, .rows = rows_of_phase, .vectors = vectors};
}

static sn_refusal rows_plan(sn_plan *p, sn_ct *ct)
{
    rows *r = sn_new(p->arena, rows);
    int64_t taps, lanes = p->target->lanes;
    sn_refusal no;
    if ((no = plan_sides(p, ct, r, &taps)))
        return no;
    ct->chunk = p->k->tiled ? ct->chunk : choose_chunk(r, taps);
    int64_t frames = r->scatter ? sn_ct_window_whole(ct->chunk, r->product.s) : ct->chunk;
    if ((no = (r->scatter ? sn_ct_window_scatter : sn_ct_window_gather)(&r->window, &r->pack, &r->product, frames, taps)))
        return no;
    plan_blocks(p, &ct->facts, r);
    r->c_offset = sn_ct_ceil((r->pack.slots * r->pack.inner_rows + r->block.rows) * r->pack.stride, lanes);
    r->pack.mix_at = r->c_offset + r->window.phases * r->edge.phase_rows * r->block.vectors * lanes;
    int64_t scratch = 4 * (r->pack.mix_at + r->pack.mix_floats);
    if ((no = sn_ct_scratch(p, scratch)) || (no = sn_ct_edge_fits(p, &r->edge)))
        return no;
    predict(p, ct, r);
    ct->data = r;
    ct->main = 1;
    int64_t panel = r->window.first[r->window.phases] * r->panels.depth * r->block.vectors * lanes;
    r->panels.taps = r->window.first[r->window.phases];
    r->temp = sn_plan_temp(p, sn_dim_const(r->panels.blocks * panel));
    sn_plan_call *pack = sn_plan_add(p, sn_ct_panels_tiles(&r->panels), sn_dim_const(0), false);
    sn_ct_reads(p, ct, pack, 1u << r->panels.tensor);
    sn_plan_write(p, pack, r->temp);
    sn_plan_call *main = sn_plan_add(p, sn_ct_tiles(p, ct), sn_dim_const(scratch), false);
    sn_ct_reads(p, ct, main, (1u << r->pack.tensor) | SN_CT_EPILOGUE);
    sn_plan_read(p, main, r->temp);
    for (uint32_t i = 0; i < p->k->outs; i++)
        sn_plan_write(p, main, p->k->ins + i);
    return NULL;
}

/* ---- emission ---- */

typedef struct body {
    sn_kb            *kb;
    sn_ct            *ct;
    rows             *r;
    const sn_ct_tile *tile;
    LLVMValueRef      loop[SN_MAX_LOOPS], frame; /* of the tile: positions; source frame it is packed around */
    LLVMValueRef      source, c, weights, table[32];
    sn_gemm_micro     form, asking;              /* the micro-kernel; one that asks for memory */
    sn_ct_streams     ahead;
} body;

static void make_tables(body *b)
{
    sn_kb *kb = b->kb;
    const rows *r = b->r;
    sn_gemm_env env = sn_ct_env(kb);
    int64_t offset[SN_CT_MAX_TAPS];
    for (int64_t q = 0; q < r->window.phases; q++) {
        int64_t n = r->window.first[q + 1] - r->window.first[q];
        for (int64_t i = 0; i < n; i++)
            offset[i] = r->window.tap[r->window.first[q] + i].slot * r->pack.inner_rows * r->pack.stride;
        b->table[q] = n ? sn_gemm_table(&env, offset, (uint32_t)n) : NULL;
    }
    b->form = (sn_gemm_micro){.rows = (uint32_t)r->block.rows, .vectors = (uint32_t)r->block.vectors, .lanes = kb->target->lanes,
                       .steps = (uint32_t)r->panels.depth, .unroll = 4, .x_row = r->pack.stride, .x_step = 1,
                       .w_step = r->block.vectors * kb->target->lanes, .c_row = r->block.vectors * kb->target->lanes,
                       .fma = kb->target->fma};
}

/* Taps whose weights stay in the second-level cache while all rows of the tile pass. */
static int64_t taps_at_once(const rows *r, int64_t width)
{
    int64_t n = GROUP_FLOATS / (r->panels.depth * width);
    return n < 1 ? 1 : n;
}

/* Turns of the micro-kernel's unrolled loop in a call with the first taps of a phase that has the fewest. */
static int64_t turns_of(const body *b)
{
    const rows *r = b->r;
    int64_t least = taps_at_once(r, r->block.vectors * b->kb->lanes);
    for (int64_t q = 0; q < r->window.phases; q++) {
        int64_t taps = r->window.first[q + 1] - r->window.first[q];
        least = taps > 0 && taps < least ? taps : least;
    }
    return least * (r->panels.depth / b->form.unroll);
}

/* While this tile is multiplied, memory is asked for: the frames that the next tile packs and this one did not, and what the epilogue touches
 * where that is one piece. */
static void plan_ahead(body *b)
{
    sn_kb *kb = b->kb;
    const rows *r = b->r;
    b->ahead = (sn_ct_streams){.calls = r->edge.phase_rows / r->block.rows * r->window.phases * r->panels.blocks};
    LLVMValueRef next = sn_kb_iadd(kb, b->frame, sn_kb_i64(kb, sn_ct_pack_last(&r->pack) + 1));
    sn_ct_stream_source(kb, b->ct, &r->pack, b->loop, next, r->window.frames * r->window.multiple, &b->ahead);
    if (r->panels.blocks == 1)
        sn_ct_stream_edge(kb, b->ct, &r->edge, b->tile, &b->ahead);
    b->asking = b->form;
    sn_ct_stream_pace(&b->ahead, turns_of(b), &b->asking);
}

/* Call number of the row block at `row`. */
static void ask(body *b, int64_t phase, LLVMValueRef block, LLVMValueRef row, LLVMValueRef *address)
{
    sn_kb *kb = b->kb;
    const rows *r = b->r;
    int64_t each = r->edge.phase_rows / r->block.rows;
    LLVMValueRef call = sn_kb_iadd(kb, sn_kb_imul(kb, block, sn_kb_i64(kb, each * r->window.phases)), sn_kb_i64(kb, phase * each));
    call = sn_kb_iadd(kb, call, sn_kb_idiv(kb, row, sn_kb_i64(kb, r->block.rows)));
    sn_ct_stream_call(kb, &b->ahead, turns_of(b), call, address);
}

/* Products of one phase for one block of columns; `frames` of the phase are live. */
static void phase_products(body *b, int64_t phase, LLVMValueRef block, LLVMValueRef frames)
{
    sn_kb *kb = b->kb;
    const rows *r = b->r;
    int64_t width = r->block.vectors * kb->lanes, taps = r->window.first[phase + 1] - r->window.first[phase];
    LLVMValueRef live = sn_kb_imul(kb, frames, sn_kb_i64(kb, r->pack.inner_rows));
    LLVMValueRef c = sn_kb_ptr(kb, b->c, sn_kb_i64(kb, phase * r->edge.phase_rows * width));
    if (taps == 0) {
        sn_loop l = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_imul(kb, live, sn_kb_i64(kb, width)), kb->lanes, NULL, 0);
        sn_kb_store(kb, c, l.i, sn_kb_zero(kb, kb->lanes), NULL);
        sn_kb_endfor(kb, &l, NULL);
        return;
    }
    int64_t panel = r->panels.taps * r->panels.depth * width, tap = r->panels.depth * width, group = taps_at_once(r, width);
    int64_t band = r->panels.width / sn_ct_bands(&b->ct->facts, &r->product);
    LLVMValueRef offset = sn_kb_iadd(kb, sn_kb_imul(kb, block, sn_kb_i64(kb, panel)), sn_kb_i64(kb, r->window.first[phase] * tap));
    LLVMValueRef w = sn_kb_ptr(kb, b->weights, offset), source = b->source;
    if (r->product.batched) /* the block's band of the source */
        source = sn_kb_ptr(kb, source, sn_kb_imul(kb, sn_kb_idiv(kb, sn_kb_imul(kb, block, sn_kb_i64(kb, width)), sn_kb_i64(kb, band)), sn_kb_i64(kb, r->panels.depth)));
    for (int64_t k = 0; k < taps; k += group) {
        int64_t n = taps - k < group ? taps - k : group;
        LLVMValueRef index = sn_kb_i64(kb, k), table = LLVMBuildInBoundsGEP2(kb->b, kb->i64, b->table[phase], &index, 1, "");
        sn_loop l = sn_kb_for(kb, sn_kb_i64(kb, 0), live, r->block.rows, NULL, 0);
        LLVMValueRef arg[7 + SN_GEMM_MAX_AHEAD] = {sn_kb_ptr(kb, source, sn_kb_imul(kb, l.i, sn_kb_i64(kb, r->pack.stride))),
                               sn_kb_ptr(kb, w, sn_kb_i64(kb, k * tap)), sn_kb_ptr(kb, c, sn_kb_imul(kb, l.i, sn_kb_i64(kb, width))), table,
                               sn_kb_i64(kb, n), sn_kb_i64(kb, k == 0), sn_kb_i64(kb, r->panels.depth)};
        if (k == 0)
            ask(b, phase, block, l.i, arg + 7);
        if (k + group >= taps && r->window.phases == 1 && r->panels.blocks > 1)
            sn_ct_ahead(kb, b->ct, &r->edge, b->tile, block, l.i, r->block.rows);
        const sn_gemm_micro *m = k == 0 ? &b->asking : &b->form;
        sn_gemm_env env = sn_ct_env(kb);
        LLVMValueRef fn = sn_gemm_micro_function(&env, m);
        LLVMBuildCall2(kb->b, LLVMGlobalGetValueType(fn), fn, arg, 7 + m->ahead, "");
        sn_kb_endfor(kb, &l, NULL);
    }
}

/* Values of the position loops that are fixed in a tile. */
static void tile_loops(body *b, const sn_ct_tile *tile, LLVMValueRef *loop)
{
    const sn_contract *c = b->ct->facts.spec;
    for (uint32_t i = 0; i < b->ct->outer; i++)
        loop[c->at[SN_AT_OUT][i].loop[0]] = tile->at[i];
}

static void tile_body(body *b, const sn_ct_tile *tile)
{
    sn_kb *kb = b->kb;
    const rows *r = b->r;
    b->tile = tile;
    tile_loops(b, tile, b->loop);
    LLVMValueRef origin = sn_ct_edge_origin(kb, &r->edge, tile), frame = sn_kb_imul(kb, origin, sn_kb_i64(kb, r->window.multiple));
    b->frame = sn_kb_idiv(kb, frame, sn_kb_i64(kb, r->window.divisor));
    sn_ct_pack_emit(kb, b->ct, &r->pack, b->loop, b->frame, NULL, b->source);
    plan_ahead(b);
    sn_ct_clear_sums(kb, b->ct, tile);
    LLVMValueRef frames = sn_kb_isub(kb, tile->to, origin);
    sn_loop block = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, r->panels.blocks), 1, NULL, 0);
    for (int64_t q = 0; q < r->window.phases; q++) {
        LLVMValueRef live = sn_kb_iadd(kb, frames, sn_kb_i64(kb, r->window.phases - 1 - q));
        phase_products(b, q, block.i, sn_kb_idiv(kb, live, sn_kb_i64(kb, r->window.phases)));
    }
    sn_ct_edge_emit(kb, b->ct, &r->edge, tile, block.i, b->c);
    sn_kb_endfor(kb, &block, NULL);
}

static bool rows_emit(sn_kb *kb, sn_ct *ct)
{
    rows *r = ct->data;
    sn_kb_begin(kb, 0);
    sn_ct_panels_emit(kb, ct, &r->panels, kb->buffer[r->temp]);
    sn_kb_end(kb);
    sn_kb_begin(kb, 1);
    body b = {.kb = kb, .ct = ct, .r = r, .source = kb->scratch, .weights = kb->buffer[r->temp]};
    b.c = sn_kb_ptr(kb, kb->scratch, sn_kb_i64(kb, r->c_offset));
    sn_ct_mix_weights(kb, ct, &r->pack);
    make_tables(&b);
    sn_loop tiles = sn_kb_for(kb, kb->begin, kb->end, 1, NULL, 0);
    sn_ct_tile tile = sn_ct_tile_of(kb, ct, tiles.i);
    tile_body(&b, &tile);
    sn_kb_endfor(kb, &tiles, NULL);
    sn_kb_end(kb);
    return true;
}

const sn_ct_kind sn_ct_rows = {.name = "rows", .plan = rows_plan, .emit = rows_emit};
