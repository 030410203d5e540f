/* Rewriting a graph into new nodes at its end, sharing equal ones; small helpers of several passes.
 * Not the rules (simplify*.c) and not the copier (ir/graph.c). */
#include "internal.h"

#include <string.h>

/* ---- equality and hash of nodes of one graph ---------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15u;
    return h ^ (h >> 29);
}

static uint64_t hash_bytes(uint64_t h, const void *data, size_t n)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i++)
        h = mix(h, p[i]);
    return h;
}

/* Terms beyond `terms` hold no meaning, so the spec is hashed by parts. */
static uint64_t hash_spec(uint64_t h, const sn_contract *c)
{
    for (int t = 0; t < 3; t++)
        for (uint8_t i = 0; i < c->rank[t]; i++) {
            const sn_affine *f = &c->at[t][i];
            for (uint8_t k = 0; k < f->terms; k++)
                h = mix(mix(h, f->loop[k]), (uint64_t)f->coef[k]);
            h = mix(h, (uint64_t)f->offset);
        }
    return h;
}

static uint64_t hash_field(uint64_t h, const sn_field *f, const char *at)
{
    switch (f->kind) {
    case SN_FIELD_INT:
    case SN_FIELD_REAL:
    case SN_FIELD_DIM: return hash_bytes(h, at, 8);
    case SN_FIELD_SPEC: return hash_spec(h, *(sn_contract *const *)(const void *)at);
    case SN_FIELD_AXES: break;
    }
    const sn_attr_axes *a = (const void *)at;
    return hash_bytes(mix(h, a->n), a->axis, a->n);
}

static uint64_t hash_attrs(uint64_t h, sn_attr_kind kind, const sn_attrs *a)
{
    size_t n;
    const sn_field *f = sn_attr_fields(kind, &n);
    for (size_t i = 0; i < n; i++)
        h = hash_field(h, &f[i], (const char *)a + f[i].offset);
    if (kind == SN_ATTR_data)
        return hash_bytes(mix(h, a->data.count), a->data.data, (a->data.count < 64 ? a->data.count : 64) * sizeof(float));
    return kind == SN_ATTR_param ? mix(h, a->param.index) : h;
}

/* x op y and y op x are one value: arguments in the order of their numbers. */
static void argument_order(const sn_node *n, uint32_t out[SN_MAX_ARGS])
{
    for (uint8_t k = 0; k < n->args; k++)
        out[k] = n->arg[k].i;
    if (sn_op_has(n->op, SN_COMMUTES) && out[0] > out[1]) {
        uint32_t t = out[0];
        out[0] = out[1];
        out[1] = t;
    }
}

static uint64_t hash_node(const sn_node *n)
{
    uint32_t arg[SN_MAX_ARGS];
    argument_order(n, arg);
    uint64_t h = mix(n->op, n->type.rank);
    for (uint8_t i = 0; i < n->type.rank; i++)
        h = mix(h, (uint64_t)n->type.dim[i].v);
    for (uint8_t k = 0; k < n->args; k++)
        h = mix(h, arg[k]);
    return hash_attrs(h, sn_op_get(n->op)->attrs, &n->attrs);
}

static bool nodes_equal(const sn_graph *g, const sn_node *x, const sn_node *y)
{
    uint32_t a[SN_MAX_ARGS], b[SN_MAX_ARGS];
    if (x->op != y->op || x->args != y->args || !sn_type_equal(&x->type, &y->type))
        return false;
    argument_order(x, a);
    argument_order(y, b);
    return memcmp(a, b, x->args * sizeof *a) == 0 && sn_attrs_equal(sn_op_get(x->op)->attrs, g, &x->attrs, g, &y->attrs);
}

/* ---- the table ---------------------------------------------------------------------------------------------------------- */

static uint32_t *slot_of(const sn_rewriter *rw, const sn_node *n)
{
    uint32_t i = (uint32_t)hash_node(n) & (rw->slots - 1);
    while (rw->slot[i] != UINT32_MAX && !nodes_equal(rw->g, n, &rw->g->node[rw->slot[i]]))
        i = (i + 1) & (rw->slots - 1);
    return &rw->slot[i];
}

static void make_table(sn_rewriter *rw, uint32_t slots)
{
    rw->slots = slots;
    rw->slot = sn_new_n(rw->arena, uint32_t, slots);
    memset(rw->slot, 0xff, slots * sizeof *rw->slot);
    for (uint32_t i = rw->old; i < rw->g->nodes; i++)
        *slot_of(rw, &rw->g->node[i]) = i;
}

