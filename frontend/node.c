/* The nodes of a module: operators, formulas, instances, chains of instances, conditions.
 * Not attributes (attrs.c) and not what a module is (instance.c). */
#include <stdlib.h>
#include <string.h>

#include "elaborate.h"

/* What one element of a node is made from. */
typedef struct element {
    const sn_ast_node *n;
    const char        *name;  /* as bound: "block3" */
    const char        *full;
    sn_given          *in;    /* references, resolved */
    uint32_t           ins;
    bool               poison; /* a reference did not resolve */
    uint32_t           index; /* in a chain */
} element;

typedef struct made { sn_ref ref; const sn_results *results; bool open; /* nobody says which module it is */ } made;

/* ---- references --------------------------------------------------------------------------------------------------------- */

static bool resolve(sn_scope *s, const sn_ast_node *n, element *x)
{
    bool ok = true;
    x->in = sn_new_n(&s->e->arena, sn_given, n->ins + 1);
    x->ins = n->ins;
    for (uint32_t i = 0; i < n->ins; i++) {
        x->in[i].loc = n->in[i].loc;
        ok = sn_scope_ref(s, n->in[i].s, n->in[i].loc, x->full, &x->in[i].ref, NULL) && ok;
        x->poison = x->poison || sn_is_none(x->in[i].ref);
    }
    return ok;
}

static sn_ref stopped(sn_scope *s, const element *x, sn_ref ref)
{
    sn_elab_at(s->e, x->n->loc, x->full);
    ref = sn_unary(&s->e->b, SN_OP_stop, ref);
    sn_elab_drain(s->e);
    return ref;
}

/* ---- operators ---------------------------------------------------------------------------------------------------------- */

static bool check_declared(sn_scope *s, const element *x, sn_op op, sn_ref ref, const sn_type *want)
{
    char found[160], expected[160];
    const sn_type *t = &sn_at(s->e->g, ref)->type;
    if (sn_type_equal(t, want)) return true;
    sn_type_text(&s->e->g->dims, t, found, sizeof found);
    sn_type_text(&s->e->g->dims, want, expected, sizeof expected);
    sn_elab_error(s->e, x->n->shape.loc, x->full, "%s: the result is %s, but `shape` says %s", sn_op_get(op)->name, found, expected);
    return false;
}

static sn_ref make_op(sn_scope *s, const element *x, sn_op op)
{
    sn_elab *e = s->e;
    const sn_op_info *info = sn_op_get(op);
    const sn_ast_node *n = x->n;
    sn_ref arg[SN_MAX_ARGS];
    sn_type declared = {0};
    sn_attrs attrs = {0};
    bool shaped = n->shape.kind != SN_VALUE_ABSENT, ok = true;
    uint32_t most = info->arity < 0 ? SN_MAX_ARGS : (uint32_t)info->arity;
    if (x->ins > most || (info->arity >= 0 && x->ins < most) || (info->arity < 0 && x->ins == 0)) {
        sn_elab_error(e, n->op.loc, x->full, "%s: found %u input%s, expected %s%u", info->name, x->ins, x->ins == 1 ? "" : "s", info->arity < 0 ? "1 to " : "", most);
        return SN_NONE;
    }
    for (uint32_t i = 0; i < x->ins; i++) arg[i] = x->in[i].ref;
    if (!shaped && (info->traits & SN_DECLARED)) {
        sn_elab_error(e, n->op.loc, x->full, "%s: `shape` is missing, the operator cannot infer its result's", info->name);
        ok = false;
    }
    if (shaped) ok = sn_shape_eval(s, &n->shape, x->full, &declared) && ok;
    ok = sn_elab_attrs(s, n, op, arg, x->ins, shaped && ok ? &declared : NULL, x->full, &attrs) && ok;
    if (!ok || x->poison) return SN_NONE;
    sn_elab_at(e, n->op.loc, x->full);
    sn_ref ref = sn_build_op(&e->b, op, arg, x->ins, &attrs, info->traits & SN_DECLARED ? &declared : NULL);
    sn_elab_drain(e);
    if (!sn_is_none(ref) && shaped && !(info->traits & SN_DECLARED) && !check_declared(s, x, op, ref, &declared)) return SN_NONE;
    return ref;
}

/* ---- instances ---------------------------------------------------------------------------------------------------------- */

