/* Building: schedules, weights, objects, archive, in this order.
 * Not the text files (library_header.c) and not linking (library_link.c). */
#include "library.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../runtime/data/file.h"
#include "../runtime/data/safetensors.h"
#include "archive.h"
#include "lookup.h"
#include "model_file.h"

enum { ALIGN = 64 };

typedef struct building {
    const sn_library *b;
    sn_model_file   trained;   /* if the model is one that finetuning left */
    sn_abi_tagging  tagging;   /* what its scores mean */
    sn_diags       *diags;
    sn_arena        arena;
    const char     *name;      /* of the library */
    sn_schedule   **schedule;  /* per target */
    sn_preparation *prepared;  /* of the only target, or NULL */
    const sn_rt_array **weight;/* per parameter; NULL for inputs and what no kernel reads */
    uint64_t       *at;
    const char     *weights;   /* their file */
    sn_rt_tensors  *read;      /* what is in it */
    char           *inside;    /* the weights as the library holds them */
    size_t          inside_bytes;
    char           *head;      /* first bytes of the file beside */
    size_t          head_bytes, file_bytes;
    const char     *runtime;   /* folder of the runtime's archives */
} building;

static bool fail(building *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(building *g, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sn_error(g->diags, (sn_loc){0}, NULL, "%s", sn_format_list(&g->arena, format, args));
    va_end(args);
    return false;
}

static bool check(building *g, sn_rt_status status, const sn_rt_error *err)
{
    return status == SN_RT_OK || fail(g, "%s", err->text);
}

static const char *path(building *g, const char *ending) { return sn_format(&g->arena, "%s%s", g->b->output, ending); }

/* ---- names and places --------------------------------------------------------------------------------------------------- */

static bool find_name(building *g)
{
    const char *name = sn_rt_file_name(g->b->output);
    bool        ok = isalpha((unsigned char)*name) || *name == '_';
    for (const char *c = name; *c; c++) ok = ok && (isalnum((unsigned char)*c) || *c == '_');
    if (!ok || strlen(name) > 64) return fail(g, "-o %s: its last part names the library's functions: a C identifier of at most 64 letters", g->b->output);
    g->name = name;
    return true;
}

/* The runtime's archives: beside the program in its build folder, or where it was installed; $SINEW_RUNTIME says otherwise. */
static bool find_runtime(building *g)
{
    const char *arch = strcmp(g->b->target[0], "aarch64") == 0 ? "aarch64" : "x86_64", *own = getenv("SINEW_RUNTIME");
    char        exe[4096];
    ssize_t     n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[n > 0 ? n : 0] = '\0';
    if (strrchr(exe, '/')) *strrchr(exe, '/') = '\0';
    const char *place[] = {own && *own ? sn_format(&g->arena, "%s/%s", own, arch) : sn_format(&g->arena, "%s/aot/%s", exe, arch),
                           sn_format(&g->arena, "%s/../lib/sinew/%s", exe, arch)};
    for (size_t i = 0; i < (own && *own ? 1 : 2); i++) {
        g->runtime = place[i];
        if (access(sn_format(&g->arena, "%s/libsinew_aot.a", place[i]), R_OK) == 0) return true;
    }
    return fail(g, "the runtime for %s is not installed: there is no %s/libsinew_aot.a", arch, g->runtime);
}

/* ---- the model ---------------------------------------------------------------------------------------------------------- */

/* Does the graph take frames and give the scores of the model's classes? */
static bool check_tagging(building *g)
{
    const sn_graph *graph = g->schedule[0]->g;
    const sn_type  *in = NULL, *out = graph->outputs ? &sn_at(graph, graph->output[0].ref)->type : NULL;
    uint32_t        inputs = 0;
    for (uint32_t i = 0; i < graph->params; i++)
        if (graph->param[i].kind == SN_INPUT) in = &graph->param[i].type, inputs++;
    uint8_t rank = in ? in->rank : 0;
    bool    ok = inputs == 1 && (rank == 4 || rank == 5) && graph->dims.symbols == 2 && sn_dim_is_const(in->dim[rank - 1]) && in->dim[rank - 1].v == 3 &&
              sn_dim_is_const(in->dim[rank - 2]) && !sn_dim_is_const(in->dim[rank - 3]) && !sn_dim_is_const(in->dim[0]) &&
              (rank == 4 || sn_dim_is_const(in->dim[1]));
    if (!ok) return fail(g, "%s: its input is not [N, T, joints, 3] or [N, persons, T, joints, 3]", g->weights);
    if (out && out->rank == 3 && sn_dim_is_const(out->dim[2]) && (uint64_t)out->dim[2].v == g->tagging.classes + 1) return true;
    return fail(g, "%s: its output is not the scores of %llu classes and background", g->weights, (unsigned long long)g->tagging.classes);
}

static bool read_trained(building *g)
{
    sn_rt_error err = {""};
    if (!sn_model_file_read(&g->trained, g->b->file, &err)) return fail(g, "%s", err.text);
    const sn_model_facts *f = &g->trained.facts;
    g->tagging = (sn_abi_tagging){f->classes->count, f->classes->name, f->layout, f->fps, f->window, f->halo == SN_RT_TAGGER_NO_HALO ? UINT64_MAX : f->halo};
    g->weights = g->trained.path;
    g->read = g->trained.tensors;
    return true;
}

static bool read_weights(building *g)
{
    sn_rt_error err;
    g->weights = g->b->weights;
    return check(g, sn_rt_tensors_read(g->weights, &g->read, &err), &err);
}

static sn_model *load_model(building *g)
{
    if (g->b->weights) return read_weights(g) ? sn_model_load(g->b->file, g->diags) : NULL;
    return read_trained(g) ? sn_model_parse(g->weights, g->trained.facts.graph, strlen(g->trained.facts.graph), g->diags) : NULL;
}

static const sn_abi_tagging *tagging_of(const building *g) { return g->tagging.classes ? &g->tagging : NULL; }

/* ---- weights ------------------------------------------------------------------------------------------------------------ */

/* Some kernel, of some target, reads the parameter. */
static bool is_read(const building *g, uint32_t param)
{
    for (uint32_t t = 0; t < g->b->targets; t++)
        for (uint32_t i = 0; i < g->schedule[t]->buffers; i++) {
            const sn_buffer *b = &g->schedule[t]->buffer[i];
            if (b->place == SN_PLACE_PARAM && b->index == param) return true;
        }
    return false;
}

static bool find_weight(building *g, uint32_t i)
{
    const sn_graph *graph = g->schedule[0]->g;
    const sn_param *p = &graph->param[i];
    uint64_t        dims[SN_MAX_RANK];
    sn_rt_error     err;
    for (uint8_t d = 0; d < p->type.rank; d++) {
        if (!sn_dim_is_const(p->type.dim[d])) return fail(g, "weight %s has a free dimension: give it with --set", p->name);
        dims[d] = (uint64_t)p->type.dim[d].v;
    }
    const char *of = p->kind == SN_COPY ? graph->param[p->of].name : NULL;
    return check(g, sn_lookup_weight(g->read, g->weights, g->b->prefix, p->name, of, p->type.rank, dims, &g->weight[i], &err), &err);
}

static bool find_weights(building *g)
{
    const sn_graph *graph = g->schedule[0]->g;
    g->weight = sn_new_n(&g->arena, const sn_rt_array *, graph->params + 1);
    g->at = sn_new_n(&g->arena, uint64_t, graph->params + 1);
    for (uint32_t i = 0; i < graph->params; i++) {
        g->at[i] = UINT64_MAX;
        if (graph->param[i].kind != SN_INPUT && is_read(g, i) && !find_weight(g, i)) return false;
    }
    return true;
}

static void put_inside(building *g)
{
    uint32_t params = g->schedule[0]->g->params;
    for (uint32_t i = 0; i < params; i++) {
        if (!g->weight[i]) continue;
        g->at[i] = g->inside_bytes;
        g->inside_bytes += (g->weight[i]->bytes + ALIGN - 1) / ALIGN * ALIGN;
    }
    g->inside = calloc(g->inside_bytes + 1, 1);
    SN_ASSERT(g->inside, "out of memory");
    for (uint32_t i = 0; i < params; i++)
        if (g->weight[i]) memcpy(g->inside + g->at[i], g->weight[i]->data, g->weight[i]->bytes);
}

/* A file may have no holes, and kernels want multiples of 64 bytes: arrays of whole multiples come first, so that they are used where they are. */
static bool put_beside(building *g)
{
    const sn_graph *graph = g->schedule[0]->g;
    const char     *file = path(g, ".safetensors");
    sn_rt_tensors  *set = sn_rt_tensors_new();
    sn_rt_error     err;
    uint64_t        end = 0, length;
    bool            ok = true;
    SN_ASSERT(set, "out of memory");
    for (int odd = 0; odd < 2; odd++)
        for (uint32_t i = 0; i < graph->params && ok; i++) {
            const sn_rt_array *a = g->weight[i];
            if (!a || (a->bytes % ALIGN != 0) != odd) continue;
            g->at[i] = end;
            end += a->bytes;
            ok = check(g, sn_rt_tensors_borrow(set, graph->param[i].name, a->elem, a->rank, a->dims, a->data, &err), &err);
        }
    ok = ok && check(g, sn_rt_tensors_write(set, file, &err), &err) &&
         check(g, sn_rt_file_read(file, SIZE_MAX / 2, &g->head, &g->file_bytes, &err), &err);
    sn_rt_tensors_free(set);
    if (!ok) return false;
    memcpy(&length, g->head, sizeof length);
    g->head_bytes = sizeof length + length;
    for (uint32_t i = 0; i < graph->params; i++)
        if (g->weight[i]) g->at[i] += g->head_bytes;
    return true;
}

/* Weights that are known need not be computed with at run time: worth their size for one target that this machine runs. */
static bool prepare(building *g)
{
    sn_codegen_target target;
    const sn_codegen_options options = {.cpu = g->b->target[0]};
    if (g->b->small || g->b->beside || g->b->targets > 1) return true;
    if (!sn_codegen_target_get(&options, &target, g->diags)) return false;
    if (!target.runs_here) return true;
    g->prepared = sn_new(&g->arena, sn_preparation);
    *g->prepared = (sn_preparation){.session = NULL};
    if (!sn_library_prepare(g->schedule[0], g->b->target[0], g->b->program.cache_dir, g->weight, g->prepared, g->diags)) return false;
    for (uint32_t i = 0; i < g->schedule[0]->g->params; i++)
        if (!sn_library_needs(g->prepared, i)) g->weight[i] = NULL;
    return true;
}

/* ---- objects ------------------------------------------------------------------------------------------------------------ */

static bool make_schedules(building *g, const sn_model *m)
{
    g->schedule = sn_new_n(&g->arena, sn_schedule *, g->b->targets + 1);
    for (uint32_t t = 0; t < g->b->targets; t++)
        if (!(g->schedule[t] = sn_program_schedule(m, &g->b->program, g->diags))) return false;
    return true;
}

static bool make_objects(building *g, sn_objects *out)
{
    const sn_ahead a = {.name = g->name, .variants = g->b->targets, .cpu = g->b->target, .schedule = (const sn_schedule *const *)g->schedule,
                        .prepared = g->prepared ? &g->prepared->known : NULL, .weight_at = g->at, .weights = g->inside, .weights_bytes = g->inside_bytes,
                        .file = g->b->beside ? sn_format(&g->arena, "%s.safetensors", g->name) : NULL,
                        .head = g->head, .head_bytes = g->head_bytes, .file_bytes = g->file_bytes, .most_threads = g->b->one_thread ? 1 : 0, .debug = g->b->debug,
                        .tagging = tagging_of(g)};
    return sn_ahead_make(&a, out, g->diags);
}

static bool write_archive(building *g, const sn_objects *o)
{
    sn_archive *a = sn_archive_new();
    sn_rt_error err;
    for (uint32_t i = 0; i + 1 < o->count; i++) sn_archive_add(a, o->object[i].name, o->object[i].data, o->object[i].size);
    const char *library = sn_format(&g->arena, "%s/libsinew_aot%s.a", g->runtime, g->b->one_thread ? "1" : "");
    bool ok = check(g, sn_archive_add_file(a, library, &err), &err) && check(g, sn_archive_write(a, path(g, ".a"), &err), &err);
    sn_archive_free(a);
    return ok;
}

typedef void write_text(const sn_header_text *t, FILE *out);

static bool write_file(building *g, const char *ending, write_text *write)
{
    const sn_header_text t = {g->name, g->b->file, SINEW_VERSION, g->schedule[0]->g, g->b, tagging_of(g)};
    char       *text = NULL;
    size_t      size = 0;
    sn_rt_error err;
    FILE       *f = open_memstream(&text, &size);
    SN_ASSERT(f, "out of memory");
    write(&t, f);
    fclose(f);
    bool ok = check(g, sn_rt_file_replace(path(g, ending), text, size, &err), &err);
    free(text);
    return ok;
}

/* The object of main is no part of the library; the linker wants it as a file. */
static bool link_executable(building *g, const sn_object *main_object)
{
    const char *file = sn_format(&g->arena, "%s.main.%ld.o", g->b->output, (long)getpid());
    sn_rt_error err;
    bool ok = check(g, sn_rt_file_replace(file, main_object->data, main_object->size, &err), &err) &&
              sn_library_link(g->b, g->name, g->runtime, file, g->diags);
    unlink(file);
    return ok;
}

static bool build(building *g)
{
    sn_objects o = {0};
    sn_model  *m = NULL;
    bool ok = find_name(g) && find_runtime(g) && (m = load_model(g)) && make_schedules(g, m) && (!tagging_of(g) || check_tagging(g)) &&
              find_weights(g) && prepare(g);
    if (ok && g->b->beside) ok = put_beside(g);
    else if (ok) put_inside(g);
    ok = ok && make_objects(g, &o) && write_archive(g, &o) && write_file(g, ".h", sn_library_header) && write_file(g, ".pc", sn_library_pkgconfig);
    if (ok && g->b->shared) ok = sn_library_link(g->b, g->name, g->runtime, NULL, g->diags);
    if (ok && g->b->executable) ok = link_executable(g, &o.object[o.count - 1]);
    sn_objects_fini(&o);
    sn_model_free(m);
    return ok;
}

bool sn_library_make(const sn_library *b, sn_diags *diags)
{
    building g = {.b = b, .diags = diags};
    sn_arena_init(&g.arena);
    bool ok = build(&g);
    if (g.prepared) sn_library_prepare_fini(g.prepared);
    for (uint32_t t = 0; g.schedule && t < b->targets; t++)
        if (g.schedule[t]) sn_schedule_free(g.schedule[t]);
    if (b->weights) sn_rt_tensors_free(g.read);
    else if (*g.trained.path) sn_model_file_close(&g.trained);
    free(g.inside);
    free(g.head);
    sn_arena_fini(&g.arena);
    return ok;
}
