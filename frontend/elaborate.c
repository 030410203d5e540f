/* Elaboration, from the outside: overrides, the program's module, its outputs; checking a whole file; reporting once.
 * Not the making of instances (instance.c). */
#include "elaborate.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "locate.h"

/* ---- errors ------------------------------------------------------------------------------------------------------------- */

static bool same_place(const sn_loc *a, const sn_loc *b)
{
    return a->source == b->source && a->off == b->off && a->len == b->len && !a->path == !b->path && (!a->path || strcmp(a->path, b->path) == 0);
}

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

/* An error at this place for another instance, or this very one, was reported before. */
static bool reported(const sn_diags *d, sn_loc loc, const char *node, const char *text)
{
    for (uint32_t i = 0; i < d->count; i++) {
        const sn_diag *x = &d->diag[i];
        if (x->severity == SN_ERROR && same_place(&x->loc, &loc) && (!same_text(x->node, node) || same_text(x->text, text))) return true;
    }
    return false;
}

static bool add(sn_elab *e, sn_loc loc, const char *node, const char *text)
{
    if (node && !*node) node = NULL;
    e->errors++;
    if (e->diags->errors >= SN_MAX_ERRORS || reported(e->diags, loc, node, text)) return false;
    sn_error(e->diags, loc, node, "%s", text);
    if (e->diags->errors == SN_MAX_ERRORS) sn_note(e->diags, loc, NULL, "these are %d mistakes; further ones are not shown", SN_MAX_ERRORS);
    return true;
}

static char *format(sn_elab *e, const char *f, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, f, again);
    va_end(again);
    char *text = sn_alloc(&e->arena, (size_t)(n > 0 ? n : 0) + 1);
    vsnprintf(text, (size_t)n + 1, f, args);
    return text;
}

void sn_elab_error(sn_elab *e, sn_loc loc, const char *node, const char *f, ...)
{
    va_list args;
    va_start(args, f);
    e->noted = add(e, loc, node, format(e, f, args));
    va_end(args);
}

void sn_elab_free_error(sn_elab *e, sn_loc loc, const char *node, const char *f, ...)
{
    va_list args;
    va_start(args, f);
    e->noted = add(e, loc, node, format(e, f, args));
    e->free++;
    va_end(args);
}

void sn_elab_note(sn_elab *e, sn_loc loc, const char *f, ...)
{
    va_list args;
    va_start(args, f);
    if (e->noted) sn_note(e->diags, loc, NULL, "%s", format(e, f, args));
    va_end(args);
}

void sn_elab_at(sn_elab *e, sn_loc loc, const char *name)
{
    e->b.loc = loc;
    e->b.name = name;
}

void sn_elab_drain(sn_elab *e)
{
    for (uint32_t i = 0; i < e->caught.count; i++) {
        const sn_diag *x = &e->caught.diag[i];
        if (x->severity == SN_ERROR) e->noted = add(e, x->loc, x->node, x->text);
        else if (e->noted) sn_note(e->diags, x->loc, x->node, "%s", x->text);
    }
    e->caught.count = e->caught.errors = 0;
}

void sn_elab_init(sn_elab *e, const sn_model *m, const char *name, sn_diags *diags)
{
    memset(e, 0, sizeof *e);
    e->model = m;
    e->diags = diags;
    e->stream = 1;
    e->g = sn_graph_new(name);
    sn_arena_init(&e->arena);
    sn_diags_init(&e->caught);
    e->b = (sn_build){.g = e->g, .diags = &e->caught};
}

void sn_elab_fini(sn_elab *e)
{
    sn_diags_fini(&e->caught);
    sn_arena_fini(&e->arena);
}

/* ---- overrides ---------------------------------------------------------------------------------------------------------- */

static bool no_names(void *ctx, const char *name, sn_num *out, sn_expr_error *error)
{
    (void)ctx, (void)out;
    snprintf(error->text, sizeof error->text, "found the name \"%s\", expected a number", name);
    return false;
}

/* The text of an override is a source of its own, so that a mistake has a place; the same text is the same source. */
static uint32_t set_source(sn_diags *diags, const char *set)
{
    for (uint32_t i = 1; i < diags->sources; i++) {
        const sn_source *s = &diags->source[i];
        if (strcmp(s->file, "--set") == 0 && s->text && strcmp(s->text, set) == 0) return i;
    }
    return sn_diags_source(diags, "--set", set, strlen(set));
}

static bool set_error(sn_diags *diags, sn_loc loc, const char *text)
{
    if (!reported(diags, loc, NULL, text)) sn_error(diags, loc, NULL, "%s", text);
    return false;
}

