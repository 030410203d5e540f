/* Loss kernels of their own form: shape and gradient.
 * Losses made of other operators are graphs, not operators. */
#include "internal.h"

bool shape_queue_nce(const sn_infer *in, sn_type *out)
{
    static const char *const name[] = {"query", "key", "queue"};
    const sn_type *q = &in->arg[0], *key = &in->arg[1], *queue = &in->arg[2];
    for (int i = 0; i < 3; i++)
        if (in->arg[i].rank != 2)
            return sn_why(in, "%s is %s, expected rank 2", name[i], sn_text_of(in->dims, &in->arg[i]).s);
    if (!sn_type_equal(q, key))
        return sn_why(in, "query is %s but key is %s", sn_text_of(in->dims, q).s, sn_text_of(in->dims, key).s);
    if (!sn_dim_equal(q->dim[1], queue->dim[1]))
        return sn_why(in, "widths differ, query is %s but queue is %s", sn_text_of(in->dims, q).s, sn_text_of(in->dims, queue).s);
    if (!(in->attrs->tau.tau > 0 && in->attrs->tau.tau <= 1e6))
        return sn_why(in, "tau is %g, expected more than 0", in->attrs->tau.tau);
    *out = (sn_type){2, {q->dim[0], sn_dim_add_const(in->dims, q->dim[1], 1)}};
    return true;
}

/* Spec 2.1.  y = [loss | dloss/dq]; only the loss column carries a gradient.
 *   dq   = dloss * y[:, 1..]
 *   dkey = dloss (p0 - 1) / tau * q,   p0 = e^-loss
 * The queue is constant. */
void grad_queue_nce(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    const double tau = g->node->attrs.tau.tau;
    const sn_dim width = sn_type_of(b, g->x[0]).dim[1], one = sn_dim_const(1);
    const sn_ref dloss = sn_slice_of(b, g->dy, 1, 0, 1, one);
    if (g->need[0])
        dx[0] = sn_mul(b, dloss, sn_slice_of(b, g->y, 1, 1, 1, width));
    if (g->need[1]) {
        const sn_ref p0 = sn_unary(b, SN_OP_exp, sn_neg(b, sn_slice_of(b, g->y, 1, 0, 1, one)));
        const sn_ref scale = sn_mul(b, sn_sub(b, p0, sn_scalar(b, 1)), sn_scalar(b, 1 / tau));
        dx[1] = sn_mul(b, sn_mul(b, dloss, scale), g->x[0]);
    }
}
