/* Products with a graph, made while they are packed as operands of another contraction, so that they are never stored.
 * Not kernels of graph products by themselves (kernel_contract_graph.c).
 *
 *     p[.., o.., c] = sum over i.. of  x[.., i.., c] * g[.., i.., o..]        y = sum over o.. (some), c of  p[..] * w[..]
 *
 * The rows of p are computed from x frame by frame instead of being read.  Where most of g is known to be zero: one vector of c at a time,
 * the multiply-adds themselves.  Otherwise, also where g differs from sample to sample: by the micro-kernel, x and g being read where they are.
 */
#include "kernel_contract.h"

typedef struct sn_ct_mix {
    const sn_node    *node;
    sn_contract_facts facts; /* of the product with the graph */
    sn_ct_links       graph;
    uint8_t           loop[SN_MAX_LOOPS]; /* its loop -> the loop of the contraction that reads it; those summed over the graph: none */
    bool              out[SN_MAX_LOOPS];  /* loops of the reading contraction that the graph makes */
    /* dense, floats from one to the next: */
    uint8_t           row;                /* the o loop that makes rows of the micro-kernel */
    sn_gemm_block     block;              /* of rows, at most, and vectors */
    int64_t           row_to, row_from, in_from; /* row, in the packed operand and in g; i in g */
} sn_ct_mix;

bool sn_ct_is_nested(const sn_plan *p, sn_ref operand) { return sn_plan_in_body(p, operand) && sn_op_has(sn_at(p->g, operand)->op, SN_CONTRACT); }

static bool holds(const uint8_t *list, uint32_t n, uint8_t loop)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i] == loop)
            return true;
    return false;
}

/* The graph's axes lie inside a packed frame, and vectors run along c. */
static sn_refusal fit(const sn_ct *ct, const sn_ct_pack *pack, sn_ct_mix *m)
{
    const sn_contract *own = m->facts.spec, *reader = ct->facts.spec;
    int rank = own->rank[SN_AT_OUT];
    static const char other[] = "the product with a graph that it reads lies across packed frames";
    if ((uint32_t)pack->frame_axis >= m->graph.free_axes)
        return other;
    for (int i = 0; i < rank; i++) {
        const sn_affine *at = &reader->at[pack->tensor][i];
        uint8_t l = at->loop[0];
        m->loop[own->at[SN_AT_OUT][i].loop[0]] = l;
        if (i != pack->frame_axis && !sn_affine_is_loop(at))
            return other;
        if ((uint32_t)i < m->graph.free_axes)
            continue;
        m->out[l] = i + 1 < rank;
        if (!holds(pack->inner, pack->inners, l) && !holds(pack->column, pack->columns, l))
            return other;
    }
    for (uint32_t i = 0; i < pack->columns; i++)
        if (m->out[pack->column[i]] == (i + 1 == pack->columns))
            return other;
    return pack->column[pack->columns - 1] == m->loop[m->graph.channel] ? NULL : other;
}

static int64_t extent_of(const sn_ct_mix *m, uint8_t own_loop) { return m->facts.loop[own_loop].extent.v; }

/* Numbers from one value of a loop to the next; 0 if the tensor does not have it, or what lies behind it has no constant size. */
static int64_t stride_of(const sn_contract_facts *f, int tensor, uint8_t loop)
{
    int64_t stride = 1;
    for (int i = f->spec->rank[tensor] - 1; i >= 0; i--) {
        if (f->spec->at[tensor][i].loop[0] == loop)
            return stride;
        if (!sn_dim_is_const(f->type[tensor].dim[i]))
            return 0;
        stride *= f->type[tensor].dim[i].v;
    }
    return 0;
}

/* Floats from one value of an o loop to the next in the packed frame. */
static int64_t packed_stride(const sn_ct *ct, const sn_ct_pack *pack, uint8_t loop)
{
    int64_t stride = 1;
    for (uint32_t i = pack->columns; i > 0; i--) {
        if (pack->column[i - 1] == loop)
            return stride;
        stride *= ct->facts.loop[pack->column[i - 1]].extent.v;
    }
    stride = pack->stride;
    for (uint32_t i = pack->inners; pack->inner[i - 1] != loop; i--)
        stride *= ct->facts.loop[pack->inner[i - 1]].extent.v;
    return stride;
}

static bool is_whole(const sn_ct_mix *m, int64_t lanes) { return m->graph.width % lanes == 0; }

