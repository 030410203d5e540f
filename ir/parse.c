/* Reading graphs from text (LANG.md): statements, names, params.
 * Raw: nothing is folded, what is written is what is built.  Checks what it must to build nodes (names, arity, attributes, shape rules); the
 * rest is sn_verify's.  After an error it goes on at the next line, so that several mistakes are found at once. */
#include "parse.h"

#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "names.h"
#include "text.h"

static const sn_token *token(const sn_reader *r) { return &r->p.lex.token; }
static void next(sn_reader *r) { sn_lexer_next(&r->p.lex); }
static bool at_word(const sn_reader *r, const char *word) { return token(r)->kind == SN_TOKEN_WORD && strcmp(token(r)->text, word) == 0; }

static bool take_word(sn_reader *r, const char *word)
{
    const bool found = at_word(r, word);
    if (found)
        next(r);
    return found;
}

static const char *name_of(sn_reader *r, const sn_token *t) { return sn_strdup(&r->arena, t->text); }

/* ", did you mean %x" or "" for a name not in m. */
static const char *suggestion(sn_reader *r, const sn_names *m, const char *name, char sigil)
{
    const char **key = sn_new_n(&r->arena, const char *, m->count + 1);
    size_t n = 0;
    for (uint32_t i = 0; i < m->capacity; i++)
        if (m->key[i])
            key[n++] = m->key[i];
    const char *near = n < 5000 ? sn_nearest(name, key, n) : NULL;
    return near ? sn_format(&r->arena, ", did you mean %c%s", sigil, near) : "";
}

/* The value named at the token; false if there is none.  *out is SN_NONE if its own statement was wrong. */
bool sn_parse_value(sn_reader *r, sn_ref *out)
{
    const sn_token *t = token(r);
    if (t->kind != SN_TOKEN_VALUE)
        return sn_parse_fail(&r->p, "a value, such as %x");
    const uint32_t *found = sn_names_find(&r->value, t->label);
    if (!found) {
        sn_error(r->p.diags, t->loc, r->p.node, "%%%s is not defined above%s", t->label, suggestion(r, &r->value, t->label, '%'));
        *sn_names_at(&r->value, t->label, NULL) = 0; /* once is enough */
    }
    *out = found && *found ? (sn_ref){*found - 1} : SN_NONE;
    next(r);
    return true;
}

/* The index of the param named at the token; UINT32_MAX if its own declaration was wrong. */
static bool take_param(sn_reader *r, uint32_t *out)
{
    const sn_token *t = token(r);
    if (t->kind != SN_TOKEN_STATE)
        return sn_parse_fail(&r->p, "a parameter, such as $w");
    const uint32_t *found = sn_names_find(&r->param, t->text);
    if (!found)
        sn_error(r->p.diags, t->loc, r->p.node, "$%s is not declared%s", t->label, suggestion(r, &r->param, t->text, '$'));
    *out = found && *found ? *found - 1 : UINT32_MAX;
    next(r);
    return true;
}

/* ---- params ------------------------------------------------------------------------------------------------------------- */

/* Declare without a node; false if the name is taken. */
static bool declare(sn_reader *r, const sn_token *t, sn_param p)
{
    bool made;
    uint32_t *index = sn_names_at(&r->param, name_of(r, t), &made);
    if (!made) {
        sn_error(r->p.diags, t->loc, t->text, "$%s is declared twice", t->label);
        return false;
    }
    p.name = t->text;
    p.loc = t->loc;
    *index = sn_graph_declare(r->p.g, &p) + 1;
    return true;
}

/* Define a value's label as node `ref` (SN_NONE after a mistake). */
static bool define(sn_reader *r, const sn_token *t, sn_ref ref)
{
    bool made;
    uint32_t *slot = sn_names_at(&r->value, sn_strdup(&r->arena, t->label), &made);
    if (!made && *slot) {
        sn_error(r->p.diags, t->loc, t->named ? t->text : NULL, "%%%s is defined twice", t->label);
        return false;
    }
    *slot = sn_is_none(ref) ? 0 : ref.i + 1;
    return true;
}

