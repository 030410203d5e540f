/* One graph file that says what a file with its imports and overrides says: what a run leaves behind to be run again.
 * Not conversion (convert.c): imports are merged, modules that nothing reaches are left out, overrides become defaults.
 */
#include <string.h>

#include "elaborate.h"

/* A module reached, and where it stands. */
typedef struct entry { const sn_ast_module *module; const sn_file *file; const char *name; } entry;

typedef struct bundle {
    const sn_model *m;
    sn_arena        arena;
    entry          *entry; uint32_t entries;
} bundle;

static uint32_t module_count(const sn_model *m)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->files; i++) n += m->file[i].ast.modules;
    return n;
}

static bool is_taken(const bundle *b, const char *name)
{
    for (uint32_t i = 0; i < b->entries; i++)
        if (strcmp(b->entry[i].name, name) == 0) return true;
    return false;
}

/* Two files that do not see each other may use one name: the later one gets a number. */
static const char *free_name(bundle *b, const char *name)
{
    const char *out = name;
    for (uint32_t n = 2; is_taken(b, out); n++) out = sn_format(&b->arena, "%s_%u", name, n);
    return out;
}

/* Its name in the bundle; added if it is new. */
static const char *name_of(bundle *b, const sn_ast_module *module, const sn_file *file)
{
    for (uint32_t i = 0; i < b->entries; i++)
        if (b->entry[i].module == module) return b->entry[i].name;
    const char *name = free_name(b, module->name.s);
    b->entry[b->entries++] = (entry){module, file, name};
    return name;
}

static bool is_open(const sn_ast_module *m, const char *name)
{
    for (uint32_t i = 0; name && i < m->opens; i++)
        if (strcmp(m->open[i].s, name) == 0) return true;
    return false;
}

/* Its nodes under the names of the bundle; modules they use are added. */
static void rename_nodes(bundle *b, const entry *e, sn_ast_module *out)
{
    sn_ast_node *node = sn_new_n(&b->arena, sn_ast_node, out->nodes + 1);
    for (uint32_t i = 0; i < out->nodes; i++) {
        const sn_file *file;
        node[i] = out->node[i];
        if (is_open(out, node[i].op.s)) continue;
        const sn_ast_module *used = node[i].op.s ? sn_model_find(b->m, e->file, node[i].op.s, &file) : NULL;
        if (used) node[i].op.s = name_of(b, used, file);
    }
    out->node = node;
}

/* The same for what open names mean. */
static void rename_fills(bundle *b, sn_ast_module *out)
{
    sn_ast_fill *fill = sn_new_n(&b->arena, sn_ast_fill, out->fills + 1);
    for (uint32_t i = 0; i < out->fills; i++) {
        const sn_file *file;
        fill[i] = out->fill[i];
        const sn_ast_module *used = fill[i].op.s ? sn_model_find(b->m, &b->m->file[fill[i].home], fill[i].op.s, &file) : NULL;
        if (used) fill[i].op.s = name_of(b, used, file);
    }
    out->fill = fill;
}

static sn_value number(sn_num n)
{
    if (n.kind == SN_NUM_REAL) return (sn_value){.kind = SN_VALUE_REAL, .real = n.r};
    return (sn_value){.kind = SN_VALUE_INT, .integer = n.i};
}

/* Overrides as defaults.  A free dimension that was given becomes a parameter: its name in a shape then means that number. */
static void override(bundle *b, const sn_arg *arg, uint32_t args, sn_value *params)
{
    sn_value out = {.kind = SN_VALUE_MAP};
    uint32_t have = params->kind == SN_VALUE_MAP ? params->n : 0;
    out.item = sn_new_n(&b->arena, sn_value, have + args + 1);
    out.key = sn_new_n(&b->arena, const char *, have + args + 1);
    for (; out.n < have; out.n++) {
        out.item[out.n] = params->item[out.n];
        out.key[out.n] = params->key[out.n];
    }
    for (uint32_t i = 0; i < args; i++) {
        uint32_t k = 0;
        while (k < out.n && strcmp(out.key[k], arg[i].name) != 0) k++;
        out.key[k] = arg[i].name;
        out.item[k] = number(arg[i].num);
        out.n += k == out.n;
    }
    if (args) *params = out;
}

/* What is put together: a module under overrides, with what its open names mean. */
typedef struct whole {
    const sn_ast_module *module;
    const sn_file       *file;
    sn_ast_fill         *fill;  uint32_t fills; /* instead of the module's, if not NULL */
    const sn_arg        *arg;   uint32_t args;
    const sn_ast_recipe *recipe;                /* or NULL */
} whole;

