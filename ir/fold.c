/* Identities the builder applies while building: a node that would add nothing is not made.
 * Not optimisation (passes/simplify.c): only what is visible from one node and its arguments.
 *
 * Every rule answers with a node that exists, with a fill, or with one node that skips an argument of the same operator; none makes a
 * node whose own folding could come back.  So each strictly shrinks the expression and building terminates; a rule added here must too.
 * Values are those of exact arithmetic: x + 0 may turn -0 into 0, and x * 0 is 0 even where x is not finite. */
#include "internal.h"

typedef struct folder {
    sn_build      *b;
    const sn_node *n; /* checked, not yet in the graph */
} folder;

static const sn_node *arg(const folder *f, int k) { return sn_at(f->b->g, f->n->arg[k]); }

static bool is_fill(const folder *f, int k, double value)
{
    const double found = arg(f, k)->attrs.value.value;
    return arg(f, k)->op == SN_OP_fill && found >= value && found <= value;
}

/* Argument k, if it has the result's shape (broadcasting may have stretched it). */
static sn_ref same(const folder *f, int k) { return sn_type_equal(&arg(f, k)->type, &f->n->type) ? f->n->arg[k] : SN_NONE; }

static sn_ref fill(const folder *f, double value)
{
    const sn_type t = f->n->type;
    return sn_fill(f->b, value, &t);
}

/* Arithmetic of two fills is a fill. */
static sn_ref fold_fills(const folder *f)
{
    const double x = arg(f, 0)->attrs.value.value, y = arg(f, 1)->attrs.value.value;
    switch (f->n->op) {
    case SN_OP_add: return fill(f, x + y);
    case SN_OP_sub: return fill(f, x - y);
    case SN_OP_mul: return fill(f, x * y);
    default: return fill(f, x / y);
    }
}

/* x + 0, 0 + x, x - 0, x * 1, 1 * x, x / 1 -> x;  x * 0, 0 * x -> 0 */
static sn_ref fold_arithmetic(const folder *f)
{
    const sn_op op = f->n->op;
    const double neutral = op == SN_OP_add || op == SN_OP_sub ? 0 : 1;
    if (arg(f, 0)->op == SN_OP_fill && arg(f, 1)->op == SN_OP_fill)
        return fold_fills(f);
    if (op == SN_OP_mul && (is_fill(f, 0, 0) || is_fill(f, 1, 0)))
        return fill(f, 0);
    if (is_fill(f, 1, neutral) && !sn_is_none(same(f, 0)))
        return same(f, 0);
    if ((op == SN_OP_add || op == SN_OP_mul) && is_fill(f, 0, neutral))
        return same(f, 1);
    return SN_NONE;
}

/* --x -> x;  -fill -> fill */
static sn_ref fold_neg(const folder *f)
{
    if (arg(f, 0)->op == SN_OP_neg)
        return arg(f, 0)->arg[0];
    return arg(f, 0)->op == SN_OP_fill ? fill(f, -arg(f, 0)->attrs.value.value) : SN_NONE;
}

/* stop(stop x) -> stop x;  stop of a fill -> the fill */
static sn_ref fold_stop(const folder *f)
{
    return arg(f, 0)->op == SN_OP_stop || arg(f, 0)->op == SN_OP_fill ? f->n->arg[0] : SN_NONE;
}

/* What moves elements of a fill gives a fill, and moving none gives the argument. */
static sn_ref fold_move(const folder *f)
{
    if (arg(f, 0)->op == SN_OP_fill)
        return fill(f, arg(f, 0)->attrs.value.value);
    return f->n->op == SN_OP_broadcast || f->n->op == SN_OP_reshape ? same(f, 0) : SN_NONE;
}

/* Two reshapes in a row are one; the second may then turn out to change nothing. */
static sn_ref fold_reshape(const folder *f)
{
    const sn_ref moved = fold_move(f);
    if (!sn_is_none(moved) || arg(f, 0)->op != SN_OP_reshape)
        return moved;
    const sn_type t = f->n->type;
    return sn_reshape(f->b, arg(f, 0)->arg[0], &t);
}

static sn_ref fold_permute(const folder *f)
{
    for (uint8_t i = 0; i < f->n->attrs.axes.n; i++)
        if (f->n->attrs.axes.axis[i] != i)
            return fold_move(f);
    return f->n->arg[0];
}

/* Elements 0, 1, ... of the whole axis: all of it.  A slice inside a fill's bounds is a fill. */
static sn_ref fold_slice(const folder *f)
{
    const sn_attr_slice *a = &f->n->attrs.slice;
    const sn_ref whole = a->start == 0 && a->step == 1 ? same(f, 0) : SN_NONE;
    const bool proved = sn_dim_is_const(arg(f, 0)->type.dim[a->axis]) && sn_dim_is_const(f->n->type.dim[a->axis]);
    return !sn_is_none(whole) || !proved || f->n->op == SN_OP_pad ? whole : fold_move(f);
}

static sn_ref fold_concat(const folder *f) { return f->n->args == 1 ? f->n->arg[0] : SN_NONE; }

sn_ref sn_fold(sn_build *b, const sn_node *n)
{
    const folder f = {b, n};
    switch (n->op) {
    case SN_OP_add:
    case SN_OP_sub:
    case SN_OP_mul:
    case SN_OP_div: return fold_arithmetic(&f);
    case SN_OP_neg: return fold_neg(&f);
    case SN_OP_stop: return fold_stop(&f);
    case SN_OP_broadcast:
    case SN_OP_flip: return fold_move(&f);
    case SN_OP_reshape: return fold_reshape(&f);
    case SN_OP_permute: return fold_permute(&f);
    case SN_OP_slice:
    case SN_OP_pad: return fold_slice(&f);
    case SN_OP_concat: return fold_concat(&f);
    default: return SN_NONE;
    }
}
