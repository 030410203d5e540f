/* Reordering: of a linear map of channels and a product over nodes behind it, the product goes first where that makes less in between.
 * Not a choice among other orders of contractions.
 *
 *     z[n,t,v,o] = sum of x[n,t,v,i] * w[i,o]  + b[o]             p[n,t,w,k,i] = sum of x[n,t,v,i] * a[k,v,w]
 *     s = reshape z: [n,t,v,k,c]                            ->    s[w,c]       = sum of a[k,v,w] * b[k,c]
 *     y[n,t,w,c] = sum of s[n,t,v,k,c] * a[k,v,w]                 y[n,t,w,c]   = sum of p[n,t,w,k,i] * w[i,k,c]  + s[w,c]
 *
 * The number of products with weights is the same; what is stored in between, and read again by gradients, has i channels instead of c.
 * It also leaves the dear contraction last, where the sums of a batch norm are.  A rewritten product does not match again, so it ends.
 * Source: Kipf and Welling, "Semi-supervised classification with graph convolutional networks", ICLR 2017, where (A X) W is the order.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Loops of the three contractions under common numbers: those of y's contraction first, then the rows i of the weights. */
typedef struct chain {
    const sn_graph *g;
    const uint32_t *uses;
    uint32_t    map, view, mix; /* old nodes: x w, what is read of it, the product with the graph */
    sn_ref      x, w, b, a;     /* old nodes; b may be SN_NONE */
    int         side;           /* which operand of `mix` is s */
    uint8_t     splits;         /* trailing axes of s that are the columns of w */
    uint8_t     x_loop[SN_MAX_RANK], w_loop[SN_MAX_RANK + SN_MAX_RANK], w_loops;
    uint8_t     rows[SN_MAX_RANK], row_count;
    sn_type     w_type;         /* of w with its columns split */
} chain;

static const sn_contract *spec_of(const sn_node *n) { return n->attrs.spec.spec; }

static bool is_static(const sn_type *t)
{
    bool open;
    sn_type_constant_count(t, &open);
    return !open;
}

/* Every index one loop, and no loop twice in a tensor? */
static bool is_plain(const sn_contract *c)
{
    for (int t = 0; t < 3; t++)
        for (uint8_t i = 0; i < c->rank[t]; i++) {
            if (!sn_affine_is_loop(&c->at[t][i]))
                return false;
            for (uint8_t j = 0; j < i; j++)
                if (c->at[t][j].loop[0] == c->at[t][i].loop[0])
                    return false;
        }
    return true;
}

static int axis_of(const sn_contract *c, int t, uint8_t loop)
{
    for (uint8_t i = 0; i < c->rank[t]; i++)
        if (c->at[t][i].loop[0] == loop)
            return i;
    return -1;
}

/* ---- finding ------------------------------------------------------------------------------------------------------------ */

/* Down from s through at most a reshape and the addition of a bias to the contraction with the weights. */
static bool find_map(chain *c, sn_ref s)
{
    const sn_graph *g = c->g;
    c->view = s.i;
    c->b = SN_NONE;
    if (sn_at(g, s)->op == SN_OP_reshape && c->uses[s.i] == 1)
        s = sn_at(g, s)->arg[0];
    if (sn_at(g, s)->op == SN_OP_add && c->uses[s.i] == 1) {
        const int bias = is_static(sn_type_at(g, sn_at(g, s)->arg[1])) ? 1 : 0;
        c->b = sn_at(g, s)->arg[bias];
        s = sn_at(g, s)->arg[1 - bias];
    }
    const sn_node *n = sn_at(g, s);
    c->map = s.i;
    if (n->op != SN_OP_contract || c->uses[s.i] != 1 || !is_plain(spec_of(n)) || n->type.rank < 2)
        return false;
    const int weights = is_static(sn_type_at(g, n->arg[1])) ? 1 : 0;
    c->w = n->arg[weights];
    c->x = n->arg[1 - weights];
    return is_static(sn_type_at(g, c->w)) && !is_static(sn_type_at(g, c->x));
}

