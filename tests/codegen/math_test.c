/* exp, log and tanh of the kernels against libm in double: error in units of the last place, special values.
 * Not the operators' other properties (point_test.c). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

enum { COUNT = 400009 };

typedef struct function { sn_op op; double (*exact)(double); float low, high; double ulps; } function;
static const function functions[] = {
    {SN_OP_exp, exp, -86.9f, 88.7f, 1.5},
    {SN_OP_log, log, 1e-38f, 3e38f, 1.5},
    {SN_OP_log, log, 0.4f, 2.5f, 1.5},
    {SN_OP_tanh, tanh, -10.0f, 10.0f, 2.5},
    {SN_OP_tanh, tanh, -0.7f, 0.7f, 2.5},
};

static float from_bits(uint32_t b)
{
    float f;
    memcpy(&f, &b, sizeof f);
    return f;
}

static uint32_t to_bits(float f)
{
    uint32_t b;
    memcpy(&b, &f, sizeof b);
    return b;
}

/* Run op on x[0..n-1]; y is the caller's. */
static void run(sn_op op, const float *x, float *y, int64_t n, const char *cpu)
{
    sn_graph *g = sn_graph_new("math");
    sn_diags d;
    sn_diags_init(&d);
    sn_build b = {.g = g, .diags = &d};
    sn_type t = {.rank = 1, .dim = {sn_dim_const(n)}};
    sn_ref in = sn_graph_param(g, "x", SN_INPUT, &t, (sn_init){0}, (sn_loc){0}), out = sn_unary(&b, op, in);
    sn_graph_output(g, "y", out, (sn_loc){0});
    sn_schedule *s = cg_schedule_each(g);
    sn_compiled *c = sn_compile(s, &(sn_codegen_options){.cpu = cpu}, &d);
    assert_non_null(c);
    float *param[1];
    memcpy(&param[0], &x, sizeof x);
    cg_memory m = cg_run(sn_compiled_program(c), NULL, param, 1, false);
    memcpy(y, m.buffer[s->buffer_of[out.i]], (size_t)n * sizeof *y);
    cg_memory_free(&m);
    sn_compiled_free(c);
    cg_schedule_free(s);
    sn_diags_fini(&d);
    sn_graph_free(g);
}

static double ulp(double y)
{
    int e;
    frexp(y, &e);
    return ldexp(1, (e < -125 ? -125 : e) - 24);
}

/* Numbers evenly spread over the floats (positive ranges over several powers of two) or over the interval. */
static float sample(const function *f, int i)
{
    double part = (double)i / (COUNT - 1);
    if (f->low > 0 && f->high / f->low > 100) {
        double low = to_bits(f->low), high = to_bits(f->high);
        return from_bits((uint32_t)(low + part * (high - low)));
    }
    return (float)((double)f->low + part * ((double)f->high - (double)f->low));
}

static void accuracy(const char *cpu)
{
    float *x = malloc(COUNT * sizeof *x), *y = malloc(COUNT * sizeof *y);
    for (size_t k = 0; k < sizeof functions / sizeof functions[0]; k++) {
        const function *f = &functions[k];
        double worst = 0, where = 0;
        for (int i = 0; i < COUNT; i++)
            x[i] = sample(f, i);
        run(f->op, x, y, COUNT, cpu);
        for (int i = 0; i < COUNT; i++) {
            double exact = f->exact((double)x[i]), off = fabs((double)y[i] - exact) / ulp(exact);
            if (off > worst) {
                worst = off;
                where = (double)x[i];
            }
        }
        print_message("%s %s: %.2f units of the last place, at %g\n", cpu, sn_op_get(f->op)->name, worst, where);
        assert_true(worst <= f->ulps);
    }
    free(x);
    free(y);
}

static void test_native(void **state) { (void)state, accuracy("native"); }
static void test_v2(void **state) { (void)state, accuracy("x86-64-v2"); }
static void test_v3(void **state) { (void)state, accuracy("x86-64-v3"); }

static void test_special(void **state)
{
    (void)state;
    const float x[8] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, -1.0f, 1e-45f, 200.0f};
    float y[8];
    run(SN_OP_exp, x, y, 8, NULL);
    assert_true(y[0] == 1 && y[1] == 1 && isinf(y[2]) && y[3] == 0 && isnan(y[4]) && isinf(y[7]));
    run(SN_OP_log, x, y, 8, NULL);
    assert_true(isinf(y[0]) && y[0] < 0 && isinf(y[1]) && isinf(y[2]) && y[2] > 0 && isnan(y[3]) && isnan(y[4]) && isnan(y[5]));
    assert_true(fabs((double)y[6] - log(1.4012984643e-45)) < 1e-5);
    run(SN_OP_tanh, x, y, 8, NULL);
    assert_true(y[0] == 0 && y[2] == 1 && y[3] == -1 && isnan(y[4]) && y[7] == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_native),
        cmocka_unit_test(test_v3),
        cmocka_unit_test(test_v2),
        cmocka_unit_test(test_special),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
