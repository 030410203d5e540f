/* Building, folding, copying, counting.
 * Not the meaning of operators (tests/ops). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir/ir.h"

typedef struct bench { sn_graph *g; sn_diags diags; sn_build b; sn_ref x; } bench; /* x: f32[N,4] */

static void open_bench(bench *k, bool fold)
{
    k->g = sn_graph_new("f");
    sn_diags_init(&k->diags);
    k->b = (sn_build){.g = k->g, .diags = &k->diags, .fold = fold};
    const sn_type t = {2, {sn_dim_symbol(&k->g->dims, "N"), sn_dim_const(4)}};
    k->x = sn_graph_param(k->g, "x", SN_INPUT, &t, (sn_init){0}, (sn_loc){0});
}

static void close_bench(bench *k)
{
    sn_graph_free(k->g);
    sn_diags_fini(&k->diags);
}

static void is(sn_ref a, sn_ref b) { assert_true(sn_same(a, b)); }

static bool is_fill(const bench *k, sn_ref r, double value)
{
    const sn_node *n = sn_at(k->g, r);
    return n->op == SN_OP_fill && n->attrs.value.value >= value && n->attrs.value.value <= value;
}

static void folding(void **state)
{
    (void)state;
    bench k;
    open_bench(&k, true);
    sn_build *b = &k.b;
    const sn_ref x = k.x, zero = sn_scalar(b, 0), one = sn_scalar(b, 1), two = sn_scalar(b, 2);
    const sn_type t = sn_at(k.g, x)->type, flat = {1, {sn_type_count(&k.g->dims, &t)}}, big = {3, {sn_dim_const(2), t.dim[0], t.dim[1]}};
    is(sn_add(b, x, zero), x);
    is(sn_add(b, zero, x), x);
    is(sn_sub(b, x, zero), x);
    is(sn_mul(b, x, one), x);
    is(sn_mul(b, one, x), x);
    is(sn_div(b, x, one), x);
    assert_true(is_fill(&k, sn_mul(b, x, zero), 0));
    assert_int_equal(sn_at(k.g, sn_mul(b, zero, x))->type.rank, 2);
    is(sn_neg(b, sn_neg(b, x)), x);
    const sn_ref stopped = sn_unary(b, SN_OP_stop, x);
    is(sn_unary(b, SN_OP_stop, stopped), stopped);
    is(sn_reshape(b, sn_reshape(b, x, &flat), &t), x);
    is(sn_broadcast(b, x, &t), x);
    assert_true(is_fill(&k, sn_add(b, one, two), 3));
    assert_true(is_fill(&k, sn_neg(b, sn_div(b, one, two)), -0.5));
    assert_true(is_fill(&k, sn_broadcast(b, two, &big), 2));
    const sn_attrs order = {.axes = {2, {0, 1}}}, first = {.axis = {0}};
    is(sn_build_op(b, SN_OP_permute, &x, 1, &order, NULL), x);
    is(sn_build_op(b, SN_OP_concat, &x, 1, &first, NULL), x);
    /* what must stay: broadcasting adds an axis, other operands */
    const sn_ref wide = sn_fill(b, 0, &big);
    assert_int_equal(sn_at(k.g, sn_add(b, x, wide))->type.rank, 3);
    assert_int_equal(sn_at(k.g, sn_sub(b, zero, x))->op, SN_OP_sub);
    assert_int_equal(sn_at(k.g, sn_div(b, zero, x))->op, SN_OP_div);
    assert_int_equal(k.diags.count, 0);
    close_bench(&k);
}

static void raw_building_folds_nothing(void **state)
{
    (void)state;
    bench k;
    open_bench(&k, false);
    const sn_ref y = sn_add(&k.b, k.x, sn_scalar(&k.b, 0));
    assert_int_equal(sn_at(k.g, y)->op, SN_OP_add);
    close_bench(&k);
}

static void mistakes_do_not_cascade(void **state)
{
    (void)state;
    bench k;
    open_bench(&k, true);
    const sn_type five = {1, {sn_dim_const(5)}};
    k.b.name = "enc.sum";
    k.b.loc = (sn_loc){0, 3, 4, NULL};
    const sn_ref wrong = sn_add(&k.b, k.x, sn_fill(&k.b, 1, &five));
    assert_true(sn_is_none(wrong));
    assert_true(sn_is_none(sn_neg(&k.b, sn_mul(&k.b, wrong, k.x))));
    assert_int_equal(k.diags.count, 1);
    assert_string_equal(k.diags.diag[0].text, "add: shapes do not broadcast, x is f32[N,4] but y is f32[5]");
    assert_string_equal(k.diags.diag[0].node, "enc.sum");
    assert_int_equal(k.diags.diag[0].loc.off, 3);
    close_bench(&k);
}

