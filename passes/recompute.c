/* Recomputing: a cheap contraction that the gradient reads again is done twice instead of kept.
 * Not for results that cost more than they weigh: it must be wide, or a map of channels, and a sum of few numbers.
 *
 *     z = x W (48 channels from 16) ... read forward ............ read by a gradient
 *  -> z = x W ................................................... z' = x W, read by the gradient
 *
 * where x is kept for other gradients anyway, so that z's memory is free in between: in ST-GCN this is half of what a step stores, for 4 %
 * of its time.  One copy of the graph in order, so it ends.
 * Source: Chen, Xu, Zhang, Guestrin, "Training deep nets with sublinear memory cost", arXiv 1604.06174, with the choice made by size.
 */
#include "internal.h"

#include <string.h>

enum { WIDER = 2, NARROWER = 2, DEEPEST = 128, GAP_SHARE = 8 };

typedef struct recompute {
    const sn_graph *g;
    uint32_t *root;   /* node -> the contraction it is only a bias or a view away from; UINT32_MAX if none */
    uint32_t *late;   /* contraction -> first reader that gets the second copy; UINT32_MAX if it is kept */
    uint32_t *last;   /* node -> last reader */
    sn_ref   *to, *again;
} recompute;

/* Weight-sized: no free dimension. */
static bool is_static(const sn_type *t)
{
    bool open;
    sn_type_constant_count(t, &open);
    return !open;
}

/* A map of channels, position by position, of something large, with more than one free dimension, that is not a contraction itself (which may
 * never be stored). */
static bool is_map(const sn_graph *g, const sn_node *n)
{
    const sn_contract *c = n->attrs.spec.spec;
    const sn_type *x = sn_type_at(g, n->arg[0]);
    uint32_t open = 0;
    for (uint8_t i = 0; i < x->rank; i++) {
        if (!sn_affine_is_loop(&c->at[SN_AT_A][i]))
            return false;
        open += !sn_dim_is_const(x->dim[i]);
    }
    return open > 1 && !sn_op_has(sn_at(g, n->arg[0])->op, SN_CONTRACT);
}

/* In multiply-adds of a number of the result: of 128 they take two cores five times as long as writing and reading it. */
static bool is_shallow(const sn_graph *g, const sn_node *n)
{
    const sn_sums s = sn_sums_of(g, n);
    return !s.open && s.summed <= DEEPEST;
}

static bool is_cheap(const sn_graph *g, const sn_node *n)
{
    bool open, x_open;
    const sn_type *x = sn_type_at(g, n->arg[0]);
    if (!sn_op_has(n->op, SN_CONTRACT) || is_static(&n->type) || is_static(x) || !is_static(sn_type_at(g, n->arg[1])))
        return false;
    const int64_t width = sn_type_constant_count(&n->type, &open), from = sn_type_constant_count(x, &x_open);
    return is_shallow(g, n) && (width >= WIDER * from || (NARROWER * width >= from && is_map(g, n)));
}

/* Views, and pointwise operators whose other arguments are small, follow their contraction. */
static uint32_t follow(const recompute *r, const sn_node *n)
{
    uint32_t found = UINT32_MAX;
    if (!sn_op_has(n->op, SN_VIEW | SN_POINTWISE))
        return UINT32_MAX;
    for (uint8_t k = 0; k < n->args; k++) {
        if (is_static(sn_type_at(r->g, n->arg[k])))
            continue;
        if (found != UINT32_MAX || r->root[n->arg[k].i] == UINT32_MAX)
            return UINT32_MAX;
        found = r->root[n->arg[k].i];
    }
    return found;
}

static void find_roots(recompute *r)
{
    for (uint32_t i = 0; i < r->g->nodes; i++) {
        const sn_node *n = &r->g->node[i];
        r->root[i] = is_cheap(r->g, n) ? i : follow(r, n);
        for (uint8_t k = 0; k < n->args; k++)
            r->last[n->arg[k].i] = i;
    }
    for (uint32_t i = 0; i < r->g->outputs; i++) /* what leaves is kept */
        r->last[r->g->output[i].ref.i] = r->g->nodes;
    for (uint32_t i = 0; i < r->g->updates; i++)
        r->last[r->g->update[i].value.i] = r->g->nodes;
}

