/* What a module keeps: constants, weights and their momentum copies, states, queues, and their updates.
 * Not the numbers of graph matrices (adjacency.c) and not how the runtime initialises (runtime/). */
#include <math.h>
#include <string.h>

#include "elaborate.h"
#include "locate.h"

/* ---- initialisers ------------------------------------------------------------------------------------------------------- */

static const struct { const char *name; sn_init_kind kind; uint32_t n; const char *form; } inits[] = {
    {"constant", SN_INIT_CONSTANT, 1, "constant(a)"},
    {"normal", SN_INIT_NORMAL, 2, "normal(mean, deviation)"},
    {"uniform", SN_INIT_UNIFORM, 2, "uniform(low, high)"},
    {"equal_rows", SN_INIT_EQUAL_ROWS, 2, "equal_rows(mean, deviation)"},
};
enum { INITS = sizeof inits / sizeof *inits };

static void init_error(sn_scope *s, const sn_text *t, const char *node, const sn_expr_error *error)
{
    sn_elab_error(s->e, sn_loc_inside(s->e->diags, t->loc, t->s, error->off, error->len), node, "init: %s", error->text);
}

static bool read_init(sn_scope *s, const sn_text *t, sn_loc loc, const char *node, sn_init *out)
{
    sn_expr_error error;
    double value[2] = {0, 0};
    int k = 0;
    if (!t->s) {
        sn_elab_error(s->e, loc, node, "`init` is missing, expected constant(a), normal(mean, deviation), uniform(low, high) or equal_rows(mean, deviation)");
        return false;
    }
    const sn_expr *e = sn_expr_parse(t->s, &s->e->arena, &error);
    if (!e) return init_error(s, t, node, &error), false;
    while (k < INITS && (e->kind != SN_EXPR_CALL || strcmp(inits[k].name, e->name) != 0)) k++;
    if (k == INITS) {
        const char *const name[] = {"constant", "normal", "uniform", "equal_rows"};
        const char *near = e->kind == SN_EXPR_CALL ? sn_nearest(e->name, name, INITS) : NULL;
        if (near) sn_elab_error(s->e, t->loc, node, "init: no initialiser \"%s\"; did you mean \"%s\"?", e->name, near);
        else sn_elab_error(s->e, t->loc, node, "init: found \"%s\", expected constant(a), normal(mean, deviation), uniform(low, high) or equal_rows(mean, deviation)", t->s);
        return false;
    }
    if (e->n != inits[k].n) {
        sn_elab_error(s->e, t->loc, node, "init: found %u argument%s, expected %s", e->n, e->n == 1 ? "" : "s", inits[k].form);
        return false;
    }
    sn_expr_scope scope = sn_scope_numbers(s);
    scope.real_division = true;
    for (uint32_t i = 0; i < e->n; i++) {
        sn_num a;
        if (!sn_expr_eval(e->arg[i], &scope, &a, &error)) return init_error(s, t, node, &error), false;
        if (a.kind == SN_NUM_UNKNOWN) return false;
        if (a.kind == SN_NUM_DIM) {
            sn_elab_free_error(s->e, t->loc, node, "init: found a dimension that is free until run time, expected a number");
            return false;
        }
        value[i] = sn_num_value(a);
    }
    *out = (sn_init){inits[k].kind, value[0], value[1]};
    if ((out->kind == SN_INIT_NORMAL || out->kind == SN_INIT_EQUAL_ROWS) && out->b < 0) sn_elab_error(s->e, t->loc, node, "init: the deviation is %g, expected at least 0", out->b);
    else if (out->kind == SN_INIT_UNIFORM && out->a > out->b) sn_elab_error(s->e, t->loc, node, "init: low is %g and high is %g, expected low <= high", out->a, out->b);
    else return true;
    return false;
}

/* ---- weights and their copies ------------------------------------------------------------------------------------------- */

/* Is the full name free?  A program's input may have the name of a weight's instance only by accident. */
static bool declare(sn_scope *s, const char *full, sn_param_kind kind, const sn_type *t, sn_init init, sn_loc loc, uint32_t *index)
{
    sn_elab *e = s->e;
    if (sn_graph_find_param(e->g, full) != UINT32_MAX) return false; /* its scope has reported the clash */
    sn_graph_param(e->g, full, kind, t, init, loc);
    *index = e->g->params - 1;
    return true;
}

