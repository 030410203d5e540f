/* Fusion: which values reach memory, and which kernel computes them.
 * Not tiling, not code.
 *
 * Contractions, reductions and special operators anchor kernels.  A pointwise value is inlined into its readers when that is cheap
 * (few operations over at most two stored tensors) or when there is one reader; otherwise it is stored by the kernel that can compute it:
 * the producer of one of its operands of the same shape if all other operands exist before that kernel, else a kernel of its own.
 * One walk in topological order; a value joins only kernels already made, so kernel numbers are an order that can run.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { CHEAP = 12, CHEAP_LOADS = 2, LARGEST = 64, TRANSCENDENTAL = 16, LOOK_BACK = 12, NO_KERNEL = UINT32_MAX };

typedef struct value {
    bool     stored;
    uint16_t cost, loads; /* of inlining it: operations, activation-sized tensors read */
    uint32_t kernel;      /* that computes it; NO_KERNEL for params, consts and inlined values */
    uint32_t readers;
} value;

typedef struct fuser {
    sn_schedule *s;
    const sn_graph *g;
    value    *v;
    uint32_t *seen;   /* per node: mark of the last walk */
    uint32_t  mark;
    sn_ref   *list;   uint32_t listed; /* result of a walk */
    uint32_t  capacity;
} fuser;

static bool is_memory(const sn_node *n) { return n->op == SN_OP_param || n->op == SN_OP_const; }
static bool is_map(const sn_node *n) { return sn_op_has(n->op, SN_POINTWISE) || (sn_op_has(n->op, SN_INDEX) && !sn_op_has(n->op, SN_VIEW)); }
static bool is_generated(const sn_node *n) { return sn_op_has(n->op, SN_LEAF) && sn_op_has(n->op, SN_INDEX); }

/* Leaves of the expression of r: stored values and memory it reads when computed in one piece.  Result in f->list. */
static void collect(fuser *f, sn_ref r, bool root)
{
    if (f->seen[r.i] == f->mark)
        return;
    f->seen[r.i] = f->mark;
    const sn_node *n = sn_at(f->g, r);
    if (!root && (f->v[r.i].stored || is_memory(n))) {
        f->list[f->listed++] = r;
        return;
    }
    for (uint8_t k = 0; k < n->args; k++)
        collect(f, n->arg[k], false);
}

static void leaves(fuser *f, sn_ref r)
{
    f->mark++;
    f->listed = 0;
    collect(f, r, true);
}

static uint16_t cost_of(const sn_node *n)
{
    static const sn_op dear[] = {SN_OP_exp, SN_OP_log, SN_OP_tanh, SN_OP_sigmoid, SN_OP_bernoulli, SN_OP_pool_matrix, SN_OP_interp_matrix};
    for (size_t i = 0; i < sizeof dear / sizeof dear[0]; i++)
        if (n->op == dear[i])
            return TRANSCENDENTAL;
    return is_generated(n) ? 0 : 1;
}

/* The cost of having r inlined once more. */
static void price(fuser *f, sn_ref r)
{
    const sn_node *n = sn_at(f->g, r);
    uint32_t cost = cost_of(n), loads = 0;
    for (uint8_t k = 0; k < n->args; k++) {
        const value *a = &f->v[n->arg[k].i];
        if (a->stored || is_memory(sn_at(f->g, n->arg[k])))
            loads += !sn_is_static(&sn_at(f->g, n->arg[k])->type);
        else {
            cost += a->cost;
            loads += a->loads;
        }
    }
    f->v[r.i].cost = (uint16_t)(cost < 10000 ? cost : 10000);
    f->v[r.i].loads = (uint16_t)(loads < 1000 ? loads : 1000);
}

/* May operand k of contraction n be computed while it is packed?  Only where packing is followed by reuse: its last loop is summed together with
 * the other operand, or the result is a weight. */
static bool packs(const sn_graph *g, const sn_node *n, uint8_t k)
{
    const sn_contract *c = n->attrs.spec.spec;
    const sn_type *x = &sn_at(g, n->arg[k])->type;
    if (sn_is_static(x) || x->rank == 0)
        return false;
    if (sn_is_static(&n->type))
        return sn_is_static(x) == false;
    if (!sn_is_static(&sn_at(g, n->arg[1 - k])->type))
        return false;
    const sn_affine *last = &c->at[k][c->rank[k] - 1];
    if (!sn_affine_is_loop(last))
        return false;
    for (uint8_t i = 0; i < c->rank[1 - k]; i++)
        for (uint8_t t = 0; t < c->at[1 - k][i].terms; t++)
            if (c->at[1 - k][i].loop[t] == last->loop[0])
                return true;
    return false;
}

