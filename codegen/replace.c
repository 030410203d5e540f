/* Code that was written out and edited: which kernels a file of LLVM IR or assembly replaces.
 * Not its compilation (object.c).
 *
 * A file holds one module a kernel, each after the line `; kernel NAME, key KEY` that sn_codegen_print writes, of assembly `# kernel NAME, key KEY`.  The key says
 * what the code was written for: a kernel that has become another takes other arguments.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static const char HEAD[] = " kernel "; /* behind the mark of a comment, by which the languages are told apart */

static char *read_file(const char *path, const char **why)
{
    char *text = NULL;
    size_t size = 0, got = 0;
    FILE *f = fopen(path, "rb");
    if (!f) {
        *why = strerror(errno);
        return NULL;
    }
    do {
        char *grown = realloc(text, size + 65536 + 1);
        SN_ASSERT(grown != NULL, "out of memory");
        text = grown;
        got = fread(text + size, 1, 65536, f);
        size += got;
    } while (got);
    text[size] = 0;
    *why = ferror(f) ? strerror(errno) : NULL;
    fclose(f);
    return text;
}

/* The line after which a module begins; NULL behind the last. */
static const char *next_head(const char *text)
{
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if ((*line == ';' || *line == '#') && strncmp(line + 1, HEAD, sizeof HEAD - 1) == 0)
            return line;
    }
    return NULL;
}

static sn_plan *find_plan(sn_plan *plan, uint32_t plans, const char *name)
{
    for (uint32_t i = 0; i < plans; i++)
        if (strcmp(plan[i].k->name, name) == 0)
            return &plan[i];
    return NULL;
}

static bool unknown_kernel(const char *path, const sn_plan *plan, uint32_t plans, const char *name, sn_diags *diags)
{
    const char **known = calloc(plans + 1u, sizeof *known);
    SN_ASSERT(known != NULL, "out of memory");
    for (uint32_t i = 0; i < plans; i++)
        known[i] = plan[i].k->name;
    const char *near = sn_nearest(name, known, plans);
    sn_error(diags, ((sn_loc){.source = sn_diags_source(diags, path, NULL, 0)}), NULL, "the program has no kernel \"%s\"%s%s%s", name, near ? ", did you mean \"" : "",
             near ? near : "", near ? "\"?" : "");
    free(known);
    return false;
}

static bool fits(const sn_plan *p, const char *key)
{
    char *text = sn_key_text(p);
    SN_ASSERT(text != NULL, "out of memory");
    const sn_key own = sn_key_make(p->target, text);
    free(text);
    return strcmp(own.text, key) == 0;
}

/* One module: from its head line, which is number `line`, to `end`. */
static bool take_module(const char *path, const char *head, const char *end, uint32_t line, sn_plan *plan, uint32_t plans, sn_diags *diags)
{
    char name[512], key[64];
    if (sscanf(head + 1, " kernel %511[^,\n], key %63s", name, key) != 2) {
        sn_error(diags, ((sn_loc){.source = sn_diags_source(diags, path, NULL, 0)}), NULL, "found \"%.*s\", expected `%c kernel NAME, key KEY`",
                 (int)strcspn(head, "\n"), head, *head);
        return false;
    }
    sn_plan *p = find_plan(plan, plans, name);
    if (!p)
        return unknown_kernel(path, plan, plans, name, diags);
    if (!fits(p, key)) {
        sn_error(diags, ((sn_loc){.source = sn_diags_source(diags, path, NULL, 0)}), p->k->name,
                 "the code was written for another form of this kernel (other parameters, extents or processor), or by another build of this program: write it anew");
        return false;
    }
    p->code = sn_strndup(p->arena, head, (size_t)(end - head));
    p->code_line = line;
    return true;
}

bool sn_replace_read(const char *path, sn_plan *plan, uint32_t plans, sn_diags *diags)
{
    const char *why;
    char *text = read_file(path, &why);
    bool ok = text != NULL && why == NULL;
    if (!ok)
        sn_error(diags, ((sn_loc){.source = sn_diags_source(diags, path, NULL, 0)}), NULL, "cannot read the file: %s", why);
    const char *head = ok ? next_head(text) : NULL;
    if (ok && !head) {
        sn_error(diags, ((sn_loc){.source = sn_diags_source(diags, path, NULL, 0)}), NULL, "found no `; kernel NAME, key KEY`, expected LLVM IR or assembly of sinew show");
        ok = false;
    }
    uint32_t line = 1;
    for (const char *at = text; ok && head;) {
        const char *after = next_head(head + 1);
        for (; at < head; at++)
            line += *at == '\n';
        ok = take_module(path, head, after ? after : head + strlen(head), line, plan, plans, diags);
        head = after;
    }
    free(text);
    return ok;
}
