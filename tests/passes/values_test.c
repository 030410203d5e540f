/* Values before and after the passes, and gradients against central differences, for layers and for random graphs.
 * Not kernels: see kernels_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "layers.h"
#include "random_graph.h"
#include "values.h"

/* Reorder, differentiate, check the gradients, then run the other passes one by one and compare after each; in the end make a schedule. */
static void check(layers *l, bool inputs, int samples)
{
    const sn_autodiff_request request = {.output = "loss", .weights = true, .inputs = inputs};
    const sn_pipeline options = {.training = l->training};
    assert_int_equal(l->diags.errors, 0);
    sn_graph *drawn = sn_graph_copy_live(l->g);
    assert_true(sn_passes_run_one(&l->g, "reorder", &options, &l->diags));
    if (!values_agree(drawn, l->g, 1e-7))
        fail_msg("values changed in reorder");
    sn_graph_free(drawn);
    assert_true(sn_autodiff(l->g, &request, 1, &l->diags));
    if (samples)
        assert_true(values_gradients_agree(l->g, "loss", samples, 1e-4));
    sn_graph *before = sn_graph_copy_live(l->g), *g = l->g;
    static const char *const pass[] = {"simplify", "fold_bn", "split_sums", "cse", "recompute"};
    for (size_t i = 0; i < sizeof pass / sizeof pass[0]; i++) {
        if (l->training && strcmp(pass[i], "fold_bn") == 0)
            continue;
        const bool ok = sn_passes_run_one(&g, pass[i], &options, &l->diags);
        sn_diags_print(&l->diags, stderr);
        assert_true(ok);
        if (!values_agree(before, g, 1e-7))
            fail_msg("values changed in %s", pass[i]);
    }
    sn_graph_free(before);
    sn_schedule *s = sn_schedule_make(g, &options, &l->diags);
    sn_diags_print(&l->diags, stderr);
    assert_non_null(s);
    sn_schedule_free(s);
    layers_fini(l);
}

static void test_batch_norm(void **state)
{
    (void)state;
    layers l;
    layers_init(&l, "f", true);
    sn_ref x = layers_input(&l, "x", "N T 3 4");
    x = layers_batch_norm(&l, "norm", x, 2);
    x = layers_relu(&l, "relu", layers_batch_norm(&l, "bn", layers_conv(&l, "conv", x, 5, 3, 1), 1));
    layers_loss(&l, layers_conv(&l, "out", x, 2, 1, 2));
    check(&l, true, 6);
}

static void test_heads(void **state)
{
    (void)state;
    layers l;
    layers_init(&l, "f", true);
    sn_ref x = layers_input(&l, "x", "N T 3 4");
    x = layers_mean(&l, "joints", x, 2);
    x = layers_relu(&l, "relu", layers_linear(&l, "fc1", x, 6));
    x = layers_mean(&l, "frames", x, 1);
    layers_loss(&l, layers_linear(&l, "fc3", layers_l2norm(&l, "unit", layers_linear(&l, "fc2", x, 5)), 2));
    check(&l, true, 6);
}

static void test_block(void **state)
{
    (void)state;
    layers l;
    layers_init(&l, "f", true);
    const sn_ref edges = layers_weight(&l, "edges", "2 3 3");
    sn_ref x = layers_input(&l, "x", "N T 3 4");
    x = layers_block(&l, "block1", x, edges, 4, 1, true, 0.5);
    x = layers_block(&l, "block2", x, edges, 5, 2, true, 0.5);
    layers_loss(&l, layers_conv(&l, "out", x, 2, 1, 1));
    check(&l, false, 4);
}

static void test_inference(void **state)
{
    (void)state;
    layers l;
    layers_init(&l, "f", false);
    const sn_ref edges = layers_weight(&l, "edges", "2 3 3");
    sn_ref x = layers_batch_norm(&l, "norm", layers_input(&l, "x", "N T 3 4"), 2);
    x = layers_block(&l, "block1", x, edges, 4, 1, true, 0.5);
    x = layers_block(&l, "block2", x, edges, 5, 2, true, 0.5);
    layers_loss(&l, x);
    check(&l, false, 2);
}

static void test_random_graphs(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        layers l;
        random_graph(&l, seed);
        check(&l, true, 0);
    }
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(test_batch_norm), cmocka_unit_test(test_heads),         cmocka_unit_test(test_block),
        cmocka_unit_test(test_inference),  cmocka_unit_test(test_random_graphs),
    };
    return cmocka_run_group_tests(test, NULL, NULL);
}
