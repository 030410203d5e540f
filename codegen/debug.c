/* Debug information: which line of which graph file an instruction is from.
 * Not names of variables: a kernel has none that a graph file knows.
 *
 * A function stands at its kernel's line; what evaluates a node is at the node's.  Kernels fuse nodes of several files, so a location's scope is a
 * block of its file within the function.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <llvm-c/DebugInfo.h>

#include "internal.h"

enum { MAX_FILES = 64 };

struct sn_debug {
    LLVMDIBuilderRef builder;
    LLVMContextRef   ctx;
    LLVMMetadataRef  unit, type;
    struct { const char *name; LLVMMetadataRef file; } file[MAX_FILES];
    uint32_t         files;
};

static LLVMMetadataRef file_of(sn_debug *d, const char *name)
{
    for (uint32_t i = 0; i < d->files; i++)
        if (strcmp(d->file[i].name, name) == 0)
            return d->file[i].file;
    char folder[4096];
    if (*name == '/' || !getcwd(folder, sizeof folder))
        folder[0] = '\0';
    LLVMMetadataRef file = LLVMDIBuilderCreateFile(d->builder, name, strlen(name), folder, strlen(folder));
    if (d->files < MAX_FILES) {
        d->file[d->files].name = name;
        d->file[d->files++].file = file;
    }
    return file;
}

static void add_flag(LLVMModuleRef mod, LLVMContextRef ctx, const char *key, unsigned value)
{
    LLVMValueRef v = LLVMConstInt(LLVMInt32TypeInContext(ctx), value, false);
    LLVMAddModuleFlag(mod, LLVMModuleFlagBehaviorWarning, key, strlen(key), LLVMValueAsMetadata(v));
}

sn_debug *sn_debug_new(LLVMModuleRef mod, LLVMContextRef ctx)
{
    static const char maker[] = "sinew";
    sn_debug *d = calloc(1, sizeof *d);
    SN_ASSERT(d != NULL, "out of memory");
    add_flag(mod, ctx, "Debug Info Version", LLVMDebugMetadataVersion());
    add_flag(mod, ctx, "Dwarf Version", 4);
    d->ctx = ctx;
    d->builder = LLVMCreateDIBuilder(mod);
    d->unit = LLVMDIBuilderCreateCompileUnit(d->builder, LLVMDWARFSourceLanguageC11, file_of(d, "graph"), maker, strlen(maker), true, "", 0, 0, "", 0,
                                             LLVMDWARFEmissionFull, 0, false, false, "", 0, "", 0);
    d->type = LLVMDIBuilderCreateSubroutineType(d->builder, file_of(d, "graph"), NULL, 0, LLVMDIFlagZero);
    return d;
}

void sn_debug_finish(sn_debug *d)
{
    if (d)
        LLVMDIBuilderFinalize(d->builder);
}

void sn_debug_free(sn_debug *d)
{
    if (!d)
        return;
    LLVMDisposeDIBuilder(d->builder);
    free(d);
}

/* ---- places ---- */

/* False if no text says where it is: then `loc` is the kernel's. */
static bool find_place(const sn_kb *kb, sn_loc loc, const char **out_file, unsigned *out_line)
{
    const sn_diags *diags = kb->plan->diags;
    if (!diags || loc.source == 0 || loc.source >= diags->sources || !diags->source[loc.source].text)
        return false;
    *out_file = diags->source[loc.source].file;
    *out_line = sn_diags_line(diags, loc);
    return true;
}

static void set_location(sn_kb *kb, const char *file, unsigned line)
{
    LLVMMetadataRef scope = LLVMDIBuilderCreateLexicalBlockFile(kb->debug->builder, kb->scope, file_of(kb->debug, file), 0);
    LLVMSetCurrentDebugLocation2(kb->b, LLVMDIBuilderCreateDebugLocation(kb->ctx, line, 0, scope, NULL));
}

void sn_debug_function(sn_kb *kb, LLVMValueRef fn)
{
    if (!kb->debug)
        return;
    const char *file = "graph", *name = kb->k->name;
    unsigned    line = 0;
    size_t      n;
    const char *symbol = LLVMGetValueName2(fn, &n);
    find_place(kb, kb->k->loc, &file, &line);
    LLVMMetadataRef f = file_of(kb->debug, file);
    kb->scope = LLVMDIBuilderCreateFunction(kb->debug->builder, f, name, strlen(name), symbol, n, f, line, kb->debug->type, false, true, line,
                                            LLVMDIFlagZero, true);
    LLVMSetSubprogram(fn, kb->scope);
    set_location(kb, file, line);
}

LLVMMetadataRef sn_debug_enter(sn_kb *kb, sn_ref r)
{
    if (!kb->debug)
        return NULL;
    LLVMMetadataRef before = LLVMGetCurrentDebugLocation2(kb->b);
    const char     *file;
    unsigned        line;
    if (find_place(kb, sn_at(kb->g, r)->loc, &file, &line))
        set_location(kb, file, line);
    return before;
}

void sn_debug_leave(sn_kb *kb, LLVMMetadataRef before)
{
    if (kb->debug)
        LLVMSetCurrentDebugLocation2(kb->b, before);
}
