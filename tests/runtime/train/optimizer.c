/* Tests of the optimiser against its formula, element by element in the same precision, and of the schedule. */
#include "twin_store.h"

#include "runtime/train/optimizer.h"

#include <math.h>

static void check_steps(bool nesterov, int threads)
{
    enum { COUNT = TWIN_IN * TWIN_OUT };
    static float w[COUNT], v[COUNT];
    twin_store t;
    twin_store_init(&t, 4, 2, threads, 7);
    size_t n;
    float *weight = twin_param(&t, TWIN_W), *gradient = sn_rt_store_gradient(t.store, TWIN_W, &n), *scale = twin_param(&t, TWIN_SCALE);
    float  frozen = scale[1];
    assert_int_equal(n, COUNT);
    assert_null(sn_rt_store_gradient(t.store, TWIN_SCALE, &n));
    memcpy(w, weight, sizeof w);
    sn_rt_sgd sgd = {0.9, 1e-2, nesterov};
    for (int step = 0; step < 5; step++) {
        for (int k = 0; k < COUNT; k++) gradient[k] = sinf((float)(k + step));
        sn_rt_sgd_step(t.store, &sgd, 0.1, threads);
        for (int k = 0; k < COUNT; k++) { /* volatile: one rounding an operation, as the optimiser promises */
            volatile float wd = 1e-2f * w[k], g = gradient[k] + wd, mv = 0.9f * v[k];
            v[k] = step ? mv + g : g;
            volatile float ahead = 0.9f * v[k], d = nesterov ? g + ahead : v[k], move = 0.1f * d;
            w[k] = w[k] - move;
        }
        assert_memory_equal(weight, w, sizeof w);
        assert_memory_equal(sn_rt_store_velocity(t.store, TWIN_W, &n), v, sizeof v);
    }
    assert_true(scale[1] == frozen); /* no gradient: no decay either */
    twin_store_fini(&t);
}

static void test_sgd(void **unused) { (void)unused, check_steps(false, 1), check_steps(false, 3); }
static void test_nesterov(void **unused) { (void)unused, check_steps(true, 2); }

static void test_schedule(void **unused)
{
    (void)unused;
    const int64_t  at[] = {3, 5};
    sn_rt_schedule s = {0.1, 0.1, 8, 2, at, 2};
    const double   expected[] = {0.1 / 20, 0.1 / 2, 0.1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001};
    const uint64_t step[] = {0, 9, 19, 20, 29, 30, 49, 50, 79};
    for (int i = 0; i < 9; i++) assert_true(fabs(sn_rt_schedule_rate(&s, step[i], 10) - expected[i]) < 1e-12);
    s.warmup = 0;
    assert_true(sn_rt_schedule_rate(&s, 0, 10) == 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sgd), cmocka_unit_test(test_nesterov), cmocka_unit_test(test_schedule)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
