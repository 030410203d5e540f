/* Pointwise and index operators through map kernels, alone and fused, at odd sizes.
 * Not contractions (gemm tests). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness.h"

static sn_type shape(uint8_t rank, const int64_t *d)
{
    sn_type t = {.rank = rank};
    for (uint8_t i = 0; i < rank; i++)
        t.dim[i] = (sn_dim){d[i]};
    return t;
}
#define SHAPE(...) shape(sizeof((int64_t[]){__VA_ARGS__}) / 8, (int64_t[]){__VA_ARGS__})

#define SHAPE_AT(...) ((sn_type[1]){SHAPE(__VA_ARGS__)})

static sn_ref input(sn_graph *g, const char *name, sn_type t)
{
    return sn_graph_param(g, name, SN_INPUT, &t, (sn_init){0}, (sn_loc){0});
}

static void fill_zero(sn_attrs *a) { *a = (sn_attrs){0}; }

/* Every pointwise operator of the table on one shape with broadcasting arguments. */
static void pointwise_shape(sn_type full, const sn_type *other, const char *cpu)
{
    sn_graph *g = sn_graph_new("point");
    sn_diags d;
    sn_diags_init(&d);
    sn_build b = {.g = g, .diags = &d};
    sn_ref x[3] = {input(g, "x", full), input(g, "y", *other), input(g, "z", full)};
    for (int op = 0; op < SN_OP_COUNT; op++) {
        const sn_op_info *info = sn_op_get((sn_op)op);
        if (!(info->traits & SN_POINTWISE))
            continue;
        sn_attrs a;
        fill_zero(&a);
        if (info->attrs == SN_ATTR_value)
            a.value.value = 0.25;
        sn_ref r = sn_build_op(&b, (sn_op)op, x, (uint32_t)info->arity, &a, NULL);
        if (sn_is_none(r))
            sn_diags_print(&d, stderr);
        assert_false(sn_is_none(r));
        sn_graph_output(g, info->name, r, (sn_loc){0});
    }
    int64_t symbol[2] = {3, 7};
    cg_params p = cg_params_new(g, symbol, 1, 0.01, 3.0), q = cg_params_new(g, symbol, 2, -4.0, 4.0);
    sn_schedule *s = cg_schedule_each(g);
    cg_check(s, symbol, &p, 3e-7, cpu, "positive");
    cg_check(s, symbol, &q, 3e-7, cpu, "both signs");
    cg_schedule_free(s);
    cg_params_free(&p);
    cg_params_free(&q);
    sn_diags_fini(&d);
    sn_graph_free(g);
}

static void test_pointwise(void **state)
{
    (void)state;
    pointwise_shape(SHAPE(3, 5, 7), SHAPE_AT(3, 5, 7), NULL);
    pointwise_shape(SHAPE(2, 3, 5, 33), SHAPE_AT(33), NULL);
    pointwise_shape(SHAPE(2, 3, 5, 16), SHAPE_AT(3, 1, 16), NULL);
    pointwise_shape(SHAPE(4, 6, 1), SHAPE_AT(4, 1, 1), NULL);
    pointwise_shape(SHAPE(1), SHAPE_AT(1), NULL);
}

static void test_baselines(void **state)
{
    (void)state;
    pointwise_shape(SHAPE(2, 3, 35), SHAPE_AT(35), "x86-64-v2");
    pointwise_shape(SHAPE(2, 3, 35), SHAPE_AT(35), "x86-64-v3");
}

