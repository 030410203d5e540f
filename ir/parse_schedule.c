/* Reading schedules from text: a graph, then its kernels.
 * Not buffers, which are planned anew, and no check that it can run (passes/schedule_verify.c). */
#include <string.h>

#include "parse.h"
#include "schedule.h"

static const sn_token *token(const sn_reader *r) { return &r->p.lex.token; }
static void next(sn_reader *r) { sn_lexer_next(&r->p.lex); }

static bool take_word(sn_reader *r, const char *word)
{
    const bool found = token(r)->kind == SN_TOKEN_WORD && strcmp(token(r)->text, word) == 0;
    if (found)
        next(r);
    return found;
}

static bool expect_word(sn_reader *r, const char *word) { return take_word(r, word) || sn_parse_fail(&r->p, word); }

static bool parse_number(sn_reader *r, int64_t *out)
{
    if (token(r)->kind != SN_TOKEN_NUMBER || !sn_token_int(token(r), out))
        return sn_parse_fail(&r->p, "an integer");
    next(r);
    return true;
}

typedef struct list { sn_ref *ref; uint32_t n; } list; /* room for every node, and once more */

static bool push(sn_reader *r, list *l, sn_ref ref)
{
    if (l->n > r->p.g->nodes)
        return sn_parse_fail(&r->p, "fewer values");
    l->ref[l->n++] = ref;
    return true;
}

/* [%value {"," %value}] */
static bool parse_values(sn_reader *r, list *l)
{
    sn_ref ref;
    while (token(r)->kind == SN_TOKEN_VALUE) {
        if (!sn_parse_value(r, &ref) || !push(r, l, ref))
            return false;
        if (!sn_at_mark(&r->p, ','))
            return true;
        next(r);
    }
    return l->n == 0 || sn_parse_fail(&r->p, "a value, such as %x");
}

/* %value ["=" operator ...]: the rest of the line is for readers. */
static bool parse_body_line(sn_reader *r, list *body)
{
    const uint32_t from = token(r)->loc.off;
    sn_ref ref;
    if (!sn_parse_value(r, &ref) || sn_is_none(ref) || !push(r, body, ref))
        return false;
    if (!sn_at_mark(&r->p, '='))
        return true;
    next(r);
    const char *op = sn_op_get(sn_at(r->p.g, ref)->op)->name;
    if (token(r)->kind != SN_TOKEN_WORD || strcmp(token(r)->text, op) != 0) {
        sn_error(r->p.diags, token(r)->loc, sn_at(r->p.g, ref)->name, "found %s, but it is %s in the graph above: what a node computes is changed there",
                 token(r)->text ? token(r)->text : "no operator", op);
        return false;
    }
    sn_lexer_recover(&r->p.lex, from);
    return true;
}

static sn_ref *keep(sn_schedule *s, const list *l)
{
    sn_ref *ref = sn_new_n(&s->arena, sn_ref, l->n + 1);
    memcpy(ref, l->ref, l->n * sizeof *ref);
    return ref;
}

static bool parse_form(sn_reader *r, sn_form *out)
{
    static const char *const form[] = {"map", "reduce", "contract", "special"};
    for (int i = 0; i < 4; i++)
        if (take_word(r, form[i])) {
            *out = (sn_form)i;
            return true;
        }
    return sn_parse_fail(&r->p, "map, reduce, contract or special");
}

/* ["anchor" "=" %value] ["tiles" "=" "{" "outer" "=" number "," "chunk" "=" number "}"] */
static bool parse_head(sn_reader *r, sn_kernel *k)
{
    k->anchor = SN_NONE;
    if (take_word(r, "anchor") && (!sn_parse_mark(&r->p, '=') || !sn_parse_value(r, &k->anchor)))
        return false;
    if (!take_word(r, "tiles"))
        return true;
    k->tiled = true;
    return sn_parse_mark(&r->p, '=') && sn_parse_mark(&r->p, '{') && expect_word(r, "outer") && sn_parse_mark(&r->p, '=') && parse_number(r, &k->outer) &&
           sn_parse_mark(&r->p, ',') && expect_word(r, "chunk") && sn_parse_mark(&r->p, '=') && parse_number(r, &k->chunk) && sn_parse_mark(&r->p, '}');
}

/* kernel = "kernel" number "name" form head "{" "in" values "body" {body-line} "out" values "}" */
static bool parse_kernel(sn_reader *r, sn_schedule *s, sn_kernel *k)
{
    const uint32_t room = r->p.g->nodes + 2;
    list in = {sn_new_n(&r->arena, sn_ref, room), 0}, body = {sn_new_n(&r->arena, sn_ref, room), 0}, out = {sn_new_n(&r->arena, sn_ref, room), 0};
    int64_t number;
    if (!parse_number(r, &number))
        return false;
    k->loc = token(r)->loc;
    if (token(r)->kind != SN_TOKEN_STRING)
        return sn_parse_fail(&r->p, "the kernel's name in quotes");
    k->name = sn_strdup(&s->arena, token(r)->text);
    next(r);
    if (!parse_form(r, &k->form) || !parse_head(r, k) || !sn_parse_mark(&r->p, '{') || !expect_word(r, "in") || !parse_values(r, &in) || !expect_word(r, "body"))
        return false;
    while (token(r)->kind == SN_TOKEN_VALUE)
        if (!parse_body_line(r, &body))
            return false;
    if (!expect_word(r, "out") || !parse_values(r, &out) || !sn_parse_mark(&r->p, '}'))
        return false;
    k->in = keep(s, &in), k->ins = in.n;
    k->body = keep(s, &body), k->bodies = body.n;
    k->out = keep(s, &out), k->outs = out.n;
    return true;
}

static bool parse_kernels(sn_reader *r, sn_schedule *s)
{
    uint32_t room = 0;
    for (;;) {
        const uint32_t from = token(r)->loc.off;
        if (token(r)->kind == SN_TOKEN_END)
            return true;
        if (take_word(r, "buffer")) {
            sn_lexer_recover(&r->p.lex, from);
            continue;
        }
        if (!take_word(r, "kernel"))
            return sn_parse_fail(&r->p, "a kernel, a buffer or the end");
        if (s->kernels == room) {
            sn_kernel *grown = sn_new_n(&s->arena, sn_kernel, room ? 2 * room : 64);
            if (room)
                memcpy(grown, s->kernel, room * sizeof *grown);
            s->kernel = grown;
            room = room ? 2 * room : 64;
        }
        if (!parse_kernel(r, s, &s->kernel[s->kernels]))
            return false;
        s->kernels++;
    }
}

sn_schedule *sn_schedule_parse(sn_diags *diags, uint32_t source)
{
    sn_reader r;
    sn_schedule *s = NULL;
    const uint32_t errors = diags->errors;
    sn_reader_init(&r, diags, source);
    if (sn_parse_graph(&r) && diags->errors == errors) {
        s = sn_schedule_new(r.p.g);
        if (!parse_kernels(&r, s) || diags->errors != errors) {
            sn_schedule_free(s);
            s = NULL;
        }
    } else {
        sn_graph_free(r.p.g);
    }
    sn_reader_fini(&r);
    return s;
}
