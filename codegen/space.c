/* Iteration spaces: axes that every access of a kernel walks together become one.
 * Not loops (kernel_<form>.c); the result is a smaller shape and the types the kernel's nodes have in it.
 *
 * relu(x[N,T,V,C] * s[C]) needs two axes, [N*T*V, C]; relu(x) needs one.  Two neighbouring axes may merge when every node has both in full or
 * neither.  Slices, concatenations and the like keep their own axis apart; permutations and inner reshapes keep all of them.
 */
#include <string.h>

#include "internal.h"

typedef struct walk {
    sn_plan  *p;
    sn_space *s;
    sn_type   space;
    uint32_t  apart;    /* bit i: axes i-1 and i may not merge */
    uint32_t  capacity;
} walk;

enum { ALL_APART = -1 };

static bool is_one(sn_dim d) { return sn_dim_is_const(d) && d.v == 1; }

static bool seen(const walk *w, sn_ref r)
{
    for (uint32_t i = 0; i < w->s->nodes; i++)
        if (sn_same(w->s->node[i], r))
            return true;
    return false;
}

static void add_node(walk *w, sn_ref r)
{
    if (w->s->nodes == w->capacity) {
        uint32_t capacity = w->capacity ? 2 * w->capacity : 16;
        sn_ref *node = sn_new_n(w->p->arena, sn_ref, capacity);
        if (w->s->nodes)
            memcpy(node, w->s->node, w->s->nodes * sizeof *node);
        w->s->node = node;
        w->capacity = capacity;
    }
    w->s->node[w->s->nodes++] = r;
}

/* Axis i of the space as node type t sees it: absent or 1, or in full. */
static bool has_axis(const sn_type *t, const sn_type *space, uint8_t i)
{
    int own = (int)i - (int)space->rank + (int)t->rank;
    return own >= 0 && !is_one(t->dim[own]);
}

/* `loose`: axes whose extent differs from the space's because a slice or concatenation stands in between. */
static void compare(walk *w, const sn_type *t, uint32_t loose)
{
    if (t->rank > w->space.rank) {
        w->apart = (uint32_t)ALL_APART;
        return;
    }
    int before = -1; /* the last axis that is not 1 */
    for (uint8_t i = 0; i < w->space.rank; i++) {
        int own = (int)i - (int)w->space.rank + (int)t->rank;
        bool equal = own < 0 || is_one(t->dim[own]) || sn_dim_equal(t->dim[own], w->space.dim[i]);
        if (!equal && !(loose >> i & 1))
            w->apart = (uint32_t)ALL_APART;
        if (is_one(w->space.dim[i]))
            continue;
        if (before >= 0 && has_axis(t, &w->space, i) != has_axis(t, &w->space, (uint8_t)before))
            w->apart |= 1u << i;
        before = i;
    }
}

static bool by_axis(const sn_op_info *op)
{
    return (op->traits & SN_INDEX) && (op->attrs == SN_ATTR_axis || op->attrs == SN_ATTR_slice);
}

/* Leaves that are the same everywhere, or go by the element's number. */
static bool counts_elements(const sn_op_info *op)
{
    return op->attrs == SN_ATTR_value || op->attrs == SN_ATTR_extent || op->attrs == SN_ATTR_random || by_axis(op);
}

static void visit(walk *w, sn_ref r, uint32_t loose)
{
    const sn_node *n = sn_at(w->p->g, r);
    if (sn_op_get(n->op)->attrs == SN_ATTR_tile) { /* a partial sum has a shape of its own */
        visit(w, n->arg[0], loose);
        return;
    }
    if (seen(w, r))
        return;
    add_node(w, r);
    const sn_op_info *op = sn_op_get(n->op);
    compare(w, &n->type, loose);
    if (!sn_plan_in_body(w->p, r))
        return;
    bool aligned = (op->traits & SN_POINTWISE) || n->op == SN_OP_broadcast;
    if (by_axis(op)) {
        uint32_t axis = (uint32_t)n->attrs.axis.axis + w->space.rank - n->type.rank;
        w->apart |= 3u << axis;
        loose |= 1u << axis;
        aligned = true;
    }
    /* a view of memory is read by element number and needs no axes of its argument; numbered leaves likewise */
    bool leaf = n->args == 0 || ((op->traits & SN_VIEW) && !sn_plan_in_body(w->p, n->arg[0]));
    bool reduced = (op->traits & SN_REDUCE) != 0;
    if (!aligned && !leaf && !reduced)
        w->apart = (uint32_t)ALL_APART;
    if (n->args == 0 && !counts_elements(op))
        w->apart = (uint32_t)ALL_APART;
    for (uint8_t k = 0; !leaf && k < n->args; k++)
        visit(w, n->arg[k], loose);
}

static void group_axes(walk *w)
{
    sn_space *s = w->s;
    s->apart = w->apart;
    s->rank = 0;
    for (uint8_t i = 0; i < w->space.rank; i++) {
        bool merge = i > 0 && !(w->apart >> i & 1);
        if (!merge) {
            s->group[i] = s->rank++;
            s->dim[s->group[i]] = w->space.dim[i];
        } else {
            s->group[i] = (uint8_t)(s->rank - 1);
            s->dim[s->group[i]] = sn_dim_mul(w->p->dims, s->dim[s->group[i]], w->space.dim[i]);
        }
    }
}

sn_type sn_space_type(const sn_plan *p, const sn_space *s, const sn_type *t)
{
    sn_type out = {.rank = s->rank};
    for (uint8_t i = 0; i < s->rank; i++)
        out.dim[i] = sn_dim_const(1);
    uint8_t skip = (uint8_t)(s->full.rank - t->rank), first = t->rank ? s->group[skip] : s->rank;
    for (uint8_t i = 0; i < t->rank; i++) {
        sn_dim *d = &out.dim[s->group[i + skip]];
        *d = sn_dim_mul(p->dims, *d, t->dim[i]);
    }
    out.rank = (uint8_t)(s->rank - first);
    memmove(out.dim, out.dim + first, out.rank * sizeof *out.dim);
    return out;
}

sn_space *sn_space_make(sn_plan *p, const sn_type *space, uint32_t apart)
{
    sn_space *s = sn_new(p->arena, sn_space);
    s->full = *space;
    walk w = {.p = p, .s = s, .space = *space, .apart = apart};
    for (uint32_t i = 0; i < p->k->outs; i++)
        visit(&w, p->k->out[i], 0);
    group_axes(&w);
    s->type = sn_new_n(p->arena, sn_type, s->nodes + 1);
    for (uint32_t i = 0; i < s->nodes; i++)
        s->type[i] = s->rank == space->rank ? sn_at(p->g, s->node[i])->type : sn_space_type(p, s, &sn_at(p->g, s->node[i])->type);
    return s;
}

void sn_space_apply(sn_kb *kb, const sn_space *s)
{
    if (s->rank == s->full.rank)
        return;
    sn_graph *g = sn_new(&kb->arena, sn_graph);
    *g = *kb->g;
    g->node = sn_new_n(&kb->arena, sn_node, g->nodes);
    memcpy(g->node, kb->g->node, g->nodes * sizeof *g->node);
    for (uint32_t i = 0; i < s->nodes; i++) {
        sn_node *n = &g->node[s->node[i].i];
        uint8_t shift = (uint8_t)(s->full.rank - n->type.rank);
        if (by_axis(sn_op_get(n->op))) {
            uint8_t first = s->group[shift];
            n->attrs.axis.axis = s->group[n->attrs.axis.axis + shift] - first;
        }
        n->type = s->type[i];
    }
    kb->g = kb->emit.g = g;
}
