/* Simplification of arithmetic on elements.
 * Not sums (simplify_sum.c). Floating point is treated as real numbers where that changes the last bits only: x / c becomes x * (1/c), products
 * are regrouped; nothing assumes that values are finite except that differences are never expanded.
 *
 * If you add a rule here, it must make the graph smaller or move it towards these forms:
 *   negation outside of products and quotients; constants and small factors multiplied with each other first; stretching (broadcast) outermost.
 */
#include "internal.h"

static const sn_node *arg_of(const sn_rewriter *rw, const sn_node *n, uint32_t k) { return sn_at(rw->g, n->arg[k]); }

static bool is_number(const sn_rewriter *rw, sn_ref r, double v)
{
    double x;
    return sn_is_fill(rw->g, r, &x) && !(x < v) && !(x > v);
}

/* Does x broadcast to t and have fewer elements? */
static bool is_smaller(const sn_type *x, const sn_type *t)
{
    sn_type both;
    return !sn_type_same_elements(x, t) && sn_type_broadcast(x, t, &both) && sn_type_equal(&both, t);
}

static sn_ref number(sn_rewriter *rw, double v)
{
    const sn_type scalar = {0};
    return sn_simplify_fill(rw, v, &scalar);
}

/* ---- any pointwise operator --------------------------------------------------------------------------------------------- */

/* An argument without what pointwise broadcasting does anyway. */
static sn_ref unstretched(sn_rewriter *rw, sn_ref r)
{
    const sn_node *x = sn_at(rw->g, r);
    double v;
    if (x->op == SN_OP_broadcast)
        return unstretched(rw, x->arg[0]);
    return sn_is_fill(rw->g, r, &v) && x->type.rank > 0 ? number(rw, v) : r;
}

static sn_ref of_numbers(sn_rewriter *rw, const sn_node *n)
{
    double x[SN_MAX_ARGS];
    for (uint8_t k = 0; k < n->args; k++)
        if (!sn_is_fill(rw->g, n->arg[k], &x[k]))
            return SN_NONE;
    return sn_simplify_fill(rw, sn_value_of(rw->g, n, x), &n->type);
}

/* f(stretch x, y) = f(x, y), stretched if need be; f(numbers) = number. */
sn_ref sn_simplify_pointwise(sn_rewriter *rw, const sn_node *n)
{
    sn_ref arg[SN_MAX_ARGS];
    bool changed = false;
    for (uint8_t k = 0; k < n->args; k++) {
        arg[k] = unstretched(rw, n->arg[k]);
        changed = changed || !sn_same(arg[k], n->arg[k]);
    }
    if (!changed)
        return of_numbers(rw, n);
    const sn_type t = n->type;
    return sn_simplify_stretch(rw, sn_simplify_op(rw, n->op, arg, n->args, &n->attrs, NULL), &t);
}

/* ---- sums of two -------------------------------------------------------------------------------------------------------- */

static sn_ref twice(sn_rewriter *rw, sn_ref x) { return sn_simplify_pair(rw, SN_OP_mul, x, number(rw, 2)); }

static sn_ref add_one_way(sn_rewriter *rw, const sn_node *n, sn_ref x, sn_ref y)
{
    const sn_node *b = sn_at(rw->g, y);
    const sn_ref inner = b->arg[0], outer = b->arg[1];
    if (is_number(rw, y, 0))
        return sn_simplify_stretch(rw, x, &n->type);
    if (b->op == SN_OP_neg)
        return sn_simplify_pair(rw, SN_OP_sub, x, inner);
    if (b->op == SN_OP_add && (sn_same(x, inner) || sn_same(x, outer)) && !sn_same(inner, outer)) /* x + (x + z) */
        return sn_simplify_pair(rw, SN_OP_add, sn_same(x, inner) ? outer : inner, twice(rw, x));
    return SN_NONE;
}

sn_ref sn_simplify_add(sn_rewriter *rw, const sn_node *n)
{
    if (sn_same(n->arg[0], n->arg[1]))
        return twice(rw, n->arg[0]);
    sn_ref r = add_one_way(rw, n, n->arg[0], n->arg[1]);
    return sn_is_none(r) ? add_one_way(rw, n, n->arg[1], n->arg[0]) : r;
}

sn_ref sn_simplify_sub(sn_rewriter *rw, const sn_node *n)
{
    const sn_ref x = n->arg[0], y = n->arg[1];
    const sn_node *b = arg_of(rw, n, 1);
    if (is_number(rw, y, 0))
        return sn_simplify_stretch(rw, x, &n->type);
    if (is_number(rw, x, 0))
        return sn_simplify_stretch(rw, sn_simplify_one(rw, SN_OP_neg, y), &n->type);
    return b->op == SN_OP_neg ? sn_simplify_pair(rw, SN_OP_add, x, b->arg[0]) : SN_NONE;
}

sn_ref sn_simplify_neg(sn_rewriter *rw, const sn_node *n)
{
    const sn_node *x = arg_of(rw, n, 0);
    return x->op == SN_OP_neg ? x->arg[0] : SN_NONE;
}

/* ---- products and quotients --------------------------------------------------------------------------------------------- */

/* A product of something of the type and something smaller? */
static bool is_scaled(const sn_rewriter *rw, sn_ref r, const sn_type *t, sn_ref *out_big, sn_ref *out_small)
{
    const sn_node *p = sn_at(rw->g, r);
    for (int k = 0; k < 2 && p->op == SN_OP_mul; k++)
        if (is_smaller(sn_type_at(rw->g, p->arg[k]), t) && !is_smaller(sn_type_at(rw->g, p->arg[1 - k]), t)) {
            *out_big = p->arg[1 - k];
            *out_small = p->arg[k];
            return true;
        }
    return false;
}

