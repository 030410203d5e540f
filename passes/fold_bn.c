/* Inference: scale and shift of a contraction's result move into its weights.
 * Not for training, where the statistics depend on the result.
 *
 *     y = (contract(x, w) + b - mean) * s + beta   ->   y = contract(x, w * s) + ((b - mean) * s + beta)
 *
 * Everything but x depends on weights and state alone, so what is left per element is one addition.  Where the scaled axis is no axis of the
 * weights (a graph product keeps its channels), the factor stays behind the contraction: contract(x, w) * s + t.
 * Each node of such a chain is made again from the contraction in one go; what it replaces has no reader left.  One sweep, so it ends.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

typedef struct affine { sn_ref base, scale, shift; } affine; /* base * scale + shift; scale, shift may be SN_NONE, base too: not affine */

typedef struct folder {
    sn_rewriter rw;
    bool       *fixed;  /* by old node: no input below */
    uint32_t   *uses;   /* by old node */
    affine     *of;     /* by old node; new refs */
} folder;

static void find_fixed(folder *f)
{
    const sn_graph *g = f->rw.g;
    for (uint32_t i = 0; i < f->rw.old; i++) {
        const sn_node *n = &g->node[i];
        bool fixed = !sn_op_has(n->op, SN_RANDOM) && !(n->op == SN_OP_param && g->param[n->attrs.param.index].kind == SN_INPUT);
        for (uint8_t k = 0; k < n->args && fixed; k++)
            fixed = f->fixed[n->arg[k].i];
        f->fixed[i] = fixed;
    }
}

/* ---- collecting --------------------------------------------------------------------------------------------------------- */

static sn_ref pair(folder *f, sn_op op, sn_ref x, sn_ref y) { return sn_simplify_pair(&f->rw, op, x, y); }
static sn_ref negative(folder *f, sn_ref x) { return sn_is_none(x) ? x : sn_simplify_one(&f->rw, SN_OP_neg, x); }

static sn_ref minus_one(folder *f)
{
    const sn_type scalar = {0};
    return sn_simplify_fill(&f->rw, -1, &scalar);
}

/* The node as an affine function of a contraction: argument `chain` is the function so far, `other` (new) what it is combined with. */
static affine extend(folder *f, sn_op op, const affine *a, sn_ref other, bool chain_first)
{
    affine r = *a;
    switch (op) {
    case SN_OP_add: r.shift = sn_is_none(a->shift) ? other : pair(f, SN_OP_add, a->shift, other); break;
    case SN_OP_sub:
        if (chain_first) {
            r.shift = sn_is_none(a->shift) ? negative(f, other) : pair(f, SN_OP_sub, a->shift, other);
            break;
        }
        r.scale = sn_is_none(a->scale) ? minus_one(f) : negative(f, a->scale);
        r.shift = sn_is_none(a->shift) ? other : pair(f, SN_OP_sub, other, a->shift);
        break;
    case SN_OP_mul:
        r.scale = sn_is_none(a->scale) ? other : pair(f, SN_OP_mul, a->scale, other);
        r.shift = sn_is_none(a->shift) ? a->shift : pair(f, SN_OP_mul, a->shift, other);
        break;
    default: r.base = SN_NONE;
    }
    return r;
}

/* Is x the contraction's type and t broadcast into it? */
static bool stays(const folder *f, const sn_node *n, uint32_t x, uint32_t t)
{
    return sn_type_equal(&f->rw.g->node[x].type, &n->type) && f->fixed[t] && !sn_type_equal(&f->rw.g->node[t].type, &n->type);
}

static affine describe(folder *f, uint32_t i, const sn_node *moved)
{
    const sn_node n = f->rw.g->node[i];
    affine none = {SN_NONE, SN_NONE, SN_NONE};
    if (sn_op_has(n.op, SN_CONTRACT))
        return (affine){sn_rewrite_add(&f->rw, moved), SN_NONE, SN_NONE};
    if (n.args != 2)
        return none;
    for (int k = 0; k < 2; k++) {
        const uint32_t x = n.arg[k].i, t = n.arg[1 - k].i;
        if (!sn_is_none(f->of[x].base) && f->uses[x] == 1 && stays(f, &n, x, t))
            return extend(f, n.op, &f->of[x], f->rw.to[t], k == 0);
    }
    return none;
}

/* ---- making ------------------------------------------------------------------------------------------------------------- */