/* head = "(" [input {"," input}] ")";  input = (%name | $name) ":" type */
static bool parse_head(sn_reader *r)
{
    if (!sn_parse_mark(&r->p, '('))
        return false;
    for (bool first = true; !sn_at_mark(&r->p, ')'); first = false) {
        if (!first && !sn_parse_mark(&r->p, ','))
            return false;
        const sn_token t = *token(r);
        const bool implied = t.kind == SN_TOKEN_VALUE && t.named;
        sn_param p = {.kind = SN_INPUT, .of = UINT32_MAX, .ref = SN_NONE};
        if (!implied && t.kind != SN_TOKEN_STATE)
            return sn_parse_fail(&r->p, "an input, such as %x: f32[N,3]");
        next(r);
        if (!sn_parse_mark(&r->p, ':') || !sn_parse_type(&r->p, &p.type))
            return false;
        if (!declare(r, &t, p) || !implied)
            continue;
        const uint32_t index = r->p.g->params - 1;
        const sn_node n = {.op = SN_OP_param, .type = p.type, .attrs = {.param = {index}}, .name = t.text, .loc = t.loc};
        const sn_ref ref = sn_graph_append(r->p.g, &n);
        r->p.g->param[index].ref = ref;
        define(r, &t, ref);
    }
    return sn_parse_mark(&r->p, ')') && sn_parse_mark(&r->p, '{');
}

static bool parse_init(sn_reader *r, sn_init *out)
{
    static const struct { const char *word; sn_init_kind kind; int numbers; } form[] = {
        {"constant", SN_INIT_CONSTANT, 1}, {"normal", SN_INIT_NORMAL, 2}, {"uniform", SN_INIT_UNIFORM, 2}, {"unit_rows", SN_INIT_UNIT_ROWS, 0},
        {"equal_rows", SN_INIT_EQUAL_ROWS, 2}};
    for (size_t i = 0; i < sizeof form / sizeof form[0]; i++) {
        if (!take_word(r, form[i].word))
            continue;
        *out = (sn_init){.kind = form[i].kind};
        if (form[i].numbers == 0)
            return true;
        return sn_parse_mark(&r->p, '(') && sn_parse_real(&r->p, &out->a) &&
               (form[i].numbers == 1 || (sn_parse_mark(&r->p, ',') && sn_parse_real(&r->p, &out->b))) && sn_parse_mark(&r->p, ')');
    }
    return sn_parse_fail(&r->p, "constant(a), normal(mean, deviation), uniform(a, b), unit_rows or equal_rows(mean, deviation)");
}

static void promise_weight(sn_reader *r, const sn_token *of)
{
    r->promise = realloc(r->promise, (r->promises + 1) * sizeof *r->promise);
    SN_ASSERT(r->promise, "out of memory");
    r->promise[r->promises++] = (struct sn_promise){name_of(r, of), r->p.g->params, of->loc};
}

/* declaration = ("weight" | "state") $name ":" type "=" init | "copy" $name ":" type "=" number "of" $name ["," init] */
static bool parse_declaration(sn_reader *r, sn_param_kind kind)
{
    next(r);
    const sn_token t = *token(r);
    sn_param p = {.kind = kind, .of = UINT32_MAX, .init = {.kind = kind == SN_COPY ? SN_INIT_SAME : SN_INIT_CONSTANT}, .ref = SN_NONE};
    if (t.kind != SN_TOKEN_STATE)
        return sn_parse_fail(&r->p, "a parameter, such as $w");
    r->p.node = t.text;
    next(r);
    if (!sn_parse_mark(&r->p, ':') || !sn_parse_type(&r->p, &p.type) || !sn_parse_mark(&r->p, '='))
        return false;
    if (kind != SN_COPY)
        return parse_init(r, &p.init) && declare(r, &t, p);
    if (!sn_parse_real(&r->p, &p.coefficient))
        return false;
    if (!take_word(r, "of"))
        return sn_parse_fail(&r->p, "`of` and a weight");
    const sn_token of = *token(r);
    if (of.kind != SN_TOKEN_STATE)
        return sn_parse_fail(&r->p, "a weight, such as $w");
    next(r);
    promise_weight(r, &of);
    if ((!sn_at_mark(&r->p, ',') || (sn_parse_mark(&r->p, ',') && parse_init(r, &p.init))) && declare(r, &t, p))
        return true;
    r->promises--;
    return false;
}

