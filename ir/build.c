/* The builder: checked nodes at the end of a graph, and shorthands.
 * Not the identities it applies while building (fold.c). */
#include "internal.h"

sn_ref sn_build_op(sn_build *b, sn_op op, const sn_ref *arg, uint32_t n, const sn_attrs *attrs, const sn_type *declared)
{
    const sn_op_info *info = sn_op_get(op);
    sn_node node = {.op = op, .args = (uint8_t)(n < SN_MAX_ARGS ? n : SN_MAX_ARGS), .name = b->name, .loc = b->loc};
    char reason[1024];
    for (uint32_t i = 0; i < n; i++)
        if (sn_is_none(arg[i]))
            return SN_NONE;
    for (uint8_t i = 0; i < node.args; i++)
        node.arg[i] = arg[i];
    if (attrs)
        node.attrs = *attrs;
    if (info->traits & SN_DECLARED) {
        SN_ASSERT(declared, "%s needs a declared type", info->name);
        node.type = *declared;
    }
    if (!sn_check_node(b->g, op, arg, n, &node.attrs, &node.type, reason, sizeof reason)) {
        sn_error(b->diags, b->loc, b->name, "%s: %s", info->name, reason);
        return SN_NONE;
    }
    const sn_ref folded = b->fold ? sn_fold(b, &node) : SN_NONE;
    return sn_is_none(folded) ? sn_graph_append(b->g, &node) : folded;
}

sn_ref sn_fill(sn_build *b, double value, const sn_type *type)
{
    const sn_attrs a = {.value = {value}};
    return sn_build_op(b, SN_OP_fill, NULL, 0, &a, type);
}

sn_ref sn_scalar(sn_build *b, double value)
{
    const sn_type scalar = {0};
    return sn_fill(b, value, &scalar);
}

sn_ref sn_unary(sn_build *b, sn_op op, sn_ref x) { return sn_build_op(b, op, &x, 1, NULL, NULL); }
sn_ref sn_binary(sn_build *b, sn_op op, sn_ref x, sn_ref y) { return sn_build_op(b, op, (sn_ref[]){x, y}, 2, NULL, NULL); }
sn_ref sn_add(sn_build *b, sn_ref x, sn_ref y) { return sn_binary(b, SN_OP_add, x, y); }
sn_ref sn_sub(sn_build *b, sn_ref x, sn_ref y) { return sn_binary(b, SN_OP_sub, x, y); }
sn_ref sn_mul(sn_build *b, sn_ref x, sn_ref y) { return sn_binary(b, SN_OP_mul, x, y); }
sn_ref sn_div(sn_build *b, sn_ref x, sn_ref y) { return sn_binary(b, SN_OP_div, x, y); }
sn_ref sn_neg(sn_build *b, sn_ref x) { return sn_unary(b, SN_OP_neg, x); }

sn_ref sn_select(sn_build *b, sn_ref mask, sn_ref x, sn_ref y)
{
    return sn_build_op(b, SN_OP_select, (sn_ref[]){mask, x, y}, 3, NULL, NULL);
}

sn_ref sn_sum(sn_build *b, sn_ref x, const uint8_t *axis, uint32_t n)
{
    sn_attrs a = {.axes = {.n = (uint8_t)n}};
    SN_ASSERT(n <= SN_MAX_RANK, "%u axes", n);
    for (uint32_t i = 0; i < n; i++)
        a.axes.axis[i] = axis[i];
    return sn_build_op(b, SN_OP_sum, &x, 1, &a, NULL);
}

sn_ref sn_reshape(sn_build *b, sn_ref x, const sn_type *type) { return sn_build_op(b, SN_OP_reshape, &x, 1, NULL, type); }
sn_ref sn_broadcast(sn_build *b, sn_ref x, const sn_type *type) { return sn_build_op(b, SN_OP_broadcast, &x, 1, NULL, type); }

sn_ref sn_build_contract(sn_build *b, const sn_contract *spec, sn_ref x, sn_ref w, const sn_type *type)
{
    sn_contract copy = *spec;
    const sn_attrs a = {.spec = {&copy}};
    return sn_build_op(b, SN_OP_contract, (sn_ref[]){x, w}, 2, &a, type);
}
