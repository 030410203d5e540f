/* An encoder that exists only as a graph file: its gradients against central differences in double precision.
 * Not its training (novel.sh). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "frontend/compile.h"
#include "tests/passes/values.h"

static sn_graph *gradient_graph(const char *stop_after)
{
    sn_diags diags;
    sn_diags_init(&diags);
    const sn_autodiff_request loss = {.output = "loss", .weights = true, .inputs = true};
    const sn_program_options options = {.training = true, .request = &loss, .requests = 1};
    sn_model *m = sn_model_load(NOVEL, &diags);
    sn_graph *g = m ? sn_program_graph(m, &options, stop_after, &diags) : NULL;
    if (!g) sn_diags_print(&diags, stderr);
    sn_model_free(m);
    sn_diags_fini(&diags);
    return g;
}

static void gradients_as_written(void **state)
{
    (void)state;
    sn_graph *g = gradient_graph("autodiff");
    assert_non_null(g);
    assert_true(values_gradients_agree(g, "loss", 1, 1e-5));
    sn_graph_free(g);
}

static void gradients_after_all_passes(void **state)
{
    (void)state;
    sn_graph *g = gradient_graph(NULL);
    assert_non_null(g);
    assert_true(values_gradients_agree(g, "loss", 1, 1e-5));
    sn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gradients_as_written), cmocka_unit_test(gradients_after_all_passes)};
    return cmocka_run_group_tests_name("novel", tests, NULL, NULL);
}