/* Readers outside the followers, in order: the longest silence between two of them is what recomputing gains. */
static void choose(recompute *r, sn_arena *arena)
{
    const sn_graph *g = r->g;
    uint32_t *previous = sn_new_n(arena, uint32_t, g->nodes), *gap = sn_new_n(arena, uint32_t, g->nodes);
    for (uint32_t i = 0; i < g->nodes; i++) {
        const sn_node *n = &g->node[i];
        r->late[i] = UINT32_MAX;
        previous[i] = i;
        for (uint8_t k = 0; k < n->args; k++) {
            const uint32_t c = r->root[n->arg[k].i];
            if (c == UINT32_MAX || r->root[i] == c)
                continue;
            if (i - previous[c] > gap[c]) {
                gap[c] = i - previous[c];
                r->late[c] = i;
            }
            previous[c] = i;
        }
    }
    for (uint32_t c = 0; c < g->nodes; c++) {
        if (r->late[c] == UINT32_MAX)
            continue;
        const bool pays = gap[c] > g->nodes / GAP_SHARE && r->last[g->node[c].arg[0].i] >= r->late[c];
        if (!pays || previous[c] == r->late[c] - gap[c])
            r->late[c] = UINT32_MAX;
    }
    for (uint32_t i = 0; i < g->nodes; i++) /* a follower that leaves keeps its contraction */
        if (r->root[i] != UINT32_MAX && r->last[i] == g->nodes)
            r->late[r->root[i]] = UINT32_MAX;
}

/* The second copy of a follower or its contraction, made when first wanted. */
static sn_ref second(recompute *r, sn_graph *out, uint32_t i)
{
    if (!sn_is_none(r->again[i]))
        return r->again[i];
    sn_node n = r->g->node[i];
    for (uint8_t k = 0; k < n.args; k++) {
        const uint32_t x = n.arg[k].i;
        n.arg[k] = i != r->root[i] && r->root[x] == r->root[i] ? second(r, out, x) : r->to[x];
    }
    return r->again[i] = sn_graph_append(out, &n);
}

static sn_graph *rebuild(recompute *r)
{
    const sn_graph *g = r->g;
    sn_graph *out = sn_graph_copy_params(g);
    for (uint32_t i = 0; i < g->nodes; i++) {
        sn_node n = g->node[i];
        for (uint8_t k = 0; k < n.args; k++) {
            const uint32_t x = n.arg[k].i, c = r->root[x];
            const bool reread = c != UINT32_MAX && c != r->root[i] && r->late[c] != UINT32_MAX && i >= r->late[c];
            n.arg[k] = reread ? second(r, out, x) : r->to[x];
        }
        r->to[i] = sn_graph_append(out, &n);
        if (n.op == SN_OP_param)
            out->param[n.attrs.param.index].ref = r->to[i];
    }
    for (uint32_t i = 0; i < g->outputs; i++)
        sn_graph_output(out, g->output[i].name, r->to[g->output[i].ref.i], g->output[i].loc);
    for (uint32_t i = 0; i < g->updates; i++)
        sn_graph_update(out, g->update[i].kind, g->update[i].param, r->to[g->update[i].value.i], g->update[i].loc);
    return out;
}

bool sn_pass_recompute(sn_pass *p)
{
    sn_graph *g = *p->g;
    recompute r = {.g = g};
    r.root = sn_new_n(p->arena, uint32_t, g->nodes);
    r.late = sn_new_n(p->arena, uint32_t, g->nodes);
    r.last = sn_new_n(p->arena, uint32_t, g->nodes);
    r.to = sn_new_n(p->arena, sn_ref, g->nodes);
    r.again = sn_new_n(p->arena, sn_ref, g->nodes);
    memset(r.again, 0xff, g->nodes * sizeof *r.again);
    find_roots(&r);
    choose(&r, p->arena);
    *p->g = rebuild(&r);
    sn_graph *copied = *p->g;
    *p->g = sn_graph_copy_live(copied); /* first copies that only late readers wanted */
    sn_graph_free(copied);
    sn_graph_free(g);
    return true;
}
