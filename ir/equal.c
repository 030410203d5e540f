/* Equality of graphs, locations ignored.
 * Not equality of nodes inside one graph (passes). */
#include <string.h>

#include "internal.h"

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static bool types_equal(const sn_graph *a, const sn_type *x, const sn_graph *b, const sn_type *y)
{
    if (x->rank != y->rank)
        return false;
    for (uint8_t i = 0; i < x->rank; i++)
        if (!sn_dim_same(&a->dims, x->dim[i], &b->dims, y->dim[i]))
            return false;
    return true;
}

static bool nodes_equal(const sn_graph *a, const sn_node *x, const sn_graph *b, const sn_node *y)
{
    if (x->op != y->op || x->args != y->args || !same_text(x->name, y->name) || !types_equal(a, &x->type, b, &y->type))
        return false;
    for (uint8_t k = 0; k < x->args; k++)
        if (!sn_same(x->arg[k], y->arg[k]))
            return false;
    return sn_attrs_equal(sn_op_get(x->op)->attrs, a, &x->attrs, b, &y->attrs);
}

static bool inits_equal(const sn_init *x, const sn_init *y)
{
    if (x->kind != y->kind)
        return false;
    if (x->kind == SN_INIT_UNIT_ROWS || x->kind == SN_INIT_SAME)
        return true;
    return memcmp(&x->a, &y->a, sizeof x->a) == 0 && (x->kind == SN_INIT_CONSTANT || memcmp(&x->b, &y->b, sizeof x->b) == 0);
}

/* Of one name; the numbering of params is no part of a graph. */
static bool params_equal(const sn_graph *a, const sn_param *x, const sn_graph *b, const sn_param *y)
{
    if (x->kind != y->kind || !sn_same(x->ref, y->ref) || !types_equal(a, &x->type, b, &y->type))
        return false;
    if (x->kind == SN_COPY)
        return memcmp(&x->coefficient, &y->coefficient, sizeof x->coefficient) == 0 &&
               strcmp(a->param[x->of].name, b->param[y->of].name) == 0 && inits_equal(&x->init, &y->init);
    return x->kind == SN_INPUT || inits_equal(&x->init, &y->init);
}

bool sn_graph_equal(const sn_graph *a, const sn_graph *b)
{
    if (strcmp(a->name, b->name) != 0 || a->nodes != b->nodes || a->params != b->params || a->outputs != b->outputs ||
        a->updates != b->updates)
        return false;
    for (uint32_t i = 0; i < a->params; i++) {
        const uint32_t j = sn_graph_find_param(b, a->param[i].name);
        if (j == UINT32_MAX || !params_equal(a, &a->param[i], b, &b->param[j]))
            return false;
    }
    for (uint32_t i = 0; i < a->nodes; i++)
        if (!nodes_equal(a, &a->node[i], b, &b->node[i]))
            return false;
    for (uint32_t i = 0; i < a->outputs; i++)
        if (strcmp(a->output[i].name, b->output[i].name) != 0 || !sn_same(a->output[i].ref, b->output[i].ref))
            return false;
    for (uint32_t i = 0; i < a->updates; i++) {
        const sn_update *x = &a->update[i], *y = &b->update[i];
        if (x->kind != y->kind || !sn_same(x->value, y->value) || strcmp(a->param[x->param].name, b->param[y->param].name) != 0)
            return false;
    }
    return true;
}