static void keep_promises(sn_reader *r)
{
    for (uint32_t i = 0; i < r->promises; i++) {
        const struct sn_promise *q = &r->promise[i];
        const uint32_t *found = sn_names_find(&r->param, q->name);
        if (found && *found)
            r->p.g->param[q->copy].of = *found - 1;
        else
            sn_error(r->p.diags, q->loc, r->p.g->param[q->copy].name, "$%s is not declared%s", sn_name_text(&r->arena, q->name, 0),
                     suggestion(r, &r->param, q->name, '$'));
    }
}

/* ---- nodes -------------------------------------------------------------------------------------------------------------- */

static bool parse_op(sn_reader *r, sn_op *out)
{
    if (token(r)->kind != SN_TOKEN_WORD)
        return sn_parse_fail(&r->p, "an operator");
    if (!sn_op_find(token(r)->text, out)) {
        const char *name[SN_OP_COUNT];
        for (int i = 0; i < SN_OP_COUNT; i++)
            name[i] = sn_op_get((sn_op)i)->name;
        const char *near = sn_nearest(token(r)->text, name, SN_OP_COUNT);
        sn_error(r->p.diags, token(r)->loc, r->p.node, "there is no operator %s%s%s", token(r)->text, near ? ", did you mean " : "",
                 near ? near : "");
        return false;
    }
    next(r);
    return true;
}

static bool parse_args(sn_reader *r, sn_node *n)
{
    while (token(r)->kind == SN_TOKEN_VALUE || n->args) {
        if (n->args == SN_MAX_ARGS)
            return sn_parse_fail(&r->p, "at most 8 arguments");
        if (!sn_parse_value(r, &n->arg[n->args++]))
            return false;
        if (!sn_at_mark(&r->p, ','))
            break;
        next(r);
    }
    return true;
}

/* Check the node by its shape rule and append it.  Values of wrong statements make the node wrong without a further message. */
static sn_ref finish_node(sn_reader *r, sn_node *n)
{
    char reason[1024];
    sn_graph *g = r->p.g;
    const char *op = sn_op_get(n->op)->name;
    sn_type type = n->type;
    for (uint8_t k = 0; k < n->args; k++)
        if (sn_is_none(n->arg[k]))
            return SN_NONE;
    if (!sn_check_node(g, n->op, n->arg, n->args, &n->attrs, &type, reason, sizeof reason)) {
        sn_error(r->p.diags, n->loc, r->p.node, "%s: %s", op, reason);
    } else if (!sn_type_equal(&type, &n->type)) {
        sn_error(r->p.diags, n->loc, r->p.node, "%s: declared type is %s but should be %s", op, sn_text_of(&g->dims, &n->type).s,
                 sn_text_of(&g->dims, &type).s);
    }
    const sn_ref ref = sn_graph_append(g, n); /* also after an error: what reads it is checked against the declared type */
    if (n->op == SN_OP_param && sn_is_none(g->param[n->attrs.param.index].ref))
        g->param[n->attrs.param.index].ref = ref;
    return ref;
}

/* node = %name "=" op [%arg {"," %arg}] [$param] [attributes] ":" type */
static bool parse_node(sn_reader *r)
{
    const sn_token t = *token(r);
    sn_node n = {.name = t.named ? t.text : NULL};
    r->p.node = n.name;
    next(r);
    if (!sn_parse_mark(&r->p, '='))
        return false;
    n.loc = token(r)->loc;
    bool good = parse_op(r, &n.op) && parse_args(r, &n);
    if (good && sn_op_get(n.op)->attrs == SN_ATTR_param) {
        good = take_param(r, &n.attrs.param.index);
        if (good && n.attrs.param.index == UINT32_MAX) { /* reported where it is declared, or above */
            define(r, &t, SN_NONE);
            return false;
        }
    } else if (good && sn_op_get(n.op)->attrs == SN_ATTR_data) {
        good = sn_parse_data(&r->p, &n.attrs.data);
    } else {
        good = good && sn_parse_attrs(&r->p, n.op, &n.attrs);
    }
    good = good && sn_parse_mark(&r->p, ':') && sn_parse_type(&r->p, &n.type);
    n.loc.len = r->p.lex.end - n.loc.off;
    return define(r, &t, good ? finish_node(r, &n) : SN_NONE) && good;
}

