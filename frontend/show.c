/* A program at a stage as text.
 * Not the stages themselves (elaborate.c, passes/, codegen/) and not the reasons (recorded by passes/ and codegen/ where they decide). */
#include "show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../ir/text.h"
#include "difference.h"

uint32_t sn_show_stages(const char *name[SN_SHOW_STAGES])
{
    uint32_t n = sn_stage_names(name);
    name[n++] = "memory";
    name[n++] = "why";
    name[n++] = "llvm";
    name[n++] = "asm";
    return n;
}

sn_show_kind sn_show_kind_of(const char *stage)
{
    const char *name[SN_SHOW_STAGES];
    const uint32_t n = sn_show_stages(name);
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(name[i], stage) == 0)
            return i + 2 >= n ? SN_SHOW_CODE : i + 3 == n ? SN_SHOW_WHY : i + 4 == n ? SN_SHOW_MEMORY : i + 5 == n ? SN_SHOW_KERNELS : SN_SHOW_GRAPH;
    return SN_SHOW_NONE;
}

/* ---- what is asked for -------------------------------------------------------------------------------------------------- */

static void need(const sn_graph *g, sn_ref r, bool *needed)
{
    if (needed[r.i]) return;
    needed[r.i] = true;
    for (uint8_t i = 0; i < g->node[r.i].args; i++) need(g, g->node[r.i].arg[i], needed);
}

/* What outputs other than gradients, and updates, need. */
static bool *forward_of(const sn_graph *g, sn_arena *arena)
{
    bool *forward = sn_new_n(arena, bool, g->nodes + 1);
    for (uint32_t i = 0; i < g->outputs; i++)
        if (strncmp(g->output[i].name, "grad.", 5) != 0) need(g, g->output[i].ref, forward);
    for (uint32_t i = 0; i < g->updates; i++) need(g, g->update[i].value, forward);
    return forward;
}

/* Is it NAME, or below it? */
static bool is_below(const char *name, const char *above)
{
    const size_t n = strlen(above);
    return name && strncmp(name, above, n) == 0 && (name[n] == 0 || name[n] == '.');
}

static bool is_part(const sn_show *s, bool forward) { return !s->part || (strcmp(s->part, "forward") == 0) == forward; }

static bool wants_node(const sn_show *s, const sn_graph *g, uint32_t i, const bool *forward)
{
    return (!s->node || is_below(g->node[i].name, s->node)) && is_part(s, forward[i]);
}

static bool wants_kernel(const sn_show *s, const sn_graph *g, const sn_kernel *k, const bool *forward)
{
    bool computes = !s->node, ahead = false;
    for (uint32_t i = 0; i < k->bodies && !computes; i++) computes = is_below(g->node[k->body[i].i].name, s->node);
    for (uint32_t i = 0; i < k->outs; i++) ahead = ahead || forward[k->out[i].i];
    return computes && is_part(s, ahead) && (!s->kernel || strstr(k->name, s->kernel));
}

static bool wants_all(const sn_show *s) { return !s->node && !s->part && !s->kernel; }

/* ---- graphs ------------------------------------------------------------------------------------------------------------- */

static sn_graph *graph_at(const sn_show *s, const char *stage, sn_diags *diags)
{
    if (strcmp(stage, "source") == 0) return sn_model_elaborate(s->model, s->program, diags);
    return sn_program_graph(s->model, s->program, strcmp(stage, "fused") == 0 || strcmp(stage, "scheduled") == 0 ? NULL : stage, diags);
}

static char *text_of(const sn_graph *g)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    SN_ASSERT(f, "out of memory");
    sn_graph_print(g, f);
    fclose(f);
    return text;
}

/* The lines of nodes that are wanted. */
static void print_some(const sn_show *s, const sn_graph *g, FILE *out)
{
    sn_arena arena;
    sn_arena_init(&arena);
    const bool *forward = forward_of(g, &arena);
    const char **label = sn_node_labels(g, &arena);
    char *text = text_of(g), *rest = NULL;
    uint32_t node = 0;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "  %", 3) != 0) continue;
        for (size_t n; node < g->nodes; node++) { /* lines are in the order of nodes, some of which have none */
            n = strlen(label[node]);
            if (strncmp(line + 3, label[node], n) == 0 && strncmp(line + 3 + n, " = ", 3) == 0) break;
        }
        if (node < g->nodes && wants_node(s, g, node, forward)) fprintf(out, "%s\n", line);
    }
    free(text);
    sn_arena_fini(&arena);
}

static bool gradients_of(const sn_show *s, const char *stage)
{
    const bool before = strcmp(stage, "source") == 0 || strcmp(stage, "drop_updates") == 0 || strcmp(stage, "reorder") == 0;
    return s->model->stage ? s->model->stage->gradients : s->program->requests > 0 && !before;
}