static void test_symbols(void **state)
{
    (void)state;
    sn_graph *g = sn_graph_new("symbols");
    sn_diags d;
    sn_diags_init(&d);
    sn_build b = {.g = g, .diags = &d};
    sn_dim n = sn_dim_symbol(&g->dims, "N"), t = sn_dim_symbol(&g->dims, "T");
    sn_type full = SHAPE(n.v, t.v, 5, 20), row = SHAPE(n.v, 1, 1, 20), one = SHAPE(20);
    sn_ref x = input(g, "x", full), y = input(g, "y", row), z = input(g, "z", one);
    sn_ref r = sn_unary(&b, SN_OP_relu, sn_add(&b, sn_mul(&b, x, z), y));
    sn_ref flat = sn_unary(&b, SN_OP_sigmoid, x), m = sn_binary(&b, SN_OP_greater, r, sn_scalar(&b, 0.5));
    sn_attrs tile = {.tile = {.outer = 1, .chunk = 3, .keep = 1}}, all = {.tile = {.outer = 1, .chunk = 3, .keep = 0}};
    sn_ref sums = sn_build_op(&b, SN_OP_partial_sum, &r, 1, &tile, NULL), masks = sn_build_op(&b, SN_OP_partial_sum, &m, 1, &tile, NULL);
    sn_ref total = sn_build_op(&b, SN_OP_partial_sum, &r, 1, &all, NULL);
    assert_int_equal(d.errors, 0);
    cg_kernel k[] = {
        {.form = SN_FORM_MAP, .anchor = SN_NONE, .out = {r, m, sums, masks}, .outs = 4, .tiled = true, .outer = 1, .chunk = 3},
        {.form = SN_FORM_MAP, .anchor = SN_NONE, .out = {flat}, .outs = 1},
        {.form = SN_FORM_MAP, .anchor = SN_NONE, .out = {total}, .outs = 1, .tiled = true, .outer = 1, .chunk = 3},
    };
    for (int64_t i = 1; i < 14; i += 4) {
        int64_t symbol[2] = {i % 3 + 1, i};
        cg_params p = cg_params_new(g, symbol, (uint64_t)i, -2, 2);
        sn_schedule *s = cg_schedule(g, k, 3);
        cg_check(s, symbol, &p, 1e-6, NULL, "symbols");
        cg_check(s, symbol, &p, 1e-6, "x86-64-v3", "symbols");
        cg_schedule_free(s);
        cg_params_free(&p);
    }
    sn_diags_fini(&d);
    sn_graph_free(g);
}

/* Operators that move elements, each its own kernel and all of them pulled into one. */
static void test_index(void **state)
{
    (void)state;
    sn_graph *g = sn_graph_new("index");
    sn_diags d;
    sn_diags_init(&d);
    sn_build b = {.g = g, .diags = &d};
    sn_dim n = sn_dim_symbol(&g->dims, "N"), t = sn_dim_symbol(&g->dims, "T");
    sn_type full = SHAPE(n.v, t.v, 3, 8), flat = SHAPE(sn_dim_mul(&g->dims, n, t).v, 24);
    sn_ref x = input(g, "x", full), w = input(g, "w", SHAPE(4, 37));
    sn_ref moved[24];
    uint32_t m = 0;
    moved[m++] = sn_reshape(&b, x, &flat);
    moved[m++] = sn_reshape(&b, sn_unary(&b, SN_OP_exp, x), &flat);
    moved[m++] = sn_build_op(&b, SN_OP_permute, &x, 1, &(sn_attrs){.axes = {4, {0, 3, 1, 2}}}, NULL);
    moved[m++] = sn_build_op(&b, SN_OP_permute, &x, 1, &(sn_attrs){.axes = {4, {2, 0, 1, 3}}}, NULL);
    moved[m++] = sn_build_op(&b, SN_OP_permute, &x, 1, &(sn_attrs){.axes = {4, {2, 3, 1, 0}}}, NULL);
    for (int64_t axis = 0; axis < 2; axis++) {
        sn_type part = SHAPE(4, 37), wide = SHAPE(4, 37);
        part.dim[axis].v = axis ? 12 : 2;
        wide.dim[axis].v = axis ? 80 : 9;
        sn_attrs sl = {.slice = {axis, 1, axis ? 3 : 2}};
        moved[m++] = sn_build_op(&b, SN_OP_slice, &w, 1, &sl, &part);
        sn_attrs pd = {.slice = {axis, 2, 2}};
        moved[m++] = sn_build_op(&b, SN_OP_pad, &w, 1, &pd, &wide);
        moved[m++] = sn_build_op(&b, SN_OP_flip, &w, 1, &(sn_attrs){.axis = {axis}}, NULL);
        sn_ref two[3] = {w, moved[m - 1], w};
        moved[m++] = sn_build_op(&b, SN_OP_concat, two, 3, &(sn_attrs){.axis = {axis}}, NULL);
        moved[m++] = sn_build_op(&b, SN_OP_iota, NULL, 0, &(sn_attrs){.axis = {axis}}, &part);
    }
    moved[m++] = sn_build_op(&b, SN_OP_bernoulli, NULL, 0, &(sn_attrs){.random = {.p = 0.3, .stream = 4}}, &full);
    moved[m++] = sn_build_op(&b, SN_OP_pool_matrix, NULL, 0, &(sn_attrs){0}, SHAPE_AT(19, 75));
    moved[m++] = sn_build_op(&b, SN_OP_pool_matrix, NULL, 0, &(sn_attrs){0}, SHAPE_AT(7, t.v));
    moved[m++] = sn_build_op(&b, SN_OP_interp_matrix, NULL, 0, &(sn_attrs){.align = {0}}, SHAPE_AT(t.v, 5));
    moved[m++] = sn_build_op(&b, SN_OP_interp_matrix, NULL, 0, &(sn_attrs){.align = {1}}, SHAPE_AT(13, 38));
    moved[m++] = sn_build_op(&b, SN_OP_extent, NULL, 0, &(sn_attrs){.extent = {t}}, NULL);
    moved[m++] = sn_build_op(&b, SN_OP_broadcast, &w, 1, &(sn_attrs){0}, SHAPE_AT(3, 4, 37));
    for (uint32_t i = 0; i < m; i++) {
        if (sn_is_none(moved[i]))
            sn_diags_print(&d, stderr);
        assert_false(sn_is_none(moved[i]));
        sn_graph_output(g, "out", sn_unary(&b, SN_OP_neg, moved[i]), (sn_loc){0});
    }
    int64_t symbol[2] = {3, 11};
    cg_params p = cg_params_new(g, symbol, 3, -2, 2);
    sn_schedule *s = cg_schedule_each(g);
    cg_check(s, symbol, &p, 1e-6, NULL, "each");
    cg_check(s, symbol, &p, 1e-6, "x86-64-v2", "each v2");
    cg_schedule_free(s);
    for (uint32_t i = 0; i < m; i++) {
        cg_kernel k = {.form = SN_FORM_MAP, .anchor = SN_NONE, .out = {g->output[i].ref}, .outs = 1};
        s = cg_schedule(g, &k, 1);
        cg_check(s, symbol, &p, 1e-6, NULL, sn_op_get(sn_at(g, moved[i])->op)->name);
        cg_schedule_free(s);
    }
    cg_params_free(&p);
    sn_diags_fini(&d);
    sn_graph_free(g);
}

