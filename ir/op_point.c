/* Pointwise operators: shape, gradient, lowering.
 * Not masks' or constants' storage: those are leaves (op_leaf.c). */
#include "internal.h"

/* ---- shapes ------------------------------------------------------------------------------------------------------------- */

bool shape_broadcast(const sn_infer *in, sn_type *out)
{
    static const char *const name[2][3] = {{"x", "y", ""}, {"mask", "x", "y"}};
    sn_type r = in->arg[0];
    for (uint32_t i = 1; i < in->n; i++)
        if (!sn_type_broadcast(&r, &in->arg[i], &r)) {
            uint32_t j = 0; /* name the first argument that clashes with argument i alone */
            sn_type both;
            while (j + 1 < i && sn_type_broadcast(&in->arg[j], &in->arg[i], &both))
                j++;
            return sn_why(in, "shapes do not broadcast, %s is %s but %s is %s", name[in->n == 3][j], sn_text_of(in->dims, &in->arg[j]).s,
                       name[in->n == 3][i], sn_text_of(in->dims, &in->arg[i]).s);
        }
    *out = r;
    return true;
}

bool shape_same(const sn_infer *in, sn_type *out)
{
    *out = in->arg[0];
    return true;
}

/* ---- two arguments ------------------------------------------------------------------------------------------------------ */

void grad_add(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    (void)b;
    dx[0] = dx[1] = g->dy;
}
sn_val value_add(sn_emit *e, const sn_node *n, const sn_val *x) { return (void)n, e->add(e, x[0], x[1]); }

void grad_sub(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    dx[0] = g->dy;
    if (g->need[1])
        dx[1] = sn_neg(b, g->dy);
}
sn_val value_sub(sn_emit *e, const sn_node *n, const sn_val *x) { return (void)n, e->sub(e, x[0], x[1]); }

void grad_mul(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    for (int i = 0; i < 2; i++)
        if (g->need[i])
            dx[i] = sn_mul(b, g->dy, g->x[1 - i]);
}
sn_val value_mul(sn_emit *e, const sn_node *n, const sn_val *x) { return (void)n, e->mul(e, x[0], x[1]); }

void grad_div(sn_build *b, const sn_grad_in *g, sn_ref dx[]) /* y = x0 / x1:  dx0 = dy / x1,  dx1 = -dy y / x1 */
{
    const sn_ref d = sn_div(b, g->dy, g->x[1]);
    dx[0] = d;
    if (g->need[1])
        dx[1] = sn_neg(b, sn_mul(b, d, g->y));
}
sn_val value_div(sn_emit *e, const sn_node *n, const sn_val *x) { return (void)n, e->div(e, x[0], x[1]); }

/* dy where `second` is 0 goes to the first argument, elsewhere to the second. */
static void route(sn_build *b, const sn_grad_in *g, sn_ref second, int first, sn_ref dx[])
{
    const sn_ref zero = sn_scalar(b, 0);
    if (g->need[first])
        dx[first] = sn_select(b, second, zero, g->dy);
    if (g->need[first + 1])
        dx[first + 1] = sn_select(b, second, g->dy, zero);
}

void grad_max(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    route(b, g, sn_binary(b, SN_OP_greater, g->x[1], g->x[0]), 0, dx);
}
sn_val value_max(sn_emit *e, const sn_node *n, const sn_val *x) { return (void)n, e->max(e, x[0], x[1]); }

void grad_min(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    route(b, g, sn_binary(b, SN_OP_greater, g->x[0], g->x[1]), 0, dx);
}
sn_val value_min(sn_emit *e, const sn_node *n, const sn_val *x) { return (void)n, e->min(e, x[0], x[1]); }

sn_val value_greater(sn_emit *e, const sn_node *n, const sn_val *x) { return (void)n, e->greater(e, x[0], x[1]); }
sn_val value_equal(sn_emit *e, const sn_node *n, const sn_val *x) { return (void)n, e->equal(e, x[0], x[1]); }

/* ---- select ------------------------------------------------------------------------------------------------------------- */

void grad_select(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    const sn_ref zero = sn_scalar(b, 0);
    if (g->need[1])
        dx[1] = sn_select(b, g->x[0], g->dy, zero);
    if (g->need[2])
        dx[2] = sn_select(b, g->x[0], zero, g->dy);
}
sn_val value_select(sn_emit *e, const sn_node *n, const sn_val *x) { return (void)n, e->select(e, x[0], x[1], x[2]); }

