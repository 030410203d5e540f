/* The queue loss against the reference in double precision: odd sizes, small temperatures, blocks of every width.
 * Not its gradient graph (tests/ops). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness.h"

static sn_ref input(sn_graph *g, const char *name, sn_dim rows, int64_t width)
{
    sn_type t = {.rank = 2, .dim = {rows, sn_dim_const(width)}};
    return sn_graph_param(g, name, SN_INPUT, &t, (sn_init){0}, (sn_loc){0});
}

static void unit_rows(float *f, double *d, int64_t rows, int64_t width)
{
    for (int64_t r = 0; r < rows; r++) {
        double sum = 0;
        for (int64_t i = 0; i < width; i++)
            sum += d[r * width + i] * d[r * width + i];
        for (int64_t i = 0; i < width; i++) {
            f[r * width + i] = (float)(d[r * width + i] / sqrt(sum));
            d[r * width + i] = (double)f[r * width + i];
        }
    }
}

/* `near`: how much of the query there is in its key, 0 .. 1. */
static void check(int64_t rows, int64_t keys, int64_t width, double tau, double near, const char *cpu)
{
    sn_graph *g = sn_graph_new("queue");
    sn_diags d;
    sn_diags_init(&d);
    sn_build b = {.g = g, .diags = &d};
    sn_dim n = sn_dim_symbol(&g->dims, "N");
    sn_ref arg[3] = {input(g, "q", n, width), input(g, "k", n, width), input(g, "queue", sn_dim_const(keys), width)};
    sn_ref y = sn_build_op(&b, SN_OP_queue_nce, arg, 3, &(sn_attrs){.tau = {tau}}, NULL);
    sn_graph_output(g, "y", y, (sn_loc){0});
    cg_params p = cg_params_new(g, &rows, (uint64_t)(rows + keys), -1, 1);
    for (int64_t i = 0; i < rows * width; i++)
        p.d[1][i] = near * p.d[0][i] + (1 - near) * p.d[1][i];
    unit_rows(p.f[0], p.d[0], rows, width);
    unit_rows(p.f[1], p.d[1], rows, width);
    unit_rows(p.f[2], p.d[2], keys, width);
    sn_schedule *s = cg_schedule_each(g);
    cg_check(s, &rows, &p, 1e-7 / tau + 1e-6, cpu, "queue_nce");
    cg_schedule_free(s);
    cg_params_free(&p);
    sn_diags_fini(&d);
    sn_graph_free(g);
}

static void test_shapes(void **state)
{
    (void)state;
    static const int64_t rows[] = {1, 7, 16, 17, 33, 48, 49, 100};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(rows[i], 1000 + 31 * (int64_t)i, 128, 0.07, 0, NULL);
    check(5, 1, 128, 0.07, 0, NULL);
    check(5, 63, 20, 0.07, 0, NULL);
    check(50, 500, 3, 0.2, 0, NULL);
    check(20, 769, 70, 0.2, 0, "x86-64-v3");
    check(20, 769, 70, 0.2, 0, "x86-64-v2");
}

static void test_temperature(void **state)
{
    (void)state;
    check(40, 4096, 128, 0.007, 0, NULL);
    check(40, 4096, 128, 0.007, 0.9, NULL);
    check(40, 4096, 128, 0.007, 1, NULL);
    check(40, 4096, 128, 0.001, 0.5, NULL);
    check(40, 4096, 128, 1, 0.5, NULL);
    check(10, 300, 4, 0.007, 0.5, NULL); /* some of the queue are nearly the query */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_temperature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
