/* The checker of schedules: is what fusion made what schedule.h says?
 * Not a repair.  It knows nothing of how kernels were chosen, so that it can find what the choice got wrong. */
#include "internal.h"

typedef struct checker {
    const sn_schedule *s;
    const sn_graph    *g;
    sn_diags          *diags;
    uint32_t          *writer; /* kernel that writes a node; UINT32_MAX = none */
    uint32_t          *body;   /* last kernel + 1 that has the node in its body */
    uint32_t          *after;  /* last kernel + 1 in which the node depends on the anchor */
    uint32_t          *in;     /* last kernel + 1 that reads the node */
} checker;

#define FAULT(c, k, ...) sn_error((c)->diags, (k)->loc, (k)->name, "schedule: " __VA_ARGS__)

static const char *word(const checker *c, sn_ref r) { return sn_op_get(sn_at(c->g, r)->op)->name; }
static bool is_memory(const sn_node *n) { return n->op == SN_OP_param || n->op == SN_OP_const; }
static bool is_sums(const checker *c, sn_ref r) { return sn_at(c->g, r)->op == SN_OP_partial_sum; }

/* ---- order and edges ---------------------------------------------------------------------------------------------------- */

static void check_reads(checker *c, uint32_t at)
{
    const sn_kernel *k = &c->s->kernel[at];
    for (uint32_t i = 0; i < k->ins; i++) {
        const sn_ref r = k->in[i], from = sn_view_root(c->g, r);
        if (c->in[r.i] == at + 1)
            FAULT(c, k, "reads %%%u twice", r.i);
        c->in[r.i] = at + 1;
        if (!is_memory(sn_at(c->g, from)) && c->writer[from.i] >= at)
            FAULT(c, k, "reads %%%u (%s), which no kernel before it writes", r.i, word(c, r));
    }
}

static void check_body(checker *c, uint32_t at)
{
    const sn_kernel *k = &c->s->kernel[at];
    for (uint32_t i = 0; i < k->bodies; i++) {
        const sn_node *n = sn_at(c->g, k->body[i]);
        bool after = sn_same(k->body[i], k->anchor);
        for (uint8_t a = 0; a < n->args; a++) {
            const sn_ref x = n->arg[a];
            after = after || c->after[x.i] == at + 1;
            if (c->body[x.i] != at + 1 && c->in[x.i] != at + 1)
                FAULT(c, k, "%%%u (%s) needs %%%u, which is neither read nor computed before it", k->body[i].i, word(c, k->body[i]), x.i);
        }
        if (is_memory(n))
            FAULT(c, k, "%%%u (%s) is memory but stands in the body", k->body[i].i, word(c, k->body[i]));
        c->body[k->body[i].i] = at + 1;
        if (after)
            c->after[k->body[i].i] = at + 1;
    }
    for (uint32_t i = 0; i < k->ins; i++)
        if (c->body[k->in[i].i] == at + 1)
            FAULT(c, k, "%%%u (%s) is both read and computed", k->in[i].i, word(c, k->in[i]));
}

static void check_writes(checker *c, uint32_t at)
{
    const sn_kernel *k = &c->s->kernel[at];
    if (k->outs == 0)
        FAULT(c, k, "writes nothing");
    for (uint32_t i = 0; i < k->outs; i++) {
        if (c->body[k->out[i].i] != at + 1)
            FAULT(c, k, "writes %%%u (%s), which it does not compute", k->out[i].i, word(c, k->out[i]));
        if (c->writer[k->out[i].i] != UINT32_MAX)
            FAULT(c, k, "writes %%%u (%s), which another kernel writes", k->out[i].i, word(c, k->out[i]));
        c->writer[k->out[i].i] = at;
    }
}

/* ---- forms -------------------------------------------------------------------------------------------------------------- */

static const sn_type *space_of(const checker *c, const sn_kernel *k)
{
    sn_ref r = k->form == SN_FORM_MAP ? k->out[0] : k->anchor;
    return sn_type_at(c->g, is_sums(c, r) ? sn_at(c->g, r)->arg[0] : r);
}

static void check_outs(checker *c, const sn_kernel *k, const sn_type *space)
{
    for (uint32_t i = 0; i < k->outs; i++) {
        const sn_node *n = sn_at(c->g, k->out[i]);
        const bool sums = n->op == SN_OP_partial_sum;
        if (!sn_type_equal(sums ? sn_type_at(c->g, n->arg[0]) : &n->type, space))
            FAULT(c, k, "%%%u (%s) has another shape than the kernel", k->out[i].i, word(c, k->out[i]));
        if (sums && (!k->tiled || n->attrs.tile.outer != k->outer || n->attrs.tile.chunk != k->chunk || k->form == SN_FORM_REDUCE))
            FAULT(c, k, "%%%u (%s) has other tiles than the kernel", k->out[i].i, word(c, k->out[i]));
    }
}