/* A product of constants' size, with zeros known now: contractions compile them in. */
static bool has_pattern(const sn_graph *g, const sn_node *n)
{
    for (uint8_t k = 0; n->op == SN_OP_mul && k < 2; k++)
        if (sn_at(g, n->arg[k])->op == SN_OP_const && is_memory(sn_at(g, n->arg[1 - k])) && sn_type_equal(&sn_at(g, n->arg[k])->type, &n->type))
            return true;
    return false;
}

/* Must the value exist in memory for this reader? */
static bool reader_needs_memory(const fuser *f, const sn_node *reader, uint8_t k, sn_ref x)
{
    const sn_node *n = sn_at(f->g, x);
    const bool small = sn_is_static(&n->type), moves = sn_op_has(n->op, SN_INDEX) && !is_generated(n);
    if (sn_op_has(reader->op, SN_SPECIAL | SN_VIEW))
        return true;
    if (sn_op_has(reader->op, SN_CONTRACT) && has_pattern(f->g, n))
        return false;
    if (sn_op_has(reader->op, SN_CONTRACT))
        return moves || !packs(f->g, reader, k) || f->v[x.i].cost > LARGEST;
    if (is_generated(n))
        return false;
    if (sn_op_has(reader->op, SN_REDUCE))
        return moves;
    return small && !sn_is_static(&reader->type) && f->v[x.i].cost > 0;
}

static void choose(fuser *f, uint32_t *first_reader, uint32_t *next_reader, sn_ref r)
{
    const sn_node *n = sn_at(f->g, r);
    value *v = &f->v[r.i];
    if (is_memory(n))
        return;
    if (!is_map(n)) {
        v->stored = !sn_op_has(n->op, SN_VIEW) || true;
        return;
    }
    price(f, r);
    const bool moves = sn_op_has(n->op, SN_INDEX) && !is_generated(n);
    bool need = v->stored || v->cost > LARGEST || moves;
    for (uint32_t e = first_reader[r.i]; e != UINT32_MAX; e = next_reader[e])
        need = need || reader_needs_memory(f, &f->g->node[e / SN_MAX_ARGS], (uint8_t)(e % SN_MAX_ARGS), r);
    if (v->readers > 1 && !is_generated(n) && (v->cost > CHEAP || v->loads > CHEAP_LOADS))
        need = true;
    v->stored = need;
}

/* ---- kernels ------------------------------------------------------------------------------------------------------------ */

static void push(fuser *f, sn_ref **list, uint32_t *n, sn_ref r)
{
    for (uint32_t i = 0; i < *n; i++)
        if (sn_same((*list)[i], r))
            return;
    sn_ref *grown = sn_new_n(&f->s->arena, sn_ref, *n + 1);
    if (*n)
        memcpy(grown, *list, *n * sizeof *grown);
    grown[(*n)++] = r;
    *list = grown;
}

static bool same_space(const fuser *f, const sn_kernel *k, sn_ref r)
{
    sn_ref space = sn_is_none(k->anchor) ? k->out[0] : k->anchor;
    if (sn_at(f->g, space)->op == SN_OP_partial_sum)
        space = sn_at(f->g, space)->arg[0];
    return sn_type_equal(&sn_at(f->g, space)->type, &sn_at(f->g, r)->type);
}

/* Leaves (in f->list) exist before kernel k, or are values of k's own space computed in it. */
static bool ready(const fuser *f, uint32_t k)
{
    for (uint32_t i = 0; i < f->listed; i++) {
        const value *v = &f->v[f->list[i].i];
        if (v->kernel == NO_KERNEL || v->kernel < k)
            continue;
        if (v->kernel > k || sn_op_has(sn_at(f->g, f->list[i])->op, SN_REDUCE) || !same_space(f, &f->s->kernel[k], f->list[i]))
            return false;
    }
    return true;
}

static bool tile_fits(const sn_kernel *k, const sn_node *p)
{
    return !k->tiled || (k->outer == p->attrs.tile.outer && k->chunk == p->attrs.tile.chunk);
}

