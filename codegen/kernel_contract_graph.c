/* Graph products: every position mixes its nodes, channel by channel.
 *
 *     y[p.., o.., c] = sum over i.. of  x[p.., i.., c] * g[i.., o..]          (indices of x, g and y in any order but for c)
 *
 * Not products that sum over channels (kernel_contract_rows.c) and not the gradient of g (kernel_contract_dot.c).
 *
 * Lanes run along c.  Where most of g is known to be zero, the multiply-adds themselves are emitted; otherwise g is packed as rows of
 * i, columns of o, and the micro-kernel multiplies it with the vectors of x: its rows are o, its vectors c.  g may differ from tile to
 * tile (one graph a sample).
 */
#include "kernel_contract.h"

typedef struct graph {
    sn_ct_links   of;
    bool          direct;                     /* dense: x is read where it is */
    sn_ct_pack    pack;                       /* dense, not direct: one frame of x */
    sn_ct_edge    edge;
    sn_gemm_block block;
    int64_t       out_stride;                 /* of packed g */
    int64_t       pack_offset, c_offset;      /* in scratch */
} graph;

/* ---- plan ---- */

/* Tiles: as the schedule wants, else some frames of the last free axis.  A graph per sample must not change within a tile. */
static sn_refusal find_tiles(const sn_plan *p, sn_ct *ct, graph *g)
{
    const sn_contract_facts *f = &ct->facts;
    if (!p->k->tiled) {
        ct->outer = g->of.free_axes - 1;
        ct->chunk = 12;
    }
    if (ct->outer >= g->of.free_axes)
        return "the schedule's tiles cut its nodes";
    g->edge.inner_rows = g->of.outs_total;
    for (uint32_t i = ct->outer; i < g->of.free_axes; i++) {
        uint8_t l = f->spec->at[SN_AT_OUT][i].loop[0];
        int64_t n = 1;
        if (g->of.product.role[l] == SN_LOOP_BATCH)
            return "its graph differs within a tile";
        if (i > ct->outer && !sn_ct_const_extent(f, l, &n))
            return sn_ct_open(p, f, l);
        g->edge.inner_rows *= n;
    }
    for (uint32_t i = ct->outer + 1; i + 1 < f->spec->rank[SN_AT_OUT]; i++)
        g->edge.inner[g->edge.inners++] = (uint8_t)i;
    return NULL;
}

/* May the micro-kernel read x in place: whole blocks, and the i loops just before c? */
static bool is_direct(const sn_plan *p, const sn_ct *ct, const graph *g)
{
    const uint32_t rank = ct->facts.spec->rank[g->of.source];
    if (sn_plan_in_body(p, ct->operand[g->of.source]) || g->of.width % (g->block.vectors * p->target->lanes))
        return false;
    return sn_ct_axes_are(&ct->facts, g->of.source, rank - 1 - g->of.product.ins, g->of.product.in, g->of.product.ins);
}

static sn_refusal plan_packing(const sn_plan *p, sn_ct *ct, graph *g)
{
    sn_ct_pack *k = &g->pack;
    uint8_t frame = ct->facts.spec->at[SN_AT_OUT][ct->outer].loop[0];
    k->tensor = g->of.source;
    k->frame_axis = ct->facts.loop[frame].alone[g->of.source];
    for (uint32_t i = 0; i < g->of.product.ins; i++)
        k->inner[k->inners++] = g->of.product.in[i];
    k->column[k->columns++] = g->of.channel;
    k->group[k->groups++] = (sn_ct_frames){0, 1, 0, 1};
    k->slots = 1;
    return sn_ct_pack_plan(p, ct, k);
}

static void plan_blocks(const sn_plan *p, graph *g)
{
    int64_t lanes = p->target->lanes, vectors = (g->of.width + lanes - 1) / lanes;
    g->block = g->of.terms ? (sn_gemm_block){1, vectors < 4 ? vectors : 4} : sn_gemm_block_choose(p->target->registers, g->of.outs_total, vectors, NULL);
    g->out_stride = sn_ct_ceil(sn_ct_ceil(g->of.outs_total, g->block.rows), lanes);
    g->edge.columns = 1;
    g->edge.width = g->of.width;
    g->edge.phases = 1;
    g->edge.vectors = g->block.vectors;
    g->edge.blocks = (vectors + g->block.vectors - 1) / g->block.vectors;
}

