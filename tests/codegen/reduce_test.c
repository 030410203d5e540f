/* Reductions against the reference: every placement of kept and reduced axes, several at once, large ones, with prologue and epilogue.
 * Not partial sums (point_test.c). */
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

typedef struct bench { sn_graph *g; sn_diags d; sn_build b; sn_dim n, t; } bench;

static void bench_init(bench *x)
{
    x->g = sn_graph_new("reduce");
    sn_diags_init(&x->d);
    x->b = (sn_build){.g = x->g, .diags = &x->d};
    x->n = sn_dim_symbol(&x->g->dims, "N");
    x->t = sn_dim_symbol(&x->g->dims, "T");
}

static void bench_fini(bench *x)
{
    assert_int_equal(x->d.errors, 0);
    sn_diags_fini(&x->d);
    sn_graph_free(x->g);
}

static sn_ref input(bench *x, const char *name, sn_type t)
{
    return sn_graph_param(x->g, name, SN_INPUT, &t, (sn_init){0}, (sn_loc){0});
}

static void check_each(bench *x, const int64_t *symbol, double low, double high, const char *cpu, const char *name)
{
    cg_params p = cg_params_new(x->g, symbol, 11, low, high);
    sn_schedule *s = cg_schedule_each(x->g);
    cg_check(s, symbol, &p, 1e-6, cpu, name);
    cg_schedule_free(s);
    cg_params_free(&p);
}

/* Sum over every subset of axes of a shape, amax and argmax over every axis. */
static void all_axes(sn_type (*make)(bench *), int64_t n, int64_t t, const char *cpu)
{
    bench x;
    bench_init(&x);
    sn_type full = make(&x);
    sn_ref a = input(&x, "a", full);
    for (unsigned bits = 1; bits < 1u << full.rank; bits++) {
        uint8_t axis[SN_MAX_RANK];
        uint32_t axes = 0;
        for (uint8_t i = 0; i < full.rank; i++)
            if (bits >> i & 1)
                axis[axes++] = i;
        sn_graph_output(x.g, "sum", sn_sum(&x.b, a, axis, axes), (sn_loc){0});
        if (axes == 1)
            for (int max = 0; max < 2; max++)
                sn_graph_output(x.g, "max", sn_build_op(&x.b, max ? SN_OP_amax : SN_OP_argmax, &a, 1, &(sn_attrs){.axis = {axis[0]}}, NULL),
                                (sn_loc){0});
    }
    int64_t symbol[2] = {n, t};
    check_each(&x, symbol, -1, 1, cpu, "axes");
    bench_fini(&x);
}

static sn_type wide(bench *x) { return SHAPE(x->n.v, x->t.v, 5, 40); }
static sn_type odd(bench *x) { return SHAPE(3, x->t.v, 25, 3); }
static sn_type thin(bench *x) { return SHAPE(x->n.v, 1, 7, 1); }
static sn_type constant(bench *x) { return (void)x, SHAPE(2, 67, 19); }
static sn_type open_end(bench *x) { return SHAPE(6, x->t.v); }

static void test_axes(void **state)
{
    (void)state;
    all_axes(wide, 2, 7, NULL);
    all_axes(wide, 3, 70, NULL);
    all_axes(odd, 1, 9, NULL);
    all_axes(thin, 5, 1, NULL);
    all_axes(thin, 1, 1, NULL);
    all_axes(constant, 1, 1, NULL);
    all_axes(constant, 1, 1, "x86-64-v3");
    all_axes(open_end, 1, 1, NULL);
    all_axes(open_end, 1, 1501, NULL);
    all_axes(open_end, 1, 333, "x86-64-v2");
}

/* Equal elements: the first place counts, whatever the lanes. */
static void test_ties(void **state)
{
    (void)state;
    bench x;
    bench_init(&x);
    sn_type full = SHAPE(7, x.t.v, 50);
    sn_ref a = input(&x, "a", full), small = sn_unary(&x.b, SN_OP_stop, sn_binary(&x.b, SN_OP_greater, a, sn_scalar(&x.b, 0)));
    for (int64_t axis = 0; axis < 3; axis++)
        sn_graph_output(x.g, "place", sn_build_op(&x.b, SN_OP_argmax, &small, 1, &(sn_attrs){.axis = {axis}}, NULL), (sn_loc){0});
    int64_t symbol[2] = {1, 200};
    check_each(&x, symbol, -1, 0.1, NULL, "ties");
    bench_fini(&x);
}

/* Two sums and a maximum of x after a prologue, then an epilogue that uses all: one kernel. */
static void fused(uint8_t axis, sn_type (*make)(bench *), int64_t n, int64_t t)
{
    bench x;
    bench_init(&x);
    sn_type full = make(&x), row = full;
    row.dim[axis] = sn_dim_const(1);
    sn_ref a = input(&x, "a", full), s = input(&x, "s", row), e = sn_unary(&x.b, SN_OP_tanh, sn_sub(&x.b, a, s));
    sn_ref sum = sn_sum(&x.b, e, &axis, 1), square = sn_sum(&x.b, sn_mul(&x.b, e, a), &axis, 1);
    sn_ref most = sn_build_op(&x.b, SN_OP_amax, &a, 1, &(sn_attrs){.axis = {axis}}, NULL);
    sn_ref place = sn_build_op(&x.b, SN_OP_argmax, &e, 1, &(sn_attrs){.axis = {axis}}, NULL);
    sn_ref all = sn_add(&x.b, sn_mul(&x.b, sum, s), sn_sub(&x.b, square, most));
    cg_kernel k = {.form = SN_FORM_REDUCE, .anchor = sum, .out = {all, sum, place}, .outs = 3};
    int64_t symbol[2] = {n, t};
    cg_params p = cg_params_new(x.g, symbol, 5, -1, 1);
    sn_schedule *sched = cg_schedule(x.g, &k, 1);
    cg_check(sched, symbol, &p, 1e-6, NULL, "fused");
    cg_check(sched, symbol, &p, 1e-6, "x86-64-v3", "fused");
    cg_schedule_free(sched);
    cg_params_free(&p);
    bench_fini(&x);
}

static void test_fused(void **state)
{
    (void)state;
    for (uint8_t axis = 0; axis < 4; axis++)
        fused(axis, wide, 3, 33);
    for (uint8_t axis = 0; axis < 3; axis++)
        fused(axis, constant, 1, 1);
    fused(1, open_end, 1, 777);
    fused(0, open_end, 1, 77);
}

/* Sums of many equal numbers that f32 alone would get wrong by 1e-3. */
static void test_large(void **state)
{
    (void)state;
    bench x;
    bench_init(&x);
    sn_type full = SHAPE(x.t.v, 3), flat = SHAPE(x.t.v);
    sn_ref a = input(&x, "a", full), c = input(&x, "c", flat);
    uint8_t axis[2] = {0, 1};
    sn_graph_output(x.g, "columns", sn_sum(&x.b, a, axis, 1), (sn_loc){0});
    sn_graph_output(x.g, "rows", sn_sum(&x.b, a, axis + 1, 1), (sn_loc){0});
    sn_graph_output(x.g, "all", sn_sum(&x.b, a, axis, 2), (sn_loc){0});
    sn_graph_output(x.g, "flat", sn_sum(&x.b, c, axis, 1), (sn_loc){0});
    int64_t symbol[2] = {1, 1000003};
    check_each(&x, symbol, 0.1, 0.11, NULL, "large");
    bench_fini(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_axes),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_fused),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