static void declare_copy(sn_scope *s, const char *full, const sn_type *t, sn_init init, sn_loc loc, uint32_t *index)
{
    sn_elab *e = s->e;
    const sn_momentum *m = s->momentum;
    const char *source = sn_format(&e->arena, "%s%s", m->source, full + strlen(m->own));
    uint32_t of = sn_graph_find_param(e->g, source);
    char mine[160], theirs[160];
    if (of == UINT32_MAX) {
        if (!e->errors) sn_elab_error(e, m->loc, full, "momentum_of: no weight \"%s\" to copy", source);
        return;
    }
    const sn_param *w = &e->g->param[of];
    if (w->kind != SN_WEIGHT) {
        sn_elab_error(e, m->loc, full, "momentum_of: \"%s\" is no weight but a copy itself", source);
        return;
    }
    if (!sn_type_equal(&w->type, t)) {
        sn_type_text(&e->g->dims, t, mine, sizeof mine);
        sn_type_text(&e->g->dims, &w->type, theirs, sizeof theirs);
        sn_elab_error(e, m->loc, full, "momentum_of: the copy is %s, but the weight \"%s\" is %s", mine, source, theirs);
        return;
    }
    if (!declare(s, full, SN_COPY, t, m->independent ? init : (sn_init){.kind = SN_INIT_SAME}, loc, index)) return;
    e->g->param[*index].of = of;
    e->g->param[*index].coefficient = m->coefficient;
}

/* ---- what is another's --------------------------------------------------------------------------------------------------- */

/* The parameter of that name, declared by the instance that `weights_of` names; UINT32_MAX after a diagnostic. */
static uint32_t shared(sn_scope *s, const char *name, const sn_type *t, sn_loc loc, const char *full)
{
    sn_elab *e = s->e;
    uint32_t of = sn_graph_find_param(e->g, name);
    char mine[160], theirs[160];
    if (of == UINT32_MAX) {
        if (!e->errors) sn_elab_error(e, loc, full, "weights_of: there is no \"%s\" to share", name);
        return of;
    }
    if (sn_type_equal(&e->g->param[of].type, t)) return of;
    sn_type_text(&e->g->dims, t, mine, sizeof mine);
    sn_type_text(&e->g->dims, &e->g->param[of].type, theirs, sizeof theirs);
    sn_elab_error(e, loc, full, "weights_of: this is %s, but \"%s\" is %s", mine, name, theirs);
    return UINT32_MAX;
}

/* The next value of a state, NULL if none is known yet. */
static sn_update *update_of(sn_graph *g, uint32_t param)
{
    for (uint32_t i = g->updates; i-- > 0;)
        if (g->update[i].param == param) return &g->update[i];
    return NULL;
}

/* What an instance that shares a state reads: the value that the instance before it leaves.  Constant, as a state is. */
static sn_ref current(sn_scope *s, uint32_t param, sn_loc loc, const char *full)
{
    const sn_update *u = update_of(s->e->g, param);
    if (!u) return s->e->g->param[param].ref;
    sn_elab_at(s->e, loc, full);
    sn_ref ref = sn_unary(&s->e->b, SN_OP_stop, u->value);
    sn_elab_drain(s->e);
    return ref;
}

/* ---- weights, states, queues ---------------------------------------------------------------------------------------------- */

static sn_binding *bind_param(sn_scope *s, const sn_text *name, sn_loc loc, uint32_t index, const char *full)
{
    sn_binding *b = sn_scope_bind(s, name, loc, SN_BIND_VALUE, full);
    if (b) b->ref = index == UINT32_MAX ? SN_NONE : s->e->g->param[index].ref;
    return b;
}

/* Does what is declared under this condition exist?  If not, its name is bound to that. */
static bool present(sn_scope *s, const sn_text *name, const sn_value *when, sn_loc loc, const char *full)
{
    sn_presence presence = sn_elab_when(s, when, full);
    if (presence == SN_EXISTS) return true;
    sn_binding *b = sn_scope_bind(s, name, loc, presence == SN_ABSENT ? SN_BIND_ABSENT : SN_BIND_VALUE, full);
    if (b && presence == SN_ABSENT) b->condition = sn_elab_condition(when);
    return false;
}

static const char *full_name(sn_scope *s, const sn_text *name) { return name->s ? sn_scope_full(s, name->s) : s->prefix; }

/* The name in weight files, which is another's if the memory is. */
static const char *memory_name(sn_scope *s, const sn_text *name)
{
    if (!name->s) return s->memory;
    return s->memory[0] ? sn_format(&s->e->arena, "%s.%s", s->memory, name->s) : name->s;
}

static void weight(sn_scope *s, const sn_ast_weight *w)
{
    const char *full = full_name(s, &w->name), *name = memory_name(s, &w->name);
    uint32_t index = UINT32_MAX;
    sn_type t;
    sn_init init;
    if (!present(s, &w->name, &w->when, w->loc, full)) return;
    bool shaped = sn_shape_fixed(s, &w->shape, full, "weight", &t);
    bool ok = read_init(s, &w->init, w->loc, full, &init) && shaped && w->name.s && sn_is_name(w->name.s);
    if (ok && s->shared) index = shared(s, name, &t, w->name.loc, full);
    else if (ok && s->momentum) declare_copy(s, name, &t, init, w->name.loc, &index);
    else if (ok) declare(s, name, SN_WEIGHT, &t, init, w->name.loc, &index);
    bind_param(s, &w->name, w->loc, index, full);
}