/* The columns of w are the last axis of x w and become the last axes of s; a bias has one number a column. */
static bool find_columns(chain *c)
{
    const sn_type *z = &c->g->node[c->map].type, *s = &c->g->node[c->view].type;
    const uint8_t lead = (uint8_t)(z->rank - 1);
    bool open;
    if (s->rank < z->rank)
        return false;
    c->splits = (uint8_t)(s->rank - lead);
    sn_type columns = {.rank = c->splits};
    for (uint8_t i = 0; i < s->rank; i++)
        if (i >= lead)
            columns.dim[i - lead] = s->dim[i];
        else if (!sn_dim_equal(s->dim[i], z->dim[i]))
            return false;
    const int64_t n = sn_type_constant_count(&columns, &open);
    if (open || z->dim[lead].v != n)
        return false;
    if (sn_is_none(c->b))
        return true;
    const sn_type *b = sn_type_at(c->g, c->b);
    return b->rank > 0 && sn_dim_equal(b->dim[b->rank - 1], z->dim[lead]) && sn_type_constant_count(b, &open) == n && !open;
}

/* Loops of x and of the split w by the numbers of y's contraction; the rows of w get new ones. */
static bool number_loops(chain *c)
{
    const sn_contract *map = spec_of(&c->g->node[c->map]), *mix = spec_of(&c->g->node[c->mix]);
    const int at_x = sn_same(c->g->node[c->map].arg[0], c->x) ? SN_AT_A : SN_AT_B, at_w = 1 - at_x;
    const uint8_t lead = (uint8_t)(map->rank[SN_AT_OUT] - 1), column = map->at[SN_AT_OUT][lead].loop[0];
    uint8_t number = mix->loops;
    if (axis_of(map, at_w, column) < 0 || axis_of(map, at_x, column) >= 0)
        return false;
    for (uint8_t i = 0; i < map->rank[at_x]; i++) {
        const uint8_t l = map->at[at_x][i].loop[0];
        const int out = axis_of(map, SN_AT_OUT, l);
        if ((out >= 0) == (axis_of(map, at_w, l) >= 0)) /* a position, or a row of w */
            return false;
        c->x_loop[i] = out >= 0 ? mix->at[c->side][out].loop[0] : number++;
        if (out < 0)
            c->rows[c->row_count++] = c->x_loop[i];
    }
    const sn_type *w = sn_type_at(c->g, c->w), *s = &c->g->node[c->view].type;
    for (uint8_t i = 0; i < map->rank[at_w]; i++) {
        const uint8_t l = map->at[at_w][i].loop[0];
        const int in_x = axis_of(map, at_x, l);
        for (uint8_t j = 0; l == column && j < c->splits; j++) {
            c->w_loop[c->w_loops] = mix->at[c->side][lead + j].loop[0];
            c->w_type.dim[c->w_loops++] = s->dim[lead + j];
        }
        if (l == column)
            continue;
        if (in_x < 0)
            return false;
        c->w_loop[c->w_loops] = c->x_loop[in_x];
        c->w_type.dim[c->w_loops++] = w->dim[i];
        if (c->w_loops > SN_MAX_RANK)
            return false;
    }
    c->w_type.rank = c->w_loops;
    return map->rank[SN_AT_OUT] == lead + 1 && map->rank[at_x] == lead + c->row_count && number <= SN_MAX_LOOPS && c->w_loops <= SN_MAX_RANK;
}

static int64_t extent_of(const chain *c, int tensor, uint8_t axis)
{
    const sn_node *n = &c->g->node[c->mix];
    const sn_type *t = tensor == SN_AT_OUT ? &n->type : sn_type_at(c->g, n->arg[tensor]);
    return sn_dim_is_const(t->dim[axis]) ? t->dim[axis].v : 1;
}

static int64_t rows_of(const chain *c)
{
    int64_t n = 1;
    for (uint8_t i = 0; i < c->w_loops; i++)
        for (uint8_t j = 0; j < c->row_count; j++)
            n *= c->w_loop[i] == c->rows[j] ? c->w_type.dim[i].v : 1;
    return n;
}