/* Products of a tile, x packed for every block of columns unless it is read where it is; the results' way through scratch. */
static void predict(const sn_plan *p, sn_ct *ct, const graph *g)
{
    const double positions = (double)(ct->chunk * (g->edge.inner_rows / g->of.outs_total)), blocks = (double)g->edge.blocks, vectors = blocks * (double)g->block.vectors;
    const double results = positions * (double)g->of.outs_total * vectors, whole = (double)((g->of.width + p->target->lanes - 1) / p->target->lanes);
    const bool dense = g->of.terms == 0;
    const double pairs = (double)(g->of.ins_total * g->of.outs_total), terms = dense ? pairs : (double)g->of.terms;
    ct->cost = (sn_ct_cost){.macs = positions * pairs * (double)g->of.width,
                            .products = positions * (dense ? (double)g->of.ins_total * sn_gemm_step_cost(g->of.outs_total, (int64_t)whole, g->block) : SN_CT_TERM_LOADS * terms * vectors),
                            .moves = 2 * results + (dense && !g->direct ? positions * blocks * sn_ct_pack_cost(p, &g->pack) : 0)};
    if (dense)
        ct->cost.block = g->block, ct->cost.rows = g->of.outs_total, ct->cost.vectors = (int64_t)whole;
}

static sn_refusal graph_plan(sn_plan *p, sn_ct *ct)
{
    graph *g = sn_new(p->arena, graph);
    int64_t lanes = p->target->lanes;
    sn_refusal no;
    if ((no = sn_ct_links_find(p, &ct->facts, &g->of)) || (no = find_tiles(p, ct, g)))
        return no;
    sn_ct_links_terms(p, &ct->facts, ct->operand[g->of.weights], &g->of);
    plan_blocks(p, g);
    g->direct = g->of.terms == 0 && is_direct(p, ct, g);
    if (g->of.terms == 0 && (no = plan_packing(p, ct, g)))
        return no;
    if ((no = sn_ct_edge_fits(p, &g->edge)))
        return no;
    g->pack_offset = sn_ct_ceil(g->of.terms ? g->of.terms : g->of.ins_total * g->out_stride + lanes, lanes);
    g->c_offset = g->pack_offset;
    if (g->of.terms == 0 && !g->direct) /* a block of columns may run over the last row */
        g->c_offset += sn_ct_ceil(g->pack.inner_rows * g->pack.stride + g->block.vectors * lanes, lanes);
    int64_t rows = ct->chunk * g->edge.inner_rows + g->block.rows;
    int64_t scratch = 4 * (g->c_offset + rows * g->block.vectors * lanes);
    if ((no = sn_ct_scratch(p, scratch)))
        return no;
    predict(p, ct, g);
    ct->data = g;
    ct->terms = g->of.terms;
    ct->pattern = (uint32_t)g->of.weights;
    sn_plan_call *c = sn_plan_add(p, sn_ct_tiles(p, ct), sn_dim_const(scratch), false);
    sn_ct_reads(p, ct, c, SN_CT_OPERANDS | SN_CT_EPILOGUE);
    for (uint32_t i = 0; i < p->k->outs; i++)
        sn_plan_write(p, c, p->k->ins + i);
    return NULL;
}

/* ---- emission ---- */

typedef struct body {
    sn_kb       *kb;
    sn_ct       *ct;
    graph       *g;
    sn_ct_tile   tile;
    LLVMValueRef loop[SN_MAX_LOOPS]; /* loop values known now */
    LLVMValueRef micro, zero_table, block, first_column;
    sn_gemm_micro form;
    sn_ct_streams ahead; /* what the next tile reads, what this one's epilogue touches */
} body;

static void set_flat(body *b, const uint8_t *loop, uint32_t n, int64_t flat)
{
    for (uint32_t i = n; i > 0; i--) {
        int64_t e = b->ct->facts.loop[loop[i - 1]].extent.v;
        b->loop[loop[i - 1]] = sn_kb_i64(b->kb, flat % e);
        flat /= e;
    }
}

