/* Simplification of sums along axes: what makes the statistics and gradients of a batch norm two reductions each.
 * Not the splitting of large sums into tiles (split_sums.c).
 *
 *     sum(g * dy * xc)        ->  g * sum(dy * xc)            g has size 1 along the summed axes
 *     sum(dy*g + z*c + d)     ->  g * sum(dy) + c * sum(z) + n * d        if sum(dy) and sum(z) are there already
 *
 * The second form is used only when it needs no new sum and one term is constant along the axes: the gradient of a bias before a
 * batch norm then costs nothing (its exact value is 0).  A plain difference is left alone, since cancellation would cost digits.
 */
#include "internal.h"

#include <string.h>

enum { MAX_FACTORS = 8, MAX_TERMS = 8, DEPTH = 6 };

typedef struct product { /* of factors, the first `invariant` of which have size 1 along the axes */
    sn_ref   factor[MAX_FACTORS];
    uint32_t factors;
    bool     negative;
} product;

typedef struct sum_of { /* the sum to be */
    sn_rewriter  *rw;
    const sn_node *n;
    sn_type       x;     /* type of its operand */
    sn_attr_axes  axes;
} sum_of;

/* Dimension of a (smaller) value at an axis of the operand. */
static sn_dim dim_at(const sum_of *s, sn_ref r, uint8_t axis)
{
    const sn_type *t = sn_type_at(s->rw->g, r);
    const int at = axis + t->rank - s->x.rank;
    return at < 0 ? sn_dim_const(1) : t->dim[at];
}

static bool is_invariant(const sum_of *s, sn_ref r)
{
    for (uint8_t i = 0; i < s->axes.n; i++)
        if (!sn_dim_is_one(dim_at(s, r, s->axes.axis[i])))
            return false;
    return true;
}

static bool spans(const sum_of *s, sn_ref r)
{
    for (uint8_t i = 0; i < s->axes.n; i++)
        if (!sn_dim_equal(dim_at(s, r, s->axes.axis[i]), s->x.dim[s->axes.axis[i]]))
            return false;
    return true;
}

/* Number of elements that are added up, as a value. */
static sn_ref count_of(const sum_of *s)
{
    sn_attrs a = {.extent = {sn_dim_const(1)}};
    for (uint8_t i = 0; i < s->axes.n; i++)
        a.extent.dim = sn_dim_mul(&s->rw->g->dims, a.extent.dim, s->x.dim[s->axes.axis[i]]);
    return sn_simplify_op(s->rw, SN_OP_extent, NULL, 0, &a, NULL);
}

/* sum(r) over the same axes, counted from the end; a node to be. */
static sn_node sum_node(const sum_of *s, sn_ref r)
{
    const uint8_t missing = (uint8_t)(s->x.rank - sn_type_at(s->rw->g, r)->rank);
    sn_attrs a = {.axes = {.n = s->axes.n}};
    for (uint8_t i = 0; i < s->axes.n; i++)
        a.axes.axis[i] = (uint8_t)(s->axes.axis[i] - missing);
    return sn_rewrite_node(s->rw, SN_OP_sum, &r, 1, &a, NULL);
}

/* ---- products ----------------------------------------------------------------------------------------------------------- */

/* Is there anything in the product to take out of the sum?  A product without is left as it is, since others may share it. */
static bool has_invariant(const sum_of *s, sn_ref r, int depth)
{
    const sn_node *n = sn_at(s->rw->g, r);
    if (n->op == SN_OP_neg || is_invariant(s, r))
        return true;
    return n->op == SN_OP_mul && depth > 0 && (has_invariant(s, n->arg[0], depth - 1) || has_invariant(s, n->arg[1], depth - 1));
}

static bool collect_factors(const sum_of *s, sn_ref r, product *out)
{
    const sn_node *n = sn_at(s->rw->g, r);
    if (n->op == SN_OP_neg) {
        out->negative = !out->negative;
        return collect_factors(s, n->arg[0], out);
    }
    if (n->op == SN_OP_mul && has_invariant(s, r, DEPTH))
        return collect_factors(s, n->arg[0], out) && collect_factors(s, n->arg[1], out);
    if (out->factors == MAX_FACTORS)
        return false;
    out->factor[out->factors++] = r;
    return true;
}

