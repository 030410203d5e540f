/* Facts about nodes before fusion decides: role, readers, own cost, whether a contraction packs an operand.
 * Not decisions (fuse_choose.c). */
#include <inttypes.h>
#include <string.h>

#include "fuse.h"

bool sn_few_add(sn_few *s, uint32_t limit, uint32_t x)
{
    for (uint32_t i = 0; i < s->n && i < limit; i++)
        if (s->at[i] == x)
            return true;
    if (s->n >= limit) {
        s->n = limit + 1;
        return false;
    }
    s->at[s->n++] = x;
    return true;
}

static sn_role role_of(const sn_node *n)
{
    const uint32_t traits = sn_op_get(n->op)->traits;
    if (traits & SN_POINTWISE)
        return SN_ROLE_POINT;
    if (traits & SN_VIEW)
        return SN_ROLE_VIEW;
    if (traits & SN_INDEX)
        return traits & SN_LEAF ? SN_ROLE_LEAF : SN_ROLE_INDEX;
    if (traits & SN_REDUCE)
        return SN_ROLE_REDUCE;
    if (traits & SN_CONTRACT)
        return SN_ROLE_CONTRACT;
    return traits & SN_SPECIAL ? SN_ROLE_SPECIAL : SN_ROLE_MEMORY;
}

static uint32_t later(uint32_t a, uint32_t b) { return a == SN_NO_NODE ? b : b == SN_NO_NODE || a > b ? a : b; }

static void fill_fact(sn_fuser *f, uint32_t i)
{
    const sn_node *n = sn_fuse_node(f, i);
    sn_fact *x = &f->fact[i];
    *x = (sn_fact){.role = sn_fuse_is_mix(f, i) ? SN_ROLE_MIX : role_of(n), .home = SN_NO_KERNEL, .host = SN_NO_NODE, .head = i, .ready = SN_NO_NODE};
    x->own = x->role == SN_ROLE_POINT || x->role == SN_ROLE_INDEX || x->role == SN_ROLE_LEAF ? sn_cost_of(f->g, n) : 0;
    x->constant = x->role != SN_ROLE_MEMORY && !sn_is_anchor(x);
    for (uint8_t k = 0; k < n->args; k++) {
        const sn_fact *a = &f->fact[n->arg[k].i];
        x->ready = later(x->ready, sn_is_anchor(a) ? n->arg[k].i : a->ready);
        x->constant = x->constant && a->constant;
    }
}

/* Readers as one array, grouped by the node they read; a node that reads another twice is one reader. */
static void fill_readers(sn_fuser *f)
{
    const sn_graph *g = f->g;
    f->first = sn_new_n(f->arena, uint32_t, g->nodes + 2);
    uint32_t total = 0;
    for (uint32_t i = 0; i < g->nodes; i++)
        for (uint8_t k = 0; k < g->node[i].args; k++, total++)
            f->first[g->node[i].arg[k].i + 2]++;
    for (uint32_t i = 2; i < g->nodes + 2; i++)
        f->first[i] += f->first[i - 1];
    f->reader = sn_new_n(f->arena, uint32_t, total + 1);
    for (uint32_t i = 0; i < g->nodes; i++)
        for (uint8_t k = 0; k < g->node[i].args; k++)
            f->reader[f->first[g->node[i].arg[k].i + 1]++] = i;
}

void sn_fuse_facts(sn_fuser *f)
{
    sn_graph *g = f->g;
    f->fact = sn_new_n(f->arena, sn_fact, g->nodes + 1);
    f->kept = sn_new_n(f->arena, bool, g->nodes + 1);
    f->mark = sn_new_n(f->arena, uint32_t, g->nodes + 1);
    fill_readers(f);
    for (uint32_t i = 0; i < g->outputs; i++)
        f->kept[g->output[i].ref.i] = true;
    for (uint32_t i = 0; i < g->updates; i++)
        f->kept[g->update[i].value.i] = true;
    for (uint32_t i = 0; i < g->nodes; i++)
        fill_fact(f, i);
}

/* ---- packing ------------------------------------------------------------------------------------------------------------ */

