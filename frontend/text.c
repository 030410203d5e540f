/* Graph files as text: what `sinew convert` writes.  A node a line, keys unquoted, fields in the order of the schema.
 * Not reading (flat.cpp).  Absent fields are not written, so the text reads back to an equal file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ast.h"

typedef struct writer {
    FILE *out;
    bool  first; /* nothing stands in the innermost map or list yet */
} writer;

/* ---- values ------------------------------------------------------------------------------------------------------------- */

static void write_string(writer *w, const char *s)
{
    fputc('"', w->out);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') fprintf(w->out, "\\%c", *s);
        else if (*s == '\n') fputs("\\n", w->out);
        else if (*s == '\t') fputs("\\t", w->out);
        else if ((unsigned char)*s < 0x20 || *s == 0x7f) fprintf(w->out, "\\u%04x", (unsigned)*s);
        else fputc(*s, w->out);
    }
    fputc('"', w->out);
}

/* The shortest decimals that read back as the same number, with a point or exponent so that it stays a real. */
static void write_real(writer *w, double r)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, r);
        if (strtod(text, NULL) == r) break;
    }
    fprintf(w->out, strpbrk(text, ".e") ? "%s" : "%s.0", text);
}

static void write_key(writer *w, const char *key)
{
    bool word = *key && !(*key >= '0' && *key <= '9');
    for (const char *c = key; *c; c++)
        word = word && ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_');
    if (word) fputs(key, w->out);
    else write_string(w, key);
    fputs(": ", w->out);
}

static void write_value(writer *w, const sn_value *v)
{
    switch (v->kind) {
    case SN_VALUE_BOOL: fputs(v->integer ? "true" : "false", w->out); break;
    case SN_VALUE_INT: fprintf(w->out, "%lld", (long long)v->integer); break;
    case SN_VALUE_REAL: write_real(w, v->real); break;
    case SN_VALUE_STRING: write_string(w, v->string); break;
    case SN_VALUE_LIST:
        fputc('[', w->out);
        for (uint32_t i = 0; i < v->n; i++) {
            if (i) fputs(", ", w->out);
            write_value(w, &v->item[i]);
        }
        fputc(']', w->out);
        break;
    case SN_VALUE_MAP:
        fputs(v->n ? "{ " : "{", w->out);
        for (uint32_t i = 0; i < v->n; i++) {
            if (i) fputs(", ", w->out);
            write_key(w, v->key[i]);
            write_value(w, &v->item[i]);
        }
        fputs(v->n ? " }" : "}", w->out);
        break;
    default: fputs("null", w->out); break;
    }
}

/* ---- fields ------------------------------------------------------------------------------------------------------------- */

static void comma(writer *w)
{
    fputs(w->first ? "{ " : ", ", w->out);
    w->first = false;
}

static void field_text(writer *w, const char *key, const sn_text *t)
{
    if (!t->s) return;
    comma(w);
    write_key(w, key);
    write_string(w, t->s);
}

static void field(writer *w, const char *key, const sn_value *v)
{
    if (v->kind == SN_VALUE_ABSENT) return;
    comma(w);
    write_key(w, key);
    write_value(w, v);
}

static void field_texts(writer *w, const char *key, const sn_text *t, uint32_t n)
{
    if (n == 0) return;
    comma(w);
    write_key(w, key);
    for (uint32_t i = 0; i < n; i++) {
        fputs(i ? ", " : "[", w->out);
        write_string(w, t[i].s);
    }
    fputc(']', w->out);
}

static void field_bool(writer *w, const char *key, bool b)
{
    const sn_value v = {.kind = SN_VALUE_BOOL, .integer = b};
    if (b) field(w, key, &v);
}

static void line_end(writer *w) { fputs(w->first ? "{}" : " }", w->out); }

/* ---- modules ------------------------------------------------------------------------------------------------------------ */

