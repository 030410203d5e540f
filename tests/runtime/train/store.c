/* Tests of the parameter store: initial values, momentum copies, assignment, the queue's ring, finite check. */
#include "twin_store.h"

#include <math.h>

static void test_init(void **unused)
{
    (void)unused;
    twin_store a, b;
    twin_store_init(&a, 8, 3, 1, 42);
    twin_store_init(&b, 24, 5, 3, 42); /* other batch, other threads: the same parameters */
    for (uint32_t i = TWIN_W; i < TWIN_PARAMS; i++) {
        size_t n, m;
        float *x = sn_rt_store_param(a.store, i, &n), *y = sn_rt_store_param(b.store, i, &m);
        assert_int_equal(n, m);
        assert_memory_equal(x, y, n * sizeof *x);
    }
    assert_memory_equal(twin_param(&a, TWIN_COPY), twin_param(&a, TWIN_W), TWIN_IN * TWIN_OUT * sizeof(float));
    for (int o = 0; o < TWIN_OUT; o++) assert_true(twin_param(&a, TWIN_BIAS)[o] == 0.5f);
    for (int k = 0; k < 3; k++) assert_true(fabsf(twin_param(&a, TWIN_SCALE)[k]) <= 1);
    for (int r = 0; r < TWIN_QUEUE; r++) {
        double norm = 0;
        for (int o = 0; o < TWIN_OUT; o++) norm += pow(twin_param(&a, TWIN_QUEUE_STATE)[r * TWIN_OUT + o], 2);
        assert_true(fabs(norm - 1) < 1e-6);
    }
    twin_store_fini(&b);
    twin_store_init(&b, 8, 3, 1, 43);
    assert_memory_not_equal(twin_param(&a, TWIN_W), twin_param(&b, TWIN_W), 64);
    twin_store_fini(&a);
    twin_store_fini(&b);
}

static void test_distributions(void **unused)
{
    (void)unused;
    enum { N = 50000 };
    static float x[N], again[N];
    double       mean = 0, square = 0;
    sn_rt_init_fill(SN_ABI_NORMAL, 3, 2, "x", 1, 2, x, N, 10);
    sn_rt_init_fill(SN_ABI_NORMAL, 3, 2, "x", 1, 1, again, N, 10);
    assert_memory_equal(x, again, sizeof x);
    for (int i = 0; i < N; i++) mean += x[i] / N;
    for (int i = 0; i < N; i++) square += (x[i] - mean) * (x[i] - mean) / N;
    assert_true(fabs(mean - 3) < 0.05 && fabs(square - 4) < 0.1);
    sn_rt_init_fill(SN_ABI_UNIFORM, -1, 5, "x", 1, 2, x, N, 10);
    mean = 0;
    for (int i = 0; i < N; i++) {
        assert_true(x[i] >= -1 && x[i] <= 5);
        mean += x[i] / N;
    }
    assert_true(fabs(mean - 2) < 0.05);
    sn_rt_init_fill(SN_ABI_UNIFORM, -1, 5, "y", 1, 2, again, N, 10);
    assert_memory_not_equal(x, again, 64);
    sn_rt_init_fill(SN_ABI_UNIT_ROWS, 0, 0, "z", 1, 2, x, 9000, 9000); /* a row longer than a chunk */
    square = 0;
    for (int i = 0; i < 9000; i++) square += (double)x[i] * x[i];
    assert_true(fabs(square - 1) < 1e-6);
    sn_rt_init_fill(SN_ABI_EQUAL_ROWS, 3, 2, "x", 1, 2, again, 5000, 100); /* more rows than a chunk has */
    sn_rt_init_fill(SN_ABI_NORMAL, 3, 2, "x", 1, 1, x, 100, 100);
    for (int row = 0; row < 50; row++) assert_memory_equal(x, again + 100 * row, 100 * sizeof *x);
}

static void test_follow(void **unused)
{
    (void)unused;
    twin_store t;
    twin_store_init(&t, 4, 2, 2, 7);
    float *w = twin_param(&t, TWIN_W), *copy = twin_param(&t, TWIN_COPY);
    sn_rt_store_follow(t.store, 2);
    assert_memory_equal(copy, w, TWIN_IN * TWIN_OUT * sizeof(float)); /* equal stays equal, to the bit */
    for (int k = 0; k < TWIN_IN * TWIN_OUT; k++) w[k] += 1;
    float before = copy[17];
    sn_rt_store_follow(t.store, 2);
    assert_true(fabsf(copy[17] - (0.99f * before + 0.01f * w[17])) < 1e-6f);
    twin_store_fini(&t);
}

static void test_updates(void **unused)
{
    (void)unused;
    enum { N = 40 };
    twin_store t;
    twin_store_init(&t, N, 2, 2, 7);
    float *queue = twin_param(&t, TWIN_QUEUE_STATE), *average = twin_param(&t, TWIN_AVERAGE), before[TWIN_QUEUE * TWIN_OUT];
    for (uint64_t step = 0; step < 4; step++) {
        memcpy(before, queue, sizeof before);
        float old = average[3];
        check_ok(sn_rt_session_run(t.s, 7, step, err));
        sn_rt_store_update(t.store, t.s);
        size_t n, head = step % 3 * N * TWIN_OUT;
        assert_memory_equal(queue + head, sn_rt_session_update(t.s, 1, &n), N * TWIN_OUT * sizeof(float));
        memcpy(before + head, queue + head, N * TWIN_OUT * sizeof(float));
        assert_memory_equal(queue, before, sizeof before); /* other rows untouched */
        assert_int_equal(*sn_rt_store_head(t.store, TWIN_QUEUE_STATE), (step + 1) % 3 * N);
        const float *q = sn_rt_session_output(t.s, TWIN_FEATURES);
        float mean = 0;
        for (int r = 0; r < N; r++) mean += q[r * TWIN_OUT + 3] / N;
        assert_true(fabsf(average[3] - (0.9f * old + 0.1f * mean)) < 1e-5f);
    }
    twin_store_fini(&t);
}

static void test_not_finite(void **unused)
{
    (void)unused;
    twin_store t;
    twin_store_init(&t, 4, 2, 2, 7);
    assert_int_equal(sn_rt_store_not_finite(t.store, 2), SN_RT_NONE);
    twin_param(&t, TWIN_AVERAGE)[7] = INFINITY;
    assert_int_equal(sn_rt_store_not_finite(t.store, 2), TWIN_AVERAGE);
    twin_param(&t, TWIN_W)[7] = NAN;
    assert_int_equal(sn_rt_store_not_finite(t.store, 2), TWIN_W);
    twin_store_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),    cmocka_unit_test(test_distributions), cmocka_unit_test(test_follow),
        cmocka_unit_test(test_updates), cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
