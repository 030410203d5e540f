/* Multiply-adds of the encoders as written equal the published counts.
 * Not their parameters (tests/frontend/models_test.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>

#include "frontend/compile.h"

static double giga_multiply_adds(const char *hidden, int64_t frames)
{
    const sn_program_options options = {.set = &hidden, .sets = 1};
    const int64_t            symbol[2] = {1, frames}; /* N, T in order of the input's shape */
    sn_diags                 diags;
    sn_diags_init(&diags);
    sn_model *m = sn_model_load(MODELS "/encoders/stgcn.json", &diags);
    sn_graph *g = m ? sn_model_elaborate(m, &options, &diags) : NULL;
    if (!g) sn_diags_print(&diags, stderr);
    assert_non_null(g);
    assert_int_equal(g->dims.symbols, 2);
    double cost = sn_graph_multiply_adds(g, symbol) / 1e9;
    sn_graph_free(g);
    sn_model_free(m);
    sn_diags_fini(&diags);
    return cost;
}

/* Spec section 8: one sequence, in units of 1e9, rounded to three digits behind the point. */
static void stgcn_costs_what_is_published(void **state)
{
    static const struct { const char *hidden; int64_t frames; double want; } cases[] = {
        {"hidden=16", 300, 1.780}, {"hidden=16", 150, 0.899}, {"hidden=16", 100, 0.593}, {"hidden=16", 50, 0.306},
        {"hidden=64", 300, 8.546}, {"hidden=64", 150, 4.301}, {"hidden=64", 100, 2.849}, {"hidden=64", 50, 1.452},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double found = giga_multiply_adds(cases[i].hidden, cases[i].frames);
        if (fabs(found - cases[i].want) > 0.00051) fail_msg("%s, %d frames: found %.4f, expected %.3f", cases[i].hidden, (int)cases[i].frames, found, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stgcn_costs_what_is_published)};
    return cmocka_run_group_tests_name("cost", tests, NULL, NULL);
}
