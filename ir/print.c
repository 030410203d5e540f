/* Graphs as text, the form of LANG.md, and as a drawing for Graphviz.
 * Never fails, even on broken graphs: it is called from debuggers. */
#include <inttypes.h>
#include <string.h>

#include "text.h"

typedef struct printer {
    const sn_graph *g;
    sn_arena        arena;
    const char    **label;
    FILE           *out;
} printer;

static const char *value(const printer *p, sn_ref r) { return r.i < p->g->nodes ? p->label[r.i] : "?"; }
static const char *param(printer *p, uint32_t i) { return i < p->g->params ? sn_name_text(&p->arena, p->g->param[i].name, 0) : "?"; }

/* ---- params ------------------------------------------------------------------------------------------------------------- */

/* Leading nodes that are the inputs, in order, under their own names: the head of the graph declares both at once. */
static uint32_t implied_inputs(const sn_graph *g)
{
    uint32_t n = 0, above = 0;
    for (; n < g->nodes; n++) {
        const sn_node *node = &g->node[n];
        const uint32_t i = node->attrs.param.index;
        if (node->op != SN_OP_param || node->args || i >= g->params || (n && i < above))
            break;
        const sn_param *p = &g->param[i];
        if (p->kind != SN_INPUT || p->ref.i != n || !node->name || strcmp(node->name, p->name) != 0 || !sn_type_equal(&node->type, &p->type))
            break;
        above = i + 1;
    }
    return n;
}

static void print_head(printer *p, uint32_t implied)
{
    const char *comma = "";
    fprintf(p->out, "graph @%s(", sn_name_text(&p->arena, p->g->name, 0));
    for (uint32_t i = 0; i < p->g->params; i++) {
        const sn_param *q = &p->g->param[i];
        if (q->kind != SN_INPUT)
            continue;
        fprintf(p->out, "%s%c%s: ", comma, q->ref.i < implied ? '%' : '$', param(p, i));
        sn_print_type(&p->g->dims, &q->type, p->out);
        comma = ", ";
    }
    fputs(") {\n", p->out);
}

static void print_init(const printer *p, const sn_init *init)
{
    static const char *const word[] = {"constant", "normal", "uniform", "unit_rows", "equal_rows"};
    fputs(word[init->kind], p->out);
    if (init->kind == SN_INIT_UNIT_ROWS)
        return;
    fputc('(', p->out);
    sn_print_real(init->a, p->out);
    if (init->kind != SN_INIT_CONSTANT) {
        fputs(", ", p->out);
        sn_print_real(init->b, p->out);
    }
    fputc(')', p->out);
}

static void print_param(printer *p, uint32_t i)
{
    static const char *const word[] = {"input", "weight", "copy", "state"};
    const sn_param *q = &p->g->param[i];
    fprintf(p->out, "  %s $%s : ", word[q->kind], param(p, i));
    sn_print_type(&p->g->dims, &q->type, p->out);
    fputs(" = ", p->out);
    if (q->kind == SN_COPY) {
        sn_print_real(q->coefficient, p->out);
        fprintf(p->out, " of $%s", param(p, q->of));
        if (q->init.kind != SN_INIT_SAME) {
            fputs(", ", p->out);
            print_init(p, &q->init);
        }
    } else {
        print_init(p, &q->init);
    }
    fputc('\n', p->out);
}

/* ---- nodes -------------------------------------------------------------------------------------------------------------- */

static void print_data(const printer *p, const sn_attr_data *d)
{
    fputs(" {", p->out);
    for (size_t i = 0; i < d->count; i++) {
        uint32_t bits;
        memcpy(&bits, &d->data[i], sizeof bits);
        fputs(i ? ", " : "", p->out);
        if (d->data[i] != d->data[i])
            fprintf(p->out, "nan(0x%" PRIx32 ")", bits);
        else
            sn_print_real((double)d->data[i], p->out);
    }
    fputc('}', p->out);
}