/* The parameters of element `index`: those of the fill if the name is open, `with`, then its place in every list of `each`. */
static sn_arg *arguments(sn_scope *s, const element *x, const sn_filled *filled, uint32_t *count)
{
    const sn_value *with = &x->n->with, *each = &x->n->each;
    uint32_t given = filled ? filled->args : 0;
    sn_arg *arg = sn_new_n(&s->e->arena, sn_arg, given + with->n + each->n + 1);
    if (given) memcpy(arg, filled->arg, given * sizeof *arg);
    *count = given;
    if (with->kind != SN_VALUE_ABSENT && with->kind != SN_VALUE_MAP) sn_elab_error(s->e, with->loc, x->full, "with: expected a map { name: value }");
    for (uint32_t i = 0; with->kind == SN_VALUE_MAP && i < with->n; i++)
        arg[(*count)++] = (sn_arg){with->key[i], sn_scope_number(s, &with->item[i], x->full, with->key[i]), with->key_loc[i], false};
    for (uint32_t i = 0; each->kind == SN_VALUE_MAP && i < each->n; i++) {
        for (uint32_t k = 0; k < with->n; k++)
            if (strcmp(with->key[k], each->key[i]) == 0) sn_elab_error(s->e, each->key_loc[i], x->full, "\"%s\" stands in both `with` and `each`", each->key[i]);
        const sn_value *v = &each->item[i];
        if (v->kind == SN_VALUE_LIST && x->index < v->n)
            arg[(*count)++] = (sn_arg){each->key[i], sn_scope_number(s, &v->item[x->index], x->full, each->key[i]), each->key_loc[i], false};
    }
    return arg;
}

/* The instance of module m that a field names; NULL after a diagnostic. */
static const sn_results *instance_of(sn_scope *s, const element *x, const sn_text *of, const char *field, const sn_ast_module *m)
{
    const sn_results *r = strchr(of->s, '.') ? sn_elab_made(s->e, sn_scope_full(s, of->s)) : NULL; /* one inside another */
    sn_ref ref = SN_NONE;
    if (!r && !sn_scope_ref(s, of->s, of->loc, x->full, &ref, &r)) return NULL;
    if (r && r->module == m) return r;
    if (r || !sn_is_none(ref)) sn_elab_error(s->e, of->loc, x->full, "%s: \"%s\" is %s%s, expected an instance of %s", field, of->s,
                                             r ? "an instance of " : "one tensor", r ? r->module->name.s : "", m->name.s);
    return NULL;
}

/* A condition known before; false where it is not given. */
static bool flag(sn_scope *s, const sn_value *v, const char *node, const char *what)
{
    int64_t on = 0;
    return v->kind != SN_VALUE_ABSENT && sn_scope_int(s, v, node, what, 0, 1, &on) && on;
}

/* `momentum_of`, `coefficient` and `independent`; NULL after a diagnostic. */
static const sn_momentum *momentum_of(sn_scope *s, const element *x, const sn_ast_module *m, const char *own)
{
    const sn_text *of = &x->n->momentum_of;
    const sn_results *r;
    double c;
    if (s->momentum) {
        sn_elab_error(s->e, of->loc, x->full, "momentum_of stands inside an instance that is a momentum copy itself");
        return NULL;
    }
    if (!(r = instance_of(s, x, of, "momentum_of", m))) return NULL;
    if (x->n->coefficient.kind == SN_VALUE_ABSENT) {
        sn_elab_error(s->e, of->loc, x->full, "momentum_of without `coefficient`");
        return NULL;
    }
    if (!sn_scope_real(s, &x->n->coefficient, x->full, "coefficient", &c)) return NULL;
    if (c < 0 || c > 1) {
        sn_elab_error(s->e, x->n->coefficient.loc, x->full, "coefficient: found %g, expected 0 to 1", c);
        return NULL;
    }
    sn_momentum *out = sn_new(&s->e->arena, sn_momentum);
    *out = (sn_momentum){own, r->memory, c, flag(s, &x->n->independent, x->full, "independent"), of->loc};
    return out;
}

/* The instance's `training`: what it is around the node, or 0. */
static bool training_in(sn_scope *s, const element *x)
{
    bool around = s->e->training;
    if (x->n->training.kind == SN_VALUE_ABSENT) return around;
    sn_num a = sn_scope_number(s, &x->n->training, x->full, "training");
    if (a.kind == SN_NUM_DIM) sn_elab_free_error(s->e, x->n->training.loc, x->full, "training: found a dimension that is free until run time, expected a condition known before");
    return around && (a.kind == SN_NUM_UNKNOWN || a.kind == SN_NUM_DIM || sn_num_value(a) != 0);
}

