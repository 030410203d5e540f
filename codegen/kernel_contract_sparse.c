/* Products with a graph, taken apart; which numbers of the graph are known to be zero.
 * Not kernels of graph products by themselves (kernel_contract_graph.c), not making them while an operand is packed (kernel_contract_mix.c).
 */
#include <stdlib.h>

#include "kernel_contract.h"

enum { MAX_TERMS = 512 };

static bool same_last_loop(const sn_contract_facts *f, int a, int b, uint8_t *loop)
{
    const sn_affine *x = &f->spec->at[a][f->spec->rank[a] - 1], *y = &f->spec->at[b][f->spec->rank[b] - 1];
    *loop = x->loop[0];
    return sn_affine_is_loop(x) && sn_affine_is_loop(y) && x->loop[0] == y->loop[0];
}

/* Result axes: positions, then o loops, then c. */
static sn_refusal find_axes(const sn_plan *p, const sn_contract_facts *f, sn_ct_links *g)
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
        if (g->product.role[l] != SN_LOOP_OUT)
            return "the result's axes are not positions, then nodes, then channels";
        if (!sn_ct_const_extent(f, l, &n))
            return sn_ct_open(p, f, l);
        g->out[g->outs++] = l;
        g->outs_total *= n;
    }
    for (i = 0; i < g->product.ins; i++) {
        if (!sn_ct_const_extent(f, g->product.in[i], &n))
            return sn_ct_open(p, f, g->product.in[i]);
        g->ins_total *= n;
    }
    if (g->free_axes == 0 || g->outs == 0 || g->product.ins == 0)
        return "it does not make other nodes of nodes at every position";
    if (!sn_ct_const_extent(f, g->channel, &g->width))
        return sn_ct_open(p, f, g->channel);
    return g->ins_total <= 4096 && g->outs_total <= 4096 ? NULL : "the graph has more than 4096 nodes";
}

static sn_refusal find_links(const sn_plan *p, const sn_contract_facts *f, int side, sn_ct_links *g)
{
    sn_refusal no;
    *g = (sn_ct_links){.source = side, .weights = 1 - side};
    if (f->spec->rank[side] == 0 || f->spec->rank[SN_AT_OUT] < 2)
        return "it has too few axes";
    if (sn_contract_has_window(f))
        return "it has a window";
    if ((no = sn_contract_product(f, side, 1 - side, SN_AT_OUT, &g->product)))
        return no;
    if (!same_last_loop(f, side, SN_AT_OUT, &g->channel) || g->product.role[g->channel] != SN_LOOP_POSITION)
        return "it mixes channels: the last axis of an operand is not that of the result";
    return find_axes(p, f, g);
}

sn_refusal sn_ct_links_find(const sn_plan *p, const sn_contract_facts *f, sn_ct_links *g)
{
    sn_refusal one = find_links(p, f, 0, g), other = one ? find_links(p, f, 1, g) : NULL;
    return one && other ? sn_ct_neither(p, one, other) : NULL;
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