/* Extent of a loop: the dimension where it stands alone. */
static sn_dim extent_of(const sn_graph *g, const sn_node *n, uint8_t loop)
{
    const sn_contract *c = n->attrs.spec.spec;
    const sn_type *type[3] = {sn_type_at(g, n->arg[0]), sn_type_at(g, n->arg[1]), &n->type};
    for (int t = 0; t < 3; t++)
        for (uint8_t i = 0; i < c->rank[t]; i++)
            if (sn_affine_is_loop(&c->at[t][i]) && c->at[t][i].loop[0] == loop)
                return type[t]->dim[i];
    return sn_dim_const(1);
}

sn_sums sn_sums_of(const sn_graph *g, const sn_node *n)
{
    const sn_contract *c = n->attrs.spec.spec;
    sn_sums s = {.summed = 1};
    for (uint8_t l = 0; l < c->loops; l++) {
        if (sn_contract_has(c, SN_AT_OUT, l)) {
            s.batched = s.batched || (sn_contract_has(c, SN_AT_A, l) && sn_contract_has(c, SN_AT_B, l));
            continue;
        }
        const sn_dim e = extent_of(g, n, l);
        s.open = s.open || !sn_dim_is_const(e);
        s.summed = sn_dim_is_const(e) && s.summed < (1 << 30) ? s.summed * e.v : s.summed;
        s.loops++;
    }
    return s;
}

static bool ends_with(const sn_contract *c, int tensor, uint8_t loop)
{
    const sn_affine *last = &c->at[tensor][c->rank[tensor] - 1];
    return c->rank[tensor] > 0 && sn_affine_is_loop(last) && last->loop[0] == loop;
}

/* Products that look at every element of x about once, packing it or keeping it in registers while it is reused:
 *   rows             y[.. o] = sum x[.. i] w[i o]        the last loop of x is summed together with w
 *   weight gradient  w[i o] = sum x[.. i] y[.. o]        the last loop of x is kept; a long sum over positions
 *   graph product    y[.. o c] = sum x[.. i c] g[i o]    the last loop of x is that of the result, and g does not have it
 *   graph gradient   g[i o] = sum x[.. i c] y[.. o c]    both end with the same summed loop, and more is summed
 * Others would compute an operand again for every use. */
bool sn_fuse_packs(const sn_graph *g, const sn_node *n, uint32_t k)
{
    enum { LONG = 1024, WIDE = 1 << 16 };
    const sn_contract *c = n->attrs.spec.spec;
    const int x = (int)k, other = 1 - x;
    if (c->rank[x] == 0 || !sn_affine_is_loop(&c->at[x][c->rank[x] - 1]))
        return false;
    const uint8_t last = c->at[x][c->rank[x] - 1].loop[0];
    const bool in_other = sn_contract_has(c, other, last), kept = sn_contract_has(c, SN_AT_OUT, last);
    const sn_sums s = sn_sums_of(g, n);
    bool open_result;
    sn_type_constant_count(&n->type, &open_result);
    const bool rows = in_other && !kept && !s.batched && !s.open && s.summed <= WIDE;
    const bool weights = kept && !in_other && !s.batched && !open_result && (s.open || s.summed >= LONG);
    const bool graph = kept && !in_other && !s.open && s.summed <= 4 * LONG && ends_with(c, SN_AT_OUT, last);
    const bool dot = in_other && !kept && ends_with(c, other, last) && s.loops > 1 && (s.open || s.batched || s.summed >= LONG);
    return rows || weights || graph || dot;
}

/* A product of a constant and memory of the same shape, as a weighted adjacency is: contractions skip the constant's zeros when they compute
 * it themselves. */
bool sn_fuse_is_pattern(const sn_graph *g, const sn_node *n)
{
    for (int k = 0; n->op == SN_OP_mul && k < 2; k++) {
        const sn_node *a = sn_at(g, n->arg[k]), *b = sn_at(g, n->arg[1 - k]);
        if (a->op == SN_OP_const && (b->op == SN_OP_param || b->op == SN_OP_const) && sn_type_equal(&a->type, &n->type))
            return true;
    }
    return false;
}