/* An operand at the current loop values, lanes along `lane` (SN_MAX_LOOPS = none). */
static sn_val operand_value(body *b, int tensor, int lane)
{
    sn_val at[SN_MAX_RANK];
    const sn_contract *c = b->ct->facts.spec;
    for (int i = 0; i < c->rank[tensor]; i++) {
        uint8_t l = c->at[tensor][i].loop[0];
        at[i] = sn_kb_index(b->kb, b->loop[l], l == lane);
    }
    return sn_kb_value(b->kb, b->ct->operand[tensor], at);
}

/* Numbers of g that are not zero, in the order of terms. */
static void pack_terms(body *b)
{
    sn_kb *kb = b->kb;
    uint32_t lanes = kb->lanes;
    kb->lanes = 1;
    for (uint32_t i = 0; i < b->g->of.terms; i++) {
        set_flat(b, b->g->of.product.in, b->g->of.product.ins, b->g->of.term[i].in);
        set_flat(b, b->g->of.out, b->g->of.outs, b->g->of.term[i].out);
        sn_kb_store(kb, kb->scratch, sn_kb_i64(kb, i), operand_value(b, b->g->of.weights, SN_MAX_LOOPS).ir.value, NULL);
    }
    kb->lanes = lanes;
}

/* g as rows of i and columns of o; columns of padding hold anything. */
static void pack_dense(body *b)
{
    sn_kb *kb = b->kb;
    const graph *g = b->g;
    const sn_contract_facts *f = &b->ct->facts;
    uint8_t lane = g->of.out[g->of.outs - 1];
    int64_t n = f->loop[lane].extent.v;
    sn_loop row = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, g->of.ins_total), 1, NULL, 0);
    LLVMValueRef flat = row.i, to = sn_kb_ptr(kb, kb->scratch, sn_kb_imul(kb, row.i, sn_kb_i64(kb, g->out_stride)));
    for (uint32_t i = g->of.product.ins; i > 0; i--) {
        LLVMValueRef e = sn_kb_i64(kb, f->loop[g->of.product.in[i - 1]].extent.v);
        b->loop[g->of.product.in[i - 1]] = sn_kb_irem(kb, flat, e);
        flat = sn_kb_idiv(kb, flat, e);
    }
    for (int64_t o = 0; o < g->of.outs_total; o += n) /* rows of the last o loop */
        for (int64_t j = 0; j < n; j += kb->lanes) {
            set_flat(b, g->of.out, g->of.outs, o + j);
            kb->mask = n - j < kb->lanes ? sn_kb_tail(kb, sn_kb_i64(kb, n - j), kb->lanes) : NULL;
            LLVMValueRef v = sn_kb_number(kb, operand_value(b, g->of.weights, lane));
            sn_kb_store(kb, to, sn_kb_i64(kb, o + j), v, kb->mask);
            kb->mask = NULL;
        }
    sn_kb_endfor(kb, &row, NULL);
}

static void pack_graph(body *b)
{
    if (b->g->of.terms)
        pack_terms(b);
    else
        pack_dense(b);
}

/* ---- one position: o rows of one block of columns, to c ---- */

static void sparse_vector(body *b, LLVMValueRef c, LLVMValueRef j)
{
    sn_kb *kb = b->kb;
    const graph *g = b->g;
    uint32_t mark = sn_kb_mark(kb);
    LLVMValueRef column = sn_kb_iadd(kb, b->first_column, j), acc = NULL;
    c = sn_kb_ptr(kb, c, j);
    kb->mask = g->of.width % (g->edge.vectors * kb->lanes) ? sn_kb_tail(kb, sn_kb_isub(kb, sn_kb_i64(kb, g->of.width), column), kb->lanes) : NULL;
    b->loop[g->of.channel] = column;
    uint32_t next = 0;
    for (int64_t o = 0; o < g->of.outs_total; o++) {
        acc = sn_kb_zero(kb, kb->lanes);
        for (; next < g->of.terms && g->of.term[next].out == o; next++) {
            set_flat(b, g->of.product.in, g->of.product.ins, g->of.term[next].in);
            LLVMValueRef x = sn_kb_number(kb, operand_value(b, g->of.source, g->of.channel));
            LLVMValueRef w = sn_kb_load(kb, kb->scratch, sn_kb_i64(kb, next), 1, NULL);
            acc = sn_kb_fma(kb, x, sn_kb_splat(kb, w, kb->lanes), acc);
        }
        sn_kb_store(kb, c, sn_kb_i64(kb, o * g->edge.vectors * kb->lanes), acc, NULL);
    }
    kb->mask = NULL;
    sn_kb_forget(kb, mark);
}

