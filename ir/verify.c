/* The verifier: is a graph what the other folders may rely on?
 * Not a type checker of the user's language: the builder has checked what users wrote; this finds mistakes of passes, and of text. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "names.h"

/* What may stand in a graph at a level: operators with any of the `forbidden` traits and none of the `allowed` ones may not. */
typedef struct legality { const char *name; uint32_t forbidden, allowed; } legality;
static const legality LEGAL[] = {
    [SN_LEVEL_SOURCE] = {"source", SN_INTERNAL, SN_LEAF},
    [SN_LEVEL_AUTODIFF] = {"autodiff", SN_INTERNAL, SN_LEAF},
    [SN_LEVEL_FUSED] = {"fused", 0, 0},
};

typedef struct verifier {
    sn_graph *g; /* shape rules may add dimensions, nothing else */
    sn_level  level;
    sn_diags *diags;
} verifier;

#define FAULT(v, loc, name, ...) sn_error((v)->diags, loc, name, __VA_ARGS__)

static bool type_known(const verifier *v, const sn_type *t)
{
    if (t->rank > SN_MAX_RANK)
        return false;
    for (uint8_t i = 0; i < t->rank; i++)
        if (!sn_dim_known(&v->g->dims, t->dim[i]))
            return false;
    return true;
}

/* ---- nodes -------------------------------------------------------------------------------------------------------------- */

static bool check_args(const verifier *v, uint32_t i, const sn_node *n)
{
    bool good = n->args <= SN_MAX_ARGS;
    if (!good)
        FAULT(v, n->loc, n->name, "%s: found %u arguments, expected at most %d", sn_op_get(n->op)->name, n->args, SN_MAX_ARGS);
    for (uint8_t k = 0; k < n->args && k < SN_MAX_ARGS; k++)
        if (n->arg[k].i >= i) {
            FAULT(v, n->loc, n->name, "%s: argument %u is %s", sn_op_get(n->op)->name, k,
                  n->arg[k].i >= v->g->nodes ? "no node" : "not above it");
            good = false;
        } else if (!type_known(v, &sn_at(v->g, n->arg[k])->type)) {
            good = false; /* reported there */
        }
    return good;
}

static bool check_param_node(const verifier *v, uint32_t i, const sn_node *n)
{
    const uint32_t index = n->attrs.param.index;
    if (index >= v->g->params) {
        FAULT(v, n->loc, n->name, "param: there is no parameter %u", index);
        return false;
    }
    const sn_param *p = &v->g->param[index];
    if (!sn_type_equal(&p->type, &n->type))
        FAULT(v, n->loc, n->name, "param: type is %s but parameter %s is %s", sn_text_of(&v->g->dims, &n->type).s, p->name,
              sn_text_of(&v->g->dims, &p->type).s);
    if (p->ref.i != i)
        FAULT(v, n->loc, n->name, "param: parameter %s has another node", p->name);
    return true;
}

static void check_node(const verifier *v, uint32_t i)
{
    const sn_node n = v->g->node[i];
    char reason[1024];
    if ((unsigned)n.op >= SN_OP_COUNT) {
        FAULT(v, n.loc, n.name, "there is no operator number %d", (int)n.op);
        return;
    }
    const sn_op_info *info = sn_op_get(n.op);
    const legality *legal = &LEGAL[v->level];
    if ((info->traits & legal->forbidden) && !(info->traits & legal->allowed))
        FAULT(v, n.loc, n.name, "%s: not legal at level %s", info->name, legal->name);
    if (!type_known(v, &n.type)) {
        FAULT(v, n.loc, n.name, "%s: type has a rank above %d or unknown dimensions", info->name, SN_MAX_RANK);
        return;
    }
    if (!check_args(v, i, &n) || (info->attrs == SN_ATTR_param && !check_param_node(v, i, &n)))
        return;
    sn_type type = n.type;
    if (!sn_check_node(v->g, n.op, n.arg, n.args, &n.attrs, &type, reason, sizeof reason))
        FAULT(v, n.loc, n.name, "%s: %s", info->name, reason);
    else if (!sn_type_equal(&type, &n.type))
        FAULT(v, n.loc, n.name, "%s: type is %s but should be %s", info->name, sn_text_of(&v->g->dims, &n.type).s,
              sn_text_of(&v->g->dims, &type).s);
}

/* ---- params ------------------------------------------------------------------------------------------------------------- */

static void check_copy(const verifier *v, const sn_param *p)
{
    if (p->of >= v->g->params || v->g->param[p->of].kind != SN_WEIGHT)
        FAULT(v, p->loc, p->name, "copy: it is of no weight");
    else if (!sn_type_equal(&p->type, &v->g->param[p->of].type))
        FAULT(v, p->loc, p->name, "copy: type is %s but weight %s is %s", sn_text_of(&v->g->dims, &p->type).s, v->g->param[p->of].name,
              sn_text_of(&v->g->dims, &v->g->param[p->of].type).s);
    if (!(p->coefficient >= 0 && p->coefficient <= 1))
        FAULT(v, p->loc, p->name, "copy: coefficient is %g, expected 0 to 1", p->coefficient);
}

