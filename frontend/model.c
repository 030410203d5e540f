/* Loading graph files: reading, imports, which module is visible where, which is meant when none is named.
 * Not the meaning of modules (elaborate.c). */
#include "model.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"

bool sn_is_name(const char *s)
{
    if (!s || !*s || strlen(s) > 64 || (*s >= '0' && *s <= '9')) return false;
    for (; *s; s++)
        if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '_')) return false;
    return true;
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

/* dir(of) + relative with "x/.." taken out, for messages as well as for opening. */
static const char *join(sn_arena *a, const char *of, const char *relative)
{
    const char *slash = strrchr(of, '/');
    char *path = sn_format(a, "%.*s%s", slash ? (int)(slash - of + 1) : 0, of, relative);
    for (char *up = strstr(path, "/../"); up; up = strstr(path, "/../")) {
        char *start = up;
        while (start > path && start[-1] != '/') start--;
        if (start == up || strncmp(start, "../", 3) == 0 || strncmp(start, "./", 2) == 0) break;
        memmove(start, up + 4, strlen(up + 4) + 1);
    }
    return path;
}

typedef struct loader { sn_model *m; sn_diags *diags; } loader;

static uint32_t load(loader *l, const char *path, const sn_text *from, uint32_t importer);

static void load_imports(loader *l, uint32_t index)
{
    uint32_t n = l->m->file[index].ast.imports;
    uint32_t *import = sn_new_n(&l->m->arena, uint32_t, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        const sn_file *f = &l->m->file[index];
        const sn_text *t = &f->ast.import[i].file;
        import[i] = UINT32_MAX;
        if (!t->s || !*t->s) sn_error(l->diags, f->ast.import[i].loc, NULL, "import without `file`");
        else if (*t->s == '/') sn_error(l->diags, t->loc, NULL, "found an absolute path, expected one relative to this file");
        else import[i] = load(l, join(&l->m->arena, f->path, t->s), t, index);
    }
    l->m->file[index].import = import;
    l->m->file[index].imports = n;
}

/* "a.json imports b.json imports a.json" */
static const char *cycle_text(loader *l, uint32_t from, uint32_t to)
{
    const char *text = l->m->file[to].path;
    for (uint32_t i = to + 1; i <= from; i++)
        if (l->m->file[i].loading) text = sn_format(&l->diags->arena, "%s imports %s", text, l->m->file[i].path);
    return sn_format(&l->diags->arena, "%s imports %s", text, l->m->file[to].path);
}

static uint32_t parse(loader *l, const char *path, const char *real, const char *data, size_t size)
{
    sn_model *m = l->m;
    uint32_t index = m->files++;
    m->file[index] = (sn_file){.path = sn_strdup(&m->arena, path), .real = sn_strdup(&m->arena, real), .loading = true};
    sn_file *f = &m->file[index];
    if (index == 0 && sn_stage_is(data, size)) {
        m->stage = sn_new(&m->arena, sn_stage);
        sn_stage_parse(f->path, data, size, &m->arena, m->stage, l->diags);
        f->source = m->stage->source;
    } else if (sn_source_parse(f->path, data, size, &m->arena, &f->ast, &f->source, NULL, l->diags)) {
        load_imports(l, index);
    }
    m->file[index].loading = false;
    return index;
}

/* Number of the file, or UINT32_MAX after a diagnostic. */
static uint32_t load(loader *l, const char *path, const sn_text *from, uint32_t importer)
{
    char real[PATH_MAX];
    const char *why = NULL;
    size_t size = 0;
    char *data = NULL;
    sn_model *m = l->m;
    if (realpath(path, real)) {
        for (uint32_t i = 0; i < m->files; i++)
            if (strcmp(m->file[i].real, real) == 0) {
                if (m->file[i].loading)
                    sn_error(l->diags, from->loc, NULL, "imports go round in a circle: %s", cycle_text(l, importer, i));
                return i;
            }
        data = sn_source_read(path, &size, &why);
    } else {
        why = strerror(errno);
    }
    if (!data || m->files == SN_MAX_FILES) {
        sn_loc loc = from ? from->loc : (sn_loc){.source = sn_diags_source(l->diags, path, NULL, 0)};
        if (data) sn_error(l->diags, loc, NULL, "more than %d files", SN_MAX_FILES);
        else if (from) sn_error(l->diags, loc, NULL, "cannot read \"%s\": %s", path, why);
        else sn_error(l->diags, loc, NULL, "cannot read the file: %s", why);
        free(data);
        return UINT32_MAX;
    }
    uint32_t index = parse(l, path, real, data, size);
    free(data);
    return index;
}

/* ---- names -------------------------------------------------------------------------------------------------------------- */

static const sn_ast_module *own_module(const sn_file *f, const char *name)
{
    for (uint32_t i = 0; i < f->ast.modules; i++)
        if (f->ast.module[i].name.s && strcmp(f->ast.module[i].name.s, name) == 0) return &f->ast.module[i];
    return NULL;
}

const sn_ast_module *sn_model_declared(const sn_model *m, const sn_file *f, const char *name, const sn_file **out_file)
{
    const sn_ast_module *found = own_module(f, name);
    *out_file = f;
    for (uint32_t i = 0; !found && i < f->imports; i++)
        if (f->import[i] != UINT32_MAX && (found = own_module(&m->file[f->import[i]], name)) != NULL) *out_file = &m->file[f->import[i]];
    return found;
}

const sn_ast_module *sn_model_find(const sn_model *m, const sn_file *f, const char *name, const sn_file **out_file)
{
    const sn_ast_module *found = sn_model_declared(m, f, name, out_file);
    if (found) *out_file = &m->file[found->home];
    return found;
}

