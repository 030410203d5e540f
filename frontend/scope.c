/* Names of one module instance: parameters, dimensions, values; numbers computed from them.
 * Not shapes (shape.c) and not tensors' formulas (formula.c). */
#include <math.h>
#include <string.h>

#include "elaborate.h"
#include "locate.h"

const char *sn_scope_full(const sn_scope *s, const char *name)
{
    if (!s->prefix[0]) return name;
    return sn_format(&s->e->arena, "%s.%s", s->prefix, name);
}

sn_binding *sn_scope_find(const sn_scope *s, const char *name)
{
    for (uint32_t i = 0; i < s->bindings; i++)
        if (strcmp(s->binding[i].name, name) == 0) return &s->binding[i];
    return NULL;
}

/* ---- binding ------------------------------------------------------------------------------------------------------------ */

static const char *const kind_word[] = {"a parameter", "a dimension", "a value", "a value"};

sn_binding *sn_scope_bind_name(sn_scope *s, const char *name, sn_loc loc, sn_bind_kind kind, const char *node)
{
    sn_binding *b = sn_scope_find(s, name);
    if (b && b->kind == SN_BIND_ABSENT && (kind == SN_BIND_VALUE || kind == SN_BIND_ABSENT)) return b->kind = kind, b->loc = loc, b;
    if (b && b->kind == SN_BIND_VALUE && kind == SN_BIND_ABSENT) return b; /* the other alternative exists */
    if (b && b->kind == SN_BIND_VALUE && b->maybe && kind == SN_BIND_VALUE) return b;
    if (b) {
        sn_elab_error(s->e, loc, node, "the name \"%s\" is taken by %s", name, kind_word[b->kind]);
        sn_elab_note(s->e, b->loc, "which is declared here");
        return NULL;
    }
    if (s->bindings == s->capacity) {
        uint32_t room = s->capacity ? 2 * s->capacity : 32;
        sn_binding *grown = sn_new_n(&s->e->arena, sn_binding, room);
        if (s->bindings) memcpy(grown, s->binding, s->bindings * sizeof *grown);
        s->binding = grown;
        s->capacity = room;
    }
    b = &s->binding[s->bindings++];
    *b = (sn_binding){.name = name, .kind = kind, .loc = loc, .ref = SN_NONE};
    return b;
}

sn_binding *sn_scope_bind(sn_scope *s, const sn_text *name, sn_loc loc, sn_bind_kind kind, const char *node)
{
    if (!name->s) {
        sn_elab_error(s->e, loc, node, "`name` is missing");
        return NULL;
    }
    if (!sn_is_name(name->s) || strcmp(name->s, "training") == 0) {
        sn_elab_error(s->e, name->loc, node, "found \"%s\", expected a name of letters, digits and underscores%s", name->s,
                      sn_is_name(name->s) ? " other than `training`" : "");
        return NULL;
    }
    return sn_scope_bind_name(s, name->s, name->loc, kind, node);
}

/* ---- unknown names ------------------------------------------------------------------------------------------------------ */

static bool stands_below(const sn_scope *s, const char *name)
{
    for (uint32_t i = s->node; i < s->module->nodes; i++)
        if (s->module->node[i].name.s && strcmp(s->module->node[i].name.s, name) == 0) return true;
    return false;
}

void sn_scope_unknown(sn_scope *s, const char *name, bool tensors, char *out, size_t n)
{
    const char **candidate = sn_new_n(&s->e->arena, const char *, s->bindings + 1);
    uint32_t k = 0;
    for (uint32_t i = 0; i < s->bindings; i++)
        if (tensors || s->binding[i].kind == SN_BIND_PARAM || s->binding[i].kind == SN_BIND_DIM) candidate[k++] = s->binding[i].name;
    const sn_binding *b = sn_scope_find(s, name);
    const char *near = sn_nearest(name, candidate, k);
    if (b && b->kind == SN_BIND_ABSENT) snprintf(out, n, "\"%s\" does not exist here, its condition is 0: %s", name, b->condition);
    else if (b) snprintf(out, n, "\"%s\" is a tensor, expected a parameter or a dimension", name);
    else if (tensors && stands_below(s, name)) snprintf(out, n, "\"%s\" stands below; a node reads what stands above it", name);
    else if (near) snprintf(out, n, "unknown name \"%s\"; did you mean \"%s\"?", name, near);
    else if (tensors) snprintf(out, n, "unknown name \"%s\"", name);
    else snprintf(out, n, "unknown name \"%s\", expected a parameter or a dimension", name);
}