static void check_param(const verifier *v, const sn_param *p)
{
    char reason[128];
    if (!type_known(v, &p->type)) {
        FAULT(v, p->loc, p->name, "param: type has a rank above %d or unknown dimensions", SN_MAX_RANK);
        return;
    }
    if (!sn_type_legal(&v->g->dims, &p->type, reason, sizeof reason))
        FAULT(v, p->loc, p->name, "param: %s", reason);
    for (uint8_t i = 0; i < p->type.rank && p->kind != SN_INPUT; i++)
        if (!sn_dim_is_const(p->type.dim[i])) {
            FAULT(v, p->loc, p->name, "param: %s is symbolic, expected constants: only inputs have dimensions that vary",
                  sn_text_of(&v->g->dims, &p->type).s);
            break;
        }
    if (p->kind == SN_COPY)
        check_copy(v, p);
    if (!sn_is_none(p->ref) && (p->ref.i >= v->g->nodes || sn_at(v->g, p->ref)->op != SN_OP_param))
        FAULT(v, p->loc, p->name, "param: its node is not a param");
}

/* ---- outputs, updates --------------------------------------------------------------------------------------------------- */

static void check_output(const verifier *v, const sn_output *o)
{
    if (o->ref.i >= v->g->nodes)
        FAULT(v, o->loc, o->name, "return: there is no such value");
}

/* enqueue: rows of [B, D] into [K, D]. */
static bool rows_fit(const sn_type *value, const sn_type *queue)
{
    return value->rank == 2 && queue->rank == 2 && sn_dim_equal(value->dim[1], queue->dim[1]);
}

static void check_update(const verifier *v, const sn_update *u)
{
    const char *word = u->kind == SN_ENQUEUE ? "enqueue" : "update";
    if (u->param >= v->g->params || u->value.i >= v->g->nodes) {
        FAULT(v, u->loc, NULL, "%s: there is no such %s", word, u->param >= v->g->params ? "parameter" : "value");
        return;
    }
    const sn_param *p = &v->g->param[u->param];
    const sn_type *value = &sn_at(v->g, u->value)->type;
    if (p->kind != SN_STATE)
        FAULT(v, u->loc, p->name, "%s: it is no state", word);
    if (!type_known(v, value) || !type_known(v, &p->type))
        return;
    if (u->kind == SN_ENQUEUE ? !rows_fit(value, &p->type) : !sn_type_equal(value, &p->type))
        FAULT(v, u->loc, p->name, "%s: value is %s but the state is %s", word, sn_text_of(&v->g->dims, value).s,
              sn_text_of(&v->g->dims, &p->type).s);
}

/* Names that must be unique: params, outputs, states with an update. */
static void check_unique(const verifier *v)
{
    sn_names param, output, state;
    bool made;
    sn_names_init(&param);
    sn_names_init(&output);
    sn_names_init(&state);
    for (uint32_t i = 0; i < v->g->params; i++) {
        sn_names_at(&param, v->g->param[i].name, &made);
        if (!made)
            FAULT(v, v->g->param[i].loc, v->g->param[i].name, "param: the name is used twice");
    }
    for (uint32_t i = 0; i < v->g->outputs; i++) {
        sn_names_at(&output, v->g->output[i].name, &made);
        if (!made)
            FAULT(v, v->g->output[i].loc, v->g->output[i].name, "return: the name is used twice");
    }
    for (uint32_t i = 0; i < v->g->updates; i++) {
        if (v->g->update[i].param >= v->g->params)
            continue;
        const char *name = v->g->param[v->g->update[i].param].name;
        sn_names_at(&state, name, &made);
        if (!made)
            FAULT(v, v->g->update[i].loc, name, "update: the state is changed twice");
    }
    sn_names_fini(&param);
    sn_names_fini(&output);
    sn_names_fini(&state);
}

bool sn_verify(const sn_graph *g, sn_level level, sn_diags *diags)
{
    const uint32_t errors = diags->errors;
    const verifier v = {(sn_graph *)(uintptr_t)g, level, diags};
    check_unique(&v);
    for (uint32_t i = 0; i < g->params; i++)
        check_param(&v, &g->param[i]);
    for (uint32_t i = 0; i < g->nodes; i++)
        check_node(&v, i);
    for (uint32_t i = 0; i < g->outputs; i++)
        check_output(&v, &g->output[i]);
    for (uint32_t i = 0; i < g->updates; i++)
        check_update(&v, &g->update[i]);
    return diags->errors == errors;
}
