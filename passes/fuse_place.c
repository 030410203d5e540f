/* Kernels for roots: one walk in node order puts each root into a kernel that can compute it, or makes one.
 * Not the choice of roots (fuse_choose.c).
 *
 * A root goes into the kernel that produces the latest of what it reads, as epilogue, if the kernel's form allows; else beside something
 * similar in a later kernel; else into a kernel of its own.  So every kernel reads only what earlier kernels wrote, and the order in which
 * kernels are made is an order in which they can run.  A contraction with an epilogue chain is made where the chain ends.
 */
#include <string.h>

#include "fuse.h"

enum { LOOK_BACK = 16, MAX_SUMS = 8, MAX_REDUCTIONS = 6, MAX_BODY = 96 };

static void push(sn_fuser *f, sn_ref **list, uint32_t *n, uint32_t node)
{
    const bool full = *n == 0 || (*n >= 8 && (*n & (*n - 1)) == 0); /* capacity 8, 16, 32, ... */
    if (full) {
        sn_ref *grown = sn_new_n(&f->s->arena, sn_ref, *n ? 2 * *n : 8);
        if (*n)
            memcpy(grown, *list, *n * sizeof *grown);
        *list = grown;
    }
    (*list)[(*n)++] = (sn_ref){node};
}

static bool holds(const sn_ref *list, uint32_t n, uint32_t node)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i].i == node)
            return true;
    return false;
}

/* Read from memory by whoever needs it? */
static bool is_stored(const sn_fact *x) { return x->role == SN_ROLE_MEMORY || x->role == SN_ROLE_VIEW || x->root; }

/* The space of a kernel: the type its roots have. */
static const sn_type *space_of(const sn_fuser *f, const sn_kernel *k)
{
    sn_ref r = sn_is_none(k->anchor) ? k->out[0] : k->anchor;
    if (sn_at(f->g, r)->op == SN_OP_partial_sum)
        r = sn_at(f->g, r)->arg[0];
    return sn_type_at(f->g, r);
}

/* ---- what a root reads -------------------------------------------------------------------------------------------------- */

typedef struct leaves { uint32_t latest; sn_few some; } leaves; /* kernel that produces the latest; some of the nodes */

static void walk_leaves(sn_fuser *f, uint32_t i, leaves *out)
{
    const sn_node *n = sn_fuse_node(f, i);
    for (uint8_t k = 0; k < n->args; k++) {
        const uint32_t a = n->arg[k].i;
        const sn_fact *x = &f->fact[a];
        if (f->mark[a] == f->marks)
            continue;
        f->mark[a] = f->marks;
        if (!is_stored(x)) {
            walk_leaves(f, a, out);
            continue;
        }
        sn_few_add(&out->some, SN_MAX_READERS, a);
        if (x->home != SN_NO_KERNEL && (out->latest == SN_NO_KERNEL || x->home > out->latest))
            out->latest = x->home;
    }
}

static leaves leaves_of(sn_fuser *f, uint32_t i)
{
    leaves l = {.latest = SN_NO_KERNEL};
    f->marks += 2;
    walk_leaves(f, i, &l);
    return l;
}

static bool shares_leaf(const sn_kernel *k, const leaves *l)
{
    for (uint32_t i = 0; i < l->some.n && i < SN_MAX_READERS; i++)
        if (holds(k->in, k->ins, l->some.at[i]))
            return true;
    return false;
}

/* ---- may a kernel compute it -------------------------------------------------------------------------------------------- */

typedef struct visit { sn_fuser *f; uint32_t kernel; sn_form form; const sn_type *space; } visit;

/* May the arguments of node i be had in the kernel?  Values of the kernel itself are at hand at the point in work only: `direct` = node i is
 * looked at there. */
static bool args_fit(visit *v, uint32_t i, bool direct)
{
    const sn_fuser *f = v->f;
    const sn_node *n = sn_fuse_node(f, i);
    for (uint8_t k = 0; k < n->args; k++) {
        const uint32_t a = n->arg[k].i, seen = f->marks + !direct;
        const sn_fact *x = &f->fact[a];
        const sn_type *t = &sn_fuse_node(f, a)->type;
        if (is_stored(x)) {
            const bool before = x->home == SN_NO_KERNEL || x->home < v->kernel;
            if (!before && !(x->home == v->kernel && direct && x->role != SN_ROLE_VIEW && sn_type_equal(t, v->space)))
                return false;
            continue;
        }
        if (f->mark[a] >= seen)
            continue;
        f->mark[a] = seen;
        const bool here = x->role == SN_ROLE_POINT && sn_type_same_elements(t, v->space);
        if (!here && !x->constant && v->form != SN_FORM_MAP)
            return false;
        if (!args_fit(v, a, direct && here))
            return false;
    }
    return true;
}

