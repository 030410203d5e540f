/* Long sums become sums over fixed tiles and a short sum over the tiles.
 * Not the fusion of the tile sums into their producers (fuse.c).
 *
 *     s = sum(x[N,T,V,C], axes 0 1 2)   ->   p = partial_sum(x, outer=1, chunk=12, keep=1);  s = reshape(sum(p, axis 0))
 *
 * Tiles depend on static extents only, so results do not depend on the number of threads.
 */
#include "internal.h"

#include <stdlib.h>

enum { TILE_ROWS = 300 };

/* Does the sum run over all axes but the last `keep`, and over a free dimension? */
static bool splits(const sn_graph *g, const sn_node *n, sn_attr_tile *tile)
{
    const sn_type *x = &sn_at(g, n->arg[0])->type;
    if (n->op != SN_OP_sum || n->attrs.axes.n == x->rank || sn_is_static(x) || sn_at(g, n->arg[0])->op == SN_OP_partial_sum)
        return false;
    for (uint8_t i = 0; i < n->attrs.axes.n; i++)
        if (n->attrs.axes.axis[i] != i)
            return false;
    int64_t rows = 1;
    tile->keep = x->rank - n->attrs.axes.n;
    tile->outer = n->attrs.axes.n > 1;
    for (int64_t i = tile->outer + 1; i < n->attrs.axes.n; i++) {
        if (!sn_dim_is_const(x->dim[i]))
            return false;
        rows *= x->dim[i].v;
    }
    tile->chunk = rows >= TILE_ROWS ? 1 : TILE_ROWS / rows;
    return true;
}

bool sn_pass_split_sums(sn_graph **g, const sn_pipeline *options, sn_diags *diags)
{
    (void)options;
    sn_graph *from = *g, *to = sn_graph_copy_params(from);
    sn_ref *map = sn_must(malloc((from->nodes + 1) * sizeof *map));
    for (uint32_t i = 0; i < from->nodes; i++) {
        sn_node n = from->node[i];
        sn_attrs a = {0};
        const bool split = splits(from, &n, &a.tile);
        for (uint8_t k = 0; k < n.args; k++)
            n.arg[k] = map[n.arg[k].i];
        if (!split) {
            map[i] = sn_graph_append(to, &n);
            if (n.op == SN_OP_param)
                to->param[n.attrs.param.index].ref = map[i];
            continue;
        }
        sn_build b = {.g = to, .diags = diags, .loc = n.loc, .name = n.name};
        const sn_ref p = sn_build_op(&b, SN_OP_partial_sum, n.arg, 1, &a, NULL);
        map[i] = sn_reshape(&b, sn_sum(&b, p, (const uint8_t[]){0}, 1), &n.type);
    }
    for (uint32_t i = 0; i < from->outputs; i++)
        sn_graph_output(to, from->output[i].name, map[from->output[i].ref.i], from->output[i].loc);
    for (uint32_t i = 0; i < from->updates; i++)
        sn_graph_update(to, from->update[i].kind, from->update[i].param, map[from->update[i].value.i], from->update[i].loc);
    free(map);
    sn_graph_free(from);
    *g = to;
    return true;
}
