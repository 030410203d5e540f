/* Every case of every operator through compiled kernels: a kernel a node, and as the scheduler fuses them; for this processor and for the
 * portable ones.
 * Not shapes and gradients (tests/ops). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness.h"
#include "passes/passes.h"
#include "tests/ops/cases.h"

static cg_params params_of(const sn_case *c, const sn_graph *g)
{
    cg_params p = {calloc(g->params + 1, sizeof(float *)), sn_case_inputs(c, g, 3), g->params};
    for (uint32_t i = 0; i < g->params; i++) {
        size_t n = sn_case_count(g, &g->param[i].type);
        p.f[i] = malloc(n * sizeof(float) + 1);
        for (size_t j = 0; j < n; j++)
            p.f[i][j] = (float)p.d[i][j];
    }
    return p;
}

static void free_params(const sn_graph *g, cg_params *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        free(p->f[i]);
    free(p->f);
    sn_case_inputs_free(g, p->d);
}

static sn_graph *graph_of(const sn_case *c, sn_diags *d)
{
    sn_graph *g = sn_case_graph(c, d);
    if (!g)
        sn_diags_print(d, stderr);
    assert_non_null(g);
    return g;
}

/* Larger than f32 rounding alone: contractions and losses add up what they round. */
enum { TOLERANCE_PARTS = 200000 };

static void each(const char *cpu)
{
    for (size_t i = 0; i < SN_CASES; i++) {
        sn_diags d;
        sn_diags_init(&d);
        sn_graph *g = graph_of(&SN_CASE[i], &d);
        int64_t symbol[8];
        sn_case_bind(g, symbol);
        cg_params p = params_of(&SN_CASE[i], g);
        sn_schedule *s = cg_schedule_each(g);
        cg_check(s, symbol, &p, 1.0 / TOLERANCE_PARTS, cpu, SN_CASE[i].name);
        cg_schedule_free(s);
        free_params(g, &p);
        sn_graph_free(g);
        sn_diags_fini(&d);
    }
}

static void test_native(void **state) { (void)state, each("native"); }
static void test_v3(void **state) { (void)state, each("x86-64-v3"); }
static void test_v2(void **state) { (void)state, each("x86-64-v2"); }

static void test_fused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SN_CASES; i++) {
        sn_diags d;
        sn_diags_init(&d);
        sn_graph *g = graph_of(&SN_CASE[i], &d);
        int64_t symbol[8];
        cg_params p = params_of(&SN_CASE[i], g);
        sn_schedule *s = sn_schedule_make(g, &(sn_pipeline){.training = true}, &d);
        assert_non_null(s);
        sn_case_bind(s->g, symbol);
        cg_check(s, symbol, &p, 1.0 / TOLERANCE_PARTS, NULL, SN_CASE[i].name);
        free_params(s->g, &p);
        sn_schedule_free(s);
        sn_diags_fini(&d);
    }
}

/* No operator is left out: each stands in the graph of some case, as a node that a kernel computes. */
static void test_complete(void **state)
{
    (void)state;
    bool found[SN_OP_COUNT] = {false};
    for (size_t i = 0; i < SN_CASES; i++) {
        sn_diags d;
        sn_diags_init(&d);
        sn_graph *g = graph_of(&SN_CASE[i], &d);
        for (uint32_t j = 0; j < g->nodes; j++)
            found[g->node[j].op] = true;
        sn_graph_free(g);
        sn_diags_fini(&d);
    }
    for (int op = 0; op < SN_OP_COUNT; op++)
        if (!found[op] && op != SN_OP_const)
            fail_msg("no case runs operator %s", sn_op_get((sn_op)op)->name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_native),
        cmocka_unit_test(test_v3),
        cmocka_unit_test(test_v2),
        cmocka_unit_test(test_fused),
        cmocka_unit_test(test_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
