/* Products with a graph most of whose numbers are known to be zero: finding them, and making their results while an operand is packed.
 * Not kernels of graph products by themselves (kernel_contract_graph.c).
 *
 *     p[.., o.., c] = sum over i.. of  x[.., i.., c] * g[i.., o..]        y = sum over o.. (some), c of  p[..] * w[..]
 *
 * Where p is an operand that the contraction packs anyway, its rows are computed from x frame by frame instead of being read: one vector of c
 * at a time, the multiply-adds themselves.
 */
#include <stdlib.h>

#include "kernel_contract.h"

enum { MAX_TERMS = 512 };

/* ---- finding ------------------------------------------------------------------------------------------------------------ */

static bool same_last_loop(const sn_contract_facts *f, int a, int b, uint8_t *loop)
{
    const sn_affine *x = &f->spec->at[a][f->spec->rank[a] - 1], *y = &f->spec->at[b][f->spec->rank[b] - 1];
    *loop = x->loop[0];
    return sn_affine_is_loop(x) && sn_affine_is_loop(y) && x->loop[0] == y->loop[0];
}

/* Result axes: positions, then o loops, then c. */
static bool find_axes(const sn_contract_facts *f, sn_ct_links *g)
{
    const sn_contract *c = f->spec;
    uint32_t rank = c->rank[SN_AT_OUT], i = 0;
    for (; i + 1 < rank && g->product.role[c->at[SN_AT_OUT][i].loop[0]] != SN_LOOP_OUT; i++)
        ;
    g->free_axes = i;
    g->ins_total = g->outs_total = 1;
    int64_t n;
    for (; i + 1 < rank; i++) {
        uint8_t l = c->at[SN_AT_OUT][i].loop[0];
        if (g->product.role[l] != SN_LOOP_OUT || !sn_ct_const_extent(f, l, &n))
            return false;
        g->out[g->outs++] = l;
        g->outs_total *= n;
    }
    for (i = 0; i < g->product.ins; i++) {
        if (!sn_ct_const_extent(f, g->product.in[i], &n))
            return false;
        g->ins_total *= n;
    }
    return g->free_axes > 0 && g->outs > 0 && g->product.ins > 0 && sn_ct_const_extent(f, g->channel, &g->width) &&
           g->ins_total <= 4096 && g->outs_total <= 4096;
}

bool sn_ct_links_find(const sn_contract_facts *f, sn_ct_links *g)
{
    if (f->spec->rank[SN_AT_OUT] < 2)
        return false;
    for (int side = 0; side < 2; side++) {
        *g = (sn_ct_links){.source = side, .weights = 1 - side};
        if (f->spec->rank[side] > 0 && sn_contract_product(f, side, 1 - side, SN_AT_OUT, &g->product) && g->product.x_axis < 0 &&
            same_last_loop(f, side, SN_AT_OUT, &g->channel) && g->product.role[g->channel] == SN_LOOP_POSITION && find_axes(f, g))
            return true;
    }
    return false;
}

/* Flattened i and o of element number e of g. */
static sn_ct_term term_of(const sn_contract_facts *f, const sn_ct_links *g, int64_t e)
{
    int64_t index[SN_MAX_LOOPS] = {0};
    const sn_contract *c = f->spec;
    for (int i = c->rank[g->weights]; i > 0; i--) {
        int64_t n = f->type[g->weights].dim[i - 1].v;
        index[c->at[g->weights][i - 1].loop[0]] = e % n;
        e /= n;
    }
    sn_ct_term t = {0, 0};
    for (uint32_t i = 0; i < g->product.ins; i++)
        t.in = t.in * f->loop[g->product.in[i]].extent.v + index[g->product.in[i]];
    for (uint32_t i = 0; i < g->outs; i++)
        t.out = t.out * f->loop[g->out[i]].extent.v + index[g->out[i]];
    return t;
}

static int by_out(const void *a, const void *b)
{
    const sn_ct_term *x = a, *y = b;
    return x->out != y->out ? (x->out < y->out ? -1 : 1) : (x->in > y->in) - (x->in < y->in);
}