static void names_and_data_are_copied(void **state)
{
    (void)state;
    bench k;
    open_bench(&k, false);
    char name[] = "a.b";
    float data[2] = {1, 2};
    const sn_type pair = {1, {sn_dim_const(2)}};
    const sn_attrs a = {.data = {data, 2}};
    k.b.name = name;
    const sn_ref c = sn_build_op(&k.b, SN_OP_const, NULL, 0, &a, &pair);
    name[0] = 'z';
    data[0] = 9;
    assert_string_equal(sn_at(k.g, c)->name, "a.b");
    assert_true(sn_at(k.g, c)->attrs.data.data[0] < 2);
    close_bench(&k);
}

static void live_copy(void **state)
{
    (void)state;
    bench k;
    open_bench(&k, false);
    const sn_type t = sn_at(k.g, k.x)->type, eight = {1, {sn_dim_const(8)}};
    sn_graph_param(k.g, "dead", SN_WEIGHT, &eight, (sn_init){SN_INIT_NORMAL, 0, 1}, (sn_loc){0});
    sn_neg(&k.b, k.x);
    const sn_ref y = sn_mul(&k.b, k.x, k.x);
    sn_fill(&k.b, 3, &t);
    const sn_ref z = sn_add(&k.b, y, k.x);
    sn_graph_output(k.g, "z", z, (sn_loc){0});
    uint32_t *use = sn_graph_uses(k.g);
    assert_int_equal(use[k.x.i], 4);
    assert_int_equal(use[y.i], 1);
    assert_int_equal(use[z.i], 1);
    free(use);
    sn_graph *c = sn_graph_copy_live(k.g);
    assert_int_equal(c->nodes, 3);
    assert_int_equal(c->params, 2);
    assert_true(sn_is_none(c->param[1].ref));
    assert_int_equal(c->param[0].ref.i, 0);
    assert_int_equal(c->node[2].op, SN_OP_add);
    assert_false(sn_graph_equal(k.g, c));
    sn_graph *d = sn_graph_copy_live(c);
    assert_true(sn_graph_equal(c, d));
    sn_graph_free(c);
    sn_graph_free(d);
    close_bench(&k);
}

static void dot(void **state)
{
    (void)state;
    bench k;
    open_bench(&k, false);
    sn_graph_output(k.g, "y", sn_neg(&k.b, k.x), (sn_loc){0});
    char *s;
    size_t n;
    FILE *f = open_memstream(&s, &n);
    sn_graph_dot(k.g, f);
    fclose(f);
    assert_string_equal(s, "digraph {\n  node [shape=box, fontname=\"monospace\"];\n  n0 [label=\"x\\nparam\\nf32[N,4]\", style=rounded];\n"
                           "  n1 [label=\"1\\nneg\\nf32[N,4]\"];\n  n0 -> n1;\n  o0 [label=\"y\", shape=ellipse];\n  n1 -> o0;\n}\n");
    free(s);
    close_bench(&k);
}

static void broadcasting(void **state)
{
    (void)state;
    sn_dims d;
    sn_dims_init(&d);
    const sn_dim N = sn_dim_symbol(&d, "N"), one = sn_dim_const(1), five = sn_dim_const(5);
    const sn_type a = {3, {N, one, five}}, b = {2, {N, one}}, c = {1, {sn_dim_const(4)}}, scalar = {0};
    sn_type r;
    assert_true(sn_type_broadcast(&a, &b, &r));
    assert_true(r.rank == 3 && r.dim[1].v == N.v && r.dim[2].v == 5);
    assert_true(sn_type_broadcast(&scalar, &a, &r) && sn_type_equal(&r, &a));
    assert_false(sn_type_broadcast(&a, &c, &r));
    assert_false(sn_type_equal(&a, &b));
    char text[8];
    assert_int_equal(sn_type_text(&d, &a, text, sizeof text), 10);
    assert_string_equal(text, "f32[N,1");
    assert_int_equal(sn_type_count(&d, &scalar).v, 1);
    sn_dims_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folding),   cmocka_unit_test(raw_building_folds_nothing), cmocka_unit_test(mistakes_do_not_cascade),
        cmocka_unit_test(live_copy), cmocka_unit_test(names_and_data_are_copied),  cmocka_unit_test(broadcasting),
        cmocka_unit_test(dot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