static int64_t row_blocks(const graph *g) { return (g->of.outs_total + g->block.rows - 1) / g->block.rows; }
static int64_t turns_of(const body *b) { return b->g->of.ins_total / b->form.unroll; }

/* Products of position number `position` of the tile. */
static void dense_rows(body *b, LLVMValueRef c, LLVMValueRef position)
{
    sn_kb *kb = b->kb;
    const graph *g = b->g;
    int64_t width = g->block.vectors * kb->lanes;
    LLVMValueRef source;
    if (g->direct) {
        sn_val at[SN_MAX_RANK];
        const sn_contract *s = b->ct->facts.spec;
        for (uint32_t i = 0; i < g->of.product.ins; i++)
            b->loop[g->of.product.in[i]] = sn_kb_i64(kb, 0);
        b->loop[g->of.channel] = b->first_column;
        for (int i = 0; i < s->rank[g->of.source]; i++)
            at[i] = sn_kb_index(kb, b->loop[s->at[g->of.source][i].loop[0]], 0);
        LLVMValueRef offset = sn_kb_offset(kb, &b->ct->facts.type[g->of.source], at).ir.value;
        source = sn_kb_ptr(kb, sn_kb_memory(kb, b->ct->operand[g->of.source]), offset);
    } else {
        LLVMValueRef packed = sn_kb_ptr(kb, kb->scratch, sn_kb_i64(kb, g->pack_offset));
        uint8_t frame = b->ct->facts.spec->at[SN_AT_OUT][b->ct->outer].loop[0];
        sn_ct_pack_emit(kb, b->ct, &g->pack, b->loop, b->loop[frame], NULL, packed);
        source = sn_kb_ptr(kb, packed, b->first_column);
    }
    sn_loop row = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, g->of.outs_total), g->block.rows, NULL, 0);
    LLVMValueRef call = sn_kb_iadd(kb, sn_kb_imul(kb, position, sn_kb_i64(kb, row_blocks(g))), sn_kb_idiv(kb, row.i, sn_kb_i64(kb, g->block.rows)));
    call = sn_kb_iadd(kb, call, sn_kb_imul(kb, b->block, sn_kb_i64(kb, b->ahead.calls / g->edge.blocks)));
    LLVMValueRef arg[7 + SN_GEMM_MAX_AHEAD] = {sn_kb_ptr(kb, kb->scratch, row.i), source, sn_kb_ptr(kb, c, sn_kb_imul(kb, row.i, sn_kb_i64(kb, width))),
                           b->zero_table, sn_kb_i64(kb, 1), sn_kb_i64(kb, 1), sn_kb_i64(kb, g->of.ins_total)};
    sn_ct_stream_call(kb, &b->ahead, turns_of(b), call, arg + 7);
    LLVMBuildCall2(kb->b, LLVMGlobalGetValueType(b->micro), b->micro, arg, 7 + b->form.ahead, "");
    sn_kb_endfor(kb, &row, NULL);
}

/* Free axes from `axis` on; `position` counts positions of the tile so far. */
static void positions(body *b, uint32_t axis, LLVMValueRef position)
{
    sn_kb *kb = b->kb;
    const graph *g = b->g;
    if (axis == g->of.free_axes) {
        int64_t floats = g->of.outs_total * g->block.vectors * kb->lanes;
        LLVMValueRef c = sn_kb_ptr(kb, kb->scratch, sn_kb_i64(kb, g->c_offset));
        c = sn_kb_ptr(kb, c, sn_kb_imul(kb, position, sn_kb_i64(kb, floats)));
        if (g->of.terms == 0) {
            dense_rows(b, c, position);
            return;
        }
        sn_loop j = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, g->edge.vectors * kb->lanes), kb->lanes, NULL, 0);
        sparse_vector(b, c, j.i);
        sn_kb_endfor(kb, &j, NULL);
        return;
    }
    bool frames = axis == b->ct->outer;
    uint8_t l = b->ct->facts.spec->at[SN_AT_OUT][axis].loop[0];
    LLVMValueRef from = frames ? b->tile.from : sn_kb_i64(kb, 0), to = frames ? b->tile.to : sn_kb_dim(kb, b->ct->facts.loop[l].extent);
    sn_loop i = sn_kb_for(kb, from, to, 1, NULL, 0);
    b->loop[l] = i.i;
    LLVMValueRef n = sn_kb_imul(kb, position, to);
    positions(b, axis + 1, frames ? sn_kb_isub(kb, i.i, from) : sn_kb_iadd(kb, n, i.i));
    sn_kb_endfor(kb, &i, NULL);
}

