/* Schedules: freeing and printing.
 * Making them is the passes' business. */
#include "schedule.h"

#include <inttypes.h>
#include <stdlib.h>

#include "text.h"

sn_schedule *sn_schedule_new(sn_graph *g)
{
    sn_schedule *s = calloc(1, sizeof *s);
    SN_ASSERT(s, "out of memory");
    sn_arena_init(&s->arena);
    s->g = g;
    return s;
}

void sn_schedule_free(sn_schedule *s)
{
    if (!s)
        return;
    sn_graph_free(s->g);
    sn_arena_fini(&s->arena);
    free(s);
}

typedef struct writer {
    const sn_schedule *s;
    const char       **label;
    FILE              *out;
} writer;

static void print_refs(const writer *w, const char *word, const sn_ref *ref, uint32_t n)
{
    fprintf(w->out, "  %s", word);
    for (uint32_t i = 0; i < n; i++)
        fprintf(w->out, "%s%%%s", i ? ", " : " ", ref[i].i < w->s->g->nodes ? w->label[ref[i].i] : "?");
    fputc('\n', w->out);
}

/* One body node: what it is, as in the graph. */
static void print_body(const writer *w, sn_ref r)
{
    const sn_graph *g = w->s->g;
    if (r.i >= g->nodes) {
        fputs("    %?\n", w->out);
        return;
    }
    const sn_node *n = sn_at(g, r);
    fprintf(w->out, "    %%%s = %s", w->label[r.i], sn_op_get(n->op)->name);
    for (uint8_t k = 0; k < n->args; k++)
        fprintf(w->out, "%s%%%s", k ? ", " : " ", n->arg[k].i < g->nodes ? w->label[n->arg[k].i] : "?");
    sn_print_attrs(g, sn_op_get(n->op)->attrs, &n->attrs, w->out);
    fputs(" : ", w->out);
    sn_print_type(&g->dims, &n->type, w->out);
    fputc('\n', w->out);
}

static void print_kernel(const writer *w, uint32_t i)
{
    static const char *const form[] = {"map", "reduce", "contract", "special"};
    const sn_kernel *k = &w->s->kernel[i];
    fprintf(w->out, "kernel %u \"%s\" %s", i, k->name ? k->name : "", form[k->form]);
    if (!sn_is_none(k->anchor))
        fprintf(w->out, " anchor=%%%s", k->anchor.i < w->s->g->nodes ? w->label[k->anchor.i] : "?");
    if (k->tiled)
        fprintf(w->out, " tiles={outer=%" PRId64 ", chunk=%" PRId64 "}", k->outer, k->chunk);
    fputs(" {\n", w->out);
    print_refs(w, "in", k->in, k->ins);
    fputs("  body\n", w->out);
    for (uint32_t j = 0; j < k->bodies; j++)
        print_body(w, k->body[j]);
    print_refs(w, "out", k->out, k->outs);
    fputs("}\n", w->out);
}

static void print_buffer(const writer *w, uint32_t i)
{
    static const char *const place[] = {"slab", "param", "output", "const", "alias"};
    const sn_buffer *b = &w->s->buffer[i];
    char count[256];
    sn_dim_text(&w->s->g->dims, b->count, count, sizeof count);
    fprintf(w->out, "buffer %u %%%s %s", i, b->node.i < w->s->g->nodes ? w->label[b->node.i] : "?", place[b->place]);
    if (b->place == SN_PLACE_PARAM && b->index < w->s->g->params)
        fprintf(w->out, " $%s", w->s->g->param[b->index].name);
    else if (b->place == SN_PLACE_OUTPUT && b->index < w->s->g->outputs)
        fprintf(w->out, " %s", w->s->g->output[b->index].name);
    else if (b->place == SN_PLACE_ALIAS)
        fprintf(w->out, " %u", b->index);
    fprintf(w->out, " floats=%s life=", count);
    fprintf(w->out, b->first == UINT32_MAX ? "start" : "%u", b->first);
    fprintf(w->out, b->last == UINT32_MAX ? "..end\n" : "..%u\n", b->last);
}

void sn_schedule_print_kernel(const sn_schedule *s, const char **label, uint32_t kernel, FILE *out)
{
    const writer w = {s, label, out};
    print_kernel(&w, kernel);
}

static bool is_among(const sn_ref *list, uint32_t n, sn_ref r)
{
    for (uint32_t i = 0; i < n; i++)
        if (sn_same(list[i], r))
            return true;
    return false;
}

static const char *or_nothing(const char *text, const char *other) { return text ? text : other; }

/* An edge: is the value handed over in the kernel, or through memory? */
static void print_edge(const writer *w, const sn_kernel *k, sn_ref from)
{
    sn_ref memory = from;
    while (sn_op_has(sn_at(w->s->g, memory)->op, SN_VIEW))
        memory = sn_at(w->s->g, memory)->arg[0];
    const sn_op op = sn_at(w->s->g, memory)->op;
    if (op == SN_OP_param || op == SN_OP_const) /* in memory from the start */
        return;
    const sn_why *why = &w->s->why[memory.i];
    if (is_among(k->body, k->bodies, from))
        fprintf(w->out, "    reads %%%s here: fused\n", w->label[from.i]);
    else
        fprintf(w->out, "    reads %%%s from memory: %s\n", w->label[from.i], or_nothing(why->value, "its kernel stores it"));
}

void sn_schedule_print_why(const sn_schedule *s, const char **label, uint32_t kernel, FILE *out)
{
    static const char *const form[] = {"map", "reduce", "contract", "special"};
    const writer w = {s, label, out};
    const sn_kernel *k = &s->kernel[kernel];
    fprintf(out, "kernel %u \"%s\" %s\n", kernel, k->name, form[k->form]);
    for (uint32_t i = 0; i < k->bodies && s->why; i++) {
        const sn_ref r = k->body[i];
        const bool stored = is_among(k->out, k->outs, r);
        fprintf(out, "  %%%s = %s, %s: %s\n", label[r.i], sn_op_get(sn_at(s->g, r)->op)->name, stored ? "stored" : "not stored",
                or_nothing(s->why[r.i].value, "its kernel needs it only here"));
        if (s->why[r.i].place)
            fprintf(out, "    placed: %s\n", s->why[r.i].place);
        for (uint8_t a = 0; a < sn_at(s->g, r)->args; a++)
            print_edge(&w, k, sn_at(s->g, r)->arg[a]);
    }
}

void sn_schedule_print(const sn_schedule *s, FILE *out)
{
    sn_arena arena;
    sn_arena_init(&arena);
    const writer w = {s, sn_node_labels(s->g, &arena), out};
    for (uint32_t i = 0; i < s->kernels; i++)
        print_kernel(&w, i);
    for (uint32_t i = 0; i < s->buffers; i++)
        print_buffer(&w, i);
    sn_arena_fini(&arena);
}