/* Multiply-adds for all that the graph makes of one position. */
static int64_t position_macs(const sn_ct_mix *m) { return (m->graph.terms ? m->graph.terms : m->graph.ins_total * m->graph.outs_total) * m->graph.width; }

/* Both operands are read where they are: one i loop, just before c in x.  Rows that are not whole vectors go through a scratch tile, behind a copy of
 * x whose rows are. */
static sn_refusal plan_dense(const sn_plan *p, const sn_ct *ct, sn_ct_pack *pack, sn_ct_mix *m)
{
    const sn_ct_links *g = &m->graph;
    const int64_t lanes = p->target->lanes, vectors = (g->width + lanes - 1) / lanes;
    if (g->product.ins != 1 || stride_of(&m->facts, g->source, g->product.in[0]) != g->width)
        return "the product with a graph that it reads has nodes along several axes, or not beside its channels";
    if (sn_plan_in_body(p, m->node->arg[0]) || sn_plan_in_body(p, m->node->arg[1]))
        return "the product with a dense graph that it reads has operands that are not in memory";
    m->row = g->out[0];
    for (uint32_t i = 1; i < g->outs; i++)
        m->row = extent_of(m, g->out[i]) > extent_of(m, m->row) ? g->out[i] : m->row;
    m->row_to = packed_stride(ct, pack, m->loop[m->row]);
    m->row_from = stride_of(&m->facts, g->weights, m->row);
    m->in_from = stride_of(&m->facts, g->weights, g->product.in[0]);
    m->block = sn_gemm_block_choose(p->target->registers, extent_of(m, m->row), vectors, NULL);
    while (vectors % m->block.vectors)
        m->block.vectors--;
    pack->mix_floats = is_whole(m, lanes) ? 0 : (g->ins_total + extent_of(m, m->row)) * vectors * lanes;
    return m->row_from > 0 && m->in_from > 0 ? NULL : "the graph that it reads has axes of no constant size";
}

sn_refusal sn_ct_mix_plan(const sn_plan *p, sn_ct *ct, sn_ct_pack *pack)
{
    sn_ref operand = ct->operand[pack->tensor];
    sn_refusal no;
    if (!sn_ct_is_nested(p, operand))
        return NULL;
    sn_ct_mix *m = sn_new(p->arena, sn_ct_mix);
    m->node = sn_at(p->g, operand);
    sn_contract_facts_get(p->g, m->node, &m->facts);
    if ((no = sn_ct_links_find(p, &m->facts, &m->graph)))
        return no;
    sn_ct_links_terms(p, &m->facts, m->node->arg[m->graph.weights], &m->graph);
    pack->mix_floats = sn_ct_ceil(m->graph.terms, p->target->lanes);
    if ((no = fit(ct, pack, m)) || (m->graph.terms == 0 && (no = plan_dense(p, ct, pack, m))))
        return no;
    pack->mix = m;
    sn_dim macs = sn_dim_const(position_macs(m));
    for (uint32_t i = 0; i < m->graph.free_axes; i++)
        macs = sn_dim_mul(p->dims, macs, m->node->type.dim[i]);
    ct->nested = sn_dim_add(p->dims, ct->nested, macs);
    return NULL;
}

/* A frame has as many positions as its rows and columns are more than one position's. */
static double positions_of(const sn_ct_pack *p)
{
    return (double)(p->inner_rows * p->width) / (double)(p->mix->graph.outs_total * p->mix->graph.width);
}

double sn_ct_mix_macs(const sn_ct_pack *p) { return p->mix ? positions_of(p) * (double)position_macs(p->mix) : 0; }

double sn_ct_mix_cost(const sn_plan *plan, const sn_ct_pack *p)
{
    const sn_ct_mix *m = p->mix;
    if (!m)
        return 0;
    const int64_t lanes = plan->target->lanes, vectors = (m->graph.width + lanes - 1) / lanes, row = m->graph.terms ? 0 : extent_of(m, m->row);
    const double one = m->graph.terms ? (double)(SN_CT_TERM_LOADS * m->graph.terms * vectors)
                                      : (double)(m->graph.ins_total * (m->graph.outs_total / row)) * sn_gemm_step_cost(row, vectors, m->block);
    return positions_of(p) * one;
}