static void state(sn_scope *s, const sn_ast_state *w)
{
    const char *full = full_name(s, &w->name), *name = memory_name(s, &w->name);
    uint32_t index = UINT32_MAX;
    sn_type t;
    sn_init init;
    if (!present(s, &w->name, &w->when, w->loc, full)) return;
    bool shaped = sn_shape_fixed(s, &w->shape, full, "state", &t);
    bool ok = read_init(s, &w->init, w->loc, full, &init) && shaped && w->name.s && sn_is_name(w->name.s);
    if (ok && s->shared) index = shared(s, name, &t, w->name.loc, full);
    else if (ok) declare(s, name, SN_STATE, &t, init, w->name.loc, &index);
    sn_binding *b = bind_param(s, &w->name, w->loc, index, full);
    if (b && s->shared && index != UINT32_MAX) b->ref = current(s, index, w->name.loc, full);
}

static void queue(sn_scope *s, const sn_ast_queue *q)
{
    const char *full = full_name(s, &q->name);
    uint32_t index = UINT32_MAX;
    int64_t length = 0, width = 0;
    if (!present(s, &q->name, &q->when, q->loc, full)) return;
    if (s->shared) sn_elab_error(s->e, q->loc, full, "queue in an instance with weights_of: it would be pushed twice a step");
    if (!q->length.kind) sn_elab_error(s->e, q->loc, full, "queue without `length`");
    if (!q->width.kind) sn_elab_error(s->e, q->loc, full, "queue without `width`");
    bool ok = q->length.kind && sn_scope_int(s, &q->length, full, "length", 1, 1 << 28, &length);
    ok = q->width.kind && sn_scope_int(s, &q->width, full, "width", 1, 1 << 20, &width) && ok;
    const sn_type t = {2, {sn_dim_const(length), sn_dim_const(width)}};
    const sn_init init = {SN_INIT_UNIT_ROWS, 0, 0};
    if (ok && length * width > INT32_MAX) sn_elab_error(s->e, q->length.loc, full, "queue has %lld elements, expected at most %d", (long long)(length * width), INT32_MAX);
    else if (ok && q->name.s && sn_is_name(q->name.s)) declare(s, memory_name(s, &q->name), SN_STATE, &t, init, q->name.loc, &index);
    bind_param(s, &q->name, q->loc, index, full);
}

/* ---- constants ---------------------------------------------------------------------------------------------------------- */

static sn_ref values(sn_scope *s, const sn_ast_constant *c, const char *node)
{
    const sn_value *v = NULL;
    sn_type t;
    for (uint32_t i = 0; c->with.kind == SN_VALUE_MAP && i < c->with.n; i++)
        if (strcmp(c->with.key[i], "values") == 0) v = &c->with.item[i];
        else sn_elab_error(s->e, c->with.key_loc[i], node, "values: no field \"%s\", expected values", c->with.key[i]);
    if (!v || v->kind != SN_VALUE_LIST) {
        sn_elab_error(s->e, v ? v->loc : c->loc, node, "values: expected with: { values: [1, 2, 3] }");
        return SN_NONE;
    }
    if (!sn_shape_fixed(s, &c->shape, node, "constant", &t)) return SN_NONE;
    int64_t count = 1;
    for (uint8_t i = 0; i < t.rank; i++) count *= t.dim[i].v;
    if (count != v->n) {
        sn_elab_error(s->e, v->loc, node, "values: found %u numbers, expected %lld for shape %s", v->n, (long long)count, sn_shape_text(&s->e->arena, &c->shape));
        return SN_NONE;
    }
    float *data = sn_new_n(&s->e->g->arena, float, v->n + 1);
    for (uint32_t i = 0; i < v->n; i++) {
        double r;
        if (!sn_scope_real(s, &v->item[i], node, "values", &r)) return SN_NONE;
        data[i] = (float)r;
    }
    const sn_attrs attrs = {.data = {data, v->n}};
    sn_elab_at(s->e, c->name.loc, node);
    sn_ref ref = sn_build_op(&s->e->b, SN_OP_const, NULL, 0, &attrs, &t);
    sn_elab_drain(s->e);
    return ref;
}