/* ---- numbers ------------------------------------------------------------------------------------------------------------ */

static bool name_value(void *ctx, const char *name, sn_num *out, sn_expr_error *error)
{
    sn_scope *s = ctx;
    if (strcmp(name, "training") == 0) return *out = s->e->dry ? sn_num_unknown() : sn_num_int(s->e->training), true;
    sn_binding *b = sn_scope_find(s, name);
    if (!b || b->kind > SN_BIND_DIM) {
        sn_scope_unknown(s, name, false, error->text, sizeof error->text);
        return false;
    }
    if (b->fallback && b->busy) {
        snprintf(error->text, sizeof error->text, "parameter \"%s\" depends on itself", name);
        return false;
    }
    if (b->fallback) {
        const sn_value *v = b->fallback;
        uint32_t index = (uint32_t)(b - s->binding);
        b->busy = true;
        sn_num num = sn_scope_number(s, v, s->prefix[0] ? s->prefix : s->module->name.s, name);
        b = &s->binding[index];
        b->num = num;
        b->fallback = NULL;
        b->busy = false;
    }
    *out = b->num;
    return true;
}

sn_expr_scope sn_scope_numbers(sn_scope *s) { return (sn_expr_scope){.name = name_value, .ctx = s, .dims = &s->e->g->dims}; }

const char *sn_value_word(const sn_value *v)
{
    switch (v->kind) {
    case SN_VALUE_NULL: return "null";
    case SN_VALUE_LIST: return "a list";
    case SN_VALUE_MAP: return "a map";
    case SN_VALUE_ABSENT: return "nothing";
    case SN_VALUE_STRING: return "a string";
    default: return "a number";
    }
}

sn_num sn_scope_number(sn_scope *s, const sn_value *v, const char *node, const char *what)
{
    sn_expr_error error;
    sn_num out = sn_num_unknown();
    if (v->kind == SN_VALUE_BOOL || v->kind == SN_VALUE_INT) return sn_num_int(v->integer);
    if (v->kind == SN_VALUE_REAL) return sn_num_real(v->real);
    if (v->kind != SN_VALUE_STRING) {
        sn_elab_error(s->e, v->loc, node, "%s: found %s, expected a number or an expression in quotes", what, sn_value_word(v));
        return out;
    }
    sn_expr_scope scope = sn_scope_numbers(s);
    const sn_expr *x = sn_expr_parse(v->string, &s->e->arena, &error);
    if (x && sn_expr_eval(x, &scope, &out, &error)) return out;
    sn_loc loc = sn_loc_inside(s->e->diags, v->loc, v->string, error.off, error.len);
    if (scope.free) sn_elab_free_error(s->e, loc, node, "%s: %s", what, error.text);
    else sn_elab_error(s->e, loc, node, "%s: %s", what, error.text);
    return sn_num_unknown();
}

bool sn_scope_int(sn_scope *s, const sn_value *v, const char *node, const char *what, int64_t low, int64_t high, int64_t *out)
{
    char text[64];
    sn_num a = sn_scope_number(s, v, node, what);
    if (a.kind == SN_NUM_REAL && a.r == floor(a.r) && fabs(a.r) < 1e15) a = sn_num_int((int64_t)a.r);
    sn_num_text(&s->e->g->dims, a, text, sizeof text);
    if (a.kind == SN_NUM_UNKNOWN) return false;
    if (a.kind == SN_NUM_DIM) sn_elab_free_error(s->e, v->loc, node, "%s: found %s, a dimension that is free until run time, expected a number", what, text);
    else if (a.kind == SN_NUM_REAL) sn_elab_error(s->e, v->loc, node, "%s: found %s, expected a whole number", what, text);
    else if (a.i < low) sn_elab_error(s->e, v->loc, node, "%s: found %s, expected at least %lld", what, text, (long long)low);
    else if (a.i > high) sn_elab_error(s->e, v->loc, node, "%s: found %s, expected at most %lld", what, text, (long long)high);
    else return *out = a.i, true;
    return false;
}