/* ---- products with graphs ----------------------------------------------------------------------------------------------- */

/* Numbers that are not zero for sure, in an operand known so far; -1 if nothing is known. */
static int64_t filled(const sn_graph *g, const sn_node *n)
{
    if (sn_fuse_is_pattern(g, n))
        n = sn_at(g, n->arg[sn_at(g, n->arg[0])->op == SN_OP_const ? 0 : 1]);
    if (n->op != SN_OP_const)
        return -1;
    int64_t count = 0;
    for (size_t i = 0; i < n->attrs.data.count; i++)
        count += n->attrs.data.data[i] != 0;
    return count;
}

static bool is_sparse(const sn_graph *g, const sn_node *n)
{
    enum { MOST = 512, SHARE = 3 };
    bool open;
    const int64_t count = filled(g, n);
    return count > 0 && count <= MOST && SHARE * count <= sn_type_constant_count(&n->type, &open) && !open;
}

/* out[p.., o.., c] = sum x[p.., i.., c] * w[i.., o..] with two p at least, every index a loop, none twice in one; w may have some p: `shared`. */
static bool is_graph_product(const sn_contract *c, int x, int w, uint32_t *out_first, bool *shared)
{
    const uint8_t rank = c->rank[SN_AT_OUT];
    *out_first = 0;
    *shared = false;
    for (int t = 0; t < 3; t++)
        for (uint8_t i = 0; i < c->rank[t]; i++) {
            if (!sn_affine_is_loop(&c->at[t][i]))
                return false;
            const uint8_t l = c->at[t][i].loop[0];
            uint32_t here = 0;
            for (uint8_t j = 0; j < c->rank[t]; j++)
                here += c->at[t][j].loop[0] == l;
            const int tensors = sn_contract_has(c, x, l) + sn_contract_has(c, w, l) + sn_contract_has(c, SN_AT_OUT, l);
            if (here != 1 || tensors == 1)
                return false;
            *shared = *shared || tensors == 3;
        }
    if (rank < 4 || c->rank[x] == 0 || !ends_with(c, x, c->at[SN_AT_OUT][rank - 1].loop[0]))
        return false;
    while (*out_first + 1u < rank && sn_contract_has(c, x, c->at[SN_AT_OUT][*out_first].loop[0]))
        ++*out_first;
    for (uint32_t i = *out_first; i + 1u < rank; i++)
        if (!sn_contract_has(c, w, c->at[SN_AT_OUT][i].loop[0]) || sn_contract_has(c, x, c->at[SN_AT_OUT][i].loop[0]))
            return false;
    return *out_first >= 2 && *out_first + 1u < rank;
}

/* Does the contraction pack operand k in rows that end with its last axes, `first` and following being constant; at most 64 rows of them? */
static bool packs_rows(const sn_graph *g, const sn_node *n, uint32_t k, uint32_t first)
{
    enum { ROWS = 64 };
    const sn_contract *c = n->attrs.spec.spec;
    const int x = (int)k, other = 1 - x;
    const uint8_t rank = c->rank[x];
    int64_t rows = 1;
    bool columns = false, weights = true;
    if (sn_same(n->arg[0], n->arg[1]) || !sn_fuse_packs(g, n, k))
        return false;
    for (uint8_t i = 0; i < c->rank[SN_AT_OUT]; i++)
        weights = weights && sn_dim_is_const(n->type.dim[i]);
    for (uint8_t i = 0; i < rank; i++) {
        const sn_affine *at = &c->at[x][i];
        if (!sn_affine_is_loop(at))
            return false;
        const uint8_t l = at->loop[0];
        const bool in_other = sn_contract_has(c, other, l), kept = sn_contract_has(c, SN_AT_OUT, l);
        const bool column = weights ? kept && !in_other : in_other && !kept, position = weights ? in_other && !kept : kept && !in_other;
        if (column == position || (columns && !column) || (column && i < first))
            return false;
        columns = column;
        rows *= position && i >= first ? sn_type_at(g, n->arg[k])->dim[i].v : 1;
    }
    return columns && rows <= ROWS;
}

