/* Shapes of graph files: names bound by what is given, expressions, "...".
 * Not the shape rules of operators (ir/). */
#include <string.h>

#include "elaborate.h"
#include "locate.h"

enum { MOST = 0x7fffffff };

static bool is_ellipsis(const sn_value *v) { return v->kind == SN_VALUE_STRING && strcmp(v->string, "...") == 0; }

const char *sn_shape_text(sn_arena *a, const sn_value *shape)
{
    const char *text = "[";
    for (uint32_t i = 0; shape->kind == SN_VALUE_LIST && i < shape->n; i++) {
        const sn_value *v = &shape->item[i];
        const char *comma = i ? ", " : "";
        if (v->kind == SN_VALUE_STRING) text = sn_format(a, "%s%s%s", text, comma, v->string);
        else text = sn_format(a, "%s%s%lld", text, comma, (long long)v->integer);
    }
    return sn_format(a, "%s]", text);
}

static bool is_list(sn_scope *s, const sn_value *shape, const char *node)
{
    if (shape->kind == SN_VALUE_LIST || shape->kind == SN_VALUE_ABSENT) return true;
    sn_elab_error(s->e, shape->loc, node, "shape: found %s, expected a list [\"N\", \"T\", 25]", sn_value_word(shape));
    return false;
}

/* A dimension of a shape; false when poison. */
static bool eval_dim(sn_scope *s, const sn_value *v, const char *node, sn_dim *out)
{
    char text[64];
    sn_num a = sn_scope_number(s, v, node, "shape");
    sn_num_text(&s->e->g->dims, a, text, sizeof text);
    if (a.kind == SN_NUM_DIM) return *out = a.d, true;
    if (a.kind == SN_NUM_REAL) sn_elab_error(s->e, v->loc, node, "shape: found the dimension %s, expected a whole number", text);
    if (a.kind == SN_NUM_INT && (a.i < 1 || a.i > MOST)) sn_elab_error(s->e, v->loc, node, "shape: found the dimension %s, expected 1 to %d", text, MOST);
    else if (a.kind == SN_NUM_INT) return *out = sn_dim_const(a.i), true;
    return false;
}

bool sn_shape_eval(sn_scope *s, const sn_value *shape, const char *node, sn_type *out)
{
    sn_type t = {0};
    bool ok = is_list(s, shape, node), seen = false;
    for (uint32_t i = 0; i < shape->n; i++) {
        const sn_value *v = &shape->item[i];
        bool dots = is_ellipsis(v);
        if (dots && seen) sn_elab_error(s->e, v->loc, node, "shape: \"...\" stands twice");
        else if (dots && !s->has_ellipsis) sn_elab_error(s->e, v->loc, node, "shape: \"...\" here, but no input of %s has it", s->module->name.s);
        if (dots && (seen || !s->has_ellipsis)) return false;
        seen = seen || dots;
        uint32_t n = dots ? s->ellipsis : 1;
        if (t.rank + n > SN_MAX_RANK) {
            sn_elab_error(s->e, v->loc, node, "shape: more than %d dimensions", SN_MAX_RANK);
            return false;
        }
        for (uint32_t k = 0; dots && k < n; k++) t.dim[t.rank++] = s->leading[k];
        if (dots) ok = ok && s->ellipsis_known;
        else if (!eval_dim(s, v, node, &t.dim[t.rank])) ok = false;
        else t.rank++;
    }
    char why[256];
    if (ok && !sn_type_legal(&s->e->g->dims, &t, why, sizeof why)) {
        sn_elab_error(s->e, shape->loc, node, "%s", why);
        return false;
    }
    if (ok) *out = t;
    return ok;
}

bool sn_shape_fixed(sn_scope *s, const sn_value *shape, const char *node, const char *what, sn_type *out)
{
    char text[64];
    double count = 1;
    if (!sn_shape_eval(s, shape, node, out)) return false;
    for (uint8_t i = 0; i < out->rank; i++) {
        if (!sn_dim_is_const(out->dim[i])) {
            sn_dim_text(&s->e->g->dims, out->dim[i], text, sizeof text);
            sn_elab_free_error(s->e, shape->loc, node, "%s has shape %s, where %s is free until run time, expected numbers", what,
                               sn_shape_text(&s->e->arena, shape), text);
            return false;
        }
        count *= (double)out->dim[i].v;
    }
    if (count <= (double)MOST) return true;
    sn_elab_error(s->e, shape->loc, node, "%s has %.0f elements, expected at most %d", what, count, MOST);
    return false;
}

/* ---- binding inputs ----------------------------------------------------------------------------------------------------- */

/* A name alone that is no parameter: bound by what is given. */
static const char *lone_name(const sn_scope *s, const sn_value *v)
{
    if (v->kind != SN_VALUE_STRING || !sn_is_name(v->string) || strcmp(v->string, "training") == 0) return NULL;
    const sn_binding *b = sn_scope_find(s, v->string);
    return b && b->kind == SN_BIND_PARAM ? NULL : v->string;
}