/* Axes of s: nodes v that are summed, columns k that are summed, columns c and positions that go to y; w are the nodes of y.  Less must be
 * stored in between, not more multiplied, and y must end in nodes and columns so that the bias fits. */
static bool pays(const chain *c)
{
    const sn_contract *mix = spec_of(&c->g->node[c->mix]);
    const int lead = mix->rank[c->side] - c->splits;
    int64_t v_nodes = 1, w_nodes = 1, columns = 1;
    uint32_t p_rank = c->row_count;
    bool ends = false;
    for (uint8_t i = 0; i < mix->rank[c->side]; i++) {
        const uint8_t l = mix->at[c->side][i].loop[0];
        const bool in_a = axis_of(mix, 1 - c->side, l) >= 0;
        if (in_a == (axis_of(mix, SN_AT_OUT, l) >= 0))
            return false;
        v_nodes *= in_a && i < lead ? extent_of(c, c->side, i) : 1;
        columns *= !in_a && i >= lead ? extent_of(c, c->side, i) : 1;
        p_rank += in_a == (i >= lead);
    }
    for (uint8_t i = 0; i < mix->rank[SN_AT_OUT]; i++) {
        const int in_s = axis_of(mix, c->side, mix->at[SN_AT_OUT][i].loop[0]);
        const bool position = in_s >= 0 && in_s < lead;
        if (ends && position)
            return false;
        ends = ends || !position;
        w_nodes *= in_s < 0 ? extent_of(c, SN_AT_OUT, i) : 1;
        p_rank += in_s < 0;
    }
    return p_rank <= SN_MAX_RANK && w_nodes * rows_of(c) <= v_nodes * columns && w_nodes <= v_nodes;
}

static bool matches(chain *c, uint32_t node)
{
    const sn_node *n = &c->g->node[node];
    if (n->op != SN_OP_contract || !is_plain(spec_of(n)))
        return false;
    c->mix = node;
    c->side = is_static(sn_type_at(c->g, n->arg[0])) ? SN_AT_B : SN_AT_A;
    c->a = n->arg[1 - c->side];
    return is_static(sn_type_at(c->g, c->a)) && !is_static(sn_type_at(c->g, n->arg[c->side])) && c->uses[n->arg[c->side].i] == 1 &&
           find_map(c, n->arg[c->side]) && find_columns(c) && number_loops(c) && pays(c);
}

/* ---- making ------------------------------------------------------------------------------------------------------------- */

typedef struct loops { uint8_t at[SN_MAX_RANK]; uint32_t n; } loops;

static void put(loops *to, uint8_t loop)
{
    SN_ASSERT(to->n < SN_MAX_RANK, "a reordered product has more than %d axes", SN_MAX_RANK);
    to->at[to->n++] = loop;
}

static loops loops_at(const sn_contract *c, int t)
{
    loops l = {.n = c->rank[t]};
    for (uint8_t i = 0; i < c->rank[t]; i++)
        l.at[i] = c->at[t][i].loop[0];
    return l;
}

static sn_ref contract(sn_rewriter *rw, const char *name, sn_ref x, const loops *xl, sn_ref y, const loops *yl, const loops *out)
{
    char text[256];
    size_t at = 0;
    const loops *list[3] = {xl, yl, out};
    for (int t = 0; t < 3; t++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s", t == 0 ? "" : t == 1 ? ";" : "->");
        for (uint32_t i = 0; i < list[t]->n; i++)
            at += (size_t)snprintf(text + at, sizeof text - at, "%sl%u", i ? "," : "", list[t]->at[i]);
    }
    sn_contract spec;
    sn_type type = {.rank = (uint8_t)out->n};
    const char *where, *what;
    const bool ok = sn_contract_parse(text, &spec, &where, &what);
    SN_ASSERT(ok, "a reordered product \"%s\": %s", text, what);
    for (uint32_t i = 0; i < out->n; i++)
        for (int t = 0; t < 2; t++)
            for (uint32_t j = 0; j < list[t]->n; j++)
                if (list[t]->at[j] == out->at[i])
                    type.dim[i] = sn_type_at(rw->g, t ? y : x)->dim[j];
    const sn_attrs attrs = {.spec = {&spec}};
    sn_node n = sn_rewrite_node(rw, SN_OP_contract, (sn_ref[]){x, y}, 2, &attrs, &type);
    n.name = name;
    return sn_rewrite_add(rw, &n);
}