static void write_node(writer *w, const void *item)
{
    const sn_ast_node *n = item;
    field_text(w, "name", &n->name);
    field_text(w, "doc", &n->doc);
    field_text(w, "op", &n->op);
    field_text(w, "is", &n->is);
    field_texts(w, "in", n->in, n->ins);
    field(w, "with", &n->with);
    field(w, "shape", &n->shape);
    field(w, "when", &n->when);
    field(w, "each", &n->each);
    field(w, "repeat", &n->repeat);
    field(w, "training", &n->training);
    field_bool(w, "constant", n->constant);
    field_text(w, "momentum_of", &n->momentum_of);
    field(w, "coefficient", &n->coefficient);
    field(w, "independent", &n->independent);
    field_text(w, "weights_of", &n->weights_of);
}

/* A section of a module, a line an item. */
typedef void write_item(writer *w, const void *item);

static void write_list(writer *w, const char *key, const void *items, uint32_t n, size_t size, write_item *write)
{
    if (n) fprintf(w->out, ",\n      %s: [", key);
    for (uint32_t i = 0; i < n; i++) {
        fprintf(w->out, "%s        ", i ? ",\n" : "\n");
        w->first = true;
        write(w, (const char *)items + i * size);
        line_end(w);
    }
    if (n) fputs(" ]", w->out);
}

static void write_input(writer *w, const void *item)
{
    const sn_ast_input *i = item;
    field_text(w, "name", &i->name);
    field_text(w, "doc", &i->doc);
    field(w, "shape", &i->shape);
    field(w, "when", &i->when);
}

static void write_weight(writer *w, const void *item)
{
    const sn_ast_weight *x = item;
    field_text(w, "name", &x->name);
    field_text(w, "doc", &x->doc);
    field(w, "shape", &x->shape);
    field_text(w, "init", &x->init);
    field(w, "when", &x->when);
}

static void write_state(writer *w, const void *item)
{
    const sn_ast_state *x = item;
    field_text(w, "name", &x->name);
    field_text(w, "doc", &x->doc);
    field(w, "shape", &x->shape);
    field_text(w, "init", &x->init);
    field_text(w, "next", &x->next);
    field(w, "when", &x->when);
}

static void write_queue(writer *w, const void *item)
{
    const sn_ast_queue *q = item;
    field_text(w, "name", &q->name);
    field_text(w, "doc", &q->doc);
    field(w, "length", &q->length);
    field(w, "width", &q->width);
    field_text(w, "push", &q->push);
    field(w, "when", &q->when);
}

static void write_constant(writer *w, const void *item)
{
    const sn_ast_constant *c = item;
    field_text(w, "name", &c->name);
    field_text(w, "doc", &c->doc);
    field_text(w, "kind", &c->kind);
    field(w, "with", &c->with);
    field(w, "shape", &c->shape);
}

static void write_output(writer *w, const void *item)
{
    const sn_ast_output *o = item;
    field_text(w, "name", &o->name);
    field_text(w, "doc", &o->doc);
    field_text(w, "from", &o->from);
    field(w, "when", &o->when);
}

static void write_fill(writer *w, const void *item)
{
    const sn_ast_fill *f = item;
    field_text(w, "name", &f->name);
    field_text(w, "doc", &f->doc);
    field_text(w, "op", &f->op);
    field(w, "with", &f->with);
}

static void write_module(writer *w, const sn_ast_module *m)
{
    w->first = true;
    field_text(w, "name", &m->name);
    field_text(w, "doc", &m->doc);
    field_text(w, "like", &m->like);
    if (m->params.kind != SN_VALUE_ABSENT) {
        fputs(w->first ? "{ " : ",\n      ", w->out);
        w->first = false;
        write_key(w, "params");
        write_value(w, &m->params);
    }
    field_texts(w, "open", m->open, m->opens);
    write_list(w, "fill", m->fill, m->fills, sizeof *m->fill, write_fill);
    write_list(w, "inputs", m->input, m->inputs, sizeof *m->input, write_input);
    write_list(w, "weights", m->weight, m->weights, sizeof *m->weight, write_weight);
    write_list(w, "states", m->state, m->states, sizeof *m->state, write_state);
    write_list(w, "queues", m->queue, m->queues, sizeof *m->queue, write_queue);
    write_list(w, "constants", m->constant, m->constants, sizeof *m->constant, write_constant);
    write_list(w, "nodes", m->node, m->nodes, sizeof *m->node, write_node);
    write_list(w, "outputs", m->output, m->outputs, sizeof *m->output, write_output);
    write_list(w, "taps", m->tap, m->taps, sizeof *m->tap, write_output);
    fputs(" }", w->out);
}

