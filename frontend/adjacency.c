/* Graph matrices of a skeleton from its edges: constants of kind "adjacency".
 * Not how a graph is used: models multiply with them.
 *
 * Convention: out[w] = sum over v of x[v] A[k][v][w], the first index of a matrix is the source.
 *   uniform   [1, V, V]          edges both ways and self loops, every column divided by its sum
 *   distance  [max_hop+1, V, V]  the same entries cut by hop distance
 *   spatial   [3, V, V]          hop 0; then pairs as far from the centre or farther; then nearer ones (ST-GCN).  Distances are known up to
 *                                max_hop only and infinite beyond, so two joints far from the centre count as equally far: this is how
 *                                the published graph is, and it is kept
 *   agcn      [3, V, V]          identity; parent <- child as given; child <- parent; columns divided by their sums (2s-AGCN)
 */
#include <string.h>

#include "elaborate.h"

enum { MOST_JOINTS = 1024, FAR = 1 << 20 };

typedef struct skeleton {
    int64_t  joints, centre, max_hop;
    uint32_t edges;
    int64_t (*edge)[2]; /* (child, parent) */
    const char *strategy;
} skeleton;

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

static bool read_edges(sn_scope *s, const sn_value *v, const char *node, skeleton *k)
{
    bool ok = v->kind == SN_VALUE_LIST;
    if (!ok) sn_elab_error(s->e, v->loc, node, "edges: expected a list of pairs [[child, parent], ...]");
    k->edge = sn_alloc(&s->e->arena, (v->n + 1) * sizeof *k->edge);
    for (uint32_t i = 0; v->kind == SN_VALUE_LIST && i < v->n; i++) {
        const sn_value *pair = &v->item[i];
        if (pair->kind != SN_VALUE_LIST || pair->n != 2) {
            sn_elab_error(s->e, pair->loc, node, "edges: expected a pair [child, parent]");
            ok = false;
            continue;
        }
        for (int end = 0; end < 2; end++) ok = sn_scope_int(s, &pair->item[end], node, "edges", 0, k->joints - 1, &k->edge[i][end]) && ok;
        if (ok && k->edge[i][0] == k->edge[i][1]) {
            sn_elab_error(s->e, pair->loc, node, "edges: joint %lld is joined to itself", (long long)k->edge[i][0]);
            ok = false;
        }
    }
    k->edges = v->n;
    return ok;
}

static bool read_skeleton(sn_scope *s, const sn_ast_constant *c, const char *node, skeleton *k)
{
    static const char *const field[] = {"strategy", "joints", "centre", "max_hop", "edges"};
    static const char *const strategy[] = {"uniform", "distance", "spatial", "agcn"};
    const sn_value *at[5] = {0};
    bool ok = true;
    *k = (skeleton){.max_hop = 1};
    if (c->with.kind != SN_VALUE_MAP) {
        sn_elab_error(s->e, c->with.kind ? c->with.loc : c->loc, node, "adjacency: expected with: { strategy, joints, edges, centre, max_hop }");
        return false;
    }
    for (uint32_t i = 0; i < c->with.n; i++) {
        int f = 0;
        while (f < 5 && strcmp(field[f], c->with.key[i]) != 0) f++;
        const char *near = f == 5 ? sn_nearest(c->with.key[i], field, 5) : NULL;
        if (f < 5) at[f] = &c->with.item[i];
        else if (near) sn_elab_error(s->e, c->with.key_loc[i], node, "adjacency has no field \"%s\"; did you mean \"%s\"?", c->with.key[i], near);
        else sn_elab_error(s->e, c->with.key_loc[i], node, "adjacency has no field \"%s\"", c->with.key[i]);
        ok = ok && f < 5;
    }
    for (int f = 0; f < 5; f++)
        if (ok && !at[f] && (f < 2 || f == 4)) {
            sn_elab_error(s->e, c->with.loc, node, "adjacency: \"%s\" is missing", field[f]);
            ok = false;
        }
    if (!ok) return false;
    for (int i = 0; i < 4 && at[0]->kind == SN_VALUE_STRING; i++)
        if (strcmp(strategy[i], at[0]->string) == 0) k->strategy = strategy[i];
    if (!k->strategy) sn_elab_error(s->e, at[0]->loc, node, "strategy: found \"%s\", expected uniform, distance, spatial or agcn", at[0]->kind == SN_VALUE_STRING ? at[0]->string : "?");
    if (!sn_scope_int(s, at[1], node, "joints", 1, MOST_JOINTS, &k->joints)) return false;
    if (at[2]) ok = sn_scope_int(s, at[2], node, "centre", 0, k->joints - 1, &k->centre);
    if (at[3]) ok = sn_scope_int(s, at[3], node, "max_hop", 0, 64, &k->max_hop) && ok;
    if (k->strategy && !at[2] && strcmp(k->strategy, "spatial") == 0) {
        sn_elab_error(s->e, c->with.loc, node, "adjacency: \"centre\" is missing");
        ok = false;
    }
    return read_edges(s, at[4], node, k) && ok && k->strategy;
}

