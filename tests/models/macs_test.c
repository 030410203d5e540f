/* Multiply-adds of ST-GCN, counted as the literature does: every contraction of the graph as written, padding and zeros of the skeleton
 * graph included.  Not what kernels do (they skip the zeros). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "frontend/compile.h"

/* Product of the extents of all loops. */
static double multiply_adds(const sn_graph *g, const sn_node *n, const int64_t *symbol)
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

static double giga_multiply_adds(const char *hidden)
{
    sn_diags diags;
    sn_diags_init(&diags);
    const sn_program_options options = {.set = &hidden, .sets = 1};
    sn_model *m = sn_model_load(STGCN, &diags);
    assert_non_null(m);
    sn_graph *g = sn_model_elaborate(m, &options, &diags);
    assert_non_null(g);
    int64_t symbol[8] = {0};
    assert_in_range(g->dims.symbols, 1, 8);
    for (uint32_t i = 0; i < g->dims.symbols; i++) symbol[i] = sn_dim_symbol_name(&g->dims, i)[0] == 'N' ? 1 : 300;
    double sum = 0;
    for (uint32_t i = 0; i < g->nodes; i++)
        if (g->node[i].op == SN_OP_contract) sum += multiply_adds(g, &g->node[i], symbol);
    sn_graph_free(g);
    sn_model_free(m);
    sn_diags_fini(&diags);
    return sum * 1e-9;
}

static void quarter_width(void **state)
{
    (void)state;
    assert_float_equal(giga_multiply_adds("hidden=16"), 1.780, 0.0005);
}

static void full_width(void **state)
{
    (void)state;
    assert_float_equal(giga_multiply_adds("hidden=64"), 8.546, 0.0005);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(quarter_width), cmocka_unit_test(full_width)};
    return cmocka_run_group_tests_name("macs", tests, NULL, NULL);
}