static void bind_dim(sn_scope *s, const sn_value *v, const char *name, sn_num num)
{
    if (sn_scope_find(s, name)) return;
    sn_binding *b = sn_scope_bind_name(s, name, v->loc, SN_BIND_DIM, NULL);
    if (b) b->num = num;
}

static uint32_t ellipsis_at(const sn_value *shape)
{
    for (uint32_t i = 0; i < shape->n; i++)
        if (is_ellipsis(&shape->item[i])) return i;
    return UINT32_MAX;
}

static bool bind_ellipsis(sn_scope *s, const sn_type *t, uint32_t n)
{
    bool equal = !s->ellipsis_known || s->ellipsis == n;
    for (uint32_t i = 0; equal && s->ellipsis_known && i < n; i++) equal = sn_dim_equal(s->leading[i], t->dim[i]);
    if (s->ellipsis_known) return equal;
    s->ellipsis_known = true;
    s->ellipsis = (uint8_t)n;
    for (uint32_t i = 0; i < n; i++) s->leading[i] = t->dim[i];
    return true;
}

static void mismatch(sn_scope *s, const sn_ast_input *in, const sn_type *t, const sn_given *given, const char *node, const char *detail)
{
    char found[160];
    sn_type_text(&s->e->g->dims, t, found, sizeof found);
    sn_elab_error(s->e, given->loc, node, "%s: input \"%s\" is %s, expected %s%s", s->module->name.s, in->name.s ? in->name.s : "?", found,
                  sn_shape_text(&s->e->arena, &in->shape), detail);
    sn_elab_note(s->e, in->shape.loc, "the input is declared here");
}

/* First pass over an input: rank, names, dots.  False if its shape cannot be used further. */
static bool bind_names(sn_scope *s, const sn_ast_input *in, const sn_given *given, const char *node)
{
    const sn_value *shape = &in->shape;
    uint32_t dots = ellipsis_at(shape);
    bool open = dots != UINT32_MAX;
    s->has_ellipsis = s->has_ellipsis || open;
    if (sn_is_none(given->ref)) return false;
    const sn_type t = sn_at(s->e->g, given->ref)->type;
    if (open ? t.rank + 1u < shape->n : t.rank != shape->n) {
        mismatch(s, in, &t, given, node, "");
        return false;
    }
    uint32_t more = open ? t.rank + 1u - shape->n : 0;
    for (uint32_t i = 0, d = 0; i < shape->n; i++, d++) {
        const char *name = lone_name(s, &shape->item[i]);
        if (i == dots) {
            sn_type rest = t;
            memmove(rest.dim, t.dim + d, more * sizeof *rest.dim);
            if (!bind_ellipsis(s, &rest, more)) {
                mismatch(s, in, &t, given, node, ", where ... was bound differently by another input");
                return false;
            }
            d += more - 1; /* wraps for more == 0, and back at the increment */
        } else if (name) {
            bind_dim(s, &shape->item[i], name, sn_num_dim(t.dim[d]));
        }
    }
    return true;
}

/* Second pass: every element must equal what is given; false after a diagnostic. */
static bool compare_dims(sn_scope *s, const sn_ast_input *in, const sn_given *given, const char *node)
{
    const sn_type t = sn_at(s->e->g, given->ref)->type;
    uint32_t dots = ellipsis_at(&in->shape);
    for (uint32_t i = 0; i < in->shape.n; i++) {
        sn_dim want;
        uint32_t d = i < dots ? i : t.rank - (in->shape.n - i);
        if (i == dots || !eval_dim(s, &in->shape.item[i], node, &want) || sn_dim_equal(want, t.dim[d])) continue;
        char text[64];
        const sn_value *v = &in->shape.item[i];
        sn_dim_text(&s->e->g->dims, want, text, sizeof text);
        mismatch(s, in, &t, given, node, v->kind == SN_VALUE_STRING ? sn_format(&s->e->arena, " with %s = %s", v->string, text) : "");
        return false;
    }
    return true;
}

static bool check_input(sn_scope *s, const sn_ast_input *in, const char *node)
{
    uint32_t dots = 0;
    for (uint32_t i = 0; in->shape.kind == SN_VALUE_LIST && i < in->shape.n; i++) dots += is_ellipsis(&in->shape.item[i]);
    if (in->shape.kind == SN_VALUE_ABSENT) sn_elab_error(s->e, in->loc, node, "input without `shape`");
    else if (dots > 1) sn_elab_error(s->e, in->shape.loc, node, "shape: \"...\" stands twice");
    else return is_list(s, &in->shape, node);
    return false;
}

/* ---- inputs that depend on parameters ------------------------------------------------------------------------------------- */

static bool alternatives(const sn_ast_input *a, const sn_ast_input *b) { return a == b || (a->name.s && b->name.s && strcmp(a->name.s, b->name.s) == 0); }

static bool stands_above(const sn_ast_module *m, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++)
        if (alternatives(&m->input[k], &m->input[i])) return true;
    return false;
}

uint32_t sn_shape_inputs(const sn_ast_module *m)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->inputs; i++) n += !stands_above(m, i);
    return n;
}