static void print_graph(const sn_show *s, const sn_graph *g, const char *stage, FILE *out)
{
    if (s->dot) {
        sn_graph_dot(g, out);
    } else if (wants_all(s)) {
        sn_stage_print_head(stage, s->program->training, gradients_of(s, stage), out);
        sn_graph_print(g, out);
    } else {
        print_some(s, g, out);
    }
}

/* ---- kernels ------------------------------------------------------------------------------------------------------------ */

static void print_kernels(const sn_show *s, const sn_schedule *schedule, FILE *out)
{
    sn_arena arena;
    if (wants_all(s)) {
        sn_stage_print_head("scheduled", s->program->training, gradients_of(s, "scheduled"), out);
        sn_graph_print(schedule->g, out);
        sn_schedule_print(schedule, out);
        return;
    }
    sn_arena_init(&arena);
    const bool *forward = forward_of(schedule->g, &arena);
    const char **label = sn_node_labels(schedule->g, &arena);
    for (uint32_t i = 0; i < schedule->kernels; i++)
        if (wants_kernel(s, schedule->g, &schedule->kernel[i], forward)) sn_schedule_print_kernel(schedule, label, i, out);
    sn_arena_fini(&arena);
}

/* ---- memory ------------------------------------------------------------------------------------------------------------- */

static const char *kernel_name(const sn_schedule *s, uint32_t kernel) { return kernel < s->kernels ? s->kernel[kernel].name : "the end"; }

static bool wants_buffer(const sn_show *s, const sn_schedule *schedule, const sn_buffer *b, const bool *forward)
{
    bool wanted = wants_all(s);
    for (uint32_t i = 0; i < schedule->kernels && !wanted; i++) {
        const sn_kernel *k = &schedule->kernel[i];
        bool touches = false;
        for (uint32_t j = 0; j < k->ins; j++) touches = touches || sn_same(k->in[j], b->node);
        for (uint32_t j = 0; j < k->outs; j++) touches = touches || sn_same(k->out[j], b->node);
        wanted = touches && wants_kernel(s, schedule->g, k, forward);
    }
    return wanted;
}

static void print_buffer(const sn_schedule *s, const sn_buffer *b, const char *label, FILE *out)
{
    static const char *const place[] = {"slab", "parameter", "output", "constant", "view"};
    char count[128];
    sn_dim_text(&s->g->dims, b->count, count, sizeof count);
    fprintf(out, "%-9s  %-24s floats  ", place[b->place], count);
    if (b->place == SN_PLACE_SLAB || b->place == SN_PLACE_OUTPUT)
        fprintf(out, "%5u .. %-5u  %%%s   from %s to %s\n", b->first, b->last, label, kernel_name(s, b->first), kernel_name(s, b->last));
    else if (b->place == SN_PLACE_ALIAS) fprintf(out, "%14s  %%%s\n", "", label);
    else fprintf(out, "  read .. %-5u  %%%s\n", b->last, label);
}

static int by_birth(const void *pa, const void *pb)
{
    const sn_buffer *a = *(const sn_buffer *const *)pa, *b = *(const sn_buffer *const *)pb;
    return a->first != b->first ? (a->first > b->first) - (a->first < b->first) : (a->node.i > b->node.i) - (a->node.i < b->node.i);
}

/* The kernel at which most of the slab is alive; sizes are known only where no dimension is free. */
static void print_peak(const sn_schedule *s, FILE *out)
{
    int64_t most = 0;
    uint32_t at = 0;
    for (uint32_t k = 0; k < s->kernels; k++) {
        int64_t alive = 0;
        for (uint32_t i = 0; i < s->buffers; i++)
            alive += s->buffer[i].place == SN_PLACE_SLAB && s->buffer[i].first <= k && k <= s->buffer[i].last ? s->buffer[i].count.v : 0;
        if (alive > most) most = alive, at = k;
    }
    fprintf(out, "at most %" PRId64 " floats of the slab are alive at once: at kernel %u, %s\n", most, at, kernel_name(s, at));
}

static void print_memory(const sn_show *s, const sn_schedule *schedule, FILE *out)
{
    sn_arena arena;
    sn_arena_init(&arena);
    const bool *forward = forward_of(schedule->g, &arena);
    const char **label = sn_node_labels(schedule->g, &arena);
    const sn_buffer **order = sn_new_n(&arena, const sn_buffer *, schedule->buffers + 1);
    bool open = false;
    for (uint32_t i = 0; i < schedule->buffers; i++) {
        order[i] = &schedule->buffer[i];
        open = open || !sn_dim_is_const(order[i]->count);
    }
    qsort(order, schedule->buffers, sizeof *order, by_birth);
    for (uint32_t i = 0; i < schedule->buffers; i++)
        if (wants_buffer(s, schedule, order[i], forward)) print_buffer(schedule, order[i], label[order[i]->node.i], out);
    if (wants_all(s) && open) fputs("sizes depend on free dimensions: --set N=... gives them numbers, and the peak\n", out);
    else if (wants_all(s)) print_peak(schedule, out);
    sn_arena_fini(&arena);
}

