/* Multiply-adds of a contraction as the literature counts them, for the tests of what models cost.
 * Not a test by itself. */
#ifndef SN_TESTS_MACS_H
#define SN_TESTS_MACS_H

#include "frontend/compile.h"

/* Product of the extents of all loops. */
static inline double multiply_adds(const sn_graph *g, const sn_node *n, const int64_t *symbol)
{
    const sn_contract *c = n->attrs.spec.spec;
    const sn_type *type[3] = {&sn_at(g, n->arg[0])->type, &sn_at(g, n->arg[1])->type, &n->type};
    double extent[SN_MAX_LOOPS] = {0}, product = 1;
    for (int t = 0; t < 3; t++)
        for (uint8_t i = 0; i < c->rank[t]; i++)
            if (sn_affine_is_loop(&c->at[t][i])) extent[c->at[t][i].loop[0]] = (double)sn_dim_eval(&g->dims, type[t]->dim[i], symbol);
    for (uint8_t l = 0; l < c->loops; l++) product *= extent[l];
    return product;
}

#endif