/* Of a dense graph: can x[.., i, c] and w[p.., .. i and o ..] be read where they are, both of constant sizes but for p? */
static bool is_in_place(const sn_graph *g, const sn_node *n, int x, int w)
{
    const sn_contract *c = n->attrs.spec.spec;
    const sn_type *xt = sn_type_at(g, n->arg[x]), *wt = sn_type_at(g, n->arg[w]);
    uint32_t summed = 0;
    bool inside = false;
    if (sn_fuse_is_pattern(g, sn_at(g, n->arg[x])) || sn_fuse_is_pattern(g, sn_at(g, n->arg[w])))
        return false; /* never stored */
    for (uint8_t i = 0; i < c->rank[x]; i++)
        summed += !sn_contract_has(c, SN_AT_OUT, c->at[x][i].loop[0]);
    for (uint8_t i = 0; i < c->rank[w]; i++) {
        const bool position = sn_contract_has(c, x, c->at[w][i].loop[0]) && sn_contract_has(c, SN_AT_OUT, c->at[w][i].loop[0]);
        inside = inside || !position;
        if (inside && (position || !sn_dim_is_const(wt->dim[i])))
            return false;
    }
    const uint8_t rank = c->rank[x];
    return summed == 1 && rank >= 2 && !sn_contract_has(c, SN_AT_OUT, c->at[x][rank - 2].loop[0]) && sn_dim_is_const(xt->dim[rank - 1]);
}

/* Of a graph most of whose numbers are known to be zero. */
static bool is_worth_skipping(const sn_fuser *f, uint32_t i, int w, bool shared)
{
    const sn_node *g = sn_at(f->g, sn_fuse_node(f, i)->arg[w]);
    if (shared || !is_sparse(f->g, g))
        return false;
    sn_fuse_because(f, i, "a product with a graph of %" PRId64 " numbers that are not zero: contractions make it while they pack it", filled(f->g, g));
    return true;
}

/* By the sums of fuse_choose.c: a number of it costs as many multiply-adds as the graph has sources, and loads that many outputs share. */
static bool is_worth_mixing(const sn_fuser *f, uint32_t i, int x)
{
    const sn_type *t = sn_type_at(f->g, sn_fuse_node(f, i)->arg[x]);
    const int64_t kernels = f->first[i + 1] - f->first[i], cost = t->dim[t->rank - 2].v;
    const bool worth = kernels * cost <= cost + SN_WRITE + kernels * SN_ACCESS;
    sn_fuse_because(f, i, "a product with a graph of %" PRId64 " sources and %" PRId64 " readers: made again %" PRId64 " %s stored %" PRId64
                    " (%" PRId64 " + write %d + %" PRId64 " reads x %d)", cost, kernels, kernels * cost, worth ? "<=" : ">", cost + SN_WRITE + kernels * SN_ACCESS, cost, SN_WRITE, kernels, SN_ACCESS);
    return worth;
}

bool sn_fuse_is_mix(const sn_fuser *f, uint32_t i)
{
    const sn_node *n = sn_fuse_node(f, i);
    uint32_t first;
    bool shared, found = false;
    if (!sn_op_has(n->op, SN_CONTRACT) || f->kept[i] || f->first[i] == f->first[i + 1])
        return false;
    for (int w = 1; w >= 0 && !found; w--)
        found = is_graph_product(n->attrs.spec.spec, 1 - w, w, &first, &shared) &&
                (is_worth_skipping(f, i, w, shared) || (is_in_place(f->g, n, 1 - w, w) && is_worth_mixing(f, i, 1 - w)));
    if (!found)
        return false;
    for (uint32_t r = f->first[i]; r < f->first[i + 1]; r++) {
        const sn_node *u = sn_fuse_node(f, f->reader[r]);
        if (!sn_op_has(u->op, SN_CONTRACT) || !packs_rows(f->g, u, u->arg[0].i == i ? 0 : 1, first)) {
            sn_fuse_because(f, i, "%%%s reads it otherwise than packing its rows", sn_fuse_label(f, f->reader[r]));
            return false;
        }
    }
    return true;
}
