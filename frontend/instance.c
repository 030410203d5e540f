/* One instance of a module: parameters, inputs, memory, nodes, results.
 * Not the nodes themselves (node.c). */
#include <string.h>

#include "elaborate.h"

static bool too_deep(sn_elab *e, const sn_call *c)
{
    const char *chain = c->module->name.s;
    uint32_t depth = 0;
    for (const sn_scope *s = c->parent; s; s = s->parent, depth++) {
        chain = sn_format(&e->arena, "%s uses %s", s->module->name.s, chain);
        if (s->module != c->module) continue;
        sn_elab_error(e, c->loc, c->name, "module %s contains itself: %s", c->module->name.s, chain);
        return true;
    }
    if (depth >= SN_MAX_INSTANCE_DEPTH) sn_elab_error(e, c->loc, c->name, "modules inside each other more than %d deep", SN_MAX_INSTANCE_DEPTH);
    else if (++e->instances > SN_MAX_INSTANCES) {
        sn_elab_error(e, c->loc, c->name, "the program has more than %d instances", SN_MAX_INSTANCES);
        e->full = true;
    } else return false;
    return true;
}

static bool too_large(sn_elab *e, const sn_ast_module *m)
{
    uint32_t n = m->inputs + m->weights + m->states + m->queues + m->constants + m->nodes + m->outputs + m->taps;
    if (n <= SN_MAX_DECLARATIONS) return false;
    sn_elab_error(e, m->name.loc, m->name.s, "the module declares %u things, expected at most %d", n, SN_MAX_DECLARATIONS);
    return true;
}

static void visit(sn_elab *e, const sn_ast_module *m)
{
    for (uint32_t i = 0; i < e->visits; i++)
        if (e->visited[i] == m) return;
    if ((e->visits & (e->visits + 1)) == 0) { /* room for 2^k - 1 is full */
        const sn_ast_module **grown = sn_new_n(&e->arena, const sn_ast_module *, 2 * (e->visits + 1));
        if (e->visits) memcpy(grown, e->visited, e->visits * sizeof *grown);
        e->visited = grown;
    }
    e->visited[e->visits++] = m;
}

static void keep(sn_elab *e, const sn_results *r)
{
    if ((e->mades & (e->mades + 1)) == 0) { /* as in visit */
        const sn_results **grown = sn_new_n(&e->arena, const sn_results *, 2 * (e->mades + 1));
        if (e->mades) memcpy(grown, e->made, e->mades * sizeof *grown);
        e->made = grown;
    }
    e->made[e->mades++] = r;
}

static bool one_result(sn_scope *s, const sn_ast_output *o, sn_results *r)
{
    const char *node = s->prefix[0] ? s->prefix : NULL;
    if (!o->name.s || !sn_is_name(o->name.s)) {
        sn_elab_error(s->e, o->name.s ? o->name.loc : o->loc, node, "output without a name of letters, digits and underscores");
        return false;
    }
    for (uint32_t i = 0; i < r->n; i++)
        if (strcmp(r->name[i], o->name.s) == 0) {
            sn_elab_error(s->e, o->name.loc, node, "output or tap \"%s\" is declared twice in %s", o->name.s, s->module->name.s);
            return false;
        }
    r->name[r->n] = o->name.s;
    r->ref[r->n] = SN_NONE;
    r->absent[r->n] = NULL;
    const sn_text *from = o->from.s ? &o->from : &o->name;
    const char *full = sn_scope_full(s, o->name.s);
    sn_presence presence = sn_elab_when(s, &o->when, full);
    if (presence == SN_ABSENT) r->absent[r->n] = sn_elab_condition(&o->when);
    if (presence == SN_EXISTS) sn_scope_ref(s, from->s, from->loc, full, &r->ref[r->n], NULL);
    r->n++;
    return true;
}

static const sn_results *results(sn_scope *s)
{
    sn_elab *e = s->e;
    const sn_ast_module *m = s->module;
    sn_results *r = sn_new(&e->arena, sn_results);
    *r = (sn_results){.module = m, .instance = s->prefix, .memory = s->memory, .momentum = s->momentum};
    r->name = sn_new_n(&e->arena, const char *, m->outputs + m->taps + 1);
    r->ref = sn_new_n(&e->arena, sn_ref, m->outputs + m->taps + 1);
    r->absent = sn_new_n(&e->arena, const char *, m->outputs + m->taps + 1);
    if (m->outputs == 0) sn_elab_error(e, m->name.loc, s->prefix[0] ? s->prefix : NULL, "module %s has no outputs", m->name.s);
    for (uint32_t i = 0; i < m->outputs; i++) one_result(s, &m->output[i], r);
    for (uint32_t i = 0; i < m->taps; i++) one_result(s, &m->tap[i], r);
    keep(e, r);
    return r;
}

static void report_unused_sets(sn_scope *s, const sn_call *c)
{
    const char **name = sn_new_n(&s->e->arena, const char *, s->bindings + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->bindings; i++)
        if (s->binding[i].kind <= SN_BIND_DIM) name[n++] = s->binding[i].name;
    for (uint32_t i = 0; i < c->args; i++) {
        if (c->arg[i].used) continue;
        const char *near = sn_nearest(c->arg[i].name, name, n);
        if (near) sn_elab_error(s->e, c->arg[i].loc, NULL, "%s has no parameter or free dimension \"%s\"; did you mean \"%s\"?", s->module->name.s, c->arg[i].name, near);
        else sn_elab_error(s->e, c->arg[i].loc, NULL, "%s has no parameter or free dimension \"%s\"", s->module->name.s, c->arg[i].name);
    }
}

const sn_results *sn_elab_made(const sn_elab *e, const char *full)
{
    for (uint32_t i = e->mades; i-- > 0;)
        if (strcmp(e->made[i]->instance, full) == 0) return e->made[i];
    return NULL;
}

const sn_results *sn_elab_instance(sn_elab *e, const sn_call *c)
{
    if (e->full || too_deep(e, c) || too_large(e, c->module)) return NULL;
    visit(e, c->module);
    sn_scope s = {.e = e, .file = c->file, .module = c->module, .prefix = c->name, .parent = c->parent, .momentum = c->momentum,
                  .memory = c->memory ? c->memory : c->name, .shared = c->shared};
    sn_scope_params(&s, c->arg, c->args, c->name);
    sn_open_fill(&s);
    if (c->in) {
        sn_shape_bind(&s, c->in, c->name);
    } else {
        sn_shape_declare(&s, c->arg, c->args);
        report_unused_sets(&s, c);
    }
    sn_elab_memory(&s);
    sn_elab_nodes(&s);
    s.node = c->module->nodes;
    if (e->training || e->dry) sn_elab_updates(&s);
    return results(&s);
}