/* ---- file --------------------------------------------------------------------------------------------------------------- */

static void write_recipe(writer *w, const sn_ast_recipe *r)
{
    fputs("recipe: ", w->out);
    w->first = true;
    field_text(w, "module", &r->module);
    field_text(w, "loss", &r->loss);
    field(w, "batch", &r->batch);
    field(w, "frames", &r->frames);
    field_text(w, "labels", &r->labels);
    field_text(w, "clips", &r->clips);
    field_text(w, "model", &r->model);
    field_text(w, "features", &r->features);
    if (r->views) {
        comma(w);
        fputs("views: [", w->out);
        for (uint32_t i = 0; i < r->views; i++) {
            fputs(i ? ", " : "", w->out);
            w->first = true;
            field_text(w, "input", &r->view[i].input);
            field_text(w, "augment", &r->view[i].augment);
            line_end(w);
        }
        fputc(']', w->out);
        w->first = false;
    }
    field_text(w, "epoch", &r->epoch);
    if (r->has_optimizer) {
        comma(w);
        fputs("\n    optimizer: ", w->out);
        w->first = true;
        field_text(w, "kind", &r->optimizer.kind);
        field(w, "rate", &r->optimizer.rate);
        field(w, "momentum", &r->optimizer.momentum);
        field(w, "weight_decay", &r->optimizer.weight_decay);
        field_bool(w, "nesterov", r->optimizer.nesterov);
        field(w, "beta1", &r->optimizer.beta1);
        field(w, "beta2", &r->optimizer.beta2);
        field(w, "epsilon", &r->optimizer.epsilon);
        line_end(w);
        w->first = false;
    }
    if (r->has_schedule) {
        comma(w);
        fputs("\n    schedule: ", w->out);
        w->first = true;
        field(w, "epochs", &r->schedule.epochs);
        field(w, "warmup", &r->schedule.warmup);
        field(w, "steps", &r->schedule.steps);
        field(w, "factor", &r->schedule.factor);
        line_end(w);
        w->first = false;
    }
    line_end(w);
}

/* Between the parts of the file. */
static void part(writer *w, bool *any)
{
    fputs(*any ? ",\n  " : "{\n  ", w->out);
    *any = true;
}

void sn_ast_print(const sn_ast_file *f, FILE *out)
{
    writer w = {out, true};
    bool any = false;
    if (f->doc.s) {
        part(&w, &any);
        write_key(&w, "doc");
        write_string(&w, f->doc.s);
    }
    if (f->imports) {
        part(&w, &any);
        fputs("imports: [", out);
        for (uint32_t i = 0; i < f->imports; i++) {
            if (i) fputs(", ", out);
            w.first = true;
            field_text(&w, "file", &f->import[i].file);
            line_end(&w);
        }
        fputs("]", out);
    }
    if (f->modules) {
        part(&w, &any);
        fputs("modules: [", out);
        for (uint32_t i = 0; i < f->modules; i++) {
            fputs(i ? ",\n\n    " : "\n    ", out);
            write_module(&w, &f->module[i]);
        }
        fputs("\n  ]", out);
    }
    if (f->recipe.present) {
        part(&w, &any);
        write_recipe(&w, &f->recipe);
    }
    fputs(any ? "\n}\n" : "{}\n", out);
}