/* "hidden=64" to a parameter. */
static bool read_set(const char *set, sn_arena *arena, sn_dims *dims, sn_diags *diags, sn_arg *out)
{
    sn_expr_error error;
    sn_expr_scope scope = {.name = no_names, .dims = dims};
    sn_loc loc = {.source = set_source(diags, set), .len = (uint32_t)strlen(set)};
    const char *equals = strchr(set, '=');
    *out = (sn_arg){.loc = loc};
    if (!equals || equals == set || !equals[1]) return set_error(diags, loc, "expected name=value");
    out->name = sn_strndup(arena, set, (size_t)(equals - set));
    out->loc.len = (uint32_t)(equals - set);
    if (strcmp(equals + 1, "true") == 0 || strcmp(equals + 1, "false") == 0) return out->num = sn_num_int(equals[1] == 't'), true;
    const sn_expr *x = sn_expr_parse(equals + 1, arena, &error);
    if (x && sn_expr_eval(x, &scope, &out->num, &error)) return true;
    loc.off = (uint32_t)(equals + 1 - set) + error.off;
    loc.len = error.len ? error.len : 1;
    return set_error(diags, loc, sn_format(arena, "%s: %s", out->name, error.text));
}

sn_arg *sn_elab_sets(const sn_program_options *o, sn_arena *arena, sn_dims *dims, sn_diags *diags, uint32_t *count)
{
    sn_arg *arg = sn_new_n(arena, sn_arg, o->sets + 1);
    *count = 0;
    for (uint32_t i = 0; i < o->sets; i++)
        if (read_set(o->set[i], arena, dims, diags, &arg[*count])) {
            uint32_t k = 0;
            while (k < *count && strcmp(arg[k].name, arg[*count].name) != 0) k++;
            if (k < *count) arg[k] = arg[*count]; /* the last one counts */
            else (*count)++;
        }
    return arg;
}

/* ---- programs ----------------------------------------------------------------------------------------------------------- */

static const sn_ast_module *main_module(const sn_model *m, const char *name, const sn_file **file, sn_diags *diags)
{
    const sn_ast_file *f = &m->file[0].ast;
    const sn_loc whole = {.source = m->file[0].source};
    if (!name) name = sn_model_main(m);
    if (!name) {
        sn_error(diags, whole, NULL, "the file declares no module");
        return NULL;
    }
    const sn_ast_module *found = sn_model_find(m, &m->file[0], name, file);
    if (found) return found;
    const char **candidate = calloc(f->modules + 1, sizeof *candidate);
    SN_ASSERT(candidate, "out of memory");
    for (uint32_t i = 0; i < f->modules; i++) candidate[i] = f->module[i].name.s;
    const char *near = sn_nearest(name, candidate, f->modules);
    sn_loc at = f->recipe.module.s && strcmp(f->recipe.module.s, name) == 0 ? f->recipe.module.loc : whole;
    if (near) sn_error(diags, at, NULL, "no module \"%s\"; did you mean \"%s\"?", name, near);
    else sn_error(diags, at, NULL, "no module \"%s\"", name);
    free(candidate);
    return NULL;
}

/* "RESULT", "INSTANCE" or "INSTANCE.RESULT" as `full` names it; r is one instance. */
static sn_ref result_named(const sn_results *r, const char *full)
{
    size_t n = strlen(r->instance);
    if (strncmp(full, r->instance, n) != 0 || (n && full[n] && full[n] != '.')) return SN_NONE;
    if (!full[n]) return r->n ? r->ref[0] : SN_NONE;
    for (uint32_t i = 0; i < r->n; i++)
        if (strcmp(r->name[i], full + n + (n > 0)) == 0) return r->ref[i];
    return SN_NONE;
}

/* What options->value means. */
static sn_ref find_value(sn_elab *e, const char *full)
{
    sn_ref found = SN_NONE;
    for (uint32_t i = e->mades; i-- > 0 && sn_is_none(found);) found = result_named(e->made[i], full);
    for (uint32_t i = e->g->nodes; i-- > 0 && sn_is_none(found);)
        if (e->g->node[i].name && strcmp(e->g->node[i].name, full) == 0) found = (sn_ref){i};
    return found;
}

static void only_value(sn_elab *e, const sn_ast_module *m, const char *full)
{
    sn_loc at = {.source = sn_diags_source(e->diags, "value", full, strlen(full)), .len = (uint32_t)strlen(full)};
    const char **candidate = sn_new_n(&e->arena, const char *, e->mades + 1);
    for (uint32_t i = 0; i < e->mades; i++) candidate[i] = e->made[i]->instance;
    sn_ref found = find_value(e, full);
    const char *near = sn_nearest(full, candidate, e->mades);
    if (!sn_is_none(found)) sn_graph_output(e->g, "value", found, at);
    else if (near && *near) sn_elab_error(e, at, NULL, "%s has no value \"%s\"; did you mean \"%s\"?", m->name.s, full, near);
    else sn_elab_error(e, at, NULL, "%s has no value \"%s\"", m->name.s, full);
}

static void make_program(sn_elab *e, const sn_ast_module *m, const sn_file *file, const sn_program_options *o)
{
    sn_call c = {.file = file, .module = m, .name = "", .loc = m->name.loc};
    c.arg = sn_elab_sets(o, &e->arena, &e->g->dims, e->diags, &c.args);
    e->errors += c.args < o->sets && e->diags->errors; /* a wrong one was left out */
    const sn_results *r = sn_elab_instance(e, &c);
    if (r && o->value && !e->errors) only_value(e, m, o->value);
    if (o->value) return;
    uint32_t n = r ? (o->taps ? r->n : m->outputs) : 0;
    for (uint32_t i = 0; r && i < n && i < r->n; i++) {
        const sn_ast_output *x = i < m->outputs ? &m->output[i] : &m->tap[i - m->outputs];
        if (!sn_is_none(r->ref[i])) sn_graph_output(e->g, r->name[i], r->ref[i], x->name.loc);
    }
}

