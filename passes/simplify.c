/* Simplification: share equal nodes, fold local identities, move invariant factors out of sums, drop dead nodes.
 * Not fusion.
 *
 *     sum(dy * xc * gamma)  ->  gamma * sum(dy * xc)          gamma has size 1 along the summed axes
 *     sum(-(dy * a))        ->  -(a * sum(dy))
 *
 * so that the two reductions of a batch norm's gradient are shared by all that needs them.  Every sweep copies the live graph once in
 * order; a rule replaces a node by nodes over arguments that are already copied, each strictly closer to the leaves of the product, so a
 * sweep ends, and sweeps stop when the node count does.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

typedef struct copier {
    sn_graph *from, *to;
    sn_diags *diags;
    sn_ref   *map;       /* from -> to */
    uint32_t *table;     /* open addressing over nodes of `to`; UINT32_MAX = free */
    uint32_t  mask, entries;
} copier;

static uint64_t hash_node(const sn_node *n)
{
    uint64_t part[16];
    uint32_t used = 0;
    part[used++] = ((uint64_t)n->op << 32) | ((uint64_t)n->args << 8) | n->type.rank;
    for (uint8_t k = 0; k < n->args; k++)
        part[used++] = n->arg[k].i;
    uint64_t h = XXH3_64bits_withSeed(n->type.dim, n->type.rank * sizeof n->type.dim[0], 1);
    return XXH3_64bits_withSeed(part, used * sizeof part[0], h);
}

static bool same_node(const sn_graph *g, const sn_node *a, const sn_node *b)
{
    if (a->op != b->op || a->args != b->args || !sn_type_equal(&a->type, &b->type))
        return false;
    for (uint8_t k = 0; k < a->args; k++)
        if (!sn_same(a->arg[k], b->arg[k]))
            return false;
    return sn_attrs_equal(sn_op_get(a->op)->attrs, g, &a->attrs, g, &b->attrs);
}

static void table_grow(copier *c)
{
    const uint32_t size = c->mask ? 2 * (c->mask + 1) : 1024;
    free(c->table);
    c->table = sn_must(malloc(size * sizeof *c->table));
    memset(c->table, 0xFF, size * sizeof *c->table);
    c->mask = size - 1;
    c->entries = 0;
    for (uint32_t i = 0; i < c->to->nodes; i++) {
        uint32_t at = (uint32_t)hash_node(&c->to->node[i]) & c->mask;
        while (c->table[at] != UINT32_MAX)
            at = (at + 1) & c->mask;
        c->table[at] = i;
        c->entries++;
    }
}

/* The node of `to` equal to n, made if there is none. */
static sn_ref share(copier *c, const sn_node *n)
{
    if (2 * c->entries >= c->mask)
        table_grow(c);
    uint32_t at = (uint32_t)hash_node(n) & c->mask;
    for (; c->table[at] != UINT32_MAX; at = (at + 1) & c->mask)
        if (same_node(c->to, &c->to->node[c->table[at]], n))
            return (sn_ref){c->table[at]};
    const sn_ref r = sn_graph_append(c->to, n);
    c->table[at] = r.i;
    c->entries++;
    return r;
}

/* Build through the checked builder for its type, then share. */
static sn_ref make(copier *c, const sn_node *like, sn_op op, sn_ref x, sn_ref y, uint8_t args, const sn_attrs *attrs)
{
    sn_node n = {.op = op, .args = args, .arg = {x, y}, .name = like->name, .loc = like->loc};
    char why[256];
    if (attrs)
        n.attrs = *attrs;
    if (sn_op_has(op, SN_COMMUTES) && n.arg[1].i < n.arg[0].i) {
        n.arg[0] = y;
        n.arg[1] = x;
    }
    const bool ok = sn_check_node(c->to, op, n.arg, args, &n.attrs, &n.type, why, sizeof why);
    SN_ASSERT(ok, "simplify built a wrong %s: %s", sn_op_get(op)->name, why);
    return share(c, &n);
}

static bool is_fill(const copier *c, sn_ref r, double value)
{
    const sn_node *n = sn_at(c->to, r);
    return n->op == SN_OP_fill && n->attrs.value.value == value;
}

/* Is x the same all along the axes?  Leading axes it does not have count. */
static bool is_invariant(const copier *c, sn_ref x, uint8_t rank, const sn_attr_axes *axes)
{
    const sn_type *t = &sn_at(c->to, x)->type;
    for (uint8_t i = 0; i < axes->n; i++) {
        const int at = axes->axis[i] - (rank - t->rank);
        if (at >= 0 && t->dim[at].v != 1)
            return false;
    }
    return true;
}

typedef struct factors { sn_ref out[16], in[16]; uint32_t outs, ins; bool negative; } factors;

/* Split a product into factors that do not vary along the axes and the rest. */
static bool split_product(const copier *c, sn_ref x, uint8_t rank, const sn_attr_axes *axes, factors *f)
{
    const sn_node *n = sn_at(c->to, x);
    if (is_invariant(c, x, rank, axes)) {
        if (f->outs == 16)
            return false;
        f->out[f->outs++] = x;
        return true;
    }
    if (n->op == SN_OP_mul)
        return split_product(c, n->arg[0], rank, axes, f) && split_product(c, n->arg[1], rank, axes, f);
    if (n->op == SN_OP_neg) {
        f->negative = !f->negative;
        return split_product(c, n->arg[0], rank, axes, f);
    }
    if (f->ins == 16)
        return false;
    f->in[f->ins++] = x;
    return true;
}

