/* Rewriting a graph file as text or as binary.
 * Not the formats themselves (flat.cpp, text.c). */
#include "convert.h"

#include <stdlib.h>
#include <string.h>

#include "../runtime/data/file.h"
#include "source.h"

static bool write_binary(const char *to, const sn_flat *flat, sn_rt_error *err)
{
    return sn_rt_file_replace(to, flat->data, flat->size, err) == SN_RT_OK;
}

static bool write_text(const char *to, const sn_ast_file *ast, sn_rt_error *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f) return sn_rt_fail(err, SN_RT_MEMORY, "there is no memory") == SN_RT_OK;
    sn_ast_print(ast, f);
    bool ok = fclose(f) == 0 && sn_rt_file_replace(to, text, size, err) == SN_RT_OK;
    free(text);
    return ok;
}

bool sn_convert(const char *from, const char *to, bool text, sn_diags *diags)
{
    sn_arena arena;
    sn_flat flat = {0};
    sn_ast_file ast;
    sn_rt_error err = {""};
    uint32_t source;
    size_t size;
    const char *why;
    char *data = sn_source_read(from, &size, &why);
    if (!data) {
        sn_error(diags, ((sn_loc){.source = sn_diags_source(diags, from, NULL, 0)}), NULL, "cannot read the file: %s", why);
        return false;
    }
    sn_arena_init(&arena);
    bool ok = sn_source_parse(from, data, size, &arena, &ast, &source, &flat, diags);
    if (ok && !(text ? write_text(to, &ast, &err) : write_binary(to, &flat, &err))) {
        size_t n = strlen(to); /* the reason begins with the path, which the place says already */
        bool   named = strncmp(err.text, to, n) == 0 && strncmp(err.text + n, ": ", 2) == 0;
        sn_error(diags, ((sn_loc){.source = sn_diags_source(diags, to, NULL, 0)}), NULL, "%s", err.text + (named ? n + 2 : 0));
        ok = false;
    }
    sn_flat_fini(&flat);
    sn_arena_fini(&arena);
    free(data);
    return ok;
}
