/* Graphs: making, appending, counting readers, copying what is alive.
 * Not checking (build.c, verify.c), not text. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Room for one more element of a growable array. */
static void *grow(void *array, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity ? 2 * *capacity : 16;
    void *grown = realloc(array, *capacity * size);
    SN_ASSERT(grown, "out of memory");
    return grown;
}
#define GROW(g, member) ((g)->member = grow((g)->member, (g)->member##s, &(g)->member##_capacity, sizeof *(g)->member))

sn_graph *sn_graph_new(const char *name)
{
    sn_graph *g = calloc(1, sizeof *g);
    SN_ASSERT(g, "out of memory");
    sn_arena_init(&g->arena);
    sn_dims_init(&g->dims);
    g->name = sn_strdup(&g->arena, name ? name : "main");
    return g;
}

void sn_graph_free(sn_graph *g)
{
    if (!g)
        return;
    sn_arena_fini(&g->arena);
    sn_dims_fini(&g->dims);
    free(g->node);
    free(g->param);
    free(g->output);
    free(g->update);
    free(g);
}

static sn_loc copy_loc(sn_graph *g, sn_loc loc)
{
    if (loc.path)
        loc.path = sn_strdup(&g->arena, loc.path);
    return loc;
}

/* Neighbours often share a name: keep one copy. */
static const char *copy_name(sn_graph *g, const char *name)
{
    const char *last = g->nodes ? g->node[g->nodes - 1].name : NULL;
    if (!name)
        return NULL;
    return last && strcmp(last, name) == 0 ? last : sn_strdup(&g->arena, name);
}

sn_ref sn_graph_append(sn_graph *g, const sn_node *node)
{
    sn_node n = *node; /* before growing: `node` may stand in the array */
    GROW(g, node);
    n.name = copy_name(g, n.name);
    n.loc = copy_loc(g, n.loc);
    const sn_attr_kind kind = (unsigned)n.op < SN_OP_COUNT ? sn_op_get(n.op)->attrs : SN_ATTR_none;
    if (kind == SN_ATTR_spec && n.attrs.spec.spec) {
        sn_contract *spec = sn_new(&g->arena, sn_contract);
        *spec = *n.attrs.spec.spec;
        n.attrs.spec.spec = spec;
    } else if (kind == SN_ATTR_data && n.attrs.data.count) {
        float *data = sn_new_n(&g->arena, float, n.attrs.data.count);
        memcpy(data, n.attrs.data.data, n.attrs.data.count * sizeof *data);
        n.attrs.data.data = data;
    }
    g->node[g->nodes] = n;
    return (sn_ref){g->nodes++};
}

uint32_t sn_graph_find_param(const sn_graph *g, const char *name)
{
    for (uint32_t i = 0; i < g->params; i++)
        if (strcmp(g->param[i].name, name) == 0)
            return i;
    return UINT32_MAX;
}

uint32_t sn_graph_declare(sn_graph *g, const sn_param *param)
{
    sn_param p = *param;
    GROW(g, param);
    p.name = sn_strdup(&g->arena, p.name);
    p.loc = copy_loc(g, p.loc);
    g->param[g->params] = p;
    return g->params++;
}

sn_ref sn_graph_param(sn_graph *g, const char *name, sn_param_kind kind, const sn_type *type, sn_init init, sn_loc loc)
{
    SN_ASSERT(sn_graph_find_param(g, name) == UINT32_MAX, "param %s exists", name);
    const uint32_t index =
        sn_graph_declare(g, &(sn_param){.name = name, .kind = kind, .type = *type, .init = init, .of = UINT32_MAX, .ref = SN_NONE, .loc = loc});
    const sn_node node = {.op = SN_OP_param, .type = *type, .attrs = {.param = {index}}, .name = name, .loc = loc};
    return g->param[index].ref = sn_graph_append(g, &node);
}

void sn_graph_output(sn_graph *g, const char *name, sn_ref value, sn_loc loc)
{
    GROW(g, output);
    g->output[g->outputs++] = (sn_output){sn_strdup(&g->arena, name), value, copy_loc(g, loc)};
}

void sn_graph_update(sn_graph *g, sn_update_kind kind, uint32_t param, sn_ref value, sn_loc loc)
{
    GROW(g, update);
    g->update[g->updates++] = (sn_update){kind, param, value, copy_loc(g, loc)};
}

static void count_use(const sn_graph *g, uint32_t *use, sn_ref r)
{
    if (r.i < g->nodes)
        use[r.i]++;
}

uint32_t *sn_graph_uses(const sn_graph *g)
{
    uint32_t *use = calloc(g->nodes ? g->nodes : 1, sizeof *use);
    SN_ASSERT(use, "out of memory");
    for (uint32_t i = 0; i < g->nodes; i++)
        for (uint8_t k = 0; k < g->node[i].args; k++)
            count_use(g, use, g->node[i].arg[k]);
    for (uint32_t i = 0; i < g->outputs; i++)
        count_use(g, use, g->output[i].ref);
    for (uint32_t i = 0; i < g->updates; i++)
        count_use(g, use, g->update[i].value);
    return use;
}

/* ---- copying ------------------------------------------------------------------------------------------------------------ */

/* live[i]: outputs or updates need node i.  One backward sweep suffices: arguments stand before their readers. */
static bool *find_live(const sn_graph *g)
{
    bool *live = calloc(g->nodes ? g->nodes : 1, sizeof *live);
    SN_ASSERT(live, "out of memory");
    for (uint32_t i = 0; i < g->outputs; i++)
        live[g->output[i].ref.i] = true;
    for (uint32_t i = 0; i < g->updates; i++)
        live[g->update[i].value.i] = true;
    for (uint32_t i = g->nodes; i-- > 0;)
        for (uint8_t k = 0; live[i] && k < g->node[i].args; k++)
            live[g->node[i].arg[k].i] = true;
    return live;
}

sn_graph *sn_graph_copy_params(const sn_graph *g)
{
    sn_graph *c = sn_graph_new(g->name);
    sn_dims_fini(&c->dims);
    sn_dims_copy(&c->dims, &g->dims); /* dimensions keep their values */
    for (uint32_t i = 0; i < g->params; i++) {
        sn_param p = g->param[i];
        p.ref = SN_NONE;
        sn_graph_declare(c, &p);
    }
    return c;
}

sn_graph *sn_graph_copy_live(const sn_graph *g)
{
    bool *live = find_live(g);
    sn_ref *to = calloc(g->nodes ? g->nodes : 1, sizeof *to);
    SN_ASSERT(to, "out of memory");
    sn_graph *c = sn_graph_copy_params(g);
    for (uint32_t i = 0; i < g->nodes; i++) {
        if (!live[i])
            continue;
        sn_node n = g->node[i];
        for (uint8_t k = 0; k < n.args; k++)
            n.arg[k] = to[n.arg[k].i];
        to[i] = sn_graph_append(c, &n);
        if (n.op == SN_OP_param)
            c->param[n.attrs.param.index].ref = to[i];
    }
    for (uint32_t i = 0; i < g->outputs; i++)
        sn_graph_output(c, g->output[i].name, to[g->output[i].ref.i], g->output[i].loc);
    for (uint32_t i = 0; i < g->updates; i++)
        sn_graph_update(c, g->update[i].kind, g->update[i].param, to[g->update[i].value.i], g->update[i].loc);
    free(to);
    free(live);
    return c;
}
