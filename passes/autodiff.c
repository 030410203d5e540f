/* Reverse-mode differentiation, graph to graph: the gradient nodes are appended behind the nodes they belong to.
 * Not the gradient of any operator: those rules stand beside the operators (ir/op_<family>.c).
 *
 *     y = relu x            y = relu x
 *     return y       ->     x.dx = select (x > 0), seed, 0
 *                           return y, grad.x = x.dx
 *
 * Nodes are visited once, last to first, so that a node's gradient is complete when its rule is asked.  Only nodes that depend on what
 * is differentiated for and that the output needs get a gradient.  Accumulation and the reverse of broadcasting happen here and nowhere
 * else: rules return what falls out of them, in any shape that broadcasting could have produced.
 * Source: Griewank and Walther, Evaluating Derivatives, ch. 3 (reverse mode); unbroadcasting as in JAX and autograd.
 */
#include "internal.h"

#include <string.h>

typedef struct walk {
    sn_graph   *g;
    sn_build    b;
    sn_arena   *arena;
    uint32_t    nodes;    /* of the graph before; later ones are gradients */
    bool       *depends;  /* on something we differentiate for */
    sn_ref     *adjoint;  /* gradient of the output with respect to a node; SN_NONE = none yet */
} walk;

/* ---- what depends on what ----------------------------------------------------------------------------------------------- */

static bool is_variable(const walk *w, uint32_t node, const sn_autodiff_request *request, uint32_t n)
{
    const sn_node *x = &w->g->node[node];
    if (x->op != SN_OP_param)
        return false;
    sn_param_kind kind = w->g->param[x->attrs.param.index].kind;
    for (uint32_t i = 0; i < n; i++)
        if ((kind == SN_WEIGHT && request[i].weights) || (kind == SN_INPUT && request[i].inputs))
            return true;
    return false;
}

static void find_dependence(walk *w, const sn_autodiff_request *request, uint32_t n)
{
    for (uint32_t i = 0; i < w->nodes; i++) {
        const sn_node *x = &w->g->node[i];
        bool any = is_variable(w, i, request, n);
        for (uint8_t k = 0; k < x->args && !any; k++)
            any = w->depends[x->arg[k].i];
        w->depends[i] = any && !sn_op_has(x->op, SN_NO_GRAD);
    }
}

/* ---- accumulation ------------------------------------------------------------------------------------------------------- */

/* Sum d over the axes along which broadcasting stretched a value of type t, and stretch it to t where a rule left it smaller. */
static sn_ref fit(walk *w, sn_ref d, const sn_type *t)
{
    sn_type is = w->g->node[d.i].type;
    uint8_t axis[SN_MAX_RANK];
    uint32_t n = 0;
    for (uint8_t i = 0; i < is.rank; i++) {
        bool extra = i + t->rank < is.rank;
        if (!sn_dim_is_one(is.dim[i]) && (extra || sn_dim_is_one(t->dim[i + t->rank - is.rank])))
            axis[n++] = i;
    }
    if (n)
        d = sn_sum(&w->b, d, axis, n);
    if (sn_is_none(d))
        return d;
    is = w->g->node[d.i].type;
    if (is.rank > t->rank) {
        sn_type cut = {.rank = t->rank};
        memcpy(cut.dim, is.dim + (is.rank - t->rank), t->rank * sizeof *cut.dim);
        d = sn_reshape(&w->b, d, &cut);
        is = cut;
    }
    return sn_type_equal(&is, t) ? d : sn_broadcast(&w->b, d, t);
}

static void accumulate(walk *w, sn_ref x, sn_ref d, const char *name)
{
    sn_type t = w->g->node[x.i].type;
    uint32_t first = w->g->nodes;
    d = fit(w, d, &t);
    if (sn_is_none(d))
        return;
    sn_ref *sum = &w->adjoint[x.i];
    *sum = sn_is_none(*sum) ? d : sn_add(&w->b, *sum, d);
    if (name && sum->i >= first && !w->g->node[sum->i].name)
        w->g->node[sum->i].name = name;
}

/* ---- one node ----------------------------------------------------------------------------------------------------------- */

/* "enc.block4.tcn.dw": the second argument of a contraction is its weights. */
static const char *gradient_name(walk *w, const sn_node *n, uint32_t arg)
{
    static const char *const contract[] = {"dx", "dw"}, *const other[] = {"dx", "dy", "dz"};
    if (!n->name)
        return NULL;
    if (n->args == 2 && sn_op_has(n->op, SN_CONTRACT))
        return sn_format(&w->g->arena, "%s.%s", n->name, contract[arg]);
    return arg < 3 ? sn_format(&w->g->arena, "%s.%s", n->name, other[arg]) : sn_format(&w->g->arena, "%s.d%u", n->name, arg);
}

static void name_if_new(walk *w, sn_ref d, uint32_t first, const char *name)
{
    if (d.i >= first && !w->g->node[d.i].name)
        w->g->node[d.i].name = name;
}