static void constant(sn_scope *s, const sn_ast_constant *c)
{
    const char *full = full_name(s, &c->name);
    const char *const kind[] = {"adjacency", "values"};
    sn_ref ref = SN_NONE;
    if (!c->kind.s) {
        sn_elab_error(s->e, c->loc, full, "constant without `kind`, expected adjacency or values");
    } else if (strcmp(c->kind.s, "values") == 0) {
        ref = values(s, c, full);
    } else if (strcmp(c->kind.s, "adjacency") == 0) {
        ref = sn_elab_adjacency(s, c, full);
    } else {
        const char *near = sn_nearest(c->kind.s, kind, 2);
        if (near) sn_elab_error(s->e, c->kind.loc, full, "no kind of constant \"%s\"; did you mean \"%s\"?", c->kind.s, near);
        else sn_elab_error(s->e, c->kind.loc, full, "no kind of constant \"%s\", expected adjacency or values", c->kind.s);
    }
    sn_binding *b = sn_scope_bind(s, &c->name, c->loc, SN_BIND_VALUE, full);
    if (b) b->ref = ref;
}

void sn_elab_memory(sn_scope *s)
{
    const sn_ast_module *m = s->module;
    for (uint32_t i = 0; i < m->constants; i++) constant(s, &m->constant[i]);
    for (uint32_t i = 0; i < m->weights; i++) weight(s, &m->weight[i]);
    for (uint32_t i = 0; i < m->states; i++) state(s, &m->state[i]);
    for (uint32_t i = 0; i < m->queues; i++) queue(s, &m->queue[i]);
}

/* ---- updates ------------------------------------------------------------------------------------------------------------ */

/* Is `from` `to` with leading axes of size 1? */
static bool drops_to(const sn_type *from, const sn_type *to)
{
    if (from->rank < to->rank) return false;
    uint8_t more = (uint8_t)(from->rank - to->rank);
    for (uint8_t i = 0; i < from->rank; i++)
        if (!sn_dim_equal(from->dim[i], i < more ? sn_dim_const(1) : to->dim[i - more])) return false;
    return true;
}

static void next(sn_scope *s, const sn_ast_state *w)
{
    sn_elab *e = s->e;
    const char *full = full_name(s, &w->name);
    char found[160], want[160];
    sn_ref ref;
    if (sn_elab_when(s, &w->when, full) != SN_EXISTS) return;
    if (!w->next.s || !sn_scope_ref(s, w->next.s, w->next.loc, full, &ref, NULL) || sn_is_none(ref)) return;
    uint32_t index = w->name.s ? sn_graph_find_param(e->g, memory_name(s, &w->name)) : UINT32_MAX;
    if (index == UINT32_MAX) return;
    const sn_type type = e->g->param[index].type;
    if (!drops_to(&sn_at(e->g, ref)->type, &type)) {
        sn_type_text(&e->g->dims, &sn_at(e->g, ref)->type, found, sizeof found);
        sn_type_text(&e->g->dims, &type, want, sizeof want);
        sn_elab_error(e, w->next.loc, full, "next: \"%s\" is %s, but the state is %s", w->next.s, found, want);
        return;
    }
    if (!sn_type_equal(&sn_at(e->g, ref)->type, &type)) {
        sn_elab_at(e, w->next.loc, sn_format(&e->arena, "%s.next", full));
        ref = sn_reshape(&e->b, ref, &type);
        sn_elab_drain(e);
    }
    sn_update *before = update_of(e->g, index);
    if (before) before->value = ref; /* the one before is what this one went on from */
    else sn_graph_update(e->g, SN_ASSIGN, index, ref, w->next.loc);
}

static void push(sn_scope *s, const sn_ast_queue *q)
{
    sn_elab *e = s->e;
    const char *full = full_name(s, &q->name);
    char found[160];
    sn_ref ref;
    if (sn_elab_when(s, &q->when, full) != SN_EXISTS) return;
    if (!q->push.s) {
        sn_elab_error(e, q->loc, full, "queue without `push`");
        return;
    }
    if (!sn_scope_ref(s, q->push.s, q->push.loc, full, &ref, NULL) || sn_is_none(ref)) return;
    uint32_t index = q->name.s ? sn_graph_find_param(e->g, memory_name(s, &q->name)) : UINT32_MAX;
    if (index == UINT32_MAX) return;
    const sn_type *t = &sn_at(e->g, ref)->type, *ring = &e->g->param[index].type;
    if (t->rank == 2 && sn_dim_equal(t->dim[1], ring->dim[1])) {
        sn_graph_update(e->g, SN_ENQUEUE, index, ref, q->push.loc);
        return;
    }
    sn_type_text(&e->g->dims, t, found, sizeof found);
    sn_elab_error(e, q->push.loc, full, "push: \"%s\" is %s, expected rows f32[B,%lld]", q->push.s, found, (long long)ring->dim[1].v);
}

void sn_elab_updates(sn_scope *s)
{
    for (uint32_t i = 0; i < s->module->states; i++) next(s, &s->module->state[i]);
    for (uint32_t i = 0; i < s->module->queues; i++) push(s, &s->module->queue[i]);
}