static void print_node(printer *p, uint32_t i)
{
    const sn_node *n = &p->g->node[i];
    const bool known = (unsigned)n->op < SN_OP_COUNT;
    fprintf(p->out, "  %%%s = %s", p->label[i], known ? sn_op_get(n->op)->name : "?");
    for (uint8_t k = 0; k < n->args && k < SN_MAX_ARGS; k++)
        fprintf(p->out, "%s%%%s", k ? ", " : " ", value(p, n->arg[k]));
    const sn_attr_kind kind = known ? sn_op_get(n->op)->attrs : SN_ATTR_none;
    if (kind == SN_ATTR_param)
        fprintf(p->out, " $%s", param(p, n->attrs.param.index));
    else if (kind == SN_ATTR_data)
        print_data(p, &n->attrs.data);
    else
        sn_print_attrs(p->g, kind, &n->attrs, p->out);
    fputs(" : ", p->out);
    sn_print_type(&p->g->dims, &n->type, p->out);
    fputc('\n', p->out);
}

static void print_tail(printer *p)
{
    for (uint32_t i = 0; i < p->g->updates; i++) {
        const sn_update *u = &p->g->update[i];
        fprintf(p->out, "  %s $%s = %%%s\n", u->kind == SN_ENQUEUE ? "enqueue" : "update", param(p, u->param), value(p, u->value));
    }
    for (uint32_t i = 0; i < p->g->outputs; i++)
        fprintf(p->out, "%s%s=%%%s%s", i ? ", " : "  return ", sn_name_text(&p->arena, p->g->output[i].name, 0),
                value(p, p->g->output[i].ref), i + 1 == p->g->outputs ? "\n" : "");
    fputs("}\n", p->out);
}

static printer open_printer(const sn_graph *g, FILE *out)
{
    printer p = {.g = g, .out = out};
    sn_arena_init(&p.arena);
    p.label = sn_node_labels(g, &p.arena);
    return p;
}

void sn_graph_print(const sn_graph *g, FILE *out)
{
    printer p = open_printer(g, out);
    const uint32_t implied = implied_inputs(g);
    print_head(&p, implied);
    for (uint32_t i = 0; i < g->params; i++)
        if (g->param[i].kind != SN_INPUT)
            print_param(&p, i);
    for (uint32_t i = implied; i < g->nodes; i++)
        print_node(&p, i);
    print_tail(&p);
    sn_arena_fini(&p.arena);
}

/* ---- dot ---------------------------------------------------------------------------------------------------------------- */

/* A label between quotes of the dot language. */
static void print_dot_text(const char *s, FILE *out)
{
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            fputc('\\', out);
        fputc(*s, out);
    }
}

void sn_graph_dot(const sn_graph *g, FILE *out)
{
    printer p = open_printer(g, out);
    fputs("digraph {\n  node [shape=box, fontname=\"monospace\"];\n", out);
    for (uint32_t i = 0; i < g->nodes; i++) {
        const sn_node *n = &g->node[i];
        fprintf(out, "  n%u [label=\"", i);
        print_dot_text(p.label[i], out);
        fprintf(out, "\\n%s\\n", (unsigned)n->op < SN_OP_COUNT ? sn_op_get(n->op)->name : "?");
        sn_print_type(&g->dims, &n->type, out);
        fprintf(out, "\"%s];\n", n->op == SN_OP_param ? ", style=rounded" : "");
        for (uint8_t k = 0; k < n->args && k < SN_MAX_ARGS; k++)
            fprintf(out, "  n%u -> n%u;\n", n->arg[k].i, i);
    }
    for (uint32_t i = 0; i < g->outputs; i++) {
        fprintf(out, "  o%u [label=\"", i);
        print_dot_text(g->output[i].name, out);
        fprintf(out, "\", shape=ellipse];\n  n%u -> o%u;\n", g->output[i].ref.i, i);
    }
    fputs("}\n", out);
    sn_arena_fini(&p.arena);
}
