/* A profile as a page: what its script (profile.html) is given.
 * The JSON of BENCH.md and PROFILE.md by call, and beside it:
 *
 *   graph     of kernels, in the order of the schedule: name, home (the node of the source it belongs to), backward, form, from (numbers of the kernels whose
 *             results it reads), text (as scheduled)
 *   code      by name of a kernel: llvm, asm
 *   sources   by file name, the text of every file that a place names */
#include "profile_page.h"

#include <stdlib.h>
#include <string.h>

#include "../ir/names.h"
#include "../ir/text.h"
#include "page.h"
#include "profile_html.h"

typedef struct maker {
    const sn_bench    *b;
    const sn_schedule *s;
    const sn_profile_row **row; /* [kernels]: its first call */
    uint32_t          *writer;  /* [buffers]: of a root, the last kernel so far that writes it, or UINT32_MAX */
    sn_names           source;  /* names of nodes as written */
    const char        *cpu;
    sn_diags          *diags;
} maker;

/* ---- the graph of kernels ----------------------------------------------------------------------------------------------- */

static uint32_t root_buffer(const sn_schedule *s, sn_ref node)
{
    uint32_t b = s->buffer_of[node.i];
    while (b != UINT32_MAX && s->buffer[b].place == SN_PLACE_ALIAS) b = s->buffer[b].index;
    return b;
}

static json_t *from_json(const maker *m, const sn_kernel *k)
{
    json_t *from = json_array();
    for (uint32_t i = 0; i < k->ins; i++) {
        uint32_t root = root_buffer(m->s, k->in[i]), by = root == UINT32_MAX ? UINT32_MAX : m->writer[root];
        bool     seen = by == UINT32_MAX;
        for (size_t j = 0; j < json_array_size(from) && !seen; j++) seen = json_integer_value(json_array_get(from, j)) == by;
        if (!seen) json_array_append_new(from, json_integer(by));
    }
    return from;
}

/* Kernels of rows are in any order, calls in that of the kernels. */
static void find_rows(maker *m)
{
    const sn_profile *p = &m->b->profile;
    const sn_profile_row **of_call = calloc(p->kernels + 1, sizeof *of_call);
    SN_ASSERT(of_call, "out of memory");
    for (uint32_t i = 0; i < p->kernels; i++) of_call[p->kernel[i].call] = &p->kernel[i];
    for (uint32_t k = 0, call = 0; k < m->s->kernels; k++) {
        const size_t length = strlen(m->s->kernel[k].name);
        m->row[k] = of_call[call];
        while (call < p->kernels && !strncmp(of_call[call]->name, m->s->kernel[k].name, length) && strchr("#", of_call[call]->name[length])) call++;
    }
    free(of_call);
}

/* A kernel that passes added and that has no node's name belongs to the first that reads what it makes. */
static const char *home(const maker *m, uint32_t k)
{
    const sn_schedule *s = m->s;
    for (uint32_t hops = 0; !sn_names_find(&m->source, m->row[k]->node) && hops < s->kernels; hops++) {
        uint32_t reader = k + 1;
        for (bool reads = false; reader < s->kernels; reader++) {
            for (uint32_t i = 0; i < s->kernel[reader].ins && !reads; i++)
                for (uint32_t o = 0; o < s->kernel[k].outs && !reads; o++)
                    reads = root_buffer(s, s->kernel[reader].in[i]) == root_buffer(s, s->kernel[k].out[o]);
            if (reads) break;
        }
        if (reader == s->kernels) break;
        k = reader;
    }
    return m->row[k]->node;
}

static json_t *text_json(char *text)
{
    json_t *j = text ? json_string(text) : NULL;
    free(text);
    return j;
}

/* What is computed in a kernel, and why its code has the form it has; a kernel whose code was given has that. */
static json_t *scheduled_json(const maker *m, const char **label, uint32_t k)
{
    const sn_codegen_options how = {.cpu = m->cpu};
    char  *text = NULL;
    size_t size;
    FILE  *f = open_memstream(&text, &size);
    SN_ASSERT(f, "out of memory");
    sn_schedule_print_kernel(m->s, label, k, f);
    const bool given = sn_compiled_code(m->b->job.program.compiled, k) != NULL, said = given || sn_codegen_explain(m->s, &how, k, f, m->diags);
    SN_ASSERT(said, "kernel %s was compiled, but cannot be planned", m->s->kernel[k].name);
    if (given) fputs("  as given by --code\n", f);
    fclose(f);
    return text_json(text);
}