/* ---- one argument ------------------------------------------------------------------------------------------------------- */

void grad_neg(sn_build *b, const sn_grad_in *g, sn_ref dx[]) { dx[0] = sn_neg(b, g->dy); }
sn_val value_neg(sn_emit *e, const sn_node *n, const sn_val *x) { return (void)n, e->sub(e, e->number(e, -0.0), x[0]); }

void grad_abs(sn_build *b, const sn_grad_in *g, sn_ref dx[]) /* dy sign(x) */
{
    const sn_ref zero = sn_scalar(b, 0);
    const sn_ref sign = sn_sub(b, sn_binary(b, SN_OP_greater, g->x[0], zero), sn_binary(b, SN_OP_greater, zero, g->x[0]));
    dx[0] = sn_mul(b, g->dy, sign);
}
sn_val value_abs(sn_emit *e, const sn_node *n, const sn_val *x) { return e->max(e, x[0], value_neg(e, n, x)); }

void grad_exp(sn_build *b, const sn_grad_in *g, sn_ref dx[]) { dx[0] = sn_mul(b, g->dy, g->y); }
sn_val value_exp(sn_emit *e, const sn_node *n, const sn_val *x) { return (void)n, e->exp(e, x[0]); }

void grad_log(sn_build *b, const sn_grad_in *g, sn_ref dx[]) { dx[0] = sn_div(b, g->dy, g->x[0]); }
sn_val value_log(sn_emit *e, const sn_node *n, const sn_val *x) { return (void)n, e->log(e, x[0]); }

void grad_sqrt(sn_build *b, const sn_grad_in *g, sn_ref dx[]) /* dy / 2y, and 0 at 0 */
{
    const sn_ref zero = sn_scalar(b, 0);
    const sn_ref half = sn_div(b, sn_mul(b, g->dy, sn_scalar(b, 0.5)), g->y);
    dx[0] = sn_select(b, sn_binary(b, SN_OP_greater, g->y, zero), half, zero);
}
sn_val value_sqrt(sn_emit *e, const sn_node *n, const sn_val *x) { return (void)n, e->sqrt(e, x[0]); }

void grad_tanh(sn_build *b, const sn_grad_in *g, sn_ref dx[]) /* dy (1 - y^2) */
{
    dx[0] = sn_mul(b, g->dy, sn_sub(b, sn_scalar(b, 1), sn_mul(b, g->y, g->y)));
}
sn_val value_tanh(sn_emit *e, const sn_node *n, const sn_val *x) { return (void)n, e->tanh(e, x[0]); }

void grad_sigmoid(sn_build *b, const sn_grad_in *g, sn_ref dx[]) /* dy y (1 - y) */
{
    dx[0] = sn_mul(b, g->dy, sn_mul(b, g->y, sn_sub(b, sn_scalar(b, 1), g->y)));
}

/* With z = e^-|x| <= 1 nothing overflows: 1 / (1 + z) for x >= 0, z / (1 + z) below. */
sn_val value_sigmoid(sn_emit *e, const sn_node *n, const sn_val *x)
{
    const sn_val one = e->number(e, 1), zero = e->number(e, 0);
    const sn_val magnitude = value_abs(e, n, x);
    const sn_val z = e->exp(e, e->sub(e, zero, magnitude));
    const sn_val top = e->select(e, e->greater(e, zero, x[0]), z, one);
    return e->div(e, top, e->add(e, one, z));
}

void grad_relu(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    const sn_ref zero = sn_scalar(b, 0);
    dx[0] = sn_select(b, sn_binary(b, SN_OP_greater, g->x[0], zero), g->dy, zero);
}
sn_val value_relu(sn_emit *e, const sn_node *n, const sn_val *x) { return (void)n, e->max(e, x[0], e->number(e, 0)); }

void grad_leaky_relu(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    const double slope = g->node->attrs.value.value; /* before building: node pointers do not survive it */
    const sn_ref positive = sn_binary(b, SN_OP_greater, g->x[0], sn_scalar(b, 0));
    dx[0] = sn_select(b, positive, g->dy, sn_mul(b, g->dy, sn_scalar(b, slope)));
}
sn_val value_leaky_relu(sn_emit *e, const sn_node *n, const sn_val *x)
{
    return e->select(e, e->greater(e, x[0], e->number(e, 0)), x[0], e->mul(e, x[0], e->number(e, n->attrs.value.value)));
}

sn_val value_stop(sn_emit *e, const sn_node *n, const sn_val *x) { return (void)e, (void)n, x[0]; }