static void make_micro(body *b)
{
    sn_kb *kb = b->kb;
    const graph *g = b->g;
    sn_gemm_env env = sn_ct_env(kb);
    int64_t zero = 0;
    b->zero_table = sn_gemm_table(&env, &zero, 1);
    b->form = (sn_gemm_micro){.rows = (uint32_t)g->block.rows, .vectors = (uint32_t)g->block.vectors, .lanes = kb->lanes,
                       .steps = (uint32_t)g->of.ins_total, .unroll = 4, .x_row = 1, .x_step = g->out_stride,
                       .w_step = g->direct ? g->of.width : g->pack.stride, .c_row = g->block.vectors * kb->lanes, .fma = kb->target->fma};
    const int64_t positions = b->ct->chunk * (g->edge.inner_rows / g->of.outs_total);
    b->ahead = (sn_ct_streams){.calls = positions * row_blocks(g) * g->edge.blocks};
    for (uint32_t i = b->ct->outer + 1; i < g->of.free_axes; i++) /* a frame of the next tile begins at the first of its positions */
        b->loop[b->ct->facts.spec->at[SN_AT_OUT][i].loop[0]] = sn_kb_i64(kb, 0);
    sn_ct_stream_source(kb, b->ct, &g->pack, b->loop, b->tile.to, positions, &b->ahead);
    if (g->edge.blocks == 1)
        sn_ct_stream_edge(kb, b->ct, &g->edge, &b->tile, &b->ahead);
    sn_ct_stream_pace(&b->ahead, turns_of(b), &b->form);
    b->micro = sn_gemm_micro_function(&env, &b->form);
}

static bool graph_emit(sn_kb *kb, sn_ct *ct)
{
    graph *g = ct->data;
    sn_kb_begin(kb, 0);
    body b = {.kb = kb, .ct = ct, .g = g};
    LLVMValueRef packed = sn_kb_i64(kb, -1); /* the sample whose graph is packed */
    sn_loop tiles = sn_kb_for(kb, kb->begin, kb->end, 1, &packed, 1);
    b.tile = sn_ct_tile_of(kb, ct, tiles.i);
    for (uint32_t i = 0; i < ct->outer; i++)
        b.loop[ct->facts.spec->at[SN_AT_OUT][i].loop[0]] = b.tile.at[i];
    if (g->of.terms == 0)
        make_micro(&b);
    packed = sn_ct_sample_of(kb, ct, &b.tile, g->of.weights);
    sn_if other = sn_kb_if(kb, LLVMBuildICmp(kb->b, LLVMIntNE, packed, tiles.carry[0], ""));
    pack_graph(&b);
    sn_kb_endif(kb, &other);
    sn_ct_clear_sums(kb, ct, &b.tile);
    sn_loop block = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, g->edge.blocks), 1, NULL, 0);
    b.block = block.i;
    b.first_column = sn_kb_imul(kb, block.i, sn_kb_i64(kb, g->edge.vectors * kb->lanes));
    positions(&b, ct->outer, sn_kb_i64(kb, 0));
    sn_ct_edge_emit(kb, ct, &g->edge, &b.tile, block.i, sn_kb_ptr(kb, kb->scratch, sn_kb_i64(kb, g->c_offset)));
    sn_kb_endfor(kb, &block, NULL);
    sn_kb_endfor(kb, &tiles, &packed);
    sn_kb_end(kb);
    return true;
}

const sn_ct_kind sn_ct_graph = {.name = "graph", .plan = graph_plan, .emit = graph_emit};