/* Split into what is invariant and the rest, both in the order of their numbers so that equal products meet. */
static bool split_product(const sum_of *s, sn_ref r, product *invariant, product *rest)
{
    product all = {.factors = 0};
    *invariant = *rest = all;
    if (!collect_factors(s, r, &all))
        return false;
    for (uint32_t i = 1; i < all.factors; i++)
        for (uint32_t j = i; j > 0 && all.factor[j].i < all.factor[j - 1].i; j--) {
            const sn_ref t = all.factor[j];
            all.factor[j] = all.factor[j - 1];
            all.factor[j - 1] = t;
        }
    for (uint32_t i = 0; i < all.factors; i++) {
        product *to = is_invariant(s, all.factor[i]) ? invariant : rest;
        to->factor[to->factors++] = all.factor[i];
    }
    invariant->negative = all.negative;
    return true;
}

static sn_ref multiply(sn_rewriter *rw, const product *p, sn_ref start)
{
    sn_ref r = start;
    for (uint32_t i = 0; i < p->factors; i++)
        r = sn_is_none(r) ? p->factor[i] : sn_simplify_pair(rw, SN_OP_mul, r, p->factor[i]);
    return p->negative ? sn_simplify_one(rw, SN_OP_neg, r) : r;
}

static sn_ref sum_of_product(const sum_of *s)
{
    product invariant, rest;
    if (!split_product(s, s->n->arg[0], &invariant, &rest) || (invariant.factors == 0 && !invariant.negative) || rest.factors == 0)
        return SN_NONE;
    const sn_node inner = sum_node(s, multiply(s->rw, &rest, SN_NONE));
    return multiply(s->rw, &invariant, sn_simplify(s->rw, &inner));
}

/* ---- sums of terms ------------------------------------------------------------------------------------------------------ */

typedef struct terms { sn_ref term[MAX_TERMS]; bool negative[MAX_TERMS]; uint32_t n; } terms;

static bool collect_terms(const sn_graph *g, sn_ref r, bool negative, terms *out)
{
    const sn_node *n = sn_at(g, r);
    if (n->op == SN_OP_neg)
        return collect_terms(g, n->arg[0], !negative, out);
    if (n->op == SN_OP_add || n->op == SN_OP_sub)
        return collect_terms(g, n->arg[0], negative, out) && collect_terms(g, n->arg[1], negative != (n->op == SN_OP_sub), out);
    if (out->n == MAX_TERMS)
        return false;
    out->negative[out->n] = negative;
    out->term[out->n++] = r;
    return true;
}

/* The existing sum of the product; SN_NONE if there is none. */
static sn_ref known_sum(const sum_of *s, const product *p)
{
    sn_ref x = p->factor[0];
    if (p->factors > 2)
        return SN_NONE;
    if (p->factors == 2) {
        const sn_node both = sn_rewrite_node(s->rw, SN_OP_mul, p->factor, 2, NULL, NULL);
        x = sn_rewrite_find(s->rw, &both);
    }
    if (sn_is_none(x) || !spans(s, x))
        return SN_NONE;
    const sn_node sum = sum_node(s, x);
    return sn_rewrite_find(s->rw, &sum);
}

/* What one term adds to the sum; SN_NONE if that would take a new sum. */
static sn_ref known_part(const sum_of *s, sn_ref term, bool make, bool *constant)
{
    product invariant, rest;
    if (!split_product(s, term, &invariant, &rest))
        return SN_NONE;
    *constant = rest.factors == 0;
    sn_ref sum = SN_NONE;
    if (!*constant) {
        sum = known_sum(s, &rest);
        if (sn_is_none(sum))
            return SN_NONE;
    }
    if (!make)
        return term;
    return multiply(s->rw, &invariant, *constant ? count_of(s) : sum);
}

