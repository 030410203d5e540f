/* Simplification: the table of rules, and those of operators that move elements or have no arguments.
 * Not arithmetic (simplify_point.c) and not sums (simplify_sum.c); sharing equal nodes falls out of rewriting (rewrite.c).
 *
 * Nodes are visited first to last; each is made again from its simplified arguments by sn_simplify, which every rule also uses for the
 * nodes it makes, so that results are in simplest form at once.  It terminates because every rule either returns an argument (or a node
 * below one), or makes nodes that are nearer to the leaves, of smaller shape, or in a canonical order that no other rule undoes: negation
 * and stretching move outwards, factors that a sum does not run over move out of the sum, small factors move together.
 */
#include "internal.h"

#include <string.h>

static const sn_node *arg_of(const sn_rewriter *rw, const sn_node *n, uint32_t k) { return sn_at(rw->g, n->arg[k]); }

/* ---- making nodes ------------------------------------------------------------------------------------------------------- */

sn_ref sn_simplify_op(sn_rewriter *rw, sn_op op, const sn_ref *arg, uint32_t n, const sn_attrs *attrs, const sn_type *declared)
{
    sn_node node = sn_rewrite_node(rw, op, arg, n, attrs, declared);
    return sn_simplify(rw, &node);
}

sn_ref sn_simplify_pair(sn_rewriter *rw, sn_op op, sn_ref x, sn_ref y) { return sn_simplify_op(rw, op, (sn_ref[]){x, y}, 2, NULL, NULL); }
sn_ref sn_simplify_one(sn_rewriter *rw, sn_op op, sn_ref x) { return sn_simplify_op(rw, op, &x, 1, NULL, NULL); }

sn_ref sn_simplify_fill(sn_rewriter *rw, double v, const sn_type *t)
{
    const sn_attrs a = {.value = {v}};
    return sn_simplify_op(rw, SN_OP_fill, NULL, 0, &a, t);
}

sn_ref sn_simplify_stretch(sn_rewriter *rw, sn_ref x, const sn_type *t)
{
    if (sn_type_equal(sn_type_at(rw->g, x), t))
        return x;
    return sn_simplify_op(rw, SN_OP_broadcast, &x, 1, NULL, t);
}

/* ---- elements that move ------------------------------------------------------------------------------------------------- */

static sn_ref of_fill(sn_rewriter *rw, const sn_node *n)
{
    double v;
    return sn_is_fill(rw->g, n->arg[0], &v) ? sn_simplify_fill(rw, v, &n->type) : SN_NONE;
}

static bool unchanged(const sn_rewriter *rw, const sn_node *n) { return sn_type_equal(&arg_of(rw, n, 0)->type, &n->type); }

static sn_ref rule_broadcast(sn_rewriter *rw, const sn_node *n)
{
    const sn_node *x = arg_of(rw, n, 0);
    if (unchanged(rw, n))
        return n->arg[0];
    if (x->op == SN_OP_broadcast) {
        sn_ref inner = x->arg[0];
        return sn_simplify_op(rw, SN_OP_broadcast, &inner, 1, NULL, &n->type);
    }
    return of_fill(rw, n);
}

static sn_ref rule_reshape(sn_rewriter *rw, const sn_node *n)
{
    const sn_node *x = arg_of(rw, n, 0);
    if (unchanged(rw, n))
        return n->arg[0];
    if (x->op == SN_OP_reshape) {
        sn_ref inner = x->arg[0];
        return sn_simplify_op(rw, SN_OP_reshape, &inner, 1, NULL, &n->type);
    }
    return of_fill(rw, n);
}

static sn_ref rule_permute(sn_rewriter *rw, const sn_node *n)
{
    const sn_node *x = arg_of(rw, n, 0);
    const sn_attr_axes *p = &n->attrs.axes;
    bool same = true;
    for (uint8_t i = 0; i < p->n; i++)
        same = same && p->axis[i] == i;
    if (same)
        return n->arg[0];
    if (x->op != SN_OP_permute)
        return of_fill(rw, n);
    sn_attrs both = {.axes = {.n = p->n}};
    for (uint8_t i = 0; i < p->n; i++)
        both.axes.axis[i] = x->attrs.axes.axis[p->axis[i]];
    sn_ref inner = x->arg[0];
    return sn_simplify_op(rw, SN_OP_permute, &inner, 1, &both, NULL);
}

