/* Automatic differentiation: reverse walk, graph to graph.
 * Not the rules, which stand beside each operator in ir/op_<family>.c.
 *
 *     y = f(x)         ->     y = f(x),  dx = sum over the readers of x of their rule
 *
 * Adding up and un-broadcasting happen here and nowhere else.  One walk over the nodes in reverse, so it ends.
 * Source: Griewank and Walther, Evaluating Derivatives, chapter 3 (reverse accumulation).
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct walk {
    sn_build b;
    uint32_t nodes;   /* of the forward graph */
    bool    *depends; /* on something differentiated */
    sn_ref  *grad;
} walk;

static bool wanted(const sn_graph *g, const sn_param *p, bool weights, bool inputs)
{
    (void)g;
    return (p->kind == SN_WEIGHT && weights) || (p->kind == SN_INPUT && inputs);
}

static void find_dependence(walk *w, bool weights, bool inputs)
{
    const sn_graph *g = w->b.g;
    for (uint32_t i = 0; i < w->nodes; i++) {
        const sn_node *n = &g->node[i];
        if (n->op == SN_OP_param)
            w->depends[i] = wanted(g, &g->param[n->attrs.param.index], weights, inputs);
        else if (!sn_op_has(n->op, SN_NO_GRAD))
            for (uint8_t k = 0; k < n->args; k++)
                w->depends[i] = w->depends[i] || w->depends[n->arg[k].i];
    }
}

/* Sum what broadcasting stretched, so that the gradient has the shape of the value. */
static sn_ref unbroadcast(sn_build *b, sn_ref dx, const sn_type *to)
{
    const sn_type from = sn_at(b->g, dx)->type;
    if (sn_type_equal(&from, to))
        return dx;
    uint8_t axis[SN_MAX_RANK];
    uint32_t n = 0;
    const int lead = from.rank - to->rank;
    for (int i = 0; i < from.rank; i++) {
        const bool extra = i < lead, stretched = !extra && to->dim[i - lead].v == 1 && from.dim[i].v != 1;
        if (extra || stretched)
            axis[n++] = (uint8_t)i;
    }
    if (lead < 0 || n == 0)
        return sn_broadcast(b, dx, to); /* a rule may leave a gradient that is the same along an axis */
    const sn_ref s = sn_sum(b, dx, axis, n);
    if (sn_is_none(s) || sn_type_equal(&sn_at(b->g, s)->type, to))
        return s;
    return sn_reshape(b, s, to);
}

static void accumulate(walk *w, sn_ref x, sn_ref dx)
{
    if (sn_is_none(dx))
        return;
    const sn_type t = sn_at(w->b.g, x)->type;
    const sn_ref d = unbroadcast(&w->b, dx, &t);
    w->grad[x.i] = sn_is_none(w->grad[x.i]) ? d : sn_add(&w->b, w->grad[x.i], d);
}

/* The last node of a gradient carries the name of what it is the gradient of: "enc.tcn.dx", "enc.tcn.dw". */
static void name_gradient(walk *w, uint32_t mark, sn_ref dx, const sn_node *of, uint8_t k)
{
    if (sn_is_none(dx) || dx.i < mark || !of->name)
        return;
    sn_graph *g = w->b.g;
    g->node[dx.i].name = sn_format(&g->arena, of->args == 2 ? "%s.d%c" : "%s.d%d", of->name, of->args == 2 ? (k ? 'w' : 'x') : k);
}

static bool step(walk *w, uint32_t i, sn_diags *diags)
{
    sn_graph *g = w->b.g;
    const sn_node n = g->node[i]; /* a copy: building moves the array */
    const sn_op_info *info = sn_op_get(n.op);
    sn_ref dx[SN_MAX_ARGS];
    bool need[SN_MAX_ARGS];
    if (!info->grad) {
        sn_error(diags, n.loc, n.name, "%s: has no gradient rule", info->name);
        return false;
    }
    for (uint8_t k = 0; k < n.args; k++) {
        dx[k] = SN_NONE;
        need[k] = w->depends[n.arg[k].i];
    }
    w->b.loc = n.loc;
    w->b.name = n.name ? sn_format(&g->arena, "%s.grad", n.name) : NULL;
    const uint32_t mark = g->nodes;
    const sn_grad_in in = {&n, n.arg, {i}, w->grad[i], need};
    info->grad(&w->b, &in, dx);
    for (uint8_t k = 0; k < n.args; k++)
        if (need[k]) {
            name_gradient(w, mark, dx[k], &n, k);
            accumulate(w, n.arg[k], dx[k]);
        }
    return true;
}

static bool seed_output(walk *w, const sn_autodiff_request *r, sn_diags *diags)
{
    sn_graph *g = w->b.g;
    for (uint32_t i = 0; i < g->outputs; i++) {
        if (strcmp(g->output[i].name, r->output) != 0)
            continue;
        const sn_ref y = g->output[i].ref;
        const sn_type t = sn_at(g, y)->type;
        sn_ref seed;
        if (r->seed) {
            seed = sn_graph_param(g, r->seed, SN_INPUT, &t, (sn_init){0}, g->output[i].loc);
        } else {
            const sn_dim count = sn_type_count(&g->dims, &t);
            if (count.v != 1) {
                char text[256];
                sn_type_text(&g->dims, &t, text, sizeof text);
                sn_error(diags, g->output[i].loc, r->output, "gradient of an output that is %s, expected one element", text);
                return false;
            }
            seed = sn_fill(&w->b, 1, &t);
        }
        accumulate(w, y, seed);
        return true;
    }
    sn_error(diags, (sn_loc){0}, r->output, "there is no output of this name to differentiate");
    return false;
}

bool sn_autodiff(sn_graph *g, const sn_autodiff_request *request, uint32_t n, sn_diags *diags)
{
    bool weights = false, inputs = false, ok = true;
    for (uint32_t i = 0; i < n; i++) {
        weights = weights || request[i].weights;
        inputs = inputs || request[i].inputs;
    }
    walk w = {.b = {.g = g, .diags = diags, .fold = true}, .nodes = g->nodes};
    const uint32_t params = g->params, errors = diags->errors;
    w.depends = sn_must(calloc(w.nodes + 1, sizeof *w.depends));
    w.grad = sn_must(malloc((w.nodes + 1) * sizeof *w.grad));
    for (uint32_t i = 0; i < w.nodes; i++)
        w.grad[i] = SN_NONE;
    find_dependence(&w, weights, inputs);
    for (uint32_t i = 0; i < n; i++)
        ok = seed_output(&w, &request[i], diags) && ok;
    for (uint32_t i = w.nodes; ok && i-- > 0;)
        if (w.depends[i] && !sn_is_none(w.grad[i]) && w.b.g->node[i].args > 0)
            ok = step(&w, i, diags);
    for (uint32_t i = 0; ok && i < params; i++) {
        const sn_param *p = &g->param[i];
        if (!wanted(g, p, weights, inputs) || sn_is_none(p->ref) || p->ref.i >= w.nodes || sn_is_none(w.grad[p->ref.i]))
            continue;
        sn_graph_output(g, sn_format(&g->arena, "grad.%s", p->name), w.grad[p->ref.i], p->loc);
    }
    free(w.depends);
    free(w.grad);
    return ok && diags->errors == errors;
}

bool sn_pass_autodiff(sn_graph **g, const sn_pipeline *options, sn_diags *diags)
{
    return options->requests == 0 || sn_autodiff(*g, options->request, options->requests, diags);
}
