/* Operators without arguments: shape and lowering.
 * Leaves have no gradient: the reverse walk stops at them. */
#include "internal.h"

/* ---- param, const, fill: any declared shape ----------------------------------------------------------------------------- */

bool shape_declared(const sn_infer *in, sn_type *out)
{
    (void)in;
    (void)out;
    return true;
}

bool shape_const(const sn_infer *in, sn_type *out)
{
    const sn_dim count = sn_type_count(in->dims, out);
    if (sn_dim_is_const(count) && (uint64_t)count.v == in->attrs->data.count)
        return true;
    return sn_why(in, "%zu numbers are given for %s", in->attrs->data.count, sn_text_of(in->dims, out).s);
}

sn_val index_fill(sn_emit *e, const sn_node *n, const sn_val *at)
{
    (void)at;
    return e->number(e, n->attrs.value.value);
}

/* ---- extent ------------------------------------------------------------------------------------------------------------- */

bool shape_scalar(const sn_infer *in, sn_type *out)
{
    if (!sn_dim_known(in->dims, in->attrs->extent.dim))
        return sn_why(in, "the dimension is unknown");
    *out = (sn_type){0};
    return true;
}

sn_val index_extent(sn_emit *e, const sn_node *n, const sn_val *at)
{
    (void)at;
    return e->to_number(e, e->extent(e, n->attrs.extent.dim));
}

/* ---- iota --------------------------------------------------------------------------------------------------------------- */

bool shape_iota(const sn_infer *in, sn_type *out) { return sn_axis_in(in, in->attrs->axis.axis, out); }

sn_val index_iota(sn_emit *e, const sn_node *n, const sn_val *at) { return e->to_number(e, at[n->attrs.axis.axis]); }

/* ---- uniform, bernoulli ---------------------------------------------------------------------------------------------------------- */

bool shape_uniform(const sn_infer *in, sn_type *out)
{
    (void)out;
    int64_t stream = in->attrs->stream.stream;
    return stream >= 0 || sn_why(in, "stream is %lld, expected at least 0", (long long)stream);
}

sn_val index_uniform(sn_emit *e, const sn_node *n, const sn_val *at)
{
    sn_val element = e->index(e, 0);
    for (uint8_t i = 0; i < n->type.rank; i++)
        element = e->iadd(e, e->imul(e, element, e->extent(e, n->type.dim[i])), at[i]);
    return e->uniform(e, n->attrs.stream.stream, element);
}

bool shape_bernoulli(const sn_infer *in, sn_type *out)
{
    double p = in->attrs->random.p;
    if (!(p >= 0 && p <= 1))
        return sn_why(in, "p is %g, expected 0 to 1", p);
    return shape_uniform(in, out);
}

sn_val index_bernoulli(sn_emit *e, const sn_node *n, const sn_val *at)
{
    return e->greater(e, e->number(e, n->attrs.random.p), index_uniform(e, n, at));
}

/* ---- pool_matrix, interp_matrix ----------------------------------------------------------------------------------------- */

bool shape_matrix(const sn_infer *in, sn_type *out)
{
    return out->rank == 2 || sn_why(in, "declared shape is %s, expected rank 2", sn_text_of(in->dims, out).s);
}

/* Row i: 1/(hi - lo) at lo <= j < hi, lo = floor(i t / n), hi = ceil((i+1) t / n). */
sn_val index_pool_matrix(sn_emit *e, const sn_node *node, const sn_val *at)
{
    const sn_val n = e->extent(e, node->type.dim[0]), t = e->extent(e, node->type.dim[1]), one = e->index(e, 1);
    const sn_val lo = e->idiv(e, e->imul(e, at[0], t), n);
    const sn_val above = e->iadd(e, e->imul(e, e->iadd(e, at[0], one), t), e->isub(e, n, one));
    const sn_val hi = e->idiv(e, above, n);
    const sn_val in_row = e->mul(e, sn_mask_not(e, e->iless(e, at[1], lo)), e->iless(e, at[1], hi));
    return e->div(e, in_row, e->to_number(e, e->isub(e, hi, lo)));
}

bool shape_interp(const sn_infer *in, sn_type *out)
{
    const int64_t corners = in->attrs->align.corners;
    if (corners != 0 && corners != 1)
        return sn_why(in, "corners is %lld, expected 0 or 1", (long long)corners);
    return shape_matrix(in, out);
}

/* Source position of row i, over a common denominator so that it stays exact:
 *   corners = 1:  i (t-1) / (n-1)          corners = 0:  ((2i+1) t - n) / 2n, clamped to 0 .. t-1
 * Weight of frame j: max(0, 1 - |position - j|). */
sn_val index_interp_matrix(sn_emit *e, const sn_node *node, const sn_val *at)
{
    const sn_val n = e->extent(e, node->type.dim[0]), t = e->extent(e, node->type.dim[1]);
    const sn_val one = e->index(e, 1), two = e->index(e, 2), zero = e->number(e, 0);
    const sn_val last = e->isub(e, t, one);
    sn_val over, position;
    if (node->attrs.align.corners) {
        over = e->max(e, e->to_number(e, e->isub(e, n, one)), e->number(e, 1));
        position = e->to_number(e, e->imul(e, at[0], last));
    } else {
        over = e->to_number(e, e->imul(e, two, n));
        position = e->to_number(e, e->isub(e, e->imul(e, e->iadd(e, e->imul(e, two, at[0]), one), t), n));
        position = e->min(e, e->max(e, position, zero), e->mul(e, over, e->to_number(e, last)));
    }
    const sn_val away = e->sub(e, position, e->mul(e, over, e->to_number(e, at[1])));
    const sn_val distance = e->max(e, away, e->sub(e, zero, away));
    return e->div(e, e->max(e, zero, e->sub(e, over, distance)), over);
}