static void check_name(const sn_model *m, const sn_file *f, uint32_t index, sn_diags *diags)
{
    const sn_ast_module *a = &f->ast.module[index];
    sn_op op;
    if (!a->name.s) {
        sn_error(diags, a->loc, NULL, "module without `name`");
        return;
    }
    if (!sn_is_name(a->name.s)) {
        sn_error(diags, a->name.loc, NULL, "found a module name that is no word of letters, digits and underscores");
        return;
    }
    if (sn_op_find(a->name.s, &op)) sn_error(diags, a->name.loc, NULL, "module \"%s\" has the name of an operator", a->name.s);
    for (uint32_t i = 0; i < index; i++)
        if (f->ast.module[i].name.s && strcmp(f->ast.module[i].name.s, a->name.s) == 0) {
            sn_error(diags, a->name.loc, NULL, "module \"%s\" is declared twice", a->name.s);
            sn_note(diags, f->ast.module[i].name.loc, NULL, "the first is here");
        }
    for (uint32_t i = 0; i < f->imports; i++) {
        const sn_ast_module *b = f->import[i] != UINT32_MAX ? own_module(&m->file[f->import[i]], a->name.s) : NULL;
        if (!b) continue;
        sn_error(diags, a->name.loc, NULL, "module \"%s\" is also in the imported %s", a->name.s, m->file[f->import[i]].path);
        sn_note(diags, b->name.loc, NULL, "the other is here");
    }
}

/* Two imports of one file must not both declare a name. */
static void check_imports(const sn_model *m, const sn_file *f, sn_diags *diags)
{
    for (uint32_t i = 0; i < f->imports; i++)
        for (uint32_t k = 0; k < i; k++) {
            if (f->import[i] == UINT32_MAX || f->import[k] == UINT32_MAX) continue;
            const sn_file *a = &m->file[f->import[i]], *b = &m->file[f->import[k]];
            if (a == b) sn_error(diags, f->ast.import[i].file.loc, NULL, "%s is imported twice", a->path);
            for (uint32_t j = 0; a != b && j < a->ast.modules; j++) {
                const char *name = a->ast.module[j].name.s;
                if (name && own_module(b, name))
                    sn_error(diags, f->ast.import[i].file.loc, NULL, "module \"%s\" is in both %s and %s", name, b->path, a->path);
            }
        }
}

/* ---- face --------------------------------------------------------------------------------------------------------------- */

static sn_model *empty(void)
{
    sn_model *m = calloc(1, sizeof *m);
    SN_ASSERT(m, "out of memory");
    sn_arena_init(&m->arena);
    m->file = sn_new_n(&m->arena, sn_file, SN_MAX_FILES);
    return m;
}

/* The model, or NULL if there were diagnostics. */
static sn_model *checked(sn_model *m, uint32_t before, sn_diags *diags)
{
    for (uint32_t i = 0; i < m->files && diags->errors == before; i++) {
        for (uint32_t k = 0; k < m->file[i].ast.modules; k++) check_name(m, &m->file[i], k, diags);
        check_imports(m, &m->file[i], diags);
    }
    if (diags->errors == before) sn_model_join(m, diags);
    if (diags->errors == before) return m;
    sn_model_free(m);
    return NULL;
}

sn_model *sn_model_load(const char *path, sn_diags *diags)
{
    uint32_t before = diags->errors;
    loader l = {empty(), diags};
    load(&l, path, NULL, 0);
    return checked(l.m, before, diags);
}

sn_model *sn_model_parse(const char *name, const char *data, size_t size, sn_diags *diags)
{
    uint32_t before = diags->errors;
    loader l = {empty(), diags};
    parse(&l, name, name, data, size);
    return checked(l.m, before, diags);
}

void sn_model_free(sn_model *m)
{
    if (!m) return;
    sn_arena_fini(&m->arena);
    free(m);
}

bool sn_model_is_stage(const sn_model *m, bool *out_training)
{
    *out_training = m->stage && m->stage->training;
    return m->stage != NULL;
}

static bool used_by_others(const sn_ast_file *f, uint32_t index)
{
    for (uint32_t i = 0; i < f->modules; i++)
        for (uint32_t k = 0; i != index && k < f->module[i].nodes; k++)
            if (f->module[i].node[k].op.s && strcmp(f->module[i].node[k].op.s, f->module[index].name.s) == 0) return true;
    for (uint32_t i = 0; i < f->modules; i++)
        for (uint32_t k = 0; i != index && k < f->module[i].fills; k++)
            if (f->module[i].fill[k].op.s && strcmp(f->module[i].fill[k].op.s, f->module[index].name.s) == 0) return true;
    return false;
}

const char *sn_model_main(const sn_model *m)
{
    const sn_file *f = &m->file[0];
    if (m->stage) return m->stage->graph;
    if (f->ast.recipe.present && f->ast.recipe.module.s) return f->ast.recipe.module.s;
    const char *stem = strrchr(f->path, '/');
    stem = stem ? stem + 1 : f->path;
    size_t n = strcspn(stem, ".");
    for (uint32_t i = 0; i < f->ast.modules; i++)
        if (strlen(f->ast.module[i].name.s) == n && strncmp(f->ast.module[i].name.s, stem, n) == 0) return f->ast.module[i].name.s;
    for (uint32_t i = f->ast.modules; i-- > 0;)
        if (!used_by_others(&f->ast, i)) return f->ast.module[i].name.s;
    return f->ast.modules ? f->ast.module[f->ast.modules - 1].name.s : NULL;
}