bool sn_scope_real(sn_scope *s, const sn_value *v, const char *node, const char *what, double *out)
{
    char text[64];
    sn_num a = sn_scope_number(s, v, node, what);
    if (a.kind == SN_NUM_UNKNOWN) return false;
    if (a.kind != SN_NUM_DIM) return *out = sn_num_value(a), true;
    sn_num_text(&s->e->g->dims, a, text, sizeof text);
    sn_elab_free_error(s->e, v->loc, node, "%s: found %s, a dimension that is free until run time, expected a number", what, text);
    return false;
}

/* ---- parameters --------------------------------------------------------------------------------------------------------- */

void sn_scope_params(sn_scope *s, sn_arg *arg, uint32_t args, const char *node)
{
    const sn_value *p = &s->module->params;
    const char *name = s->prefix[0] ? s->prefix : s->module->name.s;
    if (p->kind != SN_VALUE_ABSENT && p->kind != SN_VALUE_MAP)
        sn_elab_error(s->e, p->loc, name, "params: found %s, expected a map { name: default }", sn_value_word(p));
    for (uint32_t i = 0; p->kind == SN_VALUE_MAP && i < p->n; i++) {
        sn_text key = {p->key[i], p->key_loc[i]};
        sn_binding *b = sn_scope_bind(s, &key, p->key_loc[i], SN_BIND_PARAM, name);
        if (b) b->fallback = &p->item[i];
    }
    for (uint32_t i = 0; i < args; i++) {
        sn_binding *b = sn_scope_find(s, arg[i].name);
        arg[i].used = b != NULL;
        if (!b) continue;
        b->fallback = NULL;
        b->num = arg[i].num;
    }
    for (uint32_t i = 0; i < args && s->prefix[0]; i++) { /* the program's own --set are reported where they are read */
        if (arg[i].used) continue;
        const char *near = p->kind == SN_VALUE_MAP ? sn_nearest(arg[i].name, p->key, p->n) : NULL;
        if (near) sn_elab_error(s->e, arg[i].loc, node, "%s has no parameter \"%s\"; did you mean \"%s\"?", s->module->name.s, arg[i].name, near);
        else sn_elab_error(s->e, arg[i].loc, node, "%s has no parameter \"%s\"", s->module->name.s, arg[i].name);
    }
    sn_num ignored;
    sn_expr_error error;
    for (uint32_t i = 0; i < s->bindings; i++) /* defaults are evaluated even if nothing reads them */
        if (s->binding[i].fallback) name_value(s, s->binding[i].name, &ignored, &error);
}

/* ---- references --------------------------------------------------------------------------------------------------------- */

bool sn_scope_ref(sn_scope *s, const char *text, sn_loc loc, const char *node, sn_ref *out, const sn_results **results)
{
    char why[256];
    size_t n = strcspn(text, ".");
    const char *head = sn_strndup(&s->e->arena, text, n);
    const sn_binding *b = sn_scope_find(s, head);
    *out = SN_NONE;
    if (results) *results = NULL;
    if (!b || b->kind == SN_BIND_ABSENT) {
        sn_scope_unknown(s, head, true, why, sizeof why);
        sn_elab_error(s->e, loc, node, "%s", why);
        return false;
    }
    if (b->kind != SN_BIND_VALUE) {
        sn_elab_error(s->e, loc, node, "\"%s\" is %s, expected a value", head, kind_word[b->kind]);
        return false;
    }
    *out = b->ref;
    if (!text[n]) {
        if (results) *results = b->results;
        return true;
    }
    *out = SN_NONE;
    if (!b->results) {
        if (b->maybe) return true;
        sn_elab_error(s->e, loc, node, "\"%s\" is one tensor and has no \"%s\"", head, text + n + 1);
        return false;
    }
    for (uint32_t i = 0; i < b->results->n; i++) {
        if (strcmp(b->results->name[i], text + n + 1) != 0) continue;
        *out = b->results->ref[i];
        if (!b->results->absent[i]) return true;
        sn_elab_error(s->e, loc, node, "\"%s\" does not exist here, its condition is 0: %s", text, b->results->absent[i]);
        return false;
    }
    const char *near = sn_nearest(text + n + 1, b->results->name, b->results->n);
    if (near) sn_elab_error(s->e, loc, node, "%s has no output or tap \"%s\"; did you mean \"%s\"?", b->results->module->name.s, text + n + 1, near);
    else sn_elab_error(s->e, loc, node, "%s has no output or tap \"%s\"", b->results->module->name.s, text + n + 1);
    return false;
}