sn_ref sn_ct_source(const sn_ct *ct, const sn_ct_pack *pack, uint8_t *axis)
{
    const sn_ct_mix *m = pack->mix;
    for (uint8_t i = 0; i < SN_MAX_RANK; i++)
        axis[i] = m ? SN_MAX_RANK : i;
    if (!m)
        return ct->operand[pack->tensor];
    const sn_contract *c = m->facts.spec;
    for (uint8_t i = 0; i < c->rank[m->graph.source]; i++)
        for (uint8_t j = 0; j < c->rank[SN_AT_OUT]; j++)
            if (c->at[SN_AT_OUT][j].loop[0] == c->at[m->graph.source][i].loop[0])
                axis[i] = j;
    return m->node->arg[m->graph.source];
}

/* ---- emission ----------------------------------------------------------------------------------------------------------- */

typedef struct mixing {
    sn_kb            *kb;
    sn_ct            *ct;
    const sn_ct_pack *p;
    const sn_ct_mix  *m;
    LLVMValueRef      frame, base, weights;
    LLVMValueRef     *outside;              /* loops of the reading contraction known so far */
    LLVMValueRef      loop[SN_MAX_LOOPS];   /* of the product with the graph */
} mixing;

static void set_flat(mixing *x, const uint8_t *loop, uint32_t n, int64_t flat)
{
    for (uint32_t i = n; i > 0; i--) {
        int64_t e = x->m->facts.loop[loop[i - 1]].extent.v;
        x->loop[loop[i - 1]] = sn_kb_i64(x->kb, flat % e);
        flat /= e;
    }
}

static sn_val operand_value(mixing *x, int tensor, int lane)
{
    sn_val at[SN_MAX_RANK];
    const sn_contract *c = x->m->facts.spec;
    for (int i = 0; i < c->rank[tensor]; i++) {
        uint8_t l = c->at[tensor][i].loop[0];
        at[i] = sn_kb_index(x->kb, x->loop[l], l == lane);
    }
    return sn_kb_value(x->kb, x->m->node->arg[tensor], at);
}

void sn_ct_mix_weights(sn_kb *kb, sn_ct *ct, const sn_ct_pack *p)
{
    if (!p->mix || p->mix->graph.terms == 0)
        return;
    const sn_ct_links *g = &p->mix->graph;
    mixing x = {.kb = kb, .ct = ct, .p = p, .m = p->mix};
    LLVMValueRef to = sn_kb_ptr(kb, kb->scratch, sn_kb_i64(kb, p->mix_at));
    uint32_t lanes = kb->lanes;
    kb->lanes = 1;
    for (uint32_t i = 0; i < g->terms; i++) {
        set_flat(&x, g->product.in, g->product.ins, g->term[i].in);
        set_flat(&x, g->out, g->outs, g->term[i].out);
        sn_kb_store(kb, to, sn_kb_i64(kb, i), operand_value(&x, g->weights, SN_MAX_LOOPS).ir.value, NULL);
    }
    kb->lanes = lanes;
}

/* Number of the graph's o loops that are in a list, flattened in its order; other loops of the list count as 0. */
static int64_t flat_in(const mixing *x, const uint8_t *list, uint32_t n)
{
    int64_t flat = 0;
    for (uint32_t i = 0; i < n; i++) {
        flat *= x->ct->facts.loop[list[i]].extent.v;
        for (uint32_t o = 0; o < x->m->graph.outs; o++)
            if (x->m->loop[x->m->graph.out[o]] == list[i])
                flat += (int64_t)LLVMConstIntGetSExtValue(x->loop[x->m->graph.out[o]]);
    }
    return flat;
}

/* One vector of c at `column` for everything the graph makes of one position; `to` is row 0 of the position. */
static void mix_vector(mixing *x, LLVMValueRef to, LLVMValueRef column, LLVMValueRef mask)
{
    sn_kb *kb = x->kb;
    const sn_ct_links *g = &x->m->graph;
    uint32_t mark = sn_kb_mark(kb), next = 0;
    kb->mask = mask;
    x->loop[g->channel] = column;
    for (int64_t o = 0; o < g->outs_total; o++) {
        LLVMValueRef acc = sn_kb_zero(kb, kb->lanes);
        set_flat(x, g->out, g->outs, o);
        for (; next < g->terms && g->term[next].out == o; next++) {
            set_flat(x, g->product.in, g->product.ins, g->term[next].in);
            LLVMValueRef v = sn_kb_number(kb, operand_value(x, g->source, g->channel));
            LLVMValueRef w = sn_kb_load(kb, x->weights, sn_kb_i64(kb, next), 1, NULL);
            acc = sn_kb_fma(kb, v, sn_kb_splat(kb, w, kb->lanes), acc);
        }
        int64_t offset = flat_in(x, x->p->inner, x->p->inners) * x->p->stride + flat_in(x, x->p->column, x->p->columns);
        sn_kb_store(kb, to, sn_kb_iadd(kb, sn_kb_i64(kb, offset), column), acc, mask);
    }
    kb->mask = NULL;
    sn_kb_forget(kb, mark);
}

