/* The texts of a library: its header and its description for pkg-config.
 * The header is header.h.in, and stream.h.in for a model of frames' classes, with words between @ replaced. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "../runtime/aot/aot.h"
#include "../runtime/tag/tagger.h"
#include "library.h"
#include "header_text.h"
#include "stream_text.h"

/* ---- parts -------------------------------------------------------------------------------------------------------------- */

static void upper(FILE *out, const char *s)
{
    for (; *s; s++) fputc(isalnum((unsigned char)*s) ? toupper((unsigned char)*s) : '_', out);
}

static void shape(FILE *out, const sn_graph *g, const sn_type *t)
{
    char text[1024];
    sn_type_text(&g->dims, t, text, sizeof text);
    fprintf(out, "%s\n", text);
}

static void shapes(FILE *out, const sn_graph *g)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->params; i++) {
        if (g->param[i].kind != SN_INPUT) continue;
        fprintf(out, " *   input %u   %-16s ", n++, g->param[i].name);
        shape(out, g, &g->param[i].type);
    }
    for (uint32_t i = 0; i < g->outputs; i++) {
        fprintf(out, " *   output %u  %-16s ", i, g->output[i].name);
        shape(out, g, &sn_at(g, g->output[i].ref)->type);
    }
    fputs(" * Free dimensions:", out);
    for (uint32_t s = 0; s < g->dims.symbols; s++) fprintf(out, "%s %s", s ? "," : "", sn_dim_symbol_name(&g->dims, s));
    fputs(g->dims.symbols ? "." : " none.", out);
}

/* "enum { GAIT_INPUT_X, GAIT_INPUTS };": names that differ in case or punctuation only are told apart by their number. */
static void enumeration(FILE *out, const char *name, const char *kind, const char *const *word, uint32_t n)
{
    fputs("enum { ", out);
    for (uint32_t i = 0; i < n; i++) {
        upper(out, name), fprintf(out, "_%s_", kind), upper(out, word[i]);
        for (uint32_t k = 0; k < i; k++)
            if (strcasecmp(word[k], word[i]) == 0) {
                fprintf(out, "_%u", i);
                break;
            }
        fputs(", ", out);
    }
    upper(out, name);
    fprintf(out, "_%sS };\n", kind);
}

static void enumerations(FILE *out, const char *name, const sn_graph *g)
{
    sn_arena a;
    sn_arena_init(&a);
    const char **word = sn_new_n(&a, const char *, g->params + g->outputs + g->dims.symbols + 1);
    uint32_t     n = 0;
    for (uint32_t s = 0; s < g->dims.symbols; s++) word[s] = sn_dim_symbol_name(&g->dims, s);
    enumeration(out, name, "DIM", word, g->dims.symbols);
    for (uint32_t i = 0; i < g->params; i++)
        if (g->param[i].kind == SN_INPUT) word[n++] = g->param[i].name;
    enumeration(out, name, "INPUT", word, n);
    for (uint32_t i = 0; i < g->outputs; i++) word[i] = g->output[i].name;
    enumeration(out, name, "OUTPUT", word, g->outputs);
    sn_arena_fini(&a);
}

/* An extent a free dimension for the example: a clip of 300 frames. */
static void example(FILE *out, const char *name, const sn_graph *g)
{
    if (g->dims.symbols == 0) {
        fputs("const int64_t *extent = NULL;", out);
        return;
    }
    fputs("const int64_t extent[", out);
    upper(out, name);
    fputs("_DIMS] = {", out);
    for (uint32_t s = 0; s < g->dims.symbols; s++) fprintf(out, "%s%d", s ? ", " : "", strcmp(sn_dim_symbol_name(&g->dims, s), "T") == 0 ? 300 : 1);
    fputs("};", out);
}

static void cpus(FILE *out, const sn_library *b)
{
    for (uint32_t i = 0; i < b->targets; i++) fprintf(out, "%s%s", i ? ", " : "", b->target[i]);
}

/* ---- streams ------------------------------------------------------------------------------------------------------------ */

/* Persons and joints of a frame: the input is [N, T, V, 3] or [N, persons, T, V, 3] (checked while building). */
static void frame_shape(const sn_graph *g, long long *persons, long long *joints)
{
    const sn_type *t = NULL;
    for (uint32_t i = 0; i < g->params; i++)
        if (g->param[i].kind == SN_INPUT) t = &g->param[i].type;
    SN_ASSERT(t && t->rank >= 4, "a model of frames without frames");
    *persons = t->rank == 5 ? t->dim[1].v : 1;
    *joints = t->dim[t->rank - 2].v;
}

