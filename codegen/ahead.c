/* A model as objects for a linker: kernels of every processor level, tables, public functions.
 * Not archives, headers and executables: those are the command line's (frontend/library*.c). */
#include <stdlib.h>
#include <string.h>

#include "tables.h"

/* The functions of runtime/aot/aot.h that a library offers; `artifact`: behind its artifact; `tagging`: if it finds segments in recordings.  A mistake in
 * the types is met by tests/aot, which calls every one. */
static const struct function { const char *name, *types; bool artifact, tagging; } functions[] = {
    {.name = "version", .types = "i", .artifact = true},
    {.name = "describe_input", .types = "iip", .artifact = true},
    {.name = "describe_output", .types = "iip", .artifact = true},
    {.name = "load", .types = "ipppp", .artifact = true},
    {.name = "free", .types = "vp"},
    {.name = "cpu", .types = "pp"},
    {.name = "session_new", .types = "ippipp"},
    {.name = "session_free", .types = "vp"},
    {.name = "bind", .types = "ippp"},
    {.name = "input_dims", .types = "ipip"},
    {.name = "output_dims", .types = "ipip"},
    {.name = "session_bytes", .types = "lp"},
    {.name = "input", .types = "ppi"},
    {.name = "output", .types = "ppi"},
    {.name = "set_input", .types = "ipiplp"},
    {.name = "set_output", .types = "ipiplp"},
    {.name = "run", .types = "ipp"},
    {.name = "label", .types = "pi", .artifact = true, .tagging = true},
    {.name = "stream_new", .types = "ipllipp", .tagging = true},
    {.name = "stream_free", .types = "vp", .tagging = true},
    {.name = "stream_push", .types = "ipplpp", .tagging = true},
    {.name = "stream_finish", .types = "ipp", .tagging = true},
    {.name = "stream_poll", .types = "ipp", .tagging = true},
    {.name = "stream_scores", .types = "lppp", .tagging = true},
    {.name = "stream_latency", .types = "lp", .tagging = true},
    {.name = "stream_bytes", .types = "lp", .tagging = true},
};

void sn_object_take(sn_object *out, LLVMMemoryBufferRef code)
{
    out->size = LLVMGetBufferSize(code);
    out->data = malloc(out->size);
    SN_ASSERT(out->data != NULL, "out of memory");
    memcpy(out->data, LLVMGetBufferStart(code), out->size);
    LLVMDisposeMemoryBuffer(code);
}

void sn_objects_fini(sn_objects *o)
{
    for (uint32_t i = 0; i < o->count; i++)
        free(o->object[i].data);
    free(o->object);
    *o = (sn_objects){0};
}

static sn_object *add(sn_objects *o)
{
    o->object = realloc(o->object, (o->count + 1) * sizeof *o->object);
    SN_ASSERT(o->object != NULL, "out of memory");
    o->object[o->count] = (sn_object){{0}, 0, NULL};
    return &o->object[o->count++];
}

static void take_kernels(sn_compiled *c, uint32_t variant, sn_objects *out)
{
    for (uint32_t i = 0; i < c->objects; i++) {
        sn_object *o = add(out);
        snprintf(o->name, sizeof o->name, "code%u_%u.o", variant, i);
        sn_object_take(o, c->object[i]);
    }
    c->objects = 0;
}

static const char *shape_text(sn_compiled *c, const sn_type *type)
{
    char text[1024];
    sn_type_text(&c->s->g->dims, type, text, sizeof text);
    return sn_strdup(&c->arena, text);
}

static LLVMValueRef add_artifact(const sn_ahead *a, sn_tables *t, sn_compiled *c, LLVMValueRef *variant)
{
    const sn_graph *g = c->s->g;
    const char **param = sn_new_n(&c->arena, const char *, g->params + 1), **output = sn_new_n(&c->arena, const char *, g->outputs + 1);
    for (uint32_t i = 0; i < g->params; i++)
        param[i] = shape_text(c, &g->param[i].type);
    for (uint32_t i = 0; i < g->outputs; i++)
        output[i] = shape_text(c, &sn_at(g, g->output[i].ref)->type);
    return sn_tables_artifact(t, a, variant, param, output, &c->program, &c->arena);
}

static void add_functions(const sn_ahead *a, sn_tables *t, LLVMValueRef artifact)
{
    char from[256], to[64];
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        const struct function *f = &functions[i];
        if (f->tagging && !a->tagging)
            continue;
        snprintf(from, sizeof from, "%s_%s", a->name, f->name);
        snprintf(to, sizeof to, "sn_aot_%s", f->name);
        sn_tables_forward(t, f->artifact ? artifact : NULL, from, to, f->types);
    }
}

static bool finish(sn_tables *t, const char *what, sn_objects *out, sn_diags *diags)
{
    char      *why = NULL;
    sn_object *o = add(out);
    snprintf(o->name, sizeof o->name, "%s.o", what);
    bool ok = sn_tables_object(t, o, &why);
    if (!ok)
        sn_error(diags, (sn_loc){0}, NULL, "no %s were made, %s", what, why ? why : "no reason given");
    free(why);
    return ok;
}

static bool make_tables(const sn_ahead *a, sn_compiled **c, sn_objects *out, sn_diags *diags)
{
    sn_tables    *t = calloc(1, sizeof *t), *m = calloc(1, sizeof *m);
    LLVMValueRef *variant = calloc(a->variants, sizeof *variant);
    SN_ASSERT(t && m && variant, "out of memory");
    sn_tables_init(t, c[0]->target.triple);
    for (uint32_t i = 0; i < a->variants; i++)
        variant[i] = sn_tables_variant(t, c[i]);
    add_functions(a, t, add_artifact(a, t, c[0], variant));
    bool ok = finish(t, "tables", out, diags);
    sn_tables_fini(t);
    sn_tables_init(m, c[0]->target.triple);
    sn_tables_main(m, a->name);
    ok = ok && finish(m, "main", out, diags);
    sn_tables_fini(m);
    free(t), free(m), free(variant);
    return ok;
}

/* Variants share one set of faces and one library: the same architecture. */
static bool check(const sn_ahead *a, sn_compiled **c, sn_diags *diags)
{
    for (uint32_t i = 1; i < a->variants; i++)
        if (strcmp(c[i]->target.triple, c[0]->target.triple) != 0) {
            sn_error(diags, (sn_loc){0}, NULL, "one library is for one architecture: %s is %s, %s is %s", c[0]->target.name, c[0]->target.triple,
                     c[i]->target.name, c[i]->target.triple);
            return false;
        }
    return true;
}

bool sn_ahead_make(const sn_ahead *a, sn_objects *out, sn_diags *diags)
{
    sn_compiled **c = calloc(a->variants, sizeof *c);
    sn_objects    made = {0};
    char          prefix[256];
    bool          ok = true;
    SN_ASSERT(c != NULL, "out of memory");
    snprintf(prefix, sizeof prefix, "%s.", a->name);
    for (uint32_t i = 0; i < a->variants && ok; i++) {
        c[i] = sn_compile_objects(a->schedule[i], a->cpu[i], prefix, a->debug, diags);
        ok = c[i] != NULL;
        if (ok && a->prepared && a->prepared[i].drop)
            sn_program_prepare(c[i], &a->prepared[i]);
        if (ok)
            take_kernels(c[i], i, &made);
    }
    ok = ok && check(a, c, diags) && make_tables(a, c, &made, diags);
    for (uint32_t i = 0; i < a->variants; i++)
        sn_compiled_free(c[i]);
    free(c);
    if (ok)
        *out = made;
    else
        sn_objects_fini(&made);
    return ok;
}