static void visit(walk *w, uint32_t i)
{
    const sn_node n = w->g->node[i]; /* a copy: rules add nodes */
    const sn_op_info *op = sn_op_get(n.op);
    bool need[SN_MAX_ARGS] = {false};
    sn_ref dx[SN_MAX_ARGS];
    for (uint8_t k = 0; k < n.args; k++) {
        need[k] = w->depends[n.arg[k].i];
        dx[k] = SN_NONE;
    }
    w->b.loc = n.loc;
    w->b.name = NULL;
    if (!op->grad) {
        sn_error(w->b.diags, n.loc, n.name, "%s: found on the way from the output to a weight or input, but it has no gradient rule", op->name);
        return;
    }
    const sn_grad_in in = {.node = &n, .x = n.arg, .y = {i}, .dy = w->adjoint[i], .need = need};
    uint32_t first = w->g->nodes;
    op->grad(&w->b, &in, dx);
    for (uint8_t k = 0; k < n.args; k++) {
        if (!need[k] || sn_is_none(dx[k]))
            continue;
        const char *name = gradient_name(w, &n, k);
        name_if_new(w, dx[k], first, name);
        accumulate(w, n.arg[k], dx[k], name);
    }
}

/* ---- seeds and results -------------------------------------------------------------------------------------------------- */

static uint32_t find_output(const sn_graph *g, const char *name)
{
    for (uint32_t i = 0; i < g->outputs; i++)
        if (strcmp(g->output[i].name, name) == 0)
            return i;
    return UINT32_MAX;
}

static bool no_output(walk *w, const char *name)
{
    const char **known = sn_new_n(w->arena, const char *, w->g->outputs + 1);
    for (uint32_t i = 0; i < w->g->outputs; i++)
        known[i] = w->g->output[i].name;
    const char *near = sn_nearest(name, known, w->g->outputs);
    sn_error(w->b.diags, (sn_loc){0}, NULL, "autodiff: found no output \"%s\"%s%s%s", name, near ? ", did you mean \"" : "", near ? near : "",
             near ? "\"?" : "");
    return false;
}

static bool plant_seed(walk *w, const sn_autodiff_request *r)
{
    uint32_t i = find_output(w->g, r->output);
    if (i == UINT32_MAX)
        return no_output(w, r->output);
    const sn_output *out = &w->g->output[i];
    const sn_type t = w->g->node[out->ref.i].type;
    const sn_ref at = out->ref;
    char text[256];
    w->b.loc = out->loc;
    w->b.name = NULL;
    if (!r->seed) {
        sn_dim count = sn_type_count(&w->g->dims, &t);
        sn_type_text(&w->g->dims, &t, text, sizeof text);
        if (!sn_dim_is_one(count)) {
            sn_error(w->b.diags, out->loc, out->name, "autodiff: the output is %s, expected one element or a seed of its shape", text);
            return false;
        }
        accumulate(w, at, sn_fill(&w->b, 1, &t), NULL);
        return true;
    }
    if (sn_graph_find_param(w->g, r->seed) != UINT32_MAX) {
        sn_error(w->b.diags, out->loc, out->name, "autodiff: the seed is called \"%s\", expected a name that is no parameter's", r->seed);
        return false;
    }
    accumulate(w, at, sn_graph_param(w->g, r->seed, SN_INPUT, &t, (sn_init){0}, out->loc), NULL);
    return true;
}

static void add_outputs(walk *w, uint32_t params)
{
    for (uint32_t i = 0; i < params; i++) {
        const sn_param p = w->g->param[i];
        if (sn_is_none(p.ref) || !w->depends[p.ref.i] || sn_is_none(w->adjoint[p.ref.i]))
            continue;
        const char *name = sn_format(&w->g->arena, "grad.%s", p.name);
        sn_graph_output(w->g, name, w->adjoint[p.ref.i], p.loc);
    }
}

bool sn_autodiff(sn_graph *g, const sn_autodiff_request *request, uint32_t n, sn_diags *diags)
{
    sn_arena arena;
    uint32_t params = g->params, before = diags->errors;
    bool ok = true;
    sn_arena_init(&arena);
    walk w = {.g = g, .b = {.g = g, .diags = diags}, .arena = &arena, .nodes = g->nodes};
    w.depends = sn_new_n(&arena, bool, g->nodes);
    w.adjoint = sn_new_n(&arena, sn_ref, g->nodes);
    for (uint32_t i = 0; i < g->nodes; i++)
        w.adjoint[i] = SN_NONE;
    find_dependence(&w, request, n);
    for (uint32_t i = 0; i < n; i++)
        ok = plant_seed(&w, &request[i]) && ok;
    for (uint32_t i = w.nodes; ok && i-- > 0;)
        if (w.depends[i] && !sn_is_none(w.adjoint[i]) && g->node[i].args > 0)
            visit(&w, i);
    ok = ok && diags->errors == before;
    if (ok)
        add_outputs(&w, params);
    sn_arena_fini(&arena);
    return ok;
}

bool sn_pass_autodiff(sn_pass *p)
{
    return sn_autodiff(*p->g, p->options->request, p->options->requests, p->diags);
}