/* ---- updates, outputs --------------------------------------------------------------------------------------------------- */

static bool parse_update(sn_reader *r, sn_update_kind kind)
{
    sn_loc loc = token(r)->loc;
    uint32_t param;
    sn_ref value;
    next(r);
    if (!take_param(r, &param) || !sn_parse_mark(&r->p, '=') || !sn_parse_value(r, &value))
        return false;
    loc.len = r->p.lex.end - loc.off;
    if (param != UINT32_MAX && !sn_is_none(value))
        sn_graph_update(r->p.g, kind, param, value, loc);
    return true;
}

/* return = "return" name "=" %value {"," name "=" %value} */
static bool parse_return(sn_reader *r)
{
    next(r);
    for (;;) {
        const sn_token t = *token(r);
        sn_ref value;
        if (t.kind != SN_TOKEN_WORD && t.kind != SN_TOKEN_STRING)
            return sn_parse_fail(&r->p, "an output, such as loss=%z");
        r->p.node = t.text;
        next(r);
        if (!sn_parse_mark(&r->p, '=') || !sn_parse_value(r, &value))
            return false;
        if (!sn_is_none(value))
            sn_graph_output(r->p.g, t.text, value, t.loc);
        if (!sn_at_mark(&r->p, ','))
            return true;
        next(r);
    }
}

/* ---- graphs ------------------------------------------------------------------------------------------------------------- */

static bool parse_statement(sn_reader *r)
{
    r->p.node = NULL;
    r->p.lex.bad = false;
    if (token(r)->kind == SN_TOKEN_VALUE)
        return parse_node(r);
    if (at_word(r, "weight"))
        return parse_declaration(r, SN_WEIGHT);
    if (at_word(r, "copy"))
        return parse_declaration(r, SN_COPY);
    if (at_word(r, "state"))
        return parse_declaration(r, SN_STATE);
    if (at_word(r, "update"))
        return parse_update(r, SN_ASSIGN);
    if (at_word(r, "enqueue"))
        return parse_update(r, SN_ENQUEUE);
    if (at_word(r, "return"))
        return parse_return(r);
    return sn_parse_fail(&r->p, "a statement or `}`");
}

bool sn_parse_graph(sn_reader *r)
{
    if (!take_word(r, "graph"))
        return sn_parse_fail(&r->p, "`graph`");
    if (token(r)->kind != SN_TOKEN_GRAPH)
        return sn_parse_fail(&r->p, "a graph name, such as @main");
    r->p.g = sn_graph_new(token(r)->text);
    next(r);
    if (!parse_head(r))
        return false;
    while (!sn_at_mark(&r->p, '}')) {
        if (token(r)->kind == SN_TOKEN_END)
            return sn_parse_fail(&r->p, "`}`");
        const uint32_t from = token(r)->loc.off;
        if (!parse_statement(r))
            sn_lexer_recover(&r->p.lex, from);
    }
    r->p.lex.bad = false;
    next(r);
    r->p.node = NULL;
    keep_promises(r);
    return true;
}

void sn_reader_init(sn_reader *r, sn_diags *diags, uint32_t source)
{
    *r = (sn_reader){.p = {.diags = diags}};
    sn_arena_init(&r->arena);
    sn_names_init(&r->value);
    sn_names_init(&r->param);
    sn_lexer_init(&r->p.lex, diags, source, &r->arena);
}

void sn_reader_fini(sn_reader *r)
{
    free(r->promise);
    sn_names_fini(&r->value);
    sn_names_fini(&r->param);
    sn_arena_fini(&r->arena);
}

sn_graph *sn_graph_parse(sn_diags *diags, uint32_t source)
{
    sn_reader r;
    const uint32_t errors = diags->errors;
    sn_reader_init(&r, diags, source);
    bool good = sn_parse_graph(&r) && (token(&r)->kind == SN_TOKEN_END || sn_parse_fail(&r.p, "nothing after the graph"));
    good = good && diags->errors == errors;
    if (!good) {
        sn_graph_free(r.p.g);
        r.p.g = NULL;
    }
    sn_reader_fini(&r);
    return r.p.g;
}