void sn_ct_links_terms(const sn_plan *p, const sn_contract_facts *f, sn_ref weights, sn_ct_links *g)
{
    const float *data = sn_ct_pattern(p, weights);
    int64_t all = g->ins_total * g->outs_total, n = 0;
    if (!data || g->product.batched)
        return;
    for (int64_t e = 0; e < all; e++)
        n += data[e] != 0;
    if (n == 0 || n > MAX_TERMS || 3 * n > all)
        return;
    g->term = sn_new_n(p->arena, sn_ct_term, n);
    for (int64_t e = 0; e < all; e++)
        if (data[e] != 0)
            g->term[g->terms++] = term_of(f, g, e);
    qsort(g->term, g->terms, sizeof *g->term, by_out);
}

/* ---- inside packing ----------------------------------------------------------------------------------------------------- */

typedef struct sn_ct_mix {
    const sn_node    *node;
    sn_contract_facts facts; /* of the product with the graph */
    sn_ct_links       graph;
    uint8_t           loop[SN_MAX_LOOPS]; /* its loop -> the loop of the contraction that reads it; those summed over the graph: none */
    bool              out[SN_MAX_LOOPS];  /* loops of the reading contraction that the graph makes */
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
static bool fits(const sn_ct *ct, const sn_ct_pack *pack, sn_ct_mix *m)
{
    const sn_contract *own = m->facts.spec, *reader = ct->facts.spec;
    int rank = own->rank[SN_AT_OUT];
    if ((uint32_t)pack->frame_axis >= m->graph.free_axes)
        return false;
    for (int i = 0; i < rank; i++) {
        const sn_affine *at = &reader->at[pack->tensor][i];
        uint8_t l = at->loop[0];
        m->loop[own->at[SN_AT_OUT][i].loop[0]] = l;
        if (i != pack->frame_axis && !sn_affine_is_loop(at))
            return false;
        if ((uint32_t)i < m->graph.free_axes)
            continue;
        m->out[l] = i + 1 < rank;
        if (!holds(pack->inner, pack->inners, l) && !holds(pack->column, pack->columns, l))
            return false;
    }
    for (uint32_t i = 0; i < pack->columns; i++)
        if (m->out[pack->column[i]] == (i + 1 == pack->columns))
            return false;
    return pack->column[pack->columns - 1] == m->loop[m->graph.channel];
}

bool sn_ct_mix_plan(const sn_plan *p, sn_ct *ct, sn_ct_pack *pack)
{
    sn_ref operand = ct->operand[pack->tensor];
    if (!sn_ct_is_nested(p, operand))
        return true;
    sn_ct_mix *m = sn_new(p->arena, sn_ct_mix);
    m->node = sn_at(p->g, operand);
    sn_contract_facts_get(p->g, m->node, &m->facts);
    if (!sn_ct_links_find(&m->facts, &m->graph))
        return false;
    sn_ct_links_terms(p, &m->facts, m->node->arg[m->graph.weights], &m->graph);
    if (m->graph.terms == 0 || !fits(ct, pack, m))
        return false;
    pack->mix = m;
    pack->mix_floats = sn_ct_ceil(m->graph.terms, p->target->lanes);
    sn_dim macs = sn_dim_const((int64_t)m->graph.terms * m->graph.width);
    for (uint32_t i = 0; i < m->graph.free_axes; i++)
        macs = sn_dim_mul(p->dims, macs, m->node->type.dim[i]);
    ct->nested = sn_dim_add(p->dims, ct->nested, macs);
    return true;
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
    if (!p->mix)
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

static void mix_position(mixing *x, LLVMValueRef row)
{
    sn_kb *kb = x->kb;
    const sn_ct_links *g = &x->m->graph;
    int64_t lanes = kb->lanes, whole = g->width / lanes * lanes;
    for (int i = 0; i < x->m->facts.spec->rank[SN_AT_OUT]; i++) {
        uint8_t l = x->m->facts.spec->at[SN_AT_OUT][i].loop[0];
        if ((uint32_t)i < g->free_axes)
            x->loop[l] = i == x->p->frame_axis ? x->frame : x->outside[x->m->loop[l]];
    }
    LLVMValueRef to = sn_kb_ptr(kb, x->base, sn_kb_imul(kb, row, sn_kb_i64(kb, x->p->stride)));
    if (whole > 0) {
        sn_loop l = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, whole), lanes, NULL, 0);
        mix_vector(x, to, l.i, NULL);
        sn_kb_endfor(kb, &l, NULL);
    }
    if (whole < g->width)
        mix_vector(x, to, sn_kb_i64(kb, whole), sn_kb_tail(kb, sn_kb_i64(kb, g->width - whole), (uint32_t)lanes));
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
