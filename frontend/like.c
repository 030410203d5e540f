/* Modules and recipes that are like others, put together when a model is loaded, so that everything after sees whole ones.
 * Not the filling of open names (open.c), which is known only where a module is used. */
#include <string.h>

#include "model.h"

typedef struct joiner {
    sn_model *m;
    sn_diags *diags;
} joiner;

/* ---- modules ------------------------------------------------------------------------------------------------------------ */

/* All keys of both, with the values of `own` where both have one; keys of maps are sorted. */
static sn_value join_maps(sn_arena *a, const sn_value *base, const sn_value *own)
{
    if (own->kind == SN_VALUE_ABSENT) return *base;
    if (base->kind != SN_VALUE_MAP || own->kind != SN_VALUE_MAP) return *own;
    sn_value out = {.kind = SN_VALUE_MAP, .loc = own->loc};
    uint32_t room = base->n + own->n + 1;
    out.item = sn_new_n(a, sn_value, room);
    out.key = sn_new_n(a, const char *, room);
    out.key_loc = sn_new_n(a, sn_loc, room);
    for (uint32_t i = 0, k = 0; i < base->n || k < own->n; out.n++) {
        int             order = i == base->n ? 1 : k == own->n ? -1 : strcmp(base->key[i], own->key[k]);
        const sn_value *from = order < 0 ? base : own;
        uint32_t        at = order < 0 ? i : k;
        out.item[out.n] = from->item[at];
        out.key[out.n] = from->key[at];
        out.key_loc[out.n] = from->key_loc[at];
        i += order <= 0;
        k += order >= 0;
    }
    return out;
}

static const sn_ast_fill *find_fill(const sn_ast_module *x, const char *name)
{
    for (uint32_t i = 0; name && i < x->fills; i++)
        if (x->fill[i].name.s && strcmp(x->fill[i].name.s, name) == 0) return &x->fill[i];
    return NULL;
}

static void join_fills(sn_arena *a, const sn_ast_module *base, const sn_ast_module *own, sn_ast_module *out)
{
    out->fill = sn_new_n(a, sn_ast_fill, base->fills + own->fills + 1);
    out->fills = 0;
    for (uint32_t i = 0; i < base->fills; i++)
        if (!find_fill(own, base->fill[i].name.s)) out->fill[out->fills++] = base->fill[i];
    for (uint32_t i = 0; i < own->fills; i++) out->fill[out->fills++] = own->fill[i];
}

/* A fill for a name that is not open would have no effect. */
static void check_fill(const joiner *j, const sn_ast_module *base, const sn_ast_fill *f)
{
    const char **open = sn_new_n(&j->m->arena, const char *, base->opens + 1);
    for (uint32_t i = 0; i < base->opens; i++) {
        open[i] = base->open[i].s;
        if (f->name.s && strcmp(open[i], f->name.s) == 0) return;
    }
    const char *near = f->name.s ? sn_nearest(f->name.s, open, base->opens) : NULL;
    if (near) sn_error(j->diags, f->name.loc, NULL, "%s leaves no \"%s\" open; did you mean \"%s\"?", base->name.s, f->name.s, near);
    else sn_error(j->diags, f->name.s ? f->name.loc : f->loc, NULL, "%s leaves no \"%s\" open", base->name.s, f->name.s ? f->name.s : "");
}

static sn_ast_module *find_base(const joiner *j, const sn_file *f, const sn_ast_module *x, const sn_file **file)
{
    const sn_ast_module *base = sn_model_declared(j->m, f, x->like.s, file);
    if (base) return &(*file)->ast.module[base - (*file)->ast.module];
    sn_error(j->diags, x->like.loc, NULL, "like: no module \"%s\"", x->like.s);
    return NULL;
}

static void join_module(joiner *j, const sn_file *f, sn_ast_module *x)
{
    const sn_file *file;
    if (!x->like.s || x->join == SN_JOIN_DONE) return;
    sn_ast_module *base = find_base(j, f, x, &file);
    x->join = SN_JOIN_BUSY;
    if (base && base->join != SN_JOIN_BUSY) join_module(j, file, base);
    else if (base) sn_error(j->diags, x->like.loc, NULL, "like: module \"%s\" is like itself", x->name.s);
    if (x->opens + x->inputs + x->weights + x->states + x->queues + x->constants + x->nodes + x->outputs + x->taps > 0)
        sn_error(j->diags, x->like.loc, NULL, "module \"%s\" is like another, so it says only `name`, `doc`, `params` and `fill`", x->name.s);
    for (uint32_t i = 0; base && i < x->fills; i++) check_fill(j, base, &x->fill[i]);
    if (base) {
        sn_ast_module out = *base;
        out.name = x->name;
        out.doc = x->doc.s ? x->doc : base->doc;
        out.like = x->like;
        out.loc = x->loc;
        out.params = join_maps(&j->m->arena, &base->params, &x->params);
        join_fills(&j->m->arena, base, x, &out);
        *x = out;
    }
    x->join = SN_JOIN_DONE;
}

/* ---- recipes ------------------------------------------------------------------------------------------------------------ */

static void inherit(sn_value *own, const sn_value *base)
{
    if (own->kind == SN_VALUE_ABSENT) *own = *base;
}

static void inherit_text(sn_text *own, const sn_text *base)
{
    if (!own->s) *own = *base;
}

static void join_recipe_fields(sn_ast_recipe *r, const sn_ast_recipe *base)
{
    inherit_text(&r->loss, &base->loss);
    inherit_text(&r->epoch, &base->epoch);
    inherit_text(&r->labels, &base->labels);
    inherit_text(&r->clips, &base->clips);
    inherit_text(&r->model, &base->model);
    inherit_text(&r->features, &base->features);
    inherit(&r->batch, &base->batch);
    inherit(&r->frames, &base->frames);
    if (r->views == 0) {
        r->view = base->view;
        r->views = base->views;
    }
    if (!r->has_optimizer) {
        r->optimizer = base->optimizer;
        r->has_optimizer = base->has_optimizer;
    }
    if (!r->has_schedule) {
        r->schedule = base->schedule;
        r->has_schedule = base->has_schedule;
    }
}

/* From the recipes of all modules on the chain of likes, the nearest first. */
static void join_recipe(joiner *j, sn_file *f)
{
    sn_ast_recipe       *r = &f->ast.recipe;
    const sn_file       *file = NULL;
    const sn_ast_module *x = r->present && r->module.s ? sn_model_declared(j->m, f, r->module.s, &file) : NULL;
    while (x && x->like.s) {
        x = sn_model_declared(j->m, file, x->like.s, &file);
        const sn_ast_recipe *base = &file->ast.recipe;
        if (x && file != f && base->present && base->module.s && strcmp(base->module.s, x->name.s) == 0) join_recipe_fields(r, base);
    }
}

void sn_model_join(sn_model *m, sn_diags *diags)
{
    uint32_t before = diags->errors;
    joiner   j = {m, diags};
    for (uint32_t f = 0; f < m->files; f++)
        for (uint32_t i = 0; i < m->file[f].ast.modules; i++) {
            sn_ast_module *x = &m->file[f].ast.module[i];
            x->home = f;
            for (uint32_t k = 0; k < x->fills; k++) x->fill[k].home = f;
        }
    for (uint32_t f = 0; f < m->files; f++)
        for (uint32_t i = 0; i < m->file[f].ast.modules; i++) join_module(&j, &m->file[f], &m->file[f].ast.module[i]);
    if (diags->errors == before) join_recipe(&j, &m->file[0]);
}