static made make_instance(sn_scope *s, const element *x, const sn_ast_module *m, const sn_file *file, const sn_filled *filled)
{
    sn_elab *e = s->e;
    const sn_ast_node *n = x->n;
    made out = {SN_NONE, NULL, false};
    const sn_momentum *copy = s->momentum;
    uint32_t wanted = sn_shape_inputs(m);
    sn_given *in = sn_new_n(&e->arena, sn_given, wanted + 1);
    if (n->shape.kind != SN_VALUE_ABSENT) sn_elab_error(e, n->shape.loc, x->full, "`shape` has no meaning for an instance of a module");
    if (x->ins != wanted) {
        const char *names = sn_shape_input_names(&e->arena, m);
        sn_elab_error(e, n->op.loc, x->full, "%s: found %u input%s, expected %u%s%s%s", m->name.s, x->ins, x->ins == 1 ? "" : "s", wanted, wanted ? " (" : "", names, wanted ? ")" : "");
    }
    for (uint32_t i = 0; i < wanted; i++) in[i] = x->ins == wanted ? x->in[i] : (sn_given){SN_NONE, n->op.loc};
    sn_call c = {.file = file, .module = m, .name = x->full, .parent = s, .in = in, .shared = s->shared, .loc = n->op.loc};
    c.memory = s->memory[0] ? sn_format(&e->arena, "%s.%s", s->memory, x->name) : x->name;
    if (n->momentum_of.s) {
        if (!(copy = momentum_of(s, x, m, c.memory))) return out;
    }
    if (n->weights_of.s) {
        const sn_results *of = instance_of(s, x, &n->weights_of, "weights_of", m);
        if (!of) return out;
        c.memory = of->memory;
        c.shared = true;
        copy = of->momentum;
    }
    c.momentum = copy;
    c.arg = arguments(s, x, filled, &c.args);
    bool around = e->training;
    e->training = training_in(s, x);
    const sn_results *r = sn_elab_instance(e, &c);
    e->training = around;
    if (!r) return out;
    for (uint32_t i = 0; (n->constant || n->momentum_of.s || (n->weights_of.s && copy)) && i < r->n; i++)
        if (!sn_is_none(r->ref[i])) r->ref[i] = stopped(s, x, r->ref[i]);
    out.results = r;
    if (r->n) out.ref = r->ref[0];
    return out;
}

/* ---- one node ----------------------------------------------------------------------------------------------------------- */

static void misspelt_op(sn_scope *s, const element *x)
{
    const sn_model *m = s->e->model;
    uint32_t n = SN_OP_COUNT + s->file->ast.modules + s->module->opens;
    for (uint32_t i = 0; i < s->file->imports; i++) n += m->file[s->file->import[i]].ast.modules;
    const char **candidate = sn_new_n(&s->e->arena, const char *, n);
    n = 0;
    for (int op = 0; op < SN_OP_COUNT; op++)
        if (!sn_op_has((sn_op)op, SN_INTERNAL)) candidate[n++] = sn_op_get((sn_op)op)->name;
    for (uint32_t i = 0; i <= s->file->imports; i++) {
        const sn_ast_file *f = i ? &m->file[s->file->import[i - 1]].ast : &s->file->ast;
        for (uint32_t k = 0; k < f->modules; k++) candidate[n++] = f->module[k].name.s;
    }
    for (uint32_t i = 0; i < s->module->opens; i++) candidate[n++] = s->module->open[i].s;
    const char *near = sn_nearest(x->n->op.s, candidate, n);
    if (near) sn_elab_error(s->e, x->n->op.loc, x->full, "no operator or module \"%s\"; did you mean \"%s\"?", x->n->op.s, near);
    else sn_elab_error(s->e, x->n->op.loc, x->full, "no operator or module \"%s\"", x->n->op.s);
}

