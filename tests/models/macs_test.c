/* Multiply-adds of the encoders, counted as the literature does: every contraction of the graph as written, padding and zeros of the skeleton
 * graph included.  Not what kernels do (they skip the zeros). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "macs.h"

/* One sequence of 300 frames; `block` 0 means all. */
static double giga_multiply_adds(const char *file, const char *const *set, uint32_t sets, int block)
{
    sn_diags diags;
    char prefix[16] = "";
    if (block) snprintf(prefix, sizeof prefix, "block%d.", block);
    sn_diags_init(&diags);
    const sn_program_options options = {.set = set, .sets = sets};
    sn_model *m = sn_model_load(file, &diags);
    assert_non_null(m);
    sn_graph *g = sn_model_elaborate(m, &options, &diags);
    assert_non_null(g);
    int64_t symbol[8] = {0};
    assert_in_range(g->dims.symbols, 1, 8);
    for (uint32_t i = 0; i < g->dims.symbols; i++) symbol[i] = sn_dim_symbol_name(&g->dims, i)[0] == 'N' ? 1 : 300;
    double sum = 0;
    for (uint32_t i = 0; i < g->nodes; i++) {
        const char *name = g->node[i].name ? g->node[i].name : "";
        if (g->node[i].op == SN_OP_contract && strncmp(name, prefix, strlen(prefix)) == 0) sum += multiply_adds(g, &g->node[i], symbol);
    }
    sn_graph_free(g);
    sn_model_free(m);
    sn_diags_fini(&diags);
    return sum * 1e-9;
}

static void stgcn_costs_what_is_published(void **state)
{
    static const char *const quarter = "hidden=16", *const full = "hidden=64";
    (void)state;
    assert_float_equal(giga_multiply_adds(MODELS "/encoders/stgcn.json", &quarter, 1, 0), 1.780, 0.0005);
    assert_float_equal(giga_multiply_adds(MODELS "/encoders/stgcn.json", &full, 1, 0), 8.546, 0.0005);
}

static void agcn_costs_what_is_published(void **state)
{
    static const char *const set[] = {"hidden=64", "early=2"}; /* the second: the variant with stride 8 */
    static const double total[2] = {9.704, 5.137}, block[2][10] = {
        {0.295, 0.460, 0.460, 0.460, 0.976, 0.874, 0.874, 1.897, 1.704, 1.704},
        {0.295, 0.337, 0.230, 0.230, 0.488, 0.437, 0.437, 0.956, 0.863, 0.863}};
    (void)state;
    for (uint32_t v = 0; v < 2; v++) {
        assert_float_equal(giga_multiply_adds(MODELS "/encoders/agcn.json", set, v + 1, 0), total[v], 0.0006);
        for (int b = 0; b < 10; b++) assert_float_equal(giga_multiply_adds(MODELS "/encoders/agcn.json", set, v + 1, b + 1), block[v][b], 0.0006);
    }
}

static void unik_costs_what_is_published(void **state)
{
    static const char *const set[] = {"hidden=64", "heads=3"};
    (void)state;
    assert_float_equal(giga_multiply_adds(MODELS "/encoders/unik.json", set, 2, 0), 9.704, 0.0006);
    assert_float_equal(giga_multiply_adds(MODELS "/encoders/unik.json", set, 1, 0), 10.812, 0.0006);
}

/* Published counts are of code that gets distances from a product of matrices, and multiplies with one more matrix, which is diagonal. */
static void hypergcn_costs_what_is_published(void **state)
{
    static const char *const large = "dim=512";
    const double distances[2] = {28 * 28 * (4 * 32 + 5 * 64) * 1e-9, 28 * 28 * (4 * 32 + 3 * 64 + 2 * 128) * 1e-9}, diagonal = 9 * 8 * 28 * 28 * 28 * 1e-9;
    const double base = giga_multiply_adds(MODELS "/encoders/hypergcn.json", NULL, 0, 0), more = giga_multiply_adds(MODELS "/encoders/hypergcn.json", &large, 1, 0);
    (void)state;
    assert_float_equal((float)(base + distances[0] + diagonal), 3.666, 0.0005);
    assert_float_equal((float)(more + distances[1] + diagonal), 6.553, 0.0005);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stgcn_costs_what_is_published), cmocka_unit_test(agcn_costs_what_is_published),
                                       cmocka_unit_test(unik_costs_what_is_published), cmocka_unit_test(hypergcn_costs_what_is_published)};
    return cmocka_run_group_tests_name("macs", tests, NULL, NULL);
}