static int by_index(const void *a, const void *b)
{
    const uint32_t x = ((const sn_ref *)a)->i, y = ((const sn_ref *)b)->i;
    return (x > y) - (x < y);
}

static sn_ref product(copier *c, const sn_node *like, sn_ref *x, uint32_t n)
{
    qsort(x, n, sizeof *x, by_index);
    sn_ref r = x[0];
    for (uint32_t i = 1; i < n; i++)
        r = make(c, like, SN_OP_mul, r, x[i], 2, NULL);
    return r;
}

/* sum(invariant * rest) -> invariant * sum(rest), if that leaves the result's shape. */
static bool factor_sum(copier *c, const sn_node *n, sn_ref *out)
{
    factors f = {0};
    const uint8_t rank = n->type.rank;
    if (!split_product(c, n->arg[0], rank, &n->attrs.axes, &f) || f.ins == 0 || (f.outs == 0 && !f.negative))
        return false;
    const sn_ref core = product(c, n, f.in, f.ins);
    if (!sn_type_equal(&sn_at(c->to, core)->type, &sn_at(c->to, n->arg[0])->type))
        return false; /* an invariant factor stretched it along a kept axis */
    sn_ref r = make(c, n, SN_OP_sum, core, SN_NONE, 1, &n->attrs);
    if (f.outs)
        r = make(c, n, SN_OP_mul, r, product(c, n, f.out, f.outs), 2, NULL);
    if (f.negative)
        r = make(c, n, SN_OP_neg, r, SN_NONE, 1, NULL);
    if (!sn_type_equal(&sn_at(c->to, r)->type, &n->type))
        return false;
    *out = r;
    return true;
}

/* Identities of one node over copied arguments: each yields an argument or fewer operations. */
static bool fold(copier *c, const sn_node *n, sn_ref *out)
{
    const sn_ref x = n->arg[0], y = n->arg[1];
    const bool left = n->args > 0 && sn_type_equal(&sn_at(c->to, x)->type, &n->type);
    const bool right = n->args > 1 && sn_type_equal(&sn_at(c->to, y)->type, &n->type);
    switch (n->op) {
    case SN_OP_stop: *out = x; return true;
    case SN_OP_add:
        if (left && is_fill(c, y, 0)) { *out = x; return true; }
        if (right && is_fill(c, x, 0)) { *out = y; return true; }
        return false;
    case SN_OP_sub: if (left && is_fill(c, y, 0)) { *out = x; return true; } return false;
    case SN_OP_mul:
        if (left && is_fill(c, y, 1)) { *out = x; return true; }
        if (right && is_fill(c, x, 1)) { *out = y; return true; }
        return false;
    case SN_OP_div: if (left && is_fill(c, y, 1)) { *out = x; return true; } return false;
    case SN_OP_broadcast: case SN_OP_reshape: if (left) { *out = x; return true; } return false;
    case SN_OP_sum: return factor_sum(c, n, out);
    default: return false;
    }
}

static void copy_node(copier *c, uint32_t i)
{
    sn_node n = c->from->node[i];
    for (uint8_t k = 0; k < n.args; k++)
        n.arg[k] = c->map[n.arg[k].i];
    if (sn_op_has(n.op, SN_COMMUTES) && n.arg[1].i < n.arg[0].i) {
        const sn_ref t = n.arg[0];
        n.arg[0] = n.arg[1];
        n.arg[1] = t;
    }
    if (!fold(c, &n, &c->map[i]))
        c->map[i] = share(c, &n);
}

static sn_graph *sweep(sn_graph *from, sn_diags *diags)
{
    copier c = {.from = from, .to = sn_graph_copy_params(from), .diags = diags};
    c.map = sn_must(malloc((from->nodes + 1) * sizeof *c.map));
    for (uint32_t i = 0; i < from->nodes; i++) {
        copy_node(&c, i);
        if (from->node[i].op == SN_OP_param)
            c.to->param[from->node[i].attrs.param.index].ref = c.map[i];
    }
    for (uint32_t i = 0; i < from->outputs; i++)
        sn_graph_output(c.to, from->output[i].name, c.map[from->output[i].ref.i], from->output[i].loc);
    for (uint32_t i = 0; i < from->updates; i++)
        sn_graph_update(c.to, from->update[i].kind, from->update[i].param, c.map[from->update[i].value.i], from->update[i].loc);
    free(c.map);
    free(c.table);
    sn_graph *live = sn_graph_copy_live(c.to);
    sn_graph_free(c.to);
    return live;
}

bool sn_pass_simplify(sn_graph **g, const sn_pipeline *options, sn_diags *diags)
{
    enum { SWEEPS = 4 };
    (void)options;
    for (int i = 0; i < SWEEPS; i++) {
        sn_graph *next = sweep(*g, diags);
        const bool same = next->nodes == (*g)->nodes;
        sn_graph_free(*g);
        *g = next;
        if (same)
            break;
    }
    return true;
}