static void write_whole(bundle *b, const whole *w, FILE *out)
{
    sn_ast_module *module = sn_new_n(&b->arena, sn_ast_module, module_count(b->m) + 1);
    b->entry = sn_new_n(&b->arena, entry, module_count(b->m) + 1);
    name_of(b, w->module, w->file);
    for (uint32_t i = 0; i < b->entries; i++) { /* grows while it is walked */
        module[i] = *b->entry[i].module;
        module[i].name.s = b->entry[i].name;
        module[i].like.s = NULL; /* it is whole */
        if (i == 0 && w->fill) {
            module[i].fill = w->fill;
            module[i].fills = w->fills;
        }
        rename_nodes(b, &b->entry[i], &module[i]);
        rename_fills(b, &module[i]);
    }
    override(b, w->arg, w->args, &module[0].params);
    sn_ast_file f = {.doc = b->m->file[0].ast.doc, .module = module, .modules = b->entries};
    if (w->recipe) f.recipe = *w->recipe;
    sn_ast_print(&f, out);
}

bool sn_model_bundle(const sn_model *m, const sn_program_options *options, FILE *out, sn_diags *diags)
{
    bundle   b = {.m = m};
    uint32_t before = diags->errors;
    sn_dims  dims;
    whole    w = {.recipe = &m->file[0].ast.recipe};
    const char *name = options->module ? options->module : sn_model_main(m);
    w.module = name ? sn_model_find(m, &m->file[0], name, &w.file) : NULL;
    if (!w.module) return false;
    sn_arena_init(&b.arena);
    sn_dims_init(&dims);
    w.arg = sn_elab_sets(options, &b.arena, &dims, diags, &w.args);
    bool ok = diags->errors == before;
    if (ok) write_whole(&b, &w, out);
    sn_dims_fini(&dims);
    sn_arena_fini(&b.arena);
    return ok;
}

/* ---- one instance alone ------------------------------------------------------------------------------------------------- */

/* Every value of a map as the number it is in the scope. */
static sn_value numbers(sn_scope *s, const sn_value *map, const char *node, sn_arena *arena)
{
    sn_value out = *map;
    out.item = sn_new_n(arena, sn_value, map->n + 1);
    for (uint32_t i = 0; i < map->n; i++) out.item[i] = number(sn_scope_number(s, &map->item[i], node, map->key[i]));
    return out;
}

/* The node that exists under that name. */
static const sn_ast_node *find_node(sn_scope *s, const char *name)
{
    for (uint32_t i = 0; i < s->module->nodes; i++) {
        const sn_ast_node *n = &s->module->node[i];
        if (n->name.s && n->op.s && strcmp(n->name.s, name) == 0 && sn_elab_when(s, &n->when, name) == SN_EXISTS) return n;
    }
    return NULL;
}

/* Parameters of the node as overrides, and the fills of the scope's module, evaluated. */
static bool part_of(bundle *b, sn_scope *s, const char *name, whole *w)
{
    const sn_ast_node *n = find_node(s, name);
    w->module = n ? sn_model_find(b->m, s->file, n->op.s, &w->file) : NULL;
    if (!w->module) return false;
    sn_arg *arg = sn_new_n(&b->arena, sn_arg, n->with.n + 1);
    for (uint32_t i = 0; i < n->with.n; i++) arg[w->args++] = (sn_arg){n->with.key[i], sn_scope_number(s, &n->with.item[i], name, n->with.key[i]), n->with.key_loc[i], false};
    w->arg = arg;
    w->fill = sn_new_n(&b->arena, sn_ast_fill, s->module->fills + 1);
    for (; w->fills < s->module->fills; w->fills++) {
        w->fill[w->fills] = s->module->fill[w->fills];
        w->fill[w->fills].with = numbers(s, &s->module->fill[w->fills].with, name, &b->arena);
    }
    return true;
}

bool sn_model_bundle_part(const sn_model *m, const sn_program_options *options, const char *node, FILE *out, sn_diags *diags)
{
    bundle         b = {.m = m};
    whole          w = {0};
    const sn_file *file = NULL;
    uint32_t       before = diags->errors, sets;
    const char    *name = options->module ? options->module : sn_model_main(m);
    sn_scope       s = {.prefix = "", .module = name ? sn_model_find(m, &m->file[0], name, &file) : NULL};
    sn_elab        e;
    if (!s.module) return false;
    sn_arena_init(&b.arena);
    sn_elab_init(&e, m, name, diags);
    s.e = &e;
    s.file = file;
    sn_arg *set = sn_elab_sets(options, &e.arena, &e.g->dims, diags, &sets);
    sn_scope_params(&s, set, sets, NULL);
    bool ok = part_of(&b, &s, node, &w) && diags->errors == before;
    if (ok) write_whole(&b, &w, out);
    sn_graph_free(e.g);
    sn_elab_fini(&e);
    sn_arena_fini(&b.arena);
    return ok;
}