static made make(sn_scope *s, const element *x)
{
    made out = {SN_NONE, NULL, false};
    const sn_ast_node *n = x->n;
    const sn_file *file;
    sn_op op;
    if (n->is.s) {
        out.ref = sn_elab_formula(s, &n->is, x->full);
    } else if (sn_op_find(n->op.s, &op) && !sn_op_has(op, SN_INTERNAL)) {
        const sn_text *of = n->momentum_of.s ? &n->momentum_of : &n->weights_of;
        if (of->s) sn_elab_error(s->e, of->loc, x->full, "%s: %s is an operator, expected an instance of a module", of == &n->weights_of ? "weights_of" : "momentum_of", n->op.s);
        if (n->training.kind) sn_elab_error(s->e, n->training.loc, x->full, "training: %s is an operator, expected an instance of a module", n->op.s);
        out.ref = make_op(s, x, op);
    } else if (sn_open_declared(s, n->op.s)) {
        const sn_filled *filled = sn_open_find(s, n->op.s);
        out.open = !filled || !filled->module;
        if (!out.open) return make_instance(s, x, filled->module, filled->file, filled);
        if (!filled && !s->e->dry) sn_elab_free_error(s->e, n->op.loc, x->full, "\"%s\" is open: no module around this one fills it", n->op.s);
    } else {
        const sn_ast_module *m = sn_model_find(s->e->model, s->file, n->op.s, &file);
        if (m) return make_instance(s, x, m, file, NULL);
        misspelt_op(s, x);
    }
    if (n->constant && !sn_is_none(out.ref)) out.ref = stopped(s, x, out.ref);
    return out;
}

static void bind(sn_scope *s, const element *x, made m, bool maybe)
{
    sn_binding *b = strcmp(x->name, x->n->name.s) == 0 ? sn_scope_bind(s, &x->n->name, x->n->loc, SN_BIND_VALUE, x->full)
                                                       : sn_scope_bind_name(s, x->name, x->n->name.loc, SN_BIND_VALUE, x->full);
    if (!b) return;
    b->maybe = maybe || m.open;
    b->ref = maybe ? SN_NONE : m.ref;
    b->results = m.results;
}

/* ---- chains ------------------------------------------------------------------------------------------------------------- */

/* Length of the chain, 0 if the node is none; false after a diagnostic. */
static bool chain_length(sn_scope *s, const element *x, uint32_t *length)
{
    const sn_value *each = &x->n->each, *repeat = &x->n->repeat;
    int64_t times = 0;
    *length = 0;
    if (repeat->kind != SN_VALUE_ABSENT) {
        if (!sn_scope_int(s, repeat, x->full, "repeat", 1, SN_MAX_INSTANCES, &times)) return false;
        *length = (uint32_t)times;
    }
    if (each->kind == SN_VALUE_ABSENT) return true;
    if (each->kind != SN_VALUE_MAP || each->n == 0) {
        sn_elab_error(s->e, each->loc, x->full, "each: expected a map of lists { out: [16, 32] }");
        return false;
    }
    for (uint32_t i = 0; i < each->n; i++) {
        const sn_value *v = &each->item[i];
        if (v->kind != SN_VALUE_LIST || v->n == 0) {
            sn_elab_error(s->e, v->loc, x->full, "each: \"%s\" is no list with values, expected one value for each element of the chain", each->key[i]);
            return false;
        }
        if (*length && v->n != *length) {
            sn_elab_error(s->e, v->loc, x->full, "each: \"%s\" has %u values, expected %u as %s", each->key[i], v->n, *length,
                          i ? sn_format(&s->e->arena, "\"%s\" has", each->key[0]) : "`repeat` says");
            return false;
        }
        *length = v->n;
    }
    return true;
}

static void make_chain(sn_scope *s, const element *first, uint32_t length, bool maybe)
{
    element x = *first;
    made m = {SN_NONE, NULL, false};
    sn_op op;
    if (x.n->is.s || x.ins == 0 || (x.n->each.n && sn_op_find(x.n->op.s, &op))) {
        sn_elab_error(s->e, x.n->each.kind ? x.n->each.loc : x.n->repeat.loc, x.full, "%s",
                      x.n->is.s ? "a formula cannot be a chain" : x.ins == 0 ? "a chain needs an input: the first input of each element is the element before it"
                                                                             : "`each` gives parameters of modules, but this is an operator");
        bind(s, first, m, maybe);
        return;
    }
    for (uint32_t i = 0; i < length && !s->e->full; i++) {
        x.index = i;
        x.name = sn_format(&s->e->arena, "%s%u", first->n->name.s, i + 1);
        x.full = sn_scope_full(s, x.name);
        if (i) x.in[0].ref = m.ref;
        x.poison = false;
        for (uint32_t k = 0; k < x.ins; k++) x.poison = x.poison || sn_is_none(x.in[k].ref);
        m = make(s, &x);
        bind(s, &x, m, maybe);
    }
    bind(s, first, m, maybe);
}

