/* What a graph costs as it is written: multiply-adds of its contractions.
 * Not what kernels do: constants full of zeros, folding and fusion make them do less (macs in runtime/abi.h). */
#include "internal.h"

/* Extent of a loop: of any axis at which it stands alone. */
static int64_t loop_extent(const sn_graph *g, const sn_node *n, uint8_t loop, const int64_t *symbol)
{
    const sn_contract *c = n->attrs.spec.spec;
    const sn_type *type[3] = {&sn_at(g, n->arg[0])->type, &sn_at(g, n->arg[1])->type, &n->type};
    for (int p = 0; p < 3; p++)
        for (uint8_t i = 0; i < c->rank[p]; i++)
            if (sn_affine_is_loop(&c->at[p][i]) && c->at[p][i].loop[0] == loop)
                return sn_dim_eval(&g->dims, type[p]->dim[i], symbol);
    SN_ASSERT(false, "loop %s has no extent", c->name[loop]);
    return 0;
}

double sn_graph_multiply_adds(const sn_graph *g, const int64_t *symbol)
{
    double sum = 0;
    for (uint32_t i = 0; i < g->nodes; i++) {
        if (g->node[i].op != SN_OP_contract)
            continue;
        double product = 1;
        for (uint8_t l = 0; l < g->node[i].attrs.spec.spec->loops; l++)
            product *= (double)loop_extent(g, &g->node[i], l, symbol);
        sum += product;
    }
    return sum;
}