/* Why a kernel cannot compute the root; NULL if it can. */
static const char *refusal(sn_fuser *f, uint32_t kernel, uint32_t root, const sn_type *t)
{
    if (f->alone)
        return "every node is a kernel of its own";
    const sn_kernel *k = &f->s->kernel[kernel];
    const sn_node *n = sn_fuse_node(f, root);
    const bool sums = n->op == SN_OP_partial_sum, moves = !sums && f->fact[root].role != SN_ROLE_POINT;
    if (k->form == SN_FORM_SPECIAL || (k->form == SN_FORM_REDUCE && sums))
        return "its form has no room for others";
    if (k->form != SN_FORM_MAP && moves)
        return "only maps move elements";
    if (k->bodies > MAX_BODY)
        return "it computes much already";
    if (!sn_type_equal(space_of(f, k), t))
        return "it has another shape";
    for (uint32_t i = 0, others = 0; sums && i < k->outs; i++) {
        const sn_node *o = sn_at(f->g, k->out[i]);
        if (o->op != SN_OP_partial_sum)
            continue;
        const sn_attr_tile *x = &o->attrs.tile, *y = &n->attrs.tile;
        if (++others == MAX_SUMS)
            return "it adds up enough already";
        if (x->outer != y->outer || x->chunk != y->chunk || (k->form == SN_FORM_MAP && x->keep != y->keep))
            return "its sums have other tiles";
    }
    visit v = {f, kernel, k->form, t};
    f->marks += 2;
    return args_fit(&v, root, !moves) ? NULL : "what is read is not at hand there, or elsewhere than at the point in work";
}

static bool can_host(sn_fuser *f, uint32_t kernel, uint32_t root, const sn_type *t) { return !refusal(f, kernel, root, t); }

/* The first value a kernel stores, for reasons. */
static const char *first_of(const sn_fuser *f, uint32_t kernel) { return sn_fuse_label(f, f->s->kernel[kernel].out[0].i); }

/* ---- putting roots into kernels ----------------------------------------------------------------------------------------- */

static uint32_t new_kernel(sn_fuser *f, sn_form form, uint32_t anchor)
{
    sn_schedule *s = f->s;
    if (s->kernels == f->kernel_capacity) {
        f->kernel_capacity = f->kernel_capacity ? 2 * f->kernel_capacity : 64;
        sn_kernel *grown = sn_new_n(&s->arena, sn_kernel, f->kernel_capacity);
        if (s->kernels)
            memcpy(grown, s->kernel, s->kernels * sizeof *grown);
        s->kernel = grown;
    }
    s->kernel[s->kernels] = (sn_kernel){.form = form, .anchor = form == SN_FORM_MAP ? SN_NONE : (sn_ref){anchor}};
    return s->kernels++;
}

/* Node i and what is computed in place for it join the body; what is read joins `in`. */
static void add_body(sn_fuser *f, sn_kernel *k, uint32_t i)
{
    const sn_node *n = sn_fuse_node(f, i);
    if (f->mark[i] == f->marks)
        return;
    f->mark[i] = f->marks;
    for (uint8_t a = 0; a < n->args; a++) {
        const uint32_t x = n->arg[a].i;
        if (!is_stored(&f->fact[x]))
            add_body(f, k, x);
        else if (!holds(k->in, k->ins, x))
            push(f, &k->in, &k->ins, x);
    }
    if (!holds(k->body, k->bodies, i))
        push(f, &k->body, &k->bodies, i);
}

static void put(sn_fuser *f, uint32_t kernel, uint32_t root)
{
    sn_kernel *k = &f->s->kernel[kernel];
    const sn_node *n = sn_fuse_node(f, root);
    f->marks += 2;
    add_body(f, k, root);
    push(f, &k->out, &k->outs, root);
    f->fact[root].home = kernel;
    if (n->op == SN_OP_partial_sum) {
        k->tiled = true;
        k->outer = n->attrs.tile.outer;
        k->chunk = n->attrs.tile.chunk;
    }
}

static bool is_static(const sn_type *t)
{
    bool open;
    sn_type_constant_count(t, &open);
    return !open;
}