/* Small factors go last and are multiplied with each other:
 *     (big * small1) * small2 = big * (small1 * small2)        (big1 * small) * big2 = (big1 * big2) * small */
static sn_ref gather_small(sn_rewriter *rw, const sn_node *n, sn_ref x, sn_ref y)
{
    sn_ref big, small;
    sn_type both;
    if (!is_scaled(rw, x, &n->type, &big, &small))
        return SN_NONE;
    if (!is_smaller(sn_type_at(rw->g, y), &n->type))
        return sn_simplify_pair(rw, SN_OP_mul, sn_simplify_pair(rw, SN_OP_mul, big, y), small);
    if (!sn_type_broadcast(sn_type_at(rw->g, small), sn_type_at(rw->g, y), &both) || !is_smaller(&both, &n->type))
        return SN_NONE;
    return sn_simplify_pair(rw, SN_OP_mul, big, sn_simplify_pair(rw, SN_OP_mul, small, y));
}

/* (x * c1) * c2 = x * (c1 c2) for numbers, whatever the shape. */
static sn_ref gather_numbers(sn_rewriter *rw, sn_ref x, sn_ref c2)
{
    const sn_node *p = sn_at(rw->g, x);
    double a, b;
    if (p->op != SN_OP_mul || !sn_is_fill(rw->g, c2, &b))
        return SN_NONE;
    for (int k = 0; k < 2; k++)
        if (sn_is_fill(rw->g, p->arg[k], &a)) {
            const sn_ref rest = p->arg[1 - k];
            return sn_simplify_pair(rw, SN_OP_mul, rest, number(rw, a * b));
        }
    return SN_NONE;
}

static sn_ref mul_one_way(sn_rewriter *rw, const sn_node *n, sn_ref x, sn_ref y)
{
    const sn_node *b = sn_at(rw->g, y);
    if (is_number(rw, y, 1))
        return sn_simplify_stretch(rw, x, &n->type);
    if (is_number(rw, y, -1))
        return sn_simplify_stretch(rw, sn_simplify_one(rw, SN_OP_neg, x), &n->type);
    if (b->op == SN_OP_neg) {
        const sn_ref inner = b->arg[0];
        return sn_simplify_one(rw, SN_OP_neg, sn_simplify_pair(rw, SN_OP_mul, x, inner));
    }
    const sn_ref r = gather_numbers(rw, x, y);
    return sn_is_none(r) ? gather_small(rw, n, x, y) : r;
}

sn_ref sn_simplify_mul(sn_rewriter *rw, const sn_node *n)
{
    sn_ref r = mul_one_way(rw, n, n->arg[0], n->arg[1]);
    return sn_is_none(r) ? mul_one_way(rw, n, n->arg[1], n->arg[0]) : r;
}

/* A division by something smaller than the result becomes a multiplication: few reciprocals instead of many divisions. */
sn_ref sn_simplify_div(sn_rewriter *rw, const sn_node *n)
{
    const sn_ref x = n->arg[0], y = n->arg[1];
    const sn_node *a = arg_of(rw, n, 0), *b = arg_of(rw, n, 1);
    double c;
    if (is_number(rw, y, 1))
        return sn_simplify_stretch(rw, x, &n->type);
    if (a->op == SN_OP_neg || b->op == SN_OP_neg) {
        const sn_ref top = a->op == SN_OP_neg ? a->arg[0] : x, bottom = a->op == SN_OP_neg ? y : b->arg[0];
        return sn_simplify_one(rw, SN_OP_neg, sn_simplify_pair(rw, SN_OP_div, top, bottom));
    }
    if (sn_is_fill(rw->g, y, &c) && (c < 0 || c > 0))
        return sn_simplify_pair(rw, SN_OP_mul, x, number(rw, 1 / c));
    if (is_smaller(&b->type, &n->type))
        return sn_simplify_pair(rw, SN_OP_mul, x, sn_simplify_pair(rw, SN_OP_div, number(rw, 1), y));
    return SN_NONE;
}

/* ---- the rest ----------------------------------------------------------------------------------------------------------- */

sn_ref sn_simplify_select(sn_rewriter *rw, const sn_node *n)
{
    double mask;
    if (sn_is_fill(rw->g, n->arg[0], &mask))
        return sn_simplify_stretch(rw, mask < 0 || mask > 0 ? n->arg[1] : n->arg[2], &n->type);
    return sn_same(n->arg[1], n->arg[2]) ? sn_simplify_stretch(rw, n->arg[1], &n->type) : SN_NONE;
}

/* relu x > 0 exactly where x > 0; where relu x exists, the mask then needs nothing but it. */
sn_ref sn_simplify_greater(sn_rewriter *rw, const sn_node *n)
{
    if (!is_number(rw, n->arg[1], 0) || arg_of(rw, n, 0)->op == SN_OP_relu)
        return SN_NONE;
    const sn_node relu = sn_rewrite_node(rw, SN_OP_relu, &n->arg[0], 1, NULL, NULL);
    const sn_ref y = sn_rewrite_find(rw, &relu);
    return sn_is_none(y) ? SN_NONE : sn_simplify_pair(rw, SN_OP_greater, y, n->arg[1]);
}

sn_ref sn_simplify_relu(sn_rewriter *rw, const sn_node *n) { return arg_of(rw, n, 0)->op == SN_OP_relu ? n->arg[0] : SN_NONE; }