static sn_ref reshape(sn_rewriter *rw, sn_ref x, const sn_type *t)
{
    if (sn_type_equal(sn_type_at(rw->g, x), t))
        return x;
    const sn_node n = sn_rewrite_node(rw, SN_OP_reshape, &x, 1, NULL, t);
    return sn_rewrite_add(rw, &n);
}

/* The bias at every node: what the graph makes of it. */
static sn_ref shift(sn_rewriter *rw, const chain *c, const loops *a, const loops *y)
{
    const sn_contract *mix = spec_of(&c->g->node[c->mix]);
    const sn_type s = rw->g->node[c->view].type;
    const uint8_t lead = (uint8_t)(s.rank - c->splits);
    sn_type columns = {.rank = c->splits};
    loops bl = {.n = 0}, out = {.n = 0};
    for (uint8_t i = 0; i < c->splits; i++) {
        columns.dim[i] = s.dim[lead + i];
        put(&bl, mix->at[c->side][lead + i].loop[0]);
    }
    for (uint32_t i = 0; i < y->n; i++) {
        const int in_s = axis_of(mix, c->side, y->at[i]);
        if (in_s < 0 || in_s >= lead)
            put(&out, y->at[i]);
    }
    return contract(rw, rw->g->node[c->b.i].name, rw->to[c->a.i], a, reshape(rw, rw->to[c->b.i], &columns), &bl, &out);
}

static sn_ref rebuild(sn_rewriter *rw, chain *c)
{
    const sn_contract *mix = spec_of(&rw->g->node[c->mix]);
    const loops y = loops_at(mix, SN_AT_OUT), a = loops_at(mix, 1 - c->side), s = loops_at(mix, c->side);
    loops x = {.n = sn_type_at(rw->g, rw->to[c->x.i])->rank}, w = {.n = c->w_loops}, p = {.n = 0};
    memcpy(x.at, c->x_loop, sizeof x.at);
    memcpy(w.at, c->w_loop, sizeof w.at);
    for (uint32_t i = 0; i < y.n; i++) /* positions and nodes as in y, then columns that the graph has, then rows of w */
        if (axis_of(mix, c->side, y.at[i]) < (int)(s.n - c->splits))
            put(&p, y.at[i]);
    for (uint32_t i = s.n - c->splits; i < s.n; i++)
        if (axis_of(mix, 1 - c->side, s.at[i]) >= 0)
            put(&p, s.at[i]);
    for (uint8_t i = 0; i < c->row_count; i++)
        put(&p, c->rows[i]);
    const char *mix_name = rw->g->node[c->mix].name, *map_name = rw->g->node[c->map].name;
    sn_ref mixed = contract(rw, mix_name, rw->to[c->x.i], &x, rw->to[c->a.i], &a, &p);
    sn_ref result = contract(rw, map_name, mixed, &p, reshape(rw, rw->to[c->w.i], &c->w_type), &w, &y);
    if (sn_is_none(c->b))
        return result;
    const sn_ref both[2] = {result, shift(rw, c, &a, &y)};
    const sn_node sum = sn_rewrite_node(rw, SN_OP_add, both, 2, NULL, NULL);
    return sn_rewrite_add(rw, &sum);
}

bool sn_pass_reorder(sn_pass *p)
{
    sn_rewriter rw = sn_rewrite_begin(p);
    uint32_t *uses = sn_graph_uses(rw.g);
    for (uint32_t i = 0; i < rw.old; i++) {
        chain c = {.g = rw.g, .uses = uses};
        rw.loc = rw.g->node[i].loc;
        if (matches(&c, i)) {
            rw.to[i] = rebuild(&rw, &c);
            continue;
        }
        const sn_node n = sn_rewrite_moved(&rw, i);
        rw.to[i] = sn_rewrite_add(&rw, &n);
    }
    free(uses);
    sn_rewrite_end(&rw, p);
    return true;
}