static void latency(FILE *out, const sn_abi_tagging *g)
{
    if (g->halo == UINT64_MAX)
        fprintf(out, "scores depend on the whole window of %llu frames, and on where the recording ends.  A frame's are known once no window can\n"
                     " * hold it any more.", (unsigned long long)g->window);
    else
        fprintf(out, "a frame's scores depend on the %llu frames behind it.  They are known once these and at most `step` more were pushed;", (unsigned long long)g->halo);
}

static void step(FILE *out, const sn_abi_tagging *g)
{
    if (g->halo == UINT64_MAX) fputs("0: this model's windows are fixed", out);
    else
        fprintf(out, "frames from one computation to the next, up to a multiple of %d; 0: %d.  Every one computes some 2 * %llu + step frames:\n"
                     " *             small steps are sooner, large ones cheaper, multiples of %d cheapest", SN_RT_TAGGER_GRID,
                SN_RT_TAGGER_STEP, (unsigned long long)sn_rt_tagger_grid_up(g->halo), SN_RT_TAGGER_BEGIN);
}

static bool stream_word(FILE *out, const sn_header_text *t, const char *w, size_t n)
{
    const sn_abi_tagging *g = t->tagging;
    long long             persons, joints;
    frame_shape(t->graph, &persons, &joints);
#define IS(text) (n == strlen(text) && memcmp(w, text, n) == 0)
    if (IS("classes")) fprintf(out, "%llu", (unsigned long long)g->classes);
    else if (IS("joints")) fprintf(out, "%lld", joints);
    else if (IS("person_count")) fprintf(out, "%lld", persons);
    else if (IS("persons")) persons > 1 ? fprintf(out, "%lld persons (who is missing is zeros) of ", persons) : 0;
    else if (IS("layout")) fputs(g->layout, out);
    else if (IS("fps")) fprintf(out, "%.9g", g->fps);
    else if (IS("latency")) latency(out, g);
    else if (IS("step")) step(out, g);
    else return false;
    return true;
#undef IS
}

static const char *libraries(const sn_library *b) { return b->one_thread ? "" : " -fopenmp"; }

/* ---- the header --------------------------------------------------------------------------------------------------------- */

static void fill(FILE *out, const sn_header_text *t, const char *s);

static void word(FILE *out, const sn_header_text *t, const char *w, size_t n)
{
#define IS(text) (n == strlen(text) && memcmp(w, text, n) == 0)
    if (IS("name")) fputs(t->name, out);
    else if (IS("NAME")) upper(out, t->name);
    else if (IS("model")) fputs(t->model, out);
    else if (IS("version")) fputs(t->version, out);
    else if (IS("interface")) fprintf(out, "%d", SN_AOT_VERSION);
    else if (IS("rank")) fprintf(out, "%d", SN_ABI_MAX_RANK);
    else if (IS("cpus")) cpus(out, t->build);
    else if (IS("extent")) example(out, t->name, t->graph);
    else if (IS("shapes")) shapes(out, t->graph);
    else if (IS("enums")) enumerations(out, t->name, t->graph);
    else if (IS("link")) fprintf(out, t->build->shared ? "%s.a%s, or with %s.so" : "%s.a%s", t->name, libraries(t->build), t->name);
    else if (IS("threads") && t->build->one_thread) fputs("0 or 1: this library was built for one thread", out);
    else if (IS("threads")) fputs("of a run: 1 to 1024, or 0 for OMP_NUM_THREADS, else as many as there are processors", out);
    else if (IS("weights") && t->build->beside) fprintf(out, "path of %s.safetensors; NULL if it is in the working directory", t->name);
    else if (IS("weights")) fputs("NULL: they are inside", out);
    else if (IS("streams")) t->tagging ? fill(out, t, stream_text) : (void)0;
    else if (t->tagging && stream_word(out, t, w, n)) return;
    else SN_ASSERT(false, "header.h.in has an unknown word @%.*s@", (int)n, w);
#undef IS
}

static void fill(FILE *out, const sn_header_text *t, const char *s)
{
    const char *at;
    while ((at = strchr(s, '@')) != NULL) {
        size_t n = strcspn(at + 1, "@");
        fwrite(s, 1, (size_t)(at - s), out);
        word(out, t, at + 1, n);
        s = at + n + 2;
    }
    fputs(s, out);
}

void sn_library_header(const sn_header_text *t, FILE *out) { fill(out, t, header_text); }

void sn_library_pkgconfig(const sn_header_text *t, FILE *out)
{
    fprintf(out, "Name: %s\nDescription: %s, compiled by sinew for ", t->name, t->model);
    cpus(out, t->build);
    fprintf(out, "\nVersion: %s\nCflags: -I${pcfiledir}\nLibs: -L${pcfiledir} -l:%s.a%s\n", t->version, t->name, libraries(t->build));
}
