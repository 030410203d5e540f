/* Batch norm of numbers whose mean is far larger than their deviation: statistics against exact ones.
 * Not its gradient (tests/models/golden.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/training.h"

enum { N = 4, T = 40, V = 25, C = 3, ROWS = N * T * V, STEPS = 250 };

static double unbiased_variance(const float *x, int c)
{
    double mean = 0, sum = 0;
    for (int i = 0; i < ROWS; i++) mean += (double)x[i * C + c] / ROWS;
    for (int i = 0; i < ROWS; i++) sum += ((double)x[i * C + c] - mean) * ((double)x[i * C + c] - mean);
    return sum / (ROWS - 1);
}

static float *state_of(sn_rt_trainer *t, const sn_abi_program *p, const char *name)
{
    size_t   n;
    uint32_t i = sn_rt_find_param(p, name);
    assert_int_not_equal(i, SN_RT_NONE);
    float *x = sn_rt_store_param(sn_rt_trainer_store(t), i, &n);
    assert_int_equal(n, C);
    return x;
}

/* The first steps know nothing of the mean and subtract squares of 1e6; running averages forget them by a tenth a step. */
static void variance_is_exact_once_the_mean_is_known(void **state)
{
    sn_training    job;
    sn_rt_trainer *t = NULL;
    sn_rt_error    err;
    (void)state;
    if (!sn_training_open(&job, HERE "/far_mean.json", NULL, 0, NULL, NULL, NULL, &err)) {
        sn_diags_print(&job.diags, stderr);
        fail();
    }
    assert_int_equal(sn_training_start(&job, 1, 2, &t, &err), SN_RT_OK);
    float *x = aligned_alloc(64, sizeof(float) * ROWS * C);
    assert_non_null(x);
    sn_rt_init_fill(SN_ABI_NORMAL, 1000, 1, "x", 1, 1, x, (size_t)ROWS * C, C);
    const float *const input[] = {x};
    for (uint64_t step = 0; step < STEPS; step++) assert_int_equal(sn_rt_trainer_step(t, input, step, 0, &err), SN_RT_OK);
    const float *var = state_of(t, job.program.abi, "bn.running_var"), *mean = state_of(t, job.program.abi, "bn.running_mean");
    for (int c = 0; c < C; c++) {
        double want = unbiased_variance(x, c);
        if (fabs(var[c] - want) > 1e-6 * want) fail_msg("channel %d: running variance %.9g, exact %.9g", c, (double)var[c], want);
        assert_true(fabs(mean[c] - 1000) < 0.1);
    }
    free(x);
    sn_rt_trainer_free(t);
    sn_training_close(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(variance_is_exact_once_the_mean_is_known)};
    return cmocka_run_group_tests_name("far_mean", tests, NULL, NULL);
}