static int axis_of_loop(const sn_contract *c, int tensor, uint8_t loop)
{
    for (int i = 0; i < c->rank[tensor]; i++)
        if (sn_affine_is_loop(&c->at[tensor][i]) && c->at[tensor][i].loop[0] == loop)
            return i;
    return -1;
}

/* The scale with the axes of operand w, if each of its axes is one of w's and in the same order. */
static bool aligned(folder *f, const sn_node *contract, int w, sn_ref scale, sn_type *out)
{
    const sn_type s = *sn_type_at(f->rw.g, scale), t = *sn_type_at(f->rw.g, contract->arg[w]);
    const sn_contract *c = contract->attrs.spec.spec;
    int last = -1;
    *out = (sn_type){.rank = t.rank};
    for (uint8_t i = 0; i < t.rank; i++)
        out->dim[i] = sn_dim_const(1);
    for (uint8_t i = 0; i < s.rank; i++) {
        if (sn_dim_is_one(s.dim[i]))
            continue;
        const sn_affine *at = &c->at[SN_AT_OUT][i + contract->type.rank - s.rank];
        const int axis = sn_affine_is_loop(at) ? axis_of_loop(c, w, at->loop[0]) : -1;
        if (axis <= last)
            return false;
        out->dim[last = axis] = s.dim[i];
    }
    return true;
}

/* contract(x, w * scale), or SN_NONE if neither operand is fixed and has the scale's axes. */
static sn_ref scaled_contraction(folder *f, const affine *a, const bool *fixed)
{
    sn_node n = *sn_at(f->rw.g, a->base);
    sn_type t;
    for (int w = 1; w >= 0; w--) {
        if (!fixed[w] || !aligned(f, &n, w, a->scale, &t))
            continue;
        const sn_ref scale = sn_simplify_op(&f->rw, SN_OP_reshape, &a->scale, 1, NULL, &t);
        n.arg[w] = pair(f, SN_OP_mul, n.arg[w], scale);
        return sn_rewrite_add(&f->rw, &n);
    }
    return SN_NONE;
}

static sn_ref rebuild(folder *f, const affine *a, const sn_type *t, const bool *fixed)
{
    sn_ref r = scaled_contraction(f, a, fixed);
    if (sn_is_none(r))
        r = pair(f, SN_OP_mul, a->base, a->scale);
    if (!sn_is_none(a->shift))
        r = pair(f, SN_OP_add, r, a->shift);
    return sn_type_equal(sn_type_at(f->rw.g, r), t) ? r : SN_NONE;
}

/* Which operands of the chain's contraction are fixed: followed through the old graph. */
static void fixed_operands(const folder *f, uint32_t i, bool *fixed)
{
    const sn_node *n = &f->rw.g->node[i];
    while (!sn_op_has(n->op, SN_CONTRACT))
        n = &f->rw.g->node[n->arg[f->fixed[n->arg[0].i] ? 1 : 0].i];
    for (int k = 0; k < 2; k++)
        fixed[k] = f->fixed[n->arg[k].i];
}

static void visit(folder *f, uint32_t i)
{
    const sn_node n = sn_rewrite_moved(&f->rw, i);
    bool fixed[2];
    f->rw.loc = n.loc;
    f->of[i] = describe(f, i, &n);
    sn_ref r = SN_NONE;
    if (!sn_is_none(f->of[i].base) && !sn_is_none(f->of[i].scale)) {
        fixed_operands(f, i, fixed);
        r = rebuild(f, &f->of[i], &n.type, fixed);
    }
    f->rw.to[i] = sn_is_none(r) ? sn_rewrite_add(&f->rw, &n) : r;
    if (!sn_is_none(r) && !f->rw.g->node[r.i].name)
        f->rw.g->node[r.i].name = n.name;
}

bool sn_pass_fold_bn(sn_pass *p)
{
    folder f = {.rw = sn_rewrite_begin(p)};
    f.fixed = sn_new_n(p->arena, bool, f.rw.old + 1);
    f.of = sn_new_n(p->arena, affine, f.rw.old + 1);
    f.uses = sn_graph_uses(f.rw.g);
    find_fixed(&f);
    for (uint32_t i = 0; i < f.rw.old; i++)
        visit(&f, i);
    free(f.uses);
    sn_rewrite_end(&f.rw, p);
    return true;
}
