/* Reductions along axes: shape and gradient.
 * Their loops belong to the reduce generator and the reference interpreter, so there is no lowering rule. */
#include "internal.h"

/* ---- sum ---------------------------------------------------------------------------------------------------------------- */

bool shape_reduce(const sn_infer *in, sn_type *out)
{
    const sn_attr_axes *a = &in->attrs->axes;
    *out = in->arg[0];
    if (a->n == 0 || a->n > SN_MAX_RANK)
        return sn_why(in, "%u axes are given, expected at least 1", a->n);
    for (uint8_t i = 0; i < a->n; i++) {
        if (!sn_axis_in(in, a->axis[i], &in->arg[0]))
            return false;
        if (i && a->axis[i] <= a->axis[i - 1])
            return sn_why(in, "axis %u stands after axis %u, expected ascending axes", a->axis[i], a->axis[i - 1]);
        out->dim[a->axis[i]] = sn_dim_const(1);
    }
    return true;
}

void grad_sum(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    const sn_type t = sn_type_of(b, g->x[0]);
    dx[0] = sn_broadcast(b, g->dy, &t);
}

/* ---- amax, argmax ------------------------------------------------------------------------------------------------------- */

bool shape_reduce_axis(const sn_infer *in, sn_type *out)
{
    *out = in->arg[0];
    if (!sn_axis_in(in, in->attrs->axis.axis, out))
        return false;
    out->dim[in->attrs->axis.axis] = sn_dim_const(1);
    return true;
}

void grad_amax(sn_build *b, const sn_grad_in *g, sn_ref dx[]) /* dy where iota = argmax */
{
    const sn_attrs axis = {.axis = g->node->attrs.axis};
    const sn_type t = sn_type_of(b, g->x[0]);
    const sn_ref place = sn_build_op(b, SN_OP_iota, NULL, 0, &axis, &t);
    const sn_ref first = sn_build_op(b, SN_OP_argmax, &g->x[0], 1, &axis, NULL);
    dx[0] = sn_select(b, sn_binary(b, SN_OP_equal, place, first), g->dy, sn_scalar(b, 0));
}

/* ---- partial_sum -------------------------------------------------------------------------------------------------------- */

bool shape_partial_sum(const sn_infer *in, sn_type *out)
{
    const sn_attr_tile *a = &in->attrs->tile;
    const sn_type *x = &in->arg[0];
    if (a->outer < 0 || a->keep < 0 || a->outer + a->keep >= x->rank || a->outer > SN_MAX_RANK || a->keep > SN_MAX_RANK)
        return sn_why(in, "outer is %lld and keep %lld, expected less than rank %u together", (long long)a->outer, (long long)a->keep, x->rank);
    if (a->chunk < 1 || a->chunk > INT32_MAX)
        return sn_why(in, "chunk is %lld, expected at least 1", (long long)a->chunk);
    sn_dim tiles = sn_dim_ceil_div(in->dims, x->dim[a->outer], a->chunk);
    for (int64_t i = 0; i < a->outer; i++)
        tiles = sn_dim_mul(in->dims, x->dim[i], tiles);
    out->rank = (uint8_t)(1 + a->keep);
    out->dim[0] = tiles;
    for (int64_t i = 0; i < a->keep; i++)
        out->dim[1 + i] = x->dim[x->rank - a->keep + i];
    return true;
}