const char *sn_shape_input_names(sn_arena *a, const sn_ast_module *m)
{
    const char *names = "";
    for (uint32_t i = 0; i < m->inputs; i++)
        if (!stands_above(m, i)) names = sn_format(a, "%s%s%s", names, i ? ", " : "", m->input[i].name.s ? m->input[i].name.s : "?");
    return names;
}

/* The alternative that exists of the input number `first`, in a dry run the first that may; NULL after a diagnostic. */
static const sn_ast_input *existing(sn_scope *s, uint32_t first, const char *node)
{
    const sn_ast_input *a = &s->module->input[first], *found = NULL;
    bool sure = false;
    for (uint32_t i = first; i < s->module->inputs; i++) {
        const sn_ast_input *x = &s->module->input[i];
        sn_presence p = alternatives(a, x) ? sn_elab_when(s, &x->when, x->name.s) : SN_ABSENT;
        if (p == SN_ABSENT) continue;
        if (!found) found = x, sure = p == SN_EXISTS;
        else if (sure && p == SN_EXISTS) {
            sn_elab_error(s->e, x->name.loc, node, "input \"%s\" exists twice", x->name.s);
            sn_elab_note(s->e, found->name.loc, "also as declared here");
        }
    }
    if (!found) sn_elab_error(s->e, a->name.loc, node, "input \"%s\" does not exist here, its condition is 0: %s", a->name.s, sn_elab_condition(&a->when));
    return found;
}

/* One of each name; without an alternative the first stands for it. */
static const sn_ast_input **inputs_of(sn_scope *s, const char *node)
{
    const sn_ast_module *m = s->module;
    const sn_ast_input **out = sn_new_n(&s->e->arena, const sn_ast_input *, m->inputs + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->inputs; i++) {
        if (stands_above(m, i)) continue;
        const sn_ast_input *x = existing(s, i, node);
        out[n++] = x ? x : &m->input[i];
    }
    return out;
}

void sn_shape_bind(sn_scope *s, const sn_given *in, const char *node)
{
    const sn_ast_input **input = inputs_of(s, node);
    uint32_t n = sn_shape_inputs(s->module);
    bool *usable = sn_new_n(&s->e->arena, bool, n + 1);
    for (uint32_t i = 0; i < n; i++) usable[i] = check_input(s, input[i], s->prefix) && bind_names(s, input[i], &in[i], node);
    for (uint32_t i = 0; i < n; i++) /* names that only poison would bind */
        for (uint32_t k = 0; input[i]->shape.kind == SN_VALUE_LIST && k < input[i]->shape.n; k++) {
            const sn_value *v = &input[i]->shape.item[k];
            const char *name = lone_name(s, v);
            if (name) bind_dim(s, v, name, sn_num_unknown());
        }
    for (uint32_t i = 0; i < n; i++) {
        usable[i] = usable[i] && compare_dims(s, input[i], &in[i], node);
        sn_binding *b = sn_scope_bind(s, &input[i]->name, input[i]->loc, SN_BIND_VALUE, node);
        if (b) b->ref = usable[i] ? in[i].ref : SN_NONE;
    }
}

void sn_shape_declare(sn_scope *s, sn_arg *set, uint32_t sets)
{
    sn_elab *e = s->e;
    const sn_ast_input **input = inputs_of(s, NULL);
    for (uint32_t i = 0, n = sn_shape_inputs(s->module); i < n; i++) {
        const sn_ast_input *in = input[i];
        sn_type t;
        sn_ref ref = SN_NONE;
        bool ok = check_input(s, in, in->name.s);
        if (ok && ellipsis_at(&in->shape) != UINT32_MAX) {
            sn_elab_free_error(e, in->shape.loc, in->name.s, "an input of a program needs a fixed number of dimensions, found %s: "
                               "%s is for use inside other modules", sn_shape_text(&e->arena, &in->shape), s->module->name.s);
            s->has_ellipsis = true;
            ok = false;
        }
        for (uint32_t k = 0; in->shape.kind == SN_VALUE_LIST && k < in->shape.n; k++) {
            const char *name = lone_name(s, &in->shape.item[k]);
            if (!name || is_ellipsis(&in->shape.item[k])) continue;
            sn_num num = sn_num_unknown();
            for (uint32_t j = 0; j < sets; j++)
                if (strcmp(set[j].name, name) == 0) num = set[j].num, set[j].used = true;
            if (num.kind == SN_NUM_UNKNOWN) num = sn_num_dim(sn_dim_symbol(&e->g->dims, name));
            bind_dim(s, &in->shape.item[k], name, num);
        }
        if (ok && sn_shape_eval(s, &in->shape, in->name.s, &t) && in->name.s && sn_is_name(in->name.s) && sn_graph_find_param(e->g, in->name.s) == UINT32_MAX)
            ref = sn_graph_param(e->g, in->name.s, SN_INPUT, &t, (sn_init){SN_INIT_CONSTANT, 0, 0}, in->name.loc);
        sn_binding *b = sn_scope_bind(s, &in->name, in->loc, SN_BIND_VALUE, in->name.s);
        if (b) b->ref = ref;
    }
}
