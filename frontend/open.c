/* Open names: modules that a module uses and whoever uses it provides.
 * Not modules that are like others (like.c). */
#include <string.h>

#include "elaborate.h"

bool sn_open_declared(const sn_scope *s, const char *name)
{
    for (uint32_t i = 0; i < s->module->opens; i++)
        if (strcmp(s->module->open[i].s, name) == 0) return true;
    return false;
}

/* Parameters are evaluated once, among those of the filling module. */
static void bind_fill(sn_scope *s, const sn_ast_fill *f, sn_filled *out)
{
    sn_elab *e = s->e;
    const char *node = s->prefix[0] ? s->prefix : s->module->name.s;
    *out = (sn_filled){.name = f->name.s ? f->name.s : ""};
    if (!f->name.s || !f->op.s) {
        sn_elab_error(e, f->loc, node, "fill: `name` or `op` is missing");
        return;
    }
    const sn_file *from = &e->model->file[f->home];
    out->module = sn_model_find(e->model, from, f->op.s, &out->file);
    if (!out->module) {
        sn_elab_error(e, f->op.loc, node, "fill: no module \"%s\"", f->op.s);
        return;
    }
    if (f->with.kind != SN_VALUE_ABSENT && f->with.kind != SN_VALUE_MAP) {
        sn_elab_error(e, f->with.loc, node, "with: expected a map { name: value }");
        return;
    }
    out->arg = sn_new_n(&e->arena, sn_arg, f->with.n + 1);
    for (uint32_t i = 0; i < f->with.n; i++)
        out->arg[out->args++] = (sn_arg){f->with.key[i], sn_scope_number(s, &f->with.item[i], node, f->with.key[i]), f->with.key_loc[i], false};
}

void sn_open_fill(sn_scope *s)
{
    const sn_ast_module *m = s->module;
    s->filled = sn_new_n(&s->e->arena, sn_filled, m->fills + 1);
    for (uint32_t i = 0; i < m->fills; i++) {
        bind_fill(s, &m->fill[i], &s->filled[i]);
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(s->filled[k].name, s->filled[i].name) == 0) sn_elab_error(s->e, m->fill[i].loc, s->prefix, "fill: \"%s\" is filled twice", s->filled[i].name);
    }
    s->fills = m->fills;
}

const sn_filled *sn_open_find(const sn_scope *s, const char *name)
{
    for (; s; s = s->parent)
        for (uint32_t i = 0; i < s->fills; i++)
            if (strcmp(s->filled[i].name, name) == 0) return &s->filled[i];
    return NULL;
}