/* ---- conditions --------------------------------------------------------------------------------------------------------- */

sn_presence sn_elab_when(sn_scope *s, const sn_value *when, const char *node)
{
    if (when->kind == SN_VALUE_ABSENT) return SN_EXISTS;
    sn_num a = sn_scope_number(s, when, node, "when");
    if (a.kind == SN_NUM_UNKNOWN) return SN_MAYBE;
    if (a.kind == SN_NUM_DIM) {
        sn_elab_free_error(s->e, when->loc, node, "when: found a dimension that is free until run time, expected a condition known before");
        return SN_MAYBE;
    }
    return sn_num_value(a) != 0 ? SN_EXISTS : SN_ABSENT;
}

const char *sn_elab_condition(const sn_value *when) { return when->kind == SN_VALUE_STRING ? when->string : "0"; }

static bool check_fields(sn_scope *s, const element *x)
{
    const sn_ast_node *n = x->n;
    if (!n->name.s) sn_elab_error(s->e, n->loc, NULL, "node without `name`");
    else if (!n->op.s && !n->is.s) sn_elab_error(s->e, n->loc, x->full, "node without `op` or `is`");
    else if (n->op.s && n->is.s) sn_elab_error(s->e, n->is.loc, x->full, "node with both `op` and `is`");
    else if (n->is.s && n->ins) sn_elab_error(s->e, n->in[0].loc, x->full, "`in` has no meaning with `is`: the formula names what it reads");
    else if (n->is.s && n->with.kind) sn_elab_error(s->e, n->with.loc, x->full, "`with` has no meaning with `is`");
    else if (n->is.s && n->shape.kind) sn_elab_error(s->e, n->shape.loc, x->full, "`shape` has no meaning with `is`: the formula's shape follows from its values");
    else if (n->is.s && n->momentum_of.s) sn_elab_error(s->e, n->momentum_of.loc, x->full, "`momentum_of` has no meaning with `is`");
    else if (n->is.s && n->training.kind) sn_elab_error(s->e, n->training.loc, x->full, "`training` has no meaning with `is`");
    else if (n->is.s && n->weights_of.s) sn_elab_error(s->e, n->weights_of.loc, x->full, "`weights_of` has no meaning with `is`");
    else if (n->momentum_of.s && n->weights_of.s) sn_elab_error(s->e, n->weights_of.loc, x->full, "node with both `momentum_of` and `weights_of`");
    else if (n->coefficient.kind && !n->momentum_of.s) sn_elab_error(s->e, n->coefficient.loc, x->full, "`coefficient` without `momentum_of`");
    else if (n->independent.kind && !n->momentum_of.s) sn_elab_error(s->e, n->independent.loc, x->full, "`independent` without `momentum_of`");
    else return true;
    return false;
}

static void make_node(sn_scope *s, const sn_ast_node *n)
{
    element x = {.n = n, .name = n->name.s};
    made poison = {SN_NONE, NULL, false};
    uint32_t length;
    x.full = n->name.s ? sn_scope_full(s, n->name.s) : s->prefix;
    if (!check_fields(s, &x)) {
        if (n->name.s) bind(s, &x, poison, true);
        return;
    }
    sn_presence p = sn_elab_when(s, &n->when, x.full);
    if (p == SN_ABSENT) {
        sn_binding *b = sn_scope_bind(s, &n->name, n->loc, SN_BIND_ABSENT, x.full);
        if (b && b->kind == SN_BIND_ABSENT) b->condition = sn_elab_condition(&n->when);
        return;
    }
    resolve(s, n, &x);
    if (!chain_length(s, &x, &length)) bind(s, &x, poison, true);
    else if (length) make_chain(s, &x, length, p == SN_MAYBE);
    else bind(s, &x, make(s, &x), p == SN_MAYBE);
}

void sn_elab_nodes(sn_scope *s)
{
    for (uint32_t i = 0; i < s->module->nodes && !s->e->full; i++) {
        s->node = i;
        make_node(s, &s->module->node[i]);
        if (s->e->g->nodes < SN_MAX_NODES) continue;
        sn_elab_error(s->e, s->module->node[i].loc, sn_scope_full(s, s->module->node[i].name.s), "the program has more than %d nodes", SN_MAX_NODES);
        s->e->full = true;
    }
}