static void sparse_position(mixing *x, LLVMValueRef to)
{
    sn_kb *kb = x->kb;
    const sn_ct_links *g = &x->m->graph;
    int64_t lanes = kb->lanes, whole = g->width / lanes * lanes;
    if (whole > 0) {
        sn_loop l = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, whole), lanes, NULL, 0);
        mix_vector(x, to, l.i, NULL);
        sn_kb_endfor(kb, &l, NULL);
    }
    if (whole < g->width)
        mix_vector(x, to, sn_kb_i64(kb, whole), sn_kb_tail(kb, sn_kb_i64(kb, g->width - whole), (uint32_t)lanes));
}

/* Memory of an operand at the current loops. */
static LLVMValueRef operand_memory(mixing *x, int tensor)
{
    sn_val at[SN_MAX_RANK];
    const sn_contract *c = x->m->facts.spec;
    for (int i = 0; i < c->rank[tensor]; i++)
        at[i] = sn_kb_index(x->kb, x->loop[c->at[tensor][i].loop[0]], 0);
    LLVMValueRef offset = sn_kb_offset(x->kb, &x->m->facts.type[tensor], at).ir.value;
    return sn_kb_ptr(x->kb, sn_kb_memory(x->kb, x->m->node->arg[tensor]), offset);
}

/* `rows` rows of a tensor, vector by vector; a row is `width` numbers. */
static void copy_rows(sn_kb *kb, LLVMValueRef from, int64_t from_stride, LLVMValueRef to, int64_t to_stride, int64_t rows, int64_t width)
{
    sn_loop row = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, rows), 1, NULL, 0);
    LLVMValueRef source = sn_kb_ptr(kb, from, sn_kb_imul(kb, row.i, sn_kb_i64(kb, from_stride)));
    LLVMValueRef target = sn_kb_ptr(kb, to, sn_kb_imul(kb, row.i, sn_kb_i64(kb, to_stride)));
    for (int64_t c = 0; c < width; c += kb->lanes) {
        LLVMValueRef mask = width - c < kb->lanes ? sn_kb_tail(kb, sn_kb_i64(kb, width - c), kb->lanes) : NULL;
        sn_kb_store(kb, target, sn_kb_i64(kb, c), sn_kb_load(kb, source, sn_kb_i64(kb, c), kb->lanes, mask), mask);
    }
    sn_kb_endfor(kb, &row, NULL);
}

/* c = all rows of one o for all columns; rows of x are x_stride apart, rows of c c_stride. */
static void dense_rows(mixing *x, LLVMValueRef source, int64_t x_stride, LLVMValueRef graph, LLVMValueRef c, int64_t c_stride)
{
    sn_kb *kb = x->kb;
    const sn_ct_mix *m = x->m;
    const int64_t rows = extent_of(m, m->row), step = m->block.vectors * kb->lanes, blocks = (rows + m->block.rows - 1) / m->block.rows;
    const int64_t columns = sn_ct_ceil(m->graph.width, kb->lanes), zero = 0;
    sn_gemm_env env = sn_ct_env(kb);
    LLVMValueRef table = sn_gemm_table(&env, &zero, 1), one = sn_kb_i64(kb, 1);
    sn_loop l = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, columns), step, NULL, 0);
    for (int64_t b = 0, from = 0; b < blocks; b++) { /* blocks of equal heights, but for one row */
        const int64_t end = rows * (b + 1) / blocks;
        sn_gemm_micro form = {.rows = (uint32_t)(end - from), .vectors = (uint32_t)m->block.vectors, .lanes = kb->lanes,
                              .steps = (uint32_t)m->graph.ins_total, .unroll = 5, .x_row = m->row_from, .x_step = m->in_from,
                              .w_step = x_stride, .c_row = c_stride, .fma = kb->target->fma};
        LLVMValueRef micro = sn_gemm_micro_function(&env, &form);
        LLVMValueRef arg[7] = {sn_kb_ptr(kb, graph, sn_kb_i64(kb, from * m->row_from)), sn_kb_ptr(kb, source, l.i),
                               sn_kb_ptr(kb, c, sn_kb_iadd(kb, sn_kb_i64(kb, from * c_stride), l.i)), table, one, one,
                               sn_kb_i64(kb, m->graph.ins_total)};
        LLVMBuildCall2(kb->b, LLVMGlobalGetValueType(micro), micro, arg, 7, "");
        from = end;
    }
    sn_kb_endfor(kb, &l, NULL);
}