/* Bernoulli numbers: their share, and that neighbours, rows and streams have nothing to do with each other, within five deviations. */
static void test_random(void **state)
{
    (void)state;
    enum { COUNT = 1 << 18, STREAMS = 4 };
    static const int lags[] = {1, 2, 7, 16, 25, 64, 256, 1600};
    sn_graph *g = sn_graph_new("random");
    sn_diags d;
    sn_diags_init(&d);
    sn_build b = {.g = g, .diags = &d};
    for (int64_t i = 0; i < STREAMS; i++)
        sn_graph_output(g, "keep", sn_build_op(&b, SN_OP_bernoulli, NULL, 0, &(sn_attrs){.random = {.p = 0.5, .stream = i}}, SHAPE_AT(COUNT)), (sn_loc){0});
    sn_schedule *s = cg_schedule_each(g);
    sn_compiled *c = sn_compile(s, NULL, &d);
    assert_non_null(c);
    cg_memory m = cg_run(sn_compiled_program(c), NULL, NULL, 2, false);
    const double limit = 5 * 0.5 / 512; /* five deviations of a mean of COUNT coins */
    for (uint32_t i = 0; i < STREAMS; i++) {
        const float *x = m.buffer[i], *y = m.buffer[(i + 1) % STREAMS];
        double mean = 0, other = 0;
        for (int j = 0; j < COUNT; j++) {
            mean += (double)x[j];
            other += x[j] == y[j];
        }
        assert_true(mean / COUNT > 0.5 - limit && mean / COUNT < 0.5 + limit);
        assert_true(other / COUNT > 0.5 - limit && other / COUNT < 0.5 + limit);
        for (size_t l = 0; l < sizeof lags / sizeof lags[0]; l++) {
            int same = 0;
            for (int j = lags[l]; j < COUNT; j++)
                same += x[j] == x[j - lags[l]];
            double part = (double)same / (COUNT - lags[l]);
            assert_true(part > 0.5 - limit && part < 0.5 + limit);
        }
    }
    cg_memory_free(&m);
    sn_compiled_free(c);
    cg_schedule_free(s);
    sn_diags_fini(&d);
    sn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pointwise),
        cmocka_unit_test(test_baselines),
        cmocka_unit_test(test_symbols),
        cmocka_unit_test(test_index),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