static json_t *graph_json(maker *m)
{
    static const char *const form[] = {"map", "reduce", "contract", "special"};
    json_t                  *all = json_array();
    sn_arena                 arena;
    sn_arena_init(&arena);
    const char **label = sn_node_labels(m->s->g, &arena);
    for (uint32_t k = 0; k < m->s->kernels; k++) {
        const sn_kernel *kernel = &m->s->kernel[k];
        json_array_append_new(all, json_pack("{s:s, s:s, s:b, s:s, s:o, s:o}", "name", kernel->name, "home", home(m, k), "backward", m->row[k]->backward > 0,
                                             "form", form[kernel->form], "from", from_json(m, kernel), "text", scheduled_json(m, label, k)));
        for (uint32_t i = 0; i < kernel->outs; i++) {
            uint32_t root = root_buffer(m->s, kernel->out[i]);
            if (root != UINT32_MAX) m->writer[root] = k;
        }
    }
    sn_arena_fini(&arena);
    return all;
}

/* ---- code and sources --------------------------------------------------------------------------------------------------- */

static json_t *stage_json(sn_bench *b, uint32_t k, sn_code_stage stage, const sn_profile_page *page)
{
    const sn_codegen_options how = {.cpu = page->cpu, .code = page->code};
    char  *text = NULL;
    size_t size;
    FILE  *f = open_memstream(&text, &size);
    SN_ASSERT(f, "out of memory");
    bool ok = sn_codegen_print_kernel(b->job.program.schedule, &how, stage, k, f, &b->job.diags);
    fclose(f);
    if (ok) return text_json(text);
    free(text);
    return NULL;
}

/* Of the kernels of the slowest rows.  NULL with diagnostics. */
static json_t *code_json(sn_bench *b, const sn_profile_page *how)
{
    const sn_schedule *s = b->job.program.schedule;
    json_t            *all = json_object();
    for (uint32_t r = 0; r < b->profile.kernels && json_object_size(all) < how->stages; r++) {
        const char *row = b->profile.kernel[r].name;
        const size_t length = strcspn(row, "#");
        uint32_t     k = 0;
        while (k < s->kernels && (strncmp(s->kernel[k].name, row, length) || s->kernel[k].name[length])) k++;
        if (k == s->kernels || json_object_get(all, s->kernel[k].name)) continue;
        json_t *llvm = stage_json(b, k, SN_CODE_LLVM_OPT, how), *assembly = llvm ? stage_json(b, k, SN_CODE_ASM, how) : NULL;
        if (assembly) {
            json_object_set_new(all, s->kernel[k].name, json_pack("{s:o, s:o}", "llvm", llvm, "asm", assembly));
            continue;
        }
        json_decref(llvm);
        json_decref(all);
        return NULL;
    }
    return all;
}

/* Files that rows name, "file:line". */
static json_t *sources_json(const sn_bench *b)
{
    json_t *all = json_object();
    for (uint32_t i = 1; i < b->job.diags.sources; i++) {
        const sn_source *source = &b->job.diags.source[i];
        const size_t     length = source->file ? strlen(source->file) : 0;
        bool             named = false;
        for (uint32_t r = 0; r < b->profile.kernels && !named && length; r++)
            named = !strncmp(b->profile.kernel[r].where, source->file, length) && b->profile.kernel[r].where[length] == ':';
        if (named && source->text) json_object_set_new(all, source->file, json_stringn(source->text, source->size));
    }
    return all;
}

/* ---- the page ----------------------------------------------------------------------------------------------------------- */

static json_t *make_graph(sn_bench *b, const sn_profile_page *how)
{
    maker m = {.b = b, .s = b->job.program.schedule, .cpu = how->cpu, .diags = &b->job.diags};
    m.row = calloc(m.s->kernels + 1, sizeof *m.row);
    m.writer = malloc((m.s->buffers + 1) * sizeof *m.writer);
    SN_ASSERT(m.row && m.writer, "out of memory");
    for (uint32_t i = 0; i < m.s->buffers; i++) m.writer[i] = UINT32_MAX;
    sn_names_init(&m.source);
    for (uint32_t i = 0; i < b->source->nodes; i++)
        if (b->source->node[i].name) sn_names_at(&m.source, b->source->node[i].name, NULL);
    find_rows(&m);
    json_t *graph = graph_json(&m);
    sn_names_fini(&m.source);
    free(m.row);
    free(m.writer);
    return graph;
}

bool sn_profile_page_write(const char *path, sn_bench *b, const sn_profile_page *how)
{
    char    title[512];
    json_t *code = code_json(b, how), *data = code ? sn_bench_json(b, &b->profile, "call") : NULL;
    if (!code) return false;
    if (data) {
        json_object_set_new(data, "graph", make_graph(b, how));
        json_object_set_new(data, "code", code);
        json_object_set_new(data, "sources", sources_json(b));
    } else {
        json_decref(code);
    }
    snprintf(title, sizeof title, "sinew profile: %s", b->file);
    bool ok = sn_page_write(path, title, data, profile_html, &b->err) == SN_RT_OK;
    json_decref(data);
    return ok;
}