static void note_filled(sn_rewriter *rw)
{
    if (2 * ++rw->filled > rw->slots)
        make_table(rw, 4 * rw->slots);
}

sn_rewriter sn_rewrite_begin(sn_pass *p)
{
    sn_rewriter rw = {.g = *p->g, .arena = p->arena, .old = (*p->g)->nodes};
    rw.to = sn_new_n(p->arena, sn_ref, rw.old);
    uint32_t slots = 64;
    while (slots < 4 * rw.old)
        slots *= 2;
    make_table(&rw, slots);
    return rw;
}

sn_node sn_rewrite_moved(const sn_rewriter *rw, uint32_t old)
{
    sn_node n = rw->g->node[old];
    for (uint8_t k = 0; k < n.args; k++)
        n.arg[k] = rw->to[n.arg[k].i];
    return n;
}

sn_ref sn_rewrite_find(const sn_rewriter *rw, const sn_node *node)
{
    uint32_t found = *slot_of(rw, node);
    return found == UINT32_MAX ? SN_NONE : (sn_ref){found};
}

sn_ref sn_rewrite_add(sn_rewriter *rw, const sn_node *node)
{
    uint32_t *slot = slot_of(rw, node);
    if (*slot != UINT32_MAX) {
        sn_node *same = &rw->g->node[*slot];
        if (!same->name && node->name)
            same->name = node->name;
        return (sn_ref){*slot};
    }
    sn_ref r = sn_graph_append(rw->g, node);
    *slot = r.i;
    if (node->op == SN_OP_param)
        rw->g->param[node->attrs.param.index].ref = r;
    note_filled(rw);
    return r;
}

sn_node sn_rewrite_node(sn_rewriter *rw, sn_op op, const sn_ref *arg, uint32_t n, const sn_attrs *attrs, const sn_type *declared)
{
    sn_node node = {.op = op, .args = (uint8_t)n, .loc = rw->loc};
    char why[512] = "";
    for (uint32_t k = 0; k < n; k++)
        node.arg[k] = arg[k];
    if (attrs)
        node.attrs = *attrs;
    if (declared)
        node.type = *declared;
    const bool fits = sn_check_node(rw->g, op, arg, n, &node.attrs, &node.type, why, sizeof why);
    SN_ASSERT(fits, "a rewriting rule built a wrong %s: %s", sn_op_get(op)->name, why);
    return node;
}

void sn_rewrite_end(sn_rewriter *rw, sn_pass *p)
{
    sn_graph *g = rw->g;
    for (uint32_t i = 0; i < g->outputs; i++)
        g->output[i].ref = rw->to[g->output[i].ref.i];
    for (uint32_t i = 0; i < g->updates; i++)
        g->update[i].value = rw->to[g->update[i].value.i];
    *p->g = sn_graph_copy_live(g);
    sn_graph_free(g);
}

/* ---- helpers ------------------------------------------------------------------------------------------------------------ */

bool sn_type_same_elements(const sn_type *a, const sn_type *b)
{
    const sn_type *big = a->rank >= b->rank ? a : b, *small = big == a ? b : a;
    uint8_t extra = (uint8_t)(big->rank - small->rank);
    for (uint8_t i = 0; i < big->rank; i++)
        if (i < extra ? !sn_dim_is_one(big->dim[i]) : !sn_dim_equal(big->dim[i], small->dim[i - extra]))
            return false;
    return true;
}

int64_t sn_type_constant_count(const sn_type *t, bool *open)
{
    int64_t n = 1;
    *open = false;
    for (uint8_t i = 0; i < t->rank; i++)
        if (!sn_dim_is_const(t->dim[i]))
            *open = true;
        else if (t->dim[i].v > 0 && n < ((int64_t)1 << 40) / t->dim[i].v)
            n *= t->dim[i].v;
        else
            n = (int64_t)1 << 40;
    return n;
}

bool sn_is_fill(const sn_graph *g, sn_ref r, double *value)
{
    const sn_node *n = sn_at(g, r);
    if (n->op != SN_OP_fill)
        return false;
    *value = n->attrs.value.value;
    return true;
}

sn_ref sn_view_root(const sn_graph *g, sn_ref r)
{
    while (sn_op_has(sn_at(g, r)->op, SN_VIEW))
        r = sn_at(g, r)->arg[0];
    return r;
}