/* Nodes behind the anchor are pointwise and of exactly its shape, partial sums aside. */
static void check_epilogue(checker *c, uint32_t at, const sn_type *space)
{
    const sn_kernel *k = &c->s->kernel[at];
    for (uint32_t i = 0; i < k->bodies; i++) {
        const sn_node *n = sn_at(c->g, k->body[i]);
        if (c->after[k->body[i].i] != at + 1 || sn_same(k->body[i], k->anchor) || is_sums(c, k->body[i]))
            continue;
        if (!sn_op_has(n->op, SN_POINTWISE) || !sn_type_equal(&n->type, space))
            FAULT(c, k, "%%%u (%s) follows the anchor but is not pointwise of its shape", k->body[i].i, word(c, k->body[i]));
    }
}

static bool same_reduction(const checker *c, const sn_node *a, const sn_node *b)
{
    return sn_op_has(b->op, SN_REDUCE) && b->op != SN_OP_partial_sum && sn_op_get(a->op)->attrs == sn_op_get(b->op)->attrs &&
           sn_type_equal(sn_type_at(c->g, a->arg[0]), sn_type_at(c->g, b->arg[0])) &&
           sn_attrs_equal(sn_op_get(a->op)->attrs, c->g, &a->attrs, c->g, &b->attrs);
}

/* Anchors and partial sums only where the form has room for them. */
static void check_anchors(checker *c, uint32_t at)
{
    const sn_kernel *k = &c->s->kernel[at];
    static const uint32_t heavy = SN_REDUCE | SN_CONTRACT | SN_SPECIAL;
    for (uint32_t i = 0; i < k->bodies; i++) {
        const sn_node *n = sn_at(c->g, k->body[i]);
        if (!sn_op_has(n->op, heavy) || sn_same(k->body[i], k->anchor))
            continue;
        if (sn_op_has(n->op, SN_CONTRACT) && k->form == SN_FORM_CONTRACT && c->after[k->body[i].i] != at + 1)
            continue; /* an operand made while it is packed */
        const bool sums = n->op == SN_OP_partial_sum && (k->form == SN_FORM_MAP || k->form == SN_FORM_CONTRACT);
        if (!sums && !(k->form == SN_FORM_REDUCE && same_reduction(c, sn_at(c->g, k->anchor), n)))
            FAULT(c, k, "%%%u (%s) has no place in a kernel of this form", k->body[i].i, word(c, k->body[i]));
    }
}

static void check_form(checker *c, uint32_t at)
{
    static const uint32_t wanted[] = {0, SN_REDUCE, SN_CONTRACT, SN_SPECIAL};
    const sn_kernel *k = &c->s->kernel[at];
    if (k->form == SN_FORM_MAP ? !sn_is_none(k->anchor) : c->body[k->anchor.i] != at + 1 || !sn_op_has(sn_at(c->g, k->anchor)->op, wanted[k->form])) {
        FAULT(c, k, "the anchor does not fit the form");
        return;
    }
    const sn_type *space = space_of(c, k);
    check_outs(c, k, space);
    check_anchors(c, at);
    if (k->form == SN_FORM_CONTRACT)
        check_epilogue(c, at, space);
    if (k->form == SN_FORM_SPECIAL && k->bodies != 1)
        FAULT(c, k, "a special kernel has %u body nodes, expected 1", k->bodies);
}

static void check_kept(checker *c, sn_ref r, const char *name)
{
    const sn_ref from = sn_view_root(c->g, r);
    if (!is_memory(sn_at(c->g, from)) && c->writer[from.i] == UINT32_MAX)
        sn_error(c->diags, sn_at(c->g, r)->loc, name, "schedule: no kernel writes it");
}

bool sn_schedule_verify(const sn_schedule *s, sn_diags *diags)
{
    const uint32_t errors = diags->errors, n = s->g->nodes + 1;
    sn_arena arena;
    sn_arena_init(&arena);
    checker c = {.s = s, .g = s->g, .diags = diags, .writer = sn_new_n(&arena, uint32_t, n), .body = sn_new_n(&arena, uint32_t, n),
                 .after = sn_new_n(&arena, uint32_t, n), .in = sn_new_n(&arena, uint32_t, n)};
    for (uint32_t i = 0; i < n; i++)
        c.writer[i] = UINT32_MAX;
    for (uint32_t i = 0; i < s->kernels; i++) {
        check_reads(&c, i);
        check_body(&c, i);
        check_writes(&c, i);
        if (diags->errors == errors)
            check_form(&c, i);
    }
    for (uint32_t i = 0; i < s->g->outputs; i++)
        check_kept(&c, s->g->output[i].ref, s->g->output[i].name);
    for (uint32_t i = 0; i < s->g->updates; i++)
        check_kept(&c, s->g->update[i].value, s->g->param[s->g->update[i].param].name);
    sn_arena_fini(&arena);
    return diags->errors == errors;
}