/* Pointwise and index roots, and partial sums: t is the type of the value computed at each point. */
static void place_map(sn_fuser *f, uint32_t i, const sn_type *t)
{
    const leaves l = leaves_of(f, i);
    const uint32_t end = f->s->kernels;
    const char *why = l.latest == SN_NO_KERNEL ? "it reads what is in memory from the start" : refusal(f, l.latest, i, t);
    if (!why) {
        sn_fuse_placed(f, i, "with %%%s, whose kernel makes the last of what it reads", first_of(f, l.latest));
        put(f, l.latest, i);
        return;
    }
    for (uint32_t k = end; k-- > 0 && end - k <= LOOK_BACK && (l.latest == SN_NO_KERNEL || k > l.latest);) {
        const sn_kernel *kernel = &f->s->kernel[k];
        if (kernel->form == SN_FORM_MAP && (is_static(t) || shares_leaf(kernel, &l)) && can_host(f, k, i, t)) {
            sn_fuse_placed(f, i, "beside %%%s, a map of the same shape%s", first_of(f, k), is_static(t) ? "" : " that reads the same");
            put(f, k, i);
            return;
        }
    }
    if (l.latest == SN_NO_KERNEL)
        sn_fuse_placed(f, i, "a kernel of its own: %s, and no map beside is like it", why);
    else
        sn_fuse_placed(f, i, "a kernel of its own, not with %%%s, whose kernel makes the last of what it reads: %s; and no map beside is like it",
                       first_of(f, l.latest), why);
    put(f, new_kernel(f, SN_FORM_MAP, i), i);
}

static bool same_reduction(const sn_graph *g, const sn_node *a, const sn_node *b)
{
    const sn_attr_kind kind = sn_op_get(a->op)->attrs;
    return a->op == b->op && sn_type_equal(sn_type_at(g, a->arg[0]), sn_type_at(g, b->arg[0])) &&
           sn_attrs_equal(kind, g, &a->attrs, g, &b->attrs);
}

/* Reductions of one shape along the same axes run together, over one operand or over small ones. */
static void place_reduce(sn_fuser *f, uint32_t i)
{
    const sn_node *n = sn_fuse_node(f, i);
    const leaves l = leaves_of(f, i);
    const uint32_t end = f->s->kernels;
    for (uint32_t k = end; k-- > 0 && end - k <= LOOK_BACK && (l.latest == SN_NO_KERNEL || k > l.latest);) {
        const sn_kernel *kernel = &f->s->kernel[k];
        uint32_t reductions = 0;
        if (f->alone || kernel->form != SN_FORM_REDUCE || !same_reduction(f->g, sn_at(f->g, kernel->anchor), n))
            continue;
        for (uint32_t b = 0; b < kernel->bodies; b++)
            reductions += f->fact[kernel->body[b].i].role == SN_ROLE_REDUCE;
        if (reductions < MAX_REDUCTIONS && (is_static(&n->type) || shares_leaf(kernel, &l))) {
            sn_fuse_placed(f, i, "beside %%%s, the same reduction of the same shape", first_of(f, k));
            put(f, k, i);
            return;
        }
    }
    sn_fuse_placed(f, i, "a kernel of its own: no reduction of this shape along these axes is near that reads the same and can wait");
    put(f, new_kernel(f, SN_FORM_REDUCE, i), i);
}

static void place_contract(sn_fuser *f, uint32_t contract, uint32_t head)
{
    const uint32_t k = new_kernel(f, SN_FORM_CONTRACT, contract);
    put(f, k, head);
    f->fact[contract].home = k;
}

void sn_fuse_place(sn_fuser *f)
{
    for (uint32_t i = 0; i < f->g->nodes; i++) {
        sn_fact *x = &f->fact[i];
        const sn_node *n = sn_fuse_node(f, i);
        if (x->role == SN_ROLE_VIEW)
            x->home = f->fact[n->arg[0].i].home;
        else if (x->host != SN_NO_NODE) {
            if (f->fact[x->host].head == i)
                place_contract(f, x->host, i);
        } else if (x->role == SN_ROLE_REDUCE && n->op != SN_OP_partial_sum)
            place_reduce(f, i);
        else if (x->role == SN_ROLE_REDUCE)
            place_map(f, i, sn_type_at(f->g, n->arg[0]));
        else if (x->role == SN_ROLE_SPECIAL)
            put(f, new_kernel(f, SN_FORM_SPECIAL, i), i);
        else if (x->root)
            place_map(f, i, &n->type);
    }
}
