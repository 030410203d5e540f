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