/* The kernel that value `space` (r itself, or what r sums) can be computed in; NO_KERNEL if it needs its own. */
static uint32_t host(fuser *f, sn_ref r, sn_ref space, bool partial)
{
    uint32_t last = f->s->kernels, found = NO_KERNEL;
    leaves(f, r);
    for (uint32_t k = last; k-- > 0 && last - k <= LOOK_BACK * 8;) {
        const sn_kernel *kernel = &f->s->kernel[k];
        bool related = false;
        if (kernel->form != SN_FORM_MAP && kernel->form != SN_FORM_CONTRACT)
            continue;
        for (uint32_t i = 0; i < f->listed; i++)
            related = related || f->v[f->list[i].i].kernel == k;
        if (!related && !(sn_is_static(&sn_at(f->g, space)->type) && last - k <= LOOK_BACK && kernel->form == SN_FORM_MAP))
            continue;
        if (same_space(f, kernel, space) && (!partial || tile_fits(kernel, sn_at(f->g, r))) && ready(f, k)) {
            /* an index rule reads other places of its argument: only memory of earlier kernels will do */
            found = k;
            break;
        }
        if (related)
            break; /* the latest producer cannot host it: no earlier kernel can */
    }
    return found;
}

static bool moves_inside(const fuser *f, sn_ref r, uint32_t k)
{
    const sn_node *n = sn_at(f->g, r);
    if (!sn_op_has(n->op, SN_INDEX) || is_generated(n))
        return false;
    for (uint8_t i = 0; i < n->args; i++)
        if (f->v[n->arg[i].i].kernel == k)
            return true;
    return false;
}

static uint32_t new_kernel(fuser *f, sn_form form, sn_ref r)
{
    sn_schedule *s = f->s;
    if (s->kernels == f->capacity) {
        f->capacity = f->capacity ? 2 * f->capacity : 64;
        sn_kernel *grown = sn_new_n(&s->arena, sn_kernel, f->capacity);
        if (s->kernels)
            memcpy(grown, s->kernel, s->kernels * sizeof *grown);
        s->kernel = grown;
    }
    const sn_node *n = sn_at(f->g, r);
    sn_kernel *k = &s->kernel[s->kernels];
    *k = (sn_kernel){.form = form, .anchor = form == SN_FORM_MAP ? SN_NONE : r, .loc = n->loc};
    k->name = sn_format(&s->arena, "%s#%u", n->name ? n->name : sn_op_get(n->op)->name, s->kernels);
    return s->kernels++;
}

/* Put r and all it inlines into the body. */
static void add_body(fuser *f, sn_kernel *k, sn_ref r, bool root)
{
    const sn_node *n = sn_at(f->g, r);
    if (!root && (f->v[r.i].stored || is_memory(n)))
        return;
    if (f->seen[r.i] == f->mark)
        return;
    f->seen[r.i] = f->mark;
    for (uint8_t i = 0; i < n->args; i++)
        add_body(f, k, n->arg[i], false);
    push(f, &k->body, &k->bodies, r);
}

static void place_in(fuser *f, uint32_t kernel, sn_ref r)
{
    sn_kernel *k = &f->s->kernel[kernel];
    f->mark++;
    add_body(f, k, r, true);
    push(f, &k->out, &k->outs, r);
    f->v[r.i].kernel = kernel;
}

static uint32_t reduce_host(fuser *f, sn_ref r)
{
    const sn_node *n = sn_at(f->g, r);
    leaves(f, r);
    for (uint32_t k = f->s->kernels; k-- > 0 && f->s->kernels - k <= LOOK_BACK;) {
        const sn_kernel *kernel = &f->s->kernel[k];
        if (kernel->form != SN_FORM_REDUCE)
            continue;
        const sn_node *a = sn_at(f->g, kernel->anchor);
        bool before = true;
        for (uint32_t i = 0; i < f->listed; i++)
            before = before && (f->v[f->list[i].i].kernel == NO_KERNEL || f->v[f->list[i].i].kernel < k);
        if (before && a->op == SN_OP_sum && n->op == SN_OP_sum && sn_type_equal(&a->type, &n->type) &&
            sn_type_equal(&sn_at(f->g, a->arg[0])->type, &sn_at(f->g, n->arg[0])->type) && a->attrs.axes.n == n->attrs.axes.n &&
            memcmp(a->attrs.axes.axis, n->attrs.axes.axis, n->attrs.axes.n) == 0)
            return k;
    }
    return NO_KERNEL;
}