/* ---- matrices ----------------------------------------------------------------------------------------------------------- */

/* hop[j * V + i]: length of the shortest path, FAR beyond max_hop. */
static void hops(const skeleton *k, int *hop)
{
    int64_t v = k->joints;
    for (int64_t i = 0; i < v * v; i++) hop[i] = i / v == i % v ? 0 : FAR;
    for (int h = 0; h < (int)k->max_hop; h++)
        for (int64_t j = 0; j < v; j++)
            for (uint32_t e = 0; e < k->edges; e++)
                for (int way = 0; way < 2; way++) {
                    int64_t a = k->edge[e][way], b = k->edge[e][1 - way];
                    if (hop[j * v + a] == h && hop[j * v + b] > h + 1) hop[j * v + b] = h + 1;
                }
}

static int set_of(const skeleton *k, const int *hop, int64_t j, int64_t i)
{
    int64_t v = k->joints;
    int d = hop[j * v + i];
    if (k->strategy[0] == 'u') return 0;
    if (k->strategy[0] == 'd' || d == 0) return d;
    return hop[j * v + k->centre] >= hop[i * v + k->centre] ? 2 * d - 1 : 2 * d;
}

static void stgcn_sets(const skeleton *k, const int *hop, float *a)
{
    int64_t v = k->joints;
    for (int64_t i = 0; i < v; i++) {
        int degree = 0;
        for (int64_t j = 0; j < v; j++) degree += hop[j * v + i] < FAR;
        for (int64_t j = 0; j < v; j++)
            if (hop[j * v + i] < FAR) a[(set_of(k, hop, j, i) * v + j) * v + i] = 1.0f / (float)degree;
    }
}

static void agcn_sets(const skeleton *k, float *a)
{
    int64_t v = k->joints, page = v * v;
    for (int64_t i = 0; i < v; i++) a[i * v + i] = 1;
    for (uint32_t e = 0; e < k->edges; e++) {
        int64_t child = k->edge[e][0], parent = k->edge[e][1];
        a[page + parent * v + child] = 1;
        a[2 * page + child * v + parent] = 1;
    }
    for (int64_t set = 1; set < 3; set++)
        for (int64_t i = 0; i < v; i++) {
            float sum = 0;
            for (int64_t j = 0; j < v; j++) sum += a[set * page + j * v + i];
            for (int64_t j = 0; j < v && sum > 0; j++) a[set * page + j * v + i] /= sum;
        }
}

sn_ref sn_elab_adjacency(sn_scope *s, const sn_ast_constant *c, const char *node)
{
    skeleton k;
    if (c->shape.kind != SN_VALUE_ABSENT) sn_elab_error(s->e, c->shape.loc, node, "`shape` has no meaning for an adjacency, which knows its own");
    if (!read_skeleton(s, c, node, &k)) return SN_NONE;
    int64_t sets = k.strategy[0] == 'u' ? 1 : k.strategy[0] == 'd' ? k.max_hop + 1 : k.strategy[0] == 's' ? 2 * k.max_hop + 1 : 3;
    size_t count = (size_t)(sets * k.joints * k.joints);
    if (count > 1u << 24) {
        sn_elab_error(s->e, c->with.loc, node, "adjacency: %zu numbers, expected at most %u", count, 1u << 24);
        return SN_NONE;
    }
    float *a = sn_new_n(&s->e->g->arena, float, count);
    if (k.strategy[0] == 'a') {
        agcn_sets(&k, a);
    } else {
        int *hop = sn_new_n(&s->e->arena, int, k.joints * k.joints);
        hops(&k, hop);
        stgcn_sets(&k, hop, a);
    }
    const sn_type t = {3, {sn_dim_const(sets), sn_dim_const(k.joints), sn_dim_const(k.joints)}};
    const sn_attrs attrs = {.data = {a, count}};
    sn_elab_at(s->e, c->name.loc, node);
    sn_ref ref = sn_build_op(&s->e->b, SN_OP_const, NULL, 0, &attrs, &t);
    sn_elab_drain(s->e);
    return ref;
}
