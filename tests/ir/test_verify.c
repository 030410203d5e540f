/* Faults that text cannot express: what a pass could do wrong.
 * Those that text can are in wrong/verify.sn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ir/ir.h"

typedef struct sample { sn_graph *g; sn_diags diags; sn_ref x, y, z; } sample; /* x: f32[N,4], y = -x, z = sum y */

static void open_sample(sample *k)
{
    sn_diags_init(&k->diags);
    k->g = sn_graph_new("f");
    sn_build b = {.g = k->g, .diags = &k->diags, .name = "node"};
    const sn_type t = {2, {sn_dim_symbol(&k->g->dims, "N"), sn_dim_const(4)}};
    k->x = sn_graph_param(k->g, "x", SN_INPUT, &t, (sn_init){0}, (sn_loc){0});
    k->y = sn_neg(&b, k->x);
    k->z = sn_sum(&b, k->y, (const uint8_t[]){1}, 1);
    sn_graph_output(k->g, "z", k->z, (sn_loc){0});
    assert_true(sn_verify(k->g, SN_LEVEL_SOURCE, &k->diags));
}

static void expect(sample *k, const char *text)
{
    assert_false(sn_verify(k->g, SN_LEVEL_SOURCE, &k->diags));
    assert_string_equal(k->diags.diag[0].text, text);
    sn_graph_free(k->g);
    sn_diags_fini(&k->diags);
}

static void nodes(void **state)
{
    (void)state;
    sample k;
    open_sample(&k);
    k.g->node[k.y.i].arg[0] = k.z;
    expect(&k, "neg: argument 0 is not above it");
    open_sample(&k);
    k.g->node[k.y.i].arg[0] = SN_NONE;
    expect(&k, "neg: argument 0 is no node");
    open_sample(&k);
    k.g->node[k.y.i].args = 2;
    k.g->node[k.y.i].arg[1] = k.x;
    expect(&k, "neg: found 2 arguments, expected 1");
    open_sample(&k);
    k.g->node[k.y.i].args = 200;
    expect(&k, "neg: found 200 arguments, expected at most 8");
    open_sample(&k);
    k.g->node[k.y.i].op = (sn_op)1234;
    expect(&k, "there is no operator number 1234");
    open_sample(&k);
    k.g->node[k.z.i].attrs.axes.axis[0] = 3;
    expect(&k, "sum: axis 3 is out of range for f32[N,4]");
    open_sample(&k);
    k.g->node[k.z.i].type.dim[1] = sn_dim_const(4);
    expect(&k, "sum: type is f32[N,4] but should be f32[N,1]");
    open_sample(&k);
    k.g->node[k.z.i].type.rank = 9;
    expect(&k, "sum: type has a rank above 6 or unknown dimensions");
    open_sample(&k);
    k.g->node[k.z.i].type.dim[0].v = -77;
    expect(&k, "sum: type has a rank above 6 or unknown dimensions");
    open_sample(&k);
    k.g->node[k.y.i].op = SN_OP_contract;
    expect(&k, "contract: found 1 arguments, expected 2");
}

static void tables(void **state)
{
    (void)state;
    sample k;
    open_sample(&k);
    k.g->node[k.x.i].attrs.param.index = 5;
    expect(&k, "param: there is no parameter 5");
    open_sample(&k);
    k.g->param[0].ref = k.y;
    expect(&k, "param: its node is not a param");
    open_sample(&k);
    k.g->output[0].ref = SN_NONE;
    expect(&k, "return: there is no such value");
    open_sample(&k);
    sn_graph_update(k.g, SN_ASSIGN, 9, k.y, (sn_loc){0});
    expect(&k, "update: there is no such parameter");
    open_sample(&k);
    sn_graph_update(k.g, SN_ENQUEUE, 0, (sn_ref){99}, (sn_loc){0});
    expect(&k, "enqueue: there is no such value");
}

static void faults_come_together(void **state)
{
    (void)state;
    sample k;
    open_sample(&k);
    k.g->node[k.y.i].type.dim[1] = sn_dim_const(5);
    k.g->node[k.z.i].attrs.axes.n = 0;
    k.g->output[0].ref = SN_NONE;
    assert_false(sn_verify(k.g, SN_LEVEL_SOURCE, &k.diags));
    assert_int_equal(k.diags.errors, 3);
    assert_string_equal(k.diags.diag[0].node, "node");
    sn_graph_free(k.g);
    sn_diags_fini(&k.diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nodes), cmocka_unit_test(tables), cmocka_unit_test(faults_come_together)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