static void dense_position(mixing *x, LLVMValueRef to)
{
    sn_kb *kb = x->kb;
    const sn_ct_links *g = &x->m->graph;
    const int64_t padded = sn_ct_ceil(g->width, kb->lanes), rows = extent_of(x->m, x->m->row);
    const bool whole = is_whole(x->m, kb->lanes);
    set_flat(x, g->product.in, g->product.ins, 0);
    x->loop[g->channel] = sn_kb_i64(kb, 0);
    LLVMValueRef source = operand_memory(x, g->source), copy = sn_kb_ptr(kb, kb->scratch, sn_kb_i64(kb, x->p->mix_at));
    LLVMValueRef tile = sn_kb_ptr(kb, copy, sn_kb_i64(kb, g->ins_total * padded));
    if (!whole)
        copy_rows(kb, source, g->width, copy, padded, g->ins_total, g->width);
    for (int64_t o = 0; o < g->outs_total; o++) {
        set_flat(x, g->out, g->outs, o);
        if (LLVMConstIntGetSExtValue(x->loop[x->m->row]) != 0)
            continue;
        LLVMValueRef graph = operand_memory(x, g->weights);
        int64_t offset = flat_in(x, x->p->inner, x->p->inners) * x->p->stride + flat_in(x, x->p->column, x->p->columns);
        LLVMValueRef c = sn_kb_ptr(kb, to, sn_kb_i64(kb, offset));
        dense_rows(x, whole ? source : copy, whole ? g->width : padded, graph, whole ? c : tile, whole ? x->m->row_to : padded);
        if (!whole)
            copy_rows(kb, tile, padded, c, x->m->row_to, rows, g->width);
    }
}

static void mix_position(mixing *x, LLVMValueRef row)
{
    sn_kb *kb = x->kb;
    const sn_ct_links *g = &x->m->graph;
    for (int i = 0; i < x->m->facts.spec->rank[SN_AT_OUT]; i++) {
        uint8_t l = x->m->facts.spec->at[SN_AT_OUT][i].loop[0];
        if ((uint32_t)i < g->free_axes)
            x->loop[l] = i == x->p->frame_axis ? x->frame : x->outside[x->m->loop[l]];
    }
    LLVMValueRef to = sn_kb_ptr(kb, x->base, sn_kb_imul(kb, row, sn_kb_i64(kb, x->p->stride)));
    if (g->terms)
        sparse_position(x, to);
    else
        dense_position(x, to);
}

/* Inner loops of the frame that the graph does not make are loops, too. */
static void mix_inner(mixing *x, uint32_t depth, LLVMValueRef row)
{
    sn_kb *kb = x->kb;
    if (depth == x->p->inners) {
        mix_position(x, row);
        return;
    }
    uint8_t l = x->p->inner[depth];
    LLVMValueRef n = sn_kb_i64(kb, x->ct->facts.loop[l].extent.v);
    row = sn_kb_imul(kb, row, n);
    if (x->m->out[l]) {
        mix_inner(x, depth + 1, row);
        return;
    }
    sn_loop i = sn_kb_for(kb, sn_kb_i64(kb, 0), n, 1, NULL, 0);
    x->outside[l] = i.i;
    mix_inner(x, depth + 1, sn_kb_iadd(kb, row, i.i));
    sn_kb_endfor(kb, &i, NULL);
}

void sn_ct_mix_frame(sn_kb *kb, sn_ct *ct, const sn_ct_pack *p, LLVMValueRef *loop, LLVMValueRef frame, LLVMValueRef to)
{
    mixing x = {.kb = kb, .ct = ct, .p = p, .m = p->mix, .frame = frame, .base = to, .outside = loop};
    x.weights = sn_kb_ptr(kb, kb->scratch, sn_kb_i64(kb, p->mix_at));
    mix_inner(&x, 0, sn_kb_i64(kb, 0));
}