static bool same_slice(const sn_attr_slice *a, const sn_attr_slice *b)
{
    return a->axis == b->axis && a->start == b->start && a->step == b->step;
}

static bool is_whole(const sn_rewriter *rw, const sn_node *n) { return unchanged(rw, n) && n->attrs.slice.start == 0 && n->attrs.slice.step == 1; }

static sn_ref rule_slice(sn_rewriter *rw, const sn_node *n)
{
    const sn_node *x = arg_of(rw, n, 0);
    if (is_whole(rw, n))
        return n->arg[0];
    if (x->op == SN_OP_pad && same_slice(&x->attrs.slice, &n->attrs.slice) && sn_type_equal(sn_type_at(rw->g, x->arg[0]), &n->type))
        return x->arg[0];
    return of_fill(rw, n);
}

static sn_ref rule_pad(sn_rewriter *rw, const sn_node *n) { return is_whole(rw, n) ? n->arg[0] : SN_NONE; }

static sn_ref rule_flip(sn_rewriter *rw, const sn_node *n)
{
    const sn_node *x = arg_of(rw, n, 0);
    if (x->op == SN_OP_flip && x->attrs.axis.axis == n->attrs.axis.axis)
        return x->arg[0];
    return of_fill(rw, n);
}

static sn_ref rule_concat(sn_rewriter *rw, const sn_node *n) { return (void)rw, n->args == 1 ? n->arg[0] : SN_NONE; }

static sn_ref rule_extent(sn_rewriter *rw, const sn_node *n)
{
    const sn_dim d = n->attrs.extent.dim;
    return sn_dim_is_const(d) ? sn_simplify_fill(rw, (double)d.v, &n->type) : SN_NONE;
}

/* Differentiation is over: nothing is left to be constant for. */
static sn_ref rule_stop(sn_rewriter *rw, const sn_node *n) { return (void)rw, n->arg[0]; }

/* ---- the table ---------------------------------------------------------------------------------------------------------- */

static sn_simplify_rule *const rules[SN_OP_COUNT] = {
    [SN_OP_add] = sn_simplify_add,         [SN_OP_sub] = sn_simplify_sub,         [SN_OP_mul] = sn_simplify_mul,
    [SN_OP_div] = sn_simplify_div,         [SN_OP_neg] = sn_simplify_neg,         [SN_OP_select] = sn_simplify_select,
    [SN_OP_greater] = sn_simplify_greater, [SN_OP_relu] = sn_simplify_relu,       [SN_OP_sum] = sn_simplify_sum,
    [SN_OP_broadcast] = rule_broadcast,    [SN_OP_reshape] = rule_reshape,        [SN_OP_permute] = rule_permute,
    [SN_OP_slice] = rule_slice,            [SN_OP_pad] = rule_pad,                [SN_OP_flip] = rule_flip,
    [SN_OP_concat] = rule_concat,          [SN_OP_extent] = rule_extent,          [SN_OP_stop] = rule_stop,
};

sn_ref sn_simplify(sn_rewriter *rw, const sn_node *n)
{
    sn_ref r = SN_NONE;
    if (sn_op_has(n->op, SN_POINTWISE))
        r = sn_simplify_pointwise(rw, n);
    if (sn_is_none(r) && rules[n->op])
        r = rules[n->op](rw, n);
    return sn_is_none(r) ? sn_rewrite_add(rw, n) : r;
}

bool sn_pass_simplify(sn_pass *p)
{
    sn_rewriter rw = sn_rewrite_begin(p);
    for (uint32_t i = 0; i < rw.old; i++) {
        sn_node n = sn_rewrite_moved(&rw, i);
        uint32_t first = rw.g->nodes;
        rw.loc = n.loc;
        rw.to[i] = sn_simplify(&rw, &n);
        if (rw.to[i].i >= first && !rw.g->node[rw.to[i].i].name)
            rw.g->node[rw.to[i].i].name = n.name;
    }
    sn_rewrite_end(&rw, p);
    return true;
}
