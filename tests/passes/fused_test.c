/* Whole layers through passes, fusion and code generation: every value that a kernel stores against the reference interpreter.
 * Not single kernels (tests/codegen) and not how many there are (kernels_test.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "layers.h"
#include "random_graph.h"
#include "tests/codegen/harness.h"
#include "values.h"

/* Takes the graph of l. */
static void check(layers *l, bool gradients, double tolerance, const char *name)
{
    const sn_autodiff_request request = {.output = "loss", .weights = true};
    const sn_pipeline options = {.training = l->training, .request = &request, .requests = gradients ? 1 : 0};
    int64_t symbol[64];
    assert_int_equal(l->diags.errors, 0);
    sn_graph *g = l->g;
    const bool ok = sn_passes_run(&g, &options, &l->diags);
    sn_diags_print(&l->diags, stderr);
    assert_true(ok);
    sn_schedule *s = sn_schedule_make(g, &options, &l->diags);
    sn_diags_print(&l->diags, stderr);
    assert_non_null(s);
    values_extents(s->g, symbol);
    if (getenv("SN_SHOW"))
        sn_schedule_print(s, stderr);
    cg_params params = cg_params_new(s->g, symbol, 3, 0.25, 1.25);
    cg_check(s, symbol, &params, tolerance, NULL, name);
    cg_params_free(&params);
    sn_schedule_free(s);
    layers_fini(l);
}

static void test_conv_bn_relu_conv(void **state)
{
    (void)state;
    layers l;
    layers_init(&l, "f", true);
    const sn_ref x = layers_input(&l, "x", "N T 5 3");
    const sn_ref z = layers_conv(&l, "conv1", layers_batch_norm(&l, "norm", x, 2), 7, 3, 1);
    layers_loss(&l, layers_conv(&l, "conv2", layers_relu(&l, "relu", layers_batch_norm(&l, "bn", z, 1)), 6, 3, 2));
    check(&l, true, 2e-3, "conv_bn_relu_conv");
}

static void blocks(bool training, double drop)
{
    layers l;
    layers_init(&l, "f", training);
    const sn_ref edges = layers_edges(&l);
    sn_ref x = layers_linear(&l, "in", layers_input(&l, "x", "N T 25 3"), 8);
    x = layers_block(&l, "block1", x, edges, 8, 1, true, drop);
    x = layers_block(&l, "block2", x, edges, 12, 2, true, drop);
    if (training)
        layers_loss(&l, layers_conv(&l, "out", x, 3, 1, 1));
    else
        sn_graph_output(l.g, "y", x, (sn_loc){0});
    check(&l, training, 5e-3, training ? "blocks, training" : "blocks, inference");
}

static void test_blocks_training(void **state)
{
    (void)state;
    blocks(true, 0.5);
}

static void test_blocks_no_dropout(void **state)
{
    (void)state;
    blocks(true, 0);
}

static void test_blocks_inference(void **state)
{
    (void)state;
    blocks(false, 0.5);
}

static void test_heads(void **state)
{
    (void)state;
    layers l;
    layers_init(&l, "f", true);
    sn_ref x = layers_input(&l, "x", "N T 3 20");
    x = layers_relu(&l, "relu", layers_linear(&l, "fc1", layers_mean(&l, "joints", x, 2), 24));
    x = layers_linear(&l, "fc2", layers_mean(&l, "frames", x, 1), 16);
    layers_loss(&l, layers_linear(&l, "fc3", layers_l2norm(&l, "unit", x), 2));
    check(&l, true, 1e-4, "heads");
}

static void test_random_graphs(void **state)
{
    (void)state;
    const char *one = getenv("SN_SEED");
    for (uint64_t seed = one ? strtoull(one, NULL, 10) : 1; seed <= (one ? strtoull(one, NULL, 10) : 25); seed++) {
        layers l;
        char name[32];
        snprintf(name, sizeof name, "random %d", (int)seed);
        random_graph(&l, seed);
        check(&l, true, 1e-3, name);
    }
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(test_conv_bn_relu_conv), cmocka_unit_test(test_heads),           cmocka_unit_test(test_blocks_inference),
        cmocka_unit_test(test_blocks_no_dropout), cmocka_unit_test(test_blocks_training), cmocka_unit_test(test_random_graphs),
    };
    return cmocka_run_group_tests(test, NULL, NULL);
}