static sn_ref sum_of_terms(const sum_of *s)
{
    terms t = {.n = 0};
    bool constant = false, any = false;
    if (!collect_terms(s->rw->g, s->n->arg[0], false, &t) || t.n < 2)
        return SN_NONE;
    for (uint32_t i = 0; i < t.n; i++) {
        if (sn_is_none(known_part(s, t.term[i], false, &constant)))
            return SN_NONE;
        any = any || constant;
    }
    if (!any)
        return SN_NONE;
    sn_ref total = SN_NONE;
    for (uint32_t i = 0; i < t.n; i++) {
        sn_ref part = known_part(s, t.term[i], true, &constant);
        if (sn_is_none(total))
            total = t.negative[i] ? sn_simplify_one(s->rw, SN_OP_neg, part) : part;
        else
            total = sn_simplify_pair(s->rw, t.negative[i] ? SN_OP_sub : SN_OP_add, total, part);
    }
    return sn_simplify_stretch(s->rw, total, &s->n->type);
}

/* ---- what does not vary ------------------------------------------------------------------------------------------------- */

/* sum(stretch y): sum y where it varies, times the extent of the axes where it was stretched. */
static sn_ref sum_of_stretched(const sum_of *s, sn_ref y)
{
    sum_of vary = *s, same = *s;
    vary.axes.n = same.axes.n = 0;
    for (uint8_t i = 0; i < s->axes.n; i++) {
        sn_attr_axes *to = sn_dim_is_one(dim_at(s, y, s->axes.axis[i])) ? &same.axes : &vary.axes;
        to->axis[to->n++] = s->axes.axis[i];
    }
    if (same.axes.n == 0)
        return SN_NONE;
    if (vary.axes.n) {
        const sn_node inner = sum_node(&vary, y);
        y = sn_simplify(s->rw, &inner);
    }
    y = sn_simplify_pair(s->rw, SN_OP_mul, y, count_of(&same));
    return sn_simplify_stretch(s->rw, y, &s->n->type);
}

/* sum over leading axes that a reshape left alone: sum first, reshape the little that is left. */
static sn_ref sum_of_reshaped(const sum_of *s, sn_ref y)
{
    const sn_type inner = *sn_type_at(s->rw->g, y);
    for (uint8_t i = 0; i < s->axes.n; i++)
        if (s->axes.axis[i] != i || i >= inner.rank || !sn_dim_equal(inner.dim[i], s->x.dim[i]))
            return SN_NONE;
    const sn_attrs a = {.axes = s->axes};
    const sn_ref sum = sn_simplify_op(s->rw, SN_OP_sum, &y, 1, &a, NULL);
    return sn_simplify_op(s->rw, SN_OP_reshape, &sum, 1, NULL, &s->n->type);
}

static bool drop_single_axes(sum_of *s)
{
    uint8_t kept = 0;
    for (uint8_t i = 0; i < s->axes.n; i++)
        if (!sn_dim_is_one(s->x.dim[s->axes.axis[i]]))
            s->axes.axis[kept++] = s->axes.axis[i];
    const bool dropped = kept < s->axes.n;
    s->axes.n = kept;
    return dropped;
}

sn_ref sn_simplify_sum(sn_rewriter *rw, const sn_node *n)
{
    sum_of s = {.rw = rw, .n = n, .x = *sn_type_at(rw->g, n->arg[0]), .axes = n->attrs.axes};
    const sn_op op = sn_at(rw->g, n->arg[0])->op;
    if (drop_single_axes(&s)) {
        const sn_attrs a = {.axes = s.axes};
        return s.axes.n == 0 ? n->arg[0] : sn_simplify_op(rw, SN_OP_sum, &n->arg[0], 1, &a, NULL);
    }
    if (op == SN_OP_fill) {
        const sn_type scalar = {0};
        const sn_ref one = sn_simplify_fill(rw, sn_at(rw->g, n->arg[0])->attrs.value.value, &scalar);
        return sn_simplify_stretch(rw, sn_simplify_pair(rw, SN_OP_mul, one, count_of(&s)), &n->type);
    }
    if (op == SN_OP_broadcast)
        return sum_of_stretched(&s, sn_at(rw->g, n->arg[0])->arg[0]);
    if (op == SN_OP_reshape)
        return sum_of_reshaped(&s, sn_at(rw->g, n->arg[0])->arg[0]);
    if (op == SN_OP_mul || op == SN_OP_neg)
        return sum_of_product(&s);
    return op == SN_OP_add || op == SN_OP_sub ? sum_of_terms(&s) : SN_NONE;
}