/* ---- why ---------------------------------------------------------------------------------------------------------------- */

static bool print_why(const sn_show *s, const sn_schedule *schedule, FILE *out, sn_diags *diags)
{
    sn_arena arena;
    bool ok = true;
    if (!schedule->why) fputs("kernels are as they are written, which decides what is fused; why their code has its form:\n", out);
    sn_arena_init(&arena);
    const bool *forward = forward_of(schedule->g, &arena);
    const char **label = sn_node_labels(schedule->g, &arena);
    for (uint32_t i = 0; ok && i < schedule->kernels; i++) {
        if (!wants_kernel(s, schedule->g, &schedule->kernel[i], forward)) continue;
        sn_schedule_print_why(schedule, label, i, out);
#ifdef SINEW_WITH_CODEGEN
        const sn_codegen_options how = {.cpu = s->cpu};
        ok = sn_codegen_explain(schedule, &how, i, out, diags);
#endif
    }
    sn_arena_fini(&arena);
    return ok;
}

/* ---- code --------------------------------------------------------------------------------------------------------------- */

static bool print_code(const sn_show *s, const sn_schedule *schedule, const char *stage, FILE *out, sn_diags *diags)
{
#ifdef SINEW_WITH_CODEGEN
    const sn_codegen_options how = {.cpu = s->cpu, .code = s->code};
    const sn_code_stage form = strcmp(stage, "asm") == 0 ? SN_CODE_ASM : s->optimized ? SN_CODE_LLVM_OPT : SN_CODE_LLVM;
    sn_arena arena;
    bool ok = true;
    sn_arena_init(&arena);
    const bool *forward = forward_of(schedule->g, &arena);
    for (uint32_t i = 0; i < schedule->kernels; i++)
        if (wants_kernel(s, schedule->g, &schedule->kernel[i], forward)) ok = sn_codegen_print_kernel(schedule, &how, form, i, out, diags) && ok;
    sn_arena_fini(&arena);
    return ok;
#else
    (void)s, (void)schedule, (void)stage, (void)out;
    sn_error(diags, ((sn_loc){0}), NULL, "this sinew was built without LLVM");
    return false;
#endif
}

/* ---- public ------------------------------------------------------------------------------------------------------------- */

bool sn_show_stage(const sn_show *s, const char *stage, FILE *out, sn_diags *diags)
{
    const sn_show_kind kind = sn_show_kind_of(stage);
    if (kind == SN_SHOW_GRAPH) {
        sn_graph *g = graph_at(s, stage, diags);
        if (g) print_graph(s, g, stage, out);
        sn_graph_free(g);
        return g != NULL;
    }
    sn_program_options program = *s->program;
    program.explain = kind == SN_SHOW_WHY;
    sn_schedule *schedule = sn_program_schedule(s->model, &program, diags);
    bool ok = schedule != NULL;
    if (ok && kind == SN_SHOW_KERNELS) print_kernels(s, schedule, out);
    else if (ok && kind == SN_SHOW_MEMORY) print_memory(s, schedule, out);
    else if (ok && kind == SN_SHOW_WHY) ok = print_why(s, schedule, out, diags);
    else if (ok) ok = print_code(s, schedule, stage, out, diags);
    sn_schedule_free(schedule);
    return ok;
}

static char *stage_text(const sn_show *s, const char *stage, sn_diags *diags)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    SN_ASSERT(f, "out of memory");
    const bool ok = sn_show_stage(s, stage, f, diags);
    fclose(f);
    if (ok) return text;
    free(text);
    return NULL;
}

/* The names of the stages differ anyway. */
static const char *after_head(const char *text) { return *text == '#' ? text + strcspn(text, "\n") : text; }

bool sn_show_difference(const sn_show *s, const char *from, const char *to, FILE *out, sn_diags *diags)
{
    enum { CONTEXT = 1 };
    char *a = stage_text(s, from, diags), *b = a ? stage_text(s, to, diags) : NULL;
    const bool ok = b != NULL;
    if (ok && sn_difference_print(after_head(a), after_head(b), CONTEXT, out) == 0) fprintf(out, "stages %s and %s are the same\n", from, to);
    free(a);
    free(b);
    return ok;
}