static void place(fuser *f, sn_ref r)
{
    const sn_node *n = sn_at(f->g, r);
    uint32_t k = NO_KERNEL;
    if (is_memory(n) || !f->v[r.i].stored)
        return;
    if (sn_op_has(n->op, SN_VIEW)) { /* the same memory: computed when its argument is */
        f->v[r.i].kernel = f->v[n->arg[0].i].kernel;
        return;
    }
    if (sn_op_has(n->op, SN_CONTRACT)) {
        k = new_kernel(f, SN_FORM_CONTRACT, r);
    } else if (sn_op_has(n->op, SN_SPECIAL)) {
        k = new_kernel(f, SN_FORM_SPECIAL, r);
    } else if (n->op == SN_OP_partial_sum) {
        k = host(f, r, n->arg[0], true);
        if (k == NO_KERNEL)
            k = new_kernel(f, SN_FORM_MAP, r);
        f->s->kernel[k].tiled = true;
        f->s->kernel[k].outer = n->attrs.tile.outer;
        f->s->kernel[k].chunk = n->attrs.tile.chunk;
    } else if (sn_op_has(n->op, SN_REDUCE)) {
        k = reduce_host(f, r);
        if (k == NO_KERNEL)
            k = new_kernel(f, SN_FORM_REDUCE, r);
    } else {
        k = host(f, r, r, false);
        if (k == NO_KERNEL || moves_inside(f, r, k))
            k = new_kernel(f, SN_FORM_MAP, r);
    }
    place_in(f, k, r);
}

/* Reads of each kernel; values nobody outside needs leave the list of writes. */
static void finish(fuser *f)
{
    for (uint32_t i = 0; i < f->s->kernels; i++) {
        sn_kernel *k = &f->s->kernel[i];
        f->mark++;
        for (uint32_t j = 0; j < k->bodies; j++)
            f->seen[k->body[j].i] = f->mark;
        for (uint32_t j = 0; j < k->bodies; j++) {
            const sn_node *n = sn_at(f->g, k->body[j]);
            for (uint8_t a = 0; a < n->args; a++)
                if (f->seen[n->arg[a].i] != f->mark)
                    push(f, &k->in, &k->ins, n->arg[a]);
        }
    }
}

static void drop_private(fuser *f)
{
    bool *outside = sn_must(calloc(f->g->nodes + 1, sizeof *outside));
    for (uint32_t i = 0; i < f->s->kernels; i++)
        for (uint32_t j = 0; j < f->s->kernel[i].ins; j++)
            outside[f->s->kernel[i].in[j].i] = true;
    for (uint32_t i = 0; i < f->g->nodes; i++)
        if (sn_op_has(f->g->node[i].op, SN_VIEW))
            outside[f->g->node[i].arg[0].i] = true;
    for (uint32_t i = 0; i < f->g->outputs; i++)
        outside[f->g->output[i].ref.i] = true;
    for (uint32_t i = 0; i < f->g->updates; i++)
        outside[f->g->update[i].value.i] = true;
    for (uint32_t i = 0; i < f->s->kernels; i++) {
        sn_kernel *k = &f->s->kernel[i];
        uint32_t kept = 0;
        for (uint32_t j = 0; j < k->outs; j++)
            if (outside[k->out[j].i])
                k->out[kept++] = k->out[j];
        k->outs = kept;
    }
    free(outside);
}

bool sn_fuse(sn_schedule *s, sn_diags *diags)
{
    (void)diags;
    const sn_graph *g = s->g;
    fuser f = {.s = s, .g = g};
    uint32_t *first = sn_must(malloc((g->nodes + 1) * sizeof *first)), *next = sn_must(malloc((g->nodes * SN_MAX_ARGS + 1) * sizeof *next));
    memset(first, 0xFF, (g->nodes + 1) * sizeof *first);
    f.v = sn_must(calloc(g->nodes + 1, sizeof *f.v));
    f.seen = sn_must(calloc(g->nodes + 1, sizeof *f.seen));
    f.list = sn_must(malloc((g->nodes + 1) * sizeof *f.list));
    for (uint32_t i = 0; i < g->nodes; i++) {
        f.v[i].kernel = NO_KERNEL;
        for (uint8_t k = 0; k < g->node[i].args; k++) {
            const uint32_t x = g->node[i].arg[k].i, e = i * SN_MAX_ARGS + k;
            next[e] = first[x];
            first[x] = e;
            f.v[x].readers++;
        }
    }
    for (uint32_t i = 0; i < g->outputs; i++)
        f.v[g->output[i].ref.i].stored = !is_memory(sn_at(g, g->output[i].ref));
    for (uint32_t i = 0; i < g->updates; i++)
        f.v[g->update[i].value.i].stored = !is_memory(sn_at(g, g->update[i].value));
    for (uint32_t i = 0; i < g->nodes; i++)
        choose(&f, first, next, (sn_ref){i});
    for (uint32_t i = 0; i < g->nodes; i++)
        place(&f, (sn_ref){i});
    finish(&f);
    drop_private(&f);
    free(first);
    free(next);
    free(f.v);
    free(f.seen);
    free(f.list);
    return true;
}