/* What a stage has no more cannot be asked for. */
static sn_graph *stage_graph(const sn_model *m, const sn_program_options *o, sn_diags *diags)
{
    const sn_loc whole = {.source = m->stage->source};
    if (o->sets) sn_error(diags, whole, NULL, "--set %s: a stage has no parameters left: set them when it is written", o->set[0]);
    else if (o->module && strcmp(o->module, m->stage->graph) != 0) sn_error(diags, whole, NULL, "no module \"%s\": it is a stage of %s", o->module, m->stage->graph);
    else if (o->value) sn_error(diags, whole, NULL, "a stage has the outputs it has, no other value is to be had");
    else return sn_stage_graph(m->stage, diags);
    return NULL;
}

sn_graph *sn_model_elaborate(const sn_model *m, const sn_program_options *o, sn_diags *diags)
{
    sn_elab e;
    const sn_file *file;
    if (m->stage) return stage_graph(m, o, diags);
    const sn_ast_module *module = main_module(m, o->module, &file, diags);
    if (!module) return NULL;
    sn_elab_init(&e, m, module->name.s, diags);
    e.training = o->training;
    make_program(&e, module, file, o);
    sn_graph *g = e.g;
    if (e.errors || !sn_verify(g, SN_LEVEL_SOURCE, diags)) {
        sn_graph_free(g);
        g = NULL;
    }
    sn_elab_fini(&e);
    return g;
}

/* ---- checking ----------------------------------------------------------------------------------------------------------- */

/* Elaborate in one mode.  A module that only leaves dimensions open is no mistake when `library` allows it: what was said is taken back. */
static bool check_program(sn_elab *e, const sn_ast_module *module, const sn_file *file, const sn_program_options *o, bool library, sn_checked *out)
{
    uint32_t count = e->diags->count, errors = e->diags->errors;
    make_program(e, module, file, o);
    if (e->errors == 0) return sn_verify(e->g, SN_LEVEL_SOURCE, e->diags);
    if (e->errors == e->free && library && e->diags->count > count) {
        const sn_diag *x = &e->diags->diag[count];
        if (x->node) snprintf(out->why, sizeof out->why, "node \"%s\": %s", x->node, x->text);
        else snprintf(out->why, sizeof out->why, "%s", x->text);
        e->diags->count = count;
        e->diags->errors = errors;
    }
    out->program = false;
    return e->diags->errors == errors;
}

/* A module on poison inputs: names, operators and expressions. */
static void check_dry(sn_elab *e, const sn_file *file, const sn_ast_module *m)
{
    sn_given *in = sn_new_n(&e->arena, sn_given, m->inputs + 1);
    for (uint32_t i = 0; i < m->inputs; i++) in[i] = (sn_given){SN_NONE, m->name.loc};
    sn_call c = {.file = file, .module = m, .name = m->name.s, .in = in, .loc = m->name.loc};
    sn_elab_instance(e, &c);
}

static bool was_visited(const sn_elab *e, const sn_ast_module *m)
{
    for (uint32_t i = 0; i < e->visits; i++)
        if (e->visited[i] == m) return true;
    return false;
}

bool sn_model_check(const sn_model *m, const sn_program_options *options, sn_checked *out, sn_diags *diags)
{
    const sn_file *file;
    sn_elab e[2], dry;
    bool ok = true;
    bool library = !options->module && options->sets == 0;
    const sn_ast_module *module = main_module(m, options->module, &file, diags);
    if (!module) return false;
    library = library && (!m->file[0].ast.recipe.present || (module->opens > 0 && !module->like.s)); /* a method */
    *out = (sn_checked){.module = module->name.s, .program = true};
    for (int mode = 0; mode < 2; mode++) {
        sn_elab_init(&e[mode], m, module->name.s, diags);
        e[mode].training = mode == 0;
        ok = check_program(&e[mode], module, file, options, library, out) && ok;
    }
    sn_elab_init(&dry, m, "check", diags);
    dry.dry = true;
    for (uint32_t i = 0; i < m->file[0].ast.modules; i++) {
        const sn_ast_module *x = &m->file[0].ast.module[i];
        bool visited = was_visited(&e[0], x) || was_visited(&e[1], x);
        if (!visited || (library && !out->program)) check_dry(&dry, &m->file[0], x);
    }
    ok = ok && dry.errors == 0;
    if (m->file[0].ast.recipe.present) {
        sn_recipe recipe;
        ok = sn_model_recipe(m, options, &recipe, &dry.arena, diags) && ok;
    }
    sn_graph_free(dry.g);
    sn_elab_fini(&dry);
    for (int mode = 0; mode < 2; mode++) {
        sn_graph_free(e[mode].g);
        sn_elab_fini(&e[mode]);
    }
    return ok && diags->errors == 0;
}
