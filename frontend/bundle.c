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

bool sn_model_bundle(const sn_model *m, const sn_program_options *options, FILE *out, sn_diags *diags)
{
    bundle b = {.m = m};
    const sn_file *file;
    const char *main_name = options->module ? options->module : sn_model_main(m);
    const sn_ast_module *main_module = main_name ? sn_model_find(m, &m->file[0], main_name, &file) : NULL;
    uint32_t before = diags->errors, args;
    sn_dims dims;
    if (!main_module) return false;
    sn_arena_init(&b.arena);
    sn_dims_init(&dims);
    const sn_arg *arg = sn_elab_sets(options, &b.arena, &dims, diags, &args);
    b.entry = sn_new_n(&b.arena, entry, module_count(m) + 1);
    sn_ast_module *module = sn_new_n(&b.arena, sn_ast_module, module_count(m) + 1);
    name_of(&b, main_module, file);
    for (uint32_t i = 0; i < b.entries; i++) { /* grows while it is walked */
        module[i] = *b.entry[i].module;
        module[i].name.s = b.entry[i].name;
        module[i].like.s = NULL; /* it is whole */
        rename_nodes(&b, &b.entry[i], &module[i]);
        rename_fills(&b, &module[i]);
    }
    override(&b, arg, args, &module[0].params);
    sn_ast_file f = {.doc = m->file[0].ast.doc, .module = module, .modules = b.entries, .recipe = m->file[0].ast.recipe};
    bool ok = diags->errors == before;
    if (ok) sn_ast_print(&f, out);
    sn_dims_fini(&dims);
    sn_arena_fini(&b.arena);
    return ok;
}
